//! Dense linear algebra on row-major slices.
//!
//! This is the only module, with its `lu`, that knows [`faer`]. Matrices are plain slices, row-major, without padding; symmetric ones are given by
//! their **upper** triangle (the strict lower one is neither read nor written unless said otherwise). Nothing allocates except where
//! said; nothing panics on numbers (NaN and inf give errors or NaN), wrong lengths are refused by [`LinalgError::Shape`].
//!
//! Small matrices (order below [`BLOCKED_FROM`]) go through loops of our own, which have no set-up cost; larger ones through faer.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::triangular::BlockStructure;
use faer::linalg::{cholesky::llt, evd, matmul, svd, triangular_solve};
use faer::{Accum, MatMut, MatRef, Par};
use pullback_ad::isa::Isa;

mod error;

pub use error::LinalgError;

pub use crate::cholesky::cholesky_on;
pub use lu::Lu;

mod lu;

/// Order from which the factorisations are done by faer (blocked, recursive) instead of by the plain loops here.
pub const BLOCKED_FROM: usize = 112;

fn check(what: &'static str, found: usize, expected: usize) -> Result<(), LinalgError> {
    if found == expected {
        Ok(())
    } else {
        Err(LinalgError::Shape {
            what,
            found,
            expected,
        })
    }
}

/// Factorises A = RᵀR in place: the upper triangle of `a` holds A on entry and R (positive diagonal) on return.
///
/// Shape: `a` is n × n; the strict lower triangle is neither read nor written.
///
/// Errors: [`LinalgError::NotPositiveDefinite`] with the index of the failing pivot; `a` is then partly overwritten.
///
/// ```
/// use pullback_array::linalg::{cholesky, cholesky_solve};
/// let mut a = [4.0, 2.0, 0.0, 3.0];
/// cholesky(&mut a, 2)?;
/// assert_eq!(a, [2.0, 1.0, 0.0, 2f64.sqrt()]);
/// let mut b = [8.0, 7.0];
/// cholesky_solve(&a, 2, &mut b)?;
/// assert!((b[0] - 1.25).abs() < 1e-15 && (b[1] - 1.5).abs() < 1e-15);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
///
/// Reference: Golub & Van Loan, Matrix Computations (4th ed.), section 4.2.5 (outer-product form, here four rows at a time).
pub fn cholesky(a: &mut [f64], n: usize) -> Result<(), LinalgError> {
    check("the matrix", a.len(), n * n)?;
    if n < BLOCKED_FROM {
        cholesky_small(a, n)
    } else {
        cholesky_blocked(a, n)
    }
}

/// Rows that are eliminated together in [`cholesky_small`].
const PANEL: usize = 4;

fn cholesky_small(a: &mut [f64], n: usize) -> Result<(), LinalgError> {
    match cholesky_loops(a, n) {
        None => Ok(()),
        Some((pivot, value)) => Err(LinalgError::NotPositiveDefinite { pivot, value }),
    }
}

pullback_ad::multiversion! {
    fn cholesky_loops, cholesky_loops_at(a: &mut [f64], n: usize) -> Option<(usize, f64)> = cholesky_body;
    fn forward, forward_at(r: &[f64], b: &mut [f64]) = forward_body;
    fn backward, backward_at(r: &[f64], b: &mut [f64]) = backward_body;
    fn dot_product, dot_product_at(a: &[f64], b: &[f64]) -> f64 = dot_body;
    fn rows_times, rows_times_at(a: &[f64], x: &[f64], y: &mut [f64]) = rows_body;
}

/// y ← y − f x
#[inline(always)]
fn subtract<I: Isa>(y: &mut [f64], f: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = I::fma(-f, *x, *y);
    }
}

