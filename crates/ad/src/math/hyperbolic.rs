//! Hyperbolic functions and their inverses.
use super::dd::{quick_two_sum, two_prod, two_sum};
use super::exp::{LN2_HI, LN2_LO, ROUND, clamp, two_factors};
use super::ln::ln_sum;
use super::poly::even_odd;
use crate::isa::Isa;

/// Minimax, degree 4, weighted error 0.0042 × 2⁻⁵³ (`scripts/minimax.py sinh_p`).
const SINH_P: [f64; 5] = [
    0.16666666666666677,
    0.008333333333321553,
    0.0001984126988634041,
    2.7557243978378164e-06,
    2.5109122324836198e-08,
];

/// Minimax, degree 4, weighted error 2.4e-05 × 2⁻⁵³ (`scripts/minimax.py cosh_p`).
const COSH_P: [f64; 5] = [
    0.041666666666666685,
    0.0013888888888873374,
    2.4801587348993367e-05,
    2.755725201796227e-07,
    2.0921703385351025e-09,
];

/// a = k ln 2 + r: sinh a = 2ᵏ⁻¹ (sk cosh r + ck sinh r) with ck, sk = 1 ± 4⁻ᵏ, and cosh a with ck and sk exchanged.
struct Octave {
    sk: f64,
    ck: f64,
    /// What rounding took from sk and ck: where tanh approaches 1.
    sk_low: f64,
    ck_low: f64,
    /// r and its rounding error.
    r: f64,
    r_low: f64,
    /// sinh r − r.
    s: f64,
    /// cosh r − 1.
    c: f64,
    /// 2ᵏ⁻¹ = a b.
    a: f64,
    b: f64,
}

/// For 0 ≤ x ≤ 712.
#[inline(always)]
fn octave<I: Isa>(x: f64) -> Octave {
    let shifted = I::fma(x, std::f64::consts::LOG2_E, ROUND + 2045.0);
    let k = shifted - (ROUND + 2045.0);
    let t = I::fma(-k, LN2_HI, x);
    let low = k * LN2_LO;
    let r = t - low;
    let r_low = (t - r) - low;
    // 4⁻ᵏ, which from k = 40 on doesn't matter.
    let capped = if k > 40.0 { 40.0 } else { k };
    let quarter = f64::from_bits((ROUND + (1023.0 - 2.0 * capped)).to_bits() << 52);
    let z = r * r;
    let s = r * z * even_odd::<I, 5>(z, &SINH_P);
    let c = I::fma(z * z, even_odd::<I, 5>(z, &COSH_P), 0.5 * z);
    let (a, b) = two_factors(shifted.to_bits());
    let (sk, sk_low) = quick_two_sum(1.0, -quarter);
    let (ck, ck_low) = quick_two_sum(1.0, quarter);
    Octave {
        sk,
        ck,
        sk_low,
        ck_low,
        r,
        r_low,
        s,
        c,
        a,
        b,
    }
}

impl Octave {
    /// sk cosh r + ck sinh r as a pair. (For k = 0 the first term is zero and ck = 2, so it is 2 sinh r.)
    #[inline(always)]
    fn sinh<I: Isa>(&self) -> (f64, f64) {
        let (p, p_low) = two_prod::<I>(self.ck, self.r);
        let (h, l) = two_sum(self.sk, p);
        (
            h,
            I::fma(self.sk, self.c, self.ck * (self.s + self.r_low)) + (l + (p_low + self.sk_low)),
        )
    }

    /// ck cosh r + sk sinh r as a pair.
    #[inline(always)]
    fn cosh<I: Isa>(&self) -> (f64, f64) {
        let (p, p_low) = two_prod::<I>(self.sk, self.r);
        let (h, l) = quick_two_sum(self.ck, p);
        (
            h,
            I::fma(self.ck, self.c, self.sk * (self.s + self.r_low)) + (l + (p_low + self.ck_low)),
        )
    }
}

/// sinh x. Error ≤ 1 ulp.
#[inline(always)]
pub fn sinh<I: Isa>(x: f64) -> f64 {
    let o = octave::<I>(clamp(x.abs(), 0.0, 712.0));
    let (h, l) = o.sinh::<I>();
    let y = ((h + l) * o.a * o.b).copysign(x);
    if x.abs() < 1e-9 { x } else { y }
}

