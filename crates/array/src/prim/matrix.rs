//! What the primitives of dense linear algebra share: where a square matrix stands in a path, what it acts on, and triangular loops.
//!
//! A matrix is the last two levels of a path, as many rows as columns; what stands before are lanes. It acts along one level of another value, and what comes
//! out has the path of that value: the levels of rows and columns count the same things.

use std::cell::RefCell;

use pullback_ad::isa::{Isa, Level};

use super::gemm::{Extent, Matrix, gemm_at};
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Axis, Io, LowerCx};
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::space::{LevelId, LevelKind, Space};
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// Which elements of a matrix are read; the others count as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    Full,
    /// Those on and below the diagonal.
    Lower,
    /// Those on and above the diagonal.
    Upper,
}

impl Part {
    /// The parameter `part` of a node.
    pub(crate) fn of(primitive: &'static str, attrs: &Attrs) -> Result<Self> {
        match attrs.int("part") {
            Some(0) => Ok(Self::Full),
            Some(1) => Ok(Self::Lower),
            Some(2) => Ok(Self::Upper),
            _ => Err(ill_formed(
                primitive,
                "expects `part`: 0 all, 1 the lower, 2 the upper triangle",
            )),
        }
    }

    /// As the parameter of a node.
    pub(crate) fn attr(self) -> crate::attr::Attr {
        crate::attr::Attr::Int(match self {
            Self::Full => 0,
            Self::Lower => 1,
            Self::Upper => 2,
        })
    }

    /// Columns of row `r` that are read, of `n`.
    pub(crate) fn columns(self, r: usize, n: usize) -> std::ops::Range<usize> {
        match self {
            Self::Full => 0..n,
            Self::Lower => 0..r + 1,
            Self::Upper => r..n,
        }
    }
}

/// A parameter that is 0 or 1.
pub(crate) fn flag(primitive: &'static str, attrs: &Attrs, name: &'static str) -> Result<bool> {
    match attrs.int(name) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(ill_formed(primitive, format!("expects `{name}`, 0 or 1"))),
    }
}

/// Checks that every argument is of doubles.
pub(crate) fn doubles(primitive: &'static str, args: &[Type], count: usize) -> Result<()> {
    if args.len() != count {
        return Err(ill_formed(
            primitive,
            format!("{} arguments, expected {count}", args.len()),
        ));
    }
    match args.iter().position(|a| a.dtype != DType::F64) {
        None => Ok(()),
        Some(index) => Err(Error::DType {
            primitive,
            index,
            found: args[index].dtype.to_string(),
            expected: DType::F64.to_string(),
        }),
    }
}

/// The levels of rows and columns of a matrix in `space`.
pub(crate) fn square(
    primitive: &'static str,
    program: &Program,
    space: Space,
) -> Result<(LevelId, LevelId)> {
    let depth = space.depth();
    let dense = |l: &LevelId| program.level(*l).kind == LevelKind::Dense;
    let last = |k: usize| depth.checked_sub(k).and_then(|k| space.level(k));
    let (Some(rows), Some(columns)) = (last(2).filter(dense), last(1).filter(dense)) else {
        return Err(ill_formed(
            primitive,
            format!(
                "the matrix lives in [{}], expected two dense levels at the end",
                program.space_name(&space)
            ),
        ));
    };
    let (r, c) = (program.level(rows), program.level(columns));
    match (r.len, c.len) {
        (Some(m), Some(n)) if m != n => Err(ill_formed(
            primitive,
            format!(
                "the matrix has {m} rows (`{}`) and {n} columns (`{}`), expected as many",
                r.name, c.name
            ),
        )),
        _ => Ok((rows, columns)),
    }
}

