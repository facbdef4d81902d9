//! Products with a square matrix along a level.

use pullback_ad::isa::{Isa, Level};

use super::binary::join;
use super::gemm::{Extent, Matrix, gemm_at};
use super::matrix::{Action, Part, acts, doubles, flag, lanes_of_operand, with_scratch};
use super::matrix_outer::matrix_outer;
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

/// `out[p, r, q] = Σₛ a[r, s] x[p, s, q]`.
pub struct MatrixApply;

/// Records the product of (a triangle of) `matrix`, or its transpose, with `x` along the level `over`.
pub(crate) fn matrix_apply<'b>(
    cx: &'b Builder,
    matrix: Sym<'b>,
    x: Sym<'b>,
    over: LevelId,
    part: Part,
    transposed: bool,
) -> Sym<'b> {
    let attrs = Attrs::over(over)
        .with("part", part.attr())
        .with("transposed", Attr::Int(i64::from(transposed)));
    cx.push(super::MATRIX_APPLY, &[matrix, x], attrs).first(cx)
}

/// A matrix in memory, as it acts.
#[derive(Clone, Copy)]
struct Acting<'a> {
    data: &'a [f64],
    n: usize,
    /// The triangle of the matrix that acts.
    part: Part,
    transposed: bool,
}

impl Acting<'_> {
    #[inline(always)]
    fn at(&self, r: usize, s: usize) -> f64 {
        if self.transposed {
            self.data[s * self.n + r]
        } else {
            self.data[r * self.n + s]
        }
    }

    fn view(&self, row: usize, column: usize) -> Matrix<'_> {
        let (rows, columns) = if self.transposed {
            (1, self.n)
        } else {
            (self.n, 1)
        };
        Matrix {
            data: &self.data[row * rows + column * columns..],
            rows,
            columns,
        }
    }
}

/// Columns `columns` of rows `rows` of the product, added to `out`, term by term: `x` and `out` hold matrices n × w one after the other.
#[inline(always)]
fn loops_body<I: Isa>(
    a: Acting<'_>,
    x: &[f64],
    out: &mut [f64],
    w: usize,
    rows: (usize, usize),
    columns: (usize, usize),
) {
    let n = a.n;
    for (x, out) in x.chunks_exact(n * w).zip(out.chunks_exact_mut(n * w)) {
        for r in rows.0..rows.1 {
            let out = &mut out[r * w..(r + 1) * w];
            let read = a.part.columns(r, n);
            for s in read.start.max(columns.0)..read.end.min(columns.1) {
                let f = a.at(r, s);
                for (o, x) in out.iter_mut().zip(&x[s * w..(s + 1) * w]) {
                    *o = I::fma(f, *x, *o);
                }
            }
        }
    }
}

