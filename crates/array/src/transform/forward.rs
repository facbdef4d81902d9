//! Forward mode: tangents beside values.

use std::sync::Arc;

use super::names;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::dependencies;
use crate::prim::custom::reverse_only;
use crate::primitive::{Call, Nature};
use crate::program::{Node, Program, ValueId};
use crate::ty::DType;

/// Tangents of the values of a program.
pub(crate) type Tangents<'b> = Vec<Option<Sym<'b>>>;

/// Pushes tangents through the nodes of `program` (which `b` resumed) in order. `wanted` says which nodes matter.
pub(crate) fn push_forward<'b>(
    b: &'b Builder,
    program: &Program,
    tangents: &mut Tangents<'b>,
    wanted: &[bool],
) -> Result<()> {
    push_forward_with(b, program, tangents, wanted, |_, _| None)
}

/// [`push_forward`] with another rule for some nodes: `rule` returns the tangent of the (only) result where it has one to say.
pub(crate) fn push_forward_with<'b>(
    b: &'b Builder,
    program: &Program,
    tangents: &mut Tangents<'b>,
    wanted: &[bool],
    rule: impl Fn(&Node, &Tangents<'b>) -> Option<Option<Sym<'b>>>,
) -> Result<()> {
    for (k, node) in program.nodes().iter().enumerate() {
        if let Some(tangent) = wanted[k].then(|| rule(node, tangents)).flatten() {
            tangents[node.first.index()] = tangent;
            continue;
        }
        if !wanted[k] || !node.args.iter().any(|a| tangents[a.index()].is_some()) {
            continue;
        }
        let given: Vec<Option<Sym<'b>>> = node.args.iter().map(|a| tangents[a.index()]).collect();
        let made = push_through(b, node, &given)?;
        for (result, tangent) in node.results().zip(made) {
            tangents[result.index()] = tangent;
        }
    }
    Ok(())
}

/// Tangents of the results of one node that `b` holds, from those of its arguments.
pub(super) fn push_through<'b>(
    b: &'b Builder,
    node: &Node,
    given: &[Option<Sym<'b>>],
) -> Result<Vec<Option<Sym<'b>>>> {
    if node.primitive.nature() == Nature::Structure {
        return Ok(vec![None; node.outputs as usize]);
    }
    let args: Vec<Sym<'b>> = node.args.iter().map(|&a| b.sym(a)).collect();
    let outs: Vec<Sym<'b>> = node.results().map(|r| b.sym(r)).collect();
    let call = Call {
        primitive: node.primitive,
        args: &args,
        outs: &outs,
        attrs: &node.attrs,
    };
    let label = b.with_program(|p| p.value(node.first).label.clone());
    let results = b.labelled(label, || node.primitive.jvp(b, &call, given))?;
    if let Some(error) = b.failure() {
        return Err(error);
    }
    let wide = |(out, t): (&Sym<'b>, Option<Sym<'b>>)| t.map(|t| b.broadcast(t, out.space()));
    Ok(outs.iter().zip(results).map(wide).collect())
}

/// Which nodes the given values depend on.
pub(crate) fn upstream(program: &Program, values: impl Iterator<Item = ValueId>) -> Vec<bool> {
    let mut wanted = vec![false; program.nodes().len()];
    let mut todo: Vec<u32> = values.map(|v| program.value(v).node).collect();
    while let Some(k) = todo.pop() {
        if !std::mem::replace(&mut wanted[k as usize], true) {
            todo.extend(
                program.nodes()[k as usize]
                    .args
                    .iter()
                    .map(|a| program.value(*a).node),
            );
        }
    }
    wanted
}

