//! Networks against loops over events and neurons: values, derivatives, relaxations, files, what is refused.

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod files;
mod refused;
mod start;

use std::collections::HashMap;

use by_hand::{Plain, weighted_sum};
use pullback_ad::{Complex, Real, complex_step};
use pullback_analysis::network::{Activation, Network, Weights};
use pullback_analysis::{Analysis, Compiled, Histogram, Input, Model, What};
use pullback_array::transform::{
    Relaxation, Smoothing, Surface, grad, hvp, jvp, jvp_total, relax, vjp,
};
use pullback_array::{Lowered, Program, Workspace};
use pullback_sim::Process;
use support::{Data, Values, close};

/// Enough events for several blocks, the last one not full.
fn sample() -> Data {
    Data::generated(Process::ZToLL, 11, 2300)
}

const INPUTS: [&str; 4] = [
    "MET.pt * (1 + scale)",
    "sum(Jet.pt)",
    "default(leading(Muon).pt, 0)",
    "count(Jet)",
];

/// Means and deviations of the inputs, roughly.
const STANDARD: [f64; 8] = [20.0, 50.0, 30.0, 1.5, 0.05, 0.02, 0.03, 0.7];

fn network(activation: Activation) -> Network {
    let start = Network::new(INPUTS, [5, 3]).activation(activation).seed(4);
    let model = Analysis::new()
        .parameter("scale", "0.1")
        .network("nn", start.clone())
        .check(&sample().schema())
        .expect("checked");
    let net = model.network("nn").expect("a network");
    let mut weights = net.weights().to_vec();
    // Biases too, which are zero at the start.
    for (k, w) in weights.iter_mut().enumerate() {
        *w += 0.1 * (k as f64).sin();
    }
    start.weights(net.trained(&STANDARD, &weights).expect("fits"))
}

fn analysis(activation: Activation) -> Analysis {
    Analysis::new()
        .parameter("scale", "0.1")
        .network("nn", network(activation))
}

fn model(analysis: &Analysis, data: &Data) -> Model {
    let checked = analysis.check(&data.schema());
    checked.unwrap_or_else(|e| panic!("{}", pullback_analysis::render(&e, false)))
}

fn plain(model: &Model) -> Plain<f64> {
    let net = model.network("nn").expect("a network");
    Plain {
        sizes: std::iter::once(net.inputs().len())
            .chain(net.hidden().iter().copied())
            .chain([1])
            .collect(),
        activation: net.activation(),
        standard: net.standardisation().to_vec(),
        weights: net.weights().to_vec(),
    }
}

/// What the expressions of the inputs are, event by event, by loops.
fn inputs<R: Real>(data: &Data, scale: R) -> Vec<Vec<R>> {
    let met = data.get("MET_pt").0.f64();
    let (jets, at) = (data.get("Jet_pt").0.f64(), data.get("Jet_pt").1);
    let (muons, of) = (data.get("Muon_pt").0.f64(), data.get("Muon_pt").1);
    (0..met.len())
        .map(|e| {
            let jets = &jets[at[e] as usize..at[e + 1] as usize];
            let muons = &muons[of[e] as usize..of[e + 1] as usize];
            let lead = muons.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            vec![
                (scale + R::constant(1.0)) * R::constant(met[e]),
                R::constant(jets.iter().sum()),
                R::constant(if muons.is_empty() { 0.0 } else { lead }),
                R::constant(jets.len() as f64),
            ]
        })
        .collect()
}

/// Runs a program made of a compiled one, with further inputs after its own.
fn run(data: &Data, of: &[Input], program: Program, more: &[Vec<f64>]) -> (Lowered, Workspace) {
    let lowered = Lowered::new(program).unwrap_or_else(|e| panic!("{e}"));
    let mut ws = lowered.workspace();
    let mut inputs = of.to_vec();
    inputs.extend(more.iter().map(|start| Input::Parameter {
        name: String::new(),
        start: start.clone(),
    }));
    data.run_again(&lowered, &mut ws, &inputs, &HashMap::new());
    (lowered, ws)
}

