//! Processes made of observed events of other regions: what contributes to them.

use super::collect::{Scale, bins};
use super::plan::{Plan, Quantity, Scope, Shift, Weighting, factors, is_seen, product};
use super::result::{Bins, Results};
use super::sweep::Sums;
use crate::define::Histogram;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Effect, Estimate, Input, Systematic};
use crate::place::Source;

/// Whether a systematic varies the events of a data set as those of its process.
pub(crate) fn acts(systematic: &Systematic, input: &Input) -> bool {
    !input.observed && systematic.acts_on(input)
}

/// Whether a systematic varies the events of a data set in an estimate: because it varies the estimate, or the process that is subtracted.
pub(super) fn acts_in(systematic: &Systematic, input: &Input, estimate: &Estimate) -> bool {
    systematic.processes.contains(&estimate.name) || acts(systematic, input)
}

/// The sign with which a data set is a part of an estimate.
pub(super) fn sign(input: &Input, estimate: &Estimate) -> Option<f64> {
    if input.observed {
        return Some(1.0);
    }
    estimate.minus.contains(&input.process).then_some(-1.0)
}

impl Bins {
    pub(super) fn signed(mut self, sign: f64) -> Self {
        self.sums.iter_mut().for_each(|x| *x *= sign);
        self
    }
}

/// The histograms of the events that stand for estimated processes, with the variations of these.
pub(super) fn contributions(
    file: &AnalysisFile,
    input: &Input,
    scope: Scope,
    add: &mut dyn FnMut(Quantity, Weighting, Histogram),
) {
    if scope == Scope::Channels {
        return;
    }
    for (e, estimate) in file.estimates.iter().enumerate() {
        if sign(input, estimate).is_none() {
            continue;
        }
        let weight = product(input.weight.as_ref(), &estimate.weight);
        let seen = |pair: &&(usize, usize)| is_seen(file, input, pair.1);
        for &(region, from) in estimate.regions.iter().filter(seen) {
            let from = &file.regions[from].name;
            let mut fill = |plot, weighting, weight: Option<Source>| {
                let quantity = Quantity::Estimate {
                    estimate: e,
                    region,
                    plot,
                };
                let one = match plot.map(|p: usize| &file.histograms[p]) {
                    Some(plot) => {
                        Histogram::new(plot.of.clone(), plot.edges.clone()).outside(plot.flow)
                    }
                    None => Histogram::new("0", [-0.5, 0.5]),
                };
                let one = one.region(from);
                add(
                    quantity,
                    weighting,
                    weight.into_iter().fold(one, Histogram::weight),
                );
            };
            let plots = file.histograms.iter().enumerate();
            let plots = plots.filter(|(_, plot)| plot.regions.contains(&region));
            let plots: Vec<Option<usize>> = plots.map(|(p, _)| Some(p)).collect();
            for plot in std::iter::once(None).chain(plots) {
                fill(plot, Weighting::Raw, None);
                fill(plot, Weighting::Nominal, Some(weight.clone()));
                let varied = file.systematics.iter().enumerate();
                let varied = varied.filter(|(_, s)| plot.is_some() && acts_in(s, input, estimate));
                for (s, systematic) in varied {
                    for (weighting, factor) in factors(s, systematic) {
                        fill(plot, weighting, Some(product(Some(&weight), &factor)));
                    }
                }
            }
        }
    }
}

/// What a data set contributes to one histogram of an estimate.
struct Part<'a> {
    plan: &'a Plan,
    sums: &'a Sums,
    scale: Scale,
    sign: f64,
    quantity: Quantity,
}

impl Part<'_> {
    fn of(&self, moved: Option<(usize, Shift)>, weighting: Weighting) -> Option<Bins> {
        self.plan.item_of(moved, self.quantity, weighting)?;
        let found = bins(
            self.plan,
            self.sums,
            (moved, self.quantity),
            weighting,
            self.scale,
        )?;
        Some(found.signed(self.sign))
    }

    fn nominal(&self, weighting: Weighting) -> Option<Bins> {
        self.of(None, weighting)
    }

    /// At another value of a parameter.
    fn shifted(&self, which: (usize, Shift)) -> Option<Bins> {
        self.of(Some(which), Weighting::Nominal)
    }
}

