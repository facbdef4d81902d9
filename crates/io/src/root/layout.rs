//! From branches and leaves to columns: how the bytes of an entry become numbers.

use std::borrow::Cow;

use crate::budget::Budget;
use crate::dtype::DType;
use crate::error::Result;
use crate::root::branch::{Branch, Branches, Leaf, LeafClass};
use crate::root::file::File;
use crate::root::number::Number;
use crate::root::reduced::reduced;
use crate::root::streamer::Record;
use crate::schema::{Field, Level, Unreadable};
use crate::site::Site;

/// How the entries of a branch stand in its baskets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// Every entry is one item.
    Flat,
    /// Items back to back; another branch tells how many per entry.
    Counted(usize),
    /// Items back to back; the entry offsets tell how many per entry. Arrays behind a pointer have a byte in front that says whether
    /// there are any.
    Jagged { flag: usize },
    /// A collection: a head of six bytes, then `depth` levels of a 32-bit number of items in front of the items.
    Lists { depth: usize },
    /// A text: a head of so many bytes, a length of one or five bytes, the text.
    Text { head: usize },
    /// A collection of texts: as `Lists`, with a length in front of each text.
    TextLists { depth: usize },
}

/// How a branch is read, and the size of its items.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) stride: usize,
    /// Byte counts that stand at the same places of every item.
    pub(crate) heads: Vec<(usize, u32)>,
}

/// Which part of a branch a column is.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) branch: usize,
    /// `None`: text.
    pub(crate) number: Option<Number>,
    pub(crate) at: usize,
    /// Fixed lengths inside an item, outermost first.
    pub(crate) dims: Vec<usize>,
}

/// The columns of a tree.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) fields: Vec<Field>,
    pub(crate) parts: Vec<Part>,
    /// By branch.
    pub(crate) plans: Vec<Option<Plan>>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A number in an item, before it has a full name.
struct Member {
    suffix: String,
    number: Option<Number>,
    at: usize,
    dims: Vec<usize>,
}

/// What a branch holds.
struct Content {
    plan: Plan,
    members: Vec<Member>,
    type_name: String,
}

impl Layout {
    pub(crate) fn new(branches: &Branches, file: &File, site: &Site) -> Result<Self> {
        let mut layout = Self::default();
        let mut names: Vec<String> = Vec::with_capacity(branches.list.len());
        let budget = Budget::names(file.limits());
        let columns = Budget::items("columns", file.limits());
        for (index, branch) in branches.list.iter().enumerate() {
            let parent = branch.parent.and_then(|p| names.get(p)).map(String::as_str);
            let name = full_name(&branch.name, parent);
            let content = Reader { branches, file }.content(index, branch)?;
            budget.take_texts(&[&name], site)?;
            if let Ok(content) = &content {
                columns.take(content.members.len() as u64, site)?;
                for member in &content.members {
                    let texts: [&str; 4] =
                        [&name, &member.suffix, &content.type_name, &branch.title];
                    budget.take_texts(&texts, site)?;
                }
            }
            layout.add(index, branch, &name, content, branches);
            names.push(name);
        }
        Ok(layout)
    }

    fn add(
        &mut self,
        index: usize,
        branch: &Branch,
        name: &str,
        content: Result<Content, Option<(String, String)>>,
        branches: &Branches,
    ) {
        let content = match content {
            Ok(content) => content,
            Err(why) => {
                self.plans.push(None);
                if let Some((type_name, reason)) = why {
                    self.unreadable.push(Unreadable {
                        name: name.to_owned(),
                        type_name,
                        reason,
                    });
                }
                return;
            }
        };
        let lists = match content.plan.shape {
            Shape::Flat | Shape::Text { .. } => 0,
            Shape::Counted(_) | Shape::Jagged { .. } => 1,
            Shape::Lists { depth } | Shape::TextLists { depth } => depth,
        };
        let counter = match content.plan.shape {
            Shape::Counted(counter) => branches.list.get(counter).map(|b| b.name.clone()),
            _ => None,
        };
        for member in content.members {
            let mut levels = vec![Level::List; lists];
            levels.extend(member.dims.iter().map(|n| Level::Fixed(*n)));
            self.fields.push(Field {
                name: format!("{name}{}", member.suffix),
                dtype: member.number.map_or(DType::Str, Number::dtype),
                levels,
                type_name: content.type_name.clone(),
                title: branch.title.clone(),
                counter: counter.clone(),
            });
            self.parts.push(Part {
                branch: index,
                number: member.number,
                at: member.at,
                dims: member.dims,
            });
        }
        self.plans.push(Some(content.plan));
    }
}

