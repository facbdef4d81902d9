//! Variables in the order of the blocks of a Hessian.

use crate::sparse::Blocks;

/// Variables in the order of the blocks: dense ones rising, then the separable ones as they were given.
#[derive(Default)]
pub(in crate::transform) struct Order {
    separable: Vec<usize>,
    dense: Vec<usize>,
    /// The place of each variable.
    pub place: Vec<u32>,
}

impl Order {
    /// Indices that are repeated or not below `n` count once or not at all.
    pub fn new(n: usize, separable: &[usize]) -> Self {
        let mut place = vec![u32::MAX; n];
        let mut out = Self::default();
        for &i in separable {
            if place.get(i) == Some(&u32::MAX) {
                place[i] = 0;
                out.separable.push(i);
            }
        }
        out.dense = (0..n).filter(|&i| place[i] == u32::MAX).collect();
        for (k, &i) in out.dense.iter().chain(&out.separable).enumerate() {
            place[i] = k as u32;
        }
        out.place = place;
        out
    }

    /// Number of dense variables.
    pub fn dense(&self) -> usize {
        self.dense.len()
    }

    /// Whether slices have the lengths of the blocks.
    pub fn fits(&self, blocks: &Blocks<'_>) -> bool {
        let (m, s) = (self.dense.len(), self.separable.len());
        blocks.a.len() == m * m && blocks.e.len() == s * m && blocks.d.len() == s
    }

    /// The blocks of a full matrix.
    pub(super) fn extract(&self, full: &[f64], to: Blocks<'_>) {
        let (n, m) = (self.place.len(), self.dense.len().max(1));
        for (&i, row) in self.dense.iter().zip(to.a.chunks_exact_mut(m)) {
            for (&j, x) in self.dense.iter().zip(row) {
                *x = full[i * n + j];
            }
        }
        for (&i, row) in self.separable.iter().zip(to.e.chunks_exact_mut(m)) {
            for (&j, x) in self.dense.iter().zip(row) {
                *x = full[i * n + j];
            }
        }
        for (&i, x) in self.separable.iter().zip(to.d) {
            *x = full[i * n + i];
        }
    }

    /// The full matrix of blocks that `fill` writes.
    pub fn expand<E>(
        &self,
        out: &mut [f64],
        fill: impl FnOnce(Blocks<'_>) -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        let (m, s, n) = (self.dense.len(), self.separable.len(), self.place.len());
        if s == 0 {
            return fill(Blocks {
                m,
                a: out,
                e: &mut [],
                d: &mut [],
            });
        }
        let (mut a, mut e, mut d) = (vec![0.0; m * m], vec![0.0; s * m], vec![0.0; s]);
        let finite = fill(Blocks {
            m,
            a: &mut a,
            e: &mut e,
            d: &mut d,
        })?;
        out.fill(0.0);
        for (&i, row) in self.dense.iter().zip(a.chunks_exact(m.max(1))) {
            for (&j, x) in self.dense.iter().zip(row) {
                out[i * n + j] = *x;
            }
        }
        for (k, &i) in self.separable.iter().enumerate() {
            out[i * n + i] = d[k];
            for (&j, x) in self.dense.iter().zip(&e[k * m..(k + 1) * m]) {
                out[i * n + j] = *x;
                out[j * n + i] = *x;
            }
        }
        Ok(finite)
    }
}
