//! Adam.

use super::Schedule;
use super::optimiser::{Optimiser, Step, check_length, finite, step_back};
use crate::OptimError;
use serde::{Deserialize, Serialize};

/// The constants of [`Adam`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdamOptions {
    /// Length of a step, α. Default 0.01, constant.
    pub rate: Schedule,
    /// Decay of the mean of gradients, β₁. Default 0.9.
    pub beta1: f64,
    /// Decay of the mean of their squares, β₂. Default 0.999.
    pub beta2: f64,
    /// Added to the root of the latter, ε. Default 1e-8.
    pub epsilon: f64,
    /// Decoupled decay λ of the point: x ← x − αλx in every step (AdamW). Default 0.
    pub weight_decay: f64,
    /// Most halvings of a step in a row. Default 20.
    pub halvings: usize,
}

impl Default for AdamOptions {
    fn default() -> Self {
        Self {
            rate: Schedule::Constant(0.01),
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            halvings: 20,
        }
    }
}

/// Adam with bias correction and, if asked for, decoupled weight decay.
///
/// ```text
/// m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  x ← x − α [m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) + λx]
/// ```
///
/// Values that are not finite leave the moments alone and halve the way from the last good point.
///
/// References: D. Kingma & J. Ba, arXiv:1412.6980, algorithm 1; I. Loshchilov & F. Hutter, arXiv:1711.05101, algorithm 2 (decoupled decay).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    options: AdamOptions,
    x: Vec<f64>,
    good: Option<Vec<f64>>,
    m: Vec<f64>,
    v: Vec<f64>,
    steps: usize,
    halvings: usize,
}

impl Adam {
    /// With the default constants.
    pub fn new(start: Vec<f64>) -> Self {
        Self::with_options(start, AdamOptions::default())
    }

    /// With other constants.
    pub fn with_options(start: Vec<f64>, options: AdamOptions) -> Self {
        let n = start.len();
        Self {
            options,
            x: start,
            good: None,
            m: vec![0.0; n],
            v: vec![0.0; n],
            steps: 0,
            halvings: 0,
        }
    }
}

impl Optimiser for Adam {
    fn point(&self) -> &[f64] {
        &self.x
    }

    fn step(&mut self, value: f64, gradient: &[f64]) -> Result<Step, OptimError> {
        check_length(gradient, &self.x)?;
        if !finite(value, gradient) {
            let good = self.good.as_deref();
            let (halvings, most) = (&mut self.halvings, self.options.halvings);
            return step_back(&mut self.x, good, halvings, most, value, gradient);
        }
        self.halvings = 0;
        self.good.get_or_insert_default().clone_from(&self.x);
        let o = &self.options;
        let rate = o.rate.at(self.steps);
        self.steps += 1;
        let t = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (c1, c2) = (1.0 - o.beta1.powi(t), 1.0 - o.beta2.powi(t));
        for (((x, m), v), g) in self
            .x
            .iter_mut()
            .zip(&mut self.m)
            .zip(&mut self.v)
            .zip(gradient)
        {
            *m = o.beta1 * *m + (1.0 - o.beta1) * g;
            *v = o.beta2 * *v + (1.0 - o.beta2) * g * g;
            *x -= rate * (*m / c1 / ((*v / c2).sqrt() + o.epsilon) + o.weight_decay * *x);
        }
        Ok(Step::Taken)
    }

    fn steps(&self) -> usize {
        self.steps
    }
}
