//! Who chooses steps.

use pullback_optim::OptimError;
use pullback_optim::training::{Adam, AdamOptions, Optimiser, Schedule, Step, StepwiseLbfgs};
use serde::{Deserialize, Serialize};

use crate::file::{Method, Optimisation};

/// Phases of L-BFGS, in each of which widths stay: in the values of another function there is no curvature.
pub(super) const PHASES: usize = 4;

/// An optimiser and where it is: a plain value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Driver {
    /// Adam.
    Adam(Adam),
    /// L-BFGS, and its phase.
    Lbfgs(StepwiseLbfgs, usize),
}

impl Driver {
    pub fn new(start: Vec<f64>, optimisation: &Optimisation) -> Self {
        match optimisation.method {
            Method::Adam => {
                let rate = optimisation.rate;
                let options = AdamOptions {
                    rate: Schedule::Cosine {
                        from: rate,
                        to: 0.05 * rate,
                        steps: optimisation.steps,
                    },
                    ..AdamOptions::default()
                };
                Self::Adam(Adam::with_options(start, options))
            }
            Method::Lbfgs => Self::Lbfgs(StepwiseLbfgs::new(start), 0),
        }
    }

    pub fn point(&self) -> &[f64] {
        match self {
            Self::Adam(adam) => adam.point(),
            Self::Lbfgs(lbfgs, _) => lbfgs.point(),
        }
    }

    pub fn step(&mut self, value: f64, gradient: &[f64]) -> Result<Step, OptimError> {
        match self {
            Self::Adam(adam) => adam.step(value, gradient),
            Self::Lbfgs(lbfgs, _) => lbfgs.step(value, gradient),
        }
    }

    /// The step whose widths are used.
    pub fn width_step(&self, step: usize, steps: usize) -> usize {
        match self {
            Self::Adam(_) => step,
            Self::Lbfgs(_, phase) => phase * steps / (PHASES - 1),
        }
    }

    /// Goes on with the next widths, from the best point of these; false after the last ones. Adam goes on by itself.
    pub fn next_phase(&mut self) -> bool {
        match self {
            Self::Adam(_) => true,
            Self::Lbfgs(_, phase) if *phase + 1 >= PHASES => false,
            Self::Lbfgs(lbfgs, phase) => {
                let best = lbfgs.best().map_or_else(|| lbfgs.point(), |(_, x)| x);
                *self = Self::Lbfgs(StepwiseLbfgs::new(best.to_vec()), *phase + 1);
                true
            }
        }
    }
}