#[test]
fn values_equal_loops_over_the_neurons() {
    let data = sample();
    for activation in Activation::ALL {
        let analysis = analysis(activation)
            .column("logit", "logit(nn)")
            .column("first", "scale");
        let model = model(&analysis, &data);
        let plain = plain(&model);
        let sums: Vec<f64> = inputs(&data, 0.1).iter().map(|x| plain.sum(x)).collect();
        let spread = sums.iter().fold(0.0_f64, |m, z| m.max((z - sums[0]).abs()));
        assert!(spread > 0.03, "{activation:?}: all events are the same");
        let expected: Vec<f64> = sums.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect();
        let compiled = model.compile(&["nn", "logit"]).expect("compiles");
        let (_, ws) = data.run(&compiled, &HashMap::new());
        assert!(close(ws.f64(0), &expected, 1e-13), "{activation:?}");
        assert!(close(ws.f64(1), &sums, 1e-12), "{activation:?}");
    }
}

#[test]
fn networks_may_have_many_inputs_or_no_hidden_layer() {
    let data = sample();
    let met = data.get("MET_pt").0.f64();
    let texts: Vec<String> = (0..100).map(|k| format!("MET.pt / {}", 20 + k)).collect();
    for hidden in [vec![], vec![3]] {
        let network = Network::new(texts.iter().map(String::as_str), hidden);
        let model = model(&Analysis::new().network("nn", network), &data);
        let (compiled, plain) = (model.compile(&["nn"]).expect("compiles"), plain(&model));
        let (_, ws) = data.run(&compiled, &HashMap::new());
        let of = |met: f64| -> Vec<f64> { (0..100).map(|k| met / f64::from(20 + k)).collect() };
        let expected: Vec<f64> = (met.iter())
            .map(|met| 1.0 / (1.0 + (-plain.sum(&of(*met))).exp()))
            .collect();
        assert!(close(ws.f64(0), &expected, 1e-12));
    }
}

/// A sum over events of the output times a weight, and its derivatives.
fn summed(activation: Activation) -> Analysis {
    analysis(activation).histogram(
        "s",
        Histogram::new("0 * nn", [-1.0, 1.0]).weight("nn * (1 + 0.01 * MET.pt)"),
    )
}

#[test]
fn gradients_equal_the_complex_step_in_every_weight() {
    let data = sample();
    let event_weights: Vec<f64> = data.get("MET_pt").0.f64();
    let event_weights: Vec<f64> = event_weights.iter().map(|x| 1.0 + 0.01 * x).collect();
    for activation in Activation::ALL {
        let model = model(&summed(activation), &data);
        let compiled = model.compile(&["s"]).expect("compiles");
        let bins = first_bin(&compiled.program);
        let program = grad(&bins, "s", &["nn", "nn inputs", "scale"]).expect("differentiates");
        let (_, ws) = run(&data, &compiled.inputs, program, &[]);
        let plain = plain(&model);
        let x = inputs(&data, 0.1);
        close_to(
            ws.f64(0)[0],
            weighted_sum(&plain, &x, &event_weights),
            1e-12,
        );
        let [weights, standard] = [1, 2].map(|k| ws.f64(k).to_vec());
        let complex = plain.map(|v| Complex::constant(*v));
        let cx: Vec<Vec<Complex>> = inputs(&data, Complex::constant(0.1));
        let largest = weights.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        for (k, found) in weights.iter().enumerate() {
            let mut moved = complex.clone();
            let d = complex_step(
                |w| {
                    moved.weights[k] = w;
                    weighted_sum(&moved, &cx, &event_weights)
                },
                plain.weights[k],
            );
            let error = (d - found).abs();
            assert!(error <= 1e-11 * largest, "{activation:?} {k}: {d} {found}");
        }
        for (k, found) in standard.iter().enumerate() {
            let mut moved = complex.clone();
            let d = complex_step(
                |w| {
                    moved.standard[k] = w;
                    weighted_sum(&moved, &cx, &event_weights)
                },
                plain.standard[k],
            );
            close_to(*found, d, 1e-10);
        }
        let d = complex_step(
            |s| weighted_sum(&complex, &inputs(&data, s), &event_weights),
            0.1,
        );
        assert!(d.abs() > 1.0);
        close_to(ws.scalar(3), d, 1e-11);
    }
}

