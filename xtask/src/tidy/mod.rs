//! `cargo xtask tidy`: the rules of the house, each a function on text with a test.

mod architecture;
mod arrows;
mod code;
mod licences;
mod rooms;
mod run;
mod source;
mod text;

pub use run::{findings, run};
