//! Tables as CSV: a row per bin.

use std::path::Path;

use pullback_io::{Column, Dataset, Values};

use super::define::Table;
use crate::error::{Error, Result};

/// Columns `NAME_low`, `NAME_high` are axes, `value` the numbers, `error` up and down by as much; every other one is a variation.
pub(super) fn read(path: &Path) -> Result<Table> {
    let shown = path.display().to_string();
    let refuse = |message: String, help: &str| Error::Table {
        table: shown.clone(),
        message,
        help: help.into(),
    };
    let data = Dataset::open(&[&shown])?;
    let names: Vec<String> = data
        .schema()
        .fields()
        .iter()
        .map(|f| f.name.clone())
        .collect();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let chunk = data.read(&refs, 0..data.entries())?;
    let mut axes: Vec<(String, Vec<f64>, Vec<f64>)> = Vec::new();
    let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, column) in chunk.names.iter().zip(chunk.columns) {
        let numbers = numbers(column).ok_or_else(|| {
            refuse(
                format!("has something else than numbers in the column `{name}`"),
                "every cell is a number",
            )
        })?;
        if let Some(axis) = name.strip_suffix("_low") {
            axes.push((axis.into(), numbers, Vec::new()));
        } else if let Some(axis) = name.strip_suffix("_high") {
            let found = axes.iter_mut().find(|(n, ..)| n == axis);
            let Some((.., high)) = found else {
                return Err(refuse(
                    format!("has the column `{name}`, and no `{axis}_low` before it"),
                    "an axis has two columns, of lower and upper edges",
                ));
            };
            *high = numbers;
        } else {
            columns.push((name.clone(), numbers));
        }
    }
    let Some(value) = columns.iter().position(|(n, _)| n == "value") else {
        return Err(refuse(
            "has no column `value`".into(),
            "write a row per bin under `pt_low,pt_high,value,error`",
        ));
    };
    let rows = columns[value].1.len();
    let mut edges = Vec::new();
    for (axis, low, high) in &axes {
        if high.len() != rows {
            return Err(refuse(
                format!("has no column `{axis}_high`"),
                "an axis has two columns, of lower and upper edges",
            ));
        }
        edges.push(edges_of(low, high).ok_or_else(|| {
            refuse(
                format!("has gaps or overlaps along `{axis}`"),
                "each bin begins where the one before it ends",
            )
        })?);
    }
    let cells = edges
        .iter()
        .map(|e| e.len() - 1)
        .fold(1, usize::saturating_mul);
    if cells != rows {
        return Err(refuse(
            format!("has {rows} rows for {cells} bins"),
            "a table has a row for each combination of bins, once",
        ));
    }
    let mut place = vec![usize::MAX; cells];
    for row in 0..rows {
        let mut cell = 0;
        for ((_, low, high), edges) in axes.iter().zip(&edges) {
            let bin = edges.iter().position(|e| *e == low[row]);
            let bin = bin.filter(|b| edges.get(b + 1) == Some(&high[row]));
            let Some(bin) = bin else {
                return Err(refuse(
                    format!("has bins of different widths in row {}", row + 1),
                    "all rows share the bins of an axis",
                ));
            };
            cell = cell * (edges.len() - 1) + bin;
        }
        if std::mem::replace(&mut place[cell], row) != usize::MAX {
            return Err(refuse(
                format!("has the bin of row {} twice", row + 1),
                "each bin comes once",
            ));
        }
    }
    let ordered = |column: &[f64]| -> Vec<f64> { place.iter().map(|row| column[*row]).collect() };
    let nominal = ordered(&columns[value].1);
    let mut table = Table::new(nominal.clone());
    for ((name, ..), edges) in axes.into_iter().zip(edges) {
        table = table.axis(name, edges);
    }
    for (name, column) in columns.iter().filter(|(n, _)| n != "value") {
        let column = ordered(column);
        table = if name == "error" {
            table.with_errors(&column)
        } else {
            table.variation(name, column)
        };
    }
    Ok(table)
}

/// Edges that all bins share.
fn edges_of(low: &[f64], high: &[f64]) -> Option<Vec<f64>> {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let (low, high) = (sorted(low), sorted(high));
    let follow = low.len() == high.len() && low[1..] == high[..high.len() - 1];
    let first = low.first().copied();
    follow.then(|| first.into_iter().chain(high).collect())
}

/// The numbers of a column.
fn numbers(column: Column) -> Option<Vec<f64>> {
    let column = column.widen();
    if column.offsets().is_some() {
        return None;
    }
    Some(match column.values() {
        Values::F64(v) => v.clone(),
        Values::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
        Values::I32(v) => v.iter().map(|x| f64::from(*x)).collect(),
        Values::I64(v) => v.iter().map(|x| *x as f64).collect(),
        Values::U64(v) => v.iter().map(|x| *x as f64).collect(),
        _ => return None,
    })
}
