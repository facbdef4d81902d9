//! How the levels of a region correspond to those around it, and lanes.

use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::space::{LevelId, LevelKind, Space};
use crate::transform::LaneCall;
use crate::ty::Type;

/// How a region sits in the program around it.
#[derive(Debug)]
pub struct Signature {
    /// Outer levels that the region does not see.
    pub lanes: Space,
    /// The level around for each level of the region that its inputs have.
    levels: Vec<Option<LevelId>>,
    /// Which arguments have the lanes.
    pub laned: Vec<bool>,
}

impl Signature {
    /// Matches types inside the region with those of arguments.
    pub fn new(
        primitive: &'static str,
        around: &Program,
        body: &Program,
        pairs: &[(Type, Type)],
    ) -> Result<Self> {
        let mut lanes = Space::SCALAR;
        let mut levels: Vec<Option<LevelId>> = vec![None; body.levels().len()];
        let mut laned = Vec::new();
        for (index, (inner, outer)) in pairs.iter().enumerate() {
            if inner.dtype != outer.dtype {
                return Err(Error::DType {
                    primitive,
                    index,
                    found: outer.dtype.to_string(),
                    expected: inner.dtype.to_string(),
                });
            }
            let misfit = || {
                let (left, right) = (
                    around.space_name(&outer.space),
                    body.space_name(&inner.space),
                );
                ill_formed(
                    primitive,
                    format!("argument {index} lives in [{left}], its region expects [{right}]"),
                )
            };
            let more = outer
                .space
                .depth()
                .checked_sub(inner.space.depth())
                .ok_or_else(misfit)?;
            if more > 0 && lanes.is_scalar() {
                lanes = outer.space.prefix(more);
            }
            if more > 0 && outer.space.prefix(more) != lanes {
                return Err(misfit());
            }
            laned.push(more > 0);
            for (i, o) in inner.space.iter().zip(outer.space.iter().skip(more)) {
                let (within, outside) = (body.level(i), around.level(o));
                let fits = !matches!(within.kind, LevelKind::Ragged { .. })
                    && matches!(outside.kind, LevelKind::Dense | LevelKind::Batch)
                    && within.len.zip(outside.len).is_none_or(|(a, b)| a == b);
                let known = levels[usize::from(i.0)].get_or_insert(o);
                if !fits || *known != o {
                    return Err(misfit());
                }
            }
        }
        Ok(Self {
            lanes,
            levels,
            laned,
        })
    }

    /// The type around that a type inside the region has.
    pub fn outer(&self, primitive: &'static str, body: &Program, ty: Type) -> Result<Type> {
        let mut path: Vec<LevelId> = self.lanes.iter().collect();
        for level in ty.space.iter() {
            path.push(self.levels[usize::from(level.0)].ok_or_else(|| {
                ill_formed(
                    primitive,
                    format!(
                        "the region returns a value in level `{}`, which none of its arguments has",
                        body.level(level).name
                    ),
                )
            })?);
        }
        let space =
            Space::from_levels(&path).ok_or_else(|| ill_formed(primitive, "too many levels"))?;
        Ok(Type::new(ty.dtype, space))
    }
}

/// The arguments of a node with new lanes: those that are the same for all lanes, old and new, stay as they are, the others get both.
pub fn lane_arguments<'b>(
    cx: &'b Builder,
    call: &LaneCall<'_, 'b>,
    inner: &[Type],
) -> Result<Vec<Sym<'b>>> {
    let own = |i: usize| {
        call.args[i]
            .space()
            .depth()
            .saturating_sub(usize::from(call.lanes[i]) + inner[i].space.depth())
    };
    let old = (0..call.args.len()).map(|i| (own(i), i)).max();
    let old: Vec<LevelId> = old.map_or_else(Vec::new, |(n, i)| {
        call.args[i]
            .space()
            .iter()
            .skip(usize::from(call.lanes[i]))
            .take(n)
            .collect()
    });
    (0..call.args.len())
        .map(|i| {
            let arg = call.args[i];
            if !call.lanes[i] && own(i) == 0 {
                return Ok(arg);
            }
            let suffix = arg.space().depth() - inner[i].space.depth();
            let path: Vec<LevelId> = std::iter::once(call.level)
                .chain(old.iter().copied())
                .chain(arg.space().iter().skip(suffix))
                .collect();
            let space =
                Space::from_levels(&path).ok_or_else(|| ill_formed("vmap", "too many levels"))?;
            Ok(cx.broadcast(arg, space))
        })
        .collect()
}

/// Sums a cotangent over the lanes that its argument does not have.
pub fn without_lanes(cotangent: Sym<'_>, lanes: Space, laned: bool) -> Sym<'_> {
    if laned {
        return cotangent;
    }
    lanes.iter().rev().fold(cotangent, |c, level| {
        if c.space().contains(level) {
            c.sum(level)
        } else {
            c
        }
    })
}
