//! Rows times lanes with the rows' weights read from a table: a matrix of few rows per lane, stored in blocks of lanes, times a vector.
//!
//! Two contractions of `T(x, m, c) = Σ x[index[p, i]] m[p, i, q] c[p, q]`, where `p` is a path, `i` a level of rows (ragged or dense), `q` a dense level of
//! lanes and `index` says which element of the table `x` weighs a row. Each is linear in both arguments; what they are transposes of is the other one, and
//! `rows_outer` of the gathered weights.

use pullback_ad::isa::Isa;

use super::binary::join;
use super::rows::{LANES, Rows};
use crate::attr::{Attr, Attrs, Data};
use crate::build::{Builder, Sym, builder_of};
use crate::error::{Error, Result};
use crate::exec::{Axis, Io, Kernel, LowerCx, Segments};
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::Program;
use crate::sample::{Point, Sample, Sampler};
use crate::space::{LevelId, LevelKind, Space};
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// Which of the two is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsAt {
    /// `c[p, q] = Σᵢ x[index[p, i]] m[p, i, q]`; arguments x, index, m.
    Sum,
    /// `x[k] = Σ m[p, i, q] c[p, q]` over the rows with `index[p, i] = k` and the lanes; arguments m, c, index.
    Dot,
}

impl RowsAt {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sum, Self::Dot];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Sum => PrimitiveRef(&Self::Sum),
            Self::Dot => PrimitiveRef(&Self::Dot),
        }
    }

    fn sum<'b>(x: Sym<'b>, index: Sym<'b>, m: Sym<'b>, rows: LevelId) -> Sym<'b> {
        builder_of(&[x, index, m]).map_or(x, |cx| {
            cx.push(
                Self::Sum.primitive(),
                &[cx.sym(cx.id(x)), index, m],
                Attrs::over(rows),
            )
            .first(cx)
        })
    }

    fn dot<'b>(m: Sym<'b>, c: Sym<'b>, index: Sym<'b>, rows: LevelId, to: Space) -> Sym<'b> {
        let attrs = Attrs::over(rows).with("to", Attr::Space(to));
        builder_of(&[m, c, index]).map_or(m, |cx| {
            cx.push(Self::Dot.primitive(), &[m, c, index], attrs)
                .first(cx)
        })
    }

    /// Positions of (m, index) among the arguments.
    fn places(self) -> (usize, usize) {
        match self {
            Self::Sum => (2, 1),
            Self::Dot => (0, 2),
        }
    }
}

impl<'b> Sym<'b> {
    /// `Σᵢ self[index[p, i]] m[p, i, q]` along the level of rows: a matrix with few entries, in blocks of lanes, times the vector `self`.
    ///
    /// # Example
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (tiles, lanes) = (b.dense_of("tile", 1), b.dense_of("lane", 2));
    /// let rows = b.join(tiles, b.dense_of("row", 2));
    /// let x = b.input("x", b.dense_of("k", 3));
    /// let m = b.constant_f64(&[1.0, 2.0, 10.0, 20.0], b.join(rows, lanes));
    /// let y = x.rows_sum_at(b.constant_i64(&[2, 0], rows), m, rows.last().unwrap());
    /// let lowered = Lowered::new(b.finish(&[("y", y)]).unwrap()).unwrap();
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[5.0, 6.0, 7.0]).into()])).unwrap();
    /// assert_eq!(ws.f64(0), [7.0 * 1.0 + 5.0 * 10.0, 7.0 * 2.0 + 5.0 * 20.0]);
    /// ```
    pub fn rows_sum_at(self, index: Sym<'b>, m: Sym<'b>, rows: LevelId) -> Sym<'b> {
        RowsAt::sum(self, index, m, rows)
    }
}

/// The rows of each element of the table, in order.
#[derive(Debug, Default)]
struct Plan {
    /// Elements of the table that have rows, and one past the last of them in `rows`.
    heads: Vec<(u32, u32)>,
    /// Row and path element of each entry.
    rows: Vec<(u32, u32)>,
}

impl Plan {
    fn new(
        index: &[i64],
        segments: Segments<'_>,
        table: usize,
    ) -> std::result::Result<Self, String> {
        let mut count = vec![0_u32; table + 1];
        for &i in index {
            let at = usize::try_from(i).ok().filter(|i| *i < table);
            count[at.ok_or_else(|| past_end(i, table))?] += 1;
        }
        let mut plan = Self {
            heads: Vec::new(),
            rows: vec![(0, 0); index.len()],
        };
        let mut end = 0;
        for (k, n) in count.iter_mut().enumerate() {
            let start = end;
            end += *n;
            if *n > 0 {
                plan.heads.push((k as u32, end));
            }
            *n = start;
        }
        for p in 0..segments.count {
            let (a, b) = segments.range(p);
            for (i, k) in index[a..b].iter().enumerate() {
                let place = &mut count[*k as usize];
                plan.rows[*place as usize] = ((a + i) as u32, p as u32);
                *place += 1;
            }
        }
        Ok(plan)
    }
}

