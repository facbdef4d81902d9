//! Optimisers that are driven from outside: their steps, their states on disk, legal coordinates, starts.

use proptest::prelude::*;
use pullback_ad::Dual;
use pullback_optim::training::{
    Adam, AdamOptions, Block, Chart, EarlyStopping, Optimiser, Schedule, Step, StepwiseLbfgs,
    StepwiseLbfgsOptions, Verdict, minimise_from, spread_starts,
};
use pullback_optim::{Lbfgs, Objective, OptimError, Problem};
use serde::{Serialize, de::DeserializeOwned};

fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
    let r = x[1] - x[0] * x[0];
    let value = (1.0 - x[0]).powi(2) + 100.0 * r * r;
    (
        value,
        vec![-2.0 * (1.0 - x[0]) - 400.0 * x[0] * r, 200.0 * r],
    )
}

/// Rosenbrock's function where x₀ < 1.1, outside its domain elsewhere.
fn walled(x: &[f64]) -> (f64, Vec<f64>) {
    if x[0] < 1.1 {
        rosenbrock(x)
    } else {
        (f64::NAN, vec![f64::INFINITY, 0.0])
    }
}

fn drive<O: Optimiser>(
    optimiser: &mut O,
    f: impl Fn(&[f64]) -> (f64, Vec<f64>),
    steps: usize,
) -> Result<Vec<Step>, OptimError> {
    (0..steps)
        .map(|_| {
            let (value, gradient) = f(optimiser.point());
            optimiser.step(value, &gradient)
        })
        .collect()
}

#[test]
fn adam_takes_the_steps_of_its_paper() {
    // A constant gradient: the corrected moments are g and g², so every step is α g/(|g| + ε), the first one too.
    let gradient = [3.0, -0.02];
    let options = AdamOptions {
        rate: Schedule::Constant(0.25),
        ..AdamOptions::default()
    };
    let mut adam = Adam::with_options(vec![1.0, 2.0], options.clone());
    for t in 1..=50 {
        adam.step(0.0, &gradient).expect("finite");
        for ((x, start), g) in adam.point().iter().zip([1.0, 2.0]).zip(gradient) {
            let expected = start - f64::from(t) * 0.25 * g / (g.abs() + 1e-8);
            assert!((x - expected).abs() < 1e-12, "step {t}: {x}, {expected}");
        }
    }
    assert_eq!(adam.steps(), 50);
    // Without gradient the decay is all there is: it does not pass through the moments.
    let decay = AdamOptions {
        weight_decay: 0.4,
        ..options
    };
    let mut adam = Adam::with_options(vec![1.0], decay);
    for _ in 0..10 {
        adam.step(0.0, &[0.0]).expect("finite");
    }
    assert!((adam.point()[0] - 0.9_f64.powi(10)).abs() < 1e-15);
    // The second step of two different gradients, by hand.
    let mut adam = Adam::new(vec![0.0]);
    adam.step(0.0, &[1.0]).expect("finite");
    adam.step(0.0, &[-2.0]).expect("finite");
    let (m, v): (f64, f64) = (0.9 * 0.1 - 0.1 * 2.0, 0.999 * 0.001 + 0.001 * 4.0);
    let second = m / (1.0 - 0.81) / ((v / (1.0 - 0.999 * 0.999)).sqrt() + 1e-8);
    let expected = -0.01 / (1.0 + 1e-8) - 0.01 * second;
    assert!((adam.point()[0] - expected).abs() < 1e-16);
}

/// At each step the state is written and read: the copy goes on to the same bits.
fn resumes<O>(mut optimiser: O, f: impl Fn(&[f64]) -> (f64, Vec<f64>), steps: usize)
where
    O: Optimiser + Clone + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let mut whole = optimiser.clone();
    drive(&mut whole, &f, steps).expect("finite");
    for done in 0..steps {
        let text = serde_json::to_string(&optimiser).expect("plain values");
        let read: O = serde_json::from_str(&text).expect("its own text");
        assert_eq!(read, optimiser, "after {done} steps");
        let mut resumed = read.clone();
        drive(&mut resumed, &f, steps - done).expect("finite");
        let bits = |o: &O| o.point().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&resumed), bits(&whole), "after {done} steps");
        optimiser = read;
        drive(&mut optimiser, &f, 1).expect("finite");
    }
}

