//! What becomes of variations on the way to the workspace: one-sided, pruned, smoothed.

use std::path::{Path, PathBuf};

use pullback_analysis::Error;
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions, Shift};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data")
}

const FILE: &str = r#"
[datasets.a]
files = "muons_none.root:Events"
[columns]
lead = "default(max(Muon.pt), 0)"
[regions.SR]
cuts = ["lead > 10"]
[histograms.lead]
edges = [10, 20, 25, 30, 35, 40, 50, 1000]
[systematics]
rate = { weight = "1.002" }
tilt = { weight = "1 + 0.001 * (lead - 30)" }
bump = { weight = "1.3 if 25 < lead < 30 else 1", one_sided = true }
[fit]
signal = "a"
channels = { SR = "lead" }
"#;

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, &folder())
}

fn run(text: &str) -> Results {
    let results = read(text).and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
    results
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("to its end")
}

fn modifier(results: &Results, name: &str, kind: &str) -> Option<Value> {
    let workspace = results.workspace().expect("a fit");
    let all = workspace["channels"][0]["samples"][0]["modifiers"].clone();
    let found = all.as_array().expect("a list").iter();
    let mut found = found.filter(|m| m["name"] == name && m["type"] == kind);
    found.next().map(|m| m["data"].clone())
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array()
        .expect("a list")
        .iter()
        .map(|x| x.as_f64().expect("a number"))
        .collect()
}

#[test]
fn the_other_side_of_one_sided_variations_is_nominal() {
    let results = run(FILE);
    let filled = results.histogram(0, 0).expect("filled");
    let nominal = &filled.nominal[0].sums;
    let down = filled
        .variations
        .iter()
        .find(|v| (v.0, v.1) == (2, Shift::Down))
        .expect("it has one");
    assert_eq!(&down.2[0].as_ref().expect("acts").sums, nominal);
    let factor = modifier(&results, "bump", "normsys").expect("there");
    assert_eq!(factor["lo"], 1.0);
    assert!(factor["hi"].as_f64().expect("a number") > 1.01);
    // Without the word it is mirrored.
    let mirrored = run(&FILE.replace(", one_sided = true", ""));
    let factor = modifier(&mirrored, "bump", "normsys").expect("there");
    let [hi, lo] = ["hi", "lo"].map(|k| factor[k].as_f64().expect("a number"));
    assert!((hi - 1.0 + lo - 1.0).abs() < 1e-12 && lo < 0.99);
}

#[test]
fn what_is_small_is_left_out() {
    let all = run(FILE);
    for (name, kind) in [
        ("rate", "normsys"),
        ("tilt", "normsys"),
        ("tilt", "histosys"),
        ("bump", "histosys"),
    ] {
        assert!(modifier(&all, name, kind).is_some(), "{name} {kind}");
    }
    let pruned = run(&FILE.replace("[fit]", "[fit]\nprune = { norm = 0.01, shape = 0.01 }"));
    assert!(modifier(&pruned, "rate", "normsys").is_none());
    assert!(
        modifier(&pruned, "tilt", "histosys").is_some(),
        "its last bin changes by more"
    );
    assert!(modifier(&pruned, "bump", "histosys").is_some());
    let pruned = run(&FILE.replace("[fit]", "[fit]\nprune = { shape = 0.9 }"));
    assert!(modifier(&pruned, "bump", "histosys").is_none());
    assert_eq!(
        modifier(&pruned, "bump", "normsys"),
        modifier(&all, "bump", "normsys")
    );
}

/// Smoothing takes the bump away and keeps its yield; what it is not asked for stays.
#[test]
fn shapes_are_smoothed_at_their_yield() {
    let (all, smooth) = (
        run(FILE),
        run(&FILE.replace("[fit]", "[fit]\nsmooth = 'b*'")),
    );
    let factor = |r: &Results| {
        modifier(r, "bump", "normsys").expect("there")["hi"]
            .as_f64()
            .expect("a number")
    };
    assert!((factor(&all) - factor(&smooth)).abs() < 1e-12);
    assert_eq!(
        modifier(&all, "tilt", "histosys"),
        modifier(&smooth, "tilt", "histosys")
    );
    let nominal = &all.histogram(0, 0).expect("filled").nominal[0].sums;
    let largest = |r: &Results| {
        let Some(shape) = modifier(r, "bump", "histosys") else {
            return 0.0;
        };
        let changes = numbers(&shape["hi_data"]).into_iter().zip(nominal);
        changes
            .map(|(v, n)| (v / n - 1.0).abs())
            .fold(0.0, f64::max)
    };
    // A single bin among seven equal ones is no shape for a median.
    assert!(
        largest(&all) > 0.15 && largest(&smooth) < 1e-9,
        "{} {}",
        largest(&all),
        largest(&smooth)
    );
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, words) in [
        (
            "[fit]",
            "[fit]\nsmooth = 'bumb'",
            "there is no systematic `bumb`; did you mean `bump`? (a.toml, fit.smooth, line 15",
        ),
        (
            "[fit]",
            "[fit]\nsmooth = 'x*'",
            "no systematic that varies shapes fits to `x*`",
        ),
        (
            "[fit]",
            "lumi = { norm = 0.1 }\n[fit]\nsmooth = 'lumi'",
            "`lumi` changes yields, which have no shape",
        ),
        (
            "[fit]",
            "[fit]\nprune = { norm = 2 }",
            "2 is no small part of a yield",
        ),
        (
            "[fit]",
            "[fit]\nprune = { norms = 0 }",
            "did you mean `norm`?",
        ),
        (
            "\"1.002\"",
            "[\"1.002\", \"0.998\"], one_sided = true",
            "a variation with two factors has two sides",
        ),
        (
            "rate = { weight = \"1.002\" }",
            "rate = { norm = 0.1, one_sided = true }",
            "only a weight of one factor, or files of one side, are one-sided by a word",
        ),
    ] {
        assert!(FILE.contains(from), "{from}");
        let error = read(&FILE.replacen(from, to, 1))
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
}
