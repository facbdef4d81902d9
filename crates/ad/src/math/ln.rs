//! Logarithms.
use super::dd::{quick_two_sum, two_prod, two_sum};
use super::exp::{LN2_HI, LN2_LO};
use super::poly::{even_odd, horner};
use crate::isa::Isa;

/// Minimax, degree 6, weighted error 0.016 × 2⁻⁵³ (`scripts/minimax.py ln_p`).
const LN_P: [f64; 7] = [
    0.6666666666666734,
    0.39999999999414637,
    0.28571428742406463,
    0.2222219857044584,
    0.18183564503006922,
    0.1531404528775789,
    0.1479600860940913,
];

/// Minimax, degree 7, weighted error 9.6e-05 × 2⁻⁵³ (`scripts/minimax.py log_q`).
const LOG_Q: [f64; 8] = [
    0.1999999999999999,
    0.1428571428572255,
    0.11111111108769342,
    0.09090909435024495,
    0.07692278444391779,
    0.06668158372137566,
    0.05837416033176396,
    0.05994450518554231,
];

/// The bits of √½: the significand is taken in [√½, √2).
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
/// What moves √½ to the next power of two, so that the exponent field counts from √½.
const TO_OCTAVE: u64 = 0x3ff0_0000_0000_0000 - SQRT_HALF_BITS;
/// The bits of 2⁵²: an integer below it stands in the low bits of the sum.
const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
const FRACTION: u64 = 0x000f_ffff_ffff_ffff;

/// x = 2ᵏ m with m in [√½, √2), for finite positive x, subnormal too; (k, m).
#[inline(always)]
pub(crate) fn split(x: f64) -> (f64, f64) {
    let tiny = x < f64::MIN_POSITIVE;
    let scaled = if tiny { x * 18014398509481984.0 } else { x };
    let bits = scaled.to_bits().wrapping_add(TO_OCTAVE);
    // The exponent as a float without a conversion (AVX2 has none): in the low bits of 2⁵².
    let biased = f64::from_bits((bits >> 52) | TWO_52_BITS);
    let k = biased
        - if tiny {
            4503599627371573.0
        } else {
            4503599627371519.0
        };
    (
        k,
        f64::from_bits((bits & FRACTION).wrapping_add(SQRT_HALF_BITS)),
    )
}

/// The exponent k, made infinite or NaN where the logarithm is: the sums carry it to the result.
#[inline(always)]
pub(crate) fn edges(x: f64, k: f64) -> f64 {
    let k = if x > f64::MAX { f64::INFINITY } else { k };
    let k = if x > 0.0 { k } else { f64::NAN };
    if x == 0.0 { f64::NEG_INFINITY } else { k }
}

/// ln x.
///
/// x = 2ᵏ(1 + f), ln(1 + f) = 2 artanh(s) with s = f/(2 + f); the arrangement of the sums is that of fdlibm's `e_log.c` (Sun 1993), which
/// keeps the rounding errors of the large terms apart. Error ≤ 1 ulp. ln 0 = −inf, of a negative number NaN.
#[inline(always)]
pub fn ln<I: Isa>(x: f64) -> f64 {
    let (k, m) = split(x);
    let k = edges(x, k);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * horner::<I, 7>(z, &LN_P);
    let half = 0.5 * f * f;
    let tail = I::fma(s, half + r, k * LN2_LO);
    I::fma(k, LN2_HI, -((half - tail) - f))
}

