//! From events to the objective and back.

use pullback_analysis::optimize::{Options, Part, Problem};

use crate::events::read;

/// The gradient equals differences of order four of the soft objective.
fn check(change: &[(&str, &str)]) {
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
        let step = 2e-3 * x[k].abs().max(0.1);
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
