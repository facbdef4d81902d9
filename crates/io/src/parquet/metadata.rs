//! The footer: the tree of fields, and where the pages of each column are.
//!
//! Specification: `parquet.thrift` of the Parquet format.

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::parquet::codec::Codec;
use crate::parquet::thrift::{Entry, structure};
use crate::site::Site;
use crate::source::Source;

pub(crate) const MAGIC: &[u8; 4] = b"PAR1";

/// How numbers and texts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    Bool,
    I32,
    I64,
    F32,
    F64,
    Bytes,
    /// 96 bits, or so many bytes.
    Fixed(usize),
}

/// How often a field is in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repetition {
    Required,
    Optional,
    Repeated,
}

/// What a field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    None,
    Text,
    List,
    Map,
    Integer {
        bits: u32,
        signed: bool,
    },
    Half,
    /// A number that counts something since a moment.
    Time(&'static str),
    /// One that is not read as what it is stored as.
    Other(&'static str),
}

/// A field in the tree of fields, which is listed from the root down.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) physical: Option<Physical>,
    pub(crate) repetition: Repetition,
    pub(crate) children: usize,
    pub(crate) meaning: Meaning,
}

/// The pages of a column in a row group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    pub(crate) codec: Codec,
    pub(crate) values: u64,
    pub(crate) uncompressed: u64,
    pub(crate) start: u64,
    pub(crate) bytes: u64,
}

/// Rows whose columns stand together.
#[derive(Debug, Clone)]
pub(crate) struct RowGroup {
    pub(crate) first: u64,
    pub(crate) rows: u64,
    /// `None`: in another file.
    pub(crate) chunks: Vec<Option<Chunk>>,
}

/// What the footer says.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) elements: Vec<Element>,
    pub(crate) groups: Vec<RowGroup>,
    pub(crate) rows: u64,
    pub(crate) writer: String,
}

impl Metadata {
    /// Reads the footer of a file.
    pub(crate) fn read(source: &Source, site: &Site, limits: &Limits) -> Result<Self> {
        let len = source.len();
        let tail = source.read(site, len.saturating_sub(8), len.min(8))?;
        let (Some(size), Some(magic)) = (tail.first_chunk::<4>(), tail.last_chunk::<4>()) else {
            return Err(format(&tail, site));
        };
        if magic == b"PARE" {
            return Err(site.unsupported(None, "an encrypted file"));
        }
        if magic != MAGIC || len < 12 {
            return Err(format(magic, site));
        }
        let size = u64::from(u32::from_le_bytes(*size));
        site.limit("bytes of the footer", size, limits.object_bytes)?;
        let Some(start) = (len - 8).checked_sub(size) else {
            return Err(site.corrupt(
                Some(len - 8),
                format!("a footer of {size} bytes in a file of {len}"),
            ));
        };
        let bytes = source.read(site, start, size)?;
        let site = site.object("footer");
        let mut cursor = Cursor::new(&bytes, start, &site);
        Self::parse(&mut cursor, limits)
    }

