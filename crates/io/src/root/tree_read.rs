//! Reading a tree: the baskets of the wanted branches in parallel, counters first.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::budget::Budget;
use crate::column::{Axis, Column};
use crate::cursor::Cursor;
use crate::dtype::DType;
use crate::error::Result;
use crate::root::basket::Basket;
use crate::root::branch::BasketRef;
use crate::root::entries::{Content, Entries, entries};
use crate::root::layout::{Part, Plan, Shape};
use crate::root::tree::Tree;
use crate::table::check;
use crate::values::Values;

/// Where the items of each entry start, for a range of entries; from a branch that counts.
struct Counts {
    entries: Range<u64>,
    /// Starts at 0 for the first entry of the range.
    offsets: Vec<i64>,
    /// The baskets that were read for it, whole, with their first entries: a job for the same branch takes them from here.
    baskets: Vec<(u64, Column)>,
}

impl Counts {
    /// Where the items of a range of entries are, counted from the first one.
    fn items(&self, entries: &Range<u64>) -> Option<Range<usize>> {
        let at = |entry: u64| {
            let k = usize::try_from(entry.checked_sub(self.entries.start)?).ok()?;
            self.offsets.get(k).map(|o| *o as usize)
        };
        Some(at(entries.start)?..at(entries.end)?)
    }

    /// A basket that was read, by its first entry.
    fn basket(&self, first: u64) -> Option<&Column> {
        let k = self
            .baskets
            .binary_search_by_key(&first, |(k, _)| *k)
            .ok()?;
        self.baskets.get(k).map(|(_, column)| column)
    }
}

/// A branch of which columns are wanted.
struct Job {
    branch: usize,
    /// Columns of the tree, with their places in the answer.
    columns: Vec<(usize, usize)>,
    baskets: Vec<BasketRef>,
}

impl Tree {
    pub(super) fn read_columns(
        &self,
        columns: &[usize],
        range: &Range<u64>,
    ) -> Result<Vec<Column>> {
        check(self, columns, range)?;
        let jobs = self.jobs(columns, range)?;
        let budget = Budget::columns(&self.limits);
        let counts = self.counts(&jobs, &budget)?;
        let pieces = self.run(&jobs, &counts, &budget)?;
        // Columns with the same counter share their offsets.
        let mut lists: HashMap<usize, Arc<Vec<i64>>> = HashMap::new();
        let mut answer: Vec<Option<Column>> = columns.iter().map(|_| None).collect();
        for (job, pieces) in jobs.iter().zip(pieces) {
            let list = match self.plan(job.branch).map(|plan| &plan.shape) {
                Some(Shape::Counted(counter)) => {
                    let counts = counts.get(counter);
                    let of_range = || Arc::new(range_offsets(counts, range));
                    Some(lists.entry(*counter).or_insert_with(of_range).clone())
                }
                _ => None,
            };
            let joined = self.join(
                job,
                pieces,
                counts_of(self, job, &counts),
                list.as_ref(),
                range,
            );
            for ((_, place), column) in job.columns.iter().zip(joined) {
                if let Some(slot) = answer.get_mut(*place) {
                    *slot = Some(column);
                }
            }
        }
        Ok(answer.into_iter().flatten().collect())
    }

    /// The wanted columns by branch.
    fn jobs(&self, columns: &[usize], range: &Range<u64>) -> Result<Vec<Job>> {
        let mut jobs: Vec<Job> = Vec::new();
        let mut by_branch: HashMap<usize, usize> = HashMap::new();
        for (place, column) in columns.iter().enumerate() {
            let Some(part) = self.parts.get(*column) else {
                continue;
            };
            let k = if let Some(k) = by_branch.get(&part.branch) {
                *k
            } else {
                let Some(branch) = self.branches.get(part.branch) else {
                    continue;
                };
                jobs.push(Job {
                    branch: part.branch,
                    columns: Vec::new(),
                    baskets: self.baskets_of(branch, range)?,
                });
                by_branch.insert(part.branch, jobs.len() - 1);
                jobs.len() - 1
            };
            if let Some(job) = jobs.get_mut(k) {
                job.columns.push((*column, place));
            }
        }
        Ok(jobs)
    }

    fn plan(&self, branch: usize) -> Option<&Plan> {
        self.plans.get(branch)?.as_ref()
    }