#[inline(always)]
fn cholesky_body<I: Isa>(a: &mut [f64], n: usize) -> Option<(usize, f64)> {
    for start in (0..n).step_by(PANEL) {
        let end = (start + PANEL).min(n);
        for k in start..end {
            let (above, rest) = a.split_at_mut(k * n);
            let row = &mut rest[k..n];
            for j in start..k {
                let earlier = &above[j * n + k..(j + 1) * n];
                subtract::<I>(row, earlier[0], earlier);
            }
            let pivot = row[0];
            // The negated comparison also catches NaN.
            if !(pivot > 0.0 && pivot < f64::INFINITY) {
                return Some((k, pivot));
            }
            let root = pivot.sqrt();
            let inverse = 1.0 / root;
            row[0] = root;
            for x in &mut row[1..] {
                *x *= inverse;
            }
        }
        if end - start < PANEL {
            break;
        }
        let (panel, rest) = a.split_at_mut(end * n);
        let (p0, p) = panel[start * n..].split_at(n);
        let (p1, p) = p.split_at(n);
        let (p2, p3) = p.split_at(n);
        for (i, row) in (end..n).zip(rest.chunks_exact_mut(n)) {
            let (r0, r1, r2, r3) = (&p0[i..], &p1[i..], &p2[i..], &p3[i..]);
            let (f0, f1, f2, f3) = (-r0[0], -r1[0], -r2[0], -r3[0]);
            for ((((x, a), b), c), d) in row[i..].iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
                *x = I::fma(f3, *d, I::fma(f2, *c, I::fma(f1, *b, I::fma(f0, *a, *x))));
            }
        }
    }
    None
}

/// Solves Rᵀ x = b: x_k is final once the rows above are subtracted.
#[inline(always)]
fn forward_body<I: Isa>(r: &[f64], b: &mut [f64]) {
    let n = b.len();
    for (k, row) in r.chunks_exact(n.max(1)).enumerate() {
        let (done, rest) = b.split_at_mut(k + 1);
        let y = done[k] / row[k];
        done[k] = y;
        subtract::<I>(rest, y, &row[k + 1..]);
    }
}

#[inline(always)]
fn backward_body<I: Isa>(r: &[f64], b: &mut [f64]) {
    let n = b.len();
    for (k, row) in r.chunks_exact(n.max(1)).enumerate().rev() {
        let known = dot_body::<I>(&row[k + 1..], &b[k + 1..]);
        b[k] = (b[k] - known) / row[k];
    }
}

#[inline(always)]
fn dot_body<I: Isa>(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let mut tail = 0.0;
    for (x, y) in chunks_a.remainder().iter().zip(chunks_b.remainder()) {
        tail = I::fma(*x, *y, tail);
    }
    for (x, y) in chunks_a.zip(chunks_b) {
        for k in 0..8 {
            lanes[k] = I::fma(x[k], y[k], lanes[k]);
        }
    }
    let pairs = [
        lanes[0] + lanes[4],
        lanes[1] + lanes[5],
        lanes[2] + lanes[6],
        lanes[3] + lanes[7],
    ];
    (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]) + tail
}

#[inline(always)]
fn rows_body<I: Isa>(a: &[f64], x: &[f64], y: &mut [f64]) {
    for (row, y) in a.chunks_exact(x.len().max(1)).zip(y) {
        *y = dot_body::<I>(row, x);
    }
}

fn cholesky_blocked(a: &mut [f64], n: usize) -> Result<(), LinalgError> {
    // Read by columns, the row-major upper triangle is a lower one: A = L Lᵀ with L = Rᵀ.
    let view = MatMut::from_column_major_slice_mut(&mut *a, n, n);
    let parameters = faer::Spec::default();
    let mut memory = MemBuffer::new(llt::factor::cholesky_in_place_scratch::<f64>(
        n,
        Par::Seq,
        parameters,
    ));
    let stack = MemStack::new(&mut memory);
    match llt::factor::cholesky_in_place(
        view,
        llt::factor::LltRegularization::default(),
        Par::Seq,
        stack,
        parameters,
    ) {
        Ok(_) => {}
        Err(llt::factor::LltError::NonPositivePivot { index }) => {
            // What faer leaves at the failing place is not documented; the diagonal tells at least NaN from a negative number.
            return Err(LinalgError::NotPositiveDefinite {
                pivot: index,
                value: a[index * (n + 1)],
            });
        }
    }
    match (0..n).find(|&k| !a[k * (n + 1)].is_finite()) {
        Some(pivot) => Err(LinalgError::NotPositiveDefinite {
            pivot,
            value: a[pivot * (n + 1)],
        }),
        None => Ok(()),
    }
}