#[test]
fn what_is_written_and_read_goes_on_to_the_same_bits() {
    let options = AdamOptions {
        rate: Schedule::Cosine {
            from: 0.3,
            to: 1e-3,
            steps: 40,
        },
        weight_decay: 1e-3,
        ..AdamOptions::default()
    };
    // Both meet the wall.
    let start = vec![1.05, 2.0];
    let adam = Adam::with_options(start.clone(), options);
    let steps = drive(&mut adam.clone(), walled, 60).expect("finite");
    assert!(steps.contains(&Step::Halved { times: 1 }), "{steps:?}");
    resumes(adam, walled, 60);
    let long = StepwiseLbfgsOptions {
        first: 2.0,
        memory: 3,
        ..StepwiseLbfgsOptions::default()
    };
    let lbfgs = StepwiseLbfgs::with_options(vec![0.9, -1.0], long);
    let steps = drive(&mut lbfgs.clone(), walled, 60).expect("finite");
    assert!(
        steps.iter().any(|s| matches!(s, Step::Halved { .. })),
        "{steps:?}"
    );
    resumes(lbfgs, walled, 60);
}

#[test]
fn stepwise_lbfgs_goes_down_and_says_when_it_is_done() {
    let mut lbfgs = StepwiseLbfgs::new(vec![-1.2, 1.0]);
    let mut last = f64::INFINITY;
    let mut evaluations = 0;
    loop {
        let (value, gradient) = rosenbrock(lbfgs.point());
        let step = lbfgs.step(value, &gradient).expect("finite");
        evaluations += 1;
        let (best, _) = lbfgs.best().expect("the start at least");
        assert!(best <= last);
        last = best;
        if step == Step::Settled {
            break;
        }
        assert!(evaluations < 300, "{best}");
    }
    let (value, x) = lbfgs.best().expect("a point");
    println!("{evaluations} evaluations to {value:.1e}");
    assert!(value < 1e-20 && x.iter().all(|x| (x - 1.0).abs() < 1e-9));
    // Where it starts on the minimum it stays.
    let mut there = StepwiseLbfgs::new(vec![1.0, 1.0]);
    let (value, gradient) = rosenbrock(there.point());
    let step = there.step(value, &gradient).expect("finite");
    assert_eq!((step, there.point()), (Step::Settled, &[1.0, 1.0][..]));
}

#[test]
fn values_that_are_not_finite_halve_the_step_and_then_are_an_error() {
    let nan = (f64::NAN, vec![0.0, 0.0]);
    for mut optimiser in [
        Box::new(Adam::new(vec![0.0, 0.0])) as Box<dyn Optimiser>,
        Box::new(StepwiseLbfgs::new(vec![0.0, 0.0])),
    ] {
        // Nowhere to go back to.
        let error = optimiser.step(nan.0, &nan.1).expect_err("refuses");
        assert!(error.to_string().starts_with("PB0409"), "{error}");
        let error = optimiser.step(1.0, &[1.0]).expect_err("refuses");
        assert!(error.to_string().starts_with("PB0401"), "{error}");
        assert_eq!(
            optimiser.step(1.0, &[1.0, 0.0]).expect("finite"),
            Step::Taken
        );
        let far = optimiser.point()[0];
        for times in 1..=20 {
            let step = optimiser.step(1.0, &[0.0, f64::INFINITY]).expect("halves");
            assert_eq!(step, Step::Halved { times });
            assert!(optimiser.point()[0].abs() < far.abs() * 0.6_f64.powi(times as i32));
        }
        let error = optimiser.step(1.0, &[0.0, f64::NAN]).expect_err("refuses");
        let text = error.to_string();
        assert!(
            text.contains("after 20 halvings") && text.contains("component 1"),
            "{text}"
        );
    }
}

