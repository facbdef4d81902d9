//! Draws as functions of their parameters: the quantile at a uniform number.
//!
//! At a fixed u each is a smooth function of the parameters, so a scalar that carries derivatives gives the pathwise (reparameterised) derivative of a draw. u is
//! in (0, 1); the functions increase in u.
//!
//! # Example
//! ```
//! use pullback_ad::Dual;
//! use pullback_prob::quantile;
//!
//! let (mean, sd) = (Dual::<f64, 2>::variable(91.2, 0), Dual::<f64, 2>::variable(2.5, 1));
//! let x = quantile::normal(0.975, mean, sd);
//! assert!((x.re - 96.09991).abs() < 1e-5);
//! assert!(x.eps[0] == 1.0 && (x.eps[1] - 1.959964).abs() < 1e-6);
//! ```

use std::f64::consts::PI;

use pullback_ad::Real;
use pullback_ad::isa::Portable;
use pullback_ad::math::normal::norm_quantile_16;
use pullback_ad::math::scalar;

/// low + (high − low) u.
#[inline]
pub fn uniform<R: Real>(u: f64, low: R, high: R) -> R {
    low + (high - low) * u
}

/// Φ⁻¹(u).
#[inline]
pub fn standard_normal(u: f64) -> f64 {
    norm_quantile_16::<Portable>(u)
}

/// µ + σ Φ⁻¹(u).
#[inline]
pub fn normal<R: Real>(u: f64, mean: R, sd: R) -> R {
    mean + sd * standard_normal(u)
}

/// −ln(1 − u)/λ.
#[inline]
pub fn exponential<R: Real>(u: f64, rate: R) -> R {
    R::constant(-scalar::ln_1p(-u)) / rate
}

/// x₀ + γ tan(π(u − ½)), with the cotangent of the distance to the end in the tails, which keeps their relative accuracy.
#[inline]
pub fn cauchy<R: Real>(u: f64, location: R, scale: R) -> R {
    let centred = u - 0.5;
    let tangent = if centred.abs() < 0.25 {
        scalar::tan(PI * centred)
    } else {
        let end = if centred < 0.0 { u } else { 1.0 - u };
        scalar::tan(PI * end).recip().copysign(centred)
    };
    location + scale * tangent
}

/// The mass m of a relativistic Breit-Wigner of fixed width, 1/((m² − M²)² + M²Γ²) in m², between two masses.
///
/// m² = M² + M Γ tan θ with θ uniform between arctan((low² − M²)/(M Γ)) and the same at the upper end.
///
/// Reference: PDG, *Review of particle physics* (2024), chapter "Resonances".
#[inline]
pub fn breit_wigner<R: Real>(u: f64, mass: R, width: R, low: f64, high: f64) -> R {
    let (pole, scale) = (mass * mass, mass * width);
    let (low, high) = (low * low, high * high);
    let from = ((R::constant(low) - pole) / scale).atan();
    let to = ((R::constant(high) - pole) / scale).atan();
    let s = pole + scale * (from + (to - from) * u).tan();
    // Rounding may carry it over the ends.
    s.max(R::constant(low)).min(R::constant(high)).sqrt()
}

/// A spectrum x (1 + x²/x₀²)⁻ⁿ, n > 1, between `low` and `high`: it rises linearly, turns at x₀/√(2n − 1) and falls as a power.
///
/// With S(x) = (1 + x²/x₀²)^(1 − n), the survival function above 0: S(x) = S(low) − u (S(low) − S(high)).
///
/// Reference: R. Hagedorn, Riv. Nuovo Cim. 6 N. 10 (1983) 1, for power laws of transverse momenta; here in the square, so that the spectrum rises linearly.
#[inline]
pub fn power_tail<R: Real>(u: f64, scale: R, exponent: R, low: f64, high: f64) -> R {
    let square = scale * scale;
    let power = R::constant(1.0) - exponent;
    let survival = |x: f64| ((R::constant(x * x) / square + 1.0).ln() * power).exp();
    let from = survival(low);
    let to = if high.is_finite() {
        survival(high)
    } else {
        R::constant(0.0)
    };
    let s = from - (from - to) * u;
    let x = square * ((s.ln() * power.recip()).exp() - 1.0);
    let near = x.max(R::constant(low * low)).sqrt().min(R::constant(high));
    let is_near = from.ge(R::constant(TAIL_END)) & x.lt(R::constant(f64::INFINITY));
    if low * low < f64::INFINITY && (high * high < f64::INFINITY || high == f64::INFINITY) {
        return R::select(is_near, near, far_tail(u, scale, exponent, low, high));
    }
    far_tail(u, scale, exponent, low, high)
}

/// A survival function above this can be divided by 2⁵³ and keeps all its digits.
pub(crate) const TAIL_END: f64 = 1e-290;

/// [`power_tail`] in logarithms, for ends where S vanishes and values whose square is no number: with t(x) = ln(1 + x²/x₀²) it is
/// t = t(low) + ln(1 − u (1 − S(high)/S(low)))/(1 − n), x = x₀ √(eᵗ − 1).
pub(crate) fn far_tail<R: Real>(u: f64, scale: R, exponent: R, low: f64, high: f64) -> R {
    let power = R::constant(1.0) - exponent;
    let t = |x: f64| {
        if x == 0.0 {
            return R::constant(0.0);
        }
        let ratio = R::constant(x) / scale;
        let inverse = ratio.recip();
        let above = ratio.ln() * 2.0 + (inverse * inverse).ln_1p();
        R::select(ratio.lt(R::constant(1.0)), (ratio * ratio).ln_1p(), above)
    };
    let from = t(low);
    let kept = if high.is_finite() {
        // 1 − S(high)/S(low).
        -((t(high) - from) * power).expm1()
    } else {
        R::constant(1.0)
    };
    let t = from + (-(kept * u)).ln_1p() / power;
    let x = scale * (t * 0.5).exp() * (-(-t).expm1()).sqrt();
    x.max(R::constant(low)).min(R::constant(high))
}

/// The density 1 − (x/a)² on (−a, a): x = 2 a sin(⅓ arcsin(2u − 1)).
///
/// The solution of 3t − t³ = 2(2u − 1) with t = x/a, by the triple angle.
#[inline]
pub fn parabola<R: Real>(u: f64, half_width: R) -> R {
    half_width * (2.0 * scalar::sin(scalar::asin(2.0 * u - 1.0) / 3.0))
}

/// The count n of the geometric distribution (1 − r) rⁿ: ⌊ln(1 − u)/ln r⌋, from ln r. An integer: there is nothing to differentiate.
#[inline]
pub fn geometric(u: f64, ln_ratio: f64) -> u64 {
    (scalar::ln_1p(-u) / ln_ratio) as u64
}
