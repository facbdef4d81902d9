//! Jets of high order against series that are known in closed form, and against inverse functions.
#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "closures keep the rows alike"
)]

use pullback_ad::{Jet, Real, hurwitz_zeta, taylor};

const K: usize = 24;

#[track_caller]
fn assert_series<const N: usize>(found: [f64; N], expected: impl Fn(usize) -> f64, tolerance: f64) {
    for (k, found) in found.into_iter().enumerate() {
        let expected = expected(k);
        assert!(
            (found - expected).abs() <= tolerance * expected.abs() + 1e-16,
            "coefficient {k}: {found:e} is not {expected:e}"
        );
    }
}

fn factorial(k: usize) -> f64 {
    (2..=k).fold(1.0, |f, i| f * i as f64)
}

#[test]
fn textbook_series() {
    assert_series(taylor::<K>(|t| t.exp(), 0.0), |k| 1.0 / factorial(k), 1e-14);
    assert_series(
        taylor::<K>(|t| t.ln_1p(), 0.0),
        |k| {
            if k == 0 {
                0.0
            } else {
                -(-1f64).powi(k as i32) / k as f64
            }
        },
        1e-13,
    );
    assert_series(
        taylor::<K>(|t| t.atan(), 0.0),
        |k| [0.0, 1.0, 0.0, -1.0][k % 4] / k.max(1) as f64,
        1e-13,
    );
    assert_series(
        taylor::<K>(|t| t.atanh(), 0.0),
        |k| if k % 2 == 0 { 0.0 } else { 1.0 / k as f64 },
        1e-13,
    );
    assert_series(
        taylor::<K>(|t| t.sin(), 0.0),
        |k| [0.0, 1.0, 0.0, -1.0][k % 4] / factorial(k),
        1e-13,
    );
    assert_series(
        taylor::<K>(|t| t.cosh(), 0.0),
        |k| if k % 2 == 0 { 1.0 / factorial(k) } else { 0.0 },
        1e-13,
    );
    // (1 + t)^½ has the binomial coefficients of ½.
    let half = |k: usize| (0..k).fold(1.0, |c, i| c * (0.5 - i as f64) / (i + 1) as f64);
    assert_series(taylor::<K>(|t| (t + 1.0).sqrt(), 0.0), half, 1e-13);
    assert_series(taylor::<K>(|t| (t + 1.0).powf(0.5), 0.0), half, 1e-13);
    // erf: 2/√π Σ (−1)ⁿ t^(2n+1)/(n!(2n+1)).
    let erf = |k: usize| {
        let sign = [0.0, 1.0, 0.0, -1.0][k % 4];
        sign * core::f64::consts::FRAC_2_SQRT_PI / (factorial(k / 2) * k.max(1) as f64)
    };
    assert_series(taylor::<K>(|t| t.erf(), 0.0), erf, 1e-13);
    // tan: 1, 1/3, 2/15, 17/315, 62/2835, 1382/155925 (OEIS A002430/A036279).
    let tan = taylor::<12>(|t| t.tan(), 0.0);
    assert_series(
        tan,
        |k| {
            [
                0.0,
                1.0,
                0.0,
                1.0 / 3.0,
                0.0,
                2.0 / 15.0,
                0.0,
                17.0 / 315.0,
                0.0,
                62.0 / 2835.0,
                0.0,
                1382.0 / 155_925.0,
            ][k]
        },
        1e-13,
    );
}

/// ln Γ(1 + t) = −γt + Σ ζ(k)(−t)ᵏ/k (NIST DLMF 5.7.3).
#[test]
fn log_gamma_has_the_zeta_series() {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    let expected = |k: usize| match k {
        0 => 0.0,
        1 => -EULER_GAMMA,
        _ => (-1f64).powi(k as i32) * hurwitz_zeta(k as u32, 1.0) / k as f64,
    };
    assert_series(taylor::<K>(|t| t.lgamma(), 1.0), expected, 1e-13);
    assert_series(
        taylor::<K>(|t| t.digamma(), 1.0),
        |k| (k + 1) as f64 * expected(k + 1),
        1e-13,
    );
    // ψ″(1 + t), a general order of the chain.
    let third = |k: usize| ((k + 1) * (k + 2) * (k + 3)) as f64 * expected(k + 3);
    assert_series(taylor::<12>(|t| t.polygamma(2), 1.0), third, 1e-12);
}

/// f⁻¹(f(x + t)) = x + t: 20 orders of two recurrences at once.
#[test]
fn inverse_functions_cancel_to_order_20() {
    type J = Jet<21>;
    type Pair = (&'static str, f64, fn(J) -> J);
    let table: [Pair; 13] = [
        ("ln exp", 0.7, |x| x.exp().ln()),
        ("ln_1p expm1", 0.7, |x| x.expm1().ln_1p()),
        ("asin sin", 0.4, |x| x.sin().asin()),
        ("acos cos", 1.1, |x| x.cos().acos()),
        ("atan tan", 0.5, |x| x.tan().atan()),
        ("asinh sinh", 1.3, |x| x.sinh().asinh()),
        ("acosh cosh", 1.3, |x| x.cosh().acosh()),
        ("atanh tanh", 0.3, |x| x.tanh().atanh()),
        ("norm_quantile norm_cdf", -0.6, |x| {
            x.norm_cdf().norm_quantile()
        }),
        ("cbrt cube", 1.7, |x| x.powi(3).cbrt()),
        ("sqrt square", 1.7, |x| x.square().sqrt()),
        ("logit sigmoid", 0.4, |x| -(x.sigmoid().recip() - 1.0).ln()),
        ("softplus", 0.9, |x| x.softplus().expm1().ln()),
    ];
    for (name, x, f) in table {
        for (k, c) in f(J::variable(x)).c.into_iter().enumerate() {
            let expected = [x, 1.0].get(k).copied().unwrap_or(0.0);
            assert!(
                (c - expected).abs() < 1e-9,
                "{name}: coefficient {k} is {c:e}"
            );
        }
    }
}

/// y″ = −y as a system, solved by its own Taylor coefficients to order 24, stepped once by 1: the cosine to rounding.
#[test]
fn a_taylor_step_of_order_24_solves_an_oscillator() {
    let mut jet = [Jet::<25>::constant(1.0), Jet::constant(0.0)];
    for k in 0..24 {
        let rate = [jet[1], -jet[0]];
        for (jet, rate) in jet.iter_mut().zip(rate) {
            jet.c[k + 1] = rate.c[k] / (k + 1) as f64;
        }
    }
    let y: f64 = jet[0].c.iter().rev().fold(0.0, |y, c| y + c);
    assert!((y - 1f64.cos()).abs() < 1e-15);
}
