//! The accuracy that `pullback_ad::math` documents, against the table of `scripts/math_reference.py`, on each instruction set of this machine.
use pullback_ad::isa::Level;
use pullback_ad::math::{scalar, slice};
use std::fmt::Write;

type Unary = fn(&mut [f64], &[f64]);
type Binary = fn(&mut [f64], &[f64], &[f64]);

enum Kernel {
    One(fn(Level) -> Unary, fn(f64) -> f64),
    Two(fn(Level) -> Binary, fn(f64, f64) -> f64),
}
use Kernel::{One, Two};

/// What an ulp is counted of.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// The result.
    Result,
    /// The largest of the result, 1 and the first argument: functions that cross zero by cancellation.
    Absolute,
    /// The same and π |cot πx|: digamma of a negative number.
    Reflected,
}
use Unit::{Absolute, Reflected, Result};

/// Name, kernel, the bound of the documentation (ulp), unit.
#[rustfmt::skip] // A row per line.
fn table() -> Vec<(&'static str, Kernel, f64, Unit)> {
    vec![
        ("exp", One(slice::exp_at, scalar::exp), 1.0, Result),
        ("expm1", One(slice::expm1_at, scalar::expm1), 1.0, Result),
        ("ln", One(slice::ln_at, scalar::ln), 1.0, Result),
        ("ln_1p", One(slice::ln_1p_at, scalar::ln_1p), 1.0, Result),
        ("log2", One(slice::log2_at, scalar::log2), 1.0, Result),
        ("log10", One(slice::log10_at, scalar::log10), 1.0, Result),
        ("sin", One(slice::sin_at, scalar::sin), 1.0, Result),
        ("cos", One(slice::cos_at, scalar::cos), 1.0, Result),
        ("tan", One(slice::tan_at, scalar::tan), 1.0, Result),
        ("asin", One(slice::asin_at, scalar::asin), 1.0, Result),
        ("acos", One(slice::acos_at, scalar::acos), 1.0, Result),
        ("atan", One(slice::atan_at, scalar::atan), 1.0, Result),
        ("sinh", One(slice::sinh_at, scalar::sinh), 1.0, Result),
        ("cosh", One(slice::cosh_at, scalar::cosh), 1.0, Result),
        ("tanh", One(slice::tanh_at, scalar::tanh), 1.0, Result),
        ("asinh", One(slice::asinh_at, scalar::asinh), 2.0, Result),
        ("acosh", One(slice::acosh_at, scalar::acosh), 2.0, Result),
        ("atanh", One(slice::atanh_at, scalar::atanh), 2.0, Result),
        ("cbrt", One(slice::cbrt_at, scalar::cbrt), 1.0, Result),
        ("sigmoid", One(slice::sigmoid_at, scalar::sigmoid), 2.5, Result),
        ("softplus", One(slice::softplus_at, scalar::softplus), 2.0, Result),
        ("log1mexp", One(slice::log1mexp_at, scalar::log1mexp), 2.0, Result),
        ("erf", One(slice::erf_at, scalar::erf), 1.0, Result),
        ("erfc", One(slice::erfc_at, scalar::erfc), 2.0, Result),
        ("erfcx", One(slice::erfcx_at, scalar::erfcx), 2.0, Result),
        ("norm_cdf", One(slice::norm_cdf_at, scalar::norm_cdf), 2.0, Result),
        ("log_norm_cdf", One(slice::log_norm_cdf_at, scalar::log_norm_cdf), 2.0, Result),
        ("norm_quantile", One(slice::norm_quantile_at, scalar::norm_quantile), 5.0, Result),
        ("lgamma", One(slice::lgamma_at, scalar::lgamma), 2.0, Result),
        ("lgamma:negative", One(slice::lgamma_at, scalar::lgamma), 3.0, Absolute),
        ("digamma", One(slice::digamma_at, scalar::digamma), 2.0, Result),
        ("digamma:negative", One(slice::digamma_at, scalar::digamma), 6.0, Reflected),
        ("trigamma", One(slice::trigamma_at, scalar::trigamma), 2.0, Result),
        ("trigamma:negative", One(slice::trigamma_at, scalar::trigamma), 6.0, Result),
        ("pow", Two(slice::pow_at, scalar::pow), 1.0, Result),
        ("hypot", Two(slice::hypot_at, scalar::hypot), 1.0, Result),
        ("atan2", Two(slice::atan2_at, scalar::atan2), 2.0, Result),
        ("logaddexp", Two(slice::logaddexp_at, scalar::logaddexp), 2.0, Absolute),
        ("xlogy", Two(slice::xlogy_at, scalar::xlogy), 2.0, Result),
    ]
}

