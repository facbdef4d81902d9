//! CSV files: types, missing cells, ranges, chunks, and the way there and back.

mod common;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::mutation::{LIMITS, Rng, checked, mutate, setting};
use common::{check_shape, shared};
use pullback_io::csv::{Csv, Writer};
use pullback_io::{
    Axis, Column, DType, Dataset, Field, Level, Limits, Options, Source, Strings, Table, Values,
};

fn csv(text: &str) -> Result<Csv, pullback_io::Error> {
    Csv::new(Source::from_bytes("rows.csv", text.as_bytes()))
}

fn columns(rows: usize) -> (Vec<Field>, Vec<Column>) {
    let mut labels = Strings::default();
    for k in 0..rows {
        labels
            .push(["", "plain", "a,b", "\"quoted\"", "two\nlines", "ends in\r"][k % 6].as_bytes());
    }
    let present: Vec<bool> = (0..rows).map(|k| k % 3 > 0).collect();
    let some: Vec<f64> = (0..rows)
        .filter(|k| k % 3 > 0)
        .map(|k| k as f64 / 7.0 - 100.0)
        .collect();
    let fields = vec![
        Field::new("event", DType::U64, &[]),
        Field::new("n", DType::I64, &[]),
        Field::new("x, y", DType::F64, &[]),
        Field::new("maybe", DType::F64, &[Level::Option]),
        Field::new("flag", DType::Bool, &[]),
        Field::new("label", DType::Str, &[]),
    ];
    let columns = vec![
        Column::flat(Values::U64(
            (0..rows).map(|k| u64::MAX - k as u64).collect(),
        )),
        Column::flat(Values::I64((0..rows).map(|k| k as i64 - 5000).collect())),
        Column::flat(Values::F64(
            (0..rows).map(|k| (k as f64 - 9.0) * 1e-3).collect(),
        )),
        Column::new(
            rows,
            vec![Axis::Option(Arc::new(present))],
            Values::F64(some),
        )
        .expect("it fits"),
        Column::flat(Values::Bool((0..rows).map(|k| k % 2 == 0).collect())),
        Column::flat(Values::Str(labels)),
    ];
    (fields, columns)
}

fn text(rows: usize) -> (Vec<Field>, Vec<Column>, Vec<u8>) {
    let (fields, columns) = columns(rows);
    let mut writer = Writer::new(Vec::new(), &fields).expect("it can be written");
    writer.write(&columns).expect("it fits");
    let text = writer.finish().expect("memory takes bytes");
    (fields, columns, text)
}

#[test]
fn csv_that_is_written_is_read() {
    let (fields, columns, text) = text(10_000);
    let file = Csv::new(Source::from_bytes("rows.csv", text)).expect("it is whole");
    assert_eq!(file.entries(), 10_000);
    let all: Vec<usize> = (0..fields.len()).collect();
    for (found, expected) in file.schema().fields().iter().zip(&fields) {
        assert_eq!(
            (&found.name, found.shape()),
            (&expected.name, expected.shape())
        );
    }
    for (start, end) in [
        (0, 10_000),
        (0, 0),
        (4095, 4097),
        (4096, 8192),
        (9_999, 10_000),
        (10_000, 10_000),
    ] {
        let read = file.read(&all, start..end).expect("it is whole");
        for ((read, whole), field) in read.into_iter().zip(&columns).zip(&fields) {
            check_shape(&field.name, &read);
            let slice = whole.clone().slice(start as usize..end as usize);
            assert_eq!(read, slice, "{field} {start} {end}");
        }
    }
}

#[test]
fn chunks_of_csv_files_are_the_whole() {
    let (_, columns, text) = text(9000);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("chunks.csv");
    std::fs::write(&path, text).expect("it can be written");
    let options = Options {
        chunk_bytes: 50_000,
        ..Options::default()
    };
    let pattern = path.display().to_string();
    let data = Dataset::with_options(&[&pattern, &pattern], options).expect("it is there");
    assert_eq!(data.entries(), 18_000);
    let mut pieces = Vec::new();
    for chunk in data.chunks(&["n"]).expect("it is there") {
        let chunk = chunk.expect("it is whole");
        assert!(chunk.bytes() < 100_000);
        pieces.extend(chunk.columns);
    }
    assert!(pieces.len() >= 4);
    let twice = Column::concat(vec![columns[1].clone(), columns[1].clone()]);
    assert_eq!(Column::concat(pieces), twice);
}

