//! Which entries sparse rows have, and which coefficients add to each.

use pullback_ad::SparseMatrix;

use crate::error::Result;

/// Where the entries of a term go.
pub(crate) struct PatternSource<'a> {
    /// The term.
    pub term: usize,
    /// Column of each element.
    pub columns: &'a [i64],
    /// Row of each element; `None`: its own number.
    pub rows: Option<&'a [i64]>,
}

/// The coefficients of each term; a term without any has ones.
pub(crate) type Coefficients<'a> = [Option<&'a [f64]>];

/// Rows of entries in compressed form. An entry is a sum of coefficients.
pub(crate) struct Pattern {
    /// First entry of each row, and the end.
    pub starts: Vec<usize>,
    /// Column of each entry, rising in a row.
    pub columns: Vec<u32>,
    /// First contribution of each entry, and the end.
    firsts: Vec<u32>,
    /// Term and element of each contribution.
    contributions: Vec<(u32, u32)>,
}

impl Pattern {
    /// The pattern of terms whose columns are renumbered by `place`; entries of the same row and column are one entry if `merge`.
    pub fn new<'a>(
        rows: usize,
        place: &[u32],
        sources: impl Iterator<Item = PatternSource<'a>>,
        merge: bool,
    ) -> Self {
        let sources: Vec<PatternSource<'a>> = sources.collect();
        let entry = |source: &PatternSource<'a>, e: usize| -> Option<(usize, u32)> {
            let row = source.rows.map_or(e as i64, |r| r[e]);
            let row = usize::try_from(row).ok().filter(|r| *r < rows)?;
            let column = usize::try_from(source.columns[e]).ok()?;
            Some((row, *place.get(column)?))
        };
        // By rows (counting), then by column within a row.
        let mut next = vec![0_usize; rows + 1];
        for source in &sources {
            for e in 0..source.columns.len() {
                if let Some((row, _)) = entry(source, e) {
                    next[row + 1] += 1;
                }
            }
        }
        for r in 0..rows {
            next[r + 1] += next[r];
        }
        let bounds = next.clone();
        let mut found = vec![(0_u32, 0_u32, 0_u32); bounds[rows]];
        for (s, source) in sources.iter().enumerate() {
            for e in 0..source.columns.len() {
                if let Some((row, column)) = entry(source, e) {
                    found[next[row]] = (column, s as u32, e as u32);
                    next[row] += 1;
                }
            }
        }
        let mut out = Self {
            starts: vec![0],
            columns: Vec::new(),
            firsts: Vec::new(),
            contributions: Vec::with_capacity(found.len()),
        };
        for r in 0..rows {
            let row = &mut found[bounds[r]..bounds[r + 1]];
            row.sort_unstable();
            let begin = out.columns.len();
            for &(column, s, e) in &*row {
                let same = out.columns.len() > begin && out.columns.last() == Some(&column);
                if !(merge && same) {
                    out.columns.push(column);
                    out.firsts.push(out.contributions.len() as u32);
                }
                out.contributions.push((sources[s as usize].term as u32, e));
            }
            out.starts.push(out.columns.len());
        }
        out.firsts.push(out.contributions.len() as u32);
        out
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Entries of a row.
    pub fn row(&self, r: usize) -> std::ops::Range<usize> {
        self.starts[r]..self.starts[r + 1]
    }

    /// The value of an entry.
    #[inline]
    pub fn value(&self, entry: usize, coefficients: &Coefficients<'_>) -> f64 {
        let range = self.firsts[entry] as usize..self.firsts[entry + 1] as usize;
        let mut sum = 0.0;
        for &(term, element) in &self.contributions[range] {
            sum += coefficients[term as usize].map_or(1.0, |c| c[element as usize]);
        }
        sum
    }

    /// All rows with their values, of a pattern whose entries were merged.
    pub fn filled(&self, coefficients: &Coefficients<'_>, n: usize) -> Result<SparseMatrix> {
        let values = (0..self.columns.len())
            .map(|e| self.value(e, coefficients))
            .collect();
        SparseMatrix::from_rows(n, self.starts.clone(), self.columns.clone(), values)
            .map_err(|e| crate::primitive::ill_formed("sparse Jacobian", e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_meet_in_entries() {
        let (a, b) = ([1, 0, 1, -1], [1, 1]);
        let rows = [0, 0, 1, 1];
        let sources = || {
            [
                PatternSource {
                    term: 0,
                    columns: &a,
                    rows: Some(&rows),
                },
                PatternSource {
                    term: 1,
                    columns: &b,
                    rows: None,
                },
            ]
            .into_iter()
        };
        let c = [2.0, 3.0, 4.0, f64::NAN];
        let coefficients = [Some(&c[..]), None];
        let merged = Pattern::new(2, &[0, 1], sources(), true);
        // Row 0: (0: 3), (1: 2 + 1); row 1: (1: 4 + 1).
        assert_eq!(
            merged.filled(&coefficients, 2).unwrap().dense().as_slice(),
            [3.0, 3.0, 0.0, 5.0]
        );
        let apart = Pattern::new(2, &[0, 1], sources(), false);
        assert_eq!(apart.starts, [0, 3, 5]);
        assert_eq!(apart.columns, [0, 1, 1, 1, 1]);
        let swapped = Pattern::new(2, &[1, 0], sources(), true);
        assert_eq!(
            swapped.filled(&coefficients, 2).unwrap().dense().as_slice(),
            [3.0, 3.0, 5.0, 0.0]
        );
    }
}
