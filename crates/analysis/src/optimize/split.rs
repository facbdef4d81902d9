//! Which events an optimisation learns from, chooses by and is judged by.

use std::ops::Range;

use pullback_io::Chunk;
use pullback_prob::{Key, fill_uniform};

use crate::error::Result;
use crate::file::{Draws, Optimisation, cell};

/// What events are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// To be learned from.
    Training,
    /// To choose the best step by.
    Validation,
    /// To quote the result from.
    Test,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Some of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// All of a part.
    Whole(Part),
    /// A batch of the training events.
    Batch(usize),
}

impl From<Part> for Portion {
    fn from(part: Part) -> Self {
        Self::Whole(part)
    }
}

/// Steps of the draws of an event.
const PART: u32 = 0;
const VALIDATION: u32 = 1;
const BATCH: u32 = 2;

/// Where an event belongs, whatever the chunks are. Variations of an event are where it is.
///
/// Slots are the batches of the training events, one after the other, then the validation events, then the test events.
pub(super) struct Split {
    draws: Draws,
    shares: [f64; 3],
    fold: Option<[usize; 2]>,
    batches: usize,
}

impl Split {
    /// `fold` is the one whose events are for the test, where there are folds.
    pub fn new(optimisation: &Optimisation, draws: Draws, fold: usize) -> Self {
        let all: f64 = optimisation.split.iter().sum();
        Self {
            draws,
            shares: optimisation.split.map(|s| s / all),
            fold: optimisation.folds.map(|folds| [fold, folds]),
            batches: optimisation.batches,
        }
    }

    /// The columns that it reads.
    pub fn columns(&self) -> &[&'static str] {
        &self.draws.identity
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.batches + 2
    }

    /// The slots of a portion.
    pub fn range(&self, portion: Portion) -> Range<usize> {
        let b = self.batches;
        match portion {
            Portion::Batch(k) => k..k + 1,
            Portion::Whole(Part::Training) => 0..b,
            Portion::Whole(Part::Validation) => b..b + 1,
            Portion::Whole(Part::Test) => b + 1..b + 2,
        }
    }

    /// The slot of each event of a chunk.
    pub fn of(&self, chunk: &Chunk) -> Result<Vec<usize>> {
        let draw = |step| self.draws.uniform(chunk, step);
        let [training, validation, _] = self.shares;
        let parts: Vec<Part> = match self.fold {
            None => {
                let ends = [training, training + validation];
                let part = |u: f64| match u {
                    u if u < ends[0] => Part::Training,
                    u if u < ends[1] => Part::Validation,
                    _ => Part::Test,
                };
                draw(PART)?.into_iter().map(part).collect()
            }
            Some([fold, folds]) => {
                let limit = training / (training + validation);
                let own = self.draws.folds(chunk, folds)?;
                let both = own.into_iter().zip(draw(VALIDATION)?);
                let part = |(k, v): (usize, f64)| match (k == fold, v < limit) {
                    (true, _) => Part::Test,
                    (false, true) => Part::Training,
                    (false, false) => Part::Validation,
                };
                both.map(part).collect()
            }
        };
        let batches = if self.batches > 1 {
            draw(BATCH)?
        } else {
            vec![0.0; chunk.entries]
        };
        let each = parts.into_iter().zip(batches);
        let each = each.map(|(part, u)| match part {
            Part::Training => cell(u, self.batches),
            other => self.range(other.into()).start,
        });
        Ok(each.collect())
    }

    /// The batch of a step: every one once, in an order of its own, before any comes again.
    pub fn batch(optimisation: &Optimisation, step: usize) -> Portion {
        let n = optimisation.batches;
        if n == 1 {
            return Part::Training.into();
        }
        let mut u = vec![0.0; n];
        let key = Key::new(optimisation.seed, "order of batches");
        fill_uniform(&mut u, key, 0, (step / n) as u32);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| u[*a].total_cmp(&u[*b]));
        Portion::Batch(order[step % n])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Goal;

    #[test]
    fn batches_are_the_training_events_and_come_once_each() {
        let mut o = Optimisation::new(Goal::Significance, Vec::new());
        let seed = o.seed;
        let chunk = |first, entries| Chunk {
            first,
            entries,
            file: "a".into(),
            names: Vec::new().into(),
            columns: Vec::new(),
        };
        let draws = || Draws::new(seed, "a", Vec::new());
        let of = |split: &Split, first, entries| split.of(&chunk(first, entries)).expect("slots");
        let whole = of(&Split::new(&o, draws(), 0), 0, 10_000);
        o.batches = 5;
        let split = Split::new(&o, draws(), 0);
        let slots = of(&split, 0, 10_000);
        let training = split.range(Part::Training.into());
        for (one, other) in whole.iter().zip(&slots) {
            assert_eq!(*one == 0, training.contains(other));
            assert_eq!(*one == 1, *other == 5);
        }
        for k in training {
            let n = slots.iter().filter(|s| **s == k).count();
            assert!((900..1100).contains(&n), "{n}");
        }
        // Whatever the chunks are.
        let halves = [of(&split, 0, 4321), of(&split, 4321, 5679)];
        assert_eq!(halves.concat(), slots);
        let order = |epoch: usize| -> Vec<usize> {
            let of = |k| match Split::batch(&o, 5 * epoch + k) {
                Portion::Batch(k) => k,
                Portion::Whole(_) => 99,
            };
            (0..5).map(of).collect()
        };
        let mut first = order(0);
        assert_ne!(first, order(1));
        first.sort_unstable();
        assert_eq!(first, [0, 1, 2, 3, 4]);
    }
}
