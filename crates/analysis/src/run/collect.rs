//! From the sums of the programs to results.

use super::estimates::acts;
use super::plan::{Plan, Quantity, Shift, Variation, Weighting, is_seen};
use super::result::{Bins, Cutflow, Filled, Results, Step};
use super::sweep::Sums;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Generated, Input};
use crate::place::Source;

/// What sums are multiplied by: weights, and what follows from their number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Of weights.
    pub weights: f64,
    /// The part of all events that was summed. Yields stand for all of them, and so do variances and numbers of entries.
    pub fraction: f64,
}

/// Bins by what they count and how, nothing if that is not counted.
pub(super) fn bins(
    plan: &Plan,
    sums: &[Vec<f64>],
    (moved, quantity): (Option<(usize, Shift)>, Quantity),
    weighting: Weighting,
    scale: Scale,
) -> Option<Bins> {
    let raw = plan.item_of(moved, quantity, Weighting::Raw)?;
    let weighted = plan.item_of(moved, quantity, weighting).unwrap_or(raw);
    let values = |output: usize, factor: f64| sums[output].iter().map(|x| x * factor).collect();
    Some(Bins {
        sums: values(weighted.outputs.0, scale.weights / scale.fraction),
        variances: values(weighted.outputs.1, scale.weights.powi(2) / scale.fraction),
        entries: values(raw.outputs.0, 1.0 / scale.fraction),
    })
}

