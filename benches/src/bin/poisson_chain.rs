//! The Poisson-like chain of 19 elementwise operations: value and gradient for 6 scalars, next to the same by hand in one fused SIMD loop.
//!
//! Per bin: λ = µ·s·exp(a·x) + b·exp(c·x + d·x²) and n·ln λ − λ with a smooth saturation; see [`term`] for the formula.

use pullback_ad::Real;
use pullback_ad::isa::Isa;
use pullback_array::{Bindings, Builder, Column, Lowered, transform};
use pullback_benches::{Row, measure, paired};

/// One term: 19 elementary operations (3 exp, 1 ln, 2 divisions) of the column values `x`, `n` and the scalars `p`.
fn term<R: Real>(x: R, n: R, p: [R; 6]) -> R {
    let [mu, a, b, c, d, e] = p;
    let signal = mu * (a * x).exp(); // mul exp mul
    let u = c * x + d; // mul add
    let background = b * u.exp(); // exp mul
    let eff = (x * e).exp(); // mul exp
    let lambda = (signal + background) / (eff + 1.0); // add add div
    let scaled = lambda / (mu + 2.0) + lambda; // (scalar add) div add
    scaled - n * scaled.ln() + x * n * 0.01 // ln mul sub mul mul add
}

struct Reference {
    value: f64,
    gradient: [f64; 6],
}

/// The same by hand: forward and reverse sweep of one element, fused.
#[inline(always)]
fn by_hand_body<I: Isa>(x: &[f64], n: &[f64], p: &[f64; 6]) -> Reference {
    use pullback_ad::math::{exp::exp, ln::ln};
    const L: usize = 32;
    let [mu, a, b, c, d, e] = *p;
    let inv = 1.0 / (mu + 2.0);
    let mut acc = [[0.0; L]; 7];
    for (x, n) in x.as_chunks::<L>().0.iter().zip(n.as_chunks::<L>().0) {
        for j in 0..L {
            let (x, n) = (x[j], n[j]);
            let es = exp::<I>(a * x);
            let signal = mu * es;
            let eb = exp::<I>(I::fma(c, x, d));
            let background = b * eb;
            let ee = exp::<I>(x * e);
            let denominator = 1.0 / (ee + 1.0);
            let lambda = (signal + background) * denominator;
            let scaled = I::fma(lambda, inv, lambda);
            acc[0][j] += I::fma(-n, ln::<I>(scaled), scaled) + x * n * 0.01;
            let c_scaled = 1.0 - n / scaled;
            let c_lambda = c_scaled * (inv + 1.0);
            let c_sum = c_lambda * denominator;
            acc[1][j] += I::fma(c_sum, es, -(c_scaled * lambda * inv * inv));
            acc[2][j] += c_sum * signal * x;
            acc[3][j] += c_sum * eb;
            let c_u = c_sum * background;
            acc[4][j] += c_u * x;
            acc[5][j] += c_u;
            acc[6][j] -= c_lambda * lambda * denominator * ee * x;
        }
    }
    let sum = |k: usize| acc[k].iter().sum::<f64>();
    Reference {
        value: sum(0),
        gradient: [sum(1), sum(2), sum(3), sum(4), sum(5), sum(6)],
    }
}

pullback_ad::multiversion! {
    fn by_hand, by_hand_at(x: &[f64], n: &[f64], p: &[f64; 6]) -> Reference = by_hand_body;
}

const NAMES: [&str; 6] = ["mu", "a", "b", "c", "d", "e"];
const P: [f64; 6] = [1.3, -0.7, 2.1, 0.3, -0.2, 0.4];

fn record() -> pullback_array::Program {
    let builder = Builder::new();
    let bins = builder.stream("bins");
    let (x, n) = (builder.input("x", bins), builder.input("n", bins));
    let p = NAMES.map(|name| builder.input(name, pullback_array::Space::SCALAR));
    let out = term(x, n, p).sum_all();
    let program = builder.finish(&[("value", out)]).expect("well-formed");
    transform::grad(&program, "value", &NAMES).expect("differentiable")
}

fn simplified() -> pullback_array::Program {
    transform::simplify(&record()).expect("simplifies")
}

fn main() {
    let _ = by_hand_at;
    let lowered = Lowered::new(simplified()).expect("lowers");
    println!(
        "{} nodes, {:?} instructions",
        lowered.program().nodes().len(),
        lowered.instruction_counts()
    );
    let columns = |size: usize| -> (Vec<f64>, Vec<f64>) {
        let size = size.next_multiple_of(32);
        (
            (0..size).map(|i| (i % 1000) as f64 / 500.0).collect(),
            (0..size).map(|i| (i % 7) as f64).collect(),
        )
    };
    for (size, required, aim) in [(100_000, 1.6, 1.2), (1_000_000, 1.6, 1.5)] {
        let (x, n) = columns(size);
        let mut ws = lowered.workspace();
        let mut bindings = vec![Column::F64(&x), Column::F64(&n)];
        bindings.extend(P.iter().map(Column::from));
        let bindings = Bindings::ordered(&bindings);
        lowered.run(&mut ws, &bindings).expect("runs");
        let hand = by_hand(&x, &n, &P);
        assert!(
            (ws.scalar(0) / hand.value - 1.0).abs() < 1e-10,
            "{} {}",
            ws.scalar(0),
            hand.value
        );
        for k in 0..6 {
            assert!(
                (ws.scalar(k + 1) / hand.gradient[k] - 1.0).abs() < 1e-9,
                "{k}: {} {}",
                ws.scalar(k + 1),
                hand.gradient[k]
            );
        }
        let pair = paired(
            || lowered.run(&mut ws, &bindings).expect("runs"),
            || by_hand(&x, &n, &P).value,
        );
        Row::paired(
            format!("Poisson chain, {size} values: value + gradient for 6 scalars"),
            &pair,
        )
        .ratio_at_most(required, aim)
        .report();
    }
    for (size, required, aim, historical) in [(100, 2e-6, 1e-6, 37e-6), (1000, 6e-6, 5e-6, 41e-6)] {
        let (x, n) = columns(size);
        let mut ws = lowered.workspace();
        let mut bindings = vec![Column::F64(&x), Column::F64(&n)];
        bindings.extend(P.iter().map(Column::from));
        let bindings = Bindings::ordered(&bindings);
        let stats = measure(|| lowered.run(&mut ws, &bindings).expect("runs"));
        Row::stats(format!("Poisson chain, {size} values"), &stats)
            .historical(historical, "JAX jit from Python")
            .value_at_most(required, aim)
            .report();
    }
    let stats = measure(|| Lowered::new(record()).expect("lowers"));
    Row::stats("record + vjp + lower, 50 operations", &stats)
        .historical(65e-3, "XLA, at best")
        .value_at_most(0.5e-3, 0.1e-3)
        .report();
    let stats = measure(|| Lowered::new(simplified()).expect("lowers"));
    Row::stats("the same, simplified", &stats).report();
}
