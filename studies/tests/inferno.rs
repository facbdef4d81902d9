//! INFERNO's toy: each part against something that was coded apart from it.

use pullback_array::{Bindings, Column, Lowered, transform};
use pullback_optim::training::Schedule;
use pullback_stats::fit::{AsimovNuisances, FitOptions, fit};
use pullback_stats::spec::{self, HistosysCode};
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Model, fit::FitResult};
use pullback_studies::inferno::{
    Batch, Batches, Benchmark, Classes, Fisher, Goal, InfernoError, Method, Network, Readout,
    Sigma, Step, Tangents, Toy, Training, evaluate, published, record_templates, train,
};
use serde_json::{Value, json};

const TWO: Goal = Goal::Uncertainty {
    benchmark: Benchmark::Two,
    temperature: 0.3,
};

fn small() -> Network {
    Network::new(&[3, 8, 8, 10])
}

fn batch(size: usize) -> Batch {
    let mut batches = Batches::new(&Toy::AS_RUN, 5, 2 * size, size).expect("a sample");
    let mut batch = Batch::default();
    batches.next(&mut batch);
    batch
}

/// σ(s) by Gauss and Jordan, from the definition.
fn sigma_by_hand(templates: &[Vec<f64>; 4], benchmark: Benchmark) -> f64 {
    let n = benchmark.free();
    let mut m = [[0.0; 8]; 4];
    for (i, row) in m.iter_mut().enumerate().take(n) {
        row[i] = benchmark.constraints()[i];
        row[4 + i] = 1.0;
    }
    let [signal, background, by_r, by_lambda] = templates;
    for (((s, b), by_r), by_lambda) in (signal.iter().zip(background)).zip(by_r).zip(by_lambda) {
        let by = [*s, 1000.0 * by_r, 1000.0 * by_lambda, *b];
        for i in 0..n {
            for j in 0..n {
                m[i][j] += by[i] * by[j] / (50.0 * s + 1000.0 * b);
            }
        }
    }
    for k in 0..n {
        let pivot = m[k][k];
        m[k].iter_mut().for_each(|x| *x /= pivot);
        for i in (0..n).filter(|i| *i != k) {
            let (factor, row) = (m[i][k], m[k]);
            m[i].iter_mut().zip(row).for_each(|(x, y)| *x -= factor * y);
        }
    }
    m[0][4].sqrt()
}

/// The logits of one event, by loops.
fn logits_by_hand(network: &Network, weights: &[f64], x: &[f64]) -> Vec<f64> {
    let mut h = x.to_vec();
    let mut rest = weights;
    for (k, pair) in network.sizes.windows(2).enumerate() {
        let (w, after) = rest.split_at(pair[0] * pair[1]);
        let (b, after) = after.split_at(pair[1]);
        rest = after;
        let mut next = b.to_vec();
        for (i, x) in h.iter().enumerate() {
            for (j, y) in next.iter_mut().enumerate() {
                *y += x * w[i * pair[1] + j];
            }
        }
        if k + 2 < network.sizes.len() {
            for y in &mut next {
                *y = y.max(0.0);
            }
        }
        h = next;
    }
    h
}

fn largest(x: &[f64]) -> usize {
    (0..x.len()).fold(0, |best, i| if x[i] > x[best] { i } else { best })
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs(), "{what}: {a} and {b}");
}

#[test]
fn bounds_equal_those_of_another_quadrature() {
    let text = include_str!("data/inferno_bound.json");
    let reference: Value = serde_json::from_str(text).expect("JSON");
    for (name, toy) in [("as_run", Toy::AS_RUN), ("as_written", Toy::AS_WRITTEN)] {
        let fisher = Fisher::new(&toy);
        for benchmark in Benchmark::ALL {
            let other = reference[name][benchmark.number()]
                .as_f64()
                .expect("a number");
            close(fisher.sigma(benchmark), other, 1e-9, name);
        }
    }
}

#[test]
fn published_bounds_are_those_of_a_signal_at_the_origin() {
    let run = Fisher::new(&Toy::AS_RUN);
    let written = Fisher::new(&Toy::AS_WRITTEN);
    for benchmark in Benchmark::ALL {
        let paper = published::LIKELIHOOD[benchmark.number()];
        // Theirs is a mean over 2·10⁵ events.
        close(run.sigma(benchmark), paper, 1.3e-3, "signal at (0, 0)");
        assert!(written.sigma(benchmark) > paper + 0.9);
    }
}

