//! A file of histograms: header, directories, keys, objects, descriptions of classes, free space.
//!
//! Format: ROOT, `io/doc/TFile/README.md` and the pages beside it.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use xxhash_rust::xxh64::xxh64;

use super::classes::streamer_info;
use super::histogram::{refusal, th1d};
use super::label::Label;
use super::output::Output;
use crate::error::{Error, Result};
use crate::root::compression::{Algorithm, compress};
use crate::root::histogram::Histogram;

/// Where the first record is, behind the header.
const BEGIN: usize = 100;
/// Version of ROOT in whose terms the classes are described: 6.24/00.
const VERSION: usize = 62400;
/// Positions are stored in four bytes; ROOT takes files that end before this one as small.
const LARGEST: usize = 2_000_000_000;
/// Cells of a histogram, so that its bytes can be counted in the 30 bits of a byte count.
const MOST_CELLS: usize = 1 << 25;
/// Bytes of a name or a title; the head of a key counts its own in two bytes.
const LONGEST: usize = 4096;
/// Directories in directories: what the reader goes down by default.
const DEEPEST: usize = 64;
/// Where the record of a directory has the length of its list of keys, the position of that, and its identifier.
const KEYS_BYTES: usize = 10;
const KEYS_SEEK: usize = 26;
const IDENTIFIER: usize = 32;
/// The same in the header.
const HEADER_IDENTIFIER: usize = 47;

/// A directory that is being filled.
struct Directory {
    label: Label,
    /// Where its key is.
    seek: usize,
    /// Bytes from its key to its record.
    name_bytes: usize,
    /// Heads of what is in it, one behind the other, and what they are called.
    keys: Vec<u8>,
    names: HashSet<String>,
}

/// Writes histograms of one dimension as `TH1D`s with `fSumw2` into a ROOT file, in directories.
///
/// The file is made in memory, of a few hundred bytes for each histogram and about 2 kB for the descriptions of the classes, and is written by [`finish`](Self::finish).
/// Contents, sums of squared weights, edges and titles come back to the bit; means and widths that ROOT shows are computed from the centres of the bins.
/// Objects are compressed by zlib where that makes them smaller. There is no clock in it and nothing random: dates are those of the year 1995, and the identifiers are
/// made from what is written.
///
/// ```
/// use pullback_io::{Source, root};
/// let axis = root::HistogramAxis::new("m [GeV]", vec![60.0, 80.0, 100.0, 120.0]);
/// let zmm = root::Histogram::th1d("zmm", "SR", axis, &[1.0, 7.5, 2.0], &[0.5, 4.0, 1.0], 21.0);
/// let mut writer = root::HistogramWriter::new("z.root")?;
/// writer.add("SR/m_ll", &zmm)?;
/// let bytes = writer.finish(Vec::new())?;
/// let file = root::File::new(Source::from_bytes("z.root", bytes))?;
/// assert_eq!(file.histogram("SR/m_ll/zmm")?, zmm);
/// # Ok::<(), pullback_io::Error>(())
/// ```
///
/// Reference: ROOT, `io/doc/TFile/README.md`.
pub struct HistogramWriter {
    bytes: Vec<u8>,
    algorithm: Algorithm,
    directories: Vec<Directory>,
    /// Position of a directory by its path.
    by_path: HashMap<String, usize>,
}

impl HistogramWriter {
    /// A file that will have this name (the last part of its path: it stands in the file, too).
    ///
    /// # Errors
    /// [`Error::UnwritableHistogram`]: the name is empty, longer than 4096 bytes, or has a `/`, a `;` or a control character in it.
    pub fn new(name: &str) -> Result<Self> {
        if let Some(what) = wrong_name(name) {
            return Err(unwritable(name, what));
        }
        let mut writer = Self {
            bytes: vec![0; BEGIN],
            algorithm: Algorithm::Zlib,
            directories: Vec::new(),
            by_path: HashMap::from([(String::new(), 0)]),
        };
        // The outermost record has name and title once more.
        let mut named = Output::default();
        named.string(name);
        named.string("");
        writer.directory(Label::new("TFile", name, ""), 0, &named.into_bytes());
        Ok(writer)
    }

