//! Thrift's compact protocol, as far as Parquet needs it.
//!
//! Specification: Apache Thrift, `doc/specs/thrift-compact-protocol.md`.

use crate::cursor::Cursor;
use crate::error::Result;

pub(crate) const TRUE: u8 = 1;
pub(crate) const FALSE: u8 = 2;
pub(crate) const BYTE: u8 = 3;
pub(crate) const I32: u8 = 5;
pub(crate) const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(crate) const BINARY: u8 = 8;
pub(crate) const LIST: u8 = 9;
const MAP: u8 = 11;
pub(crate) const STRUCT: u8 = 12;

/// Structs in structs; Parquet has fewer than ten.
const DEPTH: u32 = 32;

/// An unsigned number of seven bits per byte (ULEB128).
pub(crate) fn varint(cursor: &mut Cursor<'_>) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = cursor.u8()?;
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(cursor.corrupt("a number of more than 64 bits"))
}

pub(crate) fn zigzag(cursor: &mut Cursor<'_>) -> Result<i64> {
    let n = varint(cursor)?;
    Ok((n >> 1) as i64 ^ -((n & 1) as i64))
}

/// A field of a struct: its number and the kind of its value, at which the cursor is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) id: i16,
    pub(crate) kind: u8,
}

impl Entry {
    fn expect(self, kinds: &[u8], cursor: &Cursor<'_>) -> Result<()> {
        if kinds.contains(&self.kind) {
            return Ok(());
        }
        Err(cursor.corrupt(format!("field {} is of kind {}", self.id, self.kind)))
    }

    pub(crate) fn integer(self, cursor: &mut Cursor<'_>) -> Result<i64> {
        self.expect(&[BYTE, 4, I32, I64], cursor)?;
        if self.kind == BYTE {
            return Ok(i64::from(cursor.u8()?.cast_signed()));
        }
        zigzag(cursor)
    }

    /// An integer that is not negative.
    pub(crate) fn count(self, cursor: &mut Cursor<'_>) -> Result<u64> {
        let n = self.integer(cursor)?;
        u64::try_from(n).map_err(|_| cursor.corrupt(format!("field {} is {n}", self.id)))
    }

    pub(crate) fn bool(self, cursor: &Cursor<'_>) -> Result<bool> {
        self.expect(&[TRUE, FALSE], cursor)?;
        Ok(self.kind == TRUE)
    }

    pub(crate) fn text(self, cursor: &mut Cursor<'_>) -> Result<String> {
        self.expect(&[BINARY], cursor)?;
        let length = varint(cursor)?;
        let bytes = cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A list of structs: calls `each` at every one.
    pub(crate) fn structs<'a>(
        self,
        cursor: &mut Cursor<'a>,
        mut each: impl FnMut(&mut Cursor<'a>) -> Result<()>,
    ) -> Result<()> {
        self.expect(&[LIST], cursor)?;
        let (kind, count) = list(cursor)?;
        if count > 0 && kind != STRUCT {
            return Err(cursor.corrupt(format!("field {} lists kind {kind}", self.id)));
        }
        for _ in 0..count {
            each(cursor)?;
        }
        Ok(())
    }

    /// A struct inside.
    pub(crate) fn inner<'a>(
        self,
        cursor: &mut Cursor<'a>,
        each: impl FnMut(&mut Cursor<'a>, Entry) -> Result<bool>,
    ) -> Result<()> {
        self.expect(&[STRUCT], cursor)?;
        structure(cursor, each)
    }
}

/// Reads a struct: `each` reads the value of a field, or says that it did not.
pub(crate) fn structure<'a>(
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut(&mut Cursor<'a>, Entry) -> Result<bool>,
) -> Result<()> {
    let mut id = 0_i16;
    loop {
        let Some(entry) = entry(cursor, &mut id)? else {
            return Ok(());
        };
        if !each(cursor, entry)? {
            skip(cursor, entry.kind, 0)?;
        }
    }
}

fn entry(cursor: &mut Cursor<'_>, id: &mut i16) -> Result<Option<Entry>> {
    let byte = cursor.u8()?;
    if byte == 0 {
        return Ok(None);
    }
    let next = match i16::from(byte >> 4) {
        0 => i16::try_from(zigzag(cursor)?).ok(),
        step => id.checked_add(step),
    };
    *id = next.ok_or_else(|| cursor.corrupt("a field number of more than 16 bits"))?;
    Ok(Some(Entry {
        id: *id,
        kind: byte & 15,
    }))
}

/// The kind of the elements of a list and how many there are; each takes a byte at least.
fn list(cursor: &mut Cursor<'_>) -> Result<(u8, usize)> {
    let byte = cursor.u8()?;
    let count = match byte >> 4 {
        15 => varint(cursor)?,
        few => u64::from(few),
    };
    let count = i64::try_from(count).unwrap_or(-1);
    Ok((byte & 15, cursor.count(count, 1, "elements in a list")?))
}

fn skip(cursor: &mut Cursor<'_>, kind: u8, depth: u32) -> Result<()> {
    if depth > DEPTH {
        return Err(cursor.corrupt("structs are nested too deeply"));
    }
    match kind {
        TRUE | FALSE => Ok(()),
        BYTE => cursor.skip(1),
        4..=I64 => varint(cursor).map(|_| ()),
        DOUBLE => cursor.skip(8),
        BINARY => {
            let length = varint(cursor)?;
            cursor.skip(usize::try_from(length).unwrap_or(usize::MAX))
        }
        LIST | 10 => {
            let (kind, count) = list(cursor)?;
            for _ in 0..count {
                element(cursor, kind, depth)?;
            }
            Ok(())
        }
        MAP => {
            let count = i64::try_from(varint(cursor)?).unwrap_or(-1);
            let count = cursor.count(count, 2, "entries in a map")?;
            if count == 0 {
                return Ok(());
            }
            let kinds = cursor.u8()?;
            for _ in 0..count {
                element(cursor, kinds >> 4, depth)?;
                element(cursor, kinds & 15, depth)?;
            }
            Ok(())
        }
        STRUCT => {
            let mut id = 0;
            while let Some(entry) = entry(cursor, &mut id)? {
                skip(cursor, entry.kind, depth + 1)?;
            }
            Ok(())
        }
        kind => Err(cursor.corrupt(format!("a value of kind {kind}"))),
    }
}

/// Truth values take a byte here.
fn element(cursor: &mut Cursor<'_>, kind: u8, depth: u32) -> Result<()> {
    match kind {
        TRUE | FALSE => cursor.skip(1),
        kind => skip(cursor, kind, depth + 1),
    }
}

/// Writes structs, field by field in rising order.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    last: Vec<i16>,
}

