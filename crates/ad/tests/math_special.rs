//! Special points of `pullback_ad::math`: zeros with their signs, infinities, NaN, subnormals, thresholds, arguments outside the domain;
//! and arguments of all bit patterns, which must finish, on each instruction set of this machine.
use pullback_ad::isa::Level;
use pullback_ad::math::{scalar, slice};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const TINY: f64 = 5e-324;
const MIN: f64 = f64::MIN_POSITIVE;
const MAX: f64 = f64::MAX;
const PI_2: f64 = std::f64::consts::FRAC_PI_2;
const PI: f64 = std::f64::consts::PI;

type Unary = fn(&mut [f64], &[f64]);
type Binary = fn(&mut [f64], &[f64], &[f64]);
type One = (
    &'static str,
    fn(Level) -> Unary,
    fn(f64) -> f64,
    &'static [(f64, f64)],
);
type Two = (
    &'static str,
    fn(Level) -> Binary,
    fn(f64, f64) -> f64,
    &'static [(f64, f64, f64)],
);

/// Odd functions that are the identity near zero share these.
macro_rules! odd {
    ($($more:expr),* $(,)?) => {
        &[(0.0, 0.0), (-0.0, -0.0), (NAN, NAN), (TINY, TINY), (-TINY, -TINY), (MIN, MIN), (-MIN, -MIN), (1e-300, 1e-300), $($more),*]
    };
}

