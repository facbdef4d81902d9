//! Columns: typed values under levels of lists.

use std::ops::Range;
use std::sync::Arc;

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::schema::{Field, Level};
use crate::values::Values;

/// One level between entries and values.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Lists of different lengths: the children of parent `k` are `offsets[k]..offsets[k + 1]`. Starts at 0, one more than parents.
    /// Columns of one collection share it.
    List(Arc<Vec<i64>>),
    /// Every parent has the same number of children.
    Fixed(usize),
    /// A parent has a child or none; missing ones take no room in what follows.
    Option(Arc<Vec<bool>>),
}

impl Axis {
    /// Where the children of a range of parents are.
    pub(crate) fn children(&self, parents: &Range<usize>) -> Range<usize> {
        match self {
            Self::List(offsets) => {
                let at = |k: usize| offsets.get(k).map_or(0, |o| *o as usize);
                at(parents.start)..at(parents.end)
            }
            Self::Fixed(n) => parents.start * n..parents.end * n,
            Self::Option(present) => {
                let count = |end: usize| present.iter().take(end).filter(|p| **p).count();
                count(parents.start)..count(parents.end)
            }
        }
    }

    /// The level for a range of parents alone.
    fn slice(&self, parents: &Range<usize>) -> Self {
        match self {
            Self::List(offsets) => {
                let part = offsets.get(parents.start..=parents.end).unwrap_or(&[0]);
                let first = part.first().copied().unwrap_or(0);
                Self::List(Arc::new(part.iter().map(|o| o - first).collect()))
            }
            Self::Fixed(n) => Self::Fixed(*n),
            Self::Option(present) => {
                let part = present.get(parents.clone()).unwrap_or_default();
                Self::Option(Arc::new(part.to_vec()))
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::List(offsets) => 8 * offsets.len(),
            Self::Fixed(_) => 0,
            Self::Option(present) => present.len(),
        }
    }
}

/// A column of a range of entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub(crate) len: usize,
    pub(crate) axes: Vec<Axis>,
    pub(crate) values: Values,
}

impl Column {
    /// A column of one value per entry.
    pub fn flat(values: Values) -> Self {
        Self {
            len: values.len(),
            axes: Vec::new(),
            values,
        }
    }

    /// A column of lists: those of entry `k` are `offsets[k]..offsets[k + 1]`. Nothing where offsets do not begin at 0, fall, or end elsewhere than the
    /// values.
    ///
    /// ```
    /// use pullback_io::{Column, Values};
    /// let column = Column::lists(vec![0, 2, 2].into(), Values::F64(vec![1.0, 2.0])).unwrap();
    /// assert_eq!(column.len(), 2);
    /// assert!(Column::lists(vec![0, 3].into(), Values::F64(vec![1.0, 2.0])).is_none());
    /// ```
    pub fn lists(offsets: Arc<Vec<i64>>, values: Values) -> Option<Self> {
        let len = offsets.len().checked_sub(1)?;
        Self::new(len, vec![Axis::List(offsets)], values).ok()
    }

    /// A column of `len` entries under levels.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use pullback_io::{Axis, Column, Values};
    /// let lists = |offsets| vec![Axis::List(Arc::new(offsets))];
    /// let values = Values::I32(vec![1, 2, 3]);
    /// assert!(Column::new(2, lists(vec![0, 2, 3]), values.clone()).is_ok());
    /// let error = Column::new(2, lists(vec![0, 2, 4]), values).unwrap_err();
    /// assert_eq!(error.code(), "PB0518");
    /// ```
    ///
    /// # Errors
    /// [`Error::Unwritable`]: offsets that do not start at 0 or decrease, levels or values of other lengths than the level above says.
    pub fn new(len: usize, axes: Vec<Axis>, values: Values) -> Result<Self> {
        let wrong = |what: String| Error::Unwritable {
            name: String::new(),
            what,
        };
        let mut parents = len;
        for (level, axis) in axes.iter().enumerate() {
            parents = match axis {
                Axis::List(offsets) => {
                    let rises = offsets
                        .iter()
                        .zip(offsets.iter().skip(1))
                        .all(|(a, b)| a <= b);
                    let ends = offsets.first().zip(offsets.last());
                    match ends {
                        Some((0, last)) if rises && offsets.len() == parents + 1 => *last as usize,
                        _ => return Err(wrong(format!("the offsets of level {level} do not fit"))),
                    }
                }
                Axis::Fixed(n) => n.saturating_mul(parents),
                Axis::Option(present) if present.len() == parents => {
                    present.iter().filter(|p| **p).count()
                }
                Axis::Option(_) => {
                    return Err(wrong(format!("the mask of level {level} does not fit")));
                }
            };
        }
        if values.len() != parents {
            return Err(wrong(format!(
                "{} values where {parents} should be",
                values.len()
            )));
        }
        Ok(Self { len, axes, values })
    }

    /// Whether it has the type and the levels of a field.
    pub(crate) fn has_shape(&self, field: &Field) -> bool {
        let same = |(axis, level): (&Axis, &Level)| match (axis, level) {
            (Axis::List(_), Level::List) | (Axis::Option(_), Level::Option) => true,
            (Axis::Fixed(a), Level::Fixed(b)) => a == b,
            _ => false,
        };
        self.values.dtype() == field.dtype
            && self.axes.len() == field.levels.len()
            && self.axes.iter().zip(&field.levels).all(same)
    }

