//! What the program of a data set computes, and where it is among the outputs.

use std::collections::BTreeMap;

use pullback_array::{Column, Flow, Lowered, transform};
use transform::Lane;

use super::compared::{Compared, unit};
use super::estimates::{acts, acts_in, contributions, sign};
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
    /// The systematic that moved a parameter.
    pub moved: Option<(usize, Shift)>,
    /// Outputs with its bins and sums of squares.
    pub outputs: (usize, usize),
}

/// A systematic that moves a parameter: a lane of the program.
#[derive(Debug, Clone)]
pub(crate) struct Variation {
    /// What its inputs and outputs are called by.
    pub lane: String,
    pub systematic: usize,
    pub shift: Shift,
    pub parameter: String,
    /// Where it moves it to.
    pub value: Vec<f64>,
}

/// The program of a data set.
pub(crate) struct Plan {
    /// What is recorded, at one value of each parameter.
    pub compiled: Compiled,
    /// The same with a lane for each variation.
    pub lowered: Lowered,
    pub items: Vec<Item>,
    pub variations: Vec<Variation>,
    /// For each output of the program with lanes, the output that is recorded and the variation.
    pub outputs: Vec<(usize, Option<usize>)>,
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
        let names: Vec<&str> = wanted.iter().map(|(_, _, name)| name.as_str()).collect();
        let compiled = model.compile(&names)?;
        let varied = wanted.iter().filter(|(q, w, _)| is_varied(*q, *w));
        let varied: Vec<&str> = varied.map(|(_, _, name)| name.as_str()).collect();
        // Cutflows and other weights may read more.
        let variations = variations(file, input, &model.compile(&varied)?);
        let mut plan = Self {
            lowered: Lowered::new(transform::simplify(&compiled.program)?)?,
            outputs: (0..compiled.outputs.len()).map(|k| (k, None)).collect(),
            compiled,
            items: Vec::new(),
            variations,
            units,
        };
        plan.items = (wanted.iter())
            .filter_map(|(quantity, weighting, name)| plan.item_called(name, *quantity, *weighting))
            .collect();
        if !plan.variations.is_empty() {
            plan.add_lanes()?;
        }
        Ok(plan)
    }

    fn item_called(&self, name: &str, quantity: Quantity, weighting: Weighting) -> Option<Item> {
        let bins = self.compiled.output(name, What::Bins)?;
        let squares = self.compiled.output(name, What::Squares)?;
        Some(Item {
            quantity,
            weighting,
            moved: None,
            outputs: (bins, squares),
        })
    }

    /// Adds a lane for each variation: the histograms, and no cutflows.
    fn add_lanes(&mut self) -> Result<()> {
        let varied = self.items.iter();
        let varied: Vec<Item> = varied
            .filter(|i| is_varied(i.quantity, i.weighting))
            .cloned()
            .collect();
        let outputs = varied.iter().flat_map(|i| [i.outputs.0, i.outputs.1]);
        let outputs: Vec<usize> = outputs.collect();
        let lanes = (0..self.variations.len()).map(|v| self.lane(v, &outputs));
        let lanes: Vec<Lane> = lanes.collect();
        let program = transform::lanes(self.lowered.program(), &lanes)?;
        self.lowered = Lowered::new(transform::simplify(&program)?)?;
        for (v, variation) in self.variations.iter().enumerate() {
            for item in &varied {
                let at = self.outputs.len();
                self.outputs
                    .extend([item.outputs.0, item.outputs.1].map(|k| (k, Some(v))));
                self.items.push(Item {
                    moved: Some((variation.systematic, variation.shift)),
                    outputs: (at, at + 1),
                    ..item.clone()
                });
            }
        }
        Ok(())
    }

    /// The lane of a variation, with some of the outputs that are recorded.
    pub fn lane(&self, variation: usize, outputs: &[usize]) -> Lane {
        let name = |k: &usize| self.compiled.outputs[*k].name.clone();
        let outputs = outputs.iter().map(name).collect();
        self.variations[variation].lane(outputs)
    }

    /// Whether a systematic moves something here.
    pub fn moves(&self, systematic: usize) -> bool {
        self.variations.iter().any(|v| v.systematic == systematic)
    }

    /// Sums of nothing, for each output.
    pub fn sums(&self) -> Sums {
        vec![Vec::new(); self.outputs.len()]
    }

    /// The values of the inputs that are no columns; those that are not given have their starts.
    pub fn point_at(&self, values: &Values) -> Vec<Vec<f64>> {
        let all = self.compiled.parameters();
        let at = |(name, start): (&str, &[f64])| {
            let given = values.get(name);
            given.map_or_else(|| start.to_vec(), Clone::clone)
        };
        all.map(at).collect()
    }

    /// The inputs of the lanes.
    pub fn moved(&self) -> impl Iterator<Item = Column<'_>> {
        self.variations.iter().map(|v| Column::from(&v.value))
    }

    /// A histogram by what it counts and how, where nothing is moved.
    pub fn item(&self, quantity: Quantity, weighting: Weighting) -> Option<&Item> {
        self.item_of(None, quantity, weighting)
    }

    /// The same where a systematic moves a parameter.
    pub fn item_of(
        &self,
        moved: Option<(usize, Shift)>,
        quantity: Quantity,
        weighting: Weighting,
    ) -> Option<&Item> {
        let mut items = self.items.iter();
        items.find(|i| i.moved == moved && i.quantity == quantity && i.weighting == weighting)
    }
}

/// Whether a histogram is filled at the values of variations, too.
fn is_varied(quantity: Quantity, weighting: Weighting) -> bool {
    matches!(quantity, Quantity::Plot { .. } | Quantity::Estimate { .. })
        && matches!(weighting, Weighting::Raw | Weighting::Nominal)
}

impl Variation {
    /// The lane with outputs of these names.
    pub fn lane(&self, outputs: Vec<String>) -> Lane {
        Lane {
            name: self.lane.clone(),
            moved: vec![self.parameter.clone()],
            outputs,
        }
    }
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
        Effect::Norm { .. }
        | Effect::Norms { .. }
        | Effect::Parameter { .. }
        | Effect::Files { .. } => Vec::new(),
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

/// Whether a systematic varies events of a data set: as those of its process, or in an estimate.
fn reaches(file: &AnalysisFile, systematic: &Systematic, input: &Input) -> bool {
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

/// What systematics do to parameters that a program reads.
fn variations(file: &AnalysisFile, input: &Input, compiled: &Compiled) -> Vec<Variation> {
    let mut all = Vec::new();
    for (s, systematic) in file.systematics.iter().enumerate() {
        let Effect::Parameter { name, up, down, .. } = &systematic.effect else {
            continue;
        };
        // What the program does not read changes nothing.
        let read = compiled.parameters().any(|(n, _)| n == name);
        if !read || !reaches(file, systematic, input) {
            continue;
        }
        let both = [(Shift::Up, *up, "up"), (Shift::Down, *down, "down")];
        all.extend(both.map(|(shift, value, word)| Variation {
            // Names of systematics need not differ.
            lane: format!("[{} {word}, {s}]", systematic.name),
            systematic: s,
            shift,
            parameter: name.clone(),
            value: vec![value],
        }));
    }
    all
}
