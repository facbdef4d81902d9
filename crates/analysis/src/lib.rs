//! Expressions over events, compiled to one differentiable program.

mod compile;
mod define;
mod error;
pub mod file;
pub mod functions;
mod place;
mod render;
pub mod run;
pub mod schema;
pub mod syntax;
mod types;
pub mod units;

pub use compile::{Compiled, Input, Output, What};
pub use define::{Analysis, Histogram, Object};
pub use error::{Error, Result};
pub use place::{Place, Source, Span};
pub use render::render;
pub use schema::Schema;
pub use types::{CollectionId, Kind, Model, Per, Type};