#[test]
fn published_optimal_classifier_is_that_of_the_densities() {
    let uniform: Vec<f64> = (0..=10).map(|k| f64::from(k) / 10.0).collect();
    let held = evaluate(&Toy::AS_RUN, Classes::Densities(&uniform), 100_000, 3).expect("templates");
    for benchmark in Benchmark::ALL {
        let (sigma, error) = held.sigma(benchmark, Tangents::Templates).expect("a σ");
        let paper = published::OPTIMAL_CLASSIFIER[benchmark.number()];
        // Theirs is of 10⁵ events too.
        assert!(
            (sigma - paper).abs() < 4.0 * error * 2f64.sqrt() + 0.005,
            "{sigma} ± {error}, published {paper}"
        );
    }
}

#[test]
fn recorded_objective_equals_loops_over_events() {
    let (network, batch) = (small(), batch(50));
    let weights = network.start(9);
    for benchmark in Benchmark::ALL {
        let goal = Goal::Uncertainty {
            benchmark,
            temperature: 0.3,
        };
        let mut step = Step::new(goal, &network).expect("records");
        let (value, _) = step.run(&network, &weights, &batch).expect("runs");
        let mut templates: [Vec<f64>; 4] = std::array::from_fn(|_| vec![0.0; 10]);
        for (x, w) in batch.x.chunks(3).zip(batch.weights.chunks(4)) {
            let logits = logits_by_hand(&network, &weights, x);
            let norm: f64 = logits.iter().map(|l| (l / 0.3).exp()).sum();
            for (i, l) in logits.iter().enumerate() {
                (0..4).for_each(|k| templates[k][i] += w[k] * (l / 0.3).exp() / norm);
            }
        }
        close(value, sigma_by_hand(&templates, benchmark), 1e-11, "σ");
    }
    let two = Network::new(&[3, 8, 8, 2]);
    let weights = two.start(9);
    let mut step = Step::new(Goal::CrossEntropy, &two).expect("records");
    let (value, _) = step.run(&two, &weights, &batch).expect("runs");
    let by_hand: f64 = (batch.x.chunks(3).enumerate())
        .map(|(k, x)| {
            let l = logits_by_hand(&two, &weights, x);
            let chosen = if k < 50 { l[1] } else { l[0] };
            ((l[0].exp() + l[1].exp()).ln() - chosen) / 100.0
        })
        .sum();
    close(value, by_hand, 1e-13, "cross-entropy");
}

#[test]
fn gradients_equal_differences() {
    for (goal, outputs) in [(TWO, 10), (Goal::CrossEntropy, 2)] {
        let (network, batch) = (Network::new(&[3, 8, 8, outputs]), batch(100));
        let weights = network.start(4);
        let mut step = Step::new(goal, &network).expect("records");
        let gradient = step
            .run(&network, &weights, &batch)
            .expect("runs")
            .1
            .to_vec();
        assert_eq!(gradient.len(), network.weights());
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let mut at = |k: usize, h: f64| {
            let mut moved = weights.clone();
            moved[k] += h;
            step.run(&network, &moved, &batch).expect("runs").0
        };
        for (k, gradient) in gradient.iter().enumerate() {
            // So short a step that no unit of any event switches on the way: across a kink a difference is no derivative.
            let h = 3e-7;
            let difference = (at(k, h) - at(k, -h)) / (2.0 * h);
            assert!(
                (difference - gradient).abs() < 1e-6 * norm,
                "weight {k}: {difference}, {gradient}"
            );
        }
    }
}

