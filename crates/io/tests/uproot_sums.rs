//! Every column of numbers and text equals what uproot reads; `scripts/uproot_reference.py` made the reference.
//!
//! Another collection of files is compared by `PULLBACK_IO_REFERENCE=reference.json PULLBACK_IO_DATA=folder`, where `folder` holds
//! what the names in the reference say; it prints what differs and what is not read.

mod common;

use std::path::{Path, PathBuf};

use common::{Sums, check_shape, first_lists, floats, sums};
use pullback_io::{Column, DType, Error, Field, Table, root};
use serde_json::Value;

/// What does not agree, one line each.
#[derive(Default)]
struct Comparison {
    columns: usize,
    differences: Vec<String>,
    unreadable: Vec<String>,
}

/// Sums of floats may differ by rounding: of Python's exact sums and of this test's.
const TOLERANCE: f64 = 1e-12;

/// ROOT's numbers of 32 bits between two bounds count 2³² − 1 steps, uproot's 2³²; ROOT computes those of `Float16_t` in double precision,
/// uproot in single precision.
fn tolerance(field: &Field) -> f64 {
    if field.type_name.starts_with("Float16_t[") {
        3e-7
    } else if field.type_name.starts_with("Double32_t[") && field.type_name.ends_with(",32]") {
        3e-10
    } else {
        TOLERANCE
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn integer(value: &Value) -> Option<i128> {
    value.as_str().and_then(|text| text.parse().ok())
}

/// The list of a reference: type, count, sum, weighted sum, number of elements that are not finite.
fn agrees(expected: &Value, found: &Sums, tolerance: f64) -> bool {
    let count = expected[1].as_u64().map(|n| n as usize);
    match *found {
        Sums::Integers {
            count: n,
            sum,
            weighted,
        } => {
            count == Some(n)
                && integer(&expected[2]) == Some(sum)
                && integer(&expected[3]) == Some(weighted)
        }
        Sums::Floats {
            count: n,
            sum,
            weighted,
            magnitude,
            not_finite,
        } => {
            let close = |a: f64, b: f64, scale: f64| (a - b).abs() <= tolerance * scale;
            count == Some(n)
                && close(sum, number(&expected[2]), magnitude)
                && close(weighted, number(&expected[3]), 1009.0 * magnitude)
                && expected[4].as_u64() == Some(not_finite as u64)
        }
    }
}

/// The type as NumPy calls it.
fn numpy_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "bool",
        DType::I8 => "int8",
        DType::U8 => "uint8",
        DType::I16 => "int16",
        DType::U16 => "uint16",
        DType::I32 => "int32",
        DType::U32 => "uint32",
        DType::I64 => "int64",
        DType::U64 => "uint64",
        DType::F32 => "float32",
        DType::F64 => "float64",
        DType::Str => "str",
    }
}

fn compare_column(
    name: &str,
    expected: &Value,
    column: &Column,
    field: &Field,
    to: &mut Comparison,
) {
    to.columns += 1;
    check_shape(name, column);
    let found = sums(column.values());
    // Numbers of children have the type that the ntuple says; uproot widens them.
    let same = expected[0] == numpy_name(column.dtype())
        || (field.type_name.starts_with("ROOT::RNTupleCardinality") && expected[0] == "int64");
    if !same {
        to.differences.push(format!(
            "{name}: {}, uproot {}",
            column.dtype(),
            expected[0]
        ));
    }
    if !agrees(expected, &found, tolerance(field)) {
        to.differences
            .push(format!("{name}: {found:?}, uproot {expected}"));
    }
    let lists = first_lists(column);
    if lists != integer(&expected[5]) {
        to.differences
            .push(format!("{name}: lists {lists:?}, uproot {}", expected[5]));
    }
}

fn compare_table(path: &str, expected: &Value, table: &dyn Table, to: &mut Comparison) {
    assert_eq!(
        Some(table.entries()),
        expected["entries"].as_u64(),
        "{path}"
    );
    let Some(columns) = expected["columns"].as_object() else {
        return;
    };
    let (mut names, mut positions) = (Vec::new(), Vec::new());
    for name in columns.keys() {
        match table.select(&[name]) {
            Ok(position) => {
                names.push(name);
                positions.extend(position);
            }
            Err(error) => to.unreadable.push(format!("{path}: {error}")),
        }
    }
    match table.read(&positions, 0..table.entries()) {
        Ok(read) => {
            assert_eq!(read.len(), names.len(), "{path}");
            for ((name, column), position) in names.iter().zip(&read).zip(positions) {
                compare_column(
                    &format!("{path}/{name}"),
                    &columns[name.as_str()],
                    column,
                    &table.schema().fields()[position],
                    to,
                );
            }
        }
        // One of them: which?
        Err(_) => {
            for (name, position) in names.iter().zip(positions) {
                match table.read(&[position], 0..table.entries()) {
                    Ok(read) => compare_column(
                        &format!("{path}/{name}"),
                        &columns[name.as_str()],
                        &read[0],
                        &table.schema().fields()[position],
                        to,
                    ),
                    Err(error) => to.unreadable.push(format!("{path}/{name}: {error}")),
                }
            }
        }
    }
}

