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
    /// Bytes of the names that were made on the way.
    names: usize,
}

/// Bytes of an object of fixed size, and of the names of its members. Objects are much smaller: this keeps a damaged description from
/// claiming the address space.
const LARGEST: usize = 1 << 24;
/// Members and heads of one object.
const PARTS: usize = 1 << 16;

impl Record {
    /// Makes room for `bytes` more. Everything that grows goes through here, so that classes that hold each other several times are
    /// refused before they have grown.
    fn grow(&mut self, bytes: Option<usize>, class: &str) -> Result<(), String> {
        let size = bytes.and_then(|bytes| self.size.checked_add(bytes));
        let parts = self.members.len() + self.heads.len();
        match size {
            Some(size) if size < LARGEST && parts < PARTS && self.names < LARGEST => {
                self.size = size;
                Ok(())
            }
            _ => Err(format!("{class} is too large")),
        }
    }
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
            return record.grow(Some(10), class);
        }
        let found = self.classes.get(class);
        let found = found.ok_or_else(|| format!("the file does not describe {class}"))?;
        let start = record.size;
        record.grow(Some(6), class)?;
        for element in &found.elements {
            let name = if path.is_empty() {
                element.name.clone()
            } else {
                format!("{path}.{}", element.name)
            };
            record.names += name.len();
            if element.is_base {
                self.add(&element.name, path, depth + 1, record)?;
            } else if let Some((number, count)) = element.number()? {
                let at = record.size;
                record.grow(number.size().checked_mul(count), class)?;
                record.members.push(Member {
                    path: name,
                    at,
                    number,
                    count,
                });
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
    /// The number that it is, and how many of them; `None` where it is none, and why where it cannot be read.
    fn number(&self) -> Result<Option<(Number, usize)>, String> {
        let (kind, count) = if (OFFSET_L..OFFSET_L + 20).contains(&self.kind) {
            (self.kind - OFFSET_L, self.array)
        } else {
            (self.kind, 1)
        };
        let number = match kind {
            9 | 19 => match reduced(&self.title, kind == 9) {
                Ok(number) => Some(number),
                Err(Some(reason)) => return Err(format!("{}: {reason}", self.name)),
                Err(None) => None,
            },
            _ => Number::of_kind(kind),
        };
        Ok(number.map(|number| (number, count)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn element(name: &str, type_name: &str, kind: i32, array: usize) -> Element {
        Element {
            name: name.to_owned(),
            title: String::new(),
            type_name: type_name.to_owned(),
            kind,
            array,
            is_base: false,
        }
    }

    fn streamers(classes: Vec<(String, Vec<Element>)>) -> Streamers {
        Streamers {
            classes: classes
                .into_iter()
                .map(|(name, elements)| {
                    (
                        name,
                        Class {
                            version: 1,
                            elements,
                        },
                    )
                })
                .collect(),
            depth: 64,
        }
    }

    /// Each of 60 classes has two members of the next one: 2^60 members in all.
    #[test]
    fn members_that_double_are_refused_soon() {
        for leaf in [
            element("x", "int", 3, 0),
            element("x", "int[0]", OFFSET_L + 3, 0),
            element("x", "TObject", OBJECT, 0),
        ] {
            let mut classes: Vec<(String, Vec<Element>)> = (0..60)
                .map(|k| {
                    let next = format!("C{}", k + 1);
                    let member = |name: &str| element(name, &next, ANY, 0);
                    (format!("C{k}"), vec![member("a"), member("b")])
                })
                .collect();
            classes.push(("C60".to_owned(), vec![leaf]));
            let reason = streamers(classes).record("C0").unwrap_err();
            assert!(reason.contains("too large"), "{reason}");
        }
    }

    /// A class without a byte of its own between two classes: what grows are names and lists.
    #[test]
    fn many_empty_members_and_long_names_are_refused() {
        let many = (0..1 << 17).map(|k| element(&k.to_string(), "int[0]", OFFSET_L + 3, 0));
        let classes = vec![("C".to_owned(), many.collect())];
        assert!(streamers(classes).record("C").is_err());
        let name = "n".repeat(1 << 20);
        let inner = (0..1 << 10).map(|_| element("x", "int", 3, 0));
        let classes = vec![
            ("C".to_owned(), vec![element(&name, "D", ANY, 0)]),
            ("D".to_owned(), inner.collect()),
        ];
        assert!(streamers(classes).record("C").is_err());
    }

    #[test]
    fn a_range_that_cannot_be_read_is_the_reason() {
        let mut member = element("x", "Double32_t", 9, 0);
        "[low,high]".clone_into(&mut member.title);
        let reason = streamers(vec![("C".to_owned(), vec![member])])
            .record("C")
            .unwrap_err();
        assert!(reason.contains("[low,high]"), "{reason}");
    }
}
