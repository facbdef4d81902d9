//! What is in a workspace, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use pullback_stats::spec::{Constraint, Inert, ModelSpec, ParameterKind, ParameterSet, Summary};

use super::fit::count;
use super::rounding::significant;
use super::table::{Align, render, wrap};
use super::yields::observed;

/// Rows of a table that is not shown whole.
const SHOWN: usize = 25;

/// The whole text.
pub fn inspect(
    spec: &ModelSpec,
    summary: &Summary,
    title: &str,
    all: bool,
    width: usize,
) -> String {
    let mut text = format!(
        "{title}: {}, {}, {}, {}\n",
        count(summary.channels.len(), "channel"),
        count(summary.bins, "bin"),
        count(summary.processes.len(), "sample"),
        count(spec.parameters.len(), "parameter"),
    );
    let poi = summary
        .poi
        .as_ref()
        .map_or("no parameter of interest".to_owned(), |p| {
            format!("parameter of interest {p}")
        });
    let _ = writeln!(text, "measurement {}, {poi}", summary.measurement);
    text.push_str(&channels(summary, all, width));
    text.push_str(&samples(summary, all, width));
    text.push_str(&modifiers(summary, width));
    text.push_str(&parameters(spec, all, width));
    text.push_str(&without_effect(summary, all, width));
    text
}

/// A table with a heading, cut with a note.
fn section(
    title: &str,
    columns: &[(&str, Align)],
    mut rows: Vec<Vec<String>>,
    all: bool,
    width: usize,
) -> String {
    let total = rows.len();
    let mut note = String::new();
    if !all && total > SHOWN {
        rows.truncate(SHOWN);
        note = format!("  … and {} more: --all shows them\n", total - SHOWN);
    }
    format!("\n{title}\n{}{note}", render(columns, &rows, width))
}

fn channels(summary: &Summary, all: bool, width: usize) -> String {
    let columns = [
        ("channel", Align::Name),
        ("bins", Align::Right),
        ("samples", Align::Right),
        ("observed", Align::Right),
        ("nominal", Align::Right),
    ];
    let rows = summary
        .channels
        .iter()
        .map(|c| {
            vec![
                c.name.clone(),
                c.bins.to_string(),
                c.samples.len().to_string(),
                observed(&[c.observed]),
                significant(c.nominal, 5),
            ]
        })
        .collect();
    section("Channels", &columns, rows, all, width)
}

fn samples(summary: &Summary, all: bool, width: usize) -> String {
    let columns = [
        ("sample", Align::Name),
        ("channels", Align::Right),
        ("nominal", Align::Right),
    ];
    let rows = summary
        .processes
        .iter()
        .map(|process| {
            let parts: Vec<f64> = summary
                .channels
                .iter()
                .flat_map(|c| &c.samples)
                .filter(|(name, _)| name == process)
                .map(|(_, total)| *total)
                .collect();
            vec![
                process.clone(),
                parts.len().to_string(),
                significant(parts.iter().sum(), 5),
            ]
        })
        .collect();
    section("Samples", &columns, rows, all, width)
}

fn modifiers(summary: &Summary, width: usize) -> String {
    let columns = [
        ("modifier", Align::Name),
        ("names", Align::Right),
        ("uses", Align::Right),
        ("cells", Align::Right),
        ("without effect", Align::Right),
    ];
    let rows = summary
        .modifiers
        .iter()
        .map(|m| {
            let share = if m.inert_entries == 0 {
                "-".to_owned()
            } else {
                format!(
                    "{} ({:.0} %)",
                    m.inert_entries,
                    100.0 * m.inert_entries as f64 / m.entries as f64
                )
            };
            vec![
                m.kind.as_str().to_owned(),
                m.names.to_string(),
                m.uses.to_string(),
                m.entries.to_string(),
                share,
            ]
        })
        .collect();
    section("Modifiers", &columns, rows, true, width)
}

fn parameters(spec: &ModelSpec, all: bool, width: usize) -> String {
    let columns = [
        ("parameter", Align::Name),
        ("kind", Align::Left),
        ("constraint", Align::Left),
        ("start", Align::Right),
        ("bounds", Align::Left),
        ("", Align::Left),
    ];
    let mut sets: Vec<&ParameterSet> = spec.sets.iter().collect();
    if !all && sets.len() > SHOWN {
        // The many that are alike come last.
        sets.sort_by_key(|s| s.kind == ParameterKind::Alpha);
    }
    let rows = sets
        .into_iter()
        .map(|set| {
            let (constraint, start, bounds) = describe(spec, set);
            let fixed = spec.parameters[set.parameters.clone()]
                .iter()
                .filter(|p| p.fixed)
                .count();
            let is_poi = spec.poi.is_some_and(|i| set.parameters.contains(&i));
            let mut notes = Vec::new();
            if is_poi {
                notes.push("POI".to_owned());
            }
            match (fixed, set.parameters.len()) {
                (0, _) => {}
                (f, n) if f == n => notes.push("fixed".to_owned()),
                (f, _) => notes.push(format!("{f} fixed")),
            }
            let components = if set.scalar {
                String::new()
            } else {
                format!("[{}]", set.parameters.len())
            };
            let name = set.name.clone();
            vec![
                format!("{name}{components}"),
                set.kind.as_str().to_owned(),
                constraint,
                start,
                bounds,
                notes.join(", "),
            ]
        })
        .collect();
    section("Parameters", &columns, rows, all, width)
}

