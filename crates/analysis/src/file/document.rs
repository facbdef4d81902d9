//! A TOML document with the places of everything in it.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document as Toml, Item, TableLike, Value};

use crate::define::Analysis;
use crate::error::{Error, Result};
use crate::place::{Place, Source};
use crate::schema::Schema;
use crate::units::Dimension;

/// Largest document, in bytes.
pub const LARGEST: usize = 4 << 20;

/// The text of a document.
#[derive(Debug, Clone)]
pub(super) struct Document {
    path: Arc<str>,
    text: Arc<str>,
    /// Where files are looked for that it names.
    folder: PathBuf,
}

impl Document {
    pub fn new(path: &str, text: &str, folder: &Path) -> Result<(Self, Toml<String>)> {
        let document = Self {
            path: path.into(),
            text: text.into(),
            folder: folder.into(),
        };
        if text.len() > LARGEST {
            return Err(Error::TooLong {
                place: document.place("", None),
                what: "bytes in an analysis file",
                limit: LARGEST,
            });
        }
        let toml = Toml::parse(text.to_owned()).map_err(|e| Error::Meaning {
            place: document.place("", e.span()),
            message: format!("the file is not TOML: {}", e.message().trim_end()),
            help: String::new(),
        })?;
        Ok((document, toml))
    }

    /// A part of the document, as it stands there.
    fn source(&self, key: &str, span: Option<Range<usize>>) -> Source {
        let span = span.unwrap_or(0..0);
        let text = self.text.get(span.clone()).unwrap_or("");
        Source::within(key, text, &*self.path, Arc::clone(&self.text), span.start)
    }

    fn place(&self, key: &str, span: Option<Range<usize>>) -> Place {
        self.source(key, span).everywhere()
    }

    /// An expression in quotes, placed at its first letter.
    fn quoted(&self, key: &str, value: &str, span: Option<Range<usize>>) -> Source {
        let start = span.map_or(0, |s| s.start);
        // One or three quotes, and after these perhaps a line break.
        let offset = [1, 3, 4, 5].into_iter().map(|n| start + n).find(|at| {
            let rest = self.text.get(*at..);
            rest.is_some_and(|rest| rest.starts_with(value))
        });
        let (path, text) = (&*self.path, Arc::clone(&self.text));
        Source::within(key, value, path, text, offset.unwrap_or(usize::MAX))
    }
}

/// One place in which a table stands.
struct Layer<'a> {
    document: &'a Document,
    span: Option<Range<usize>>,
    keys: &'a dyn TableLike,
}

