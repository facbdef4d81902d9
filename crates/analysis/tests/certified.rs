//! Certified luminosity sections: observed events of others do not count, simulated ones all do.

use std::path::{Path, PathBuf};

use pullback_analysis::Error;
use pullback_analysis::file::{AnalysisFile, Certified};
use pullback_analysis::run::{Results, RunOptions};

const FILE: &str = r#"
[analysis]
certified = "golden.json"
[datasets.seen]
files = "seen.csv"
observed = true
[datasets.mc]
files = "seen.csv"
[regions.CR]
kind = "control"
cuts = ["met > 10"]
[histograms.met]
edges = [0, 20, 40]
"#;

const GOLDEN: &str = r#"{"1": [[1, 2], [5, 5]], "3": [[2, 4]]}"#;

fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("pullback-certified-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn run(folder: &Path, golden: &str, text: &str) -> Result<Results, Error> {
    std::fs::write(folder.join("golden.json"), golden).expect("writes");
    let file = AnalysisFile::from_text("a.toml", text, folder)?;
    let results = file.run(&RunOptions::default(), &mut |_| true)?;
    Ok(results.expect("it was not stopped"))
}

/// Runs, sections and a number of 300 events.
fn events() -> Vec<(u64, u64, f64)> {
    let each = 0..300_u64;
    each.map(|k| (1 + k % 4, 1 + (k / 4) % 6, (k % 37) as f64))
        .collect()
}

#[test]
fn observed_events_count_where_they_are_certified() {
    let folder = folder("run");
    let rows = events().into_iter();
    let rows = rows.map(|(run, section, met)| format!("{run},{section},{met}\n"));
    let csv: String = std::iter::once("run,luminosityBlock,met\n".to_owned())
        .chain(rows)
        .collect();
    std::fs::write(folder.join("seen.csv"), &csv).expect("writes");
    let results = run(&folder, GOLDEN, FILE).expect("runs");
    let by_hand = |certified: bool| {
        let mut sums = [0.0; 2];
        for (run, section, met) in events() {
            let good = matches!((run, section), (1, 1 | 2 | 5) | (3, 2..=4));
            if met > 10.0 && (good || !certified) {
                sums[usize::from(met >= 20.0)] += 1.0;
            }
        }
        sums
    };
    let filled = results.histogram(0, 0).expect("filled");
    assert_eq!(filled.observed.as_ref().expect("seen").sums, by_hand(true));
    assert_eq!(filled.nominal[0].sums, by_hand(false));
    assert!(by_hand(true)[0] > 5.0 && by_hand(true) != by_hand(false));
    // The cutflow begins with what is certified.
    let steps = results.observed[0].as_ref().expect("seen");
    assert_eq!(
        steps[0],
        events()
            .iter()
            .filter(|e| matches!((e.0, e.1), (1, 1 | 2 | 5) | (3, 2..=4)))
            .count() as f64
    );
    // Without a list all of them count.
    let all = run(&folder, GOLDEN, &FILE.replace("certified", "title")).expect("runs");
    assert_eq!(
        all.histogram(0, 0)
            .and_then(|h| h.observed.as_ref())
            .expect("seen")
            .sums,
        by_hand(false)
    );
    // No event at all is no mistake.
    let none = run(&folder, r#"{"77": [[1, 9]]}"#, FILE).expect("runs");
    assert_eq!(
        none.histogram(0, 0)
            .and_then(|h| h.observed.as_ref())
            .expect("seen")
            .sums,
        [0.0, 0.0]
    );

    std::fs::write(
        folder.join("seen.csv"),
        csv.replace("luminosityBlock", "ls"),
    )
    .expect("writes");
    let error = run(&folder, GOLDEN, FILE).expect_err("no sections");
    assert_eq!(error.code(), "PB0812");
    assert!(
        error
            .to_string()
            .contains("the column `luminosityBlock` is not in the data set `seen`"),
        "{error}"
    );
    std::fs::write(
        folder.join("seen.csv"),
        "run,luminosityBlock,met\n-1,2,20\n",
    )
    .expect("writes");
    let error = run(&folder, GOLDEN, FILE)
        .expect_err("a negative run")
        .to_string();
    assert!(error.contains("the column `run` is negative"), "{error}");
    let error = run(&folder, GOLDEN, &FILE.replace("golden", "gone")).expect_err("gone");
    assert_eq!(error.code(), "PB0814");
    std::fs::remove_dir_all(&folder).expect("removes");
}

#[test]
fn lists_that_are_none_are_refused() {
    for (text, words) in [
        ("[]", "the file has no runs"),
        ("{", "the file is not JSON"),
        (r#"{"a": [[1, 2]]}"#, "`a` is no number of a run"),
        (
            r#"{"1": [[2, 1]]}"#,
            "[2,1] of run 1 is no range of sections",
        ),
        (r#"{"1": [[1, 2, 3]]}"#, "[1,2,3] of run 1 is no range"),
        (r#"{"1": [1]}"#, "1 of run 1 is no range"),
        (r#"{"1": []}"#, "run 1 has no range"),
        (r#"{"1": 3}"#, "run 1 has no range"),
        (
            r#"{"1": [[4, 9], [1, 4]]}"#,
            "the ranges [1, 4] and [4, 9] of run 1 overlap",
        ),
    ] {
        let error = Certified::from_text("golden.json", text).expect_err(words);
        assert_eq!(error.code(), "PB0819");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.help().contains("273158"));
    }
}
