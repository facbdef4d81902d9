//! LU factors of a general matrix.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting as lu;
use faer::{MatMut, Par};

use super::{LinalgError, check, dot, solve_upper, solve_upper_transposed};

/// An LU factorisation P A = L U with partial pivoting, and the reciprocal condition number of A.
#[derive(Debug, Clone)]
pub struct Lu {
    n: usize,
    factors: Vec<f64>,
    /// Row of A that became row i.
    rows: Vec<usize>,
    norm: f64,
}

impl Lu {
    /// Factorises an n × n matrix.
    ///
    /// Errors: [`LinalgError::Singular`] where a pivot is zero or not finite. A matrix that is only nearly singular passes: ask [`Lu::rcond`].
    ///
    /// ```
    /// use pullback_array::linalg::Lu;
    /// let lu = Lu::new(&[0.0, 2.0, 1.0, 1.0], 2)?;
    /// let mut b = [4.0, 5.0];
    /// lu.solve(&mut b)?;
    /// assert_eq!(b, [3.0, 2.0]);
    /// # Ok::<(), pullback_array::linalg::LinalgError>(())
    /// ```
    pub fn new(a: &[f64], n: usize) -> Result<Self, LinalgError> {
        check("the matrix", a.len(), n * n)?;
        let norm = (0..n)
            .map(|j| (0..n).map(|i| a[i * n + j].abs()).sum::<f64>())
            .fold(0.0, f64::max);
        let mut factors = a.to_vec();
        let (mut rows, mut inverse) = (vec![0usize; n], vec![0usize; n]);
        let parameters = faer::Spec::default();
        let mut memory = MemBuffer::new(lu::factor::lu_in_place_scratch::<usize, f64>(
            n,
            n,
            Par::Seq,
            parameters,
        ));
        lu::factor::lu_in_place(
            MatMut::from_row_major_slice_mut(&mut factors, n, n),
            &mut rows,
            &mut inverse,
            Par::Seq,
            MemStack::new(&mut memory),
            parameters,
        );
        for pivot in 0..n {
            let value = factors[pivot * (n + 1)];
            if value == 0.0 || !value.is_finite() {
                return Err(LinalgError::Singular { pivot, value });
            }
        }
        Ok(Self {
            n,
            factors,
            rows,
            norm,
        })
    }

    /// L without its diagonal of ones, and U, in one matrix.
    pub(crate) fn factors(&self) -> &[f64] {
        &self.factors
    }

    /// For each row of the factors the row of A that became it.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Solves A x = b in place.
    pub fn solve(&self, b: &mut [f64]) -> Result<(), LinalgError> {
        check("the right-hand side", b.len(), self.n)?;
        let n = self.n;
        let mut y: Vec<f64> = self.rows.iter().map(|&row| b[row]).collect();
        for i in 0..n {
            let known = dot(&self.factors[i * n..i * n + i], &y[..i]);
            y[i] -= known;
        }
        solve_upper(&self.factors, n, &mut y)?;
        b.copy_from_slice(&y);
        Ok(())
    }

    /// Solves Aᵀ x = b in place.
    pub fn solve_transposed(&self, b: &mut [f64]) -> Result<(), LinalgError> {
        let n = self.n;
        solve_upper_transposed(&self.factors, n, b)?;
        for i in (1..n).rev() {
            let (x, y) = (b[i], &mut b[..i]);
            for (y, l) in y.iter_mut().zip(&self.factors[i * n..]) {
                *y -= x * l;
            }
        }
        let y = b.to_vec();
        for (&row, y) in self.rows.iter().zip(y) {
            b[row] = y;
        }
        Ok(())
    }

    /// Estimate of the reciprocal condition number 1 / (‖A‖₁ ‖A⁻¹‖₁); 1 is perfect, below the machine precision nothing of a solution is right.
    ///
    /// Reference: N. J. Higham, ACM Trans. Math. Softw. 14 (1988) 381, algorithm 4.1 (a lower bound of ‖A⁻¹‖₁, nearly always within a factor 3).
    pub fn rcond(&self) -> f64 {
        let n = self.n;
        if n == 0 {
            return 1.0;
        }
        let mut x = vec![1.0 / n as f64; n];
        let mut estimate = 0.0f64;
        let mut visited = vec![false; n];
        for _ in 0..5 {
            if self.solve(&mut x).is_err() {
                return 0.0;
            }
            let sum: f64 = x.iter().map(|x| x.abs()).sum();
            if sum.is_nan() || sum <= estimate {
                break;
            }
            estimate = sum;
            let mut z: Vec<f64> = x.iter().map(|x| 1f64.copysign(*x)).collect();
            if self.solve_transposed(&mut z).is_err() {
                return 0.0;
            }
            let Some(j) = (0..n).max_by(|&a, &b| z[a].abs().total_cmp(&z[b].abs())) else {
                break;
            };
            if visited[j] {
                break;
            }
            visited[j] = true;
            x.fill(0.0);
            x[j] = 1.0;
        }
        // Higham's safeguard against cancellation: a vector of alternating signs and growing size.
        let mut v: Vec<f64> = (0..n)
            .map(|i| {
                (if i % 2 == 0 { 1.0 } else { -1.0 }) * (1.0 + i as f64 / (n.max(2) - 1) as f64)
            })
            .collect();
        if self.solve(&mut v).is_err() {
            return 0.0;
        }
        let alternative = 2.0 * v.iter().map(|x| x.abs()).sum::<f64>() / (3 * n) as f64;
        1.0 / (self.norm * estimate.max(alternative))
    }
}
