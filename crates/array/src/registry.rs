//! The list of primitives: one line each. A [`Registry`] is that list, to which a program of another crate can add its own.

use std::collections::HashMap;

use crate::prim;
use crate::primitive::{Primitive, PrimitiveRef};

/// Every primitive, by family.
pub fn all() -> Vec<PrimitiveRef> {
    let mut list = vec![
        prim::CONST,
        prim::DATA,
        prim::INPUT,
        prim::SPLAT,
        prim::TOTAL,
        prim::EXPAND,
        prim::SUM,
        prim::SELECT,
        prim::GATHER,
        prim::SCATTER_ADD,
        prim::STOP_GRADIENT,
        prim::PROD,
        prim::EXCLUSIVE_PROD,
        prim::PREFIX_PROD,
        prim::RECURRENCE,
        prim::FILTER_OFFSETS,
        prim::FILTER_INDEX,
        prim::COMBINATION_OFFSETS,
        prim::COMBINATION_INDEX,
        prim::CARTESIAN_OFFSETS,
        prim::CARTESIAN_INDEX,
        prim::POSITION,
        prim::COUNTS,
        prim::LOCATE,
        prim::FIND,
        prim::LOGSUMEXP,
        prim::ARGSORT,
        prim::BIN_INDEX,
        prim::NEAREST_EDGE,
        prim::CONTRACT,
        prim::PERMUTE,
        prim::STACK,
        prim::ELEMENT,
        prim::CALL,
        prim::SCAN,
        prim::SCAN_ADJOINT,
        prim::CUSTOM_JVP,
        prim::CUSTOM_VJP,
        prim::CHOLESKY,
        prim::TRIANGULAR_SOLVE,
        prim::MATRIX_APPLY,
        prim::MATRIX_OUTER,
        prim::LU,
        prim::LU_SOLVE,
        prim::SLOGDET,
        prim::OFFSETS_OF,
        prim::SURFACE,
        prim::FROZEN_MUL,
        prim::MASKED_MUL,
        prim::cast::CAST,
        PrimitiveRef(&prim::family::FamilyOp::Powi),
        PrimitiveRef(&prim::family::FamilyOp::Powf),
        PrimitiveRef(&prim::family::FamilyOp::Polygamma),
    ];
    list.extend(prim::unary::all());
    list.extend(prim::binary::all());
    list.extend(prim::compare::Compare::ALL.map(prim::compare::Compare::primitive));
    list.extend(prim::rows::Rows::ALL.map(prim::rows::Rows::primitive));
    list.extend(prim::rows_at::RowsAt::ALL.map(prim::rows_at::RowsAt::primitive));
    list.extend(prim::logic::Logic::ALL.map(prim::logic::Logic::primitive));
    list.extend(prim::extreme::Extreme::ALL.map(prim::extreme::Extreme::primitive));
    list.extend(prim::extreme::Arg::ALL.map(prim::extreme::Arg::primitive));
    list.extend(prim::triangle::Triangle::ALL.map(prim::triangle::Triangle::primitive));
    list.extend(prim::quantify::Quantify::ALL.map(prim::quantify::Quantify::primitive));
    list
}

/// The primitive of that name.
pub fn find(name: &str) -> Option<PrimitiveRef> {
    all().into_iter().find(|p| p.name() == name)
}

/// Primitives by name: what [`crate::text::parse`] knows.
///
/// # Example
/// ```
/// use pullback_array::registry::Registry;
/// assert!(Registry::standard().find("exp").is_some());
/// ```
#[derive(Clone)]
pub struct Registry {
    list: HashMap<&'static str, PrimitiveRef>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

impl Registry {
    /// The primitives of this crate.
    pub fn standard() -> Self {
        Self {
            list: all()
                .into_iter()
                // A tangent without a value: it occurs in regions that wait for their transpose.
                .chain([prim::CUSTOM_TANGENT])
                .map(|p| (p.name(), p))
                .collect(),
        }
    }

    /// With one more primitive; it takes the place of one with the same name.
    pub fn with(mut self, primitive: &'static dyn Primitive) -> Self {
        self.list.insert(primitive.name(), PrimitiveRef(primitive));
        self
    }

    /// The primitive of that name.
    pub fn find(&self, name: &str) -> Option<PrimitiveRef> {
        self.list.get(name).copied()
    }
}
