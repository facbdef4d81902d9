//! The answer of a minimiser, in numbers and in words.

use crate::Side;
use std::fmt;

/// How often each part of the objective was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls for the value alone.
    pub values: usize,
    /// Calls for value and gradient.
    pub gradients: usize,
    /// Calls for the exact Hessian.
    pub hessians: usize,
    /// Calls for its positive semi-definite approximation.
    pub curvatures: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} values, {} gradients, {} Hessians, {} curvatures",
            self.values, self.gradients, self.hessians, self.curvatures
        )
    }
}

/// What is known about the Hessian in the free subspace at the end.
#[derive(Debug, Clone, PartialEq)]
pub enum HessianState {
    /// Exact, and positive definite when last computed.
    PositiveDefinite,
    /// Only an approximation was used (Fisher, Gauss-Newton or quasi-Newton): it says nothing about saddle points.
    Approximate,
    /// Singular to working precision: the function does not determine these parameters (largest component of the flat directions first).
    Flat {
        /// Number of flat directions.
        directions: usize,
        /// The parameters that make them up.
        parameters: Vec<usize>,
    },
    /// A negative eigenvalue remains.
    Indefinite {
        /// The lowest eigenvalue, with the Hessian scaled to unit diagonal.
        eigenvalue: f64,
        /// The parameters of its eigenvector, the largest component first.
        parameters: Vec<usize>,
    },
    /// Not looked at (no free parameter, or the fit ended before).
    Unknown,
}

/// What happened, for programs to match on and for people to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The estimated distance to the minimum is below the tolerance, and no negative curvature was seen.
    Converged,
    /// Converged, but along some directions the function is flat: the minimum is not unique.
    ConvergedFlat,
    /// All parameters are fixed or held at their bounds by the gradient.
    ConvergedAtCorner,
    /// The function cannot be decreased further in double precision, though the estimated distance is above the tolerance.
    Stalled,
    /// The gradient vanishes, the Hessian has a negative eigenvalue, and no way down was found.
    SaddlePoint,
    /// The limit of iterations was reached.
    IterationLimit,
    /// The limit of function evaluations was reached.
    EvaluationLimit,
    /// The caller stopped the fit; the best point so far is returned.
    Interrupted,
    /// The function decreases without end (below the stated floor, or steps grow beyond all bounds).
    Unbounded,
}

impl Status {
    /// Whether the point is a minimum as far as the method can tell.
    pub fn converged(self) -> bool {
        matches!(
            self,
            Status::Converged | Status::ConvergedFlat | Status::ConvergedAtCorner
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Converged => "converged",
            Status::ConvergedFlat => "converged, but the function is flat along some directions: the minimum is not unique",
            Status::ConvergedAtCorner => "converged: every parameter is fixed or held at a bound",
            Status::Stalled => "not converged: no further decrease is possible in double precision",
            Status::SaddlePoint => "not converged: the gradient vanishes at a saddle point",
            Status::IterationLimit => "not converged: the limit of iterations was reached",
            Status::EvaluationLimit => "not converged: the limit of evaluations was reached",
            Status::Interrupted => "interrupted: the best point so far is kept",
            Status::Unbounded => "not converged: the function decreases without end",
        })
    }
}

/// The end of a minimisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The point.
    pub x: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// Its gradient, all components.
    pub gradient: Vec<f64>,
    /// Estimated vertical distance to the minimum, ½ gᵀH⁻¹g in the free subspace (as in MIGRAD; NaN where H is not positive definite).
    ///
    /// Reference: F. James & M. Roos, Comput. Phys. Commun. 10 (1975) 343, section 5.
    pub edm: f64,
    /// What happened.
    pub status: Status,
    /// Steps taken.
    pub iterations: usize,
    /// Calls of the objective.
    pub evaluations: Counts,
    /// For each parameter the bound at which it ended.
    pub at_bound: Vec<Option<Side>>,
    /// Parameters at a bound whose gradient is (nearly) zero too: |g_i| below 1e-4 √H_ii (1e-4 standard errors). Whether they are free is
    /// undecided, and derivatives of the solution exist from one side only.
    pub near_zero_multipliers: Vec<usize>,
    /// What is known about the Hessian.
    pub hessian: HessianState,
}

impl Minimum {
    /// Whether the point is a minimum as far as the method can tell.
    pub fn converged(&self) -> bool {
        self.status.converged()
    }
}

impl fmt::Display for Minimum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; value {}, edm {:.1e}, {} iterations ({})",
            self.status, self.value, self.edm, self.iterations, self.evaluations
        )?;
        let bound = self.at_bound.iter().filter(|side| side.is_some()).count();
        if bound > 0 {
            write!(f, "; {bound} at a bound")?;
        }
        if !self.near_zero_multipliers.is_empty() {
            write!(
                f,
                " ({} with a vanishing gradient)",
                self.near_zero_multipliers.len()
            )?;
        }
        match &self.hessian {
            HessianState::Flat {
                directions,
                parameters,
            } => {
                write!(
                    f,
                    "; flat along {directions} direction(s) of the parameters {parameters:?}"
                )?;
            }
            HessianState::Indefinite {
                eigenvalue,
                parameters,
            } => {
                write!(
                    f,
                    "; the Hessian has the eigenvalue {eigenvalue:.1e} along the parameters {parameters:?}"
                )?;
            }
            HessianState::PositiveDefinite | HessianState::Approximate | HessianState::Unknown => {}
        }
        Ok(())
    }
}
