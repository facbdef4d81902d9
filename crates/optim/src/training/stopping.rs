//! When to stop, by an objective on events that are not trained on.

use serde::{Deserialize, Serialize};

/// A point with its validation objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The step.
    pub step: usize,
    /// The objective, to be small.
    pub value: f64,
    /// The point.
    pub x: Vec<f64>,
}

/// What to do after an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far: go on.
    Improved,
    /// Not the best, but patience is left.
    Continue,
    /// Patience is at its end.
    Stop,
}

/// Stops when a validation objective has not improved for some observations, and keeps the best point.
///
/// An objective that is not finite counts as no improvement.
///
/// ```
/// use pullback_optim::training::{EarlyStopping, Verdict};
/// let mut stopping = EarlyStopping::new(2, 0.0);
/// let verdicts: Vec<Verdict> = [3.0, 1.0, 1.5, f64::NAN]
///     .iter()
///     .enumerate()
///     .map(|(step, value)| stopping.observe(step, *value, &[step as f64]))
///     .collect();
/// assert_eq!(verdicts, [Verdict::Improved, Verdict::Improved, Verdict::Continue, Verdict::Stop]);
/// assert_eq!(stopping.best().unwrap().x, [1.0]);
/// ```
///
/// Reference: L. Prechelt, Neural Networks: Tricks of the Trade (1998) 55, criterion UP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    patience: usize,
    least: f64,
    best: Option<Best>,
    since: usize,
}

impl EarlyStopping {
    /// Stops after `patience` observations in a row that do not improve on the best by more than `least`.
    pub fn new(patience: usize, least: f64) -> Self {
        Self {
            patience,
            least,
            best: None,
            since: 0,
        }
    }

    /// Takes an observation.
    pub fn observe(&mut self, step: usize, value: f64, x: &[f64]) -> Verdict {
        let improved = value.is_finite()
            && self
                .best
                .as_ref()
                .is_none_or(|best| value < best.value - self.least);
        if improved {
            self.best = Some(Best {
                step,
                value,
                x: x.to_vec(),
            });
            self.since = 0;
            return Verdict::Improved;
        }
        self.since += 1;
        if self.since >= self.patience {
            Verdict::Stop
        } else {
            Verdict::Continue
        }
    }

    /// The best point so far.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }
}
