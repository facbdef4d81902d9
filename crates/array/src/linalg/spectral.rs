//! Eigenvalues and singular values.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::{evd, svd};
use faer::{MatMut, MatRef, Par};

use super::{LinalgError, check};

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
