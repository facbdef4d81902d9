//! Derivatives of best fits against refits with shifted data and shifted workspaces.

mod common;

use pullback_array::linalg;
use pullback_stats::fit::{AsimovNuisances, FitOptions, FitResult, fit, sensitivities};
use pullback_stats::spec::Options;
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Data, Error, Model, spec};
use serde_json::{Value, json};

/// Two channels with every constrained modifier, staterror and shapesys on the signal too, and a sample whose systematics have no effect yet.
fn workspace() -> Value {
    json!({"version": "1.0.0",
      "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [{"name": "mu", "bounds": [[-5.0, 10.0]]}]}}],
      "channels": [
        {"name": "SR", "samples": [
          {"name": "bkg", "data": [50.0, 42.0, 31.0], "modifiers": [
            {"name": "jes", "type": "histosys", "data": {"hi_data": [53.0, 43.5, 30.0], "lo_data": [46.5, 41.0, 32.5]}},
            {"name": "xsec", "type": "normsys", "data": {"hi": 1.1, "lo": 0.92}},
            {"name": "stat_SR", "type": "staterror", "data": [2.5, 2.0, 1.8]}]},
          {"name": "signal", "data": [6.0, 9.0, 14.0], "modifiers": [
            {"name": "mu", "type": "normfactor", "data": null},
            {"name": "jes", "type": "histosys", "data": {"hi_data": [6.5, 9.4, 14.2], "lo_data": [5.4, 8.8, 13.5]}},
            {"name": "acceptance", "type": "normsys", "data": {"hi": 1.05, "lo": 0.96}},
            {"name": "nothing", "type": "normsys", "data": {"hi": 1.0, "lo": 1.0}},
            {"name": "stat_SR", "type": "staterror", "data": [0.6, 0.7, 0.9]}]}]},
        {"name": "SR2", "samples": [
          {"name": "bkg", "data": [20.0, 15.0], "modifiers": [
            {"name": "xsec", "type": "normsys", "data": {"hi": 1.08, "lo": 0.95}},
            {"name": "shape", "type": "shapesys", "data": [3.0, 2.0]}]},
          {"name": "signal", "data": [4.0, 7.0], "modifiers": [
            {"name": "mu", "type": "normfactor", "data": null},
            {"name": "signal_shape", "type": "shapesys", "data": [0.8, 1.1]}]}]}],
      "observations": [{"name": "SR", "data": [59.0, 47.0, 49.0]}, {"name": "SR2", "data": [26.0, 19.0]}]})
}

fn model(workspace: &Value) -> Model {
    let (workspace, _) = Workspace::from_value(workspace, &Limits::default()).expect("a workspace");
    Model::new(spec::resolve(&workspace, &Options::default()).expect("resolves")).expect("compiles")
}

/// The best fit (µ̂, σ_µ) at machine precision: a fit, then Newton steps with the Hessian of the directions in which the fit is free.
fn refit(model: &mut Model, data: &Data) -> (f64, f64) {
    let result = fit(model, data, &mut FitOptions::default()).expect("fits");
    assert!(result.converged, "{}", result.status);
    let poi = result.poi.expect("a parameter of interest");
    let mut x: Vec<f64> = result.parameters.iter().map(|p| p.value).collect();
    let free: Vec<usize> = (0..x.len())
        .filter(|&k| !result.parameters[k].fixed && result.parameters[k].at_bound.is_none())
        .collect();
    let mut sigma = 0.0;
    for _ in 0..2 {
        let (_, gradient) = model.gradient(&x, data).expect("evaluates");
        let hessian = model.hessian(&x, data).expect("evaluates");
        let n = x.len();
        let mut r: Vec<f64> = free
            .iter()
            .flat_map(|&i| free.iter().map(move |&j| i * n + j))
            .map(|k| hessian[k])
            .collect();
        linalg::cholesky(&mut r, free.len()).expect("positive definite");
        let mut step: Vec<f64> = free.iter().map(|&k| gradient[k]).collect();
        linalg::cholesky_solve(&r, free.len(), &mut step).expect("solves");
        free.iter().zip(&step).for_each(|(&k, s)| x[k] -= s);
        let mut unit: Vec<f64> = free
            .iter()
            .map(|&k| f64::from(u8::from(k == poi)))
            .collect();
        linalg::cholesky_solve(&r, free.len(), &mut unit).expect("solves");
        sigma = (2.0 * unit[free.iter().position(|&k| k == poi).expect("free")]).sqrt();
    }
    (x[poi], sigma)
}

