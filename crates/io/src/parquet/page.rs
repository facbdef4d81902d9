//! Pages: their heads, their levels, and where their values are.
//!
//! Specification: `README.md` of the Parquet format, "Data Pages".

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::parquet::codec::Codec;
use crate::parquet::hybrid;
use crate::parquet::layout::Leaf;
use crate::parquet::levels::Levels;
use crate::parquet::thrift::structure;
use crate::site::Site;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Data,
    /// The second version: levels stand before the compressed part.
    DataV2 {
        rows: u64,
        definition: usize,
        repetition: usize,
        compressed: bool,
    },
    Dictionary,
    Other,
}

/// The head of a page.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) values: u64,
    pub(crate) encoding: i64,
    uncompressed: u64,
    bytes: u64,
    crc: Option<u32>,
    /// Encodings of the levels, of the first version.
    levels: [i64; 2],
}

/// A page as it is stored.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) head: Head,
    data: &'a [u8],
    offset: u64,
}

/// Levels and values of a data page.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) levels: Levels,
    /// Decompressed; the values start at `at`.
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: usize,
}

const RLE: i64 = 3;

impl<'a> Page<'a> {
    /// The page at the cursor.
    pub(crate) fn next(cursor: &mut Cursor<'a>, site: &Site) -> Result<Self> {
        let head = Head::read(cursor)?;
        let offset = cursor.offset();
        let data = cursor.take(usize::try_from(head.bytes).unwrap_or(usize::MAX))?;
        if let Some(expected) = head.crc {
            let found = zlib_rs::crc32::crc32(0, data);
            if found != expected {
                return Err(Error::Checksum {
                    algorithm: "CRC-32",
                    expected: u64::from(expected),
                    found: u64::from(found),
                    place: site.place(Some(offset)),
                });
            }
        }
        Ok(Self { head, data, offset })
    }

    /// What its place is called where offsets count in the decompressed bytes.
    pub(crate) fn inside(&self, site: &Site) -> Site {
        site.part(&format!("page at {}", self.offset))
            .decompressed()
    }

    fn decompressed(
        &self,
        from: usize,
        codec: Codec,
        site: &Site,
        limits: &Limits,
    ) -> Result<Vec<u8>> {
        let size = self.head.uncompressed;
        site.limit("bytes of a decompressed page", size, limits.object_bytes)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (Some(size), Some(data)) = (size.checked_sub(from), self.data.get(from..)) else {
            return Err(site.corrupt(Some(self.offset), "levels are longer than their page"));
        };
        if data.is_empty() && size == 0 {
            return Ok(Vec::new());
        }
        codec.decompress(data, size, self.offset + from as u64, site)
    }

    /// The values of a dictionary.
    pub(crate) fn dictionary(&self, codec: Codec, site: &Site, limits: &Limits) -> Result<Vec<u8>> {
        self.decompressed(0, codec, site, limits)
    }

