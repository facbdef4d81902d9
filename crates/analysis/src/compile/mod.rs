//! From checked expressions to a program of the array engine.

mod around;
mod bind;
mod collections;
mod columns;
mod express;
mod fields;
mod network;
mod program;
mod table;
mod value;
mod vector;
mod vocabulary;

pub(crate) use express::Compiler;
pub use program::{Compiled, Input, Output, What};
pub(crate) use value::{Maybe, Value, both, to_real};
pub(crate) use vector::Vector;
