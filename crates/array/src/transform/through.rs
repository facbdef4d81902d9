//! Derivatives of a node by way of other nodes that compute the same.

use std::sync::Arc;

use super::forward::{Tangents, push_forward};
use super::reverse::adjoints;
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim;
use crate::program::{Program, ValueId};

/// Tangents of `outs`, which were recorded from `args`, whose tangents are given.
///
/// # Errors
/// A primitive without a JVP rule on the way.
pub(crate) fn jvp_through<'b>(
    cx: &'b Builder,
    args: &[Sym<'b>],
    given: &[Option<Sym<'b>>],
    outs: &[Sym<'b>],
) -> Result<Vec<Option<Sym<'b>>>> {
    let ends: Vec<ValueId> = outs.iter().map(|o| cx.id(*o)).collect();
    let starts: Vec<ValueId> = args.iter().map(|a| cx.id(*a)).collect();
    let program = cx.with_program(Program::clone);
    // The nodes between: those before the arguments have tangents of their own already.
    let mut wanted = vec![false; program.nodes().len()];
    let mut todo = ends.clone();
    while let Some(v) = todo.pop() {
        let node = program.value(v).node as usize;
        if !starts.contains(&v) && !std::mem::replace(&mut wanted[node], true) {
            todo.extend(&program.nodes()[node].args);
        }
    }
    let mut tangents: Tangents<'b> = vec![None; program.value_count()];
    for (start, tangent) in starts.iter().zip(given) {
        tangents[start.index()] = *tangent;
    }
    push_forward(cx, &program, &mut tangents, &wanted)?;
    Ok(ends.iter().map(|v| tangents[v.index()]).collect())
}

/// Cotangents of the arguments flagged in `linear` from those of what `record` records.
///
/// # Errors
/// A primitive without a rule on the way.
pub(crate) fn transpose_through<'b>(
    cx: &'b Builder,
    args: &[Sym<'b>],
    linear: &[bool],
    cotangents: &[Option<Sym<'b>>],
    record: impl FnOnce(&[Sym<'b>]) -> Result<Vec<Sym<'b>>>,
) -> Result<Vec<Option<Sym<'b>>>> {
    let first = cx.with_program(|p| p.nodes().len());
    // Stand-ins for the linear arguments, which may depend on each other: nodes without a column, gone when the program is pruned.
    let given: Vec<Sym<'b>> = args
        .iter()
        .zip(linear)
        .map(|(arg, flag)| {
            if !flag {
                return *arg;
            }
            let ty = cx.ty(*arg);
            let attrs = Attrs::NONE
                .with("name", Attr::Str(Arc::from(format!("~{}", cx.id(*arg).0))))
                .with("dtype", Attr::DType(ty.dtype))
                .with("to", Attr::Space(ty.space));
            cx.push(prim::INPUT, &[], attrs).first(cx)
        })
        .collect();
    let outs = record(&given)?;
    let ends: Vec<(Option<ValueId>, Sym<'b>)> = outs
        .iter()
        .zip(cotangents)
        .filter_map(|(out, ct)| ct.map(|ct| (Some(cx.id(*out)), ct)))
        .collect();
    let starts: Vec<ValueId> = given
        .iter()
        .zip(linear)
        .filter(|(_, flag)| **flag)
        .map(|(g, _)| cx.id(*g))
        .collect();
    let program = cx.with_program(Program::clone);
    let found = adjoints(cx, &program, first, &starts, &ends)?;
    Ok(given
        .iter()
        .zip(linear)
        .map(|(g, flag)| flag.then(|| found[cx.id(*g).index()]).flatten())
        .collect())
}
