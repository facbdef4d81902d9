//! What a likelihood costs as it grows: generated workspaces up to 2,000 parameters × 10,000 bins, from the text to the covariance, beside the same
//! likelihood written by hand, with one thread and with two; powers of parameters, bins and samples.
//!
//! `cargo run --release -p pullback-benches --bin scaling`

use std::time::Duration;

use pullback_benches::histfactory::{ByHand, Generated, Size};
use pullback_benches::{
    Clock, Effort, Row, Stats, Stopwatch, measure_with, paired_with, peak_rss_bytes, reset_peak_rss,
};
use pullback_stats::fit::{FitOptions, fit};
use pullback_stats::{Model, spec, workspace::Workspace};

/// Parameters, bins, samples.
const LADDER: [(usize, usize, usize); 5] = [
    (50, 50, 4),
    (200, 500, 8),
    (500, 2_000, 10),
    (1_000, 5_000, 10),
    (2_000, 10_000, 10),
];

fn effort(seconds: f64) -> Effort {
    Effort {
        min_rounds: 2,
        max_time: Duration::from_secs_f64(seconds),
        ..Effort::default()
    }
}

fn quick<T>(seconds: f64, mut routine: impl FnMut() -> T) -> Stats {
    measure_with(effort(seconds), || (), |()| routine())
}

fn wall<T>(seconds: f64, mut routine: impl FnMut() -> T) -> Stats {
    let effort = Effort {
        clock: Clock::Wall,
        ..effort(seconds)
    };
    measure_with(effort, || (), |()| routine())
}

fn mebibytes(bytes: Option<u64>) -> f64 {
    bytes.map_or(f64::NAN, |b| b as f64 / f64::from(1 << 20))
}

/// A model with the same likelihood by hand.
struct Case {
    name: String,
    generated: Generated,
    text: String,
    model: Model,
    by_hand: ByHand,
    /// For each parameter of the model, its number in the generated workspace.
    order: Vec<usize>,
}

impl Case {
    fn new((parameters, bins, samples): (usize, usize, usize)) -> Self {
        let generated = Generated::new(Size {
            parameters,
            bins,
            samples,
            seed: 7,
        });
        let text = generated.json();
        let model = built(&text);
        let order = generated.order(model.spec().parameters.iter().map(|p| {
            let set = &model.spec().sets[p.set];
            (set.name.as_str(), p.component)
        }));
        Self {
            name: format!("{parameters} parameters x {bins} bins"),
            by_hand: ByHand::new(&generated),
            generated,
            text,
            model,
            order,
        }
    }

    /// A point away from the start.
    fn point(&self) -> Vec<f64> {
        let spec = self.model.spec();
        (spec.parameters.iter().enumerate())
            .map(|(k, p)| p.init + 0.02 * ((k * 7919 % 13) as f64 - 6.0) / 6.0)
            .collect()
    }

    /// By hand, in the order of the model.
    fn reference(&mut self, point: &[f64], g: &mut [f64]) -> f64 {
        let mut theta = vec![0.0; point.len()];
        for (x, &k) in point.iter().zip(&self.order) {
            theta[k] = *x;
        }
        let mut mixed = vec![0.0; point.len()];
        let value = self.by_hand.value_and_gradient(&theta, &mut mixed);
        for (g, &k) in g.iter_mut().zip(&self.order) {
            *g = mixed[k];
        }
        value
    }

    /// Both agree, or the bench is worth nothing.
    fn check(&mut self) {
        let point = self.point();
        let data = self.model.observed();
        let (value, g) = self.model.gradient(&point, &data).expect("evaluates");
        let mut by_hand = vec![0.0; g.len()];
        let reference = self.reference(&point, &mut by_hand);
        assert!(
            (value / reference - 1.0).abs() < 1e-11,
            "{value} {reference}"
        );
        let scale = g.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        for (k, (a, b)) in g.iter().zip(&by_hand).enumerate() {
            let name = &self.model.spec().parameters[k].name;
            assert!((a - b).abs() < 1e-10 * scale, "{name}: {a} {b}");
        }
    }
}

fn built(text: &str) -> Model {
    let (workspace, _) = Workspace::from_slice(text.as_bytes()).expect("a workspace");
    let spec = spec::resolve(&workspace, &spec::Options::default()).expect("resolves");
    Model::new(spec).expect("compiles")
}

