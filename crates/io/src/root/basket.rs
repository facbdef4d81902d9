//! `TBasket`: the bytes of a range of entries of one branch, and where each entry starts in them.
//!
//! Format: ROOT, `TBasket::Streamer` in `tree/tree/src/TBasket.cxx`.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::branch::{BasketRef, Stored};
use crate::root::compression::decompress;
use crate::root::key::Key;
use crate::site::Site;
use crate::source::Source;

/// A decompressed basket.
#[derive(Debug)]
pub(crate) struct Basket {
    /// Data of the entries, then as stored: number of offsets, offsets.
    bytes: Vec<u8>,
    /// Bytes of the data.
    border: usize,
    /// Bytes of the head, which the offsets count in.
    head: u64,
    pub(crate) entries: usize,
    has_offsets: bool,
}

/// What stands behind the texts of a basket's key.
const TAIL: usize = 19;

impl Basket {
    /// Reads and decompresses a basket.
    pub(crate) fn load(
        at: &BasketRef,
        source: &Source,
        description: &Cursor<'_>,
        site: &Site,
        limits: &Limits,
    ) -> Result<Self> {
        match &at.stored {
            Stored::File { seek, bytes } => {
                let stored = source.read(site, *seek, *bytes)?;
                Self::from_file(&stored, *seek, at, site, limits)
            }
            Stored::Description(range) => {
                let mut cursor = description.clone();
                cursor.seek(range.start)?;
                Self::embedded(&mut cursor)
            }
        }
    }

    fn from_file(
        stored: &[u8],
        seek: u64,
        at: &BasketRef,
        site: &Site,
        limits: &Limits,
    ) -> Result<Self> {
        let mut cursor = Cursor::new(stored, seek, site);
        let bytes = cursor.i32()?;
        cursor.skip(2)?;
        let object = cursor.i32()?;
        cursor.skip(4)?;
        let head = usize::from(cursor.u16()?);
        if bytes < 0 || bytes as usize > stored.len() || object < 0 || head < TAIL {
            return Err(cursor.corrupt(format!(
                "a basket of {bytes} bytes with a head of {head} and {object} bytes of data, {} were announced",
                stored.len()
            )));
        }
        cursor.seek(head - TAIL)?;
        cursor.skip(2 + 4 + 4)?;
        let entries = cursor.i32()?;
        let last = cursor.i32()?;
        let border = i64::from(last) - head as i64;
        let announced = at.entries.end - at.entries.start;
        if entries < 0 || entries as u64 != announced {
            return Err(cursor.corrupt(format!(
                "a basket of {entries} entries, {announced} were announced"
            )));
        }
        if border < 0 || border > i64::from(object) {
            return Err(cursor.corrupt(format!("{border} of {object} bytes of a basket are data")));
        }
        let body = stored.get(head..bytes as usize).unwrap_or_default();
        let bytes = decompress(body, seek + head as u64, object as u64, site, limits)?;
        let border = border as usize;
        Ok(Self {
            has_offsets: bytes.len() > border,
            bytes,
            border,
            head: head as u64,
            entries: entries as usize,
        })
    }

    /// A basket in the description of its tree: never compressed on its own, offsets in front.
    fn embedded(cursor: &mut Cursor<'_>) -> Result<Self> {
        let key = Key::read(cursor)?;
        cursor.skip(2 + 4 + 4)?;
        let entries = cursor.i32()?;
        let last = i64::from(cursor.i32()?);
        let flag = cursor.u8()?;
        let entries = usize::try_from(entries);
        let entries =
            entries.map_err(|_| cursor.corrupt("a basket has a negative number of entries"))?;
        let mut offsets: &[u8] = &[];
        // The last digit 2: offsets follow from a counter. Above 40: displacements, of use to objects with references only.
        let has_offsets = flag != 0 && flag % 10 != 2;
        if has_offsets && entries > 0 {
            let count = i64::from(cursor.i32()?);
            let count = cursor.count(count, 4, "entry offsets")?;
            offsets = cursor.take(4 * count)?;
            if flag > 40 {
                let count = i64::from(cursor.i32()?);
                let count = cursor.count(count, 4, "displacements")?;
                cursor.skip(4 * count)?;
            }
        }
        let head = key.head;
        let border = last - head as i64;
        let mut bytes = Vec::new();
        if flag == 1 || flag > 10 {
            let border = cursor.count(border, 1, "bytes in a basket")?;
            cursor.skip(head as usize)?; // The head once more.
            bytes.extend_from_slice(cursor.take(border)?);
        } else if border > 0 {
            return Err(cursor.corrupt("a basket has a length and no data"));
        }
        let border = bytes.len();
        if has_offsets {
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(offsets);
        }
        Ok(Self {
            bytes,
            border,
            head,
            entries,
            has_offsets,
        })
    }

    /// The data of all entries.
    pub(crate) fn data(&self) -> &[u8] {
        self.bytes.get(..self.border).unwrap_or_default()
    }

    /// Where each entry starts in the data, and where the last one ends; `None` where the basket does not store it.
    pub(crate) fn offsets(&self, site: &Site) -> Result<Option<Vec<usize>>> {
        if !self.has_offsets {
            return Ok(None);
        }
        let stored = self.bytes.get(self.border + 4..).unwrap_or_default();
        let stored = stored.as_chunks::<4>().0;
        let wrong = |what: String| site.corrupt(None, what);
        let Some(starts) = stored.get(..self.entries) else {
            return Err(wrong(format!(
                "a basket of {} entries stores {} offsets",
                self.entries,
                stored.len()
            )));
        };
        let mut offsets = Vec::with_capacity(self.entries + 1);
        let mut last = 0;
        for start in starts {
            let start = u64::from(u32::from_be_bytes(*start));
            let at = start.wrapping_sub(self.head) as usize;
            if at < last || at > self.border {
                return Err(wrong(format!(
                    "entry offset {start} in a basket with {} bytes of data and a head of {}",
                    self.border, self.head
                )));
            }
            offsets.push(at);
            last = at;
        }
        if offsets.first().is_some_and(|first| *first != 0) {
            return Err(wrong(
                "the first entry of a basket does not start at 0".to_owned(),
            ));
        }
        offsets.push(self.border);
        Ok(Some(offsets))
    }
}