/// Smallest ratio R_kk² / A_kk over the pivots of a factor R, with its index: how much of a diagonal element elimination left over.
///
/// 1 − (ratio) is the squared multiple correlation of variable k with the ones before it; a ratio near the machine precision means a
/// matrix that is singular to working precision. `diagonal` is that of the matrix before the factorisation.
///
/// ```
/// # use pullback_array::linalg::{cholesky, smallest_pivot};
/// let mut a = [1.0, 0.8, 0.0, 1.0];
/// cholesky(&mut a, 2)?;
/// let (index, ratio) = smallest_pivot(&a, 2, [1.0, 1.0].into_iter());
/// assert_eq!(index, 1);
/// assert!((ratio - 0.36).abs() < 1e-15);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
pub fn smallest_pivot(r: &[f64], n: usize, diagonal: impl Iterator<Item = f64>) -> (usize, f64) {
    let mut smallest = (0, f64::INFINITY);
    for (k, (pivot, before)) in r.iter().step_by(n + 1).zip(diagonal).enumerate() {
        let ratio = pivot * pivot / before;
        if ratio.is_nan() || ratio < smallest.1 {
            smallest = (k, ratio);
        }
    }
    smallest
}

/// Solves RᵀR x = b in place, with the factor of [`cholesky`].
pub fn cholesky_solve(r: &[f64], n: usize, b: &mut [f64]) -> Result<(), LinalgError> {
    solve_upper_transposed(r, n, b)?;
    solve_upper(r, n, b)
}

/// Solves Rᵀ x = b in place, R upper triangular: the forward half of [`cholesky_solve`].
pub fn solve_upper_transposed(r: &[f64], n: usize, b: &mut [f64]) -> Result<(), LinalgError> {
    check("the factor", r.len(), n * n)?;
    check("the right-hand side", b.len(), n)?;
    forward(r, b);
    Ok(())
}

/// Solves R x = b in place, R upper triangular: the backward half of [`cholesky_solve`].
pub fn solve_upper(r: &[f64], n: usize, b: &mut [f64]) -> Result<(), LinalgError> {
    check("the factor", r.len(), n * n)?;
    check("the right-hand side", b.len(), n)?;
    backward(r, b);
    Ok(())
}

/// Solves RᵀR X = B in place for k right-hand sides: `b` is n × k.
pub fn cholesky_solve_many(
    r: &[f64],
    n: usize,
    b: &mut [f64],
    k: usize,
) -> Result<(), LinalgError> {
    check("the factor", r.len(), n * n)?;
    check("the right-hand sides", b.len(), n * k)?;
    let lower = MatRef::from_column_major_slice(r, n, n);
    let mut right = MatMut::from_row_major_slice_mut(b, n, k);
    triangular_solve::solve_lower_triangular_in_place(lower, right.as_mut(), Par::Seq);
    triangular_solve::solve_upper_triangular_in_place(lower.transpose(), right, Par::Seq);
    Ok(())
}

/// Solves Rᵀ X = B in place for k right-hand sides, R upper triangular: `b` is n × k.
pub fn solve_upper_transposed_many(
    r: &[f64],
    n: usize,
    b: &mut [f64],
    k: usize,
) -> Result<(), LinalgError> {
    check("the factor", r.len(), n * n)?;
    check("the right-hand sides", b.len(), n * k)?;
    let lower = MatRef::from_column_major_slice(r, n, n);
    triangular_solve::solve_lower_triangular_in_place(
        lower,
        MatMut::from_row_major_slice_mut(b, n, k),
        Par::Seq,
    );
    Ok(())
}

