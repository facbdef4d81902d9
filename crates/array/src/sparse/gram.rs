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
    /// Least and largest column.
    span: (usize, usize),
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
    outside: [Outside; 2],
}

/// The entries of a side outside panels: the first of each row (and the end), and their columns.
#[derive(Default)]
struct Outside {
    starts: Vec<u32>,
    columns: Vec<u32>,
}

impl Outside {
    fn new(pattern: &Pattern, slots: &[u32]) -> Self {
        let mut out = Self::default();
        for r in 0..pattern.rows() {
            out.starts.push(out.columns.len() as u32);
            let entries = pattern.row(r).filter(|&e| slots[e] == OUTSIDE);
            out.columns.extend(entries.map(|e| pattern.columns[e]));
        }
        out.starts.push(out.columns.len() as u32);
        out
    }

    fn count(&self, rows: &Range<usize>) -> usize {
        let at = |r: usize| self.starts.get(r).map_or(0, |s| *s as usize);
        at(rows.end) - at(rows.start)
    }

    /// Columns of the entries of row `r`, and their values, which start with those of row `first`.
    fn row<'a>(&'a self, r: usize, first: usize, values: &'a [f64]) -> (&'a [u32], &'a [f64]) {
        let range = self.starts[r] as usize..self.starts[r + 1] as usize;
        let base = self.starts[first] as usize;
        let values = &values[range.start - base..range.end - base];
        (&self.columns[range], values)
    }
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
        let sides = [Some(&*left), right.as_deref()];
        let (runs, slots) = runs(&sides, m);
        let outside =
            [0, 1].map(|s| sides[s].map_or_else(Outside::default, |p| Outside::new(p, &slots[s])));
        let chunks = runs
            .into_iter()
            .map(|(rows, columns)| {
                let of = |p: &Pattern| p.starts[rows.start]..p.starts[rows.end];
                let all = || sides.iter().flatten().flat_map(|p| &p.columns[of(p)]);
                let least = all().min().map_or(usize::MAX, |c| *c as usize);
                Chunk {
                    sparse: [0, 1].map(|s| outside[s].count(&rows)),
                    span: (least, all().max().map_or(0, |c| *c as usize)),
                    rows,
                    columns,
                }
            })
            .collect();
        Self {
            left,
            right,
            distinct,
            chunks,
            slots,
            outside,
        }
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
            linalg::gram_lower(product, left, scaled, n, k)
        };
    }

    /// Adds what [`Self::compute`] left in the scratch to the rows of a target.
    pub fn scatter(&self, chunk: usize, weights: &[f64], scratch: &[f64], to: &mut Target<'_>) {
        let chunk = &self.chunks[chunk];
        if !to.meets(chunk.span) {
            return;
        }
        let [product, left, right, a, b] = split(scratch, chunk.sizes(self.right.is_none()));
        let parts = Parts {
            panels: [left, right],
            sparse: [a, b],
        };
        if self.right.is_some() {
            scatter_mixed(&chunk.columns, product, to);
            if chunk.sparse != [0, 0] {
                self.scatter_mixed_pairs(chunk, weights, &parts, to);
            }
        } else {
            self.scatter_product(chunk, product, to);
            if chunk.sparse[0] > 0 {
                self.scatter_pairs(chunk, weights, &parts, to);
            }
        }
    }

    /// The lower triangle of a symmetric product.
    fn scatter_product(&self, chunk: &Chunk, product: &[f64], to: &mut Target<'_>) {
        let columns = &chunk.columns[0];
        let k = columns.len();
        for l in to.within(columns) {
            let (before, diagonal) = (&columns[..l], product[l * k + l]);
            let row = to.row(columns[l]);
            for (&j, x) in before.iter().zip(&product[l * k..]) {
                row[j as usize] += x;
            }
            // Entries that are not merged can stand in one column: their product counts for both orders.
            for (q, _) in before
                .iter()
                .enumerate()
                .rev()
                .take_while(|(_, j)| **j == columns[l])
            {
                row[columns[l] as usize] += product[l * k + q];
            }
            if !self.distinct {
                row[columns[l] as usize] += diagonal;
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
        for (n, r) in chunk.rows.clone().enumerate() {
            let w = weights[r];
            let (outside, values) = self.outside[0].row(r, chunk.rows.start, parts.sparse[0]);
            if w == 0.0 {
                continue;
            }
            let panel = &parts.panels[0][n * k..(n + 1) * k];
            for (q, (&i, &x)) in outside.iter().zip(values).enumerate() {
                if x == 0.0 {
                    continue;
                }
                let wx = w * x;
                if !self.distinct && to.has(i as usize) {
                    to.add(i as usize, i as usize, wx * x);
                }
                to.add_row(i, &outside[..q], &values[..q], wx);
                to.add_row(i, columns, panel, wx);
            }
        }
    }

    fn scatter_mixed_pairs(
        &self,
        chunk: &Chunk,
        weights: &[f64],
        parts: &Parts<'_>,
        to: &mut Target<'_>,
    ) {
        for (n, r) in chunk.rows.clone().enumerate() {
            let w = weights[r];
            if w == 0.0 {
                continue;
            }
            let [left, right] =
                [0, 1].map(|s| self.outside[s].row(r, chunk.rows.start, parts.sparse[s]));
            let panel = |s: usize| {
                let k = chunk.columns[s].len();
                &parts.panels[s][n * k..(n + 1) * k]
            };
            for (&i, &x) in left.0.iter().zip(left.1).filter(|(_, x)| **x != 0.0) {
                to.add_row(i, right.0, right.1, w * x);
                to.add_row(i, &chunk.columns[1], panel(1), w * x);
            }
            for (&j, &y) in right.0.iter().zip(right.1).filter(|(_, y)| **y != 0.0) {
                to.add_row(j, &chunk.columns[0], panel(0), w * y);
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
