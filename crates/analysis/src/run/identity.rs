//! What makes an event the same one in two files: its number in the run, where files have it.

use pullback_array::DType;
use pullback_io::{Chunk, Values};

use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Input};
use crate::schema::Schema;

/// The columns that identify an event, as NanoAOD calls them: the last one alone is enough to say which event it is.
const COLUMNS: [&str; 3] = ["run", "luminosityBlock", "event"];

/// The same in PHYSLITE.
const PHYSLITE: [&str; 3] = [
    "EventInfoAuxDyn.mcChannelNumber",
    "EventInfoAuxDyn.runNumber",
    "EventInfoAuxDyn.eventNumber",
];

/// A column of those, by its name.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    let mut all = COLUMNS.into_iter().chain(PHYSLITE);
    all.find(|known| *known == name)
}

/// The columns by which the events of a data set are told apart, and are those of its variations from other files; none where not all files number their events. Without
/// variations they are asked for in `folds` alone.
pub(crate) fn shared(
    file: &AnalysisFile,
    input: &Input,
    options: pullback_io::Options,
    folds: bool,
) -> Result<Vec<&'static str>> {
    let mut schemas = Vec::new();
    for variant in file.variants() {
        if variant.input.name == input.name {
            schemas.push(file.opened(variant.input, options)?.1);
        }
    }
    if schemas.is_empty() && !folds {
        return Ok(Vec::new());
    }
    schemas.push(file.opened(input, options)?.1);
    let whole = |schema: &Schema, name: &str| {
        let column = schema.column(name).and_then(|k| schema.columns().get(k));
        column.is_some_and(|c| !c.list && matches!(c.dtype, DType::I32 | DType::I64 | DType::U64))
    };
    let all = |name: &&str| schemas.iter().all(|s| whole(s, name));
    let numbered = [COLUMNS, PHYSLITE].into_iter().find(|names| all(&names[2]));
    Ok(numbered.into_iter().flatten().filter(all).collect())
}

/// A number for each event of a chunk that depends on these columns alone.
pub(crate) fn identified(chunk: &Chunk, columns: &[&str]) -> Result<Vec<u64>> {
    let mut numbers = vec![0; chunk.entries];
    for name in columns {
        let values = chunk.column(name).map(pullback_io::Column::values);
        let mut add = |k: usize, x: u64| numbers[k] = mixed(numbers[k] ^ x);
        match values {
            Some(Values::U64(v)) => v.iter().enumerate().for_each(|(k, x)| add(k, *x)),
            Some(Values::I64(v)) => v.iter().enumerate().for_each(|(k, x)| add(k, *x as u64)),
            // As the same number in a wider column.
            Some(Values::I32(v)) => {
                v.iter()
                    .enumerate()
                    .for_each(|(k, x)| add(k, i64::from(*x) as u64));
            }
            _ => {
                return Err(Error::Column {
                    column: (*name).into(),
                    message: "is no whole number per event, by which events are told apart".into(),
                });
            }
        }
    }
    Ok(numbers)
}

/// The finaliser of SplitMix64, a bijection (Steele, Lea, Flood, OOPSLA 2014).
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
