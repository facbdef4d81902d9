//! The Cholesky factorisation A = RᵀR and what is solved with it.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::{cholesky::llt, triangular_solve};
use faer::{MatMut, MatRef, Par};
use pullback_ad::isa::Isa;

use super::product::{dot_body, mirror_upper};
use super::{BLOCKED_FROM, LinalgError, check};

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
