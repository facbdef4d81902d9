//! Values that were learned in folds: each event has those that were learned without it.

use pullback_io::Chunk;
use pullback_prob::{Key, fill_uniform};
use serde::{Deserialize, Serialize};

use super::types::AnalysisFile;
use crate::error::{Error, Result};
use crate::run::Values;

/// What an optimisation in folds found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Folds {
    /// Seed of the folds.
    pub seed: u64,
    /// For each fold, the values that were learned without its events.
    pub values: Vec<Values>,
}

impl AnalysisFile {
    /// The same analysis, in which every event, simulated or observed, has the values of its fold. What is said once, as the edges on an axis, is that of the first fold.
    ///
    /// # Errors
    /// As [`Self::at`], for any fold; less than two folds.
    pub fn at_folds(&self, folds: &Folds) -> Result<Self> {
        let mut all = folds.values.iter().map(|values| self.at(values));
        let (Some(first), true) = (all.next(), folds.values.len() > 1) else {
            return Err(Error::Optimisation {
                message: format!("{} is no number of folds", folds.values.len()),
                help: "there are at least two".into(),
            });
        };
        let mut out = first?;
        all.try_for_each(|file| file.map(drop))?;
        out.folds = Some(folds.clone());
        Ok(out)
    }
}

impl Folds {
    /// The events of each fold, and their values.
    pub(crate) fn of(&self, dataset: &str, chunk: &Chunk) -> Vec<(Chunk, &Values)> {
        let folds = fold_of(self.seed, dataset, chunk, self.values.len());
        let each = self.values.iter().enumerate().map(|(k, values)| {
            let own: Vec<bool> = folds.iter().map(|f| *f == k).collect();
            (chunk.take(&own), values)
        });
        each.collect()
    }
}

/// The fold of each event: by its number in the data set alone, whatever the chunks are.
pub(crate) fn fold_of(seed: u64, dataset: &str, chunk: &Chunk, folds: usize) -> Vec<usize> {
    let draws = uniform(split_key(seed, dataset), chunk, 0);
    draws.into_iter().map(|u| cell(u, folds)).collect()
}

/// The key of the draws that say where an event of a data set belongs.
pub(crate) fn split_key(seed: u64, dataset: &str) -> Key {
    Key::new(seed, "split").child(dataset)
}

/// A number between 0 and 1 for each event of a chunk.
pub(crate) fn uniform(key: Key, chunk: &Chunk, step: u32) -> Vec<f64> {
    let mut u = vec![0.0; chunk.entries];
    fill_uniform(&mut u, key, chunk.first, step);
    u
}

/// Which of `n` equal parts of the unit interval a number is in.
pub(crate) fn cell(u: f64, n: usize) -> usize {
    ((u * n as f64) as usize).min(n - 1)
}
