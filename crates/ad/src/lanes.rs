//! The functions of the table in the form that array kernels use: generic over the instruction set, so that a loop over them vectorises.

use crate::isa::Isa;
use crate::{math, values};

macro_rules! vectorised {
    ($($name:ident => $f:path),* $(,)?) => {$(
        #[inline(always)]
        pub fn $name<I: Isa>(x: f64) -> f64 {
            $f(x)
        }
    )*};
}

macro_rules! plain {
    ($($name:ident($($x:ident),+));* $(;)?) => {$(
        #[inline(always)]
        pub fn $name<I: Isa>($($x: f64),+) -> f64 {
            values::$name($($x),+)
        }
    )*};
}

vectorised! {
    exp => math::exp::exp::<I>,
    ln => math::ln::ln::<I>,
}

plain! {
    neg(x);
    abs(x);
    sign(x);
    floor(x);
    ceil(x);
    round(x);
    recip(x);
    square(x);
    sqrt(x);
    cbrt(x);
    expm1(x);
    ln_1p(x);
    sin(x);
    cos(x);
    tan(x);
    asin(x);
    acos(x);
    atan(x);
    sinh(x);
    cosh(x);
    tanh(x);
    asinh(x);
    acosh(x);
    atanh(x);
    sigmoid(x);
    softplus(x);
    erf(x);
    erfc(x);
    norm_cdf(x);
    norm_quantile(x);
    lgamma(x);
    digamma(x);
    add(a, b);
    sub(a, b);
    mul(a, b);
    div(a, b);
    pow(a, b);
    atan2(a, b);
    hypot(a, b);
    min(a, b);
    max(a, b);
    xlogy(a, b);
    logaddexp(a, b);
    copysign(a, b);
}
