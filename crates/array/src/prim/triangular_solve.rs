//! Triangular systems.

use super::binary::join;
use super::matrix::{Action, Part, acts, doubles, flag, lanes_of_operand};
use super::matrix_apply::matrix_apply;
use super::triangular::{Solver, Triangular};
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, Space};
use crate::transform::LaneCall;
use crate::ty::Type;

/// T x = b for a triangular T.
pub struct TriangularSolve;

const NAME: &str = "triangular_solve";

/// Records x with T x = b (or Tᵀ x = b) along the level `over` of `b`, T being the triangle `part` of `matrix`.
pub(crate) fn triangular_solve<'b>(
    cx: &'b Builder,
    matrix: Sym<'b>,
    b: Sym<'b>,
    over: LevelId,
    part: Part,
    transposed: bool,
) -> Sym<'b> {
    let attrs = Attrs::over(over)
        .with("part", part.attr())
        .with("transposed", Attr::Int(i64::from(transposed)));
    cx.push(super::TRIANGULAR_SOLVE, &[matrix, b], attrs)
        .first(cx)
}

/// Parameters of a node: the level, the triangle, whether it is transposed.
fn parameters(attrs: &Attrs) -> Result<(LevelId, Part, bool)> {
    match (attrs.level("over"), Part::of(NAME, attrs)?) {
        (Some(over), part @ (Part::Lower | Part::Upper)) => {
            Ok((over, part, flag(NAME, attrs, "transposed")?))
        }
        _ => Err(ill_formed(NAME, "expects a level `over` and a triangle")),
    }
}

impl Primitive for TriangularSolve {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "x with T x = b along the level `over` of b (argument 1), where T is a triangle of the matrix in the last two levels of argument 0, or its transpose. x lives where b does; the levels before the matrix are lanes."
    }

    fn convention(&self) -> &'static str {
        "The other triangle is not read. A zero on the diagonal is an error that names the pivot; NaN and infinities pass on."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        doubles(NAME, args, 2)?;
        let (over, ..) = parameters(attrs)?;
        acts(NAME, program, args[0].space, args[1].space, over)?;
        Ok(vec![args[1]])
    }

    /// dx = T⁻¹ (db − dT x): Giles, LNCSE 64 (2008) 35, section 2.2.3.
    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, part, transposed) = parameters(call.attrs)?;
        let moved = tangents[0].map(|t| -matrix_apply(cx, t, call.outs[0], over, part, transposed));
        Ok(vec![join(tangents[1], moved).map(|right| {
            triangular_solve(cx, call.args[0], right, over, part, transposed)
        })])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, part, transposed) = parameters(call.attrs)?;
        let pulled = cotangents[0]
            .filter(|_| linear[1])
            .map(|c| triangular_solve(cx, call.args[0], c, over, part, !transposed));
        Ok(vec![None, pulled])
    }

    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        lanes_of_operand(cx, call, 1)
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (_, part, transposed) = parameters(cx.attrs())?;
        let action = Action::new(NAME, cx, cx.arg(0).space, 1)?;
        let solver = Solver::new(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (a, b, x) = (io.arg::<f64>(0), io.arg::<f64>(1), io.out::<f64>(0));
            x.copy_from_slice(b);
            action.each(io, |o| {
                let n = o.order;
                let data = &a[o.lane * n * n..(o.lane + 1) * n * n];
                if let Some(k) = (0..n).find(|k| data[k * (n + 1)] == 0.0) {
                    let place = action.square.place(io, o.lane);
                    return Err(format!(
                        "triangular matrix{place} is singular: pivot {k} is 0"
                    ));
                }
                let t = Triangular {
                    data,
                    n,
                    lower: part == Part::Lower,
                    transposed,
                    unit: false,
                };
                solver.solve(t, &mut x[o.first..o.end], o.inner, action.streamed);
                Ok(())
            })
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let generic = |what: &str, part: Part, transposed: bool| {
            Sample::generic(what, move |s| {
                let (i, j, k) = (
                    s.b.dense_of("i", 3),
                    s.b.dense_of("j", 3),
                    s.b.dense_of("k", 2),
                );
                let a = [2.0, 0.3, -0.4, 0.5, 1.5, 0.6, -0.7, 0.8, -3.0];
                let a = s.f64("a", s.b.join(i, j), &a);
                let b = s.f64("b", s.b.join(i, k), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                triangular_solve(&s.b, a, b, first(i), part, transposed)
            })
        };
        vec![
            generic("below", Part::Lower, false),
            generic("below, transposed", Part::Lower, true),
            generic("above", Part::Upper, false),
            generic("above, transposed", Part::Upper, true),
            Sample::generic("one matrix for all muons", |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 3]);
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let a = s.f64("a", s.b.join(i, j), &[2.0, 0.0, 0.5, -1.0]);
                let b = s.f64("b", s.b.join(muons, i), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                triangular_solve(&s.b, a, b, first(i), Part::Lower, false)
            }),
            Sample::generic("a matrix in each event, for its muons", |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 2, 3]);
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let space = s.b.join(events, s.b.join(i, j));
                let a = s.f64("a", space, &[2.0, 0.0, 0.5, -1.0, 1.5, 0.0, 0.1, 3.0]);
                let b = s.f64("b", s.b.join(muons, i), &[1.0, 2.0, -1.0, 0.5, 4.0, 0.3]);
                triangular_solve(&s.b, a, b, first(i), Part::Lower, true)
            }),
            Sample::special("infinity and NaN", &[f64::INFINITY, f64::NAN], |s| {
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let a = s.f64("a", s.b.join(i, j), &[2.0, 0.0, 0.5, 1.0]);
                let b = s.f64("b", i, &[f64::INFINITY, f64::NAN]);
                triangular_solve(&s.b, a, b, first(i), Part::Lower, false)
            }),
        ]
    }
}

/// The level of a path with one.
fn first(space: Space) -> LevelId {
    space.root().unwrap_or(LevelId(0))
}
