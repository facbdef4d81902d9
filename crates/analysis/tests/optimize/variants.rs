//! Variations from other files in an optimisation: their templates, their parts, their derivatives.

use pullback_analysis::file::{AnalysisFile, Folds};
use pullback_analysis::optimize::{Options, Part, Problem};
use pullback_analysis::run::{Results, RunOptions};

use crate::events::read;
use crate::gradient::check;

/// The exact objective of each part at the start.
fn objectives(systematic: &str) -> [f64; 3] {
    let with = format!("[systematics]\n{systematic}\n");
    let file = read(&[("[systematics]\n", &with)]);
    let problem = Problem::open(&file, &Options::default(), &mut |_, _| true);
    let mut problem = problem.unwrap_or_else(|e| panic!("{e}")).expect("opened");
    let x = problem.start().to_vec();
    Part::ALL.map(|part| {
        problem
            .quote(part, &x)
            .unwrap_or_else(|e| panic!("{e}"))
            .value
    })
}

/// The same events in another order are in the same parts, by their numbers: the variation is nothing there.
#[test]
fn events_of_a_variation_are_in_the_parts_of_the_nominal_ones() {
    // The split is by number where there is a variation: what is compared has one in both.
    let without = objectives("same = { files = { tt = \"tt.parquet\" } }");
    let with = objectives("turned = { files = { tt = \"tt_turned.parquet\" } }");
    for (a, b) in without.iter().zip(&with) {
        assert!((a - b).abs() < 1e-9 * a, "{with:?} {without:?}");
    }
    let other = objectives("other = { files = { tt = \"tt_other.parquet\" } }");
    for (a, b) in without.iter().zip(&other) {
        // Another sample is another shape, which costs something.
        assert!(*b > 1.001 * a, "{other:?} {without:?}");
    }
}

#[test]
fn their_gradient_equals_differences() {
    let change = |systematic: &str| format!("[systematics]\n{systematic}\n");
    for systematic in [
        "other = { files = { tt = { files = \"tt_other.parquet\", weight = \"genWeight * (1 + 0.002 * MET.pt)\" } } }",
        "other = { up = { tt = \"tt_other.parquet\" }, down = { tt = \"tt_turned.parquet\" } }",
    ] {
        check(&[("[systematics]\n", &change(systematic))]);
    }
}

/// Files of one side, and a process of two data sets of which one is varied.
#[test]
fn one_sided_and_of_a_part_of_a_process_too() {
    check(&[
        (
            "[systematics]\n",
            "[systematics]\nother = { files = { tt = \"tt_other.parquet\" }, one_sided = true }\n",
        ),
        (
            "wjets  = {",
            "more   = { files = \"tt_turned.parquet\", process = \"tt\", cross_section = \"100 pb\", generated = \"genWeight\" }\nwjets  = {",
        ),
    ]);
}

/// A network is trained and standardised on nominal events.
#[test]
fn with_a_network_too() {
    let mut change = crate::events::NETWORK.to_vec();
    change.push((
        "[systematics]\n",
        "[systematics]\nother = { files = { tt = \"tt_other.parquet\" } }\n",
    ));
    check(&change);
}

/// Norms and weights of one campaign of a process are shapes of it.
#[test]
fn of_campaigns_too() {
    check(&[
        (
            "[parameters]",
            "more = { files = \"tt_other.parquet\", process = \"tt\", campaign = \"b\", cross_section = \"400 pb\", generated = \"genWeight\" }\n\
             [campaigns.a]\nluminosity = \"12 /fb\"\n[campaigns.b]\nluminosity = \"9 /fb\"\n[parameters]",
        ),
        (
            "tt     = { files = \"tt.parquet\",",
            "tt     = { files = \"tt.parquet\", campaign = \"a\",",
        ),
        (
            "[systematics]\n",
            "[systematics]\n\
             lumi = { norm = { a = 0.2, b = [-0.1, 0.3] }, processes = \"tt\" }\n\
             tilt = { weight = \"1 + 0.0003 * (st - 500)\", campaigns = \"b\" }\n\
             scales = { vector = \"LHEScaleWeight\", members = [0, 1, 2], combine = \"envelope\", campaigns = \"a\" }\n",
        ),
    ]);
}

/// The values of an event are those of its fold, in a variation as in the nominal file.
#[test]
fn folds_of_a_variation_are_those_of_the_nominal_events() {
    let values = |cut: f64| [("met_cut".to_owned(), vec![cut])].into();
    let folds = Folds {
        seed: 1,
        values: vec![values(25.0), values(90.0)],
        told_apart: std::collections::BTreeMap::new(),
    };
    let change = (
        "[systematics]\n",
        "[systematics]\nturned = { files = { tt = \"tt_turned.parquet\" } }\n",
    );
    let run = |file: &AnalysisFile| {
        let results = file.run(&RunOptions::default(), &mut |_| true);
        results
            .unwrap_or_else(|e| panic!("{e}"))
            .expect("to its end")
    };
    let plain = read(&[change]);
    let tt = |results: &Results| {
        let place = results.processes.iter().position(|p| p == "tt");
        let (tt, filled) = (place.expect("there"), &results.histograms[0]);
        let (.., varied) = filled.variations.iter().find(|v| v.0 == 0).expect("varied");
        let varied = varied[tt].as_ref().expect("acts on it");
        (filled.nominal[tt].clone(), varied.clone())
    };
    let folded = plain.at_folds(&folds).unwrap_or_else(|e| panic!("{e}"));
    let (nominal, varied) = tt(&run(&folded));
    assert_eq!(nominal.entries, varied.entries);
    let unfolded = plain.at(&values(25.0)).unwrap_or_else(|e| panic!("{e}"));
    assert!(nominal.entries.iter().sum::<f64>() < tt(&run(&unfolded)).0.entries.iter().sum());
}
