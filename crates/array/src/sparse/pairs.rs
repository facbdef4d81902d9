//! Rank-k updates pair by pair into a full matrix: what is fastest while that stays in a cache.

use super::PatternSource;

/// Rows of (column, value) pairs in compressed form, filled from the coefficients of terms.
pub(crate) struct PairPattern {
    /// First entry of each row, and the end.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// For each term: its number, and for each of its elements the entry it adds to (`u32::MAX`: none).
    targets: Vec<(usize, Vec<u32>)>,
}

impl PairPattern {
    /// The pattern of terms; entries of the same row and column are one entry if `merge`.
    pub fn new<'a>(
        rows: usize,
        n: usize,
        sources: impl Iterator<Item = PatternSource<'a>>,
        merge: bool,
    ) -> Self {
        let sources: Vec<PatternSource<'a>> = sources.collect();
        // (row, column, source, element)
        let mut entries: Vec<(usize, u32, usize, usize)> = Vec::new();
        for (s, source) in sources.iter().enumerate() {
            for (e, &column) in source.columns.iter().enumerate() {
                let row = source.rows.map_or(e as i64, |r| r[e]);
                if let (Ok(row), Ok(column)) = (usize::try_from(row), u32::try_from(column))
                    && row < rows
                    && (column as usize) < n
                {
                    entries.push((row, column, s, e));
                }
            }
        }
        entries.sort_unstable();
        let mut targets: Vec<(usize, Vec<u32>)> = sources
            .iter()
            .map(|s| (s.term, vec![u32::MAX; s.columns.len()]))
            .collect();
        let (mut starts, mut columns) = (vec![0; rows + 1], Vec::new());
        let mut last = None;
        for (row, column, s, e) in entries {
            if !merge || last != Some((row, column)) {
                columns.push(column);
                starts[row + 1] = columns.len();
                last = Some((row, column));
            }
            targets[s].1[e] = columns.len() as u32 - 1;
        }
        for r in 0..rows {
            starts[r + 1] = starts[r + 1].max(starts[r]);
        }
        Self {
            starts,
            values: vec![0.0; columns.len()],
            columns,
            targets,
        }
    }

    /// Fills the values; a term without coefficients has ones.
    fn fill<'a>(&mut self, coefficients: impl Fn(usize) -> Option<&'a [f64]>) {
        self.values.fill(0.0);
        for (term, targets) in &self.targets {
            match coefficients(*term) {
                Some(list) => {
                    for (t, c) in targets.iter().zip(list) {
                        if let Some(value) = self.values.get_mut(*t as usize) {
                            *value += c;
                        }
                    }
                }
                None => {
                    for t in targets {
                        if let Some(value) = self.values.get_mut(*t as usize) {
                            *value += 1.0;
                        }
                    }
                }
            }
        }
    }

    /// The entries of a row that are not zero, into `kept`.
    fn row(&self, r: usize, kept: &mut Vec<(u32, f64)>) {
        kept.clear();
        let range = self.starts[r]..self.starts[r + 1];
        kept.extend(
            self.columns[range.clone()]
                .iter()
                .zip(&self.values[range])
                .filter(|(_, v)| **v != 0.0)
                .map(|(c, v)| (*c, *v)),
        );
    }
}

/// The update `H += Lᵀ diag(w) R`, of which half goes to each triangle.
pub(crate) struct PairGram {
    left: PairPattern,
    right: Option<PairPattern>,
    distinct: bool,
    a: Vec<(u32, f64)>,
    b: Vec<(u32, f64)>,
}

impl PairGram {
    /// With `right` absent it is the left one; `distinct` leaves out the pair of an entry with itself.
    pub fn new(left: PairPattern, right: Option<PairPattern>, distinct: bool) -> Self {
        Self {
            left,
            right,
            distinct,
            a: Vec::new(),
            b: Vec::new(),
        }
    }

    /// Adds the update to `h`, such that `h + hᵀ` (diagonal once) is the sum of all.
    pub fn add<'a>(
        &mut self,
        weights: &[f64],
        coefficients: impl Fn(usize) -> Option<&'a [f64]>,
        n: usize,
        h: &mut [f64],
    ) {
        self.left.fill(&coefficients);
        if let Some(right) = &mut self.right {
            right.fill(&coefficients);
        }
        for (r, &w) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            self.left.row(r, &mut self.a);
            match &self.right {
                // Symmetric: each pair once, to the lower triangle.
                None => {
                    for (k, &(i, x)) in self.a.iter().enumerate() {
                        let wx = w * x;
                        if !self.distinct {
                            h[i as usize * n + i as usize] += wx * x;
                        }
                        let row = &mut h[i as usize * n..(i as usize + 1) * n];
                        for &(j, y) in &self.a[..k] {
                            row[j as usize] += if i == j { 2.0 * wx * y } else { wx * y };
                        }
                    }
                }
                // w (LᵀR + RᵀL): each pair once, its mirror comes from the other triangle.
                Some(right) => {
                    right.row(r, &mut self.b);
                    for &(i, x) in &self.a {
                        let wx = w * x;
                        let row = &mut h[i as usize * n..(i as usize + 1) * n];
                        for &(j, y) in &self.b {
                            row[j as usize] += if i == j { 2.0 * wx * y } else { wx * y };
                        }
                    }
                }
            }
        }
    }
}
