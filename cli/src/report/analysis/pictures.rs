//! Pictures that stand alone, each with its numbers beside it.

use pullback_analysis::run::{Bins, Results};

use super::super::drawing::Drawing;
use super::content::Colours;
use super::heading::Heading;
use super::variations::{self, Varied};
use super::{csv, cutflow, cuts, history, impacts, ranges};
use crate::verbs::Optimized;

/// A picture that stands alone.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its name, for a file.
    pub name: String,
    /// The drawing as SVG.
    pub svg: String,
    /// The drawing as PDF.
    pub pdf: String,
    /// The numbers that are drawn.
    pub csv: String,
}

/// Those of a run.
pub fn run(results: &Results) -> Vec<Picture> {
    of(results, None, "")
}

/// Those of an optimisation: the analysis before and after, and how it went.
pub fn optimize(found: &Optimized) -> Vec<Picture> {
    let o = &found.outcome;
    let mut all = of(&found.before, None, "before_");
    all.extend(of(&found.after, Some(&found.before), "after_"));
    let heading = |what: &str| heading(&found.after, what);
    if let Some(drawing) = history::draw(o, &heading("history of the optimisation")) {
        pair(&mut all, "history", &drawing, csv::history(o));
    }
    if let Some(drawing) = impacts::draw(o, &heading("what systematics cost")) {
        pair(&mut all, "systematics", &drawing, csv::impacts(o));
    }
    for (drawing, part) in ranges::draw(&o.quantities, &heading("free quantities")) {
        pair(&mut all, "quantities", &drawing, csv::quantities(part));
    }
    all
}

/// What stands above a picture.
fn heading<'a>(results: &'a Results, what: &str) -> Heading<'a> {
    Heading {
        title: &results.file.title,
        what: what.to_owned(),
        luminosity: results.file.total_luminosity(),
        shown: true,
    }
}

/// Adds a picture and its numbers. Names of systematics can be anything; names of files are of letters, digits and a few signs, each there once.
fn pair(all: &mut Vec<Picture>, name: &str, drawing: &Drawing, csv: String) {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let plain: String = name
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    let mut name = plain.clone();
    let mut count = 1;
    while all.iter().any(|p| p.name == name) {
        count += 1;
        name = format!("{plain}_{count}");
    }
    let (svg, pdf) = (drawing.svg(), drawing.pdf());
    all.push(Picture {
        name,
        svg,
        pdf,
        csv,
    });
}

/// Histograms, variations, what cuts decide on, cutflows. Where there was a run before, its thresholds are drawn, too.
fn of(results: &Results, before: Option<&Results>, prefix: &str) -> Vec<Picture> {
    let colours = Colours::new(results);
    let mut all = Vec::new();
    let file = &results.file;
    let heading = |what: &str| heading(results, what);
    for filled in &results.histograms {
        let (plot, region) = (
            &file.histograms[filled.plot],
            &file.regions[filled.region].name,
        );
        let name = format!("{prefix}{region}_{}", plot.name);
        let stack = colours.histogram(results, filled);
        let drawing = stack.draw(&heading(&format!("region {region}")));
        let numbers = csv::bins(
            &plot.edges,
            &named(results, &filled.nominal, filled.observed.as_ref()),
        );
        pair(&mut all, &name, &drawing, numbers);
        for v in variations::varied(results, filled) {
            let systematic = &file.systematics[v.systematic].name;
            let what = format!(
                "{systematic} on {}, region {region}",
                v.processes.join(", ")
            );
            let drawing = variations::draw(results, filled, &v, &heading(&what));
            let numbers = csv::bins(&plot.edges, &shifted(&v));
            let name = format!("{name}_{systematic}");
            pair(&mut all, &name, &drawing, numbers);
        }
    }
    for d in &results.n_minus_one {
        let region = &file.regions[d.region].name;
        let mut earlier = before.iter().flat_map(|b| &b.n_minus_one);
        let earlier = earlier.find(|b| (b.region, b.cut) == (d.region, d.cut));
        let what = format!("region {region} without the cut {}", cuts::text(results, d));
        let drawing = cuts::stack(results, d, earlier, &colours).draw(&heading(&what));
        let numbers = csv::bins(&d.edges, &named(results, &d.nominal, d.observed.as_ref()));
        let name = format!("{prefix}{region}_cut_{}", d.cut + 1);
        pair(&mut all, &name, &drawing, numbers);
    }
    for flow in &results.cutflows {
        let region = &file.regions[flow.region].name;
        let drawing = cutflow::draw(
            results,
            flow,
            &colours,
            &heading(&format!("cutflow of region {region}")),
        );
        let name = format!("{prefix}{region}_cutflow");
        pair(&mut all, &name, &drawing, csv::cutflow(results, flow));
    }
    all
}

fn named<'a>(
    results: &Results,
    nominal: &'a [Bins],
    observed: Option<&'a Bins>,
) -> Vec<(String, &'a Bins)> {
    let simulated = results.processes.iter().cloned().zip(nominal);
    let seen = observed.map(|bins| ("data".to_owned(), bins));
    simulated.chain(seen).collect()
}

fn shifted(v: &Varied) -> Vec<(String, &Bins)> {
    let on = v.processes.join(" + ");
    let mut all = vec![(on.clone(), &v.nominal)];
    for (name, bins) in [("up", &v.up), ("down", &v.down)] {
        all.extend(bins.as_ref().map(|b| (format!("{on} {name}"), b)));
    }
    all
}
