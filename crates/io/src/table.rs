//! What every format offers: columns by position for a range of entries.

use std::fmt;
use std::ops::Range;

use crate::column::Column;
use crate::error::{Error, Place, Result};
use crate::schema::Schema;

/// How many bytes a column takes in its file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Before compression.
    pub uncompressed: u64,
    /// On disk.
    pub compressed: u64,
}

/// A table in a file: a tree, an ntuple.
///
/// An open set: a format is a module that implements this.
pub trait Table: fmt::Debug + Send + Sync {
    /// Its name in the file.
    fn name(&self) -> &str;

    /// Number of entries (events).
    fn entries(&self) -> u64;

    /// Its columns.
    fn schema(&self) -> &Schema;

    /// Reads columns by position, in the order asked for, of a range of entries; only what they need is read from the file.
    ///
    /// # Errors
    /// A range or a column that is not there, damaged bytes with their place, a limit.
    fn read(&self, columns: &[usize], entries: Range<u64>) -> Result<Vec<Column>>;

    /// Entries before which all of these columns can be cut without decompressing anything twice, in order.
    ///
    /// # Errors
    /// Damaged lists of baskets or clusters.
    fn boundaries(&self, columns: &[usize]) -> Result<Vec<u64>>;

    /// The file and the table, for messages.
    fn place(&self) -> Box<Place>;

    /// Positions of the columns that names and patterns (`Muon_*`) choose, each once.
    ///
    /// # Errors
    /// A name that is not there, with the nearest ones; a column that cannot be read, with the reason.
    fn select(&self, names: &[&str]) -> Result<Vec<usize>> {
        self.schema().select(names, &self.place())
    }

    /// One column whole.
    ///
    /// # Errors
    /// As of [`read`](Self::read) and [`select`](Self::select).
    fn column(&self, name: &str) -> Result<Column> {
        let columns = self.select(&[name])?;
        let mut read = self.read(&columns, 0..self.entries())?;
        read.pop().ok_or_else(|| Error::NoColumn {
            name: name.to_owned(),
            nearest: Vec::new(),
            place: self.place(),
        })
    }

    /// Bytes of a column, as far as the file tells.
    ///
    /// # Errors
    /// Damaged lists of pages.
    fn sizes(&self, column: usize) -> Result<Sizes>;
}

/// Refuses ranges that a table does not have, and columns likewise.
pub(crate) fn check(table: &dyn Table, columns: &[usize], entries: &Range<u64>) -> Result<()> {
    if entries.start > entries.end || entries.end > table.entries() {
        return Err(Error::Range {
            start: entries.start,
            end: entries.end,
            entries: table.entries(),
            place: table.place(),
        });
    }
    match columns
        .iter()
        .find(|c| **c >= table.schema().fields().len())
    {
        Some(column) => Err(Error::NoColumn {
            name: format!("#{column}"),
            nearest: Vec::new(),
            place: table.place(),
        }),
        None => Ok(()),
    }
}
