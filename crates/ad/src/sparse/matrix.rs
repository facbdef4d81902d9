//! Matrices in compressed rows.

use crate::drivers::Matrix;
use crate::error::Error;

/// A sparse matrix in compressed rows (CSR): row i has the columns `indices[starts[i]..starts[i + 1]]`, rising, and the values beside them.
///
/// # Example
/// ```
/// use pullback_ad::SparseMatrix;
/// let mut m = SparseMatrix::from_pattern(3, &[vec![2, 0], vec![1]])?;
/// m.values_mut().copy_from_slice(&[1.0, 2.0, 3.0]);
/// assert_eq!(m.row(0).collect::<Vec<_>>(), [(0, 1.0), (2, 2.0)]);
/// assert_eq!(m.times(&[10.0, 1.0, 1.0])?, [12.0, 3.0]);
/// # Ok::<(), pullback_ad::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseMatrix {
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f64>,
}

impl SparseMatrix {
    /// A matrix of zeros with these columns in its rows, in any order.
    ///
    /// Errors: [`Error::Shape`] for a column that is not there.
    pub fn from_pattern<R: AsRef<[usize]>>(columns: usize, rows: &[R]) -> Result<Self, Error> {
        let mut starts = Vec::with_capacity(rows.len() + 1);
        let mut indices: Vec<u32> = Vec::new();
        starts.push(0);
        for row in rows {
            let begin = indices.len();
            for &column in row.as_ref() {
                match u32::try_from(column) {
                    Ok(index) if column < columns => indices.push(index),
                    _ => {
                        return Err(Error::Shape {
                            what: "columns of the pattern",
                            expected: columns,
                            found: column + 1,
                        });
                    }
                }
            }
            indices[begin..].sort_unstable();
            let mut kept = begin;
            for k in begin..indices.len() {
                if k == begin || indices[k] != indices[kept - 1] {
                    indices[kept] = indices[k];
                    kept += 1;
                }
            }
            indices.truncate(kept);
            starts.push(indices.len());
        }
        Ok(Self {
            columns,
            starts,
            values: vec![0.0; indices.len()],
            indices,
        })
    }

    /// From where rows start (and the end), their columns, rising in each row, and the values beside them.
    ///
    /// Errors: [`Error::Shape`] for parts that are no such rows.
    ///
    /// # Example
    /// ```
    /// use pullback_ad::SparseMatrix;
    /// let m = SparseMatrix::from_rows(3, vec![0, 1, 3], vec![2, 0, 2], vec![5.0, 1.0, 2.0])?;
    /// assert_eq!(m.row(1).collect::<Vec<_>>(), [(0, 1.0), (2, 2.0)]);
    /// assert!(SparseMatrix::from_rows(3, vec![0, 2], vec![2, 0], vec![1.0, 2.0]).is_err());
    /// # Ok::<(), pullback_ad::Error>(())
    /// ```
    pub fn from_rows(
        columns: usize,
        starts: Vec<usize>,
        indices: Vec<u32>,
        values: Vec<f64>,
    ) -> Result<Self, Error> {
        let wrong = |what, expected, found| {
            Err(Error::Shape {
                what,
                expected,
                found,
            })
        };
        if values.len() != indices.len() {
            return wrong("values", indices.len(), values.len());
        }
        let (first, last) = (starts.first().copied(), starts.last().copied());
        if (first, last) != (Some(0), Some(indices.len())) {
            return wrong("the last start of a row", indices.len(), last.unwrap_or(0));
        }
        for bounds in starts.windows(2) {
            let Some(row) = indices.get(bounds[0]..bounds[1]) else {
                return wrong("starts of rows, rising", bounds[0], bounds[1]);
            };
            if let Some(pair) = row.windows(2).find(|pair| pair[0] >= pair[1]) {
                let (before, found) = (pair[0] as usize, pair[1] as usize);
                return wrong("columns of a row, rising", before + 1, found);
            }
            if let Some(last) = row.last().filter(|last| **last as usize >= columns) {
                return wrong("columns", columns, *last as usize + 1);
            }
        }
        Ok(Self {
            columns,
            starts,
            indices,
            values,
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Where rows start in [`indices`](Self::indices) and [`values`](Self::values), and the end.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Columns of the entries, row by row.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Values of the entries, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Values of the entries, to be changed.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Starts of rows, values to be written, columns.
    pub(super) fn places(&mut self) -> (&[usize], &mut [f64], &[u32]) {
        (&self.starts, &mut self.values, &self.indices)
    }

    /// Columns of row `i`; none beyond the last row.
    pub fn columns_of(&self, i: usize) -> &[u32] {
        match self.starts.get(i..i + 2) {
            Some(&[a, b]) => &self.indices[a..b],
            _ => &[],
        }
    }

    /// Columns and values of row `i`; none beyond the last row.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let start = self.starts.get(i).copied().unwrap_or(self.values.len());
        let columns = self.columns_of(i).iter();
        columns
            .zip(&self.values[start..])
            .map(|(&j, &v)| (j as usize, v))
    }

    /// The transposed pattern: for each column its rows, rising.
    pub(crate) fn transposed(&self) -> Self {
        let mut starts = vec![0; self.columns + 1];
        for &j in &self.indices {
            starts[j as usize + 1] += 1;
        }
        for j in 0..self.columns {
            starts[j + 1] += starts[j];
        }
        let mut next = starts.clone();
        let mut indices = vec![0; self.indices.len()];
        let mut values = vec![0.0; self.indices.len()];
        for i in 0..self.rows() {
            for k in self.starts[i]..self.starts[i + 1] {
                let place = &mut next[self.indices[k] as usize];
                (indices[*place], values[*place]) = (i as u32, self.values[k]);
                *place += 1;
            }
        }
        Self {
            columns: self.rows(),
            starts,
            indices,
            values,
        }
    }

    /// The product with a vector. Errors: [`Error::Shape`].
    pub fn times(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        if x.len() != self.columns {
            return Err(Error::Shape {
                what: "x",
                expected: self.columns,
                found: x.len(),
            });
        }
        Ok((0..self.rows())
            .map(|i| self.row(i).map(|(j, v)| v * x[j]).sum())
            .collect())
    }

    /// The matrix with its zeros.
    pub fn dense(&self) -> Matrix {
        let mut matrix = Matrix::zeros(self.rows(), self.columns);
        let entries = matrix.as_mut_slice();
        for i in 0..self.rows() {
            for (j, v) in self.row(i) {
                entries[i * self.columns + j] = v;
            }
        }
        matrix
    }
}
