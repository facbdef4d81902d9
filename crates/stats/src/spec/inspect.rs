//! What is in a model, and what in it has no effect.

use super::model::{Application, Constraint, Effect, ModelSpec, ParameterKind};
use crate::workspace::ModifierType;

/// An overview of a model, as plain numbers and names.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Name of the measurement.
    pub measurement: String,
    /// Name of the parameter of interest.
    pub poi: Option<String>,
    /// The channels.
    pub channels: Vec<ChannelSummary>,
    /// Names of the processes.
    pub processes: Vec<String>,
    /// Bins over all channels.
    pub bins: usize,
    /// Cells over all samples and channels.
    pub cells: usize,
    /// The modifiers by type; types that do not occur are left out.
    pub modifiers: Vec<ModifierSummary>,
    /// The parameters by kind; kinds that do not occur are left out.
    pub parameters: Vec<ParameterSummary>,
    /// Uses of modifiers that change nothing.
    pub inert: Vec<Inert>,
    /// Names of parameters that change no expected rate, whatever their value.
    pub parameters_without_effect: Vec<String>,
}

/// A channel of the overview.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSummary {
    /// Its name.
    pub name: String,
    /// Number of bins.
    pub bins: usize,
    /// Its samples: name and sum of the nominal yields.
    pub samples: Vec<(String, f64)>,
    /// Sum of the observed counts.
    pub observed: f64,
    /// Sum of the nominal yields.
    pub nominal: f64,
}

/// All modifiers of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifierSummary {
    /// The type.
    pub kind: ModifierType,
    /// How many different names.
    pub names: usize,
    /// On how many samples they are used.
    pub uses: usize,
    /// How many of these change nothing.
    pub inert_uses: usize,
    /// On how many cells they are used.
    pub entries: usize,
    /// How many of these change nothing.
    pub inert_entries: usize,
}

/// All parameters of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSummary {
    /// The kind.
    pub kind: ParameterKind,
    /// How many there are.
    pub count: usize,
    /// How many of these are fixed.
    pub fixed: usize,
    /// How many of these have a constraint.
    pub constrained: usize,
}

/// A use of a modifier that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inert {
    /// Name of the channel.
    pub channel: String,
    /// Name of the sample.
    pub sample: String,
    /// Name of the modifier.
    pub modifier: String,
    /// Its type.
    pub kind: ModifierType,
}

/// Makes the overview of a model.
///
/// An entry (a modifier on a cell) changes nothing if it is a histosys with both variations equal to the nominal yield, a normsys with both factors 1,
/// or a factor on a cell that stays zero because its nominal yield is zero and no histosys changes it.
pub fn summarise(model: &ModelSpec) -> Summary {
    let alive = alive_cells(model);
    let mut entries = vec![[0_usize; 4]; ModifierType::ALL.len()];
    let mut acts_somewhere = vec![false; model.parameters.len()];
    let mut inert = Vec::new();
    for a in &model.applications {
        let bins = model.samples[a.sample].cells.len();
        let active = (0..bins)
            .filter(|&b| acts(model, &alive, a, b))
            .inspect(|&b| acts_somewhere[a.parameter_of_bin(b)] = true)
            .count();
        let counts = &mut entries[a.effect.kind() as usize];
        counts[0] += 1;
        counts[1] += usize::from(active == 0);
        counts[2] += bins;
        counts[3] += bins - active;
        if active == 0 {
            inert.push(Inert {
                channel: model.channels[model.samples[a.sample].channel].name.clone(),
                sample: model.sample_name(a.sample).to_owned(),
                modifier: model.modifiers[a.modifier].name.clone(),
                kind: a.effect.kind(),
            });
        }
    }
    let modifiers = ModifierType::ALL
        .into_iter()
        .zip(&entries)
        .filter(|(_, counts)| counts[0] > 0);
    let without_effect = model
        .parameters
        .iter()
        .zip(&acts_somewhere)
        .filter(|(_, acts)| !**acts);
    Summary {
        measurement: model.measurement.clone(),
        poi: model.poi.map(|i| model.parameters[i].name.clone()),
        channels: (0..model.channels.len())
            .map(|c| channel_summary(model, c))
            .collect(),
        processes: model.processes.clone(),
        bins: model.bins(),
        cells: model.cells(),
        modifiers: modifiers
            .map(
                |(kind, &[uses, inert_uses, entries, inert_entries])| ModifierSummary {
                    kind,
                    names: model.modifiers.iter().filter(|m| m.kind == kind).count(),
                    uses,
                    inert_uses,
                    entries,
                    inert_entries,
                },
            )
            .collect(),
        parameters: parameter_summaries(model),
        inert,
        parameters_without_effect: without_effect.map(|(p, _)| p.name.clone()).collect(),
    }
}

/// Whether a cell can be anything else than zero.
fn alive_cells(model: &ModelSpec) -> Vec<bool> {
    let mut alive: Vec<bool> = model.nominal.iter().map(|x| *x != 0.0).collect();
    for a in &model.applications {
        if let Effect::Histosys { lo_data, hi_data } = &a.effect {
            let cells = model.samples[a.sample].cells.clone();
            for ((cell, lo), hi) in alive[cells].iter_mut().zip(lo_data).zip(hi_data) {
                *cell |= *lo != 0.0 || *hi != 0.0;
            }
        }
    }
    alive
}

fn acts(model: &ModelSpec, alive: &[bool], a: &Application, bin: usize) -> bool {
    let cell = model.samples[a.sample].cells.start + bin;
    match &a.effect {
        Effect::Histosys { lo_data, hi_data } => {
            lo_data[bin] != model.nominal[cell] || hi_data[bin] != model.nominal[cell]
        }
        Effect::Normsys { lo, hi } => alive[cell] && (*lo != 1.0 || *hi != 1.0),
        _ => alive[cell],
    }
}

fn channel_summary(model: &ModelSpec, c: usize) -> ChannelSummary {
    let channel = &model.channels[c];
    let samples: Vec<(String, f64)> = channel
        .samples
        .clone()
        .map(|s| {
            (
                model.sample_name(s).to_owned(),
                model.nominal_of(s).iter().sum(),
            )
        })
        .collect();
    ChannelSummary {
        name: channel.name.clone(),
        bins: channel.bins.len(),
        observed: model.observations[channel.bins.clone()].iter().sum(),
        nominal: samples.iter().map(|(_, x)| x).sum(),
        samples,
    }
}

fn parameter_summaries(model: &ModelSpec) -> Vec<ParameterSummary> {
    let mut list: Vec<ParameterSummary> = Vec::new();
    for p in &model.parameters {
        let at = list
            .iter()
            .position(|s| s.kind == p.kind)
            .unwrap_or_else(|| {
                list.push(ParameterSummary {
                    kind: p.kind,
                    count: 0,
                    fixed: 0,
                    constrained: 0,
                });
                list.len() - 1
            });
        list[at].count += 1;
        list[at].fixed += usize::from(p.fixed);
        list[at].constrained += usize::from(p.constraint != Constraint::None);
    }
    list
}
