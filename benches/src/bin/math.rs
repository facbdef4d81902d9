//! Nanoseconds per value of the vectorised functions, beside the standard library's in the same run: 10⁴ values in blocks that stay in the
//! first-level cache.
//!
//! `cargo run --release -p pullback-benches --bin math`

use std::hint::black_box;

use pullback_ad::isa::Level;
use pullback_ad::math::{scalar, slice};
use pullback_benches::{Row, measure, paired};

/// Values in all, and per call.
const VALUES: usize = 10_240;
const BLOCK: usize = 512;

type Kernel = fn(&mut [f64], &[f64]);

/// n values, equidistributed in (a, b).
fn values(a: f64, b: f64) -> Vec<f64> {
    (0..VALUES)
        .map(|i| a + (b - a) * ((i as f64 + 0.5) * 0.618_033_988_749_894_9).fract())
        .collect()
}

/// One pass over the values, block by block into the same place.
fn pass(x: &[f64], out: &mut [f64], mut kernel: impl FnMut(&mut [f64], &[f64])) {
    for block in x.chunks_exact(BLOCK) {
        kernel(out, black_box(block));
        black_box(&mut *out);
    }
}

/// A kernel that calls a function value by value.
fn one_by_one(f: impl Fn(f64) -> f64) -> impl Fn(&mut [f64], &[f64]) {
    move |out, x| {
        for (o, x) in out.iter_mut().zip(x) {
            *o = f(*x);
        }
    }
}

/// Ours beside the standard library's.
fn row(name: &str, x: &[f64], kernel: Kernel, std: impl Fn(f64) -> f64) -> Row {
    let (mut out, mut other) = (vec![0.0; BLOCK], vec![0.0; BLOCK]);
    let std = one_by_one(std);
    let pair = paired(|| pass(x, &mut out, kernel), || pass(x, &mut other, &std));
    let per_value = |seconds: f64| seconds / VALUES as f64;
    Row::time(
        format!("{name}, per value ({})", Level::current().name()),
        per_value(pair.ours.min),
    )
    .reference(per_value(pair.reference.min), "std")
}

/// Ours alone, where the standard library has no such function.
fn alone(name: &str, x: &[f64], kernel: impl FnMut(&mut [f64], &[f64])) -> Row {
    let mut out = vec![0.0; BLOCK];
    let mut kernel = kernel;
    let stats = measure(|| pass(x, &mut out, &mut kernel));
    Row::time(format!("{name}, per value"), stats.min / VALUES as f64)
}

fn main() {
    let around = values(-10.0, 10.0);
    let positive = values(0.0, 100.0);
    let unit = values(0.0, 1.0);
    row("exp", &around, slice::exp, f64::exp)
        .value_at_most(0.45e-9, 0.25e-9)
        .report();
    row("ln", &positive, slice::ln, f64::ln)
        .value_at_most(0.6e-9, 0.4e-9)
        .report();
    for level in Level::available() {
        let name = level.name();
        alone(&format!("exp ({name})"), &around, slice::exp_at(level)).report();
        alone(&format!("ln ({name})"), &positive, slice::ln_at(level)).report();
    }
    row("expm1", &around, slice::expm1, f64::exp_m1).report();
    row("ln_1p", &positive, slice::ln_1p, f64::ln_1p).report();
    row("sin", &around, slice::sin, f64::sin).report();
    row("tanh", &around, slice::tanh, f64::tanh).report();
    row("atan", &around, slice::atan, f64::atan).report();
    row("cbrt", &around, slice::cbrt, f64::cbrt).report();
    row(
        "pow(x, 2.7)",
        &positive,
        |out, x| slice::pow(out, x, &[2.7; BLOCK]),
        |x| x.powf(2.7),
    )
    .report();
    alone("sigmoid", &around, slice::sigmoid).report();
    alone("softplus", &around, slice::softplus).report();
    alone("erf", &around, slice::erf).report();
    alone("erfc", &around, slice::erfc).report();
    alone("norm_cdf", &around, slice::norm_cdf).report();
    alone("log_norm_cdf", &around, slice::log_norm_cdf).report();
    alone("norm_quantile", &unit, slice::norm_quantile).report();
    alone("lgamma", &positive, slice::lgamma).report();
    alone("digamma", &positive, slice::digamma).report();
    alone("trigamma", &positive, slice::trigamma).report();
    alone("exp, one value at a time", &around, one_by_one(scalar::exp)).report();
    alone("ln, one value at a time", &positive, one_by_one(scalar::ln)).report();
    alone("erf, one value at a time", &around, one_by_one(scalar::erf)).report();
}