    /// Leaves objects as they are from here on.
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        self.algorithm = Algorithm::None;
        self
    }

    /// Adds a histogram to a directory (`a/b`; empty: the outermost), which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::UnwritableHistogram`]: a name (of a directory, too) that is empty, longer than 4096 bytes, there already, or has a `/`, a `;` or a control
    /// character in it; more than 64 directories in each other; not a `TH1D` of one axis with rising edges and a value for each bin; a file too large for
    /// 32-bit positions.
    pub fn add(&mut self, directory: &str, histogram: &Histogram) -> Result<()> {
        let name = histogram.name.as_str();
        let path = match directory {
            "" => name.to_owned(),
            _ => format!("{directory}/{name}"),
        };
        let fail = |what: String| Err(unwritable(&path, what));
        if directory.split('/').count() > DEEPEST {
            return fail(format!("it is in more than {DEEPEST} directories"));
        }
        let parts = directory.split('/').filter(|_| !directory.is_empty());
        let wrong = parts.chain([name]).find_map(wrong_name);
        if let Some(what) = wrong.or_else(|| refusal(histogram)) {
            return fail(what);
        }
        let titles = histogram.axes.iter().map(|axis| &axis.title);
        if titles.chain([&histogram.title]).any(|t| t.len() > LONGEST) {
            return fail(format!("a title has more than {LONGEST} bytes"));
        }
        if histogram.values.len() > MOST_CELLS {
            return fail(format!("it has more than {MOST_CELLS} cells"));
        }
        let at = self.enter(directory)?;
        self.claim(at, name, &path)?;
        let label = Label::new("TH1D", name, &histogram.title);
        let object = th1d(histogram, label.bytes());
        self.record(&label, at, &object, self.algorithm);
        self.check_size(&path)
    }

    /// Completes the file and writes it; gives the sink back.
    ///
    /// # Errors
    /// A sink that does not take bytes, a file too large for 32-bit positions.
    pub fn finish<W: Write>(mut self, mut sink: W) -> Result<W> {
        self.lists_of_keys();
        let info = self.bytes.len();
        let label = Label::new("TList", "StreamerInfo", "Doubly linked list");
        let described = streamer_info(label.bytes());
        self.append(&label, BEGIN, &described, self.algorithm);
        let free = self.bytes.len();
        self.check_size("")?;
        if let Some(top) = self.directories.first() {
            let (label, name_bytes) = (top.label.clone(), top.name_bytes);
            // One free segment: all behind the end.
            let end = free + label.bytes() + 10;
            let mut segment = Output::default();
            segment.u16(1);
            segment.u32(end as u32);
            segment.u32(LARGEST as u32);
            self.append(&label, BEGIN, &segment.into_bytes(), Algorithm::None);
            let mut header = Output::default();
            header.raw(b"root");
            for word in [VERSION, BEGIN, end, free, end - free, 1, name_bytes] {
                header.u32(word as u32);
            }
            header.u8(4); // Bytes of a position.
            header.u32(if self.algorithm == Algorithm::None {
                0
            } else {
                101
            });
            header.u32(info as u32);
            header.u32((free - info) as u32);
            header.u16(1);
            header.raw(&[0; 16]);
            self.put(0, &header.into_bytes());
            self.identify();
        }
        let written = sink.write_all(&self.bytes).and_then(|()| sink.flush());
        written.map_err(|e| Error::Write {
            message: e.to_string(),
        })?;
        Ok(sink)
    }

    /// The directory of a path, made with all around it that is not there.
    fn enter(&mut self, path: &str) -> Result<usize> {
        if let Some(at) = self.by_path.get(path) {
            return Ok(*at);
        }
        let (around, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.enter(around)?;
        self.claim(parent, name, path)?;
        let at = self.directory(Label::new("TDirectory", name, name), parent, &[]);
        self.by_path.insert(path.to_owned(), at);
        Ok(at)
    }

    /// Takes a name in a directory.
    fn claim(&mut self, at: usize, name: &str, path: &str) -> Result<()> {
        let directory = self.directories.get_mut(at);
        if directory.is_some_and(|d| d.names.insert(name.to_owned())) {
            return Ok(());
        }
        Err(unwritable(path, "there are two of this name"))
    }

    /// Starts a directory with its record, which stands behind the bytes `before`; gives its number.
    fn directory(&mut self, label: Label, parent: usize, before: &[u8]) -> usize {
        let around = self.directories.get(parent).map_or(0, |d| d.seek);
        let seek = self.bytes.len();
        let name_bytes = label.bytes() + before.len();
        let mut record = Output::default();
        record.raw(before);
        record.u16(5);
        record.u32(Label::DATE); // Made, changed.
        record.u32(Label::DATE);
        record.u32(0); // Bytes of the list of keys.
        for word in [name_bytes, seek, around] {
            record.u32(word as u32);
        }
        record.u32(0); // Where the list of keys is.
        record.u16(1);
        record.raw(&[0; 16]); // The identifier.
        record.raw(&[0; 12]); // Room for longer positions.
        self.record(&label, parent, &record.into_bytes(), Algorithm::None);
        self.directories.push(Directory {
            label,
            seek,
            name_bytes,
            keys: Vec::new(),
            names: HashSet::new(),
        });
        self.directories.len() - 1
    }

    /// Appends an object, and its key to those of a directory.
    fn record(&mut self, label: &Label, parent: usize, object: &[u8], how: Algorithm) {
        let around = self.directories.get(parent).map_or(0, |d| d.seek);
        let key = self.append(label, around, object, how);
        if let Some(parent) = self.directories.get_mut(parent) {
            parent.keys.extend(key);
        }
    }

    /// Appends an object; gives the head in front of it.
    fn append(&mut self, label: &Label, around: usize, object: &[u8], how: Algorithm) -> Vec<u8> {
        let stored = compress(object, how);
        let key = label.key(self.bytes.len(), around, object.len(), stored.len());
        self.bytes.extend_from_slice(&key);
        self.bytes.extend_from_slice(&stored);
        key
    }

    /// Appends the lists of what is in each directory.
    fn lists_of_keys(&mut self) {
        for directory in std::mem::take(&mut self.directories) {
            let mut list = Output::default();
            list.u32(directory.names.len() as u32);
            list.raw(&directory.keys);
            let seek = self.bytes.len();
            self.append(
                &directory.label,
                directory.seek,
                &list.into_bytes(),
                Algorithm::None,
            );
            let bytes = self.bytes.len() - seek;
            let record = directory.seek + directory.name_bytes;
            self.put(record + KEYS_BYTES, &(bytes as u32).to_be_bytes());
            self.put(record + KEYS_SEEK, &(seek as u32).to_be_bytes());
            self.directories.push(directory);
        }
    }

    /// Gives the file and its directories identifiers that are made from all that is in it (version 8 of RFC 9562).
    fn identify(&mut self) {
        let (low, high) = (xxh64(&self.bytes, 0), xxh64(&self.bytes, 1));
        let of = |seek: usize| {
            let seek = seek as u64;
            let high = xxh64(&high.to_be_bytes(), seek) & !0xf000 | 0x8000;
            let low = xxh64(&low.to_be_bytes(), seek) & !(3 << 62) | 2 << 62;
            (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
        };
        self.put(HEADER_IDENTIFIER, &of(BEGIN));
        let places: Vec<(usize, usize)> = self
            .directories
            .iter()
            .map(|d| (d.seek, d.seek + d.name_bytes))
            .collect();
        for (seek, record) in places {
            self.put(record + IDENTIFIER, &of(seek));
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// Leaves room for the record of free space.
    fn check_size(&self, path: &str) -> Result<()> {
        if self.bytes.len() + 2 * LONGEST < LARGEST {
            return Ok(());
        }
        Err(unwritable(
            path,
            format!("the file is larger than {LARGEST} bytes"),
        ))
    }
}

/// Why a name cannot be one: ROOT has `/` between directories and `;` before the number of a version.
fn wrong_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a name is empty".to_owned());
    }
    if name.len() > LONGEST {
        return Some(format!("a name has more than {LONGEST} bytes"));
    }
    let wrong = name
        .chars()
        .find(|c| matches!(c, '/' | ';') || c.is_control());
    wrong.map(|c| format!("{c:?} cannot stand in a name"))
}

fn unwritable(name: &str, what: impl Into<String>) -> Error {
    Error::UnwritableHistogram {
        name: name.to_owned(),
        what: what.into(),
    }
}
