//! Partial evaluation: inputs that are known become constants, and everything that follows from constants is computed once.

use std::sync::Arc;

use crate::attr::{Attr, Attrs, Data};
use crate::error::{Error, Result};
use crate::exec::{Bindings, Column, Lowered, counted, dependencies, structure_of};
use crate::prim;
use crate::program::{Node, Program, Value, ValueId};
use crate::space::{LevelKind, Space};
use crate::ty::DType;

/// The program with inputs bound to constants and the constant part folded: what depends on constants alone is evaluated here, with the kernels that would
/// have evaluated it at each run.
///
/// # Errors
/// An unknown input, data of the wrong length, or a kernel that fails on the constants.
///
/// # Example
/// ```
/// use pullback_array::{attr::Data, Builder, transform};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let n = b.dense_of("n", 2);
/// let (x, w) = (b.input("x", n), b.input("w", n));
/// let y = x * w.exp().ln();
/// let program = b.finish(&[("y", y)]).unwrap();
/// let bound = transform::bind(&program, &[("w", Data::F64([1.0, 2.0].into()))]).unwrap();
/// assert_eq!((program.nodes().len(), bound.nodes().len()), (5, 3)); // x, folded data, mul
/// ```
pub fn bind(program: &Program, known: &[(&str, Data)]) -> Result<Program> {
    let mut bound: Vec<(ValueId, &Data)> = Vec::new();
    for (name, data) in known {
        let id = program.find_input(name).ok_or_else(|| Error::Unknown {
            kind: "input",
            name: (*name).into(),
            known: program
                .inputs()
                .iter()
                .map(|(n, _)| n.to_string())
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        bound.push((id, data));
    }
    fold(program, &bound, usize::MAX)
}

/// Lengths of the levels as far as constants and bound inputs tell them.
struct Sizes {
    dims: Vec<Option<usize>>,
}

impl Sizes {
    fn new(program: &Program, bound: &[(ValueId, &Data)]) -> Self {
        let mut sizes = Self {
            dims: program.levels().iter().map(|l| l.len).collect(),
        };
        let data_of = |v: ValueId| {
            let given = bound.iter().find(|(b, _)| *b == v).map(|(_, d)| *d);
            given.or_else(|| program.node(v).attrs.data("data"))
        };
        let sources: Vec<(ValueId, &Data)> = program
            .nodes()
            .iter()
            .filter_map(|n| data_of(n.first).map(|d| (n.first, d)))
            .collect();
        for (k, level) in program.levels().iter().enumerate() {
            if let LevelKind::Ragged { offsets, .. } = level.kind {
                // The size of a level that is computed from constants is known only when it is: taken as small.
                sizes.dims[k] = Some(match data_of(offsets) {
                    Some(Data::I64(d)) => d.last().map_or(0, |n| *n as usize),
                    _ => 1,
                });
            }
        }
        let mut learned = true;
        while learned {
            learned = false;
            for (v, data) in &sources {
                let ty = program.ty(*v);
                let len = data.len() - usize::from(ty.dtype == DType::Offsets);
                let (mut known, mut unknown) = (1, Vec::new());
                for level in counted(program, &ty.space) {
                    match sizes.dims[usize::from(level.0)] {
                        Some(n) => known *= n,
                        None => unknown.push(level),
                    }
                }
                if let ([level], true) = (&unknown[..], known > 0) {
                    sizes.dims[usize::from(level.0)] = Some(len / known);
                    learned = true;
                }
            }
        }
        sizes
    }

    /// Number of elements of a space.
    fn elements(&self, program: &Program, space: &Space) -> Option<usize> {
        counted(program, space)
            .into_iter()
            .map(|l| self.dims[usize::from(l.0)])
            .try_fold(1_usize, |n, dim| dim.map(|d| n.saturating_mul(d)))
    }
}

/// Folds what depends on constants and bound inputs alone, as long as results have no more than `limit` elements, or no more than their arguments.
pub(crate) fn fold(program: &Program, bound: &[(ValueId, &Data)], limit: usize) -> Result<Program> {
    let count = program.nodes().len();
    let sizes = Sizes::new(program, bound);
    let elements = |v: ValueId| sizes.elements(program, &program.ty(v).space);
    let is_source = |node: &Node| node.primitive == prim::CONST || node.primitive == prim::DATA;
    let is_bound = |v: ValueId| bound.iter().any(|(b, _)| *b == v);
    let mut constant = vec![false; count];
    for (k, node) in program.nodes().iter().enumerate() {
        let folds = node.primitive != prim::INPUT
            && dependencies(program, k)
                .iter()
                .all(|v| constant[program.value(*v).node as usize]);
        let whole = node
            .results()
            .all(|r| program.stream_root(&program.ty(r).space).is_none());
        let largest = node
            .args
            .iter()
            .filter_map(|a| elements(*a))
            .max()
            .unwrap_or(0);
        let small = node
            .results()
            .all(|r| elements(r).is_some_and(|n| n <= limit.max(largest)));
        constant[k] = is_source(node) || is_bound(node.first) || (folds && whole && small);
    }
    let is_constant = |v: ValueId| constant[program.value(v).node as usize];

    // Constants that the rest needs.
    let mut frontier = vec![false; program.value_count()];
    for k in (0..count).filter(|k| !constant[*k]) {
        for v in dependencies(program, k)
            .into_iter()
            .filter(|v| is_constant(*v))
        {
            frontier[v.index()] = true;
        }
    }
    for (_, v) in program.outputs() {
        let mut needed = vec![*v];
        structure_of(program, &program.ty(*v).space, &mut needed);
        needed
            .into_iter()
            .filter(|v| is_constant(*v))
            .for_each(|v| frontier[v.index()] = true);
    }
    // A repeated number stays one: kernels read it in place.
    let repeats =
        |node: &Node| node.primitive == prim::SPLAT && program.ty(node.args[0]).space.is_scalar();
    for node in program.nodes().iter().rev().filter(|n| repeats(n)) {
        if frontier[node.first.index()] && is_constant(node.first) {
            frontier[node.args[0].index()] = true;
        }
    }
    let stays =
        |v: ValueId| (is_source(program.node(v)) && !is_bound(v)) || repeats(program.node(v));
    let wanted: Vec<ValueId> = (0..frontier.len())
        .filter(|&k| frontier[k])
        .map(|k| ValueId(k as u32))
        .filter(|v| !stays(*v))
        .collect();
    let values = evaluate(program, &wanted, bound)?;

    let mut out = Program {
        levels: program.levels.clone(),
        ..Program::default()
    };
    if !bound.is_empty() {
        for (level, n) in out.levels.iter_mut().zip(&sizes.dims) {
            if !matches!(level.kind, LevelKind::Ragged { .. }) {
                level.len = *n;
            }
        }
    }
    let mut map = vec![ValueId(u32::MAX); program.value_count()];
    for (k, node) in program.nodes().iter().enumerate() {
        if !constant[k] || (stays(node.first) && frontier[node.first.index()]) {
            copy(program, &mut out, &mut map, k);
            continue;
        }
        for r in node.results().filter(|r| frontier[r.index()]) {
            let Some(position) = wanted.iter().position(|w| *w == r) else {
                continue;
            };
            let ty = program.ty(r);
            let label = program.value(r).label.clone();
            map[r.index()] = match &values[position] {
                Data::F64(d) if ty.space.is_scalar() && d.len() == 1 => {
                    let attrs = Attrs::NONE.with("value", Attr::F64(d[0]));
                    out.push_node(prim::CONST, &[], attrs, &[ty], label.as_ref())
                }
                data => {
                    let attrs = Attrs::to(ty.space).with("data", Attr::Data(data.clone()));
                    let attrs = if ty.dtype == DType::Offsets {
                        attrs.with("dtype", Attr::DType(DType::Offsets))
                    } else {
                        attrs
                    };
                    out.push_node(prim::DATA, &[], attrs, &[ty], label.as_ref())
                }
            };
        }
    }
    for level in &mut out.levels {
        if let LevelKind::Ragged { offsets, .. } = &mut level.kind {
            // Offsets that nothing needs any more leave with their level when the program is pruned.
            let new = map[offsets.index()];
            *offsets = if new.0 == u32::MAX { ValueId(0) } else { new };
        }
    }
    out.inputs = program
        .inputs()
        .iter()
        .filter(|(_, v)| !is_bound(*v))
        .map(|(n, v)| (n.clone(), map[v.index()]))
        .collect();
    out.outputs = program
        .outputs()
        .iter()
        .map(|(n, v)| (n.clone(), map[v.index()]))
        .collect();
    super::prune(&out)
}

fn copy(program: &Program, out: &mut Program, map: &mut [ValueId], k: usize) {
    let node = &program.nodes()[k];
    let first = ValueId(out.values.len() as u32);
    for (i, r) in node.results().enumerate() {
        map[r.index()] = ValueId(first.0 + i as u32);
        out.values.push(Value {
            node: out.nodes.len() as u32,
            ..program.value(r).clone()
        });
    }
    let mut node = node.clone();
    node.first = first;
    node.args.iter_mut().for_each(|a| *a = map[a.index()]);
    out.nodes.push(node);
}

fn evaluate(
    program: &Program,
    wanted: &[ValueId],
    bound: &[(ValueId, &Data)],
) -> Result<Vec<Data>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut part = program.clone();
    part.inputs
        .retain(|(_, v)| bound.iter().any(|(b, _)| b == v));
    part.outputs = wanted
        .iter()
        .map(|v| (Arc::from(format!("{}", v.0)), *v))
        .collect();
    let part = super::prune(&part)?;
    let masks: Vec<Vec<bool>> = bound
        .iter()
        .map(|(_, d)| {
            if let Data::Bool(b) = d {
                b.to_vec()
            } else {
                Vec::new()
            }
        })
        .collect();
    let columns: Vec<Column<'_>> = program
        .inputs()
        .iter()
        .filter_map(|(_, v)| bound.iter().position(|(b, _)| b == v))
        .map(|k| match bound[k].1 {
            Data::F64(d) => Column::F64(d),
            Data::I64(d) if program.ty(bound[k].0).dtype == DType::Offsets => Column::Offsets(d),
            Data::I64(d) => Column::I64(d),
            Data::Bool(_) => Column::Bool(&masks[k]),
        })
        .collect();
    let lowered = Lowered::new(part)?;
    let mut ws = lowered.workspace();
    lowered.run(&mut ws, &Bindings::ordered(&columns))?;
    Ok(wanted
        .iter()
        .enumerate()
        .map(|(k, v)| match program.ty(*v).dtype {
            DType::I64 | DType::Offsets => Data::I64(ws.i64(k).into()),
            DType::Bool => Data::Bool(ws.bool(k).iter().map(|b| *b != 0).collect()),
            _ => Data::F64(ws.f64(k).into()),
        })
        .collect())
}
