//! What was generated, for people.

use super::data::bytes;
use super::fit::duration;
use crate::verbs::Generated;

/// One sentence.
pub fn generate(done: &Generated) -> String {
    let ids = match done.events {
        0 => String::new(),
        n => format!(", ids {} to {}", done.first, done.first + (n - 1)),
    };
    format!(
        "{}: {} events of {} (seed {}{ids}), {} columns, {} in {}\n",
        done.path,
        done.events,
        done.process,
        done.seed,
        done.columns,
        bytes(done.bytes),
        duration(done.seconds),
    )
}