/// The name of a branch in its tree: members of an object that do not carry its name get it in front.
fn full_name(name: &str, parent: Option<&str>) -> String {
    let Some(parent) = parent else {
        return name.trim_end_matches('.').to_owned();
    };
    let own = name.trim_end_matches('.');
    if own
        .strip_prefix(parent)
        .is_some_and(|rest| rest.starts_with('.'))
    {
        own.to_owned()
    } else {
        format!("{parent}.{own}")
    }
}

struct Reader<'a> {
    branches: &'a Branches,
    file: &'a File,
}

impl Reader<'_> {
    /// What a branch holds; `Err(None)` for one that only groups others.
    #[allow(
        clippy::type_complexity,
        reason = "the inner error is a reason, not a failure"
    )]
    fn content(
        &self,
        index: usize,
        branch: &Branch,
    ) -> Result<Result<Content, Option<(String, String)>>> {
        let leaves: Vec<&Leaf> = branch
            .leaves
            .iter()
            .filter_map(|k| self.branches.leaves.get(*k))
            .collect();
        let type_name = branch
            .split
            .as_ref()
            .map_or_else(String::new, |s| s.class.clone());
        let no = |reason: &str| Ok(Err(Some((type_name.clone(), reason.to_owned()))));
        if branch.children > 0 {
            return Ok(match &branch.split {
                // The number of objects in a TClonesArray.
                Some(split) if split.kind == 3 => Ok(plain(Number::I32, Vec::new())),
                _ => Err(None),
            });
        }
        if !branch.known {
            return no("branches of this class are not read");
        }
        match leaves.as_slice() {
            [] => no("it has no leaves"),
            [leaf] => match number_of(leaf, &self.title(branch, leaf)?) {
                Ok(number) => Ok(Ok(self.single(index, branch, leaf, number))),
                Err(Some(reason)) => no(&reason),
                Err(None) => self.object(branch, leaf),
            },
            leaves => Ok(leaf_list(leaves).map_err(|reason| Some((type_name.clone(), reason)))),
        }
    }

    /// The title with the range of a `Double32_t`: of the leaf, or of the member that a split branch holds.
    fn title<'b>(&'b self, branch: &Branch, leaf: &'b Leaf) -> Result<Cow<'b, str>> {
        let reduced = leaf.class == LeafClass::Element && matches!(leaf.kind % 20, 9 | 19);
        if let (true, Some(split)) = (reduced, &branch.split)
            && split.id >= 0
        {
            let element = self
                .file
                .streamers()?
                .element(&split.class, split.id as usize);
            return Ok(element.map_or_else(|| "".into(), |e| e.title.as_str().into()));
        }
        Ok(leaf.title.as_str().into())
    }

    /// One leaf of numbers.
    fn single(&self, index: usize, branch: &Branch, leaf: &Leaf, number: Number) -> Content {
        let counter = leaf.counter.and_then(|k| self.branches.leaves.get(k));
        let dims = dims(leaf);
        let mut content = plain(number, dims);
        content.type_name = type_name(leaf, number);
        if let Some(counter) = counter {
            // Counters of split objects count through their baskets.
            let plain = branch.split.is_none() && counter.branch != Some(index);
            let of_numbers = |b: &usize| {
                self.branches
                    .list
                    .get(*b)
                    .is_some_and(|b| b.leaves.len() == 1 && b.children == 0 && b.split.is_none())
            };
            let integer = matches!(
                counter.class,
                LeafClass::Byte | LeafClass::Short | LeafClass::Int | LeafClass::Long
            ) && counter.counter.is_none()
                && counter.len == 1;
            content.plan.shape = match counter.branch.filter(of_numbers) {
                Some(counter) if plain && integer => Shape::Counted(counter),
                _ => Shape::Jagged {
                    flag: usize::from(leaf.is_pointer()),
                },
            };
        }
        content
    }

    /// One leaf of something else: a text, a collection, an object of fixed size.
    fn object(
        &self,
        branch: &Branch,
        leaf: &Leaf,
    ) -> Result<Result<Content, Option<(String, String)>>> {
        let text = |head: usize, type_name: &str| Content {
            plan: Plan {
                shape: Shape::Text { head },
                stride: 1,
                heads: Vec::new(),
            },
            members: vec![text_member()],
            type_name: type_name.to_owned(),
        };
        if leaf.class == LeafClass::Text {
            return Ok(Ok(text(0, "char*")));
        }
        let Some(split) = &branch.split else {
            return Ok(Err(Some((
                String::new(),
                "leaves of this class are not read".to_owned(),
            ))));
        };
        if split.streamer_kind == 65 {
            return Ok(Ok(text(0, "TString")));
        }
        let mut class = split.class.clone();
        let mut member = false;
        if split.id >= 0 {
            let streamers = self.file.streamers()?;
            if let Some(element) = streamers.element(&split.class, split.id as usize) {
                class.clone_from(&element.type_name);
                member = true;
            }
        }
        let class = class.trim().to_owned();
        let no = |reason: String| Ok(Err(Some((class.clone(), reason))));
        if leaf.counter.is_some() {
            return no("lists of these are not read".to_owned());
        }
        if leaf.len > 1 {
            return no("arrays of these are not read".to_owned());
        }
        let Some((depth, item)) = items(&class, self.file.limits().depth) else {
            return no("it is nested too deeply".to_owned());
        };
        if is_text(item) {
            return Ok(Ok(if depth > 0 {
                let mut content = text(0, &class);
                content.plan.shape = Shape::TextLists { depth };
                content
            } else {
                // A `std::string` that is a member has a head, a branch of its own has none; a TString never has.
                text(if member && item != "TString" { 6 } else { 0 }, &class)
            }));
        }
        if let Some(number) = Number::of_type(item) {
            if depth == 0 {
                return no("it is stored in an unknown way".to_owned());
            }
            let mut content = plain(number, Vec::new());
            content.plan.shape = Shape::Lists { depth };
            content.type_name = class;
            return Ok(Ok(content));
        }
        if item.contains(['<', '*']) {
            return no("collections of this kind are not read".to_owned());
        }
        match self.file.streamers()?.record(item) {
            Ok(record) => Ok(Ok(of_record(&record, depth, class))),
            Err(reason) => no(reason),
        }
    }
}

