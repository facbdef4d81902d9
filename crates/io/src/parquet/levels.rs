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
    /// Whether every entry that goes on with a list follows one in that list, as the steps say which definition levels those have.
    pub(crate) fn hang_together(&self, steps: &[Step]) -> bool {
        let mut lists = vec![0_u8];
        let mut defined = 0;
        for step in steps {
            defined += step.definitions();
            if *step == Step::List {
                lists.push(defined);
            }
        }
        let (mut before, mut good) = (0, true);
        self.each(|r, d| {
            if r > 0 {
                let least = lists.get(usize::from(r)).copied().unwrap_or(u8::MAX);
                good &= before >= least && d >= least;
            }
            before = d;
        });
        good
    }

    /// The levels of a column. An instance of a step begins where a repetition level is not above the lists around it and the
    /// definition level says that what is around it is there.
    pub(crate) fn axes(&self, steps: &[Step]) -> Vec<Axis> {
        let (mut lists, mut defined) = (0_u8, 0_u8);
        let mut axes = Vec::with_capacity(steps.len());
        for step in steps {
            let there = defined + step.definitions();
            match step {
                Step::Option(_) => {
                    let mut present = Vec::new();
                    self.each(|r, d| {
                        if r <= lists && d >= defined {
                            present.push(d >= there);
                        }
                    });
                    axes.push(Axis::Option(Arc::new(present)));
                }
                Step::List => {
                    let mut offsets = Vec::new();
                    let mut count = 0_i64;
                    self.each(|r, d| {
                        if r <= lists && d >= defined {
                            offsets.push(count);
                        }
                        count += i64::from(r <= lists + 1 && d >= there);
                    });
                    offsets.push(count);
                    axes.push(Axis::List(Arc::new(offsets)));
                    lists += 1;
                }
            }
            defined = there;
        }
        axes
    }

    /// Repetition and definition level of every entry.
    fn each(&self, mut f: impl FnMut(u8, u8)) {
        if self.repetition.is_empty() {
            self.definition.iter().for_each(|d| f(0, *d));
            return;
        }
        for (r, d) in self.repetition.iter().zip(&self.definition) {
            f(*r, *d);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[[1, 2], []]`, `[]`, null, `[[], null, [3]]` as optional lists of optional lists.
    #[test]
    fn nested_lists_with_missing_ones() {
        use Step::List;
        let option = Step::Option(1);
        let levels = Levels {
            repetition: vec![0, 2, 1, 0, 0, 0, 1, 1],
            definition: vec![4, 4, 3, 1, 0, 3, 2, 4],
        };
        let steps = [option, List, option, List];
        assert!(levels.hang_together(&steps));
        let axes = levels.axes(&steps);
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

    /// A record that is missing, and a field that is missing in one.
    #[test]
    fn options_of_options_are_one_level() {
        let levels = Levels {
            repetition: Vec::new(),
            definition: vec![0, 1, 2],
        };
        let present = Axis::Option(Arc::new(vec![false, false, true]));
        assert_eq!(levels.axes(&[Step::Option(2)]), [present]);
    }

    /// Found by the fuzz: an inner list that goes on where there is no outer one gave offsets that do not start at 0.
    #[test]
    fn lists_go_on_where_they_are() {
        let steps = [Step::Option(1), Step::List, Step::List];
        for (repetition, definition, good) in [
            ([0, 2], [3, 3], true),
            ([0, 1], [2, 3], true),
            ([0, 2], [0, 3], false),
            ([0, 2], [2, 3], false),
            ([0, 1], [3, 1], false),
            ([0, 3], [3, 3], false),
        ] {
            let levels = Levels {
                repetition: repetition.to_vec(),
                definition: definition.to_vec(),
            };
            assert_eq!(levels.hang_together(&steps), good, "{levels:?}");
        }
    }
}
