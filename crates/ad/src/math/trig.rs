//! Sine, cosine and tangent.
use super::dd::{quick_two_sum, two_prod, two_sum};
use super::exp::ROUND;
use super::poly::even_odd;
use crate::isa::Isa;

/// Minimax, degree 5, weighted error 0.096 × 2⁻⁵³ (`scripts/minimax.py sin_p`).
const SIN_P: [f64; 6] = [
    -0.1666666666666663,
    0.008333333333322106,
    -0.00019841269829578385,
    2.7557313617218426e-06,
    -2.505074707432565e-08,
    1.589618855601608e-10,
];

/// Minimax, degree 5, weighted error 0.011 × 2⁻⁵³ (`scripts/minimax.py cos_p`).
const COS_P: [f64; 6] = [
    0.041666666666666595,
    -0.0013888888888873036,
    2.4801587288839388e-05,
    -2.7557314175641343e-07,
    2.087570033222865e-09,
    -1.1358509473114432e-11,
];

/// Where the reduction by a rounded quotient ends: 2²⁰.
const FAR: f64 = 1048576.0;

/// π/2 in three parts of 53 bits.
const HALF_PI: [f64; 3] = [
    std::f64::consts::FRAC_PI_2,
    6.123233995736766e-17,
    -1.4973849048591698e-33,
];
/// π/2 in three parts of 33 bits and the rest: products with a quotient of 20 bits are exact.
const HALF_PI_33: [f64; 4] = [
    1.5707963267341256,
    6.077100506303966e-11,
    2.0222662487111665e-21,
    8.4784276603689e-32,
];

/// x = q π/2 + (h + l), |h| ≤ π/4; the low bits of the last result are q. For |x| ≤ 2²⁰.
///
/// Cody and Waite (1980), chapter 8. The first difference is exact, and 2⁻¹⁰⁶ beyond it is carried: no argument in the range comes closer than
/// about 2⁻⁶² to a multiple of π/2, so h keeps its relative accuracy.
#[inline(always)]
fn reduce<I: Isa>(x: f64) -> (f64, f64, u64) {
    let shifted = I::fma(x, std::f64::consts::FRAC_2_PI, ROUND);
    let k = shifted - ROUND;
    let (h, l) = if I::HAS_FMA {
        let first = I::fma(-k, HALF_PI[0], x);
        let (p, p_low) = two_prod::<I>(k, HALF_PI[1]);
        let (h, l) = two_sum(first, -p);
        (h, (l - p_low) - k * HALF_PI[2])
    } else {
        let first = x - k * HALF_PI_33[0];
        let (h, l1) = two_sum(first, -(k * HALF_PI_33[1]));
        let (h, l2) = two_sum(h, -(k * HALF_PI_33[2]));
        (h, (l1 + l2) - k * HALF_PI_33[3])
    };
    let (h, l) = quick_two_sum(h, l);
    (h, l, shifted.to_bits())
}

/// sin(h + l) as a pair, |h| ≤ π/4.
#[inline(always)]
fn sin_near<I: Isa>(h: f64, l: f64) -> (f64, f64) {
    let z = h * h;
    let tail = I::fma(z * h, even_odd::<I, 6>(z, &SIN_P), l * (1.0 - 0.5 * z));
    (h, tail)
}

/// cos(h + l) as a pair, |h| ≤ π/4, the sum in the order of fdlibm's `k_cos.c`.
#[inline(always)]
fn cos_near<I: Isa>(h: f64, l: f64) -> (f64, f64) {
    let z = h * h;
    let half = 0.5 * z;
    let w = 1.0 - half;
    let tail = I::fma(z * z, even_odd::<I, 6>(z, &COS_P), -(h * l));
    (w, ((1.0 - w) - half) + tail)
}

/// Whether x is beyond the range of the branch-free functions (also ±inf).
#[inline(always)]
pub(crate) fn is_far(x: f64) -> bool {
    x.abs() > FAR
}

