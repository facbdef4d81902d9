//! The page: numbers and drawings, put into the template.

use minijinja::{Value, context};
use pullback_stats::fit::{ChannelYields, FitResult, FittedParameter};
use serde::Serialize;

use super::legend::legend;
use super::svg::HATCH;
use super::{channels, correlations, derivatives, pulls, template};
use crate::text::rounding::{fixed, round, significant};
use crate::text::{
    About, Derivatives, Group, Lever, by_data, by_signal, count, duration, headline, members, note,
    observed, yield_text,
};

/// What the page is about.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The fit.
    pub result: &'a FitResult,
    /// What was fitted.
    pub about: About<'a>,
    /// Names of the samples that the parameter of interest scales.
    pub signal: &'a [String],
    /// How the parameter of interest moves with data and signal, if that was computed.
    pub derivatives: Option<Derivatives<'a>>,
    /// What to look at.
    pub warnings: &'a [String],
}

const TEMPLATE: &str = include_str!("page.html");

#[derive(Serialize)]
struct Row {
    name: String,
    value: String,
    pull: String,
    constraint: String,
    init: String,
    bounds: String,
    note: String,
}

#[derive(Serialize)]
struct Table {
    title: &'static str,
    rows: Vec<Row>,
    pulls: bool,
}

#[derive(Serialize)]
struct Figures {
    title: &'static str,
    count: usize,
    plots: Vec<Value>,
}

#[derive(Serialize)]
struct Channel {
    name: String,
    wide: bool,
    plot: Value,
    totals: String,
}

/// The page as HTML.
pub fn render(page: &Page<'_>) -> String {
    let result = page.result;
    let keys = legend(result, page.signal);
    let figures_of_channels: Vec<Channel> = channels::plots(&result.yields, &keys)
        .into_iter()
        .map(|plot| Channel {
            name: plot.title,
            wide: plot.wide,
            plot: Value::from_safe_string(plot.svg),
            totals: plot
                .channel
                .map_or(String::new(), |c| totals(&result.yields[c])),
        })
        .collect();
    let correlations = correlations::correlations(result).map(|c| {
        let pairs: Vec<(String, String, String)> = c
            .pairs
            .into_iter()
            .map(|(a, b, r)| (a, b, format!("{r:+.3}").replace('-', "−")))
            .collect();
        context! {
            count => c.count,
            shown_wide => c.shown_wide,
            shown_narrow => c.shown_narrow,
            wide => Value::from_safe_string(c.wide),
            narrow => Value::from_safe_string(c.narrow),
            picture => c.picture.map(Value::from_safe_string),
            pairs,
        }
    });
    let names: Vec<(String, &str)> = keys
        .into_iter()
        .map(|k| {
            (
                k.name.unwrap_or_else(|| "smaller samples".to_owned()),
                k.colour,
            )
        })
        .collect();
    let poi = result.poi.and_then(|i| result.parameters.get(i));
    let values = context! {
        style => template::style(),
        definitions => Value::from_safe_string(HATCH.to_owned()),
        about => context! { title => page.about.title, left_out => page.about.left_out, data => page.about.data },
        headline => headline(result),
        converged => result.converged,
        poi => poi.map(|p| context! { name => p.name, value => round(p.value, p.error).text(), note => note(p, result) }),
        facts => facts(result),
        warnings => page.warnings,
        covariance_note => result.covariance_note,
        figures => figures(result),
        correlations,
        derivatives => page.derivatives.as_ref().and_then(|d| derivative_charts(d, result)),
        legend => names,
        channels => figures_of_channels,
        tables => tables(result),
        version => env!("CARGO_PKG_VERSION"),
    };
    template::render(TEMPLATE, values)
}

/// The drawings of the derivatives by data and by signal.
fn derivative_charts(of: &Derivatives<'_>, result: &FitResult) -> Option<Value> {
    let poi = &result.parameters.get(result.poi?)?.name;
    let section = |title: &str, levers: &[Lever<'_>], symbol: &str| {
        let (charts, hidden) = derivatives::charts(levers, symbol, poi);
        let charts: Vec<Value> = charts
            .into_iter()
            .map(|c| context! { title => c.title, wide => c.wide, svg => Value::from_safe_string(c.svg) })
            .collect();
        context! { title, charts, hidden }
    };
    Some(context! {
        poi,
        sections => [
            section("By the data: one more event in a bin", &by_data(of), "n"),
            section("By the signal: one more expected event in a bin", &by_signal(of), "s"),
        ],
    })
}

fn totals(c: &ChannelYields) -> String {
    format!(
        "data {} · before {} · after {}",
        observed(&c.observed),
        yield_text(c.prefit_total),
        yield_text(c.postfit_total)
    )
}

fn facts(result: &FitResult) -> Vec<(&'static str, String)> {
    let s = &result.seconds;
    let free = result.parameters.iter().filter(|p| !p.fixed).count();
    let bins: usize = result.yields.iter().map(|c| c.observed.len()).sum();
    let mut facts = vec![
        ("measurement", result.measurement.clone()),
        ("twice_nll", format!("{:.6}", result.twice_nll)),
        ("distance to minimum (edm)", significant(result.edm, 2)),
        (
            "parameters",
            format!("{} ({free} free)", result.parameters.len()),
        ),
        ("channels, bins", format!("{}, {bins}", result.yields.len())),
        (
            "work",
            format!(
                "{}, {}",
                count(result.iterations, "iteration"),
                count(result.evaluations, "evaluation")
            ),
        ),
        (
            "time",
            format!(
                "fit {}, covariance {}",
                duration(s.fit),
                duration(s.covariance)
            ),
        ),
    ];
    if let Some(digest) = &result.digest {
        facts.push(("SHA-256 of the workspace", digest.clone()));
    }
    facts
}

fn figures(result: &FitResult) -> Vec<Figures> {
    [Group::Nuisance, Group::Gamma]
        .into_iter()
        .filter_map(|group| {
            let list: Vec<&FittedParameter> = members(result, group)
                .into_iter()
                .filter(|p| p.pull.is_some())
                .collect();
            (!list.is_empty()).then(|| Figures {
                title: group.title(),
                count: list.len(),
                plots: pulls::plots(&list)
                    .into_iter()
                    .map(Value::from_safe_string)
                    .collect(),
            })
        })
        .collect()
}

fn tables(result: &FitResult) -> Vec<Table> {
    Group::ALL
        .into_iter()
        .filter_map(|group| {
            let list = members(result, group);
            (!list.is_empty()).then(|| Table {
                title: group.title(),
                pulls: list.iter().any(|p| p.pull.is_some()),
                rows: list.into_iter().map(|p| row(p, result)).collect(),
            })
        })
        .collect()
}

fn row(p: &FittedParameter, result: &FitResult) -> Row {
    let minus = |text: String| text.replace('-', "−");
    let number = |x: f64| minus(round(x, None).text());
    Row {
        name: p.name.clone(),
        value: minus(round(p.value, p.error).text()),
        pull: p.pull.map_or(String::new(), |x| minus(fixed(x, 2))),
        constraint: p.constraint.map_or(String::new(), |x| fixed(x, 2)),
        init: number(p.init),
        bounds: format!("{} … {}", number(p.bounds[0]), number(p.bounds[1])),
        note: note(p, result),
    }
}
