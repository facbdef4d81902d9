//! JSON Patch (RFC 6902).

use serde::Deserialize;
use serde_json::Value;

use super::limits::Limits;
use super::pointer::{Pointer, get_mut, index};
use super::read::{explain_value, read_json, shorten};
use crate::error::{Error, Place, Result};

/// A list of operations that change a JSON document.
///
/// ```
/// use pullback_stats::workspace::{Limits, Patch};
/// let patch = Patch::from_slice(br#"[{"op": "add", "path": "/a/-", "value": 3}]"#, &Limits::default())?;
/// let mut document = serde_json::json!({"a": [1, 2]});
/// patch.apply(&mut document)?;
/// assert_eq!(document, serde_json::json!({"a": [1, 2, 3]}));
/// # Ok::<(), pullback_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The operations, applied in order.
    pub operations: Vec<Operation>,
}

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Inserts into an array, or sets a key of an object.
    Add {
        /// Where; the last token of an array may be `-` for its end.
        path: Pointer,
        /// What.
        value: Value,
    },
    /// Removes the value.
    Remove {
        /// Which.
        path: Pointer,
    },
    /// Replaces a value that exists.
    Replace {
        /// Which.
        path: Pointer,
        /// By what.
        value: Value,
    },
    /// Removes a value and adds it elsewhere.
    Move {
        /// Which.
        from: Pointer,
        /// Where to.
        path: Pointer,
    },
    /// Adds a copy of a value elsewhere.
    Copy {
        /// Which.
        from: Pointer,
        /// Where to.
        path: Pointer,
    },
    /// Demands that a value is equal to the given one; numbers are compared as numbers.
    Test {
        /// Which.
        path: Pointer,
        /// What it must be.
        value: Value,
    },
}

#[derive(Deserialize)]
struct RawOperation {
    op: String,
    path: String,
    from: Option<String>,
    // Twice optional: `"value": null` is a value.
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Patch {
    /// Reads a patch: a list of operations.
    ///
    /// # Errors
    /// Wrong JSON, an unknown operation, a missing member, a malformed pointer.
    pub fn from_slice(bytes: &[u8], limits: &Limits) -> Result<Self> {
        Self::from_value(&read_json(bytes, limits)?)
    }

    /// Reads a patch from JSON in memory.
    ///
    /// # Errors
    /// As [`Patch::from_slice`].
    pub fn from_value(value: &Value) -> Result<Self> {
        Self::from_value_at(value, "")
    }

    /// Reads a patch that stands somewhere in a document.
    pub(super) fn from_value_at(value: &Value, pointer: &str) -> Result<Self> {
        let raw = Vec::<RawOperation>::deserialize(value).map_err(|_| {
            let mut error = explain_value::<Vec<RawOperation>>(value);
            for place in error.places_mut().into_iter().flatten() {
                place.pointer.insert_str(0, pointer);
            }
            error
        })?;
        let operations = raw
            .into_iter()
            .enumerate()
            .map(|(i, o)| o.check(&format!("{pointer}/{i}")));
        Ok(Self {
            operations: operations.collect::<Result<_>>()?,
        })
    }

    /// Changes the document, with the default [`Limits`]. If an operation fails, the document is left as the operations before it made it: apply to a
    /// copy to be able to go back.
    ///
    /// # Errors
    /// [`Error::PatchTarget`] or [`Error::PatchTest`], with the index of the operation.
    pub fn apply(&self, document: &mut Value) -> Result<()> {
        self.apply_with(document, &Limits::default())
    }

    /// Changes the document; values that are copied or moved count against the limit on cells, because a patch of a few lines can double a document
    /// many times.
    ///
    /// # Errors
    /// As [`Patch::apply`], and [`Error::TooLarge`].
    pub fn apply_with(&self, document: &mut Value, limits: &Limits) -> Result<()> {
        let mut budget = limits.cells;
        self.operations
            .iter()
            .enumerate()
            .try_for_each(|(i, operation)| {
                operation
                    .apply(document, &mut budget)
                    .map_err(|failure| match failure {
                        Failure::Test(found) => Error::PatchTest {
                            operation: i,
                            path: operation.path().to_string(),
                            found,
                        },
                        Failure::Target(path, message) => Error::PatchTarget {
                            operation: i,
                            op: operation.name(),
                            path: path.to_string(),
                            message,
                        },
                        Failure::TooLarge => Error::TooLarge {
                            what: "values copied or moved by a patch",
                            size: limits.cells.saturating_add(1),
                            limit: limits.cells,
                        },
                    })
            })
    }
}

impl RawOperation {
    fn check(self, place: &str) -> Result<Operation> {
        let missing = |key: &str| Error::MissingKey {
            key: key.to_owned(),
            place: Place::at(place),
        };
        let path = Pointer::parse(&self.path)?;
        let from = || Pointer::parse(self.from.as_deref().ok_or_else(|| missing("from"))?);
        let value = || missing("value");
        Ok(match self.op.as_str() {
            "add" => Operation::Add {
                path,
                value: self.value.ok_or_else(value)?,
            },
            "remove" => Operation::Remove { path },
            "replace" => Operation::Replace {
                path,
                value: self.value.ok_or_else(value)?,
            },
            "move" => Operation::Move {
                from: from()?,
                path,
            },
            "copy" => Operation::Copy {
                from: from()?,
                path,
            },
            "test" => Operation::Test {
                path,
                value: self.value.ok_or_else(value)?,
            },
            other => {
                return Err(Error::Schema {
                    expected: "one of add, remove, replace, move, copy, test".to_owned(),
                    found: format!("`{}`", shorten(other)),
                    place: Place::at(format!("{place}/op")),
                });
            }
        })
    }
}

enum Failure<'a> {
    Target(&'a Pointer, &'static str),
    Test(String),
    TooLarge,
}

