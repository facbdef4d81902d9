//! The consistency of a workspace: what the schema cannot say.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::limits::Limits;
use super::read::shorten;
use super::types::{Channel, Measurement, Modifier, ModifierData, ModifierType, Sample, Workspace};
use super::warning::Warning;
use crate::error::{Error, Place, Result};

/// The version of the format.
pub(super) const VERSION: &str = "1.0.0";

impl Workspace {
    /// Checks that the workspace is consistent: lists not empty, names unique, lengths equal, numbers finite, one observation per channel, no
    /// conflict between modifiers of one name. Reading does this already; it is for workspaces built or edited in memory.
    ///
    /// # Errors
    /// The first thing that is wrong, with its JSON pointer.
    pub fn check(&self, limits: &Limits) -> Result<Vec<Warning>> {
        if self.version != VERSION {
            return Err(Error::Version {
                value: shorten(&self.version),
                place: Place::at("/version"),
            });
        }
        not_empty(&self.channels, "channels", || "/channels".to_owned())?;
        not_empty(&self.measurements, "measurements", || {
            "/measurements".to_owned()
        })?;
        not_empty(&self.observations, "observations", || {
            "/observations".to_owned()
        })?;
        unique(
            "channel",
            self.channels.iter().map(|c| c.name.as_str()),
            |i| format!("/channels/{i}"),
        )?;
        unique(
            "observation",
            self.observations.iter().map(|o| o.name.as_str()),
            |i| format!("/observations/{i}"),
        )?;
        unique(
            "measurement",
            self.measurements.iter().map(|m| m.name.as_str()),
            |i| format!("/measurements/{i}"),
        )?;

        let mut warnings = Vec::new();
        let mut size = Size::default();
        for (c, channel) in self.channels.iter().enumerate() {
            check_channel(channel, c, limits, &mut size, &mut warnings)?;
        }
        self.check_observations(&mut warnings)?;
        for (m, measurement) in self.measurements.iter().enumerate() {
            check_measurement(measurement, m)?;
        }
        check_shared_names(self)?;
        Ok(warnings)
    }

    fn check_observations(&self, warnings: &mut Vec<Warning>) -> Result<()> {
        let bins: HashMap<&str, usize> = self
            .channels
            .iter()
            .map(|c| (c.name.as_str(), c.bins()))
            .collect();
        for (o, observation) in self.observations.iter().enumerate() {
            let place = || format!("/observations/{o}/data");
            not_empty(&observation.data, "observed counts", place)?;
            finite(&observation.data, place)?;
            if let Some((i, value)) = observation.data.iter().enumerate().find(|(_, x)| **x < 0.0) {
                return Err(Error::NegativeObservation {
                    value: *value,
                    place: Place::at(format!("{}/{i}", place())),
                });
            }
            match bins.get(observation.name.as_str()) {
                Some(&bins) => {
                    let why =
                        || format!("the bins of the channel `{}`", shorten(&observation.name));
                    same_length(bins, observation.data.len(), why, place)?;
                }
                None => warnings.push(Warning::ExtraObservation {
                    name: shorten(&observation.name),
                    place: Place::at(format!("/observations/{o}")),
                }),
            }
        }
        let observed: std::collections::HashSet<&str> =
            self.observations.iter().map(|o| o.name.as_str()).collect();
        match self
            .channels
            .iter()
            .position(|c| !observed.contains(c.name.as_str()))
        {
            Some(c) => {
                let channel = shorten(&self.channels[c].name);
                Err(Error::MissingObservation {
                    channel,
                    place: Place::at(format!("/channels/{c}")),
                })
            }
            None => Ok(()),
        }
    }
}

/// What has been counted against the limits.
#[derive(Default)]
struct Size {
    cells: u64,
    modifiers: u64,
}

fn check_channel(
    channel: &Channel,
    c: usize,
    limits: &Limits,
    size: &mut Size,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    not_empty(&channel.samples, "samples", || {
        format!("/channels/{c}/samples")
    })?;
    unique(
        "sample",
        channel.samples.iter().map(|s| s.name.as_str()),
        |i| format!("/channels/{c}/samples/{i}"),
    )?;
    for (s, sample) in channel.samples.iter().enumerate() {
        size.cells += sample.data.len() as u64;
        if size.cells > limits.cells {
            return Err(Error::TooLarge {
                what: "cells (bins of samples)",
                size: size.cells,
                limit: limits.cells,
            });
        }
        size.modifiers += sample.modifiers.len() as u64;
        if size.modifiers > limits.modifiers {
            return Err(Error::TooLarge {
                what: "modifiers of samples",
                size: size.modifiers,
                limit: limits.modifiers,
            });
        }
        let data_place = || format!("/channels/{c}/samples/{s}/data");
        not_empty(&sample.data, "nominal yields", data_place)?;
        let why = || {
            format!(
                "the bins of the first sample of `{}`",
                shorten(&channel.name)
            )
        };
        same_length(channel.bins(), sample.data.len(), why, data_place)?;
        finite(&sample.data, data_place)?;
        let negative = sample.data.iter().filter(|x| **x < 0.0);
        if let Some(lowest) = negative.clone().copied().reduce(f64::min) {
            let count = negative.count();
            warnings.push(Warning::NegativeNominal {
                count,
                lowest,
                place: Place::at(data_place()),
            });
        }
        check_modifiers(sample, &|m| {
            format!("/channels/{c}/samples/{s}/modifiers/{m}")
        })?;
    }
    Ok(())
}