/// Checks that a matrix in `matrix` can act along the level `over` of a value in `x`: its lanes lead the path, nothing ragged hangs below the level.
pub(crate) fn acts(
    primitive: &'static str,
    program: &Program,
    matrix: Space,
    x: Space,
    over: LevelId,
) -> Result<()> {
    let (rows, _) = square(primitive, program, matrix)?;
    let lanes = matrix.depth() - 2;
    let names = |s: &Space| program.space_name(s);
    if x.prefix(lanes) != matrix.prefix(lanes) {
        return Err(ill_formed(
            primitive,
            format!(
                "the operand lives in [{}], which does not begin with [{}], the lanes of the matrix",
                names(&x),
                names(&matrix.prefix(lanes))
            ),
        ));
    }
    let level = program.level(over);
    let Some(k) = x.position(over).filter(|k| *k >= lanes) else {
        return Err(ill_formed(
            primitive,
            format!(
                "[{}] has no level `{}` after the lanes",
                names(&x),
                level.name
            ),
        ));
    };
    if level.kind != LevelKind::Dense {
        return Err(ill_formed(
            primitive,
            format!(
                "level `{}` is not dense: a matrix acts on a fixed number of elements",
                level.name
            ),
        ));
    }
    let below = |l: LevelId| match program.level(l).kind {
        LevelKind::Ragged { parent, .. } => parent.contains(over),
        kind => kind == LevelKind::Stream,
    };
    if let Some(l) = x.iter().skip(k + 1).find(|l| below(*l)) {
        return Err(ill_formed(
            primitive,
            format!(
                "level `{}` stands below `{}`: a stream or a ragged level must stand before the level that a matrix acts on",
                program.level(l).name,
                level.name
            ),
        ));
    }
    match (level.len, program.level(rows).len) {
        (Some(m), Some(n)) if m != n => Err(ill_formed(
            primitive,
            format!(
                "a matrix of order {n} cannot act on the {m} elements of `{}`",
                level.name
            ),
        )),
        _ => Ok(()),
    }
}

/// The rule of lanes: a matrix without any serves all, otherwise every argument gets them. The first `matrices` arguments belong to the matrix.
pub(crate) fn lanes_of_operand<'b>(
    cx: &'b Builder,
    call: &LaneCall<'_, 'b>,
    matrices: usize,
) -> Result<Vec<Sym<'b>>> {
    let shared = call.lanes[..matrices].iter().all(|l| !l) && call.args[0].space().depth() == 2;
    let args = (0..call.args.len())
        .map(|i| {
            if shared && i < matrices {
                Ok(call.args[i])
            } else {
                call.arg(cx, i)
            }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(cx.push(call.primitive, &args, call.attrs.clone()).all(cx))
}

/// The matrices of an argument or result: how many, of which order.
#[derive(Clone, Copy)]
pub(crate) struct Square {
    rows: LevelId,
    columns: LevelId,
    /// Number of levels that are lanes.
    pub(crate) lanes: usize,
}

impl Square {
    pub(crate) fn new(primitive: &'static str, cx: &LowerCx<'_>, space: Space) -> Result<Self> {
        let (rows, columns) = square(primitive, cx.program(), space)?;
        Ok(Self {
            rows,
            columns,
            lanes: space.depth() - 2,
        })
    }

    /// The order of the matrices in this run.
    pub(crate) fn order(&self, io: &Io<'_>) -> std::result::Result<usize, String> {
        let (m, n) = (io.dim(self.rows), io.dim(self.columns));
        if m == n {
            Ok(n)
        } else {
            Err(format!(
                "the matrix has {m} rows and {n} columns, expected as many"
            ))
        }
    }

    /// Number of a lane for messages, empty if there are none.
    pub(crate) fn lane(&self, lane: usize) -> String {
        if self.lanes == 0 {
            String::new()
        } else {
            format!(" {lane}")
        }
    }
}

/// A matrix that acts along a level of argument `operand`.
#[derive(Clone, Copy)]
pub(crate) struct Action {
    pub(crate) square: Square,
    axis: Axis,
    over: LevelId,
    operand: usize,
    /// Whether the operand comes block by block.
    pub(crate) streamed: bool,
}

/// What one matrix acts on: `count` times `order × inner` elements from `first` on.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    pub lane: usize,
    pub order: usize,
    pub inner: usize,
    pub first: usize,
    pub end: usize,
}

