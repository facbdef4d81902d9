//! `data inspect`: what people and machines see of a file of events, and what is said of bad ones.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Folder, Run};
use serde_json::Value;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/io/tests/data")
        .join(name)
}

/// Runs in a folder with copies of the files, so that their paths are short.
fn run(args: &[&str], columns: usize) -> Run {
    let folder = Folder::new();
    for name in [
        "muons_zlib.root",
        "ntuple_zlib.root",
        "histograms.root",
        "cycles.root",
    ] {
        fs::copy(file(name), folder.path().join(name)).unwrap();
    }
    let run = folder.run_wide(args, "", columns);
    let widest = run.stdout.lines().map(|l| l.chars().count()).max();
    let for_people = !args.contains(&"--json");
    assert!(
        widest <= Some(columns.max(80)) || !for_people,
        "{}",
        run.stdout
    );
    run
}

#[test]
fn a_tree_and_its_columns() {
    let run = run(
        &["data", "inspect", "muons_zlib.root", "--tree", "Events"],
        80,
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn two_trees_are_listed_without_columns() {
    let run = run(&["data", "inspect", "muons_zlib.root"], 80);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("runs/Runs") && !run.stdout.contains("Columns of"));
}

#[test]
fn an_ntuple_with_chosen_columns() {
    let args = [
        "data",
        "inspect",
        "ntuple_zlib.root",
        "--columns",
        "muons.*,hits",
    ];
    let run = run(&args, 80);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout);
}

/// `Events;1` has three entries, `Events;2` has five; without a number it is the newest.
#[test]
fn versions_of_a_tree_are_told_apart() {
    for (tree, entries) in [(None, 5), (Some("Events;1"), 3), (Some("Events;2"), 5)] {
        let mut args = vec!["data", "inspect", "cycles.root", "--json"];
        args.extend(tree.map(|_| "--tree").into_iter().chain(tree));
        let run = run(&args, 80);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        let tables = json["tables"].as_array().unwrap();
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0]["entries"], entries, "{tree:?}");
        assert!(tables[0]["columns"].is_array());
    }
}

#[test]
fn histograms() {
    let run = run(&["data", "inspect", "histograms.root"], 80);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn json_has_columns_and_levels() {
    let run = run(&["data", "inspect", "ntuple_zlib.root", "--json"], 80);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let table = &json["tables"][0];
    assert_eq!(
        (table["kind"].as_str(), table["entries"].as_u64()),
        (Some("ntuple"), Some(250))
    );
    let columns = table["columns"].as_array().unwrap();
    let hits = columns.iter().find(|c| c["name"] == "hits").unwrap();
    assert_eq!(hits["levels"], serde_json::json!(["list", "list"]));
    assert_eq!(hits["dtype"], "f64");
    assert!(hits["bytes"].as_u64() > hits["compressed_bytes"].as_u64().map(|n| n / 2));
}

#[test]
fn parquet_and_csv_have_columns_too() {
    let folder = Folder::new();
    fs::copy(
        file("table_zstd.parquet"),
        folder.path().join("table.parquet"),
    )
    .unwrap();
    folder.write("masses.csv", "Run,M\n1,91.2\n2,\n");
    let inspect = |name: &str, more: &[&str]| {
        let run = folder.run(&[&["data", "inspect", name, "--json"], more].concat(), "");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let parquet = inspect("table.parquet", &["--columns", "muons.*"]);
    assert_eq!(parquet["format"], "parquet");
    let table = &parquet["tables"][0];
    assert_eq!(
        (&table["entries"], &table["compression"][0]),
        (&300.into(), &"zstd".into())
    );
    let columns = table["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 2);
    assert_eq!(
        columns[0]["levels"],
        serde_json::json!(["option", "list", "option"])
    );
    let csv = inspect("masses.csv", &[]);
    assert_eq!(csv["tables"][0]["columns"][1]["levels"][0], "option");
    let text = folder.run(&["data", "inspect", "masses.csv"], "");
    assert!(
        text.stdout.contains("Columns of rows") && text.stdout.contains("f64?"),
        "{}",
        text.stdout
    );
    let wrong = folder.run(
        &["data", "inspect", "table.parquet", "--tree", "Events"],
        "",
    );
    assert_eq!(
        (wrong.code, wrong.stderr.contains("`rows`")),
        (Some(2), true),
        "{}",
        wrong.stderr
    );
}

#[test]
fn bad_input_has_its_code_and_help() {
    for (args, code, texts) in [
        (
            &["muons_zlib.root", "--tree", "Event"][..],
            2,
            ["PB0509", "`Events`"],
        ),
        (
            &[
                "muons_zlib.root",
                "--tree",
                "Events",
                "--columns",
                "Muon_pT",
            ],
            2,
            ["PB0510", "`Muon_pt`"],
        ),
        (
            &["muons_zlib.root", "--columns", "Muon_pt"],
            2,
            ["PB0909", "`Events`, `runs/Runs`"],
        ),
        (
            &["histograms.root", "--columns", "x"],
            2,
            ["PB0909", "leave --columns out"],
        ),
        (
            &["cycles.root", "--tree", "Events;3"],
            2,
            ["PB0509", "Events"],
        ),
        (&["nothing.root"], 3, ["PB0501", "nothing.root"]),
        (&["."], 3, ["PB0501", "regular file"]),
    ] {
        let run = run(&[&["data", "inspect"], args].concat(), 80);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(code), ""),
            "{args:?}"
        );
        for text in texts {
            assert!(run.stderr.contains(text), "{args:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_file_that_was_cut_short_is_an_error_with_its_place() {
    let folder = Folder::new();
    let bytes = fs::read(file("muons_zlib.root")).unwrap();
    folder.write("cut.root", &bytes[..bytes.len() / 2]);
    let run = folder.run_wide(&["data", "inspect", "cut.root"], "", 80);
    assert_eq!(run.code, Some(3), "{}", run.stdout);
    assert!(
        run.stderr.contains("PB0504") && run.stderr.contains("cut.root"),
        "{}",
        run.stderr
    );
}
