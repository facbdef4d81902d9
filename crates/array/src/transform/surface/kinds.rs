//! Kinds of operations, as far as decisions go.

use pullback_ad::{Kind, Unary};

use crate::attr::Attr;
use crate::prim;
use crate::prim::compare::Compare;
use crate::prim::extreme::Arg;
use crate::prim::unary::unary;
use crate::primitive::PrimitiveRef;
use crate::program::{Node, Program};
use crate::ty::DType;

/// The comparison that a primitive is.
pub(super) fn compare(primitive: PrimitiveRef) -> Option<Compare> {
    Compare::ALL
        .into_iter()
        .find(|op| op.primitive() == primitive)
}

/// A function of the table that is constant but for jumps.
pub(crate) fn jumps(primitive: PrimitiveRef) -> bool {
    Unary::ALL
        .iter()
        .any(|f| f.kind() == Kind::Structure && unary(*f) == primitive)
}

/// A choice by order.
pub(crate) fn chooses(primitive: PrimitiveRef) -> bool {
    primitive == prim::ARGSORT || Arg::ALL.into_iter().any(|a| a.primitive() == primitive)
}

/// Positions for a gather are made by these; other integers count something.
pub(crate) fn makes_index(primitive: PrimitiveRef) -> bool {
    let makers = [
        prim::FILTER_INDEX,
        prim::COMBINATION_INDEX,
        prim::CARTESIAN_INDEX,
        prim::LOCATE,
    ];
    makers.contains(&primitive) || chooses(primitive)
}

/// A node that repeats its argument.
pub(super) fn repeats(node: &Node) -> bool {
    node.primitive == prim::SPLAT || node.primitive == prim::EXPAND
}

/// True if a sub-program compares doubles, bins or chooses.
pub(crate) fn decides(program: &Program) -> bool {
    program.nodes().iter().any(|n| {
        let doubles = n.args.iter().any(|v| program.ty(*v).dtype == DType::F64);
        let decision = compare(n.primitive).is_some()
            || n.primitive == prim::BIN_INDEX
            || chooses(n.primitive)
            || jumps(n.primitive);
        (decision && doubles)
            || n.attrs
                .iter()
                .any(|(_, a)| matches!(a, Attr::Program(p) if decides(p)))
    })
}
