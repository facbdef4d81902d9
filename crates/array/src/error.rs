//! What can go wrong while a program is recorded, transformed, lowered or run.

use thiserror::Error;

/// Result with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of the array engine. Each has a stable code (`PB02xx`), the place where it arose and, in its message, what to do.
#[derive(Debug, Clone, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Operands whose spaces do not fit together.
    #[error(
        "[PB0201] {primitive}: operands live in [{left}] and [{right}], which do not broadcast; every level of one must appear, in order, in the other"
    )]
    Space {
        /// Primitive that was recorded.
        primitive: &'static str,
        /// Path of the first operand.
        left: String,
        /// Path of the second operand.
        right: String,
    },
    /// An operand of the wrong element type.
    #[error(
        "[PB0202] {primitive}: argument {index} is {found}, expected {expected}; convert it with `cast`"
    )]
    DType {
        /// Primitive that was recorded.
        primitive: &'static str,
        /// Position of the argument.
        index: usize,
        /// Element type that was given.
        found: String,
        /// Element type that is needed.
        expected: String,
    },
    /// Anything else that makes a node ill-formed.
    #[error("[PB0203] {primitive}: {message}")]
    IllFormed {
        /// Primitive that was recorded or checked.
        primitive: &'static str,
        /// What is wrong and what was expected.
        message: String,
    },
    /// The checker found a broken program: a bug in a transform.
    #[error("[PB0204] program check failed at value %{value} ({primitive}): {message}")]
    Check {
        /// Value whose node is broken.
        value: u32,
        /// Its primitive.
        primitive: &'static str,
        /// What is broken.
        message: String,
    },
    /// A derivative that does not exist or is not available to this order.
    #[error("[PB0205] {primitive} has no {what}: {message}")]
    NotDifferentiable {
        /// Primitive without the rule.
        primitive: &'static str,
        /// Which rule.
        what: &'static str,
        /// Why, and what to use instead.
        message: String,
    },
    /// A transform that a primitive refuses by name.
    #[error("[PB0206] {transform} refuses {primitive}{label}: {message}")]
    Refused {
        /// Transform that was asked for.
        transform: &'static str,
        /// Primitive that refuses.
        primitive: &'static str,
        /// The user's name of the value, if any, in parentheses.
        label: String,
        /// Why, and what to use instead.
        message: String,
    },
    /// An input that was not bound, bound twice, or bound with a wrong length or type.
    #[error("[PB0207] input `{input}`: {message}")]
    Input {
        /// Name of the input.
        input: String,
        /// What is wrong and what was expected.
        message: String,
    },
    /// A name that the program does not have.
    #[error("[PB0208] no {kind} named `{name}`; the program has: {known}")]
    Unknown {
        /// What was looked up.
        kind: &'static str,
        /// Name that was asked for.
        name: String,
        /// Names that exist.
        known: String,
    },
    /// A run-time failure of a kernel: index out of range, matrix not positive definite, no convergence.
    #[error("[PB0209] {primitive}{label}: {message}")]
    Run {
        /// Primitive that failed.
        primitive: &'static str,
        /// The user's name of the value, if any, in parentheses.
        label: String,
        /// What happened.
        message: String,
    },
    /// A name that a transform would give twice.
    #[error(
        "[PB0213] {kind} `{name}` would be there twice; rename what it is called after with `transform::interface`, or ask for it once"
    )]
    Twice {
        /// What has the name: an input or an output.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Text that is no program.
    #[error("[PB0210] line {line}: {message}")]
    Parse {
        /// Line, from 1.
        line: usize,
        /// What was found and what was expected.
        message: String,
    },
    /// More elements than there is memory for.
    #[error(
        "[PB0212] no memory for the {elements} elements of [{space}]; use smaller chunks of the stream, or fewer lanes or combinations"
    )]
    Memory {
        /// Path of the value.
        space: String,
        /// Number of elements it would have had.
        elements: usize,
    },
    /// Memory that was made for another program.
    #[error(
        "[PB0211] the workspace belongs to another lowered program; make one with `Lowered::workspace` of this one"
    )]
    Workspace,
}
