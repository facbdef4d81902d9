//! Objects in ROOT's serialisation: heads with byte counts and versions, and references to what stood before.
//!
//! Format: ROOT, `io/doc/TFile/datarecord.md` and `TBufferFile::ReadObjectAny`.

use std::collections::HashMap;

use crate::cursor::Cursor;
use crate::error::Result;

const BYTE_COUNT: u32 = 0x4000_0000;
const NEW_CLASS: u32 = 0xffff_ffff;
const CLASS: u32 = 0x8000_0000;
/// References count from here.
const MAP_OFFSET: u32 = 2;
/// `TObject` bit: a process id follows.
const IS_REFERENCED: u32 = 1 << 4;

/// The head of an object: its version, and where it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) version: u16,
    /// Position behind the object, where its byte count was written.
    pub(crate) end: Option<usize>,
}

/// Reads a head: with a byte count (six bytes) or without (two).
pub(crate) fn head(cursor: &mut Cursor<'_>) -> Result<Head> {
    let start = cursor.position();
    let word = cursor.u32()?;
    if word & BYTE_COUNT == 0 {
        cursor.seek(start)?;
        let version = cursor.u16()?;
        return Ok(Head { version, end: None });
    }
    let count = (word & !BYTE_COUNT) as usize;
    if count < 2 || count > cursor.left() {
        return Err(cursor.corrupt(format!(
            "an object of {count} bytes, {} are left",
            cursor.left()
        )));
    }
    let end = Some(cursor.position() + count);
    let version = cursor.u16()?;
    Ok(Head { version, end })
}

/// Skips an object that has a byte count.
pub(crate) fn skip(cursor: &mut Cursor<'_>) -> Result<()> {
    let head = head(cursor)?;
    finish(cursor, head)
}

/// Goes behind an object, whatever was read of it.
pub(crate) fn finish(cursor: &mut Cursor<'_>, head: Head) -> Result<()> {
    match head.end {
        Some(end) if end >= cursor.position() => cursor.seek(end),
        Some(_) => Err(cursor.corrupt("an object is longer than its byte count")),
        None => Err(cursor.unsupported("an object without a byte count")),
    }
}

/// `TObject`.
pub(crate) fn skip_tobject(cursor: &mut Cursor<'_>) -> Result<()> {
    head(cursor)?;
    cursor.skip(4)?;
    if cursor.u32()? & IS_REFERENCED != 0 {
        cursor.skip(2)?;
    }
    Ok(())
}

/// `TNamed`: name and title.
pub(crate) fn named(cursor: &mut Cursor<'_>) -> Result<(String, String)> {
    let head = head(cursor)?;
    skip_tobject(cursor)?;
    let texts = (cursor.string()?, cursor.string()?);
    if head.end.is_some() {
        finish(cursor, head)?;
    }
    Ok(texts)
}

/// What stands where an object of any class may stand.
#[derive(Debug)]
pub(crate) enum Any<'a> {
    /// Nothing.
    Null,
    /// An object that was written before.
    Reference(u32),
    /// An object; the cursor is at its head.
    Object { class: &'a str, id: u32, end: usize },
}

/// The classes named so far in a buffer whose first byte has position `origin` for references.
#[derive(Debug)]
pub(crate) struct Objects<'a> {
    classes: HashMap<u32, &'a str>,
    origin: u32,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(origin: usize) -> Self {
        Self {
            classes: HashMap::new(),
            origin: origin as u32,
        }
    }

    fn id(&self, position: usize) -> u32 {
        (position as u32)
            .wrapping_add(self.origin)
            .wrapping_add(MAP_OFFSET)
    }

    /// Reads the tag of an object, and the name of its class.
    pub(crate) fn next(&mut self, cursor: &mut Cursor<'a>) -> Result<Any<'a>> {
        let start = cursor.position();
        let word = cursor.u32()?;
        if word & BYTE_COUNT == 0 || word == NEW_CLASS {
            return match word {
                0 => Ok(Any::Null),
                _ if word & CLASS == 0 => Ok(Any::Reference(word)),
                _ => Err(cursor.unsupported("an object without a byte count")),
            };
        }
        let count = (word & !BYTE_COUNT) as usize;
        if count < 4 || count > cursor.left() {
            return Err(cursor.corrupt(format!(
                "an object of {count} bytes, {} are left",
                cursor.left()
            )));
        }
        let tag_at = cursor.position();
        let end = tag_at + count;
        let tag = cursor.u32()?;
        if tag & CLASS == 0 {
            cursor.seek(end)?;
            return Ok(if tag == 0 {
                Any::Null
            } else {
                Any::Reference(tag)
            });
        }
        let class = if tag == NEW_CLASS {
            let class = cursor.c_string()?;
            self.classes.insert(self.id(tag_at), class);
            class
        } else {
            match self.classes.get(&(tag & !CLASS)) {
                Some(class) => class,
                None => return Err(cursor.corrupt("a class that was never named")),
            }
        };
        if cursor.position() > end {
            return Err(cursor.corrupt("an object is longer than its byte count"));
        }
        Ok(Any::Object {
            class,
            id: self.id(start),
            end,
        })
    }

    /// `TObjArray`: calls `each` with the cursor at every object; it need not read it to its end.
    pub(crate) fn array<'b>(
        &mut self,
        cursor: &mut Cursor<'a>,
        mut each: impl FnMut(&mut Self, &mut Cursor<'a>, Any<'a>) -> Result<()> + 'b,
    ) -> Result<()> {
        let head = head(cursor)?;
        skip_tobject(cursor)?;
        if head.version > 2 {
            cursor.skip_string()?;
        }
        let count = i64::from(cursor.i32()?);
        cursor.skip(4)?;
        let count = cursor.count(count, 4, "objects in an array")?;
        for _ in 0..count {
            let any = self.next(cursor)?;
            let end = match any {
                Any::Object { end, .. } => Some(end),
                _ => None,
            };
            each(self, cursor, any)?;
            if let Some(end) = end {
                cursor.seek(end)?;
            }
        }
        if head.end.is_some() {
            finish(cursor, head)?;
        }
        Ok(())
    }

    /// `TList` and `THashList`: objects with an option each.
    pub(crate) fn list<'b>(
        &mut self,
        cursor: &mut Cursor<'a>,
        mut each: impl FnMut(&mut Self, &mut Cursor<'a>, Any<'a>) -> Result<()> + 'b,
    ) -> Result<()> {
        let head = head(cursor)?;
        if head.version <= 3 {
            return Err(cursor.unsupported(format!("version {} of TList", head.version)));
        }
        skip_tobject(cursor)?;
        cursor.skip_string()?;
        let count = i64::from(cursor.i32()?);
        let count = cursor.count(count, 5, "objects in a list")?;
        for _ in 0..count {
            let any = self.next(cursor)?;
            let end = match any {
                Any::Object { end, .. } => Some(end),
                _ => None,
            };
            each(self, cursor, any)?;
            if let Some(end) = end {
                cursor.seek(end)?;
            }
            cursor.skip_string()?;
        }
        if head.end.is_some() {
            finish(cursor, head)?;
        }
        Ok(())
    }
}