    fn parse(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Self> {
        let items = Budget::items("fields and columns", limits);
        let site = cursor.site();
        let (mut elements, mut groups) = (Vec::new(), Vec::new());
        let (mut rows, mut writer) = (0, String::new());
        structure(cursor, |cursor, entry| {
            match entry.id {
                2 => entry.structs(cursor, |cursor| {
                    items.take(1, site)?;
                    elements.push(element(cursor)?);
                    Ok(())
                })?,
                3 => rows = entry.count(cursor)?,
                4 => entry.structs(cursor, |cursor| {
                    items.take(1, site)?;
                    groups.push(row_group(cursor, &items)?);
                    Ok(())
                })?,
                6 => writer = entry.text(cursor)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let mut end = 0_u64;
        for group in &mut groups {
            group.first = end;
            let sum = end.checked_add(group.rows);
            end = sum.ok_or_else(|| site.corrupt(None, "row groups without end"))?;
        }
        if end != rows {
            let what = format!("its row groups hold {end} of {rows} rows");
            return Err(site.corrupt(None, what));
        }
        Ok(Self {
            elements,
            groups,
            rows,
            writer,
        })
    }
}

fn format(found: &[u8], site: &Site) -> Error {
    Error::Format {
        expected: "a Parquet file (`PAR1` at its end)",
        found: format!("{:?}", String::from_utf8_lossy(found)),
        place: site.place(None),
    }
}

/// `SchemaElement`.
fn element(cursor: &mut Cursor<'_>) -> Result<Element> {
    let mut element = Element {
        name: String::new(),
        physical: None,
        repetition: Repetition::Required,
        children: 0,
        meaning: Meaning::None,
    };
    let (mut kind, mut length) = (None, 0);
    // The newer way to say what a field means counts more.
    let (mut converted, mut logical) = (Meaning::None, Meaning::None);
    structure(cursor, |cursor, entry| {
        match entry.id {
            1 => kind = Some(entry.integer(cursor)?),
            2 => length = entry.count(cursor)?,
            3 => {
                element.repetition = match entry.integer(cursor)? {
                    0 => Repetition::Required,
                    1 => Repetition::Optional,
                    2 => Repetition::Repeated,
                    n => return Err(cursor.corrupt(format!("a repetition of kind {n}"))),
                }
            }
            4 => element.name = entry.text(cursor)?,
            5 => element.children = entry.count(cursor)? as usize,
            6 => converted = converted_type(entry.integer(cursor)?),
            10 => logical = logical_type(cursor, entry)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    element.meaning = match (logical, converted) {
        (Meaning::None, older) => older,
        (newer, _) => newer,
    };
    if element.children == 0 {
        element.physical = match kind {
            Some(0) => Some(Physical::Bool),
            Some(1) => Some(Physical::I32),
            Some(2) => Some(Physical::I64),
            Some(3) => Some(Physical::Fixed(12)),
            Some(4) => Some(Physical::F32),
            Some(5) => Some(Physical::F64),
            Some(6) => Some(Physical::Bytes),
            Some(7) => Some(Physical::Fixed(length as usize)),
            Some(n) => return Err(cursor.corrupt(format!("a physical type of number {n}"))),
            None => None,
        };
    }
    Ok(element)
}

fn converted_type(number: i64) -> Meaning {
    let integer = |bits, signed| Meaning::Integer { bits, signed };
    match number {
        0 | 4 | 19 => Meaning::Text,
        1 | 2 => Meaning::Map,
        3 => Meaning::List,
        5 => Meaning::Other("a decimal number"),
        6 => Meaning::Time("date"),
        7 | 8 => Meaning::Time("time"),
        9 | 10 => Meaning::Time("timestamp"),
        11..=14 => integer(8 << (number - 11), false),
        15..=18 => integer(8 << (number - 15), true),
        20 => Meaning::Other("a BSON document"),
        21 => Meaning::Other("an interval"),
        _ => Meaning::Other("a type of later versions"),
    }
}

fn logical_type(cursor: &mut Cursor<'_>, entry: Entry) -> Result<Meaning> {
    let mut meaning = Meaning::None;
    entry.inner(cursor, |cursor, entry| {
        meaning = match entry.id {
            1 | 4 | 12 => Meaning::Text,
            2 => Meaning::Map,
            3 => Meaning::List,
            5 => Meaning::Other("a decimal number"),
            6 => Meaning::Time("date"),
            7 => Meaning::Time("time"),
            8 => Meaning::Time("timestamp"),
            10 => {
                let (mut bits, mut signed) = (0, true);
                entry.inner(cursor, |cursor, entry| {
                    match entry.id {
                        1 => bits = entry.integer(cursor)?,
                        2 => signed = entry.bool(cursor)?,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?;
                let bits = u32::try_from(bits).unwrap_or(0);
                meaning = Meaning::Integer { bits, signed };
                return Ok(true);
            }
            11 => Meaning::Other("a column of nothing"),
            13 => Meaning::Other("a BSON document"),
            14 => Meaning::Other("a UUID"),
            15 => Meaning::Half,
            _ => Meaning::Other("a type of later versions"),
        };
        Ok(false)
    })?;
    Ok(meaning)
}

/// `RowGroup`.
fn row_group(cursor: &mut Cursor<'_>, items: &Budget) -> Result<RowGroup> {
    let mut group = RowGroup {
        first: 0,
        rows: 0,
        chunks: Vec::new(),
    };
    structure(cursor, |cursor, entry| {
        match entry.id {
            1 => entry.structs(cursor, |cursor| {
                items.take(1, cursor.site())?;
                group.chunks.push(chunk(cursor)?);
                Ok(())
            })?,
            3 => group.rows = entry.count(cursor)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(group)
}

/// `ColumnChunk` and its `ColumnMetaData`.
fn chunk(cursor: &mut Cursor<'_>) -> Result<Option<Chunk>> {
    let mut chunk = Chunk {
        codec: Codec::None,
        values: 0,
        uncompressed: 0,
        start: 0,
        bytes: 0,
    };
    let (mut elsewhere, mut known) = (false, false);
    let mut dictionary = None;
    structure(cursor, |cursor, entry| {
        match entry.id {
            1 => elsewhere = !entry.text(cursor)?.is_empty(),
            3 => {
                known = true;
                entry.inner(cursor, |cursor, entry| {
                    match entry.id {
                        4 => chunk.codec = Codec::from_number(entry.integer(cursor)?),
                        5 => chunk.values = entry.count(cursor)?,
                        6 => chunk.uncompressed = entry.count(cursor)?,
                        7 => chunk.bytes = entry.count(cursor)?,
                        9 => chunk.start = entry.count(cursor)?,
                        11 => dictionary = Some(entry.count(cursor)?),
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    // Some writers say 0 where there is no dictionary.
    if let Some(dictionary) = dictionary.filter(|d| *d > 0 && *d < chunk.start) {
        chunk.start = dictionary;
    }
    Ok((known && !elsewhere).then_some(chunk))
}
