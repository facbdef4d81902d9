//! The type of a value: what it is, per what, in which unit, whether it may be missing.

use crate::units::Dimension;

/// A collection of a checked analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionId(pub(crate) usize);

/// What there is one value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Per {
    /// One for everything.
    Constant,
    /// One per event.
    Event,
    /// One per object of a collection, below events.
    Object(CollectionId),
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Real,
    /// A four-vector.
    Vector,
    /// An object of a collection.
    Object(CollectionId),
}

impl Kind {
    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Real)
    }
}

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Type {
    /// What there is one of it for.
    pub per: Per,
    /// What it is.
    pub kind: Kind,
    /// Its dimension; nothing for numbers without a unit, which fit to all.
    pub dimension: Option<Dimension>,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Type {
    /// A value that is always there and has no unit.
    pub fn new(per: Per, kind: Kind) -> Self {
        Self {
            per,
            kind,
            dimension: None,
            optional: false,
        }
    }

    /// The same in a dimension.
    pub fn of(self, dimension: Option<Dimension>) -> Self {
        Self { dimension, ..self }
    }

    /// The same with the possibility that it is missing.
    pub fn or_missing(self, optional: bool) -> Self {
        Self {
            optional: self.optional || optional,
            ..self
        }
    }
}
