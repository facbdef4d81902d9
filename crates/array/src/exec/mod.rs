//! The executor: programs cut into phases, phases run block by block, kernels inside a block.
//!
//! - `kernel`: what a primitive lowers to, and how a kernel sees its operands.
//! - `map`: elementwise loops, compiled for each instruction set.
//! - `shape`: lengths of spaces, segments of an axis, boundaries of reduction leaves.
//! - `plan`: which node runs in which phase.
//! - `positions`: indices that count from the start of a block, refused where they could be seen.
//! - `lower`: instructions and slots; `lowering`: how a program becomes them; `fuse`: several nodes as one instruction.
//! - `bind`: lengths from the inputs of a run.
//! - `run`: memory, phases of whole values, instructions.
//! - `step`: a program that runs again and again on memory of the caller.
//! - `sweep`: blocks, chunks, threads; `monoid`: how partial results are combined.
//! - `profile`: what each instruction costs.
//! - `pieces`: streamed outputs; `output`: where results are read.

mod bind;
mod buffer;
mod fuse;
mod inputs;
mod kernel;
mod lower;
mod lowering;
pub(crate) mod map;
mod monoid;
mod output;
mod pieces;
mod plan;
mod positions;
mod profile;
mod run;
mod shape;
mod step;
mod sweep;

pub(crate) use inputs::check_offsets;
pub use inputs::{Bindings, Column};
pub use kernel::{Element, Io, Kernel, MapArgs, MapFn, Monoid, Run};
pub use lower::{LowerCx, Lowered};
pub(crate) use plan::{dependencies, structure_of};
pub use profile::{Cost, Profile};
pub use run::Workspace;
pub(crate) use shape::counted;
pub use shape::{Axis, LEAF, LenId, Segments};
pub(crate) use step::{Border, Padded, Stepper, Steps};
