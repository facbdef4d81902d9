//! An ntuple, described and ready to be read.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::budget::Budget;
use crate::column::Column;
use crate::cursor::Cursor;
use crate::error::{Place, Result};
use crate::limits::Limits;
use crate::root::compression::Algorithm;
use crate::root::ntuple::description::{ColumnRecord, Description, Group};
use crate::root::ntuple::elements::active;
use crate::root::ntuple::encoding::Encoding;
use crate::root::ntuple::envelope::{self, Anchor, Kind};
use crate::root::ntuple::fields::{Layout, Leaf, Path, Step};
use crate::root::ntuple::pages::{self, Cluster};
use crate::schema::Schema;
use crate::site::Site;
use crate::source::Source;
use crate::table::{Sizes, Table};

/// A `ROOT::RNTuple`. Its page lists are read when they are first needed.
#[derive(Debug)]
pub struct Ntuple {
    name: String,
    description: String,
    version: [u16; 4],
    entries: u64,
    schema: Schema,
    paths: Vec<Path>,
    columns: Vec<ColumnRecord>,
    groups: Vec<Group>,
    header_hash: u64,
    clusters: OnceLock<Result<Vec<Cluster>>>,
    source: Arc<Source>,
    limits: Limits,
    site: Site,
}

impl Ntuple {
    pub(crate) fn read(
        anchor: &[u8],
        site: &Site,
        source: Arc<Source>,
        limits: Limits,
    ) -> Result<Self> {
        let anchor = Anchor::read(anchor, &site.decompressed())?;
        let header_site = site.part("header");
        let header = envelope::read(anchor.header, Kind::Header, &source, &header_site, &limits)?;
        let hash = header
            .last_chunk::<8>()
            .map_or(0, |hash| u64::from_le_bytes(*hash));
        let mut description = Description::default();
        let inside = header_site.decompressed();
        let mut cursor = Cursor::new(&header, 0, &inside);
        cursor.skip(8)?;
        description.read_header(&mut cursor, &limits)?;
        let footer_site = site.part("footer");
        let footer = envelope::read(anchor.footer, Kind::Footer, &source, &footer_site, &limits)?;
        let inside = footer_site.decompressed();
        let mut cursor = Cursor::new(&footer, 0, &inside);
        cursor.skip(8)?;
        let footer = description.read_footer(&mut cursor, hash, &limits)?;
        let layout = Layout::new(&description, &header_site, &limits)?;
        Ok(Self {
            name: description.name,
            description: description.text,
            version: anchor.version,
            entries: footer.entries,
            schema: Schema::new(layout.fields, layout.unreadable),
            paths: layout.paths,
            columns: description.columns,
            groups: footer.groups,
            header_hash: hash,
            clusters: OnceLock::new(),
            source,
            limits,
            site: site.clone(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its description.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Version of the format: epoch, major, minor, patch.
    pub fn version(&self) -> [u16; 4] {
        self.version
    }

    /// The algorithms that its pages were written with.
    ///
    /// # Errors
    /// Damaged page lists.
    pub fn compression(&self) -> Result<Vec<Algorithm>> {
        let mut found = Vec::new();
        for column in self.clusters()?.iter().flat_map(|c| &c.columns) {
            let algorithm = Algorithm::from_settings(column.compression);
            if !column.pages.is_empty() && !found.contains(&algorithm) {
                found.push(algorithm);
            }
        }
        Ok(found)
    }

    /// The page lists of all cluster groups, in the order of their entries.
    pub(super) fn clusters(&self) -> Result<&[Cluster]> {
        let read = || {
            let mut clusters = Vec::new();
            let items = Budget::items("clusters and pages", &self.limits);
            let lists: u64 = self
                .groups
                .iter()
                .fold(0, |sum, group| group.pages.bytes.saturating_add(sum));
            if lists > self.source.len() {
                let what = format!("{lists} bytes of page lists in {} bytes", self.source.len());
                return Err(self.site.corrupt(None, what));
            }
            for (k, group) in self.groups.iter().enumerate() {
                let site = self.site.part(&format!("page list {k}"));
                let data = envelope::read(
                    group.pages,
                    Kind::PageList,
                    &self.source,
                    &site,
                    &self.limits,
                )?;
                let inside = site.decompressed();
                let mut cursor = Cursor::new(&data, 0, &inside);
                cursor.skip(8)?;
                let list = pages::read(&mut cursor, self.header_hash, &items)?;
                if list.len() as u64 != u64::from(group.clusters) {
                    let what =
                        format!("{} clusters, {} were announced", list.len(), group.clusters);
                    return Err(inside.corrupt(None, what));
                }
                clusters.extend(list);
            }
            pages::in_order(&mut clusters, self.entries, &self.site)?;
            Ok(clusters)
        };
        match self.clusters.get_or_init(read) {
            Ok(clusters) => Ok(clusters),
            Err(error) => Err(error.clone()),
        }
    }

    pub(super) fn path(&self, column: usize) -> Option<(&Path, &str)> {
        Some((
            self.paths.get(column)?,
            &self.schema.fields().get(column)?.name,
        ))
    }

    pub(super) fn columns(&self) -> &[ColumnRecord] {
        &self.columns
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn site(&self) -> &Site {
        &self.site
    }
}

impl Table for Ntuple {
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

    fn boundaries(&self, _columns: &[usize]) -> Result<Vec<u64>> {
        Ok(self
            .clusters()?
            .iter()
            .map(|cluster| cluster.first)
            .collect())
    }

    /// The levels that a column shares with others count for each of them.
    fn sizes(&self, column: usize) -> Result<Sizes> {
        let mut sizes = Sizes::default();
        let Some(path) = self.paths.get(column) else {
            return Ok(sizes);
        };
        let indices = path.steps.iter().filter_map(|step| match step {
            Step::List(columns) | Step::Option(columns) => Some(columns),
            Step::Fixed(_) => None,
        });
        let (Leaf::Number(columns, _) | Leaf::Text(columns) | Leaf::Cardinality(columns, _)) =
            &path.leaf;
        for fields in indices.chain([columns]) {
            for cluster in self.clusters()? {
                for column in active(fields, cluster).into_iter().flatten() {
                    let encoding = self.columns.get(*column).and_then(Encoding::of);
                    let pages = cluster.columns.get(*column).map_or(&[][..], |c| &c.pages);
                    for page in pages {
                        let bytes = encoding.map_or(0, |e| e.page_bytes(page.elements));
                        sizes.uncompressed = sizes.uncompressed.saturating_add(bytes);
                        sizes.compressed = sizes.compressed.saturating_add(page.bytes);
                    }
                }
            }
        }
        Ok(sizes)
    }

    fn place(&self) -> Box<Place> {
        self.site.place(None)
    }
}
