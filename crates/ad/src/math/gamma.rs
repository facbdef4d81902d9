//! The logarithm of the gamma function and its derivatives.
//!
//! These have branches and loops of bounded length; their slice kernels run value by value.
use super::dd::{quick_two_sum, two_prod, two_sum};
use super::ln::ln;
use super::poly::even_odd;
use super::trig::{cos, sin};
use crate::isa::{Isa, Portable};
use std::f64::consts::PI;

/// Minimax, degree 22, weighted error 0.13 × 2⁻⁵³ (`scripts/minimax.py digamma_p`).
const DIGAMMA_P: [f64; 23] = [
    0.9510558760318328,
    -0.4236274212814606,
    0.24054248424078778,
    -0.14840492305388006,
    0.09498872445276285,
    -0.06192213327556147,
    0.04076083394881895,
    -0.0269757966568783,
    0.01790724806178233,
    -0.011908220169500348,
    0.007927026573129305,
    -0.005279936421540906,
    0.0035180509213994177,
    -0.002345501598391925,
    0.001563785841748206,
    -0.001036422875714756,
    0.0006889259716094499,
    -0.0004860636971897192,
    0.00032992384902749423,
    -0.00014460467630135002,
    8.648389424525452e-05,
    -0.00017837280041327027,
    0.0001261280824789033,
];
/// What rounding took from the first coefficient, and the others.
const DIGAMMA_P_LOW: f64 = 4.248834334694246e-17;
const DIGAMMA_REST: [f64; 22] = {
    let mut c = [0.0; 22];
    let mut i = 0;
    while i < 22 {
        c[i] = DIGAMMA_P[i + 1];
        i += 1;
    }
    c
};
/// The positive zero of ψ, x0 = `ROOT` + `ROOT_LOW`.
const ROOT: f64 = 1.4616321449683622;
const ROOT_LOW: f64 = 9.549995429965697e-17;

/// B₂ₙ/(2n), n = 1, 2, …, 8 (Abramowitz and Stegun 6.3.18).
const DIGAMMA_SERIES: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
];
/// The Bernoulli numbers B₂, B₄, …, B₂₀.
const BERNOULLI: [f64; 10] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174611.0 / 330.0,
];
/// From here on the asymptotic series are used.
const FAR: f64 = 10.0;

/// ln |Γ(x)|. Error ≤ 2 ulp for x > 0; for negative x an absolute error of 3 ulp of max(|result|, 1) (its zeros there are not resolved).
/// inf at 0 and at the negative integers. Sun's algorithm (fdlibm `e_lgamma_r.c`), from the crate `libm`.
#[inline(always)]
pub fn lgamma<I: Isa>(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x) = d ln Γ(x)/dx. Error ≤ 2 ulp for x > 0, also near the zero at 1.4616; for negative x an absolute error of 6 ulp of max(|result|, 1, π |cot πx|).
/// ∓inf at ±0, NaN at the negative integers and at −inf.
#[inline(always)]
pub fn digamma<I: Isa>(x: f64) -> f64 {
    digamma_value(x)
}

/// ψ′(x). Error ≤ 2 ulp for x > 0, 6 for negative x. inf at 0 and at the negative integers, NaN at −inf.
#[inline(always)]
pub fn trigamma<I: Isa>(x: f64) -> f64 {
    trigamma_value(x)
}

/// 1/y as a pair.
fn reciprocal(y: f64) -> (f64, f64) {
    let r = 1.0 / y;
    let (p, p_low) = two_prod::<Portable>(r, y);
    (r, ((1.0 - p) - p_low) * r)
}

/// ψ on \[1, 2\], as a pair.
fn digamma_near(x: f64) -> (f64, f64) {
    let t = x - 1.5;
    let (g, g_low) = quick_two_sum(
        DIGAMMA_P[0],
        t * even_odd::<Portable, 22>(t, &DIGAMMA_REST) + DIGAMMA_P_LOW,
    );
    let (d, d_low) = quick_two_sum(x - ROOT, -ROOT_LOW);
    let (p, p_low) = two_prod::<Portable>(d, g);
    (p, p_low + (d * g_low + d_low * g))
}

#[inline(never)]
fn digamma_value(x: f64) -> f64 {
    if x >= FAR {
        let w = 1.0 / (x * x);
        return ln::<Portable>(x) - (0.5 / x + w * even_odd::<Portable, 8>(w, &DIGAMMA_SERIES));
    }
    if x > 2.0 {
        // ψ(x) = ψ(x − n) + Σ 1/(x − i).
        let (mut sum, mut low, mut y) = (0.0, 0.0, x);
        while y > 2.0 {
            y -= 1.0;
            let (r, r_low) = reciprocal(y);
            let (s, e) = two_sum(sum, r);
            sum = s;
            low += e + r_low;
        }
        let (near, near_low) = digamma_near(y);
        let (s, e) = two_sum(sum, near);
        return s + (e + (low + near_low));
    }
    if x >= 1.0 {
        let (near, near_low) = digamma_near(x);
        return near + near_low;
    }
    if x > 0.0 {
        // ψ(x) = ψ(x + 1) − 1/x.
        if x < 1e-300 {
            return -1.0 / x;
        }
        let (u, e) = quick_two_sum(1.0, x);
        let (r, r_low) = reciprocal(x);
        let (near, near_low) = digamma_near(u);
        let (s, s_low) = two_sum(-r, near);
        // ψ′ falls from 1.64 to 0.64 on [1, 2].
        return s + (near_low + (s_low - r_low) + e * (1.64 - x));
    }
    if x == 0.0 {
        return f64::NEG_INFINITY.copysign(-x);
    }
    // ψ(x) = ψ(1 − x) − π cot(πx), of the distance to the nearest integer.
    let t = PI * (x - x.round());
    if t == 0.0 || !x.is_finite() {
        return f64::NAN;
    }
    digamma_value(1.0 - x) - PI * (cos::<Portable>(t) / sin::<Portable>(t))
}

#[inline(never)]
fn trigamma_value(x: f64) -> f64 {
    if x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    if x <= 0.0 {
        // ψ′(x) = π²/sin²(πx) − ψ′(1 − x).
        let s = sin::<Portable>(PI * (x - x.round()));
        let q = PI / s;
        return q * q - trigamma_value(1.0 - x);
    }
    // ψ′(x) = ψ′(x + n) + Σ 1/(x + i)², the largest term last.
    let steps = if x < FAR { (FAR - x).ceil() } else { 0.0 };
    let y = x + steps;
    let w = 1.0 / (y * y);
    let series = even_odd::<Portable, 10>(w, &BERNOULLI);
    let (mut sum, mut low) = quick_two_sum(1.0 / y, w * (0.5 + series / y));
    let mut i = steps;
    while i > 0.0 {
        i -= 1.0;
        let (z, z_low) = two_sum(x, i);
        let (r, r_low) = reciprocal(z);
        let (q, q_low) = two_prod::<Portable>(r, r);
        let (s, e) = two_sum(sum, q);
        sum = s;
        // (z + δ)⁻² = r² − 2 r³ δ; below 10⁻¹⁰⁰ the corrections overflow, and don't matter.
        low += if z > 1e-100 {
            e + q_low + 2.0 * r * (r_low - q * z_low)
        } else {
            0.0
        };
    }
    sum + low
}