/// Fourth-order central differences of (µ̂, σ_µ).
fn difference(step: f64, mut at: impl FnMut(f64) -> (f64, f64)) -> (f64, f64) {
    let (a, b, c, d) = (at(2.0 * step), at(step), at(-step), at(-2.0 * step));
    let combine = |a: f64, b: f64, c: f64, d: f64| (8.0 * (b - c) - (a - d)) / (12.0 * step);
    (combine(a.0, b.0, c.0, d.0), combine(a.1, b.1, c.1, d.1))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn close(found: f64, expected: f64, scale: f64, allowed: f64, what: &str) {
    assert!(
        (found - expected).abs() <= allowed * scale,
        "{what}: {found} against {expected} (scale {scale})"
    );
}

/// The place of each signal cell in the workspace, in the order of the model.
fn cell_pointers(model: &Model, cells: &[usize]) -> Vec<String> {
    let spec = model.spec();
    cells
        .iter()
        .map(|&cell| {
            let sample = spec
                .samples
                .iter()
                .find(|s| s.cells.contains(&cell))
                .expect("a sample");
            let channel = &spec.channels[sample.channel];
            format!(
                "/channels/{}/samples/{}/data/{}",
                channel.source,
                sample.source,
                cell - sample.cells.start
            )
        })
        .collect()
}

fn shifted(workspace: &Value, pointer: &str, by: f64) -> Value {
    let mut out = workspace.clone();
    let number = out.pointer_mut(pointer).expect("exists");
    *number = json!(number.as_f64().expect("a number") + by);
    out
}

/// All four lists against refits, relative to the largest entry of each.
fn compare(workspace: &Value, allowed: f64) {
    let mut model_here = model(workspace);
    let data = model_here.observed();
    let result = fit(&mut model_here, &data, &mut FitOptions::default()).expect("fits");
    let found = sensitivities(&mut model_here, &data, &result).expect("differentiates");
    let scales = [
        largest(&found.poi_by_data),
        largest(&found.sigma_by_data),
        largest(&found.poi_by_signal),
        largest(&found.sigma_by_signal),
    ];
    assert!(scales.iter().all(|s| *s > 0.0), "{scales:?}");
    for bin in 0..data.main.len() {
        let expected = difference(2e-3 * data.main[bin].max(1.0), |by| {
            let mut data = data.clone();
            data.main[bin] += by;
            refit(&mut model_here, &data)
        });
        close(
            found.poi_by_data[bin],
            expected.0,
            scales[0],
            allowed,
            &format!("µ̂, bin {bin}"),
        );
        close(
            found.sigma_by_data[bin],
            expected.1,
            scales[1],
            allowed,
            &format!("σ, bin {bin}"),
        );
    }
    let pointers = cell_pointers(&model_here, &found.signal_cells);
    assert_eq!(pointers.len(), found.poi_by_signal.len());
    for (k, pointer) in pointers.iter().enumerate() {
        let size = workspace
            .pointer(pointer)
            .and_then(Value::as_f64)
            .expect("a number");
        let expected = difference(2e-3 * size.abs().max(0.1), |by| {
            let mut model = model(&shifted(workspace, pointer, by));
            let data = model.observed();
            refit(&mut model, &data)
        });
        close(
            found.poi_by_signal[k],
            expected.0,
            scales[2],
            allowed,
            &format!("µ̂, {pointer}"),
        );
        close(
            found.sigma_by_signal[k],
            expected.1,
            scales[3],
            allowed,
            &format!("σ, {pointer}"),
        );
    }
}

#[test]
fn derivatives_of_the_fit_equal_differences_of_refits() {
    compare(&workspace(), 1e-7);
}

#[test]
fn parameters_at_a_bound_stay_there() {
    let mut workspace = workspace();
    // The free normalisation of the background ends at its bound.
    workspace["channels"][0]["samples"][0]["modifiers"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"name": "norm", "type": "normfactor", "data": null}));
    let parameters = &mut workspace["measurements"][0]["config"]["parameters"];
    parameters
        .as_array_mut()
        .expect("a list")
        .push(json!({"name": "norm", "bounds": [[1.2, 3.0]], "inits": [1.3]}));
    let mut model_here = model(&workspace);
    let data = model_here.observed();
    let result = fit(&mut model_here, &data, &mut FitOptions::default()).expect("fits");
    assert!(
        result
            .parameters
            .iter()
            .any(|p| p.name == "norm" && p.at_bound.is_some()),
        "{:?}",
        result.parameters
    );
    compare(&workspace, 1e-7);
}

#[test]
fn derivatives_of_a_published_fit_equal_differences_of_refits() {
    let Some(path) = common::atlas("pyhf__2-bin_1-channel.json") else {
        return;
    };
    let mut workspace: Value =
        serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON");
    // The published data are the background expectation, with µ̂ = 0 at its bound: a signal is added.
    workspace["observations"][0]["data"] = json!([60.0, 55.0]);
    compare(&workspace, 1e-6);
}