    /// Reads the counters that the jobs need, for all entries of their baskets.
    fn counts(&self, jobs: &[Job], budget: &Budget) -> Result<HashMap<usize, Counts>> {
        let mut needed: HashMap<usize, Range<u64>> = HashMap::new();
        for job in jobs {
            let (Some(first), Some(last)) = (job.baskets.first(), job.baskets.last()) else {
                continue;
            };
            if let Some(Shape::Counted(counter)) = self.plan(job.branch).map(|p| &p.shape) {
                let range = first.entries.start..last.entries.end.min(self.entries);
                let known = needed.entry(*counter).or_insert_with(|| range.clone());
                *known = known.start.min(range.start)..known.end.max(range.end);
            }
        }
        let needed = needed.into_iter().map(|(branch, range)| {
            let found = self.branches.get(branch);
            let baskets = found.map(|found| self.baskets_of(found, &range));
            let job = Job {
                branch,
                columns: Vec::new(),
                baskets: baskets.transpose()?.unwrap_or_default(),
            };
            Ok((job, range))
        });
        let mut needed: Vec<(Job, Range<u64>)> = needed.collect::<Result<_>>()?;
        needed.sort_unstable_by_key(|(job, _)| job.branch);
        let tasks: Vec<(&Job, &BasketRef)> = needed
            .iter()
            .flat_map(|(job, _)| job.baskets.iter().map(move |basket| (job, basket)))
            .collect();
        let one = |&(job, basket): &(&Job, &BasketRef)| {
            let part = self.parts.iter().find(|p| p.branch == job.branch);
            self.piece(job, basket, part, &HashMap::new(), budget)
        };
        let done: Vec<Result<Vec<Column>>> = if tasks.len() > 1 {
            tasks.par_iter().map(one).collect()
        } else {
            tasks.iter().map(one).collect()
        };
        let mut done = done.into_iter();
        let mut counts = HashMap::with_capacity(needed.len());
        for (job, range) in &needed {
            let read = done.by_ref().take(job.baskets.len());
            counts.insert(job.branch, self.count(job, range, read)?);
        }
        Ok(counts)
    }

    /// Adds up what the baskets of a counter say.
    fn count(
        &self,
        job: &Job,
        range: &Range<u64>,
        read: impl Iterator<Item = Result<Vec<Column>>>,
    ) -> Result<Counts> {
        let mut counts = Counts {
            entries: range.clone(),
            offsets: vec![0],
            baskets: Vec::with_capacity(job.baskets.len()),
        };
        let site = self.branches.get(job.branch).map(|b| self.branch_site(b));
        let site = site.unwrap_or_else(|| self.site.clone());
        for (at, columns) in job.baskets.iter().zip(read) {
            let Some(column) = columns?.pop() else {
                continue;
            };
            let from = range.start.saturating_sub(at.entries.start) as usize;
            let to = (range.end.min(at.entries.end) - at.entries.start) as usize;
            let numbers = column.clone().slice(from..to).values.cast(DType::I64);
            let Ok(Values::I64(numbers)) = numbers else {
                return Err(site.corrupt(None, "a counter that is no integer"));
            };
            accumulate(&mut counts.offsets, &numbers)
                .map_err(|count| site.corrupt(None, format!("a list of {count} items")))?;
            counts.baskets.push((at.entries.start, column));
        }
        Ok(counts)
    }

    /// Reads the baskets of all jobs in parallel: by job, by basket, by column.
    fn run(
        &self,
        jobs: &[Job],
        counts: &HashMap<usize, Counts>,
        budget: &Budget,
    ) -> Result<Vec<Vec<Vec<Column>>>> {
        let tasks: Vec<(usize, &Job, &BasketRef)> = jobs
            .iter()
            .enumerate()
            .flat_map(|(k, job)| job.baskets.iter().map(move |basket| (k, job, basket)))
            .collect();
        let one = |&(k, job, basket): &(usize, &Job, &BasketRef)| {
            // A counter has one column, which may be asked for several times.
            let known = counts.get(&job.branch);
            if let Some(column) = known.and_then(|c| c.basket(basket.entries.start)) {
                return Ok((k, vec![column.clone(); job.columns.len()]));
            }
            let parts = job
                .columns
                .iter()
                .filter_map(|(column, _)| self.parts.get(*column));
            Ok((k, self.piece(job, basket, parts, counts, budget)?))
        };
        // All are waited for, in order: of several errors always the same one is reported.
        let done: Vec<Result<(usize, Vec<Column>)>> = if tasks.len() > 1 {
            tasks.par_iter().map(one).collect()
        } else {
            tasks.iter().map(one).collect()
        };
        let mut pieces: Vec<Vec<Vec<Column>>> = jobs.iter().map(|_| Vec::new()).collect();
        for result in done {
            let (k, piece) = result?;
            if let Some(list) = pieces.get_mut(k) {
                list.push(piece);
            }
        }
        Ok(pieces)
    }

