//! Probabilities of Poisson and binomial counts to full relative accuracy, also where counts are large.
//!
//! k ln µ − µ − ln k! loses all digits to cancellation at large µ; the saddle point form has no large terms.
//!
//! Reference: C. Loader, *Fast and accurate computation of binomial probabilities* (2000).

use pullback_ad::math::scalar::{lgamma, ln, ln_1p};

const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// ln n! − (½ ln 2πn + n ln n − n), the error of Stirling's formula; n > 0.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return lgamma(n + 1.0) - (n + 0.5) * ln(n) + n - HALF_LN_TAU;
    }
    let inverse = 1.0 / n;
    let square = inverse * inverse;
    let series = 1.0 / 1260.0 + square * (-1.0 / 1680.0 + square * (1.0 / 1188.0));
    inverse * (1.0 / 12.0 + square * (-1.0 / 360.0 + square * series))
}

/// The deviance half x ln(x/m) + m − x; x, m > 0.
fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * ln(x / m) + m - x;
    }
    let v = difference / (x + m);
    let square = v * v;
    let mut sum = difference * v;
    let mut term = 2.0 * x * v;
    // |v| < 0.1: 2 digits a term.
    for j in 1..12 {
        term *= square;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// ln of the Poisson probability of the count k ≥ 0 at the mean m > 0.
pub fn ln_poisson(k: f64, m: f64) -> f64 {
    if k == 0.0 {
        return -m;
    }
    -stirling_error(k) - deviance(k, m) - HALF_LN_TAU - 0.5 * ln(k)
}

/// ln of the probability of k successes in n trials of probability 0 < p < 1.
pub fn ln_binomial(k: f64, n: f64, p: f64) -> f64 {
    let rest = n - k;
    if k == 0.0 {
        return n * ln_1p(-p);
    }
    if rest == 0.0 {
        return n * ln(p);
    }
    let stirling = stirling_error(n) - stirling_error(k) - stirling_error(rest);
    let shape = deviance(k, n * p) + deviance(rest, n * (1.0 - p));
    stirling - shape - HALF_LN_TAU + 0.5 * ln(n / k / rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_equal_a_table() {
        // mpmath, 50 digits: k*log(m) - m - loggamma(k + 1).
        let poisson = [
            (3.0, 2.5, -1.542_887_273_605_589_8),
            (40.0, 12.0, -22.924_373_723_237_383),
            (1e6, 1.001e6, -8.326_360_811_986_976),
            (1e15, 1.000_000_03e15, -18.638_326_721_660_016),
        ];
        for (k, m, exact) in poisson {
            let ours = ln_poisson(k, m);
            assert!((ours / exact - 1.0).abs() < 1e-12, "{k} {m}: {ours}");
        }
    }

    #[test]
    fn probabilities_add_up() {
        for m in [0.3, 11.0, 250.0] {
            let sum: f64 = (0..800)
                .map(|k| pullback_ad::math::scalar::exp(ln_poisson(f64::from(k), m)))
                .sum();
            assert!((sum - 1.0).abs() < 1e-13, "{m}: {sum}");
        }
        for p in [0.02, 0.5, 0.9] {
            let sum: f64 = (0..=700)
                .map(|k| pullback_ad::math::scalar::exp(ln_binomial(f64::from(k), 700.0, p)))
                .sum();
            assert!((sum - 1.0).abs() < 1e-13, "{p}: {sum}");
        }
    }
}
