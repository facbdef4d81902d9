//! Several tables of several files as one, with friends joined entry by entry.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chunks::Chunks;
use crate::column::Column;
use crate::error::{Error, Place, Result};
use crate::limits::Limits;
use crate::open::open;
use crate::paths::expand;
use crate::schema::{Field, Schema, Unreadable};
use crate::table::Table;

/// How a data set is read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bounds on what a file may ask for.
    pub limits: Limits,
    /// Bytes of columns in a chunk, about (64 MiB).
    pub chunk_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            chunk_bytes: 64 << 20,
        }
    }
}

/// A range of entries of one file, with the columns asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Number of the first entry in the whole data set: the event with local index `k` is `first + k`, whatever the chunks are.
    pub first: u64,
    /// Number of entries.
    pub entries: usize,
    /// The file they come from.
    pub file: Arc<str>,
    /// Names of the columns.
    pub names: Arc<[String]>,
    /// The columns, in the order of the names.
    pub columns: Vec<Column>,
}

impl Chunk {
    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(self.names.iter().position(|n| n == name)?)
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }

    /// Chunks of the same columns, one after the other; `None` without any. It is of the file of the first one.
    pub fn concat(parts: Vec<Self>) -> Option<Self> {
        let entries = parts.iter().map(|p| p.entries).sum();
        let (first, names) = (parts.first()?.first, Arc::clone(&parts.first()?.names));
        let file = Arc::clone(&parts.first()?.file);
        let mut columns = vec![Vec::with_capacity(parts.len()); names.len()];
        for part in parts {
            for (into, column) in columns.iter_mut().zip(part.columns) {
                into.push(column);
            }
        }
        Some(Self {
            first,
            entries,
            file,
            names,
            columns: columns.into_iter().filter_map(Column::concat).collect(),
        })
    }
}

/// One table of the data set.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    table: String,
    first: u64,
    entries: u64,
}

#[derive(Debug)]
struct Friend {
    prefix: String,
    data: Dataset,
}

/// Tables of files, one after the other, with the columns of friends beside them.
///
/// Opening reads the description of every file once. Files are opened again when they are read, and few are open at a time.
///
/// ```
/// use pullback_io::Dataset;
/// let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
/// let data = Dataset::open(&[&format!("{folder}/muons_*.root:Events")])?;
/// let mut muons = 0;
/// for chunk in data.chunks(&["Muon_pt"])? {
///     muons += chunk?.columns[0].values().len();
/// }
/// assert_eq!(muons % 335, 0); // Every file has the same 335.
/// # Ok::<(), pullback_io::Error>(())
/// ```
#[derive(Debug)]
pub struct Dataset {
    parts: Vec<Part>,
    friends: Vec<Friend>,
    schema: Schema,
    /// Columns of its own; those of the friends follow in the schema.
    own: usize,
    entries: u64,
    options: Options,
    /// The tables used last.
    opened: Mutex<Vec<(usize, Arc<dyn Table>)>>,
}

/// Tables that stay open.
const OPEN: usize = 8;

/// Chosen columns of a data set.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) names: Arc<[String]>,
    /// Positions in the schema.
    positions: Vec<usize>,
}

impl Dataset {
    /// Opens the files of patterns with the default options: `data/*.root`, `one.root:dir/Events`.
    ///
    /// # Errors
    /// A pattern without files, a file that cannot be read, a table that is not there.
    pub fn open<S: AsRef<str>>(patterns: &[S]) -> Result<Self> {
        Self::with_options(patterns, Options::default())
    }

