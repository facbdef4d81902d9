//! From fields to columns: the levels on the way to each leaf, and the page columns that hold them.
//!
//! Specification: section "Mapping of C++ Types to Fields and Columns".

use crate::budget::Budget;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::root::ntuple::description::{Description, Role};
use crate::root::ntuple::encoding::Encoding;
use crate::root::number::Number;
use crate::schema::{Field, Level, Unreadable};
use crate::site::Site;

/// The alternatives in which a field may be stored: the page columns of each.
pub(crate) type Representations = Vec<Vec<usize>>;

/// A level on the way to a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    List(Representations),
    Option(Representations),
    Fixed(usize),
}

/// What stands at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaf {
    Number(Representations, DType),
    Text(Representations),
    /// How many children a collection has.
    Cardinality(Representations, DType),
}

/// How a column is read.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) steps: Vec<Step>,
    pub(crate) leaf: Leaf,
}

/// The columns of an ntuple.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) fields: Vec<Field>,
    pub(crate) paths: Vec<Path>,
    pub(crate) unreadable: Vec<Unreadable>,
}

struct Walk<'a> {
    description: &'a Description,
    children: Vec<Vec<usize>>,
    columns: Vec<Representations>,
    encodings: Vec<Option<Encoding>>,
    layout: Layout,
    depth: u32,
    names: Budget,
    site: &'a Site,
}

/// Why a field gives no column.
enum Stop {
    /// It is not read.
    Reason(String),
    /// Nothing is.
    Failed(Error),
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

impl From<&str> for Stop {
    fn from(reason: &str) -> Self {
        Self::Reason(reason.to_owned())
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Ways to store one field, and columns of each.
const WAYS: (usize, usize) = (64, 2);

impl Layout {
    pub(crate) fn new(description: &Description, site: &Site, limits: &Limits) -> Result<Self> {
        let fields = &description.fields;
        let mut children = vec![Vec::new(); fields.len()];
        let mut tops = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            // A parent stands before its children, so there are no circles.
            match children.get_mut(field.parent) {
                _ if field.parent == index => tops.push(index),
                Some(list) if field.parent < index => list.push(index),
                _ => {
                    return Err(
                        site.corrupt(None, format!("the field `{}` has no parent", field.name))
                    );
                }
            }
        }
        let mut columns = vec![Representations::new(); fields.len()];
        let mut attach = |column: usize, field: usize| {
            let (Some(record), Some(list)) =
                (description.columns.get(column), columns.get_mut(field))
            else {
                let what = format!("column {column} of field {field} does not exist");
                return Err(site.corrupt(None, what));
            };
            let at = usize::from(record.representation);
            if at > list.len() {
                let what = format!("representation {at} of column {column} comes too early");
                return Err(site.corrupt(None, what));
            }
            if at == list.len() {
                list.push(Vec::new());
            }
            if let Some(representation) = list.get_mut(at) {
                representation.push(column);
            }
            Ok(())
        };
        for (column, record) in description.columns.iter().enumerate() {
            attach(column, record.field)?;
        }
        for (column, field) in &description.aliases {
            attach(*column, *field)?;
        }
        let mut walk = Walk {
            description,
            children,
            columns,
            encodings: description.columns.iter().map(Encoding::of).collect(),
            layout: Self::default(),
            depth: limits.depth,
            names: Budget::names(limits),
            site,
        };
        for top in tops {
            let name = fields.get(top).map_or("", |f| f.name.as_str());
            walk.field(top, name, &[], 0)?;
        }
        Ok(walk.layout)
    }
}

impl Walk<'_> {
    fn field(&mut self, index: usize, name: &str, steps: &[Step], depth: u32) -> Result<()> {
        let record = self.description.fields.get(index);
        let texts = record.map_or(["", ""], |r| [&r.type_name, &r.description]);
        self.names.take_texts(&[name], self.site)?;
        self.names.take_texts(&texts, self.site)?;
        match self.try_field(index, name, steps, depth) {
            Err(Stop::Reason(reason)) => self.layout.unreadable.push(Unreadable {
                name: name.to_owned(),
                type_name: record.map(|r| r.type_name.clone()).unwrap_or_default(),
                reason,
            }),
            Err(Stop::Failed(error)) => return Err(error),
            Ok(()) => {}
        }
        Ok(())
    }

