//! Small workspaces with everything that is easy to get wrong, resolved as pyhf 0.7.6 does (`data/make_pyhf_models.py`).

use pullback_stats::Error;
use pullback_stats::spec::{Constraint, ModelSpec, Options, resolve};
use pullback_stats::workspace::{Limits, Workspace, sha256_hex};
use serde_json::Value;

fn model(workspace: &Value) -> Result<ModelSpec, Error> {
    let (workspace, _) = Workspace::from_value(workspace, &Limits::default())?;
    resolve(&workspace, &Options::default())
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

#[test]
fn models_equal_those_of_pyhf() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/pyhf_models.json")).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for (i, case) in cases.iter().enumerate() {
        let pyhf = &case["pyhf"];
        assert_eq!(sha256_hex(&case["workspace"]), case["digest"], "case {i}");
        let model = match (model(&case["workspace"]), pyhf["error"].as_str()) {
            (Ok(model), None) => model,
            (Err(_), Some(_)) => {
                refused += 1;
                continue;
            }
            (Ok(_), Some(error)) => panic!("case {i}: pyhf refuses it with {error}"),
            (Err(error), None) => panic!("case {i}: pyhf accepts it, here {error}"),
        };
        accepted += 1;
        let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(pyhf["names"], serde_json::json!(names), "case {i}");
        assert_eq!(numbers(&pyhf["inits"]), model.inits(), "case {i}");
        let bounds: Vec<[f64; 2]> = model.parameters.iter().map(|p| p.bounds).collect();
        assert_eq!(pyhf["bounds"], serde_json::json!(bounds), "case {i}");
        let fixed: Vec<bool> = model.parameters.iter().map(|p| p.fixed).collect();
        assert_eq!(pyhf["fixed"], serde_json::json!(fixed), "case {i}");
        assert_eq!(
            pyhf["poi"].as_u64().map(|x| x as usize),
            model.poi,
            "case {i}"
        );
        assert_eq!(numbers(&pyhf["data"]), model.observations, "case {i}");
        let close = |a: f64, b: f64| (a - b).abs() <= 4.0 * f64::EPSILON * a.abs();
        let auxdata = numbers(&pyhf["auxdata"]);
        assert_eq!(auxdata.len(), model.auxdata.len(), "case {i}");
        assert!(
            auxdata
                .iter()
                .zip(&model.auxdata)
                .all(|(a, b)| close(*a, *b)),
            "case {i}"
        );
        for p in &model.parameters {
            let reference = &pyhf["constraints"][&p.name];
            let (kind, width) = match p.constraint {
                Constraint::None => {
                    assert!(reference.is_null(), "case {i}: {}", p.name);
                    continue;
                }
                Constraint::Normal { sigma, .. } => ("normal", sigma),
                Constraint::Poisson { tau, .. } => ("poisson", tau),
            };
            assert_eq!(reference[0], kind, "case {i}: {}", p.name);
            assert!(
                close(reference[1].as_f64().unwrap(), width),
                "case {i}: {} {reference} {width}",
                p.name
            );
        }
    }
    assert!(
        accepted > 50 && refused > 10,
        "{accepted} accepted, {refused} refused"
    );
}
