//! Powers and roots.
use super::dd::{quick_two_sum, two_prod};
use super::exp::{ROUND, clamp, exp_parts};
use super::ln::{ln_pair, split};
use super::poly::even_odd;
use crate::isa::Isa;

/// Minimax, degree 5, weighted error 6.3e+12 × 2⁻⁵³ (`scripts/minimax.py cbrt_p`).
const CBRT_P: [f64; 6] = [
    0.4151361955877113,
    1.0523896699319044,
    -0.7611412999749376,
    0.38701478646197063,
    -0.10448325426993776,
    0.011282646810042735,
];

/// The nearest integer, of large numbers themselves.
#[inline(always)]
fn nearest(y: f64) -> f64 {
    let r = (y.abs() + 4503599627370496.0) - 4503599627370496.0;
    let r = r.copysign(y);
    if y.abs() < 4503599627370496.0 { r } else { y }
}

/// Whether xʸ is one of the cases of the IEEE table that [`pow_finite`] doesn't have.
#[inline(always)]
pub(crate) fn pow_is_rare(x: f64, y: f64) -> bool {
    // x = ±0 or ±inf, y infinite. (A NaN goes its way, but for x = 1 or y = 0.)
    !(x.abs() > 0.0 && x.abs() <= f64::MAX && y.abs() <= f64::MAX)
}

#[cold]
#[inline(never)]
pub(crate) fn pow_rare(x: f64, y: f64) -> f64 {
    x.powf(y)
}

/// xʸ for finite x ≠ 0 and finite y, without branches.
#[inline(always)]
pub(crate) fn pow_finite<I: Isa>(x: f64, y: f64) -> f64 {
    let (h, l) = ln_pair::<I>(x.abs());
    // |ln x| ≥ 2⁻⁵³ or 0: beyond this y the result is 0, 1 or inf already, and y h stays finite.
    let bounded = clamp(y, -1e20, 1e20);
    let (p, p_low) = two_prod::<I>(bounded, h);
    let p_low = I::fma(bounded, l, p_low);
    let outside = p.abs() > 750.0;
    let p_low = if outside { 0.0 } else { p_low };
    let (e, e_low, a, b) = exp_parts::<I>(clamp(p, -746.0, 710.0), p_low);
    let value = (e + e_low) * a * b;
    // A negative base: real for integer exponents, negative for odd ones.
    let integer = nearest(y) == y;
    let even = nearest(0.5 * y) == 0.5 * y;
    let signed = if even { value } else { -value };
    let signed = if integer { signed } else { f64::NAN };
    if x < 0.0 { signed } else { value }
}

/// xʸ, with the special cases of IEEE 754 (`pow`): x⁰ = 1 and 1ʸ = 1 even for NaN, NaN for negative x and y not an integer.
///
/// e^(y ln x) with the logarithm to 64 bits. Error ≤ 1 ulp.
#[inline(always)]
pub fn pow<I: Isa>(x: f64, y: f64) -> f64 {
    if pow_is_rare(x, y) {
        pow_rare(x, y)
    } else {
        pow_finite::<I>(x, y)
    }
}

/// ∛x: a polynomial, a step of Halley's iteration, a step of Newton's with the residual to twice the precision. Error ≤ 1 ulp.
#[inline(always)]
pub fn cbrt<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let (k, m) = split(a);
    let shifted = k * (1.0 / 3.0) + (ROUND + 1023.0);
    let third = shifted - (ROUND + 1023.0);
    let rest = k - 3.0 * third;
    let factor = if rest > 0.5 { 2.0 } else { 1.0 };
    let factor = if rest < -0.5 { 0.5 } else { factor };
    let m = m * factor;
    let y = even_odd::<I, 6>(m, &CBRT_P);
    let cube = y * y * y;
    let y = y * (I::fma(2.0, m, cube) / I::fma(2.0, cube, m));
    let (q, q_low) = two_prod::<I>(y, y);
    let (c, c_low) = two_prod::<I>(q, y);
    let residual = (c - m) + I::fma(q_low, y, c_low);
    let y = y - residual / (3.0 * q);
    let y = (y * f64::from_bits(shifted.to_bits() << 52)).copysign(x);
    let proper = a > 0.0 && a <= f64::MAX;
    if proper { y } else { x }
}

/// √(x² + y²) without overflow or underflow on the way (Borges 2019, corrected square root). Error ≤ 1 ulp. inf if one is infinite.
#[inline(always)]
pub fn hypot<I: Isa>(x: f64, y: f64) -> f64 {
    let (ax, ay) = (x.abs(), y.abs());
    let (a, b) = if ax > ay { (ax, ay) } else { (ay, ax) };
    // Powers of two: 2^±600.
    let scale = if a > 1e150 {
        2.409919865102884e-181
    } else {
        1.0
    };
    let scale = if a < 1e-150 {
        4.149515568880993e180
    } else {
        scale
    };
    let back = if a > 1e150 {
        4.149515568880993e180
    } else {
        1.0
    };
    let back = if a < 1e-150 {
        2.409919865102884e-181
    } else {
        back
    };
    let (a, b) = (a * scale, b * scale);
    let (a2, a2_low) = two_prod::<I>(a, a);
    let (b2, b2_low) = two_prod::<I>(b, b);
    let (s, s_low) = quick_two_sum(a2, b2);
    let root = s.sqrt();
    let (p, p_low) = two_prod::<I>(root, root);
    let residual = ((s - p) - p_low) + (s_low + (a2_low + b2_low));
    let h = (root + residual * (0.5 / if root > 0.0 { root } else { 1.0 })) * back;
    let h = if x.is_nan() || y.is_nan() {
        f64::NAN
    } else {
        h
    };
    let unbounded = ax > f64::MAX || ay > f64::MAX;
    if unbounded { f64::INFINITY } else { h }
}
