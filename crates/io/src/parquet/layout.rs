//! From the tree of fields to columns: names, types and levels of its leaves.
//!
//! Specification: `LogicalTypes.md` of the Parquet format, "Lists" with its rules for older files, and "Maps".

use std::sync::Arc;

use crate::budget::Budget;
use crate::dtype::DType;
use crate::error::Result;
use crate::limits::Limits;
use crate::parquet::metadata::{Element, Meaning, Physical, Repetition};
use crate::schema::{Field, Level, Unreadable};
use crate::site::Site;

/// A level on the way to a leaf: a list is a repetition level and a definition level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    List,
    /// So many definition levels: the optional field of an optional record is there or not, whichever of them is missing.
    Option(u8),
}

impl Step {
    pub(crate) fn definitions(self) -> u8 {
        match self {
            Self::List => 1,
            Self::Option(levels) => levels,
        }
    }
}

/// How a column is read.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// Number of its chunk in every row group.
    pub(crate) chunk: usize,
    pub(crate) physical: Physical,
    pub(crate) dtype: DType,
    pub(crate) steps: Arc<[Step]>,
}

impl Leaf {
    pub(crate) fn definitions(&self) -> u8 {
        self.steps.iter().map(|step| step.definitions()).sum()
    }

    pub(crate) fn repetitions(&self) -> u8 {
        self.steps.iter().filter(|s| **s == Step::List).count() as u8
    }
}

/// The columns of a file.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) fields: Vec<Field>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) unreadable: Vec<Unreadable>,
}

struct Walk<'a> {
    elements: &'a [Element],
    next: usize,
    chunks: usize,
    names: Budget,
    depth: u32,
    site: &'a Site,
    layout: Layout,
}

impl Layout {
    pub(crate) fn new(elements: &[Element], site: &Site, limits: &Limits) -> Result<Self> {
        let mut walk = Walk {
            elements,
            next: 1,
            chunks: 0,
            names: Budget::names(limits),
            // Definition levels are bytes, and a depth is two of them.
            depth: limits.depth.min(100),
            site,
            layout: Self::default(),
        };
        let Some(root) = elements.first() else {
            return Err(site.corrupt(None, "a file without fields"));
        };
        for _ in 0..root.children {
            walk.field("", true, &[], 0)?;
        }
        if walk.next < elements.len() {
            let what = format!("{} fields, {} hang together", elements.len(), walk.next);
            return Err(site.corrupt(None, what));
        }
        Ok(walk.layout)
    }
}

impl<'a> Walk<'a> {
    fn take(&mut self) -> Result<&'a Element> {
        let element = self.elements.get(self.next);
        self.next += 1;
        element.ok_or_else(|| {
            let what = "a field has more children than there are fields";
            self.site.corrupt(None, what)
        })
    }

    /// The next field and what is below it; its own name is added to `path` where it is `named`.
    fn field(&mut self, path: &str, named: bool, above: &[Step], depth: u32) -> Result<()> {
        let element = self.take()?;
        self.site
            .limit("depth of fields", u64::from(depth), u64::from(self.depth))?;
        let name = match (path, named) {
            ("", _) => element.name.clone(),
            (path, false) => path.to_owned(),
            (path, true) => format!("{path}.{}", element.name),
        };
        self.names.take_texts(&[&name], self.site)?;
        let mut steps = above.to_vec();
        match element.repetition {
            Repetition::Required => {}
            Repetition::Optional => match steps.last_mut() {
                Some(Step::Option(levels)) => *levels += 1,
                _ => steps.push(Step::Option(1)),
            },
            Repetition::Repeated => steps.push(Step::List),
        }
        if element.children == 0 {
            self.leaf(element, name, steps);
            return Ok(());
        }
        let child = self.elements.get(self.next);
        let child = child.filter(|c| element.children == 1 && c.repetition == Repetition::Repeated);
        match (element.meaning, child) {
            (Meaning::List, Some(child)) => {
                // Of three levels the one in the middle only repeats; older files have two.
                let two = child.children != 1
                    || child.name == "array"
                    || child.name.strip_suffix("_tuple") == Some(&element.name);
                if !two {
                    self.take()?;
                    steps.push(Step::List);
                }
                self.field(&name, false, &steps, depth + 1)
            }
            (Meaning::Map, Some(_)) => self.field(&name, false, &steps, depth + 1),
            _ => {
                for _ in 0..element.children {
                    self.field(&name, true, &steps, depth + 1)?;
                }
                Ok(())
            }
        }
    }

    fn leaf(&mut self, element: &Element, name: String, steps: Vec<Step>) {
        let chunk = self.chunks;
        self.chunks += 1;
        let (type_name, read) = interpretation(element);
        let levels = steps.iter().map(|step| match step {
            Step::List => Level::List,
            Step::Option(_) => Level::Option,
        });
        match read {
            Ok((physical, dtype)) => {
                self.layout.fields.push(Field {
                    name,
                    dtype,
                    levels: levels.collect(),
                    type_name,
                    title: String::new(),
                    counter: None,
                });
                self.layout.leaves.push(Leaf {
                    chunk,
                    physical,
                    dtype,
                    steps: steps.into(),
                });
            }
            Err(reason) => self.layout.unreadable.push(Unreadable {
                name,
                type_name,
                reason: reason.to_owned(),
            }),
        }
    }
}

