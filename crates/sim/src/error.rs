//! Requests that cannot be generated.

use pullback_prob::ProbError;

/// Errors of this crate.
///
/// # Example
/// ```
/// use pullback_sim::{Generator, Process};
///
/// let error = Generator::new(Process::ZPrimeToTT { mass: 200.0, width: 2.0 }, 1).unwrap_err();
/// assert_eq!(error.code(), "PB0701");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// A parameter of a process outside its range.
    #[error("PB0701: {process}: the {parameter} is {value} GeV\n  help: it must be {expected}")]
    Process {
        /// The process.
        process: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// The value given.
        value: f64,
        /// What the value must be.
        expected: &'static str,
    },
    /// A parameter of the detector outside its range.
    #[error("PB0702: detector: `{parameter}`{place} is {value}\n  help: it must be {expected}", place = place(*.index))]
    Detector {
        /// The field.
        parameter: &'static str,
        /// The element, of a list.
        index: Option<usize>,
        /// The value given.
        value: f64,
        /// What the value must be.
        expected: &'static str,
    },
    /// A list of the detector that does not have one element per bin.
    #[error(
        "PB0703: detector: `{parameter}` has {found} elements for {bins} bins\n  help: `muon_eta_edges` of n + 1 edges makes n bins"
    )]
    Bins {
        /// The field.
        parameter: &'static str,
        /// Its length.
        found: usize,
        /// The number of bins.
        bins: usize,
    },
    /// Event ids beyond the last.
    #[error(
        "PB0704: {count} events from the id {first} on do not exist\n  help: ids end at 2^64 - 1"
    )]
    Events {
        /// The first id.
        first: u64,
        /// How many were asked for.
        count: u64,
    },
    /// A name that no process has.
    #[error("PB0705: there is no process `{name}`\n  help: the processes are {known}")]
    UnknownProcess {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A parameter in the name of a process that is no number.
    #[error(
        "PB0706: {process}: `{text}` is no number\n  help: parameters are numbers in GeV with commas between, as in `ZPrimeToTT(1000, 10)`"
    )]
    NoNumber {
        /// The process.
        process: &'static str,
        /// What stands there.
        text: String,
    },
    /// A distribution of a process does not exist.
    #[error(transparent)]
    Distribution(#[from] ProbError),
}

fn place(index: Option<usize>) -> String {
    index.map_or_else(String::new, |index| format!("[{index}]"))
}

impl SimError {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Process { .. } => "PB0701",
            Self::Detector { .. } => "PB0702",
            Self::Bins { .. } => "PB0703",
            Self::Events { .. } => "PB0704",
            Self::UnknownProcess { .. } => "PB0705",
            Self::NoNumber { .. } => "PB0706",
            Self::Distribution(error) => error.code(),
        }
    }
}
