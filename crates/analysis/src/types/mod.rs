//! What expressions mean: names, types, the level of each value, collections.

mod check;
mod choose;
mod collection;
mod combine;
mod field;
mod model;
mod name;
mod network;
mod operator;
mod table;
mod tree;
mod ty;

pub(crate) use check::{Checker, Cx};
pub(crate) use collection::{Def, Kinematics};
pub(crate) use field::Component;
pub use model::Model;
pub(crate) use model::{Filled, Resolved, is_word};
pub(crate) use operator::same_dimension;
pub(crate) use table::Lookup;
pub(crate) use tree::{Arithmetic, Node, Typed, joined};
pub use ty::{CollectionId, Kind, Per, Type};
