//! Expected sensitivities against pyhf (`data/make_expected.py`), and their gradients against differences of everything made anew.

mod common;

use common::pointers;
use pullback_stats::fit::{AsimovNuisances, FitOptions, fit};
use pullback_stats::objective::counting::{self, Formula};
use pullback_stats::objective::{Expectation, Expected};
use pullback_stats::spec::{self, ModelSpec, Options};
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Error, Model, Result};
use serde_json::{Value, json};

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("data/expected.json")).expect("a list")
}

fn resolved(workspace: &Value) -> ModelSpec {
    let (workspace, _) = Workspace::from_value(workspace, &Limits::default()).expect("a workspace");
    spec::resolve(&workspace, &Options::default()).expect("resolves")
}

fn expected(workspace: &Value) -> Expected {
    Expected::new(resolved(workspace)).expect("compiles")
}

type Objective = fn(&mut Expected) -> Result<Expectation>;

const OBJECTIVES: [(&str, Objective); 6] = [
    ("sigma at 0", |e| e.sigma(0.0)),
    ("sigma at 1.3", |e| e.sigma(1.3)),
    ("cross-section", |e| e.cross_section_uncertainty(1.0)),
    ("discovery", Expected::discovery_significance),
    ("limit", |e| Ok(e.limit(0.05, &[0.0])?.remove(0).limit)),
    ("limit + 2", |e| Ok(e.limit(0.05, &[2.0])?.remove(0).limit)),
];

#[test]
fn limits_and_significances_equal_pyhf() {
    let mut worst: f64 = 0.0;
    for case in cases() {
        let mut here = expected(&case["workspace"]);
        let bands = here
            .limit(0.05, &[-2.0, -1.0, 0.0, 1.0, 2.0])
            .expect("limits");
        let z = here.discovery_significance().expect("a significance").value;
        let found = bands.iter().map(|b| b.limit.value).chain([z]);
        let theirs = case["limits"].as_array().expect("five numbers").iter();
        for (found, theirs) in found.zip(theirs.chain([&case["significance"]])) {
            let theirs = theirs.as_f64().expect("a number");
            let error = (found / theirs - 1.0).abs();
            worst = worst.max(error);
            assert!(
                error < 1e-5,
                "{}: {found} against {theirs}, {error:.1e}",
                case["name"]
            );
        }
    }
    println!("largest relative difference to pyhf {worst:.1e}");
}

#[test]
fn expected_errors_are_those_of_fits_to_asimov_data() {
    for case in cases() {
        for mu in [0.7, 1.0, 2.0] {
            let mut model = Model::new(resolved(&case["workspace"])).expect("compiles");
            let mut options = FitOptions::default();
            let data = model
                .asimov(Some(mu), AsimovNuisances::Nominal, &mut options)
                .expect("Asimov data");
            let result = fit(&mut model, &data, &mut options).expect("fits");
            let poi = &result.parameters[result.poi.expect("one")];
            assert!((poi.value - mu).abs() < 1e-7);
            let here = expected(&case["workspace"]).sigma(mu).expect("an error");
            let error = poi.error.expect("an error");
            assert!(
                (here.value / error - 1.0).abs() < 1e-6,
                "{}, µ = {mu}: {} against {error}",
                case["name"],
                here.value
            );
        }
    }
}

/// Fourth-order central differences (one Richardson step from those of second order).
fn difference(step: f64, mut at: impl FnMut(f64) -> f64) -> f64 {
    (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step)
}

/// Entries of a gradient against differences of the objective of changed workspaces, with everything made anew: Asimov data, fits, crossings.
///
/// `every` thins the entries out.
fn compare(
    name: &str,
    workspace: &Value,
    objective: Objective,
    every: usize,
    step: f64,
    allowed: f64,
) -> f64 {
    let mut here = expected(workspace);
    let found = objective(&mut here).expect("an objective");
    let places = pointers(here.spec());
    let mut worst: f64 = 0.0;
    for (slot, values) in &found.gradient {
        let (_, places) = places.iter().find(|(n, _)| n == slot).expect("the slot");
        assert_eq!(values.len(), places.len(), "{slot}");
        let numbers: Vec<f64> = places
            .iter()
            .map(|p| {
                workspace
                    .pointer(p)
                    .and_then(Value::as_f64)
                    .expect("a number")
            })
            .collect();
        // By logarithms of the templates, relative to the largest of the slot; what is too small to be seen in the value is rounding.
        let scale = values
            .iter()
            .zip(&numbers)
            .fold(1e-3 * found.value, |m, (g, n)| m.max((g * n).abs()));
        for ((g, place), &size) in values.iter().zip(places).zip(&numbers).step_by(every) {
            if size == 0.0 {
                assert_eq!(*g, 0.0, "{name}: {slot} {place}");
                continue;
            }
            let by_difference = difference(step * size, |by| {
                let mut changed = workspace.clone();
                *changed.pointer_mut(place).expect("exists") = json!(size + by);
                objective(&mut expected(&changed)).expect("a value").value
            });
            let error = (g - by_difference).abs() * size.abs() / scale;
            worst = worst.max(error);
            assert!(
                error <= allowed,
                "{name}: {slot} {place}: {g} against {by_difference}"
            );
        }
    }
    worst
}

