//! Parquet files equal what pyarrow reads (`scripts/make_parquet_files.py` made files and reference), and pyarrow reads what is written here.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use common::mutation::Rng;
use common::{Sums, check_shape, own, shared, sums};
use pullback_io::parquet::{Codec, Parquet, WriteOptions, Writer};
use pullback_io::{
    Axis, Column, DType, Dataset, Field, Level, Options, Source, Strings, Table, Values,
};
use serde_json::{Value, json};

fn reference(name: &str) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(own(name)).expect("the reference can be read");
    serde_json::from_str(&text).expect("the reference is JSON")
}

/// Whether a column has the sums of the reference; says what differs.
fn differs(expected: &Value, column: &Column) -> Option<String> {
    let missing = |axis: &Axis| match axis {
        Axis::Option(present) => present.iter().filter(|p| !**p).count(),
        _ => 0,
    };
    let children = |axis: &Axis| match axis {
        Axis::List(offsets) => offsets.last().map(|n| *n as u64),
        _ => None,
    };
    let missing: usize = column.axes().iter().map(missing).sum();
    let lists: Vec<u64> = column.axes().iter().filter_map(children).collect();
    let mut expected_lists: Vec<u64> = expected["lists"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    expected_lists.resize(lists.len(), 0);
    let number = |key: &str| expected[key].as_f64().unwrap_or(0.0);
    let integer = |key: &str| expected[key].as_str().and_then(|t| t.parse::<i128>().ok());
    let (count, close) = match sums(column.values()) {
        Sums::Integers {
            count,
            sum,
            weighted,
        } => (
            count,
            integer("sum") == Some(sum) && integer("weighted") == Some(weighted),
        ),
        Sums::Floats {
            count,
            sum,
            weighted,
            magnitude,
            ..
        } => (
            count,
            (sum - number("sum")).abs() <= 1e-12 * magnitude
                && (weighted - number("weighted")).abs() <= 1e-9 * magnitude,
        ),
    };
    let same = expected["entries"].as_u64() == Some(column.len() as u64)
        && expected["missing"].as_u64() == Some(missing as u64)
        && expected["leaves"].as_u64() == Some(count as u64)
        && expected_lists == lists
        && close;
    (!same).then(|| {
        let found = sums(column.values());
        format!(
            "{} entries, {missing} missing, lists {lists:?}, {found:?}, expected {expected}",
            column.len()
        )
    })
}

/// Compares all columns of a file; how many there are.
fn compare(path: &Path, expected: &Value) -> usize {
    let file = Parquet::open(path).expect("it is whole");
    assert!(file.schema().unreadable().is_empty());
    let expected = expected.as_object().expect("columns by name");
    let mut columns = 0;
    for (name, expected) in expected {
        let column = file.column(name).expect("it is whole");
        check_shape(name, &column);
        if let Some(what) = differs(expected, &column) {
            panic!("{} {name}: {what}", path.display());
        }
        columns += 1;
    }
    assert_eq!(columns, file.schema().fields().len());
    columns
}

#[test]
fn own_parquet_files_equal_pyarrow() {
    let files = reference("parquet.json");
    let columns: usize = files
        .iter()
        .map(|(name, expected)| compare(&own(name), expected))
        .sum();
    assert_eq!((files.len(), columns), (5, 5 * 26));
}

#[test]
fn shared_parquet_files_equal_pyarrow() {
    let mut columns = 0;
    for (name, expected) in reference("parquet_shared.json") {
        match shared(&name) {
            Some(path) => columns += compare(&path, &expected),
            None => return,
        }
    }
    println!("{columns} columns compared");
    assert!(columns > 2000);
}

fn files() -> Vec<PathBuf> {
    ["none", "snappy", "gzip", "lz4", "zstd"]
        .map(|name| own(&format!("table_{name}.parquet")))
        .to_vec()
}

#[test]
fn every_range_of_rows_is_a_slice_of_the_whole() {
    for path in files() {
        let file = Parquet::open(&path).expect("it is whole");
        let all: Vec<usize> = (0..file.schema().fields().len()).collect();
        let whole = file.read(&all, 0..300).expect("it is whole");
        for (start, end) in [
            (0, 0),
            (0, 1),
            (99, 101),
            (100, 200),
            (37, 261),
            (299, 300),
            (300, 300),
        ] {
            let part = file.read(&all, start..end).expect("it is whole");
            for (part, whole) in part.into_iter().zip(&whole) {
                let slice = whole.clone().slice(start as usize..end as usize);
                assert_eq!(part, slice, "{} {start} {end}", path.display());
            }
        }
    }
}

#[test]
fn the_encodings_hold_the_same() {
    let whole: Vec<Parquet> = files()
        .iter()
        .map(|p| Parquet::open(p).expect("it is whole"))
        .collect();
    for field in whole[0].schema().fields() {
        let columns = whole.iter().filter_map(|file| {
            let k = file.schema().position(&field.name)?;
            assert_eq!(file.schema().fields()[k].shape(), field.shape());
            Some(file.column(&field.name).expect("it is whole"))
        });
        let columns: Vec<Column> = columns.collect();
        assert!(
            columns.len() == 5 && columns.windows(2).all(|c| c[0] == c[1]),
            "{field}"
        );
    }
    let field = |name: &str| {
        whole[0]
            .schema()
            .field(name)
            .expect("it is there")
            .to_string()
    };
    assert_eq!(field("deep"), "deep: [[f32?]?]?");
    assert_eq!(field("muons.pt"), "muons.pt: [f32?]?");
    assert_eq!(field("event"), "event: u64");
    assert_eq!(whole[1].row_groups(), 3);
    assert_eq!(whole[1].compression(), [Codec::Snappy]);
}

/// Several files of several row groups, in chunks of any size.
#[test]
fn chunks_of_parquet_files_are_the_whole() {
    let patterns = files()
        .iter()
        .map(|p| p.display().to_string())
        .collect::<Vec<_>>();
    let names = ["event", "muons.pt", "muons.charge", "maybe"];
    let read = |chunk_bytes: u64| {
        let options = Options {
            chunk_bytes,
            ..Options::default()
        };
        let data = Dataset::with_options(&patterns, options).expect("they are there");
        assert_eq!(data.entries(), 1500);
        let mut pieces: Vec<Vec<Column>> = vec![Vec::new(); names.len()];
        for chunk in data.chunks(&names).expect("they are there") {
            for (list, column) in pieces.iter_mut().zip(chunk.expect("it is whole").columns) {
                list.push(column);
            }
        }
        let count = pieces[0].len();
        let columns: Vec<Column> = pieces.into_iter().filter_map(Column::concat).collect();
        (count, columns)
    };
    let (one, whole) = read(1 << 20);
    // The columns of a collection share their lists.
    let (few, some) = read(2000);
    let (many, more) = read(100);
    assert!(one == 5 && few > 20 && many > few, "{one} {few} {many}");
    assert!(some == whole && more == whole);
}

#[test]
fn columns_of_a_list_of_records_share_their_offsets() {
    let file = Parquet::open(own("table_none.parquet")).expect("it is whole");
    let columns = file.select(&["muons.*"]).expect("they are there");
    let read = file.read(&columns, 0..300).expect("it is whole");
    let (Axis::List(a), Axis::List(b)) = (&read[0].axes()[1], &read[1].axes()[1]) else {
        panic!("optional lists");
    };
    assert!(Arc::ptr_eq(a, b));
}

/// A random column under these levels.
fn column(field: &Field, len: usize, rng: &mut Rng) -> Column {
    let mut parents = len;
    let mut axes = Vec::new();
    for level in &field.levels {
        axes.push(match level {
            Level::List => {
                let mut offsets = vec![0];
                for _ in 0..parents {
                    let empty = rng.below(3) == 0;
                    let count = if empty { 0 } else { rng.below(4) };
                    offsets.push(offsets.last().expect("it has one") + count as i64);
                }
                parents = *offsets.last().expect("it has one") as usize;
                Axis::List(Arc::new(offsets))
            }
            Level::Option => {
                let present: Vec<bool> = (0..parents).map(|_| rng.below(4) > 0).collect();
                parents = present.iter().filter(|p| **p).count();
                Axis::Option(Arc::new(present))
            }
            Level::Fixed(n) => {
                parents *= n;
                Axis::Fixed(*n)
            }
        });
    }
    let mut number = || rng.next() >> 8;
    let values = match field.dtype {
        DType::Bool => Values::Bool((0..parents).map(|_| number() & 1 == 1).collect()),
        DType::I8 => Values::I8((0..parents).map(|_| number() as i8).collect()),
        DType::U8 => Values::U8((0..parents).map(|_| number() as u8).collect()),
        DType::I16 => Values::I16((0..parents).map(|_| number() as i16).collect()),
        DType::U16 => Values::U16((0..parents).map(|_| number() as u16).collect()),
        DType::I32 => Values::I32((0..parents).map(|_| number() as i32).collect()),
        DType::U32 => Values::U32((0..parents).map(|_| number() as u32).collect()),
        DType::I64 => Values::I64((0..parents).map(|_| number() as i64).collect()),
        DType::U64 => Values::U64((0..parents).map(|_| (number() << 8) | 1 << 63).collect()),
        DType::F32 => Values::F32((0..parents).map(|_| number() as f32).collect()),
        DType::F64 => Values::F64((0..parents).map(|_| number() as f64).collect()),
        DType::Str => {
            let mut texts = Strings::default();
            for _ in 0..parents {
                let n = number();
                texts.push(&n.to_string().as_bytes()[..(n % 9) as usize]);
            }
            Values::Str(texts)
        }
    };
    Column::new(len, axes, values).expect("it fits")
}

const TYPES: [DType; 12] = [
    DType::Bool,
    DType::I8,
    DType::U8,
    DType::I16,
    DType::U16,
    DType::I32,
    DType::U32,
    DType::I64,
    DType::U64,
    DType::F32,
    DType::F64,
    DType::Str,
];

/// Every type under every kind of levels.
fn fields() -> Vec<Field> {
    use Level::{List, Option};
    let shapes: [&[Level]; 7] = [
        &[],
        &[Option],
        &[List],
        &[List, List],
        &[List, Option],
        &[Option, List, Option, List, Option],
        &[List, List, List],
    ];
    let all = TYPES
        .iter()
        .flat_map(|dtype| shapes.iter().map(move |levels| (dtype, levels)));
    let named = all.enumerate();
    named
        .map(|(k, (dtype, levels))| Field::new(format!("c{k}_{dtype}"), *dtype, levels))
        .collect()
}

/// A file of several row groups and small pages, and what is in it.
fn written(codec: Codec, seed: u64) -> (Vec<u8>, Vec<Column>) {
    let mut rng = Rng(seed);
    let fields = fields();
    let options = WriteOptions {
        codec,
        page_bytes: 64,
        about: vec![("seed".into(), seed.to_string())],
    };
    let mut writer = Writer::new(Vec::new(), &fields, options).expect("it can be written");
    let mut pieces: Vec<Vec<Column>> = vec![Vec::new(); fields.len()];
    for rows in [70, 1, 0, 129] {
        let columns: Vec<Column> = fields.iter().map(|f| column(f, rows, &mut rng)).collect();
        writer.write(&columns).expect("it fits");
        for (list, column) in pieces.iter_mut().zip(columns) {
            list.push(column);
        }
    }
    assert_eq!(writer.rows(), 200);
    let bytes = writer.finish().expect("memory takes bytes");
    let columns = pieces.into_iter().filter_map(Column::concat).collect();
    (bytes, columns)
}

#[test]
fn what_is_written_is_read() {
    for (codec, seed) in [(Codec::None, 1), (Codec::Zstd, 2), (Codec::Snappy, 3)] {
        let (bytes, columns) = written(codec, seed);
        let file = Parquet::new(Source::from_bytes("written", bytes)).expect("it is whole");
        assert_eq!((file.entries(), file.row_groups()), (200, 4));
        let all: Vec<usize> = (0..columns.len()).collect();
        for (start, end) in [(0, 200), (3, 150), (70, 71)] {
            let read = file.read(&all, start..end).expect("it is whole");
            for ((read, whole), field) in read.into_iter().zip(&columns).zip(fields()) {
                assert_eq!(
                    file.schema().field(&field.name).map(Field::shape),
                    Some(field.shape())
                );
                let slice = whole.clone().slice(start as usize..end as usize);
                assert_eq!(read, slice, "{field} {start} {end}");
            }
        }
    }
}

/// Lists of one length are read back as lists.
#[test]
fn fixed_lengths_become_lists() {
    let field = Field::new("x", DType::F64, &[Level::List, Level::Fixed(2)]);
    let column = column(&field, 20, &mut Rng(9));
    let mut writer = Writer::new(Vec::new(), &[field], WriteOptions::default()).expect("it can be");
    writer
        .write(std::slice::from_ref(&column))
        .expect("it fits");
    let bytes = writer.finish().expect("memory takes bytes");
    let file = Parquet::new(Source::from_bytes("written", bytes)).expect("it is whole");
    let read = file.column("x").expect("it is there");
    assert_eq!(read.values(), column.values());
    assert_eq!(file.schema().fields()[0].shape(), "[[f64]]");
}

/// A sink without room.
struct Full;
impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("no space left"))
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let x = Field::new("x", DType::F64, &[]);
    let y = Field::new("y", DType::F64, &[Level::List]);
    let options = WriteOptions::default;
    let new = |fields: &[Field], options| Writer::new(Vec::new(), fields, options).map(|_| ());
    let twice = new(&[x.clone(), x.clone()], options()).expect_err("one name");
    let nested = Field::new("z", DType::F64, &[Level::Option, Level::Option]);
    let nested = new(&[nested], options()).expect_err("two options");
    let gzip = WriteOptions {
        codec: Codec::Gzip,
        ..options()
    };
    let gzip = new(std::slice::from_ref(&x), gzip).expect_err("only read");
    let mut writer = Writer::new(Vec::new(), &[x, y], options()).expect("it can be");
    let flat = |n: usize| Column::flat(Values::F64(vec![0.5; n]));
    let few = writer.write(&[flat(2)]).expect_err("one of two");
    let shape = writer.write(&[flat(2), flat(2)]).expect_err("no list");
    for error in [twice, nested, gzip, few, shape] {
        assert_eq!(error.code(), "PB0518", "{error}");
    }
    let full = Writer::new(Full, &[], options())
        .map(|_| ())
        .expect_err("no space");
    assert_eq!(full.code(), "PB0517");
}

