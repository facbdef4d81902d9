//! Solutions as operations of a program: the rules of every primitive, and derivatives of solutions against differences.

#[path = "../../../array/tests/support/mod.rs"]
mod support;

mod primitives;
mod solutions;
