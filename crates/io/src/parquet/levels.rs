//! From repetition and definition levels to offsets and masks, a pass over the levels for each step.
//!
//! Reference: S. Melnik et al., Dremel, Proc. VLDB 3 (2010) 330, doi:10.14778/1920841.1920886, sections 4.1 and 4.3.

use std::sync::Arc;

use crate::column::Axis;
use crate::parquet::layout::Step;

/// The levels of a run of entries, from the first of a row on. Either list is empty where all its levels are 0.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Levels {
    pub(crate) repetition: Vec<u8>,
    pub(crate) definition: Vec<u8>,
}

impl Levels {
    /// The levels of a column. An instance of a step begins where a repetition level is not above the lists around it and the
    /// definition level says that what is around it is there.
    pub(crate) fn axes(&self, steps: &[Step]) -> Vec<Axis> {
        let (mut lists, mut defined) = (0_u8, 0_u8);
        let mut axes = Vec::with_capacity(steps.len());
        for step in steps {
            let there = defined + 1;
            match step {
                Step::Option => {
                    let begins = self.pairs().filter(|(r, d)| *r <= lists && *d >= defined);
                    let present: Vec<bool> = begins.map(|(_, d)| d >= there).collect();
                    axes.push(Axis::Option(Arc::new(present)));
                }
                Step::List => {
                    let mut offsets = Vec::new();
                    let mut count = 0_i64;
                    for (r, d) in self.pairs() {
                        if r <= lists && d >= defined {
                            offsets.push(count);
                        }
                        count += i64::from(r <= lists + 1 && d >= there);
                    }
                    offsets.push(count);
                    axes.push(Axis::List(Arc::new(offsets)));
                    lists += 1;
                }
            }
            defined = there;
        }
        axes
    }

    fn pairs(&self) -> impl Iterator<Item = (u8, u8)> {
        let repetition = self.repetition.iter().copied();
        let none = self.definition.len() - self.repetition.len().min(self.definition.len());
        let repetition = repetition.chain(std::iter::repeat_n(0, none));
        repetition.zip(self.definition.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[[1, 2], []]`, `[]`, null, `[[], null, [3]]` as optional lists of optional lists.
    #[test]
    fn nested_lists_with_missing_ones() {
        use Step::{List, Option};
        let levels = Levels {
            repetition: vec![0, 2, 1, 0, 0, 0, 1, 1],
            definition: vec![4, 4, 3, 1, 0, 3, 2, 4],
        };
        let axes = levels.axes(&[Option, List, Option, List]);
        assert_eq!(
            axes,
            [
                Axis::Option(Arc::new(vec![true, true, false, true])),
                Axis::List(Arc::new(vec![0, 2, 2, 5])),
                Axis::Option(Arc::new(vec![true, true, true, false, true])),
                Axis::List(Arc::new(vec![0, 2, 2, 2, 3])),
            ]
        );
    }
}
