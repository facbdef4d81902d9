//! A sparse matrix by rows.

/// A sparse matrix: rows of (column, value) pairs, columns rising.
///
/// ```
/// use pullback_array::SparseRows;
/// let a = SparseRows::new(vec![0, 1, 3], vec![2, 0, 2], vec![5.0, 1.0, 2.0], 3);
/// assert_eq!(a.row(1).collect::<Vec<_>>(), [(0, 1.0), (2, 2.0)]);
/// assert_eq!(a.dense(), [0.0, 0.0, 5.0, 1.0, 0.0, 2.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    n: usize,
}

impl SparseRows {
    /// From the first entry of each row (and the end), columns and values; `n` columns in all.
    pub fn new(starts: Vec<usize>, columns: Vec<u32>, values: Vec<f64>, n: usize) -> Self {
        Self {
            starts,
            columns,
            values,
            n,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// The entries of a row; none for a row that there is not.
    pub fn row(&self, r: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = match self.starts.get(r..r + 2) {
            Some(&[a, b]) => a..b,
            _ => 0..0,
        };
        self.columns[range.clone()]
            .iter()
            .zip(&self.values[range])
            .map(|(c, v)| (*c as usize, *v))
    }

    /// The dense matrix, row-major.
    pub fn dense(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.rows() * self.n];
        for r in 0..self.rows() {
            for (c, v) in self.row(r) {
                out[r * self.n + c] = v;
            }
        }
        out
    }
}
