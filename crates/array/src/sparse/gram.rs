//! One rank-k update `H += Lᵀ diag(w) R` with sparse rows.
//!
//! The bins of a channel depend on the same parameters, so that consecutive rows have (nearly) equal columns: such a run is a dense panel, and its update
//! one small matrix product. Columns that few rows have (the MC statistics of a bin) stay out of the panels, as pairs of a column and a value.
//!
//! Reference: the supernodes of sparse factorisations, C. Ashcraft & R. Grimes, ACM Trans. Math. Softw. 15 (1989) 291.

use std::ops::Range;
use std::sync::Arc;

use super::pattern::{Coefficients, Pattern};
use super::runs::{OUTSIDE, runs};
use super::update::Target;
use crate::linalg;

/// A run of rows; its panel has no columns where pairs are faster.
struct Chunk {
    rows: Range<usize>,
    /// Columns of the panel of each side, rising; the right one is empty where it is the left one.
    columns: [Vec<u32>; 2],
    /// Entries outside the panel.
    sparse: [usize; 2],
}

impl Chunk {
    /// Elements of: the product, both panels, the entries outside.
    fn sizes(&self, symmetric: bool) -> [usize; 5] {
        let n = self.rows.len();
        let [k, l] = [self.columns[0].len(), self.columns[1].len()];
        let product = if symmetric { k * k } else { k * l };
        [product, n * k, n * l, self.sparse[0], self.sparse[1]]
    }
}

/// The update `H += Lᵀ diag(w) R` (and its mirror, if L and R differ).
pub(crate) struct Gram {
    left: Arc<Pattern>,
    right: Option<Arc<Pattern>>,
    /// Leaves out the pair of an entry with itself.
    distinct: bool,
    chunks: Vec<Chunk>,
    /// For each entry of each side its column in the panel.
    slots: [Vec<u32>; 2],
}

