//! Derivatives of a node by way of other nodes that compute the same.

use std::collections::{BTreeMap, HashMap};

use super::forward::push_through;
use super::linear_part::{LinearPart, stand_in};
use super::reverse::adjoints;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::program::{Node, Program, ValueId};

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
    let mut tangents: HashMap<ValueId, Sym<'b>> = starts
        .iter()
        .zip(given)
        .filter_map(|(start, tangent)| Some((*start, (*tangent)?)))
        .collect();
    let between = cx.with_program(|p| between(p, &starts, &ends));
    for node in between.values() {
        let given: Vec<Option<Sym<'b>>> =
            node.args.iter().map(|a| tangents.get(a).copied()).collect();
        if given.iter().any(Option::is_some) {
            let made = push_through(cx, node, &given)?;
            let made = node.results().zip(made);
            tangents.extend(made.filter_map(|(r, t)| Some((r, t?))));
        }
    }
    Ok(ends.iter().map(|v| tangents.get(v).copied()).collect())
}

/// The nodes that `ends` need, in order, down to `starts`: what stands before those has tangents of its own already. A copy, so that more can be recorded.
fn between(program: &Program, starts: &[ValueId], ends: &[ValueId]) -> BTreeMap<u32, Node> {
    let mut found = BTreeMap::new();
    let mut todo = ends.to_vec();
    while let Some(v) = todo.pop() {
        let k = program.value(v).node;
        if !starts.contains(&v) && !found.contains_key(&k) {
            let node = program.node(v);
            todo.extend(&node.args);
            found.insert(k, node.clone());
        }
    }
    found
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
    // The linear arguments may depend on each other: others stand for them.
    let given: Vec<Sym<'b>> = args
        .iter()
        .zip(linear)
        .map(|(arg, flag)| {
            if *flag {
                stand_in(cx, cx.id(*arg), cx.ty(*arg))
            } else {
                *arg
            }
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
    let found = adjoints(cx, &LinearPart::since(cx, first), &starts, &ends)?;
    Ok(given
        .iter()
        .zip(linear)
        .map(|(g, flag)| flag.then(|| found.get(cx.id(*g))).flatten())
        .collect())
}