/// Nodes that values depend on, through their arguments and through the structure of their spaces.
pub(crate) fn upstream_with_structure(
    program: &Program,
    values: impl Iterator<Item = ValueId>,
) -> Vec<bool> {
    let mut wanted = vec![false; program.nodes().len()];
    let mut todo: Vec<ValueId> = values.collect();
    let mut offsets = Vec::new();
    for v in &todo {
        crate::exec::structure_of(program, &program.ty(*v).space, &mut offsets);
    }
    todo.extend(offsets);
    while let Some(v) = todo.pop() {
        let k = program.value(v).node as usize;
        if !std::mem::replace(&mut wanted[k], true) {
            todo.extend(dependencies(program, k));
        }
    }
    wanted
}

/// The input of that name, which must be `f64`.
pub(crate) fn differentiable_input(program: &Program, name: &str) -> Result<ValueId> {
    let id = program.find_input(name).ok_or_else(|| Error::Unknown {
        kind: "input",
        name: name.into(),
        known: program
            .inputs()
            .iter()
            .map(|(n, _)| n.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    if program.ty(id).dtype != DType::F64 {
        return Err(Error::DType {
            primitive: "input",
            index: 0,
            found: program.ty(id).dtype.to_string(),
            expected: "f64 to differentiate".into(),
        });
    }
    Ok(id)
}

/// The program with tangents: for each input `x` of `wrt` one more input `d_x`, for each `f64` output `y` one more output `d_y` (`d2_x`, `d2_y` where one of these
/// names is [taken](super)).
///
/// # Differentiability
/// Pathwise, at frozen selection: what a cut, a bin or an order decides stays as it is. [`crate::explain`] names the decisions that move and counts the elements
/// near switching; [`jvp_total`](super::jvp_total) adds their surface terms.
///
/// # Errors
/// An unknown input, or a primitive without a JVP rule on the way.
///
/// # Example
/// ```
/// use pullback_array::{Builder, Lowered, Bindings, transform};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let n = b.dense("n");
/// let x = b.input("x", n);
/// let y = x.exp() * x;
/// let program = b.finish(&[("y", y)]).unwrap();
/// let derivative = transform::jvp(&program, &["x"]).unwrap();
/// let lowered = Lowered::new(derivative).unwrap();
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.0, 1.0]).into(), (&[1.0, 1.0]).into()])).unwrap();
/// assert_eq!(ws.f64(1)[0], 1.0); // d(x eˣ) = (1 + x) eˣ
/// assert!((ws.f64(1)[1] - 2.0 * 1f64.exp()).abs() < 1e-14);
/// ```
pub fn jvp(program: &Program, wrt: &[&str]) -> Result<Program> {
    let tangents = tangents_of(program, wrt)?;
    match reverse_only(&tangents) {
        Some(error) => Err(error),
        None => Ok(tangents),
    }
}

/// [`jvp`] of a part that may wait for its transpose: tangents without a value stay in it.
pub(crate) fn tangents_of(program: &Program, wrt: &[&str]) -> Result<Program> {
    let word = names::of_tangents(program, wrt)?;
    let b = Builder::resume(program);
    let mut tangents: Tangents<'_> = vec![None; program.value_count()];
    for name in wrt {
        let id = differentiable_input(program, name)?;
        tangents[id.index()] = Some(b.input_of(&format!("{word}_{name}"), program.ty(id)));
    }
    let wanted = upstream(program, program.outputs().iter().map(|(_, v)| *v));
    push_forward(&b, program, &mut tangents, &wanted)?;
    let mut outputs = program.outputs().to_vec();
    for (name, value) in program.outputs() {
        if program.ty(*value).dtype == DType::F64 {
            let tangent = tangents[value.index()]
                .unwrap_or_else(|| b.broadcast(Sym::from(0.0), program.ty(*value).space));
            let tangent = if tangent.value_id().is_some() {
                tangent
            } else {
                b.sym(b.id(tangent))
            };
            outputs.push((Arc::from(format!("{word}_{name}")), b.id(tangent)));
        }
    }
    drop(tangents);
    super::prune(&b.finish_ids(outputs)?)
}
