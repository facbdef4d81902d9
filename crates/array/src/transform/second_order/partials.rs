//! Second partial derivatives of single nodes.

use std::sync::Arc;

use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::program::{Node, Program, ValueId};
use crate::transform::forward::{Tangents, push_forward, upstream};

/// Second partial derivatives of a pointwise node, as values of the builder; `None` where they vanish identically.
pub(super) fn second_partials<'b>(
    b: &'b Builder,
    program: &Program,
    node: &Node,
    active: &[bool],
) -> Result<Vec<Vec<Option<Sym<'b>>>>> {
    // The node alone, in a program of its own with the same levels and fresh inputs.
    let scratch = Builder::scratch(program);
    let args: Vec<Sym<'_>> = node
        .args
        .iter()
        .enumerate()
        .map(|(i, a)| scratch.input_of(&format!("second partial argument {i}"), program.ty(*a)))
        .collect();
    let out = scratch
        .push(node.primitive, &args, node.attrs.clone())
        .first(&scratch);
    let base = scratch.with_program(Program::clone);
    let result = base.value(scratch.id(out)).ty.space;
    let one_hot = |i: usize| -> Tangents<'_> {
        let mut tangents: Tangents<'_> = vec![None; scratch.with_program(Program::value_count)];
        let one = scratch.broadcast(Sym::from(1.0), scratch.ty(args[i]).space);
        tangents[scratch.id(args[i]).index()] = Some(scratch.sym(scratch.id(one)));
        tangents
    };
    let n = args.len();
    let mut found: Vec<(usize, usize, ValueId)> = Vec::new();
    for i in (0..n).filter(|&i| active[i]) {
        let mut tangents = one_hot(i);
        let wanted = vec![true; base.nodes().len()];
        push_forward(&scratch, &base, &mut tangents, &wanted)?;
        let Some(partial) = tangents[scratch.id(out).index()] else {
            continue;
        };
        let first = scratch.with_program(Program::clone);
        for j in (i..n).filter(|&j| active[j]) {
            let mut tangents = one_hot(j);
            tangents.resize(scratch.with_program(Program::value_count), None);
            let id = scratch.id(partial);
            let wanted = upstream(&first, std::iter::once(id));
            push_forward(&scratch, &first, &mut tangents, &wanted)?;
            if let Some(second) = tangents[id.index()] {
                let second = scratch.broadcast(second, result);
                found.push((i, j, scratch.id(second)));
            }
        }
    }
    let outputs = found
        .iter()
        .map(|(i, j, v)| (Arc::from(format!("{i} {j}")), *v))
        .collect();
    drop(args);
    let part = scratch.finish_ids(outputs)?;
    let map = b.graft(&part, program.nodes().len(), |name| {
        name.strip_prefix("second partial argument ")
            .and_then(|k| k.parse::<usize>().ok())
            .map(|k| b.sym(node.args[k]))
    })?;
    let mut out = vec![vec![None; n]; n];
    for (i, j, v) in found {
        out[i][j] = map[v.index()];
    }
    Ok(out)
}
