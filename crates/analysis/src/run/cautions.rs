//! What is easily overlooked of estimates in a fit.

use super::result::Results;
use crate::file::{AnalysisFile, Estimate, FitModel};

impl AnalysisFile {
    /// Warns of what a fit takes for granted of estimates.
    pub(super) fn warn_of_estimates(&self, results: &mut Results) {
        let Some(fit) = &self.fit else { return };
        for estimate in &self.estimates {
            results.warnings.extend(scaled(fit, estimate));
        }
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
