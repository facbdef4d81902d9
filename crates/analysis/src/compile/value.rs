//! Values while they are recorded.
//!
//! A value that may be missing carries a mask of where it is there. A condition that may be missing is neither true nor false there (Kleene 1952, §64):
//! it carries both masks, and what decides (a cut, `where`, `count`) asks whether it is true.

use pullback_array::Sym;

use super::vector::Vector;
use crate::types::CollectionId;

/// A recorded value.
#[derive(Clone, Copy)]
pub(crate) enum Value<'b> {
    /// Doubles.
    Real(Sym<'b>),
    /// 64-bit integers.
    Int(Sym<'b>),
    /// A mask of where it is true, and one of where it is false unless that is everywhere else.
    Bool { yes: Sym<'b>, no: Option<Sym<'b>> },
    /// A four-vector.
    Vector(Vector<'b>),
    /// Objects of a collection: the index along its level; nothing for the objects themselves.
    Object {
        of: CollectionId,
        index: Option<Sym<'b>>,
    },
}

/// A value and where it is there; conditions say that themselves.
#[derive(Clone, Copy)]
pub(crate) struct Maybe<'b> {
    pub value: Value<'b>,
    /// Nothing if it is everywhere.
    pub there: Option<Sym<'b>>,
}

impl<'b> Maybe<'b> {
    /// A value that is always there.
    pub fn new(value: Value<'b>) -> Self {
        Self { value, there: None }
    }
}
