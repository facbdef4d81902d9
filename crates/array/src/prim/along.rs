//! What primitives that work along one level share.

use super::sum::reduced;
use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::{Axis, LowerCx};
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::space::{LevelKind, Space};
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
    cx.axis(cx.arg(i).space, over)
        .ok_or_else(|| ill_formed(primitive, "the level is not on the path"))
}