struct Row {
    x: f64,
    y: f64,
    hi: f64,
    lo: f64,
}

fn rows(csv: &str, name: &str) -> Vec<Row> {
    let bits = |s: &str| f64::from_bits(u64::from_str_radix(s, 16).expect("bits"));
    csv.lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells[0] == name)
        .map(|c| Row {
            x: bits(c[1]),
            y: if c[2].is_empty() { 0.0 } else { bits(c[2]) },
            hi: bits(c[3]),
            lo: c[4].parse().expect("number"),
        })
        .collect()
}

/// The distance from |x| to the next larger double.
fn ulp(x: f64) -> f64 {
    let x = x.abs();
    if x >= f64::MAX {
        x - f64::from_bits(x.to_bits() - 1)
    } else {
        f64::from_bits(x.to_bits() + 1) - x
    }
}

fn error(row: &Row, got: f64, unit: Unit) -> f64 {
    let size = match unit {
        Result => row.hi,
        Absolute => row.hi.abs().max(1.0).max(row.x.abs()),
        Reflected => {
            let cot = std::f64::consts::PI / (std::f64::consts::PI * (row.x - row.x.round())).tan();
            row.hi.abs().max(1.0).max(cot.abs())
        }
    };
    // A power of two has a smaller neighbour below; errors are counted by the gap above it.
    (((got - row.hi) / ulp(row.hi) - row.lo) * (ulp(row.hi) / ulp(size))).abs()
}

#[test]
fn documented_bounds_hold_on_every_instruction_set() {
    let csv = match std::env::var("PULLBACK_MATH_TABLE") {
        Ok(path) => std::fs::read_to_string(path).expect("table"),
        Err(_) => include_str!("data/math.csv").to_owned(),
    };
    let mut failures = Vec::new();
    println!(
        "{:18} {:>6} largest error per instruction set, at",
        "function", "rows"
    );
    for (name, kernel, bound, unit) in table() {
        let rows = rows(&csv, name);
        assert!(rows.len() >= 100, "{name} is missing in the table");
        let xs: Vec<f64> = rows.iter().map(|r| r.x).collect();
        let ys: Vec<f64> = rows.iter().map(|r| r.y).collect();
        let mut line = format!("{name:18} {:6}", rows.len());
        for level in Level::available() {
            let mut got = vec![0.0; rows.len()];
            match kernel {
                One(at, _) => at(level)(&mut got, &xs),
                Two(at, _) => at(level)(&mut got, &xs, &ys),
            }
            let (worst, at) = rows
                .iter()
                .zip(&got)
                .map(|(r, g)| (error(r, *g, unit), r))
                .map(|(e, r)| (if e.is_nan() { f64::INFINITY } else { e }, r))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .expect("rows");
            let _ = write!(
                line,
                "  {} {worst:.3} ({:e}, {:e})",
                level.name(),
                at.x,
                at.y
            );
            if worst > bound {
                failures.push(format!(
                    "{name} on {}: {worst:.3} ulp at {:e}, {:e} = {:e}",
                    level.name(),
                    at.x,
                    at.y,
                    at.hi
                ));
            }
        }
        println!("{line}");
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn one_value_and_a_slice_agree() {
    let csv = include_str!("data/math.csv");
    for (name, kernel, bound, unit) in table() {
        for row in rows(csv, name) {
            let (one, many) = match kernel {
                One(at, f) => {
                    let mut out = [0.0];
                    at(Level::current())(&mut out, &[row.x]);
                    (f(row.x), out[0])
                }
                Two(at, f) => {
                    let mut out = [0.0];
                    at(Level::current())(&mut out, &[row.x], &[row.y]);
                    (f(row.x, row.y), out[0])
                }
            };
            let there = Row {
                hi: one,
                lo: 0.0,
                ..row
            };
            assert!(
                error(&there, many, unit) <= bound,
                "{name}({:e}, {:e}): {one:e} and {many:e}",
                row.x,
                row.y
            );
        }
    }
}
