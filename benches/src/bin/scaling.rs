//! What a likelihood costs as it grows: generated workspaces up to 2,000 parameters × 10,000 bins, from the text to the covariance, beside the same
//! likelihood written by hand, with one thread and with two; the powers of parameters, bins and samples.
//!
//! `cargo run --release -p pullback-benches --bin scaling [ladder | powers | SIZE]`, where SIZE counts the rungs of the ladder from 0.

use std::time::Duration;

use pullback_array::linalg;
use pullback_benches::histfactory::{ByHand, Generated, Size};
use pullback_benches::{
    Clock, Effort, Row, Stats, measure_with, paired_with, peak_rss_bytes, reset_peak_rss,
};
use pullback_stats::fit::{FitOptions, FitResult, fit};
use pullback_stats::{Data, Model, spec, workspace::Workspace};

/// Parameters, bins, samples.
type Dimensions = [usize; 3];

const LADDER: [Dimensions; 5] = [
    [50, 50, 4],
    [200, 500, 8],
    [500, 2_000, 10],
    [1_000, 5_000, 10],
    [2_000, 10_000, 10],
];

/// One of them grows, the others stay.
const POWERS: [(&str, usize, Dimensions); 3] = [
    ("parameters", 0, [150, 1_000, 8]),
    ("bins", 1, [300, 500, 8]),
    ("samples", 2, [300, 1_000, 4]),
];

/// A few calls of something that takes milliseconds to seconds.
fn quick<T>(clock: Clock, seconds: f64, mut routine: impl FnMut() -> T) -> Stats {
    let effort = Effort {
        clock,
        min_rounds: 2,
        max_time: Duration::from_secs_f64(seconds),
        ..Effort::default()
    };
    measure_with(effort, || (), |()| routine())
}

/// A model with the same likelihood by hand.
struct Case {
    name: String,
    text: String,
    model: Model,
    data: Data,
    by_hand: ByHand,
    /// A point away from the start, in the order of the model and in that of the loops.
    point: Vec<f64>,
    theta: Vec<f64>,
}

impl Case {
    fn new([parameters, bins, samples]: Dimensions) -> Self {
        let generated = Generated::new(Size {
            parameters,
            bins,
            samples,
            seed: 7,
        });
        let text = generated.json();
        let mut model = built(&text);
        let spec = model.spec();
        let order = generated.order(spec.parameters.iter().map(|p| {
            let set = &spec.sets[p.set];
            (set.name.as_str(), p.component)
        }));
        let point: Vec<f64> = (spec.parameters.iter().enumerate())
            .map(|(k, p)| p.init + 0.02 * ((k * 7919 % 13) as f64 - 6.0) / 6.0)
            .collect();
        let mut theta = vec![0.0; point.len()];
        for (x, &k) in point.iter().zip(&order) {
            theta[k] = *x;
        }
        let mut by_hand = ByHand::new(&generated);
        // Both agree, or the figures are worth nothing.
        let data = model.observed();
        let (value, gradient) = model.gradient(&point, &data).expect("evaluates");
        let mut mixed = vec![0.0; point.len()];
        let reference = by_hand.value_and_gradient(&theta, &mut mixed);
        assert!((value / reference - 1.0).abs() < 1e-11);
        let scale = gradient.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        for (g, &k) in gradient.iter().zip(&order) {
            assert!((g - mixed[k]).abs() < 1e-10 * scale, "{g} {}", mixed[k]);
        }
        Self {
            name: format!("{parameters} x {bins}"),
            text,
            model,
            data,
            by_hand,
            point,
            theta,
        }
    }

    fn row(&self, what: &str, stats: &Stats) -> Row {
        Row::stats(format!("{}: {what}", self.name), stats)
    }

    /// Multiplications and additions that one Hessian takes at least: a weighted product of each pair of parameters that act on a bin.
    fn hessian_operations(&mut self) -> f64 {
        let jacobian = self.model.rate_jacobian(&self.point).expect("evaluates");
        (0..jacobian.rows())
            .map(|r| (jacobian.row(r).count() as f64).powi(2))
            .sum()
    }

    fn fit(&mut self, options: &mut FitOptions<'_>) -> FitResult {
        let result = fit(&mut self.model, &self.data, options).expect("fits");
        assert!(result.converged, "{}", result.status);
        result
    }
}