impl Action {
    pub(crate) fn new(
        primitive: &'static str,
        cx: &LowerCx<'_>,
        matrix: Space,
        operand: usize,
    ) -> Result<Self> {
        let Some(over) = cx.attrs().level("over") else {
            return Err(ill_formed(primitive, "expects a level `over`"));
        };
        let x = cx.arg(operand).space;
        acts(primitive, cx.program(), matrix, x, over)?;
        let axis = cx
            .axis(x, over)
            .ok_or_else(|| ill_formed(primitive, "the level is not on the path"))?;
        Ok(Self {
            square: Square::new(primitive, cx, matrix)?,
            axis,
            over,
            operand,
            streamed: cx.program().stream_root(&x).is_some(),
        })
    }

    /// Order of the matrix, and contiguous elements per element of the level it acts on.
    pub(crate) fn sizes(&self, io: &Io<'_>) -> std::result::Result<(usize, usize), String> {
        let (n, elements) = (self.square.order(io)?, io.dim(self.over));
        if n == elements {
            Ok((n, io.segments(&self.axis).inner))
        } else {
            Err(format!(
                "a matrix of order {n} cannot act on {elements} elements"
            ))
        }
    }

    /// Calls `f` for each matrix with what it acts on.
    pub(crate) fn each(
        &self,
        io: &Io<'_>,
        mut f: impl FnMut(Operand) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), String> {
        let (order, inner) = self.sizes(io)?;
        let (i, depth) = (self.operand, self.square.lanes);
        let count = if depth == 0 { 1 } else { io.lanes(i, depth) };
        for lane in 0..count {
            let (first, end) = if depth == 0 {
                (0, io.arg_len(i))
            } else {
                (io.position(i, depth, lane), io.position(i, depth, lane + 1))
            };
            if first < end && order * inner > 0 {
                f(Operand {
                    lane,
                    order,
                    inner,
                    first,
                    end,
                })?;
            }
        }
        Ok(())
    }
}

thread_local! {
    /// Products that are subtracted, permuted columns; grown once per thread, then reused.
    static SCRATCH: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `n` elements of any value.
pub(crate) fn with_scratch<R>(n: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < n {
            scratch.resize(n, 0.0);
        }
        f(&mut scratch[..n])
    })
}

/// Σ aᵢ bᵢ in eight partial sums, one vector.
#[inline(always)]
fn dot<I: Isa>(a: &[f64], b: &[f64]) -> f64 {
    let (mut lanes, mut tail) = ([0.0; 8], 0.0);
    let ((ca, ra), (cb, rb)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (x, y) in ra.iter().zip(rb) {
        tail = I::fma(*x, *y, tail);
    }
    for (x, y) in ca.iter().zip(cb) {
        for k in 0..8 {
            lanes[k] = I::fma(x[k], y[k], lanes[k]);
        }
    }
    let pairs: [f64; 4] = std::array::from_fn(|k| lanes[k] + lanes[k + 4]);
    (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]) + tail
}

/// y ← y − f x
#[inline(always)]
fn subtract<I: Isa>(y: &mut [f64], f: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = I::fma(-f, *x, *y);
    }
}

/// A triangular matrix in memory, as it acts.
#[derive(Clone, Copy)]
pub(crate) struct Triangular<'a> {
    /// The matrix, row by row, `n × n`.
    pub data: &'a [f64],
    pub n: usize,
    /// Whether the lower triangle is the one that is read (before the transposition).
    pub lower: bool,
    pub transposed: bool,
    /// Whether the diagonal counts as ones.
    pub unit: bool,
}

/// The rows `from..to` of the block in which a triangular system is solved; the rows that are known already are those before it (or after it).
#[derive(Clone, Copy)]
struct Block {
    from: usize,
    to: usize,
}

impl Triangular<'_> {
    /// Whether the matrix that acts is lower triangular: then unknowns follow from the first to the last.
    fn forward(&self) -> bool {
        self.lower != self.transposed
    }

    /// Element (r, s) of the matrix that acts.
    #[inline(always)]
    fn at(&self, r: usize, s: usize) -> f64 {
        if self.transposed {
            self.data[s * self.n + r]
        } else {
            self.data[r * self.n + s]
        }
    }

    #[inline(always)]
    fn pivot(&self, r: usize) -> f64 {
        if self.unit { 1.0 } else { self.at(r, r) }
    }

    /// Rows `rows` and columns `columns` of the matrix that acts.
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

