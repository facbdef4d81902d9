//! What can be wrong with a problem, as opposed to what can happen in a fit (that is [`crate::Status`]).

use pullback_array::linalg::LinalgError;

/// Errors of this crate: inputs that make no sense, and results that do not exist.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// Vectors of different lengths.
    #[error(
        "PB0401: {what} has {found} elements, but there are {expected} parameters\n  help: start, bounds and mask have one entry per parameter"
    )]
    Length {
        /// The vector.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The number of parameters.
        expected: usize,
    },
    /// A start value that is NaN or infinite.
    #[error(
        "PB0402: the start value of parameter {parameter} is {value}\n  help: start from a finite point"
    )]
    Start {
        /// Index of the parameter.
        parameter: usize,
        /// Its start value.
        value: f64,
    },
    /// Bounds that contain NaN or leave no room.
    #[error(
        "PB0403: the bounds of parameter {parameter} are [{lower}, {upper}]\n  help: lower ≤ upper; use infinities for none"
    )]
    Bounds {
        /// Index of the parameter.
        parameter: usize,
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// The objective or its gradient is not finite at the start.
    #[error(
        "PB0404: {what} is {value} at the start\n  help: the start must lie inside the domain of the function; elsewhere NaN and inf mean 'outside'"
    )]
    OutsideDomain {
        /// "the function" or "component k of the gradient".
        what: String,
        /// The offending number.
        value: f64,
    },
    /// [`crate::Newton`] was asked to minimise a function that offers neither Hessian nor an approximation of it.
    #[error(
        "PB0405: the objective offers no Hessian and no curvature\n  help: use Bfgs or Lbfgs, which need the gradient only"
    )]
    NoHessian,
    /// The list of separable parameters repeats itself or points outside.
    #[error(
        "PB0406: {index} is listed as a separable parameter of {count}, twice or outside the range\n  help: separable() lists each index at most once"
    )]
    Separable {
        /// The entry.
        index: usize,
        /// The number of parameters.
        count: usize,
    },
    /// There is no covariance matrix, because the Hessian in the free subspace is not positive definite.
    #[error(
        "PB0407: no covariance: the Hessian of the free parameters has the eigenvalue {eigenvalue:e} (unit-diagonal scaling), along the parameters {parameters:?}\n  help: these parameters are not constrained by the function, or the point is not a minimum"
    )]
    NotPositiveDefinite {
        /// Parameter at which the factorisation failed.
        pivot: usize,
        /// Lowest eigenvalue of the Hessian scaled to unit diagonal.
        eigenvalue: f64,
        /// Parameters that make up its eigenvector, the largest component first.
        parameters: Vec<usize>,
    },
    /// The two ends do not bracket a root.
    #[error(
        "PB0408: no change of sign between {a} (value {fa}) and {b} (value {fb})\n  help: a bracket needs function values of opposite signs; see root::bracket"
    )]
    NoBracket {
        /// One end.
        a: f64,
        /// The value there.
        fa: f64,
        /// The other end.
        b: f64,
        /// The value there.
        fb: f64,
    },
    /// Values of a training that are not finite, after the step was halved as often as allowed.
    #[error(
        "PB0409: value {value} after {halvings} halvings of the step{}\n  help: start inside the domain of the function, with a smaller rate",
        component.map(|k| format!(", component {k} of the gradient is not finite")).unwrap_or_default()
    )]
    NotFinite {
        /// The value.
        value: f64,
        /// The first component of the gradient that is not finite.
        component: Option<usize>,
        /// How often the step was halved.
        halvings: usize,
    },
    /// A block of transformed quantities that cannot be.
    #[error(
        "PB0410: block {block} of the chart: {what}\n  help: lower < upper, and bins · width below their distance"
    )]
    Block {
        /// Which block.
        block: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// No start led to a minimum.
    #[error(
        "PB0411: none of {starts} starts lies inside the domain of the function\n  help: narrow the bounds, or give starts"
    )]
    NoStart {
        /// How many there were.
        starts: usize,
    },
    /// Linear algebra failed on matrices of the caller.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}
