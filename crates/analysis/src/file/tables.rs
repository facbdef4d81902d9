//! Binned tables, written out or in files.

use std::collections::BTreeMap;

use super::document::Entry;
use crate::error::{Error, Result};
use crate::tables::{Outside, Select, Table};

pub(super) fn table(name: &str, entry: &Entry<'_>) -> Result<Table> {
    let table = entry.table()?;
    let (file, with) = (table.get("file"), table.get("with"));
    let (axes, values) = (table.get("axes"), table.get("values"));
    let (error, up, down) = (table.get("error"), table.get("up"), table.get("down"));
    let (others, outside) = (table.get("variations"), table.get("outside"));
    table.finish()?;
    let mut varied: Vec<(String, Entry<'_>)> = Vec::new();
    varied.extend(up.map(|e| ("up".to_owned(), e)));
    varied.extend(down.map(|e| ("down".to_owned(), e)));
    if let Some(entry) = others {
        let all = entry.table()?.entries();
        varied.extend(all.into_iter().map(|(n, e)| (n.to_owned(), e)));
    }
    let made = match (file, &axes, &values) {
        (Some(file), None, None) => {
            if let Some(entry) = &error {
                return Err(entry.refuse(
                    "the errors of a table from a file are in the file",
                    "leave it out",
                ));
            }
            let mut select = Select::default();
            if let Some(with) = with {
                select.with = chosen(&with)?;
            }
            for (variation, entry) in varied {
                select.variations.push((variation, chosen(&entry)?));
            }
            read(&file, &select)?
        }
        (None, Some(axes), Some(values)) => {
            if let Some(with) = with {
                return Err(with.refuse("there is no file to select from", "leave it out"));
            }
            written(axes, values, error.as_ref(), &varied)?
        }
        _ => {
            return Err(entry.refuse(
                format!("`{}` has no numbers", entry.key),
                "give it `axes` and `values`, or `file`",
            ));
        }
    };
    let made = match outside {
        None => made,
        Some(entry) => made.outside(policy(&entry)?),
    };
    made.check(name).map_err(|e| placed(&e, entry))?;
    Ok(made)
}

/// An error about a table, at its place in the document.
fn placed(error: &Error, entry: &Entry<'_>) -> Error {
    entry.refuse(error.to_string(), error.help())
}

/// A path, and a name in the file after its last colon.
fn read(file: &Entry<'_>, select: &Select) -> Result<Table> {
    let text = file.text()?;
    let whole = file.path(text);
    let (path, object) = match text.rsplit_once(':') {
        Some((path, object)) if path.len() > 1 && !whole.exists() => {
            (file.path(path), Some(object))
        }
        _ => (whole, None),
    };
    Table::open(path, object, select).map_err(|e| match &e {
        Error::Table { .. } => placed(&e, file),
        _ => e,
    })
}

fn written(
    axes: &Entry<'_>,
    values: &Entry<'_>,
    error: Option<&Entry<'_>>,
    varied: &[(String, Entry<'_>)],
) -> Result<Table> {
    let mut all = Vec::new();
    for (name, entry) in axes.table()?.entries() {
        let (edges, dimension) = entry.quantities()?;
        all.push((name, edges, dimension));
    }
    let bins: Vec<usize> = (all.iter())
        .map(|(_, edges, _)| edges.len().saturating_sub(1))
        .collect();
    let cells = bins.iter().copied().fold(1, usize::saturating_mul);
    // Nested as the axes are, or one list; errors also as one number for all.
    let numbers = |entry: &Entry<'_>, repeat: bool| -> Result<Vec<f64>> {
        let (numbers, shape) = entry.grid()?;
        if shape == bins || shape == [cells] {
            return Ok(numbers);
        }
        if let (true, [one], []) = (repeat, numbers.as_slice(), shape.as_slice()) {
            return Ok(vec![*one; cells]);
        }
        let times = |n: &[usize]| {
            n.iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(" × ")
        };
        Err(entry.refuse(
            format!(
                "{} numbers do not fit to {} bins",
                times(&shape),
                times(&bins)
            ),
            "an axis of n bins has n + 1 edges; the last axis is the innermost list",
        ))
    };
    let mut made = Table::new(numbers(values, false)?);
    for (name, edges, dimension) in all {
        made = made.axis_of(name.to_owned(), edges, dimension);
    }
    if let Some(entry) = error {
        if let Some((_, other)) = varied.iter().find(|(n, _)| n == "up" || n == "down") {
            return Err(other.refuse(
                "`error` gives `up` and `down` already",
                "give the one or the other",
            ));
        }
        made = made.with_errors(&numbers(entry, true)?);
    }
    for (name, entry) in varied {
        made = made.variation(name.as_str(), numbers(entry, false)?);
    }
    Ok(made)
}

/// Values of inputs: texts or whole numbers.
fn chosen(entry: &Entry<'_>) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (name, entry) in entry.table()?.entries() {
        let value = match entry.count(0) {
            Ok(n) => n.to_string(),
            Err(_) => entry.text()?.to_owned(),
        };
        found.insert(name.to_owned(), value);
    }
    Ok(found)
}

fn policy(entry: &Entry<'_>) -> Result<Outside> {
    if let Ok(text) = entry.text() {
        return match text {
            "clamp" => Ok(Outside::Clamp),
            "error" => Ok(Outside::Error),
            other => Err(entry.refuse(
                format!("there is no policy `{other}`"),
                "outside of the axes the nearest bin counts (`clamp`, the default), the value is NaN and stops the run (`error`), or is a number",
            )),
        };
    }
    Ok(Outside::Value(entry.number()?))
}
