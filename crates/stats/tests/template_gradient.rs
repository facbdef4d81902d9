//! Derivatives with respect to the numbers of a workspace, against differences of the likelihood of changed workspaces.

mod common;

use common::pointers;
use pullback_stats::fit::{FitOptions, fit};
use pullback_stats::spec::Options;
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Data, Model, spec};
use serde_json::{Value, json};

/// Every slot; a sample in two channels with a shared staterror, systematics without effect, a mixture of given and derived widths.
fn workspace() -> Value {
    json!({"version": "1.0.0",
      "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [
        {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.5, 1.5]], "inits": [1.0]},
        {"name": "given", "factors": [40.0, 50.0]}]}}],
      "channels": [
        {"name": "SR", "samples": [
          {"name": "bkg", "data": [50.0, 42.0, 31.0], "modifiers": [
            {"name": "jes", "type": "histosys", "data": {"hi_data": [53.0, 43.5, 30.0], "lo_data": [46.5, 41.0, 32.5]}},
            {"name": "flat", "type": "histosys", "data": {"hi_data": [50.0, 42.0, 31.0], "lo_data": [50.0, 42.0, 31.0]}},
            {"name": "xsec", "type": "normsys", "data": {"hi": 1.1, "lo": 0.92}},
            {"name": "stat_SR", "type": "staterror", "data": [2.5, 2.0, 0.0]}]},
          {"name": "signal", "data": [6.0, 9.0, 14.0], "modifiers": [
            {"name": "mu", "type": "normfactor", "data": null},
            {"name": "lumi", "type": "lumi", "data": null},
            {"name": "jes", "type": "histosys", "data": {"hi_data": [6.5, 9.4, 14.2], "lo_data": [5.4, 8.8, 13.5]}},
            {"name": "nothing", "type": "normsys", "data": {"hi": 1.0, "lo": 1.0}},
            {"name": "stat_SR", "type": "staterror", "data": [0.6, 0.7, 0.9]}]}]},
        {"name": "SR2", "samples": [
          {"name": "bkg", "data": [20.0, 15.0], "modifiers": [
            {"name": "xsec", "type": "normsys", "data": {"hi": 1.08, "lo": 0.95}},
            {"name": "shape", "type": "shapesys", "data": [3.0, 2.0]}]},
          {"name": "signal", "data": [4.0, 7.0], "modifiers": [
            {"name": "mu", "type": "normfactor", "data": null},
            {"name": "given", "type": "shapesys", "data": [0.8, 1.1]}]}]}],
      "observations": [{"name": "SR", "data": [59.0, 47.0, 49.0]}, {"name": "SR2", "data": [26.0, 19.0]}]})
}

fn model(workspace: &Value) -> Model {
    let (workspace, _) = Workspace::from_value(workspace, &Limits::default()).expect("a workspace");
    Model::new(spec::resolve(&workspace, &Options::default()).expect("resolves")).expect("compiles")
}

fn compare(workspace: &Value, parameters: &[f64], data: &Data) {
    let mut here = model(workspace);
    let found = here
        .template_gradient(parameters, data)
        .expect("differentiates");
    let expected = pointers(here.spec());
    assert_eq!(
        found.iter().map(|(n, g)| (*n, g.len())).collect::<Vec<_>>(),
        expected
            .iter()
            .map(|(n, p)| (*n, p.len()))
            .collect::<Vec<_>>()
    );
    for ((slot, gradient), (_, pointers)) in found.iter().zip(&expected) {
        let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        assert!(largest > 0.0, "{slot}");
        for (g, pointer) in gradient.iter().zip(pointers) {
            let size = workspace
                .pointer(pointer)
                .and_then(Value::as_f64)
                .expect("a number");
            if size == 0.0 {
                // Its square enters: no first-order effect.
                assert_eq!(*g, 0.0, "{slot} {pointer}");
                continue;
            }
            let step = 1e-3 * size;
            let at = |by: f64| {
                let mut changed = workspace.clone();
                *changed.pointer_mut(pointer).expect("exists") = json!(size + by);
                model(&changed)
                    .twice_nll(parameters, data)
                    .expect("evaluates")
            };
            let difference =
                (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
            assert!(
                (g - difference).abs() <= 1e-8 * largest.max(g.abs()),
                "{slot} {pointer}: {g} against {difference}"
            );
        }
    }
}

#[test]
fn every_number_of_a_workspace_has_its_derivative() {
    let workspace = workspace();
    let here = model(&workspace);
    let data = here.observed();
    // Away from the nominal point, on both sides of the interpolations and beyond them.
    let offsets = [0.4, -0.7, 1.6, -1.3, 0.2];
    let parameters: Vec<f64> = here
        .spec()
        .parameters
        .iter()
        .enumerate()
        .map(|(k, p)| {
            if p.init == 0.0 {
                offsets[k % 5]
            } else {
                p.init * (1.0 + 0.1 * offsets[k % 5])
            }
        })
        .collect();
    compare(&workspace, &parameters, &data);
}

#[test]
fn at_a_best_fit_it_is_the_derivative_of_the_smallest_value() {
    let workspace = workspace();
    let mut here = model(&workspace);
    let data = here.observed();
    let smallest = |workspace: &Value| {
        let mut model = model(workspace);
        let mut options = FitOptions {
            minimum_only: true,
            ..FitOptions::default()
        };
        fit(&mut model, &data, &mut options).expect("fits")
    };
    let result = smallest(&workspace);
    let point: Vec<f64> = result.parameters.iter().map(|p| p.value).collect();
    let gradient = here
        .template_gradient(&point, &data)
        .expect("differentiates");
    let pointers = pointers(here.spec());
    for (slot, entry) in [(0, 4), (1, 3), (3, 1), (5, 1)] {
        let pointer = &pointers[slot].1[entry];
        let size = workspace
            .pointer(pointer)
            .and_then(Value::as_f64)
            .expect("a number");
        let step = 2e-3 * size;
        let at = |by: f64| {
            let mut changed = workspace.clone();
            *changed.pointer_mut(pointer).expect("exists") = json!(size + by);
            smallest(&changed).twice_nll
        };
        let difference =
            (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
        let found = gradient[slot].1[entry];
        assert!(
            (found - difference).abs() <= 1e-6 * found.abs().max(0.01),
            "{pointer}: {found} against {difference}"
        );
    }
}

#[test]
fn published_likelihoods_have_finite_template_gradients() {
    for name in [
        "2018-22-multibin__simplified_MB-C_noCR_bkgonly",
        "2019-09__bkg_onshell",
        "pyhf__example_bkgonly",
    ] {
        let Some(path) = common::atlas(&format!("{name}.json")) else {
            return;
        };
        let (workspace, _) =
            Workspace::from_slice(&std::fs::read(path).expect("readable")).expect("a workspace");
        let mut model =
            Model::new(spec::resolve(&workspace, &Options::default()).expect("resolves"))
                .expect("compiles");
        let (data, point) = (model.observed(), model.spec().inits());
        for (slot, gradient) in model
            .template_gradient(&point, &data)
            .expect("differentiates")
        {
            assert!(gradient.iter().all(|g| g.is_finite()), "{name}, {slot}");
        }
    }
}
