//! What machines see.

mod common;

use common::{TWO_CHANNELS, folder_with_workspace};
use serde_json::Value;

fn json(args: &[&str]) -> Value {
    let run = folder_with_workspace().run(args, TWO_CHANNELS);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

/// The keys of a value with the types of their values, lists by their first element.
fn shape(value: &Value, indent: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(list) => match list.first() {
            Some(first) => format!("[{}]", shape(first, indent)),
            None => "[]".to_owned(),
        },
        Value::Object(map) => {
            let pad = " ".repeat(indent + 2);
            let lines: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{pad}{k}: {}", shape(v, indent + 2)))
                .collect();
            format!("{{\n{}\n{}}}", lines.join("\n"), " ".repeat(indent))
        }
    }
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
fn keys() {
    insta::assert_snapshot!("fit_keys", shape(&json(&["fit", "ws.json", "--json"]), 0));
    insta::assert_snapshot!(
        "eval_keys",
        shape(
            &json(&["eval", "ws.json", "--json", "--gradient", "--hessian"]),
            0
        )
    );
    insta::assert_snapshot!(
        "inspect_keys",
        shape(&json(&["ws", "inspect", "ws.json", "--json"]), 0)
    );
    assert!(
        json(&["eval", "ws.json", "--json"])
            .get("gradient")
            .is_none()
    );
}

#[test]
fn covariance_has_zero_rows_for_fixed_parameters() {
    let fit = json(&["fit", "ws.json", "--json", "--fix", "jes=0.5"]);
    let parameters = fit["parameters"].as_array().unwrap();
    let rows = fit["covariance"].as_array().unwrap();
    assert_eq!((parameters.len(), rows.len()), (12, 12));
    let mut fixed = Vec::new();
    for (i, (p, row)) in parameters.iter().zip(rows).enumerate() {
        let row = numbers(row);
        assert_eq!(row.len(), 12);
        if p["fixed"] == true {
            fixed.push(p["name"].as_str().unwrap());
            assert!(row.iter().all(|x| *x == 0.0) && p["error"].is_null());
        } else {
            let error = p["error"].as_f64().unwrap();
            assert!((row[i].sqrt() / error - 1.0).abs() < 1e-12, "{p}");
        }
    }
    assert_eq!(fixed, ["jes", "fakes_SR[2]"]);
    assert_eq!(parameters[0]["value"], 0.5);
}

/// The digest is that of `pyhf digest`: `hashlib.sha256(json.dumps(spec, sort_keys=True, ensure_ascii=False).encode())` of Python.
#[test]
fn digest_and_version() {
    let fit = json(&["fit", "ws.json", "--json"]);
    assert_eq!(
        fit["digest"],
        "bb52973b49afe56110a3e3d6da2bd93752c8cd61a34e2740bab656aa4006ebc1"
    );
    assert_eq!(fit["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(fit["poi"], "mu");
    assert_eq!(
        json(&["fit", "ws.json", "--json", "--poi", ""])["poi"],
        Value::Null
    );
    assert_eq!(
        json(&["fit", "ws.json", "--json", "--poi", "norm_top"])["poi"],
        "norm_top"
    );
}

#[test]
fn the_workspace_may_come_from_a_pipe() {
    let (mut from_file, mut from_pipe) = (
        json(&["fit", "ws.json", "--json"]),
        json(&["fit", "-", "--json"]),
    );
    from_file["seconds"] = Value::Null;
    from_pipe["seconds"] = Value::Null;
    assert_eq!(from_file, from_pipe);
}

/// With -o the result is in the file; with --json too, nothing is printed.
#[test]
fn output_goes_to_a_file() {
    let folder = folder_with_workspace();
    let run = folder.run(
        &["fit", "ws.json", "-o", "fit.json", "--report", "fit.html"],
        "",
    );
    assert!(
        run.code == Some(0) && run.stdout.starts_with("The fit converged."),
        "{run:?}"
    );
    assert_eq!(folder.files(), ["fit.html", "fit.json", "ws.json"]);
    let value: Value = serde_json::from_str(&folder.read("fit.json")).unwrap();
    assert_eq!(value["converged"], true);
    let run = folder.run(
        &["eval", "ws.json", "--json", "--output-file", "fit.json"],
        "",
    );
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    let value: Value = serde_json::from_str(&folder.read("fit.json")).unwrap();
    assert!(value["twice_nll"].is_number());
}

/// A point by list and by name is the same point; names of modifiers stand for all their components.
#[test]
fn eval_at_a_point() {
    let folder = folder_with_workspace();
    folder.write(
        "list.json",
        "[0.5, 1.01, 0.9, 2.0, 0, 0, 1.1, 1.1, 1, 0.98, 0.98, 0.97]",
    );
    folder.write(
        "names.json",
        r#"{"jes": 0.5, "lumi": 1.01, "norm_top": 0.9, "mu": 2, "fakes_SR": [1.1, 1.1, 1], "mc_stat_SR": 0.98, "mc_stat_SR[2]": 0.97}"#,
    );
    let value = |args: &[&str]| {
        let run = folder.run(args, "");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let a = value(&[
        "eval",
        "ws.json",
        "--json",
        "--gradient",
        "--parameters",
        "list.json",
    ]);
    let b = value(&[
        "eval",
        "ws.json",
        "--json",
        "--gradient",
        "--parameters",
        "names.json",
    ]);
    assert_eq!(a, b);
    assert_eq!(a["parameters"][3]["value"], 2.0);
    // At the best fit the gradient of the free parameters vanishes.
    let fit = value(&["fit", "ws.json", "--json"]);
    let point: Vec<f64> = fit["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["value"].as_f64().unwrap())
        .collect();
    folder.write("best.json", serde_json::to_string(&point).unwrap());
    let best = value(&[
        "eval",
        "ws.json",
        "--json",
        "--gradient",
        "--parameters",
        "best.json",
    ]);
    for (p, g) in fit["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .zip(numbers(&best["gradient"]))
    {
        assert!(g.abs() < 1e-5 || p["fixed"] == true, "{p}: {g}");
    }
    assert!(
        (best["twice_nll"].as_f64().unwrap() - fit["twice_nll"].as_f64().unwrap()).abs() < 1e-9
    );
}

#[test]
fn initial_values_and_bounds() {
    let fit = json(&[
        "fit",
        "ws.json",
        "--json",
        "--init",
        "mu=3",
        "--bounds",
        "mu=2,4",
        "--bounds",
        "norm_top=-inf,inf",
    ]);
    let mu = &fit["parameters"][3];
    assert_eq!(mu["name"], "mu");
    assert_eq!(
        (
            mu["init"].as_f64(),
            mu["value"].as_f64(),
            mu["at_bound"].as_str()
        ),
        (Some(3.0), Some(2.0), Some("lower"))
    );
    assert_eq!(
        fit["parameters"][2]["bounds"],
        serde_json::json!([null, null])
    );
}

#[test]
fn patches() {
    let folder = folder_with_workspace();
    folder.write(
        "patch.json",
        r#"[{"op": "replace", "path": "/observations/0/data", "value": [60, 40, 20]}]"#,
    );
    let run = folder.run(&["fit", "ws.json", "--json", "-p", "patch.json"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let fit: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        fit["yields"][1]["observed"],
        serde_json::json!([60.0, 40.0, 20.0])
    );

    let digest = "bb52973b49afe56110a3e3d6da2bd93752c8cd61a34e2740bab656aa4006ebc1";
    let set = |digest: &str| {
        format!(
            r#"{{"version": "1.0.0", "metadata": {{"references": {{}}, "description": "d", "labels": ["m1", "m2"], "digests": {{"sha256": "{digest}"}}}},
            "patches": [{{"metadata": {{"name": "point_400_100", "values": [400, 100]}}, "patch": [{{"op": "replace", "path": "/channels/0/samples/0/data", "value": [1, 2, 3]}}]}}]}}"#
        )
    };
    folder.write("set.json", set(digest));
    for key in ["set.json#point_400_100", "set.json#400,100"] {
        let run = folder.run(&["ws", "inspect", "ws.json", "--json", "-p", key], "");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let inspect: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            inspect["channels"][1]["samples"][1],
            serde_json::json!({"name": "signal", "nominal": 6.0})
        );
    }
    let run = folder.run(&["fit", "ws.json", "-p", "set.json"], "");
    assert!(
        run.code == Some(2) && run.stderr.contains("--patch 'set.json#point_400_100'"),
        "{run:?}"
    );
    let run = folder.run(&["fit", "ws.json", "-p", "set.json#point_400_101"], "");
    assert!(
        run.code == Some(2) && run.stderr.contains("did you mean `point_400_100`?"),
        "{run:?}"
    );
    folder.write("set.json", set(&digest.replace('b', "c")));
    let run = folder.run(&["fit", "ws.json", "-p", "set.json#400,100"], "");
    assert!(
        run.code == Some(3) && run.stderr.contains("PB0334"),
        "{run:?}"
    );
}
