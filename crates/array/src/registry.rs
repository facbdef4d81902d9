//! The list of primitives: one line each.

use crate::prim;
use crate::primitive::PrimitiveRef;

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
        prim::cast::CAST,
        PrimitiveRef(&prim::family::FamilyOp::Powi),
        PrimitiveRef(&prim::family::FamilyOp::Powf),
        PrimitiveRef(&prim::family::FamilyOp::Polygamma),
    ];
    list.extend(prim::unary::all());
    list.extend(prim::binary::all());
    list.extend(prim::compare::Compare::ALL.map(prim::compare::Compare::primitive));
    list.extend(prim::logic::Logic::ALL.map(prim::logic::Logic::primitive));
    list.extend(prim::extreme::Extreme::ALL.map(prim::extreme::Extreme::primitive));
    list.extend(prim::extreme::Arg::ALL.map(prim::extreme::Arg::primitive));
    list.extend(prim::quantify::Quantify::ALL.map(prim::quantify::Quantify::primitive));
    list
}

/// The primitive of that name.
pub fn find(name: &str) -> Option<PrimitiveRef> {
    all().into_iter().find(|p| p.name() == name)
}
