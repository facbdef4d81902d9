//! Test statistics and their p-values, independent of the crate.

#![allow(dead_code)] // Each test file uses its own part.

use pullback_ad::math::scalar::{exp, lgamma, ln};

/// Below this a test fails. The seeds are fixed: the p-values are, too, and a test either always passes or shows a defect.
pub const P_MIN: f64 = 1e-3;

/// The regularised incomplete gamma function P(a, x), by its series and continued fraction (Abramowitz and Stegun 6.5.29, 6.5.31).
pub fn gamma_cdf(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = exp(a * ln(x) - x - lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return front * sum;
    }
    // Lentz's method.
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        h *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - front * h
}

/// The probability of a larger χ².
pub fn chi2_p(chi2: f64, ndf: usize) -> f64 {
    1.0 - gamma_cdf(0.5 * ndf as f64, 0.5 * chi2)
}

/// Kolmogorov and Smirnov: the p-value of the largest distance between a sample and a distribution function.
///
/// Reference: M. A. Stephens, Journal of the Royal Statistical Society B 32 (1970) 115, for the correction to finite samples.
pub fn ks_p(sample: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let mut distance: f64 = 0.0;
    for (i, x) in sample.iter().enumerate() {
        let f = cdf(*x);
        let i = i as f64;
        distance = distance.max(f - i / n).max((i + 1.0) / n - f);
    }
    let lambda = (n.sqrt() + 0.12 + 0.11 / n.sqrt()) * distance;
    let mut p = 0.0;
    for k in 1..100 {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        p += sign * exp(-2.0 * f64::from(k * k) * lambda * lambda);
    }
    p.clamp(0.0, 1.0)
}

/// χ² of counts against probabilities; cells that expect less than 10 are merged with their neighbours.
pub fn counts_p(counts: &[u64], probabilities: &[f64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let (mut chi2, mut cells) = (0.0, 0);
    let (mut seen, mut expected) = (0.0, 0.0);
    let mut left = total as f64;
    for (n, p) in counts.iter().zip(probabilities) {
        seen += *n as f64;
        expected += p * total as f64;
        if expected >= 10.0 && left - expected >= 10.0 {
            chi2 += (seen - expected).powi(2) / expected;
            left -= expected;
            cells += 1;
            (seen, expected) = (0.0, 0.0);
        }
    }
    // What is left makes the last cell.
    chi2 += (seen - left).powi(2) / left;
    assert!(cells > 0, "one cell has no test");
    chi2_p(chi2, cells)
}

/// Mean and variance.
pub fn moments(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, variance)
}

/// The mean and the variance within five standard errors of what they should be; `kurtosis` is the fourth central moment over the squared variance.
pub fn check_moments(name: &str, sample: &[f64], mean: f64, variance: f64, kurtosis: f64) {
    let n = sample.len() as f64;
    let (m, v) = moments(sample);
    let (dm, dv) = (
        (variance / n).sqrt(),
        variance * ((kurtosis - 1.0) / n).sqrt(),
    );
    assert!((m - mean).abs() < 5.0 * dm, "{name}: mean {m} for {mean}");
    assert!(
        (v - variance).abs() < 5.0 * dv,
        "{name}: variance {v} for {variance}"
    );
}