#[test]
fn tangents_and_cotangents_agree() {
    let (network, batch) = (small(), batch(100));
    let weights = network.start(4);
    let (value, _) = TWO.record(&network).expect("records");
    let names = network.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lowered = Lowered::new(transform::jvp(&value, &names).expect("a tangent")).expect("lowers");
    let direction = network.start(6);
    let gradient = {
        let mut step = Step::new(TWO, &network).expect("records");
        step.run(&network, &weights, &batch)
            .expect("runs")
            .1
            .to_vec()
    };
    let mut bindings = Bindings::default();
    let columns: Vec<Column<'_>> = (lowered.program().inputs().iter())
        .map(|(name, _)| {
            let index = |n: &str| names.iter().position(|m| *m == n);
            match (&**name, index(name)) {
                ("x", _) => (&batch.x).into(),
                ("weights", _) => (&batch.weights).into(),
                (_, Some(k)) => network.columns(&weights)[k],
                (tangent, None) => {
                    let k = names
                        .iter()
                        .position(|m| tangent.ends_with(m))
                        .expect("a tangent");
                    network.columns(&direction)[k]
                }
            }
        })
        .collect();
    bindings.clone_from(&Bindings::ordered(&columns));
    let mut ws = lowered.workspace();
    lowered.run(&mut ws, &bindings).expect("runs");
    let forward = ws.scalar(1);
    let backward: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
    close(forward, backward, 1e-11, "⟨gradient, direction⟩");
}

#[test]
fn exact_tangents_are_derivatives_of_reweighted_templates() {
    // Templates by densities, and the same events reweighted to r and λ a little to either side.
    let edges: Vec<f64> = (0..=5).map(|k| f64::from(k) / 5.0).collect();
    let (toy, events) = (Toy::AS_WRITTEN, 2000);
    let held = evaluate(&toy, Classes::Densities(&edges), events, 8).expect("templates");
    let rows = held.rows(Tangents::Exact);
    let each = events / 20;
    let reweighted = |r: f64, lambda: f64| {
        let mut out = [0.0; 5];
        for group in 0..20 {
            let x = toy
                .background(8, (group * each) as u64, each)
                .expect("draws");
            let (mut total, mut content) = (0.0, [0.0; 5]);
            for x in x.chunks(3) {
                let w =
                    Toy::background_density(x, r, lambda) / Toy::background_density(x, 0.0, 3.0);
                let p = 1.0 / (1.0 + (-toy.log_ratio(x, 0.0, 3.0)).exp());
                content[((p * 5.0) as usize).min(4)] += w;
                total += w;
            }
            (0..5).for_each(|i| out[i] += content[i] / total / 20.0);
        }
        out
    };
    let h = 1e-4;
    for (row, up, down) in [
        (2, reweighted(h, 3.0), reweighted(-h, 3.0)),
        (3, reweighted(0.0, 3.0 + h), reweighted(0.0, 3.0 - h)),
    ] {
        for i in 0..5 {
            let difference = (up[i] - down[i]) / (2.0 * h);
            assert!(
                (rows[row][i] - difference).abs() < 1e-8,
                "row {row}, bin {i}: {} and {difference}",
                rows[row][i]
            );
        }
        assert!(rows[row].iter().sum::<f64>().abs() < 1e-13);
    }
}

#[test]
fn shape_templates_and_exact_tangents_estimate_one_derivative() {
    // In bins of x₀ that the network of one layer passes on, ∂f/∂r is known: differences of normal densities.
    let network = Network::new(&[3, 2]);
    // logits (−x₀, x₀ − 6): the second is larger from x₀ = 3 on.
    let weights = [-1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -6.0];
    let held = evaluate(
        &Toy::AS_RUN,
        Classes::Largest(&network, &weights),
        200_000,
        2,
    )
    .expect("templates");
    let density = (-0.1f64).exp() / (std::f64::consts::TAU * 5.0).sqrt();
    for tangents in [Tangents::Exact, Tangents::Templates] {
        let rows = held.rows(tangents);
        // The standard error of either is below 6e-4.
        assert!(
            (rows[2][1] - density).abs() < 2.5e-3,
            "{tangents:?}: {} and {density}",
            rows[2][1]
        );
        assert!(rows[3][1].abs() < 4e-3);
    }
}

