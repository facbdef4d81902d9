//! Trainings: that they improve, can be put down, and say what they are.

use std::time::Instant;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::optimize::{Ended, Options, Outcome, Part, Problem, State};
use pullback_analysis::run::RunOptions;

use crate::events::read;

fn open(file: &AnalysisFile) -> Problem<'_> {
    opened_with(file, &Options::default())
}

fn opened_with<'a>(file: &'a AnalysisFile, options: &Options) -> Problem<'a> {
    let problem = Problem::open(file, options, &mut |_, _| true);
    problem
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("not stopped")
}

const SHORT: (&str, &str) = (
    "objective = \"limit\"",
    "objective = \"limit\"\nsteps = 40\nvalidate = 5\nmin_entries = 4\nmax_mc_error = 0.6",
);

fn train(file: &AnalysisFile) -> (State, Outcome) {
    let mut problem = open(file);
    let mut state = problem.begin().expect("inside");
    problem
        .train(&mut state, &mut |_| true)
        .unwrap_or_else(|e| panic!("{e}"));
    let outcome = problem
        .finish(&state, Instant::now())
        .unwrap_or_else(|e| panic!("{e}"));
    (state, outcome)
}

#[test]
fn a_training_improves_the_exact_objective_on_events_it_has_not_seen() {
    let file = read(&[SHORT]);
    let (state, outcome) = train(&file);
    assert_eq!(outcome.ended, Ended::Steps);
    assert_eq!(state.history.len(), 40);
    println!(
        "{} {:?} {:?}",
        outcome.gain(),
        outcome.before,
        outcome.after
    );
    assert!(outcome.after[1].value < outcome.before[1].value);
    assert!(outcome.after[2].value < outcome.before[2].value);
    // Thresholds are inside, edges in order.
    for q in &outcome.quantities {
        assert!(q.range[0] < q.after && q.after < q.range[1], "{q:?}");
    }
    let edges = &outcome.values["st edges"];
    assert!(
        edges.len() == 6 && edges.windows(2).all(|w| w[0] < w[1]),
        "{edges:?}"
    );
    // What a run of the file at these values gives on all events is the mean of the parts.
    let moved = file.at(&outcome.values).expect("known");
    let results = moved
        .run(&RunOptions::default(), &mut |_| true)
        .expect("runs")
        .expect("all");
    let yields: f64 = results.histogram(0, 0).expect("filled").nominal[0]
        .sums
        .iter()
        .sum();
    assert!(yields > 0.0);
    let impacts: Vec<&str> = outcome.impacts.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(impacts.len(), 6, "{impacts:?}");
    // Without an uncertainty a limit is no worse.
    assert!(
        outcome
            .impacts
            .iter()
            .all(|i| i.without < outcome.after[2].value * (1.0 + 1e-6)),
        "{:?}",
        outcome.impacts
    );
}

#[test]
fn a_training_that_was_put_down_goes_on_with_the_same_bits() {
    let file = read(&[SHORT]);
    let mut problem = open(&file);
    let mut whole = problem.begin().expect("inside");
    let mut saved = String::new();
    problem
        .train(&mut whole, &mut |at| {
            if at.done == 17 {
                saved = serde_json::to_string(at.state).expect("plain");
            }
            true
        })
        .unwrap_or_else(|e| panic!("{e}"));
    let mut rest: State = serde_json::from_str(&saved).expect("its own text");
    open(&file)
        .train(&mut rest, &mut |_| true)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(whole, rest);
    // Of something else it is refused.
    let other = read(&[
        SHORT,
        ("xs_tt      = { norm = 0.05", "xs_tt      = { norm = 0.06"),
    ]);
    let mut state: State = serde_json::from_str(&saved).expect("its own text");
    let error = open(&other).train(&mut state, &mut |_| true).unwrap_err();
    assert_eq!(error.code(), "PB0820");
}

