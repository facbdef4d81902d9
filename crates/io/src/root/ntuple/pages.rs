//! Page lists: where the elements of each column of each cluster are.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::ntuple::envelope::{frame, leave, locator, records};

/// A page: so many elements at a place in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) elements: u64,
    pub(crate) seek: u64,
    pub(crate) bytes: u64,
    /// A hash of the stored bytes follows them.
    pub(crate) hashed: bool,
}

/// The pages of a column in a cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnPages {
    pub(crate) pages: Vec<Page>,
    /// Another representation of the field holds the data of this cluster.
    pub(crate) suppressed: bool,
    pub(crate) compression: u32,
}

/// A range of entries, and the pages of all columns for it.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) first: u64,
    pub(crate) entries: u64,
    pub(crate) columns: Vec<ColumnPages>,
}

/// Reads the payload of a page list envelope.
pub(crate) fn read(cursor: &mut Cursor<'_>, hash: u64, limits: &Limits) -> Result<Vec<Cluster>> {
    if cursor.le_u64()? != hash {
        return Err(cursor.corrupt("the page list belongs to another header"));
    }
    let mut clusters = Vec::new();
    records(cursor, |cursor| {
        let first = cursor.le_u64()?;
        let word = cursor.le_u64()?;
        if word >> 56 & 1 == 1 {
            return Err(cursor.unsupported("a sharded cluster"));
        }
        let entries = word & ((1 << 56) - 1);
        if first.checked_add(entries).is_none() {
            return Err(cursor.corrupt("a cluster without end"));
        }
        clusters.push(Cluster {
            first,
            entries,
            columns: Vec::new(),
        });
        Ok(())
    })?;
    let list = frame(cursor)?;
    if list.items != clusters.len() {
        return Err(cursor.corrupt(format!(
            "pages of {} clusters, {} were announced",
            list.items,
            clusters.len()
        )));
    }
    let mut total = 0;
    for cluster in &mut clusters {
        let outer = frame(cursor)?;
        for _ in 0..outer.items {
            let inner = frame(cursor)?;
            total += 1 + inner.items as u64;
            cursor.site().limit("pages", total, limits.items)?;
            let mut column = ColumnPages::default();
            for _ in 0..inner.items {
                let elements = i64::from(cursor.le_i32()?);
                let (seek, bytes) = locator(cursor)?;
                column.pages.push(Page {
                    elements: elements.unsigned_abs(),
                    seek,
                    bytes,
                    hashed: elements < 0,
                });
            }
            column.suppressed = cursor.le_i64()? < 0;
            if !column.suppressed {
                column.compression = cursor.le_u32()?;
            }
            leave(cursor, inner)?;
            cluster.columns.push(column);
        }
        leave(cursor, outer)?;
    }
    leave(cursor, list)?;
    Ok(clusters)
}