fn past_end(i: i64, table: usize) -> String {
    format!("index {i} is outside of the table, which has {table} elements")
}

#[inline(always)]
fn sum_body<I: Isa>(
    s: Segments<'_>,
    x: &[f64],
    index: &[i64],
    m: &[f64],
    out: &mut [f64],
) -> Option<i64> {
    let q = s.inner;
    for p in 0..s.count {
        let (a, b) = s.range(p);
        if q == LANES {
            let rows = m[a * LANES..b * LANES].as_chunks::<LANES>().0;
            // Two chains of sums: even and odd rows.
            let mut acc = [[0.0; LANES]; 2];
            let ((index, last), (pairs, row)) =
                (index[a..b].as_chunks::<2>(), rows.as_chunks::<2>());
            for (i, m) in index.iter().zip(pairs) {
                for k in 0..2 {
                    let Some(&x) = x.get(i[k] as usize) else {
                        return Some(i[k]);
                    };
                    for j in 0..LANES {
                        acc[k][j] = I::fma(x, m[k][j], acc[k][j]);
                    }
                }
            }
            if let ([i], [m]) = (last, row) {
                let Some(&x) = x.get(*i as usize) else {
                    return Some(*i);
                };
                for j in 0..LANES {
                    acc[0][j] = I::fma(x, m[j], acc[0][j]);
                }
            }
            for (j, o) in out[p * LANES..(p + 1) * LANES].iter_mut().enumerate() {
                *o = acc[0][j] + acc[1][j];
            }
        } else {
            let out = &mut out[p * q..(p + 1) * q];
            out.fill(0.0);
            for i in a..b {
                let Some(x) = x.get(index[i] as usize) else {
                    return Some(index[i]);
                };
                for (o, m) in out.iter_mut().zip(&m[i * q..(i + 1) * q]) {
                    *o = I::fma(*x, *m, *o);
                }
            }
        }
    }
    None
}

#[inline(always)]
fn dot_body<I: Isa>(plan: &Plan, q: usize, m: &[f64], c: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    let mut start = 0;
    if q == LANES {
        let (m, c) = (m.as_chunks::<LANES>().0, c.as_chunks::<LANES>().0);
        let mut acc = [[0.0; LANES]; 8];
        for heads in plan.heads.chunks(8) {
            for (acc, (_, end)) in acc.iter_mut().zip(heads) {
                let end = *end as usize;
                let mut sum = [0.0; LANES];
                for (row, p) in &plan.rows[start..end] {
                    let (m, c) = (&m[*row as usize], &c[*p as usize]);
                    for j in 0..LANES {
                        sum[j] = I::fma(m[j], c[j], sum[j]);
                    }
                }
                (*acc, start) = (sum, end);
            }
            for ((k, _), sum) in heads.iter().zip(I::row_sums(&acc)) {
                out[*k as usize] = sum;
            }
        }
        return;
    }
    for (k, end) in &plan.heads {
        let end = *end as usize;
        let mut sum = 0.0;
        for j in 0..q {
            let mut lane = 0.0;
            for (row, p) in &plan.rows[start..end] {
                lane = I::fma(m[*row as usize * q + j], c[*p as usize * q + j], lane);
            }
            sum += lane;
        }
        (out[*k as usize], start) = (sum, end);
    }
}

