//! A ROOT file: header, directories, and the objects in them by name.
//!
//! Format: ROOT, `io/doc/TFile/README.md`.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::names::nearest;
use crate::root::histogram::Histogram;
use crate::root::key::Key;
use crate::root::ntuple::Ntuple;
use crate::root::streamer::Streamers;
use crate::root::tree::Tree;
use crate::site::Site;
use crate::source::Source;

/// What kind of thing an object of a file is to this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// `TTree` and what derives from it.
    Tree,
    /// `ROOT::RNTuple`.
    Ntuple,
    /// `TH1*`, `TH2*`, `TH3*`.
    Histogram,
    /// A directory.
    Directory,
    /// Anything else.
    Other,
}

impl ObjectKind {
    fn of(class: &str) -> Self {
        match class {
            "TTree" | "TNtuple" | "TNtupleD" => Self::Tree,
            "ROOT::RNTuple" => Self::Ntuple,
            "TDirectory" | "TDirectoryFile" => Self::Directory,
            _ if Histogram::is_class(class) => Self::Histogram,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Ntuple => "ntuple",
            Self::Histogram => "histogram",
            Self::Directory => "directory",
            Self::Other => "object",
        }
    }
}

/// An object of a file, as its directory lists it.
#[derive(Debug, Clone)]
pub struct Object {
    /// Directories and name, with `/` between.
    pub path: String,
    /// Name of its class.
    pub class: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Number of the version of this name; the highest one is the newest.
    pub cycle: u16,
    /// Its title.
    pub title: String,
    /// Bytes on disk.
    pub bytes: u64,
    key: Key,
}

impl Object {
    fn new(path: String, key: Key) -> Self {
        Self {
            path,
            class: key.class.clone(),
            kind: ObjectKind::of(&key.class),
            cycle: key.cycle,
            title: key.title.clone(),
            bytes: key.bytes,
            key,
        }
    }
}

/// A ROOT file, open for reading.
///
/// Opening reads the header and the list of keys, nothing else.
///
/// # Errors
/// Of every call: damaged bytes with their place; see [`Error`].
#[derive(Debug)]
pub struct File {
    source: Arc<Source>,
    limits: Limits,
    site: Site,
    version: u32,
    top: u64,
    /// The descriptions of classes, read when first needed.
    streamers: OnceLock<Result<Streamers>>,
    streamer_key: (u64, u64),
}

