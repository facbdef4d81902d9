//! Bad input of an optimisation: one clear error each.

use pullback_analysis::Error;
use pullback_analysis::optimize::{Options, Part, Problem};

use crate::events::read;

/// The error of opening or of the first step.
fn refused(change: &[(&str, &str)]) -> Error {
    let file = read(change);
    match Problem::open(&file, &Options::default(), &mut |_, _| true) {
        Err(error) => error,
        Ok(problem) => {
            let mut problem = problem.expect("not stopped");
            let mut state = problem.begin().expect("inside");
            if let Err(error) = problem.train(&mut state, &mut |_| false) {
                return error;
            }
            let x = problem.start().to_vec();
            problem.quote(Part::Test, &x).expect_err("refused")
        }
    }
}

#[test]
fn each_mistake_has_its_message() {
    for (change, words) in [
        (("\"MET.pt > met_cut\"", "\"MET.ptt > met_cut\""), "ptt"),
        (
            ("\"count(mu) == 1\"", "\"count(mu) == 50\""),
            "no event of any process passes the cuts that do not move",
        ),
        (
            (
                "weight     = \"genWeight\"",
                "weight     = \"genWeight / 0\"",
            ),
            "some weights of `zprime` are NaN or infinite",
        ),
        (("\"ht > ht_cut\"", "\"ht + 1 GeV\""), "expected"),
    ] {
        let error = refused(&[change]);
        println!("{error}\n  {}", error.help());
        assert!(error.to_string().contains(words), "{change:?}: {error}");
    }
}