/// The inverse (RᵀR)⁻¹ from the factor of [`cholesky`], both triangles, into `out`. Allocates scratch above [`BLOCKED_FROM`].
pub fn cholesky_inverse(r: &[f64], n: usize, out: &mut [f64]) -> Result<(), LinalgError> {
    check("the factor", r.len(), n * n)?;
    check("the inverse", out.len(), n * n)?;
    let view = MatMut::from_column_major_slice_mut(&mut *out, n, n);
    let mut memory = MemBuffer::new(llt::inverse::inverse_scratch::<f64>(n, Par::Seq));
    llt::inverse::inverse(
        view,
        MatRef::from_column_major_slice(r, n, n),
        Par::Seq,
        MemStack::new(&mut memory),
    );
    // faer fills the lower triangle of its column-major view, which is the upper one here.
    mirror_upper(out, n);
    Ok(())
}

/// Copies the upper triangle onto the lower one.
pub fn mirror_upper(a: &mut [f64], n: usize) {
    // By tiles, so that both the rows read and the columns written stay in the first-level cache.
    const TILE: usize = 16;
    for row in (0..n).step_by(TILE) {
        for column in (0..=row).step_by(TILE) {
            for i in row..(row + TILE).min(n) {
                for j in column..(column + TILE).min(i) {
                    a[i * n + j] = a[j * n + i];
                }
            }
        }
    }
}

/// Copies the lower triangle onto the upper one.
pub fn mirror_lower(a: &mut [f64], n: usize) {
    const TILE: usize = 16;
    for row in (0..n).step_by(TILE) {
        for column in (0..=row).step_by(TILE) {
            for i in row..(row + TILE).min(n) {
                for j in column..(column + TILE).min(i) {
                    a[j * n + i] = a[i * n + j];
                }
            }
        }
    }
}

/// Σ a_i b_i in eight partial sums (one SIMD register), which are added at the end.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    dot_product(a, b)
}

/// y ← A x for a symmetric A of which both triangles are stored (n × n), or any matrix with rows of the length of `x`.
pub fn matvec(a: &[f64], x: &[f64], y: &mut [f64]) -> Result<(), LinalgError> {
    check("the matrix", a.len(), x.len() * y.len())?;
    rows_times(a, x, y);
    Ok(())
}

/// C ← A B, or C ← C + A B where `accumulate`: `a` is m × k, `b` is k × n, `c` is m × n.
///
/// ```
/// let mut c = [1.0, 1.0];
/// pullback_array::linalg::matmul(&mut c, true, &[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], 1, 2, 2)?;
/// assert_eq!(c, [14.0, 17.0]);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
pub fn matmul(
    c: &mut [f64],
    accumulate: bool,
    a: &[f64],
    b: &[f64],
    m: usize,
    k: usize,
    n: usize,
) -> Result<(), LinalgError> {
    check("the left factor", a.len(), m * k)?;
    check("the right factor", b.len(), k * n)?;
    check("the product", c.len(), m * n)?;
    let add = if accumulate {
        Accum::Add
    } else {
        Accum::Replace
    };
    matmul::matmul(
        MatMut::from_row_major_slice_mut(c, m, n),
        add,
        MatRef::from_row_major_slice(a, m, k),
        MatRef::from_row_major_slice(b, k, n),
        1.0,
        Par::Seq,
    );
    Ok(())
}

/// C ← C + Aᵀ B: `a` is rows × m, `b` is rows × n, `c` is m × n.
///
/// ```
/// let mut c = [0.0; 2];
/// pullback_array::linalg::transposed_product(&mut c, &[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0], 2, 1, 2)?;
/// assert_eq!(c, [13.0, 16.0]);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
pub fn transposed_product(
    c: &mut [f64],
    a: &[f64],
    b: &[f64],
    rows: usize,
    m: usize,
    n: usize,
) -> Result<(), LinalgError> {
    check("the left factor", a.len(), rows * m)?;
    check("the right factor", b.len(), rows * n)?;
    check("the product", c.len(), m * n)?;
    matmul::matmul(
        MatMut::from_row_major_slice_mut(c, m, n),
        Accum::Add,
        MatRef::from_row_major_slice(a, rows, m).transpose(),
        MatRef::from_row_major_slice(b, rows, n),
        1.0,
        Par::Seq,
    );
    Ok(())
}

