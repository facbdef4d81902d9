//! `TKey`: where an object is, how large it is, what it is called.
//!
//! Format: ROOT, `io/doc/TFile/key.md`.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::compression::decompress;
use crate::site::Site;
use crate::source::Source;

/// The head of an object in a file.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Bytes on disk, head included.
    pub(crate) bytes: u64,
    /// Bytes of the decompressed object.
    pub(crate) object_bytes: u64,
    /// Bytes of the head.
    pub(crate) head: u64,
    pub(crate) cycle: u16,
    /// Where the object's own copy of this head is in the file.
    pub(crate) seek: u64,
    pub(crate) class: String,
    pub(crate) name: String,
    pub(crate) title: String,
}

impl Key {
    /// Reads a head; the cursor is behind its texts afterwards.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let bytes = cursor.i32()?;
        let version = cursor.u16()?;
        let object_bytes = cursor.i32()?;
        cursor.skip(4)?; // The date.
        let head = cursor.u16()?;
        let cycle = cursor.u16()?;
        let seek = if version > 1000 {
            let seek = cursor.i64()?;
            cursor.skip(8)?;
            seek
        } else {
            let seek = cursor.i32()?;
            cursor.skip(4)?;
            i64::from(seek)
        };
        // Of a basket that was never written on its own the size on disk is 0.
        if bytes < 0 || object_bytes < 0 || seek < 0 {
            return Err(cursor.corrupt(format!(
                "a key of {bytes} bytes with a head of {head} and an object of {object_bytes} at {seek}"
            )));
        }
        Ok(Self {
            bytes: bytes as u64,
            object_bytes: object_bytes as u64,
            head: u64::from(head),
            cycle,
            seek: seek as u64,
            class: cursor.string()?,
            name: cursor.string()?,
            title: cursor.string()?,
        })
    }

    /// The decompressed object.
    pub(crate) fn object(&self, source: &Source, site: &Site, limits: &Limits) -> Result<Vec<u8>> {
        let start = self.seek.saturating_add(self.head);
        let Some(length) = self.bytes.checked_sub(self.head) else {
            return Err(site.corrupt(
                Some(self.seek),
                format!("a key of {} bytes has a head of {}", self.bytes, self.head),
            ));
        };
        let stored = source.read(site, start, length)?;
        decompress(&stored, start, self.object_bytes, site, limits)
    }
}
