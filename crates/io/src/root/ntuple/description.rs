//! The schema description: fields, columns and aliases, from the header and its extension in the footer.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::ntuple::envelope::{Link, features, frame, leave, link, records};

/// What a field is in the tree of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Leaf,
    Collection,
    Record,
    Variant,
    Streamer,
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldRecord {
    pub(crate) parent: usize,
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) description: String,
    /// Length of a fixed-size array.
    pub(crate) repetition: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct ColumnRecord {
    pub(crate) kind: u16,
    pub(crate) bits: u16,
    pub(crate) field: usize,
    pub(crate) representation: u16,
    /// Elements before those on disk are zeros.
    pub(crate) deferred: bool,
    pub(crate) range: Option<(f64, f64)>,
}

/// Fields and columns by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) fields: Vec<FieldRecord>,
    pub(crate) columns: Vec<ColumnRecord>,
    /// (column, field) of each alias.
    pub(crate) aliases: Vec<(usize, usize)>,
}

/// Some clusters, described in one page list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) pages: Link,
    pub(crate) clusters: u32,
}

/// What the footer adds.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) groups: Vec<Group>,
    pub(crate) entries: u64,
}

impl Description {
    /// The header's payload.
    pub(crate) fn read_header(&mut self, cursor: &mut Cursor<'_>, limits: &Limits) -> Result<()> {
        features(cursor)?;
        self.name = cursor.le_string()?;
        self.text = cursor.le_string()?;
        cursor.le_string()?; // The program that wrote it.
        self.read_schema(cursor, limits)
    }

    /// The footer's payload; `hash` is that of the header.
    pub(crate) fn read_footer(
        &mut self,
        cursor: &mut Cursor<'_>,
        hash: u64,
        limits: &Limits,
    ) -> Result<Footer> {
        features(cursor)?;
        if cursor.le_u64()? != hash {
            return Err(cursor.corrupt("the footer belongs to another header"));
        }
        let extension = frame(cursor)?;
        if cursor.position() < extension.end {
            self.read_schema(cursor, limits)?;
        }
        leave(cursor, extension)?;
        let mut footer = Footer {
            groups: Vec::new(),
            entries: 0,
        };
        records(cursor, |cursor| {
            let first = cursor.le_u64()?;
            let span = cursor.le_u64()?;
            let clusters = cursor.le_u32()?;
            let end = first.checked_add(span);
            let end = end.ok_or_else(|| cursor.corrupt("a cluster group without end"))?;
            footer.entries = footer.entries.max(end);
            let pages = link(cursor)?;
            footer.groups.push(Group { pages, clusters });
            Ok(())
        })?;
        Ok(footer)
    }

    fn read_schema(&mut self, cursor: &mut Cursor<'_>, limits: &Limits) -> Result<()> {
        records(cursor, |cursor| {
            cursor
                .site()
                .limit("fields", self.fields.len() as u64, limits.items)?;
            self.fields.push(field(cursor)?);
            Ok(())
        })?;
        records(cursor, |cursor| {
            cursor
                .site()
                .limit("columns", self.columns.len() as u64, limits.items)?;
            self.columns.push(column(cursor)?);
            Ok(())
        })?;
        records(cursor, |cursor| {
            let column = cursor.le_u32()? as usize;
            self.aliases.push((column, cursor.le_u32()? as usize));
            Ok(())
        })?;
        records(cursor, |_| Ok(())) // Extra type information, of use to streamed objects only.
    }
}

fn field(cursor: &mut Cursor<'_>) -> Result<FieldRecord> {
    cursor.skip(8)?; // Versions of field and type.
    let parent = cursor.le_u32()? as usize;
    let role = match cursor.le_u16()? {
        0 => Role::Leaf,
        1 => Role::Collection,
        2 => Role::Record,
        3 => Role::Variant,
        4 => Role::Streamer,
        _ => Role::Unknown,
    };
    let flags = cursor.le_u16()?;
    let name = cursor.le_string()?;
    let type_name = cursor.le_string()?;
    cursor.le_string()?; // Alias of the type.
    let description = cursor.le_string()?;
    let repetition = if flags & 1 != 0 {
        Some(cursor.le_u64()?)
    } else {
        None
    };
    Ok(FieldRecord {
        parent,
        role,
        name,
        type_name,
        description,
        repetition,
    })
}

fn column(cursor: &mut Cursor<'_>) -> Result<ColumnRecord> {
    let kind = cursor.le_u16()?;
    let bits = cursor.le_u16()?;
    let field = cursor.le_u32()? as usize;
    let flags = cursor.le_u16()?;
    let representation = cursor.le_u16()?;
    let deferred = flags & 1 != 0;
    if deferred {
        cursor.skip(8)?; // Index of the first element: the page lists tell as well.
    }
    let range = if flags & 2 != 0 {
        Some((cursor.le_f64()?, cursor.le_f64()?))
    } else {
        None
    };
    Ok(ColumnRecord {
        kind,
        bits,
        field,
        representation,
        deferred,
        range,
    })
}