/// Solves T X = B in one block of rows, `x` being n × w.
#[inline(always)]
fn rows_body<I: Isa>(t: Triangular<'_>, x: &mut [f64], w: usize, block: Block) {
    let step = |k: usize| {
        if t.forward() {
            block.from + k
        } else {
            block.to - 1 - k
        }
    };
    for k in 0..block.to - block.from {
        let r = step(k);
        for j in 0..k {
            let s = step(j);
            let f = t.at(r, s);
            let (before, after) = x.split_at_mut(r.max(s) * w);
            if s < r {
                subtract::<I>(&mut after[..w], f, &before[s * w..(s + 1) * w]);
            } else {
                subtract::<I>(&mut before[r * w..(r + 1) * w], f, &after[..w]);
            }
        }
        let pivot = t.pivot(r);
        for x in &mut x[r * w..(r + 1) * w] {
            *x /= pivot;
        }
    }
}

/// Solves T x = b in one block of rows for each row of `x`, which has n columns.
#[inline(always)]
fn vectors_body<I: Isa>(t: Triangular<'_>, x: &mut [f64], block: Block) {
    let (n, m) = (t.n, block.to - block.from);
    for x in x.chunks_exact_mut(n) {
        for k in 0..m {
            let r = if t.forward() {
                block.from + k
            } else {
                block.to - 1 - k
            };
            if t.transposed {
                // The column of the matrix that acts is a row in memory.
                let y = x[r] / t.pivot(r);
                x[r] = y;
                let rest = if t.forward() {
                    r + 1..block.to
                } else {
                    block.from..r
                };
                subtract::<I>(&mut x[rest.clone()], y, &t.data[r * n..][rest]);
            } else {
                let known = if t.forward() {
                    block.from..r
                } else {
                    r + 1..block.to
                };
                let row = &t.data[r * n..(r + 1) * n];
                x[r] = (x[r] - dot::<I>(&row[known.clone()], &x[known])) / t.pivot(r);
            }
        }
    }
}

