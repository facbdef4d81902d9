//! `TTree`: rows in branches, branches in baskets.

use std::ops::Range;
use std::sync::Arc;

use crate::column::Column;
use crate::cursor::Cursor;
use crate::error::{Place, Result};
use crate::limits::Limits;
use crate::root::branch::{BasketRef, Branch, Branches};
use crate::root::compression::Algorithm;
use crate::root::file::File;
use crate::root::key::Key;
use crate::root::layout::{Layout, Part, Plan};
use crate::root::objects::{Objects, head, named, skip};
use crate::schema::Schema;
use crate::site::Site;
use crate::source::Source;
use crate::table::{Sizes, Table};

/// A `TTree`, described and ready to be read.
#[derive(Debug)]
pub struct Tree {
    name: String,
    title: String,
    pub(super) entries: u64,
    schema: Schema,
    pub(super) branches: Vec<Branch>,
    pub(super) parts: Vec<Part>,
    pub(super) plans: Vec<Option<Plan>>,
    /// The decompressed object: lists of baskets, and baskets in it, are read from here.
    pub(super) description: Vec<u8>,
    /// Bytes of the description in the file.
    stored: u64,
    pub(super) source: Arc<Source>,
    pub(super) limits: Limits,
    pub(super) site: Site,
}

impl Tree {
    /// Takes the description apart as far as columns need it: branches and leaves, not the lists of baskets.
    pub(crate) fn read(key: &Key, data: Vec<u8>, site: &Site, file: &File) -> Result<Self> {
        let inside = site.decompressed();
        let mut cursor = Cursor::new(&data, 0, &inside);
        let mut objects = Objects::new(key.head as usize);
        if key.class != "TTree" {
            head(&mut cursor)?; // A TNtuple is a tree and the number of its columns.
        }
        let whole = head(&mut cursor)?;
        let version = whole.version;
        if !(16..=20).contains(&version) {
            return Err(cursor.unsupported(format!("version {version} of TTree")));
        }
        let (name, title) = named(&mut cursor)?;
        for _ in 0..3 {
            skip(&mut cursor)?; // Colours of lines, areas, markers.
        }
        let entries = cursor.i64()?;
        let entries = u64::try_from(entries)
            .map_err(|_| cursor.corrupt(format!("a tree of {entries} entries")))?;
        cursor.skip(3 * 8)?; // Bytes in total, compressed, saved.
        if version >= 18 {
            cursor.skip(8)?;
        }
        cursor.skip(8 + 3 * 4)?; // Weight, timer, scan, update.
        if version >= 17 {
            cursor.skip(4)?;
        }
        let mut ranges = 0;
        if version >= 19 {
            ranges = i64::from(cursor.u32()?);
        }
        cursor.skip(4 * 8)?; // Bounds of interactive use.
        cursor.skip(if version >= 18 { 2 * 8 } else { 8 })?;
        if version >= 19 {
            let ranges = cursor.count(ranges, 16, "cluster ranges")?;
            cursor.skip(1 + 8 * ranges)?;
            cursor.skip(1 + 8 * ranges)?;
        }
        if version >= 20 {
            skip(&mut cursor)?; // ROOT::TIOFeatures
        }
        let mut branches = Branches::default();
        branches.read_array(&mut objects, &mut cursor, None, 0, file.limits())?;
        let layout = Layout::new(&branches, file, site)?;
        Ok(Self {
            name,
            title,
            entries,
            schema: Schema::new(layout.fields, layout.unreadable),
            branches: branches.list,
            parts: layout.parts,
            plans: layout.plans,
            description: data,
            stored: key.bytes.saturating_sub(key.head),
            source: file.source().clone(),
            limits: *file.limits(),
            site: site.clone(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The algorithms that its branches say they were written with; of some that say nothing only their baskets know.
    pub fn compression(&self) -> Vec<Algorithm> {
        let mut found: Vec<Algorithm> = Vec::new();
        for branch in &self.branches {
            let stated = Algorithm::from_settings(branch.compression);
            // Some writers leave the settings of a branch empty and compress all the same.
            let packed = branch.compressed_bytes < branch.bytes
                || (branch.embedded_bytes() > 0 && self.stored < self.description.len() as u64);
            let algorithm = match stated {
                Algorithm::None if packed => Algorithm::Unknown,
                stated => stated,
            };
            if !found.contains(&algorithm) {
                found.push(algorithm);
            }
        }
        found
    }

    pub(super) fn branch_site(&self, branch: &Branch) -> Site {
        self.site.part(&branch.name)
    }

    fn baskets(&self, branch: &Branch) -> Result<Vec<BasketRef>> {
        let site = self.branch_site(branch).decompressed();
        branch.baskets(&Cursor::new(&self.description, 0, &site), self.entries)
    }

    /// The baskets of a branch that hold entries of a range.
    pub(super) fn baskets_of(
        &self,
        branch: &Branch,
        entries: &Range<u64>,
    ) -> Result<Vec<BasketRef>> {
        let mut baskets = self.baskets(branch)?;
        baskets.retain(|b| {
            b.entries.start < entries.end
                && b.entries.end > entries.start
                && b.entries.start < b.entries.end
        });
        // Where one ends the next one starts: only the ends can be missing.
        let covered = match (baskets.first(), baskets.last()) {
            (Some(first), Some(last)) => first.entries.start..last.entries.end,
            _ => entries.start..entries.start,
        };
        if covered.start > entries.start || covered.end < entries.end {
            return Err(self.branch_site(branch).corrupt(
                None,
                format!(
                    "its baskets hold the entries {covered:?} of {entries:?}, the tree has {}",
                    self.entries
                ),
            ));
        }
        Ok(baskets)
    }
}

impl Table for Tree {
    fn name(&self) -> &str {
        &self.name
    }

    fn entries(&self) -> u64 {
        self.entries
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read(&self, columns: &[usize], entries: Range<u64>) -> Result<Vec<Column>> {
        self.read_columns(columns, &entries)
    }

    fn boundaries(&self, columns: &[usize]) -> Result<Vec<u64>> {
        let mut branches: Vec<usize> = columns
            .iter()
            .filter_map(|c| Some(self.parts.get(*c)?.branch))
            .collect();
        branches.sort_unstable();
        branches.dedup();
        let mut common: Option<Vec<u64>> = None;
        for branch in branches.iter().filter_map(|b| self.branches.get(*b)) {
            let starts = self.baskets(branch)?.into_iter().map(|b| b.entries.start);
            let starts: Vec<u64> = starts.collect();
            common = Some(match common {
                Some(mut common) => {
                    common.retain(|entry| starts.binary_search(entry).is_ok());
                    common
                }
                None => starts,
            });
        }
        Ok(common.unwrap_or_default())
    }

    /// Columns of one branch share its bytes by the size of their numbers. Baskets inside the description of the tree, which branches do
    /// not count, are compressed with it: of its bytes in the file they have their part.
    fn sizes(&self, column: usize) -> Result<Sizes> {
        let part = self.parts.get(column);
        let branch = part.and_then(|p| Some((p, self.branches.get(p.branch)?)));
        let Some((part, branch)) = branch else {
            return Ok(Sizes::default());
        };
        let count: usize = part.dims.iter().product();
        let stride = self
            .plans
            .get(part.branch)
            .and_then(|p| Some(p.as_ref()?.stride));
        let whole = stride.unwrap_or(1).max(1) as u128;
        let own = part.number.map_or(whole, |n| (n.size() * count) as u128);
        let inside = branch.embedded_bytes();
        let all = self.description.len().max(1) as u128;
        let packed = (u128::from(inside) * u128::from(self.stored) / all) as u64;
        let share = |bytes: u64| (u128::from(bytes) * own / whole) as u64;
        Ok(Sizes {
            uncompressed: share(branch.bytes.saturating_add(inside)),
            compressed: share(branch.compressed_bytes.saturating_add(packed)),
        })
    }

    fn place(&self) -> Box<Place> {
        self.site.place(None)
    }
}
