//! Many updates into the blocks of a symmetric matrix, on several threads.
//!
//! First every chunk computes its values and its product, then every thread adds what belongs to rows of its own, chunk by chunk: each element is summed in
//! one order, whatever the number of threads.

use super::gram::Gram;
use super::pattern::Coefficients;
use crate::linalg::mirror_lower;
use crate::parallel::for_each;

/// Elements of scratch that are in use at once on several threads; more only where a single chunk needs them. One thread goes chunk by chunk.
const SCRATCH: usize = 1 << 20;
/// Multiplications from which threads are worth their start: with 14 and 36 million of them, two threads took 1.8 and 1.2 times as long as one, with 67 million
/// as long.
const WORTH: usize = 1 << 26;

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
    /// A product of two different separable variables that is not zero.
    stray: bool,
}

impl Target<'_> {
    /// Whether row `i` is one of these.
    #[inline]
    pub fn has(&self, i: usize) -> bool {
        i >= self.first && i < self.end
    }

    /// Whether an element whose row and column lie in the span (least, largest) can be in one of these rows.
    pub fn meets(&self, (least, largest): (usize, usize)) -> bool {
        largest >= self.first && least < self.end
    }

    /// The elements of row `i` in A or E, one of these.
    #[inline]
    pub fn row(&mut self, i: u32) -> &mut [f64] {
        let r = i as usize - self.first;
        &mut self.rows[r * self.m..(r + 1) * self.m]
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
        if j < self.m {
            self.rows[r * self.m + j] += x;
        } else if i == j {
            self.diagonal[r] += x;
        } else {
            self.stray |= x != 0.0;
        }
    }

    /// Adds the products of entry `i` with the entries of rising `columns`, each of which stands for both orders.
    #[inline]
    pub fn add_row(&mut self, i: u32, columns: &[u32], values: &[f64], factor: f64) {
        let at = columns.partition_point(|c| *c < i);
        if self.has(i as usize) {
            let below = at.min(columns.partition_point(|c| (*c as usize) < self.m));
            let row = self.row(i);
            for (&j, v) in columns[..below].iter().zip(values) {
                row[j as usize] += factor * v;
            }
            for (&j, v) in columns[below..].iter().zip(&values[below..]) {
                if j > i {
                    break;
                }
                let both = if i == j { 2.0 } else { 1.0 };
                self.add(i as usize, j as usize, both * factor * v);
            }
        }
        for (&j, v) in columns[at..].iter().zip(&values[at..]) {
            if j > i && self.has(j as usize) {
                self.add(j as usize, i as usize, factor * v);
            }
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

impl Blocks<'_> {
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
                stray: false,
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
                stray: false,
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

    /// The sum of all updates.
    pub fn run(
        &mut self,
        weights: &[&[f64]],
        coefficients: &Coefficients<'_>,
        threads: usize,
        mut out: Blocks<'_>,
    ) -> Outcome {
        out.clear();
        let (grams, scratch) = (&self.grams, &mut self.scratch);
        let all = || (0..grams.len()).flat_map(|g| (0..grams[g].chunks()).map(move |c| (g, c)));
        let threads = if threads > 1 && all().map(|(g, c)| grams[g].work(c)).sum::<usize>() > WORTH
        {
            threads
        } else {
            1
        };
        let mut targets = out.targets(if threads > 1 { 4 * threads } else { 1 });
        if threads == 1 {
            let mut scaled = Vec::new();
            for (g, c) in all() {
                let size = grams[g].scratch(c);
                if scratch.len() < size {
                    scratch.resize(size, 0.0);
                }
                grams[g].compute(
                    c,
                    weights[g],
                    coefficients,
                    &mut scratch[..size],
                    &mut scaled,
                );
                for to in &mut targets {
                    grams[g].scatter(c, weights[g], &scratch[..size], to);
                }
            }
        } else {
            on_threads(threads, grams, weights, coefficients, scratch, &mut targets);
        }
        let mut stray = targets.iter().any(|t| t.stray);
        drop(targets);
        if !out.finite() {
            out.clear();
            let mut targets = out.targets(1);
            for (gram, weights) in grams.iter().zip(weights) {
                gram.plain(weights, coefficients, &mut targets);
            }
            stray = targets.iter().any(|t| t.stray);
            drop(targets);
            if !out.finite() {
                return Outcome::NotFinite;
            }
        }
        mirror_lower(out.a, out.m);
        if stray {
            Outcome::Meet
        } else {
            Outcome::Finite
        }
    }
}

/// How a sum of updates ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Finite,
    /// It is not finite somewhere.
    NotFinite,
    /// Two separable variables have a mutual term.
    Meet,
}