#[inline(always)]
fn pick(odd: u64, a: f64, b: f64) -> f64 {
    if odd & 1 == 1 { b } else { a }
}

/// sin x for |x| ≤ 2²⁰ without branches.
#[inline(always)]
pub(crate) fn sin_near_zero<I: Isa>(x: f64) -> f64 {
    let (h, l, q) = reduce::<I>(x);
    let (s, c) = (sin_near::<I>(h, l), cos_near::<I>(h, l));
    let y = pick(q, s.0, c.0) + pick(q, s.1, c.1);
    let y = f64::from_bits(y.to_bits() ^ ((q & 2) << 62));
    if x.abs() < 1e-9 { x } else { y }
}

/// cos x for |x| ≤ 2²⁰ without branches.
#[inline(always)]
pub(crate) fn cos_near_zero<I: Isa>(x: f64) -> f64 {
    let (h, l, q) = reduce::<I>(x);
    let (s, c) = (sin_near::<I>(h, l), cos_near::<I>(h, l));
    let y = pick(q, c.0, s.0) + pick(q, c.1, s.1);
    f64::from_bits(y.to_bits() ^ ((q.wrapping_add(1) & 2) << 62))
}

/// tan x for |x| ≤ 2²⁰ without branches.
#[inline(always)]
pub(crate) fn tan_near_zero<I: Isa>(x: f64) -> f64 {
    let (h, l, q) = reduce::<I>(x);
    let (s, c) = (sin_near::<I>(h, l), cos_near::<I>(h, l));
    let (n, n_low) = (pick(q, s.0, -c.0), pick(q, s.1, -c.1));
    let (d, d_low) = (pick(q, c.0, s.0), pick(q, c.1, s.1));
    // The quotient of the pairs.
    let inverse = 1.0 / (d + d_low);
    let y = (n + n_low) * inverse;
    let (p, p_low) = two_prod::<I>(y, d);
    let residual = ((n - p) - p_low) + (n_low - y * d_low);
    let y = I::fma(residual, inverse, y);
    if x.abs() < 1e-9 { x } else { y }
}

#[cold]
#[inline(never)]
pub(crate) fn sin_far(x: f64) -> f64 {
    x.sin()
}

#[cold]
#[inline(never)]
pub(crate) fn cos_far(x: f64) -> f64 {
    x.cos()
}

#[cold]
#[inline(never)]
pub(crate) fn tan_far(x: f64) -> f64 {
    x.tan()
}

/// sin x. Error ≤ 1 ulp; beyond |x| = 2²⁰ the standard library's. NaN for ±inf.
#[inline(always)]
pub fn sin<I: Isa>(x: f64) -> f64 {
    if is_far(x) {
        sin_far(x)
    } else {
        sin_near_zero::<I>(x)
    }
}

/// cos x. Error ≤ 1 ulp; beyond |x| = 2²⁰ the standard library's. NaN for ±inf.
#[inline(always)]
pub fn cos<I: Isa>(x: f64) -> f64 {
    if is_far(x) {
        cos_far(x)
    } else {
        cos_near_zero::<I>(x)
    }
}

/// (sin x, cos x), the bits of [`sin`] and [`cos`]; the two share the reduction and the polynomials.
#[inline(always)]
pub fn sin_cos<I: Isa>(x: f64) -> (f64, f64) {
    if is_far(x) {
        (sin_far(x), cos_far(x))
    } else {
        (sin_near_zero::<I>(x), cos_near_zero::<I>(x))
    }
}

/// tan x = sin x / cos x. Error ≤ 1 ulp; beyond |x| = 2²⁰ the standard library's. NaN for ±inf.
#[inline(always)]
pub fn tan<I: Isa>(x: f64) -> f64 {
    if is_far(x) {
        tan_far(x)
    } else {
        tan_near_zero::<I>(x)
    }
}
