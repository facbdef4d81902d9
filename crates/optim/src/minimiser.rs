//! What all minimisers share: the call, and the hook by which a caller watches and stops them.

use crate::{Counts, Minimum, Objective, OptimError, Problem};
use std::ops::ControlFlow;

/// Where a minimisation stands: handed to the hook once per iteration.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Iterations done.
    pub iteration: usize,
    /// The best value so far.
    pub value: f64,
    /// The estimated distance to the minimum from the last iteration (NaN if unknown).
    pub edm: f64,
    /// Calls so far.
    pub evaluations: Counts,
    /// The best point so far.
    pub x: &'a [f64],
}

/// A minimiser: its options, and a workspace that is reused from call to call.
pub trait Minimiser {
    /// Minimises f within the bounds, calling `hook` once per iteration; where that answers `Break`, the best point so far is returned.
    fn minimise_watched(
        &mut self,
        objective: &mut dyn Objective,
        problem: &Problem,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Minimum, OptimError>;

    /// Minimises f within the bounds.
    ///
    /// Errors: the problem makes no sense ([`OptimError`]). That the fit did not converge is no error but a [`crate::Status`].
    fn minimise(
        &mut self,
        objective: &mut dyn Objective,
        problem: &Problem,
    ) -> Result<Minimum, OptimError> {
        self.minimise_watched(objective, problem, &mut |_| ControlFlow::Continue(()))
    }
}

/// Fails unless value and gradient are finite: nothing can be done from such a start.
pub(crate) fn check_start(value: f64, gradient: &[f64]) -> Result<(), OptimError> {
    if !value.is_finite() {
        return Err(OptimError::OutsideDomain {
            what: "the function".to_owned(),
            value,
        });
    }
    match gradient.iter().enumerate().find(|(_, g)| !g.is_finite()) {
        Some((i, &value)) => Err(OptimError::OutsideDomain {
            what: format!("component {i} of the gradient"),
            value,
        }),
        None => Ok(()),
    }
}
