//! The functions of the table in the form that array kernels use: types whose `eval` is generic over the instruction set and free of branches, so that a loop
//! over it vectorises. The few arguments that such a form does not cover (sine at 10⁷) are `is_rare`; loops look for them chunk by chunk and redo them.
#![allow(non_camel_case_types, reason = "named as the methods of the table are")]

use crate::isa::Isa;
use crate::math::slice::{self, Map1, Map2};
use crate::values;

macro_rules! vectorised {
    ($($name:ident: $ty:ident),* $(,)?) => {$(
        pub type $name = slice::$ty;
    )*};
}

macro_rules! plain {
    ($map:ident: $($name:ident($($x:ident),+));* $(;)?) => {$(
        pub struct $name;

        impl $map for $name {
            #[inline(always)]
            fn eval<I: Isa>($($x: f64),+) -> f64 {
                values::$name($($x),+)
            }
        }
    )*};
}

vectorised! {
    exp: Exp,
    expm1: Expm1,
    ln: Ln,
    ln_1p: Ln1p,
    sin: Sin,
    cos: Cos,
    tan: Tan,
    asin: Asin,
    acos: Acos,
    atan: Atan,
    sinh: Sinh,
    cosh: Cosh,
    tanh: Tanh,
    asinh: Asinh,
    acosh: Acosh,
    atanh: Atanh,
    cbrt: Cbrt,
    sigmoid: Sigmoid,
    softplus: Softplus,
    erf: Erf,
    erfc: Erfc,
    norm_cdf: NormCdf,
    norm_quantile: NormQuantile,
    lgamma: Lgamma,
    digamma: Digamma,
    pow: Pow,
    hypot: Hypot,
    atan2: Atan2,
    logaddexp: LogAddExp,
    xlogy: Xlogy,
}

plain! {
    Map1:
    neg(x);
    abs(x);
    sign(x);
    floor(x);
    ceil(x);
    round(x);
    recip(x);
    square(x);
    sqrt(x);
}

plain! {
    Map2:
    add(a, b);
    sub(a, b);
    mul(a, b);
    div(a, b);
    min(a, b);
    max(a, b);
    copysign(a, b);
}
