//! The standard normal distribution: its integral, the logarithm of it, its quantile.
use super::dd::{two_prod, two_sum};
use super::erf::{erfcx_pair, exp_times};
use super::exp::clamp;
use super::ln::{ln, ln_sum};
use super::poly::horner;
use crate::isa::Isa;
use std::f64::consts::FRAC_1_SQRT_2;

/// 1/√(2π), the height of the standard normal density.
pub const INV_SQRT_TAU: f64 = 0.398_942_280_401_432_7;

/// 1/√2 − `FRAC_1_SQRT_2`.
const INV_SQRT_2_LOW: f64 = -4.833646656726457e-17;

/// erfcx(a/√2) as a pair, with the rounding of the argument corrected by erfcx′(z) = 2 z erfcx z − 2/√π.
#[inline(always)]
fn mills<I: Isa>(a: f64) -> (f64, f64) {
    let bounded = if a > 1e9 { 1e9 } else { a };
    let (_, product_low) = two_prod::<I>(bounded, FRAC_1_SQRT_2);
    let z = a * FRAC_1_SQRT_2;
    let z_low = I::fma(bounded, INV_SQRT_2_LOW, product_low);
    let (r, r_low) = erfcx_pair::<I>(z);
    let slope = if a > 1e9 {
        0.0
    } else {
        I::fma(2.0 * z, r, -std::f64::consts::FRAC_2_SQRT_PI)
    };
    (r, I::fma(slope, z_low, r_low))
}

/// Φ(−a) for a ≥ 0.
#[inline(always)]
fn lower_tail<I: Isa>(a: f64) -> f64 {
    // Beyond this the result is 0.
    let a = if a > 38.6 { 38.6 } else { a };
    let (h, l) = two_prod::<I>(a, a);
    let (r, r_low) = mills::<I>(a);
    exp_times::<I>(-0.5 * h, -0.5 * l, 0.5 * r, 0.5 * r_low)
}

/// Φ(x) = ½ erfc(−x/√2), with its relative accuracy down to the subnormals (x = −38.5). Error ≤ 2 ulp.
#[inline(always)]
pub fn norm_cdf<I: Isa>(x: f64) -> f64 {
    let y = lower_tail::<I>(x.abs());
    if x > 0.0 { 1.0 - y } else { y }
}

/// ln Φ(x): for negative x, −x²/2 + ln(½ erfcx(−x/√2)), a sum of two negative terms; for positive x, ln(1 − Φ(−x)). Error ≤ 2 ulp.
#[inline(always)]
pub fn log_norm_cdf<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let positive = x > 0.0;
    let (u1, e1) = two_sum(1.0, -lower_tail::<I>(a));
    let (r, r_low) = mills::<I>(a);
    let u = if positive { u1 } else { 0.5 * r };
    let e = if positive { e1 } else { 0.5 * r_low };
    // At −inf the ratio is 0, its logarithm negligible.
    let u = if a > 1e290 { 1.0 } else { u };
    let log = ln_sum::<I>(u, e);
    let bounded = if a > 1e100 { 1.0 } else { a };
    let (h, l) = two_prod::<I>(bounded, bounded);
    let h = if a > 1e100 { a * a } else { h };
    let left = (log - 0.5 * l) - 0.5 * h;
    let right = if a > 1e100 { 0.0 } else { log };
    if positive { right } else { left }
}

/// AS 241, PPND16: numerator and denominator for |p − ½| ≤ 0.425, in 0.180625 − (p − ½)².
const CENTRE: [[f64; 8]; 2] = [
    [
        3.3871328727963665,
        133.14166789178438,
        1971.5909503065513,
        13731.69376550946,
        45921.95393154987,
        67265.7709270087,
        33430.57558358813,
        2509.0809287301227,
    ],
    [
        1.0,
        42.31333070160091,
        687.1870074920579,
        5394.196021424751,
        21213.794301586597,
        39307.89580009271,
        28729.085735721943,
        5226.495278852854,
    ],
];
/// The same for r = √(−ln p) ≤ 5, in r − 1.6.
const MIDDLE: [[f64; 8]; 2] = [
    [
        1.4234371107496835,
        4.630337846156546,
        5.769497221460691,
        3.6478483247632045,
        1.2704582524523684,
        0.2417807251774506,
        0.022723844989269184,
        0.0007745450142783414,
    ],
    [
        1.0,
        2.053191626637759,
        1.6763848301838038,
        0.6897673349851,
        0.14810397642748008,
        0.015198666563616457,
        0.0005475938084995345,
        1.0507500716444169e-09,
    ],
];
/// The same for r > 5, in r − 5.
const FAR: [[f64; 8]; 2] = [
    [
        6.657904643501103,
        5.463784911164114,
        1.7848265399172913,
        0.29656057182850487,
        0.026532189526576124,
        0.0012426609473880784,
        2.7115555687434876e-05,
        2.0103343992922881e-07,
    ],
    [
        1.0,
        0.599832206555888,
        0.1369298809227358,
        0.014875361290850615,
        0.0007868691311456133,
        1.8463183175100548e-05,
        1.421511758316446e-07,
        2.0442631033899397e-15,
    ],
];

