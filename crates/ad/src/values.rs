//! The values of the functions in the table, one function per method name.

pub use crate::math::scalar::{
    acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, cos, cosh, digamma, erf, erfc, exp, expm1,
    hypot, lgamma, ln, ln_1p, logaddexp, norm_cdf, norm_quantile, pow, sigmoid, sin, sinh,
    softplus, tan, tanh, trigamma, xlogy,
};

#[inline(always)]
pub fn neg(x: f64) -> f64 {
    -x
}

#[inline(always)]
pub fn abs(x: f64) -> f64 {
    x.abs()
}

/// Unlike [`f64::signum`] this is 0 at 0.
#[inline(always)]
pub fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x * 0.0
    }
}

#[inline(always)]
pub fn floor(x: f64) -> f64 {
    x.floor()
}

#[inline(always)]
pub fn ceil(x: f64) -> f64 {
    x.ceil()
}

#[inline(always)]
pub fn round(x: f64) -> f64 {
    x.round_ties_even()
}

#[inline(always)]
pub fn recip(x: f64) -> f64 {
    1.0 / x
}

#[inline(always)]
pub fn square(x: f64) -> f64 {
    x * x
}

#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

#[inline(always)]
pub fn add(a: f64, b: f64) -> f64 {
    a + b
}

#[inline(always)]
pub fn sub(a: f64, b: f64) -> f64 {
    a - b
}

#[inline(always)]
pub fn mul(a: f64, b: f64) -> f64 {
    a * b
}

#[inline(always)]
pub fn div(a: f64, b: f64) -> f64 {
    a / b
}

/// NaN if either is NaN, unlike [`f64::min`]; the first at a tie.
#[inline(always)]
pub fn min(a: f64, b: f64) -> f64 {
    if b < a || b.is_nan() { b } else { a }
}

/// NaN if either is NaN, unlike [`f64::max`]; the first at a tie.
#[inline(always)]
pub fn max(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

#[inline(always)]
pub fn copysign(a: f64, b: f64) -> f64 {
    a.copysign(b)
}

/// Repeated squaring from the top bit: the same roundings on every processor.
#[inline(always)]
pub fn powi(x: f64, exponent: i32) -> f64 {
    let mut rest = exponent.unsigned_abs();
    let mut power = 1.0;
    let mut base = x;
    while rest > 0 {
        if rest & 1 == 1 {
            power *= base;
        }
        rest >>= 1;
        if rest > 0 {
            base *= base;
        }
    }
    if exponent < 0 { 1.0 / power } else { power }
}
