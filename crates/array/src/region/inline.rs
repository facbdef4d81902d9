//! Regions as pieces of other programs.

use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::transform::replay;
use crate::ty::Type;

use super::record::mirrored;

/// Records the nodes of a region in `b`, with `args` as its inputs, and returns its results. Levels of the inputs are those of the arguments.
///
/// # Errors
/// Another number of arguments than inputs, an argument in another number of levels, a node that is ill-formed with them.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Builder, Space, region};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let body = region::region(Space::SCALAR, &[x], |_, v| v[0].exp() * v[0])?;
/// let y = region::inline(&b, &body, &[x])?[0];
/// assert_eq!(b.finish(&[("y", y)])?.nodes().len(), 3); // x, exp, mul
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn inline<'b>(b: &'b Builder, body: &Program, args: &[Sym<'b>]) -> Result<Vec<Sym<'b>>> {
    if args.len() != body.inputs().len() {
        return Err(ill_formed(
            "region",
            format!(
                "{} arguments for {} inputs",
                args.len(),
                body.inputs().len()
            ),
        ));
    }
    let mut levels = vec![None; body.levels().len()];
    for ((_, value), arg) in body.inputs().iter().zip(args) {
        let (inner, outer) = (body.ty(*value).space, arg.space());
        if inner.depth() != outer.depth() {
            return Err(ill_formed(
                "region",
                "an argument has other levels than its input",
            ));
        }
        for (i, o) in inner.iter().zip(outer.iter()) {
            levels[usize::from(i.0)] = Some(o);
        }
    }
    let position = |v| body.inputs().iter().position(|(_, i)| *i == v);
    let values = replay(b, body, &mut levels, |_, v| {
        position(v).and_then(|k| args.get(k)).copied()
    })?;
    Ok(body
        .outputs()
        .iter()
        .map(|(_, v)| values[v.index()])
        .collect())
}

/// A region made from others: `f` gets inputs of the given `types`, whose levels are those of `like`, and returns the results.
///
/// # Errors
/// What recording may return.
pub(crate) fn composed(
    like: &Program,
    types: &[Type],
    f: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Result<Vec<Sym<'r>>>,
) -> Result<Program> {
    let (b, types) = mirrored(like, types);
    let inputs: Vec<Sym<'_>> = types
        .iter()
        .enumerate()
        .map(|(k, ty)| b.input_of(&format!("a{k}"), *ty))
        .collect();
    let results = f(&b, &inputs)?;
    let named = results
        .into_iter()
        .enumerate()
        .map(|(k, s)| (format!("r{k}").into(), b.id(s)))
        .collect();
    b.finish_ids(named)
}

/// The region with its inputs in another order: input k is the old input `order[k]`.
///
/// # Errors
/// What recording may return.
pub(crate) fn rearranged(body: &Program, order: &[usize]) -> Result<Program> {
    let types: Vec<Type> = order.iter().map(|k| body.ty(body.inputs()[*k].1)).collect();
    composed(body, &types, |b, inputs| {
        let mut args = vec![Sym::from(f64::NAN); order.len()];
        for (new, old) in inputs.iter().zip(order) {
            args[*old] = *new;
        }
        inline(b, body, &args)
    })
}