/// Upper triangle of C ← C + s Aᵀ B, a product known to be symmetric: `a` and `b` are rows × n, `c` is n × n.
///
/// With B = diag(w) A this is the weighted Gram matrix; the caller keeps the scaled copy. The strict lower triangle of `c` is untouched.
pub fn gram_update(
    c: &mut [f64],
    s: f64,
    a: &[f64],
    b: &[f64],
    rows: usize,
    n: usize,
) -> Result<(), LinalgError> {
    check("the left factor", a.len(), rows * n)?;
    check("the right factor", b.len(), rows * n)?;
    check("the product", c.len(), n * n)?;
    triangle(c, s, a, b, [rows, n], BlockStructure::TriangularUpper);
    Ok(())
}

/// As [`gram_update`] with s = 1, but the lower triangle of `c`; the strict upper one is untouched.
pub fn gram_lower(
    c: &mut [f64],
    a: &[f64],
    b: &[f64],
    rows: usize,
    n: usize,
) -> Result<(), LinalgError> {
    check("the left factor", a.len(), rows * n)?;
    check("the right factor", b.len(), rows * n)?;
    check("the product", c.len(), n * n)?;
    triangle(c, 1.0, a, b, [rows, n], BlockStructure::TriangularLower);
    Ok(())
}

/// One triangle of C ← C + s Aᵀ B.
fn triangle(
    c: &mut [f64],
    s: f64,
    a: &[f64],
    b: &[f64],
    [rows, n]: [usize; 2],
    which: BlockStructure,
) {
    if rows == 0 || n == 0 {
        return;
    }
    matmul::triangular::matmul(
        MatMut::from_row_major_slice_mut(c, n, n),
        which,
        Accum::Add,
        MatRef::from_row_major_slice(a, rows, n).transpose(),
        BlockStructure::Rectangular,
        MatRef::from_row_major_slice(b, rows, n),
        BlockStructure::Rectangular,
        s,
        Par::Seq,
    );
}

/// Upper triangle of C ← C + Aᵀ diag(w) A, the weighted Gram matrix: `a` is rows × n, `w` has a (signed) weight per row.
///
/// `scratch` is used for the scaled rows and keeps its capacity between calls.
///
/// ```
/// use pullback_array::linalg::weighted_gram;
/// let mut c = [0.0; 4];
/// weighted_gram(&mut c, &[1.0, 2.0, 3.0, 4.0], &[1.0, -1.0], 2, &mut Vec::new())?;
/// assert_eq!(c, [-8.0, -10.0, 0.0, -12.0]);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
pub fn weighted_gram(
    c: &mut [f64],
    a: &[f64],
    w: &[f64],
    n: usize,
    scratch: &mut Vec<f64>,
) -> Result<(), LinalgError> {
    check("the left factor", a.len(), w.len() * n)?;
    scratch.clear();
    for (row, w) in a.chunks_exact(n.max(1)).zip(w) {
        scratch.extend(row.iter().map(|x| w * x));
    }
    gram_update(c, 1.0, a, scratch, w.len(), n)
}

