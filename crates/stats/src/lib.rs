//! HistFactory likelihoods: pyhf workspaces, fits, errors and pulls.

mod error;
pub mod fit;
pub mod model;
pub mod objective;
pub mod spec;
pub mod workspace;

pub use model::{Data, Model};

pub use error::{Error, ErrorKind, Excerpt, Place, Position, Result};
