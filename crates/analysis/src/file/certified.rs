//! Which luminosity sections of which runs are good for physics.

use std::collections::BTreeMap;
use std::path::Path;

use pullback_io::{Chunk, Column, Values};
use serde_json::Value;

use crate::error::{Error, Result};

/// The columns by which observed events are certified, as NanoAOD calls them.
pub(crate) const COLUMNS: [&str; 2] = ["run", "luminosityBlock"];

/// Certified luminosity sections: for each run, ranges from the first to the last one of them.
///
/// # Example
/// ```
/// use pullback_analysis::file::Certified;
/// let certified = Certified::from_text("golden.json", r#"{"273158": [[1, 3], [7, 9]]}"#)?;
/// assert!(certified.contains(273158, 3) && certified.contains(273158, 7));
/// assert!(!certified.contains(273158, 4) && !certified.contains(273159, 1));
/// # Ok::<(), pullback_analysis::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Where it comes from, for messages.
    origin: String,
    /// Rising ranges that do not overlap.
    runs: BTreeMap<u64, Vec<[u64; 2]>>,
}

impl Certified {
    /// Reads a file (CMS "golden JSON"): `{"273158": [[1, 1279]], ..}`.
    ///
    /// # Errors
    /// A file that cannot be read, and whatever [`Self::from_text`] refuses.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| Error::Open {
            path: origin.clone(),
            message: e.to_string(),
        })?;
        Self::from_text(&origin, &text)
    }

    /// The sections that a text names; `origin` names it in messages.
    ///
    /// # Errors
    /// [`Error::Certified`]: no JSON of this form, a range that ends before it begins, ranges that overlap.
    pub fn from_text(origin: &str, text: &str) -> Result<Self> {
        let refuse = |message: String| Error::Certified {
            origin: origin.into(),
            message,
        };
        let json: Value =
            serde_json::from_str(text).map_err(|e| refuse(format!("the file is not JSON: {e}")))?;
        let object = json
            .as_object()
            .ok_or_else(|| refuse("the file has no runs".into()))?;
        let mut runs = BTreeMap::new();
        for (name, ranges) in object {
            let run: u64 = name
                .parse()
                .map_err(|_| refuse(format!("`{name}` is no number of a run")))?;
            let ranges = ranges.as_array().map_or(&[][..], Vec::as_slice);
            let mut found = Vec::with_capacity(ranges.len());
            for range in ranges {
                let ends = match range.as_array().map(Vec::as_slice) {
                    Some([first, last]) => first.as_u64().zip(last.as_u64()),
                    _ => None,
                };
                let ends = ends.filter(|(first, last)| first <= last);
                let (first, last) = ends.ok_or_else(|| {
                    refuse(format!("{range} of run {run} is no range of sections"))
                })?;
                found.push([first, last]);
            }
            found.sort_unstable();
            let mut next = found.iter().zip(found.iter().skip(1));
            if let Some((a, b)) = next.find(|(a, b)| a[1] >= b[0]) {
                return Err(refuse(format!(
                    "the ranges {a:?} and {b:?} of run {run} overlap"
                )));
            }
            if found.is_empty() {
                return Err(refuse(format!("run {run} has no range of sections")));
            }
            runs.insert(run, found);
        }
        Ok(Self {
            origin: origin.into(),
            runs,
        })
    }

    /// Whether a section of a run is one of them.
    pub fn contains(&self, run: u64, section: u64) -> bool {
        let Some(ranges) = self.runs.get(&run) else {
            return false;
        };
        let after = ranges.partition_point(|[first, _]| *first <= section);
        after > 0 && section <= ranges[after - 1][1]
    }

    /// The certified events of a chunk that has [`COLUMNS`].
    pub(crate) fn of(&self, chunk: &Chunk) -> Result<Chunk> {
        let [runs, sections] = COLUMNS.map(|name| whole(chunk, name));
        let keep: Vec<bool> = (runs?.into_iter().zip(sections?))
            .map(|(run, section)| self.contains(run, section))
            .collect();
        Ok(chunk.take(&keep))
    }

    /// An error about a column that events are certified by.
    pub(crate) fn missing(&self, column: &str, dataset: &str) -> Error {
        Error::Column {
            column: column.into(),
            message: format!(
                "is not in the data set `{dataset}`, whose events are certified by {}",
                self.origin
            ),
        }
    }
}

/// A column of whole numbers that are not negative.
pub(crate) fn whole(chunk: &Chunk, name: &str) -> Result<Vec<u64>> {
    let refuse = |found: &str| Error::Column {
        column: name.into(),
        message: format!("is {found}, where a whole number per event is expected"),
    };
    let column = chunk.column(name).ok_or_else(|| refuse("missing"))?;
    if column.offsets().is_some() {
        return Err(refuse("a list per event"));
    }
    let natural = |x: i64| u64::try_from(x).map_err(|_| refuse("negative"));
    match Column::values(column) {
        Values::U64(v) => Ok(v.clone()),
        Values::I64(v) => v.iter().map(|x| natural(*x)).collect(),
        Values::I32(v) => v.iter().map(|x| natural((*x).into())).collect(),
        other => Err(refuse(&other.dtype().to_string())),
    }
}
