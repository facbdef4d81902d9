//! Bin edges chosen for the expected limit: coordinates, templates, fit, and back by one gradient.

use pullback_optim::training::{
    Adam, AdamOptions, Block, Chart, Optimiser, Schedule, Step, StepwiseLbfgs,
};
use pullback_stats::objective::Expected;
use pullback_stats::spec::{Options, resolve};
use pullback_stats::workspace::{Limits, Workspace};
use serde_json::json;

const BINS: usize = 4;

/// Expected events up to x, and their density: a falling background and a rising signal.
fn background(x: f64) -> (f64, f64) {
    let all = 400.0 / (1.0 - (-3.0_f64).exp());
    (all * (1.0 - (-3.0 * x).exp()), all * 3.0 * (-3.0 * x).exp())
}

fn signal(x: f64) -> (f64, f64) {
    (25.0 * x.powi(4), 100.0 * x.powi(3))
}

/// Limit and gradient in the coordinates of the edges.
struct Analysis {
    expected: Expected,
    chart: Chart,
    /// Whether each limit is searched for anew.
    anew: bool,
}

impl Analysis {
    fn new() -> Self {
        let some = vec![10.0; BINS];
        let workspace = json!({"version": "1.0.0",
          "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
          "channels": [{"name": "SR", "samples": [
            {"name": "bkg", "data": some, "modifiers": [
              {"name": "norm", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}},
              {"name": "stat", "type": "staterror", "data": vec![1.0; BINS]}]},
            {"name": "signal", "data": some, "modifiers": [
              {"name": "mu", "type": "normfactor", "data": null}]}]}],
          "observations": [{"name": "SR", "data": some}]});
        let (workspace, _) =
            Workspace::from_value(&workspace, &Limits::default()).expect("a workspace");
        let spec = resolve(&workspace, &Options::default()).expect("resolves");
        let edges = Block::Edges {
            lower: 0.0,
            upper: 1.0,
            bins: BINS,
            width: 0.02,
        };
        Self {
            expected: Expected::open(spec).expect("compiles"),
            chart: Chart::new(vec![edges]).expect("legal"),
            anew: false,
        }
    }

    fn evaluate(&mut self, u: &[f64]) -> (f64, Vec<f64>) {
        let edges = self.chart.quantities(u);
        let all: Vec<f64> = [0.0].into_iter().chain(edges).chain([1.0]).collect();
        let bins = |f: fn(f64) -> (f64, f64)| -> Vec<f64> {
            all.windows(2).map(|w| f(w[1]).0 - f(w[0]).0).collect()
        };
        let (b, s) = (bins(background), bins(signal));
        // Of a simulation with twice the events.
        let stat: Vec<f64> = b.iter().map(|b| (b / 2.0).sqrt()).collect();
        let nominal = [b.clone(), s].concat();
        self.expected
            .set_templates(&[("nominal", &nominal), ("uncertainty", &stat)])
            .expect("legal");
        if self.anew {
            self.expected.forget();
        }
        let limit = self.expected.limit(0.05, &[0.0]).expect("a limit");
        let limit = &limit[0].limit;
        let slot = |name: &str| {
            let found = limit.gradient.iter().find(|(n, _)| *n == name);
            &found.expect("the slot").1
        };
        let (by_nominal, by_stat) = (slot("nominal"), slot("uncertainty"));
        let by_edge: Vec<f64> = (0..BINS - 1)
            .map(|k| {
                let (x, next) = (all[k + 1], k + 1);
                let by_background = |k: usize| by_nominal[k] + by_stat[k] * 0.25 / stat[k];
                background(x).1 * (by_background(k) - by_background(next))
                    + signal(x).1 * (by_nominal[BINS + k] - by_nominal[BINS + next])
            })
            .collect();
        let gradient = self.chart.pull_back(u, &by_edge).expect("lengths fit");
        (limit.value, gradient)
    }
}

#[test]
fn the_gradient_of_the_whole_chain_equals_differences() {
    let mut analysis = Analysis::new();
    for u in [[0.0, 0.0, 0.0], [1.0, -0.5, 0.3]] {
        let (_, gradient) = analysis.evaluate(&u);
        for (k, g) in gradient.iter().enumerate() {
            let step = 1e-3;
            let mut at = |by: f64| {
                let mut u = u;
                u[k] += by;
                analysis.evaluate(&u).0
            };
            let difference =
                (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
            assert!(
                (g - difference).abs() < 1e-8 * difference.abs().max(0.01),
                "{u:?}, {k}: {g} against {difference}"
            );
        }
    }
}

#[test]
fn edges_are_found_by_both_optimisers() {
    let mut analysis = Analysis::new();
    let start = analysis
        .chart
        .coordinates(&[0.25, 0.5, 0.75])
        .expect("inside");
    let (first, _) = analysis.evaluate(&start);
    let mut lbfgs = StepwiseLbfgs::new(start.clone());
    for _ in 0..100 {
        let (value, gradient) = analysis.evaluate(lbfgs.point());
        if lbfgs.step(value, &gradient).expect("finite") == Step::Settled {
            break;
        }
    }
    let (best, u) = lbfgs.best().expect("a point");
    let edges = analysis.chart.quantities(u);
    println!("limit {first:.4} with equal bins, {best:.4} with edges {edges:.3?}");
    assert!(best < 0.99 * first);

    let options = AdamOptions {
        rate: Schedule::Cosine {
            from: 0.1,
            to: 1e-3,
            steps: 200,
        },
        ..AdamOptions::default()
    };
    let mut adam = Adam::with_options(start, options);
    for _ in 0..200 {
        let (value, gradient) = analysis.evaluate(adam.point());
        adam.step(value, &gradient).expect("finite");
    }
    let (value, _) = analysis.evaluate(adam.point());
    assert!((value / best - 1.0).abs() < 1e-4, "{value} against {best}");
}

#[test]
fn a_resumed_training_has_the_bits_of_one_that_was_not_interrupted() {
    let mut analysis = Analysis::new();
    analysis.anew = true;
    let mut adam = Adam::new(vec![0.1, -0.2, 0.4]);
    let mut saved = String::new();
    for step in 0..30 {
        if step == 12 {
            saved = serde_json::to_string(&adam).expect("plain values");
        }
        let (value, gradient) = analysis.evaluate(adam.point());
        adam.step(value, &gradient).expect("finite");
    }
    let mut analysis = Analysis::new();
    analysis.anew = true;
    let mut again: Adam = serde_json::from_str(&saved).expect("its text");
    for _ in 12..30 {
        let (value, gradient) = analysis.evaluate(again.point());
        again.step(value, &gradient).expect("finite");
    }
    assert_eq!(adam, again);
    let bits = |a: &Adam| a.point().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&adam), bits(&again));
}