#[test]
fn a_file_that_is_none_is_named() {
    let open = |bytes: &[u8]| Parquet::new(Source::from_bytes("bad", bytes)).map(|_| ());
    for (bytes, code) in [
        (&b""[..], "PB0502"),
        (b"PAR1", "PB0502"),
        (b"PAR1PAR1", "PB0502"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "PB0505"),
        (b"PAR1\x20\0\0\0PAR1", "PB0503"),
        (b"PAR1\x00\0\0\0\0PARE", "PB0508"),
    ] {
        let error = open(bytes).expect_err("it is none");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains("bad"));
    }
    let damaged = {
        let mut bytes = std::fs::read(own("table_snappy.parquet")).expect("it can be read");
        bytes[100] ^= 1;
        let file = Parquet::new(Source::from_bytes("bad", bytes)).expect("its footer is whole");
        file.column("event").expect_err("a byte of its first page")
    };
    // The file, the column and the byte.
    let text = damaged.to_string();
    assert_eq!(damaged.code(), "PB0506", "{text}");
    assert!(text.contains("`bad`") && text.contains("rows/event") && text.contains("byte "));
    let table = pullback_io::open(
        own("table_none.parquet"),
        Some("Events"),
        pullback_io::Limits::default(),
    );
    assert_eq!(table.expect_err("it has one table").code(), "PB0509");
}

