//! What comes out of an analysis.

use pullback_analysis::run::{Bias, Bins, Results};
use pullback_stats::fit::FitResult;
use serde_json::{Map, Value, json};

/// The JSON of a run, with its fit if there was one.
pub fn run(results: &Results, fit: Option<&FitResult>) -> String {
    let file = &results.file;
    let datasets = file.datasets.iter().zip(&results.datasets);
    let datasets = datasets.map(|(input, (events, scale))| {
        json!({
            "name": input.name,
            "process": if input.observed { None } else { Some(&input.process) },
            "observed": input.observed,
            "events": events,
            "scale": scale,
        })
    });
    let variants = results.variants.iter().map(|v| {
        json!({
            "name": v.dataset,
            "systematic": file.systematics[v.systematic].name,
            "shift": v.shift.name().to_lowercase(),
            "events": v.events,
            "scale": v.scale,
        })
    });
    let regions = results.cutflows.iter().map(|cutflow| {
        let region = &file.regions[cutflow.region];
        let observed = results.observed[cutflow.region].as_ref();
        let steps = cutflow.steps.iter().enumerate().map(|(k, step)| {
            json!({
                "cut": step.cut,
                "yields": by_process(results, &step.yields),
                "observed": observed.map(|seen| seen[k]),
            })
        });
        json!({
            "name": region.name,
            "kind": region.kind.name(),
            "blind": observed.is_none(),
            "cutflow": steps.collect::<Vec<Value>>(),
        })
    });
    let histograms = results.histograms.iter().map(|filled| {
        let plot = &file.histograms[filled.plot];
        let variations = filled.variations.iter().map(|(systematic, shift, of)| {
            let of = results.processes.iter().zip(of);
            let sums = of.filter_map(|(p, bins)| Some((p.clone(), json!(bins.as_ref()?.sums))));
            json!({
                "systematic": file.systematics[*systematic].name,
                "shift": shift.name().to_lowercase(),
                "sums": sums.collect::<Map<String, Value>>(),
            })
        });
        json!({
            "name": plot.name,
            "region": file.regions[filled.region].name,
            "edges": plot.edges,
            "yields": by_process(results, &filled.nominal),
            "variations": variations.collect::<Vec<Value>>(),
            "observed": filled.observed.as_ref().map(|bins| &bins.sums),
        })
    });
    let n_minus_one = results.n_minus_one.iter().map(|d| {
        let kept = d
            .bounds
            .iter()
            .map(|b| json!({"at": b.at, "above": b.above, "closed": b.closed}));
        json!({
            "region": file.regions[d.region].name,
            "cut": file.regions[d.region].cuts[d.cut].text(),
            "of": d.of,
            "unit": d.unit,
            "kept": kept.collect::<Vec<Value>>(),
            "edges": d.edges,
            "yields": by_process(results, &d.nominal),
            "observed": d.observed.as_ref().map(|bins| &bins.sums),
        })
    });
    let mut value = json!({
        "title": file.title,
        "luminosity": file.total_luminosity(),
        "datasets": datasets.collect::<Vec<Value>>(),
        "variants": variants.collect::<Vec<Value>>(),
        "regions": regions.collect::<Vec<Value>>(),
        "histograms": histograms.collect::<Vec<Value>>(),
        "warnings": results.warnings,
        "version": env!("CARGO_PKG_VERSION"),
    });
    if !results.n_minus_one.is_empty() {
        value["n_minus_one"] = n_minus_one.collect();
    }
    if let Some(fit) = fit {
        value["fit"] = serde_json::from_str(&super::fit(fit, &fit.warnings)).unwrap_or_default();
    }
    if !results.biases.is_empty() {
        value["tangents"] = results.biases.iter().map(|b| bias(results, b)).collect();
    }
    super::write(&value)
}

/// How far a tangent is from the selection evaluated again.
fn bias(results: &Results, bias: &Bias) -> Value {
    let file = &results.file;
    json!({
        "systematic": file.systematics[bias.systematic].name,
        "histogram": file.histograms[bias.plot].name,
        "region": file.regions[bias.region].name,
        "process": results.processes[bias.process],
        "shift": bias.shift.name().to_lowercase(),
        "tangent": bias.yields[0],
        "rerun": bias.yields[1],
        "total": bias.total,
        "worst": bias.worst.map(|(bin, size)| json!({"bin": bin, "difference": size})),
    })
}

fn by_process(results: &Results, yields: &[Bins]) -> Value {
    let each = results.processes.iter().zip(yields);
    let each = each.map(|(process, bins)| {
        let errors = bins.variances.iter().map(|v| v.sqrt());
        let errors: Vec<f64> = errors.collect();
        let value = json!({"sums": bins.sums, "errors": errors, "entries": bins.entries});
        (process.clone(), value)
    });
    Value::Object(each.collect())
}
