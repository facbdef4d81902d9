//! What comes out of analyses: runs and optimisations, as pages and pictures.

mod content;
mod cutflow;
mod heading;
mod history;
mod impacts;
mod optimize;
mod panel;
mod ranges;
mod stack;
mod tables;

pub use optimize::optimize;