/// ln(u + e) for u = 0 or u ≥ 2⁻⁵⁴ and a correction |e| ≤ ulp(u)/2 (or u = 1 and e anything small).
#[inline(always)]
pub(crate) fn ln_sum<I: Isa>(u: f64, e: f64) -> f64 {
    let bits = u.to_bits().wrapping_add(TO_OCTAVE);
    let exponent = bits >> 52;
    let k = edges(
        u,
        f64::from_bits(exponent | TWO_52_BITS) - 4503599627371519.0,
    );
    let m = f64::from_bits((bits & FRACTION).wrapping_add(SQRT_HALF_BITS));
    // 2⁻ᵏ; of a large u the correction doesn't matter and the power may be out of range.
    let scale = f64::from_bits(2046_u64.wrapping_sub(exponent) << 52);
    let e = if u > 1e17 { 0.0 } else { e * scale };
    let (f, f_low) = quick_two_sum(m - 1.0, e);
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * horner::<I, 7>(z, &LN_P);
    let half = 0.5 * f * f;
    // d ln(1 + f) = df/(1 + f) = df (1 − s)/(1 + s).
    let correction = I::fma(f_low, 2.0 * z - 2.0 * s, f_low);
    let tail = I::fma(s, half + r, I::fma(k, LN2_LO, correction));
    I::fma(k, LN2_HI, -((half - tail) - f))
}

/// ln(1 + x).
///
/// 1 + x as an exact pair, then as [`ln`]. Error ≤ 1 ulp, also for small x. −inf at −1, NaN below.
#[inline(always)]
pub fn ln_1p<I: Isa>(x: f64) -> f64 {
    let (u, e) = two_sum(1.0, x);
    // The error term of inf is NaN.
    let e = if x > f64::MAX { 0.0 } else { e };
    let y = ln_sum::<I>(u, e);
    if x.abs() < 1e-16 { x } else { y }
}

/// ln x as a pair (h, l) with a relative error of about 2⁻⁶⁴, for finite positive x.
#[inline(always)]
pub(crate) fn ln_pair<I: Isa>(x: f64) -> (f64, f64) {
    const THIRD: f64 = 1.0 / 3.0;
    const THIRD_LOW: f64 = 1.850371707708594e-17;
    let (k, m) = split(x);
    let f = m - 1.0;
    // s = f/(2 + f) as a pair.
    let (d, d_low) = quick_two_sum(2.0, f);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let (p, p_low) = two_prod::<I>(s, d);
    let s_low = (((f - p) - p_low) - s * d_low) * inverse;
    // u = artanh(s)/s − 1 = z/3 + z² Q(z).
    let (z, z_low) = two_prod::<I>(s, s);
    let z_low = I::fma(2.0 * s, s_low, z_low);
    let (third, third_low) = two_prod::<I>(z, THIRD);
    let third_low = third_low + I::fma(z, THIRD_LOW, z_low * THIRD);
    let (u, u_low) = quick_two_sum(third, z * z * even_odd::<I, 8>(z, &LOG_Q));
    let u_low = u_low + third_low;
    // ln m = 2 s + 2 s u.
    let (w, w_low) = two_prod::<I>(2.0 * s, u);
    let w_low = w_low + 2.0 * I::fma(s, u_low, s_low * u);
    let (h, l) = quick_two_sum(2.0 * s, w);
    let l = l + (w_low + 2.0 * s_low);
    let (h, carry) = quick_two_sum(k * LN2_HI, h);
    quick_two_sum(h, carry + I::fma(k, LN2_LO, l))
}

/// (ln x) × (c + `c_low`), with the values of a logarithm outside (0, inf).
#[inline(always)]
fn ln_times<I: Isa>(x: f64, c: f64, c_low: f64) -> f64 {
    let (h, l) = ln_pair::<I>(x);
    let (p, p_low) = two_prod::<I>(h, c);
    let y = p + (p_low + I::fma(l, c, h * c_low));
    let y = if x > f64::MAX { f64::INFINITY } else { y };
    let y = if x > 0.0 { y } else { f64::NAN };
    if x == 0.0 { f64::NEG_INFINITY } else { y }
}

/// log₂ x. Error ≤ 1 ulp; exact for powers of two.
#[inline(always)]
pub fn log2<I: Isa>(x: f64) -> f64 {
    ln_times::<I>(x, std::f64::consts::LOG2_E, 2.0355273740931033e-17)
}

/// log₁₀ x. Error ≤ 1 ulp; exact for powers of ten.
#[inline(always)]
pub fn log10<I: Isa>(x: f64) -> f64 {
    ln_times::<I>(x, std::f64::consts::LOG10_E, 1.098319650216765e-17)
}