/// The parts of the scratch of a chunk.
struct Parts<'a> {
    panels: [&'a [f64]; 2],
    sparse: [&'a [f64]; 2],
}

fn split<const N: usize>(mut all: &[f64], sizes: [usize; N]) -> [&[f64]; N] {
    sizes.map(|n| {
        let (part, rest) = all.split_at(n);
        all = rest;
        part
    })
}

impl Gram {
    /// With `right` absent it is the left one. Columns from `m` on are those of separable variables, which stay out of the panels.
    pub fn new(left: Arc<Pattern>, right: Option<Arc<Pattern>>, distinct: bool, m: usize) -> Self {
        let mut out = Self {
            left,
            right,
            distinct,
            chunks: Vec::new(),
            slots: [Vec::new(), Vec::new()],
        };
        let (runs, slots) = runs(&[Some(&*out.left), out.right.as_deref()], m);
        out.slots = slots;
        out.chunks = runs
            .into_iter()
            .map(|(rows, columns)| {
                let count = |pattern: Option<&Pattern>, slots: &[u32]| {
                    pattern.map_or(0, |p| {
                        let range = p.starts[rows.start]..p.starts[rows.end];
                        slots[range].iter().filter(|s| **s == OUTSIDE).count()
                    })
                };
                Chunk {
                    sparse: [
                        count(Some(&out.left), &out.slots[0]),
                        count(out.right.as_deref(), &out.slots[1]),
                    ],
                    rows,
                    columns,
                }
            })
            .collect();
        out
    }

    /// Number of chunks.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Scratch of a chunk.
    pub fn scratch(&self, chunk: usize) -> usize {
        self.chunks[chunk].sizes(self.right.is_none()).iter().sum()
    }

    /// Multiplications that a chunk takes, roughly.
    pub fn work(&self, chunk: usize) -> usize {
        let chunk = &self.chunks[chunk];
        let [k, l] = [&chunk.columns[0], &chunk.columns[1]].map(Vec::len);
        let n = chunk.rows.len();
        n * k * if self.right.is_none() { k / 2 } else { l } + 16 * (chunk.sparse[0] + n * k)
    }

    /// Whether a row has two different columns from `from` on.
    pub fn pairs_from(&self, from: usize) -> bool {
        (0..self.left.rows()).any(|r| {
            let of = |p: &Pattern| p.columns[p.row(r)].iter().max().copied();
            let largest = of(&self.left).max(self.right.as_deref().and_then(of));
            let other = |p: &Pattern| {
                let mut row = p.columns[p.row(r)].iter();
                row.any(|c| *c as usize >= from && Some(*c) != largest)
            };
            other(&self.left) || self.right.as_deref().is_some_and(other)
        })
    }

    /// Values and product of a chunk into its scratch.
    pub fn compute(
        &self,
        chunk: usize,
        weights: &[f64],
        coefficients: &Coefficients<'_>,
        out: &mut [f64],
        scaled: &mut Vec<f64>,
    ) {
        let chunk = &self.chunks[chunk];
        let sizes = chunk.sizes(self.right.is_none());
        let (product, rest) = out.split_at_mut(sizes[0]);
        let (left, rest) = rest.split_at_mut(sizes[1]);
        let (right, rest) = rest.split_at_mut(sizes[2]);
        let (sparse_left, sparse_right) = rest.split_at_mut(sizes[3]);
        fill(
            &self.left,
            &self.slots[0],
            chunk,
            0,
            coefficients,
            left,
            sparse_left,
        );
        if let Some(pattern) = &self.right {
            fill(
                pattern,
                &self.slots[1],
                chunk,
                1,
                coefficients,
                right,
                sparse_right,
            );
        }
        let [k, l] = [&chunk.columns[0], &chunk.columns[1]].map(Vec::len);
        let (panel, width) = if self.right.is_some() {
            (&*right, l)
        } else {
            (&*left, k)
        };
        if product.is_empty() {
            return;
        }
        scaled.clear();
        for (row, w) in panel.chunks_exact(width).zip(&weights[chunk.rows.clone()]) {
            scaled.extend(row.iter().map(|x| w * x));
        }
        product.fill(0.0);
        let n = chunk.rows.len();
        // Lengths fit by construction.
        let _ = if self.right.is_some() {
            linalg::transposed_product(product, left, scaled, n, k, l)
        } else {
            linalg::gram_update(product, 1.0, left, scaled, n, k)
        };
    }

    /// Adds what [`Self::compute`] left in the scratch to the rows of a target.
    pub fn scatter(&self, chunk: usize, weights: &[f64], scratch: &[f64], to: &mut Target<'_>) {
        let chunk = &self.chunks[chunk];
        let [product, left, right, a, b] = split(scratch, chunk.sizes(self.right.is_none()));
        let parts = Parts {
            panels: [left, right],
            sparse: [a, b],
        };
        match &self.right {
            None => {
                self.scatter_product(chunk, product, to);
                if chunk.sparse[0] > 0 {
                    self.scatter_pairs(chunk, weights, &parts, to);
                }
            }
            Some(pattern) => {
                scatter_mixed(&chunk.columns, product, to);
                if chunk.sparse != [0, 0] {
                    self.scatter_mixed_pairs(pattern, chunk, weights, &parts, to);
                }
            }
        }
    }

    /// The upper triangle of a symmetric product.
    fn scatter_product(&self, chunk: &Chunk, product: &[f64], to: &mut Target<'_>) {
        let columns = &chunk.columns[0];
        let k = columns.len();
        for l in to.within(columns) {
            let i = columns[l] as usize;
            if !self.distinct {
                to.add(i, i, product[l * k + l]);
            }
            for (q, &j) in columns[..l].iter().enumerate() {
                let x = product[q * k + l];
                to.add(i, j as usize, if j as usize == i { 2.0 * x } else { x });
            }
        }
    }

    /// Pairs with at least one entry outside the panel, each once.
    fn scatter_pairs(
        &self,
        chunk: &Chunk,
        weights: &[f64],
        parts: &Parts<'_>,
        to: &mut Target<'_>,
    ) {
        let (columns, k) = (&chunk.columns[0], chunk.columns[0].len());
        let mut row: Vec<(usize, f64)> = Vec::new();
        let mut at = 0;
        for (n, r) in chunk.rows.clone().enumerate() {
            let w = weights[r];
            row.clear();
            for e in self.left.row(r).filter(|&e| self.slots[0][e] == OUTSIDE) {
                let x = parts.sparse[0][at];
                at += 1;
                if x != 0.0 {
                    row.push((self.left.columns[e] as usize, x));
                }
            }
            if w == 0.0 {
                continue;
            }
            let panel = &parts.panels[0][n * k..(n + 1) * k];
            for (q, &(i, x)) in row.iter().enumerate() {
                let wx = w * x;
                if to.has(i) {
                    if !self.distinct {
                        to.add(i, i, wx * x);
                    }
                    for &(j, y) in &row[..q] {
                        to.add(i, j, if i == j { 2.0 * wx * y } else { wx * y });
                    }
                }
                // Columns of the panel differ from those outside.
                let above = columns.partition_point(|c| (*c as usize) < i);
                if to.has(i) {
                    for (&j, v) in columns[..above].iter().zip(panel) {
                        to.add(i, j as usize, wx * v);
                    }
                }
                let range = to.within(columns);
                for l in range.start.max(above)..range.end {
                    to.add(columns[l] as usize, i, wx * panel[l]);
                }
            }
        }
    }

    fn scatter_mixed_pairs(
        &self,
        right: &Pattern,
        chunk: &Chunk,
        weights: &[f64],
        parts: &Parts<'_>,
        to: &mut Target<'_>,
    ) {
        let (mut a, mut b): (Vec<(usize, f64)>, Vec<(usize, f64)>) = (Vec::new(), Vec::new());
        let (mut at, mut bt) = (0, 0);
        for (n, r) in chunk.rows.clone().enumerate() {
            let entries = |pattern: &Pattern, side: usize, at: &mut usize, list: &mut Vec<_>| {
                list.clear();
                for e in pattern.row(r).filter(|&e| self.slots[side][e] == OUTSIDE) {
                    list.push((pattern.columns[e] as usize, parts.sparse[side][*at]));
                    *at += 1;
                }
            };
            entries(&self.left, 0, &mut at, &mut a);
            entries(right, 1, &mut bt, &mut b);
            let w = weights[r];
            if w == 0.0 {
                continue;
            }
            let panel = |side: usize| {
                let k = chunk.columns[side].len();
                let values = &parts.panels[side][n * k..(n + 1) * k];
                chunk.columns[side].iter().zip(values)
            };
            for &(i, x) in a.iter().filter(|(_, x)| *x != 0.0) {
                let wx = w * x;
                for &(j, y) in &b {
                    to.add_pair(i, j, wx * y);
                }
                for (&j, y) in panel(1) {
                    to.add_pair(i, j as usize, wx * y);
                }
            }
            for &(j, y) in b.iter().filter(|(_, y)| *y != 0.0) {
                for (&i, x) in panel(0) {
                    to.add_pair(i as usize, j, w * x * y);
                }
            }
        }
    }

    /// The whole update without panels, leaving out zeros: what holds where an infinite value meets a zero.
    pub fn plain(
        &self,
        weights: &[f64],
        coefficients: &Coefficients<'_>,
        targets: &mut [Target<'_>],
    ) {
        let row = |pattern: &Pattern, r: usize| -> Vec<(usize, f64)> {
            pattern
                .row(r)
                .map(|e| (pattern.columns[e] as usize, pattern.value(e, coefficients)))
                .filter(|(_, x)| *x != 0.0)
                .collect()
        };
        for (r, &w) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            let a = row(&self.left, r);
            let b = self.right.as_deref().map(|p| row(p, r));
            for to in &mut *targets {
                match &b {
                    None => {
                        for (q, &(i, x)) in a.iter().enumerate() {
                            if !self.distinct && to.has(i) {
                                to.add(i, i, w * x * x);
                            }
                            for &(j, y) in &a[..q] {
                                to.add_pair(i, j, w * x * y);
                            }
                        }
                    }
                    Some(b) => {
                        for &(i, x) in &a {
                            for &(j, y) in b {
                                to.add_pair(i, j, w * x * y);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The values of one side of a chunk.
fn fill(
    pattern: &Pattern,
    slots: &[u32],
    chunk: &Chunk,
    side: usize,
    coefficients: &Coefficients<'_>,
    panel: &mut [f64],
    sparse: &mut [f64],
) {
    let k = chunk.columns[side].len();
    panel.fill(0.0);
    let mut at = 0;
    for (n, r) in chunk.rows.clone().enumerate() {
        for e in pattern.row(r) {
            let x = pattern.value(e, coefficients);
            if slots[e] == OUTSIDE {
                sparse[at] = x;
                at += 1;
            } else {
                panel[n * k + slots[e] as usize] = x;
            }
        }
    }
}

/// A product of two different panels.
fn scatter_mixed(columns: &[Vec<u32>; 2], product: &[f64], to: &mut Target<'_>) {
    let [left, right] = columns;
    let l = right.len();
    for q in to.within(left) {
        let i = left[q];
        let up_to = right.partition_point(|j| *j <= i);
        for (&j, x) in right[..up_to].iter().zip(&product[q * l..]) {
            to.add_pair(i as usize, j as usize, *x);
        }
    }
    for p in to.within(right) {
        let j = right[p];
        let below = left.partition_point(|i| *i < j);
        for (q, &i) in left[..below].iter().enumerate() {
            to.add(j as usize, i as usize, product[q * l + p]);
        }
    }
}
