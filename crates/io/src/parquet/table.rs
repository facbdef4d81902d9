//! A Parquet file as a table.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::column::Column;
use crate::error::{Place, Result};
use crate::limits::Limits;
use crate::parquet::codec::Codec;
use crate::parquet::layout::{Layout, Leaf};
use crate::parquet::metadata::{Metadata, RowGroup};
use crate::schema::{Field, Schema};
use crate::site::Site;
use crate::source::Source;
use crate::table::{Sizes, Table};

/// A Parquet file, open for reading.
///
/// Opening reads the footer, nothing else. Lists are levels, maps are lists of `key` and `value`, fields of records have the names of what they are in
/// with points between (`muons.pt`). What the file declares optional is a level [`Option`](crate::Level::Option), whether anything is missing or not, so that files
/// that were written in the same way have the same columns; [`Column::required`](crate::Column::required) takes that level away where nothing is missing. An optional field of an optional record has one such level.
///
/// ```
/// use pullback_io::parquet::{Parquet, WriteOptions, Writer};
/// use pullback_io::{Column, DType, Field, Source, Table, Values};
/// let fields = [Field::new("x", DType::F64, &[])];
/// let mut writer = Writer::new(Vec::new(), &fields, WriteOptions::default())?;
/// writer.write(&[Column::flat(Values::F64(vec![1.0, 2.5]))])?;
/// let file = Parquet::new(Source::from_bytes("x.parquet", writer.finish()?))?;
/// assert_eq!(file.column("x")?.values(), &Values::F64(vec![1.0, 2.5]));
/// # Ok::<(), pullback_io::Error>(())
/// ```
///
/// # Errors
/// Of every call: damaged bytes with file, column and offset; see [`Error`](crate::Error).
///
/// Reference: the Parquet format, <https://github.com/apache/parquet-format>.
#[derive(Debug)]
pub struct Parquet {
    name: String,
    writer: String,
    schema: Schema,
    pub(super) leaves: Vec<Leaf>,
    pub(super) groups: Vec<RowGroup>,
    rows: u64,
    pub(super) source: Arc<Source>,
    pub(super) limits: Limits,
    pub(super) site: Site,
}

impl Parquet {
    /// Opens a file with the default limits.
    ///
    /// # Errors
    /// It cannot be opened, is no Parquet file, or its footer is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(Source::open(path)?)
    }

    /// Reads from a source with the default limits.
    ///
    /// # Errors
    /// It is no Parquet file, or its footer is damaged.
    pub fn new(source: Source) -> Result<Self> {
        Self::with_limits(source, Limits::default())
    }

    /// Reads from a source.
    ///
    /// # Errors
    /// It is no Parquet file, or its footer is damaged.
    pub fn with_limits(source: Source, limits: Limits) -> Result<Self> {
        let site = Site::new(source.name());
        let metadata = Metadata::read(&source, &site, &limits)?;
        let layout = Layout::new(&metadata.elements, &site, &limits)?;
        let root = metadata.elements.first();
        Ok(Self {
            name: root.map_or_else(String::new, |root| root.name.clone()),
            writer: metadata.writer,
            schema: Schema::new(layout.fields, layout.unreadable),
            leaves: layout.leaves,
            groups: metadata.groups,
            rows: metadata.rows,
            source: Arc::new(source),
            limits,
            site: site.object("rows"),
        })
    }

    /// The program that wrote it, as it calls itself.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// Number of row groups.
    pub fn row_groups(&self) -> usize {
        self.groups.len()
    }

    /// How its pages are compressed.
    pub fn compression(&self) -> Vec<Codec> {
        let mut found = Vec::new();
        for chunk in self.groups.iter().flat_map(|g| g.chunks.iter().flatten()) {
            if !found.contains(&chunk.codec) {
                found.push(chunk.codec);
            }
        }
        found
    }

    pub(super) fn fields(&self) -> &[Field] {
        self.schema.fields()
    }
}

impl Table for Parquet {
    fn name(&self) -> &str {
        &self.name
    }

    fn entries(&self) -> u64 {
        self.rows
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read(&self, columns: &[usize], entries: Range<u64>) -> Result<Vec<Column>> {
        self.read_columns(columns, &entries)
    }

    fn boundaries(&self, _columns: &[usize]) -> Result<Vec<u64>> {
        Ok(self.groups.iter().map(|group| group.first).collect())
    }

    fn sizes(&self, column: usize) -> Result<Sizes> {
        let mut sizes = Sizes::default();
        let Some(leaf) = self.leaves.get(column) else {
            return Ok(sizes);
        };
        for group in &self.groups {
            if let Some(Some(chunk)) = group.chunks.get(leaf.chunk) {
                sizes.uncompressed = sizes.uncompressed.saturating_add(chunk.uncompressed);
                sizes.compressed = sizes.compressed.saturating_add(chunk.bytes);
            }
        }
        Ok(sizes)
    }

    fn place(&self) -> Box<Place> {
        self.site.place(None)
    }
}