fn close_to(found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= tolerance * expected.abs().max(1.0),
        "{found} {expected}"
    );
}

/// The program with the first bin of its first output as its only one, a number.
fn first_bin(program: &Program) -> Program {
    let b = pullback_array::Builder::resume(program);
    let (name, bins) = &program.outputs()[0];
    let only = b.sym(*bins).sum_all();
    b.finish(&[(name, only)]).expect("a number")
}

#[test]
fn forward_and_reverse_mode_are_adjoint_and_second_derivatives_symmetric() {
    let data = sample();
    let model = model(&summed(Activation::Tanh), &data);
    let compiled = model.compile(&["s"]).expect("compiles");
    let program = first_bin(&compiled.program);
    let n = model.network("nn").expect("a network").weights().len();
    let direction = |seed: f64| -> Vec<f64> { (0..n).map(|k| (seed * k as f64).cos()).collect() };
    let (u, v) = (direction(1.3), direction(0.7));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let forward = jvp(&program, &["nn"]).expect("differentiates");
    let (_, ws) = run(&data, &compiled.inputs, forward, std::slice::from_ref(&u));
    let along = ws.scalar(1);
    let reverse = vjp(&program, &["s"], &["nn"]).expect("differentiates");
    let (_, ws) = run(&data, &compiled.inputs, reverse, &[vec![1.0]]);
    close_to(along, dot(ws.f64(1), &u), 1e-12);
    let second = hvp(&program, "s", &["nn"]).expect("differentiates twice");
    let names: Vec<String> = second.outputs().iter().map(|o| o.0.to_string()).collect();
    let product = |direction: &[f64]| {
        let (_, ws) = run(
            &data,
            &compiled.inputs,
            second.clone(),
            &[direction.to_vec()],
        );
        ws.f64(names.len() - 1).to_vec()
    };
    let (hu, hv) = (product(&u), product(&v));
    close_to(dot(&hu, &v), dot(&hv, &u), 1e-11);
    // And it is the derivative of the gradient.
    let step = 1e-5;
    let gradient = |t: f64| {
        let mut inputs = compiled.inputs.clone();
        for input in &mut inputs {
            if let Input::Parameter { name, start } = input
                && name == "nn"
            {
                start.iter_mut().zip(&u).for_each(|(w, u)| *w += t * u);
            }
        }
        let program = grad(&program, "s", &["nn"]).expect("differentiates");
        run(&data, &inputs, program, &[]).1.f64(1).to_vec()
    };
    let (up, down) = (gradient(step), gradient(-step));
    let scale = hu.iter().fold(0.0_f64, |m, h| m.max(h.abs()));
    for ((h, up), down) in hu.iter().zip(up).zip(down) {
        let difference = (up - down) / (2.0 * step);
        assert!((h - difference).abs() <= 1e-7 * scale, "{h} {difference}");
    }
}

