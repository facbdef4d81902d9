//! What primitives that work along one level share.

use super::sum::reduced;
use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::{Axis, LowerCx};
use crate::primitive::{PrimitiveRef, ill_formed};
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// The path without the level `over`, for an operation that must see a whole segment at once: refuses a stream, whose elements come block by block.
pub(crate) fn within(
    primitive: &'static str,
    program: &Program,
    args: &[Type],
    attrs: &Attrs,
    dtype: DType,
) -> Result<Space> {
    let space = reduced(primitive, program, args, attrs, dtype)?;
    if let Some(level) = attrs
        .level("over")
        .map(|l| program.level(l))
        .filter(|l| l.kind == LevelKind::Stream)
    {
        return Err(ill_formed(
            primitive,
            format!(
                "level `{}` is a stream, of which one block is seen at a time; use a sum, a maximum or a minimum over it",
                level.name
            ),
        ));
    }
    Ok(space)
}

/// The axis of argument `i` at the level `over`.
pub(crate) fn axis(primitive: &'static str, cx: &LowerCx<'_>, i: usize) -> Result<Axis> {
    let Some(over) = cx.attrs().level("over") else {
        return Err(ill_formed(primitive, "expects a level `over`"));
    };
    axis_of(primitive, cx, cx.arg(i).space, over)
}

/// The axis of a path at a level.
pub(crate) fn axis_of(
    primitive: &'static str,
    cx: &LowerCx<'_>,
    space: Space,
    over: LevelId,
) -> Result<Axis> {
    cx.axis(space, over)
        .ok_or_else(|| ill_formed(primitive, "the level is not on the path"))
}

/// Checks that `to` is `parent` with one ragged level whose offsets `maker` makes.
pub(crate) fn expect_structure(
    primitive: &'static str,
    program: &Program,
    to: Space,
    parent: Space,
    maker: PrimitiveRef,
) -> Result<()> {
    let level = to.last().map(|l| program.level(l).kind);
    match level {
        Some(LevelKind::Ragged { parent: p, offsets })
            if p == parent
                && to.prefix(parent.depth()) == parent
                && program.node(offsets).primitive == maker =>
        {
            Ok(())
        }
        _ => Err(ill_formed(
            primitive,
            format!(
                "`to` is [{}], expected [{}] and a level made by `{}`",
                program.space_name(&to),
                program.space_name(&parent),
                maker.name()
            ),
        )),
    }
}

/// Checks that each ragged level of a path stands below its parent.
pub(crate) fn expect_parents(primitive: &'static str, program: &Program, to: Space) -> Result<()> {
    for (k, level) in to.iter().enumerate() {
        if let LevelKind::Ragged { parent, .. } = program.level(level).kind
            && !parent.broadcasts_to(&to.prefix(k))
        {
            let name = &program.level(level).name;
            return Err(ill_formed(
                primitive,
                format!(
                    "level `{name}` of [{}] does not stand below its parent",
                    program.space_name(&to)
                ),
            ));
        }
    }
    Ok(())
}

/// The ragged level that an offsets value describes.
pub(crate) fn described(program: &Program, offsets: ValueId) -> Option<LevelId> {
    let of = |kind| matches!(kind, LevelKind::Ragged { offsets: o, .. } if o == offsets);
    let k = program.levels().iter().position(|l| of(l.kind))?;
    Some(LevelId(k as u16))
}
