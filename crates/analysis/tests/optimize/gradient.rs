//! From events to the objective and back.

use pullback_analysis::optimize::{Options, Part, Problem};

use crate::events::read;

/// The gradient equals differences of order four of the soft objective.
pub fn check(change: &[(&str, &str)]) {
    check_within(change, 2e-3);
}

/// The same with steps of a part of each quantity.
fn check_within(change: &[(&str, &str)], part: f64) {
    let file = read(change);
    let options = Options::default();
    let problem = Problem::open(&file, &options, &mut |_, _| true);
    let mut problem = problem.unwrap_or_else(|e| panic!("{e}")).expect("opened");
    let names = problem.names().map(|(n, k)| (n.to_owned(), k));
    let mut names: Vec<(String, usize)> = names.collect();
    // Of networks a few weights, of every layer.
    for (name, places) in problem.networks() {
        let all = places.clone().step_by(places.len() / 8);
        names.extend(all.map(|k| (format!("weight {k} of {name}"), k)));
    }
    let x = problem.start().to_vec();
    let t = 0.2;
    let found = problem
        .soft(Part::Training, &x, t)
        .unwrap_or_else(|e| panic!("{e}"));
    println!("{found:?}");
    for (name, k) in names {
        let step = part * x[k].abs().max(0.1);
        let mut at = |by: f64| {
            let mut x = x.clone();
            x[k] += by;
            problem
                .soft_value(Part::Training, &x, t)
                .unwrap_or_else(|e| panic!("{e}"))
        };
        let difference =
            (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
        let g = found.gradient[k];
        println!("{name}: {g:.9e} {difference:.9e}");
        assert!(
            (g - difference).abs() < 1e-6 * difference.abs().max(1e-5),
            "{name}: {g} against {difference}"
        );
    }
}

#[test]
fn of_the_limit_equals_differences() {
    check(&[]);
}

/// Objects whose own threshold is free decide by the largest, the leading and the first of them.
#[test]
fn through_the_largest_and_the_leading_of_soft_objects_equals_differences() {
    check(&[(
        "\"ht > ht_cut\"",
        "\"ht > ht_cut\", \"default(max(jets.pt), 0 GeV) > 45 GeV\", \"abs(default(leading(jets).eta, 9)) < 2.3\", \
         \"default(jets[0].mass, 99 GeV) < 40 GeV\", \"default(max(jets.pt where btagDeepFlavB > 0.1), 0 GeV) > 40 GeV\"",
    )]);
}

#[test]
fn of_other_objectives_too() {
    for goal in ["significance", "uncertainty", "asimov", "asimov_uncertain"] {
        check(&[("\"limit\"", &format!("\"{goal}\""))]);
    }
}

#[test]
fn of_a_network_between_events_and_limit_too() {
    check(&crate::events::NETWORK);
}

/// With surface terms the value is the exact one, and the derivative is that of the yield under wide differences, as far as an estimate is.
#[test]
fn of_an_exact_objective_is_estimated_from_the_events_near_thresholds() {
    let change = [
        (
            "objective = \"limit\"",
            "objective = \"limit\"\nsmoothing = \"surface\"\nsplit = [0.8, 0.1, 0.1]",
        ),
        ("[300, 500, 700, 900, 1100, 2000]", "[300, 600, 2000]"),
        (
            "[\"lep_cut\", \"met_cut\", \"jet_cut\", \"ht_cut\", \"st\"]",
            "[\"met_cut\", \"ht_cut\"]",
        ),
    ];
    let file = read(&change);
    let problem = Problem::open(&file, &Options::default(), &mut |_, _| true);
    let mut problem = problem.unwrap_or_else(|e| panic!("{e}")).expect("opened");
    let x = problem.start().to_vec();
    let found = problem
        .soft(Part::Training, &x, 1.0)
        .unwrap_or_else(|e| panic!("{e}"));
    let exact = problem
        .exact(Part::Training, &x)
        .unwrap_or_else(|e| panic!("{e}"));
    // The model of a training keeps every shape, that of a quote those that move: the same likelihood.
    assert!(
        (found.small - exact).abs() < 1e-6,
        "{} {exact}",
        found.small
    );
    for (k, (name, _)) in problem
        .names()
        .map(|(n, k)| (n.to_owned(), k))
        .collect::<Vec<_>>()
        .iter()
        .enumerate()
    {
        let mut at = |by: f64| {
            let mut x = x.clone();
            x[k] += by;
            problem
                .exact(Part::Training, &x)
                .unwrap_or_else(|e| panic!("{e}"))
        };
        let step = 0.15 * x[k];
        let difference = (at(step) - at(-step)) / (2.0 * step);
        let g = found.gradient[k];
        println!("{name}: {g:.3e} {difference:.3e}");
        assert!(
            (0.3..3.0).contains(&(g / difference)),
            "{name}: {g} {difference}"
        );
    }
}

/// A parameter of event weights moves no decision: the derivative is that of the exact objective.
#[test]
fn of_event_weights_is_exact() {
    let change = [
        (
            "jes = 0\n",
            "jes = 0\ntilt = { start = 0.1, range = [-1, 1] }\n",
        ),
        (
            "weight     = \"genWeight\"",
            "weight     = \"genWeight * (1 + tilt * (MET.pt - 50) / 100)\"",
        ),
        (
            "[\"lep_cut\", \"met_cut\", \"jet_cut\", \"ht_cut\", \"st\"]",
            "[\"tilt\"]",
        ),
    ];
    check(&change);
    let file = read(&change);
    let problem = Problem::open(&file, &Options::default(), &mut |_, _| true);
    let mut problem = problem.unwrap_or_else(|e| panic!("{e}")).expect("opened");
    assert_eq!(problem.decisions(), 0);
    let g = problem
        .soft(Part::Training, &[0.1], 0.2)
        .unwrap_or_else(|e| panic!("{e}"))
        .gradient[0];
    let mut at = |by: f64| {
        problem
            .exact(Part::Training, &[0.1 + by])
            .unwrap_or_else(|e| panic!("{e}"))
    };
    let h = 1e-3;
    let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    assert!(
        (g - difference).abs() < 1e-6 * difference.abs(),
        "{g} {difference}"
    );
}

/// Envelopes, replicas and Hessian members of weights, combined on bins.
#[test]
fn of_vectors_of_weights_equals_differences() {
    check(&[(
        "[systematics]\n",
        "[systematics]\n\
         scales = { vector = \"LHEScaleWeight\", members = [0, 1, 2, 4, 5, 6], combine = \"envelope\", processes = \"tt\" }\n\
         pdf = { vector = \"LHEPdfWeight\", members = { from = 0, to = 4 }, combine = \"hessian\" }\n\
         replicas = { vector = \"LHEPdfWeight\", members = { from = 5, to = 9 }, combine = \"rms\" }\n",
    )]);
}

/// Medians choose: steps are so small that they choose the same.
#[test]
fn of_smoothed_variations_equals_differences() {
    let change = (
        "[fit]\n",
        "[fit]\nsmooth = [\"jes\", \"top_*\"]\nprune = { norm = 0.001, shape = 0.005 }\n",
    );
    check_within(&[change], 1e-4);
}