impl Leaf {
    /// Whether it is a C array of a length that another member tells.
    fn is_pointer(&self) -> bool {
        self.class == LeafClass::Element && (41..60).contains(&self.kind) && self.counter.is_some()
    }
}

fn text_member() -> Member {
    Member {
        suffix: String::new(),
        number: None,
        at: 0,
        dims: Vec::new(),
    }
}

/// One number, or one array of numbers, per item.
fn plain(number: Number, dims: Vec<usize>) -> Content {
    Content {
        plan: Plan {
            shape: Shape::Flat,
            stride: number.size() * dims.iter().product::<usize>(),
            heads: Vec::new(),
        },
        members: vec![Member {
            suffix: String::new(),
            number: Some(number),
            at: 0,
            dims,
        }],
        type_name: number.dtype().name().to_owned(),
    }
}

fn of_record(record: &Record, depth: usize, type_name: String) -> Content {
    let members = record.members.iter().map(|m| Member {
        suffix: format!(".{}", m.path),
        number: Some(m.number),
        at: m.at,
        dims: if m.count == 1 {
            Vec::new()
        } else {
            vec![m.count]
        },
    });
    Content {
        plan: Plan {
            shape: if depth == 0 {
                Shape::Flat
            } else {
                Shape::Lists { depth }
            },
            stride: record.size,
            heads: record.heads.clone(),
        },
        members: members.collect(),
        type_name,
    }
}

