//! Recording a region, and what it holds.

use std::sync::Arc;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::Type;

/// Name of the parameter that holds a region.
pub const BODY: &str = "body";

/// The region among the parameters of a node.
///
/// # Errors
/// There is none.
pub fn body<'a>(primitive: &'static str, attrs: &'a Attrs) -> Result<&'a Arc<Program>> {
    attrs
        .program(BODY)
        .ok_or_else(|| ill_formed(primitive, "expects a sub-program `body`"))
}

/// Records a region: `f` gets its inputs, one for each of `args` and of the same type, and returns its result.
///
/// `lanes` is the common beginning of the arguments' paths that the region does not see (one problem per element of it); [`Space::SCALAR`] for a single
/// problem. The arguments themselves become arguments of the node that holds the region, in the same order.
///
/// # Errors
/// An argument in a stream or in a ragged level below `lanes`; what recording may return.
///
/// # Example
/// ```
/// use pullback_array::{Builder, Space};
/// use pullback_array::region::region;
/// let b = Builder::new();
/// let n = b.dense("n");
/// let (x, c) = (b.input("x", n), b.input("c", n));
/// let distance = region(Space::SCALAR, &[x, c], |_, v| (v[0] - v[1]).square().sum_all())?;
/// assert_eq!((distance.inputs().len(), distance.outputs().len()), (2, 1));
/// # use pullback_ad::Real;
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn region<'o>(
    lanes: Space,
    args: &[Sym<'o>],
    f: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Sym<'r>,
) -> Result<Arc<Program>> {
    region_of(lanes, None, args, |b, inputs| vec![f(b, inputs)])
}

/// [`region`] with several results r0, r1, …; the region sees neither the `lanes` nor the level `rows` of its arguments.
///
/// # Errors
/// As for [`region`].
pub(crate) fn region_of<'o>(
    lanes: Space,
    rows: Option<LevelId>,
    args: &[Sym<'o>],
    f: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Vec<Sym<'r>>,
) -> Result<Arc<Program>> {
    let b = Builder::new();
    let mut known: Vec<(LevelId, LevelId)> = Vec::new();
    let mut types = Vec::new();
    for arg in args {
        let mut space = arg.space();
        if let Some(k) = rows.and_then(|l| space.position(l)) {
            space = space.without(k);
        }
        let own = if space.prefix(lanes.depth()) == lanes {
            space.iter().skip(lanes.depth()).collect()
        } else {
            space.iter().collect::<Vec<_>>()
        };
        let mut inner = Space::SCALAR;
        for outer in own {
            let level = if let Some((_, level)) = known.iter().find(|(o, _)| *o == outer) {
                *level
            } else {
                let level = mirror(arg.builder(), &b, outer)?;
                known.push((outer, level));
                level
            };
            inner = inner.child(level).unwrap_or(inner);
        }
        types.push(Type::new(arg.dtype(), inner));
    }
    let inputs: Vec<Sym<'_>> = types
        .iter()
        .enumerate()
        .map(|(k, ty)| b.input_of(&format!("a{k}"), *ty))
        .collect();
    let results = f(&b, &inputs);
    let named = results
        .into_iter()
        .enumerate()
        .map(|(k, s)| (format!("r{k}").into(), b.id(s)))
        .collect();
    drop(inputs);
    Ok(Arc::new(b.finish_ids(named)?))
}

/// Declares a level like `outer` in a region.
fn mirror(around: Option<&Builder>, b: &Builder, outer: LevelId) -> Result<LevelId> {
    let level = around.map(|o| o.with_program(|p| p.level(outer).clone()));
    match level {
        Some(level) if matches!(level.kind, LevelKind::Dense | LevelKind::Batch) => {
            Ok(b.level(&level.name, LevelKind::Dense, level.len))
        }
        Some(level) => Err(ill_formed(
            "region",
            format!(
                "level `{}` is a stream or ragged; sum over it before, or name it among the lanes",
                level.name
            ),
        )),
        None => Err(ill_formed("region", "an argument belongs to no program")),
    }
}

/// A new builder with the levels of a region's inputs, and the types of these inputs there.
pub fn mirrored(body: &Program, types: &[Type]) -> (Builder, Vec<Type>) {
    let b = Builder::new();
    let mut known: Vec<Option<LevelId>> = vec![None; body.levels().len()];
    let types = types
        .iter()
        .map(|ty| {
            let space = ty.space.map(|l| {
                *known[usize::from(l.0)].get_or_insert_with(|| {
                    let level = body.level(l);
                    b.level(&level.name, LevelKind::Dense, level.len)
                })
            });
            Type::new(ty.dtype, space)
        })
        .collect();
    (b, types)
}

/// Types of a region's inputs.
pub fn input_types(body: &Program) -> Vec<Type> {
    body.inputs().iter().map(|(_, v)| body.ty(*v)).collect()
}

/// Types of a region's results.
pub fn output_types(body: &Program) -> Vec<Type> {
    body.outputs().iter().map(|(_, v)| body.ty(*v)).collect()
}
