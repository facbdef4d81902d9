//! Whether any element, or all, or how many elements of a mask hold along one level.

use super::along::axis;
use super::sum::reduced;
use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx, Monoid};
use crate::primitive::{Nature, Primitive, PrimitiveRef};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::LevelId;
use crate::ty::{DType, Type};

/// A reduction of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantify {
    /// At least one holds.
    Any,
    /// All hold.
    All,
    /// How many hold.
    Count,
}

impl Quantify {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Any, Self::All, Self::Count];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Any => PrimitiveRef(&Self::Any),
            Self::All => PrimitiveRef(&Self::All),
            Self::Count => PrimitiveRef(&Self::Count),
        }
    }
}

/// Elements of the mask that fall on each element of the result.
fn visit(io: &Io<'_>, axis: &crate::exec::Axis, mut f: impl FnMut(usize, u8)) {
    let (segments, mask) = (io.segments(axis), io.arg::<u8>(0));
    let inner = segments.inner;
    for s in 0..segments.count {
        let (a, b) = segments.range(s);
        for row in mask[a * inner..b * inner].chunks_exact(inner.max(1)) {
            for (j, m) in row.iter().enumerate() {
                f(s * inner + j, *m);
            }
        }
    }
}

impl Primitive for Quantify {
    fn name(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
            Self::Count => "count",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Any => "Whether the mask holds for at least one element along the level `over`.",
            Self::All => "Whether the mask holds for all elements along the level `over`.",
            Self::Count => "For how many elements along the level `over` the mask holds.",
        }
    }

    fn convention(&self) -> &'static str {
        "An empty segment gives false (`any`), true (`all`), 0 (`count`). No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let dtype = if *self == Self::Count {
            DType::I64
        } else {
            DType::Bool
        };
        reduced(self.name(), program, args, attrs, DType::Bool)
            .map(|space| vec![Type::new(dtype, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let axis = axis(self.name(), cx, 0)?;
        Ok(match self {
            Self::Any => Kernel::Accumulate(
                Monoid::Or,
                Box::new(move |io: &Io<'_>| {
                    let out = io.out::<u8>(0);
                    visit(io, &axis, |k, m| out[k] |= m);
                    Ok(())
                }),
            ),
            Self::All => Kernel::Accumulate(
                Monoid::And,
                Box::new(move |io: &Io<'_>| {
                    let out = io.out::<u8>(0);
                    visit(io, &axis, |k, m| out[k] &= m);
                    Ok(())
                }),
            ),
            Self::Count => Kernel::Accumulate(
                Monoid::Add,
                Box::new(move |io: &Io<'_>| {
                    let out = io.out::<i64>(0);
                    visit(io, &axis, |k, m| out[k] += i64::from(m));
                    Ok(())
                }),
            ),
        })
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let expected = match op {
            Self::Any => [0.0, 1.0, 1.0, 0.0],
            Self::All => [1.0, 0.0, 1.0, 0.0],
            Self::Count => [0.0, 1.0, 2.0, 0.0],
        };
        vec![Sample::special(
            "empty, some, all, none",
            &expected,
            move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 0, 2, 4, 5]);
                let mask = s.bool("mask", muons, &[false, true, true, true, false]);
                s.b.push(
                    op.primitive(),
                    &[mask],
                    Attrs::over(muons.last().unwrap_or(LevelId(0))),
                )
                .first(&s.b)
            },
        )]
    }
}