fn check_modifiers(sample: &Sample, place: &dyn Fn(usize) -> String) -> Result<()> {
    let bins = sample.data.len();
    let mut seen: HashMap<(ModifierType, &str), usize> =
        HashMap::with_capacity(sample.modifiers.len());
    for (m, modifier) in sample.modifiers.iter().enumerate() {
        if let Some(first) = seen.insert((modifier.kind(), &modifier.name), m) {
            return Err(Error::Duplicate {
                what: modifier.kind().as_str(),
                name: shorten(&modifier.name),
                place: Place::at(place(m)),
                first: Place::at(place(first)),
            });
        }
        let list = |data: &[f64], key: &str| {
            let place = || format!("{}/data{key}", place(m));
            same_length(
                bins,
                data.len(),
                || format!("the bins of the sample `{}`", shorten(&sample.name)),
                place,
            )?;
            finite(data, place)
        };
        match &modifier.data {
            ModifierData::Histosys { lo_data, hi_data } => {
                list(hi_data, "/hi_data")?;
                list(lo_data, "/lo_data")?;
            }
            ModifierData::Shapesys(data) | ModifierData::Staterror(data) => list(data, "")?,
            ModifierData::Normsys { lo, hi } => {
                for (key, factor) in [("hi", *hi), ("lo", *lo)] {
                    let place = || Place::at(format!("{}/data/{key}", place(m)));
                    if !factor.is_finite() {
                        return Err(Error::NonFinite {
                            value: factor.to_string(),
                            place: place(),
                        });
                    }
                    if factor <= 0.0 {
                        return Err(Error::NormsysFactor {
                            value: factor,
                            place: place(),
                        });
                    }
                }
            }
            ModifierData::Lumi if modifier.name != "lumi" => {
                return Err(Error::Schema {
                    expected: "`lumi` as the name of a lumi modifier".to_owned(),
                    found: format!("`{}`", shorten(&modifier.name)),
                    place: Place::at(format!("{}/name", place(m))),
                });
            }
            ModifierData::Lumi | ModifierData::Normfactor | ModifierData::Shapefactor => {}
        }
    }
    Ok(())
}

fn check_measurement(measurement: &Measurement, m: usize) -> Result<()> {
    let parameters = &measurement.config.parameters;
    let at = |p: usize| format!("/measurements/{m}/config/parameters/{p}");
    unique("parameter", parameters.iter().map(|p| p.name.as_str()), at)?;
    for (p, parameter) in parameters.iter().enumerate() {
        let lists = [
            ("inits", &parameter.inits),
            ("auxdata", &parameter.auxdata),
            ("factors", &parameter.factors),
            ("sigmas", &parameter.sigmas),
        ];
        for (key, list) in lists {
            let Some(list) = list else { continue };
            let place = || format!("{}/{key}", at(p));
            not_empty(list, "values", place)?;
            finite(list, place)?;
        }
        if let Some(bounds) = &parameter.bounds {
            let place = || format!("{}/bounds", at(p));
            not_empty(bounds, "bounds", place)?;
            for (i, pair) in bounds.iter().enumerate() {
                finite(pair, || format!("{}/{i}", place()))?;
                if pair[0] > pair[1] {
                    return Err(Error::Bounds {
                        name: shorten(&parameter.name),
                        bounds: *pair,
                    });
                }
            }
        }
    }
    Ok(())
}

/// One use of a modifier: channel, sample and modifier by their index in the file.
#[derive(Clone, Copy)]
struct Use {
    kind: ModifierType,
    at: [usize; 3],
    bins: usize,
}

impl Use {
    fn place(&self) -> Place {
        let [c, s, m] = self.at;
        *Place::at(format!("/channels/{c}/samples/{s}/modifiers/{m}"))
    }
}

/// Whether two modifiers of one name can share their parameter: the rule of pyhf's `reduce_paramsets_requirements`, which asks for equal defaults.
fn compatible(a: ModifierType, b: ModifierType) -> bool {
    let alpha = |t| matches!(t, ModifierType::Histosys | ModifierType::Normsys);
    a == b || (alpha(a) && alpha(b))
}

