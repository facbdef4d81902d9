//! Values that were learned in folds: each event has those that were learned without it.

use std::collections::BTreeMap;

use pullback_io::Chunk;
use pullback_prob::{Key, fill_uniform};
use serde::{Deserialize, Serialize};

use super::types::AnalysisFile;
use crate::error::{Error, Result};
use crate::run::{Values, identified, known};

/// How the events of a data set were told apart when folds were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldApart {
    /// By these columns; by their places in the data set, where there are none.
    pub columns: Vec<String>,
    /// How many there were.
    pub events: u64,
}

/// What an optimisation in folds found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Folds {
    /// Seed of the folds.
    pub seed: u64,
    /// For each fold, the values that were learned without its events.
    pub values: Vec<Values>,
    /// For each data set that was learned from, how its events are told apart: in another way an event would be judged by what was learned from it.
    pub told_apart: BTreeMap<String, ToldApart>,
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
    /// The columns that tell the events of a data set apart, as when the folds were made; nothing where it was not learned from.
    ///
    /// # Errors
    /// Events in other places than then.
    pub(crate) fn identity(&self, dataset: &str, events: u64) -> Result<Option<Vec<&'static str>>> {
        let Some(then) = self.told_apart.get(dataset) else {
            return Ok(None);
        };
        let refuse = |message: String| {
            Error::Optimisation {
            message,
            help: "an event that was learned from would be judged by what was learned from it: optimise again".into(),
        }
        };
        if then.columns.is_empty() && then.events != events {
            return Err(refuse(format!(
                "`{dataset}` has {events} events, of which {} were there when folds were made by their places",
                then.events
            )));
        }
        let columns = then.columns.iter().map(|name| known(name));
        let columns: Option<Vec<&'static str>> = columns.collect();
        let unknown = || refuse(format!("events are not told apart by {:?}", then.columns));
        columns.map(Some).ok_or_else(unknown)
    }

    /// The events of each fold, and their values.
    pub(crate) fn of(&self, draws: &Draws, chunk: &Chunk) -> Result<Vec<(Chunk, &Values)>> {
        let folds = draws.folds(chunk, self.values.len())?;
        let each = self.values.iter().enumerate().map(|(k, values)| {
            let own: Vec<bool> = folds.iter().map(|f| *f == k).collect();
            (chunk.take(&own), values)
        });
        Ok(each.collect())
    }
}

/// The draws that say where an event of a data set belongs: by its number in the data set alone, whatever the chunks are; where there are variations from other files, by
/// the columns that identify it in all of them.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    key: Key,
    /// The columns that identify events; none where numbers do.
    pub identity: Vec<&'static str>,
}

impl Draws {
    /// A variation has the name of its nominal data set.
    pub fn new(seed: u64, dataset: &str, identity: Vec<&'static str>) -> Self {
        Self {
            key: Key::new(seed, "split").child(dataset),
            identity,
        }
    }

    /// A number between 0 and 1 for each event of a chunk.
    pub fn uniform(&self, chunk: &Chunk, step: u32) -> Result<Vec<f64>> {
        let mut u = vec![0.0; chunk.entries];
        if self.identity.is_empty() {
            fill_uniform(&mut u, self.key, chunk.first, step);
        } else {
            for (u, number) in u.iter_mut().zip(identified(chunk, &self.identity)?) {
                fill_uniform(std::slice::from_mut(u), self.key, number, step);
            }
        }
        Ok(u)
    }

    /// The fold of each event.
    pub fn folds(&self, chunk: &Chunk, folds: usize) -> Result<Vec<usize>> {
        let draws = self.uniform(chunk, 0)?;
        Ok(draws.into_iter().map(|u| cell(u, folds)).collect())
    }
}

/// Which of `n` equal parts of the unit interval a number is in.
pub(crate) fn cell(u: f64, n: usize) -> usize {
    ((u * n as f64) as usize).min(n - 1)
}