fn only_the_minimum() -> FitOptions<'static> {
    FitOptions {
        minimum_only: true,
        ..FitOptions::default()
    }
}

fn built(text: &str) -> Model {
    let (workspace, _) = Workspace::from_slice(text.as_bytes()).expect("a workspace");
    let spec = spec::resolve(&workspace, &spec::Options::default()).expect("resolves");
    Model::new(spec).expect("compiles")
}

/// Multiplications and additions per second of a dense product in cache: what a floor is counted in.
fn product_rate() -> f64 {
    let n = 256;
    let (a, mut c) = (vec![0.5; n * n], vec![0.0; n * n]);
    let stats = quick(Clock::Thread, 0.2, || {
        linalg::matmul(&mut c, false, &a, &a, n, n, n).expect("fits");
    });
    2.0 * (n as f64).powi(3) / stats.min
}

fn ladder(dimensions: Dimensions, rate: f64) {
    let mut case = Case::new(dimensions);
    let spec = case.model.spec();
    println!(
        "{} channels, {} bins, {} cells, {} modifiers, {} parameters of which {} act on one bin; {:.1} MiB of JSON",
        spec.channels.len(),
        spec.bins(),
        spec.cells(),
        spec.applications.len(),
        spec.parameters.len(),
        case.model.separable().len(),
        case.text.len() as f64 / f64::from(1 << 20),
    );
    reading(&mut case);
    evaluating(&mut case, rate);
    fitting(&mut case);
    memory(&case.name, &case.text);
}

fn reading(case: &mut Case) {
    let text = case.text.as_bytes();
    let read = quick(Clock::Thread, 0.3, || {
        Workspace::from_slice(text).expect("reads")
    });
    let (workspace, _) = Workspace::from_slice(text).expect("reads");
    let compile = quick(Clock::Thread, 0.3, || {
        let spec = spec::resolve(&workspace, &spec::Options::default()).expect("resolves");
        let mut model = Model::new(spec).expect("compiles");
        let (inits, data) = (model.spec().inits(), model.observed());
        model.gradient(&inits, &data).expect("evaluates").0
    });
    case.row("read", &read).report();
    case.row("resolve + compile + first gradient", &compile)
        .report();
}

fn evaluating(case: &mut Case, rate: f64) {
    let operations = case.hessian_operations();
    let Case {
        model,
        by_hand,
        data,
        point,
        theta,
        ..
    } = case;
    let n = point.len();
    let value = quick(Clock::Thread, 0.3, || {
        model.twice_nll(point, data).expect("evaluates")
    });
    let (mut g, mut mixed) = (vec![0.0; n], vec![0.0; n]);
    let effort = Effort {
        min_rounds: 3,
        max_time: Duration::from_millis(600),
        ..Effort::default()
    };
    let pair = paired_with(
        effort,
        || (),
        |()| {
            model
                .value_and_gradient(point, data, &mut g)
                .expect("evaluates")
        },
        |()| by_hand.value_and_gradient(theta, &mut mixed),
    );
    let (mut one, mut two) = (vec![0.0; n * n], vec![0.0; n * n]);
    let first = quick(Clock::Thread, 0.0, || {
        let mut fresh = Model::new(model.spec().clone()).expect("compiles");
        fresh
            .hessian_into(point, data, &mut one)
            .expect("evaluates");
    });
    let thread = quick(Clock::Thread, 0.5, || {
        model
            .hessian_into(point, data, &mut one)
            .expect("evaluates");
    });
    let wall = quick(Clock::Wall, 0.5, || {
        model
            .hessian_into(point, data, &mut one)
            .expect("evaluates");
    });
    model.set_threads(2);
    let pair_wall = quick(Clock::Wall, 0.5, || {
        model
            .hessian_into(point, data, &mut two)
            .expect("evaluates");
    });
    model.set_threads(1);
    assert!(
        one.iter()
            .zip(&two)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    );
    case.row("value", &value).report();
    Row::paired(format!("{}: value + gradient", case.name), &pair).report();
    case.row("compile + plan + first Hessian", &first).report();
    case.row(
        "exact Hessian, over its multiplications at the rate of a product",
        &thread,
    )
    .reference(operations / rate, "")
    .report();
    case.row("exact Hessian, two threads over one, wall", &pair_wall)
        .reference(wall.min, "")
        .report();
}

