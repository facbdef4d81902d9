//! What the program of a data set computes, and where it is among the outputs.

use std::collections::BTreeMap;

use pullback_array::{Flow, Lowered, transform};

use super::collect::Scale;
use super::compared::{Compared, unit};
use super::estimates::{acts, acts_in, contributions, sign};
use super::result::Bins;
use super::sweep::Sums;
use crate::compile::{Compiled, What};
use crate::define::Histogram;
use crate::error::Result;
use crate::file::{AnalysisFile, Effect, Generated, Input, RegionKind, Systematic};
use crate::place::Source;
use crate::schema::Schema;
use crate::types::{Model, Resolved};

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
pub(crate) enum Quantity {
    /// The events of a region after its first cuts.
    Step { region: usize, cuts: usize },
    /// A histogram in a region.
    Plot { plot: usize, region: usize },
    /// What a cut decides on, of the events that pass all other cuts of its region.
    Compared { which: usize, bins: usize },
    /// All events.
    Generated,
    /// What the events of other regions say about an estimated process in a region: a histogram of it, or their number.
    Estimate {
        estimate: usize,
        region: usize,
        plot: Option<usize>,
    },
}

/// How its entries are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weighting {
    /// One each.
    Raw,
    /// By the weight of the event.
    Nominal,
    /// By the weight, times a factor of a systematic.
    Factor { systematic: usize, shift: Shift },
    /// By the weight, times a member of a vector of weights.
    Member { systematic: usize, member: usize },
}

/// One histogram of the program.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub quantity: Quantity,
    pub weighting: Weighting,
    /// Outputs with its bins and sums of squares.
    pub outputs: (usize, usize),
}

/// Values of the parameters, and the systematic that moved one of them.
pub(crate) type Point = (Option<(usize, Shift)>, Vec<Vec<f64>>);

/// A program, and the values of the parameters at which it runs.
pub(crate) struct Pass {
    pub compiled: Compiled,
    pub lowered: Lowered,
    pub items: Vec<Item>,
    pub points: Vec<Point>,
}

/// The programs of a data set.
pub(crate) struct Plan {
    /// Everything, at the starts of the parameters.
    pub nominal: Pass,
    /// What systematics that move a parameter vary: the histograms alone.
    pub shifted: Option<Pass>,
    /// The units of the histograms that are filled: position and unit.
    pub units: Vec<(usize, String)>,
}

/// Values of inputs by name, where they are not at their starts.
pub type Values = BTreeMap<String, Vec<f64>>;

/// What is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Cutflows and histograms.
    Everything,
    /// The histograms that are fitted.
    Channels,
}

/// Whether a data set is looked at in a region.
pub(crate) fn is_seen(file: &AnalysisFile, input: &Input, region: usize) -> bool {
    let signal = file.regions[region].kind == RegionKind::Signal;
    !(input.observed && file.blind && signal)
}

impl Plan {
    pub fn new(file: &AnalysisFile, input: &Input, schema: &Schema, scope: Scope) -> Result<Self> {
        Self::with(file, input, schema, scope, &[])
    }

