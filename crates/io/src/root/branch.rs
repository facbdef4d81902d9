//! `TBranch`, `TBranchElement` and their leaves, as the description of a tree holds them.
//!
//! Formats: the `Streamer` methods and class definitions of `tree/tree/src/TBranch.cxx`, `TBranchElement.cxx`, `TLeaf.cxx` in ROOT.

use std::collections::HashMap;
use std::ops::Range;

use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::objects::{Any, Objects, finish, head, named, skip};

/// What only a `TBranchElement` has.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    /// Class of the object, or of the object that the member belongs to.
    pub(crate) class: String,
    /// Number of the member in its class; negative for a whole object.
    pub(crate) id: i32,
    /// 3: `TClonesArray`, 4: STL collection, 31 and 41: members of the objects in one.
    pub(crate) kind: i32,
    pub(crate) streamer_kind: i32,
}

/// A branch.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) parent: Option<usize>,
    /// `None` for a plain `TBranch`.
    pub(crate) split: Option<Split>,
    /// Whether its class is one that is read here.
    pub(crate) known: bool,
    pub(crate) compression: u32,
    pub(crate) bytes: u64,
    pub(crate) compressed_bytes: u64,
    pub(crate) leaves: Vec<usize>,
    pub(crate) children: usize,
    pub(crate) written: usize,
    baskets: usize,
    /// Where the arrays of basket sizes, first entries and positions start in the description.
    arrays: [usize; 3],
    /// Baskets inside the description.
    embedded: Vec<Range<usize>>,
}

/// A leaf.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) class: LeafClass,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) branch: Option<usize>,
    /// How many numbers an entry, or an item of a list, has.
    pub(crate) len: usize,
    pub(crate) unsigned: bool,
    /// The leaf with the number of items.
    pub(crate) counter: Option<usize>,
    /// ROOT's type code, of a `TLeafElement`.
    pub(crate) kind: i32,
}

/// Class of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafClass {
    Bool,
    Byte,
    Short,
    Int,
    Long,
    Float,
    Double,
    Float16,
    Double32,
    Text,
    Element,
    Other,
}

impl LeafClass {
    fn of(class: &str) -> Self {
        match class {
            "TLeafO" => Self::Bool,
            "TLeafB" => Self::Byte,
            "TLeafS" => Self::Short,
            "TLeafI" => Self::Int,
            "TLeafL" | "TLeafG" => Self::Long,
            "TLeafF" => Self::Float,
            "TLeafD" => Self::Double,
            "TLeafF16" => Self::Float16,
            "TLeafD32" => Self::Double32,
            "TLeafC" => Self::Text,
            "TLeafElement" => Self::Element,
            _ => Self::Other,
        }
    }
}

/// The branches of a tree, those of branches behind their parents.
#[derive(Debug, Default)]
pub(crate) struct Branches {
    pub(crate) list: Vec<Branch>,
    pub(crate) leaves: Vec<Leaf>,
    by_id: HashMap<u32, usize>,
}

