//! Data sets that stand for others in a variation, and data sets that a variation of their process leaves as they are.

use super::collect::{Scale, bins};
use super::plan::{Plan, Quantity, Shift, Weighting};
use super::result::{Results, Stood};
use super::sweep::Sums;
use crate::file::{AnalysisFile, Effect, Input};

/// A data set that stands for the nominal one of its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant<'a> {
    pub systematic: usize,
    pub shift: Shift,
    pub input: &'a Input,
}

impl Variant<'_> {
    /// What a result says of it.
    pub(super) fn stood(self, events: u64, scale: f64) -> Stood {
        Stood {
            dataset: self.input.name.clone(),
            systematic: self.systematic,
            shift: self.shift,
            events,
            scale,
        }
    }
}

impl AnalysisFile {
    /// The data sets of variations from other files.
    pub(crate) fn variants(&self) -> Vec<Variant<'_>> {
        let mut all = Vec::new();
        for (systematic, of) in self.systematics.iter().enumerate() {
            let Effect::Files { up, down, .. } = &of.effect else {
                continue;
            };
            for (shift, side) in [(Shift::Up, up), (Shift::Down, down)] {
                all.extend(side.iter().map(|input| Variant {
                    systematic,
                    shift,
                    input,
                }));
            }
        }
        all
    }

    /// The patterns of files of a data set that stood for another one.
    pub fn files_of(&self, stood: &Stood) -> impl Iterator<Item = &std::path::Path> {
        let which = (stood.systematic, stood.shift, stood.dataset.as_str());
        let all = self.variants().into_iter();
        let own = all.filter(move |v| (v.systematic, v.shift, v.input.name.as_str()) == which);
        own.flat_map(|v| &v.input.files)
            .map(std::path::PathBuf::as_path)
    }

    /// The analysis of such a data set: a variation is not varied in turn.
    pub(crate) fn of_variants(&self) -> Self {
        Self {
            systematics: Vec::new(),
            ..self.clone()
        }
    }

    /// What a data set contributes to variations of its process by its nominal yields: a systematic that moves other data sets of the process alone leaves this one as it
    /// is, and the side of a variation for which there are no files is the nominal one if it is one-sided. `moved` are pairs of a systematic that moves a parameter and
    /// of a process that it moves.
    pub(crate) fn standing(
        &self,
        input: &Input,
        plan: &Plan,
        moved: &[(usize, &str)],
    ) -> Vec<(usize, Shift)> {
        let mut standing = Vec::new();
        for (s, systematic) in self.systematics.iter().enumerate() {
            if input.observed || !systematic.processes.contains(&input.process) {
                continue;
            }
            match &systematic.effect {
                Effect::Parameter { .. } => {
                    let elsewhere = moved.contains(&(s, input.process.as_str()));
                    if elsewhere && !plan.moves(s) {
                        standing.extend([(s, Shift::Up), (s, Shift::Down)]);
                    }
                }
                Effect::Files {
                    up,
                    down,
                    one_sided,
                } => {
                    let stands = |side: &[Input]| side.iter().all(|v| v.name != input.name);
                    if stands(up) {
                        standing.push((s, Shift::Up));
                    }
                    if stands(down) && (*one_sided || !down.is_empty()) {
                        standing.push((s, Shift::Down));
                    }
                }
                Effect::Norm { .. } | Effect::Weight { .. } | Effect::Members { .. } => {}
            }
        }
        standing
    }
}

impl Results {
    /// Puts the sums of a data set into the variation that it is.
    pub(super) fn put_variant(
        &mut self,
        variant: Variant<'_>,
        plan: &Plan,
        sums: &Sums,
        scale: Scale,
    ) {
        let process = &variant.input.process;
        let Some(p) = self.processes.iter().position(|name| name == process) else {
            return;
        };
        let of = self.processes.len();
        for filled in &mut self.histograms {
            let quantity = Quantity::Plot {
                plot: filled.plot,
                region: filled.region,
            };
            let found = bins(
                &plan.nominal,
                &sums[0][0],
                quantity,
                Weighting::Nominal,
                scale,
            );
            if let Some(found) = found {
                filled.vary((variant.systematic, variant.shift), (p, of), &found);
            }
        }
    }
}
