//! The executor: programs cut into phases, phases run block by block, kernels inside a block.
//!
//! - `kernel`: what a primitive lowers to, and how a kernel sees its operands.
//! - `map`: elementwise loops, compiled for each instruction set.
//! - `shape`: lengths of spaces, segments of an axis, boundaries of reduction leaves.
//! - `plan`: which node runs in which phase.
//! - `lower`: instructions and slots.
//! - `run`: binding inputs, blocks, threads, accumulators.
//! - `pieces`: streamed outputs.

mod buffer;
mod inputs;
mod kernel;
mod lower;
pub(crate) mod map;
mod pieces;
mod plan;
mod run;
mod shape;

pub(crate) use inputs::check_offsets;
pub use inputs::{Bindings, Column};
pub use kernel::{Element, Io, Kernel, MapArgs, MapFn, Monoid, Run};
pub use lower::{LowerCx, Lowered};
pub(crate) use plan::{dependencies, structure_of};
pub use run::Workspace;
pub use shape::{Axis, LEAF, LenId, Segments};
