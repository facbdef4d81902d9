//! What comes out of an optimisation.

use serde_json::{Value, json};

use crate::verbs::Optimized;

/// The JSON of an optimisation.
pub fn optimize(found: &Optimized) -> String {
    let outcome = &found.outcome;
    let mut value = serde_json::to_value(outcome).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        map.insert("title".into(), json!(found.after.file.title));
        map.insert("gain".into(), json!(found.gain()));
        map.insert("exact_over_soft".into(), json!(outcome.distance() + 1.0));
        if let Some(folds) = &found.folds {
            map.insert("all_events".into(), json!(folds.quotes));
            map.insert("folds".into(), json!(found.outcomes().collect::<Vec<_>>()));
        }
        map.insert("expected_yields".into(), json!(found.yields));
        map.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
    }
    super::write(&value)
}

/// The values that were found, as `pullback run --at` reads them.
pub fn optimum(found: &Optimized) -> String {
    match &found.folds {
        Some(folds) => super::write(&json!({ "folds": folds.found })),
        None => super::write(&json!(found.outcome.values)),
    }
}
