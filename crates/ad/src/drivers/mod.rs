//! Derivatives of functions of a vector: the vocabulary of the design.

mod function;

pub use function::Function;