#[test]
fn cuts_and_histograms_of_the_output_can_be_soft() {
    let data = sample();
    let analysis = analysis(Activation::Silu)
        .region("SR", ["nn > 0.5"])
        .histogram(
            "score",
            Histogram::uniform("nn", 6, 0.0, 1.0)
                .region("SR")
                .weight("1 + MET.pt / 50"),
        );
    let model = model(&analysis, &data);
    let compiled = model.compile(&["score"]).expect("compiles");
    let hard = data.run(&compiled, &HashMap::new()).1.f64(0).to_vec();
    let plain = plain(&model);
    let met = data.get("MET_pt").0.f64();
    let mut expected = vec![0.0; 6];
    for (x, met) in inputs(&data, 0.1).iter().zip(&met) {
        let y = 1.0 / (1.0 + (-plain.sum(x)).exp());
        if y > 0.5 {
            expected[(y * 6.0) as usize] += 1.0 + met / 50.0;
        }
    }
    assert!(close(&hard, &expected, 1e-12), "{hard:?} {expected:?}");
    // One number of all bins, so that each has its part.
    let policy = Relaxation::all(Smoothing::Normal, 0.05);
    let soft = relax(&compiled.program, &policy).expect("relaxes");
    let b = pullback_array::Builder::resume(&soft);
    let bins = b.sym(soft.outputs()[0].1);
    let program = b
        .finish(&[("s", bins.square().sum_all().sqrt())])
        .expect("a number");
    let differentiated = grad(&program, "s", &["nn", "scale"]).expect("differentiates");
    let (_, ws) = run(&data, &compiled.inputs, differentiated, &[]);
    let (found, scale) = (ws.f64(1).to_vec(), ws.scalar(2));
    let at = |which: &str, k: usize, step: f64| {
        let mut inputs = compiled.inputs.clone();
        for input in &mut inputs {
            match input {
                Input::Parameter { name, start } if name == which => start[k] += step,
                _ => {}
            }
        }
        run(&data, &inputs, program.clone(), &[]).1.scalar(0)
    };
    let difference = |which: &str, k: usize| {
        let h = 1e-4;
        let d = |h: f64| (at(which, k, h) - at(which, k, -h)) / (2.0 * h);
        // Richardson: the error of order h² is taken out.
        (4.0 * d(h / 2.0) - d(h)) / 3.0
    };
    let largest = found.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    assert!(largest > 10.0 && scale.abs() > 1.0, "{found:?}, {scale}");
    for (k, g) in found.iter().enumerate() {
        let d = difference("nn", k);
        assert!((g - d).abs() <= 1e-7 * largest, "{k}: {g} {d}");
    }
    close_to(scale, difference("scale", 0), 1e-7);
}

#[test]
fn cross_entropies_do_not_overflow_where_the_output_is_saturated() {
    let data = support::two_events();
    // The only weight and bias: z = 40·MET − 1000, 1560 and −640.
    let text = r#"{"format": "pullback network", "version": 1, "inputs": ["MET.pt"], "hidden": [],
        "activation": "tanh", "means": [0], "deviations": [1], "weights": [40, -1000]}"#;
    let weights = Weights::from_text("nn.json", text).expect("reads");
    let analysis = Analysis::new()
        .network("nn", Network::new(["MET.pt"], []).weights(weights))
        .column("again", "nn")
        .column("signal", "softplus(-logit(nn))")
        .column("background", "softplus(logit(again))");
    let model = model(&analysis, &data);
    let compiled = model
        .compile(&["nn", "signal", "background"])
        .expect("compiles");
    let (_, ws) = data.run(&compiled, &HashMap::new());
    assert_eq!(ws.f64(0)[0], 1.0);
    assert!(ws.f64(0)[1] < 1e-270);
    assert_eq!(ws.f64(1), [0.0, 640.0]);
    // What is right costs e⁻ᶻ.
    assert!(close(ws.f64(2), &[1560.0, (-640.0_f64).exp()], 1e-13));
    let b = pullback_array::Builder::resume(&compiled.program);
    let sum = b.sym(compiled.program.outputs()[2].1).sum_all();
    let program = b.finish(&[("s", sum)]).expect("a number");
    let program = grad(&program, "s", &["nn"]).expect("differentiates");
    let (_, ws) = run(&data, &compiled.inputs, program, &[]);
    // d softplus(z) = σ(z) dz: the misclassified event alone, with its full slope.
    assert_eq!(ws.f64(1), [64.0, 1.0]);
}