fn compare_file(path: &Path, expected: &Value, to: &mut Comparison) -> Result<(), Error> {
    let file = root::File::open(path)?;
    for object in file.objects()? {
        let place = format!("{}:{}", path.display(), object.path);
        let table = &expected["tables"][&object.path];
        let histogram = &expected["histograms"][&object.path];
        match object.kind {
            root::ObjectKind::Tree if table.is_object() => match file.tree(&object.path) {
                Ok(tree) => compare_table(&place, table, &tree, to),
                Err(error) => to.unreadable.push(error.to_string()),
            },
            root::ObjectKind::Ntuple if table.is_object() => match file.ntuple(&object.path) {
                Ok(ntuple) => compare_table(&place, table, &ntuple, to),
                Err(error) => to.unreadable.push(error.to_string()),
            },
            root::ObjectKind::Histogram if histogram.is_object() => {
                compare_histogram(&place, histogram, &file.histogram(&object.path)?, to);
            }
            _ => {}
        }
    }
    Ok(())
}

fn compare_histogram(
    place: &str,
    expected: &Value,
    histogram: &root::Histogram,
    to: &mut Comparison,
) {
    let mut one = |what: &str, expected: &Value, values: &[f64]| {
        to.columns += 1;
        let found = floats(values.iter().copied());
        if !agrees(expected, &found, TOLERANCE) {
            to.differences
                .push(format!("{place} {what}: {found:?}, uproot {expected}"));
        }
    };
    one("values", &expected["values"], &histogram.values);
    one("variances", &expected["variances"], histogram.variances());
    for (k, axis) in histogram.axes.iter().enumerate() {
        one("edges", &expected["edges"][k], &axis.edges);
    }
}

fn compare(reference: &Value, folder: &Path) -> Comparison {
    let mut comparison = Comparison::default();
    for (name, expected) in reference.as_object().expect("the reference is an object") {
        let path = folder.join(name);
        if !path.is_file() {
            println!("skipped: {} is not there", path.display());
            continue;
        }
        if let Err(error) = compare_file(&path, expected, &mut comparison) {
            comparison.unreadable.push(error.to_string());
        }
    }
    comparison
}

fn reference(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the reference can be read");
    serde_json::from_str(&text).expect("the reference is JSON")
}

fn exactly(comparison: &Comparison) {
    for (what, lines) in [
        ("differs", &comparison.differences),
        ("not read", &comparison.unreadable),
    ] {
        for line in lines.iter().take(20) {
            println!("{what}: {line}");
        }
        assert!(lines.is_empty(), "{} lines: {what}", lines.len());
    }
}

#[test]
fn shared_files_equal_uproot() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let comparison = compare(&reference(&common::own("reference_shared.json")), &folder);
    println!("{} columns compared", comparison.columns);
    exactly(&comparison);
    // What is skipped is named above; files that are there are compared whole.
    assert!(comparison.columns == 5737 || !folder.is_dir());
}

#[test]
fn own_files_equal_uproot() {
    let folder = common::own("..");
    let comparison = compare(&reference(&common::own("reference_own.json")), &folder);
    exactly(&comparison);
    assert_eq!(comparison.columns, 70);
}

#[test]
fn another_folder_equals_uproot() {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let given = variable("PULLBACK_IO_REFERENCE").zip(variable("PULLBACK_IO_DATA"));
    let Some((path, folder)) = given else {
        println!("skipped: PULLBACK_IO_REFERENCE and PULLBACK_IO_DATA are not set");
        return;
    };
    let comparison = compare(&reference(&path), &folder);
    println!("{} columns compared", comparison.columns);
    for line in &comparison.unreadable {
        println!("not read: {line}");
    }
    for line in &comparison.differences {
        println!("differs: {line}");
    }
    assert!(comparison.differences.is_empty());
}
