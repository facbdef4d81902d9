//! Draws as columns: in the schema, and in chunks.

use std::sync::Arc;

use pullback_array::DType;
use pullback_io::{self as io, Chunk, Column, Values};
use pullback_prob::Key;

use super::define::Draw;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Input, whole};
use crate::run::IDENTITIES;
use crate::schema::{self, Schema};

/// The columns of a table that tell its events apart, if it has them.
fn identity(table: &io::Schema) -> Option<[&'static str; 3]> {
    let whole = |name: &&str| {
        let field = table.field(name);
        field.is_some_and(|f| {
            let whole = [io::DType::I32, io::DType::I64, io::DType::U64];
            f.levels.is_empty() && whole.contains(&f.dtype.widened())
        })
    };
    IDENTITIES.into_iter().find(|names| names.iter().all(whole))
}

impl Draw {
    /// The name of its column, and the column whose lists it follows.
    fn column(&self, schema: &Schema) -> Result<(String, Option<String>)> {
        let Some(on) = &self.on else {
            return Ok((self.name.clone(), None));
        };
        let lists = || schema.groups().iter().filter(|g| g.list);
        let found = schema.groups().iter().position(|g| g.list && g.name == *on);
        let of = |group| {
            let mut all = schema.columns().iter().enumerate();
            all.find(|(k, _)| schema.group_of(*k) == Some(group))
        };
        let Some((_, first)) = found.and_then(of) else {
            return Err(Error::Unknown {
                place: self.place.clone(),
                what: "collection of the files".into(),
                name: on.clone(),
                nearest: io::nearest(on, lists().map(|g| g.name.as_str())),
                help: "draws belong to objects as they are in the files; what is made of these has them as a field".into(),
            });
        };
        // `Jet_jer` beside `Jet_pt`, `AnalysisJetsAuxDyn.jer` beside `AnalysisJetsAuxDyn.pt`.
        let name = match first.name.rsplit_once('.') {
            Some((before, _)) => format!("{before}.{}", self.name),
            None => format!("{on}_{}", self.name),
        };
        Ok((name, Some(first.name.clone())))
    }
}

impl AnalysisFile {
    /// The columns of the files of a data set, and draws.
    pub(crate) fn with_draws(&self, plain: Schema, table: &io::Schema) -> Result<Schema> {
        let mut columns = plain.columns().to_vec();
        for draw in &self.draws {
            let (name, list) = draw.column(&plain)?;
            if columns.iter().any(|c| c.name == name) || table.field(&name).is_some() {
                return Err(Error::Name {
                    place: draw.place.clone(),
                    name: draw.name.clone(),
                    reason: format!("the files have a column `{name}`"),
                });
            }
            columns.push(schema::Column {
                name,
                dtype: DType::F64,
                list: list.is_some(),
                unit: None,
            });
        }
        if columns.len() == plain.columns().len() {
            return Ok(plain);
        }
        Ok(Schema::new(columns))
    }
}

/// A draw that is asked for.
struct Wanted {
    column: String,
    /// The column whose lists it follows.
    like: Option<String>,
    key: Key,
    draw: Draw,
}

/// The draws that a data set is asked for.
pub(crate) struct Drawn {
    wanted: Vec<Wanted>,
    identity: Option<[&'static str; 3]>,
    /// What is read of the files.
    names: Vec<String>,
}

impl Drawn {
    /// Of the columns that are needed: draws, and what is read of the files.
    pub fn new(
        file: &AnalysisFile,
        input: &Input,
        table: &io::Schema,
        needed: &[&str],
    ) -> Result<Self> {
        let mut names: Vec<String> = needed.iter().map(|n| (*n).to_owned()).collect();
        let mut wanted = Vec::new();
        if !file.draws.is_empty() {
            let schema = Schema::of_table(table);
            for draw in &file.draws {
                let (column, like) = draw.column(&schema)?;
                let before = names.len();
                names.retain(|n| *n != column);
                if names.len() == before {
                    continue;
                }
                wanted.push(Wanted {
                    column,
                    like,
                    key: Key::new(file.seed, &draw.address()).child(&input.name),
                    draw: draw.clone(),
                });
            }
        }
        let identity = identity(table).filter(|_| !wanted.is_empty());
        let likes = wanted.iter().filter_map(|w| w.like.clone());
        let more: Vec<String> = likes
            .chain(identity.iter().flatten().map(|n| (*n).to_owned()))
            .collect();
        for name in more {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Self {
            wanted,
            identity,
            names,
        })
    }

    /// The columns to be read.
    pub fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// A chunk as it was read (before events are left out: places count), with the draws beside what was read.
    pub fn add(&self, mut chunk: Chunk) -> Result<Chunk> {
        if self.wanted.is_empty() {
            return Ok(chunk);
        }
        let sections = match self.identity {
            Some(names) => Sections::new(&chunk, names)?,
            None => Sections::places(&chunk),
        };
        let mut names = chunk.names.to_vec();
        for wanted in &self.wanted {
            let keys = sections.keys(wanted.key);
            let event = |k: usize| (keys[sections.of[k]], sections.events[k]);
            let refuse = |message: String| Error::Column {
                column: wanted.column.clone(),
                message,
            };
            let column = match &wanted.like {
                None => {
                    let at = (0..chunk.entries).map(|k| {
                        let (key, id) = event(k);
                        (key, id, 0)
                    });
                    Column::flat(Values::F64(wanted.draw.distribution.draw(at)))
                }
                Some(like) => {
                    let found = chunk.column(like).and_then(Column::offsets);
                    let offsets = found
                        .ok_or_else(|| refuse(format!("has no lists to follow in `{like}`")))?;
                    let at = offsets.windows(2).enumerate().flat_map(|(k, ends)| {
                        let (key, id) = event(k);
                        (0..(ends[1] - ends[0]) as u32).map(move |step| (key, id, step))
                    });
                    let values = Values::F64(wanted.draw.distribution.draw(at));
                    Column::lists(Arc::clone(offsets), values)
                        .ok_or_else(|| refuse("does not fit to its lists".into()))?
                }
            };
            names.push(wanted.column.clone());
            chunk.columns.push(column);
        }
        chunk.names = names.into();
        Ok(chunk)
    }
}

/// Which section each event of a chunk belongs to, and its number there.
struct Sections {
    names: Vec<String>,
    of: Vec<usize>,
    events: Vec<u64>,
}

impl Sections {
    fn places(chunk: &Chunk) -> Self {
        Self {
            names: vec![String::new()],
            of: vec![0; chunk.entries],
            events: (0..chunk.entries as u64).map(|k| chunk.first + k).collect(),
        }
    }

    fn new(chunk: &Chunk, columns: [&str; 3]) -> Result<Self> {
        let [runs, sections, events] = columns.map(|name| whole(chunk, name));
        let (mut names, mut of) = (Vec::new(), Vec::with_capacity(chunk.entries));
        let mut last = None;
        for at in runs?.into_iter().zip(sections?) {
            if last != Some(at) {
                // Events of a section mostly stand together; one that comes again has its key again.
                names.push(format!("{}:{}", at.0, at.1));
                last = Some(at);
            }
            of.push(names.len() - 1);
        }
        Ok(Self {
            names,
            of,
            events: events?,
        })
    }

    fn keys(&self, key: Key) -> Vec<Key> {
        self.names.iter().map(|name| key.child(name)).collect()
    }
}
