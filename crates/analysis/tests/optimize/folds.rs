//! Folds and batches of events.

use std::time::Instant;

use pullback_analysis::file::{AnalysisFile, Folds, ToldApart};
use pullback_analysis::optimize::{HeldOut, Options, Outcome, Part, Problem, Quote, State};
use pullback_analysis::run::RunOptions;
use pullback_stats::objective::Expected;
use pullback_stats::spec;
use pullback_stats::workspace::{Limits, Workspace};

use crate::events::read;

const LOOSE: (&str, &str) = (
    "objective = \"limit\"",
    "objective = \"limit\"\nsteps = 12\nvalidate = 4\nmin_entries = 4\nmax_mc_error = 0.6",
);

fn open(file: &AnalysisFile, fold: usize) -> Problem<'_> {
    let options = Options {
        fold,
        ..Options::default()
    };
    let problem = Problem::open(file, &options, &mut |_, _| true);
    problem
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("not stopped")
}

fn train(problem: &mut Problem<'_>) -> (State, Outcome) {
    let mut state = problem.begin().expect("inside");
    problem
        .train(&mut state, &mut |_| true)
        .unwrap_or_else(|e| panic!("{e}"));
    let outcome = problem.finish(&state, Instant::now());
    (state, outcome.unwrap_or_else(|e| panic!("{e}")))
}

/// The expected limit of the workspace that a run gives: another way to the objective.
fn limit_of_a_run(file: &AnalysisFile) -> f64 {
    let results = file.run(&RunOptions::default(), &mut |_| true);
    let results = results.unwrap_or_else(|e| panic!("{e}")).expect("all");
    let json = results.workspace().expect("a fit");
    let (workspace, _) = Workspace::from_value(&json, &Limits::default()).expect("valid");
    let model = spec::resolve(&workspace, &spec::Options::default()).expect("valid");
    let mut expected = Expected::new(model).expect("a model");
    expected.limit(0.05, &[0.0]).expect("a limit")[0]
        .limit
        .value
}

/// Trains every fold: the values, and the objective of all events before and after.
fn all_folds(file: &AnalysisFile, folds: usize) -> (Folds, [Quote; 2], Vec<Outcome>) {
    let mut held_out = HeldOut::default();
    let mut outcomes = Vec::new();
    let mut last = None;
    for fold in 0..folds {
        let mut problem = open(file, fold);
        let (state, outcome) = train(&mut problem);
        held_out.join(&problem.held_out(&state).expect("read"));
        outcomes.push(outcome);
        last = Some(problem);
    }
    let last = last.expect("folds");
    let quotes = last.quote_folds(&held_out).expect("fitted");
    let values = outcomes.iter().map(|o| o.values.clone()).collect();
    (last.folds(values), quotes, outcomes)
}

#[test]
fn folds_judge_every_event_by_what_was_learned_without_it() {
    let file = read(&[LOOSE, ("steps = 12", "steps = 12\nfolds = 2")]);
    let (folds, [before, after], outcomes) = all_folds(&file, 2);
    // At the start both folds say the same: that is the analysis as it stands, on all events.
    let plain = limit_of_a_run(&file);
    assert!(
        (before.value / plain - 1.0).abs() < 1e-9,
        "{before:?} {plain}"
    );
    // At the optimum a run gives each event the values of its fold.
    assert_ne!(folds.values[0], folds.values[1]);
    let moved = file.at_folds(&folds).expect("known");
    let run = limit_of_a_run(&moved);
    assert!((after.value / run - 1.0).abs() < 1e-9, "{after:?} {run}");
    // The number of simulated events is that of the whole sample, not of a fold.
    let mean = outcomes.iter().map(|o| o.after[2].uncertainty).sum::<f64>() / 2.0;
    let ratio = after.uncertainty / mean;
    assert!((0.5..0.95).contains(&ratio), "{ratio}");
    // Events have their folds by what identifies them, or by their places, which then have to be the same.
    assert_eq!(
        folds.told_apart["tt"].columns.last().map(String::as_str),
        Some("event")
    );
    let mut moved = folds.clone();
    moved.told_apart.insert(
        "tt".into(),
        ToldApart {
            columns: Vec::new(),
            events: 11,
        },
    );
    let other = file.at_folds(&moved).expect("known");
    let error = other
        .run(&RunOptions::default(), &mut |_| true)
        .unwrap_err();
    assert!(
        error.to_string().contains("of which 11 were there"),
        "{error}"
    );
    let mut one = folds.clone();
    one.values.truncate(1);
    assert_eq!(file.at_folds(&one).unwrap_err().code(), "PB0820");
}

