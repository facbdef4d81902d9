//! Shapes: moments, Kolmogorov-Smirnov and χ² tests (p > 0.001 at fixed seeds), tails.

use pullback_ad::math::scalar::{atan, exp, ln, norm_cdf, pow};
use pullback_prob::{
    Binomial, BreitWigner, Categorical, Cauchy, Distribution, Exponential, Gamma, Geometric, Key,
    Normal, Poisson, PowerTail, Uniform,
};

mod support;
use support::{P_MIN, check_moments, counts_p, gamma_cdf, ks_p};

const N: usize = 200_000;

fn sample<D: Distribution>(name: &str, distribution: &D) -> Vec<D::Value>
where
    D::Value: Clone + Default,
{
    let mut values = vec![D::Value::default(); N];
    distribution.fill(&mut values, Key::new(2026, name), 0, 0);
    values
}

fn shape(name: &str, mut values: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    let p = ks_p(&mut values, cdf);
    assert!(p > P_MIN, "{name}: p = {p}");
}

#[test]
fn continuous_distributions_have_their_shape() {
    use std::f64::consts::PI;
    let x = sample("uniform", &Uniform::new(-1.0, 3.0).unwrap());
    check_moments("uniform", &x, 1.0, 16.0 / 12.0, 1.8);
    shape("uniform", x, |x| (x + 1.0) / 4.0);

    let x = sample("normal", &Normal::new(3.0, 2.0).unwrap());
    check_moments("normal", &x, 3.0, 4.0, 3.0);
    shape("normal", x, |x| norm_cdf((x - 3.0) / 2.0));

    let x = sample("exponential", &Exponential::new(4.0).unwrap());
    check_moments("exponential", &x, 0.25, 1.0 / 16.0, 9.0);
    shape("exponential", x, |x| 1.0 - exp(-4.0 * x));

    let x = sample("cauchy", &Cauchy::new(1.0, 0.5).unwrap());
    shape("cauchy", x, |x| 0.5 + atan((x - 1.0) / 0.5) / PI);

    let (m, w) = (91.188, 2.4955);
    let x = sample("bw", &BreitWigner::new(m, w, 60.0, 120.0).unwrap());
    let angle = |x: f64| atan((x * x - m * m) / (m * w));
    shape("Breit-Wigner", x, |x| {
        (angle(x) - angle(60.0)) / (angle(120.0) - angle(60.0))
    });

    let x = sample(
        "tail",
        &PowerTail::new(9.0, 2.1, 0.0, f64::INFINITY).unwrap(),
    );
    shape("power tail", x, |x| 1.0 - pow(1.0 + x * x / 81.0, -1.1));
}

#[test]
fn gamma_has_its_shape_at_small_and_large_shapes() {
    for shape_parameter in [0.05, 0.5, 0.999, 1.0, 2.5, 40.0, 1e4] {
        let name = format!("gamma {shape_parameter}");
        let x = sample(&name, &Gamma::new(shape_parameter, 3.0).unwrap());
        assert!(x.iter().all(|x| *x >= 0.0 && x.is_finite()), "{name}");
        let (mean, variance) = (3.0 * shape_parameter, 9.0 * shape_parameter);
        check_moments(&name, &x, mean, variance, 3.0 + 6.0 / shape_parameter);
        shape(&name, x, |x| gamma_cdf(shape_parameter, x / 3.0));
    }
}

fn counts(values: &[u64], cells: usize) -> Vec<u64> {
    let mut counts = vec![0; cells];
    for n in values {
        let cell = usize::try_from(*n).unwrap().min(cells - 1);
        counts[cell] += 1;
    }
    counts
}

fn floats(values: &[u64]) -> Vec<f64> {
    values.iter().map(|n| *n as f64).collect()
}

/// The last cell takes the rest.
fn closed(mut p: Vec<f64>) -> Vec<f64> {
    let last = p.len() - 1;
    p[last] = 1.0 - p[..last].iter().sum::<f64>();
    p
}

#[test]
fn poisson_counts_have_their_probabilities() {
    // Around the change of method at 10, and where one method would be slow or the other wrong.
    for mean in [0.01, 0.9, 5.0, 9.999, 10.0, 10.5, 32.0, 150.0] {
        let name = format!("poisson {mean}");
        let n = sample(&name, &Poisson::new(mean).unwrap());
        check_moments(&name, &floats(&n), mean, mean, 3.0 + 1.0 / mean);
        let mut p = vec![exp(-mean)];
        for k in 1..400 {
            p.push(p[k - 1] * mean / k as f64);
        }
        let p = counts_p(&counts(&n, p.len()), &closed(p));
        assert!(p > P_MIN, "{name}: p = {p}");
    }
}

/// At large means (n − µ)/√µ tends to the normal shape; the first correction is the skewness, γ = 1/√µ (Edgeworth; Cramér 1946, chapter 17).
#[test]
fn poisson_is_exact_at_huge_means() {
    for mean in [1e6, 1e10, 1e15] {
        let name = format!("poisson {mean:e}");
        let n = sample(&name, &Poisson::new(mean).unwrap());
        let z: Vec<f64> = n.iter().map(|n| (*n as f64 - mean) / mean.sqrt()).collect();
        check_moments(&name, &z, 0.0, 1.0, 3.0);
        let skew = 1.0 / mean.sqrt();
        shape(&name, z, |z| {
            let density = exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt();
            norm_cdf(z) - density * skew * (z * z - 1.0) / 6.0
        });
    }
}