    /// The same, and what cuts decide on.
    pub fn with(
        file: &AnalysisFile,
        input: &Input,
        schema: &Schema,
        scope: Scope,
        compared: &[Compared],
    ) -> Result<Self> {
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
            // Histograms refer to regions by name.
            analysis = analysis.region(&region.name, region.cuts.iter().cloned());
            if !is_seen(file, input, r) || scope == Scope::Channels {
                continue;
            }
            for cuts in 0..=region.cuts.len() {
                let mut name = region.name.clone();
                if cuts < region.cuts.len() {
                    name = format!("_r{r}_{cuts}");
                    analysis = analysis.region(&name, region.cuts[..cuts].iter().cloned());
                }
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
            let fitted = |r: usize| {
                let channels = file.fit.iter().flat_map(|fit| &fit.channels);
                scope == Scope::Everything || channels.into_iter().any(|c| *c == (r, p))
            };
            let regions = plot.regions.iter().copied();
            for region in regions.filter(|r| is_seen(file, input, *r) && fitted(*r)) {
                let quantity = Quantity::Plot { plot: p, region };
                let one = || {
                    let one = Histogram::new(plot.of.clone(), plot.edges.clone())
                        .outside(plot.flow)
                        .region(&file.regions[region].name);
                    if plot.movable {
                        one.movable(edges_name(&plot.name))
                    } else {
                        one
                    }
                };
                add(&mut analysis, quantity, Weighting::Raw, one());
                if let Some(weight) = nominal {
                    let weighted = one().weight(weight.clone());
                    add(&mut analysis, quantity, Weighting::Nominal, weighted);
                }
                for (s, systematic) in file.systematics.iter().enumerate() {
                    if !acts(systematic, input) {
                        continue;
                    }
                    for (weighting, factor) in factors(s, systematic) {
                        let weight = product(nominal, &factor);
                        add(&mut analysis, quantity, weighting, one().weight(weight));
                    }
                }
            }
        }
        contributions(file, input, scope, &mut |quantity, weighting, histogram| {
            add(&mut analysis, quantity, weighting, histogram);
        });
        let seen = |c: &Compared| is_seen(file, input, c.region);
        for (which, c) in compared.iter().enumerate().filter(|(_, c)| seen(c)) {
            let others = file.regions[c.region].cuts.iter().enumerate();
            let others = others.filter(|(k, _)| *k != c.cut).map(|(_, s)| s.clone());
            let region = format!("_c{which}");
            analysis = analysis.region(&region, others);
            let bins = c.edges.len() - 1;
            let quantity = Quantity::Compared { which, bins };
            let one = || {
                let one = Histogram::new(c.value.clone(), c.edges.clone());
                one.outside(Flow::Clamp).region(&region)
            };
            add(&mut analysis, quantity, Weighting::Raw, one());
            if let Some(weight) = nominal {
                let weighted = one().weight(weight.clone());
                add(&mut analysis, quantity, Weighting::Nominal, weighted);
            }
        }
        if let (Some(_), Generated::Sum(weight)) = (input.cross_section, &input.generated) {
            let all = Histogram::new("0", [-0.5, 0.5]).weight(weight.clone());
            add(&mut analysis, Quantity::Generated, Weighting::Nominal, all);
        }
        let model = analysis.check(schema)?;
        let units = wanted.iter().filter_map(|(quantity, _, name)| {
            let Quantity::Plot { plot, .. } = quantity else {
                return None;
            };
            Some((*plot, histogram_unit(&model, name)))
        });
        let units = units.collect();
        let nominal = Pass::new(&model, &wanted)?;
        wanted.retain(|(quantity, weighting, _)| {
            matches!(quantity, Quantity::Plot { .. } | Quantity::Estimate { .. })
                && matches!(weighting, Weighting::Raw | Weighting::Nominal)
        });
        let mut shifted = None;
        if moves_a_parameter(file, input) {
            let mut pass = Pass::new(&model, &wanted)?;
            pass.points = points(file, input, &pass.compiled);
            shifted = Some(pass).filter(|pass| !pass.points.is_empty());
        }
        Ok(Self {
            nominal,
            shifted,
            units,
        })
    }

    /// Whether a systematic moves something here.
    pub fn moves(&self, systematic: usize) -> bool {
        let mut points = self.shifted.iter().flat_map(|pass| &pass.points);
        points.any(|(which, _)| which.is_some_and(|(s, _)| s == systematic))
    }

    /// Sums of nothing: for each pass, point and output.
    pub fn sums(&self) -> Sums {
        let of =
            |pass: &Pass| vec![vec![Vec::new(); pass.compiled.outputs.len()]; pass.points.len()];
        self.passes().map(of).collect()
    }

    /// The passes over each chunk.
    pub fn passes(&self) -> impl Iterator<Item = &Pass> {
        std::iter::once(&self.nominal).chain(&self.shifted)
    }
}

impl Pass {
    /// The histograms that are wanted, at the starts of the parameters.
    fn new(model: &Model, wanted: &[(Quantity, Weighting, String)]) -> Result<Self> {
        let names: Vec<&str> = wanted.iter().map(|(_, _, name)| name.as_str()).collect();
        let compiled = model.compile(&names)?;
        let lowered = Lowered::new(transform::simplify(&compiled.program)?)?;
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
        let starts = compiled.parameters().map(|(_, s)| s.to_vec()).collect();
        Ok(Self {
            compiled,
            lowered,
            items,
            points: vec![(None, starts)],
        })
    }

    /// Its points, with other values for some inputs. What a systematic moves is where it moves it to.
    pub fn points_at(&self, values: &Values) -> Vec<Vec<Vec<f64>>> {
        let names: Vec<&str> = self.compiled.parameters().map(|(name, _)| name).collect();
        let each = self.points.iter().map(|(_, point)| {
            let all = names.iter().zip(point);
            all.map(|(name, start)| values.get(*name).unwrap_or(start).clone())
                .collect()
        });
        each.collect()
    }

