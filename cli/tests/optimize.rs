//! `optimize` and `demo`: from generated events to cuts, bins and a network.

mod common;

use common::Folder;
use serde_json::Value;

/// A small demo in a folder.
fn demo() -> (Folder, common::Run) {
    let folder = Folder::new();
    let run = folder.run_wide(&["demo", "--size", "0.1"], "", 100);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (folder, run)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_demo_goes_from_events_to_a_better_limit_and_can_be_gone_on_with() {
    let (folder, run) = demo();
    let widest = run.stdout.lines().map(|l| l.chars().count()).max();
    assert!(
        widest <= Some(100) || !run.stdout.contains('│'),
        "{}",
        run.stdout
    );
    for words in [
        "expected limit",
        "exact, before",
        "exact, after",
        "lep_cut",
        "edge 1 of score",
        "number of simulated events",
        "Report: ",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(folder.files(), ["pullback-demo", "pullback-demo.html"]);
    let outcome = json(&folder.read("pullback-demo/out/outcome.json"));
    assert_eq!(outcome["objective"], "expected limit");
    assert!(outcome["after"][1]["value"].as_f64() <= outcome["before"][1]["value"].as_f64());
    assert_eq!(outcome["networks"][0][0], "nn");
    // Nothing is overwritten.
    let again = folder.run(&["demo"], "");
    assert_eq!(again.code, Some(2));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );

    // The analysis at the optimum gives the workspace that was written.
    let at = [
        "run",
        "pullback-demo/analysis.toml",
        "--at",
        "pullback-demo/out/optimum.json",
        "-o",
        "again",
    ];
    let run = folder.run(&at, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        folder.read("again/workspace.json"),
        folder.read("pullback-demo/out/workspace.json")
    );
    let fit = folder.run(
        &["fit", "again/workspace.json", "--asimov", "0", "--json"],
        "",
    );
    assert_eq!(json(&fit.stdout)["converged"], true);

    // Other values are refused by name.
    folder.write("other.json", "{\"lap_cut\": [30.0]}");
    let run = folder.run(
        &["run", "pullback-demo/analysis.toml", "--at", "other.json"],
        "",
    );
    assert_eq!(run.code, Some(3));
    assert!(
        run.stderr.contains("did you mean `lep_cut`"),
        "{}",
        run.stderr
    );
}

#[test]
fn results_are_the_same_for_any_number_of_threads_and_go_to_a_folder() {
    let (folder, _) = demo();
    let text = folder.read("pullback-demo/analysis.toml");
    folder.write(
        "pullback-demo/short.toml",
        format!("{text}steps = 6\npretrain = 5\n"),
    );
    let run = |threads: &str| {
        let args = [
            "optimize",
            "pullback-demo/short.toml",
            "--json",
            "--threads",
            threads,
        ];
        let run = folder.run(&args, "");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let mut found = json(&run.stdout);
        found["seconds"] = Value::Null;
        found
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one["history"].as_array().map(Vec::len), Some(6));

    let args = ["optimize", "pullback-demo/short.toml", "-o", "out"];
    let run = folder.run(&args, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("next: pullback fit out/workspace.json"));
    let again = folder.run(&args, "");
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    let resumed = folder.run(&[&args[..], &["--resume"]].concat(), "");
    assert_eq!(resumed.code, Some(3));
    assert!(
        resumed.stderr.contains("checkpoint.json"),
        "{}",
        resumed.stderr
    );
}

#[test]
fn folds_are_trained_one_after_the_other_and_a_run_gives_each_event_its_own() {
    let (folder, _) = demo();
    let text = folder.read("pullback-demo/analysis.toml");
    let short = format!("{text}steps = 4\npretrain = 5\nfolds = 2\nbatches = 2\n");
    folder.write("pullback-demo/folds.toml", short);
    let args = ["optimize", "pullback-demo/folds.toml", "-o", "folds"];
    let page = ["--json", "--report", "folds.html"];
    let run = folder.run(&[&args[..], &page[..]].concat(), "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let found = json(&run.stdout);
    assert_eq!(found["folds"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["folds"][1]["batches"]["count"], 2);
    let [before, after] = [0, 1].map(|k| found["all_events"][k]["value"].as_f64());
    assert!(before > Some(0.0) && after > Some(0.0), "{found}");
    assert!(
        folder
            .read("folds.html")
            .contains("each judged by what was learned without it")
    );
    let at = [
        "run",
        "pullback-demo/folds.toml",
        "--at",
        "folds/optimum.json",
        "-o",
        "again",
    ];
    let run = folder.run(&at, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        folder.read("again/workspace.json"),
        folder.read("folds/workspace.json")
    );
}

#[test]
fn a_file_without_free_quantities_is_refused() {
    let folder = Folder::new();
    folder.write("a.toml", include_str!("data/dilepton.toml"));
    let run = folder.run(&["optimize", "a.toml"], "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    assert!(
        run.stderr.contains("PB0820") && run.stderr.contains("[optimize]"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_analysis_of_the_readme_is_that_of_the_demo_and_short() {
    let demo = include_str!("../src/verbs/demo.toml");
    assert!(include_str!("../../README.md").contains(demo));
    assert!(demo.lines().count() <= 100);
}
