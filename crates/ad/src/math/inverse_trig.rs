//! Inverse trigonometric functions.
use super::dd::{two_prod, two_sum};
use super::poly::even_odd;
use crate::isa::Isa;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// Minimax, degree 11, weighted error 0.024 × 2⁻⁵³ (`scripts/minimax.py atan_p`).
const ATAN_P: [f64; 12] = [
    -0.33333333333333326,
    0.19999999999997692,
    -0.14285714285390952,
    0.11111111088361744,
    -0.09090908151185001,
    0.0769228290957793,
    -0.06666228991353236,
    0.058770437214875515,
    -0.05218545793134437,
    0.045041254562925334,
    -0.03348789050983221,
    0.015208819122245419,
];

/// Minimax, degree 12, weighted error 0.02 × 2⁻⁵³ (`scripts/minimax.py asin_p`).
const ASIN_P: [f64; 13] = [
    0.16666666666666763,
    0.07499999999970276,
    0.04464285717510872,
    0.03038194268413989,
    0.022372215646872588,
    0.01735160031326084,
    0.013980959004595494,
    0.011397794505779024,
    0.01078643275865653,
    0.0036833803451796878,
    0.021762731410188144,
    -0.021076276854141426,
    0.032676295250092,
];

/// π/2 − `FRAC_PI_2`.
const HALF_PI_LOW: f64 = 6.123233995736766e-17;

/// atan(num/den) = base + `base_low` + t + `t_low` for num, den ≥ 0, |t| ≤ tan(π/8): (base, `base_low`, t, `t_low`).
///
/// atan(u) = π/4 + atan((u − 1)/(u + 1)) = π/2 − atan(1/u), so that one division serves all cases.
#[inline(always)]
fn atan_ratio<I: Isa>(num: f64, den: f64) -> (f64, f64, f64, f64) {
    const TAN_PI_8: f64 = 0.41421356237309503;
    let low = num <= TAN_PI_8 * den;
    let high = den <= TAN_PI_8 * num;
    let (n, n_low) = two_sum(num, -den);
    let (d, d_low) = two_sum(num, den);
    let n = if high { -den } else { n };
    let d = if high { num } else { d };
    let n = if low { num } else { n };
    let d = if low { den } else { d };
    let base = if high { FRAC_PI_2 } else { FRAC_PI_4 };
    let base = if low { 0.0 } else { base };
    let t = n / d;
    let exact = low | high;
    let n_low = if exact { 0.0 } else { n_low };
    let d_low = if exact { 0.0 } else { d_low };
    let (p, p_low) = two_prod::<I>(t, d);
    let t_low = (((n - p) - p_low) + (n_low - t * d_low)) / d;
    (base, base * (HALF_PI_LOW / FRAC_PI_2), t, t_low)
}

/// atan of the ratio as a sum in falling order, negated or not.
#[inline(always)]
fn atan_sum<I: Isa>(base: f64, base_low: f64, t: f64, t_low: f64) -> f64 {
    let z = t * t;
    let (h, l) = two_sum(base, t);
    h + (I::fma(t * z, even_odd::<I, 12>(z, &ATAN_P), l) + (base_low + t_low))
}

/// atan x. Error ≤ 1 ulp; ±π/2 at ±inf.
#[inline(always)]
pub fn atan<I: Isa>(x: f64) -> f64 {
    // From 2⁶⁰ on the result is π/2.
    let a = x.abs();
    let a = if a > 1e18 { 1e18 } else { a };
    let (base, base_low, t, t_low) = atan_ratio::<I>(a, 1.0);
    let y = atan_sum::<I>(base, base_low, t, t_low).copysign(x);
    if x.abs() < 1e-9 { x } else { y }
}

/// The angle of the point (x, y), in [−π, π], with the conventions of IEEE 754 for zeros and infinities. Error ≤ 2 ulp.
#[inline(always)]
pub fn atan2<I: Isa>(y: f64, x: f64) -> f64 {
    let (num, den) = (y.abs(), x.abs());
    let largest = if num > den { num } else { den };
    // Two infinities are alike, one makes the other negligible.
    let unbounded = largest > f64::MAX;
    let num_in = if num > f64::MAX {
        1.0
    } else if unbounded {
        0.0
    } else {
        num
    };
    let den_in = if den > f64::MAX {
        1.0
    } else if unbounded {
        0.0
    } else {
        den
    };
    let scale = if largest > 1e290 { 1e-200 } else { 1.0 };
    let scale = if largest < 1e-200 {
        2.037035976334486e90
    } else {
        scale
    };
    let zero = largest == 0.0;
    let num_in = num_in * scale;
    let den_in = if zero { 1.0 } else { den_in * scale };
    let (base, base_low, t, t_low) = atan_ratio::<I>(num_in, den_in);
    let back = x.is_sign_negative();
    // π − (base + t).
    let pi_low = 2.0 * HALF_PI_LOW;
    let right = PI - base;
    let flipped_low = pi_low - base_low;
    let base = if back { right } else { base };
    let base_low = if back { flipped_low } else { base_low };
    let t = if back { -t } else { t };
    let t_low = if back { -t_low } else { t_low };
    let angle = atan_sum::<I>(base, base_low, t, t_low);
    // A quotient that small is the angle itself, subnormal or zero.
    let angle = if base == 0.0 && t < 1e-9 { t } else { angle };
    let angle = angle.copysign(y);
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else {
        angle
    }
}

/// (s, c, r) for a = |x|: asin(s + c) = s + c + r, where s + c = a for a < ½ and √((1 − a)/2) beyond.
#[inline(always)]
fn asin_parts<I: Isa>(a: f64) -> (f64, f64, f64) {
    let small = a < 0.5;
    let z = if small { a * a } else { 0.5 - 0.5 * a };
    let root = z.sqrt();
    let (p, p_low) = two_prod::<I>(root, root);
    let inverse = 0.5 / if root > 0.0 { root } else { 1.0 };
    let residual = ((z - p) - p_low) * inverse;
    let s = if small { a } else { root };
    let c = if small { 0.0 } else { residual };
    (s, c, s * (z * even_odd::<I, 13>(z, &ASIN_P)))
}

/// asin x, by asin x = π/2 − 2 asin √((1 − x)/2) beyond ½. Error ≤ 1 ulp; NaN for |x| > 1.
#[inline(always)]
pub fn asin<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let (s, c, r) = asin_parts::<I>(a);
    let (h, l) = two_sum(FRAC_PI_2, -2.0 * s);
    let far = h + (l + (HALF_PI_LOW - 2.0 * (c + r)));
    let y = if a < 0.5 { s + r } else { far };
    let y = y.copysign(x);
    if a < 1e-9 { x } else { y }
}

/// acos x. Error ≤ 1 ulp; NaN for |x| > 1.
#[inline(always)]
pub fn acos<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let (s, c, r) = asin_parts::<I>(a);
    let positive = x > 0.0;
    // |x| < ½: π/2 − asin x.
    let (h, l) = two_sum(FRAC_PI_2, if positive { -s } else { s });
    let near = h + (l + (HALF_PI_LOW - if positive { r } else { -r }));
    // x ≥ ½: 2 asin √((1 − x)/2); x ≤ −½: π − the same of |x|.
    let right = 2.0 * (s + (c + r));
    let (h, l) = two_sum(PI, -2.0 * s);
    let left = h + (l + (2.0 * HALF_PI_LOW - 2.0 * (c + r)));
    let far = if positive { right } else { left };
    if a < 0.5 { near } else { far }
}
