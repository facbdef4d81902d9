//! Recurrent networks as scans: value and gradient, beside the value by hand; what a step costs.
//!
//! `cargo run --release -p pullback-benches --bin scan`

use std::hint::black_box;

use pullback_ad::Real;
use pullback_array::region::{Policy, Scan};
use pullback_array::{Bindings, Builder, Column, Lowered, Program, Result, Sym, transform};
use pullback_benches::{Row, measure};

const FEATURES: usize = 14;
const STEPS: usize = 1023;
/// Weights and biases of four gates in two layers.
const VECTORS: usize = 16;

/// A layer whose weights are vectors: `[cell, hidden]` from the input.
fn layer<R: Real>(x: R, h: R, c: R, w: &[R]) -> [R; 2] {
    let forget = (x * w[0] + w[4]).sigmoid();
    let ingate = (h * w[1] + w[5]).sigmoid();
    let outgate = (x * w[2] + w[6]).sigmoid();
    let change = (h * w[3] + w[7]).tanh();
    let c = c * forget + ingate * change;
    [c, outgate * c.tanh()]
}

/// Two layers of elementwise gates, Σ h² over all steps.
fn elementwise(policy: Policy) -> Result<Program> {
    let b = Builder::new();
    let (steps, n) = (b.dense("steps"), b.dense_of("features", FEATURES));
    let x = b.input("x", b.join(steps, n));
    let state: Vec<Sym<'_>> = (0..4).map(|k| b.input(&format!("s{k}"), n)).collect();
    let w: Vec<Sym<'_>> = (0..VECTORS).map(|k| b.input(&format!("w{k}"), n)).collect();
    let found =
        Scan::along(steps)
            .checkpoint(policy)
            .record(&b, &state, &[x], &w, |_, s, x, w| {
                let [c0, h0] = layer(x[0], s[0], s[1], &w[..8]);
                let [c1, h1] = layer(h0, s[2], s[3], &w[8..]);
                (vec![h0, c0, h1, c1], vec![h1])
            })?;
    b.finish(&[("out", (found.ys[0] * found.ys[0]).sum_all())])
}

/// One layer with dense weights: four gates from one product of 2·14 × 56.
fn dense() -> Result<Program> {
    let b = Builder::new();
    let (steps, n) = (b.dense("steps"), b.dense_of("features", FEATURES));
    let (m, gates) = (b.dense_of("hidden", FEATURES), b.dense_of("gates", 4));
    let x = b.input("x", b.join(steps, n));
    let (h, c) = (b.input("h", m), b.input("c", m));
    let out = b.dense_of("out", FEATURES);
    let wide = b.join(gates, out);
    let (wx, wh) = (
        b.input("wx", b.join(n, wide)),
        b.input("wh", b.join(m, wide)),
    );
    let bias = b.input("bias", wide);
    let to: Vec<i64> = (0..FEATURES as i64).collect();
    let to = b.constant_i64(&to, m);
    let which: Vec<Sym<'_>> = (0..4).map(|k| b.integer(k)).collect();
    let captures = [vec![wx, wh, bias, to], which].concat();
    let found = Scan::along(steps).record(&b, &[h, c], &[x], &captures, |_, s, x, w| {
        let wide = w[2].space();
        let all = x[0].contract(w[0], wide) + s[0].contract(w[1], wide) + w[2];
        let gates = wide.level(0);
        let gate = |k: usize| {
            let row = gates.map_or(all, |l| all.gather_over(l, w[4 + k]));
            row.gather(w[3])
        };
        let c = s[1] * gate(0).sigmoid() + gate(1).sigmoid() * gate(3).tanh();
        let h = gate(2).sigmoid() * c.tanh();
        (vec![h, c], vec![h])
    })?;
    b.finish(&[("out", (found.ys[0] * found.ys[0]).sum_all())])
}

fn columns(program: &Program) -> Vec<Vec<f64>> {
    let inputs = program.inputs().iter().enumerate();
    inputs
        .map(|(k, (name, v))| {
            let n = match (&**name, program.ty(*v).space.depth()) {
                ("x", _) => STEPS * FEATURES,
                (_, 1) => FEATURES,
                (_, 2) => 4 * FEATURES,
                _ => 4 * FEATURES * FEATURES,
            };
            let value = |i: usize| ((i * 7919 + k * 104_729) % 1009) as f64 / 1009.0 - 0.4;
            (0..n).map(|i| 0.5 * value(i)).collect()
        })
        .collect()
}

fn time(name: &str, program: &Program) -> Result<f64> {
    let program = transform::simplify(program)?;
    let lowered = Lowered::new(program.clone())?;
    let mut ws = lowered.workspace();
    let data = columns(&program);
    let columns: Vec<Column<'_>> = data.iter().map(|d| Column::F64(d)).collect();
    let bindings = Bindings::ordered(&columns);
    lowered.run(&mut ws, &bindings)?;
    let stats = measure(|| lowered.run(&mut ws, black_box(&bindings)));
    Row::stats(name, &stats).report();
    Ok(stats.min)
}

/// The value of [`elementwise`] by hand, elements one after the other.
fn by_hand(data: &[Vec<f64>]) -> f64 {
    let (x, state, w) = (&data[0], &data[1..5], &data[5..]);
    let mut total = 0.0;
    for i in 0..FEATURES {
        let w: Vec<f64> = w.iter().map(|w| w[i]).collect();
        let mut s: Vec<f64> = state.iter().map(|s| s[i]).collect();
        for k in 0..STEPS {
            let [c0, h0] = layer(x[k * FEATURES + i], s[0], s[1], &w[..8]);
            let [c1, h1] = layer(h0, s[2], s[3], &w[8..]);
            s.copy_from_slice(&[h0, c0, h1, c1]);
            total += h1 * h1;
        }
    }
    total
}

fn gradient(program: &Program) -> Result<Program> {
    let names: Vec<&str> = program.inputs().iter().map(|(n, _)| &**n).collect();
    let wrt: Vec<&str> = names.into_iter().filter(|n| *n != "x").collect();
    transform::grad(program, "out", &wrt)
}

fn main() -> Result<()> {
    let plain = elementwise(Policy::Store)?;
    let data = columns(&plain);
    let hand = measure(|| by_hand(black_box(&data)));
    let value = time("elementwise LSTM, 2 × 14 × 1023: value", &plain)?;
    Row::value(
        "the same / the value by hand with std functions",
        value / hand.min,
        "",
    )
    .report();
    let both = time("value + gradient, store", &gradient(&plain)?)?;
    Row::value("gradient / value", both / value, "").report();
    for (name, policy) in [
        ("value + gradient, every 32", Policy::Every(32)),
        ("value + gradient, 10 states", Policy::Binomial(10)),
    ] {
        time(name, &gradient(&elementwise(policy)?)?)?;
    }
    let plain = dense()?;
    time("dense LSTM, 28 × 56 × 1023: value", &plain)?;
    time("value + gradient", &gradient(&plain)?)?;
    Ok(())
}
