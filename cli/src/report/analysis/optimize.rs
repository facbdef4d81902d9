//! The page of an optimisation.

use minijinja::{Value, context};
use pullback_analysis::optimize::{Outcome, Quote};
use pullback_analysis::run::Results;

use super::super::svg::HATCH;
use super::super::template;
use super::content::Colours;
use super::heading::{Heading, brief};
use super::stack::Stack;
use super::tables::placed;
use super::{cuts, history, impacts, ranges, tables};
use crate::text;
use crate::text::rounding::{round, significant};
use crate::verbs::Optimized;

const TEMPLATE: &str = include_str!("optimize.html");

/// The page as HTML.
pub fn optimize(found: &Optimized) -> String {
    let o = &found.outcome;
    let colours = Colours::new(&found.after);
    let none = Heading::default();
    let values = context! {
        style => template::style(),
        definitions => Value::from_safe_string(HATCH.to_owned()),
        title => found.after.file.title,
        headline => text::optimize::headline(found),
        good => found.gain() > 0.0,
        value => exact(found.quotes()[1]),
        before => exact(found.quotes()[0]),
        folds => found.folds.as_ref().map(|f| text::optimize::folds(found, f)),
        objective => o.objective,
        facts => facts(found),
        warnings => warnings(found),
        quotes => quotes(o),
        distance => signed(100.0 * o.distance(), 1),
        ranges => ranges::draw(&o.quantities, &none).into_iter().map(|(drawing, _)| placed(&drawing)).collect::<Vec<_>>(),
        quantities => quantities(o),
        networks => networks(o),
        history => history::draw(o, &none).as_ref().map(placed),
        several => o.history.iter().any(|r| r.start > 0),
        best_step => o.best_step,
        distributions => distributions(found, &colours),
        channels => channels(found, &colours),
        lines => !colours.lines().is_empty(),
        legend => colours.legend(&found.after),
        yields => yields(found),
        impacts => impacts::draw(o, &none).as_ref().map(placed),
        costs => costs(o),
        cutflows => cutflows(found),
        datasets => tables::datasets(&found.after),
        held => held(o),
        version => env!("CARGO_PKG_VERSION"),
    };
    template::render(TEMPLATE, values)
}

/// For each channel its name, and rows of bins: what is expected, its error before the fit, its error after it.
fn yields(found: &Optimized) -> Vec<(String, Vec<[String; 3]>)> {
    let channels = found.yields.iter();
    let channel = channels.map(|c| {
        let total = std::iter::once((&c.prefit_total, &c.postfit_total));
        let bins = c.prefit.iter().zip(&c.postfit).chain(total).enumerate();
        let rows = bins.map(|(k, (before, after))| {
            let name = if k < c.prefit.len() {
                k.to_string()
            } else {
                "all".to_owned()
            };
            let both = [before, after].map(|y| minus(&text::yield_text(*y)));
            let [before, after] = both;
            [name, before, after]
        });
        (c.channel.clone(), rows.collect())
    });
    channel.collect()
}

fn minus(text: &str) -> String {
    text.replace('-', "−")
}

fn signed(x: f64, decimals: usize) -> String {
    minus(&format!("{x:+.decimals$}"))
}

fn exact(quote: &Quote) -> String {
    minus(&round(quote.value, Some(quote.uncertainty)).text())
}

fn facts(found: &Optimized) -> Vec<(&'static str, String)> {
    let o = &found.outcome;
    let mut facts = Vec::new();
    if let Some(luminosity) = found.after.file.total_luminosity() {
        let text = format!("{} fb⁻¹", brief(luminosity / 1000.0));
        facts.push(("luminosity", text));
    }
    facts.extend([
        ("free quantities", o.quantities.len().to_string()),
        (
            "weights of networks",
            o.networks.iter().map(|n| n.1).sum::<usize>().to_string(),
        ),
        ("soft decisions", o.decisions.to_string()),
        ("steps", o.history.len().to_string()),
        ("time", text::duration(o.seconds)),
    ]);
    facts.retain(|f| f.1 != "0");
    facts
}

/// Those of the optimisation, and of the run at the optimum.
fn warnings(found: &Optimized) -> Vec<String> {
    let mut all = found.warnings();
    for warning in &found.after.warnings {
        if !all.contains(warning) {
            all.push(warning.clone());
        }
    }
    all
}

