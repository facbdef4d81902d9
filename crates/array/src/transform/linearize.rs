//! A program cut in two: values and what the derivative remembers of them; and the derivative, linear in tangents.

use std::sync::Arc;

use super::{jvp, names, prune};
use crate::attr::{Attr, Attrs};
use crate::error::Result;
use crate::exec::{dependencies, structure_of};
use crate::prim;
use crate::program::{Program, Value, ValueId};
use crate::space::{LevelKind, Space};
use crate::ty::{DType, Type};

/// A program linearised at a point that is given when it runs.
#[derive(Debug, Clone)]
pub struct Linearized {
    /// The outputs of the program, then residuals `res_0`, `res_1`, … (`res2_0`, … where one of these names is [taken](super)): what the linear part needs.
    pub value: Program,
    /// Inputs are the residuals and a tangent `d_x` for each input; outputs are the tangents `d_y`: the names of [`jvp`].
    pub linear: Program,
    /// Number of residuals.
    pub residuals: usize,
}

/// Linearises a program in the inputs `wrt`: the first program runs once at a point, the second one for each direction.
///
/// ```text
/// (y, r) = value(x),   dy = linear(r, dx),   dy = J(x) dx
/// ```
///
/// Residuals are columns of doubles and inputs. Structure (masks, indices, offsets) and columns in ragged levels that the program itself makes are computed
/// again in the linear part: indices count within a block and mean nothing outside it.
///
/// # Errors
/// As for [`jvp`].
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let program = b.finish(&[("y", x.sin().exp())])?;
/// let cut = transform::linearize(&program, &["x"])?;
/// let value = Lowered::new(cut.value)?;
/// let mut ws = value.workspace();
/// value.run(&mut ws, &Bindings::ordered(&[(&[0.0, 1.0]).into()]))?;
/// let residuals: Vec<Vec<f64>> = (0..cut.residuals).map(|k| ws.f64(1 + k).to_vec()).collect();
/// let linear = Lowered::new(cut.linear)?;
/// let mut again = linear.workspace();
/// for direction in [[1.0, 0.0], [0.0, 1.0]] {
///     let mut columns: Vec<_> = residuals.iter().map(Into::into).collect();
///     columns.push((&direction).into());
///     linear.run(&mut again, &Bindings::ordered(&columns))?;
///     assert_eq!(again.f64(0)[0], direction[0]);
/// }
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn linearize(program: &Program, wrt: &[&str]) -> Result<Linearized> {
    let whole = jvp(program, wrt)?;
    let border = (program.inputs().len(), program.outputs().len());
    let linear = carried(&whole, border.0);
    let (kept, residuals) = frontier(&whole, border, &linear);
    let mut value = whole.clone();
    value.inputs.truncate(program.inputs().len());
    value.outputs.truncate(program.outputs().len());
    let numbers: Vec<String> = (0..residuals.len()).map(|k| k.to_string()).collect();
    let word = names::fresh(program, "res", &[], &numbers)?;
    let names: Vec<Arc<str>> = numbers
        .iter()
        .map(|k| format!("{word}_{k}").into())
        .collect();
    let named = names.iter().cloned().zip(residuals.iter().copied());
    value.outputs.extend(named);
    Ok(Linearized {
        value: prune(&value)?,
        linear: rest(&whole, border, &kept, &residuals, &names)?,
        residuals: residuals.len(),
    })
}

/// Which values depend on tangents: on inputs from number `first` on.
fn carried(whole: &Program, first: usize) -> Vec<bool> {
    let mut linear = vec![false; whole.value_count()];
    for (_, v) in &whole.inputs()[first..] {
        linear[v.index()] = true;
    }
    for node in whole.nodes() {
        if node.args.iter().any(|a| linear[a.index()]) {
            node.results().for_each(|r| linear[r.index()] = true);
        }
    }
    linear
}

/// Whether a value can cross from one program to another as a column.
fn crosses(program: &Program, v: ValueId) -> bool {
    let node = program.node(v);
    let made = |space: &Space| {
        space.iter().any(|l| match program.level(l).kind {
            LevelKind::Ragged { offsets, .. } => program.node(offsets).primitive != prim::INPUT,
            _ => false,
        })
    };
    let ty = program.ty(v);
    node.primitive == prim::INPUT || (ty.dtype == DType::F64 && !made(&ty.space))
}

