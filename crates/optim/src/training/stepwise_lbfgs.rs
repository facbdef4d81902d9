//! L-BFGS, driven from outside.

use super::optimiser::{Optimiser, Step, check_length, finite};
use crate::OptimError;
use crate::lbfgs::{Pair, direction};
use pullback_array::linalg::dot;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The constants of [`StepwiseLbfgs`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepwiseLbfgsOptions {
    /// Steps that are remembered. Default 10.
    pub memory: usize,
    /// Length of the first step, before the curvature is known. Default 0.1.
    pub first: f64,
    /// Most halvings in a row: after values that are not finite an error, after values that do not decrease a new start without memory. Default 20.
    pub halvings: usize,
}

impl Default for StepwiseLbfgsOptions {
    fn default() -> Self {
        Self {
            memory: 10,
            first: 0.1,
            halvings: 20,
        }
    }
}

/// Sufficient decrease (Armijo), as a fraction of what the slope promises.
const DECREASE: f64 = 1e-4;

/// L-BFGS as a state machine: for *full-batch* objectives (differences of gradients of different batches are no curvature).
///
/// It moves along the direction of [`crate::Lbfgs`] without bounds (use a [`super::Chart`] for these), one evaluation per step, halving the way until the
/// value decreases enough. Pairs without positive curvature are left out. Where the minimiser can call the objective itself, [`crate::Lbfgs`] is the better one: its
/// line search looks at slopes too.
///
/// Reference: J. Nocedal & S. Wright, Numerical Optimization (2nd ed.), algorithms 3.1 and 7.4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepwiseLbfgs {
    options: StepwiseLbfgsOptions,
    x: Vec<f64>,
    good: Option<Good>,
    d: Vec<f64>,
    pairs: VecDeque<Pair>,
    steps: usize,
    halvings: usize,
}

/// The last point that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Good {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl StepwiseLbfgs {
    /// With the default constants.
    pub fn new(start: Vec<f64>) -> Self {
        Self::with_options(start, StepwiseLbfgsOptions::default())
    }

    /// With other constants.
    pub fn with_options(start: Vec<f64>, options: StepwiseLbfgsOptions) -> Self {
        Self {
            options,
            d: vec![0.0; start.len()],
            x: start,
            good: None,
            pairs: VecDeque::new(),
            steps: 0,
            halvings: 0,
        }
    }

    /// The best value so far and its point.
    pub fn best(&self) -> Option<(f64, &[f64])> {
        self.good.as_ref().map(|g| (g.value, &g.x[..]))
    }

    /// Sets out from the last good point along a new direction. False where none leads down.
    fn set_out(&mut self) -> bool {
        let Some(good) = &self.good else { return false };
        let free = vec![true; good.x.len()];
        direction(&self.pairs, &good.gradient, &free, &mut self.d);
        let mut slope = dot(&self.d, &good.gradient);
        if slope.is_nan() || slope >= 0.0 {
            self.pairs.clear();
            direction(&self.pairs, &good.gradient, &free, &mut self.d);
            slope = dot(&self.d, &good.gradient);
        }
        if slope >= 0.0 {
            return false;
        }
        if self.pairs.is_empty() {
            let scale = self.options.first / (-slope).sqrt();
            self.d.iter_mut().for_each(|d| *d *= scale);
        }
        for ((x, good), d) in self.x.iter_mut().zip(&good.x).zip(&self.d) {
            *x = good + d;
        }
        self.x != good.x
    }

    /// Takes x, f and ∇f as the point from which to go on.
    fn accept(&mut self, value: f64, gradient: &[f64]) {
        if let Some(good) = &self.good {
            let difference =
                |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
            let (s, y) = (
                difference(&self.x, &good.x),
                difference(gradient, &good.gradient),
            );
            if dot(&s, &y) > f64::EPSILON * dot(&y, &y) {
                if self.pairs.len() == self.options.memory.max(1) {
                    self.pairs.pop_front();
                }
                self.pairs.push_back(Pair { s, y });
            }
        }
        self.good = Some(Good {
            x: self.x.clone(),
            value,
            gradient: gradient.to_vec(),
        });
        self.halvings = 0;
        self.steps += 1;
    }
}

impl Optimiser for StepwiseLbfgs {
    fn point(&self) -> &[f64] {
        &self.x
    }

    fn step(&mut self, value: f64, gradient: &[f64]) -> Result<Step, OptimError> {
        check_length(gradient, &self.x)?;
        let legal = finite(value, gradient);
        let enough = match &self.good {
            None => legal,
            Some(good) => {
                let promised: f64 = good
                    .gradient
                    .iter()
                    .zip(self.x.iter().zip(&good.x))
                    .map(|(g, (x, old))| g * (x - old))
                    .sum();
                legal && value <= good.value + DECREASE * promised
            }
        };
        if enough {
            self.accept(value, gradient);
            return Ok(if self.set_out() {
                Step::Taken
            } else {
                self.stay()
            });
        }
        let last = self.halvings >= self.options.halvings;
        let Some(good) = self.good.as_ref().filter(|_| legal || !last) else {
            return Err(OptimError::NotFinite {
                value,
                component: gradient.iter().position(|g| !g.is_finite()),
                halvings: self.halvings,
            });
        };
        if last {
            // The memory misleads, or rounding hides what is left to gain.
            self.halvings = 0;
            let misled = !self.pairs.is_empty();
            self.pairs.clear();
            return Ok(if misled && self.set_out() {
                Step::Halved {
                    times: self.options.halvings + 1,
                }
            } else {
                self.stay()
            });
        }
        self.halvings += 1;
        let shorter = if legal { 0.5 } else { 0.25 };
        for (x, good) in self.x.iter_mut().zip(&good.x) {
            *x = good + shorter * (*x - good);
        }
        Ok(Step::Halved {
            times: self.halvings,
        })
    }

    fn steps(&self) -> usize {
        self.steps
    }
}

impl StepwiseLbfgs {
    /// Back at the best point.
    fn stay(&mut self) -> Step {
        if let Some(good) = &self.good {
            self.x.clone_from(&good.x);
        }
        Step::Settled
    }
}
