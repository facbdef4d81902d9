//! Objectives of an analysis: value and gradient by every template, in units of one conditional fit of the same likelihood.

use pullback_benches::{Row, measure};
use pullback_stats::fit::{AsimovNuisances, FitOptions, fit};
use pullback_stats::objective::Expected;
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Model, spec};
use serde_json::{Value, json};

/// Published likelihoods, to which a signal sample is added in every channel.
const NAMES: [&str; 3] = [
    "2018-31__BkgOnlyA",
    "2018-04__SRcombined",
    "2018-16__EWKinos_bkgonly_SR2lOnly",
];

fn with_signal(bytes: &[u8]) -> Value {
    let mut workspace: Value = serde_json::from_slice(bytes).expect("JSON");
    for channel in workspace["channels"].as_array_mut().expect("channels") {
        let bins = channel["samples"][0]["data"].as_array().map_or(0, Vec::len);
        let data: Vec<f64> = (0..bins).map(|b| 2.0 + 0.5 * b as f64).collect();
        let modifiers = json!([{"name": "mu_ours", "type": "normfactor", "data": null},
            {"name": "acceptance", "type": "normsys", "data": {"hi": 1.1, "lo": 0.92}}]);
        let sample = json!({"name": "our_signal", "data": data, "modifiers": modifiers});
        channel["samples"]
            .as_array_mut()
            .expect("samples")
            .push(sample);
    }
    workspace["measurements"][0]["config"]["poi"] = json!("mu_ours");
    workspace
}

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/atlas-likelihoods");
    if !folder.is_dir() {
        println!("skipped: {} is not here", folder.display());
        return;
    }
    for name in NAMES {
        let bytes = std::fs::read(folder.join(format!("{name}.json"))).expect("readable");
        let (workspace, _) =
            Workspace::from_value(&with_signal(&bytes), &Limits::default()).expect("a workspace");
        let spec = spec::resolve(&workspace, &spec::Options::default()).expect("resolves");
        let poi = spec.poi.expect("named above");

        let mut model = Model::new(spec.clone()).expect("compiles");
        let mut options = FitOptions::default();
        let data = model
            .asimov(Some(1.0), AsimovNuisances::Nominal, &mut options)
            .expect("Asimov data");
        let mut options = FitOptions {
            minimum_only: true,
            fix: vec![(poi, 0.0)],
            ..FitOptions::default()
        };
        let one = measure(|| {
            fit(&mut model, &data, &mut options)
                .expect("fits")
                .twice_nll
        });
        Row::stats(format!("{name}: one conditional fit"), &one).report();
        let fit_time = one.min;

        let mut here = Expected::new(spec.clone()).expect("compiles");
        let row = |what: &str, seconds: f64| {
            Row::time(format!("{name}: {what}"), seconds)
                .historical(fit_time, "one fit, this run")
                .report();
        };
        let stats = measure(|| here.discovery_significance().expect("a value").value);
        row("discovery significance + gradient", stats.min);
        let stats = measure(|| here.limit(0.05, &[0.0]).expect("a value")[0].limit.value);
        row("median limit + gradient, from the last one", stats.min);
        let all = [-2.0, -1.0, 0.0, 1.0, 2.0];
        let stats = measure(|| here.limit(0.05, &all).expect("a value")[4].limit.value);
        row("five limits + gradients", stats.min);
        let stats = measure(|| here.cross_section_uncertainty(1.0).expect("a value").value);
        row("cross-section uncertainty + gradient", stats.min);
        // Yields that move by a few per mille from step to step.
        let moved = |by: f64| {
            let scaled = spec.nominal.iter().enumerate();
            let list = scaled.map(|(k, n)| n * (1.0 + by * (k % 3) as f64));
            list.collect::<Vec<f64>>()
        };
        let steps = [moved(0.0), moved(0.002)];
        let mut step = 0;
        let mut other = Expected::open(spec.clone()).expect("compiles");
        for (here, how) in [(&mut here, "specialised"), (&mut other, "as inputs")] {
            let stats = measure(|| {
                step = 1 - step;
                here.set_templates(&[("nominal", &steps[step])])
                    .expect("legal");
                here.limit(0.05, &[0.0]).expect("a value")[0].limit.value
            });
            row(
                &format!("new templates {how}, median limit + gradient"),
                stats.min,
            );
        }
    }
}
