//! What is easily overlooked of estimates in a fit.

use super::result::Results;
use crate::file::{AnalysisFile, Estimate, FitModel};

impl AnalysisFile {
    /// Warns of what a fit takes for granted of estimates.
    pub(super) fn warn_of_estimates(&self, results: &mut Results) {
        let Some(fit) = &self.fit else { return };
        for estimate in &self.estimates {
            results.warnings.extend(scaled(fit, estimate));
            let found = self.without_events(fit, estimate, results);
            results.warnings.extend(found);
        }
        results.warnings.extend(self.used_again(fit));
    }

    /// Bins of channels in which no event counts: their uncertainty is 0, too.
    fn without_events(
        &self,
        fit: &FitModel,
        estimate: &Estimate,
        results: &Results,
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        let Some(p) = results.processes.iter().position(|p| *p == estimate.name) else {
            return warnings;
        };
        for &(region, plot) in &fit.channels {
            let from = estimate.regions.iter().find(|pair| pair.0 == region);
            let (Some((_, from)), Some(filled)) = (from, results.histogram(plot, region)) else {
                continue;
            };
            let bins = filled.nominal[p].variances.iter().enumerate();
            let empty = bins.filter(|(_, variance)| **variance == 0.0);
            let edges = &self.histograms[plot].edges;
            let empty: Vec<String> = empty
                .map(|(k, _)| format!("[{}, {})", edges[k], edges[k + 1]))
                .collect();
            if !empty.is_empty() {
                warnings.push(format!(
                    "no event of `{}`: `{}` in `{}` is 0 ± 0 in {} of `{}`; merge bins",
                    self.regions[*from].name,
                    estimate.name,
                    self.regions[region].name,
                    empty.join(", "),
                    self.histograms[plot].name
                ));
            }
        }
        warnings
    }

    /// Regions whose observed events come into the fit more than once.
    fn used_again(&self, fit: &FitModel) -> Vec<String> {
        let is_channel = |region: usize| fit.channels.iter().any(|c| c.0 == region);
        let mut warnings = Vec::new();
        for (from, source) in self.regions.iter().enumerate() {
            let uses = self.estimates.iter().flat_map(|estimate| {
                let own = estimate.regions.iter().filter(|pair| pair.1 == from);
                own.map(move |pair| (estimate, pair.0))
            });
            let uses = uses.filter(|(_, region)| is_channel(*region));
            let mut uses: Vec<String> = uses
                .map(|(e, region)| format!("for `{}` in `{}`", e.name, self.regions[region].name))
                .collect();
            if is_channel(from) && !uses.is_empty() {
                uses.push("as a channel".into());
            }
            if uses.len() > 1 {
                warnings.push(format!(
                    "the fit takes the same events of `{}` as if they were independent ones: {}",
                    source.name,
                    uses.join(", ")
                ));
            }
        }
        warnings
    }
}

/// Processes that are subtracted as they are, though the fit scales them elsewhere.
fn scaled(fit: &FitModel, estimate: &Estimate) -> Vec<String> {
    let factors = fit.free.iter().flat_map(|(factor, processes)| {
        let own = processes.iter().filter(|p| estimate.minus.contains(p));
        own.map(move |p| (factor, p))
    });
    let each = factors.map(|(factor, process)| {
        format!(
            "`{}` subtracts `{process}`, which `{factor}` scales in the fit: the subtraction stays at 1",
            estimate.name
        )
    });
    each.collect()
}
