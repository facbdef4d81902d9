//! Objectives of an analysis: what a choice of cuts, bins or weights is judged by, with derivatives.

mod asimov;
pub mod counting;
mod expected;
mod limit;

pub use expected::{Band, Expectation, Expected};
