//! What can go wrong in linear algebra.

/// What can go wrong in dense linear algebra.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// A slice has not the length that the order says.
    #[error(
        "PB0280: {what} has {found} elements where {expected} are needed\n  help: matrices are dense, row-major and without padding"
    )]
    Shape {
        /// The argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that the other arguments ask for.
        expected: usize,
    },
    /// The matrix is not positive definite: the leading minor of order `pivot + 1` has a determinant that is not positive.
    #[error(
        "PB0281: the matrix is not positive definite: pivot {pivot} is {value}\n  help: look at the eigenvector of the lowest eigenvalue (symmetric_eigen) of its leading {pivot} + 1 rows and columns"
    )]
    NotPositiveDefinite {
        /// Index of the failing pivot.
        pivot: usize,
        /// Its value before the square root (NaN where the matrix contains one).
        value: f64,
    },
    /// The matrix is singular: elimination met a zero (or not finite) pivot.
    #[error(
        "PB0282: the matrix is singular: pivot {pivot} is {value}\n  help: a column is a combination of the others, or an entry is not finite"
    )]
    Singular {
        /// Index of the pivot in the order of elimination.
        pivot: usize,
        /// Its value.
        value: f64,
    },
    /// The iteration for the eigenvalues did not converge, or an entry is not finite.
    #[error(
        "PB0283: no eigen-decomposition: {reason}\n  help: check the matrix for NaN and infinities"
    )]
    Eigen {
        /// What happened.
        reason: &'static str,
    },
}
