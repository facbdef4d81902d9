//! Parameters for which there is no distribution.

/// Errors of this crate.
///
/// # Example
/// ```
/// use pullback_prob::{Normal, ProbError};
///
/// let error = Normal::new(0.0, -1.0).unwrap_err();
/// assert_eq!(error.code(), "PB0601");
/// assert!(error.to_string().contains("standard deviation"));
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbError {
    /// A parameter outside its range.
    #[error("PB0601: {distribution}: the {parameter} is {value}\n  help: it must be {expected}")]
    Parameter {
        /// The distribution.
        distribution: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// The value given.
        value: f64,
        /// What the value must be.
        expected: &'static str,
    },
    /// A range that contains nothing.
    #[error("PB0602: {distribution}: the range is [{low}, {high}]\n  help: it must be {expected}")]
    Range {
        /// The distribution.
        distribution: &'static str,
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
        /// What the range must be.
        expected: &'static str,
    },
    /// A weight that is negative or not finite.
    #[error(
        "PB0603: categories: weight {index} is {value}\n  help: weights are finite and not negative"
    )]
    Weight {
        /// Its index.
        index: usize,
        /// The value given.
        value: f64,
    },
    /// Weights that leave no choice.
    #[error(
        "PB0604: categories: {count} weights with the sum {sum}\n  help: at least one weight must be positive, and the sum finite"
    )]
    Weights {
        /// How many weights were given.
        count: usize,
        /// Their sum.
        sum: f64,
    },
}

impl ProbError {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Parameter { .. } => "PB0601",
            Self::Range { .. } => "PB0602",
            Self::Weight { .. } => "PB0603",
            Self::Weights { .. } => "PB0604",
        }
    }
}

/// `value` if it is finite and, where that is asked, positive.
pub(crate) fn finite(
    distribution: &'static str,
    parameter: &'static str,
    value: f64,
    positive: bool,
) -> Result<f64, ProbError> {
    if value.is_finite() && (!positive || value > 0.0) {
        return Ok(value);
    }
    let expected = if positive {
        "finite and positive"
    } else {
        "finite"
    };
    Err(ProbError::Parameter {
        distribution,
        parameter,
        value,
        expected,
    })
}
