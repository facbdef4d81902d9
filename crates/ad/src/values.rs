//! The values of the functions in the table, one function per method name.

pub use crate::math::scalar::{acosh, asinh, digamma, exp, ln, norm_cdf, norm_quantile};
pub use libm::{erf, erfc};

pub fn neg(x: f64) -> f64 {
    -x
}

pub fn abs(x: f64) -> f64 {
    x.abs()
}

/// Unlike [`f64::signum`] this is 0 at 0.
pub fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x * 0.0
    }
}

pub fn floor(x: f64) -> f64 {
    x.floor()
}

pub fn ceil(x: f64) -> f64 {
    x.ceil()
}

pub fn round(x: f64) -> f64 {
    x.round_ties_even()
}

pub fn recip(x: f64) -> f64 {
    1.0 / x
}

pub fn square(x: f64) -> f64 {
    x * x
}

#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

pub fn add(a: f64, b: f64) -> f64 {
    a + b
}

pub fn sub(a: f64, b: f64) -> f64 {
    a - b
}

pub fn mul(a: f64, b: f64) -> f64 {
    a * b
}

pub fn div(a: f64, b: f64) -> f64 {
    a / b
}

/// NaN if either is NaN, unlike [`f64::min`]; the first at a tie.
pub fn min(a: f64, b: f64) -> f64 {
    if b < a || b.is_nan() { b } else { a }
}

/// NaN if either is NaN, unlike [`f64::max`]; the first at a tie.
pub fn max(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

pub fn copysign(a: f64, b: f64) -> f64 {
    a.copysign(b)
}

pub fn xlogy(a: f64, b: f64) -> f64 {
    if a == 0.0 && !b.is_nan() {
        0.0
    } else {
        a * ln(b)
    }
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

macro_rules! from_std {
    ($($name:ident = $std:ident),*) => {
        $(pub fn $name(x: f64) -> f64 { x.$std() })*
    };
}

from_std!(
    cbrt = cbrt,
    expm1 = exp_m1,
    ln_1p = ln_1p,
    sin = sin,
    cos = cos,
    tan = tan,
    asin = asin,
    acos = acos,
    atan = atan,
    sinh = sinh,
    cosh = cosh,
    tanh = tanh,
    atanh = atanh
);

pub fn pow(x: f64, c: f64) -> f64 {
    x.powf(c)
}

pub fn atan2(a: f64, b: f64) -> f64 {
    a.atan2(b)
}

pub fn hypot(a: f64, b: f64) -> f64 {
    a.hypot(b)
}

pub fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 {
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + e)
    }
}

pub fn softplus(x: f64) -> f64 {
    max(x, 0.0) + (-x.abs()).exp().ln_1p()
}

pub fn logaddexp(a: f64, b: f64) -> f64 {
    let top = max(a, b);
    if top.is_infinite() {
        top
    } else {
        top + (-(a - b).abs()).exp().ln_1p()
    }
}

pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}
