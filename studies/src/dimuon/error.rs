//! What can go wrong before a fit.

use pullback_array::Error as ArrayError;
use pullback_io::Error as IoError;
use pullback_optim::OptimError;
use pullback_prob::ProbError;
use pullback_sim::SimError;

/// Errors of this study.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DimuonError {
    /// A column of the file is not what the study needs.
    #[error(
        "PB1011: {column} is not a list of numbers per event\n  help: the study reads nMuon and Muon_pt, Muon_eta, Muon_phi, Muon_charge"
    )]
    Column {
        /// The branch.
        column: &'static str,
    },
    /// A quantity of the model outside its range.
    #[error("PB1012: {what} is {value}\n  help: it must be {expected}")]
    Value {
        /// The quantity.
        what: &'static str,
        /// What was found.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// No pair in a peak.
    #[error(
        "PB1013: no pair is left in the window of the {peak}\n  help: look at the cuts on p_T and |eta|, and at the charges"
    )]
    Empty {
        /// Which peak.
        peak: &'static str,
    },
    /// The program.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// The file.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The minimiser.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The generator.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A distribution.
    #[error(transparent)]
    Prob(#[from] ProbError),
}
