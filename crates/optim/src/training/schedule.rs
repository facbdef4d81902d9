//! Numbers that change with the step: learning rates, temperatures of relaxed decisions.

use serde::{Deserialize, Serialize};

/// A number per step, from 0.
///
/// ```
/// use pullback_optim::training::Schedule;
/// let cosine = Schedule::Cosine { from: 0.1, to: 0.0, steps: 100 };
/// assert_eq!(cosine.at(0), 0.1);
/// assert!((cosine.at(50) - 0.05).abs() < 1e-16);
/// assert_eq!(cosine.at(1000), 0.0);
/// // A temperature that is annealed over three orders of magnitude.
/// let temperature = Schedule::Geometric { from: 1.0, to: 1e-3, steps: 3 };
/// assert!((temperature.at(1) - 0.1).abs() < 1e-15);
/// ```
///
/// Reference: I. Loshchilov & F. Hutter, arXiv:1608.03983, eq. 5 (cosine).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// to + (from − to)(1 + cos(πt/steps))/2, then `to`.
    Cosine {
        /// At step 0.
        from: f64,
        /// From step `steps` on.
        to: f64,
        /// How long it takes.
        steps: usize,
    },
    /// from (to/from)^(t/steps), then `to`: equal factors, for annealing. Both ends have one sign.
    Geometric {
        /// At step 0.
        from: f64,
        /// From step `steps` on.
        to: f64,
        /// How long it takes.
        steps: usize,
    },
}

impl Schedule {
    /// The number at a step.
    pub fn at(self, step: usize) -> f64 {
        match self {
            Self::Constant(value) => value,
            Self::Cosine { from, to, steps } => ends(from, to, step, steps, |t| {
                to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * t).cos())
            }),
            Self::Geometric { from, to, steps } => {
                ends(from, to, step, steps, |t| from * (to / from).powf(t))
            }
        }
    }
}

/// Both ends to the bit, and `between` at the fraction of the way.
fn ends(from: f64, to: f64, step: usize, steps: usize, between: impl Fn(f64) -> f64) -> f64 {
    if step >= steps {
        to
    } else if step == 0 {
        from
    } else {
        between(step as f64 / steps as f64)
    }
}
