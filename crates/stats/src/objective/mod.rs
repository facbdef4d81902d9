//! Objectives of an analysis: what a choice of cuts, bins or weights is judged by, with derivatives.

pub mod counting;