fn fitting(case: &mut Case) {
    let mut last = None;
    let alone = quick(Clock::Thread, 0.5, || {
        last = Some(case.fit(&mut only_the_minimum()));
    });
    let wall = quick(Clock::Wall, 0.5, || case.fit(&mut only_the_minimum()));
    case.model.set_threads(2);
    let two = quick(Clock::Wall, 0.5, || case.fit(&mut only_the_minimum()));
    case.model.set_threads(1);
    let mut covariance = f64::INFINITY;
    let all = quick(Clock::Thread, 0.5, || {
        let seconds = case.fit(&mut FitOptions::default()).seconds;
        covariance = covariance.min(seconds.covariance);
    });
    if let Some(result) = last {
        println!(
            "{} iterations, {} evaluations, edm {:.1e}",
            result.iterations, result.evaluations, result.edm
        );
    }
    case.row("full fit", &alone).report();
    case.row("full fit, two threads over one, wall", &two)
        .reference(wall.min, "")
        .report();
    Row::time(format!("{}: covariance in addition", case.name), covariance)
        .reference(alone.min, "one fit")
        .report();
    case.row("fit, covariance, pulls, yields", &all).report();
}

/// From the text to the covariance, beyond what was resident before.
fn memory(name: &str, text: &str) {
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    reset_peak_rss();
    let before = peak_rss_bytes().unwrap_or(0);
    let mut model = built(text);
    let data = model.observed();
    fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
    let peak = peak_rss_bytes().unwrap_or(0).saturating_sub(before);
    let n = model.spec().parameters.len() as f64;
    Row::value(
        format!("{name}: peak memory of read, fit and covariance"),
        mebibytes(peak),
        "MiB",
    )
    .reference(n * n * 8.0 / f64::from(1 << 20), "one matrix")
    .report();
}

/// The exponent a of cost ∝ sizeᵃ, by least squares in the logarithms.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(&|p| p.0.ln()), mean(&|p| p.1.ln()));
    let covariance = mean(&|p| (p.0.ln() - x) * (p.1.ln() - y));
    covariance / mean(&|p| (p.0.ln() - x).powi(2))
}

fn powers(what: &str, which: usize, start: Dimensions) {
    let names = ["value + gradient", "exact Hessian", "full fit"];
    let mut costs = [const { Vec::new() }; 3];
    for step in 0..4 {
        let mut dimensions = start;
        dimensions[which] <<= step;
        let mut case = Case::new(dimensions);
        let n = case.point.len();
        let (mut g, mut h) = (vec![0.0; n], vec![0.0; n * n]);
        let (model, point, data) = (&mut case.model, &case.point, &case.data);
        let gradient = quick(Clock::Thread, 0.2, || {
            model
                .value_and_gradient(point, data, &mut g)
                .expect("evaluates")
        });
        let hessian = quick(Clock::Thread, 0.2, || {
            model.hessian_into(point, data, &mut h).expect("evaluates");
        });
        let whole = quick(Clock::Thread, 0.2, || case.fit(&mut only_the_minimum()));
        for (list, stats) in costs.iter_mut().zip([gradient, hessian, whole]) {
            list.push((dimensions[which] as f64, stats.min));
        }
    }
    let [parameters, bins, samples] = start;
    for (name, points) in names.iter().zip(&costs) {
        let range = format!("{} to {}", points[0].0, points[3].0);
        let others = match which {
            0 => format!("{bins} bins, {samples} samples"),
            1 => format!("{parameters} parameters, {samples} samples"),
            _ => format!("{parameters} parameters, {bins} bins"),
        };
        Row::value(
            format!("{name}: power of {what} ({range}; {others})"),
            exponent(points),
            "",
        )
        .report();
    }
}

fn main() {
    let wanted = std::env::args().nth(1);
    let is = |name: &str| wanted.as_deref().is_none_or(|w| w == name);
    let rate = product_rate();
    println!("a product in cache: {:.1} Gflop/s", rate * 1e-9);
    for (k, dimensions) in LADDER.into_iter().enumerate() {
        if is("ladder") || is(&k.to_string()) {
            ladder(dimensions, rate);
        }
    }
    if is("powers") {
        for (what, which, start) in POWERS {
            powers(what, which, start);
        }
    }
}