#[test]
fn without_systematics_the_derivatives_are_known() {
    // n = µ s + b in one bin: µ̂ = (n − b)/s, σ² = n/s².
    let workspace = json!({"version": "1.0.0",
      "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
      "channels": [{"name": "c", "samples": [
        {"name": "b", "data": [50.0], "modifiers": []},
        {"name": "s", "data": [5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}]}],
      "observations": [{"name": "c", "data": [64.0]}]});
    let mut model = model(&workspace);
    let data = model.observed();
    let result = fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
    let s = sensitivities(&mut model, &data, &result).expect("differentiates");
    assert_eq!(s.signal_cells, [1]);
    for (found, expected) in [
        (s.poi_by_data[0], 1.0 / 5.0),
        (s.sigma_by_data[0], 0.5 / (8.0 * 5.0)),
        (s.poi_by_signal[0], -14.0 / 25.0),
        (s.sigma_by_signal[0], -8.0 / 25.0),
    ] {
        assert!(
            (found - expected).abs() < 1e-13,
            "{found} against {expected}"
        );
    }
}

#[test]
fn on_asimov_data_the_hessian_is_the_fisher_information() {
    let mut model = model(&workspace());
    for mu in [0.0, 1.0, 2.5] {
        let data = model
            .asimov(
                Some(mu),
                AsimovNuisances::Nominal,
                &mut FitOptions::default(),
            )
            .expect("Asimov data");
        let mut point = model.spec().inits();
        point[model.spec().poi.expect("a parameter of interest")] = mu;
        let n = point.len();
        let hessian = model.hessian(&point, &data).expect("evaluates");
        let mut fisher = vec![0.0; n * n];
        model.fisher_into(&point, &mut fisher).expect("evaluates");
        for i in 0..n {
            for j in 0..n {
                let (h, f) = (hessian[i * n + j], fisher[i * n + j]);
                let scale = (hessian[i * n + i] * hessian[j * n + j]).sqrt();
                close(h, f, scale, 1e-13, &format!("µ = {mu}, ({i}, {j})"));
            }
        }
    }
}

fn fitted(change: impl FnOnce(&mut Model, &mut FitOptions<'_>)) -> (Model, Data, FitResult) {
    let mut model = model(&workspace());
    let data = model.observed();
    let mut options = FitOptions::default();
    change(&mut model, &mut options);
    let result = fit(&mut model, &data, &mut options).expect("fits");
    (model, data, result)
}

fn refused(model: &mut Model, data: &Data, result: &FitResult) -> Error {
    let error = sensitivities(model, data, result).expect_err("refuses");
    assert_eq!(error.code(), "PB0354", "{error}");
    assert!(!error.help().is_empty());
    error
}

#[test]
fn what_has_no_derivative_is_refused_with_a_reason() {
    let (mut model, data, result) = fitted(|model, options| {
        let poi = model.spec().poi.expect("a parameter of interest");
        options.fix.push((poi, 1.0));
    });
    let error = refused(&mut model, &data, &result);
    assert!(error.to_string().contains("`mu` is fixed"), "{error}");
    assert_eq!(error.value().as_deref(), Some("mu"));

    let (mut model, data, mut result) = fitted(|_, options| options.minimum_only = true);
    assert!(
        refused(&mut model, &data, &result)
            .to_string()
            .contains("no covariance")
    );
    result.poi = None;
    assert!(
        refused(&mut model, &data, &result)
            .to_string()
            .contains("no parameter of interest")
    );

    // Fewer events than background: µ̂ ends at its bound.
    let mut workspace = workspace();
    workspace["measurements"][0]["config"]["parameters"] =
        json!([{"name": "mu", "bounds": [[0.0, 10.0]]}]);
    let mut model = self::model(&workspace);
    let mut data = model.observed();
    data.main = vec![45.0, 36.0, 25.0, 16.0, 12.0];
    let result = fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
    assert!(
        refused(&mut model, &data, &result)
            .to_string()
            .contains("at its bound")
    );

    let (mut model, data, mut result) = fitted(|_, _| {});
    result.parameters.pop();
    assert_eq!(
        sensitivities(&mut model, &data, &result)
            .expect_err("refuses")
            .code(),
        "PB0351"
    );
}

#[test]
fn derivatives_of_published_fits_are_finite() {
    for name in [
        "2018-04__SRcombined",
        "2018-22-multibin__simplified_MB-C_noCR_bkgonly",
        "pyhf__example_bkgonly",
        "2019-09__bkg_onshell",
    ] {
        let Some(path) = common::atlas(&format!("{name}.json")) else {
            return;
        };
        let (workspace, _) =
            Workspace::from_slice(&std::fs::read(path).expect("readable")).expect("a workspace");
        let mut model =
            Model::new(spec::resolve(&workspace, &Options::default()).expect("resolves"))
                .expect("compiles");
        let data = model.observed();
        let result = fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
        let started = std::time::Instant::now();
        match sensitivities(&mut model, &data, &result) {
            Ok(s) => {
                println!(
                    "{name}: {:.1} ms, {} bins, {} cells",
                    started.elapsed().as_secs_f64() * 1e3,
                    s.poi_by_data.len(),
                    s.signal_cells.len()
                );
                let all = [
                    &s.poi_by_data,
                    &s.sigma_by_data,
                    &s.poi_by_signal,
                    &s.sigma_by_signal,
                ];
                assert!(
                    all.iter().all(|list| list.iter().all(|v| v.is_finite())),
                    "{name}: {s:?}"
                );
            }
            // Without a signal sample µ̂ lies at 0.
            Err(error) => assert!(
                name.ends_with("onshell") && error.code() == "PB0354",
                "{name}: {error}"
            ),
        }
    }
}
