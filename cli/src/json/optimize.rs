//! What comes out of an optimisation.

use pullback_analysis::optimize::Outcome;
use serde_json::{Value, json};

use crate::verbs::Optimized;

/// The JSON of an optimisation.
pub fn optimize(found: &Optimized) -> String {
    let outcome = &found.outcome;
    let mut value = serde_json::to_value(outcome).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        map.insert("title".into(), json!(found.after.file.title));
        map.insert("gain".into(), json!(outcome.gain()));
        map.insert("exact_over_soft".into(), json!(outcome.distance() + 1.0));
        map.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
    }
    super::write(&value)
}

/// The values that were found, as `pullback run --at` reads them.
pub fn optimum(outcome: &Outcome) -> String {
    super::write(&json!(outcome.values))
}