#[test]
fn gradients_equal_differences_of_everything_made_anew() {
    for case in cases() {
        let name = case["name"].as_str().expect("a name");
        for (what, objective) in OBJECTIVES {
            let worst = compare(
                &format!("{name}, {what}"),
                &case["workspace"],
                objective,
                1,
                3e-4,
                1e-7,
            );
            println!("{name}, {what}: {worst:.1e}");
        }
    }
}

#[test]
fn parameters_at_bounds_stay_there_and_are_named() {
    let mut workspace = cases()[2]["workspace"].clone();
    let parameters = &mut workspace["measurements"][0]["config"]["parameters"];
    parameters
        .as_array_mut()
        .expect("a list")
        .push(json!({"name": "k_top", "bounds": [[1.0, 5.0]], "inits": [1.0]}));
    for (what, objective) in OBJECTIVES {
        let found = objective(&mut expected(&workspace)).expect("a value");
        let named = found.notes.iter().any(|n| n.contains("k_top"));
        // In the fits of the other two it is pulled up, off its bound.
        let on_it = what != "discovery" && what != "limit + 2";
        assert_eq!(named, on_it, "{what}: {:?}", found.notes);
        let free = objective(&mut expected(&cases()[2]["workspace"])).expect("a value");
        assert!(free.notes.is_empty(), "{what}: {:?}", free.notes);
        assert_eq!(
            named,
            (found.value / free.value - 1.0).abs() > 1e-8,
            "{what}: the bound has an effect, {} against {}",
            found.value,
            free.value
        );
        compare(what, &workspace, objective, 3, 3e-4, 1e-7);
    }
}

#[test]
fn bins_that_expect_nothing_are_named() {
    let mut workspace = cases()[0]["workspace"].clone();
    for (sample, data) in [(0, [50.0, 0.0]), (1, [12.0, 0.7])] {
        workspace["channels"][0]["samples"][sample]["data"] = json!(data);
    }
    workspace["observations"][0]["data"] = json!([1.0, 1.0]);
    let mut here = expected(&workspace);
    let limit = here.limit(0.05, &[0.0]).expect("a limit").remove(0).limit;
    assert!(
        limit.notes[0].starts_with("1 bin expects nothing, the first is bin 1 of `c`"),
        "{:?}",
        limit.notes
    );
    // q = 2 [µs − b ln(1 + µs/b)] + 2 µ s′.
    let (mu, slopes) = (limit.value, &limit.gradient[0].1);
    let slope = 2.0 * (12.0 - 50.0 * 12.0 / (50.0 + 12.0 * mu) + 0.7);
    assert!((slopes[3] + 2.0 * mu / slope).abs() < 1e-10, "{slopes:?}");
    assert!(slopes.iter().all(|s| s.is_finite()));
    // Signal where nothing else is: no discovery, and no huge number.
    let error = here.discovery_significance().expect_err("refuses");
    assert_eq!(error.code(), "PB0350", "{error}");
}

/// A published likelihood with a signal sample of our own.
fn published(file: &str, signal: &str) -> Option<Value> {
    let path = common::atlas(file)?;
    let mut workspace: Value =
        serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON");
    for channel in workspace["channels"].as_array_mut().expect("channels") {
        let bins = channel["samples"][0]["data"]
            .as_array()
            .expect("bins")
            .len();
        if channel["name"]
            .as_str()
            .expect("a name")
            .starts_with(signal)
        {
            let data: Vec<f64> = (0..bins).map(|b| 2.0 + 0.5 * b as f64).collect();
            let modifiers = json!([{"name": "mu_ours", "type": "normfactor", "data": null},
                {"name": "acceptance", "type": "normsys", "data": {"hi": 1.1, "lo": 0.92}}]);
            let sample = json!({"name": "our_signal", "data": data, "modifiers": modifiers});
            channel["samples"]
                .as_array_mut()
                .expect("samples")
                .push(sample);
        }
    }
    workspace["measurements"][0]["config"]["poi"] = json!("mu_ours");
    Some(workspace)
}