    fn try_field(
        &mut self,
        index: usize,
        name: &str,
        steps: &[Step],
        depth: u32,
    ) -> Result<(), Stop> {
        let Some(record) = self.description.fields.get(index) else {
            return Ok(());
        };
        if depth > self.depth {
            return Err("it is nested too deeply".into());
        }
        let children = self.children.get(index).cloned().unwrap_or_default();
        let columns = self.columns.get(index).cloned().unwrap_or_default();
        if columns.len() > WAYS.0 || columns.iter().any(|way| way.len() > WAYS.1) {
            return Err("it is stored in too many columns".into());
        }
        let mut steps = steps.to_vec();
        if let Some(repetition) = record.repetition {
            let n = usize::try_from(repetition).ok().filter(|n| *n < 1 << 32);
            steps.push(Step::Fixed(n.ok_or("its arrays are too long")?));
        }
        match record.role {
            Role::Collection => {
                self.index(&columns)?;
                let optional = ["std::optional<", "std::unique_ptr<"];
                steps.push(
                    if optional.iter().any(|o| record.type_name.starts_with(o)) {
                        Step::Option(columns)
                    } else {
                        Step::List(columns)
                    },
                );
                for child in children {
                    self.field(child, name, &steps, depth + 1)?;
                }
                Ok(())
            }
            Role::Record => {
                let names: Vec<&str> = children
                    .iter()
                    .filter_map(|c| self.description.fields.get(*c))
                    .map(|c| c.name.as_str())
                    .collect();
                // Parts of pairs and tuples are called `_0`, `_1`: here `0`, `1`.
                let numbered = names.iter().all(|n| {
                    n.strip_prefix('_')
                        .is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()))
                });
                let full = |own: &str| match own {
                    // Members of base classes are as members of their own.
                    base if base.starts_with(":_") => name.to_owned(),
                    own if numbered => format!("{name}.{}", own.trim_start_matches('_')),
                    own => format!("{name}.{own}"),
                };
                for (child, own) in children.into_iter().zip(names) {
                    self.field(child, &full(own), &steps, depth + 1)?;
                }
                Ok(())
            }
            Role::Leaf if columns.is_empty() => {
                // An enumeration, an atomic or an array: what it is made of stands in its only child.
                for child in children {
                    self.field(child, name, &steps, depth + 1)?;
                }
                Ok(())
            }
            Role::Leaf => {
                let leaf = self.leaf(&record.type_name, columns)?;
                self.add(index, name, steps, leaf);
                Ok(())
            }
            Role::Variant => Err("variants are not read".into()),
            Role::Streamer => Err("it is stored by ROOT's streamer".into()),
            Role::Unknown => Err("its role is unknown".into()),
        }
    }

    fn encoding(&self, column: usize) -> Result<Encoding, String> {
        let known = self.encodings.get(column).copied().flatten();
        known.ok_or_else(|| "the type of its column is unknown".to_owned())
    }

    /// All representations of a collection start with a column of indices.
    fn index(&self, columns: &Representations) -> Result<(), String> {
        if columns.is_empty() {
            return Err("it has no column".to_owned());
        }
        for representation in columns {
            match representation
                .first()
                .map(|c| self.encoding(*c))
                .transpose()?
            {
                Some(encoding) if encoding.is_index() => {}
                _ => return Err("its first column holds no indices".to_owned()),
            }
        }
        Ok(())
    }

    fn leaf(&self, type_name: &str, columns: Representations) -> Result<Leaf, String> {
        if let Some(size) = type_name.strip_prefix("ROOT::RNTupleCardinality<") {
            self.index(&columns)?;
            let wide = size.contains("64");
            return Ok(Leaf::Cardinality(
                columns,
                if wide { DType::U64 } else { DType::U32 },
            ));
        }
        if type_name == "std::string" {
            self.index(&columns)?;
            if columns.iter().any(|c| c.len() != 2) {
                return Err("a text has two columns".to_owned());
            }
            return Ok(Leaf::Text(columns));
        }
        let mut stored = None;
        for representation in &columns {
            let [column] = representation.as_slice() else {
                return Err("a number has one column".to_owned());
            };
            let encoding = self.encoding(*column)?;
            if encoding.is_index() {
                return Err("it holds indices".to_owned());
            }
            stored.get_or_insert(encoding.dtype());
        }
        let stored = stored.ok_or("it has no column")?;
        let dtype = match type_name {
            "std::byte" => DType::U8,
            // A bitset, and types that are called as their columns are.
            name => Number::of_type(name).map_or(stored, Number::dtype),
        };
        Ok(Leaf::Number(columns, dtype))
    }

    fn add(&mut self, index: usize, name: &str, steps: Vec<Step>, leaf: Leaf) {
        let Some(record) = self.description.fields.get(index) else {
            return;
        };
        let levels = steps.iter().map(|step| match step {
            Step::List(_) => Level::List,
            Step::Option(_) => Level::Option,
            Step::Fixed(n) => Level::Fixed(*n),
        });
        let dtype = match &leaf {
            Leaf::Number(_, dtype) | Leaf::Cardinality(_, dtype) => *dtype,
            Leaf::Text(_) => DType::Str,
        };
        self.layout.fields.push(Field {
            name: name.to_owned(),
            dtype,
            levels: levels.collect(),
            type_name: record.type_name.clone(),
            title: record.description.clone(),
            counter: None,
        });
        self.layout.paths.push(Path { steps, leaf });
    }
}