/// The nodes of the linear part, what it computes again included, and the values that it is given.
fn frontier(
    whole: &Program,
    (inputs, outputs): (usize, usize),
    linear: &[bool],
) -> (Vec<bool>, Vec<ValueId>) {
    let mut kept = vec![false; whole.nodes().len()];
    let mut given = vec![false; whole.value_count()];
    let (directions, tangents) = (&whole.inputs()[inputs..], &whole.outputs()[outputs..]);
    let moving = tangents.iter().map(|(_, v)| *v);
    let mut todo: Vec<ValueId> = moving.filter(|v| linear[v.index()]).collect();
    // Levels of what goes in and comes out, also of directions that lead nowhere and of derivatives that are zero.
    for (_, v) in directions.iter().chain(tangents) {
        structure_of(whole, &whole.ty(*v).space, &mut todo);
    }
    while let Some(v) = todo.pop() {
        let node = whole.value(v).node as usize;
        let constant =
            whole.nodes()[node].args.is_empty() && whole.nodes()[node].primitive != prim::INPUT;
        if !linear[v.index()] && !constant && crosses(whole, v) {
            if !std::mem::replace(&mut given[v.index()], true) {
                structure_of(whole, &whole.ty(v).space, &mut todo);
            }
        } else if !std::mem::replace(&mut kept[node], true) {
            todo.extend(dependencies(whole, node));
        }
    }
    let mut residuals: Vec<ValueId> = (0..whole.value_count() as u32)
        .map(ValueId)
        .filter(|v| given[v.index()])
        .collect();
    // Offsets describe the levels of the others.
    residuals.sort_by_key(|v| (whole.ty(*v).dtype != DType::Offsets, v.0));
    (kept, residuals)
}

/// The linear part as a program.
fn rest(
    whole: &Program,
    (inputs, outputs): (usize, usize),
    kept: &[bool],
    residuals: &[ValueId],
    names: &[Arc<str>],
) -> Result<Program> {
    let mut out = Program {
        levels: whole.levels.clone(),
        ..Program::default()
    };
    let mut map = vec![ValueId(u32::MAX); whole.value_count()];
    let input = |out: &mut Program, name: Arc<str>, ty: Type, old: &Value| {
        let attrs = Attrs::NONE
            .with("name", Attr::Str(name.clone()))
            .with("dtype", Attr::DType(ty.dtype))
            .with("to", Attr::Space(ty.space));
        let label = old.label.clone().unwrap_or_else(|| name.clone());
        let v = out.push_node(prim::INPUT, &[], attrs, &[ty], Some(&label));
        out.inputs.push((name, v));
        v
    };
    for (name, v) in names.iter().zip(residuals) {
        map[v.index()] = input(&mut out, name.clone(), whole.ty(*v), whole.value(*v));
    }
    for (name, v) in &whole.inputs()[inputs..] {
        map[v.index()] = input(&mut out, name.clone(), whole.ty(*v), whole.value(*v));
    }
    for (k, node) in whole.nodes().iter().enumerate().filter(|(k, _)| kept[*k]) {
        if node.primitive == prim::INPUT {
            continue;
        }
        let first = ValueId(out.values.len() as u32);
        for (i, r) in node.results().enumerate() {
            // Results of a node with several may be given and computed both: what is given counts.
            if map[r.index()].0 == u32::MAX {
                map[r.index()] = ValueId(first.0 + i as u32);
            }
            out.values.push(Value {
                node: out.nodes.len() as u32,
                ..whole.value(r).clone()
            });
        }
        let mut copy = node.clone();
        copy.first = first;
        copy.args.iter_mut().for_each(|a| *a = map[a.index()]);
        out.nodes.push(copy);
        debug_assert!(kept[k]);
    }
    for (name, v) in &whole.outputs()[outputs..] {
        let mut new = map[v.index()];
        if new.0 == u32::MAX {
            // A derivative that is zero in all directions.
            new = zeros(&mut out, whole.ty(*v));
        }
        out.outputs.push((name.clone(), new));
    }
    describe(&mut out, &map)?;
    prune(&out)
}

/// Ragged levels get the offsets of the linear part. One that nothing lives in has none, and goes when the program is pruned.
fn describe(out: &mut Program, map: &[ValueId]) -> Result<()> {
    let mut used = vec![false; out.levels.len()];
    for space in out.values.iter().map(|v| v.ty.space) {
        space.iter().for_each(|l| used[usize::from(l.0)] = true);
    }
    for (level, used) in out.levels.iter_mut().zip(used) {
        if let LevelKind::Ragged { offsets, .. } = &mut level.kind {
            let new = map[offsets.index()];
            if used && new.0 == u32::MAX {
                return Err(crate::primitive::ill_formed(
                    "linearize",
                    format!(
                        "nothing describes level `{}` in the linear part",
                        level.name
                    ),
                ));
            }
            *offsets = if used { new } else { ValueId(0) };
        }
    }
    Ok(())
}

fn zeros(out: &mut Program, ty: Type) -> ValueId {
    let scalar = Type::f64(Space::SCALAR);
    let attrs = Attrs::NONE.with("value", Attr::F64(0.0));
    let zero = out.push_node(prim::CONST, &[], attrs, &[scalar], None);
    if ty.space.is_scalar() {
        return zero;
    }
    out.push_node(prim::SPLAT, &[zero], Attrs::to(ty.space), &[ty], None)
}
