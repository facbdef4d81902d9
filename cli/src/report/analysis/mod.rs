//! What comes out of analyses: runs and optimisations, as pages and pictures.

mod content;
mod csv;
mod cutflow;
mod cuts;
mod heading;
mod history;
mod impacts;
mod optimize;
mod panel;
mod pictures;
mod ranges;
mod run;
mod stack;
mod tables;
mod variations;

pub use optimize::optimize;
pub use pictures::{Picture, optimize as pictures_of_optimisation, run as pictures_of_run};
pub use run::run;
