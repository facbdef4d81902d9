//! The list of this crate's primitives: one line each.

use pullback_array::PrimitiveRef;
use pullback_array::registry::Registry;

use super::{argmin, linear_solve, refused, root};

/// The primitives of this crate.
pub const PRIMITIVES: [PrimitiveRef; 3] = [linear_solve::LINEAR_SOLVE, argmin::ARGMIN, root::ROOT];

/// The primitives of the array engine and of this crate: what [`pullback_array::text::parse`] needs to read programs with solutions in them.
///
/// ```
/// assert!(pullback_optim::implicit::registry().find("linear_solve").is_some());
/// ```
pub fn registry() -> Registry {
    let all = PRIMITIVES.iter().chain([&refused::REFUSED]);
    all.fold(Registry::standard(), |registry, p| registry.with(p.0))
}