#[test]
fn gradients_on_a_published_likelihood_equal_differences() {
    let Some(workspace) = published("2018-04__SRcombined.json", "") else {
        return;
    };
    for (what, objective) in OBJECTIVES {
        let worst = compare(what, &workspace, objective, 397, 2e-3, 1e-7);
        println!("2018-04, {what}: {worst:.1e}");
    }
}

#[test]
fn a_single_bin_has_the_counting_formulas() {
    let workspace = &cases()[0]["workspace"];
    let (s, b) = (12.0, 50.0);
    let mut here = expected(workspace);
    let z = here.discovery_significance().expect("a significance");
    let formula = counting::evaluate(Formula::Asimov, &[s], &[b], &[]).expect("legal");
    assert!((z.value - formula).abs() < 1e-12);
    // Cells: b, s.
    let slopes = &z.gradient[0].1;
    let ratio: f64 = 1.0 + s / b;
    assert!((slopes[1] - ratio.ln() / formula).abs() < 1e-12);
    assert!((slopes[0] - (ratio.ln() - s / b) / formula).abs() < 1e-12);
    for mu in [0.0, 1.0, 3.0] {
        let sigma = here.sigma(mu).expect("an error");
        let n = b + mu * s;
        assert!((sigma.value - n.sqrt() / s).abs() < 1e-13);
        let slopes = &sigma.gradient[0].1;
        assert!((slopes[0] - 0.5 / n.sqrt() / s).abs() < 1e-14);
        assert!((slopes[1] - (0.5 * mu / n.sqrt() / s - n.sqrt() / (s * s))).abs() < 1e-14);
    }
    let relative = here.cross_section_uncertainty(2.0).expect("an error");
    assert!((relative.value - 74.0_f64.sqrt() / 24.0).abs() < 1e-13);
    // q(µ) = 2 [µs − b ln(1 + µs/b)] = Φ⁻¹(0.975)² at the limit.
    let mu = here.limit(0.05, &[0.0]).expect("a limit")[0].limit.value;
    let q = 2.0 * (mu * s - b * (mu * s / b).ln_1p());
    assert!((q.sqrt() - 1.959_963_984_540_054).abs() < 1e-12);
}

#[test]
fn a_weak_signal_keeps_its_digits() {
    // √q₀ is nearly proportional to the signal; a difference of two −2 ln L would keep nothing of q₀ ~ 1e-14.
    let scaled = |factor: f64| {
        let mut here = resolved(&cases()[1]["workspace"]);
        let signal: Vec<f64> = here.nominal.iter().map(|n| n * factor).collect();
        let mut nominal = here.nominal.clone();
        for s in &here.samples {
            if here.processes[s.process] == "signal" {
                nominal[s.cells.clone()].copy_from_slice(&signal[s.cells.clone()]);
            }
        }
        here.set_templates(&[("nominal", nominal)]).expect("legal");
        let mut here = Expected::new(here).expect("compiles");
        here.discovery_significance().expect("a value").value / factor
    };
    let [a, b] = [1e-6, 1e-7].map(scaled);
    assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
}

#[test]
fn new_templates_give_what_a_new_model_gives() {
    let workspace = &cases()[1]["workspace"];
    for open in [false, true] {
        let spec = resolved(workspace);
        let here = if open {
            Expected::open(spec)
        } else {
            Expected::new(spec)
        };
        moves_to_new_templates(workspace, here.expect("compiles"));
    }
}

fn moves_to_new_templates(workspace: &Value, mut here: Expected) {
    let mut changed = workspace.clone();
    // Compiled before the change.
    for (_, objective) in OBJECTIVES {
        objective(&mut here).expect("a value");
    }
    let mut slots: Vec<(&str, Vec<f64>)> = Vec::new();
    for (slot, places) in pointers(here.spec()) {
        let mut values = Vec::new();
        for (k, place) in places.iter().enumerate() {
            let number = changed.pointer_mut(place).expect("exists");
            let value = number.as_f64().expect("a number") * (1.0 + 0.03 * ((k % 5) as f64 - 1.5));
            *number = json!(value);
            values.push(value);
        }
        slots.push((slot, values));
    }
    here.set_templates(&slots).expect("legal");
    let mut anew = expected(&changed);
    assert_eq!(here.spec().parameters, anew.spec().parameters);
    assert_eq!(here.spec().auxdata, anew.spec().auxdata);
    for (what, objective) in OBJECTIVES {
        let (a, b) = (objective(&mut here), objective(&mut anew));
        let (a, b) = (a.expect("a value"), b.expect("a value"));
        assert!((a.value / b.value - 1.0).abs() < 1e-11, "{what}");
        for ((slot, a), (_, b)) in a.gradient.iter().zip(&b.gradient) {
            let largest = b.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            for (a, b) in a.iter().zip(b) {
                assert!((a - b).abs() <= 1e-7 * largest, "{what}, {slot}: {a}, {b}");
            }
        }
    }
}