impl AnalysisFile {
    /// Refuses estimates that need observed events which are not looked at, or processes that there are not: by calls, anything can be said.
    pub(super) fn check_estimates(&self) -> Result<()> {
        let simulated = self.simulated();
        if let Some(fit) = &self.fit {
            let at = |key: &str| Source::new(format!("fit.{key}"), "").everywhere();
            self.check_scaled(&fit.signal, true, || at("signal"))?;
            for (name, scaled) in &fit.free {
                self.check_scaled(scaled, false, || at(&format!("free.{name}")))?;
            }
        }
        for systematic in &self.systematics {
            let mut estimated = systematic.processes.iter().filter(|p| self.is_estimated(p));
            let norms = matches!(systematic.effect, Effect::Norms { .. });
            let limited = norms || !systematic.campaigns.is_empty();
            if let Some(name) = estimated.next().filter(|_| limited) {
                let place = Source::new(format!("systematics.{}", systematic.name), name.as_str());
                return Err(Error::Meaning {
                    place: place.everywhere(),
                    message: format!(
                        "`{name}` is estimated from observed events, and belongs to no campaign"
                    ),
                    help: "name it in a systematic of all campaigns, with one size".into(),
                });
            }
        }
        for estimate in &self.estimates {
            let refuse = |message: String, help: &str| Error::Meaning {
                place: estimate.weight.everywhere(),
                message,
                help: help.into(),
            };
            let observed = self.datasets.iter().filter(|d| d.observed);
            for input in observed {
                let from = estimate.regions.iter().map(|pair| pair.1);
                if let Some(blind) = from.into_iter().find(|r| !is_seen(self, input, *r)) {
                    let (name, region) = (&estimate.name, &self.regions[blind].name);
                    return Err(refuse(
                        format!("`{name}` needs the observed events of `{region}`, which is blind"),
                        "take the events of a control region",
                    ));
                }
            }
            let other = self
                .systematics
                .iter()
                .find(|s| matches!(s.effect, Effect::Files { .. }) && Self::varies(s, estimate));
            if let Some(other) = other {
                return Err(refuse(
                    format!(
                        "`{}` takes the events of other files, for what `{}` subtracts",
                        other.name, estimate.name
                    ),
                    "name the data sets of other processes alone, or subtract others",
                ));
            }
            let mut minus = estimate.minus.iter();
            if let Some(name) = minus.find(|p| !simulated.contains(&p.as_str())) {
                return Err(refuse(
                    format!("`{name}` is no simulated process, and cannot be subtracted"),
                    &format!("there are {}", simulated.join(", ")),
                ));
            }
        }
        Ok(())
    }

    /// Adds what a data set contributes to the estimates. What a systematic does not vary here is part of its variation as it is.
    pub(super) fn put_estimates(
        &self,
        results: &mut Results,
        input: &Input,
        plan: &Plan,
        sums: &Sums,
        scale: Scale,
    ) {
        let (first, of) = (self.simulated().len(), results.processes.len());
        for (e, estimate) in self.estimates.iter().enumerate() {
            let Some(sign) = sign(input, estimate) else {
                continue;
            };
            let part = |region, plot| Part {
                plan,
                sums,
                scale,
                sign,
                quantity: Quantity::Estimate {
                    estimate: e,
                    region,
                    plot,
                },
            };
            for cutflow in &mut results.cutflows {
                let found = part(cutflow.region, None).nominal(Weighting::Nominal);
                if let (Some(found), Some(last)) = (found, cutflow.steps.last_mut()) {
                    last.yields[first + e].add(&found);
                }
            }
            for filled in &mut results.histograms {
                let part = part(filled.region, Some(filled.plot));
                let Some(nominal) = part.nominal(Weighting::Nominal) else {
                    continue;
                };
                filled.nominal[first + e].add(&nominal);
                for (s, systematic) in self.systematics.iter().enumerate() {
                    if !Self::varies(systematic, estimate) {
                        continue;
                    }
                    let here = acts_in(systematic, input, estimate);
                    for &member in systematic.effect.members() {
                        let weighting = Weighting::Member {
                            systematic: s,
                            member,
                        };
                        let found = part.nominal(weighting).filter(|_| here);
                        let found = found.as_ref().unwrap_or(&nominal);
                        filled.add_member((s, member), (first + e, of), found);
                    }
                    for shift in [Shift::Up, Shift::Down] {
                        let found = match &systematic.effect {
                            Effect::Norm { up, down } => {
                                let factor = if shift == Shift::Up { *up } else { *down };
                                Some(nominal.clone().signed(factor))
                            }
                            Effect::Weight { down: None, .. } if shift == Shift::Down => {
                                continue;
                            }
                            Effect::Weight { .. } => part.nominal(Weighting::Factor {
                                systematic: s,
                                shift,
                            }),
                            Effect::Norms { factors } => {
                                let [down, up] = input.factors_among(factors);
                                let factor = if shift == Shift::Up { up } else { down };
                                Some(nominal.clone().signed(factor))
                            }
                            Effect::Parameter { .. } => part.shifted((s, shift)),
                            // Refused where the analysis is checked.
                            Effect::Members { .. } | Effect::Files { .. } => continue,
                        };
                        let found = found.filter(|_| here);
                        let found = found.as_ref().unwrap_or(&nominal);
                        filled.vary((s, shift), (first + e, of), found);
                    }
                }
            }
        }
    }

    /// Whether a systematic varies the bins of an estimate: its own events, or those that are subtracted. A `norm` of the estimate itself is a factor.
    fn varies(systematic: &Systematic, estimate: &Estimate) -> bool {
        let own = systematic.processes.contains(&estimate.name);
        let mut subtracted = estimate.minus.iter();
        match systematic.effect {
            Effect::Norm { .. } | Effect::Norms { .. } => {
                !own && subtracted.any(|p| systematic.processes.contains(p))
            }
            _ => own || subtracted.any(|p| systematic.processes.contains(p)),
        }
    }
}

impl AnalysisFile {
    /// Whether a systematic reaches a process through what an estimate subtracts alone.
    pub(super) fn is_subtracted(&self, systematic: &Systematic, process: &str) -> bool {
        let mut estimates = self.estimates.iter();
        let own = systematic.processes.iter().any(|p| p == process);
        !own && estimates.any(|e| e.name == process && Self::varies(systematic, e))
    }

    /// Whether an estimated process is none of a region.
    pub(super) fn is_absent(&self, process: &str, region: usize) -> bool {
        let estimate = self.estimates.iter().find(|e| e.name == process);
        let abcd = self.abcd.iter().find(|e| e.name == process);
        estimate.is_some_and(|e| e.regions.iter().all(|(target, _)| *target != region))
            || abcd.is_some_and(|e| !e.regions.contains(&region))
    }
}