impl Branches {
    /// Reads a `TObjArray` of branches.
    pub(crate) fn read_array<'a>(
        &mut self,
        objects: &mut Objects<'a>,
        cursor: &mut Cursor<'a>,
        parent: Option<usize>,
        depth: u32,
        limits: &Limits,
    ) -> Result<usize> {
        cursor.site().limit(
            "depth of branches",
            u64::from(depth),
            u64::from(limits.depth),
        )?;
        let mut count = 0;
        objects.array(cursor, |objects, cursor, any| {
            if let Any::Object { class, .. } = any {
                count += 1;
                cursor
                    .site()
                    .limit("branches", self.list.len() as u64, limits.items)?;
                self.read_branch(class, objects, cursor, parent, depth, limits)?;
            }
            Ok(())
        })?;
        Ok(count)
    }

    fn read_branch<'a>(
        &mut self,
        class: &str,
        objects: &mut Objects<'a>,
        cursor: &mut Cursor<'a>,
        parent: Option<usize>,
        depth: u32,
        limits: &Limits,
    ) -> Result<()> {
        if class != "TBranch" {
            let outer = head(cursor)?;
            if !matches!(
                class,
                "TBranchElement" | "TBranchObject" | "TBranchClones" | "TBranchRef"
            ) {
                return Err(cursor.unsupported(format!("a branch of class {class}")));
            }
            let index = self.read_base(objects, cursor, parent, depth, limits)?;
            let mut split = None;
            if class == "TBranchElement" {
                let class = cursor.string()?;
                cursor.skip_string()?;
                cursor.skip_string()?;
                cursor.skip(4)?; // The checksum.
                cursor.skip(if outer.version < 10 { 4 } else { 2 })?;
                split = Some(Split {
                    class,
                    id: cursor.i32()?,
                    kind: cursor.i32()?,
                    streamer_kind: cursor.i32()?,
                });
            }
            if let Some(branch) = self.list.get_mut(index) {
                branch.known = class == "TBranchElement";
                branch.split = split;
            }
            return Ok(());
        }
        self.read_base(objects, cursor, parent, depth, limits)?;
        Ok(())
    }

    /// `TBranch`; gives its position in the list.
    fn read_base<'a>(
        &mut self,
        objects: &mut Objects<'a>,
        cursor: &mut Cursor<'a>,
        parent: Option<usize>,
        depth: u32,
        limits: &Limits,
    ) -> Result<usize> {
        let whole = head(cursor)?;
        if !(10..=13).contains(&whole.version) {
            return Err(cursor.unsupported(format!("version {} of TBranch", whole.version)));
        }
        let (name, title) = named(cursor)?;
        skip(cursor)?; // TAttFill
        let compression = cursor.u32()?;
        cursor.skip(8)?; // Size of a basket, length of entry offsets.
        let written = cursor.i32()?;
        cursor.skip(8)?; // Number of the next entry.
        if whole.version >= 13 {
            skip(cursor)?; // ROOT::TIOFeatures: how offsets are stored; the baskets tell.
        }
        cursor.skip(4)?; // Offset of the branch in its class.
        let baskets = cursor.u32()?;
        cursor.skip(4 + 8)?; // Split level and number of entries.
        if whole.version >= 11 {
            cursor.skip(8)?; // The first entry.
        }
        let bytes = cursor.i64()?.max(0) as u64;
        let compressed_bytes = cursor.i64()?.max(0) as u64;
        let index = self.list.len();
        self.list.push(Branch {
            name,
            title,
            parent,
            split: None,
            known: true,
            compression,
            bytes,
            compressed_bytes,
            leaves: Vec::new(),
            children: 0,
            written: written.max(0) as usize,
            baskets: 0,
            arrays: [0; 3],
            embedded: Vec::new(),
        });
        let children = self.read_array(objects, cursor, Some(index), depth + 1, limits)?;
        let leaves = self.read_leaves(objects, cursor, index)?;
        let mut embedded = Vec::new();
        objects.array(cursor, |_, cursor, any| {
            if let Any::Object { end, .. } = any {
                embedded.push(cursor.position()..end);
            }
            Ok(())
        })?;
        // An entry of the three arrays: 4 + 8 + 8 bytes.
        let baskets = cursor.count(i64::from(baskets), 20, "baskets")?;
        let mut arrays = [0; 3];
        for (at, size) in arrays.iter_mut().zip([4, 8, 8]) {
            cursor.skip(1)?; // Whether an array follows.
            *at = cursor.position();
            cursor.skip(size * baskets)?;
        }
        finish(cursor, whole)?;
        if let Some(branch) = self.list.get_mut(index) {
            branch.children = children;
            branch.leaves = leaves;
            branch.baskets = baskets;
            branch.arrays = arrays;
            branch.embedded = embedded;
        }
        Ok(index)
    }

    fn read_leaves<'a>(
        &mut self,
        objects: &mut Objects<'a>,
        cursor: &mut Cursor<'a>,
        branch: usize,
    ) -> Result<Vec<usize>> {
        let mut leaves = Vec::new();
        objects.array(cursor, |objects, cursor, any| {
            match any {
                Any::Object { class, id, .. } => {
                    leaves.push(self.read_leaf(class, id, objects, cursor, 0)?);
                }
                Any::Reference(id) => leaves.extend(self.by_id.get(&id)),
                Any::Null => {}
            }
            Ok(())
        })?;
        for leaf in &leaves {
            if let Some(leaf) = self.leaves.get_mut(*leaf) {
                leaf.branch = Some(branch);
            }
        }
        Ok(leaves)
    }

    fn read_leaf<'a>(
        &mut self,
        class: &str,
        id: u32,
        objects: &mut Objects<'a>,
        cursor: &mut Cursor<'a>,
        depth: u32,
    ) -> Result<usize> {
        let class = LeafClass::of(class);
        head(cursor)?;
        let base = head(cursor)?;
        let (name, title) = named(cursor)?;
        let len = cursor.i32()?;
        cursor.skip(8)?; // Bytes of its type, and where it is in memory.
        cursor.skip(1)?;
        let unsigned = cursor.u8()? != 0;
        let counter = match objects.next(cursor)? {
            // A counter of a counter of .. does not occur.
            Any::Object { class, id, end } if depth < 8 => {
                let leaf = self.read_leaf(class, id, objects, cursor, depth + 1)?;
                cursor.seek(end)?;
                Some(leaf)
            }
            Any::Object { .. } | Any::Null => None,
            Any::Reference(id) => self.by_id.get(&id).copied(),
        };
        let mut kind = 0;
        if class == LeafClass::Element {
            finish(cursor, base)?;
            cursor.skip(4)?;
            kind = cursor.i32()?;
        }
        let index = self.leaves.len();
        self.leaves.push(Leaf {
            class,
            name,
            title,
            branch: None,
            len: len.max(1) as usize,
            unsigned,
            counter,
            kind,
        });
        self.by_id.insert(id, index);
        Ok(index)
    }
}

