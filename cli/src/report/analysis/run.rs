//! The page of a run.

use minijinja::{Value, context};
use pullback_analysis::run::Results;

use super::super::svg::HATCH;
use super::super::template;
use super::content::Colours;
use super::heading::{Heading, brief};
use super::tables::placed;
use super::{cutflow, cuts, tables, variations};

const TEMPLATE: &str = include_str!("run.html");

/// The page as HTML.
pub fn run(results: &Results) -> String {
    let colours = Colours::new(results);
    let file = &results.file;
    let regions: Vec<Value> = (0..file.regions.len())
        .map(|region| one_region(results, region, &colours))
        .collect();
    let events: u64 = results.datasets.iter().map(|d| d.0).sum();
    let mut facts = Vec::new();
    if let Some(luminosity) = file.total_luminosity() {
        let text = format!("{} fb⁻¹", brief(luminosity / 1000.0));
        facts.push(("luminosity", text));
    }
    facts.extend([
        ("events read", events.to_string()),
        ("processes", results.processes.len().to_string()),
        ("regions", file.regions.len().to_string()),
        ("histograms", results.histograms.len().to_string()),
        ("systematics", file.systematics.len().to_string()),
    ]);
    let values = context! {
        style => template::style(),
        definitions => Value::from_safe_string(HATCH.to_owned()),
        title => file.title,
        facts,
        warnings => results.warnings,
        lines => !colours.lines().is_empty(),
        legend => colours.legend(results),
        seen => results.observed.iter().any(Option::is_some),
        regions,
        datasets => tables::datasets(results),
        tangents => tables::tangents(results),
        version => env!("CARGO_PKG_VERSION"),
    };
    template::render(TEMPLATE, values)
}

fn one_region(results: &Results, region: usize, colours: &Colours) -> Value {
    let file = &results.file;
    let has_data = file.datasets.iter().any(|d| d.observed);
    let own = || results.histograms.iter().filter(|h| h.region == region);
    let histograms = own().map(|filled| {
        let stack = colours.histogram(results, filled);
        context! {
            title => file.histograms[filled.plot].name,
            svg => placed(&stack.draw(&Heading::default())),
            totals => tables::totals(&results.processes, &filled.nominal),
        }
    });
    let varied = own().flat_map(|filled| {
        let each = variations::varied(results, filled).into_iter();
        each.map(move |v| {
            let drawing = variations::draw(results, filled, &v, &Heading::default());
            context! {
                title => file.systematics[v.systematic].name,
                plot => file.histograms[filled.plot].name,
                processes => v.processes.join(", "),
                svg => placed(&drawing),
            }
        })
    });
    let decided = results.n_minus_one.iter().filter(|d| d.region == region);
    let decided = decided.map(|d| {
        let stack = cuts::stack(results, d, None, colours);
        context! { cut => cuts::text(results, d), svg => placed(&stack.draw(&Heading::default())) }
    });
    let flow = results.cutflows.iter().find(|c| c.region == region);
    let flow = flow.map(|flow| {
        let drawing = cutflow::draw(results, flow, colours, &Heading::default());
        context! { table => tables::cutflow(results, flow), svg => placed(&drawing) }
    });
    context! {
        name => file.regions[region].name,
        kind => file.regions[region].kind.name(),
        blind => has_data && results.observed[region].is_none(),
        histograms => histograms.collect::<Vec<_>>(),
        varied => varied.collect::<Vec<_>>(),
        cuts => decided.collect::<Vec<_>>(),
        flow,
    }
}
