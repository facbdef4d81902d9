//! Some entries of a chunk.

use std::ops::Range;
use std::sync::Arc;

use crate::column::{Axis, Column};
use crate::dataset::Chunk;
use crate::values::Values;

/// Lists that were taken: what they were made of, and what they became.
type Taken = Vec<(Arc<Vec<i64>>, Arc<Vec<i64>>)>;

impl Chunk {
    /// The entries for which `keep` is true, in order; those beyond its end are left out. `first` stays the number of the first entry of the whole chunk.
    ///
    /// ```
    /// use pullback_io::{Chunk, Column, Values};
    /// let chunk = Chunk {
    ///     first: 10,
    ///     entries: 3,
    ///     file: "memory".into(),
    ///     names: vec!["pt".to_owned()].into(),
    ///     columns: vec![Column::lists(vec![0, 2, 2, 3].into(), Values::F64(vec![1.0, 2.0, 3.0])).unwrap()],
    /// };
    /// let kept = chunk.take(&[false, true, true]);
    /// assert_eq!(kept.entries, 2);
    /// assert_eq!(kept.columns[0], Column::lists(vec![0, 0, 1].into(), Values::F64(vec![3.0])).unwrap());
    /// ```
    pub fn take(&self, keep: &[bool]) -> Self {
        let mut runs: Vec<Range<usize>> = Vec::new();
        let kept = keep.iter().take(self.entries).enumerate();
        for (k, _) in kept.filter(|(_, keep)| **keep) {
            match runs.last_mut() {
                Some(last) if last.end == k => last.end = k + 1,
                _ => runs.push(k..k + 1),
            }
        }
        let mut taken = Taken::new();
        Self {
            first: self.first,
            entries: runs.iter().map(Range::len).sum(),
            file: Arc::clone(&self.file),
            names: Arc::clone(&self.names),
            columns: (self.columns.iter())
                .map(|c| c.take(&runs, &mut taken))
                .collect(),
        }
    }
}

impl Column {
    /// Runs of entries, in order. Lists that columns share are shared again.
    fn take(&self, runs: &[Range<usize>], taken: &mut Taken) -> Self {
        let mut runs = runs.to_vec();
        let len = runs.iter().map(Range::len).sum();
        let mut axes = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            axes.push(axis.take(&runs, taken));
            runs = axis.below(&runs);
        }
        let count = runs.iter().map(Range::len).sum();
        let mut values = Values::with_capacity(self.values.dtype(), count);
        for run in runs {
            values.extend(&self.values, run);
        }
        Self { len, axes, values }
    }
}

impl Axis {
    fn take(&self, runs: &[Range<usize>], taken: &mut Taken) -> Self {
        match self {
            Self::List(offsets) => {
                if let Some((_, known)) = taken.iter().find(|(from, _)| Arc::ptr_eq(from, offsets))
                {
                    return Self::List(Arc::clone(known));
                }
                let mut out = vec![0];
                let mut end = 0;
                for run in runs {
                    let part = offsets.get(run.start..=run.end).unwrap_or_default();
                    let first = part.first().copied().unwrap_or(0);
                    out.extend(part.iter().skip(1).map(|o| o - first + end));
                    end = out.last().copied().unwrap_or(0);
                }
                let out = Arc::new(out);
                taken.push((Arc::clone(offsets), Arc::clone(&out)));
                Self::List(out)
            }
            Self::Fixed(n) => Self::Fixed(*n),
            Self::Option(present) => {
                let parts = runs.iter().filter_map(|run| present.get(run.clone()));
                Self::Option(Arc::new(parts.flatten().copied().collect()))
            }
        }
    }

    /// Where the children of runs of parents are.
    fn below(&self, runs: &[Range<usize>]) -> Vec<Range<usize>> {
        let Self::Option(present) = self else {
            return runs.iter().map(|run| self.children(run)).collect();
        };
        let mut before = Vec::with_capacity(present.len() + 1);
        let mut count = 0;
        before.push(count);
        for there in present.iter() {
            count += usize::from(*there);
            before.push(count);
        }
        let at = |k: usize| before.get(k).copied().unwrap_or(count);
        runs.iter().map(|run| at(run.start)..at(run.end)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_what_slices_joined_are() {
        let lists = Arc::new(vec![0, 2, 2, 3, 6]);
        let deep = Column::new(
            4,
            vec![
                Axis::List(Arc::clone(&lists)),
                Axis::Option(Arc::new(vec![true, false, true, true, false, true])),
                Axis::Fixed(2),
            ],
            Values::I32((0..8).collect()),
        );
        let shared = Column::new(4, vec![Axis::List(lists)], Values::F32(vec![1.0; 6]));
        let flat = Column::flat(Values::Bool(vec![true, false, true, true]));
        let chunk = Chunk {
            first: 0,
            entries: 4,
            file: "memory".into(),
            names: ["a", "b", "c"].map(str::to_owned).to_vec().into(),
            columns: vec![deep.unwrap(), shared.unwrap(), flat],
        };
        for bits in 0..16 {
            let keep: Vec<bool> = (0..4).map(|k| bits >> k & 1 == 1).collect();
            let found = chunk.take(&keep);
            for (column, taken) in chunk.columns.iter().zip(&found.columns) {
                let parts: Vec<Column> = (0..4)
                    .filter(|k| keep[*k])
                    .map(|k| column.clone().slice(k..k + 1))
                    .collect();
                let nothing = column.clone().slice(0..0);
                let expected = Column::concat([vec![nothing], parts].concat()).unwrap();
                assert_eq!(*taken, expected, "{keep:?}");
            }
            let [a, b] = [0, 1].map(|k| found.columns[k].offsets().unwrap());
            assert!(Arc::ptr_eq(a, b));
        }
        assert_eq!(chunk.take(&[]).entries, 0);
    }
}