impl AnalysisFile {
    pub(crate) fn empty(&self) -> Results {
        let processes: Vec<String> = self.processes().iter().map(|p| (*p).to_owned()).collect();
        let yields = |n: usize| vec![Bins::zeros(n); processes.len()];
        let cutflow = |(r, region): (usize, &crate::file::Region)| Cutflow {
            region: r,
            steps: std::iter::once("")
                .chain(region.cuts.iter().map(Source::text))
                .map(|cut| Step {
                    cut: cut.to_owned(),
                    yields: yields(1),
                })
                .collect(),
        };
        let cutflows: Vec<Cutflow> = self.regions.iter().enumerate().map(cutflow).collect();
        let mut histograms = Vec::new();
        for region in 0..self.regions.len() {
            for (plot, of) in self.histograms.iter().enumerate() {
                if of.regions.contains(&region) {
                    histograms.push(Filled {
                        plot,
                        region,
                        nominal: yields(of.edges.len() - 1),
                        variations: Vec::new(),
                        members: Vec::new(),
                        observed: None,
                    });
                }
            }
        }
        Results {
            file: self.clone(),
            processes,
            datasets: Vec::new(),
            variants: Vec::new(),
            observed: vec![None; self.regions.len()],
            cutflows,
            histograms,
            units: vec![String::new(); self.histograms.len()],
            n_minus_one: Vec::new(),
            derivatives: Vec::new(),
            biases: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// What the weights of a data set are multiplied by.
    pub(crate) fn scale(
        &self,
        input: &Input,
        entries: u64,
        plan: &Plan,
        nominal: &[Vec<f64>],
    ) -> Result<f64> {
        let (Some(cross_section), Some(luminosity)) =
            (input.cross_section, self.luminosity_of(input))
        else {
            return Ok(1.0);
        };
        let all = plan.item(Quantity::Generated, Weighting::Nominal);
        let generated = match &input.generated {
            Generated::Number(n) => *n,
            Generated::Events => entries as f64,
            Generated::Sum(_) => all.map_or(f64::NAN, |item| nominal[item.outputs.0][0]),
        };
        if generated > 0.0 && generated.is_finite() {
            return Ok(cross_section * luminosity / generated);
        }
        Err(Error::Meaning {
            place: input.place.clone(),
            message: format!(
                "the weights of `{}` add up to {generated}, by which a cross-section cannot be divided",
                input.name
            ),
            help: "look at `generated`, and whether the files have events".into(),
        })
    }

    /// Puts the sums of a data set where they belong.
    pub(crate) fn put(
        &self,
        results: &mut Results,
        input: &Input,
        plan: &Plan,
        sums: &Sums,
        scale: Scale,
        moved: &[(usize, &str)],
    ) {
        let process = results.processes.iter().position(|p| *p == input.process);
        self.put_estimates(results, input, plan, sums, scale);
        let nominal_bins =
            |quantity, weighting| bins(plan, sums, (None, quantity), weighting, scale);
        for (r, cutflow) in results.cutflows.iter_mut().enumerate() {
            for (cuts, step) in cutflow.steps.iter_mut().enumerate() {
                let found = nominal_bins(Quantity::Step { region: r, cuts }, Weighting::Nominal);
                let Some(found) = found else { continue };
                if input.observed {
                    let n = self.regions[r].cuts.len() + 1;
                    let seen = results.observed[r].get_or_insert_with(|| vec![0.0; n]);
                    seen[cuts] += found.entries[0];
                } else if let Some(p) = process {
                    step.yields[p].add(&found);
                }
            }
        }
        for (plot, unit) in &plan.units {
            results.units[*plot].clone_from(unit);
        }
        for (which, into) in results.n_minus_one.iter_mut().enumerate() {
            let bins = into.edges.len() - 1;
            let quantity = Quantity::Compared { which, bins };
            let Some(found) = nominal_bins(quantity, Weighting::Nominal) else {
                continue;
            };
            if input.observed {
                let seen = into.observed.get_or_insert_with(|| Bins::zeros(bins));
                seen.add(&found);
            } else if let Some(p) = process {
                into.nominal[p].add(&found);
            }
        }
        let counts = results.processes.len();
        let standing = self.standing(input, plan, moved);
        for filled in &mut results.histograms {
            let quantity = Quantity::Plot {
                plot: filled.plot,
                region: filled.region,
            };
            let Some(nominal) = nominal_bins(quantity, Weighting::Nominal) else {
                continue;
            };
            if input.observed {
                debug_assert!(is_seen(self, input, filled.region));
                let n = nominal.sums.len();
                filled
                    .observed
                    .get_or_insert_with(|| Bins::zeros(n))
                    .add(&nominal);
                continue;
            }
            let Some(p) = process else { continue };
            filled.nominal[p].add(&nominal);
            let own = plan.items.iter().filter(|i| i.quantity == quantity);
            for item in own {
                if let Weighting::Member { systematic, member } = item.weighting
                    && let Some(found) = nominal_bins(quantity, item.weighting)
                {
                    filled.add_member((systematic, member), (p, counts), &found);
                }
            }
            let own = |v: &&Variation| acts(&self.systematics[v.systematic], input);
            for v in plan.variations.iter().filter(own) {
                let moved = (v.systematic, v.shift);
                let found = bins(
                    plan,
                    sums,
                    (Some(moved), quantity),
                    Weighting::Nominal,
                    scale,
                );
                if let Some(found) = found {
                    filled.vary(moved, (p, counts), &found);
                }
            }
            for (weighting, factor) in &standing {
                let part = nominal.times(*factor);
                match *weighting {
                    Weighting::Factor { systematic, shift } => {
                        filled.vary((systematic, shift), (p, counts), &part);
                    }
                    Weighting::Member { systematic, member } => {
                        filled.add_member((systematic, member), (p, counts), &part);
                    }
                    Weighting::Raw | Weighting::Nominal => {}
                }
            }
            for item in plan.items.iter().filter(|i| i.quantity == quantity) {
                if let Weighting::Factor { systematic, shift } = item.weighting
                    && let Some(found) = nominal_bins(quantity, item.weighting)
                {
                    filled.vary((systematic, shift), (p, counts), &found);
                }
            }
        }
    }

    /// What is easily overlooked.
    pub(super) fn warn(&self, results: &mut Results) {
        let channels = self.fit.iter().flat_map(|fit| &fit.channels);
        let has_data = self.datasets.iter().any(|d| d.observed);
        for &(region, plot) in channels.filter(|_| has_data) {
            let filled = results.histogram(plot, region);
            if filled.is_some_and(|f| f.observed.is_none()) {
                let name = &self.regions[region].name;
                let message = format!(
                    "`{name}` is blind: in the workspace its observations are the expected yields"
                );
                results.warnings.push(message);
            }
        }
        self.warn_of_estimates(results);
        for (s, systematic) in self.systematics.iter().enumerate() {
            let mut filled = results.histograms.iter();
            let moves = filled.any(|h| h.variations.iter().any(|(k, ..)| *k == s));
            if !moves && systematic.factors().is_none() {
                let name = &systematic.name;
                let message = format!("the systematic `{name}` moves no histogram");
                results.warnings.push(message);
            }
        }
        for cutflow in &results.cutflows {
            let region = &self.regions[cutflow.region].name;
            let Some(last) = cutflow.steps.last() else {
                continue;
            };
            for (process, bins) in results.processes.iter().zip(&last.yields) {
                // Nor are there events of a fitted estimate.
                let fitted = self.abcd.iter().any(|e| e.name == *process);
                let absent = fitted || self.is_absent(process, cutflow.region);
                if bins.entries[0] == 0.0 && !absent {
                    let message = format!("no event of `{process}` is selected in `{region}`");
                    results.warnings.push(message);
                }
            }
        }
        for filled in &results.histograms {
            let (plot, region) = (
                &self.histograms[filled.plot].name,
                &self.regions[filled.region].name,
            );
            for (process, bins) in results.processes.iter().zip(&filled.nominal) {
                let negative = bins.sums.iter().filter(|x| **x < 0.0).count();
                if negative > 0 {
                    results.warnings.push(format!(
                        "`{plot}` of `{process}` in `{region}` is negative in {negative} of {} bins",
                        bins.sums.len()
                    ));
                }
            }
        }
    }
}
