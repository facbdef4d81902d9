//! Page lists: where the elements of each column of each cluster are.

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::error::Result;
use crate::root::ntuple::envelope::{frame, leave, locator, records};
use crate::site::Site;

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

/// Reads the payload of a page list envelope; `items` counts the clusters, columns and pages of all lists of an ntuple.
pub(crate) fn read(cursor: &mut Cursor<'_>, hash: u64, items: &Budget) -> Result<Vec<Cluster>> {
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
        items.take(1, cursor.site())?;
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
    for cluster in &mut clusters {
        let outer = frame(cursor)?;
        for _ in 0..outer.items {
            let inner = frame(cursor)?;
            items.take(1 + inner.items as u64, cursor.site())?;
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

/// Sorts clusters by their entries: each starts where the one before ends, and the last one ends with the ntuple.
pub(crate) fn in_order(clusters: &mut [Cluster], entries: u64, site: &Site) -> Result<()> {
    clusters.sort_by_key(|cluster| (cluster.first, cluster.entries));
    let mut end = 0;
    for cluster in clusters {
        let next = cluster.first.checked_add(cluster.entries);
        match next {
            Some(next) if cluster.first == end => end = next,
            _ => {
                let what = format!(
                    "a cluster of {} entries starts at {}, the one before ends at {end}",
                    cluster.entries, cluster.first
                );
                return Err(site.corrupt(None, what));
            }
        }
    }
    if end == entries {
        return Ok(());
    }
    let what = format!("its clusters hold {end} of {entries} entries");
    Err(site.corrupt(None, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::limits::Limits;

    fn cluster(first: u64, entries: u64) -> Cluster {
        Cluster {
            first,
            entries,
            columns: Vec::new(),
        }
    }

    fn check(ranges: &[(u64, u64)], entries: u64) -> Result<Vec<u64>, Error> {
        let mut clusters: Vec<Cluster> = ranges.iter().map(|(f, n)| cluster(*f, *n)).collect();
        in_order(&mut clusters, entries, &Site::new(&"f".into()))?;
        Ok(clusters.iter().map(|c| c.first).collect())
    }

    #[test]
    fn clusters_touch_and_do_not_overlap() {
        let good = check(&[(100, 50), (0, 100), (100, 0)], 150);
        assert_eq!(good.unwrap(), [0, 100, 100]);
        for (ranges, entries) in [
            // As many entries as there should be, some twice and some never.
            (&[(0, 100), (50, 50)][..], 150),
            (&[(0, 50), (100, 50)], 100),
            (&[(0, 100)], 150),
            (&[(1, 100)], 101),
            (&[(0, 100), (100, u64::MAX)], 99),
            (&[], 1),
        ] {
            assert_eq!(check(ranges, entries).unwrap_err().code(), "PB0503");
        }
    }

    /// A frame: its size, for lists negative and with the number of items, and what is in it.
    fn frame_of(items: Option<u32>, inside: &[u8]) -> Vec<u8> {
        let head = if items.is_some() { 12 } else { 8 };
        let size = (head + inside.len()) as i64;
        let mut bytes = if items.is_some() { -size } else { size }
            .to_le_bytes()
            .to_vec();
        bytes.extend(items.iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend_from_slice(inside);
        bytes
    }

    /// One cluster with one column of three pages, in each of two lists.
    #[test]
    fn the_items_of_all_lists_are_counted_together() {
        let mut summary = 0_u64.to_le_bytes().to_vec();
        summary.extend(10_u64.to_le_bytes());
        let mut pages = Vec::new();
        for _ in 0..3 {
            pages.extend(1_i32.to_le_bytes());
            pages.extend(8_i32.to_le_bytes());
            pages.extend(0_u64.to_le_bytes());
        }
        pages.extend(0_i64.to_le_bytes());
        pages.extend(0_u32.to_le_bytes());
        let column = frame_of(Some(3), &pages);
        let mut payload = 7_u64.to_le_bytes().to_vec();
        payload.extend(frame_of(Some(1), &frame_of(None, &summary)));
        payload.extend(frame_of(Some(1), &frame_of(Some(1), &column)));
        let site = Site::new(&"f".into());
        // Each list has a cluster, a column and three pages.
        let limits = Limits {
            items: 8,
            ..Limits::default()
        };
        let items = Budget::items("clusters and pages", &limits);
        let list = || read(&mut Cursor::new(&payload, 0, &site), 7, &items);
        let first = list().unwrap();
        assert_eq!(first.first().map(|c| c.columns[0].pages.len()), Some(3));
        assert_eq!(list().unwrap_err().code(), "PB0505");
    }
}
