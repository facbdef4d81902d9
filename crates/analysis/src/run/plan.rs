//! What the program of a data set computes, and where it is among the outputs.

use pullback_array::{Lowered, transform};

use crate::compile::{Compiled, What};
use crate::define::Histogram;
use crate::error::Result;
use crate::file::{AnalysisFile, Effect, Generated, Input, RegionKind};
use crate::place::Source;
use crate::schema::Schema;

/// A variation of one standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shift {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

/// What a histogram of the program counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// The events of a region after its first cuts.
    Step { region: usize, cuts: usize },
    /// A histogram in a region.
    Plot { plot: usize, region: usize },
    /// All events.
    Generated,
}

/// How its entries are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weighting {
    /// One each.
    Raw,
    /// By the weight of the event.
    Nominal,
    /// By the weight, times a factor of a systematic.
    Factor { systematic: usize, shift: Shift },
}

/// One histogram of the program.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub quantity: Quantity,
    pub weighting: Weighting,
    /// Outputs with its bins and sums of squares.
    pub outputs: (usize, usize),
}

/// Values of the parameters, and the systematic that moved one of them.
pub(super) type Point = (Option<(usize, Shift)>, Vec<f64>);

/// The program of a data set.
pub(super) struct Plan {
    pub compiled: Compiled,
    pub lowered: Lowered,
    pub items: Vec<Item>,
    /// Values of the parameters: nominal first, then those of systematics that act on this data set.
    pub points: Vec<Point>,
}

/// Whether a data set is looked at in a region.
pub(super) fn is_seen(file: &AnalysisFile, input: &Input, region: usize) -> bool {
    let signal = file.regions[region].kind == RegionKind::Signal;
    !(input.observed && file.blind && signal)
}

impl Plan {
    pub fn new(file: &AnalysisFile, input: &Input, schema: &Schema) -> Result<Self> {
        let mut analysis = file.definitions.clone();
        let mut wanted: Vec<(Quantity, Weighting, String)> = Vec::new();
        let mut add =
            |analysis: &mut crate::Analysis, quantity, weighting, histogram: Histogram| {
                let name = format!("_h{}", wanted.len());
                *analysis = std::mem::take(analysis).histogram(&name, histogram);
                wanted.push((quantity, weighting, name));
            };
        let nominal = input.weight.as_ref();
        for (r, region) in file.regions.iter().enumerate() {
            if !is_seen(file, input, r) {
                continue;
            }
            for cuts in 0..=region.cuts.len() {
                let name = cut_name(&region.name, r, cuts, region.cuts.len());
                analysis = analysis.region(&name, region.cuts[..cuts].iter().cloned());
                let quantity = Quantity::Step { region: r, cuts };
                let one = || Histogram::new("0", [-0.5, 0.5]).region(&name);
                add(&mut analysis, quantity, Weighting::Raw, one());
                if let Some(weight) = nominal {
                    let weighted = one().weight(weight.clone());
                    add(&mut analysis, quantity, Weighting::Nominal, weighted);
                }
            }
        }
        for (p, plot) in file.histograms.iter().enumerate() {
            for &region in plot.regions.iter().filter(|r| is_seen(file, input, **r)) {
                let quantity = Quantity::Plot { plot: p, region };
                let one = || {
                    Histogram::new(plot.of.clone(), plot.edges.clone())
                        .outside(plot.flow)
                        .region(&file.regions[region].name)
                };
                add(&mut analysis, quantity, Weighting::Raw, one());
                if let Some(weight) = nominal {
                    let weighted = one().weight(weight.clone());
                    add(&mut analysis, quantity, Weighting::Nominal, weighted);
                }
                for (s, systematic) in file.systematics.iter().enumerate() {
                    let Effect::Weight { up, down } = &systematic.effect else {
                        continue;
                    };
                    if input.observed || !systematic.processes.contains(&input.process) {
                        continue;
                    }
                    for (shift, factor) in [(Shift::Up, Some(up)), (Shift::Down, down.as_ref())] {
                        let Some(factor) = factor else { continue };
                        let weighting = Weighting::Factor {
                            systematic: s,
                            shift,
                        };
                        let weight = product(nominal, factor);
                        add(&mut analysis, quantity, weighting, one().weight(weight));
                    }
                }
            }
        }
        if let (Some(_), Generated::Sum(weight)) = (input.cross_section, &input.generated) {
            let all = Histogram::new("0", [-0.5, 0.5]).weight(weight.clone());
            add(&mut analysis, Quantity::Generated, Weighting::Nominal, all);
        }
        let names: Vec<&str> = wanted.iter().map(|(_, _, name)| name.as_str()).collect();
        let compiled = analysis.check(schema)?.compile(&names)?;
        let program = transform::simplify(&compiled.program)?;
        let lowered = Lowered::new(program)?;
        let items = wanted.iter().filter_map(|(quantity, weighting, name)| {
            let outputs = compiled
                .output(name, What::Bins)
                .zip(compiled.output(name, What::Squares))?;
            Some(Item {
                quantity: *quantity,
                weighting: *weighting,
                outputs,
            })
        });
        let items = items.collect();
        let points = points(file, input, &compiled);
        Ok(Self {
            compiled,
            lowered,
            items,
            points,
        })
    }
}

/// The region after so many of its cuts: its own name after all of them.
fn cut_name(name: &str, region: usize, cuts: usize, all: usize) -> String {
    if cuts == all {
        name.to_owned()
    } else {
        format!("_r{region}_{cuts}")
    }
}

/// The weight of an event, times a factor.
fn product(weight: Option<&Source>, factor: &Source) -> Source {
    match weight {
        Some(weight) => {
            let text = format!("({}) * ({})", weight.text(), factor.text());
            Source::new(factor.key(), text)
        }
        None => factor.clone(),
    }
}

fn points(file: &AnalysisFile, input: &Input, compiled: &Compiled) -> Vec<Point> {
    let nominal: Vec<f64> = compiled.parameters().map(|(_, start)| start).collect();
    let mut points = vec![(None, nominal.clone())];
    for (s, systematic) in file.systematics.iter().enumerate() {
        let Effect::Parameter { name, up, down } = &systematic.effect else {
            continue;
        };
        let place = compiled.parameters().position(|(n, _)| n == name);
        // What the program does not read changes nothing.
        let Some(place) = place else { continue };
        if input.observed || !systematic.processes.contains(&input.process) {
            continue;
        }
        for (shift, value) in [(Shift::Up, *up), (Shift::Down, *down)] {
            let mut values = nominal.clone();
            values[place] = value;
            points.push((Some((s, shift)), values));
        }
    }
    points
}