    /// A histogram by what it counts and how.
    pub fn item(&self, quantity: Quantity, weighting: Weighting) -> Option<&Item> {
        let mut items = self.items.iter();
        items.find(|i| i.quantity == quantity && i.weighting == weighting)
    }
}

/// The bins of a histogram of a pass.
pub(super) fn bins_of(
    pass: &Pass,
    sums: &[Vec<f64>],
    (quantity, weighting): (Quantity, Weighting),
    scale: Scale,
) -> Option<Bins> {
    let raw = pass.item(quantity, Weighting::Raw)?;
    let weighted = pass.item(quantity, weighting).unwrap_or(raw);
    let values = |output: usize, factor: f64| {
        let each = sums[output].iter();
        each.map(|x| x * factor).collect()
    };
    Some(Bins {
        sums: values(weighted.outputs.0, scale.weights / scale.fraction),
        variances: values(weighted.outputs.1, scale.weights.powi(2) / scale.fraction),
        entries: values(raw.outputs.0, 1.0 / scale.fraction),
    })
}

/// What a systematic multiplies the weights of events by.
pub(super) fn factors(s: usize, systematic: &Systematic) -> Vec<(Weighting, Source)> {
    match &systematic.effect {
        Effect::Weight { up, down } => {
            let both = [(Shift::Up, Some(up)), (Shift::Down, down.as_ref())];
            let each = both.into_iter().filter_map(|(shift, factor)| {
                let weighting = Weighting::Factor {
                    systematic: s,
                    shift,
                };
                Some((weighting, factor?.clone()))
            });
            each.collect()
        }
        Effect::Members {
            vector, members, ..
        } => {
            let each = members.iter().map(|&member| {
                let weighting = Weighting::Member {
                    systematic: s,
                    member,
                };
                (weighting, element(vector, member))
            });
            each.collect()
        }
        Effect::Norm { .. } | Effect::Parameter { .. } => Vec::new(),
    }
}

/// The unit of what a histogram is of.
fn histogram_unit(model: &Model, name: &str) -> String {
    let found = model.names.iter().find(|(n, _)| n == name);
    match found {
        Some((_, Resolved::Histogram(h))) => unit(h.value.ty.dimension),
        _ => String::new(),
    }
}

/// Whether a systematic moves a parameter of this data set.
fn moves_a_parameter(file: &AnalysisFile, input: &Input) -> bool {
    let moves =
        |s: &Systematic| matches!(s.effect, Effect::Parameter { .. }) && is_varied(file, s, input);
    file.systematics.iter().any(moves)
}

/// Whether a systematic varies events of a data set: as those of its process, or in an estimate.
fn is_varied(file: &AnalysisFile, systematic: &Systematic, input: &Input) -> bool {
    let mut parts = file.estimates.iter();
    acts(systematic, input)
        || parts.any(|e| sign(input, e).is_some() && acts_in(systematic, input, e))
}

/// The input that the edges of a histogram are, where they can move.
pub(crate) fn edges_name(plot: &str) -> String {
    format!("{plot} edges")
}

/// The weight of an event, times a factor.
pub(super) fn product(weight: Option<&Source>, factor: &Source) -> Source {
    match weight {
        Some(weight) => {
            let text = format!("({}) * ({})", weight.text(), factor.text());
            Source::new(factor.key(), text)
        }
        None => factor.clone(),
    }
}

/// An element of a vector of weights. An event without it has no weight to speak of: NaN stops the run, where leaving the event out would be silent.
fn element(vector: &Source, member: usize) -> Source {
    let text = format!("default(({})[{member}], 0 / 0)", vector.text());
    Source::new(vector.key(), text)
}

/// The points of the systematics that move a parameter which the program reads.
fn points(file: &AnalysisFile, input: &Input, compiled: &Compiled) -> Vec<Point> {
    let nominal: Vec<Vec<f64>> = compiled.parameters().map(|(_, s)| s.to_vec()).collect();
    let mut points = Vec::new();
    for (s, systematic) in file.systematics.iter().enumerate() {
        let Effect::Parameter { name, up, down } = &systematic.effect else {
            continue;
        };
        let place = compiled.parameters().position(|(n, _)| n == name);
        // What the program does not read changes nothing.
        let Some(place) = place else { continue };
        if !is_varied(file, systematic, input) {
            continue;
        }
        for (shift, value) in [(Shift::Up, *up), (Shift::Down, *down)] {
            let mut values = nominal.clone();
            values[place] = vec![value];
            points.push((Some((s, shift)), values));
        }
    }
    points
}
