//! What makes an event the same one in two files: its number in the run, where files have it.

use pullback_array::DType;
use pullback_io::Chunk;

use crate::error::Result;
use crate::file::{AnalysisFile, Input, whole};
use crate::schema::Schema;

/// The columns that identify an event, as NanoAOD and PHYSLITE call them: run, section (of simulated events the sample, in which their numbers begin anew), number. The last one is
/// needed to say which event it is.
pub(crate) const IDENTITIES: [[&str; 3]; 3] = [
    ["run", "luminosityBlock", "event"],
    [
        "EventInfoAuxDyn.runNumber",
        "EventInfoAuxDyn.mcChannelNumber",
        "EventInfoAuxDyn.eventNumber",
    ],
    [
        "EventInfoAuxDyn.runNumber",
        "EventInfoAuxDyn.lumiBlock",
        "EventInfoAuxDyn.eventNumber",
    ],
];

/// A column of those, by its name.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    let mut all = IDENTITIES.into_iter().flatten();
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
    let is_whole = |schema: &Schema, name: &str| {
        let column = schema.column(name).and_then(|k| schema.columns().get(k));
        column.is_some_and(|c| !c.list && matches!(c.dtype, DType::I32 | DType::I64 | DType::U64))
    };
    let all = |name: &&str| schemas.iter().all(|s| is_whole(s, name));
    let numbered = IDENTITIES.into_iter().find(|names| all(&names[2]));
    Ok(numbered.into_iter().flatten().filter(all).collect())
}

/// A number for each event of a chunk that depends on these columns alone.
pub(crate) fn identified(chunk: &Chunk, columns: &[&str]) -> Result<Vec<u64>> {
    let mut numbers = vec![0; chunk.entries];
    for name in columns {
        for (number, x) in numbers.iter_mut().zip(whole(chunk, name)?) {
            *number = mixed(*number ^ x);
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