    /// Opens the files of patterns.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn with_options<S: AsRef<str>>(patterns: &[S], options: Options) -> Result<Self> {
        let mut data = Self {
            parts: Vec::new(),
            friends: Vec::new(),
            schema: Schema::default(),
            own: 0,
            entries: 0,
            options,
            opened: Mutex::new(Vec::new()),
        };
        for pattern in patterns {
            for target in expand(pattern.as_ref())? {
                let table = open(&target.path, target.table.as_deref(), options.limits)?;
                if data.parts.is_empty() {
                    data.schema = table.schema().clone();
                    data.own = data.schema.fields().len();
                }
                let entries = table.entries();
                let path = target.path;
                data.parts.push(Part {
                    table: target.table.unwrap_or_else(|| table.place().object),
                    first: data.entries,
                    entries,
                    path,
                });
                data.remember(data.parts.len() - 1, &table);
                let sum = data.entries.checked_add(entries);
                data.entries = sum.ok_or_else(|| Error::Range {
                    start: data.entries,
                    end: u64::MAX,
                    entries,
                    place: table.place(),
                })?;
            }
        }
        if data.parts.is_empty() {
            return Err(Error::NoFiles {
                pattern: String::new(),
            });
        }
        Ok(data)
    }

    /// Joins another data set entry by entry; its columns get the prefix and a point in front.
    ///
    /// # Errors
    /// Another number of entries.
    pub fn join(mut self, prefix: &str, friend: Self) -> Result<Self> {
        if friend.entries != self.entries {
            return Err(Error::FriendLength {
                friend: prefix.to_owned(),
                found: friend.entries,
                expected: self.entries,
            });
        }
        let renamed = friend.schema.fields().iter().map(|field| Field {
            name: format!("{prefix}.{}", field.name),
            counter: field.counter.as_ref().map(|c| format!("{prefix}.{c}")),
            ..field.clone()
        });
        let fields = self
            .schema
            .fields()
            .iter()
            .cloned()
            .chain(renamed)
            .collect();
        let unreadable = friend.schema.unreadable().iter().map(|part| Unreadable {
            name: format!("{prefix}.{}", part.name),
            ..part.clone()
        });
        let unreadable = self
            .schema
            .unreadable()
            .iter()
            .cloned()
            .chain(unreadable)
            .collect();
        self.schema = Schema::new(fields, unreadable);
        self.friends.push(Friend {
            prefix: prefix.to_owned(),
            data: friend,
        });
        Ok(self)
    }

    /// Number of entries in all files.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The columns: those of the first file, then those of the friends.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The files with the range of entries of each, in order.
    pub fn files(&self) -> Vec<(PathBuf, Range<u64>)> {
        let files = self.parts.iter();
        files
            .map(|part| (part.path.clone(), part.first..part.first + part.entries))
            .collect()
    }

    /// Reads columns (names and patterns) of a range of entries; it may span files.
    ///
    /// # Errors
    /// A column or a range that is not there, damaged bytes with their place, a limit.
    pub fn read(&self, names: &[&str], entries: Range<u64>) -> Result<Chunk> {
        self.read_selection(&self.select(names)?, entries)
    }

    /// Reads columns (names and patterns) of all entries in chunks of about the size of the options, each from one file and, where
    /// the file allows, cut where nothing is decompressed twice.
    ///
    /// # Errors
    /// A column that is not there.
    pub fn chunks(&self, names: &[&str]) -> Result<Chunks<'_>> {
        Ok(Chunks::new(self, self.select(names)?))
    }

    fn place(&self) -> Place {
        let part = self.parts.first();
        Place {
            file: part.map_or_else(|| "".into(), |p| p.path.display().to_string().into()),
            object: part.map(|p| p.table.clone()).unwrap_or_default(),
            offset: None,
            decompressed: false,
        }
    }

    fn select(&self, names: &[&str]) -> Result<Selection> {
        let positions = self.schema.select(names, &self.place())?;
        let fields = positions
            .iter()
            .filter_map(|k| self.schema.fields().get(*k));
        Ok(Selection {
            names: fields.map(|f| f.name.clone()).collect(),
            positions,
        })
    }

    fn remember(&self, part: usize, table: &Arc<dyn Table>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= OPEN {
            opened.remove(0);
        }
        opened.push((part, table.clone()));
    }

    /// The table of a part, opened if it is not open.
    fn table(&self, index: usize) -> Result<Arc<dyn Table>> {
        {
            let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, table)) = opened.iter().find(|(part, _)| *part == index) {
                return Ok(table.clone());
            }
        }
        let Some(part) = self.parts.get(index) else {
            return Err(Error::NoFiles {
                pattern: String::new(),
            });
        };
        let table = open(&part.path, Some(&part.table), self.options.limits)?;
        if table.entries() != part.entries {
            return Err(Error::Range {
                start: 0,
                end: part.entries,
                entries: table.entries(),
                place: table.place(),
            });
        }
        self.remember(index, &table);
        Ok(table)
    }

    /// Where columns of the data set are in a table: the same name must have the same type.
    fn positions(&self, table: &dyn Table, columns: &[usize]) -> Result<Vec<usize>> {
        let mut found = Vec::with_capacity(columns.len());
        for column in columns {
            let Some(expected) = self.schema.fields().get(*column) else {
                continue;
            };
            let position = table.select(&[&expected.name])?;
            for position in position {
                let Some(field) = table.schema().fields().get(position) else {
                    continue;
                };
                if field.dtype != expected.dtype || field.levels != expected.levels {
                    return Err(Error::TypeChanged {
                        name: expected.name.clone(),
                        expected: expected.shape(),
                        found: field.shape(),
                        place: table.place(),
                    });
                }
                found.push(position);
            }
        }
        Ok(found)
    }

    /// Columns of a selection that this data set itself holds, with their places in the answer.
    fn own_columns(&self, selection: &Selection) -> (Vec<usize>, Vec<usize>) {
        let own = selection
            .positions
            .iter()
            .enumerate()
            .filter(|(_, p)| **p < self.own);
        own.map(|(place, position)| (place, *position)).unzip()
    }

    pub(crate) fn read_selection(
        &self,
        selection: &Selection,
        entries: Range<u64>,
    ) -> Result<Chunk> {
        if entries.start > entries.end || entries.end > self.entries {
            return Err(Error::Range {
                start: entries.start,
                end: entries.end,
                entries: self.entries,
                place: Box::new(self.place()),
            });
        }
        let (places, columns) = self.own_columns(selection);
        let mut pieces: Vec<Vec<Column>> = selection.positions.iter().map(|_| Vec::new()).collect();
        let mut file: Option<Arc<str>> = None;
        // The part of an empty range is the first that it touches.
        let touched =
            |part: &Part| part.first < entries.end && part.first + part.entries > entries.start;
        let any = self.parts.iter().any(touched);
        let fits = |k: usize, part: &Part| if any { touched(part) } else { k == 0 };
        for (k, part) in self.parts.iter().enumerate() {
            if !fits(k, part) {
                continue;
            }
            let table = self.table(k)?;
            let positions = self.positions(table.as_ref(), &columns)?;
            let local =
                |entry: u64| entry.clamp(part.first, part.first + part.entries) - part.first;
            let read = table.read(&positions, local(entries.start)..local(entries.end))?;
            for (place, column) in places.iter().zip(read) {
                if let Some(list) = pieces.get_mut(*place) {
                    list.push(column);
                }
            }
            file.get_or_insert_with(|| table.place().file);
        }
        self.read_friends(selection, &entries, &mut pieces)?;
        Ok(Chunk {
            first: entries.start,
            entries: (entries.end - entries.start) as usize,
            file: file.unwrap_or_else(|| "".into()),
            names: selection.names.clone(),
            columns: pieces.into_iter().filter_map(Column::concat).collect(),
        })
    }

    fn read_friends(
        &self,
        selection: &Selection,
        entries: &Range<u64>,
        pieces: &mut [Vec<Column>],
    ) -> Result<()> {
        for (friend, own, places) in self.of_friends(selection) {
            let chunk = friend.read_selection(&own, entries.clone())?;
            for (place, column) in places.into_iter().zip(chunk.columns) {
                if let Some(list) = pieces.get_mut(place) {
                    list.push(column);
                }
            }
        }
        Ok(())
    }

    /// The friends with columns in a selection: what is selected of each, and the places of that in the answer.
    fn of_friends(&self, selection: &Selection) -> Vec<(&Self, Selection, Vec<usize>)> {
        let mut start = self.own;
        let mut found = Vec::new();
        for friend in &self.friends {
            let end = start + friend.data.schema.fields().len();
            let wanted = selection.positions.iter().enumerate();
            let wanted = wanted.filter(|(_, p)| (start..end).contains(*p));
            let (places, positions): (Vec<usize>, Vec<usize>) = wanted
                .map(|(place, position)| (place, position - start))
                .unzip();
            if !places.is_empty() {
                let fields = positions
                    .iter()
                    .filter_map(|p| friend.data.schema.fields().get(*p));
                let own = Selection {
                    names: fields.map(|f| f.name.clone()).collect(),
                    positions,
                };
                found.push((&friend.data, own, places));
            }
            start = end;
        }
        found
    }

    /// Bytes of an entry, on average, of a selection: the most in any file that holds entries of a range, and offsets on top.
    fn bytes_per_entry(&self, selection: &Selection, entries: &Range<u64>) -> Result<f64> {
        let (_, columns) = self.own_columns(selection);
        let mut most: f64 = 0.0;
        for (k, part) in self.parts.iter().enumerate() {
            let end = part.first + part.entries;
            if columns.is_empty() || part.first >= entries.end || end <= entries.start {
                continue;
            }
            let table = self.table(k)?;
            let mut bytes = 0_u64;
            for position in self.positions(table.as_ref(), &columns)? {
                bytes = bytes.saturating_add(table.sizes(position)?.uncompressed);
            }
            most = most.max(bytes as f64 / part.entries.max(1) as f64 + 8.0);
        }
        for (friend, own, _) in self.of_friends(selection) {
            most += friend.bytes_per_entry(&own, entries)?;
        }
        Ok(most)
    }

    /// Where the entries from `start` on may be cut: the end of the file, entries that fill a chunk, entries where nothing is
    /// decompressed twice.
    pub(crate) fn cuts(&self, selection: &Selection, start: u64) -> Result<Cuts> {
        let part = self.parts.iter().position(|p| p.first + p.entries > start);
        let Some((k, part)) = part.and_then(|k| Some((k, self.parts.get(k)?))) else {
            return Ok(Cuts::default());
        };
        let table = self.table(k)?;
        let (_, columns) = self.own_columns(selection);
        let positions = self.positions(table.as_ref(), &columns)?;
        let end = part.first + part.entries;
        let per_entry = self.bytes_per_entry(selection, &(start..end))?;
        let entries = (self.options.chunk_bytes as f64 / per_entry.max(1.0)) as u64;
        let boundaries = table.boundaries(&positions)?;
        Ok(Cuts {
            end,
            entries: entries.max(1),
            boundaries: boundaries
                .into_iter()
                .map(|b| part.first.saturating_add(b))
                .collect(),
        })
    }

    /// The prefixes of the friends.
    pub fn friends(&self) -> impl Iterator<Item = &str> {
        self.friends.iter().map(|friend| friend.prefix.as_str())
    }
}

/// Where the entries of a file may be cut.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    pub(crate) end: u64,
    pub(crate) entries: u64,
    pub(crate) boundaries: Vec<u64>,
}