/// Where a basket is.
#[derive(Debug, Clone)]
pub(crate) enum Stored {
    /// In the file.
    File { seek: u64, bytes: u64 },
    /// In the description of the tree.
    Description(Range<usize>),
}

/// A basket and the entries in it; of one in the description the number of entries stands in the basket itself.
#[derive(Debug, Clone)]
pub(crate) struct BasketRef {
    pub(crate) entries: Range<u64>,
    pub(crate) stored: Stored,
}

impl Branch {
    /// Bytes of the baskets inside the description.
    pub(crate) fn embedded_bytes(&self) -> u64 {
        self.embedded.iter().map(|range| range.len() as u64).sum()
    }

    /// The baskets of the branch, in order; `description` is a cursor over the description of the tree, which has `total` entries.
    pub(crate) fn baskets(&self, description: &Cursor<'_>, total: u64) -> Result<Vec<BasketRef>> {
        let mut list = Vec::with_capacity(self.written.min(self.baskets));
        let [bytes_at, entries_at, seeks_at] = self.arrays;
        let (mut bytes, mut entries, mut seeks) = (
            description.clone(),
            description.clone(),
            description.clone(),
        );
        bytes.seek(bytes_at)?;
        entries.seek(entries_at)?;
        seeks.seek(seeks_at)?;
        let mut first = 0;
        let known = self.written.min(self.baskets);
        if known > 0 {
            first = entries.u64()?;
        }
        for k in 0..known {
            let seek = seeks.i64()?;
            if seek == 0 {
                break; // From here on they are in the description.
            }
            // Behind the last one stands where it ends; an array that is full has no room for this.
            let end = if k + 1 < self.baskets {
                entries.u64()?
            } else {
                total
            };
            let size = bytes.i32()?;
            if seek < 0 || size < 0 || end < first {
                return Err(seeks.corrupt(format!(
                    "basket {k} of {size} bytes at {seek} holds the entries {first} to {end}"
                )));
            }
            list.push(BasketRef {
                entries: first..end,
                stored: Stored::File {
                    seek: seek as u64,
                    bytes: size as u64,
                },
            });
            first = end;
        }
        for range in &self.embedded {
            let count = embedded_entries(description, range)?;
            let end = first.saturating_add(count);
            list.push(BasketRef {
                entries: first..end,
                stored: Stored::Description(range.clone()),
            });
            first = end;
        }
        Ok(list)
    }
}

/// Number of entries of a basket in the description.
fn embedded_entries(description: &Cursor<'_>, range: &Range<usize>) -> Result<u64> {
    let mut cursor = description.clone();
    cursor.seek(range.start)?;
    crate::root::key::Key::read(&mut cursor)?;
    cursor.skip(2 + 4 + 4)?;
    Ok(cursor.i32()?.max(0) as u64)
}
