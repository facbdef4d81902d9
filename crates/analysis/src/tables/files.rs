//! Tables in files: CSV, ROOT histograms, correctionlib JSON.

use std::collections::BTreeMap;
use std::path::Path;

use pullback_io::root::{File, HistogramAxis};

use super::define::Table;
use super::{correction, csv};
use crate::error::{Error, Result};

/// Which part of a correctionlib file is meant: values of inputs that are texts or whole numbers, for the nominal numbers and for variations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Select {
    /// Values by input.
    pub with: BTreeMap<String, String>,
    /// Variations: the values that are others.
    pub variations: Vec<(String, BTreeMap<String, String>)>,
}

impl Table {
    /// Reads a table from a file; `object` is the histogram in a ROOT file or the correction in a JSON file.
    ///
    /// | ending | what |
    /// |---|---|
    /// | `.csv` | a row per bin: `pt_low, pt_high, .., value`, and `error` or other columns as variations |
    /// | `.root` | `TH1`, `TH2`, `TH3`; errors of bins are the variations `up` and `down`; flow bins are left out |
    /// | `.json` | correctionlib, schema 2: `binning`, `multibinning` and `category` |
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no such table ([`Error::Table`]).
    pub fn open(path: impl AsRef<Path>, object: Option<&str>, select: &Select) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display().to_string();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let refuse = |message: &str, help: &str| {
            Err(Error::Table {
                table: shown.clone(),
                message: message.into(),
                help: help.into(),
            })
        };
        let selected = !select.with.is_empty() || !select.variations.is_empty();
        if selected && ending != "json" {
            return refuse("has nothing to select", "`with` is for correctionlib files");
        }
        let table = match (ending, object) {
            ("csv", None) => csv::read(path)?,
            ("csv", Some(_)) => return refuse("has one table", "leave out the name"),
            ("root", Some(name)) => histogram(path, name)?,
            ("root" | "json", None) => {
                return refuse("may have several tables", "name one: `file.root:name`");
            }
            ("json", Some(name)) => correction::read(path, name, select)?,
            _ => {
                return refuse(
                    "is of no kind that tables are read from",
                    "known are `.csv`, `.root` and `.json` (correctionlib; unpack it if it ends in `.gz`)",
                );
            }
        };
        table.check(&shown)?;
        Ok(table)
    }
}

/// A histogram: values, and one error up and down.
fn histogram(path: &Path, name: &str) -> Result<Table> {
    let found = File::open(path)?.histogram(name)?;
    let bins: Vec<usize> = found.axes.iter().map(HistogramAxis::bins).collect();
    // The files have the first axis running fastest, tables the last one.
    let turned = |values: &[f64]| -> Vec<f64> {
        let cells = (0..values.len()).map(|mut k| {
            let mut digits = vec![0; bins.len()];
            for (digit, n) in digits.iter_mut().zip(&bins).rev() {
                *digit = k % n;
                k /= n;
            }
            let place = digits
                .iter()
                .zip(&bins)
                .rev()
                .fold(0, |at, (d, n)| at * n + d);
            values.get(place).copied().unwrap_or(f64::NAN)
        });
        cells.collect()
    };
    let values = turned(&found.inner_values());
    let errors: Vec<f64> = turned(&found.inner_variances())
        .iter()
        .map(|v| v.sqrt())
        .collect();
    let mut table = Table::new(values).with_errors(&errors);
    for (axis, name) in found.axes.into_iter().zip(["x", "y", "z"]) {
        table = table.axis(name, axis.edges);
    }
    Ok(table)
}
