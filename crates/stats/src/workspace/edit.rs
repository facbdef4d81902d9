//! Selecting and renaming parts of a workspace.

use std::collections::{HashMap, HashSet};

use super::types::{ModifierType, Workspace};
use crate::error::{Error, Result};

/// What to take out of a workspace, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prune {
    /// Channels, with their observations.
    pub channels: Vec<String>,
    /// Samples, in all channels.
    pub samples: Vec<String>,
    /// Modifiers, on all samples.
    pub modifiers: Vec<String>,
    /// All modifiers of these types.
    pub modifier_types: Vec<ModifierType>,
    /// Measurements.
    pub measurements: Vec<String>,
}

/// New names for parts of a workspace: pairs of old and new name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rename {
    /// Channels, with their observations.
    pub channels: Vec<(String, String)>,
    /// Samples, in all channels.
    pub samples: Vec<(String, String)>,
    /// Modifiers and the parameters they have, in measurements too.
    pub modifiers: Vec<(String, String)>,
    /// Measurements.
    pub measurements: Vec<(String, String)>,
}

impl Workspace {
    /// Keeps these channels only: a fit to control regions, for example.
    ///
    /// What is left is a workspace of its own: parameters that no longer appear lose their configuration, and a measurement whose parameter of
    /// interest no longer appears becomes one without (an empty name, pyhf's convention).
    ///
    /// # Errors
    /// [`Error::UnknownChannel`], or [`Error::NothingLeft`] for an empty list.
    pub fn keep_channels<S: AsRef<str>>(&mut self, names: &[S]) -> Result<()> {
        let keep = self.known_channels(names)?;
        self.retain_channels(|name| keep.contains(name))
    }

    /// Takes these channels out; see [`Workspace::keep_channels`].
    ///
    /// # Errors
    /// [`Error::UnknownChannel`], or [`Error::NothingLeft`] if it would take all.
    pub fn exclude_channels<S: AsRef<str>>(&mut self, names: &[S]) -> Result<()> {
        let exclude = self.known_channels(names)?;
        self.retain_channels(|name| !exclude.contains(name))
    }

    fn known_channels<S: AsRef<str>>(&self, names: &[S]) -> Result<HashSet<String>> {
        let available = || self.channels.iter().map(|c| c.name.clone()).collect();
        let check = |name: &str| {
            if self.channels.iter().any(|c| c.name == name) {
                return Ok(name.to_owned());
            }
            Err(Error::UnknownChannel {
                name: name.to_owned(),
                available: available(),
            })
        };
        names.iter().map(|name| check(name.as_ref())).collect()
    }

    fn retain_channels(&mut self, keep: impl Fn(&str) -> bool) -> Result<()> {
        if !self.channels.iter().any(|c| keep(&c.name)) {
            return Err(Error::NothingLeft { what: "channels" });
        }
        self.channels.retain(|c| keep(&c.name));
        self.observations.retain(|o| keep(&o.name));
        self.forget_parameters();
        Ok(())
    }

    /// Drops configurations and parameters of interest of modifiers that no longer appear.
    fn forget_parameters(&mut self) {
        let modifiers = self
            .channels
            .iter()
            .flat_map(|c| c.samples.iter().flat_map(|s| &s.modifiers));
        let left: HashSet<&str> = modifiers.map(|m| m.name.as_str()).collect();
        for measurement in &mut self.measurements {
            measurement
                .config
                .parameters
                .retain(|p| left.contains(p.name.as_str()));
            if !left.contains(measurement.config.poi.as_str()) {
                measurement.config.poi.clear();
            }
        }
    }