/// Exact and soft objectives by part of the events.
fn quotes(o: &Outcome) -> Vec<[String; 4]> {
    let row = |name: &str, quotes: &[Quote; 3]| {
        let [a, b, c] = [0, 1, 2].map(|k: usize| exact(&quotes[k]));
        [name.to_owned(), a, b, c]
    };
    let soft = o.soft.map(|x| significant(x, 4));
    let [training, test] = soft;
    vec![
        row("exact, before", &o.before),
        row("exact, after", &o.after),
        ["soft, after".to_owned(), training, String::new(), test],
    ]
}

fn quantities(o: &Outcome) -> Vec<Vec<String>> {
    let rows = o.quantities.iter().map(|q| {
        let number = |x: f64, digits| minus(&significant(x, digits));
        vec![
            q.name.clone(),
            number(q.before, 4),
            number(q.after, 4),
            format!("{} … {}", number(q.range[0], 4), number(q.range[1], 4)),
            number(q.slopes[0], 3),
            number(q.slopes[1], 3),
        ]
    });
    rows.collect()
}

fn networks(o: &Outcome) -> Vec<[String; 3]> {
    let rows = o.networks.iter().map(|(name, weights, way)| {
        let way = format!("{} %", significant(100.0 * way, 3));
        [name.clone(), weights.to_string(), way]
    });
    rows.collect()
}

/// Each fitted histogram, before and after.
fn channels(found: &Optimized, colours: &Colours) -> Vec<Value> {
    let channels = found.after.file.fit.iter().flat_map(|f| &f.channels);
    let stack = |results: &Results, (region, plot): (usize, usize)| {
        let filled = results.histogram(plot, region)?;
        let totals = tables::totals(&results.processes, &filled.nominal);
        Some((colours.histogram(results, filled), totals))
    };
    let draw = |drawn: Option<(Stack, String)>, logarithmic: bool| {
        let (mut stack, totals) = drawn?;
        stack.logarithmic = logarithmic;
        let edges = tables::edges(&stack.edges);
        Some(context! { svg => placed(&stack.draw(&Heading::default())), edges, totals })
    };
    let each = channels.map(|&(region, plot)| {
        let file = &found.after.file;
        let both = [&found.before, &found.after].map(|r| stack(r, (region, plot)));
        // Two that are compared have axes of one kind.
        let logarithmic = both.iter().flatten().any(|(s, _)| s.wants_logarithm());
        let [before, after] = both.map(|drawn| draw(drawn, logarithmic));
        context! {
            region => file.regions[region].name,
            plot => file.histograms[plot].name,
            before,
            after,
        }
    });
    each.collect()
}

/// What each cut decides on, at the optimum, with the thresholds of before.
fn distributions(found: &Optimized, colours: &Colours) -> Vec<Value> {
    let results = &found.after;
    let each = results.n_minus_one.iter().map(|d| {
        let mut all = found.before.n_minus_one.iter();
        let before = all.find(|b| (b.region, b.cut) == (d.region, d.cut));
        let stack = cuts::stack(results, d, before, colours);
        context! {
            cut => cuts::text(results, d),
            region => results.file.regions[d.region].name,
            svg => placed(&stack.draw(&Heading::default())),
            note => cuts::numbers(d, before),
        }
    });
    each.collect()
}

fn costs(o: &Outcome) -> Vec<[String; 4]> {
    let value = o.after[2].value;
    let rows = impacts::costs(o).into_iter().filter_map(|(name, _)| {
        let impact = o.impacts.iter().find(|i| i.name == name)?;
        Some([
            name.to_owned(),
            significant(impact.without, 4),
            format!("{} %", signed(100.0 * (impact.without / value - 1.0), 2)),
            minus(&significant(impact.slope, 3)),
        ])
    });
    rows.collect()
}

fn cutflows(found: &Optimized) -> Vec<Value> {
    let both = found.before.cutflows.iter().zip(&found.after.cutflows);
    let each = both.map(|(before, after)| {
        let region = &found.after.file.regions[after.region];
        context! {
            region => region.name,
            kind => region.kind.name(),
            before => tables::cutflow(&found.before, before),
            after => tables::cutflow(&found.after, after),
        }
    });
    each.collect()
}

/// How many events of a data set are in memory.
fn held(o: &Outcome) -> Vec<[String; 3]> {
    let rows = o.datasets.iter().map(|(name, events, held)| {
        let held = held.map_or("read again in each step".to_owned(), |n| n.to_string());
        [name.clone(), events.to_string(), held]
    });
    rows.collect()
}
