//! The largest or smallest element along one level, and where it is.

use pullback_ad::isa::Isa;

use super::along::{axis, within};
use super::sum::reduced;
use super::{maximum, minimum};
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LEAF, LowerCx, Monoid, Segments};
use crate::prim::compare::Compare;
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::{Node, Program};
use crate::sample::Sample;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// The largest or smallest element along a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

impl Extreme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Max, Self::Min];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Max => PrimitiveRef(&Self::Max),
            Self::Min => PrimitiveRef(&Self::Min),
        }
    }
}

/// What is kept of two elements.
trait Keep {
    fn keep(a: f64, b: f64) -> f64;
}

struct Larger;

impl Keep for Larger {
    #[inline(always)]
    fn keep(a: f64, b: f64) -> f64 {
        maximum(a, b)
    }
}

struct Smaller;

impl Keep for Smaller {
    #[inline(always)]
    fn keep(a: f64, b: f64) -> f64 {
        minimum(a, b)
    }
}

/// One leaf, in eight lanes that are then compared in order.
#[inline(always)]
fn leaf<K: Keep>(x: &[f64], start: f64) -> f64 {
    let mut lanes = [start; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for j in 0..8 {
            lanes[j] = K::keep(lanes[j], chunk[j]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = K::keep(*lane, *x);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    K::keep(
        K::keep(K::keep(a, b), K::keep(c, d)),
        K::keep(K::keep(e, f), K::keep(g, h)),
    )
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn extreme_body<I: Isa, K: Keep>(segments: Segments<'_>, x: &[f64], out: &mut [f64]) {
    let inner = segments.inner;
    let ragged = segments.uniform().is_none();
    for s in 0..segments.count {
        let (a, b) = segments.range(s);
        match inner {
            1 if ragged => {
                let mut acc = out[s];
                for x in &x[a..b] {
                    acc = K::keep(acc, *x);
                }
                out[s] = acc;
            }
            1 => {
                let mut first = a;
                while first < b {
                    let end = (first + LEAF).min(b);
                    // Every lane starts with what was found so far, so that an earlier element wins a tie between signed zeros.
                    out[s] = leaf::<K>(&x[first..end], out[s]);
                    first = end;
                }
            }
            _ => {
                let out = &mut out[s * inner..(s + 1) * inner];
                for i in a..b {
                    for (o, x) in out.iter_mut().zip(&x[i * inner..(i + 1) * inner]) {
                        *o = K::keep(*o, *x);
                    }
                }
            }
        }
    }
}

pullback_ad::multiversion! {
    fn extreme, extreme_at[K: Keep](segments: Segments<'_>, x: &[f64], out: &mut [f64]) = extreme_body;
}

impl Primitive for Extreme {
    fn name(&self) -> &'static str {
        match self {
            Self::Max => "max_over",
            Self::Min => "min_over",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Max => "The largest element along the level `over`.",
            Self::Min => "The smallest element along the level `over`.",
        }
    }

    fn convention(&self) -> &'static str {
        "NaN if any element is. An empty segment gives -inf (`max_over`) or +inf (`min_over`). The derivative belongs to the first of equal elements."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        reduced(self.name(), program, args, attrs, DType::F64).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(over) = call.attrs.level("over") else {
            return Err(ill_formed(self.name(), "expects a level `over`"));
        };
        let x = call.args[0];
        let first = cx
            .push(super::FIND, &[x, call.outs[0]], Attrs::over(over))
            .first(cx);
        let chosen = cx.position(x.space(), over).compare(Compare::Eq, first);
        Ok(vec![
            tangents[0].map(|t| chosen.select(t, 0.0.into()).sum(over)),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = extreme::<Larger>;
        let axis = axis(self.name(), cx, 0)?;
        let (monoid, kernel) = match self {
            Self::Max => (Monoid::Max, extreme_at::<Larger>(cx.isa())),
            Self::Min => (Monoid::Min, extreme_at::<Smaller>(cx.isa())),
        };
        Ok(Kernel::Accumulate(
            monoid,
            Box::new(move |io: &Io<'_>| {
                kernel(io.segments(&axis), io.arg::<f64>(0), io.out::<f64>(0));
                Ok(())
            }),
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let last = |s: Space| s.last().unwrap_or(LevelId(0));
        let (empty, best) = if op == Self::Max {
            (f64::NEG_INFINITY, 3.0)
        } else {
            (f64::INFINITY, -1.0)
        };
        vec![
            Sample::generic("segments", move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 3, 4]);
                s.f64("x", muons, &[1.0, 3.0, 2.0, -1.0])
                    .extreme(op, last(muons))
            }),
            Sample::generic("a stream", move |s| {
                let events = s.b.stream("events");
                s.f64("x", events, &[1.0, 3.0, 2.0, -1.0])
                    .extreme(op, last(events))
            }),
            Sample::generic("an outer level", move |s| {
                let (a, b) = (s.b.dense_of("a", 2), s.b.dense_of("b", 2));
                s.f64("x", s.b.join(a, b), &[1.0, 3.0, 2.0, -1.0])
                    .extreme(op, last(a))
            }),
            Sample::special("empty, a tie, NaN", &[empty, best, f64::NAN], move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 0, 4, 7]);
                s.f64("x", muons, &[-1.0, 3.0, 3.0, -1.0, 1.0, f64::NAN, 2.0])
                    .extreme(op, last(muons))
            }),
        ]
    }
}

/// The number of the first element equal to a value.
pub struct Find;

