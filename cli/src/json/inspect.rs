//! What is in a workspace.

use pullback_stats::spec::{Constraint, ModelSpec, Summary};
use serde_json::{Value, json};

/// The JSON of an overview.
pub fn inspect(
    spec: &ModelSpec,
    summary: &Summary,
    digest: Option<&str>,
    warnings: &[String],
) -> String {
    let channels: Vec<Value> = summary
        .channels
        .iter()
        .map(|c| {
            let samples: Vec<Value> =
                c.samples.iter().map(|(name, nominal)| json!({"name": name, "nominal": nominal})).collect();
            json!({"name": c.name, "bins": c.bins, "observed": c.observed, "nominal": c.nominal, "samples": samples})
        })
        .collect();
    let modifiers: Vec<Value> = summary
        .modifiers
        .iter()
        .map(|m| {
            json!({"type": m.kind.as_str(), "names": m.names, "uses": m.uses, "uses_without_effect": m.inert_uses,
                "cells": m.entries, "cells_without_effect": m.inert_entries})
        })
        .collect();
    let parameters: Vec<Value> = spec
        .parameters
        .iter()
        .map(|p| {
            let constraint = match p.constraint {
                Constraint::None => Value::Null,
                Constraint::Normal { aux, sigma } => json!({"type": "normal", "auxdata": aux, "sigma": sigma}),
                Constraint::Poisson { aux, tau } => json!({"type": "poisson", "auxdata": aux, "factor": tau}),
            };
            json!({"name": p.name, "kind": p.kind.as_str(), "init": p.init, "bounds": p.bounds, "fixed": p.fixed, "constraint": constraint})
        })
        .collect();
    let inert: Vec<Value> = summary
        .inert
        .iter()
        .map(|i| json!({"channel": i.channel, "sample": i.sample, "modifier": i.modifier, "type": i.kind.as_str()}))
        .collect();
    super::write(&json!({
        "measurement": summary.measurement,
        "poi": summary.poi,
        "bins": summary.bins,
        "cells": summary.cells,
        "samples": summary.processes,
        "channels": channels,
        "modifiers": modifiers,
        "parameters": parameters,
        "parameters_without_effect": summary.parameters_without_effect,
        "modifiers_without_effect": inert,
        "digest": digest,
        "version": env!("CARGO_PKG_VERSION"),
        "warnings": warnings,
    }))
}