#[test]
fn a_training_that_is_stopped_keeps_the_best() {
    let file = read(&[SHORT]);
    let mut problem = open(&file);
    let mut state = problem.begin().expect("inside");
    problem
        .train(&mut state, &mut |at| at.done < 12)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(state.ended, Some(Ended::Stopped));
    let outcome = problem
        .finish(&state, Instant::now())
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(outcome.best_step <= 12 && outcome.after[1].value <= outcome.before[1].value);
    let mut none = false;
    let stopped = Problem::open(&file, &Options::default(), &mut |_, _| none).expect("no error");
    none = stopped.is_none();
    assert!(none);
}

#[test]
fn events_that_are_read_again_and_threads_change_nothing() {
    let file = read(&[SHORT]);
    let mut held = open(&file);
    let x = held.start().to_vec();
    let a = held.soft(Part::Training, &x, 0.1).expect("a value");
    let a_quote = held.quote(Part::Test, &x).expect("a value");
    let options = Options {
        memory: 0,
        threads: 1,
        ..Options::default()
    };
    let mut again = opened_with(&file, &options);
    let b = again.soft(Part::Training, &x, 0.1).expect("a value");
    assert_eq!(a, b);
    assert_eq!(a_quote, again.quote(Part::Test, &x).expect("a value"));
}

#[test]
fn the_uncertainty_of_a_quote_is_the_spread_over_splits() {
    spread_over_splits("");
}

/// The events of a variation from other files are independent of the nominal ones.
#[test]
fn and_with_a_variation_from_other_files() {
    // A change that is larger than its noise: the estimate is linear.
    spread_over_splits(
        "other = { files = { tt = { files = \"tt_other.parquet\", weight = \"genWeight * (1 + 0.0005 * (st - 500))\" } } }\n",
    );
}

