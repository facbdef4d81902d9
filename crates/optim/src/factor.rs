//! Cholesky factorisation of a [`Bordered`] matrix restricted to some variables, the separable ones eliminated first.

use crate::Bordered;
use pullback_array::linalg::{self, LinalgError};
use pullback_array::{schur_complement, sparse_product};

/// Below this ratio of a pivot to the diagonal element it came from, a matrix counts as singular.
///
/// The rounding error of a pivot is about n ε times that diagonal element (Higham, Accuracy and Stability, theorem 10.3).
const SINGULAR: f64 = 1e-13;

/// The matrix is not positive definite to working precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Indefinite {
    /// The variable at which that was seen.
    pub(crate) variable: usize,
}

/// H restricted to free variables, factorised: S = A − EᵀD⁻¹E = RᵀR.
///
/// Reference: the Schur complement as used in bundle adjustment, e.g. B. Triggs et al., LNCS 1883 (2000) 298, section 6.1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factor {
    /// Positions in the dense block, and the variables there.
    dense: Vec<usize>,
    dense_variables: Vec<usize>,
    /// Positions in the separable block, and the variables there.
    separable: Vec<usize>,
    separable_variables: Vec<usize>,
    /// R, m × m.
    r: Vec<f64>,
    /// Rows of E and of D⁻¹E, s × m.
    e: Vec<f64>,
    scaled: Vec<f64>,
    d: Vec<f64>,
    /// The diagonal of A before the elimination.
    diagonal: Vec<f64>,
    scratch: Vec<f64>,
    threads: usize,
}

impl Factor {
    /// Threads of the factorisation; their number changes no bit of the result.
    pub(crate) fn set_threads(&mut self, threads: usize) {
        self.threads = threads;
    }

    /// Factorises the rows and columns for which `free` is set.
    pub(crate) fn compute(&mut self, h: &Bordered, free: &[bool]) -> Result<(), Indefinite> {
        let all = h.dense_indices().len();
        self.dense.clear();
        self.dense_variables.clear();
        self.separable.clear();
        self.separable_variables.clear();
        for (k, &i) in h.dense_indices().iter().enumerate() {
            if free[i] {
                self.dense.push(k);
                self.dense_variables.push(i);
            }
        }
        for (k, &i) in h.separable_indices().iter().enumerate() {
            if free[i] {
                self.separable.push(k);
                self.separable_variables.push(i);
            }
        }
        let m = self.dense.len();
        self.d.clear();
        for (&k, &variable) in self.separable.iter().zip(&self.separable_variables) {
            let d = h.diagonal()[k];
            if !(d > 0.0 && d < f64::INFINITY) {
                return Err(Indefinite { variable });
            }
            self.d.push(d);
        }
        self.r.clear();
        self.e.clear();
        if m == all {
            self.r.extend_from_slice(h.dense());
            for &k in &self.separable {
                self.e.extend_from_slice(&h.coupling()[k * m..(k + 1) * m]);
            }
        } else {
            for &k in &self.dense {
                let row = &h.dense()[k * all..(k + 1) * all];
                self.r.extend(self.dense.iter().map(|&j| row[j]));
            }
            for &k in &self.separable {
                let row = &h.coupling()[k * all..(k + 1) * all];
                self.e.extend(self.dense.iter().map(|&j| row[j]));
            }
        }
        self.diagonal.clear();
        self.diagonal.extend(self.r.iter().step_by(m + 1));
        if !self.d.is_empty() && m > 0 {
            self.scaled.clear();
            for (row, d) in self.e.chunks_exact(m).zip(&self.d) {
                self.scaled.extend(row.iter().map(|e| e / d));
            }
            // The lengths were made to fit just above, so this cannot fail.
            let _ = schur_complement(&mut self.r, &self.e, &self.d, m, self.threads);
        }
        match linalg::cholesky_on(&mut self.r, m, self.threads) {
            Ok(()) => {}
            Err(LinalgError::NotPositiveDefinite { pivot, .. }) => {
                return Err(Indefinite {
                    variable: self.dense_variables[pivot],
                });
            }
            Err(_) => return Err(Indefinite { variable: 0 }),
        }
        let (pivot, ratio) = linalg::smallest_pivot(&self.r, m, self.diagonal.iter().copied());
        if ratio < SINGULAR {
            return Err(Indefinite {
                variable: self.dense_variables[pivot],
            });
        }
        Ok(())
    }

    /// Solves H_FF x_F = b_F; the other entries of `x` become zero.
    pub(crate) fn solve(&mut self, b: &[f64], x: &mut [f64]) {
        let m = self.dense.len();
        self.scratch.clear();
        self.scratch
            .extend(self.dense_variables.iter().map(|&i| b[i]));
        if m > 0 {
            for (row, &i) in self.scaled.chunks_exact(m).zip(&self.separable_variables) {
                let b = b[i];
                for (y, e) in self.scratch.iter_mut().zip(row) {
                    *y -= b * e;
                }
            }
        }
        // Lengths fit by construction.
        let _ = linalg::cholesky_solve(&self.r, m, &mut self.scratch);
        x.fill(0.0);
        for (k, (&i, d)) in self.separable_variables.iter().zip(&self.d).enumerate() {
            x[i] = b[i] / d - linalg::dot(&self.scaled[k * m..(k + 1) * m], &self.scratch);
        }
        for (&i, y) in self.dense_variables.iter().zip(&self.scratch) {
            x[i] = *y;
        }
    }

    /// s H_FF⁻¹ into the rows and columns of the free variables of an n × n matrix (whose other entries stay as they are).
    pub(crate) fn inverse(&self, scale: f64, out: &mut [f64], n: usize) -> Result<(), LinalgError> {
        let (m, s) = (self.dense.len(), self.d.len());
        let mut c = vec![0.0; m * m];
        linalg::cholesky_inverse(&self.r, m, &mut c)?;
        for (row, &i) in c.chunks_exact(m.max(1)).zip(&self.dense_variables) {
            for (x, &j) in row.iter().zip(&self.dense_variables) {
                out[i * n + j] = scale * x;
            }
        }
        if s == 0 {
            return Ok(());
        }
        // With F = D⁻¹E: the coupling block is −F S⁻¹, the separable one D⁻¹ + F S⁻¹ Fᵀ.
        let scaled = &self.scaled[..s * m];
        let coupling = sparse_product(scaled, &c, s, m, m, self.threads);
        let transposed: Vec<f64> = (0..m * s).map(|k| coupling[(k % s) * m + k / s]).collect();
        let block = sparse_product(scaled, &transposed, s, m, s, self.threads);
        for (k, &i) in self.separable_variables.iter().enumerate() {
            for (x, &j) in coupling[k * m..(k + 1) * m]
                .iter()
                .zip(&self.dense_variables)
            {
                out[i * n + j] = -scale * x;
                out[j * n + i] = -scale * x;
            }
            for (l, &j) in self.separable_variables.iter().enumerate() {
                out[i * n + j] = scale * block[k.min(l) * s + k.max(l)];
            }
            out[i * n + i] += scale / self.d[k];
        }
        Ok(())
    }
}