    /// The column without its optional levels, in which nothing may be missing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use pullback_io::{Axis, Column, Values};
    /// let column = |present: Vec<bool>, values| {
    ///     Column::new(2, vec![Axis::Option(Arc::new(present))], Values::F64(values))
    /// };
    /// let flat = column(vec![true, true], vec![1.0, 2.0])?.required()?;
    /// assert_eq!(flat, Column::flat(Values::F64(vec![1.0, 2.0])));
    /// let error = column(vec![true, false], vec![1.0])?.required().unwrap_err();
    /// assert_eq!(error.code(), "PB0516");
    /// # Ok::<(), pullback_io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Missing`] with the first place where something is missing.
    pub fn required(mut self) -> Result<Self> {
        for axis in &self.axes {
            if let Axis::Option(present) = axis
                && let Some(first) = present.iter().position(|p| !p)
            {
                let count = present.iter().filter(|p| !**p).count();
                return Err(Error::Missing { count, first });
            }
        }
        self.axes.retain(|axis| !matches!(axis, Axis::Option(_)));
        Ok(self)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The levels between entries and values, outermost first.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The values, of all entries one after the other.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.values.dtype()
    }

    /// Offsets of the first level, where it is one of lists.
    pub fn offsets(&self) -> Option<&Arc<Vec<i64>>> {
        match self.axes.first() {
            Some(Axis::List(offsets)) => Some(offsets),
            _ => None,
        }
    }

    /// Levels and values.
    pub fn into_parts(self) -> (Vec<Axis>, Values) {
        (self.axes, self.values)
    }

    /// Bytes in memory, shared offsets included.
    pub fn bytes(&self) -> usize {
        self.values.bytes() + self.axes.iter().map(Axis::bytes).sum::<usize>()
    }

    /// Values in another type; see [`Values::cast`].
    ///
    /// # Errors
    /// A conversion that changes a value.
    pub fn cast(self, to: DType) -> Result<Self> {
        Ok(Self {
            values: self.values.cast(to)?,
            ..self
        })
    }

    /// Values in a type of the array engine; see [`Values::widen`].
    pub fn widen(self) -> Self {
        Self {
            values: self.values.widen(),
            ..self
        }
    }

    /// The entries of a range alone; what lies outside is left out.
    ///
    /// ```
    /// use pullback_io::{Column, Values};
    /// let column = Column::flat(Values::I32(vec![1, 2, 3]));
    /// assert_eq!(column.slice(1..3), Column::flat(Values::I32(vec![2, 3])));
    /// ```
    pub fn slice(self, entries: Range<usize>) -> Self {
        let end = entries.end.min(self.len);
        let entries = entries.start.min(end)..end;
        if entries == (0..self.len) {
            return self;
        }
        let len = entries.len();
        let mut range = entries;
        let mut axes = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            axes.push(axis.slice(&range));
            range = axis.children(&range);
        }
        Self {
            len,
            axes,
            values: self.values.slice(range),
        }
    }

    /// Columns of the same kind, one after the other; `None` without any.
    pub fn concat(parts: Vec<Self>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let first = parts.next()?;
        let rest: Vec<Self> = parts.collect();
        if rest.is_empty() {
            return Some(first);
        }
        let total = first.values.len() + rest.iter().map(|p| p.values.len()).sum::<usize>();
        let mut values = Values::with_capacity(first.dtype(), total);
        let mut len = 0;
        let mut axes = Vec::with_capacity(first.axes.len());
        let all = || std::iter::once(&first).chain(&rest);
        for (level, axis) in first.axes.iter().enumerate() {
            axes.push(match axis {
                Axis::Fixed(n) => Axis::Fixed(*n),
                Axis::List(_) => {
                    let mut joined = vec![0];
                    let mut shift = 0;
                    for part in all() {
                        if let Some(Axis::List(offsets)) = part.axes.get(level) {
                            let ends = offsets.get(1..).unwrap_or_default();
                            joined.extend(ends.iter().map(|o| o + shift));
                            shift = joined.last().copied().unwrap_or(0);
                        }
                    }
                    Axis::List(Arc::new(joined))
                }
                Axis::Option(_) => {
                    let mut joined = Vec::new();
                    for part in all() {
                        if let Some(Axis::Option(present)) = part.axes.get(level) {
                            joined.extend_from_slice(present);
                        }
                    }
                    Axis::Option(Arc::new(joined))
                }
            });
        }
        for part in all() {
            len += part.len;
            values.extend(&part.values, 0..part.values.len());
        }
        Some(Self { len, axes, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[[[1, 2], []], [], [[3]]]`, each number twice.
    fn nested() -> Column {
        Column {
            len: 3,
            axes: vec![
                Axis::List(Arc::new(vec![0, 2, 2, 3])),
                Axis::List(Arc::new(vec![0, 2, 2, 3])),
                Axis::Fixed(2),
            ],
            values: Values::I32(vec![1, 1, 2, 2, 3, 3]),
        }
    }

    #[test]
    fn slices_joined_are_the_whole() {
        for cut in 0..=3 {
            let parts = vec![nested().slice(0..cut), nested().slice(cut..3)];
            assert_eq!(Column::concat(parts), Some(nested()), "cut at {cut}");
        }
    }

    #[test]
    fn options_leave_out_what_is_missing() {
        let column = Column {
            len: 3,
            axes: vec![Axis::Option(Arc::new(vec![true, false, true]))],
            values: Values::F64(vec![1.0, 3.0]),
        };
        let last = column.clone().slice(1..3);
        assert_eq!(last.values(), &Values::F64(vec![3.0]));
        let joined = Column::concat(vec![column.clone().slice(0..1), last]).unwrap();
        assert_eq!(joined, column);
    }

    #[test]
    fn ranges_outside_are_cut() {
        assert_eq!(nested().slice(2..9), nested().slice(2..3));
        assert_eq!(nested().slice(7..9).len(), 0);
    }
}
