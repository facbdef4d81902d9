//! `TStreamerInfo`: what the classes in a file are made of, as far as numbers of fixed size go.
//!
//! Format: ROOT, `io/doc/TFile/streamerinfo.md`.

use std::collections::HashMap;

use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::number::Number;
use crate::root::objects::{Any, Objects, finish, head, named};
use crate::root::reduced::reduced;
use crate::site::Site;

/// A member of a class.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) type_name: String,
    /// ROOT's code of its type; 0 for a base class.
    kind: i32,
    array: usize,
    /// Version of the class in whose terms it is described, for a base class.
    is_base: bool,
}

#[derive(Debug, Clone)]
struct Class {
    version: i32,
    elements: Vec<Element>,
}

/// Where a number is in an object of fixed size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// Names of the members on the way, with `.` between.
    pub(crate) path: String,
    pub(crate) at: usize,
    pub(crate) number: Number,
    /// How many; 1 without an array.
    pub(crate) count: usize,
}

/// An object of fixed size: its numbers, and where in it heads with byte counts stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) size: usize,
    pub(crate) members: Vec<Member>,
    /// (position of a head, byte count that it must have).
    pub(crate) heads: Vec<(usize, u32)>,
}

/// The classes described in a file.
#[derive(Debug, Default)]
pub(crate) struct Streamers {
    classes: HashMap<String, Class>,
    depth: u32,
}

impl Streamers {
    pub(crate) fn read(data: &[u8], origin: usize, site: &Site, limits: &Limits) -> Result<Self> {
        let mut cursor = Cursor::new(data, 0, site);
        let mut objects = Objects::new(origin);
        let mut streamers = Self {
            classes: HashMap::new(),
            depth: limits.depth,
        };
        objects.list(&mut cursor, |objects, cursor, any| {
            // Besides the descriptions there is a list of schema rules.
            if let Any::Object {
                class: "TStreamerInfo",
                ..
            } = any
            {
                let (name, class) = class(objects, cursor)?;
                let known = streamers.classes.get(&name);
                if known.is_none_or(|known| known.version <= class.version) {
                    streamers.classes.insert(name, class);
                }
            }
            Ok(())
        })?;
        Ok(streamers)
    }

    /// Member number `index` of a class.
    pub(crate) fn element(&self, class: &str, index: usize) -> Option<&Element> {
        self.classes.get(class)?.elements.get(index)
    }

    /// The layout of a class whose objects all have the same size; `Err` says which member prevents it.
    pub(crate) fn record(&self, class: &str) -> Result<Record, String> {
        let mut record = Record::default();
        self.add(class, "", 0, &mut record)?;
        Ok(record)
    }

    fn add(&self, class: &str, path: &str, depth: u32, record: &mut Record) -> Result<(), String> {
        if depth > self.depth {
            return Err(format!("{class} contains itself"));
        }
        if class == "TObject" {
            record.size += 10;
            return Ok(());
        }
        let found = self.classes.get(class);
        let found = found.ok_or_else(|| format!("the file does not describe {class}"))?;
        let start = record.size;
        record.size += 6;
        for element in &found.elements {
            let name = if path.is_empty() {
                element.name.clone()
            } else {
                format!("{path}.{}", element.name)
            };
            if element.is_base {
                self.add(&element.name, path, depth + 1, record)?;
            } else if let Some((number, count)) = element.number() {
                record.members.push(Member {
                    path: name,
                    at: record.size,
                    number,
                    count,
                });
                let bytes = number.size().checked_mul(count);
                let size = bytes.and_then(|b| record.size.checked_add(b));
                // Objects are much smaller; this keeps a damaged description from claiming the address space.
                record.size = size
                    .filter(|s| *s < 1 << 24)
                    .ok_or_else(|| format!("{class} is too large"))?;
            } else if matches!(element.kind, OBJECT | ANY) && element.array == 0 {
                self.add(element.type_name.trim(), &name, depth + 1, record)?;
            } else {
                return Err(format!(
                    "the size of its member {name} ({}) is not fixed",
                    element.type_name
                ));
            }
        }
        let count = (record.size - start - 4) as u32;
        record.heads.push((start, 0x4000_0000 | count));
        Ok(())
    }
}

const OFFSET_L: i32 = 20;
const OBJECT: i32 = 61;
const ANY: i32 = 62;

impl Element {
    /// The number that it is, and how many of them.
    fn number(&self) -> Option<(Number, usize)> {
        let (kind, count) = if (OFFSET_L..OFFSET_L + 20).contains(&self.kind) {
            (self.kind - OFFSET_L, self.array)
        } else {
            (self.kind, 1)
        };
        let number = match kind {
            9 | 19 => reduced(&self.title, kind == 9).ok()?,
            _ => Number::of_kind(kind)?,
        };
        Some((number, count))
    }
}

/// `TStreamerInfo`.
fn class<'a>(objects: &mut Objects<'a>, cursor: &mut Cursor<'a>) -> Result<(String, Class)> {
    head(cursor)?;
    let (name, _) = named(cursor)?;
    cursor.skip(4)?; // The checksum.
    let version = cursor.i32()?;
    let mut elements = Vec::new();
    if let Any::Object { .. } = objects.next(cursor)? {
        objects.array(cursor, |_, cursor, any| {
            if let Any::Object { class, .. } = any {
                elements.push(element(class, cursor)?);
            }
            Ok(())
        })?;
    }
    Ok((name, Class { version, elements }))
}

/// `TStreamerElement` and what derives from it.
fn element(class: &str, cursor: &mut Cursor<'_>) -> Result<Element> {
    head(cursor)?;
    if class == "TStreamerSTLstring" {
        head(cursor)?; // It is a TStreamerSTL, which is a TStreamerElement.
    }
    let base = head(cursor)?;
    let (name, title) = named(cursor)?;
    let kind = cursor.i32()?;
    cursor.skip(4)?; // Its size in memory.
    let array = cursor.i32()?;
    let dimensions = cursor.i32()?;
    if base.version == 1 {
        let count = i64::from(cursor.i32()?);
        let count = cursor.count(count, 4, "dimensions")?;
        cursor.skip(4 * count)?;
    } else {
        cursor.skip(4 * 5)?;
    }
    let type_name = cursor.string()?;
    finish(cursor, base)?;
    Ok(Element {
        name,
        title,
        type_name,
        kind,
        array: if dimensions > 0 {
            array.max(0) as usize
        } else {
            0
        },
        is_base: class == "TStreamerBase",
    })
}
