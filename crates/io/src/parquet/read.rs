//! Reading columns: the chunks of the wanted columns in parallel, page by page.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::budget::Budget;
use crate::column::{Axis, Column};
use crate::cursor::Cursor;
use crate::dtype::DType;
use crate::error::Result;
use crate::parquet::encoding::{Request, decode, decoded};
use crate::parquet::layout::{Leaf, Step};
use crate::parquet::levels::Levels;
use crate::parquet::metadata::{Chunk, RowGroup};
use crate::parquet::page::{Content, Kind, Page};
use crate::parquet::table::Parquet;
use crate::site::Site;
use crate::table::check;
use crate::values::Values;

impl Parquet {
    pub(super) fn read_columns(
        &self,
        columns: &[usize],
        range: &Range<u64>,
    ) -> Result<Vec<Column>> {
        check(self, columns, range)?;
        let budget = Budget::columns(&self.limits);
        let touched =
            |group: &&RowGroup| group.first < range.end && group.first + group.rows > range.start;
        let groups: Vec<&RowGroup> = self.groups.iter().filter(touched).collect();
        let tasks: Vec<(usize, &RowGroup)> = columns
            .iter()
            .flat_map(|column| groups.iter().map(move |group| (*column, *group)))
            .collect();
        let one = |(column, group): &(usize, &RowGroup)| {
            let rows = range.start.max(group.first) - group.first
                ..range.end.min(group.first + group.rows) - group.first;
            self.read_chunk(*column, group, rows, &budget)
        };
        // All are waited for, in order: of several errors always the same one is reported.
        let done: Vec<Result<Column>> = if tasks.len() > 1 {
            tasks.par_iter().map(one).collect()
        } else {
            tasks.iter().map(one).collect()
        };
        let mut done = done.into_iter();
        let mut answer: Vec<Column> = Vec::with_capacity(columns.len());
        for column in columns {
            let pieces = done
                .by_ref()
                .take(groups.len())
                .collect::<Result<Vec<_>>>()?;
            let mut column = Column::concat(pieces).unwrap_or_else(|| self.empty(*column));
            share(&answer, &mut column);
            answer.push(column);
        }
        Ok(answer)
    }

    fn read_chunk(
        &self,
        column: usize,
        group: &RowGroup,
        rows: Range<u64>,
        budget: &Budget,
    ) -> Result<Column> {
        let (Some(leaf), Some(field)) = (self.leaves.get(column), self.fields().get(column)) else {
            return Ok(self.empty(column));
        };
        let site = self.site.part(&field.name);
        let Some(Some(chunk)) = group.chunks.get(leaf.chunk) else {
            return Err(site.unsupported(None, "a column in another file"));
        };
        let stored = self.source.read(&site, chunk.start, chunk.bytes)?;
        let mut reader = Reader {
            leaf,
            chunk,
            site: &site,
            budget,
            rows: rows.clone(),
            row: 0,
            left: chunk.values,
            dictionary: None,
            levels: Levels::default(),
            values: Values::with_capacity(decoded(leaf.physical), 0),
        };
        reader.pages(&stored, self)?;
        let Reader {
            levels,
            values,
            row,
            ..
        } = reader;
        if row < rows.end {
            let what = format!("its pages hold {row} of {} rows", group.rows);
            return Err(site.corrupt(None, what));
        }
        let len = (rows.end - rows.start) as usize;
        if leaf.repetitions() > 0 && !levels.hang_together(&leaf.steps) {
            return Err(site.corrupt(None, "levels that do not hang together"));
        }
        let axes = levels.axes(&leaf.steps);
        let found = match axes.first() {
            None => values.len(),
            Some(Axis::List(offsets)) => offsets.len() - 1,
            Some(Axis::Option(present)) => present.len(),
            Some(Axis::Fixed(_)) => len,
        };
        if found != len {
            return Err(site.corrupt(None, format!("{found} rows where {len} should be")));
        }
        let bytes: usize = axes.iter().map(Axis::bytes).sum();
        budget.take(bytes as u64, &site)?;
        Ok(Column {
            len,
            axes,
            values: narrowed(values, leaf.dtype, &site)?,
        })
    }