/// The type as the file calls it, and what it is here.
fn interpretation(element: &Element) -> (String, Result<(Physical, DType), &'static str>) {
    let Some(physical) = element.physical else {
        return ("group".to_owned(), Err("it has no fields"));
    };
    let stored = match physical {
        Physical::Bool => "boolean".to_owned(),
        Physical::I32 => "int32".to_owned(),
        Physical::I64 => "int64".to_owned(),
        Physical::F32 => "float".to_owned(),
        Physical::F64 => "double".to_owned(),
        Physical::Bytes => "byte_array".to_owned(),
        Physical::Fixed(12) if element.meaning == Meaning::None => "int96".to_owned(),
        Physical::Fixed(n) => format!("fixed_len_byte_array({n})"),
    };
    let dtype = match (physical, element.meaning) {
        (_, Meaning::Other(what)) => return (format!("{stored} ({what})"), Err(what)),
        (Physical::Bool, _) => DType::Bool,
        (Physical::I32, Meaning::Integer { bits: 8, signed }) => {
            if signed {
                DType::I8
            } else {
                DType::U8
            }
        }
        (Physical::I32, Meaning::Integer { bits: 16, signed }) => {
            if signed {
                DType::I16
            } else {
                DType::U16
            }
        }
        (Physical::I32, Meaning::Integer { signed: false, .. }) => DType::U32,
        (Physical::I64, Meaning::Integer { signed: false, .. }) => DType::U64,
        (Physical::I32, _) => DType::I32,
        (Physical::I64, _) => DType::I64,
        (Physical::F32, _) | (Physical::Fixed(2), Meaning::Half) => DType::F32,
        (Physical::F64, _) => DType::F64,
        (Physical::Bytes, _) => DType::Str,
        (Physical::Fixed(_), _) => return (stored, Err("bytes of a fixed length are not read")),
    };
    let name = match element.meaning {
        Meaning::Text => "string".to_owned(),
        Meaning::Integer { .. } => dtype.name().to_owned(),
        Meaning::Half => "float16".to_owned(),
        Meaning::Time(what) => what.to_owned(),
        _ => stored,
    };
    (name, Ok((physical, dtype)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, repetition: Repetition, children: usize, meaning: Meaning) -> Element {
        Element {
            name: name.into(),
            physical: None,
            repetition,
            children,
            meaning,
        }
    }

    fn number(name: &str, repetition: Repetition) -> Element {
        Element {
            physical: Some(Physical::F32),
            ..group(name, repetition, 0, Meaning::None)
        }
    }

    fn shapes(mut elements: Vec<Element>, tops: usize) -> Vec<String> {
        elements.insert(
            0,
            group("schema", Repetition::Required, tops, Meaning::None),
        );
        let site = Site::new(&"f".into());
        let layout = Layout::new(&elements, &site, &Limits::default()).unwrap();
        layout.fields.iter().map(ToString::to_string).collect()
    }

    /// The cases of the specification.
    #[test]
    fn lists_of_all_ages() {
        use Repetition::{Optional, Repeated, Required};
        let list = |repetition| group("l", repetition, 1, Meaning::List);
        let three = vec![
            list(Optional),
            group("list", Repeated, 1, Meaning::None),
            number("element", Optional),
        ];
        assert_eq!(shapes(three, 1), ["l: [f32?]?"]);
        let two = vec![list(Required), number("element", Repeated)];
        assert_eq!(shapes(two, 1), ["l: [f32]"]);
        let records = vec![
            list(Required),
            group("element", Repeated, 2, Meaning::None),
            number("a", Required),
            number("b", Optional),
        ];
        assert_eq!(shapes(records, 1), ["l.a: [f32]", "l.b: [f32?]"]);
        for name in ["array", "l_tuple"] {
            let one = vec![
                list(Required),
                group(name, Repeated, 1, Meaning::None),
                number("a", Required),
            ];
            assert_eq!(shapes(one, 1), ["l.a: [f32]"], "{name}");
        }
        let bare = vec![number("x", Repeated), number("y", Required)];
        assert_eq!(shapes(bare, 2), ["x: [f32]", "y: f32"]);
        let map = vec![
            group("m", Optional, 1, Meaning::Map),
            group("key_value", Repeated, 2, Meaning::None),
            number("key", Required),
            number("value", Optional),
        ];
        assert_eq!(shapes(map, 1), ["m.key: [f32]?", "m.value: [f32?]?"]);
    }

    #[test]
    fn trees_that_do_not_hang_together_are_refused() {
        let site = Site::new(&"f".into());
        let root = |n| group("schema", Repetition::Required, n, Meaning::None);
        let x = number("x", Repetition::Required);
        let deep = (0..200).map(|_| group("g", Repetition::Optional, 1, Meaning::None));
        for elements in [
            vec![],
            vec![root(2), x.clone()],
            vec![root(1), x.clone(), x.clone()],
            vec![root(usize::MAX), x],
            deep.collect(),
        ] {
            assert!(Layout::new(&elements, &site, &Limits::default()).is_err());
        }
    }
}
