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
