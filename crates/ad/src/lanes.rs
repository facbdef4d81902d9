//! The functions of the table in the form that array kernels use: generic over the instruction set, so that a loop over them vectorises.
//!
//! Sine, cosine, tangent and power have a branch for rare arguments, which a loop does not vectorise; their kernels in
//! [`math::slice`](mod@crate::math::slice) redo such lanes apart.
#![allow(
    clippy::extra_unused_type_parameters,
    reason = "arithmetic is the same for every instruction set"
)]

use crate::isa::Isa;
use crate::{math, values};

macro_rules! vectorised {
    ($($file:ident: $($name:ident($($x:ident),+)),+);* $(;)?) => {$($(
        #[inline(always)]
        pub fn $name<I: Isa>($($x: f64),+) -> f64 {
            math::$file::$name::<I>($($x),+)
        }
    )+)*};
}

macro_rules! plain {
    ($($name:ident($($x:ident),+)),* $(,)?) => {$(
        #[inline(always)]
        pub fn $name<I: Isa>($($x: f64),+) -> f64 {
            values::$name($($x),+)
        }
    )*};
}

vectorised! {
    exp: exp(x), expm1(x);
    ln: ln(x), ln_1p(x);
    trig: sin(x), cos(x), tan(x);
    inverse_trig: asin(x), acos(x), atan(x), atan2(a, b);
    hyperbolic: sinh(x), cosh(x), tanh(x), asinh(x), acosh(x), atanh(x);
    power: cbrt(x), pow(a, b), hypot(a, b);
    logistic: sigmoid(x), softplus(x), xlogy(a, b), logaddexp(a, b);
    erf: erf(x), erfc(x);
    normal: norm_cdf(x), norm_quantile(x);
    gamma: lgamma(x), digamma(x);
}

plain! {
    neg(x), abs(x), sign(x), floor(x), ceil(x), round(x), recip(x), square(x), sqrt(x),
    add(a, b), sub(a, b), mul(a, b), div(a, b), min(a, b), max(a, b), copysign(a, b),
}
