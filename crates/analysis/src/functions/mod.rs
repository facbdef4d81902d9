//! The functions of the language: one entry each, with name, signature, documentation, types, program and an example that is a test.

mod args;
mod collections;
mod docs;
mod kinematics;
mod numbers;
mod reductions;
mod table;

pub use docs::documentation;
pub(crate) use table::Written;
pub use table::{Example, Function, all, find};
