//! Draws as functions of their parameters: inverses of the distribution functions, and their derivatives.

use pullback_ad::math::scalar::{atan, exp, norm_cdf, pow};
use pullback_ad::{Complex, Dual, Real};
use pullback_prob::{BreitWigner as Resonance, PowerTail as Tail, quantile};

const U: [f64; 9] = [
    1e-15,
    1e-6,
    0.01,
    0.25,
    0.5,
    0.6,
    0.9,
    1.0 - 1e-6,
    1.0 - 1e-12,
];

/// The distribution function at the quantile is u, to `tolerance` of the smaller of u and 1 − u (plus rounding of u).
fn inverts(name: &str, tolerance: f64, quantile: impl Fn(f64) -> f64, cdf: impl Fn(f64) -> f64) {
    let mut last = f64::NEG_INFINITY;
    for u in U {
        let x = quantile(u);
        assert!(x >= last, "{name}: not increasing at {u}");
        last = x;
        let back = cdf(x);
        let scale = u.min(1.0 - u) * tolerance + 3e-16;
        assert!((back - u).abs() < scale, "{name} at {u}: {x}, {back}");
    }
}

#[test]
fn quantiles_invert_distribution_functions() {
    use std::f64::consts::PI;
    let normal = |u| quantile::normal(u, 1.0, 2.0);
    inverts("normal", 1e-12, normal, |x| norm_cdf((x - 1.0) / 2.0));
    let exponential = |u| quantile::exponential(u, 0.5);
    inverts("exponential", 1e-12, exponential, |x| 1.0 - exp(-0.5 * x));
    let cauchy = |u| quantile::cauchy(u, 0.0, 2.0);
    inverts("cauchy", 1e-12, cauchy, |x: f64| {
        if x < -1.0 {
            atan(-2.0 / x) / PI
        } else {
            0.5 + atan(x / 2.0) / PI
        }
    });
    let (m, w) = (91.188, 2.4955);
    let angle = |x: f64| atan((x * x - m * m) / (m * w));
    let breit_wigner = |u| quantile::breit_wigner(u, m, w, 40.0, 200.0);
    inverts("Breit-Wigner", 1e-9, breit_wigner, |x| {
        (angle(x) - angle(40.0)) / (angle(200.0) - angle(40.0))
    });
    let survival = |x: f64| pow(1.0 + x * x / 81.0, -1.1);
    let tail = |u| quantile::power_tail(u, 9.0, 2.1, 0.0, 1000.0);
    inverts("power tail", 1e-9, tail, |x| {
        (1.0 - survival(x)) / (1.0 - survival(1000.0))
    });
    let tail = |u| quantile::power_tail(u, 9.0, 2.1, 5.0, f64::INFINITY);
    inverts("power tail, open", 1e-9, tail, |x| {
        1.0 - survival(x) / survival(5.0)
    });
    // u for a = 1: (2 + 3t − t³)/4 = (1 + t)²(2 − t)/4.
    let parabola = |u| quantile::parabola(u, 1.0);
    inverts("parabola", 1e-7, parabola, |t| {
        (1.0 + t).powi(2) * (2.0 - t) / 4.0
    });
}

/// A draw with two parameters.
trait Draw {
    fn at<R: Real>(u: f64, a: R, b: R) -> R;
}

/// Both derivatives of a draw against complex step, which has its own code for every function.
fn differentiates<D: Draw>(name: &str, a: f64, b: f64) {
    for u in [0.001, 0.3, 0.5, 0.8, 0.999] {
        let dual = D::at(
            u,
            Dual::<f64, 2>::variable(a, 0),
            Dual::<f64, 2>::variable(b, 1),
        );
        let h = 1e-40;
        let steps = [
            D::at(u, Complex::new(a, h), Complex::constant(b)).im / h,
            D::at(u, Complex::constant(a), Complex::new(b, h)).im / h,
        ];
        for (ours, exact) in dual.eps.iter().zip(steps) {
            let scale = exact.abs().max(1e-3);
            assert!(
                (ours - exact).abs() < 1e-11 * scale,
                "{name} at {u}: {ours} for {exact}"
            );
        }
    }
}

macro_rules! draws {
    ($($name:ident: |$u:ident, $a:ident, $b:ident| $body:expr;)*) => {$(
        struct $name;
        impl Draw for $name {
            fn at<R: Real>($u: f64, $a: R, $b: R) -> R {
                let _ = $b;
                $body
            }
        }
    )*};
}