    /// Reads one basket and decodes parts of its items.
    fn piece<'a>(
        &self,
        job: &Job,
        at: &BasketRef,
        parts: impl IntoIterator<Item = &'a Part>,
        counts: &HashMap<usize, Counts>,
        budget: &Budget,
    ) -> Result<Vec<Column>> {
        let (Some(branch), Some(plan)) = (self.branches.get(job.branch), self.plan(job.branch))
        else {
            return Ok(Vec::new());
        };
        let site = self.branch_site(branch);
        let inside = site.decompressed();
        let description = Cursor::new(&self.description, 0, &inside);
        let basket = Basket::load(at, &self.source, &description, &site, &self.limits)?;
        let counted = match &plan.shape {
            Shape::Counted(counter) => counts.get(counter).and_then(|c| c.items(&at.entries)),
            _ => None,
        };
        let Entries { axes, content } =
            entries(plan, &basket, counted.map(|items| items.len()), &inside)?;
        let mut columns = Vec::new();
        for part in parts {
            let values = match (&content, part.number) {
                (Content::Items(items), Some(number)) => {
                    let count = part.dims.iter().product();
                    number.decode_strided(items, plan.stride, part.at, count)
                }
                (Content::Texts(texts), _) => Values::Str(texts.clone()),
                (Content::Items(_), None) => Values::with_capacity(DType::Str, 0),
            };
            let column = Column {
                len: basket.entries,
                axes: axes.clone().into_iter().chain(fixed(part)).collect(),
                values,
            };
            budget.take(column.bytes() as u64, &site)?;
            columns.push(column);
        }
        Ok(columns)
    }

    /// Cuts the pieces of a branch to the range and joins them.
    fn join(
        &self,
        job: &Job,
        pieces: Vec<Vec<Column>>,
        counts: Option<&Counts>,
        list: Option<&Arc<Vec<i64>>>,
        range: &Range<u64>,
    ) -> Vec<Column> {
        let mut by_column: Vec<Vec<Column>> = job.columns.iter().map(|_| Vec::new()).collect();
        for (at, piece) in job.baskets.iter().zip(pieces) {
            let start = range.start.max(at.entries.start);
            let end = range.end.min(at.entries.end);
            for (column, parts) in piece.into_iter().zip(&mut by_column) {
                parts.push(match counts {
                    None => {
                        let first = at.entries.start;
                        column.slice((start - first) as usize..(end - first) as usize)
                    }
                    Some(counts) => counted_part(column, counts, at, start..end),
                });
            }
        }
        let len = (range.end - range.start) as usize;
        let joined = by_column
            .into_iter()
            .zip(&job.columns)
            .map(|(parts, (column, _))| {
                let joined = Column::concat(parts).unwrap_or_else(|| self.empty(*column));
                match list {
                    Some(list) => Column {
                        len,
                        axes: std::iter::once(Axis::List(Arc::clone(list)))
                            .chain(joined.axes)
                            .collect(),
                        values: joined.values,
                    },
                    None => joined,
                }
            });
        joined.collect()
    }

    /// No entries of a column; without the level of a counter.
    fn empty(&self, column: usize) -> Column {
        let (mut axes, mut dtype) = (Vec::new(), DType::Str);
        if let Some(part) = self.parts.get(column) {
            let lists = match self.plan(part.branch).map(|p| &p.shape) {
                Some(Shape::Jagged { .. }) => 1,
                Some(Shape::Lists { depth } | Shape::TextLists { depth }) => *depth,
                _ => 0,
            };
            axes.extend((0..lists).map(|_| Axis::List(Arc::new(vec![0]))));
            axes.extend(fixed(part));
            dtype = part
                .number
                .map_or(DType::Str, crate::root::number::Number::dtype);
        }
        Column {
            len: 0,
            axes,
            values: Values::with_capacity(dtype, 0),
        }
    }
}

fn fixed(part: &Part) -> impl Iterator<Item = Axis> {
    part.dims.iter().map(|n| Axis::Fixed(*n))
}

fn counts_of<'a>(tree: &Tree, job: &Job, counts: &'a HashMap<usize, Counts>) -> Option<&'a Counts> {
    match tree.plan(job.branch).map(|plan| &plan.shape) {
        Some(Shape::Counted(counter)) => counts.get(counter),
        _ => None,
    }
}

/// The items of the entries `range` of a basket whose items another branch counts.
fn counted_part(column: Column, counts: &Counts, at: &BasketRef, range: Range<u64>) -> Column {
    let all = counts.items(&at.entries).unwrap_or_default();
    let kept = counts.items(&range).unwrap_or_default();
    // As entries of their own: each item is one, whatever levels of fixed length are in it.
    let items = Column {
        len: all.len(),
        ..column
    };
    items.slice(kept.start - all.start..kept.end - all.start)
}

fn accumulate(offsets: &mut Vec<i64>, counts: &[i64]) -> Result<(), i64> {
    let mut last = offsets.last().copied().unwrap_or(0);
    for count in counts {
        last = match last.checked_add(*count) {
            Some(sum) if *count >= 0 => sum,
            _ => return Err(*count),
        };
        offsets.push(last);
    }
    Ok(())
}

/// The offsets of a range of entries, from 0.
fn range_offsets(counts: Option<&Counts>, range: &Range<u64>) -> Vec<i64> {
    let part = counts.and_then(|counts| {
        let start = usize::try_from(range.start.checked_sub(counts.entries.start)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(counts.entries.start)?).ok()?;
        counts.offsets.get(start..=end)
    });
    let part = part.unwrap_or(&[0]);
    let first = part.first().copied().unwrap_or(0);
    part.iter().map(|offset| offset - first).collect()
}