impl File {
    /// Opens a file with the default limits.
    ///
    /// # Errors
    /// It cannot be opened, is not a ROOT file, or its header is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(Source::open(path)?)
    }

    /// Reads from a source with the default limits.
    ///
    /// # Errors
    /// It is not a ROOT file, or its header is damaged.
    pub fn new(source: Source) -> Result<Self> {
        Self::with_limits(source, Limits::default())
    }

    /// Reads from a source.
    ///
    /// # Errors
    /// It is not a ROOT file, or its header is damaged.
    pub fn with_limits(source: Source, limits: Limits) -> Result<Self> {
        let site = Site::new(source.name());
        let head = source.read(&site, 0, source.len().min(512))?;
        let mut cursor = Cursor::new(&head, 0, &site);
        let magic = head.get(..4).unwrap_or_default();
        if magic != b"root" {
            return Err(Error::Format {
                expected: "a ROOT file",
                found: format!("{:?}", String::from_utf8_lossy(magic)),
                place: site.place(Some(0)),
            });
        }
        cursor.skip(4)?;
        let version = cursor.u32()?;
        let begin = u64::from(cursor.u32()?);
        let large = version >= 1_000_000;
        let position = |cursor: &mut Cursor<'_>| {
            if large {
                cursor.u64()
            } else {
                cursor.u32().map(u64::from)
            }
        };
        position(&mut cursor)?; // The end.
        position(&mut cursor)?; // The free list.
        cursor.skip(8)?; // Its length and number.
        let name_bytes = u64::from(cursor.u32()?);
        cursor.skip(5)?; // Units and compression.
        let info = position(&mut cursor)?;
        let info_bytes = u64::from(cursor.u32()?);
        Ok(Self {
            version: version % 1_000_000,
            top: begin.saturating_add(name_bytes),
            source: Arc::new(source),
            limits,
            site,
            streamers: OnceLock::new(),
            streamer_key: (info, info_bytes),
        })
    }

    /// Version of the ROOT that wrote it: 6.30/02 is 63002.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Path or name.
    pub fn name(&self) -> &str {
        self.source.name()
    }

    /// Length in bytes.
    pub fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// All objects, of subdirectories too, in the order of the file; of several versions the newest.
    pub fn objects(&self) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        let mut seen = HashSet::new();
        let names = Budget::names(&self.limits);
        self.walk(self.top, "", 0, &mut seen, &names, &mut objects)?;
        let mut newest: HashMap<&str, u16> = HashMap::with_capacity(objects.len());
        for object in &objects {
            let cycle = newest.entry(object.path.as_str()).or_default();
            *cycle = object.cycle.max(*cycle);
        }
        let is_newest = |o: &&Object| newest.get(o.path.as_str()) == Some(&o.cycle);
        Ok(objects.iter().filter(is_newest).cloned().collect())
    }

    fn walk(
        &self,
        at: u64,
        path: &str,
        depth: u32,
        seen: &mut HashSet<u64>,
        names: &Budget,
        objects: &mut Vec<Object>,
    ) -> Result<()> {
        let site = self.site.object(path);
        site.limit(
            "depth of directories",
            u64::from(depth),
            u64::from(self.limits.depth),
        )?;
        if !seen.insert(at) {
            return Err(site.corrupt(Some(at), "a directory contains itself"));
        }
        for key in self.keys(at, &site)? {
            let path = if path.is_empty() {
                key.name.clone()
            } else {
                format!("{path}/{}", key.name)
            };
            site.limit("keys", objects.len() as u64, self.limits.items)?;
            names.take_texts(&[&path, &key.class, &key.name, &key.title], &site)?;
            let below = key.seek.saturating_add(key.head);
            let object = Object::new(path.clone(), key);
            let kind = object.kind;
            objects.push(object);
            if kind == ObjectKind::Directory {
                self.walk(below, &path, depth + 1, seen, names, objects)?;
            }
        }
        Ok(())
    }

    /// The keys of the directory whose record is at byte `at`.
    fn keys(&self, at: u64, site: &Site) -> Result<Vec<Key>> {
        let record = self
            .source
            .read(site, at, 42.min(self.source.len().saturating_sub(at)))?;
        let mut cursor = Cursor::new(&record, at, site);
        let version = cursor.u16()?;
        cursor.skip(8)?; // Dates.
        let key_bytes = u64::from(cursor.u32()?);
        cursor.skip(4)?;
        let seek = if version > 1000 {
            cursor.skip(16)?;
            cursor.u64()?
        } else {
            cursor.skip(8)?;
            u64::from(cursor.u32()?)
        };
        if seek == 0 {
            return Ok(Vec::new()); // Nothing was ever written into it.
        }
        let list = self.source.read(site, seek, key_bytes)?;
        let mut cursor = Cursor::new(&list, seek, site);
        Key::read(&mut cursor)?;
        let count = i64::from(cursor.i32()?);
        // A head has at least 26 bytes and three texts.
        let count = cursor.count(count, 29, "keys")?;
        (0..count).map(|_| Key::read(&mut cursor)).collect()
    }

    /// An object by path (`dir/name`), or by path and version (`name;3`); without a version the newest.
    pub fn object(&self, path: &str) -> Result<Object> {
        match self.find(path)? {
            Some(object) => Ok(object),
            None => Err(self.no_object("object", path, &self.objects()?)),
        }
    }

    /// Goes down the directories of the path only. Names may have `/` in them, and `;` without a number behind it.
    fn find(&self, path: &str) -> Result<Option<Object>> {
        let versioned = path.rsplit_once(';');
        let versioned = versioned.and_then(|(name, cycle)| Some((name, cycle.parse().ok()?)));
        let (wanted, cycle) = match versioned {
            Some((name, cycle)) => (name, Some(cycle)),
            None => (path, None),
        };
        let key = self.find_in(self.top, wanted, wanted, cycle, 0)?;
        Ok(key.map(|key| Object::new(wanted.to_owned(), key)))
    }

    /// The key of `rest` in the directory at `at`: one that is called so, or one in a directory that `rest` starts with.
    fn find_in(
        &self,
        at: u64,
        wanted: &str,
        rest: &str,
        cycle: Option<u16>,
        depth: u32,
    ) -> Result<Option<Key>> {
        let site = self.site.object(wanted);
        site.limit(
            "depth of directories",
            u64::from(depth),
            u64::from(self.limits.depth),
        )?;
        let keys = self.keys(at, &site)?;
        let fits = |key: &&Key| key.name == rest && cycle.is_none_or(|c| c == key.cycle);
        if let Some(key) = keys.iter().filter(fits).max_by_key(|key| key.cycle) {
            return Ok(Some(key.clone()));
        }
        // Of several versions of a directory the newest.
        let mut folders: Vec<(&str, &Key)> = Vec::new();
        for key in &keys {
            let below = rest.strip_prefix(key.name.as_str());
            let below = below.and_then(|rest| rest.strip_prefix('/'));
            if let (Some(below), ObjectKind::Directory) = (below, ObjectKind::of(&key.class)) {
                match folders.iter_mut().find(|(known, _)| *known == below) {
                    Some((_, known)) if known.cycle < key.cycle => *known = key,
                    Some(_) => {}
                    None => folders.push((below, key)),
                }
            }
        }
        for (below, key) in folders {
            let inside = key.seek.saturating_add(key.head);
            let found = self.find_in(inside, wanted, below, cycle, depth + 1)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn no_object(&self, kind: &'static str, name: &str, objects: &[Object]) -> Error {
        let mut near = nearest(name, objects.iter().map(|o| o.path.as_str()));
        if near.is_empty() {
            near = objects.iter().take(10).map(|o| o.path.clone()).collect();
        }
        Error::NoObject {
            kind,
            name: name.to_owned(),
            nearest: near,
            place: self.site.place(None),
        }
    }

    /// The path of the only tree or ntuple of a file.
    ///
    /// # Errors
    /// None, or more than one: their names are in the help.
    pub fn only_table(&self) -> Result<String> {
        let is_table = |o: &Object| matches!(o.kind, ObjectKind::Tree | ObjectKind::Ntuple);
        let tables: Vec<Object> = self.objects()?.into_iter().filter(is_table).collect();
        match tables.as_slice() {
            [table] => Ok(table.path.clone()),
            _ => Err(Error::NoObject {
                kind: "single tree or ntuple",
                name: String::new(),
                nearest: tables.into_iter().map(|t| t.path).collect(),
                place: self.site.place(None),
            }),
        }
    }

    fn of_kind(&self, path: &str, kind: ObjectKind) -> Result<Object> {
        let object = self.object(path)?;
        if object.kind == kind {
            return Ok(object);
        }
        let same = |o: &Object| o.kind == kind;
        let others: Vec<Object> = self.objects()?.into_iter().filter(same).collect();
        Err(self.no_object(kind.name(), path, &others))
    }

    /// Reads the description of a tree.
    pub fn tree(&self, path: &str) -> Result<Tree> {
        self.tree_of(&self.of_kind(path, ObjectKind::Tree)?)
    }

    /// Reads the description of a tree that [`objects`](Self::objects) or [`object`](Self::object) gave, without looking it up again.
    pub fn tree_of(&self, object: &Object) -> Result<Tree> {
        let site = self.site.object(object.path.as_str());
        let data = object.key.object(&self.source, &site, &self.limits)?;
        Tree::read(&object.key, data, &site, self)
    }

    /// Reads the description of an ntuple.
    pub fn ntuple(&self, path: &str) -> Result<Ntuple> {
        self.ntuple_of(&self.of_kind(path, ObjectKind::Ntuple)?)
    }

    /// Reads the description of an ntuple that [`objects`](Self::objects) or [`object`](Self::object) gave.
    pub fn ntuple_of(&self, object: &Object) -> Result<Ntuple> {
        let site = self.site.object(object.path.as_str());
        let data = object.key.object(&self.source, &site, &self.limits)?;
        Ntuple::read(&data, &site, self.source.clone(), self.limits)
    }

    /// Reads a histogram.
    pub fn histogram(&self, path: &str) -> Result<Histogram> {
        self.histogram_of(&self.of_kind(path, ObjectKind::Histogram)?)
    }

    /// Reads a histogram that [`objects`](Self::objects) or [`object`](Self::object) gave.
    pub fn histogram_of(&self, object: &Object) -> Result<Histogram> {
        let site = self.site.object(object.path.as_str());
        let data = object.key.object(&self.source, &site, &self.limits)?;
        let origin = object.key.head as usize;
        let site = site.decompressed();
        Histogram::read(&data, origin, &object.class, &site, &self.limits)
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The descriptions of the classes in this file.
    pub(crate) fn streamers(&self) -> Result<&Streamers> {
        let read = || {
            let site = self.site.object("StreamerInfo");
            let (at, bytes) = self.streamer_key;
            if at == 0 {
                return Ok(Streamers::default());
            }
            let head = self.source.read(&site, at, bytes)?;
            let key = Key::read(&mut Cursor::new(&head, at, &site))?;
            let data = key.object(&self.source, &site, &self.limits)?;
            Streamers::read(&data, key.head as usize, &site.decompressed(), &self.limits)
        };
        self.streamers
            .get_or_init(read)
            .as_ref()
            .map_err(Clone::clone)
    }
}
