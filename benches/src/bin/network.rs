//! A network 10 → 32 → 16 → 1 over events: value and gradients beside a loop by hand, and beside the same with a column for each neuron.
//!
//! `cargo run --release -p pullback-benches --bin network [profile]`

use std::error::Error;
use std::hint::black_box;

use pullback_ad::Real;
use pullback_ad::isa::Isa;
use pullback_ad::math::{hyperbolic, logistic};
use pullback_analysis::network::Network;
use pullback_analysis::{Analysis, Compiled, Input, Schema, schema};
use pullback_array::{Bindings, Builder, Column, DType, Lowered, Program, Sym, transform};
use pullback_benches::{Row, paired};

const EVENTS: usize = 1 << 14;
const SIZES: [usize; 4] = [10, 32, 16, 1];
/// Events that the loop by hand takes at once: its layers stay in the first-level cache.
const LANES: usize = 64;
/// Events of a register tile.
const TILE: usize = 16;

/// `out[j] = Σ x[i] w[i, j] + b[j]` of 64 events, neuron by neuron: a tile of two neurons and 16 events in registers.
#[inline(always)]
fn layer<I: Isa>(x: &[[f64; LANES]], w: &[f64], out: &mut [[f64; LANES]]) {
    let n = out.len();
    let (w, b) = w.split_at(x.len() * n);
    for j in (0..n).step_by(2) {
        let two = usize::from(j + 1 < n);
        for at in (0..LANES).step_by(TILE) {
            let mut sums = [[b[j]; TILE], [b[j + two]; TILE]];
            for (x, w) in x.iter().zip(w.chunks_exact(n)) {
                let x = &x[at..at + TILE];
                for (sums, w) in sums.iter_mut().zip([w[j], w[j + two]]) {
                    for (s, x) in sums.iter_mut().zip(x) {
                        *s = I::fma(w, *x, *s);
                    }
                }
            }
            out[j][at..at + TILE].copy_from_slice(&sums[0]);
            out[j + two][at..at + TILE].copy_from_slice(&sums[1]);
        }
    }
}

#[inline(always)]
fn tanh_all<I: Isa>(x: &mut [[f64; LANES]]) {
    for row in x {
        for x in row.iter_mut() {
            *x = hyperbolic::tanh::<I>(*x);
        }
    }
}

/// Σ w σ(network) by hand.
#[inline(always)]
fn by_hand_body<I: Isa>(
    columns: &[Vec<f64>],
    standard: &[f64],
    weights: &[f64],
    event_weights: &[f64],
) -> f64 {
    let (first, rest) = weights.split_at((SIZES[0] + 1) * SIZES[1]);
    let (second, third) = rest.split_at((SIZES[1] + 1) * SIZES[2]);
    let mut x = [[0.0; LANES]; SIZES[0]];
    let (mut h, mut g, mut y) = (
        [[0.0; LANES]; SIZES[1]],
        [[0.0; LANES]; SIZES[2]],
        [[0.0; LANES]; SIZES[3]],
    );
    let mut total = [0.0; LANES];
    for (c, w) in event_weights.chunks_exact(LANES).enumerate() {
        for (k, (x, column)) in x.iter_mut().zip(columns).enumerate() {
            let (mean, inverse) = (standard[k], standard[SIZES[0] + k]);
            for (x, v) in x.iter_mut().zip(&column[c * LANES..(c + 1) * LANES]) {
                *x = (v - mean) * inverse;
            }
        }
        layer::<I>(&x, first, &mut h);
        tanh_all::<I>(&mut h);
        layer::<I>(&h, second, &mut g);
        tanh_all::<I>(&mut g);
        layer::<I>(&g, third, &mut y);
        for ((t, y), w) in total.iter_mut().zip(&y[0]).zip(w) {
            *t += logistic::sigmoid::<I>(*y) * w;
        }
    }
    total.iter().sum()
}

pullback_ad::multiversion! {
    fn by_hand, by_hand_at(columns: &[Vec<f64>], standard: &[f64], weights: &[f64], event_weights: &[f64]) -> f64 = by_hand_body;
}

/// The sum over events of `nn` times a weight.
fn summed(b: &Builder, y: Sym<'_>, w: Sym<'_>) -> Result<Program, pullback_array::Error> {
    let sum = (y * w).sum_all();
    b.finish(&[("s", sum)])
}

/// As the analysis records it.
fn recorded(compiled: &Compiled) -> Result<Program, pullback_array::Error> {
    let b = Builder::resume(&compiled.program);
    let output = |k: usize| b.sym(compiled.program.outputs()[k].1);
    summed(&b, output(0), output(1))
}

