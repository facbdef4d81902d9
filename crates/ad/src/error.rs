//! The one error type of the crate.

/// What can go wrong in this crate. Every variant has a stable [`code`](Error::code) and a [`help`](Error::help) line.
///
/// # Example
/// ```
/// use pullback_ad::Error;
/// let e = Error::Shape { what: "x", expected: 3, found: 2 };
/// assert_eq!(e.code(), "PB0102");
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A function that only has a first-order reverse rule was evaluated with a scalar that needs more.
    #[error("PB0101: `{name}` has only a first-order reverse rule and was evaluated with {scalar}")]
    ReverseOnly {
        /// The name that the function gives itself.
        name: &'static str,
        /// The scalar type that asked for the missing derivative.
        scalar: &'static str,
    },
    /// A slice has the wrong length.
    #[error("PB0102: `{what}` has length {found}, expected {expected}")]
    Shape {
        /// The argument.
        what: &'static str,
        /// The length that fits.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// A checkpoint schedule was asked for with a budget that can't hold one state.
    #[error("PB0103: a checkpoint schedule `{policy}` needs `{parameter}` ≥ 1, found {found}")]
    Schedule {
        /// The policy.
        policy: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// The value found.
        found: usize,
    },
    /// A tape is longer than its 32-bit node numbers allow.
    #[error("PB0104: the tape is full after {nodes} operations")]
    TapeFull {
        /// The nodes recorded.
        nodes: usize,
    },
}

impl Error {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReverseOnly { .. } => "PB0101",
            Self::Shape { .. } => "PB0102",
            Self::Schedule { .. } => "PB0103",
            Self::TapeFull { .. } => "PB0104",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::ReverseOnly { .. } => {
                "use `grad` or `vjp`, or give the function a `custom_jvp` rule, which has every order"
            }
            Self::Shape { .. } => "pass a slice with one entry per input or output of the function",
            Self::Schedule { .. } => "give room for at least one stored state",
            Self::TapeFull { .. } => {
                "wrap parts of the computation in `checkpoint`, which records them one at a time"
            }
        }
    }
}