fn chart() -> Chart {
    Chart::new(vec![
        Block::Sine {
            lower: -2.0,
            upper: 5.0,
        },
        Block::Free { count: 2 },
        Block::Edges {
            lower: 10.0,
            upper: 30.0,
            bins: 4,
            width: 1.5,
        },
        Block::Logit {
            lower: 0.1,
            upper: 0.4,
        },
    ])
    .expect("legal")
}

proptest! {
    #[test]
    fn any_coordinates_are_legal_quantities(u in prop::collection::vec(-60.0..60.0_f64, 7)) {
        let chart = chart();
        let x = chart.quantities(&u);
        prop_assert!((-2.0..=5.0).contains(&x[0]) && (0.1..=0.4).contains(&x[6]));
        let edges = [10.0, x[3], x[4], x[5], 30.0];
        for pair in edges.windows(2) {
            prop_assert!(pair[1] - pair[0] >= 1.5 - 1e-12, "{edges:?}");
        }
        // Against forward mode through the map itself.
        let by = [0.3, -1.0, 2.0, 0.7, -0.4, 1.1, 5.0];
        let found = chart.pull_back(&u, &by).expect("lengths fit");
        let v: Vec<Dual<f64, 7>> = u.iter().enumerate().map(|(k, u)| Dual::variable(*u, k)).collect();
        for (k, found) in found.iter().enumerate() {
            let expected: f64 = chart.quantities(&v).iter().zip(by).map(|(x, by)| by * x.eps[k]).sum();
            prop_assert!((found - expected).abs() <= 1e-13 * 25.0, "{k}: {found} {expected}");
        }
    }

    #[test]
    fn coordinates_give_their_quantities_back(a in -1.9..4.9_f64, w in 1.6..6.0_f64, p in 0.11..0.39_f64) {
        let chart = chart();
        let x = [a, 3.0, -7.0, 10.0 + w, 10.0 + 2.0 * w, 28.0, p];
        let again = chart.quantities(&chart.coordinates(&x).expect("inside"));
        for (x, y) in x.iter().zip(again) {
            prop_assert!((x - y).abs() < 1e-12 * x.abs().max(1.0), "{x} {y}");
        }
    }
}

#[test]
fn illegal_blocks_and_quantities_are_refused() {
    let edges = |bins, width| Block::Edges {
        lower: 0.0,
        upper: 1.0,
        bins,
        width,
    };
    let empty = Block::Logit {
        lower: 1.0,
        upper: 1.0,
    };
    for block in [empty, edges(0, 0.0), edges(4, 0.25), edges(2, -0.1)] {
        let error = Chart::new(vec![Block::Free { count: 1 }, block]).expect_err("refuses");
        assert!(error.to_string().starts_with("PB0410: block 1"), "{error}");
    }
    let chart = Chart::new(vec![edges(3, 0.1)]).expect("legal");
    for x in [[0.5, 0.55], [0.05, 0.5], [0.5, 0.95], [0.6, 0.4]] {
        assert!(chart.coordinates(&x).is_err(), "{x:?}");
    }
    let error = chart.coordinates(&[0.5]).expect_err("refuses");
    assert!(error.to_string().starts_with("PB0401"), "{error}");
    // One bin has no edge.
    assert_eq!(Chart::new(vec![edges(1, 0.1)]).expect("legal").dim(), 0);
    let text = serde_json::to_string(&chart).expect("plain values");
    assert_eq!(
        serde_json::from_str::<Chart>(&text).expect("its text"),
        chart
    );
}