/// The names over all samples: conflicts of types, shapesys and staterror that are shared where they cannot be.
fn check_shared_names(workspace: &Workspace) -> Result<()> {
    let mut first_use: HashMap<&str, Use> = HashMap::new();
    let mut staterrors: HashMap<&str, Staterror<'_>> = HashMap::new();
    let mut order: Vec<usize> = (0..workspace.channels.len()).collect();
    order.sort_by(|a, b| {
        workspace.channels[*a]
            .name
            .cmp(&workspace.channels[*b].name)
    });
    for (c, s, sample) in order.iter().flat_map(|&c| {
        workspace.channels[c]
            .samples
            .iter()
            .enumerate()
            .map(move |(s, x)| (c, s, x))
    }) {
        for (m, modifier) in sample.modifiers.iter().enumerate() {
            let this = Use {
                kind: modifier.kind(),
                at: [c, s, m],
                bins: sample.data.len(),
            };
            match first_use.entry(&modifier.name) {
                Entry::Vacant(entry) => {
                    entry.insert(this);
                }
                Entry::Occupied(entry) => check_pair(modifier, entry.get(), &this)?,
            }
            if this.kind == ModifierType::Staterror {
                staterrors
                    .entry(&modifier.name)
                    .or_default()
                    .uses
                    .entry(&sample.name)
                    .or_default()
                    .push(this);
            }
        }
    }
    let mut names: Vec<&str> = staterrors.keys().copied().collect();
    names.sort_unstable();
    names
        .iter()
        .try_for_each(|name| staterrors[name].check(name))
}

fn check_pair(modifier: &Modifier, first: &Use, this: &Use) -> Result<()> {
    let name = || shorten(&modifier.name);
    if !compatible(first.kind, this.kind) {
        return Err(Error::Conflict {
            name: name(),
            first: first.kind,
            second: this.kind,
            place: this.place().into(),
            first_place: first.place().into(),
        });
    }
    match this.kind {
        ModifierType::Shapesys => Err(Error::SharedShapesys {
            name: name(),
            place: this.place().into(),
            first: first.place().into(),
        }),
        // The first channel fixes the number of parameters; pyhf lets more bins fall through to an unrelated parameter.
        ModifierType::Shapefactor if this.bins > first.bins => Err(Error::BinsDiffer {
            kind: this.kind,
            name: name(),
            place: this.place().into(),
            first: first.place().into(),
        }),
        _ => Ok(()),
    }
}

/// The uses of one staterror by process.
#[derive(Default)]
struct Staterror<'a> {
    uses: std::collections::BTreeMap<&'a str, Vec<Use>>,
}

impl Staterror<'_> {
    /// All processes must use it in the same channels: pyhf asserts equal masks (`staterror.py`, `finalize`).
    fn check(&self, name: &str) -> Result<()> {
        let Some(reference) = self.uses.values().next() else {
            return Ok(());
        };
        for uses in self.uses.values() {
            let channel_of = |list: &[Use], i: usize| list.get(i).map(|u| u.at[0]);
            for i in 0..uses.len().max(reference.len()) {
                if channel_of(uses, i) == channel_of(reference, i) {
                    continue;
                }
                let (odd, other) = match (uses.get(i), reference.get(i)) {
                    (Some(odd), _) => (odd, &reference[0]),
                    (None, Some(odd)) => (odd, &uses[0]),
                    (None, None) => continue,
                };
                let kind = ModifierType::Staterror;
                return Err(Error::BinsDiffer {
                    kind,
                    name: shorten(name),
                    place: odd.place().into(),
                    first: other.place().into(),
                });
            }
        }
        Ok(())
    }
}

fn not_empty<T>(list: &[T], what: &'static str, place: impl Fn() -> String) -> Result<()> {
    if list.is_empty() {
        Err(Error::Empty {
            what,
            place: Place::at(place()),
        })
    } else {
        Ok(())
    }
}

fn same_length(
    expected: usize,
    found: usize,
    why: impl Fn() -> String,
    place: impl Fn() -> String,
) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Length {
            expected,
            found,
            why: why(),
            place: Place::at(place()),
        })
    }
}

fn finite(list: &[f64], place: impl Fn() -> String) -> Result<()> {
    match list.iter().position(|x| !x.is_finite()) {
        Some(i) => Err(Error::NonFinite {
            value: list[i].to_string(),
            place: Place::at(format!("{}/{i}", place())),
        }),
        None => Ok(()),
    }
}

fn unique<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
    place: impl Fn(usize) -> String,
) -> Result<()> {
    let mut seen = HashMap::new();
    for (i, name) in names.enumerate() {
        if let Some(first) = seen.insert(name, i) {
            let (place, first) = (Place::at(place(i)), Place::at(place(first)));
            return Err(Error::Duplicate {
                what,
                name: shorten(name),
                place,
                first,
            });
        }
    }
    Ok(())
}
