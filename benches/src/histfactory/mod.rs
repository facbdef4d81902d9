//! HistFactory workspaces of any size, made from a seed, and their likelihood written by hand: the reference of the scaling bench and an oracle of its own.

mod by_hand;
mod generate;
mod json;
mod names;

pub use by_hand::ByHand;
pub use generate::{Channel, Constraint, Generated, Histosys, Normsys, Sample, Size};
pub use names::Parameter;
