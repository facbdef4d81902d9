//! Rows times lanes: the three contractions of the trilinear form `T(x, m, c) = Σ x[p, i] m[p, i, q] c[p, q]`, where `p` is a path, `i` a level of rows
//! (ragged or dense) and `q` a dense level of lanes. Each is linear in both arguments, and the transposes of one are the other two.

use pullback_ad::isa::Isa;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym, builder_of};
use crate::error::{Error, Result};
use crate::exec::{Axis, Io, Kernel, LowerCx, Monoid, Segments};
use crate::prim::binary::join;
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::Program;
use crate::sample::{Sample, Sampler};
use crate::space::{LevelId, Space};
use crate::ty::{DType, Type};

/// Which of the three is computed from the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// `c[p, q] = Σᵢ x[p, i] m[p, i, q]`.
    Sum,
    /// `x[p, i] = Σ_q m[p, i, q] c[p, q]`.
    Dot,
    /// `m[p, i, q] = x[p, i] c[p, q]`.
    Outer,
}

impl Rows {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Sum, Self::Dot, Self::Outer];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Sum => PrimitiveRef(&Self::Sum),
            Self::Dot => PrimitiveRef(&Self::Dot),
            Self::Outer => PrimitiveRef(&Self::Outer),
        }
    }

    /// Spaces of the two arguments and of the result, given the space `full` of `m` and the level of rows.
    pub(crate) fn spaces(self, full: Space, rows: LevelId) -> Option<[Space; 3]> {
        let k = full.position(rows)?;
        if k + 2 != full.depth() {
            return None;
        }
        let (x, c) = (full.prefix(k + 1), full.without(k));
        Some(match self {
            Self::Sum => [x, full, c],
            Self::Dot => [full, c, x],
            Self::Outer => [x, c, full],
        })
    }

    fn full(self, args: &[Type], attrs: &Attrs) -> Option<Space> {
        match self {
            Self::Sum => args.get(1).map(|t| t.space),
            Self::Dot => args.first().map(|t| t.space),
            Self::Outer => attrs.space("to"),
        }
    }

    pub(crate) fn apply<'b>(self, a: Sym<'b>, b: Sym<'b>, full: Space, rows: LevelId) -> Sym<'b> {
        let attrs = Attrs::over(rows);
        let attrs = if self == Self::Outer {
            attrs.with("to", Attr::Space(full))
        } else {
            attrs
        };
        builder_of(&[a, b]).map_or(a, |cx| cx.push(self.primitive(), &[a, b], attrs).first(cx))
    }
}

impl<'b> Sym<'b> {
    /// `Σᵢ self[p, i] m[p, i, q]` along the level of rows.
    pub fn rows_sum(self, m: Sym<'b>, rows: LevelId) -> Sym<'b> {
        Rows::Sum.apply(self, m, m.space(), rows)
    }
}

/// Splits `t[p, i, q] = a[p, i] m[p, i, q]`, recorded as a product with a repetition along the lanes `q`, into `a` and `m`; `i` is the level `rows`.
pub(crate) fn per_row<'b>(
    cx: &'b Builder,
    t: Sym<'b>,
    rows: LevelId,
) -> Option<(Sym<'b>, Sym<'b>)> {
    if !cx.shortcuts() {
        return None;
    }
    let space = t.space();
    Rows::Sum.spaces(space, rows)?;
    let (id, lanes) = (t.value_id()?, space.last()?);
    cx.with_program(|p| {
        let node = p.node(id);
        if node.primitive.name() != "mul" {
            return None;
        }
        let repeated = |v: crate::ValueId| {
            let node = p.node(v);
            (node.primitive == super::EXPAND && node.attrs.level("over") == Some(lanes))
                .then(|| node.args[0])
        };
        let (a, b) = (node.args[0], node.args[1]);
        repeated(b)
            .map(|r| (r, a))
            .or_else(|| repeated(a).map(|r| (r, b)))
    })
    .map(|(a, m)| (cx.sym(a), cx.sym(m)))
}

/// Lanes for which the kernels have loops of their own.
pub(crate) const LANES: usize = 8;

