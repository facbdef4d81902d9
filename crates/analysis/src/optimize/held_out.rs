//! The exact objective of all events, each judged by what was learned without it.

use super::problem::Problem;
use super::quote::Quote;
use super::split::Part;
use super::training::State;
use crate::error::Result;
use crate::file::Folds;
use crate::run::Values;

/// The bins of the events that folds were tested on, before and after.
///
/// Folds of one analysis add up to all its events: none is given away to a test, and the errors of the number of simulated events are those that the analysis will
/// have (k-fold cross-validation, Stone, J. R. Stat. Soc. B 36 (1974) 111; the odd and even events of many analyses are two folds).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeldOut {
    before: Vec<f64>,
    after: Vec<f64>,
}

impl HeldOut {
    /// Adds the events of another fold.
    pub fn join(&mut self, other: &Self) {
        crate::run::accumulate(&mut self.before, &other.before);
        crate::run::accumulate(&mut self.after, &other.after);
    }
}

impl Problem<'_> {
    /// The bins of the test events of this fold, at the start and at the best step.
    ///
    /// # Errors
    /// Files that cannot be read again.
    pub fn held_out(&mut self, state: &State) -> Result<HeldOut> {
        let (start, best) = self.ends(state);
        Ok(HeldOut {
            before: self.hard_bins(Part::Test, &start, false)?,
            after: self.hard_bins(Part::Test, &best, false)?,
        })
    }

    /// What the folds found, with how their events are told apart, for [`AnalysisFile::at_folds`](crate::file::AnalysisFile::at_folds).
    pub fn folds(&self, values: Vec<Values>) -> Folds {
        let nominal = self.sets.iter().filter(|set| set.variant.is_none());
        let told = nominal.map(|set| (set.input.name.clone(), set.told_apart()));
        Folds {
            seed: self.optimisation.seed,
            values,
            told_apart: told.collect(),
        }
    }

    /// The exact objective of all events, before and after; `held_out` has the events of all folds.
    ///
    /// # Errors
    /// A model that cannot be fitted.
    pub fn quote_folds(&self, held_out: &HeldOut) -> Result<[Quote; 2]> {
        let of = |bins: &[f64]| -> Result<Quote> {
            let found = self.objective.hard(self.file, &self.layout, bins)?;
            Ok(self.quote_of(&found, bins, &|_| 1.0))
        };
        Ok([of(&held_out.before)?, of(&held_out.after)?])
    }
}