/// Eigenvalues (rising) and eigenvectors of a symmetric matrix: A = Σ_k λ_k v_k v_kᵀ.
///
/// `a` is n × n and only its upper triangle is read; `values` gets λ, row k of `vectors` gets v_k (n × n, orthonormal rows).
/// Allocates scratch.
///
/// ```
/// let (mut values, mut vectors) = ([0.0; 2], [0.0; 4]);
/// pullback_array::linalg::symmetric_eigen(&[2.0, 1.0, f64::NAN, 2.0], 2, &mut values, &mut vectors)?;
/// assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
/// assert!((vectors[0] + vectors[1]).abs() < 1e-15);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
pub fn symmetric_eigen(
    a: &[f64],
    n: usize,
    values: &mut [f64],
    vectors: &mut [f64],
) -> Result<(), LinalgError> {
    check("the matrix", a.len(), n * n)?;
    check("the eigenvalues", values.len(), n)?;
    check("the eigenvectors", vectors.len(), n * n)?;
    if n == 0 {
        return Ok(());
    }
    if (0..n).any(|i| a[i * n + i..(i + 1) * n].iter().any(|x| !x.is_finite())) {
        return Err(LinalgError::Eigen {
            reason: "an entry is not finite",
        });
    }
    let parameters = faer::Spec::default();
    let mut memory = MemBuffer::new(evd::self_adjoint_evd_scratch::<f64>(
        n,
        evd::ComputeEigenvectors::Yes,
        Par::Seq,
        parameters,
    ));
    let values = faer::ColMut::from_slice_mut(values).as_diagonal_mut();
    evd::self_adjoint_evd(
        // faer reads the lower triangle of its column-major view.
        MatRef::from_column_major_slice(a, n, n),
        values,
        Some(MatMut::from_column_major_slice_mut(vectors, n, n)),
        Par::Seq,
        MemStack::new(&mut memory),
        parameters,
    )
    .map_err(|_| LinalgError::Eigen {
        reason: "the QR iteration did not converge",
    })
}

