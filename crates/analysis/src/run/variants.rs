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

    /// What a data set contributes to variations of its process by its nominal yields, times a factor: a systematic that moves other data sets of the process alone leaves this
    /// one as it is, the side for which there are no files is nominal if the variation is one-sided, and norms of campaigns are factors. `moved` are pairs of a
    /// systematic that moves a parameter and of a process that it moves.
    pub(crate) fn standing(
        &self,
        input: &Input,
        plan: &Plan,
        moved: &[(usize, &str)],
    ) -> Vec<(Weighting, f64)> {
        let mut standing = Vec::new();
        for (s, of) in self.systematics.iter().enumerate() {
            if input.observed || !of.processes.contains(&input.process) {
                continue;
            }
            let side = |shift| Weighting::Factor {
                systematic: s,
                shift,
            };
            let (up, down) = (side(Shift::Up), side(Shift::Down));
            let here = of.acts_on(input);
            match &of.effect {
                Effect::Norm {
                    up: more,
                    down: less,
                } => {
                    if of.factors().is_none() {
                        let factor = |x: f64| if here { x } else { 1.0 };
                        standing.extend([(up, factor(*more)), (down, factor(*less))]);
                    }
                }
                Effect::Norms { factors } => {
                    let [less, more] = input.factors_among(factors);
                    standing.extend([(up, more), (down, less)]);
                }
                Effect::Parameter { .. } => {
                    let elsewhere = moved.contains(&(s, input.process.as_str()));
                    if elsewhere && !plan.moves(s) {
                        standing.extend([(up, 1.0), (down, 1.0)]);
                    }
                }
                Effect::Weight { down: other, .. } => {
                    if !here {
                        standing.push((up, 1.0));
                        standing.extend(other.iter().map(|_| (down, 1.0)));
                    }
                }
                Effect::Members { members, .. } => {
                    let each = members.iter().filter(|_| !here);
                    standing.extend(each.map(|&member| {
                        let one = Weighting::Member {
                            systematic: s,
                            member,
                        };
                        (one, 1.0)
                    }));
                }
                Effect::Files {
                    up: above,
                    down: below,
                    one_sided,
                } => {
                    let stands = |side: &[Input]| side.iter().all(|v| v.name != input.name);
                    if stands(above) {
                        standing.push((up, 1.0));
                    }
                    if stands(below) && (*one_sided || !below.is_empty()) {
                        standing.push((down, 1.0));
                    }
                }
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
            let found = bins(plan, sums, (None, quantity), Weighting::Nominal, scale);
            if let Some(found) = found {
                filled.vary((variant.systematic, variant.shift), (p, of), &found);
            }
        }
    }
}