#[test]
fn folds_are_complete_and_have_no_event_twice() {
    let file = read(&[LOOSE, ("steps = 12", "steps = 12\nfolds = 3")]);
    let whole = file.run(&RunOptions::default(), &mut |_| true);
    let whole = whole.expect("runs").expect("all");
    let wanted: f64 = whole.histogram(0, 0).expect("filled").nominal[1]
        .entries
        .iter()
        .sum();
    let all: Vec<[usize; 3]> = (0..3)
        .map(|fold| {
            let problem = open(&file, fold);
            Part::ALL.map(|part| problem.events(part))
        })
        .collect();
    assert!(wanted > 100.0);
    let events: Vec<usize> = all.iter().map(|p| p.iter().sum()).collect();
    assert!(events.iter().all(|n| *n == events[0]), "{all:?}");
    // Each fold is a test once: together they are everything.
    assert_eq!(
        all.iter().map(|p| p[2]).sum::<usize>(),
        events[0],
        "{all:?}"
    );
    // Two thirds of the rest are learned from, as `split` has it.
    for parts in &all {
        let share = parts[0] as f64 / (parts[0] + parts[1]) as f64;
        assert!((share - 2.0 / 3.0).abs() < 0.05, "{all:?}");
    }
}

#[test]
fn a_step_sees_a_batch_and_what_that_does_is_said() {
    let of = |batches: &str| read(&[LOOSE, ("steps = 12", &format!("steps = 12\n{batches}"))]);
    let file = of("batches = 4");
    let mut problem = open(&file, 0);
    let (state, outcome) = train(&mut problem);
    let found = outcome.batches.clone().expect("batches");
    println!("{}", found.sentence());
    assert_eq!((found.count, found.undefined), (4, 0));
    assert!(found.spread > 0.0 && found.gradient > 0.0);
    assert!(outcome.warnings.iter().any(|w| *w == found.sentence()));
    // It is the whole that is quoted: the first step of another training sees all events.
    assert!(outcome.after[1].value <= outcome.before[1].value);
    assert_eq!(state.history.len(), 12);
    // With more batches there are fewer events in each.
    let more = of("batches = 16");
    let mut problem = open(&more, 0);
    let (_, outcome) = train(&mut problem);
    let more = outcome.batches.expect("batches");
    println!("{}", more.sentence());
    assert!(more.spread > found.spread, "{more:?} {found:?}");
    assert!(
        more.gradient < 1.0 && found.bias != 0.0,
        "{more:?} {found:?}"
    );
    // Without batches there is nothing to say.
    let (_, plain) = train(&mut open(&of(""), 0));
    assert!(plain.batches.is_none());
}

#[test]
fn parts_without_events_are_refused_by_name() {
    let file = read(&[LOOSE, ("steps = 12", "steps = 12\nbatches = 9000")]);
    let error = Problem::open(&file, &Options::default(), &mut |_, _| true).err();
    let error = error.expect("refused").to_string();
    assert!(
        error.contains("`zprime` has no event in a batch"),
        "{error}"
    );
}

#[test]
fn batches_go_on_with_the_same_bits() {
    let file = read(&[LOOSE, ("steps = 12", "steps = 12\nbatches = 3")]);
    let mut whole = open(&file, 0).begin().expect("inside");
    let mut saved = String::new();
    let mut tell = |at: pullback_analysis::optimize::Progress<'_>| {
        if at.done == 5 {
            saved = serde_json::to_string(at.state).expect("plain");
        }
        true
    };
    open(&file, 0)
        .train(&mut whole, &mut tell)
        .expect("trained");
    let mut rest: State = serde_json::from_str(&saved).expect("its own text");
    open(&file, 0)
        .train(&mut rest, &mut |_| true)
        .expect("trained");
    assert_eq!(whole, rest);
}
