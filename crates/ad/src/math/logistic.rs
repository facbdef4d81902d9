//! Functions built from exp and ln without overflow or cancellation.
use super::exp::{exp, expm1};
use super::ln::{ln, ln_1p};
use crate::isa::Isa;

/// The logistic function 1/(1 + e⁻ˣ), as eˣ/(1 + eˣ) for negative x, so that nothing overflows. Error ≤ 2.5 ulp.
#[inline(always)]
pub fn sigmoid<I: Isa>(x: f64) -> f64 {
    let e = exp::<I>(-x.abs());
    let num = if x < 0.0 { e } else { 1.0 };
    num / (1.0 + e)
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|). Error ≤ 2 ulp.
#[inline(always)]
pub fn softplus<I: Isa>(x: f64) -> f64 {
    let tail = ln_1p::<I>(exp::<I>(-x.abs()));
    let head = if x > 0.0 { x } else { 0.0 };
    head + tail
}

/// ln(eˣ + eʸ) = max + ln(1 + e^−|x − y|). Error ≤ 2 ulp of max(|x|, |y|, 1): where the result crosses zero it is a difference.
#[inline(always)]
pub fn logaddexp<I: Isa>(x: f64, y: f64) -> f64 {
    let d = (x - y).abs();
    // Of equal infinities the difference is NaN.
    let d = if x == y { 0.0 } else { d };
    let head = if x > y { x } else { y };
    head + ln_1p::<I>(exp::<I>(-d))
}

/// ln(1 − eˣ) for x ≤ 0: ln(−(eˣ − 1)) above −ln 2, ln(1 + (−eˣ)) below (Mächler 2012). Error ≤ 2 ulp. −inf at 0, NaN above.
#[inline(always)]
pub fn log1mexp<I: Isa>(x: f64) -> f64 {
    let near = ln::<I>(-expm1::<I>(x));
    let far = ln_1p::<I>(-exp::<I>(x));
    if x > -std::f64::consts::LN_2 {
        near
    } else {
        far
    }
}

/// x ln y, zero for x = 0 whatever y (unless it is NaN): the term of an entropy or of a Poisson likelihood. Error ≤ 2 ulp.
#[inline(always)]
pub fn xlogy<I: Isa>(x: f64, y: f64) -> f64 {
    let v = x * ln::<I>(y);
    if x == 0.0 && !y.is_nan() { 0.0 } else { v }
}
