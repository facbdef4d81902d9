//! Several nodes as one instruction. Fusion happens here, after differentiation, so that rules know nothing of it.
//!
//! A pattern fits where the values between its nodes are used by nothing else and live nowhere else. A fused kernel has the bits of its parts: which
//! neighbours a value has, and so what a program computes besides it, changes nothing (`Lowered::unfused` is the oracle of the tests).
//!
//! - `step`: what an instruction evaluates; the table of patterns.
//! - `siblings`: nodes that differ in static parameters alone.
//! - `ladder`: the derivative of a product along a level.
//! - `pick`, `scatter`: elements at constant indices.
//! - `bias`: a product of matrices and what is added to its rows.
//! - `pair`, `product`: sums, differences and products inside of each other, and sums of products; also block by block.

mod bias;
mod ladder;
mod pair;
mod pick;
mod product;
mod scatter;
mod siblings;
mod step;

pub(super) use step::{Step, fuse};
