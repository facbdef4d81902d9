//! HistFactory likelihoods: pyhf workspaces, fits, errors and pulls.

mod error;
pub mod fit;
pub mod spec;
pub mod workspace;

pub use error::{Error, ErrorKind, Excerpt, Place, Position, Result};
