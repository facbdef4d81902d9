//! What can go wrong in this study.

use pullback_array::Error as ArrayError;
use pullback_optim::OptimError;
use pullback_prob::ProbError;

/// Errors of the study; those of the crates below keep their codes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InfernoError {
    /// A program that cannot be recorded or run.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A step that cannot be taken.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// A distribution that does not exist.
    #[error(transparent)]
    Prob(#[from] ProbError),
    /// Batches that are larger than the sample they are taken from, or empty.
    #[error(
        "PB1201: batches of {batch} from {events} events of each component\n  help: take between 1 and all of them"
    )]
    Batch {
        /// Events of a batch.
        batch: usize,
        /// Events of the sample.
        events: usize,
    },
    /// Templates without a bin in which both components are expected.
    #[error(
        "PB1202: no bin of {bins} holds events of both components\n  help: use more events, or a network that is not saturated"
    )]
    NoBins {
        /// Number of bins.
        bins: usize,
    },
    /// A training whose objective was not finite to the end.
    #[error("PB1203: the objective is {value} at step {step}\n  help: lower the learning rate")]
    Diverged {
        /// The step.
        step: usize,
        /// The objective there.
        value: f64,
    },
}
