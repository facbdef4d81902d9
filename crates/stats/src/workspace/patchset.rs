//! pyhf patchsets: signal patches for one background-only workspace, each with a name and a point in the space of the labels.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::digest::{md5_hex, sha256_hex};
use super::limits::Limits;
use super::patch::Patch;
use super::read::{explain_value, read_json};
use crate::error::{Error, Place, Result};

/// A patchset: patches by name or by values, and the digests of the workspace that they were made for.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchSet {
    /// What it is for.
    pub description: String,
    /// Names of the axes of the values.
    pub labels: Vec<String>,
    /// The digests of the workspace that the patches were made for.
    pub digests: Digests,
    /// The patches in the order of the file.
    pub patches: Vec<NamedPatch>,
}

/// The digests of a patchset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Digests {
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: Option<String>,
    /// MD5, 32 hexadecimal digits.
    pub md5: Option<String>,
}

/// A patch of a patchset.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPatch {
    /// Its name, unique in the patchset.
    pub name: String,
    /// Its point, one number or string per label, unique in the patchset.
    pub values: Vec<Value>,
    /// The operations.
    pub patch: Patch,
}

#[derive(Deserialize)]
struct RawPatchSet {
    metadata: RawMetadata,
    patches: Vec<RawPatch>,
    version: String,
}

#[derive(Deserialize)]
struct RawMetadata {
    description: String,
    labels: Vec<String>,
    digests: Digests,
}

#[derive(Deserialize)]
struct RawPatch {
    metadata: RawPatchMetadata,
    patch: Value,
}

#[derive(Deserialize)]
struct RawPatchMetadata {
    name: String,
    values: Vec<Value>,
}

impl PatchSet {
    /// Reads a patchset.
    ///
    /// # Errors
    /// Wrong JSON or schema, two patches of one name or with the same values, a number of values that differs from the number of labels.
    pub fn from_slice(bytes: &[u8], limits: &Limits) -> Result<Self> {
        Self::from_value(&read_json(bytes, limits)?)
    }

    /// Reads a patchset from JSON in memory.
    ///
    /// # Errors
    /// As [`PatchSet::from_slice`].
    pub fn from_value(value: &Value) -> Result<Self> {
        let Ok(raw) = RawPatchSet::deserialize(value) else {
            return Err(explain_value::<RawPatchSet>(value));
        };
        if raw.version != super::check::VERSION {
            return Err(Error::Version {
                value: super::read::shorten(&raw.version),
                place: Place::at("/version"),
            });
        }
        if raw.patches.is_empty() {
            return Err(Error::Empty {
                what: "patches",
                place: Place::at("/patches"),
            });
        }
        let RawMetadata {
            description,
            labels,
            digests,
        } = raw.metadata;
        let mut names = HashSet::new();
        let mut points = HashSet::new();
        let mut patches = Vec::with_capacity(raw.patches.len());
        for (
            i,
            RawPatch {
                metadata: RawPatchMetadata { name, values },
                patch,
            },
        ) in raw.patches.into_iter().enumerate()
        {
            let place = |key: &str| Place::at(format!("/patches/{i}{key}"));
            if values.len() != labels.len() {
                let why = "the labels of the patchset".to_owned();
                return Err(Error::Length {
                    expected: labels.len(),
                    found: values.len(),
                    why,
                    place: place("/metadata/values"),
                });
            }
            if let Some(v) = values
                .iter()
                .position(|v| !(v.is_number() || v.is_string()))
            {
                let found = super::read::shorten(&values[v].to_string());
                let expected = "a number or a string".to_owned();
                return Err(Error::Schema {
                    expected,
                    found,
                    place: place(&format!("/metadata/values/{v}")),
                });
            }
            // pyhf looks patches up by either key; two of a kind would hide one.
            let point: Vec<String> = values.iter().map(value_key).collect();
            let first = |found: &dyn Fn(&NamedPatch) -> bool| {
                Place::at(
                    patches
                        .iter()
                        .position(found)
                        .map_or(String::new(), |p| format!("/patches/{p}")),
                )
            };
            if !names.insert(name.clone()) {
                let first = first(&|p: &NamedPatch| p.name == name);
                return Err(Error::Duplicate {
                    what: "patch",
                    name,
                    place: place(""),
                    first,
                });
            }
            if !points.insert(point.clone()) {
                let first = first(&|p: &NamedPatch| {
                    p.values.iter().map(value_key).eq(point.iter().cloned())
                });
                return Err(Error::Duplicate {
                    what: "patch with the values",
                    name: point.join(", "),
                    place: place(""),
                    first,
                });
            }
            let patch = Patch::from_value_at(&patch, &format!("/patches/{i}/patch"))?;
            patches.push(NamedPatch {
                name,
                values,
                patch,
            });
        }
        Ok(Self {
            description,
            labels,
            digests,
            patches,
        })
    }

    /// The patch of this name, or with these values separated by commas (`1000,205,60`).
    ///
    /// # Errors
    /// [`Error::UnknownPatch`].
    pub fn find(&self, key: &str) -> Result<&NamedPatch> {
        let by_values = |p: &&NamedPatch| {
            let wanted: Vec<&str> = key.split(',').map(str::trim).collect();
            wanted.len() == p.values.len()
                && p.values
                    .iter()
                    .zip(wanted)
                    .all(|(value, text)| matches_text(value, text))
        };
        let found = self
            .patches
            .iter()
            .find(|p| p.name == key)
            .or_else(|| self.patches.iter().find(by_values));
        found.ok_or_else(|| Error::UnknownPatch {
            name: key.to_owned(),
            available: self.patches.iter().map(|p| p.name.clone()).collect(),
        })
    }

    /// Checks that the workspace is the one that the patchset was made for: all its digests must agree.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`].
    pub fn verify(&self, workspace: &Value) -> Result<()> {
        let compare =
            |algorithm, expected: &Option<String>, digest: fn(&Value) -> String| match expected {
                Some(expected) => {
                    let found = digest(workspace);
                    if found.eq_ignore_ascii_case(expected) {
                        return Ok(());
                    }
                    Err(Error::DigestMismatch {
                        algorithm,
                        expected: expected.clone(),
                        found,
                    })
                }
                None => Ok(()),
            };
        compare("sha256", &self.digests.sha256, sha256_hex)?;
        compare("md5", &self.digests.md5, md5_hex)
    }
}

/// Numbers are the same point if they are the same number, however written.
fn value_key(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        other => other
            .as_f64()
            .map_or_else(|| other.to_string(), |x| x.to_string()),
    }
}

fn matches_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => value == text,
        other => text.parse::<f64>().is_ok_and(|x| other.as_f64() == Some(x)),
    }
}
