//! `cargo xtask test`: the stages of continuous integration.

mod count;
mod python;
mod run;
mod snippets;
mod stages;

pub use run::run;
