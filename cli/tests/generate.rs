//! `generate`: the events of the generator as Parquet, whole or not at all.

mod common;

use std::sync::Arc;

use common::Folder;
use pullback_io::parquet::Parquet;
use pullback_io::{Axis, Column, Table, Values};
use pullback_sim::{ColumnData, Generator, Process};
use serde_json::Value;

fn read(folder: &Folder, name: &str) -> Vec<(String, Column)> {
    let file = Parquet::open(folder.path().join(name)).unwrap();
    let fields = file.schema().fields();
    let all: Vec<usize> = (0..fields.len()).collect();
    let columns = file.read(&all, 0..file.entries()).unwrap();
    let names = fields.iter().map(|f| f.name.clone());
    names.zip(columns).collect()
}

#[test]
fn the_file_holds_the_events_of_the_generator() {
    let folder = Folder::new();
    let run = folder.run(
        &[
            "generate",
            "TTbar",
            "-n",
            "700",
            "--seed",
            "7",
            "--first",
            "100",
            "--truth",
            "-o",
            "a.parquet",
            "--row-group",
            "300",
        ],
        "",
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(
        run.stdout
            .contains("700 events of TTbar (seed 7, ids 100 to 799)"),
        "{}",
        run.stdout
    );
    let mut generator = Generator::new(Process::TTbar, 7).unwrap().keep_truth(true);
    let events = generator.generate(100, 700).unwrap();
    let read = read(&folder, "a.parquet");
    let expected = events.columns();
    assert_eq!(read.len(), expected.len());
    for ((name, column), expected) in read.iter().zip(expected) {
        assert_eq!(name, expected.info.name);
        let values = match expected.data {
            ColumnData::F32(list) => Values::F32(list.to_vec()),
            ColumnData::I32(list) => Values::I32(list.to_vec()),
            ColumnData::I64(list) => Values::I64(list.to_vec()),
            ColumnData::U64(list) => Values::U64(list.to_vec()),
            ColumnData::Bool(list) => Values::Bool(list.to_vec()),
        };
        let lists = expected.offsets.map(|o| Axis::List(Arc::new(o.to_vec())));
        let expected = Column::new(700, lists.into_iter().collect(), values).unwrap();
        assert_eq!(column, &expected, "{name}");
    }
}

#[test]
fn row_groups_and_compression_change_no_event() {
    let folder = Folder::new();
    let base = [
        "generate",
        "ZPrimeToTT(1000, 10)",
        "-n",
        "250",
        "--json",
        "-o",
    ];
    let mut all = Vec::new();
    for (name, more) in [
        ("a.parquet", &[][..]),
        (
            "b.parquet",
            &["--row-group", "64", "--compression", "snappy"],
        ),
        (
            "c.parquet",
            &["--row-group", "1000", "--compression", "none"],
        ),
    ] {
        let run = folder.run(&[&base[..], &[name], more].concat(), "");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let summary: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(summary["events"], 250);
        assert_eq!(summary["process"], "ZPrimeToTT(1000, 10)");
        let groups = if name == "b.parquet" { 4 } else { 1 };
        assert_eq!(summary["row_groups"], groups);
        let bytes = std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert_eq!(summary["bytes"], bytes);
        all.push(read(&folder, name));
    }
    assert!(all[0] == all[1] && all[0] == all[2]);
    assert_eq!(folder.files(), ["a.parquet", "b.parquet", "c.parquet"]);
}

#[test]
fn no_events_are_a_file_without_rows() {
    let folder = Folder::new();
    let run = folder.run(&["generate", "ZToLL", "-n", "0", "-o", "none.parquet"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let read = read(&folder, "none.parquet");
    assert!(read.len() > 40 && read.iter().all(|(_, column)| column.is_empty()));
}

#[test]
fn bad_requests_write_nothing() {
    let folder = Folder::new();
    folder.write("kept.parquet", "as it was");
    for (args, code, texts) in [
        (&["Z", "-n", "1"][..], 2, ["PB0705", "ZToLL"]),
        (
            &["ZPrimeToTT(1000, x)", "-n", "1"],
            2,
            ["PB0706", "`x` is no number"],
        ),
        (
            &["ZPrimeToTT(100, 1)", "-n", "1"],
            2,
            ["PB0701", "between 410 and 6000"],
        ),
        (
            &["ZToLL", "-n", "2", "--first", "18446744073709551615"],
            2,
            ["PB0704", "2^64"],
        ),
        (
            &["ZToLL", "-n", "1", "--row-group", "0"],
            2,
            ["--row-group", "0"],
        ),
    ] {
        let run = folder.run(&[&["generate"], args, &["-o", "kept.parquet"]].concat(), "");
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(code), ""),
            "{args:?}"
        );
        for text in texts {
            assert!(run.stderr.contains(text), "{args:?}: {}", run.stderr);
        }
        assert_eq!(folder.files(), ["kept.parquet"], "{args:?}");
        assert_eq!(folder.read("kept.parquet"), "as it was");
    }
    let run = folder.run(
        &["generate", "ZToLL", "-n", "1", "-o", "no/where.parquet"],
        "",
    );
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("PB0906"), "{}", run.stderr);
}

/// A device without room: the error of the sink has its name, and nothing is left.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::new();
    let run = folder.run(&["generate", "ZToLL", "-n", "1000", "-o", "/dev/full"], "");
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(
        run.stderr.contains("PB0907") && run.stderr.contains("/dev/full"),
        "{}",
        run.stderr
    );
    assert!(folder.files().is_empty());
}

/// Ctrl-C in the middle: the temporary file is gone, and what was there stays.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = Folder::new();
    folder.write("kept.parquet", "as it was");
    let mut child = folder
        .command(&[
            "generate",
            "TTbar",
            "-n",
            "1000000000",
            "-o",
            "kept.parquet",
            "--row-group",
            "500",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Until it writes, for a minute at most.
    for _ in 0..600 {
        if folder.files().len() > 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(folder.files().len(), 2);
    let kill = ["-INT".to_owned(), child.id().to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(
        status.code() == Some(130) && status.signal().is_none(),
        "{status:?}"
    );
    assert_eq!(folder.files(), ["kept.parquet"]);
    assert_eq!(folder.read("kept.parquet"), "as it was");
}