impl Primitive for Find {
    fn name(&self) -> &'static str {
        "find"
    }

    fn doc(&self) -> &'static str {
        "The number, in its segment of the level `over`, of the first element of argument 0 that equals argument 1; over a stream, the number in the whole stream."
    }

    fn convention(&self) -> &'static str {
        "NaN equals NaN here, 0 equals -0. Nothing found gives -1, and over a stream the largest integer. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let [x, value] = args else {
            return Err(ill_formed(self.name(), "expects an array and values"));
        };
        let space = reduced(self.name(), program, &[*x], attrs, DType::F64)?;
        if *value != Type::f64(space) {
            return Err(ill_formed(
                self.name(),
                "the values must be doubles and live in the array's path without the level",
            ));
        }
        Ok(vec![Type::new(DType::I64, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let axis = axis(self.name(), cx, 0)?;
        let stream = cx.program().level(axis.level).kind == LevelKind::Stream;
        let run = Box::new(move |io: &Io<'_>| {
            let (segments, x, value, out) = (
                io.segments(&axis),
                io.arg::<f64>(0),
                io.arg::<f64>(1),
                io.out::<i64>(0),
            );
            let (inner, start) = (
                segments.inner,
                if stream { io.stream_start() as i64 } else { 0 },
            );
            for s in 0..segments.count {
                let (a, b) = segments.range(s);
                for j in 0..inner {
                    let (o, v) = (&mut out[s * inner + j], value[s * inner + j]);
                    let found = (a..b).position(|i| {
                        let x = x[i * inner + j];
                        x == v || (x.is_nan() && v.is_nan())
                    });
                    match (found, stream) {
                        (Some(k), true) => *o = (*o).min(start + k as i64),
                        (Some(k), false) => *o = k as i64,
                        (None, true) => {}
                        (None, false) => *o = -1,
                    }
                }
            }
            Ok(())
        });
        Ok(if stream {
            Kernel::Accumulate(Monoid::Min, run)
        } else {
            Kernel::Run(run)
        })
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "the first, none, NaN",
            &[1.0, -1.0, 0.0],
            |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 3, 4, 5]);
                let x = s.f64("x", muons, &[1.0, 2.0, 2.0, 5.0, f64::NAN]);
                let value = s.f64("value", events, &[2.0, 4.0, f64::NAN]);
                s.b.push(
                    super::FIND,
                    &[x, value],
                    Attrs::over(muons.last().unwrap_or(LevelId(0))),
                )
                .first(&s.b)
            },
        )]
    }
}

/// The position of the largest or smallest element of each segment, for a gather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Of the largest.
    Max,
    /// Of the smallest.
    Min,
}

impl Arg {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Max, Self::Min];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Max => PrimitiveRef(&Self::Max),
            Self::Min => PrimitiveRef(&Self::Min),
        }
    }
}

impl Primitive for Arg {
    fn name(&self) -> &'static str {
        match self {
            Self::Max => "argmax",
            Self::Min => "argmin",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Max => {
                "The position, for a gather, of the largest element along the innermost level `over`."
            }
            Self::Min => {
                "The position, for a gather, of the smallest element along the innermost level `over`."
            }
        }
    }

    fn convention(&self) -> &'static str {
        "The first of equal elements; the first NaN if there is one, as in NumPy; -1 for an empty segment. Counted from the start of the block along a ragged level. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn numbers(&self, _program: &Program, node: &Node) -> Option<LevelId> {
        node.attrs.level("over")
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let space = within(self.name(), program, args, attrs, DType::F64)?;
        if args[0].space.last() != attrs.level("over") {
            return Err(ill_formed(
                self.name(),
                "the level must be the innermost one",
            ));
        }
        Ok(vec![Type::new(DType::I64, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (axis, largest) = (axis(self.name(), cx, 0)?, *self == Self::Max);
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (segments, x, out) = (io.segments(&axis), io.arg::<f64>(0), io.out::<i64>(0));
            // Positions are counted from the start of the lane: of the block for a ragged level, of the segment for a dense one.
            let per_lane = segments
                .offsets
                .map_or(segments.dense, |o| o[o.len() - 1] as usize);
            for (s, o) in out.iter_mut().enumerate().take(segments.count) {
                let (a, b) = segments.range(s);
                let mut best: Option<usize> = None;
                for (i, x_i) in x.iter().enumerate().take(b).skip(a) {
                    let better = best.is_none_or(|k| {
                        let so_far = x[k];
                        !so_far.is_nan()
                            && (x_i.is_nan()
                                || if largest {
                                    *x_i > so_far
                                } else {
                                    *x_i < so_far
                                })
                    });
                    if better {
                        best = Some(i);
                    }
                }
                *o = best.map_or(-1, |i| (i % per_lane.max(1)) as i64);
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let expected = if op == Self::Max {
            [f64::NAN, 1.0, 5.0]
        } else {
            [f64::NAN, 0.0, 5.0]
        };
        vec![Sample::special("empty, a tie, NaN", &expected, move |s| {
            let muons = s.ragged("muons", s.b.stream("events"), &[0, 0, 4, 7]);
            let x = s.f64("x", muons, &[-1.0, 3.0, 3.0, -1.0, 1.0, f64::NAN, 2.0]);
            let index =
                s.b.push(
                    op.primitive(),
                    &[x],
                    Attrs::over(muons.last().unwrap_or(LevelId(0))),
                )
                .first(&s.b);
            s.f64("table", muons, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
                .at(index)
        })]
    }
}