#[test]
fn hard_templates_equal_loops_over_events() {
    let (network, batch) = (small(), batch(300));
    let weights = network.start(2);
    let two = Network::new(&[3, 8, 2]);
    let lower = [0.0, 0.3, 0.6];
    let upper = [0.3, 0.6, f64::INFINITY];
    for (network, readout, bins) in [
        (&network, Readout::Largest, 10),
        (&two, Readout::Edges { bins: 3 }, 3),
    ] {
        let weights = if bins == 3 {
            two.start(1)
        } else {
            weights.clone()
        };
        let lowered =
            Lowered::new(record_templates(network, readout).expect("records")).expect("lowers");
        let names = network.names();
        let mut columns: Vec<(&str, Column<'_>)> = vec![
            ("x", (&batch.x).into()),
            ("weights", (&batch.weights).into()),
        ];
        columns.extend(
            names
                .iter()
                .map(String::as_str)
                .zip(network.columns(&weights)),
        );
        if bins == 3 {
            columns.extend([("lower", (&lower).into()), ("upper", (&upper).into())]);
        }
        let mut ws = lowered.workspace();
        let bindings = Bindings::named(lowered.program(), &columns).expect("inputs");
        lowered.run(&mut ws, &bindings).expect("runs");
        let mut by_hand = vec![0.0; 4 * bins];
        for (x, w) in batch.x.chunks(3).zip(batch.weights.chunks(4)) {
            let l = logits_by_hand(network, &weights, x);
            let bin = match bins {
                3 => {
                    let p = 1.0 / (1.0 + (l[0] - l[1]).exp());
                    lower.iter().rposition(|edge| *edge <= p).expect("0 ≤ p")
                }
                _ => largest(&l),
            };
            (0..4).for_each(|k| by_hand[k * bins + bin] += w[k]);
        }
        for (found, by_hand) in ws.f64(0).iter().zip(by_hand) {
            assert!(
                (found - by_hand).abs() < 1e-13,
                "{readout:?}: {found} and {by_hand}"
            );
        }
    }
}

