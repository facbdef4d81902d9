//! Partial evaluation: inputs that are known become constants, and everything that follows from constants is computed once.

use std::sync::Arc;

use crate::attr::{Attr, Attrs, Data};
use crate::error::{Error, Result};
use crate::exec::{Bindings, Column, Lowered, dependencies, structure_of};
use crate::prim;
use crate::program::{Program, Value, ValueId};
use crate::space::LevelKind;
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
    let count = program.nodes().len();
    let mut constant = vec![false; count];
    for (k, node) in program.nodes().iter().enumerate() {
        let source = node.primitive == prim::CONST
            || node.primitive == prim::DATA
            || bound.iter().any(|(v, _)| *v == node.first);
        let folds = node.primitive != prim::INPUT
            && dependencies(program, k)
                .iter()
                .all(|v| constant[program.value(*v).node as usize]);
        let whole = node
            .results()
            .all(|r| program.stream_root(&program.ty(r).space).is_none());
        constant[k] = (source || folds) && whole;
    }
    let is_constant = |v: ValueId| constant[program.value(v).node as usize];

    // Constants that the rest needs.
    let mut frontier = vec![false; program.value_count()];
    for (k, node) in program
        .nodes()
        .iter()
        .enumerate()
        .filter(|(k, _)| !constant[*k])
    {
        let _ = node;
        dependencies(program, k)
            .into_iter()
            .filter(|v| is_constant(*v))
            .for_each(|v| frontier[v.index()] = true);
    }
    for (_, v) in program.outputs() {
        let mut needed = vec![*v];
        structure_of(program, &program.ty(*v).space, &mut needed);
        needed
            .into_iter()
            .filter(|v| is_constant(*v))
            .for_each(|v| frontier[v.index()] = true);
    }
    // A broadcast number stays one: kernels read it in place.
    let is_number = |v: ValueId| {
        let node = program.node(v);
        node.primitive == prim::CONST
            || (node.primitive == prim::SPLAT
                && program.node(node.args[0]).primitive == prim::CONST)
    };
    let wanted: Vec<ValueId> = (0..frontier.len())
        .filter(|&k| frontier[k])
        .map(|k| ValueId(k as u32))
        .filter(|v| !is_number(*v))
        .collect();
    let values = evaluate(program, &wanted, &bound)?;

    let mut out = Program {
        levels: program.levels.clone(),
        ..Program::default()
    };
    let mut map = vec![ValueId(u32::MAX); program.value_count()];
    for (k, node) in program.nodes().iter().enumerate() {
        if constant[k] {
            for r in node.results().filter(|r| frontier[r.index()]) {
                let ty = program.ty(r);
                if is_number(r) {
                    continue;
                }
                if let Some(position) = wanted.iter().position(|w| *w == r) {
                    let attrs =
                        Attrs::to(ty.space).with("data", Attr::Data(values[position].clone()));
                    let attrs = if ty.dtype == DType::Offsets {
                        attrs.with("dtype", Attr::DType(DType::Offsets))
                    } else {
                        attrs
                    };
                    map[r.index()] = out.push_node(
                        prim::DATA,
                        &[],
                        attrs,
                        &[ty],
                        program.value(r).label.as_ref(),
                    );
                }
            }
            if node.results().any(is_number) {
                copy(program, &mut out, &mut map, k);
            }
            continue;
        }
        copy(program, &mut out, &mut map, k);
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
        .filter(|(_, v)| !bound.iter().any(|(b, _)| b == v))
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
