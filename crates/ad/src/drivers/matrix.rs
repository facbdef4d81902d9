//! The result of a Jacobian or Hessian.

use core::ops::Index;

/// A dense matrix by rows.
///
/// # Example
/// ```
/// use pullback_ad::Matrix;
/// let m = Matrix::zeros(2, 3);
/// assert_eq!((m.rows(), m.columns(), m[(1, 2)]), (2, 3, 0.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            data: vec![0.0; rows * columns],
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Row `i`; empty beyond the last.
    pub fn row(&self, i: usize) -> &[f64] {
        self.data
            .get(i * self.columns..(i + 1) * self.columns)
            .unwrap_or(&[])
    }

    /// All entries, row by row.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.data
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.row(i)[j]
    }
}