#[test]
fn a_training_stops_early_and_keeps_the_best() {
    // The training objective leads to 2; the validation objective has its minimum on the way, at 1.
    let mut adam = Adam::new(vec![-0.5]);
    let mut stopping = EarlyStopping::new(10, 0.0);
    let mut stopped = None;
    for step in 0..1000 {
        let x = adam.point()[0];
        if stopping.observe(step, (x - 1.0).powi(2), &[x]) == Verdict::Stop {
            stopped = Some(step);
            break;
        }
        adam.step((x - 2.0).powi(2), &[2.0 * (x - 2.0)])
            .expect("finite");
    }
    let best = stopping.best().expect("one").clone();
    assert_eq!(stopped, Some(best.step + 10));
    assert!((best.x[0] - 1.0).abs() < 0.01, "{best:?}");
    let text = serde_json::to_string(&stopping).expect("plain values");
    let read: EarlyStopping = serde_json::from_str(&text).expect("its text");
    assert_eq!(read, stopping);
    // What improves by less than is asked for does not count.
    let mut slow = EarlyStopping::new(3, 0.1);
    let verdicts: Vec<Verdict> = (0..4)
        .map(|k| slow.observe(k, 1.0 - 0.05 * k as f64, &[]))
        .collect();
    assert_eq!(verdicts[1], Verdict::Continue);
    assert_eq!(verdicts[3], Verdict::Improved);
}

/// x²/20 − cos 3x in each variable: a dozen minima, the lowest at 0.
struct Waves(usize);

impl Objective for Waves {
    fn dim(&self) -> usize {
        self.0
    }
    fn value(&mut self, x: &[f64]) -> f64 {
        x.iter().map(|x| x * x / 20.0 - (3.0 * x).cos()).sum()
    }
    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        for (g, x) in g.iter_mut().zip(x) {
            *g = x / 10.0 + 3.0 * (3.0 * x).sin();
        }
        self.value(x)
    }
}

#[test]
fn several_starts_find_what_one_does_not() {
    let problem = Problem::new(vec![7.0, -5.0])
        .with_bounds(0, -8.0, 9.0)
        .with_bounds(1, -9.0, 7.0);
    let run = |count| {
        let starts = spread_starts(&problem, count);
        assert_eq!(starts[0], problem.start);
        let attempts =
            minimise_from(&mut Lbfgs::default(), &mut Waves(2), &problem, &starts).expect("runs");
        assert_eq!(attempts.len(), count);
        let values: Vec<f64> = attempts
            .iter()
            .map(|a| a.end.as_ref().expect("an end").value)
            .collect();
        assert!(values.is_sorted(), "{values:?}");
        values[0]
    };
    assert!(run(1) > -1.0);
    assert!((run(40) + 2.0).abs() < 1e-12);
    let starts = spread_starts(&problem, 500);
    let mut seen: Vec<u64> = starts.iter().map(|s| s[1].to_bits()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 500);
    assert!(
        starts
            .iter()
            .all(|s| (-8.0..=9.0).contains(&s[0]) && (-9.0..=7.0).contains(&s[1]))
    );
    // More parameters than bases: still legal.
    let mut many = Problem::new(vec![0.5; 40]);
    (0..40).for_each(|k| many = many.clone().with_bounds(k, 0.0, 1.0));
    let starts = spread_starts(&many, 5);
    assert!(starts[4].iter().all(|x| (0.0..1.0).contains(x)) && starts[4][0] != starts[4][32]);
}

/// Defined nowhere.
struct Nowhere;

impl Objective for Nowhere {
    fn dim(&self) -> usize {
        1
    }
    fn value(&mut self, _: &[f64]) -> f64 {
        f64::NAN
    }
    fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> f64 {
        f64::NAN
    }
}

#[test]
fn starts_that_lead_nowhere_are_an_error() {
    let problem = Problem::new(vec![0.0]);
    let error = minimise_from(
        &mut Lbfgs::default(),
        &mut Nowhere,
        &problem,
        &[vec![0.0], vec![1.0]],
    );
    let text = error.expect_err("refuses").to_string();
    assert!(text.starts_with("PB0411: none of 2 starts"), "{text}");
}