#[inline(always)]
fn sum_body<I: Isa>(s: Segments<'_>, x: &[f64], m: &[f64], out: &mut [f64]) {
    let q = s.inner;
    for p in 0..s.count {
        let (a, b) = s.range(p);
        if q == LANES {
            // Two chains of sums: even and odd rows.
            let mut acc = [[0.0; LANES]; 2];
            let rows = m[a * LANES..b * LANES].as_chunks::<LANES>().0;
            let ((x, last), (pairs, row)) = (x[a..b].as_chunks::<2>(), rows.as_chunks::<2>());
            for (x, m) in x.iter().zip(pairs) {
                for k in 0..2 {
                    for j in 0..LANES {
                        acc[k][j] = I::fma(x[k], m[k][j], acc[k][j]);
                    }
                }
            }
            if let ([x], [m]) = (last, row) {
                for j in 0..LANES {
                    acc[0][j] = I::fma(*x, m[j], acc[0][j]);
                }
            }
            for (j, o) in out[p * LANES..(p + 1) * LANES].iter_mut().enumerate() {
                *o += acc[0][j] + acc[1][j];
            }
        } else {
            let out = &mut out[p * q..(p + 1) * q];
            for i in a..b {
                for (o, m) in out.iter_mut().zip(&m[i * q..(i + 1) * q]) {
                    *o = I::fma(x[i], *m, *o);
                }
            }
        }
    }
}

/// Eight rows, each times the same lanes.
#[inline(always)]
fn products(rows: &[[f64; LANES]; 8], lane: &[f64; LANES]) -> [[f64; LANES]; 8] {
    let mut out = [[0.0; LANES]; 8];
    for (out, row) in out.iter_mut().zip(rows) {
        for j in 0..LANES {
            out[j] = row[j] * lane[j];
        }
    }
    out
}

