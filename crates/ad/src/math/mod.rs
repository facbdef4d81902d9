//! Elementary and special functions that vectorise, with stated accuracy.
//!
//! Each function is written once, as branch-free code generic over the instruction set ([`crate::isa::Isa`]), and comes in three forms:
//! `math::FILE::NAME::<I>(x)`, to be inlined into a kernel; [`slice`](mod@slice)`::NAME(dst, src)`, compiled for each instruction set and selected at run time;
//! [`scalar`]`::NAME(x)`, one value. The forms differ by the rounding of the fused multiply-add only, within the bounds below.
//!
//! Polynomials are our own minimax fits (`scripts/minimax.py`); what each function rests on is cited with it. Sine, cosine and tangent beyond |x| = 2²⁰ and
//! pow at the special values of IEEE 754 are the standard library's (the slice kernels look for such arguments chunk by chunk and redo those lanes);
//! lgamma is `libm`'s, digamma and trigamma are scalar code.
//!
//! # Accuracy
//!
//! Bounds in ulp of the result (of the largest of |result|, 1 and |x| where marked \*), held on each instruction set by `tests/math_accuracy.rs` against values at
//! 50 digits and more (`scripts/math_reference.py`), in the plain range, around zeros and thresholds, in the tails, for tiny and huge arguments.
//! *Measured* is the largest error over 5000 such arguments. Results in the subnormal range count in their own, coarse, ulp.
//!
//! | function | bound | measured | | function | bound | measured |
//! |---|---|---|---|---|---|---|
//! | [`exp`](exp::exp) | 1 | 0.75 | | [`cbrt`](power::cbrt) | 1 | 0.51 |
//! | [`expm1`](exp::expm1) | 1 | 0.70 | | [`pow`](power::pow) | 1 | 0.62 |
//! | [`ln`](ln::ln) | 1 | 0.75 | | [`hypot`](power::hypot) | 1 | 0.60 |
//! | [`ln_1p`](ln::ln_1p) | 1 | 0.72 | | [`sigmoid`](logistic::sigmoid) | 2.5 | 1.85 |
//! | [`log2`](ln::log2) | 1 | 0.51 | | [`softplus`](logistic::softplus) | 2 | 1.39 |
//! | [`log10`](ln::log10) | 1 | 0.51 | | [`logaddexp`](logistic::logaddexp) | 2 \* | 0.81 |
//! | [`sin`](trig::sin) | 1 | 0.73 | | [`log1mexp`](logistic::log1mexp) | 2 | 1.61 |
//! | [`cos`](trig::cos) | 1 | 0.72 | | [`xlogy`](logistic::xlogy) | 2 | 1.41 |
//! | [`tan`](trig::tan) | 1 | 0.77 | | [`erf`](erf::erf) | 1 | 0.82 |
//! | [`asin`](inverse_trig::asin) | 1 | 0.62 | | [`erfc`](erf::erfc) | 2 | 1.50 |
//! | [`acos`](inverse_trig::acos) | 1 | 0.56 | | [`erfcx`](erf::erfcx) | 2 | 1.36 |
//! | [`atan`](inverse_trig::atan) | 1 | 0.70 | | [`norm_cdf`](normal::norm_cdf) | 2 | 1.34 |
//! | [`atan2`](inverse_trig::atan2) | 2 | 1.05 | | [`log_norm_cdf`](normal::log_norm_cdf) | 2 | 1.43 |
//! | [`sinh`](hyperbolic::sinh) | 1 | 0.75 | | [`norm_quantile`](normal::norm_quantile) | 5 | 4.45 |
//! | [`cosh`](hyperbolic::cosh) | 1 | 0.61 | | [`lgamma`](gamma::lgamma), x > 0 | 2 | 1.85 |
//! | [`tanh`](hyperbolic::tanh) | 1 | 0.99 | | lgamma, x < 0 | 3 \* | 2.40 |
//! | [`asinh`](hyperbolic::asinh) | 2 | 0.98 | | [`digamma`](gamma::digamma), x > 0 | 2 | 1.04 |
//! | [`acosh`](hyperbolic::acosh) | 2 | 0.99 | | digamma, x < 0 | 6 (of π cot πx too) \* | 4.27 |
//! | [`atanh`](hyperbolic::atanh) | 2 | 0.74 | | [`trigamma`](gamma::trigamma), x > 0; x < 0 | 2; 6 | 1.62; 4.40 |
//!
//! # Example
//! ```
//! use pullback_ad::math::{scalar, slice};
//!
//! let x = [-40.0, -1.0, 0.0, 1.0];
//! let mut y = [0.0; 4];
//! slice::log_norm_cdf(&mut y, &x);
//! assert!((y[0] + 804.608442).abs() < 1e-6);
//! assert!((y[3] - scalar::log_norm_cdf(1.0)).abs() < 1e-16);
//! ```
#[macro_use]
mod table;

pub(crate) mod dd;
pub mod erf;
pub mod exp;
pub mod gamma;
pub mod hyperbolic;
pub mod inverse_trig;
pub mod ln;
pub mod logistic;
pub mod normal;
mod poly;
pub mod power;
pub mod scalar;
pub mod slice;
pub mod trig;