#[test]
fn binomial_counts_have_their_probabilities() {
    for (trials, probability) in [
        (1, 0.3),
        (20, 0.02),
        (20, 0.5),
        (25, 0.41),
        (50, 0.9),
        (400, 0.27),
        (400, 0.985),
    ] {
        let name = format!("binomial {trials} {probability}");
        let n = sample(&name, &Binomial::new(trials, probability).unwrap());
        let (t, q) = (trials as f64, 1.0 - probability);
        let variance = t * probability * q;
        let kurtosis = 3.0 + (1.0 - 6.0 * probability * q) / variance;
        check_moments(&name, &floats(&n), t * probability, variance, kurtosis);
        // Pascal's recurrence, another way than the crate's.
        let mut p = vec![1.0];
        for _ in 0..trials {
            let mut next = vec![0.0; p.len() + 1];
            for (k, pk) in p.iter().enumerate() {
                next[k] += pk * q;
                next[k + 1] += pk * probability;
            }
            p = next;
        }
        let p = counts_p(&counts(&n, p.len()), &p);
        assert!(p > P_MIN, "{name}: p = {p}");
    }
    for (probability, all) in [(0.0, 0), (1.0, 12)] {
        let n = sample("sure", &Binomial::new(12, probability).unwrap());
        assert!(n.iter().all(|n| *n == all));
    }
}

#[test]
fn other_choices_have_their_probabilities() {
    let n = sample("geometric", &Geometric::new(0.35).unwrap());
    check_moments(
        "geometric",
        &floats(&n),
        0.35 / 0.65,
        0.35 / 0.4225,
        9.0 + 0.4225 / 0.35,
    );
    let p = (0..30).map(|k| 0.65 * pow(0.35, f64::from(k))).collect();
    let p = counts_p(&counts(&n, 30), &closed(p));
    assert!(p > P_MIN, "geometric: p = {p}");

    let weights = [0.0, 3.0, 1.0, 0.0, 4.0, 0.0];
    let choice = Categorical::new(&weights).unwrap();
    let n: Vec<u64> = sample("categories", &choice)
        .iter()
        .map(|n| *n as u64)
        .collect();
    let counts = counts(&n, 6);
    assert_eq!([counts[0], counts[3], counts[5]], [0; 3], "no weight");
    let p = counts_p(&counts, &weights.map(|w| w / 8.0));
    assert!(p > P_MIN, "categories: p = {p}");
    assert_eq!(choice.quantile(f64::from_bits(1)), 1);
    assert_eq!(choice.quantile(1.0 - 2f64.powi(-53)), 4);
}

/// Tails: how many of 2·10⁶ normal numbers lie beyond 4σ on each side, and of exponential ones beyond 12 means.
#[test]
fn tails_have_their_probabilities() {
    let mut z = vec![0.0; 2_000_000];
    Normal::standard().fill(&mut z, Key::new(1, "tails"), 0, 0);
    let expected = 2e6 * norm_cdf(-4.0); // 63
    for side in [-1.0, 1.0] {
        let beyond = z.iter().filter(|z| *z * side > 4.0).count() as f64;
        assert!(
            (beyond - expected).abs() < 4.0 * expected.sqrt(),
            "{beyond}"
        );
    }
    Exponential::new(1.0)
        .unwrap()
        .fill(&mut z, Key::new(1, "tails of decays"), 0, 0);
    let beyond = z.iter().filter(|t| **t > 12.0).count() as f64;
    let expected = 2e6 * exp(-12.0); // 12
    assert!(
        (beyond - expected).abs() < 4.0 * expected.sqrt(),
        "{beyond}"
    );
    assert!(z.iter().all(|t| *t > 0.0 && *t < 54.0 * ln(2.0)));
}

/// The tests see errors of a few percent: of a standard deviation in the mean, of the width, of a gamma shape, of a Poisson mean.
#[test]
fn small_errors_would_be_seen() {
    let x = sample("normal", &Normal::new(3.0, 2.0).unwrap());
    let wrong = |mean: f64, sd: f64| ks_p(&mut x.clone(), |x| norm_cdf((x - mean) / sd));
    assert!(wrong(3.06, 2.0) < P_MIN, "mean");
    assert!(wrong(3.0, 2.06) < P_MIN, "width");
    let mut x = sample("gamma 2.5", &Gamma::new(2.5, 3.0).unwrap());
    assert!(ks_p(&mut x, |x| gamma_cdf(2.55, x / 3.0)) < P_MIN, "shape");
    for mean in [9.0, 32.0] {
        let n = sample("wrong", &Poisson::new(mean).unwrap());
        let mut p = vec![exp(-1.01 * mean)];
        for k in 1..200 {
            p.push(p[k - 1] * 1.01 * mean / k as f64);
        }
        assert!(counts_p(&counts(&n, p.len()), &closed(p)) < P_MIN, "{mean}");
    }
}