/// The thin singular-value decomposition A = Σ_k σ_k u_k v_kᵀ of a matrix with at least as many rows as columns.
///
/// `a` is rows × n. `values` gets σ (falling, n of them), row k of `left` (n × rows) gets u_k and row k of `right` (n × n) gets v_k. Allocates scratch.
///
/// ```
/// let (mut values, mut left, mut right) = ([0.0; 2], [0.0; 6], [0.0; 4]);
/// let a = [0.0, 2.0, 3.0, 0.0, 0.0, 0.0];
/// pullback_array::linalg::thin_svd(&a, 3, 2, &mut values, &mut left, &mut right)?;
/// assert!((values[0] - 3.0).abs() < 1e-15 && (values[1] - 2.0).abs() < 1e-15);
/// assert!((left[1] * right[0] - 1.0).abs() < 1e-15);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
pub fn thin_svd(
    a: &[f64],
    rows: usize,
    n: usize,
    values: &mut [f64],
    left: &mut [f64],
    right: &mut [f64],
) -> Result<(), LinalgError> {
    check("the matrix", a.len(), rows * n)?;
    check("the singular values", values.len(), n)?;
    check("the left vectors", left.len(), n * rows)?;
    check("the right vectors", right.len(), n * n)?;
    if rows < n {
        return Err(LinalgError::Shape {
            what: "a column of the matrix",
            found: rows,
            expected: n,
        });
    }
    if n == 0 {
        return Ok(());
    }
    if a.iter().any(|x| !x.is_finite()) {
        return Err(LinalgError::Eigen {
            reason: "an entry is not finite",
        });
    }
    let parameters = faer::Spec::default();
    let thin = svd::ComputeSvdVectors::Thin;
    let mut memory = MemBuffer::new(svd::svd_scratch::<f64>(
        rows,
        n,
        thin,
        thin,
        Par::Seq,
        parameters,
    ));
    svd::svd(
        MatRef::from_row_major_slice(a, rows, n),
        faer::ColMut::from_slice_mut(values).as_diagonal_mut(),
        Some(MatMut::from_column_major_slice_mut(left, rows, n)),
        Some(MatMut::from_column_major_slice_mut(right, n, n)),
        Par::Seq,
        MemStack::new(&mut memory),
        parameters,
    )
    .map_err(|_| LinalgError::Eigen {
        reason: "the QR iteration did not converge",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reproducible matrix with entries in (−1, 1).
    fn noise(rows: usize, columns: usize, seed: u64) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        (0..rows * columns)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
            })
            .collect()
    }

    fn positive(n: usize, seed: u64) -> Vec<f64> {
        let a = noise(n + 3, n, seed);
        let mut c = vec![0.0; n * n];
        weighted_gram(&mut c, &a, &vec![1.0; n + 3], n, &mut Vec::new()).unwrap();
        mirror_upper(&mut c, n);
        c
    }

    const ORDERS: [usize; 11] = [
        0,
        1,
        2,
        3,
        4,
        5,
        17,
        64,
        BLOCKED_FROM - 1,
        BLOCKED_FROM,
        150,
    ];

    #[test]
    fn cholesky_reconstructs_and_leaves_the_lower_triangle() {
        for n in ORDERS {
            let a = positive(n, 7);
            let mut r = a.clone();
            for i in 0..n {
                r[i * n..i * n + i].fill(f64::NAN);
            }
            cholesky(&mut r, n).unwrap();
            let scale = a.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            for i in 0..n {
                assert!(r[i * n..i * n + i].iter().all(|x| x.is_nan()), "order {n}");
                for j in i..n {
                    let sum: f64 = (0..=i).map(|k| r[k * n + i] * r[k * n + j]).sum();
                    assert!(
                        (sum - a[i * n + j]).abs() < 1e-14 * scale * n as f64,
                        "order {n}: {sum} {}",
                        a[i * n + j]
                    );
                }
            }
        }
    }

    #[test]
    fn solves_agree_with_the_product() {
        for n in ORDERS {
            let a = positive(n, 11);
            let mut r = a.clone();
            cholesky(&mut r, n).unwrap();
            let x = noise(n, 1, 5);
            let mut b = vec![0.0; n];
            matvec(&a, &x, &mut b).unwrap();
            let mut pair: Vec<f64> = b.iter().flat_map(|&b| [b, 2.0 * b]).collect();
            let mut lu_b = b.clone();
            cholesky_solve(&r, n, &mut b).unwrap();
            cholesky_solve_many(&r, n, &mut pair, 2).unwrap();
            let mut inverse = vec![0.0; n * n];
            cholesky_inverse(&r, n, &mut inverse).unwrap();
            let lu = Lu::new(&a, n).unwrap();
            let tolerance = 1e-14 / lu.rcond();
            let rhs = lu_b.clone();
            lu.solve(&mut lu_b).unwrap();
            for i in 0..n {
                assert!((b[i] - x[i]).abs() < tolerance, "order {n}");
                assert!(
                    (pair[2 * i] - x[i]).abs() < tolerance
                        && (pair[2 * i + 1] - 2.0 * x[i]).abs() < 2.0 * tolerance
                );
                assert!((lu_b[i] - x[i]).abs() < tolerance);
                assert!((dot(&inverse[i * n..(i + 1) * n], &rhs) - x[i]).abs() < tolerance);
            }
        }
    }

    #[test]
    fn failing_pivots_are_named() {
        for n in [6, BLOCKED_FROM + 10] {
            for bad in [0, 3, 4, n - 1] {
                let mut a = positive(n, 3);
                a[bad * (n + 1)] = -1.0;
                let error = cholesky(&mut a, n).unwrap_err();
                assert!(
                    matches!(error, LinalgError::NotPositiveDefinite { pivot, .. } if pivot == bad),
                    "{error} {bad}"
                );
                let mut a = positive(n, 3);
                a[bad * (n + 1)] = f64::NAN;
                assert!(matches!(
                    cholesky(&mut a, n),
                    Err(LinalgError::NotPositiveDefinite { .. })
                ));
            }
        }
        assert!(matches!(
            cholesky(&mut [1.0; 3], 2),
            Err(LinalgError::Shape {
                found: 3,
                expected: 4,
                ..
            })
        ));
        assert!(matches!(
            Lu::new(&[1.0, 2.0, 2.0, 4.0], 2),
            Err(LinalgError::Singular { pivot: 1, .. })
        ));
    }

    #[test]
    fn lu_of_general_matrices() {
        for n in ORDERS {
            let a = noise(n, n, 23);
            let Ok(lu) = Lu::new(&a, n) else {
                panic!("order {n}")
            };
            let x = noise(n, 1, 9);
            let mut b = vec![0.0; n];
            matvec(&a, &x, &mut b).unwrap();
            lu.solve(&mut b).unwrap();
            let mut c: Vec<f64> = (0..n)
                .map(|j| (0..n).map(|i| a[i * n + j] * x[i]).sum())
                .collect();
            lu.solve_transposed(&mut c).unwrap();
            let tolerance = 1e-14 / lu.rcond();
            for i in 0..n {
                assert!(
                    (b[i] - x[i]).abs() < tolerance && (c[i] - x[i]).abs() < tolerance,
                    "order {n}"
                );
            }
        }
    }

    #[test]
    fn condition_number_of_the_hilbert_matrix() {
        // ‖H‖₁ ‖H⁻¹‖₁ for n = 6 is 29070279 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 28.1; by exact fractions).
        let n = 6;
        let a: Vec<f64> = (0..n * n)
            .map(|k| 1.0 / (k / n + k % n + 1) as f64)
            .collect();
        let rcond = Lu::new(&a, n).unwrap().rcond();
        assert!((rcond * 29070279.0 - 1.0).abs() < 1e-8, "{}", 1.0 / rcond);
    }

    #[test]
    fn eigenvectors_diagonalise() {
        for n in ORDERS {
            let a = noise(n, n, 31);
            let full: Vec<f64> = (0..n * n)
                .map(|k| a[(k / n).min(k % n) * n + (k / n).max(k % n)])
                .collect();
            let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
            symmetric_eigen(&a, n, &mut values, &mut vectors).unwrap();
            let mut image = vec![0.0; n];
            for k in 0..n {
                let v = &vectors[k * n..(k + 1) * n];
                matvec(&full, v, &mut image).unwrap();
                for i in 0..n {
                    assert!((image[i] - values[k] * v[i]).abs() < 1e-12, "order {n}");
                }
                assert!(k == 0 || values[k] >= values[k - 1]);
            }
        }
    }

    #[test]
    fn singular_vectors_reconstruct() {
        for n in ORDERS {
            let rows = n + n / 3 + 1;
            let a = noise(rows, n, 41);
            let (mut values, mut left, mut right) =
                (vec![0.0; n], vec![0.0; n * rows], vec![0.0; n * n]);
            thin_svd(&a, rows, n, &mut values, &mut left, &mut right).unwrap();
            for i in 0..rows {
                for j in 0..n {
                    let sum: f64 = (0..n)
                        .map(|k| values[k] * left[k * rows + i] * right[k * n + j])
                        .sum();
                    assert!((sum - a[i * n + j]).abs() < 1e-12, "order {n}");
                }
            }
            assert!(values.windows(2).all(|v| v[0] >= v[1]));
        }
        assert!(
            thin_svd(
                &[1.0, 2.0],
                1,
                2,
                &mut [0.0; 2],
                &mut [0.0; 2],
                &mut [0.0; 4]
            )
            .is_err()
        );
    }

    #[test]
    fn gram_equals_loops() {
        let (rows, n) = (13, 9);
        let (a, w) = (noise(rows, n, 1), noise(rows, 1, 2));
        let mut c = vec![0.5; n * n];
        weighted_gram(&mut c, &a, &w, n, &mut Vec::new()).unwrap();
        for i in 0..n {
            for j in 0..n {
                let sum: f64 = (0..rows).map(|k| w[k] * a[k * n + i] * a[k * n + j]).sum();
                let expected = if j >= i { 0.5 + sum } else { 0.5 };
                assert!((c[i * n + j] - expected).abs() < 1e-14);
            }
        }
    }
}
