//! The functions of one value: the portable instances, the same bits on every machine.
use super::{exp as exp_functions, ln as ln_functions};
use crate::isa::Portable;

/// eˣ; see [`exp`](super::exp::exp).
#[inline]
pub fn exp(x: f64) -> f64 {
    exp_functions::exp::<Portable>(x)
}

/// ln x; see [`ln`](super::ln::ln).
#[inline]
pub fn ln(x: f64) -> f64 {
    ln_functions::ln::<Portable>(x)
}
