//! What pages are made of: drawings, cutflows, data sets, edges.

use minijinja::{Value, context};
use pullback_analysis::run::{Bins, Cutflow, Results};

use super::super::drawing::Drawing;
use super::heading::brief;
use crate::text::rounding::{round, significant};
use crate::text::run::variation;
use crate::text::tangents;

/// A drawing in a page, a little larger than its own size at most.
pub fn placed(drawing: &Drawing) -> Value {
    Value::from_safe_string(drawing.finish(1.35))
}

fn rounded((sum, error): (f64, f64)) -> String {
    round(sum, Some(error)).text().replace('-', "−")
}

/// A cutflow: a row per cut, a column per process.
pub fn cutflow(results: &Results, cutflow: &Cutflow) -> Value {
    let seen = results.observed[cutflow.region].as_ref();
    let rows = cutflow.steps.iter().enumerate().map(|(k, step)| {
        let cut = if step.cut.is_empty() {
            "all events"
        } else {
            &step.cut
        };
        let yields = step.yields.iter().map(|b| rounded(b.total()));
        let mut row: Vec<String> = std::iter::once(cut.to_owned()).chain(yields).collect();
        row.extend(seen.map(|s| s[k].to_string()));
        row
    });
    let mut header = vec!["cut".to_owned()];
    header.extend(results.processes.iter().cloned());
    header.extend(seen.map(|_| "observed".to_owned()));
    context! { header, rows => rows.collect::<Vec<_>>() }
}

/// The data sets: name, process, files, events, weight of one.
pub fn datasets(results: &Results) -> Vec<Vec<String>> {
    let all = results.file.datasets.iter().zip(&results.datasets);
    let rows = all.map(|(input, (events, scale))| {
        let files = input.files.iter().map(|f| f.display().to_string());
        let (process, scale) = if input.observed {
            ("observed".to_owned(), String::new())
        } else {
            (input.process.clone(), significant(*scale, 4))
        };
        let cross_section = input.cross_section.map(|x| format!("{} pb", brief(x)));
        vec![
            input.name.clone(),
            process,
            files.collect::<Vec<_>>().join(", "),
            events.to_string(),
            cross_section.unwrap_or_default(),
            scale,
        ]
    });
    let variants = results.variants.iter().map(|v| {
        let files = results.file.files_of(v);
        let files = files.map(|f| f.display().to_string());
        vec![
            v.dataset.clone(),
            variation(results, v.systematic, v.shift),
            files.collect::<Vec<_>>().join(", "),
            v.events.to_string(),
            String::new(),
            significant(v.scale, 4),
        ]
    });
    rows.chain(variants).collect()
}

/// How far tangents are from the selection evaluated again; nothing without tangents.
pub fn tangents(results: &Results) -> Option<Value> {
    let mut rows = tangents::rows(results);
    rows.iter_mut()
        .flatten()
        .for_each(|cell| *cell = cell.replace('-', "−"));
    let note = tangents::NOTE;
    (!rows.is_empty()).then(|| context! { header => tangents::HEADER, rows, note })
}

/// The yields of a histogram below its drawing.
pub fn totals(processes: &[String], bins: &[Bins]) -> String {
    let each = processes.iter().zip(bins);
    let each = each.map(|(p, b)| format!("{p} {}", rounded(b.total())));
    each.collect::<Vec<_>>().join(" · ")
}

/// `300, 512.4, 700`.
pub fn edges(edges: &[f64]) -> String {
    let each: Vec<String> = edges.iter().map(|e| round(*e, None).text()).collect();
    each.join(", ").replace('-', "−")
}
