//! What comes out of an analysis, for people.

use std::fmt::Write;

use pullback_analysis::run::{Bins, Cutflow, Results, Shift};

use super::rounding::round;
use super::table::{Align, render, wrap};
use super::yields::observed;

/// The whole text; `written` are the files that were written.
pub fn run(results: &Results, written: &[String], width: usize) -> String {
    let file = &results.file;
    let mut text = format!("{}\n", file.title);
    if let Some(luminosity) = file.total_luminosity() {
        let _ = writeln!(text, "L = {} /fb", luminosity / 1000.0);
    }
    text.push_str(&datasets(results, width));
    for cutflow in &results.cutflows {
        text.push_str(&region(results, cutflow, width));
    }
    if !results.histograms.is_empty() {
        text.push_str(&histograms(results, width));
    }
    if !results.biases.is_empty() {
        text.push_str(&super::tangents::table(results, width));
    }
    text.push_str(&super::run::files(written, ""));
    text
}

/// The files that were written, and what to do with a workspace among them.
pub fn files(written: &[String], how: &str) -> String {
    let mut text = String::new();
    for name in written {
        let _ = writeln!(
            text,
            "{}wrote {name}",
            if *name == written[0] { "\n" } else { "" }
        );
    }
    if let Some(workspace) = written.iter().find(|n| n.ends_with("workspace.json")) {
        let _ = writeln!(text, "next: pullback fit {workspace}{how}");
    }
    text
}

/// A variation by name and direction.
pub fn variation(results: &Results, systematic: usize, shift: Shift) -> String {
    let name = &results.file.systematics[systematic].name;
    format!("{name} {}", shift.name().to_lowercase())
}

fn datasets(results: &Results, width: usize) -> String {
    let header = [
        ("data set", Align::Name),
        ("process", Align::Name),
        ("events", Align::Right),
        ("weight of one", Align::Right),
    ];
    let all = results.file.datasets.iter().zip(&results.datasets);
    let mut rows: Vec<Vec<String>> = all
        .map(|(input, (events, scale))| {
            let (process, scale) = if input.observed {
                ("observed".to_owned(), String::new())
            } else {
                (
                    input.process.clone(),
                    super::rounding::significant(*scale, 4),
                )
            };
            vec![input.name.clone(), process, events.to_string(), scale]
        })
        .collect();
    rows.extend(results.variants.iter().map(|v| {
        let variation = variation(results, v.systematic, v.shift);
        let scale = super::rounding::significant(v.scale, 4);
        vec![v.dataset.clone(), variation, v.events.to_string(), scale]
    }));
    format!("\n{}", render(&header, &rows, width))
}

/// A yield by its statistical error.
fn part(bins: &Bins) -> String {
    let (sum, error) = bins.total();
    round(sum, Some(error)).text()
}

/// The sum over processes.
fn together(yields: &[Bins]) -> String {
    let totals = yields.iter().map(Bins::total);
    let (sum, variance) = totals.fold((0.0, 0.0), |(s, v), (x, e)| (s + x, v + e * e));
    round(sum, Some(variance.sqrt())).text()
}

/// The cutflow: a column per process as long as they fit, else their sum.
fn region(results: &Results, cutflow: &Cutflow, width: usize) -> String {
    let region = &results.file.regions[cutflow.region];
    let seen = results.observed[cutflow.region].as_ref();
    let many = results.processes.len() > 1;
    let simulated = results.file.simulated().len();
    let rows = |detailed: bool| -> Vec<Vec<String>> {
        let steps = cutflow.steps.iter().enumerate();
        steps
            .map(|(k, step)| {
                let cut = if step.cut.is_empty() {
                    "all events"
                } else {
                    &step.cut
                };
                let mut row = vec![cut.to_owned()];
                if detailed {
                    // Of estimated processes nothing is known before the last cut.
                    let known = |p: usize| p < simulated || k + 1 == cutflow.steps.len();
                    let each = step.yields.iter().enumerate();
                    row.extend(
                        each.map(|(p, bins)| if known(p) { part(bins) } else { String::new() }),
                    );
                }
                if many || !detailed {
                    row.push(together(&step.yields));
                }
                if let Some(seen) = seen {
                    row.push(observed(&[seen[k]]));
                }
                row
            })
            .collect()
    };
    let header = |detailed: bool| -> Vec<(&str, Align)> {
        let mut header = vec![("cut", Align::Name)];
        if detailed {
            let names = results.processes.iter();
            header.extend(names.map(|p| (p.as_str(), Align::Right)));
        }
        if many || !detailed {
            header.push(("expected", Align::Right));
        }
        if seen.is_some() {
            header.push(("observed", Align::Right));
        }
        header
    };
    let mut table = render(&header(true), &rows(true), width);
    let mut note = "";
    if table.lines().any(|l| l.chars().count() > width) {
        table = render(&header(false), &rows(false), width);
        note = "  the processes are in --json\n";
    }
    let has_data = results.file.datasets.iter().any(|d| d.observed);
    let blind = if has_data && seen.is_none() {
        ", blind: --unblind looks at the observed events"
    } else {
        ""
    };
    format!(
        "\nRegion {} ({}{blind})\n{table}{note}",
        region.name,
        region.kind.name()
    )
}

fn histograms(results: &Results, width: usize) -> String {
    let header = [
        ("histogram", Align::Name),
        ("region", Align::Name),
        ("bins", Align::Right),
        ("expected", Align::Right),
        ("observed", Align::Right),
        ("fewest entries", Align::Right),
    ];
    let rows: Vec<Vec<String>> = (results.histograms.iter())
        .map(|filled| {
            let plot = &results.file.histograms[filled.plot];
            let seen = filled.observed.as_ref().map(|b| observed(&b.sums));
            let bins = plot.edges.len() - 1;
            let simulated = &filled.nominal[..results.file.simulated().len()];
            let entries = |k: usize| simulated.iter().map(|b| b.entries[k]).sum::<f64>();
            let fewest = (0..bins).map(entries).fold(f64::INFINITY, f64::min);
            vec![
                plot.name.clone(),
                results.file.regions[filled.region].name.clone(),
                bins.to_string(),
                together(&filled.nominal),
                seen.unwrap_or_default(),
                fewest.to_string(),
            ]
        })
        .collect();
    let note = wrap(
        "fewest entries: simulated events in the emptiest bin, all processes together; errors are those of the number of simulated events",
        width,
        2,
    );
    format!("\nHistograms\n{}{note}", render(&header, &rows, width))
}