/// With a column for each neuron: the other way to record it.
fn unrolled(compiled: &Compiled) -> Result<Program, pullback_array::Error> {
    let b = Builder::new();
    let events = b.stream("events");
    let mut columns = Vec::new();
    let (mut standard, mut weights, mut w) = (None, None, None);
    for input in &compiled.inputs {
        match input {
            Input::Parameter { name, start } => {
                let vector = b.input(name, b.dense_of(name, start.len()));
                let place = if name == "nn" {
                    &mut weights
                } else {
                    &mut standard
                };
                *place = Some(vector);
            }
            other => {
                let column = b.input(other.name(), events);
                if other.name() == "w" {
                    w = Some(column);
                } else {
                    columns.push(column);
                }
            }
        }
    }
    let number = |v: Option<Sym<'_>>, k: usize| v.unwrap_or(Sym::from(0.0)).element(k).value_id();
    let number = |v, k| number(v, k).map_or(Sym::from(0.0), |id| b.sym(id));
    let mut x: Vec<Sym<'_>> = (columns.iter().enumerate())
        .map(|(k, x)| (*x - number(standard, k)) * number(standard, SIZES[0] + k))
        .collect();
    let mut first = 0;
    for (l, pair) in SIZES.windows(2).enumerate() {
        let (rows, outputs) = (pair[0], pair[1]);
        x = (0..outputs)
            .map(|j| {
                let bias = b.broadcast(number(weights, first + rows * outputs + j), events);
                let sum = x.iter().enumerate().fold(bias, |s, (i, x)| {
                    s + *x * number(weights, first + i * outputs + j)
                });
                if l + 2 == SIZES.len() {
                    sum.sigmoid()
                } else {
                    sum.tanh()
                }
            })
            .collect();
        first += (rows + 1) * outputs;
    }
    summed(&b, x[0], w.unwrap_or(Sym::from(1.0)))
}

struct Sample {
    columns: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

fn sample() -> Sample {
    let value = |i: usize, k: usize| ((i * 7919 + k * 104_729) % 10_007) as f64 / 10_007.0 - 0.5;
    Sample {
        columns: (0..SIZES[0])
            .map(|k| (0..EVENTS).map(|i| 4.0 * value(i, k)).collect())
            .collect(),
        weights: (0..EVENTS).map(|i| 1.0 + value(i, 99)).collect(),
    }
}

/// Columns in the order of the inputs.
fn bound<'a>(compiled: &'a Compiled, sample: &'a Sample) -> Vec<Column<'a>> {
    let inputs = compiled.inputs.iter();
    inputs
        .map(|input| {
            Column::F64(match input {
                Input::Parameter { start, .. } => start,
                other => match other.name().strip_prefix('x').and_then(|k| k.parse().ok()) {
                    Some(k) => {
                        let k: usize = k;
                        &sample.columns[k]
                    }
                    None => &sample.weights,
                },
            })
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let names: Vec<String> = (0..SIZES[0]).map(|k| format!("x{k}")).collect();
    let columns = names.iter().map(String::as_str).chain(["w"]);
    let schema = Schema::new(columns.map(|n| schema::Column::new(n, DType::F64, false)));
    let network = Network::new(names.iter().map(String::as_str), &SIZES[1..3]).seed(1);
    let model = Analysis::new()
        .network("nn", network)
        .column("event_weight", "w")
        .check(&schema)?;
    let compiled = model.compile(&["nn", "event_weight"])?;
    let sample = sample();
    let columns = bound(&compiled, &sample);
    let net = model.network("nn").ok_or("no network")?;
    let hand = || {
        by_hand(
            black_box(&sample.columns),
            net.standardisation(),
            net.weights(),
            &sample.weights,
        )
    };
    let profile = std::env::args().any(|a| a == "profile");
    for (name, program, limits) in [
        (
            "products of matrices",
            recorded(&compiled)?,
            [Some(1.5), Some(4.0)],
        ),
        (
            "a column for each neuron",
            unrolled(&compiled)?,
            [None, None],
        ),
    ] {
        let mut value = f64::NAN;
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let both: Vec<&str> = ["nn"].into_iter().chain(all).collect();
        for (what, wrt) in [
            ("value", &[][..]),
            ("value + gradient in the weights", &["nn"][..]),
            ("value + gradient in weights and inputs", &both),
        ] {
            let program = match wrt {
                [] => program.clone(),
                _ => transform::grad(&program, "s", wrt)?,
            };
            let program = transform::simplify(&program)?;
            let lowered = Lowered::new(program)?;
            let mut ws = lowered.workspace();
            let bindings = Bindings::ordered(&columns);
            lowered.run(&mut ws, &bindings)?;
            let (found, expected) = (ws.scalar(0), hand());
            if (found - expected).abs() > 1e-11 * expected.abs() {
                return Err(format!("{found} is not {expected}").into());
            }
            if profile {
                println!("{}", lowered.profile(&mut ws, &bindings, 20)?);
            }
            let pair = paired(|| lowered.run(&mut ws, black_box(&bindings)), hand);
            let per = |s: f64| s / EVENTS as f64 * 1e9;
            let row = Row::paired(format!("{name}: {what}"), &pair);
            match wrt {
                [] => row.ratio_at_most(limits[0], None).report(),
                _ => row.report(),
            }
            println!(
                "  {:.1} ns per event, by hand (value) {:.1}",
                per(pair.ours.min),
                per(pair.reference.min)
            );
            if wrt.is_empty() {
                value = pair.ours.min;
            } else {
                Row::value("  the same / value", pair.ours.min / value, "")
                    .value_at_most(limits[1], None)
                    .report();
            }
        }
    }
    Ok(())
}