draws! {
    Uniform: |u, a, b| quantile::uniform(u, a, b);
    Normal: |u, a, b| quantile::normal(u, a, b);
    Exponential: |u, a, b| quantile::exponential(u, a);
    Cauchy: |u, a, b| quantile::cauchy(u, a, b);
    BreitWigner: |u, a, b| quantile::breit_wigner(u, a, b, 40.0, 200.0);
    PowerTail: |u, a, b| quantile::power_tail(u, a, b, 5.0, 700.0);
    Parabola: |u, a, b| quantile::parabola(u, a);
}

/// Values whose squares are no numbers, and ends at which the survival function vanishes, by the closed form far out:
/// x = low ((1 − u) + u (low/high)^(2n − 2))^(−1/(2n − 2)).
#[test]
fn far_tails_are_finite() {
    let last = 1.0 - f64::EPSILON / 2.0;
    for (u, scale, exponent, low, high, expected) in [
        // (2^53)^(1/0.1), and the square of it has no room in a double.
        (last, 1.0, 1.05, 0.0, f64::INFINITY, 2.0_f64.powi(530)),
        // 10^(10·2·19) is not the reciprocal of a double.
        (
            0.5,
            1.0,
            20.0,
            1e10,
            f64::INFINITY,
            1e10 * 2.0_f64.powf(1.0 / 38.0),
        ),
        (
            0.5,
            1.0,
            20.0,
            1e10,
            2e10,
            1e10 * (0.5 + 0.5 * 2.0_f64.powi(-38)).powf(-1.0 / 38.0),
        ),
        // The ends have squares that are no doubles.
        (0.75, 1.0, 2.0, 1e200, f64::INFINITY, 2e200),
        (0.5, 1.0, 1.01, 0.0, 1e160, 1.0),
        (
            0.5,
            1e-200,
            2.0,
            1e-20,
            f64::INFINITY,
            1e-20 * 2.0_f64.sqrt(),
        ),
    ] {
        let expected = if exponent == 1.01 {
            // From 0, where 1 counts beside x²: √(S^(-100) − 1) with S(1e160) = 1e-3.2.
            let survival = 1.0 - 0.5 * (1.0 - 10.0_f64.powf(-3.2));
            (survival.powf(-100.0) - 1.0).sqrt()
        } else {
            expected
        };
        let tail = Tail::new(scale, exponent, low, high).unwrap();
        for x in [
            tail.quantile(u),
            quantile::power_tail(u, scale, exponent, low, high),
        ] {
            let error = (x / expected - 1.0).abs();
            assert!(
                error < 1e-12,
                "{u} {exponent} {low} {high}: {x:e}, {expected:e}"
            );
        }
        let x = quantile::power_tail(
            u,
            Dual::<f64, 2>::variable(scale, 0),
            Dual::<f64, 2>::variable(exponent, 1),
            low,
            high,
        );
        assert!((x.re / expected - 1.0).abs() < 1e-12 && x.eps.iter().all(|e| !e.is_nan()));
    }
}

#[test]
fn draws_are_differentiable_in_their_parameters() {
    differentiates::<Uniform>("uniform", 2.0, 7.0);
    differentiates::<Normal>("normal", 2.0, 7.0);
    differentiates::<Exponential>("exponential", 0.5, 0.0);
    differentiates::<Cauchy>("Cauchy", 91.0, 2.0);
    differentiates::<BreitWigner>("Breit-Wigner", 91.188, 2.4955);
    differentiates::<PowerTail>("power tail", 9.0, 2.1);
    differentiates::<Parabola>("parabola", 2.5, 0.0);
}

/// What a distribution computes ahead changes no bit.
#[test]
fn distributions_give_the_quantiles() {
    let resonance = Resonance::new(91.188, 2.4955, 40.0, 200.0).unwrap();
    for high in [700.0, f64::INFINITY] {
        let tail = Tail::new(9.0, 2.1, 5.0, high).unwrap();
        for u in U {
            let x = quantile::power_tail(u, 9.0, 2.1, 5.0, high);
            assert_eq!(tail.quantile(u), x);
            let m = quantile::breit_wigner(u, 91.188, 2.4955, 40.0, 200.0);
            assert_eq!(resonance.quantile(u), m);
        }
    }
}
