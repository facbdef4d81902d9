//! The exponential function and its relatives.
use super::poly::even_odd;
use crate::isa::Isa;

/// Minimax, degree 9, weighted error 0.092 × 2⁻⁵³ (`scripts/minimax.py exp_p`).
const EXP_P: [f64; 10] = [
    0.5000000000000011,
    0.16666666666666413,
    0.04166666666652985,
    0.008333333333494383,
    0.0013888888943721376,
    0.0001984126950696731,
    2.4801492994460415e-05,
    2.7557585841601846e-06,
    2.7630288761655576e-07,
    2.5000287359032627e-08,
];

/// ln 2 to 42 bits, so that k × `LN2_HI` is exact for |k| < 2¹¹.
pub(crate) const LN2_HI: f64 = 0.6931471805598903;
/// ln 2 − `LN2_HI`.
pub(crate) const LN2_LO: f64 = 5.497923018708371e-14;

/// 1.5 × 2⁵²: adding it rounds to an integer, which then stands in the low bits.
const ROUND: f64 = 6755399441055744.0;

/// 2^k for the integer k that stands, biased by 2046, in the low bits of `shifted`, as two factors (each in range for −2045 ≤ k ≤ 2046).
#[inline(always)]
pub(crate) fn two_factors(shifted: u64) -> (f64, f64) {
    let half = shifted >> 1;
    (
        f64::from_bits(half << 52),
        f64::from_bits(shifted.wrapping_sub(half) << 52),
    )
}

/// eˣ.
///
/// Reduction x = k ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite 1980, chapter 6), a minimax polynomial, and scaling in two steps, so that subnormal
/// results are rounded once. Error ≤ 1 ulp.
#[inline(always)]
pub fn exp<I: Isa>(x: f64) -> f64 {
    // Beyond these the result is inf or 0 all the same. In this form a NaN stays one.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };
    let shifted = I::fma(x, std::f64::consts::LOG2_E, ROUND + 2046.0);
    let k = shifted - (ROUND + 2046.0);
    let r = I::fma(-k, LN2_LO, I::fma(-k, LN2_HI, x));
    let p = 1.0 + I::fma(r * r, even_odd::<I, 10>(r, &EXP_P), r);
    let (a, b) = two_factors(shifted.to_bits());
    p * a * b
}