fn ladder(size: (usize, usize, usize)) {
    let watch = Stopwatch::start(Clock::Wall);
    let mut case = Case::new(size);
    println!("# made in {:.2} s", watch.seconds());
    case.check();
    println!("# checked at {:.2} s", watch.seconds());
    let name = case.name.clone();
    let spec = case.model.spec();
    println!(
        "{name}: {} channels, {} cells, {} modifiers, {:.1} MiB of JSON",
        spec.channels.len(),
        spec.cells(),
        spec.applications.len(),
        case.text.len() as f64 / f64::from(1 << 20)
    );
    let text = std::mem::take(&mut case.text);
    let read = quick(0.3, || {
        Workspace::from_slice(text.as_bytes()).expect("reads")
    });
    Row::stats(format!("{name}: read"), &read).report();
    let (workspace, _) = Workspace::from_slice(text.as_bytes()).expect("reads");
    let compile = quick(0.3, || {
        let spec = spec::resolve(&workspace, &spec::Options::default()).expect("resolves");
        let mut model = Model::new(spec).expect("compiles");
        let (inits, data) = (model.spec().inits(), model.observed());
        model.gradient(&inits, &data).expect("evaluates").0
    });
    Row::stats(format!("{name}: compile"), &compile).report();
    drop(workspace);
    let data = case.model.observed();
    let point = case.point();
    let mut theta = vec![0.0; point.len()];
    for (x, &k) in point.iter().zip(&case.order) {
        theta[k] = *x;
    }
    let value = quick(0.3, || {
        case.model.twice_nll(&point, &data).expect("evaluates")
    });
    Row::stats(format!("{name}: value"), &value).report();
    let (mut g, mut h) = (vec![0.0; point.len()], vec![0.0; point.len()]);
    let (model, by_hand) = (&mut case.model, &mut case.by_hand);
    let pair = paired_with(
        effort(0.6),
        || (),
        |()| {
            model
                .value_and_gradient(&point, &data, &mut g)
                .expect("evaluates")
        },
        |()| by_hand.value_and_gradient(&theta, &mut h),
    );
    Row::paired(format!("{name}: value + gradient"), &pair).report();
    let watch = Stopwatch::start(Clock::Wall);
    let n = point.len();
    let mut matrix = vec![0.0; n * n];
    model
        .hessian_into(&point, &data, &mut matrix)
        .expect("evaluates");
    println!(
        "# plan of Hessian and first in {:.3} s, layers {}",
        watch.seconds(),
        model.has_layers()
    );
    let hessian = quick(0.5, || {
        model
            .hessian_into(&point, &data, &mut matrix)
            .expect("evaluates")
    });
    Row::stats(format!("{name}: exact Hessian"), &hessian).report();
    let mut again = matrix.clone();
    let one = wall(0.3, || {
        model
            .hessian_into(&point, &data, &mut matrix)
            .expect("evaluates")
    });
    model.set_threads(2);
    let two = wall(0.3, || {
        model
            .hessian_into(&point, &data, &mut again)
            .expect("evaluates")
    });
    model.set_threads(1);
    assert!(
        matrix
            .iter()
            .zip(&again)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    );
    Row::stats(
        format!("{name}: exact Hessian, two threads over one, wall"),
        &two,
    )
    .reference(one.min, "")
    .report();
    reset_peak_rss();
    let mut only = FitOptions {
        minimum_only: true,
        ..FitOptions::default()
    };
    let mut result = None;
    let alone = quick(0.5, || {
        result = Some(fit(model, &data, &mut only).expect("fits"));
    });
    let result = result.expect("has run");
    println!(
        "# {} ({} iterations, {} evaluations)",
        result.status, result.iterations, result.evaluations
    );
    assert!(result.converged, "{}", result.status);
    Row::stats(format!("{name}: full fit"), &alone).report();
    let one = wall(0.5, || fit(model, &data, &mut only).expect("fits"));
    model.set_threads(2);
    let two = wall(0.5, || fit(model, &data, &mut only).expect("fits"));
    model.set_threads(1);
    Row::stats(
        format!("{name}: full fit, two threads over one, wall"),
        &two,
    )
    .reference(one.min, "")
    .report();
    let mut covariance = f64::INFINITY;
    let all = quick(0.5, || {
        let result = fit(model, &data, &mut FitOptions::default()).expect("fits");
        covariance = covariance.min(result.seconds.covariance);
    });
    Row::time(format!("{name}: covariance in addition"), covariance).report();
    Row::stats(format!("{name}: fit, covariance, pulls, yields"), &all).report();
    Row::value(
        format!("{name}: peak memory"),
        mebibytes(peak_rss_bytes()),
        "MiB",
    )
    .report();
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for (k, size) in LADDER.into_iter().enumerate() {
        if wanted.is_empty() || wanted.contains(&k.to_string()) {
            ladder(size);
        }
    }
}
