//! Products of vectors and matrices.

use faer::linalg::matmul;
use faer::linalg::matmul::triangular::BlockStructure;
use faer::{Accum, MatMut, MatRef, Par};
use pullback_ad::isa::Isa;

use super::{LinalgError, check};

pullback_ad::multiversion! {
    fn dot_product, dot_product_at(a: &[f64], b: &[f64]) -> f64 = dot_body;
    fn rows_times, rows_times_at(a: &[f64], x: &[f64], y: &mut [f64]) = rows_body;
}

#[inline(always)]
pub(super) fn dot_body<I: Isa>(a: &[f64], b: &[f64]) -> f64 {
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
    let a = MatRef::from_row_major_slice(a, m, k);
    multiply(c, add, a, MatRef::from_row_major_slice(b, k, n));
    Ok(())
}

/// C ← A B or C ← C + A B on one thread.
fn multiply(c: &mut [f64], add: Accum, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let c = MatMut::from_row_major_slice_mut(c, a.nrows(), b.ncols());
    matmul::matmul(c, add, a, b, 1.0, Par::Seq);
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
    let a = MatRef::from_row_major_slice(a, rows, m).transpose();
    multiply(c, Accum::Add, a, MatRef::from_row_major_slice(b, rows, n));
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