#[test]
fn bad_rows_are_named() {
    let ragged = csv("a,b\n1,2\n3\n").expect_err("a cell is missing");
    let (code, text) = (ragged.code(), ragged.to_string());
    assert_eq!(code, "PB0503");
    assert!(
        text.contains("rows.csv") && text.contains("row 2 has 1 cells") && text.contains("byte 8"),
        "{text}"
    );
    assert_eq!(csv("").expect_err("no names").code(), "PB0502");
    assert_eq!(csv("a\n\"1\n").expect_err("an open quote").code(), "PB0503");
    let limits = Limits {
        object_bytes: 100,
        ..Limits::default()
    };
    let long = format!("a\n{}\n", "1".repeat(200));
    let long = Csv::with_limits(Source::from_bytes("long.csv", long.into_bytes()), limits);
    assert_eq!(long.expect_err("a long row").code(), "PB0505");
    let lists = Writer::new(Vec::new(), &[Field::new("x", DType::F64, &[Level::List])]);
    assert_eq!(lists.map(|_| ()).expect_err("lists").code(), "PB0518");
    // Names alone are a table without rows.
    let none = csv("a,b\n").expect("it is whole");
    assert_eq!((none.entries(), none.schema().fields().len()), (0, 2));
    assert!(none.column("a").expect("it is there").is_empty());
}

#[test]
fn memory_of_csv_is_limited() {
    let (_, _, text) = text(5000);
    let limits = Limits {
        chunk_bytes: 1000,
        ..Limits::default()
    };
    let file = Csv::with_limits(Source::from_bytes("rows.csv", text), limits).expect("it is whole");
    assert_eq!(file.column("n").expect_err("40 kB").code(), "PB0505");
}

/// The masses of the file are those of its momenta: M² = (E₁ + E₂)² − (p₁ + p₂)².
#[test]
fn masses_of_open_data_are_those_of_the_momenta() {
    let Some(path) = shared("cms-education-csv/Zmumu_Run2011A_masses.csv") else {
        return;
    };
    let data = Dataset::open(&[path.display().to_string()]).expect("it is there");
    assert_eq!(data.entries(), 10_851);
    let names = ["M", "E1", "px1", "py1", "pz1", "E2", "px2", "py2", "pz2"];
    let chunk = data.read(&names, 0..10_851).expect("it is whole");
    let numbers: Vec<&[f64]> = chunk
        .columns
        .iter()
        .map(|column| match column.values() {
            Values::F64(list) => list.as_slice(),
            other => panic!("{}", other.dtype()),
        })
        .collect();
    let mut worst: f64 = 0.0;
    for (k, mass) in numbers[0].iter().enumerate() {
        let at = |c: usize| numbers[c][k];
        let sum = |c: usize| at(c) + at(c + 4);
        let square = sum(1).powi(2) - sum(2).powi(2) - sum(3).powi(2) - sum(4).powi(2);
        worst = worst.max((square.sqrt() - mass).abs());
    }
    // Six digits of energies up to a few hundred GeV.
    assert!(worst < 0.1, "{worst}");
    let types = chunk.column("M").map(Column::dtype);
    assert_eq!(types, Some(DType::F64));
    assert_eq!(
        data.schema().field("Type1").map(Field::shape).as_deref(),
        Some("str")
    );
    assert_eq!(
        data.schema().field("Event").map(Field::shape).as_deref(),
        Some("i64")
    );
}

/// Whatever the bytes, an error or columns of the right shape; `cargo xtask fuzz` runs it for longer.
#[test]
fn fuzz_mutated_csv_files() {
    let time = Duration::from_secs(setting("PULLBACK_FUZZ_SECONDS", 1));
    let mut rng = Rng(setting("PULLBACK_FUZZ_SEED", 1).max(1));
    let (_, _, text) = text(200);
    let (mut inputs, mut readable) = (0, 0);
    let start = Instant::now();
    while start.elapsed() < time {
        let mut bytes = text.clone();
        mutate(&mut bytes, &mut rng);
        inputs += 1;
        let Ok(file) = Csv::with_limits(Source::from_bytes("fuzz.csv", bytes), LIMITS) else {
            continue;
        };
        let all: Vec<usize> = (0..file.schema().fields().len()).collect();
        let good = checked(file.read(&all, 0..file.entries()));
        assert!(good, "what was opened can be read");
        readable += 1;
    }
    println!("{inputs} inputs, {readable} readable");
    assert!(readable > 5 && readable < inputs);
}