impl Output {
    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn zigzag(&mut self, value: i64) {
        self.varint((value << 1 ^ value >> 63).cast_unsigned());
    }

    fn field(&mut self, id: i16, kind: u8) {
        let last = self.last.last_mut();
        let step = last.map_or(id, |last| id - std::mem::replace(last, id));
        if (1..16).contains(&step) {
            self.bytes.push((step as u8) << 4 | kind);
        } else {
            self.bytes.push(kind);
            self.zigzag(i64::from(id));
        }
    }

    /// The fields of a struct, and its end.
    pub(crate) fn structure(&mut self, fields: impl FnOnce(&mut Self)) {
        self.last.push(0);
        fields(self);
        self.last.pop();
        self.bytes.push(0);
    }

    pub(crate) fn inner(&mut self, id: i16, fields: impl FnOnce(&mut Self)) {
        self.field(id, STRUCT);
        self.structure(fields);
    }

    pub(crate) fn i32(&mut self, id: i16, value: i32) {
        self.field(id, I32);
        self.zigzag(i64::from(value));
    }

    pub(crate) fn i64(&mut self, id: i16, value: i64) {
        self.field(id, I64);
        self.zigzag(value);
    }

    pub(crate) fn byte(&mut self, id: i16, value: i8) {
        self.field(id, BYTE);
        self.bytes.push(value.cast_unsigned());
    }

    pub(crate) fn bool(&mut self, id: i16, value: bool) {
        self.field(id, if value { TRUE } else { FALSE });
    }

    pub(crate) fn text(&mut self, id: i16, text: &str) {
        self.field(id, BINARY);
        self.element_text(text);
    }

    pub(crate) fn element_text(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn element_i32(&mut self, value: i32) {
        self.zigzag(i64::from(value));
    }

    /// The head of a list; its elements follow.
    pub(crate) fn list(&mut self, id: i16, kind: u8, count: usize) {
        self.field(id, LIST);
        if count < 15 {
            self.bytes.push((count as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            self.varint(count as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Site;

    #[test]
    fn what_is_written_is_read() {
        let mut output = Output::default();
        output.structure(|s| {
            s.i32(1, -7);
            s.text(2, "name");
            s.bool(5, true);
            s.inner(30, |s| s.i64(2, i64::MIN));
            s.list(31, STRUCT, 20);
            for k in 0..20 {
                s.structure(|s| s.i32(1, k));
            }
            s.byte(32, -3);
        });
        let site = Site::new(&"f".into());
        let mut cursor = Cursor::new(&output.bytes, 0, &site);
        let (mut first, mut text, mut truth, mut deep, mut sum) = (0, String::new(), false, 0, 0);
        structure(&mut cursor, |cursor, entry| {
            match entry.id {
                1 => first = entry.integer(cursor)?,
                2 => text = entry.text(cursor)?,
                5 => truth = entry.bool(cursor)?,
                30 => entry.inner(cursor, |cursor, entry| {
                    deep = entry.integer(cursor)?;
                    Ok(true)
                })?,
                31 => entry.structs(cursor, |cursor| {
                    structure(cursor, |cursor, entry| {
                        sum += entry.integer(cursor)?;
                        Ok(true)
                    })
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })
        .unwrap();
        assert_eq!((first, text.as_str(), truth), (-7, "name", true));
        assert_eq!((deep, sum, cursor.left()), (i64::MIN, 190, 0));
        // All of it can be left out as well.
        let mut cursor = Cursor::new(&output.bytes, 0, &site);
        structure(&mut cursor, |_, _| Ok(false)).unwrap();
        assert_eq!(cursor.left(), 0);
    }

    #[test]
    fn depth_and_numbers_are_bounded() {
        let site = Site::new(&"f".into());
        let deep = vec![0x1c; 10_000];
        let mut cursor = Cursor::new(&deep, 0, &site);
        let error = structure(&mut cursor, |_, _| Ok(false)).unwrap_err();
        assert_eq!(error.code(), "PB0503");
        let long = [0xff; 11];
        assert!(varint(&mut Cursor::new(&long, 0, &site)).is_err());
    }
}
