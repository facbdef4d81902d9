//! The error function and its complements.
//!
//! For a ≥ 0, erfcx a = e^(a²) erfc a = P(q)/(1 + 2a) with q = (a − 3)/(a + 3) and one polynomial for the whole half-line
//! (M. M. Shepherd and J. G. Laframboise, Math. Comp. 36 (1981) 249), so there are no regions to branch between; e^(−a²) is taken with a² as an exact pair.
use super::dd::{quick_two_sum, two_prod, two_sum};
use super::exp::{clamp, exp_parts};
use super::poly::even_odd;
use crate::isa::Isa;

/// Minimax, degree 10, weighted error 0.23 × 2⁻⁵³ (`scripts/minimax.py erf_p`).
const ERF_P: [f64; 11] = [
    0.12837916709551256,
    -0.37612638903182743,
    0.11283791670870832,
    -0.02686617061773084,
    0.0052239771724704115,
    -0.0008548283963408338,
    0.00012052838580591214,
    -1.4836131946712298e-05,
    1.4518345758718251e-06,
    7.053081215636926e-08,
    -1.0603447677326166e-07,
];

/// Minimax, degree 24, weighted error 0.22 × 2⁻⁵³ (`scripts/minimax.py erfcx_p`).
const ERFCX_P: [f64; 25] = [
    1.2530080582697296,
    -0.1356211061245812,
    -0.04756229435344871,
    0.12964515870276253,
    -0.11927366341541079,
    0.06830802734392515,
    -0.023770514916692794,
    0.002529391816744567,
    0.0018886903401785537,
    -0.0007798322768686303,
    -0.00010515969106747351,
    0.00012509937264939554,
    4.949090126040698e-06,
    -2.0100623233125664e-05,
    -7.305670714370617e-07,
    3.4725129992864463e-06,
    3.5533522414462144e-07,
    -6.167633724397355e-07,
    -1.4001930323285443e-07,
    1.0195235970488836e-07,
    4.0753180194051654e-08,
    -1.3360261885381476e-08,
    -8.096431852279721e-09,
    9.946329314809353e-10,
    8.187439974362928e-10,
];

/// Minimax, degree 4, weighted error 6.6e+13 × 2⁻⁵³ (`scripts/minimax.py erfcx_slope`).
const ERFCX_SLOPE: [f64; 5] = [
    -0.1351450149898922,
    -0.05743257246432741,
    0.3822335856039563,
    -0.6357482070396946,
    0.3596088392256221,
];

/// What rounding took from the first coefficient.
const ERFCX_P_LOW: f64 = 3.78465843360307e-17;
/// All coefficients but the first.
const ERFCX_REST: [f64; 24] = {
    let mut c = [0.0; 24];
    let mut i = 0;
    while i < 24 {
        c[i] = ERFCX_P[i + 1];
        i += 1;
    }
    c
};

/// erfcx a as a pair, for a ≥ 0.
#[inline(always)]
pub(crate) fn erfcx_pair<I: Isa>(a: f64) -> (f64, f64) {
    // From here on the asymptotic 1/(a √π) holds, and the products below could overflow.
    let large = a > 1e9;
    let m = if large { 1.0 } else { a };
    // q with its rounding error, of which near q = −1 the polynomial would make more than half an ulp; 1/(a + 3) = (1 − q)/6.
    let (n, n_low) = two_sum(m, -3.0);
    let (d, d_low) = two_sum(m, 3.0);
    let q = n / d;
    let (p, p_low) = two_prod::<I>(q, d);
    let q_low = (((n - p) - p_low) + (n_low - q * d_low)) * ((1.0 - q) * (1.0 / 6.0));
    let correction = I::fma(q_low, even_odd::<I, 5>(q, &ERFCX_SLOPE), ERFCX_P_LOW);
    let (g, g_low) = quick_two_sum(
        ERFCX_P[0],
        I::fma(q, even_odd::<I, 24>(q, &ERFCX_REST), correction),
    );
    let (d, d_low) = two_sum(1.0, 2.0 * m);
    let r = g / d;
    let (p, p_low) = two_prod::<I>(r, d);
    let residual = (((g - p) - p_low) + g_low) - r * d_low;
    // residual/d with 1/d = r/g and 1/g = 0.88 ± 0.12: it is a correction of half an ulp.
    let r_low = residual * (0.88 * r);
    let asymptotic = 0.5641895835477563 / a;
    (
        if large { asymptotic } else { r },
        if large { 0.0 } else { r_low },
    )
}

/// e^(h + l) × (r + `r_low`) as ((v, w), a, b): (v + w) a b.
#[inline(always)]
fn exp_times_pair<I: Isa>(h: f64, l: f64, r: f64, r_low: f64) -> (f64, f64, f64, f64) {
    let (e, e_low, a, b) = exp_parts::<I>(h, l);
    let (p, p_low) = two_prod::<I>(e, r);
    (p, p_low + I::fma(e_low, r, e * r_low), a, b)
}

/// e^(h + l) × (r + `r_low`), rounded once (but for subnormal results, twice).
#[inline(always)]
pub(crate) fn exp_times<I: Isa>(h: f64, l: f64, r: f64, r_low: f64) -> f64 {
    let (v, w, a, b) = exp_times_pair::<I>(h, l, r, r_low);
    (v + w) * a * b
}

/// erfc a for a ≥ 0, as for [`exp_times_pair`].
#[inline(always)]
fn erfc_parts<I: Isa>(a: f64) -> (f64, f64, f64, f64) {
    // Beyond this the result is 0.
    let a = if a > 27.3 { 27.3 } else { a };
    let (h, l) = two_prod::<I>(a, a);
    let (r, r_low) = erfcx_pair::<I>(a);
    exp_times_pair::<I>(-h, -l, r, r_low)
}

/// erf x. Error ≤ 1 ulp.
#[inline(always)]
pub fn erf<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let near = I::fma(x, even_odd::<I, 11>(x * x, &ERF_P), x);
    let (v, w, s, t) = erfc_parts::<I>(a);
    let scale = s * t;
    let (h, l) = quick_two_sum(1.0, -v * scale);
    let far = (h + (l - w * scale)).copysign(x);
    // (In this form a NaN takes the first way.)
    if a > 0.625 { far } else { near }
}

/// erfc x = 1 − erf x, with its relative accuracy down to the subnormals. Error ≤ 2 ulp.
#[inline(always)]
pub fn erfc<I: Isa>(x: f64) -> f64 {
    let (v, w, s, t) = erfc_parts::<I>(x.abs());
    let y = (v + w) * s * t;
    if x < 0.0 { 2.0 - y } else { y }
}

/// erfcx x = e^(x²) erfc x. Error ≤ 2 ulp. inf below −26.7.
#[inline(always)]
pub fn erfcx<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let (r, r_low) = erfcx_pair::<I>(a);
    let bounded = clamp(a, 0.0, 26.64);
    let (h, l) = two_prod::<I>(bounded, bounded);
    let (v, w, s, t) = exp_times_pair::<I>(h, l, 2.0, 0.0);
    let (left, left_low) = two_sum(v * s * t, -r);
    let left = left + (left_low + (w * s * t - r_low));
    let left = if a > 26.64 { f64::INFINITY } else { left };
    if x < 0.0 { left } else { r + r_low }
}
