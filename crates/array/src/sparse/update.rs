//! Many updates into the blocks of a symmetric matrix, on several threads.
//!
//! First every chunk computes its values and its product, then every thread adds what belongs to rows of its own, chunk by chunk: each element is summed in
//! one order, whatever the number of threads.

use super::gram::Gram;
use super::pattern::Coefficients;
use crate::linalg::mirror_lower;
use crate::parallel::for_each;

/// Elements of scratch that are in use at once; more only where a single chunk needs them.
const SCRATCH: usize = 1 << 21;
/// Multiplications from which threads are worth their start.
const WORTH: usize = 1 << 20;

/// The blocks A (m × m), E (s × m) and D (s) of a symmetric matrix whose last s variables have no mutual terms.
pub(crate) struct Blocks<'b> {
    pub m: usize,
    pub a: &'b mut [f64],
    pub e: &'b mut [f64],
    pub d: &'b mut [f64],
}

/// Consecutive rows of the lower triangle: either of A, or of E and D.
pub(crate) struct Target<'t> {
    first: usize,
    end: usize,
    m: usize,
    rows: &'t mut [f64],
    diagonal: &'t mut [f64],
}

impl Target<'_> {
    /// Whether row `i` is one of these.
    #[inline]
    pub fn has(&self, i: usize) -> bool {
        i >= self.first && i < self.end
    }

    /// Which of the rising `columns` are rows of these.
    pub fn within(&self, columns: &[u32]) -> std::ops::Range<usize> {
        let at = |i: usize| columns.partition_point(|c| (*c as usize) < i);
        at(self.first)..at(self.end)
    }

    /// Adds to element (i, j) with j ≤ i, i one of the rows.
    #[inline]
    pub fn add(&mut self, i: usize, j: usize, x: f64) {
        let r = i - self.first;
        if j >= self.m {
            self.diagonal[r] += x;
        } else {
            self.rows[r * self.m + j] += x;
        }
    }

    /// Adds a product of two different entries to the element of both, if its row is one of these; on the diagonal it stands for two.
    #[inline]
    pub fn add_pair(&mut self, i: usize, j: usize, x: f64) {
        let (row, column) = if i < j { (j, i) } else { (i, j) };
        if self.has(row) {
            self.add(row, column, if i == j { 2.0 * x } else { x });
        }
    }
}

impl<'b> Blocks<'b> {
    /// The lower triangle in `parts` parts of about equal size for each of A and E.
    fn targets(&mut self, parts: usize) -> Vec<Target<'_>> {
        let (m, s) = (self.m, self.d.len());
        let mut out = Vec::new();
        let (mut rows, mut first) = (&mut *self.a, 0);
        for k in 1..=parts {
            // Row i has i elements.
            let end = (m as f64 * (k as f64 / parts as f64).sqrt()).round() as usize;
            let (part, rest) = rows.split_at_mut((end - first) * m);
            out.push(Target {
                first,
                end,
                m,
                rows: part,
                diagonal: &mut [],
            });
            (rows, first) = (rest, end);
        }
        let (mut rows, mut diagonal, mut first) = (&mut *self.e, &mut *self.d, 0);
        for k in 1..=parts {
            let end = s * k / parts;
            let (part, rest) = rows.split_at_mut((end - first) * m);
            let (of_part, others) = diagonal.split_at_mut(end - first);
            out.push(Target {
                first: m + first,
                end: m + end,
                m,
                rows: part,
                diagonal: of_part,
            });
            (rows, diagonal, first) = (rest, others, end);
        }
        out.retain(|t| t.end > t.first);
        out
    }

    fn finite(&self) -> bool {
        // A sum of zeros times everything is NaN where something is not finite.
        let all = |x: &[f64]| x.iter().fold(0.0, |sum, x| sum + 0.0 * x) == 0.0;
        all(self.a) && all(self.e) && all(self.d)
    }

    fn clear(&mut self) {
        self.a.fill(0.0);
        self.e.fill(0.0);
        self.d.fill(0.0);
    }
}

/// All updates of a matrix.
#[derive(Default)]
pub(crate) struct Updates {
    pub grams: Vec<Gram>,
    scratch: Vec<f64>,
}

impl Updates {
    pub fn new(grams: Vec<Gram>) -> Self {
        Self {
            grams,
            scratch: Vec::new(),
        }
    }

    /// The sum of all updates; false if it is not finite somewhere.
    pub fn run(
        &mut self,
        weights: &[&[f64]],
        coefficients: &Coefficients<'_>,
        threads: usize,
        mut out: Blocks<'_>,
    ) -> bool {
        out.clear();
        let (grams, scratch) = (&self.grams, &mut self.scratch);
        let all = || (0..grams.len()).flat_map(|g| (0..grams[g].chunks()).map(move |c| (g, c)));
        let work: usize = all().map(|(g, c)| grams[g].work(c)).sum();
        let threads = if work < WORTH { 1 } else { threads };
        let parts = if threads > 1 { 4 * threads } else { 1 };
        let mut targets = out.targets(parts);
        let mut jobs = all().peekable();
        while jobs.peek().is_some() {
            let (mut batch, mut total) = (Vec::new(), 0);
            while let Some(&(g, c)) = jobs.peek() {
                let size = grams[g].scratch(c);
                if total > 0 && total + size > SCRATCH {
                    break;
                }
                batch.push((g, c, total..total + size));
                total += size;
                jobs.next();
            }
            if scratch.len() < total {
                scratch.resize(total, 0.0);
            }
            let mut rest = &mut scratch[..];
            let mut tasks = Vec::with_capacity(batch.len());
            for (g, c, range) in &batch {
                let (part, others) = rest.split_at_mut(range.len());
                rest = others;
                tasks.push((*g, *c, part));
            }
            for_each(threads, tasks, |scaled: &mut Vec<f64>, (g, c, part)| {
                grams[g].compute(c, weights[g], coefficients, part, scaled);
            });
            let scratch = &*scratch;
            for_each(threads, targets.iter_mut(), |(): &mut (), to| {
                for (g, c, range) in &batch {
                    grams[*g].scatter(*c, weights[*g], &scratch[range.clone()], to);
                }
            });
        }
        drop(targets);
        if !out.finite() {
            out.clear();
            let mut targets = out.targets(1);
            for (gram, weights) in grams.iter().zip(weights) {
                gram.plain(weights, coefficients, &mut targets);
            }
            drop(targets);
            if !out.finite() {
                return false;
            }
        }
        mirror_lower(out.a, out.m);
        true
    }
}