/// A table of the document, which may stand in several ones: later ones win, key by key. It remembers what was asked for: other keys are mistakes.
pub(super) struct Table<'a> {
    /// Its dotted name, empty for the document.
    pub key: String,
    /// The strongest one last.
    layers: Vec<Layer<'a>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    /// All documents as one, the strongest one last.
    pub fn root(documents: &'a [(Document, Toml<String>)]) -> Self {
        let layer = |(document, toml): &'a (Document, Toml<String>)| Layer {
            document,
            span: None,
            keys: toml.as_table(),
        };
        Self {
            key: String::new(),
            layers: documents.iter().map(layer).collect(),
            asked: RefCell::default(),
        }
    }

    /// The place of the table.
    pub fn place(&self) -> Place {
        match self.layers.last() {
            Some(layer) => layer.document.place(&self.key, layer.span.clone()),
            None => Source::new(self.key.as_str(), "").everywhere(),
        }
    }

    /// What stands at a key. Tables under headings are merged; what is written in braces is one value.
    fn find(&self, name: &str) -> Option<Entry<'a>> {
        let dot = if self.key.is_empty() { "" } else { "." };
        let mut found: Option<Entry<'a>> = None;
        for layer in &self.layers {
            let Some(item) = layer.keys.get(name) else {
                continue;
            };
            let weaker = found
                .take()
                .filter(|w| w.item.is_table() && item.is_table());
            let mut under = Vec::new();
            if let Some(weaker) = weaker {
                under = weaker.under;
                under.push((weaker.document, weaker.item));
            }
            found = Some(Entry {
                key: format!("{}{dot}{name}", self.key),
                document: layer.document,
                item,
                under,
            });
        }
        found
    }

    /// What stands at a key.
    pub fn get(&self, name: &'static str) -> Option<Entry<'a>> {
        self.asked.borrow_mut().push(name);
        self.find(name)
    }

    /// What stands at a key that must be there.
    pub fn needed(&self, found: Option<Entry<'a>>, name: &str, what: &str) -> Result<Entry<'a>> {
        found.ok_or_else(|| Error::Meaning {
            place: self.place(),
            message: format!("`{}` has no `{name}`", self.key),
            help: format!("give it {what}"),
        })
    }

    /// Everything in the table, with the names as keys, in the order in which they first come.
    pub fn entries(&self) -> Vec<(&'a str, Entry<'a>)> {
        let mut names: Vec<&'a str> = Vec::new();
        for layer in &self.layers {
            for (name, _) in layer.keys.iter() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let all = names.into_iter();
        all.filter_map(|name| Some((name, self.find(name)?)))
            .collect()
    }

    /// Names keys that may be there.
    pub fn know(&self, names: &[&'static str]) {
        self.asked.borrow_mut().extend(names);
    }

    /// Refuses keys that nobody asked for.
    pub fn finish(&self) -> Result<()> {
        let asked = self.asked.borrow();
        for layer in &self.layers {
            for (name, item) in layer.keys.iter() {
                if asked.contains(&name) {
                    continue;
                }
                let span = layer.keys.key(name).and_then(toml_edit::Key::span);
                let dot = if self.key.is_empty() { "" } else { "." };
                let span = span.or_else(|| item.span());
                return Err(Error::Unknown {
                    place: layer.document.place(&self.key, span),
                    what: "key".into(),
                    name: format!("{}{dot}{name}", self.key),
                    nearest: pullback_io::nearest(name, asked.iter().copied()),
                    help: format!("known are {}", asked.join(", ")),
                });
            }
        }
        Ok(())
    }
}

/// A value of the document.
pub(super) struct Entry<'a> {
    document: &'a Document,
    /// Its dotted name.
    pub key: String,
    item: &'a Item,
    /// Tables of weaker documents, the strongest one last.
    under: Vec<(&'a Document, &'a Item)>,
}

impl<'a> Entry<'a> {
    /// The same where keys that it lacks are those of another table.
    pub fn or(mut self, defaults: &Self) -> Self {
        let mut under = defaults.under.clone();
        under.push((defaults.document, defaults.item));
        under.append(&mut self.under);
        self.under = under;
        self
    }

    /// A file that it names, from the folder of its document on.
    pub fn path(&self, name: &str) -> PathBuf {
        self.document.folder.join(name)
    }

    pub fn place(&self) -> Place {
        self.document.place(&self.key, self.item.span())
    }

    fn expected(&self, expected: &str) -> Error {
        Error::Type {
            place: self.place(),
            expected: expected.into(),
            found: match self.item.type_name() {
                "float" | "integer" => "a number".into(),
                "boolean" => "true or false".into(),
                "array" | "array of tables" => "a list".into(),
                other => format!("a {other}"),
            },
            help: String::new(),
        }
    }

    /// A mistake at this place.
    pub fn refuse(&self, message: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Meaning {
            place: self.place(),
            message: message.into(),
            help: help.into(),
        }
    }

    fn one(&self, value: &'a Value, key: &str) -> Option<Source> {
        match value {
            Value::String(text) => Some(self.document.quoted(key, text.value(), text.span())),
            Value::Integer(_) | Value::Float(_) => Some(self.document.source(key, value.span())),
            _ => None,
        }
    }

    /// An expression: a text or a number.
    pub fn expression(&self) -> Result<Source> {
        let value = self.item.as_value();
        value
            .and_then(|v| self.one(v, &self.key))
            .ok_or_else(|| self.expected("an expression in quotes"))
    }

    /// Expressions: a list of them, or one.
    pub fn expressions(&self) -> Result<Vec<Source>> {
        let Some(list) = self.item.as_array() else {
            return Ok(vec![self.expression()?]);
        };
        let each = list.iter().enumerate();
        each.map(|(k, value)| {
            self.one(value, &format!("{}[{k}]", self.key))
                .ok_or_else(|| self.expected("a list of expressions in quotes"))
        })
        .collect()
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str> {
        let text = self.item.as_str();
        text.ok_or_else(|| self.expected("a text in quotes"))
    }

    /// Texts: a list of them, or one.
    pub fn texts(&self) -> Result<Vec<String>> {
        if let Some(text) = self.item.as_str() {
            return Ok(vec![text.into()]);
        }
        let list = self.item.as_array();
        let texts = list.map(|l| l.iter().map(|v| v.as_str().map(String::from)).collect());
        texts
            .flatten()
            .ok_or_else(|| self.expected("texts in quotes"))
    }

    /// True or false.
    pub fn flag(&self) -> Result<bool> {
        let flag = self.item.as_bool();
        flag.ok_or_else(|| self.expected("true or false"))
    }

    /// A whole number from `least` on.
    pub fn count(&self, least: i64) -> Result<usize> {
        let n = self.item.as_integer().filter(|n| *n >= least);
        n.and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| self.expected(&format!("a whole number from {least} on")))
    }

    /// Whole numbers from `least` on.
    pub fn counts(&self, least: i64) -> Result<Vec<usize>> {
        let each = |v: &Value| {
            let n = v.as_integer().filter(|n| *n >= least);
            n.and_then(|n| usize::try_from(n).ok())
        };
        let list = self.item.as_array();
        let list = list.and_then(|l| l.iter().map(each).collect::<Option<Vec<_>>>());
        list.ok_or_else(|| self.expected(&format!("a list of whole numbers from {least} on")))
    }

    /// A number, with a unit of the expressions if in quotes: `2.4`, `"60 GeV"`.
    pub fn number(&self) -> Result<f64> {
        constant(&self.expression()?)
    }

    /// Several of them.
    pub fn numbers(&self) -> Result<Vec<f64>> {
        self.expressions()?.iter().map(constant).collect()
    }

    /// Numbers with their common dimension, nothing if none has one.
    pub fn quantities(&self) -> Result<(Vec<f64>, Option<Dimension>)> {
        let mut numbers = Vec::new();
        let mut common = None;
        for source in self.expressions()? {
            let (number, dimension) = quantity(&source)?;
            if let (Some(a), Some(b)) = (common, dimension)
                && a != b
            {
                return Err(self.refuse("the units differ", "write all of them in one unit"));
            }
            common = common.or(dimension);
            numbers.push(number);
        }
        Ok((numbers, common))
    }

    /// Numbers in nested lists: all of them in the order of reading, and how many there are at each depth; a number alone has none.
    pub fn grid(&self) -> Result<(Vec<f64>, Vec<usize>)> {
        let (mut numbers, mut shape) = (Vec::new(), Vec::new());
        let value = self.item.as_value();
        let value = value.ok_or_else(|| self.expected("numbers"))?;
        if self.flatten(value, 0, &mut shape, &mut numbers)? {
            return Ok((numbers, shape));
        }
        Err(self.refuse(
            "the lists are not equally long",
            "each list inside another has as many numbers as its neighbours",
        ))
    }

    /// Whether lists of one depth are equally long.
    fn flatten(
        &self,
        value: &Value,
        depth: usize,
        shape: &mut Vec<usize>,
        into: &mut Vec<f64>,
    ) -> Result<bool> {
        let Some(list) = value.as_array() else {
            let number = value.as_float().or(value.as_integer().map(|n| n as f64));
            into.push(number.ok_or_else(|| self.expected("numbers"))?);
            return Ok(depth == shape.len());
        };
        // What comes first says how deep it goes.
        if depth == shape.len() && into.is_empty() {
            shape.push(list.len());
        }
        if shape.get(depth) != Some(&list.len()) || depth >= 8 {
            return Ok(false);
        }
        for inner in list {
            if !self.flatten(inner, depth + 1, shape, into)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A cross-section or luminosity, in pb or 1/pb; `power` is 1 or −1.
    pub fn area(&self, power: i32) -> Result<f64> {
        let help = if power > 0 {
            "write `\"2.1 nb\"` or `\"831 fb\"`"
        } else {
            "write `\"140 /fb\"` or `\"2.3 /pb\"`"
        };
        let refuse = || {
            let what = if power > 0 {
                "a cross-section"
            } else {
                "a luminosity"
            };
            self.refuse(format!("this is not {what}"), help)
        };
        let text = self.item.as_str().ok_or_else(refuse)?;
        let (number, unit) = text.trim().split_once(' ').ok_or_else(refuse)?;
        let unit = unit.trim();
        let unit = if power > 0 {
            unit
        } else {
            unit.strip_prefix('/').ok_or_else(refuse)?
        };
        let barns: [(&str, f64); 7] = [
            ("mb", 1e9),
            ("ub", 1e6),
            ("µb", 1e6),
            ("nb", 1e3),
            ("pb", 1.0),
            ("fb", 1e-3),
            ("ab", 1e-6),
        ];
        let factor = barns.iter().find(|(n, _)| *n == unit).map(|(_, f)| *f);
        let value = number
            .parse::<f64>()
            .ok()
            .filter(|x| x.is_finite() && *x > 0.0);
        let (value, factor) = value.zip(factor).ok_or_else(refuse)?;
        Ok(value * factor.powi(power))
    }

    /// A table.
    pub fn table(&self) -> Result<Table<'a>> {
        let own = (self.document, self.item);
        let mut layers = Vec::with_capacity(self.under.len() + 1);
        for (document, item) in self.under.iter().copied().chain([own]) {
            let keys = item.as_table_like();
            layers.push(Layer {
                document,
                span: item.span(),
                keys: keys.ok_or_else(|| self.expected("a table"))?,
            });
        }
        Ok(Table {
            key: self.key.clone(),
            layers,
            asked: RefCell::default(),
        })
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        self.item.is_table_like()
    }
}

/// The number that a constant expression is.
fn constant(source: &Source) -> Result<f64> {
    Ok(quantity(source)?.0)
}

/// The same with its dimension, where it has one.
fn quantity(source: &Source) -> Result<(f64, Option<Dimension>)> {
    let model = Analysis::new()
        .parameter("value", source.clone())
        .check(&Schema::default())?;
    let found = model.parameters.get("value").copied();
    Ok(found.unwrap_or((f64::NAN, None)))
}