    /// Decompresses a data page and decodes its levels.
    pub(crate) fn content(
        &self,
        leaf: &Leaf,
        codec: Codec,
        site: &Site,
        limits: &Limits,
        budget: &Budget,
    ) -> Result<Content> {
        let inside = self.inside(site);
        let values = usize::try_from(self.head.values).unwrap_or(usize::MAX);
        let (most_r, most_d) = (leaf.repetitions(), leaf.definitions());
        let kinds = u64::from(most_r > 0) + u64::from(most_d > 0);
        budget.take(self.head.values.saturating_mul(kinds), site)?;
        let decode = |cursor: &mut Cursor<'_>, most: u8| {
            let list = hybrid::read(cursor, hybrid::width(most), values, |n| n as u8)?;
            match list.iter().find(|level| **level > most) {
                Some(level) => Err(cursor.corrupt(format!("level {level} of {most}"))),
                None => Ok(list),
            }
        };
        let mut levels = Levels::default();
        if let Kind::DataV2 {
            definition,
            repetition,
            compressed,
            ..
        } = self.head.kind
        {
            let outside = site.part(&format!("page at {}", self.offset));
            let mut cursor = Cursor::new(self.data, self.offset, &outside);
            let mut part = |bytes: usize, most: u8| {
                let start = cursor.offset();
                let mut part = Cursor::new(cursor.take(bytes)?, start, &outside);
                if most > 0 {
                    decode(&mut part, most)
                } else {
                    Ok(Vec::new())
                }
            };
            levels.repetition = part(repetition, most_r)?;
            levels.definition = part(definition, most_d)?;
            let codec = if compressed { codec } else { Codec::None };
            let bytes = self.decompressed(repetition + definition, codec, site, limits)?;
            return Ok(Content {
                levels,
                bytes,
                at: 0,
            });
        }
        let bytes = self.decompressed(0, codec, site, limits)?;
        let mut cursor = Cursor::new(&bytes, 0, &inside);
        let mut part = |most: u8, encoding: i64| {
            if most == 0 {
                return Ok(Vec::new());
            }
            if encoding != RLE {
                return Err(cursor.unsupported(format!("levels of the encoding {encoding}")));
            }
            let length = cursor.le_u32()? as usize;
            let start = cursor.offset();
            decode(&mut Cursor::new(cursor.take(length)?, start, &inside), most)
        };
        let [definition, repetition] = self.head.levels;
        levels.repetition = part(most_r, repetition)?;
        levels.definition = part(most_d, definition)?;
        let at = cursor.position();
        Ok(Content { levels, bytes, at })
    }
}

impl Head {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let mut head = Self {
            kind: Kind::Other,
            values: 0,
            encoding: 0,
            uncompressed: 0,
            bytes: 0,
            crc: None,
            levels: [RLE; 2],
        };
        let mut number = -1;
        let mut found = Kind::Other;
        structure(cursor, |cursor, entry| {
            match entry.id {
                1 => number = entry.integer(cursor)?,
                2 => head.uncompressed = entry.count(cursor)?,
                3 => head.bytes = entry.count(cursor)?,
                4 => head.crc = Some(entry.integer(cursor)? as u32),
                5 => {
                    found = Kind::Data;
                    entry.inner(cursor, |cursor, entry| {
                        match entry.id {
                            1 => head.values = entry.count(cursor)?,
                            2 => head.encoding = entry.integer(cursor)?,
                            3 => head.levels[0] = entry.integer(cursor)?,
                            4 => head.levels[1] = entry.integer(cursor)?,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                }
                7 => {
                    found = Kind::Dictionary;
                    entry.inner(cursor, |cursor, entry| {
                        match entry.id {
                            1 => head.values = entry.count(cursor)?,
                            2 => head.encoding = entry.integer(cursor)?,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                }
                8 => {
                    let (mut rows, mut compressed) = (0, true);
                    let mut lengths = [0_u64; 2];
                    entry.inner(cursor, |cursor, entry| {
                        match entry.id {
                            1 => head.values = entry.count(cursor)?,
                            3 => rows = entry.count(cursor)?,
                            4 => head.encoding = entry.integer(cursor)?,
                            5 => lengths[0] = entry.count(cursor)?,
                            6 => lengths[1] = entry.count(cursor)?,
                            7 => compressed = entry.bool(cursor)?,
                            _ => return Ok(false),
                        }
                        Ok(true)
                    })?;
                    // At most 2³², so that their sum is a number.
                    let [definition, repetition] = lengths.map(|n| n.min(1 << 32) as usize);
                    found = Kind::DataV2 {
                        rows,
                        definition,
                        repetition,
                        compressed,
                    };
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        head.kind = match (number, found) {
            (0, Kind::Data) | (2, Kind::Dictionary) | (3, Kind::DataV2 { .. }) => found,
            (0 | 2 | 3, _) => {
                return Err(cursor.corrupt(format!("a page of kind {number} without its head")));
            }
            _ => Kind::Other,
        };
        Ok(head)
    }
}
