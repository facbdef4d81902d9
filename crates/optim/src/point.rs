//! A trial point.

use crate::{Counts, Objective};

/// A point with value and gradient.
#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    pub(crate) x: Vec<f64>,
    pub(crate) f: f64,
    pub(crate) g: Vec<f64>,
}

impl Point {
    pub(crate) fn resize(&mut self, n: usize) {
        self.x.resize(n, 0.0);
        self.g.resize(n, 0.0);
    }

    pub(crate) fn evaluate(&mut self, objective: &mut dyn Objective, counts: &mut Counts) {
        counts.gradients += 1;
        self.f = objective.value_and_gradient(&self.x, &mut self.g);
    }

    pub(crate) fn finite(&self) -> bool {
        self.f.is_finite() && self.g.iter().all(|g| g.is_finite())
    }
}

/// Difference of two values that rounding can explain: 1e-12 of the larger one.
///
/// That is thousands of units in the last place, because a likelihood is a difference of terms far larger than itself: published ATLAS likelihoods
/// scatter by 1e-11 at 116 and by 5e-11 at 562, from one point to the next. Gradients have no such cancellation.
pub(crate) fn rounding(f: f64, trial: f64) -> f64 {
    1e-12 * f.abs().max(trial.abs())
}
