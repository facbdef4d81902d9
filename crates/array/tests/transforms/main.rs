//! Transforms of whole programs and what shows them: text, pictures, lanes, simplification, explanations, relaxation.

#[path = "../support/mod.rs"]
mod support;

mod compose;
mod executor;
mod lanes;
mod plans;
mod simplify;
mod specialise;
mod text;
