//! Two linear maps of square matrices, each the transpose of the other: what is below the diagonal onto both triangles, and both triangles below.

use super::matrix::{Square, doubles, square};
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::Type;

/// A map of square matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triangle {
    /// The symmetric matrix with a given lower triangle.
    Mirror,
    /// The sum of both triangles, below.
    Fold,
}

impl Triangle {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mirror, Self::Fold];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Mirror => PrimitiveRef(&Self::Mirror),
            Self::Fold => PrimitiveRef(&Self::Fold),
        }
    }

    /// Records it.
    pub(crate) fn record<'b>(self, cx: &'b Builder, a: Sym<'b>) -> Sym<'b> {
        cx.push(self.primitive(), &[a], Attrs::NONE).first(cx)
    }

    fn other(self) -> Self {
        match self {
            Self::Mirror => Self::Fold,
            Self::Fold => Self::Mirror,
        }
    }
}

impl Primitive for Triangle {
    fn name(&self) -> &'static str {
        match self {
            Self::Mirror => "mirror_triangle",
            Self::Fold => "fold_triangle",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Mirror => {
                "The symmetric matrix with the lower triangle of a matrix in the last two levels: out[i, j] = a[max(i, j), min(i, j)]."
            }
            Self::Fold => {
                "Both triangles of a matrix in the last two levels, added onto the lower one: out[i, j] = a[i, j] + a[j, i] for i > j, a[i, i] on the diagonal, 0 above."
            }
        }
    }

    fn convention(&self) -> &'static str {
        match self {
            Self::Mirror => "What stands above the diagonal is not read.",
            Self::Fold => "The diagonal counts once.",
        }
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        doubles(self.name(), args, 1)?;
        square(self.name(), program, args[0].space)?;
        Ok(vec![args[0]])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        _call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| self.record(cx, t))])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        _call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![cotangents[0].map(|c| self.other().record(cx, c))])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let at = Square::new(self.name(), cx, cx.arg(0).space)?;
        let mirror = *self == Self::Mirror;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let n = at.order(io)?;
            let (a, out) = (io.arg::<f64>(0), io.out::<f64>(0));
            let size = (n * n).max(1);
            for (a, out) in a.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
                for i in 0..n {
                    for j in 0..i {
                        let (below, above) = (i * n + j, j * n + i);
                        (out[below], out[above]) = if mirror {
                            (a[below], a[below])
                        } else {
                            (a[below] + a[above], 0.0)
                        };
                    }
                    out[i * n + i] = a[i * n + i];
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let expected = if op == Self::Mirror {
            [1.0, 3.0, 3.0, 4.0]
        } else {
            [1.0, 0.0, f64::INFINITY, 4.0]
        };
        vec![
            Sample::generic("of order 3", move |s| {
                let space = s.b.join(s.b.dense_of("i", 3), s.b.dense_of("j", 3));
                let a = [4.0, 9.0, 7.0, 1.0, 3.0, 8.0, -0.5, 0.25, 2.0];
                op.record(&s.b, s.f64("a", space, &a))
            }),
            Sample::generic("in each event", move |s| {
                let matrix = s.b.join(s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let space = s.b.join(s.b.stream("events"), matrix);
                let a = [2.0, 0.0, 0.5, 1.0, 1.0, 0.0, -0.2, 3.0];
                op.record(&s.b, s.f64("a", space, &a))
            }),
            Sample::special("infinity above the diagonal", &expected, move |s| {
                let space = s.b.join(s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                op.record(&s.b, s.f64("a", space, &[1.0, f64::INFINITY, 3.0, 4.0]))
            }),
        ]
    }
}
