//! The program IR, its transforms, ragged arrays and the block executor.
//!
//! A [`Builder`] records a [`Program`]; [`transform`] makes derivatives of it, which are programs again; [`exec::Lowered`] runs it.

pub mod attr;
mod build;
pub mod check;
mod error;
pub mod exec;
mod explain;
pub mod graphviz;
pub mod linalg;
mod margin;
mod matrix;
mod parallel;
pub mod prim;
mod primitive;
mod program;
mod ragged;
pub mod region;
pub mod registry;
mod sample;
mod space;
mod sparse;
mod sym;
pub mod text;
pub mod transform;
mod ty;

pub use build::{Builder, Results, Sym};
pub use error::{Error, Result};
pub use exec::{Bindings, Column, Lowered, Workspace};
pub use explain::{
    Birth, Blocker, Component, Decides, Explanation, Place, Stage, Steps, Why, explain,
    explain_with,
};
pub use margin::margin;
pub use prim::bin::{Flow, Last};
pub use prim::matrix::Part;
pub use primitive::{Call, Nature, Primitive, PrimitiveRef};
pub use program::{Node, Program, Value, ValueId};
pub use sample::{Owned, Point, Sample, Sampler};
pub use space::{Level, LevelId, LevelKind, MAX_DEPTH, Space};
pub use sparse::{schur_complement, sparse_product};
pub use sym::SymMask;
pub use ty::{DType, Type};
