//! Triangular systems on slices: blocks of rows by plain loops, what is known already by matrix products.

use pullback_ad::isa::{Isa, Level};

use super::gemm::{Extent, Matrix, gemm_at};
use super::matrix::with_scratch;

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