/// The updates in batches: values and products on all threads, then the rows of each target.
fn on_threads(
    threads: usize,
    grams: &[Gram],
    weights: &[&[f64]],
    coefficients: &Coefficients<'_>,
    scratch: &mut Vec<f64>,
    targets: &mut [Target<'_>],
) {
    let all = (0..grams.len()).flat_map(|g| (0..grams[g].chunks()).map(move |c| (g, c)));
    let mut jobs = all.peekable();
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Pattern, PatternSource};
    use super::*;

    /// Channels of 40 rows that share 20 columns; every row has a column of its own from 90 on, some lack a shared one.
    fn source(shift: usize, own: bool) -> (Vec<i64>, Vec<i64>, Vec<f64>) {
        let (mut columns, mut rows, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for r in 0..160 {
            let channel = r / 40;
            let mut put = |c: usize| {
                columns.push(c as i64);
                rows.push(r as i64);
                values.push(((r * 31 + c * 17 + shift) % 23) as f64 / 23.0 - 0.4);
            };
            for k in 0..20 {
                if (r + k) % 13 != 0 {
                    put((channel * 20 + k * 3 + shift) % 90);
                }
            }
            if own {
                put(90 + r);
            }
        }
        (columns, rows, values)
    }

    const N: usize = 250;

    fn pattern((columns, rows, _): &(Vec<i64>, Vec<i64>, Vec<f64>), term: usize) -> Arc<Pattern> {
        let place: Vec<u32> = (0..N as u32).collect();
        let source = PatternSource {
            term,
            columns,
            rows: Some(rows),
        };
        Arc::new(Pattern::new(160, &place, [source].into_iter(), true))
    }

    fn blocks(
        updates: &mut Updates,
        weights: &[&[f64]],
        c: &Coefficients<'_>,
        threads: usize,
        m: usize,
    ) -> (Outcome, Vec<f64>) {
        let s = N - m;
        let mut all = vec![f64::NAN; m * m + s * m + s];
        let (a, rest) = all.split_at_mut(m * m);
        let (e, d) = rest.split_at_mut(s * m);
        let outcome = updates.run(weights, c, threads, Blocks { m, a, e, d });
        (outcome, all)
    }

    #[test]
    fn updates_equal_dense_products_and_threads_change_nothing() {
        let (first, second) = (source(0, true), source(7, false));
        let (l, r) = (pattern(&first, 0), pattern(&second, 1));
        let weights: Vec<f64> = (0..160).map(|r| f64::from(r % 7) - 2.5).collect();
        let coefficients = [Some(&first.2[..]), Some(&second.2[..])];
        let m = 90;
        let grams = || {
            vec![
                Gram::new(Arc::clone(&l), None, false, m),
                Gram::new(Arc::clone(&l), Some(Arc::clone(&r)), false, m),
                Gram::new(Arc::clone(&r), None, true, m),
            ]
        };
        let lists = [&weights[..]; 3];
        let (outcome, one) = blocks(&mut Updates::new(grams()), &lists, &coefficients, 1, m);
        assert_eq!(outcome, Outcome::Finite);
        // Columns 80 to 90 are shared: declared separable, they meet.
        let wrong = vec![Gram::new(Arc::clone(&l), None, false, 80)];
        let (outcome, _) = blocks(&mut Updates::new(wrong), &lists[..1], &coefficients, 1, 80);
        assert_eq!(outcome, Outcome::Meet);
        // WORTH is not reached: the parts are forced.
        for parts in [2, 5] {
            let mut again = vec![0.0; one.len()];
            let (a, rest) = again.split_at_mut(m * m);
            let (e, d) = rest.split_at_mut((N - m) * m);
            let mut out = Blocks { m, a, e, d };
            let mut targets = out.targets(parts);
            let mut scratch = Vec::new();
            for g in grams() {
                for c in 0..g.chunks() {
                    scratch.resize(g.scratch(c), 0.0);
                    g.compute(c, &weights, &coefficients, &mut scratch, &mut Vec::new());
                    for t in &mut targets {
                        g.scatter(c, &weights, &scratch, t);
                    }
                }
            }
            drop(targets);
            mirror_lower(out.a, m);
            assert!(
                one.iter()
                    .zip(&again)
                    .all(|(x, y)| x.to_bits() == y.to_bits())
            );
        }
        let dense = |p: &Pattern| p.filled(&coefficients, N).unwrap().dense();
        let (l, r) = (dense(&l), dense(&r));
        let (l, r) = (l.as_slice(), r.as_slice());
        for i in 0..N {
            for j in 0..=i {
                let sum: f64 = (0..160)
                    .map(|k| {
                        let (li, lj) = (l[k * N + i], l[k * N + j]);
                        let (ri, rj) = (r[k * N + i], r[k * N + j]);
                        let own = if i == j { 0.0 } else { ri * rj };
                        weights[k] * (li * lj + li * rj + ri * lj + own)
                    })
                    .sum();
                let found = match (i < m, j < m) {
                    (true, _) => one[i * m + j],
                    (false, true) => one[m * m + (i - m) * m + j],
                    (false, false) if i == j => one[m * m + (N - m) * m + i - m],
                    (false, false) => 0.0,
                };
                assert!((found - sum).abs() < 1e-12, "({i}, {j}): {found} {sum}");
            }
        }
    }

    #[test]
    fn zeros_beside_infinite_values_do_not_count() {
        let mut first = source(0, false);
        let l = pattern(&first, 0);
        // Row 0 has weight zero and an infinite value.
        first.2[0] = f64::INFINITY;
        let mut weights = vec![1.0; 160];
        weights[0] = 0.0;
        let grams = vec![Gram::new(l, None, false, N)];
        let coefficients = [Some(&first.2[..])];
        let (outcome, _) = blocks(&mut Updates::new(grams), &[&weights], &coefficients, 1, N);
        assert_eq!(outcome, Outcome::Finite);
        let grams = vec![Gram::new(pattern(&first, 0), None, false, N)];
        weights[0] = 1.0;
        let (outcome, _) = blocks(&mut Updates::new(grams), &[&weights], &coefficients, 1, N);
        assert_eq!(outcome, Outcome::NotFinite);
    }
}
