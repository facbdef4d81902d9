//! Channels, samples, cells and modifiers in pyhf's order.

use std::collections::HashMap;

use super::model::{Application, ChannelSpec, Effect, SampleSpec};
use crate::workspace::{ModifierData, ModifierType, Workspace};

/// Everything that does not depend on the measurement. Parameter indices of the applications are still to be set.
pub(super) struct Layout<'a> {
    pub channels: Vec<ChannelSpec>,
    pub processes: Vec<&'a str>,
    pub samples: Vec<SampleSpec>,
    pub nominal: Vec<f64>,
    /// Sorted by name, then by type.
    pub modifiers: Vec<(&'a str, ModifierType)>,
    pub applications: Vec<Application>,
    pub observations: Vec<f64>,
}

/// Orders a workspace that has been checked: channels by name, samples by name, modifiers by name and type (pyhf's `_ChannelSummaryMixin`).
pub(super) fn lay_out(workspace: &Workspace) -> Layout<'_> {
    let (modifiers, modifier_ids) = sorted_modifiers(workspace);
    let mut processes: Vec<&str> = workspace
        .channels
        .iter()
        .flat_map(|c| c.samples.iter().map(|s| s.name.as_str()))
        .collect();
    processes.sort_unstable();
    processes.dedup();
    let observed: HashMap<&str, &[f64]> = workspace
        .observations
        .iter()
        .map(|o| (o.name.as_str(), o.data.as_slice()))
        .collect();

    let mut layout = Layout {
        channels: Vec::with_capacity(workspace.channels.len()),
        processes,
        samples: Vec::new(),
        nominal: Vec::new(),
        modifiers,
        applications: Vec::new(),
        observations: Vec::new(),
    };
    let mut order: Vec<usize> = (0..workspace.channels.len()).collect();
    order.sort_by(|a, b| {
        workspace.channels[*a]
            .name
            .cmp(&workspace.channels[*b].name)
    });
    let use_of_file = file_offsets(workspace);
    for source in order {
        let channel = &workspace.channels[source];
        let bins_start = layout.observations.len();
        layout.observations.extend_from_slice(
            observed
                .get(channel.name.as_str())
                .copied()
                .unwrap_or_default(),
        );
        let samples_start = layout.samples.len();
        let mut sample_order: Vec<usize> = (0..channel.samples.len()).collect();
        sample_order.sort_by(|a, b| channel.samples[*a].name.cmp(&channel.samples[*b].name));
        for s in sample_order {
            let sample = &channel.samples[s];
            let index = layout.samples.len();
            let cells_start = layout.nominal.len();
            layout.nominal.extend_from_slice(&sample.data);
            let ids = &modifier_ids[use_of_file[source][s]..][..sample.modifiers.len()];
            let mut modifier_order: Vec<usize> = (0..ids.len()).collect();
            modifier_order.sort_unstable_by_key(|&m| ids[m]);
            let applications_start = layout.applications.len();
            layout
                .applications
                .extend(modifier_order.into_iter().map(|m| Application {
                    modifier: ids[m],
                    sample: index,
                    parameter: 0,
                    effect: effect_of(&sample.modifiers[m].data),
                    source: m,
                }));
            layout.samples.push(SampleSpec {
                channel: layout.channels.len(),
                process: layout
                    .processes
                    .binary_search(&sample.name.as_str())
                    .unwrap_or_default(),
                cells: cells_start..layout.nominal.len(),
                applications: applications_start..layout.applications.len(),
                source: s,
            });
        }
        layout.channels.push(ChannelSpec {
            name: channel.name.clone(),
            bins: bins_start..layout.observations.len(),
            samples: samples_start..layout.samples.len(),
            source,
        });
    }
    layout
}

/// For each channel and sample of the file, how many uses of modifiers stand before it.
fn file_offsets(workspace: &Workspace) -> Vec<Vec<usize>> {
    let mut count = 0;
    let mut before = |modifiers: usize| {
        let start = count;
        count += modifiers;
        start
    };
    workspace
        .channels
        .iter()
        .map(|c| {
            c.samples
                .iter()
                .map(|s| before(s.modifiers.len()))
                .collect()
        })
        .collect()
}

/// The distinct modifiers, sorted, and for each use in the order of the file its index among them.
fn sorted_modifiers(workspace: &Workspace) -> (Vec<(&str, ModifierType)>, Vec<usize>) {
    let mut ids: HashMap<(&str, ModifierType), usize> = HashMap::new();
    let mut uses = Vec::new();
    for modifier in workspace
        .channels
        .iter()
        .flat_map(|c| c.samples.iter().flat_map(|s| &s.modifiers))
    {
        let next = ids.len();
        uses.push(
            *ids.entry((modifier.name.as_str(), modifier.kind()))
                .or_insert(next),
        );
    }
    let mut sorted: Vec<((&str, ModifierType), usize)> = ids.into_iter().collect();
    sorted.sort_unstable();
    let mut rank = vec![0; sorted.len()];
    for (new, (_, old)) in sorted.iter().enumerate() {
        rank[*old] = new;
    }
    for id in &mut uses {
        *id = rank[*id];
    }
    (
        sorted.into_iter().map(|(modifier, _)| modifier).collect(),
        uses,
    )
}

fn effect_of(data: &ModifierData) -> Effect {
    match data {
        ModifierData::Histosys { lo_data, hi_data } => Effect::Histosys {
            lo_data: lo_data.clone(),
            hi_data: hi_data.clone(),
        },
        ModifierData::Lumi => Effect::Lumi,
        ModifierData::Normfactor => Effect::Normfactor,
        ModifierData::Normsys { lo, hi } => Effect::Normsys { lo: *lo, hi: *hi },
        ModifierData::Shapefactor => Effect::Shapefactor,
        ModifierData::Shapesys(uncertainty) => Effect::Shapesys {
            uncertainty: uncertainty.clone(),
        },
        ModifierData::Staterror(uncertainty) => Effect::Staterror {
            uncertainty: uncertainty.clone(),
        },
    }
}
