//! A symmetric matrix with a diagonal block.

use crate::{OptimError, Unavailable};
use pullback_array::linalg::dot;

/// A symmetric matrix of which one diagonal block is itself diagonal.
///
/// With the variables sorted into m *dense* and s *separable* ones,
///
/// ```text
/// H = | A   Eᵀ |    A: m × m, symmetric     E: s × m, a row per separable variable
///     | E   D  |    D: s × s, diagonal
/// ```
///
/// Without separable variables A is the whole matrix. All blocks are row-major; A stores both triangles.
#[derive(Debug, Clone, Default)]
pub struct Bordered {
    n: usize,
    dense: Vec<usize>,
    separable: Vec<usize>,
    /// For each variable its position in the dense block, or m + that in the separable one.
    place: Vec<usize>,
    a: Vec<f64>,
    e: Vec<f64>,
    d: Vec<f64>,
    /// Used by [`Bordered::fill_from_dense`] only.
    full: Vec<f64>,
}

impl Bordered {
    /// A zero matrix for n variables of which `separable` have no mutual terms. Their order is kept.
    ///
    /// Errors: [`OptimError::Separable`] for repeated or impossible indices.
    ///
    /// ```
    /// use pullback_optim::Bordered;
    /// let mut h = Bordered::new(3, &[1])?;
    /// assert_eq!(h.dense_indices(), [0, 2]);
    /// h.diagonal_mut()[0] = 5.0;
    /// h.coupling_mut()[1] = 7.0; // between variables 1 and 2
    /// assert_eq!((h.get(1, 1), h.get(2, 1), h.get(0, 1)), (5.0, 7.0, 0.0));
    /// # Ok::<(), pullback_optim::OptimError>(())
    /// ```
    pub fn new(n: usize, separable: &[usize]) -> Result<Self, OptimError> {
        let mut out = Self::default();
        out.reset(n, separable)?;
        Ok(out)
    }

    /// Changes shape, keeping the memory; contents are zero afterwards.
    pub fn reset(&mut self, n: usize, separable: &[usize]) -> Result<(), OptimError> {
        let mut seen = vec![false; n];
        for &index in separable {
            match seen.get_mut(index) {
                Some(slot) if !*slot => *slot = true,
                _ => return Err(OptimError::Separable { index, count: n }),
            }
        }
        self.n = n;
        self.separable.clear();
        self.separable.extend_from_slice(separable);
        self.dense.clear();
        self.dense.extend((0..n).filter(|&i| !seen[i]));
        let (m, s) = (self.dense.len(), self.separable.len());
        self.place.clear();
        self.place.resize(n, 0);
        for (k, &i) in self.dense.iter().chain(&self.separable).enumerate() {
            self.place[i] = k;
        }
        for (block, len) in [(&mut self.a, m * m), (&mut self.e, s * m), (&mut self.d, s)] {
            block.clear();
            block.resize(len, 0.0);
        }
        Ok(())
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.n
    }

    /// The variables of block A, rising.
    pub fn dense_indices(&self) -> &[usize] {
        &self.dense
    }

    /// The variables of block D, in the order given.
    pub fn separable_indices(&self) -> &[usize] {
        &self.separable
    }

    /// Block A.
    pub fn dense(&self) -> &[f64] {
        &self.a
    }

    /// Block A, to be filled with both triangles.
    pub fn dense_mut(&mut self) -> &mut [f64] {
        &mut self.a
    }

    /// Block E: a row of m per separable variable.
    pub fn coupling(&self) -> &[f64] {
        &self.e
    }

    /// Block E, to be filled.
    pub fn coupling_mut(&mut self) -> &mut [f64] {
        &mut self.e
    }

    /// The diagonal of D.
    pub fn diagonal(&self) -> &[f64] {
        &self.d
    }

    /// The diagonal of D, to be filled.
    pub fn diagonal_mut(&mut self) -> &mut [f64] {
        &mut self.d
    }

    /// The three blocks A, E and D, to be filled.
    pub fn blocks_mut(&mut self) -> (&mut [f64], &mut [f64], &mut [f64]) {
        (&mut self.a, &mut self.e, &mut self.d)
    }

    /// Fills the blocks from a full matrix (n × n, row-major, both triangles) that `fill` writes. Terms between separable variables are ignored.
    pub fn fill_from_dense(
        &mut self,
        fill: impl FnOnce(&mut [f64]) -> Result<(), Unavailable>,
    ) -> Result<(), Unavailable> {
        if self.separable.is_empty() {
            return fill(&mut self.a);
        }
        let (n, m) = (self.n, self.dense.len());
        self.full.resize(n * n, 0.0);
        fill(&mut self.full)?;
        if m > 0 {
            for (&i, row) in self.dense.iter().zip(self.a.chunks_exact_mut(m)) {
                for (&j, x) in self.dense.iter().zip(row) {
                    *x = self.full[i * n + j];
                }
            }
            for (&i, row) in self.separable.iter().zip(self.e.chunks_exact_mut(m)) {
                for (&j, x) in self.dense.iter().zip(row) {
                    *x = self.full[i * n + j];
                }
            }
        }
        for (&i, x) in self.separable.iter().zip(&mut self.d) {
            *x = self.full[i * n + i];
        }
        Ok(())
    }

    /// The element of variables i and j.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        let m = self.dense.len();
        let (i, j) = (self.place[i], self.place[j]);
        match (i < m, j < m) {
            (true, true) => self.a[i * m + j],
            (true, false) => self.e[(j - m) * m + i],
            (false, true) => self.e[(i - m) * m + j],
            (false, false) if i == j => self.d[i - m],
            (false, false) => 0.0,
        }
    }

    /// The diagonal of the whole matrix into `out`, in the order of the variables.
    pub fn copy_diagonal(&self, out: &mut [f64]) {
        let m = self.dense.len();
        for (k, &i) in self.dense.iter().enumerate() {
            out[i] = self.a[k * (m + 1)];
        }
        for (&i, d) in self.separable.iter().zip(&self.d) {
            out[i] = *d;
        }
    }

    /// y ← H x.
    pub fn multiply(&self, x: &[f64], y: &mut [f64], scratch: &mut Vec<f64>) {
        let m = self.dense.len();
        scratch.clear();
        scratch.extend(self.dense.iter().map(|&i| x[i]));
        let (gathered, _) = scratch.split_at(m);
        for (&i, row) in self.dense.iter().zip(self.a.chunks_exact(m.max(1))) {
            y[i] = dot(row, gathered);
        }
        for (k, &i) in self.separable.iter().enumerate() {
            let row = &self.e[k * m..(k + 1) * m];
            y[i] = self.d[k] * x[i] + dot(row, gathered);
            if x[i] != 0.0 {
                for (&j, e) in self.dense.iter().zip(row) {
                    y[j] += x[i] * e;
                }
            }
        }
    }
}