#[test]
fn open_likelihoods_are_those_with_constants() {
    for case in cases() {
        let spec = resolved(&case["workspace"]);
        let x: Vec<f64> = spec
            .inits()
            .iter()
            .enumerate()
            .map(|(k, x)| x + 0.2 * ((k % 4) as f64 - 1.0))
            .collect();
        let mut bound = Model::new(spec.clone()).expect("compiles");
        let mut open = Model::open(spec).expect("compiles");
        let data = bound.observed();
        let close = |a: &[f64], b: &[f64]| {
            let size = b.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
            let same = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-13 * size;
            assert!(
                a.len() == b.len() && a.iter().zip(b).all(same),
                "{a:?} {b:?}"
            );
        };
        let ((a, g), (b, h)) = (
            open.gradient(&x, &data).expect("evaluates"),
            bound.gradient(&x, &data).expect("evaluates"),
        );
        close(&[a], &[b]);
        close(&g, &h);
        close(
            &open.hessian(&x, &data).expect("evaluates"),
            &bound.hessian(&x, &data).expect("evaluates"),
        );
        assert!(open.has_layers());
        let n = x.len();
        let (mut a, mut b) = (vec![0.0; n * n], vec![0.0; n * n]);
        open.fisher_into(&x, &mut a).expect("evaluates");
        bound.fisher_into(&x, &mut b).expect("evaluates");
        close(&a, &b);
    }
}

#[test]
fn templates_that_cannot_be_are_refused_and_change_nothing() {
    let workspace = &cases()[1]["workspace"];
    let mut here = resolved(workspace);
    let before = here.clone();
    let mut refused = |slot: &str, values: Vec<f64>| -> Error {
        let error = here.set_templates(&[(slot, values)]).expect_err("refuses");
        assert_eq!(here, before);
        assert!(!error.help().is_empty());
        error
    };
    let nominal = before.nominal.clone();
    assert_eq!(refused("nominl", nominal.clone()).code(), "PB0357");
    assert_eq!(refused("nominal", vec![1.0]).code(), "PB0351");
    let mut bad = nominal.clone();
    bad[3] = f64::INFINITY;
    let error = refused("nominal", bad);
    assert!(
        error
            .to_string()
            .starts_with("entry 3 of the template slot `nominal`"),
        "{error}"
    );
    assert_eq!(refused("normsys_hi", vec![-0.1; 4]).code(), "PB0357");
    // A bin with MC statistics needs a yield.
    assert_eq!(
        refused("nominal", vec![0.0; nominal.len()]).code(),
        "PB0327"
    );
}

#[test]
fn what_has_no_value_says_why() {
    let mut workspace = cases()[0]["workspace"].clone();
    *workspace
        .pointer_mut("/channels/0/samples/1/data/0")
        .expect("exists") = json!(0.0);
    let mut here = expected(&workspace);
    // Without signal a significance is zero, and so is its derivative; limits and errors do not exist.
    let z = here.discovery_significance().expect("a significance");
    assert_eq!((z.value, &z.gradient[0].1), (0.0, &vec![0.0, 0.0]));
    for error in [
        here.sigma(1.0).expect_err("refuses"),
        here.limit(0.05, &[0.0]).expect_err("refuses"),
        here.limit(1.5, &[0.0]).expect_err("refuses"),
        here.cross_section_uncertainty(0.0).expect_err("refuses"),
    ] {
        assert_eq!(error.code(), "PB0356", "{error}");
        assert!(!error.help().is_empty());
    }
    // Signal where nothing is expected: no huge number.
    let mut workspace = cases()[0]["workspace"].clone();
    *workspace
        .pointer_mut("/channels/0/samples/0/data/0")
        .expect("exists") = json!(0.0);
    let mut here = expected(&workspace);
    let error = here.discovery_significance().expect_err("refuses");
    assert_eq!(error.code(), "PB0350", "{error}");
    let mut without = resolved(&cases()[0]["workspace"]);
    without.poi = None;
    let error = Expected::new(without).err().expect("refuses");
    assert_eq!(error.code(), "PB0356");
    let mut fixed = resolved(&cases()[0]["workspace"]);
    fixed.parameters[0].fixed = true;
    let error = Expected::new(fixed).expect("compiles").sigma(1.0);
    assert!(error.expect_err("refuses").to_string().contains("fixed"));
}