    /// Takes parts out; channels that lose all their samples go too. Parameters that no longer appear are forgotten as in
    /// [`Workspace::keep_channels`].
    ///
    /// # Errors
    /// [`Error::UnknownPart`] for a name that is not there, [`Error::NothingLeft`] if no channel or no measurement would be left; the workspace is then
    /// as it was.
    pub fn prune(&mut self, prune: &Prune) -> Result<()> {
        self.check_part("channel", prune.channels.iter())?;
        self.check_part("sample", prune.samples.iter())?;
        self.check_part("modifier", prune.modifiers.iter())?;
        self.check_part("measurement", prune.measurements.iter())?;
        let mut pruned = self.clone();
        pruned
            .measurements
            .retain(|m| !prune.measurements.contains(&m.name));
        for channel in &mut pruned.channels {
            channel.samples.retain(|s| !prune.samples.contains(&s.name));
            for sample in &mut channel.samples {
                sample.modifiers.retain(|m| {
                    !prune.modifiers.contains(&m.name) && !prune.modifier_types.contains(&m.kind())
                });
            }
        }
        let gone: HashSet<String> = {
            let empty = |c: &&super::types::Channel| {
                c.samples.is_empty() || prune.channels.contains(&c.name)
            };
            pruned
                .channels
                .iter()
                .filter(empty)
                .map(|c| c.name.clone())
                .collect()
        };
        if pruned.measurements.is_empty() {
            return Err(Error::NothingLeft {
                what: "measurements",
            });
        }
        pruned.retain_channels(|name| !gone.contains(name))?;
        *self = pruned;
        Ok(())
    }

    /// Gives parts new names.
    ///
    /// # Errors
    /// [`Error::UnknownPart`] for a name that is not there. Whether the new names clash is for [`Workspace::check`] to say.
    pub fn rename(&mut self, rename: &Rename) -> Result<()> {
        self.check_part("channel", rename.channels.iter().map(|(old, _)| old))?;
        self.check_part("sample", rename.samples.iter().map(|(old, _)| old))?;
        self.check_part("modifier", rename.modifiers.iter().map(|(old, _)| old))?;
        self.check_part(
            "measurement",
            rename.measurements.iter().map(|(old, _)| old),
        )?;
        let map = |pairs: &[(String, String)]| -> HashMap<String, String> {
            pairs.iter().cloned().collect()
        };
        let (channels, samples) = (map(&rename.channels), map(&rename.samples));
        let (modifiers, measurements) = (map(&rename.modifiers), map(&rename.measurements));
        let change = |name: &mut String, names: &HashMap<String, String>| {
            if let Some(new) = names.get(name) {
                name.clone_from(new);
            }
        };
        for channel in &mut self.channels {
            change(&mut channel.name, &channels);
            for sample in &mut channel.samples {
                change(&mut sample.name, &samples);
                sample
                    .modifiers
                    .iter_mut()
                    .for_each(|m| change(&mut m.name, &modifiers));
            }
        }
        self.observations
            .iter_mut()
            .for_each(|o| change(&mut o.name, &channels));
        for measurement in &mut self.measurements {
            change(&mut measurement.name, &measurements);
            change(&mut measurement.config.poi, &modifiers);
            measurement
                .config
                .parameters
                .iter_mut()
                .for_each(|p| change(&mut p.name, &modifiers));
        }
        Ok(())
    }

    /// Sorts channels, samples, modifiers (by name and type), observations, measurements and their parameters by name, as `pyhf sort` does.
    pub fn sort(&mut self) {
        self.channels.sort_by(|a, b| a.name.cmp(&b.name));
        for sample in self.channels.iter_mut().flat_map(|c| {
            c.samples.sort_by(|a, b| a.name.cmp(&b.name));
            &mut c.samples
        }) {
            sample
                .modifiers
                .sort_by(|a, b| (&a.name, a.kind()).cmp(&(&b.name, b.kind())));
        }
        self.observations.sort_by(|a, b| a.name.cmp(&b.name));
        self.measurements.sort_by(|a, b| a.name.cmp(&b.name));
        for measurement in &mut self.measurements {
            measurement
                .config
                .parameters
                .sort_by(|a, b| a.name.cmp(&b.name));
        }
    }

    fn check_part<'a>(
        &self,
        what: &'static str,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<()> {
        let samples = || self.channels.iter().flat_map(|c| &c.samples);
        let mut available: Vec<&str> = match what {
            "channel" => self.channels.iter().map(|c| c.name.as_str()).collect(),
            "sample" => samples().map(|s| s.name.as_str()).collect(),
            "modifier" => samples()
                .flat_map(|s| &s.modifiers)
                .map(|m| m.name.as_str())
                .collect(),
            _ => self.measurements.iter().map(|m| m.name.as_str()).collect(),
        };
        available.sort_unstable();
        available.dedup();
        let mut names = names;
        match names.find(|name| available.binary_search(&name.as_str()).is_err()) {
            Some(name) => {
                let available = available.iter().map(|&name| name.to_owned()).collect();
                Err(Error::UnknownPart {
                    what,
                    name: name.clone(),
                    available,
                })
            }
            None => Ok(()),
        }
    }
}
