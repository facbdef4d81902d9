//! How the measured parameter and its error move with the data and the signal, for people.

use std::fmt::Write;

use pullback_stats::fit::{FitResult, Sensitivities};
use pullback_stats::spec::ModelSpec;

use super::rounding::significant;
use super::table::{Align, render};
use super::yields::observed;

/// Rows of a table that is not shown whole.
const SHOWN: usize = 8;

/// The derivatives of a fit, and what they are by.
#[derive(Debug, Clone, Copy)]
pub struct Derivatives<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// The data that were fitted.
    pub observed: &'a [f64],
    /// The derivatives.
    pub sensitivities: &'a Sensitivities,
}

/// Where a derivative is taken: channel, bin, and the number that moves.
#[derive(Debug, Clone)]
pub struct Lever<'a> {
    /// Name of the channel.
    pub channel: &'a str,
    /// Bin in the channel, from 0.
    pub bin: usize,
    /// Name of the sample; empty for data.
    pub sample: &'a str,
    /// The count, or the nominal yield.
    pub value: f64,
    /// dµ̂ by it.
    pub poi: f64,
    /// dσ_µ by it.
    pub sigma: f64,
}

/// The derivatives by each bin of data.
pub fn by_data<'a>(of: &Derivatives<'a>) -> Vec<Lever<'a>> {
    let (spec, observed, s) = (of.spec, of.observed, of.sensitivities);
    let bins = spec
        .channels
        .iter()
        .flat_map(|c| c.bins.clone().enumerate().map(move |(b, i)| (c, b, i)));
    bins.filter_map(|(c, bin, i)| {
        Some(Lever {
            channel: &c.name,
            bin,
            sample: "",
            value: *observed.get(i)?,
            poi: *s.poi_by_data.get(i)?,
            sigma: *s.sigma_by_data.get(i)?,
        })
    })
    .collect()
}

/// The derivatives by each nominal yield of the signal.
pub fn by_signal<'a>(of: &Derivatives<'a>) -> Vec<Lever<'a>> {
    let (spec, s) = (of.spec, of.sensitivities);
    let numbers = s
        .signal_cells
        .iter()
        .zip(&s.poi_by_signal)
        .zip(&s.sigma_by_signal);
    numbers
        .filter_map(|((&cell, &poi), &sigma)| {
            let sample = spec.samples.iter().position(|x| x.cells.contains(&cell))?;
            let of = &spec.samples[sample];
            Some(Lever {
                channel: &spec.channels[of.channel].name,
                bin: cell - of.cells.start,
                sample: spec.sample_name(sample),
                value: spec.nominal[cell],
                poi,
                sigma,
            })
        })
        .collect()
}

/// The tables.
pub fn derivatives(of: &Derivatives<'_>, result: &FitResult, all: bool, width: usize) -> String {
    let name = result.poi.map_or("", |i| &result.parameters[i].name);
    let mut text = format!(
        "\nDerivatives of the fitted {name} and of its error σ, by implicit differentiation\n"
    );
    text.push_str(&table("data bin", "n", name, by_data(of), all, width));
    text.push('\n');
    text.push_str(&table("signal bin", "s", name, by_signal(of), all, width));
    text
}

fn table(
    first: &str,
    symbol: &str,
    poi: &str,
    mut levers: Vec<Lever<'_>>,
    all: bool,
    width: usize,
) -> String {
    let total = levers.len();
    let cut = !all && total > SHOWN;
    if cut {
        levers.sort_by(|a, b| b.poi.abs().total_cmp(&a.poi.abs()));
        levers.truncate(SHOWN);
    }
    let headers = [format!("d{poi}/d{symbol}"), format!("dσ/d{symbol}")];
    let columns = [
        (first, Align::Name),
        (symbol, Align::Right),
        (headers[0].as_str(), Align::Right),
        (headers[1].as_str(), Align::Right),
    ];
    let rows: Vec<Vec<String>> = levers
        .iter()
        .map(|l| {
            vec![
                format!("{}[{}]", l.channel, l.bin),
                if l.sample.is_empty() {
                    observed(&[l.value])
                } else {
                    significant(l.value, 4)
                },
                signed(l.poi),
                signed(l.sigma),
            ]
        })
        .collect();
    let mut text = render(&columns, &rows, width);
    if cut {
        let _ = writeln!(text, "  … and {} more: --all shows them", total - SHOWN);
    }
    text
}

fn signed(x: f64) -> String {
    format!("{x:+.5}")
}