#[inline(always)]
fn dot_body<I: Isa>(s: Segments<'_>, m: &[f64], c: &[f64], out: &mut [f64]) {
    let q = s.inner;
    for p in 0..s.count {
        let (a, b) = s.range(p);
        if q == LANES {
            let mut lane = [0.0; LANES];
            lane.copy_from_slice(&c[p * LANES..(p + 1) * LANES]);
            let rows = m[a * LANES..b * LANES].as_chunks::<LANES>().0;
            let ((groups, rest), (outs, left)) =
                (rows.as_chunks::<8>(), out[a..b].as_chunks_mut::<8>());
            for (o, rows) in outs.iter_mut().zip(groups) {
                *o = I::row_sums(&products(rows, &lane));
            }
            if !rest.is_empty() {
                let mut rows = [[0.0; LANES]; 8];
                rows[..rest.len()].copy_from_slice(rest);
                let sums = I::row_sums(&products(&rows, &lane));
                left.copy_from_slice(&sums[..rest.len()]);
            }
        } else {
            let c = &c[p * q..(p + 1) * q];
            for i in a..b {
                out[i] = m[i * q..(i + 1) * q]
                    .iter()
                    .zip(c)
                    .fold(0.0, |sum, (m, c)| I::fma(*m, *c, sum));
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn outer_body<I: Isa>(s: Segments<'_>, x: &[f64], c: &[f64], out: &mut [f64]) {
    let q = s.inner;
    for p in 0..s.count {
        let (a, b) = s.range(p);
        let c = &c[p * q..(p + 1) * q];
        for i in a..b {
            for (o, c) in out[i * q..(i + 1) * q].iter_mut().zip(c) {
                *o = x[i] * c;
            }
        }
    }
}

pullback_ad::multiversion! {
    fn sum_here, sum_at(s: Segments<'_>, x: &[f64], m: &[f64], out: &mut [f64]) = sum_body;
    fn dot_here, dot_at(s: Segments<'_>, m: &[f64], c: &[f64], out: &mut [f64]) = dot_body;
    fn outer_here, outer_at(s: Segments<'_>, x: &[f64], c: &[f64], out: &mut [f64]) = outer_body;
}

impl Primitive for Rows {
    fn name(&self) -> &'static str {
        match self {
            Self::Sum => "rows_sum",
            Self::Dot => "rows_dot",
            Self::Outer => "rows_outer",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Sum => "The sum of rows with weights: c[p, q] = Σᵢ x[p, i] m[p, i, q].",
            Self::Dot => {
                "The product of each row with a vector of lanes: x[p, i] = Σ_q m[p, i, q] c[p, q]."
            }
            Self::Outer => "The outer product of rows and lanes: m[p, i, q] = x[p, i] c[p, q].",
        }
    }

    fn convention(&self) -> &'static str {
        "The sum over no rows is 0; 0·inf is NaN, as in IEEE arithmetic. Rows of eight lanes are summed in two chains, even and odd ones."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let (Some(over), Some(full)) = (attrs.level("over"), self.full(args, attrs)) else {
            return Err(ill_formed(
                self.name(),
                "expects two arguments and a level `over`",
            ));
        };
        for (index, arg) in args.iter().enumerate() {
            if arg.dtype != DType::F64 {
                return Err(Error::DType {
                    primitive: self.name(),
                    index,
                    found: arg.dtype.to_string(),
                    expected: "f64".into(),
                });
            }
        }
        match self.spaces(full, over) {
            Some([a, b, out]) if args.len() == 2 && args[0].space == a && args[1].space == b => {
                Ok(vec![Type::f64(out)])
            }
            _ => {
                let path = program.space_name(&full);
                Err(ill_formed(
                    self.name(),
                    format!(
                        "the arguments do not fit [{path}], whose last two levels must be rows and lanes"
                    ),
                ))
            }
        }
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (a, b) = (call.args[0], call.args[1]);
        let types = [Type::f64(a.space()), Type::f64(b.space())];
        let (Some(rows), Some(full)) = (call.attrs.level("over"), self.full(&types, call.attrs))
        else {
            return Ok(vec![None]);
        };
        let left = tangents[0].map(|t| self.apply(t, b, full, rows));
        let right = tangents[1].map(|t| self.apply(a, t, full, rows));
        Ok(vec![join(left, right)])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(ct) = cotangents[0] else {
            return Ok(vec![None, None]);
        };
        let (a, b) = (call.args[0], call.args[1]);
        let types = [Type::f64(a.space()), Type::f64(b.space())];
        let (Some(rows), Some(full)) = (call.attrs.level("over"), self.full(&types, call.attrs))
        else {
            return Ok(vec![None, None]);
        };
        let get = |want: Rows, x: Sym<'b>, y: Sym<'b>| want.apply(x, y, full, rows);
        // Arguments in the order (x, m), (m, c), (x, c).
        let first = || match self {
            Self::Sum => get(Self::Dot, b, ct),
            Self::Dot => get(Self::Outer, ct, b),
            Self::Outer => get(Self::Dot, ct, b),
        };
        let second = || match self {
            Self::Sum => get(Self::Outer, a, ct),
            Self::Dot => get(Self::Sum, ct, a),
            Self::Outer => get(Self::Sum, a, ct),
        };
        match linear {
            [true, false] => Ok(vec![Some(first()), None]),
            [false, true] => Ok(vec![None, Some(second())]),
            _ => Err(Error::NotDifferentiable {
                primitive: self.name(),
                what: "transpose",
                message: "it is not linear in both at once".into(),
            }),
        }
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let types = [cx.arg(0), cx.arg(1)];
        let broken = || ill_formed(self.name(), "the level is not on the path");
        let (over, full) = (
            cx.attrs().level("over").ok_or_else(broken)?,
            self.full(&types, cx.attrs()).ok_or_else(broken)?,
        );
        let axis: Axis = cx.axis(full, over).ok_or_else(broken)?;
        let _ = (sum_here, dot_here, outer_here);
        Ok(match self {
            Self::Sum => {
                let kernel = sum_at(cx.isa());
                Kernel::Accumulate(
                    Monoid::Add,
                    Box::new(move |io: &Io<'_>| {
                        kernel(io.segments(&axis), io.arg(0), io.arg(1), io.out(0));
                        Ok(())
                    }),
                )
            }
            Self::Dot | Self::Outer => {
                let kernel = if *self == Self::Dot {
                    dot_at(cx.isa())
                } else {
                    outer_at(cx.isa())
                };
                Kernel::Run(Box::new(move |io: &Io<'_>| {
                    kernel(io.segments(&axis), io.arg(0), io.arg(1), io.out(0));
                    Ok(())
                }))
            }
        })
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let build = move |s: &Sampler, lanes: usize| {
            let p = s.b.dense_of("p", 3);
            let rows = s.ragged("rows", p, &[0, 2, 2, 3]);
            let q = s.b.dense_of("q", lanes);
            let full = s.b.join(rows, q);
            let wave = |n: usize, phase: f64| {
                (0..n)
                    .map(|k| (k as f64 * 0.7 + phase).sin() + 1.3)
                    .collect::<Vec<_>>()
            };
            let over = rows.last().unwrap_or(LevelId(0));
            let x = s.f64("x", rows, &wave(3, 0.1));
            let m = s.f64("m", full, &wave(3 * lanes, 0.5));
            let c = s.f64("c", s.b.join(p, q), &wave(3 * lanes, 0.9));
            let out = match op {
                Self::Sum => op.apply(x, m, full, over),
                Self::Dot => op.apply(m, c, full, over),
                Self::Outer => op.apply(x, c, full, over),
            };
            vec![("out".to_owned(), s.b.id(out))]
        };
        vec![
            Sample::new("eight lanes", crate::sample::Point::Generic, move |s| {
                build(s, 8)
            }),
            Sample::new(
                "three lanes, an empty segment",
                crate::sample::Point::Generic,
                move |s| build(s, 3),
            ),
            Sample {
                expected: Some(vec![if op == Self::Dot {
                    vec![0.0; 3]
                } else {
                    Vec::new()
                }]),
                ..Sample::new("no lanes", crate::sample::Point::Special, move |s| {
                    build(s, 0)
                })
            },
        ]
    }
}
