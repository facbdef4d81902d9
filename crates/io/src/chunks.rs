//! A data set in chunks of bounded memory.

use crate::dataset::{Chunk, Cuts, Dataset, Selection};
use crate::error::Result;

/// The chunks of a data set, in order; ends after the first error.
#[derive(Debug)]
pub struct Chunks<'a> {
    data: &'a Dataset,
    selection: Selection,
    next: u64,
    /// Of the file that `next` is in.
    cuts: Cuts,
    failed: bool,
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(data: &'a Dataset, selection: Selection) -> Self {
        Self {
            data,
            selection,
            next: 0,
            cuts: Cuts::default(),
            failed: false,
        }
    }

    /// Names of the columns in every chunk.
    pub fn names(&self) -> &[String] {
        &self.selection.names
    }

    fn read(&mut self) -> Result<Chunk> {
        if self.next >= self.cuts.end {
            self.cuts = self.data.cuts(&self.selection, self.next)?;
        }
        let most = self
            .next
            .saturating_add(self.cuts.entries)
            .min(self.cuts.end);
        let mut end = most;
        if most < self.cuts.end {
            // The last boundary that fits, unless none does.
            let fitting = self.cuts.boundaries.partition_point(|b| *b <= most);
            let boundary = fitting
                .checked_sub(1)
                .and_then(|k| self.cuts.boundaries.get(k));
            end = boundary.copied().filter(|b| *b > self.next).unwrap_or(most);
        }
        let chunk = self.data.read_selection(&self.selection, self.next..end)?;
        self.next = end;
        Ok(chunk)
    }
}

impl Iterator for Chunks<'_> {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.next >= self.data.entries() {
            return None;
        }
        let chunk = self.read();
        self.failed = chunk.is_err();
        Some(chunk)
    }
}