/// cosh x. Error ≤ 1 ulp.
#[inline(always)]
pub fn cosh<I: Isa>(x: f64) -> f64 {
    let o = octave::<I>(clamp(x.abs(), 0.0, 712.0));
    let (h, l) = o.cosh::<I>();
    (h + l) * o.a * o.b
}

/// tanh x = sinh x / cosh x. Error ≤ 1 ulp.
#[inline(always)]
pub fn tanh<I: Isa>(x: f64) -> f64 {
    // From 20 on the result is 1.
    let o = octave::<I>(clamp(x.abs(), 0.0, 40.0));
    let (s, s_low) = o.sinh::<I>();
    let (c, c_low) = o.cosh::<I>();
    // The quotient of the pairs.
    let inverse = 1.0 / (c + c_low);
    let q = (s + s_low) * inverse;
    let (p, p_low) = two_prod::<I>(q, c);
    let residual = ((s - p) - p_low) + (s_low - q * c_low);
    let y = I::fma(residual, inverse, q).copysign(x);
    if x.abs() < 1e-9 { x } else { y }
}

/// ln(1 + h + l), |l| ≤ |h|.
#[inline(always)]
fn ln_1p_pair<I: Isa>(h: f64, l: f64) -> f64 {
    let (u, e) = two_sum(1.0, h);
    let (u, e) = quick_two_sum(u, e + l);
    ln_sum::<I>(u, e)
}

/// The same, or for large x ln(2x).
#[inline(always)]
fn ln_1p_or_double<I: Isa>(h: f64, l: f64, large: bool, x: f64) -> f64 {
    let (u, e) = two_sum(1.0, h);
    let (u, e) = quick_two_sum(u, e + l);
    let y = ln_sum::<I>(if large { x } else { u }, if large { 0.0 } else { e });
    y + if large { std::f64::consts::LN_2 } else { 0.0 }
}

/// asinh x = ±ln(1 + a + a²/(1 + √(1 + a²))), a = |x|. Error ≤ 2 ulp.
#[inline(always)]
pub fn asinh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    // Beyond this √(1 + a²) = a, and asinh a = ln a + ln 2.
    let large = a > 1e9;
    let m = if large { 1.0 } else { a };
    let z = m * m;
    let (h, l) = quick_two_sum(m, z / (1.0 + (1.0 + z).sqrt()));
    let y = ln_1p_or_double::<I>(h, l, large, a);
    let y = y.copysign(x);
    if a < 1e-9 { x } else { y }
}

/// acosh x = ln(1 + t + √(2t + t²)), t = x − 1. Error ≤ 2 ulp; NaN for x < 1.
#[inline(always)]
pub fn acosh<I: Isa>(x: f64) -> f64 {
    let large = x > 1e9;
    let t = x - 1.0;
    let m = if large { 1.0 } else { t };
    let (z, z_low) = two_prod::<I>(m, m);
    let (w, w_low) = two_sum(2.0 * m, z);
    let root = w.sqrt();
    let (p, p_low) = two_prod::<I>(root, root);
    let residual =
        (((w - p) - p_low) + (w_low + z_low)) * (0.5 / if root > 0.0 { root } else { 1.0 });
    let (h, l) = two_sum(root, m);
    let y = ln_1p_or_double::<I>(h, l + residual, large, x);
    if x >= 1.0 { y } else { f64::NAN }
}

/// atanh x = ½ ln(1 + 2x/(1 − x)). Error ≤ 2 ulp; ±inf at ±1, NaN beyond.
#[inline(always)]
pub fn atanh<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let m = if a < 1.0 { a } else { 0.5 };
    let (d, d_low) = quick_two_sum(1.0, -m);
    let q = 2.0 * m / d;
    let (p, p_low) = two_prod::<I>(q, d);
    let (h, l) = quick_two_sum(q, (((2.0 * m - p) - p_low) - q * d_low) / d);
    let y = 0.5 * ln_1p_pair::<I>(h, l);
    let y = if a < 1.0 { y } else { f64::NAN };
    let y = if a == 1.0 { f64::INFINITY } else { y };
    let y = y.copysign(x);
    if a < 1e-9 { x } else { y }
}
