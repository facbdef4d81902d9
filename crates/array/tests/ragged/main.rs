//! Ragged arrays: values against plain loops, derivatives against differences and against each other, the same bits for any cut.

mod contractions;
mod cuts;
mod decisions;
mod extremes;
mod harness;
mod matrices;
mod memory;
mod positions;
mod products;
mod reductions;
mod samples;
mod structure;
