//! From checked expressions to a program of the array engine.

mod collections;
mod columns;
mod express;
mod helpers;
mod program;
mod value;
mod vector;

pub(crate) use express::Compiler;
pub use program::{Compiled, Input, Output, What};
pub(crate) use value::{Maybe, Value};
pub(crate) use vector::Vector;