#[inline(always)]
fn ratio<I: Isa>(t: f64, c: &[[f64; 8]; 2]) -> f64 {
    horner::<I, 8>(t, &c[0]) / horner::<I, 8>(t, &c[1])
}

/// Φ⁻¹(p) of 0 < p < 1 by algorithm AS 241 alone, without the Newton step of [`norm_quantile`], for random numbers. Relative error ≤ 2e-15.
///
/// It branches, most often to the cheap centre; [`norm_quantile_16_near`] is the same for vectors.
///
/// Reference: M. J. Wichura, Applied Statistics 37 (1988) 477.
#[inline]
pub fn norm_quantile_16<I: Isa>(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio::<I>(0.180625 - q * q, &CENTRE);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-ln::<I>(tail)).sqrt();
    let a = if r > 5.0 {
        ratio::<I>(r - 5.0, &FAR)
    } else {
        ratio::<I>(r - 1.6, &MIDDLE)
    };
    a.copysign(q)
}

/// [`norm_quantile_16`], to the bit and without branches, where p is not [`is_norm_far`].
#[inline(always)]
pub fn norm_quantile_16_near<I: Isa>(p: f64) -> f64 {
    let q = p - 0.5;
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let t = 0.180625 - q * q;
    let r = (-ln::<I>(tail)).sqrt() - 1.6;
    // One division for both.
    let central = q.abs() <= 0.425;
    let numerator = if central {
        horner::<I, 8>(t, &CENTRE[0])
    } else {
        horner::<I, 8>(r, &MIDDLE[0])
    };
    let denominator = if central {
        horner::<I, 8>(t, &CENTRE[1])
    } else {
        horner::<I, 8>(r, &MIDDLE[1])
    };
    let a = numerator / denominator;
    if central { q * a } else { a.copysign(q) }
}

/// Whether p is within 1.5e-11 of 0 or 1: e⁻²⁵ is 1.39e-11.
#[inline(always)]
pub fn is_norm_far(p: f64) -> bool {
    p < 1.5e-11 || 1.0 - p < 1.5e-11
}

/// Φ⁻¹(p): the rational approximations of M. J. Wichura (Applied Statistics 37 (1988) 477, algorithm AS 241), in the tails with a Newton step on
/// Φ(x)/φ(x) = p/φ(x). Error ≤ 5 ulp. −inf at 0, inf at 1, NaN outside \[0, 1\].
#[inline(always)]
pub fn norm_quantile<I: Isa>(p: f64) -> f64 {
    let q = p - 0.5;
    let centre = q * ratio::<I>(0.180625 - q * q, &CENTRE);
    // Exact for p ≥ ½.
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-ln::<I>(tail)).sqrt();
    let a = if r > 5.0 {
        ratio::<I>(r - 5.0, &FAR)
    } else {
        ratio::<I>(r - 1.6, &MIDDLE)
    };
    // a ← a + (Φ(−a) − p)/φ(a).
    let bounded = clamp(a, 0.0, 38.6);
    let (h, l) = two_prod::<I>(bounded, bounded);
    let (m, m_low) = mills::<I>(bounded);
    // p e^(a²/2): p may be subnormal, the exponential too large: the one is scaled by 2⁶⁰⁰ (exactly), the other by 2⁻⁶⁰⁰ (600 ln 2 = 415.888…).
    let scaled = tail * 4.149515568880993e180;
    let (e, e_low) = two_sum(0.5 * h, -415.88830833596717);
    let inverse_density =
        exp_times::<I>(e, e_low + (0.5 * l - 1.8355172981578424e-14), scaled, 0.0);
    let step = 1.2533141373155003 * (m + m_low) - 2.5066282746310007 * inverse_density;
    let far = (a + step).copysign(q);
    let y = if q.abs() <= 0.425 { centre } else { far };
    let y = if tail == 0.0 {
        f64::INFINITY.copysign(q)
    } else {
        y
    };
    if (0.0..=1.0).contains(&p) {
        y
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::{is_norm_far, norm_quantile, norm_quantile_16, norm_quantile_16_near};
    use crate::isa::Portable;

    #[test]
    fn the_cheap_quantile_is_as_accurate_as_it_says() {
        let tiny = 2f64.powi(-54);
        let grid = (1..20_000).map(|i| f64::from(i) / 20_000.0);
        let tails = (1..400).map(|i| 0.8f64.powi(i)).filter(|p| *p >= tiny);
        let mut points: Vec<f64> = grid.chain(tails).collect();
        points.extend([tiny, 0.075, 0.925, 1.0 - 2.0 * tiny]);
        for p in points {
            let (exact, ours) = (
                norm_quantile::<Portable>(p),
                norm_quantile_16::<Portable>(p),
            );
            assert!(
                (ours - exact).abs() <= 2e-15 * exact.abs(),
                "{p}: {ours} for {exact}"
            );
            if !is_norm_far(p) {
                assert_eq!(norm_quantile_16_near::<Portable>(p), ours, "{p}");
            }
        }
    }
}
