//! What was generated.

use serde_json::json;

use crate::verbs::Generated;

/// The JSON of a summary.
pub fn generate(done: &Generated) -> String {
    super::write(&json!({
        "file": done.path,
        "format": "parquet",
        "process": done.process,
        "seed": done.seed,
        "first_event": done.first,
        "events": done.events,
        "columns": done.columns,
        "row_groups": done.row_groups,
        "bytes": done.bytes,
        "seconds": done.seconds,
        "version": env!("CARGO_PKG_VERSION"),
    }))
}
