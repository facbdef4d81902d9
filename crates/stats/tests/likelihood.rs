//! The likelihood against pyhf 0.7.6 at every reference point of the published ATLAS workspaces.
//!
//! The reference file stands beside the workspaces with the script that made it (`make_reference.py`); the tests skip, visibly, where it is absent.

use std::path::PathBuf;

use pullback_stats::{Model, spec, workspace::Workspace};
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/atlas-likelihoods");
    if path.join("references.json").is_file() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect()
}

fn models() -> Vec<(String, Model, Value)> {
    let Some(folder) = folder() else {
        return Vec::new();
    };
    let references: Value =
        serde_json::from_slice(&std::fs::read(folder.join("references.json")).expect("readable"))
            .expect("JSON");
    let references = references.as_object().expect("an object");
    references
        .iter()
        .map(|(name, reference)| {
            let bytes = std::fs::read(folder.join(format!("{name}.json"))).expect("readable");
            let (workspace, _) = Workspace::from_slice(&bytes).expect("a workspace");
            let model =
                Model::new(spec::resolve(&workspace, &spec::Options::default()).expect("resolves"))
                    .expect("compiles");
            (name.clone(), model, reference.clone())
        })
        .collect()
}

#[test]
fn values_and_gradients_of_published_likelihoods_equal_pyhf() {
    for (name, mut model, reference) in models() {
        let data = model.observed();
        for (k, point) in reference["points"]
            .as_array()
            .expect("points")
            .iter()
            .enumerate()
        {
            let parameters = numbers(&point["parameters"]);
            let expected = point["twice_nll"].as_f64().expect("a number");
            let (value, gradient) = model.gradient(&parameters, &data).expect("evaluates");
            assert!(
                ((value - expected) / expected).abs() <= 1e-10,
                "{name}, point {k}: {value} against {expected}"
            );
            let value_alone = model.twice_nll(&parameters, &data).expect("evaluates");
            assert_eq!(
                value_alone, value,
                "{name}, point {k}: value alone and with gradient agree to the bit"
            );

            let expected = numbers(&point["gradient"]);
            let mut sizes: Vec<f64> = expected.iter().map(|g| g.abs()).collect();
            sizes.sort_by(f64::total_cmp);
            let median = sizes[sizes.len() / 2];
            for (i, (g, e)) in gradient.iter().zip(&expected).enumerate() {
                let allowed = 1e-9 * e.abs().max(median);
                assert!(
                    (g - e).abs() <= allowed,
                    "{name}, point {k}, {}: {g} against {e}",
                    model.spec().parameters[i].name
                );
            }
        }
    }
}

#[test]
fn hessians_agree_with_differences_of_the_gradient() {
    for (name, mut model, reference) in models() {
        let n = model.spec().parameters.len();
        if n > 70 {
            continue;
        }
        let data = model.observed();
        let parameters = numbers(&reference["points"][1]["parameters"]);
        let hessian = model.hessian(&parameters, &data).expect("evaluates");
        let scale: f64 = (0..n).map(|i| hessian[i * n + i].abs()).fold(0.0, f64::max);
        for j in 0..n {
            let step = 1e-5 * parameters[j].abs().max(1.0);
            let mut shifted = parameters.clone();
            shifted[j] += step;
            let (_, up) = model.gradient(&shifted, &data).expect("evaluates");
            shifted[j] -= 2.0 * step;
            let (_, down) = model.gradient(&shifted, &data).expect("evaluates");
            for i in 0..n {
                let difference = (up[i] - down[i]) / (2.0 * step);
                let allowed = 1e-5
                    * hessian[i * n + j]
                        .abs()
                        .max((hessian[i * n + i] * hessian[j * n + j]).abs().sqrt())
                    + 1e-9 * scale;
                assert!(
                    (difference - hessian[i * n + j]).abs() <= allowed,
                    "{name} ({i}, {j}): {} against {difference}",
                    hessian[i * n + j]
                );
            }
        }
    }
}

#[test]
fn hessians_by_layers_equal_directional_derivatives() {
    for (name, mut model, reference) in models() {
        let n = model.spec().parameters.len();
        let data = model.observed();
        let poi = model.spec().poi;
        for k in 0..3 {
            let mut parameters = numbers(&reference["points"][k]["parameters"]);
            if let (Some(poi), 2) = (poi, k) {
                // A vanishing factor: no division by it may show.
                parameters[poi] = 0.0;
            }
            let layers = model.hessian(&parameters, &data).expect("evaluates");
            let mut directions = vec![0.0; n * n];
            model
                .hessian_by_directions(&parameters, &data, &mut directions)
                .expect("evaluates");
            for i in 0..n {
                for j in 0..n {
                    let (a, b) = (layers[i * n + j], directions[i * n + j]);
                    let scale = (directions[i * n + i] * directions[j * n + j]).abs().sqrt();
                    assert!(
                        (a - b).abs() <= 1e-10 * scale.max(b.abs()),
                        "{name}, point {k}, ({i}, {j}): {a} against {b}"
                    );
                }
            }
        }
        assert!(model.has_layers(), "{name}: the Hessian went by directions");
    }
}

#[test]
fn best_fits_are_at_or_below_those_of_pyhf() {
    use pullback_stats::fit::{FitOptions, fit};
    for (name, mut model, reference) in models() {
        let data = model.observed();
        let result = fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
        let expected = reference["fit"]["twice_nll"].as_f64().expect("a number");
        println!(
            "{name}: {} ({} iterations, {} evaluations, edm {:.1e}), {:+.2e} from the reference",
            result.status,
            result.iterations,
            result.evaluations,
            result.edm,
            result.twice_nll - expected
        );
        assert!(
            result.converged,
            "{name}: {} {:?}",
            result.status, result.covariance_note
        );
        assert!(
            result.twice_nll <= expected + 1e-6,
            "{name}: {} against {expected}",
            result.twice_nll
        );
        // Where the reference is at its minimum the parameters agree to a thousandth of a standard error.
        let gap = (expected - result.twice_nll).abs();
        if gap < 1e-8 {
            for (p, e) in result
                .parameters
                .iter()
                .zip(numbers(&reference["fit"]["parameters"]))
            {
                if let Some(error) = p.error {
                    assert!(
                        (p.value - e).abs() <= 1e-3 * error,
                        "{name}, {}: {} against {e} ± {error}",
                        p.name,
                        p.value
                    );
                }
            }
        }
    }
}
