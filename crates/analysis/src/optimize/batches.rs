//! What it costs in truth to learn from batches: the objective is no mean over events.

use serde::Serialize;

use super::problem::Problem;
use super::split::{Part, Portion};
use crate::error::Result;

/// The soft objective and its gradient of batches beside those of all training events, at the best step.
///
/// An objective f of bins n is no sum over events, so that the mean over batches of f(n_batch) is not f of the mean: E f(n_b) − f(n) ≈ ½ tr(f″ Cov n_b), which falls
/// as one over the size of a batch and not with the number of steps (stochastic compositional optimisation, Wang, Fang and Liu, Math. Program. 161 (2017) 419,
/// doi:10.1007/s10107-016-1017-3, section 1).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Batches {
    /// How many there are.
    pub count: usize,
    /// Those at which the objective is not defined: bins of too few events.
    pub undefined: usize,
    /// The mean over batches relative to the objective of all training events, minus one.
    pub bias: f64,
    /// The standard deviation over batches, relative, too.
    pub spread: f64,
    /// The length of the difference of the mean gradient to that of all events, relative to the length of the gradient of a batch (root mean square). The batches are
    /// all of the events: of an objective that is a sum over events this is zero, as the bias is.
    pub gradient: f64,
}

impl Problem<'_> {
    /// What batches do to the objective at a point; nothing where a step sees all training events.
    pub(super) fn batches(&mut self, x: &[f64], temperature: f64) -> Result<Option<Batches>> {
        let count = self.optimisation.batches;
        if count == 1 {
            return Ok(None);
        }
        let u = self.quantities.coordinates(x)?;
        let whole = self.soft(Part::Training, x, temperature)?;
        let direction = self.quantities.pull_back(&u, &whole.gradient)?;
        let mut values = Vec::new();
        let mut mean = vec![0.0; direction.len()];
        let mut length = 0.0;
        for k in 0..count {
            let Some(found) =
                super::training::defined(self.soft_of(Portion::Batch(k), x, temperature))?
            else {
                continue;
            };
            let along = self.quantities.pull_back(&u, &found.gradient)?;
            length += along.iter().map(|x| x * x).sum::<f64>();
            mean.iter_mut().zip(along).for_each(|(a, b)| *a += b);
            values.push(found.value / whole.value - 1.0);
        }
        let n = values.len() as f64;
        let bias = values.iter().sum::<f64>() / n;
        let square = values.iter().map(|v| (v - bias).powi(2)).sum::<f64>();
        let off = mean.iter().zip(&direction).map(|(m, d)| m / n - d);
        let off = off.map(|x| x * x).sum::<f64>();
        Ok(Some(Batches {
            count,
            undefined: count - values.len(),
            bias,
            spread: (square / (n - 1.0)).sqrt(),
            gradient: (off * n / length).sqrt(),
        }))
    }
}

impl Batches {
    /// In words.
    pub fn sentence(&self) -> String {
        let Self {
            count,
            undefined,
            bias,
            spread,
            gradient,
        } = self;
        let mut text = format!(
            "a step saw one of {count} batches: of the soft objective the mean over them is {:+.1} % from that of all training events and they spread by {:.1} %; {:.0} % of the gradient of a batch is a bias",
            100.0 * bias,
            100.0 * spread,
            100.0 * gradient
        );
        if bias.is_sign_negative() {
            text = text.replacen('-', "−", 1);
        }
        if count - undefined < 2 {
            return format!(
                "a step saw one of {count} batches, and for {undefined} of them the soft objective is not defined: take fewer"
            );
        }
        let missing = match undefined {
            0 => String::new(),
            n => format!("; for {n} of them it is not defined"),
        };
        text + &missing
    }
}
