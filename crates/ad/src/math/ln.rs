//! Logarithms.
use super::exp::{LN2_HI, LN2_LO};
use super::poly::horner;
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

/// The bits of √½: the significand is taken in [√½, √2).
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;

/// x = 2^k m with m in [√½, √2), for finite positive x, subnormal too; (k, m).
#[inline(always)]
pub(crate) fn split(x: f64) -> (f64, f64) {
    let tiny = x < f64::MIN_POSITIVE;
    let scaled = if tiny { x * 18014398509481984.0 } else { x };
    // 1.0 lies at the same distance above √½ as the result's exponent field above the wanted one.
    let bits = scaled
        .to_bits()
        .wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF_BITS);
    // The exponent as a float without a conversion (AVX2 has none): in the low bits of 2⁵².
    let biased = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000);
    let k = biased
        - if tiny {
            4503599627371573.0
        } else {
            4503599627371519.0
        };
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF_BITS));
    (k, m)
}

/// ln x.
///
/// x = 2^k (1 + f), ln(1 + f) = 2 artanh(s) with s = f/(2 + f); the arrangement of the sums is that of fdlibm's `e_log.c` (Sun 1993), which
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

/// The exponent k, made infinite or NaN where the logarithm is: the sums carry it to the result.
#[inline(always)]
pub(crate) fn edges(x: f64, k: f64) -> f64 {
    let k = if x > f64::MAX { f64::INFINITY } else { k };
    let k = if x > 0.0 { k } else { f64::NAN };
    if x == 0.0 { f64::NEG_INFINITY } else { k }
}