#[rustfmt::skip]
const UNARY: &[One] = &[
    ("exp", slice::exp_at, scalar::exp, &[
        (0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (TINY, 1.0), (1.0, std::f64::consts::E), (MAX, INF), (-MAX, 0.0),
        // The thresholds: ln MAX, ln of half the smallest subnormal.
        (709.782712893384, 1.7976931348622732e308), (709.7827128933841, INF), (-745.1332191019411, TINY), (-745.1332191019412, 0.0)]),
    ("expm1", slice::expm1_at, scalar::expm1, odd![(INF, INF), (-INF, -1.0), (-MAX, -1.0), (MAX, INF), (709.782712893384, 1.7976931348622732e308), (709.7827128933841, INF), (-37.5, -1.0)]),
    ("ln", slice::ln_at, scalar::ln, &[
        (0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1.0, NAN), (-TINY, NAN), (NAN, NAN), (1.0, 0.0), (TINY, -744.4400719213812),
        (MIN, -708.3964185322641), (MAX, 709.782712893384), (std::f64::consts::E, 1.0)]),
    ("ln_1p", slice::ln_1p_at, scalar::ln_1p, odd![(INF, INF), (-INF, NAN), (-1.0, -INF), (-1.0000000000000002, NAN), (MAX, 709.782712893384)]),
    ("log2", slice::log2_at, scalar::log2, &[(0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, NAN), (-INF, NAN), (NAN, NAN), (1.0, 0.0), (1024.0, 10.0), (TINY, -1074.0), (MIN, -1022.0), (0.5, -1.0)]),
    ("log10", slice::log10_at, scalar::log10, &[(0.0, -INF), (INF, INF), (-1.0, NAN), (NAN, NAN), (1.0, 0.0), (1000.0, 3.0), (1e22, 22.0), (TINY, -323.3062153431158)]),
    ("sin", slice::sin_at, scalar::sin, odd![(INF, NAN), (-INF, NAN), (PI, 1.2246467991473532e-16), (1e22, -0.8522008497671888), (PI_2, 1.0)]),
    ("cos", slice::cos_at, scalar::cos, &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (TINY, 1.0), (PI_2, 6.123233995736766e-17), (1e22, 0.5232147853951389), (PI, -1.0)]),
    ("tan", slice::tan_at, scalar::tan, odd![(INF, NAN), (-INF, NAN), (PI_2, 1.633123935319537e16), (1e22, -1.6287782256068988)]),
    ("asin", slice::asin_at, scalar::asin, odd![(1.0, PI_2), (-1.0, -PI_2), (1.0000000000000002, NAN), (-1.1, NAN), (INF, NAN), (-INF, NAN)]),
    ("acos", slice::acos_at, scalar::acos, &[(1.0, 0.0), (-1.0, PI), (0.0, PI_2), (-0.0, PI_2), (1.0000000000000002, NAN), (-2.0, NAN), (INF, NAN), (-INF, NAN), (NAN, NAN), (TINY, PI_2)]),
    ("atan", slice::atan_at, scalar::atan, odd![(INF, PI_2), (-INF, -PI_2), (MAX, PI_2), (1.0, PI_2 / 2.0), (-1.0, -PI_2 / 2.0)]),
    ("sinh", slice::sinh_at, scalar::sinh, odd![(INF, INF), (-INF, -INF), (710.4758600739439, 1.7976931348621744e308), (710.475860073944, INF), (-800.0, -INF)]),
    ("cosh", slice::cosh_at, scalar::cosh, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (NAN, NAN), (TINY, 1.0), (710.4758600739439, 1.7976931348621744e308), (-711.0, INF)]),
    ("tanh", slice::tanh_at, scalar::tanh, odd![(INF, 1.0), (-INF, -1.0), (MAX, 1.0), (20.0, 1.0), (-30.0, -1.0)]),
    ("asinh", slice::asinh_at, scalar::asinh, odd![(INF, INF), (-INF, -INF), (MAX, 710.4758600739439)]),
    ("acosh", slice::acosh_at, scalar::acosh, &[(1.0, 0.0), (0.9999999999999999, NAN), (0.0, NAN), (-1.0, NAN), (-3.0, NAN), (INF, INF), (-INF, NAN), (NAN, NAN), (MAX, 710.4758600739439)]),
    ("atanh", slice::atanh_at, scalar::atanh, odd![(1.0, INF), (-1.0, -INF), (1.0000000000000002, NAN), (-2.0, NAN), (INF, NAN), (-INF, NAN)]),
    ("cbrt", slice::cbrt_at, scalar::cbrt, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (27.0, 3.0), (-8.0, -2.0), (TINY, 1.7031839360032603e-108), (MAX, 5.643803094122362e102)]),
    ("sigmoid", slice::sigmoid_at, scalar::sigmoid, &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN), (MAX, 1.0), (-MAX, 0.0), (-745.0, TINY), (40.0, 1.0)]),
    ("softplus", slice::softplus_at, scalar::softplus, &[(0.0, std::f64::consts::LN_2), (INF, INF), (-INF, 0.0), (NAN, NAN), (MAX, MAX), (-MAX, 0.0), (-745.0, TINY), (800.0, 800.0)]),
    ("log1mexp", slice::log1mexp_at, scalar::log1mexp, &[(0.0, -INF), (-0.0, -INF), (-INF, -0.0), (1.0, NAN), (INF, NAN), (NAN, NAN), (-TINY, -744.4400719213812), (-1000.0, -0.0)]),
    ("erf", slice::erf_at, scalar::erf, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN), (TINY, TINY), (MAX, 1.0), (-6.0, -1.0), (1e-300, 1.1283791670955126e-300)]),
    ("erfc", slice::erfc_at, scalar::erfc, &[(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (NAN, NAN), (TINY, 1.0), (MAX, 0.0), (28.0, 0.0), (27.226, TINY), (-7.0, 2.0)]),
    ("erfcx", slice::erfcx_at, scalar::erfcx, &[(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, INF), (NAN, NAN), (-27.0, INF), (-MAX, INF), (1e300, 5.641895835477563e-301), (MAX, 3.138408733985445e-309)]),
    ("norm_cdf", slice::norm_cdf_at, scalar::norm_cdf, &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN), (MAX, 1.0), (-MAX, 0.0), (-38.48, TINY), (-39.0, 0.0), (9.0, 1.0)]),
    ("log_norm_cdf", slice::log_norm_cdf_at, scalar::log_norm_cdf, &[(0.0, -std::f64::consts::LN_2), (INF, 0.0), (-INF, -INF), (NAN, NAN), (MAX, 0.0), (-MAX, -INF), (-1e200, -INF), (-1e10, -5e19), (-1e150, -5e299), (39.0, 0.0)]),
    ("norm_quantile", slice::norm_quantile_at, scalar::norm_quantile, &[(0.0, -INF), (-0.0, -INF), (1.0, INF), (0.5, 0.0), (-TINY, NAN), (1.0000000000000002, NAN), (INF, NAN), (-INF, NAN), (NAN, NAN), (TINY, -38.467405617144346), (0.9999999999999999, 8.209536151601387)]),
    ("lgamma", slice::lgamma_at, scalar::lgamma, &[(1.0, 0.0), (2.0, 0.0), (0.0, INF), (-0.0, INF), (-1.0, INF), (-2.0, INF), (INF, INF), (NAN, NAN), (0.5, 0.5723649429247001), (-0.5, 1.2655121234846454), (TINY, 744.4400719213812)]),
    ("digamma", slice::digamma_at, scalar::digamma, &[(0.0, -INF), (-0.0, INF), (-1.0, NAN), (-1e300, NAN), (INF, INF), (-INF, NAN), (NAN, NAN), (1.0, -0.5772156649015329), (TINY, -INF), (-TINY, INF)]),
    ("trigamma", slice::trigamma_at, scalar::trigamma, &[(0.0, INF), (-0.0, INF), (-1.0, INF), (-1e300, INF), (INF, 0.0), (-INF, NAN), (NAN, NAN), (1.0, 1.6449340668482264), (TINY, INF)]),
];

