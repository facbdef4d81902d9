//! The exponential function and its relatives.
use super::dd::{quick_two_sum, two_sum};
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

/// Minimax, degree 9, weighted error 0.0065 × 2⁻⁵³ (`scripts/minimax.py expm1_p`).
const EXPM1_P: [f64; 10] = [
    0.16666666666666677,
    0.04166666666666669,
    0.008333333333321672,
    0.0013888888888870096,
    0.00019841269886052245,
    2.4801587356207388e-05,
    2.7557244260352146e-06,
    2.755724549487991e-07,
    2.5109025347106844e-08,
    2.09237865804994e-09,
];

/// ln 2 to 42 bits, so that k × `LN2_HI` is exact for |k| < 2¹¹.
pub(crate) const LN2_HI: f64 = 0.6931471805598903;
/// ln 2 − `LN2_HI`.
pub(crate) const LN2_LO: f64 = 5.497923018708371e-14;

/// 1.5 × 2⁵²: adding it rounds to an integer, which then stands in the low bits.
pub(crate) const ROUND: f64 = 6755399441055744.0;

/// x with lo ≤ x ≤ hi; in this form a NaN stays one.
#[inline(always)]
pub(crate) fn clamp(x: f64, lo: f64, hi: f64) -> f64 {
    let x = if x > hi { hi } else { x };
    if x < lo { lo } else { x }
}

/// k = round(x / ln 2) in two forms: biased by 2046 in the low bits, and as a number.
#[inline(always)]
fn octave<I: Isa>(x: f64) -> (u64, f64) {
    let shifted = I::fma(x, std::f64::consts::LOG2_E, ROUND + 2046.0);
    (shifted.to_bits(), shifted - (ROUND + 2046.0))
}

/// 2^k for the integer k that stands, biased by 2046, in the low bits of `shifted`, as two factors (each in range for −2044 ≤ k ≤ 2046).
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
    // Beyond these bounds the result is inf or 0 all the same.
    let x = clamp(x, -746.0, 710.0);
    let (shifted, k) = octave::<I>(x);
    let r = I::fma(-k, LN2_LO, I::fma(-k, LN2_HI, x));
    let (h, l) = quick_two_sum(1.0, r);
    let p = h + I::fma(r * r, even_odd::<I, 10>(r, &EXP_P), l);
    let (a, b) = two_factors(shifted);
    p * a * b
}

/// (h, l, a, b) with e^(x + c) = (h + l) a b and 0.7 < h < 1.5, for −746 ≤ x ≤ 710 and a correction |c| < 2⁻⁴⁰: about 10 bits more than [`exp`].
#[inline(always)]
pub(crate) fn exp_parts<I: Isa>(x: f64, c: f64) -> (f64, f64, f64, f64) {
    let (shifted, k) = octave::<I>(x);
    let t = I::fma(-k, LN2_HI, x);
    let low = k * LN2_LO - c;
    let r = t - low;
    let residual = (t - r) - low;
    let (h, l) = quick_two_sum(1.0, r);
    let curved = r * r * even_odd::<I, 10>(r, &EXP_P);
    let (a, b) = two_factors(shifted);
    (h, l + I::fma(residual, h, curved), a, b)
}

/// eˣ − 1.
///
/// 2ᵏ(eʳ − 1) + (2ᵏ − 1) with the rounding errors of the sums carried along. Error ≤ 1 ulp, also for small x.
#[inline(always)]
pub fn expm1<I: Isa>(x: f64) -> f64 {
    let reduced = clamp(x, -40.0, 710.0);
    let (shifted, k) = octave::<I>(reduced);
    let t = I::fma(-k, LN2_HI, reduced);
    let low = k * LN2_LO;
    let r = t - low;
    let residual = (t - r) - low;
    let square = r * r;
    let cubic = I::fma(
        square * r,
        even_odd::<I, 10>(r, &EXPM1_P),
        I::fma(residual, r, residual),
    );
    let curved = I::fma(0.5, square, cubic);
    let (e, e_low) = quick_two_sum(r, curved);
    // 2ᵏ = a b; b (a e + (a − 1/b)) overflows only where the result does.
    let (a, b) = two_factors(shifted);
    let inverse_b = f64::from_bits(0x7fe0_0000_0000_0000_u64.wrapping_sub(b.to_bits()));
    let (d, d_low) = two_sum(a, -inverse_b);
    let (y, y_low) = two_sum(d, a * e);
    let y = (y + (I::fma(a, e_low, d_low) + y_low)) * b;
    // x²/2 is below half an ulp here; it keeps −0 and subnormals.
    if x.abs() < 1e-16 { x } else { y }
}