/// A branch with several leaves: they stand one behind the other, without gaps.
fn leaf_list(leaves: &[&Leaf]) -> Result<Content, String> {
    let mut content = plain(Number::U8, Vec::new());
    content.members.clear();
    "leaf list".clone_into(&mut content.type_name);
    let mut at = 0_usize;
    for leaf in leaves {
        if leaf.counter.is_some() {
            return Err("a leaf list with lists of different lengths".to_owned());
        }
        let number = match number_of(leaf, &leaf.title) {
            Ok(number) => number,
            Err(reason) => return Err(reason.unwrap_or_else(|| "a leaf list with text".to_owned())),
        };
        let dims = dims(leaf);
        let bytes = number.size().saturating_mul(dims.iter().product());
        content.members.push(Member {
            suffix: format!(".{}", leaf.name),
            number: Some(number),
            at,
            dims,
        });
        at = at.saturating_add(bytes);
    }
    content.plan.stride = at;
    Ok(content)
}

/// The number that a leaf holds; `Err(None)` where it is no number, with a reason where it is one that cannot be read.
fn number_of(leaf: &Leaf, title: &str) -> Result<Number, Option<String>> {
    let signed =
        |signed: Number, unsigned: Number| Ok(if leaf.unsigned { unsigned } else { signed });
    match leaf.class {
        LeafClass::Bool => Ok(Number::Bool),
        LeafClass::Byte => signed(Number::I8, Number::U8),
        LeafClass::Short => signed(Number::I16, Number::U16),
        LeafClass::Int => signed(Number::I32, Number::U32),
        LeafClass::Long => signed(Number::I64, Number::U64),
        LeafClass::Float => Ok(Number::F32),
        LeafClass::Double => Ok(Number::F64),
        LeafClass::Float16 => reduced(title, false),
        LeafClass::Double32 => reduced(title, true),
        LeafClass::Text | LeafClass::Other => Err(None),
        LeafClass::Element => {
            let kind = match leaf.kind {
                array @ 21..40 => array - 20,
                pointer if leaf.is_pointer() => pointer - 40,
                kind => kind,
            };
            match kind {
                9 => reduced(title, true),
                19 => reduced(title, false),
                kind => Number::of_kind(kind).ok_or(None),
            }
        }
    }
}

/// Fixed lengths of one leaf at most.
const DIMENSIONS: usize = 64;

/// The fixed lengths in the title of a leaf (`x[n][3]` has 3), or its length where the title does not fit it.
fn dims(leaf: &Leaf) -> Vec<usize> {
    let mut dims = Vec::new();
    let mut rest = leaf.title.as_str();
    while let Some((_, tail)) = rest.split_once('[') {
        let Some((inside, tail)) = tail.split_once(']') else {
            break;
        };
        dims.extend(inside.trim().parse::<usize>().ok());
        rest = tail;
    }
    // Nobody writes as many brackets as this; each would be a level of the column.
    dims.truncate(DIMENSIONS + 1);
    let product = dims.iter().try_fold(1_usize, |p, n| p.checked_mul(*n));
    if product == Some(leaf.len) && dims.len() <= DIMENSIONS {
        return dims;
    }
    if leaf.len > 1 {
        vec![leaf.len]
    } else {
        Vec::new()
    }
}

