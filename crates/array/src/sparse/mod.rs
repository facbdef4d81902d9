//! Sparse rows with a fixed pattern, and the rank-k updates `H += Lᵀ diag(w) R` with them.
//!
//! - `pattern`: which entries rows have, and what adds to them.
//! - `gram`: one update; consecutive rows of (nearly) equal columns are dense panels.
//! - `pairs`: the same for few parameters, pair by pair.
//! - `update`: many updates into the blocks of a symmetric matrix, on several threads.
//! - `schur`: the complement that is left when separable variables are eliminated.

mod gram;
mod pairs;
mod pattern;
mod product;
mod runs;
mod schur;
mod update;

pub(crate) use gram::Gram;
pub(crate) use pairs::{PairGram, PairPattern};
pub(crate) use pattern::{Pattern, PatternSource};
pub use product::sparse_product;
pub use schur::schur_complement;
pub(crate) use update::{Blocks, Outcome, Updates};