fn spread_over_splits(systematic: &str) {
    let systematic = format!("[systematics]\n{systematic}");
    let mut values = Vec::new();
    let mut claimed = 0.0;
    for seed in 1..=14 {
        let seed = format!("[optimize]\nseed = {seed}\nsplit = [0.3, 0.3, 0.4]");
        let edges = ("[300, 500, 700, 900, 1100, 2000]", "[300, 600, 2000]");
        let file = read(&[
            ("[optimize]", &seed),
            edges,
            ("[systematics]\n", &systematic),
        ]);
        let mut problem = open(&file);
        let x = problem.start().to_vec();
        for part in [Part::Training, Part::Validation] {
            let quote = problem.quote(part, &x).unwrap_or_else(|e| panic!("{e}"));
            values.push(quote.value);
            claimed += quote.uncertainty.powi(2);
        }
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let claimed = (claimed / n).sqrt();
    // Parts are drawn from one sample: without the part that all have in common, by √(1 − 0.3).
    let ratio = spread / (claimed * 0.7_f64.sqrt());
    println!("spread {spread:.4}, claimed {claimed:.4}, ratio {ratio:.3}");
    assert!((0.6..1.6).contains(&ratio), "{spread} {claimed}");
}

#[test]
fn what_no_event_crosses_is_said() {
    let far = (
        "\"30 GeV\", range = [\"20 GeV\", \"200 GeV\"]",
        "\"-400 GeV\", range = [\"-900 GeV\", \"-300 GeV\"]",
    );
    let file = read(&[
        SHORT,
        ("steps = 40", "steps = 2\nwidths = [0.001, 0.001]"),
        far,
    ]);
    let (_, outcome) = train(&file);
    let found = outcome
        .warnings
        .iter()
        .any(|w| w.contains("nothing moves with `met_cut`"));
    assert!(found, "{:?}", outcome.warnings);
}

#[test]
fn several_starts_are_tried() {
    let file = read(&[SHORT, ("steps = 40", "steps = 6\nstarts = 3")]);
    let (state, outcome) = train(&file);
    let starts: Vec<usize> = (0..3)
        .map(|s| state.history.iter().filter(|r| r.start == s).count())
        .collect();
    assert_eq!(starts, [6, 6, 6]);
    assert!(outcome.after[1].value <= outcome.before[1].value);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (change, words) in [
        (
            ("free      = [\"lep_cut\"", "free      = [\"lap_cut\""),
            "there is no parameter, network or histogram `lap_cut`; did you mean `lep_cut`",
        ),
        (
            ("free      = [\"lep_cut\"", "free      = [\"jes\""),
            "the parameter `jes` has no range to move in",
        ),
        (
            (
                "start = \"30 GeV\", range = [\"25",
                "start = \"20 GeV\", range = [\"25",
            ),
            "the start of `lep_cut` is not inside its range",
        ),
        (
            ("objective = \"limit\"", "objective = \"limits\""),
            "there is no objective `limits`; did you mean `limit`",
        ),
        (
            ("objective = \"limit\"", "confidence = 95"),
            "95 is no confidence level",
        ),
        (
            ("objective = \"limit\"", "split = [0.5, 0.5]"),
            "three positive parts of one",
        ),
        (
            ("objective = \"limit\"", "widths = [0.1, 0.3]"),
            "two falling positive numbers",
        ),
        (
            ("objective = \"limit\"", "batches = 4\nmethod = \"lbfgs\""),
            "L-BFGS needs the same events in each step",
        ),
        (
            ("objective = \"limit\"", "objectiv = \"limit\""),
            "there is no key `optimize.objectiv`; did you mean `objective`",
        ),
    ] {
        let text = crate::events::ZPRIME.replace(change.0, change.1);
        assert_ne!(text, crate::events::ZPRIME);
        let error = AnalysisFile::from_text("a.toml", &text, crate::events::folder()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.place().is_some());
    }
    let file = read(&[(
        "jes        = { parameter = \"jes\" }",
        "jes        = { parameter = \"met_cut\" }",
    )]);
    let error = Problem::open(&file, &Options::default(), &mut |_, _| true)
        .err()
        .expect("refused");
    assert!(
        error
            .to_string()
            .contains("`met_cut` is moved by the systematic `jes`"),
        "{error}"
    );
    let file = read(&[("\"ht > ht_cut\"", "\"sorted(jets, pt)[0].pt > ht_cut\"")]);
    let error = Problem::open(&file, &Options::default(), &mut |_, _| true).err();
    if let Some(error) = error {
        assert!(error.to_string().contains("relax refuses"), "{error}");
    }
}

#[test]
fn a_network_is_trained_for_the_limit_and_can_be_used_again() {
    let change = [
        &crate::events::NETWORK[..],
        &[SHORT, ("steps = 40", "steps = 30\npretrain = 40")],
    ]
    .concat();
    let file = read(&change);
    let (_, outcome) = train(&file);
    println!(
        "{} {:?} {:?}",
        outcome.gain(),
        outcome.before,
        outcome.after
    );
    assert!(outcome.after[1].value < outcome.before[1].value);
    let (name, weights, way) = &outcome.networks[0];
    assert_eq!(
        (name.as_str(), *weights),
        ("nn", 5 * 6 + 6 + 6 * 4 + 4 + 4 + 1)
    );
    assert!(*way > 0.0);
    // At the optimum the file has the network that was found.
    let moved = file.at(&outcome.values).expect("known");
    let mut problem = open(&moved);
    let start = problem.start().to_vec();
    let again = problem.quote(Part::Test, &start).expect("a value");
    assert_eq!(again, outcome.after[2]);
}

#[test]
fn another_method_finds_its_way_too() {
    let file = read(&[SHORT, ("steps = 40", "steps = 40\nmethod = \"lbfgs\"")]);
    let (state, outcome) = train(&file);
    // Four phases, each with widths of its own.
    let mut widths: Vec<f64> = state.history.iter().map(|r| r.temperature).collect();
    widths.dedup();
    assert_eq!(widths.len(), 4, "{widths:?}");
    println!("{} {:?}", outcome.gain(), outcome.after);
    assert!(outcome.after[1].value < outcome.before[1].value);
    let text = serde_json::to_string(&state).expect("plain");
    let again: State = serde_json::from_str(&text).expect("its own text");
    assert_eq!(serde_json::to_string(&again).expect("plain"), text);
}
