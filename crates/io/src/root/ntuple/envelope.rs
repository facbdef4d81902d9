//! The anchor, and the envelopes that hold everything but the data: checked by their hashes.

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::root::compression::decompress;
use crate::root::objects::head;
use crate::site::Site;
use crate::source::Source;

/// Where an envelope is, and its sizes in the file and in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) seek: u64,
    pub(crate) bytes: u64,
    pub(crate) len: u64,
}

/// The anchor: where header and footer are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    pub(crate) version: [u16; 4],
    pub(crate) header: Link,
    pub(crate) footer: Link,
}

/// What an envelope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Header = 1,
    Footer = 2,
    PageList = 3,
}

impl Anchor {
    /// Reads the object behind the key of class `ROOT::RNTuple`.
    pub(crate) fn read(data: &[u8], site: &Site) -> Result<Self> {
        let mut cursor = Cursor::new(data, 0, site);
        let whole = head(&mut cursor)?;
        let start = cursor.position();
        let version = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
        let mut link = || -> Result<Link> {
            let (seek, bytes) = (cursor.u64()?, cursor.u64()?);
            let len = cursor.u64()?;
            Ok(Link { seek, bytes, len })
        };
        let (header, footer) = (link()?, link()?);
        cursor.skip(8)?; // Largest size of a key.
        // Later versions may add fields here; the hash stands behind the object.
        let end = whole.end.unwrap_or(cursor.position());
        let hashed = data.get(start..end).unwrap_or_default();
        cursor.seek(end)?;
        let expected = cursor.u64()?;
        check_hash(hashed, expected, end as u64, site)?;
        if version.first() != Some(&1) {
            return Err(cursor.unsupported(format!(
                "an ntuple of format epoch {}",
                version.first().copied().unwrap_or_default()
            )));
        }
        Ok(Self {
            version,
            header,
            footer,
        })
    }
}

/// Compares with an XXH3 hash from the file.
pub(crate) fn check_hash(bytes: &[u8], expected: u64, offset: u64, site: &Site) -> Result<()> {
    let found = xxhash_rust::xxh3::xxh3_64(bytes);
    if found == expected {
        return Ok(());
    }
    Err(Error::Checksum {
        algorithm: "XXH3",
        expected,
        found,
        place: site.place(Some(offset)),
    })
}

/// Reads an envelope; gives all its bytes, the payload is behind the first eight.
pub(crate) fn read(
    link: Link,
    kind: Kind,
    source: &Source,
    site: &Site,
    limits: &Limits,
) -> Result<Vec<u8>> {
    site.limit("bytes of an envelope", link.len, limits.object_bytes)?;
    let stored = source.read(site, link.seek, link.bytes)?;
    let data = decompress(&stored, link.seek, link.len, site, limits)?;
    let inside = site.decompressed();
    let mut cursor = Cursor::new(&data, 0, &inside);
    let word = cursor.le_u64()?;
    let (found, len) = (word & 0xffff, word >> 16);
    if found != kind as u64 || len != data.len() as u64 {
        return Err(inside.corrupt(
            Some(0),
            format!(
                "an envelope of type {found} and {len} bytes, expected type {} and {} bytes",
                kind as u64,
                data.len()
            ),
        ));
    }
    let end = data.len().saturating_sub(8);
    cursor.seek(end)?;
    let expected = cursor.le_u64()?;
    check_hash(
        data.get(..end).unwrap_or_default(),
        expected,
        end as u64,
        &inside,
    )?;
    Ok(data)
}

/// A frame: where it ends, and how many items it lists (a record has none).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) end: usize,
    pub(crate) items: usize,
}

/// Reads the head of a frame.
pub(crate) fn frame(cursor: &mut Cursor<'_>) -> Result<Frame> {
    let start = cursor.position();
    let size = cursor.le_i64()?;
    let is_list = size < 0;
    let size = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
    let end = start
        .checked_add(size)
        .filter(|end| *end <= cursor.position() + cursor.left());
    let Some(end) = end else {
        return Err(cursor.corrupt(format!("a frame of {size} bytes")));
    };
    let mut items = 0;
    if is_list {
        // Nothing that is listed takes less than eight bytes.
        let count = i64::from(cursor.le_u32()?);
        items = cursor.count(count, 8, "items in a list")?;
    }
    if end < cursor.position() {
        return Err(cursor.corrupt("a frame that is smaller than its head"));
    }
    Ok(Frame { end, items })
}

/// Reads a list frame item by item; each item is a record frame of which `each` may leave out the rest.
pub(crate) fn records<'a>(
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut(&mut Cursor<'a>) -> Result<()>,
) -> Result<()> {
    let list = frame(cursor)?;
    for _ in 0..list.items {
        let record = frame(cursor)?;
        each(cursor)?;
        leave(cursor, record)?;
    }
    leave(cursor, list)
}

/// Goes behind a frame: later versions may have added to it.
pub(crate) fn leave(cursor: &mut Cursor<'_>, frame: Frame) -> Result<()> {
    if cursor.position() > frame.end {
        return Err(cursor.corrupt("a frame is longer than it says"));
    }
    cursor.seek(frame.end)
}

/// Feature flags: none is defined, so any that is set is one that this reader does not know.
pub(crate) fn features(cursor: &mut Cursor<'_>) -> Result<()> {
    loop {
        let flags = cursor.le_u64()?;
        if flags & !(1 << 63) != 0 {
            return Err(cursor.unsupported(format!("an ntuple with the features {flags:#x}")));
        }
        if flags >> 63 == 0 {
            return Ok(());
        }
    }
}

/// Where bytes are: (position, number).
pub(crate) fn locator(cursor: &mut Cursor<'_>) -> Result<(u64, u64)> {
    let size = cursor.le_i32()?;
    if size >= 0 {
        return Ok((cursor.le_u64()?, size as u64));
    }
    // Not standard: the type stands in the upper eight bits, with the sign bit of the whole.
    match (size as u32 >> 24) & 0x7f {
        1 => {
            let bytes = cursor.le_u64()?;
            Ok((cursor.le_u64()?, bytes))
        }
        kind => Err(cursor.unsupported(format!("a locator of type {kind}"))),
    }
}

/// An envelope link.
pub(crate) fn link(cursor: &mut Cursor<'_>) -> Result<Link> {
    let len = cursor.le_u64()?;
    let (seek, bytes) = locator(cursor)?;
    Ok(Link { seek, bytes, len })
}