pullback_ad::multiversion! {
    fn loops_here, loops_at(a: Acting<'_>, x: &[f64], out: &mut [f64], w: usize, rows: (usize, usize), columns: (usize, usize)) = loops_body;
}

/// Orders up to which the plain loops do everything.
const SMALL: usize = 8;
/// Rows of a triangular matrix that share a rectangle.
const BLOCK: usize = 32;

/// [`loops_body`] for one instruction set.
type Loops = fn(Acting<'_>, &[f64], &mut [f64], usize, (usize, usize), (usize, usize));

/// Products for one instruction set.
#[derive(Clone, Copy)]
struct Products {
    loops: Loops,
    gemm: fn(Matrix<'_>, Matrix<'_>, &mut [f64], Extent),
}

impl Products {
    fn new(isa: Level) -> Self {
        let _ = loops_here;
        Self {
            loops: loops_at(isa),
            gemm: gemm_at(isa),
        }
    }

    /// `out += a · x`. How an element is summed depends on the order of the matrix alone.
    fn apply(&self, a: Acting<'_>, x: &[f64], out: &mut [f64], w: usize) {
        let n = a.n;
        if n <= SMALL {
            return (self.loops)(a, x, out, w, (0, n), (0, n));
        }
        if a.part == Part::Full {
            return self.rectangle(a, x, out, w, (0, n), (0, n));
        }
        // Elements of the other triangle are not read: not even as zeros, which would make NaN of infinities.
        for first in (0..n).step_by(BLOCK) {
            let rows = (first, (first + BLOCK).min(n));
            let columns = if a.part == Part::Lower {
                (0, rows.0)
            } else {
                (rows.1, n)
            };
            if columns.0 < columns.1 {
                self.rectangle(a, x, out, w, rows, columns);
            }
            (self.loops)(a, x, out, w, rows, rows);
        }
    }

    fn rectangle(
        &self,
        a: Acting<'_>,
        x: &[f64],
        out: &mut [f64],
        w: usize,
        rows: (usize, usize),
        columns: (usize, usize),
    ) {
        let (n, m, k) = (a.n, rows.1 - rows.0, columns.1 - columns.0);
        let a = a.view(rows.0, columns.0);
        if w > 1 {
            for (x, out) in x.chunks_exact(n * w).zip(out.chunks_exact_mut(n * w)) {
                let x = Matrix {
                    data: &x[columns.0 * w..],
                    rows: w,
                    columns: 1,
                };
                (self.gemm)(
                    a,
                    x,
                    &mut out[rows.0 * w..rows.1 * w],
                    Extent { m, n: w, k },
                );
            }
            return;
        }
        // Vectors are the rows of a matrix, which the transposed matrix acts on from the right.
        let count = x.len() / n;
        let x = Matrix {
            data: &x[columns.0..],
            rows: n,
            columns: 1,
        };
        let right = Matrix {
            data: a.data,
            rows: a.columns,
            columns: a.rows,
        };
        let extent = Extent { m: count, n: m, k };
        if m == n {
            return (self.gemm)(x, right, out, extent);
        }
        with_scratch(count * m, |product| {
            product.fill(0.0);
            (self.gemm)(x, right, product, extent);
            for (out, p) in out.chunks_exact_mut(n).zip(product.chunks_exact(m)) {
                for (o, p) in out[rows.0..rows.1].iter_mut().zip(p) {
                    *o += *p;
                }
            }
        });
    }
}

fn acting(part: Part, transposed: bool) -> Part {
    match (part, transposed) {
        (Part::Lower, true) => Part::Upper,
        (Part::Upper, true) => Part::Lower,
        (part, _) => part,
    }
}

/// Parameters of a node: the level, the triangle, whether the matrix is transposed.
fn parameters(attrs: &Attrs) -> Result<(LevelId, Part, bool)> {
    let name = MatrixApply.name();
    let Some(over) = attrs.level("over") else {
        return Err(ill_formed(name, "expects a level `over`"));
    };
    Ok((
        over,
        Part::of(name, attrs)?,
        flag(name, attrs, "transposed")?,
    ))
}

impl Primitive for MatrixApply {
    fn name(&self) -> &'static str {
        "matrix_apply"
    }

    fn doc(&self) -> &'static str {
        "A square matrix (the last two levels of argument 0), a triangle of it, or its transpose, times argument 1 along the level `over`: out[p, r, q] = Σₛ a[r, s] x[p, s, q]. The result lives where x does; the levels before the matrix are lanes."
    }

    fn convention(&self) -> &'static str {
        "The triangle that is not meant is not read. Terms are summed from first to last with fused multiply-adds."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        doubles(self.name(), args, 2)?;
        let (over, ..) = parameters(attrs)?;
        acts(self.name(), program, args[0].space, args[1].space, over)?;
        Ok(vec![args[1]])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, part, transposed) = parameters(call.attrs)?;
        let product = |a, x| matrix_apply(cx, a, x, over, part, transposed);
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
        let (over, part, transposed) = parameters(call.attrs)?;
        let (a, x) = (call.args[0], call.args[1]);
        let Some(c) = cotangents[0] else {
            return Ok(vec![None, None]);
        };
        let (left, right) = if transposed { (x, c) } else { (c, x) };
        Ok(vec![
            linear[0].then(|| matrix_outer(cx, left, right, over, a.space(), part)),
            linear[1].then(|| matrix_apply(cx, a, c, over, part, !transposed)),
        ])
    }

    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        lanes_of_operand(cx, call, 1)
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (_, part, transposed) = parameters(cx.attrs())?;
        let action = Action::new(self.name(), cx, cx.arg(0).space, 1)?;
        let products = Products::new(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (a, x, out) = (io.arg::<f64>(0), io.arg::<f64>(1), io.out::<f64>(0));
            out.fill(0.0);
            action.each(io, |o| {
                let n = o.order;
                let matrix = Acting {
                    data: &a[o.lane * n * n..(o.lane + 1) * n * n],
                    n,
                    part: acting(part, transposed),
                    transposed,
                };
                products.apply(
                    matrix,
                    &x[o.first..o.end],
                    &mut out[o.first..o.end],
                    o.inner,
                );
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
                let x = s.f64("x", s.b.join(i, k), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                matrix_apply(&s.b, a, x, first(i), part, transposed)
            })
        };
        vec![
            generic("all", Part::Full, false),
            generic("below, transposed", Part::Lower, true),
            generic("above", Part::Upper, false),
            Sample::generic("one matrix for all muons", |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 3]);
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let a = s.f64("a", s.b.join(i, j), &[2.0, 0.3, 0.5, -1.0]);
                let x = s.f64("x", s.b.join(muons, i), &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                matrix_apply(&s.b, a, x, first(i), Part::Full, true)
            }),
            Sample::special("what is not read", &[4.0, f64::INFINITY], |s| {
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let a = s.f64("a", s.b.join(i, j), &[2.0, f64::NAN, 1.0, 1.0]);
                let x = s.f64("x", i, &[2.0, f64::INFINITY]);
                matrix_apply(&s.b, a, x, first(i), Part::Lower, false)
            }),
        ]
    }
}

/// The level of a path with one.
fn first(space: Space) -> LevelId {
    space.root().unwrap_or(LevelId(0))
}
