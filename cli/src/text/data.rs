//! What is in a file of events or histograms, for people.

use std::fmt::Write;

use pullback_io::root::Histogram;

use super::fit::count;
use super::table::{Align, render, wrap};
use crate::verbs::{FileOverview, TableOverview, kind};

/// Rows of a table that is not shown whole.
const SHOWN: usize = 40;

/// The whole text.
pub fn data(overview: &FileOverview, all: bool, width: usize) -> String {
    let mut text = format!("{}: {}", overview.path, bytes(overview.bytes));
    for part in [overview.writer.as_str(), overview.format] {
        // Of a ROOT file the name of its writer says what it is.
        if !part.is_empty() && part != "root" {
            let _ = write!(text, ", {part}");
        }
    }
    text.push('\n');
    text.push_str(&tables(overview, all, width));
    for table in overview.tables.iter().flatten() {
        text.push_str(&columns(table, all, width));
    }
    text.push_str(&histograms(overview, all, width));
    if !overview.others.is_empty() {
        let names = overview
            .others
            .iter()
            .map(|o| format!("{} ({})", o.path, o.class));
        let names: Vec<String> = names.collect();
        let shown = if all {
            names.len()
        } else {
            names.len().min(10)
        };
        let mut line = format!("also there, not read: {}", names[..shown].join(", "));
        if shown < names.len() {
            let _ = write!(line, " … and {} more", names.len() - shown);
        }
        let _ = write!(text, "\n{}", wrap(&line, width, 0));
    }
    text
}

fn section(
    title: &str,
    header: &[(&str, Align)],
    mut rows: Vec<Vec<String>>,
    all: bool,
    width: usize,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let total = rows.len();
    let mut note = String::new();
    if !all && total > SHOWN {
        rows.truncate(SHOWN);
        note = format!(
            "  … and {} more: --all shows them, --columns 'A_*' chooses\n",
            total - SHOWN
        );
    }
    format!("\n{title}\n{}{note}", render(header, &rows, width))
}

fn tables(overview: &FileOverview, all: bool, width: usize) -> String {
    let header = [
        ("table", Align::Name),
        ("", Align::Left),
        ("entries", Align::Right),
        ("columns", Align::Right),
        ("compression", Align::Left),
        ("title", Align::Name),
    ];
    let rows = overview.tables.iter().map(|table| match table {
        Ok(table) => vec![
            table.path.clone(),
            table.kind.to_owned(),
            table.entries.to_string(),
            table.columns.to_string(),
            table.compression.join(", "),
            table.title.clone(),
        ],
        Err((object, reason)) => vec![
            object.path.clone(),
            kind(object).to_owned(),
            String::new(),
            String::new(),
            "cannot be read".to_owned(),
            reason.clone(),
        ],
    });
    let title = match overview.format {
        "root" => "Trees and ntuples",
        _ => "Table",
    };
    section(title, &header, rows.collect(), all, width)
}

fn columns(table: &TableOverview, all: bool, width: usize) -> String {
    let Some(shown) = &table.shown else {
        return String::new();
    };
    let header = [
        ("column", Align::Name),
        ("type", Align::Left),
        ("counter", Align::Name),
        ("size", Align::Right),
        ("on disk", Align::Right),
    ];
    let rows = shown.iter().map(|(field, sizes)| {
        vec![
            field.name.clone(),
            field.shape(),
            field.counter.clone().unwrap_or_default(),
            bytes(sizes.uncompressed),
            bytes(sizes.compressed),
        ]
    });
    let title = format!("Columns of {}", table.path);
    let mut text = section(&title, &header, rows.collect(), all, width);
    if !table.unreadable.is_empty() {
        let header = [
            ("column", Align::Name),
            ("type", Align::Name),
            ("why", Align::Name),
        ];
        let rows = table.unreadable.iter().map(|part| {
            vec![
                part.name.clone(),
                part.type_name.clone(),
                part.reason.clone(),
            ]
        });
        let title = format!(
            "{} of {} cannot be read",
            count(table.unreadable.len(), "column"),
            table.path
        );
        text.push_str(&section(&title, &header, rows.collect(), all, width));
    }
    text
}

fn histograms(overview: &FileOverview, all: bool, width: usize) -> String {
    let header = [
        ("histogram", Align::Name),
        ("class", Align::Left),
        ("bins", Align::Left),
        ("sum", Align::Right),
        ("title", Align::Name),
    ];
    let rows = overview.histograms.iter().map(|read| match read {
        Ok((object, histogram)) => vec![
            object.path.clone(),
            object.class.clone(),
            bins(histogram),
            format!("{:.6}", histogram.inner_values().iter().sum::<f64>())
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned(),
            histogram.title.clone(),
        ],
        Err((object, reason)) => vec![
            object.path.clone(),
            object.class.clone(),
            "cannot be read".to_owned(),
            String::new(),
            reason.clone(),
        ],
    });
    section("Histograms", &header, rows.collect(), all, width)
}

/// `20 in [-3, 3]`, for each axis.
fn bins(histogram: &Histogram) -> String {
    let axes = histogram.axes.iter().map(|axis| {
        let (low, high) = (axis.edges.first(), axis.edges.last());
        format!(
            "{} in [{}, {}]",
            axis.bins(),
            low.unwrap_or(&f64::NAN),
            high.unwrap_or(&f64::NAN)
        )
    });
    axes.collect::<Vec<_>>().join(" × ")
}

/// `999 B`, `12.3 kB`, `4.56 MB`.
pub(super) fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = units[0];
    for next in &units[1..] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (count, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_900, "1.00 MB"),
            (4_560_000_000, "4.56 GB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }
}
