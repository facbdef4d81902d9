//! Sums of outer products along a level: the transpose of a product with a matrix.

use super::binary::join;
use super::gemm::{Extent, Matrix, gemm_at};
use super::matrix::{Action, Operand, Part, acts, doubles, square};
use super::matrix_apply::matrix_apply;
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx, Monoid};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::Type;

/// `out[r, s] = Σ x[p, r, q] y[p, s, q]`.
pub struct MatrixOuter;

/// Records the sum of the outer products of `x` and `y`, taken along `over`, as (a triangle of) a matrix in `to`.
pub(crate) fn matrix_outer<'b>(
    cx: &'b Builder,
    x: Sym<'b>,
    y: Sym<'b>,
    over: LevelId,
    to: Space,
    part: Part,
) -> Sym<'b> {
    let attrs = Attrs::to(to)
        .with("over", Attr::Level(over))
        .with("part", part.attr());
    cx.push(super::MATRIX_OUTER, &[x, y], attrs).first(cx)
}

/// What the sum of outer products needs to know of its node.
fn parameters(attrs: &Attrs) -> Result<(LevelId, Space, Part)> {
    let name = MatrixOuter.name();
    let (Some(over), Some(to)) = (attrs.level("over"), attrs.space("to")) else {
        return Err(ill_formed(name, "expects a level `over` and a space `to`"));
    };
    Ok((over, to, Part::of(name, attrs)?))
}

impl Primitive for MatrixOuter {
    fn name(&self) -> &'static str {
        "matrix_outer"
    }

    fn doc(&self) -> &'static str {
        "The sum of outer products along the level `over`, as a matrix (or a triangle of one) in the last two levels of the path `to`: out[r, s] = Σ x[p, r, q] y[p, s, q]; the levels before the matrix are lanes. The transpose of `matrix_apply`."
    }

    fn convention(&self) -> &'static str {
        "The triangle that is not meant is 0; an empty sum is 0. Terms of a stream are summed in leaves of 256 of its elements."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        doubles(self.name(), args, 2)?;
        let (over, to, _) = parameters(attrs)?;
        if args[0] != args[1] {
            let (x, y) = (
                program.space_name(&args[0].space),
                program.space_name(&args[1].space),
            );
            return Err(ill_formed(
                self.name(),
                format!("the arguments live in [{x}] and [{y}], expected the same path"),
            ));
        }
        acts(self.name(), program, to, args[0].space, over)?;
        square(self.name(), program, to)?;
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, to, part) = parameters(call.attrs)?;
        let product = |x, y| matrix_outer(cx, x, y, over, to, part);
        Ok(vec![join(
            tangents[0].map(|t| product(t, call.args[1])),
            tangents[1].map(|t| product(call.args[0], t)),
        )])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, _, part) = parameters(call.attrs)?;
        let Some(c) = cotangents[0] else {
            return Ok(vec![None, None]);
        };
        let (x, y) = (call.args[0], call.args[1]);
        Ok(vec![
            linear[0].then(|| matrix_apply(cx, c, y, over, part, false)),
            linear[1].then(|| matrix_apply(cx, c, x, over, part, true)),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (_, to, part) = parameters(cx.attrs())?;
        let action = Action::new(self.name(), cx, to, 0)?;
        let gemm = gemm_at(cx.isa());
        // A stream that is summed over comes block by block.
        let (program, space) = (cx.program(), cx.arg(0).space);
        let leaves = space
            .iter()
            .skip(action.square.lanes)
            .any(|l| program.level(l).kind == LevelKind::Stream);
        Ok(Kernel::Accumulate(
            Monoid::Add,
            Box::new(move |io: &Io<'_>| {
                let (x, y, out) = (io.arg::<f64>(0), io.arg::<f64>(1), io.out::<f64>(0));
                let mut add = |o: Operand| {
                    let n = o.order;
                    let out = &mut out[o.lane * n * n..(o.lane + 1) * n * n];
                    let (x, y) = (&x[o.first..o.end], &y[o.first..o.end]);
                    outer(gemm, x, y, out, n, o.inner);
                    for r in 0..n {
                        let kept = part.columns(r, n);
                        out[r * n..r * n + kept.start].fill(0.0);
                        out[r * n + kept.end..(r + 1) * n].fill(0.0);
                    }
                    Ok(())
                };
                if !leaves {
                    return action.each(io, add);
                }
                let (order, inner) = action.sizes(io)?;
                let mut result = Ok(());
                io.for_leaves(0, action.square.lanes, |lane, first, end| {
                    if first < end && result.is_ok() {
                        result = add(Operand {
                            lane,
                            order,
                            inner,
                            first,
                            end,
                        });
                    }
                });
                result
            }),
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        let generic = |what: &str, part: Part| {
            Sample::generic(what, move |s| {
                let (i, j, k) = (
                    s.b.dense_of("i", 3),
                    s.b.dense_of("j", 3),
                    s.b.dense_of("k", 2),
                );
                let x = s.f64("x", s.b.join(i, k), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                let y = s.f64("y", s.b.join(i, k), &[0.3, -0.2, 0.7, 1.5, -2.25, 1.0]);
                matrix_outer(&s.b, x, y, first(i), s.b.join(i, j), part)
            })
        };
        vec![
            generic("all", Part::Full),
            generic("below", Part::Lower),
            Sample::generic("over muons", |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 3]);
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let x = s.f64("x", s.b.join(muons, i), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                let y = s.f64("y", s.b.join(muons, i), &[0.3, -0.2, 0.7, 1.5, -2.25, 1.0]);
                matrix_outer(&s.b, x, y, first(i), s.b.join(i, j), Part::Full)
            }),
            Sample::generic("in each event, over its muons", |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 2, 2, 3]);
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let x = s.f64("x", s.b.join(muons, i), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                let y = s.f64("y", s.b.join(muons, i), &[0.3, -0.2, 0.7, 1.5, -2.25, 1.0]);
                let to = s.b.join(events, s.b.join(i, j));
                matrix_outer(&s.b, x, y, first(i), to, Part::Upper)
            }),
            Sample::special("over nothing", &[0.0; 4], |s| {
                let (i, j, k) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2), s.b.dense("k"));
                let (x, y) = (
                    s.f64("x", s.b.join(i, k), &[]),
                    s.f64("y", s.b.join(i, k), &[]),
                );
                matrix_outer(&s.b, x, y, first(i), s.b.join(i, j), Part::Full)
            }),
        ]
    }
}

/// `out += Σ x yᵀ` over matrices n × w one after the other.
fn outer(
    gemm: fn(Matrix<'_>, Matrix<'_>, &mut [f64], Extent),
    x: &[f64],
    y: &[f64],
    out: &mut [f64],
    n: usize,
    w: usize,
) {
    let matrix = |data, rows, columns| Matrix {
        data,
        rows,
        columns,
    };
    if w == 1 {
        let k = x.len() / n;
        gemm(matrix(x, 1, n), matrix(y, n, 1), out, Extent { m: n, n, k });
        return;
    }
    for (x, y) in x.chunks_exact(n * w).zip(y.chunks_exact(n * w)) {
        let extent = Extent { m: n, n, k: w };
        gemm(matrix(x, w, 1), matrix(y, 1, w), out, extent);
    }
}

/// The level of a path with one.
fn first(space: Space) -> LevelId {
    space.root().unwrap_or(LevelId(0))
}
