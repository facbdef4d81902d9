//! Draws: columns of random numbers beside those of the files.
//!
//! A draw is a function of the seed, the data set, the event, its name and the number of the object in its event, and of nothing else ([`Draw`]): neither chunks nor
//! threads nor what else is read changes it. It is an input of the programs as any column is, so that what is soft is soft in the same numbers.

mod columns;
mod define;

pub(crate) use columns::Drawn;
pub use define::{Draw, Random};