impl Operation {
    /// Its name in the format.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Replace { .. } => "replace",
            Self::Move { .. } => "move",
            Self::Copy { .. } => "copy",
            Self::Test { .. } => "test",
        }
    }

    /// The place that it changes or tests.
    pub fn path(&self) -> &Pointer {
        match self {
            Self::Add { path, .. }
            | Self::Remove { path }
            | Self::Replace { path, .. }
            | Self::Move { path, .. }
            | Self::Copy { path, .. }
            | Self::Test { path, .. } => path,
        }
    }

    fn apply<'a>(&'a self, document: &mut Value, budget: &mut u64) -> Result<(), Failure<'a>> {
        let on = |path: &'a Pointer| move |message| Failure::Target(path, message);
        match self {
            Self::Add { path, value } => {
                fits(path, depth(value)).map_err(on(path))?;
                add(document, path, value.clone()).map_err(on(path))
            }
            Self::Remove { path } => remove(document, path).map(drop).map_err(on(path)),
            Self::Replace { path, value } => {
                fits(path, depth(value)).map_err(on(path))?;
                let target = match path.split_last() {
                    // The root can be replaced, too.
                    None => Some(document),
                    Some((last, parent)) => {
                        get_mut(document, parent).and_then(|v| get_mut(v, &[last.to_owned()]))
                    }
                };
                *target.ok_or(NOT_THERE).map_err(on(path))? = value.clone();
                Ok(())
            }
            Self::Move { from, path } => {
                if from.is_proper_prefix_of(path) {
                    return Err(on(path)("a value cannot be moved into itself"));
                }
                let value = from.get(document).ok_or(NOT_THERE).map_err(on(from))?;
                spend(value, budget).ok_or(Failure::TooLarge)?;
                fits(path, depth(value)).map_err(on(path))?;
                let value = remove(document, from).map_err(on(from))?;
                add(document, path, value).map_err(on(path))
            }
            Self::Copy { from, path } => {
                let value = from.get(document).ok_or(NOT_THERE).map_err(on(from))?;
                spend(value, budget).ok_or(Failure::TooLarge)?;
                fits(path, depth(value)).map_err(on(path))?;
                let value = value.clone();
                add(document, path, value).map_err(on(path))
            }
            Self::Test { path, value } => {
                let found = path.get(document).ok_or(NOT_THERE).map_err(on(path))?;
                if equal(found, value) {
                    Ok(())
                } else {
                    Err(Failure::Test(shorten(&found.to_string())))
                }
            }
        }
    }
}

/// Levels of a document: what `serde_json` reads at most, so that a patched document is no deeper than one that could be read.
const DEPTH: usize = 128;

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn fits(path: &Pointer, depth: usize) -> Result<(), &'static str> {
    if path.depth() + depth <= DEPTH {
        Ok(())
    } else {
        Err("the document would be more than 128 levels deep")
    }
}

/// Takes the number of values inside `value` off the budget; `None` if there are more.
fn spend(value: &Value, budget: &mut u64) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    match value {
        Value::Array(list) => list.iter().try_for_each(|v| spend(v, budget)),
        Value::Object(map) => map.values().try_for_each(|v| spend(v, budget)),
        _ => Some(()),
    }
}

const NOT_THERE: &str = "there is no such value";

fn add(document: &mut Value, path: &Pointer, value: Value) -> Result<(), &'static str> {
    let Some((last, parent)) = path.split_last() else {
        *document = value;
        return Ok(());
    };
    match get_mut(document, parent).ok_or("there is no such container")? {
        Value::Object(map) => {
            map.insert(last.to_owned(), value);
            Ok(())
        }
        Value::Array(list) => {
            let at = if last == "-" {
                list.len()
            } else {
                index(last).ok_or("the index of an array is a number or `-`")?
            };
            if at > list.len() {
                return Err("the index is beyond the end of the array");
            }
            list.insert(at, value);
            Ok(())
        }
        _ => Err("the container is neither an object nor an array"),
    }
}

fn remove(document: &mut Value, path: &Pointer) -> Result<Value, &'static str> {
    let Some((last, parent)) = path.split_last() else {
        return Ok(std::mem::take(document));
    };
    match get_mut(document, parent).ok_or(NOT_THERE)? {
        // Keeps the order of the other keys.
        Value::Object(map) => map.shift_remove(last).ok_or(NOT_THERE),
        Value::Array(list) => match index(last) {
            Some(i) if i < list.len() => Ok(list.remove(i)),
            _ => Err(NOT_THERE),
        },
        _ => Err(NOT_THERE),
    }
}

/// Equality of RFC 6902, section 4.6: numbers by value (`1` equals `1.0`), objects regardless of order.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| equal(v, w)))
        }
        _ => a == b,
    }
}