    /// No entries of a column.
    fn empty(&self, column: usize) -> Column {
        let leaf = self.leaves.get(column);
        let axes = leaf
            .iter()
            .flat_map(|leaf| leaf.steps.iter())
            .map(|step| match step {
                Step::List => Axis::List(Arc::new(vec![0])),
                Step::Option(_) => Axis::Option(Arc::new(Vec::new())),
            });
        Column {
            len: 0,
            axes: axes.collect(),
            values: Values::with_capacity(leaf.map_or(DType::Str, |l| l.dtype), 0),
        }
    }
}

/// Columns with the same lists share their offsets.
fn share(others: &[Column], column: &mut Column) {
    for other in others {
        for (own, known) in column.axes.iter_mut().zip(&other.axes) {
            if own != known {
                break;
            }
            *own = known.clone();
        }
    }
}

struct Reader<'a> {
    leaf: &'a Leaf,
    chunk: &'a Chunk,
    site: &'a Site,
    budget: &'a Budget,
    /// The wanted rows of the group.
    rows: Range<u64>,
    /// Rows that have begun so far.
    row: u64,
    /// Values that are still to come.
    left: u64,
    dictionary: Option<Values>,
    levels: Levels,
    values: Values,
}

impl Reader<'_> {
    fn pages(&mut self, stored: &[u8], file: &Parquet) -> Result<()> {
        let mut cursor = Cursor::new(stored, self.chunk.start, self.site);
        let nested = self.leaf.repetitions() > 0;
        while self.left > 0 {
            // What is left of a row with lists may stand in the next page.
            if self.row > self.rows.end || (self.row == self.rows.end && !nested) {
                return Ok(());
            }
            let page = Page::next(&mut cursor, self.site)?;
            match page.head.kind {
                Kind::Other => {}
                Kind::Dictionary => self.dictionary(&page, file)?,
                Kind::Data | Kind::DataV2 { .. } => {
                    if page.head.values > self.left {
                        let what = format!(
                            "a page of {} values, {} are left",
                            page.head.values, self.left
                        );
                        return Err(cursor.corrupt(what));
                    }
                    self.left -= page.head.values;
                    let rows = match page.head.kind {
                        Kind::DataV2 { rows, .. } => Some(rows),
                        _ if nested => None,
                        _ => Some(page.head.values),
                    };
                    let end = rows.and_then(|rows| self.row.checked_add(rows));
                    // Pages of the second version begin with a row.
                    match end {
                        Some(end) if end <= self.rows.start => self.row = end,
                        _ => self.data(&page, file)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn dictionary(&mut self, page: &Page<'_>, file: &Parquet) -> Result<()> {
        let bytes = page.dictionary(self.chunk.codec, self.site, &file.limits)?;
        let site = page.inside(self.site);
        let count = usize::try_from(page.head.values).unwrap_or(usize::MAX);
        let mut values = Values::with_capacity(decoded(self.leaf.physical), 0);
        let request = Request {
            physical: self.leaf.physical,
            encoding: 0,
            count,
            wanted: 0..count,
            dictionary: None,
            budget: self.budget,
        };
        decode(&request, &mut Cursor::new(&bytes, 0, &site), &mut values)?;
        self.dictionary = Some(values);
        Ok(())
    }

    fn data(&mut self, page: &Page<'_>, file: &Parquet) -> Result<()> {
        let Content { levels, bytes, at } = page.content(
            self.leaf,
            self.chunk.codec,
            self.site,
            &file.limits,
            self.budget,
        )?;
        let all = usize::try_from(page.head.values).unwrap_or(usize::MAX);
        let site = page.inside(self.site);
        if self.row == 0 && levels.repetition.first().is_some_and(|r| *r > 0) {
            return Err(site.corrupt(None, "a column that does not begin with a row"));
        }
        let wanted = entries(&mut self.row, &self.rows, &levels.repetition, all);
        let most = self.leaf.definitions();
        let count = |range: Range<usize>| {
            let part = levels.definition.get(range.clone()).unwrap_or_default();
            if most == 0 {
                range.len()
            } else {
                part.iter().map(|d| usize::from(*d == most)).sum()
            }
        };
        let before = count(0..wanted.start);
        let here = count(wanted.clone());
        let stored = if most == 0 { all } else { count(0..all) };
        let size = self.values.dtype().size() as u64;
        self.budget
            .take(size.saturating_mul(here as u64), self.site)?;
        let had = self.values.len();
        let request = Request {
            physical: self.leaf.physical,
            encoding: page.head.encoding,
            count: stored,
            wanted: before..before + here,
            dictionary: self.dictionary.as_ref(),
            budget: self.budget,
        };
        let mut cursor = Cursor::new(&bytes, 0, &site);
        cursor.seek(at)?;
        decode(&request, &mut cursor, &mut self.values)?;
        if self.values.len() - had != here {
            let what = format!("{} of {here} values", self.values.len() - had);
            return Err(site.corrupt(None, what));
        }
        let part = |list: &[u8]| list.get(wanted.clone()).unwrap_or_default().to_vec();
        if most > 0 {
            self.levels.definition.extend(part(&levels.definition));
        }
        if !levels.repetition.is_empty() {
            self.levels.repetition.extend(part(&levels.repetition));
        }
        Ok(())
    }
}

/// The entries of the wanted rows in a page; counts its rows.
fn entries(row: &mut u64, wanted: &Range<u64>, repetition: &[u8], all: usize) -> Range<usize> {
    let Range { start, end } = *wanted;
    if repetition.is_empty() {
        let place = |to: u64| (to.saturating_sub(*row)).min(all as u64) as usize;
        let wanted = place(start)..place(end);
        *row += all as u64;
        return wanted;
    }
    let rows: u64 = repetition.iter().map(|r| u64::from(*r == 0)).sum();
    // The rest of a row before the first one that is wanted is not.
    let inside = *row > start || (*row == start && repetition.first() == Some(&0));
    if inside && *row + rows <= end {
        *row += rows;
        return 0..all;
    }
    // The entry at which so many rows have begun before.
    let (mut first, mut last) = (None, None);
    if *row > start {
        first = Some(0);
    }
    for (k, level) in repetition.iter().enumerate() {
        if *level > 0 {
            continue;
        }
        if *row == start {
            first = first.or(Some(k));
        }
        if *row == end {
            last = last.or(Some(k));
        }
        *row += 1;
    }
    if *row > end && last.is_none() {
        last = Some(0);
    }
    let last = last.unwrap_or(all);
    first.unwrap_or(last).min(last)..last
}

/// Integers of the width that the file says; those that do not fit are an error.
fn narrowed(values: Values, to: DType, site: &Site) -> Result<Values> {
    macro_rules! narrow {
        ($list:expr, $type:ty, $kind:ident) => {{
            let all = $list.iter().map(|n| <$type>::try_from(*n));
            match all.collect::<std::result::Result<Vec<$type>, _>>() {
                Ok(list) => Ok(Values::$kind(list)),
                Err(_) => Err(site.corrupt(None, format!("integers that are no {to}"))),
            }
        }};
    }
    match (values, to) {
        (Values::I32(list), DType::I8) => narrow!(list, i8, I8),
        (Values::I32(list), DType::U8) => narrow!(list, u8, U8),
        (Values::I32(list), DType::I16) => narrow!(list, i16, I16),
        (Values::I32(list), DType::U16) => narrow!(list, u16, U16),
        (Values::I32(list), DType::U32) => Ok(Values::U32(
            list.into_iter().map(i32::cast_unsigned).collect(),
        )),
        (Values::I64(list), DType::U64) => Ok(Values::U64(
            list.into_iter().map(i64::cast_unsigned).collect(),
        )),
        (values, _) => Ok(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages that are cut anywhere, in the middle of rows too.
    #[test]
    fn entries_of_rows_are_found_in_all_pages() {
        let all = [0, 1, 1, 0, 0, 1, 2, 1, 0, 1, 1, 1, 0];
        let row_of = |k: usize| all[..=k].iter().map(|r| u64::from(*r == 0)).sum::<u64>() - 1;
        for size in 1..=all.len() {
            for start in 0..=5 {
                for end in start..=5 {
                    let mut row = 0;
                    let mut found = Vec::new();
                    for (k, page) in all.chunks(size).enumerate() {
                        let wanted = entries(&mut row, &(start..end), page, page.len());
                        found.extend(wanted.map(|at| k * size + at));
                    }
                    let inside = |k: &usize| (start..end).contains(&row_of(*k));
                    let expected: Vec<usize> = (0..all.len()).filter(inside).collect();
                    assert_eq!(found, expected, "{size} {start} {end}");
                    assert_eq!(row, 5);
                }
            }
        }
    }
}