#[rustfmt::skip]
const BINARY: &[Two] = &[
    ("pow", slice::pow_at, scalar::pow, &[
        (NAN, 0.0, 1.0), (1.0, NAN, 1.0), (0.0, 0.0, 1.0), (INF, 0.0, 1.0), (NAN, 1.0, NAN), (2.0, NAN, NAN), (-1.0, INF, 1.0), (-1.0, -INF, 1.0), (1.0, INF, 1.0),
        (0.0, 2.0, 0.0), (-0.0, 3.0, -0.0), (-0.0, 2.0, 0.0), (0.0, -1.0, INF), (-0.0, -1.0, -INF), (0.5, INF, 0.0), (0.5, -INF, INF), (2.0, INF, INF), (2.0, -INF, 0.0),
        (INF, -1.0, 0.0), (INF, 2.0, INF), (-INF, 3.0, -INF), (-INF, 2.0, INF), (-INF, -3.0, -0.0), (-2.0, 3.0, -8.0), (-2.0, 2.0, 4.0), (-2.0, -1.0, -0.5), (-2.0, 0.5, NAN),
        (2.0, 1024.0, INF), (2.0, 1023.0, 8.98846567431158e307), (2.0, -1074.0, TINY), (2.0, -1076.0, 0.0), (-2.0, 1025.0, -INF), (-2.0, 9007199254740992.0, INF),
        (-1.0, 9007199254740991.0, -1.0), (-1.0, 4503599627370497.0, -1.0), (-1.0, 1e300, 1.0), (1.0, MAX, 1.0), (1.0000000000000002, MAX, INF), (0.9999999999999999, MAX, 0.0),
        (TINY, 1.0, TINY), (TINY, -1.0, INF), (MAX, 1.0, MAX), (10.0, 2.0, 100.0), (7.0, 0.0, 1.0), (2.0, TINY, 1.0)]),
    ("hypot", slice::hypot_at, scalar::hypot, &[
        (3.0, 4.0, 5.0), (0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (INF, NAN, INF), (NAN, -INF, INF), (NAN, 1.0, NAN), (1.0, NAN, NAN), (TINY, 0.0, TINY), (0.0, -MAX, MAX), (MAX, MAX, INF),
        (3e300, 4e300, 5e300), (3e-320, 4e-320, 5e-320), (1.0, TINY, 1.0)]),
    ("atan2", slice::atan2_at, scalar::atan2, &[
        (0.0, 1.0, 0.0), (-0.0, 1.0, -0.0), (0.0, -1.0, PI), (-0.0, -1.0, -PI), (0.0, 0.0, 0.0), (-0.0, 0.0, -0.0), (0.0, -0.0, PI), (-0.0, -0.0, -PI), (1.0, 0.0, PI_2), (-1.0, 0.0, -PI_2),
        (1.0, -0.0, PI_2), (INF, INF, PI_2 / 2.0), (INF, -INF, 2.356194490192345), (-INF, INF, -PI_2 / 2.0), (-INF, -INF, -2.356194490192345), (INF, 1.0, PI_2), (-INF, -1.0, -PI_2),
        (1.0, INF, 0.0), (-1.0, INF, -0.0), (1.0, -INF, PI), (-1.0, -INF, -PI), (NAN, 1.0, NAN), (1.0, NAN, NAN), (TINY, TINY, PI_2 / 2.0), (MAX, MAX, PI_2 / 2.0), (TINY, MAX, 0.0), (MAX, TINY, PI_2),
        (TINY, -1.0, PI), (TINY, 1.0, TINY)]),
    ("logaddexp", slice::logaddexp_at, scalar::logaddexp, &[
        (0.0, 0.0, std::f64::consts::LN_2), (INF, INF, INF), (-INF, -INF, -INF), (INF, -INF, INF), (-INF, INF, INF), (-INF, 1.5, 1.5), (2.5, -INF, 2.5), (NAN, 1.0, NAN), (1.0, NAN, NAN), (NAN, -INF, NAN),
        (MAX, MAX, MAX), (1000.0, 0.0, 1000.0)]),
    ("xlogy", slice::xlogy_at, scalar::xlogy, &[
        (0.0, 0.0, 0.0), (0.0, INF, 0.0), (0.0, -1.0, 0.0), (-0.0, 0.0, 0.0), (0.0, NAN, NAN), (1.0, 0.0, -INF), (2.0, 1.0, 0.0), (1.0, -1.0, NAN), (NAN, 1.0, NAN), (INF, 2.0, INF)]),
];

/// The same value (a NaN is a NaN) and sign of zero, or a neighbour of a result that is not exact.
fn same(got: f64, want: f64) -> bool {
    if want.is_nan() || want.is_infinite() {
        return got.is_nan() == want.is_nan() && (want.is_nan() || got == want);
    }
    if want == 0.0 {
        return got == 0.0 && got.is_sign_negative() == want.is_sign_negative();
    }
    got.to_bits().abs_diff(want.to_bits()) <= 1
}

#[test]
fn special_points() {
    let mut failures = Vec::new();
    for level in Level::available() {
        for (name, at, one, points) in UNARY {
            let x: Vec<f64> = points.iter().map(|p| p.0).collect();
            let mut got = vec![0.0; x.len()];
            at(level)(&mut got, &x);
            for ((x, want), got) in points.iter().zip(&got) {
                for got in [*got, one(*x)] {
                    if !same(got, *want) {
                        failures.push(format!(
                            "{} {name}({x:e}) = {got:e}, not {want:e}",
                            level.name()
                        ));
                    }
                }
            }
        }
        for (name, at, one, points) in BINARY {
            let x: Vec<f64> = points.iter().map(|p| p.0).collect();
            let y: Vec<f64> = points.iter().map(|p| p.1).collect();
            let mut got = vec![0.0; x.len()];
            at(level)(&mut got, &x, &y);
            for ((x, y, want), got) in points.iter().zip(&got) {
                for got in [*got, one(*x, *y)] {
                    if !same(got, *want) {
                        failures.push(format!(
                            "{} {name}({x:e}, {y:e}) = {got:e}, not {want:e}",
                            level.name()
                        ));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Splitmix64: all bit patterns, NaN and subnormals among them.
fn patterns(n: usize, mut state: u64) -> Vec<f64> {
    (0..n)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            f64::from_bits(z ^ (z >> 31))
        })
        .collect()
}

#[test]
fn any_bit_pattern_gives_what_the_portable_instance_gives() {
    let (x, y) = (patterns(4099, 1), patterns(4099, 2));
    for level in Level::available() {
        for (name, at, one, _) in UNARY {
            let mut got = vec![0.0; x.len()];
            at(level)(&mut got, &x);
            for (x, got) in x.iter().zip(&got) {
                let want = one(*x);
                let near = want.is_nan() && got.is_nan()
                    || want == *got
                    || (got / want - 1.0).abs() < 2e-15
                    || (got - want).abs() < 1e-322;
                assert!(near, "{} {name}({x:e}): {got:e} and {want:e}", level.name());
                assert!(!x.is_nan() || got.is_nan(), "{name} of NaN");
            }
        }
        for (name, at, one, _) in BINARY {
            let mut got = vec![0.0; x.len()];
            at(level)(&mut got, &x, &y);
            for ((x, y), got) in x.iter().zip(&y).zip(&got) {
                let want = one(*x, *y);
                let near = want.is_nan() && got.is_nan()
                    || want == *got
                    || (got / want - 1.0).abs() < 2e-15
                    || (got - want).abs() < 1e-322;
                assert!(
                    near,
                    "{} {name}({x:e}, {y:e}): {got:e} and {want:e}",
                    level.name()
                );
            }
        }
    }
}

#[test]
fn every_length_is_covered() {
    for n in 0..100 {
        let x: Vec<f64> = (0..n).map(|i| 0.1 * f64::from(i)).collect();
        let mut y = vec![0.0; x.len()];
        slice::exp(&mut y, &x);
        for (x, y) in x.iter().zip(&y) {
            assert!((y / x.exp() - 1.0).abs() < 4e-16);
        }
    }
}