/// pyarrow with its interpreter, or a visible note.
fn python() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("PULLBACK_PYTHON").map(PathBuf::from);
    let candidates = [
        given,
        Some(root.join(".venv/bin/python")),
        Some("python3".into()),
    ];
    for python in candidates.into_iter().flatten() {
        let mut probe = Command::new(&python);
        let found = probe.args(["-c", "import pyarrow.parquet, numpy"]).output();
        if found.is_ok_and(|o| o.status.success()) {
            return Some(python);
        }
    }
    println!("skipped: no Python with pyarrow and numpy (PULLBACK_PYTHON names one)");
    None
}

#[test]
fn pyarrow_reads_what_is_written() {
    let Some(python) = python() else {
        return;
    };
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for (codec, seed) in [(Codec::Zstd, 11), (Codec::Snappy, 12), (Codec::None, 13)] {
        let (bytes, columns) = written(codec, seed);
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("written_{seed}.parquet"));
        std::fs::write(&path, bytes).expect("it can be written");
        let code = "import sys, json, pathlib, make_parquet_files as m; print(json.dumps(m.reference(pathlib.Path(sys.argv[1]))))";
        let mut run = Command::new(&python);
        let output = run
            .arg("-c")
            .arg(code)
            .arg(&path)
            .env("PYTHONPATH", &scripts)
            .output();
        let output = output.expect("it ran before");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let found: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        for (field, column) in fields().iter().zip(&columns) {
            if let Some(what) = differs(&found[&field.name], column) {
                panic!("{field}: {what}");
            }
        }
        assert_ne!(found, json!({}));
    }
}
