//! Expressions over events, compiled to one differentiable program.

mod error;
mod place;
mod render;
pub mod syntax;
pub mod units;

pub use error::{Error, Result};
pub use place::{Place, Source, Span};
pub use render::render;