/// Constraint, start and bounds of a set: those of its components where they agree.
fn describe(spec: &ModelSpec, set: &ParameterSet) -> (String, String, String) {
    let members = &spec.parameters[set.parameters.clone()];
    let common = |texts: Vec<String>| {
        let first = texts.first().cloned().unwrap_or_default();
        if texts.iter().all(|t| *t == first) {
            first
        } else {
            "various".to_owned()
        }
    };
    let width = |c: &Constraint| match c {
        Constraint::None => ("free", None),
        Constraint::Normal { sigma, .. } => ("normal", Some(*sigma)),
        Constraint::Poisson { tau, .. } => ("Poisson", Some(1.0 / tau.sqrt())),
    };
    let kind = members.first().map_or("", |p| width(&p.constraint).0);
    let widths: Vec<f64> = members
        .iter()
        .filter(|p| !p.fixed || members.len() == 1)
        .filter_map(|p| width(&p.constraint).1)
        .collect();
    let lowest = widths.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = widths.iter().copied().fold(0.0, f64::max);
    let constraint = if widths.is_empty() {
        kind.to_owned()
    } else if lowest == highest {
        format!("{kind} {}", significant(lowest, 2))
    } else {
        format!(
            "{kind} {} to {}",
            significant(lowest, 2),
            significant(highest, 2)
        )
    };
    (
        constraint,
        common(members.iter().map(|p| short(p.init)).collect()),
        common(
            members
                .iter()
                .map(|p| format!("{}, {}", short(p.bounds[0]), short(p.bounds[1])))
                .collect(),
        ),
    )
}

/// The shortest text of a number that is not long.
fn short(x: f64) -> String {
    let candidates = [format!("{x}"), format!("{x:e}")];
    let shortest = candidates.into_iter().find(|text| text.len() <= 8);
    shortest.unwrap_or_else(|| significant(x, 4))
}

fn without_effect(summary: &Summary, all: bool, width: usize) -> String {
    if summary.inert.is_empty() && summary.parameters_without_effect.is_empty() {
        return "\nEvery modifier and every parameter has an effect.\n".to_owned();
    }
    let mut text = String::new();
    if !summary.parameters_without_effect.is_empty() {
        let list = &summary.parameters_without_effect;
        let shown = if all {
            list.len()
        } else {
            SHOWN.min(list.len())
        };
        let more = if list.len() > shown {
            format!(" … and {} more: --all shows them", list.len() - shown)
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "\nParameters without effect on any yield ({})",
            list.len()
        );
        text.push_str(&wrap(
            &format!("{}{more}", list[..shown].join(", ")),
            width,
            2,
        ));
    }
    if !summary.inert.is_empty() {
        text.push_str(&inert(summary, all, width));
    }
    text
}

/// Uses of modifiers that change nothing: how many of each modifier, or with `all` each of them.
fn inert(summary: &Summary, all: bool, width: usize) -> String {
    let title = format!(
        "Uses of modifiers that change nothing ({})",
        summary.inert.len()
    );
    if all {
        let columns = [
            ("modifier", Align::Name),
            ("type", Align::Left),
            ("channel", Align::Name),
            ("sample", Align::Name),
        ];
        let row = |i: &Inert| {
            vec![
                i.modifier.clone(),
                i.kind.as_str().to_owned(),
                i.channel.clone(),
                i.sample.clone(),
            ]
        };
        return section(
            &title,
            &columns,
            summary.inert.iter().map(row).collect(),
            true,
            width,
        );
    }
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for i in &summary.inert {
        *counts.entry((&i.modifier, i.kind.as_str())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let columns = [
        ("modifier", Align::Name),
        ("type", Align::Left),
        ("uses", Align::Right),
    ];
    let row = |((name, kind), n): &((&str, &str), usize)| {
        vec![(*name).to_owned(), (*kind).to_owned(), n.to_string()]
    };
    section(
        &title,
        &columns,
        counts.iter().map(row).collect(),
        false,
        width,
    )
}