pullback_ad::multiversion! {
    fn sum_here, sum_at(s: Segments<'_>, x: &[f64], index: &[i64], m: &[f64], out: &mut [f64]) -> Option<i64> = sum_body;
    fn dot_here, dot_at(plan: &Plan, q: usize, m: &[f64], c: &[f64], out: &mut [f64]) = dot_body;
}

impl Primitive for RowsAt {
    fn name(&self) -> &'static str {
        match self {
            Self::Sum => "rows_sum_at",
            Self::Dot => "rows_dot_at",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Sum => {
                "The sum of rows with weights from a table: c[p, q] = Σᵢ x[index[p, i]] m[p, i, q]: a sparse matrix, in blocks of lanes, times a vector."
            }
            Self::Dot => {
                "The transposed sparse matrix times lanes: x[k] = Σ m[p, i, q] c[p, q] over the rows with index[p, i] = k and all lanes q."
            }
        }
    }

    fn convention(&self) -> &'static str {
        "An index outside of the table, a negative one too, is an error. The sum over no rows is 0; 0·inf is NaN, as in IEEE arithmetic. Rows are summed in order, with eight lanes in two chains (`rows_sum_at`) and before the lanes are (`rows_dot_at`)."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let (Some(over), [_, _, _]) = (attrs.level("over"), args) else {
            return Err(ill_formed(
                self.name(),
                "expects three arguments and a level `over`",
            ));
        };
        let (m, index) = self.places();
        for (k, arg) in args.iter().enumerate() {
            let want = if k == index { DType::I64 } else { DType::F64 };
            if arg.dtype != want {
                return Err(Error::DType {
                    primitive: self.name(),
                    index: k,
                    found: arg.dtype.to_string(),
                    expected: want.to_string(),
                });
            }
        }
        let full = args[m].space;
        let path = || program.space_name(&full);
        let Some([x, _, c]) = Rows::Sum.spaces(full, over) else {
            return Err(ill_formed(
                self.name(),
                format!("the last two levels of [{}] must be rows and lanes", path()),
            ));
        };
        if full
            .iter()
            .any(|l| program.level(l).kind == LevelKind::Stream)
        {
            return Err(ill_formed(
                self.name(),
                format!(
                    "[{}] is a stream, of which one block is seen at a time; use `gather` and `rows_sum`",
                    path()
                ),
            ));
        }
        let table = match self {
            Self::Sum => args[0].space,
            Self::Dot => attrs.space("to").unwrap_or(Space::SCALAR),
        };
        let dense = |l: LevelId| program.level(l).kind == LevelKind::Dense;
        if table.depth() != 1 || !table.iter().all(dense) || full.iter().any(|l| table.contains(l))
        {
            return Err(ill_formed(
                self.name(),
                format!(
                    "the table lives in [{}], expected one dense level that is not on the path",
                    program.space_name(&table)
                ),
            ));
        }
        let fits = args[index].space == x && (*self == Self::Sum || args[1].space == c);
        if !fits {
            return Err(ill_formed(
                self.name(),
                format!("the arguments do not fit [{}]", path()),
            ));
        }
        Ok(vec![Type::f64(match self {
            Self::Sum => c,
            Self::Dot => table,
        })])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(rows) = call.attrs.level("over") else {
            return Ok(vec![None]);
        };
        let a = call.args;
        let out = match self {
            Self::Sum => join(
                tangents[0].map(|t| Self::sum(t, a[1], a[2], rows)),
                tangents[2].map(|t| Self::sum(a[0], a[1], t, rows)),
            ),
            Self::Dot => {
                let to = call.outs[0].space();
                join(
                    tangents[0].map(|t| Self::dot(t, a[1], a[2], rows, to)),
                    tangents[1].map(|t| Self::dot(a[0], t, a[2], rows, to)),
                )
            }
        };
        Ok(vec![out])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (Some(ct), Some(rows)) = (cotangents[0], call.attrs.level("over")) else {
            return Ok(vec![None; 3]);
        };
        let a = call.args;
        let outer = |x: Sym<'b>, index: Sym<'b>, c: Sym<'b>, full: Space| {
            Rows::Outer.apply(x.gather(index), c, full, rows)
        };
        match (self, linear) {
            (Self::Sum, [true, false, false]) => {
                let to = a[0].space();
                Ok(vec![Some(Self::dot(a[2], ct, a[1], rows, to)), None, None])
            }
            (Self::Sum, [false, false, true]) => {
                Ok(vec![None, None, Some(outer(a[0], a[1], ct, a[2].space()))])
            }
            (Self::Dot, [true, false, false]) => {
                Ok(vec![Some(outer(ct, a[2], a[1], a[0].space())), None, None])
            }
            (Self::Dot, [false, true, false]) => {
                Ok(vec![None, Some(Self::sum(ct, a[2], a[0], rows)), None])
            }
            _ => Err(Error::NotDifferentiable {
                primitive: self.name(),
                what: "transpose",
                message: "it is not linear in both at once".into(),
            }),
        }
    }

    fn decompose<'b>(&self, _cx: &'b Builder, call: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        let rows = call.attrs.level("over")?;
        let a = call.args;
        Some(vec![match self {
            Self::Sum => a[0].gather(a[1]).rows_sum(a[2], rows),
            Self::Dot => Rows::Dot
                .apply(a[0], a[1], a[0].space(), rows)
                .scatter_add(a[2], call.outs[0].space()),
        }])
    }

    /// With lanes it is recorded in its parts, whose rules know tables with and without lanes.
    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let broken = || ill_formed(self.name(), "expects a level `over` and a table");
        let rows = call.attrs.level("over").ok_or_else(broken)?;
        let (m, index) = self.places();
        let (m, index) = (call.arg(cx, m)?, call.arg(cx, index)?);
        Ok(vec![match self {
            Self::Sum => {
                let over = call.args[0].space().last().ok_or_else(broken)?;
                call.args[0].gather_over(over, index).rows_sum(m, rows)
            }
            Self::Dot => {
                let to = call.attrs.space("to").ok_or_else(broken)?;
                let over = to.root().ok_or_else(broken)?;
                let x = Rows::Dot.apply(m, call.arg(cx, 1)?, m.space(), rows);
                let attrs = Attrs::over(over).with("to", Attr::Space(call.space(to)?));
                cx.push(super::SCATTER_ADD, &[x, index], attrs).first(cx)
            }
        }])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let broken = || ill_formed(self.name(), "the level is not on the path");
        let over = cx.attrs().level("over").ok_or_else(broken)?;
        let (m, index) = self.places();
        let axis: Axis = cx.axis(cx.arg(m).space, over).ok_or_else(broken)?;
        let _ = (sum_here, dot_here);
        Ok(match self {
            Self::Sum => {
                let kernel = sum_at(cx.isa());
                Kernel::Run(Box::new(move |io: &Io<'_>| {
                    let (x, s) = (io.arg(0), io.segments(&axis));
                    match kernel(s, x, io.arg(1), io.arg(2), io.out(0)) {
                        None => Ok(()),
                        Some(i) => Err(past_end(i, x.len())),
                    }
                }))
            }
            Self::Dot => {
                let kernel = dot_at(cx.isa());
                let known = constant_plan(cx, over, index, cx.out(0).space);
                Kernel::Run(Box::new(move |io: &Io<'_>| {
                    let s = io.segments(&axis);
                    let out = io.out(0);
                    let made;
                    let plan = if let Some(plan) = &known {
                        plan
                    } else {
                        // Rows that are known only now are sorted now.
                        made = Plan::new(io.arg(2), s, out.len())?;
                        &made
                    };
                    kernel(plan, s.inner, io.arg(0), io.arg(1), out);
                    Ok(())
                }))
            }
        })
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let build = move |s: &Sampler, lanes: usize| {
            let p = s.b.dense_of("p", 3);
            let rows = s.ragged("rows", p, &[0, 3, 3, 5]);
            let q = s.b.dense_of("q", lanes);
            let full = s.b.join(rows, q);
            let table = s.b.dense_of("k", 4);
            let wave = |n: usize, phase: f64| {
                (0..n)
                    .map(|k| (k as f64 * 0.7 + phase).sin() + 1.3)
                    .collect::<Vec<_>>()
            };
            let over = rows.last().unwrap_or(LevelId(0));
            let index = s.i64("index", rows, &[1, 3, 1, 3, 0]);
            let m = s.f64("m", full, &wave(5 * lanes, 0.5));
            let out = match op {
                Self::Sum => Self::sum(s.f64("x", table, &wave(4, 0.1)), index, m, over),
                Self::Dot => {
                    let c = s.f64("c", s.b.join(p, q), &wave(3 * lanes, 0.9));
                    Self::dot(m, c, index, over, table)
                }
            };
            vec![("out".to_owned(), s.b.id(out))]
        };
        vec![
            Sample::new("eight lanes, an empty segment", Point::Generic, move |s| {
                build(s, 8)
            }),
            Sample::new("three lanes", Point::Generic, move |s| build(s, 3)),
            Sample {
                expected: Some(vec![if op == Self::Dot {
                    vec![0.0; 4]
                } else {
                    Vec::new()
                }]),
                ..Sample::new("no lanes", Point::Special, move |s| build(s, 0))
            },
        ]
    }
}

/// The plan of rows whose indices and offsets are constants of the program.
fn constant_plan(cx: &LowerCx<'_>, over: LevelId, index: usize, to: Space) -> Option<Plan> {
    let program = cx.program();
    let table = program.level(to.last()?).len?;
    let Some(Data::I64(index)) = cx.constant(index) else {
        return None;
    };
    let LevelKind::Ragged { offsets, .. } = program.level(over).kind else {
        return None;
    };
    let Some(Data::I64(offsets)) = program.node(offsets).attrs.data("data") else {
        return None;
    };
    // Levels before that of the rows repeat it: such rows are sorted when they are met.
    if offsets.last() != Some(&(index.len() as i64)) {
        return None;
    }
    let segments = Segments {
        count: offsets.len() - 1,
        inner: 1,
        dense: 0,
        offsets: Some(offsets),
    };
    Plan::new(index, segments, table).ok()
}
