//! What optimisers that are driven from outside share.

use crate::OptimError;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The values were taken, and the point moved on.
    Taken,
    /// The values were refused (not finite, or no decrease where one is needed): the next point lies between the last good one and the refused one.
    Halved {
        /// How often in a row.
        times: usize,
    },
    /// No descent is left in double precision, the gradient vanishes: the point stays.
    Settled,
}

/// An optimiser that is asked for points and told values.
pub trait Optimiser {
    /// Where value and gradient are wanted next.
    fn point(&self) -> &[f64];

    /// Takes f and ∇f at [`Self::point`] and moves on.
    ///
    /// # Errors
    /// [`OptimError::Length`]; [`OptimError::NotFinite`] where values are not finite at the start, or still are not after the step was halved as often as allowed.
    fn step(&mut self, value: f64, gradient: &[f64]) -> Result<Step, OptimError>;

    /// Steps that were taken.
    fn steps(&self) -> usize;
}

/// Whether value and gradient can be used.
pub(super) fn finite(value: f64, gradient: &[f64]) -> bool {
    value.is_finite() && gradient.iter().all(|g| g.is_finite())
}

pub(super) fn check_length(gradient: &[f64], point: &[f64]) -> Result<(), OptimError> {
    if gradient.len() == point.len() {
        Ok(())
    } else {
        Err(OptimError::Length {
            what: "the gradient",
            found: gradient.len(),
            expected: point.len(),
        })
    }
}

/// Halves the way from the last good point; an error after `most` times in a row, or without such a point.
pub(super) fn step_back(
    point: &mut [f64],
    good: Option<&[f64]>,
    halvings: &mut usize,
    most: usize,
    value: f64,
    gradient: &[f64],
) -> Result<Step, OptimError> {
    let Some(good) = good.filter(|_| *halvings < most) else {
        return Err(OptimError::NotFinite {
            value,
            component: gradient.iter().position(|g| !g.is_finite()),
            halvings: *halvings,
        });
    };
    *halvings += 1;
    for (x, g) in point.iter_mut().zip(good) {
        *x = 0.5 * (*x + g);
    }
    Ok(Step::Halved { times: *halvings })
}