fn type_name(leaf: &Leaf, number: Number) -> String {
    match number {
        Number::F32AsF64 | Number::Truncated { double: true, .. } => "Double32_t".to_owned(),
        Number::Truncated { .. } => "Float16_t".to_owned(),
        Number::Ranged {
            low,
            high,
            bits,
            double,
        } => {
            let name = if double { "Double32_t" } else { "Float16_t" };
            format!("{name}[{low},{high},{bits}]")
        }
        _ => {
            let brackets = leaf.title.find('[').and_then(|k| leaf.title.get(k..));
            format!("{}{}", number.dtype(), brackets.unwrap_or_default())
        }
    }
}

fn is_text(name: &str) -> bool {
    matches!(name, "string" | "std::string" | "TString")
}

/// Depth and items of nested collections: `vector<vector<float> >` is 2 of `float`; `None` beyond the depth that is allowed.
fn items(class: &str, allowed: u32) -> Option<(usize, &str)> {
    let mut item = class.trim();
    let mut depth = 0;
    let kinds = [
        "vector",
        "std::vector",
        "list",
        "std::list",
        "set",
        "std::set",
        "deque",
        "std::deque",
        "multiset",
        "std::multiset",
        "unordered_set",
        "std::unordered_set",
        "ROOT::VecOps::RVec",
        "ROOT::RVec",
        "RVec",
    ];
    while let Some((kind, rest)) = item.split_once('<') {
        let (true, Some(inside)) = (
            kinds.contains(&kind.trim()),
            rest.trim_end().strip_suffix('>'),
        ) else {
            break;
        };
        depth += 1;
        if depth > allowed as usize {
            return None;
        }
        item = first_argument(inside);
    }
    Some((depth, item))
}

/// What stands before the first comma that is not inside brackets: allocators and orders follow it.
fn first_argument(arguments: &str) -> &str {
    let mut open = 0_usize;
    for (k, c) in arguments.char_indices() {
        match c {
            '<' => open += 1,
            '>' => open = open.saturating_sub(1),
            ',' if open == 0 => return arguments.get(..k).unwrap_or_default().trim(),
            _ => {}
        }
    }
    arguments.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_taken_apart() {
        for (class, expected) in [
            ("vector<float>", (1, "float")),
            ("std::vector<std::vector<double> >", (2, "double")),
            ("vector<float,std::allocator<float> >", (1, "float")),
            ("map<int,float>", (0, "map<int,float>")),
            ("vector<map<int,float> >", (1, "map<int,float>")),
            ("set<string>", (1, "string")),
            ("TLorentzVector", (0, "TLorentzVector")),
        ] {
            assert_eq!(items(class, 64), Some(expected), "{class}");
        }
    }

    /// The levels of a column are gone down by calls within calls.
    #[test]
    fn names_of_types_nest_as_deeply_as_is_allowed() {
        let class = |depth: usize| format!("{}int{}", "vector<".repeat(depth), ">".repeat(depth));
        assert_eq!(items(&class(64), 64), Some((64, "int")));
        assert_eq!(items(&class(65), 64), None);
        assert_eq!(items(&class(1_000_000), 64), None);
    }

    #[test]
    fn more_brackets_than_levels_are_one_length() {
        let leaf = |title: String, len| Leaf {
            class: LeafClass::Int,
            name: "x".into(),
            title,
            branch: None,
            len,
            unsigned: false,
            counter: None,
            kind: 0,
        };
        assert_eq!(dims(&leaf("x[2][3]".into(), 6)), [2, 3]);
        assert_eq!(dims(&leaf("x[1]".repeat(64), 1)).len(), 64);
        assert_eq!(dims(&leaf("x[1]".repeat(65), 1)), [0; 0]);
        assert_eq!(dims(&leaf(format!("x[3]{}", "[1]".repeat(1000)), 3)), [3]);
    }

    #[test]
    fn names_of_members() {
        assert_eq!(full_name("a.b", Some("a")), "a.b");
        assert_eq!(full_name("b", Some("a")), "a.b");
        assert_eq!(full_name("ab", Some("a")), "a.ab");
        assert_eq!(full_name("event.", None), "event");
    }
}