/// The surface term of a cut on the output: Σ K((y − ½)/h)/h dy/dθ over the events, exact selection in the value.
#[test]
fn cuts_on_the_output_have_surface_terms() {
    let data = sample();
    let analysis = analysis(Activation::Tanh)
        .region("SR", ["nn > 0.5"])
        .histogram("n", Histogram::new("MET.pt", [0.0, 1e9]).region("SR"));
    let model = model(&analysis, &data);
    let compiled = model.compile(&["n"]).expect("compiles");
    let h = 0.03;
    let total = jvp_total(&compiled.program, &["n"], &["nn"], &Surface::new(h));
    let total = total.expect("has surface terms");
    let plain = plain(&model);
    // Along the bias of the output: dy = y(1 − y).
    let mut along = vec![0.0; plain.weights.len()];
    along[plain.weights.len() - 1] = 1.0;
    let (_, ws) = run(&data, &compiled.inputs, total, &[along]);
    let (mut count, mut expected) = (0.0, 0.0);
    for x in inputs(&data, 0.1) {
        let y = 1.0 / (1.0 + (-plain.sum(&x)).exp());
        let u: f64 = (y - 0.5) / h;
        count += f64::from(u8::from(y > 0.5));
        if u.abs() < 1.0 {
            expected += 0.75 * (1.0 - u * u) / h * y * (1.0 - y);
        }
    }
    assert!(expected > 10.0, "{expected}");
    assert_eq!(ws.f64(0), [count]);
    let [total, pathwise, surface] = [2, 3, 4].map(|k| ws.f64(k)[0]);
    assert_eq!(pathwise, 0.0);
    assert_eq!(total, surface);
    close_to(surface, expected, 1e-11);
}

#[test]
fn memory_of_a_gradient_does_not_grow_with_the_events() {
    let mut held = Vec::new();
    // From 64 chunks of four leaves on there are as many partial sums.
    for events in [1 << 16, 1 << 17] {
        let mut data = Data::default();
        for (name, step) in [("x", 7919), ("y", 104_729)] {
            let values = (0..events).map(|i: i64| (i * step % 1009) as f64 / 500.0 - 1.0);
            data.add(name, Values::F64(values.collect()), None);
        }
        let analysis = Analysis::new()
            .network("nn", Network::new(["x", "y"], [16, 8]))
            .histogram("s", Histogram::new("0 * nn", [-1.0, 1.0]).weight("nn"));
        let model = model(&analysis, &data);
        let compiled = model.compile(&["s"]).expect("compiles");
        let program = first_bin(&compiled.program);
        let program = grad(&program, "s", &["nn", "nn inputs"]).expect("differentiates");
        let (_, ws) = run(&data, &compiled.inputs, program, &[]);
        assert!(ws.f64(1).iter().any(|g| *g != 0.0));
        held.push(ws.scratch_bytes());
    }
    assert_eq!(held[0], held[1]);
}

#[test]
fn inputs_are_columns_and_numbers_of_the_program() {
    let data = sample();
    let model = model(&analysis(Activation::Tanh), &data);
    let net = model.network("nn").expect("a network");
    let columns: Vec<String> = net.columns().collect();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    assert_eq!(names[3], "nn inputs[3]");
    let compiled = model.compile(&names).expect("compiles");
    // What is looked at needs no weights.
    let needed: Vec<&str> = compiled.parameters().map(|(name, _)| name).collect();
    assert_eq!(needed, ["scale"]);
    let (_, ws) = data.run(&compiled, &HashMap::new());
    let expected = inputs(&data, 0.1_f64);
    for (k, column) in columns.iter().enumerate() {
        let at = compiled.output(column, What::Values).expect("an output");
        let lowered = &compiled.program.outputs()[at];
        let found: Vec<f64> = match compiled.program.ty(lowered.1).dtype {
            pullback_array::DType::I64 => ws.i64(at).iter().map(|n| *n as f64).collect(),
            _ => ws.f64(at).to_vec(),
        };
        let expected: Vec<f64> = expected.iter().map(|x| x[k]).collect();
        assert!(close(&found, &expected, 1e-13), "{column}");
    }
    let compiled: Compiled = model.compile(&["nn"]).expect("compiles");
    let lengths: Vec<(&str, usize)> = compiled
        .parameters()
        .map(|(name, start)| (name, start.len()))
        .collect();
    assert_eq!(
        lengths,
        [("nn inputs", 8), ("nn", 5 * 5 + 6 * 3 + 4), ("scale", 1)]
    );
}