pullback_ad::multiversion! {
    fn rows_here, rows_at(t: Triangular<'_>, x: &mut [f64], w: usize, block: Block) = rows_body;
    fn vectors_here, vectors_at(t: Triangular<'_>, x: &mut [f64], block: Block) = vectors_body;
}

/// Rows that are solved for together; what is known already is subtracted by a matrix product.
const BLOCK: usize = 32;

/// Triangular systems for one instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Solver {
    rows: fn(Triangular<'_>, &mut [f64], usize, Block),
    vectors: fn(Triangular<'_>, &mut [f64], Block),
    gemm: fn(Matrix<'_>, Matrix<'_>, &mut [f64], Extent),
}

impl Solver {
    pub(crate) fn new(isa: Level) -> Self {
        let _ = (rows_here, vectors_here);
        Self {
            rows: rows_at(isa),
            vectors: vectors_at(isa),
            gemm: gemm_at(isa),
        }
    }

    /// Solves T X = B in place: `x` holds matrices n × `inner` one after the other. With `streamed`, the bits of a column do not depend on how many there are.
    pub(crate) fn solve(&self, t: Triangular<'_>, x: &mut [f64], inner: usize, streamed: bool) {
        let n = t.n;
        let columns = if inner == 1 {
            x.len() / n.max(1)
        } else {
            inner
        };
        let blocks = n > BLOCK + BLOCK / 2 && (streamed || columns >= 4);
        let step = if blocks { BLOCK } else { n };
        let mut done = 0;
        while done < n {
            let next = (done + step).min(n);
            let (block, known) = if t.forward() {
                (
                    Block {
                        from: done,
                        to: next,
                    },
                    0..done,
                )
            } else {
                (
                    Block {
                        from: n - next,
                        to: n - done,
                    },
                    n - done..n,
                )
            };
            if inner == 1 {
                if done > 0 {
                    self.subtract_from_vectors(t, x, block, known);
                }
                (self.vectors)(t, x, block);
            } else {
                for x in x.chunks_exact_mut(n * inner) {
                    if done > 0 {
                        self.subtract_from_rows(t, x, inner, block, known.clone());
                    }
                    (self.rows)(t, x, inner, block);
                }
            }
            done = next;
        }
    }

    fn subtract_from_rows(
        &self,
        t: Triangular<'_>,
        x: &mut [f64],
        w: usize,
        block: Block,
        known: std::ops::Range<usize>,
    ) {
        let m = block.to - block.from;
        with_scratch(m * w, |product| {
            product.fill(0.0);
            let right = Matrix {
                data: &x[known.start * w..],
                rows: w,
                columns: 1,
            };
            let extent = Extent {
                m,
                n: w,
                k: known.len(),
            };
            (self.gemm)(t.view(block.from, known.start), right, product, extent);
            for (x, p) in x[block.from * w..block.to * w].iter_mut().zip(product) {
                *x -= *p;
            }
        });
    }

    fn subtract_from_vectors(
        &self,
        t: Triangular<'_>,
        x: &mut [f64],
        block: Block,
        known: std::ops::Range<usize>,
    ) {
        let (n, m) = (t.n, block.to - block.from);
        let count = x.len() / n;
        with_scratch(m * count, |product| {
            product.fill(0.0);
            let left = Matrix {
                data: &x[known.start..],
                rows: n,
                columns: 1,
            };
            let right = t.view(block.from, known.start);
            let right = Matrix {
                data: right.data,
                rows: right.columns,
                columns: right.rows,
            };
            let extent = Extent {
                m: count,
                n: m,
                k: known.len(),
            };
            (self.gemm)(left, right, product, extent);
            for (x, p) in x.chunks_exact_mut(n).zip(product.chunks_exact(m)) {
                for (x, p) in x[block.from..block.to].iter_mut().zip(p) {
                    *x -= *p;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(n: usize) -> Vec<f64> {
        (0..n * n)
            .map(|k| {
                let (i, j) = (k / n, k % n);
                let x = ((k * 37 + 11) % 101) as f64 / 101.0 - 0.5;
                if i == j { 2.0 + x } else { x / n as f64 }
            })
            .collect()
    }

    /// Each of the systems, of orders on both sides of the blocks, against the product with the solution.
    #[test]
    fn solutions_solve_the_system() {
        for isa in Level::available() {
            let solver = Solver::new(isa);
            for n in [1, 2, 5, 31, 48, 49, 70, 100] {
                let data = matrix(n);
                for case in 0..8 {
                    let t = Triangular {
                        data: &data,
                        n,
                        lower: case & 1 == 0,
                        transposed: case & 2 != 0,
                        unit: case & 4 != 0,
                    };
                    let acts = |r: usize, s: usize| match (r == s, r > s) {
                        (true, _) => t.pivot(r),
                        (false, below) if below == t.forward() => t.at(r, s),
                        _ => 0.0,
                    };
                    for (inner, count) in [(1, 1), (1, 6), (3, 2), (8, 1)] {
                        let b: Vec<f64> =
                            (0..n * inner * count).map(|k| (k as f64).sin()).collect();
                        for streamed in [false, true] {
                            let mut x = b.clone();
                            solver.solve(t, &mut x, inner, streamed);
                            for (x, b) in x.chunks(n * inner).zip(b.chunks(n * inner)) {
                                for r in 0..n {
                                    for q in 0..inner {
                                        let sum: f64 =
                                            (0..n).map(|s| acts(r, s) * x[s * inner + q]).sum();
                                        let e = (sum - b[r * inner + q]).abs();
                                        assert!(
                                            e < 1e-13,
                                            "{n} {case} {inner} {count} {streamed}: {e:e}"
                                        );
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What is solved in a block of a stream does not depend on its neighbours.
    #[test]
    fn a_streamed_vector_has_the_same_bits_alone() {
        let (n, solver) = (70, Solver::new(Level::current()));
        let data = matrix(n);
        for transposed in [false, true] {
            let t = Triangular {
                data: &data,
                n,
                lower: true,
                transposed,
                unit: false,
            };
            let b: Vec<f64> = (0..n * 13).map(|k| (k as f64).cos()).collect();
            let mut all = b.clone();
            solver.solve(t, &mut all, 1, true);
            for (k, b) in b.chunks(n).enumerate() {
                let mut one = b.to_vec();
                solver.solve(t, &mut one, 1, true);
                assert_eq!(one, all[k * n..(k + 1) * n]);
            }
        }
    }
}
