//! The exact objective on a part of the events: what is quoted.

use serde::Serialize;

use super::events::Set;
use super::goal::Evaluation;
use super::layout::Kind;
use super::problem::Problem;
use super::split::Part;
use crate::error::{Error, Result};
use crate::file::AnalysisFile;
use crate::run::Shift;

/// The exact objective on a part of the events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quote {
    /// The objective.
    pub value: f64,
    /// Its standard deviation from the number of simulated events of the part.
    pub uncertainty: f64,
    /// What the constraints add to the logarithm: zero where all hold.
    pub penalty: f64,
    /// The constraints that do not hold, in words.
    pub violated: Vec<String>,
}

/// What the objective owes to a systematic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Impact {
    /// Its name.
    pub name: String,
    /// The objective without it; NaN where the model cannot be fitted then.
    pub without: f64,
    /// The derivative by the logarithm of its size.
    pub slope: f64,
}

impl Problem<'_> {
    /// The name of a data set for people.
    pub(super) fn name_of(&self, set: &Set<'_>) -> String {
        let Some((s, shift)) = set.variant else {
            return set.input.name.clone();
        };
        let (name, systematic) = (&set.input.name, &self.file.systematics[s].name);
        format!("{name} ({systematic} {})", shift.name().to_lowercase())
    }

    /// The exact objective at free quantities.
    ///
    /// The uncertainty is linear in the number of events of each bin, with yields, variations and variances of a bin moving together:
    /// σ² = Σ_b (Σ_kinds ∂f/∂x_b · x_b/n_b)² Var(n_b).
    ///
    /// Variations from other files have events of their own, which are taken as independent.
    ///
    /// # Errors
    /// A model that cannot be fitted: no signal, no background.
    pub fn quote(&mut self, part: Part, x: &[f64]) -> Result<Quote> {
        let (found, list) = self.hard(part, x)?;
        let share = |set: &Set<'_>| set.fraction(part);
        Ok(self.quote_of(&found, &list, &share))
    }

    /// What is said about an exact value; `share` is the part of its events that a data set gave to the list.
    pub(super) fn quote_of(
        &self,
        found: &Evaluation,
        list: &[f64],
        share: &dyn Fn(&Set<'_>) -> f64,
    ) -> Quote {
        let violated = self.objective.constraints.violated(list);
        Quote {
            value: found.value,
            uncertainty: self.uncertainty(found, list, share),
            penalty: found.penalty,
            violated: violated.into_iter().map(|v| self.violation(v)).collect(),
        }
    }

    fn uncertainty(
        &self,
        found: &Evaluation,
        list: &[f64],
        share: &dyn Fn(&Set<'_>) -> f64,
    ) -> f64 {
        let layout = &self.layout;
        let mut sum = 0.0;
        for process in 0..layout.processes.len() {
            // Variances are those of the whole sample; the part has fewer events.
            let own = |set: &&Set<'_>| {
                set.variant.is_none() && set.input.process == layout.processes[process]
            };
            let fraction = self.sets.iter().find(own).map_or(1.0, share);
            for (channel, &(.., bins)) in layout.channels.iter().enumerate() {
                let at = |kind| layout.start(process, channel, kind);
                let (Some(nominal), Some(variance)) = (at(Kind::Yield), at(Kind::Variance)) else {
                    continue;
                };
                let mut kinds = vec![Kind::Yield, Kind::Variance];
                for s in 0..self.file.systematics.len() {
                    let apart = at(Kind::Spread(s, Shift::Up)).is_some();
                    if !apart {
                        kinds.extend(self.kinds(s));
                        continue;
                    }
                    sum += self.apart(s, (process, channel, bins), share, found, list);
                }
                let starts: Vec<usize> = kinds.into_iter().filter_map(at).collect();
                for bin in 0..bins {
                    let n = list[nominal + bin];
                    if n == 0.0 {
                        continue;
                    }
                    let along = starts
                        .iter()
                        .map(|s| found.by_list[s + bin] * list[s + bin] / n);
                    let slope: f64 = along.sum();
                    sum += slope * slope * list[variance + bin] / fraction;
                }
            }
        }
        sum.sqrt()
    }

    /// Σ_b (∂f/∂x_b)² Var(x_b) of the bins of a variation from other files.
    fn apart(
        &self,
        s: usize,
        (process, channel, bins): (usize, usize, usize),
        share: &dyn Fn(&Set<'_>) -> f64,
        found: &Evaluation,
        list: &[f64],
    ) -> f64 {
        let mut sum = 0.0;
        for shift in [Shift::Up, Shift::Down] {
            let at = |kind| self.layout.start(process, channel, kind);
            let starts = at(Kind::Varied(s, shift)).zip(at(Kind::Spread(s, shift)));
            let own = |set: &&Set<'_>| {
                set.variant == Some((s, shift))
                    && set.input.process == self.layout.processes[process]
            };
            let Some(((varied, variance), set)) = starts.zip(self.sets.iter().find(own)) else {
                continue;
            };
            let each = (0..bins)
                .map(|b| found.by_list[varied + b].powi(2) * list[variance + b])
                .sum::<f64>();
            sum += each / share(set);
        }
        sum
    }

    fn violation(&self, (mut bin, entries, error): (usize, f64, f64)) -> String {
        let mut name = "";
        for (region, _, bins) in &self.layout.channels {
            name = &self.file.regions[*region].name;
            if bin < *bins {
                break;
            }
            bin -= bins;
        }
        let rough = if error.is_finite() {
            format!("{:.0} %", 100.0 * error)
        } else {
            "unknown to any precision".to_owned()
        };
        format!(
            "bin {bin} of `{name}` has {entries:.1} simulated background events, its background is known to {rough}"
        )
    }

    /// What the exact objective owes to each systematic, to the number of simulated events, and to all of them.
    ///
    /// # Errors
    /// A model that cannot be fitted.
    pub fn impacts(&mut self, part: Part, x: &[f64]) -> Result<Vec<Impact>> {
        let (found, list) = self.hard(part, x)?;
        let mut out = Vec::new();
        for (s, systematic) in self.file.systematics.iter().enumerate() {
            let mut file = self.file.clone();
            file.systematics[s].processes.clear();
            out.push(Impact {
                name: systematic.name.clone(),
                without: self.value_of(&file, &list)?,
                slope: self.slope(s, &found, &list),
            });
        }
        let mut plain = self.file.clone();
        if let Some(fit) = &mut plain.fit {
            fit.mc_statistics = false;
        }
        out.push(Impact {
            name: "number of simulated events".into(),
            without: self.value_of(&plain, &list)?,
            slope: self.statistics_slope(&found, &list),
        });
        Ok(out)
    }

    fn value_of(&self, file: &AnalysisFile, list: &[f64]) -> Result<f64> {
        match self.objective.hard(file, &self.layout, list) {
            Ok(found) => Ok(found.value),
            // A model that cannot be fitted without it says nothing about it.
            Err(Error::Model(_)) => Ok(f64::NAN),
            Err(error) => Err(error),
        }
    }

    /// What a systematic has bins of.
    fn kinds(&self, s: usize) -> Vec<Kind> {
        let members = self.file.systematics[s].effect.members().iter();
        let both = [Shift::Up, Shift::Down].into_iter();
        let both = both.map(|shift| Kind::Varied(s, shift));
        both.chain(members.map(|m| Kind::Member(s, *m))).collect()
    }

    /// Σ ∂f/∂(varied bin) (varied − nominal): how the objective moves where the systematic grows by a part of itself.
    fn slope(&self, s: usize, found: &Evaluation, list: &[f64]) -> f64 {
        if self.file.systematics[s].factors().is_some() {
            return found.by_norm.get(s).copied().unwrap_or(0.0);
        }
        let layout = &self.layout;
        let mut sum = 0.0;
        for process in 0..layout.processes.len() {
            for (channel, &(.., bins)) in layout.channels.iter().enumerate() {
                let Some(n) = layout.start(process, channel, Kind::Yield) else {
                    continue;
                };
                for kind in self.kinds(s) {
                    if let Some(v) = layout.start(process, channel, kind) {
                        let each =
                            (0..bins).map(|b| found.by_list[v + b] * (list[v + b] - list[n + b]));
                        sum += each.sum::<f64>();
                    }
                }
            }
        }
        sum
    }

    /// Σ ∂f/∂variance · 2 variance: the uncertainties of all bins grow by a part of themselves.
    fn statistics_slope(&self, found: &Evaluation, list: &[f64]) -> f64 {
        let layout = &self.layout;
        let mut sum = 0.0;
        for process in 0..layout.processes.len() {
            for (channel, &(.., bins)) in layout.channels.iter().enumerate() {
                if let Some(v) = layout.start(process, channel, Kind::Variance) {
                    let each = (v..v + bins).map(|k| 2.0 * found.by_list[k] * list[k]);
                    sum += each.sum::<f64>();
                }
            }
        }
        sum
    }
}
