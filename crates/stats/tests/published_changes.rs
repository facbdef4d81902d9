//! The published likelihoods, patched, selected from, digested and written back, against pyhf 0.7.6 (`data/make_pyhf_published.py`).

mod common;

use std::process::Command;

use pullback_stats::spec::{ModelSpec, Options, resolve};
use pullback_stats::workspace::{Limits, Patch, Workspace, read_json, sha256_hex};
use serde_json::{Value, json};

fn reference() -> Value {
    serde_json::from_str(include_str!("data/pyhf_published.json")).unwrap()
}

/// A file of the archive of RegionA.
fn region_a(name: &str) -> Option<Vec<u8>> {
    let archive = common::atlas("SUSY-2018-31-RegionA-BkgOnly-and-patches.tar.gz")?;
    match Command::new("tar")
        .arg("-xzOf")
        .arg(archive)
        .arg(format!("RegionA/{name}.json"))
        .output()
    {
        Ok(output) if output.status.success() => Some(output.stdout),
        result => {
            println!("skipped: tar did not work: {result:?}");
            None
        }
    }
}

fn assert_equal(name: &str, model: &ModelSpec, reference: &Value) {
    let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(reference["names"], json!(names), "{name}");
    let fixed: Vec<bool> = model.parameters.iter().map(|p| p.fixed).collect();
    assert_eq!(reference["fixed"], json!(fixed), "{name}");
    assert_eq!(reference["poi"], json!(model.poi), "{name}");
    for (key, found) in [
        ("inits", &model.inits()),
        ("data", &model.observations),
        ("auxdata", &model.auxdata),
    ] {
        let expected: Vec<f64> = reference[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 4.0 * f64::EPSILON * a.abs();
        assert!(
            expected.len() == found.len() && expected.iter().zip(found).all(close),
            "{name}: {key}"
        );
    }
}

#[test]
fn digests_are_those_of_pyhf() {
    for (name, digest) in reference()["digests"].as_object().unwrap() {
        let bytes = match name.strip_prefix("RegionA/") {
            Some(name) => region_a(name),
            None => common::atlas(&format!("{name}.json")).map(|path| std::fs::read(path).unwrap()),
        };
        let Some(bytes) = bytes else { continue };
        let value = read_json(&bytes, &Limits::default()).unwrap();
        assert_eq!(sha256_hex(&value), digest.as_str().unwrap(), "{name}");
    }
}

#[test]
fn patched_models_are_those_of_pyhf() {
    let Some(background) = region_a("BkgOnly") else {
        return;
    };
    let background = read_json(&background, &Limits::default()).unwrap();
    for (point, reference) in reference()["patched"].as_object().unwrap() {
        let Some(patch) = region_a(&format!("patch.{point}")) else {
            return;
        };
        let patch = Patch::from_slice(&patch, &Limits::default()).unwrap();
        let mut patched = background.clone();
        patch.apply(&mut patched).unwrap();
        assert_eq!(
            sha256_hex(&patched),
            reference["digest"].as_str().unwrap(),
            "{point}"
        );
        let (workspace, _) = Workspace::from_value(&patched, &Limits::default()).unwrap();
        assert_equal(
            point,
            &resolve(&workspace, &Options::default()).unwrap(),
            reference,
        );
    }
}

#[test]
fn selected_channels_give_the_model_of_pyhf() {
    for (name, reference) in reference()["selected"].as_object().unwrap() {
        let Some(path) = common::atlas(&format!("{name}.json")) else {
            return;
        };
        let (whole, _) = Workspace::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let keep: Vec<String> = serde_json::from_value(reference["channels"].clone()).unwrap();
        let mut kept = whole.clone();
        kept.keep_channels(&keep).unwrap();
        assert_equal(
            name,
            &resolve(&kept, &Options::default()).unwrap(),
            reference,
        );

        let others: Vec<String> = whole
            .channels
            .iter()
            .map(|c| c.name.clone())
            .filter(|c| !keep.contains(c))
            .collect();
        let mut excluded = whole.clone();
        excluded.exclude_channels(&others).unwrap();
        assert_eq!(excluded, kept, "{name}");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    for name in common::WORKSPACES {
        let Some(path) = common::atlas(&format!("{name}.json")) else {
            return;
        };
        let (workspace, warnings) = Workspace::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let (again, warnings_again) =
            Workspace::from_slice(workspace.to_json().as_bytes()).unwrap();
        assert_eq!(workspace, again, "{name}");
        assert_eq!(warnings.len(), warnings_again.len(), "{name}");
        let mut sorted = workspace.clone();
        sorted.sort();
        let (model, of_sorted) = (
            resolve(&workspace, &Options::default()).unwrap(),
            resolve(&sorted, &Options::default()).unwrap(),
        );
        assert_eq!(
            (model.parameters, model.nominal),
            (of_sorted.parameters, of_sorted.nominal),
            "{name}"
        );
    }
}
