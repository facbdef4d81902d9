//! Values while they are recorded.
//!
//! A value that may be missing carries a mask of where it is there. A condition that may be missing is neither true nor false there (Kleene 1952, §64):
//! it carries both masks, and what decides (a cut, `where`, `count`) asks whether it is true.

use pullback_array::{DType, Sym};

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

    /// A condition on values that are there where `there` says.
    pub fn decided(yes: Sym<'b>, there: Option<Sym<'b>>) -> Self {
        Self::new(match there {
            None => Value::Bool { yes, no: None },
            Some(there) => Value::Bool {
                yes: yes & there,
                no: Some(!yes & there),
            },
        })
    }

    /// The same, missing where the mask does not hold.
    pub fn guarded(self, mask: Option<Sym<'b>>) -> Self {
        let Some(mask) = mask else {
            return self;
        };
        match self.value {
            Value::Bool { yes, no } => Self::new(Value::Bool {
                yes: yes & mask,
                no: Some(no.unwrap_or_else(|| !yes) & mask),
            }),
            value => Self {
                value,
                there: both(self.there, Some(mask)),
            },
        }
    }

    /// Where it is there; nothing if everywhere.
    pub fn exists(self) -> Option<Sym<'b>> {
        match self.value {
            Value::Bool { yes, no } => no.map(|no| yes | no),
            _ => self.there,
        }
    }

    /// The masks of a condition.
    pub fn truths(self) -> Option<(Sym<'b>, Option<Sym<'b>>)> {
        match self.value {
            Value::Bool { yes, no } => Some((yes, no)),
            _ => None,
        }
    }
}

/// Where both are there.
pub(crate) fn both<'b>(a: Option<Sym<'b>>, b: Option<Sym<'b>>) -> Option<Sym<'b>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a & b),
        (a, b) => a.or(b),
    }
}

/// Whole numbers as numbers.
pub(crate) fn to_real(x: Sym<'_>) -> Sym<'_> {
    x.cast(DType::F64)
}
