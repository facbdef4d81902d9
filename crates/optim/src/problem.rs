//! Where to start and where not to go.

use crate::OptimError;
use std::fmt;

/// The bound at which a parameter sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The lower bound.
    Lower,
    /// The upper bound.
    Upper,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Lower => "lower",
            Side::Upper => "upper",
        })
    }
}

/// Start values, bounds and the mask of fixed parameters. A start outside the bounds is moved onto them.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Start values.
    pub start: Vec<f64>,
    /// Lower bounds; −∞ for none.
    pub lower: Vec<f64>,
    /// Upper bounds; +∞ for none.
    pub upper: Vec<f64>,
    /// Parameters held at their start value (which then may lie outside the bounds).
    pub fixed: Vec<bool>,
}

impl Problem {
    /// No bounds, nothing fixed.
    pub fn new(start: Vec<f64>) -> Self {
        let n = start.len();
        Self {
            start,
            lower: vec![f64::NEG_INFINITY; n],
            upper: vec![f64::INFINITY; n],
            fixed: vec![false; n],
        }
    }

    /// With bounds on one parameter. An index outside the range is ignored.
    pub fn with_bounds(mut self, parameter: usize, lower: f64, upper: f64) -> Self {
        if let (Some(l), Some(u)) = (self.lower.get_mut(parameter), self.upper.get_mut(parameter)) {
            (*l, *u) = (lower, upper);
        }
        self
    }

    /// With one parameter fixed at a value. An index outside the range is ignored.
    pub fn with_fixed(mut self, parameter: usize, value: f64) -> Self {
        if let (Some(x), Some(fixed)) =
            (self.start.get_mut(parameter), self.fixed.get_mut(parameter))
        {
            (*x, *fixed) = (value, true);
        }
        self
    }

    /// Number of parameters.
    pub fn dim(&self) -> usize {
        self.start.len()
    }

    /// Whether the parts fit together and n parameters are what is asked for.
    pub fn check(&self, n: usize) -> Result<(), OptimError> {
        for (what, found) in [
            ("the start", self.start.len()),
            ("the vector of lower bounds", self.lower.len()),
            ("the vector of upper bounds", self.upper.len()),
            ("the mask of fixed parameters", self.fixed.len()),
        ] {
            if found != n {
                return Err(OptimError::Length {
                    what,
                    found,
                    expected: n,
                });
            }
        }
        for (parameter, &value) in self.start.iter().enumerate() {
            if !value.is_finite() {
                return Err(OptimError::Start { parameter, value });
            }
        }
        for (parameter, (&lower, &upper)) in self.lower.iter().zip(&self.upper).enumerate() {
            let room = lower <= upper && lower < f64::INFINITY && upper > f64::NEG_INFINITY;
            if !room {
                return Err(OptimError::Bounds {
                    parameter,
                    lower,
                    upper,
                });
            }
        }
        Ok(())
    }

    /// The start moved into the bounds (fixed parameters stay where they are).
    pub(crate) fn projected_start(&self, x: &mut [f64]) {
        x.copy_from_slice(&self.start);
        self.project(x);
    }

    /// Moves x into the bounds.
    pub(crate) fn project(&self, x: &mut [f64]) {
        for (i, x) in x.iter_mut().enumerate() {
            if !self.fixed[i] {
                *x = x.clamp(self.lower[i], self.upper[i]);
            }
        }
    }

    /// x + αd moved into the bounds (against rounding, or because the path is bent there) into `trial`; parameters that cannot move keep their value.
    pub(crate) fn advance(&self, x: &[f64], alpha: f64, d: &[f64], trial: &mut [f64]) {
        for (i, ((trial, x), d)) in trial.iter_mut().zip(x).zip(d).enumerate() {
            *trial = if self.movable(i) {
                (x + alpha * d).clamp(self.lower[i], self.upper[i])
            } else {
                *x
            };
        }
    }

    /// Whether a parameter can move at all.
    pub(crate) fn movable(&self, i: usize) -> bool {
        !self.fixed[i] && self.lower[i] < self.upper[i]
    }

    /// The bound at which x_i sits exactly, for parameters that can move.
    pub(crate) fn side(&self, i: usize, x: f64) -> Option<Side> {
        if !self.movable(i) {
            None
        } else if x <= self.lower[i] {
            Some(Side::Lower)
        } else if x >= self.upper[i] {
            Some(Side::Upper)
        } else {
            None
        }
    }

    /// Free: can move, and not pushed against a bound by the gradient.
    pub(crate) fn is_free(&self, i: usize, x: f64, g: f64) -> bool {
        self.movable(i) && !(x <= self.lower[i] && g > 0.0) && !(x >= self.upper[i] && g < 0.0)
    }
}
