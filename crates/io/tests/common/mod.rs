//! Sums over columns, as `scripts/uproot_reference.py` makes them.

#![allow(dead_code, reason = "each test binary uses a part of this module")]

pub mod mutation;
pub mod written;

use std::path::PathBuf;

use pullback_io::{Axis, Column, Values};

/// A file of `../shared/data`, or `None` with a visible note.
pub fn shared(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// A file of this crate's own.
pub fn own(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(file)
}

/// The files of this crate's own.
pub fn own_files() -> Vec<PathBuf> {
    let folder = own("");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is in the repository")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "root"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

const PERIOD: usize = 1009;

/// Sums over the elements of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Sums {
    /// Exact.
    Integers {
        count: usize,
        sum: i128,
        weighted: i128,
    },
    /// Compensated, of the finite elements.
    Floats {
        count: usize,
        sum: f64,
        weighted: f64,
        magnitude: f64,
        not_finite: usize,
    },
}

pub fn integers(values: impl Iterator<Item = i128>) -> Sums {
    let (mut count, mut sum, mut weighted) = (0, 0, 0);
    for (k, x) in values.enumerate() {
        count += 1;
        sum += x;
        weighted += x * (k % PERIOD + 1) as i128;
    }
    Sums::Integers {
        count,
        sum,
        weighted,
    }
}

/// Neumaier's sum (1974, doi:10.1002/zamm.19740540106): error free for these purposes.
#[derive(Default)]
struct Compensated {
    sum: f64,
    rest: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.rest += if self.sum.abs() >= x.abs() {
            (self.sum - sum) + x
        } else {
            (x - sum) + self.sum
        };
        self.sum = sum;
    }

    fn value(&self) -> f64 {
        self.sum + self.rest
    }
}

pub fn floats(values: impl Iterator<Item = f64>) -> Sums {
    let (mut sum, mut weighted, mut magnitude) = (
        Compensated::default(),
        Compensated::default(),
        Compensated::default(),
    );
    let (mut count, mut not_finite) = (0, 0);
    for (k, x) in values.enumerate() {
        count += 1;
        if x.is_finite() {
            sum.add(x);
            weighted.add(x * (k % PERIOD + 1) as f64);
            magnitude.add(x.abs());
        } else {
            not_finite += 1;
        }
    }
    Sums::Floats {
        count,
        sum: sum.value(),
        weighted: weighted.value(),
        magnitude: magnitude.value(),
        not_finite,
    }
}

pub fn sums(values: &Values) -> Sums {
    match values {
        Values::Bool(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::I8(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::U8(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::I16(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::U16(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::I32(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::U32(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::I64(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::U64(v) => integers(v.iter().map(|x| i128::from(*x))),
        Values::F32(v) => floats(v.iter().map(|x| f64::from(*x))),
        Values::F64(v) => floats(v.iter().copied()),
        Values::Str(s) => integers((0..s.len()).map(|k| s.get(k).map_or(0, <[u8]>::len) as i128)),
        _ => unreachable!("all types are listed"),
    }
}

/// The weighted sum over the lengths of the first level of lists.
pub fn first_lists(column: &Column) -> Option<i128> {
    let lengths: Vec<i128> = match column.axes().first()? {
        Axis::List(offsets) => offsets
            .windows(2)
            .map(|w| i128::from(w[1] - w[0]))
            .collect(),
        Axis::Fixed(_) | Axis::Option(_) => return None,
    };
    match integers(lengths.into_iter()) {
        Sums::Integers { weighted, .. } => Some(weighted),
        Sums::Floats { .. } => None,
    }
}

/// What every column must be: offsets from 0 that never decrease, as many values as the levels say.
pub fn check_shape(name: &str, column: &Column) {
    let mut parents = column.len();
    for axis in column.axes() {
        parents = match axis {
            Axis::List(offsets) => {
                assert_eq!(offsets.len(), parents + 1, "{name}");
                assert_eq!(offsets[0], 0, "{name}");
                assert!(offsets.windows(2).all(|w| w[0] <= w[1]), "{name}");
                offsets[parents] as usize
            }
            Axis::Fixed(n) => parents * n,
            Axis::Option(present) => {
                assert_eq!(present.len(), parents, "{name}");
                present.iter().filter(|p| **p).count()
            }
        };
    }
    assert_eq!(column.values().len(), parents, "{name}");
}