/// The templates as a workspace: signal with a normfactor, the background with a histosys for each parameter, at one standard deviation of its constraint.
fn workspace(rows: &[Vec<f64>; 4], variations: &[Vec<f64>; 5], with_b: bool) -> Value {
    let times = |f: f64, x: &[f64]| x.iter().map(|x| f * x).collect::<Vec<f64>>();
    let [nominal, r_up, r_down, l_up, l_down] = variations;
    // The quadratic through three templates, at `k` times their distance.
    let at = |k: f64, up: &[f64], down: &[f64]| -> Vec<f64> {
        (0..nominal.len())
            .map(|i| {
                let (even, odd) = (
                    0.5 * (up[i] + down[i]) - nominal[i],
                    0.5 * (up[i] - down[i]),
                );
                1000.0 * (nominal[i] + k * odd + k * k * even)
            })
            .collect()
    };
    let mut modifiers = vec![
        json!({"name": "r", "type": "histosys", "data": {"hi_data": at(2.0, r_up, r_down), "lo_data": at(-2.0, r_up, r_down)}}),
        json!({"name": "lambda", "type": "histosys", "data": {"hi_data": at(2.0, l_up, l_down), "lo_data": at(-2.0, l_up, l_down)}}),
    ];
    if with_b {
        modifiers.push(json!({"name": "b", "type": "histosys", "data": {"hi_data": times(1100.0, nominal), "lo_data": times(900.0, nominal)}}));
    }
    let samples = json!([
        {"name": "signal", "data": times(50.0, &rows[0]), "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]},
        {"name": "background", "data": times(1000.0, nominal), "modifiers": modifiers},
    ]);
    json!({
        "channels": [{"name": "bins", "samples": samples}],
        "observations": [{"name": "bins", "data": times(1000.0, nominal)}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    })
}

fn fitted(workspace: &Value) -> FitResult {
    let (workspace, _) = Workspace::from_value(workspace, &Limits::default()).expect("a workspace");
    let mut options = spec::Options::default();
    options.modifiers.histosys = HistosysCode::Code2;
    let spec = spec::resolve(&workspace, &options).expect("resolves");
    let mut model = Model::new(spec).expect("compiles");
    let mut options = FitOptions::default();
    let data = model
        .asimov(Some(1.0), AsimovNuisances::Nominal, &mut options)
        .expect("Asimov data");
    fit(&mut model, &data, &mut options).expect("fits")
}

#[test]
fn sigma_equals_the_fit_of_a_workspace_with_quadratic_interpolation() {
    let network = small();
    let weights = network.start(3);
    let held =
        evaluate(&Toy::AS_RUN, Classes::Largest(&network, &weights), 4000, 1).expect("templates");
    let rows = held.rows(Tangents::Templates);
    let kept: Vec<usize> = (0..10)
        .filter(|&i| rows[0][i] != 0.0 && rows[1][i] != 0.0)
        .collect();
    let keep = |x: &Vec<f64>| kept.iter().map(|&i| x[i]).collect::<Vec<f64>>();
    let (rows_kept, variations) = (
        rows.each_ref().map(keep),
        held.variations().each_ref().map(keep),
    );
    for (benchmark, with_b) in [(Benchmark::Three, false), (Benchmark::Four, true)] {
        let ours = held.sigma(benchmark, Tangents::Templates).expect("a σ").0;
        let result = fitted(&workspace(&rows_kept, &variations, with_b));
        assert!(result.converged);
        let poi = &result.parameters[result.poi.expect("mu")];
        close(ours, 50.0 * poi.error.expect("an error"), 1e-8, "σ(s)");
        close(ours, sigma_by_hand(&rows_kept, benchmark), 1e-11, "by hand");
    }
}

#[test]
fn a_short_training_improves_what_is_held_out() {
    let steps = 120;
    let training = Training {
        hidden: vec![16, 16],
        events: 4000,
        batch: 1000,
        steps,
        method: Method::Adam(Schedule::Cosine {
            from: 0.02,
            to: 1e-3,
            steps,
        }),
    };
    let sigma = |training: &Training| {
        let report = train(&Toy::AS_RUN, TWO, training, 1).expect("trains");
        let held = evaluate(
            &Toy::AS_RUN,
            Classes::Largest(&report.network, &report.weights),
            40_000,
            7,
        );
        held.expect("templates")
            .sigma(Benchmark::Two, Tangents::Exact)
            .expect("a σ")
    };
    let (before, _) = sigma(&Training {
        steps: 0,
        ..training.clone()
    });
    let (after, error) = sigma(&training);
    assert!(after < 20.0 && after < before - 5.0, "{before} to {after}");
    let bound = Fisher::new(&Toy::AS_RUN).sigma(Benchmark::Two);
    assert!(
        after > bound - 4.0 * error,
        "{after} ± {error} beats {bound}"
    );
}

#[test]
fn trainings_are_the_same_to_the_bit() {
    let training = Training {
        hidden: vec![8],
        events: 500,
        batch: 200,
        steps: 5,
        ..Training::standard()
    };
    let run = |seed| {
        train(&Toy::AS_RUN, TWO, &training, seed)
            .expect("trains")
            .weights
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn an_epoch_deals_every_event_once() {
    let mut batches = Batches::new(&Toy::AS_RUN, 1, 30, 10).expect("a sample");
    let all = Toy::AS_RUN.background(1, 0, 30).expect("draws");
    let mut batch = Batch::default();
    let mut epoch = || {
        let mut seen = Vec::new();
        for _ in 0..3 {
            batches.next(&mut batch);
            seen.extend(batch.x[30..].chunks(3).map(<[f64]>::to_vec));
        }
        seen
    };
    let (first, second) = (epoch(), epoch());
    assert_ne!(first, second);
    for mut epoch in [first, second] {
        let mut all: Vec<Vec<f64>> = all.chunks(3).map(<[f64]>::to_vec).collect();
        let by_first = |a: &Vec<f64>, b: &Vec<f64>| a[0].total_cmp(&b[0]);
        epoch.sort_by(by_first);
        all.sort_by(by_first);
        assert_eq!(epoch, all);
    }
    assert!(matches!(
        Batches::new(&Toy::AS_RUN, 1, 30, 31),
        Err(InfernoError::Batch {
            batch: 31,
            events: 30
        })
    ));
}

#[test]
fn templates_without_a_common_bin_are_refused() {
    let mut sigma = Sigma::new(Benchmark::Zero).expect("records");
    let error = sigma
        .of([&[1.0, 0.0], &[0.0, 1.0], &[0.0; 2], &[0.0; 2]])
        .expect_err("no bin");
    assert!(error.to_string().starts_with("PB1202"));
}
