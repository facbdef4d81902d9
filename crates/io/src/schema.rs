//! What a table has: names, types and levels of its columns.

use std::collections::HashMap;
use std::fmt;

use crate::dtype::DType;
use crate::error::{Error, Place, Result};
use crate::names::{matches, nearest};

/// One level between an entry and its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Lists of different lengths.
    List,
    /// Lists of one length.
    Fixed(usize),
    /// One or none.
    Option,
}

/// A column that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name in this crate, unique in the table.
    pub name: String,
    /// Type of the elements.
    pub dtype: DType,
    /// Levels between entries and elements, outermost first.
    pub levels: Vec<Level>,
    /// The type as the file calls it (`vector<float>`); may be empty.
    pub type_name: String,
    /// What the file says about it; may be empty.
    pub title: String,
    /// The column with the lengths of the first level, where the file has one (`nMuon`).
    pub counter: Option<String>,
}

impl Field {
    /// A column to be written.
    ///
    /// ```
    /// use pullback_io::{DType, Field, Level};
    /// assert_eq!(Field::new("pt", DType::F32, &[Level::List]).to_string(), "pt: [f32]");
    /// ```
    pub fn new(name: impl Into<String>, dtype: DType, levels: &[Level]) -> Self {
        Self {
            name: name.into(),
            dtype,
            levels: levels.to_vec(),
            type_name: String::new(),
            title: String::new(),
            counter: None,
        }
    }

    /// Type and levels: `f32`, `[f32]`, `[[3 × f64]]`, `f64?`.
    pub fn shape(&self) -> String {
        let mut text = self.dtype.to_string();
        for level in self.levels.iter().rev() {
            text = match level {
                Level::List => format!("[{text}]"),
                Level::Fixed(n) => format!("[{n} × {text}]"),
                Level::Option => format!("{text}?"),
            };
        }
        text
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.shape())
    }
}

/// A part of a table that this crate does not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name.
    pub name: String,
    /// Its type as the file calls it.
    pub type_name: String,
    /// Why it cannot be read.
    pub reason: String,
}

/// The columns of a table, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    fields: Vec<Field>,
    unreadable: Vec<Unreadable>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    /// A schema of these columns. A name that stands twice gets `#2`, `#3` .. behind.
    pub(crate) fn new(fields: Vec<Field>, unreadable: Vec<Unreadable>) -> Self {
        let mut schema = Self {
            fields: Vec::with_capacity(fields.len()),
            unreadable,
            by_name: HashMap::with_capacity(fields.len()),
        };
        // The number that is tried next for a name that stands twice.
        let mut next: HashMap<String, usize> = HashMap::new();
        for mut field in fields {
            if schema.by_name.contains_key(&field.name) {
                let n = next.entry(field.name.clone()).or_insert(2);
                let mut name = format!("{}#{n}", field.name);
                while schema.by_name.contains_key(&name) {
                    *n += 1;
                    name = format!("{}#{n}", field.name);
                }
                field.name = name;
            }
            schema
                .by_name
                .insert(field.name.clone(), schema.fields.len());
            schema.fields.push(field);
        }
        schema
    }

    /// The columns that can be read.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What cannot be read.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// A column by name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(self.position(name)?)
    }

    /// Positions of the columns that names and patterns (`Muon_*`, `?` is one character) choose, in the order asked for, each once.
    ///
    /// # Errors
    /// A name or a pattern that matches nothing ([`Error::NoColumn`], with the nearest names), or only what cannot be read
    /// ([`Error::Unsupported`]).
    pub(crate) fn select<S: AsRef<str>>(&self, names: &[S], place: &Place) -> Result<Vec<usize>> {
        let mut chosen = Vec::new();
        let mut seen = vec![false; self.fields.len()];
        let mut choose = |k: usize| {
            if let Some(seen) = seen.get_mut(k)
                && !std::mem::replace(seen, true)
            {
                chosen.push(k);
            }
        };
        for name in names {
            let name = name.as_ref();
            if let Some(k) = self.position(name) {
                choose(k);
                continue;
            }
            let mut any = false;
            if name.contains(['*', '?']) {
                for (k, field) in self.fields.iter().enumerate() {
                    if matches(name, &field.name) {
                        any = true;
                        choose(k);
                    }
                }
            }
            if !any {
                return Err(self.missing(name, place));
            }
        }
        Ok(chosen)
    }

    fn missing(&self, name: &str, place: &Place) -> Error {
        if let Some(part) = self.unreadable.iter().find(|u| matches(name, &u.name)) {
            let mut place = place.clone();
            place.object = format!("{}/{}", place.object, part.name);
            return Error::Unsupported {
                what: format!("the type {} ({})", part.type_name, part.reason),
                place: Box::new(place),
            };
        }
        Error::NoColumn {
            name: name.to_owned(),
            nearest: nearest(name, self.fields.iter().map(|f| f.name.as_str())),
            place: Box::new(place.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Field {
        Field {
            name: name.into(),
            dtype: DType::F32,
            levels: vec![Level::List, Level::Fixed(3)],
            type_name: String::new(),
            title: String::new(),
            counter: None,
        }
    }

    #[test]
    fn names_and_patterns_choose() {
        let unreadable = Unreadable {
            name: "map".into(),
            type_name: "map<int,int>".into(),
            reason: "a map".into(),
        };
        let names = ["Muon_pt", "Muon_eta", "MET", "MET"];
        let schema = Schema::new(names.map(field).to_vec(), vec![unreadable]);
        assert_eq!(schema.fields()[3].name, "MET#2");
        let place = Place {
            file: "f".into(),
            object: "t".into(),
            offset: None,
            decompressed: false,
        };
        assert_eq!(schema.select(&["MET", "M*t*"], &place).unwrap(), [2, 0, 1]);
        let missing = schema.select(&["Muon_pT"], &place).unwrap_err();
        assert!(missing.help().contains("Muon_pt"), "{}", missing.help());
        assert_eq!(schema.select(&["J*"], &place).unwrap_err().code(), "PB0510");
        assert_eq!(
            schema.select(&["map"], &place).unwrap_err().code(),
            "PB0508"
        );
    }

    #[test]
    fn shapes_read_from_the_outside_in() {
        assert_eq!(field("x").to_string(), "x: [[3 × f32]]");
    }

    /// Quadratic work would take hours here.
    #[test]
    fn one_name_many_times() {
        let mut fields = vec![field("x"); 200_000];
        fields.insert(1, field("x#3"));
        let schema = Schema::new(fields, Vec::new());
        let names = schema.fields().iter().map(|f| f.name.as_str());
        let names: Vec<&str> = names.collect();
        assert_eq!(&names[..5], ["x", "x#3", "x#2", "x#4", "x#5"]);
        assert_eq!(schema.position("x#200001"), Some(200_000));
    }
}
