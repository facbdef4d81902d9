//! `run`: from generated events to a workspace that can be fitted.

mod common;

use common::Folder;
use pullback_io::root;
use serde_json::Value;

/// A folder with the analysis and its events.
fn analysis() -> Folder {
    let folder = Folder::new();
    folder.write("dilepton.toml", include_str!("data/dilepton.toml"));
    for (process, n, seed, file) in [
        ("ZToLL", "3000", "1", "zll.parquet"),
        ("TTbar", "2000", "2", "tt.parquet"),
        ("ZToLL", "2000", "3", "data.parquet"),
    ] {
        let args = ["generate", process, "-n", n, "-s", seed, "-o", file];
        let run = folder.run(&args, "");
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    }
    folder
}

#[test]
fn from_events_to_a_fit() {
    let folder = analysis();
    let run = folder.run(&["run", "dilepton.toml", "-o", "out"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let widest = run.stdout.lines().map(|l| l.chars().count()).max();
    assert!(widest <= Some(80), "{}", run.stdout);
    insta::assert_snapshot!(format!("{}{}", run.stderr, run.stdout));

    // What was written can be fitted, and nothing is overwritten.
    let fit = folder.run(&["fit", "out/workspace.json", "--json"], "");
    assert_eq!(fit.code, Some(0), "{}", fit.stderr);
    let fit: Value = serde_json::from_str(&fit.stdout).expect("JSON");
    assert_eq!(fit["poi"], "mu");
    let again = folder.run(&["run", "dilepton.toml", "-o", "out"], "");
    assert_eq!(again.code, Some(2));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    let forced = folder.run(&["run", "dilepton.toml", "-o", "out", "--force"], "");
    assert_eq!((forced.code, &forced.stdout), (Some(0), &run.stdout));

    let uhi: Value = serde_json::from_str(&folder.read("out/histograms.json")).expect("JSON");
    let m_ll = &uhi["SR/m_ll/zll"];
    assert_eq!(m_ll["uhi_schema"], 1);
    assert_eq!(m_ll["axes"][0]["edges"].as_array().map(Vec::len), Some(7));
    // No observed events of a blind region in any file.
    assert!(uhi.get("SR/m_ll/data").is_none() && uhi.get("top/n_jets/data").is_some());
    assert!(!folder.read("out/histograms.csv").contains("SR,m_ll,data"));
    assert_same_in_root(&folder, &uhi);
}

/// The ROOT file has the histograms of the JSON, to the bit, under the same names, and no others.
fn assert_same_in_root(folder: &Folder, uhi: &Value) {
    let file = root::File::open(folder.path().join("out/histograms.root")).expect("a file");
    let objects = file.objects().expect("directories");
    let histograms = objects
        .iter()
        .filter(|o| o.kind == root::ObjectKind::Histogram);
    let uhi = uhi.as_object().expect("an object");
    assert!(uhi.keys().any(|path| path.ends_with("Up")));
    let mut paths: Vec<&str> = histograms.map(|o| o.path.as_str()).collect();
    paths.sort_unstable();
    let mut expected: Vec<&str> = uhi.keys().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(paths, expected);
    for (path, one) in uhi {
        let found = file.histogram(path).expect(path);
        let numbers = |value: &Value| -> Vec<f64> {
            let list = value.as_array().expect("numbers").iter();
            list.map(|x| x.as_f64().expect("a number")).collect()
        };
        assert_eq!(
            found.inner_values(),
            numbers(&one["storage"]["values"]),
            "{path}"
        );
        let variances = numbers(&one["storage"]["variances"]);
        assert_eq!(found.inner_variances(), variances, "{path}");
        let axis = &one["axes"][0];
        assert_eq!(found.axes[0].edges, numbers(&axis["edges"]), "{path}");
        assert_eq!(axis["metadata"]["label"], found.axes[0].title, "{path}");
        assert!(found.values[0] == 0.0 && found.values.last() == Some(&0.0));
        assert!(found.entries >= found.inner_values().iter().filter(|x| **x > 0.0).count() as f64);
    }
}

#[test]
fn the_json_has_the_same_numbers_for_any_number_of_threads() {
    let folder = analysis();
    let one = folder.run(&["run", "dilepton.toml", "--json", "--threads", "1"], "");
    let two = folder.run(&["run", "dilepton.toml", "--json", "--threads", "2"], "");
    assert_eq!((one.code, &one.stdout), (Some(0), &two.stdout));
    let json: Value = serde_json::from_str(&one.stdout).expect("JSON");
    assert_eq!(json["regions"][0]["blind"], true);
    assert_eq!(json["regions"][0]["cutflow"][0]["cut"], "");
    assert_eq!(json["datasets"][0]["events"], 3000);
    let sums = &json["histograms"][0]["yields"]["zll"]["sums"];
    assert_eq!(sums.as_array().map(Vec::len), Some(6));
    // Unblinded, the observed events are there.
    let seen = folder.run(&["run", "dilepton.toml", "--json", "--unblind"], "");
    let json: Value = serde_json::from_str(&seen.stdout).expect("JSON");
    assert_eq!(json["regions"][0]["blind"], false);
    assert!(json["histograms"][0]["observed"].is_array());
}

/// Tangents say how far they are from the selection evaluated again: in the table, in JSON, on the page.
#[test]
fn tangents_are_tabulated() {
    let folder = analysis();
    let text = folder.read("dilepton.toml").replace(", sort = \"-pt\"", "");
    let text = text.replace("\"muon_scale\" }", "\"muon_scale\", method = \"tangent\" }");
    folder.write("tangent.toml", text);
    let run = folder.run(
        &["run", "tangent.toml", "-o", "out", "--report", "run.html"],
        "",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let (_, table) = run.stdout.split_once("\nTangents\n").expect("a table");
    let (table, _) = table.split_once("\nwrote").expect("more after it");
    insta::assert_snapshot!(table);
    let json: Value = serde_json::from_str(&folder.read("out/summary.json")).expect("JSON");
    let all = json["tangents"].as_array().expect("a list");
    // Three histograms in regions, two processes, two directions.
    assert_eq!(all.len(), 12);
    for bias in all {
        assert_eq!(bias["systematic"], "muon_scale");
        let [line, again] = ["tangent", "rerun"].map(|k| bias[k].as_f64().expect("a number"));
        let total = bias["total"].as_f64().expect("a number");
        assert!((line - again) * total >= 0.0, "{bias}");
    }
    let page = folder.read("run.html");
    assert!(page.contains("<h2>Tangents</h2>") && page.contains("<td>muon_scale</td>"));
    // A choice that jumps has no tangent: one sentence, and nothing is written.
    let sorted = folder.read("dilepton.toml").replace(
        "m_ll = \"max(mass(ll.a + ll.b))\"",
        "m_ll = \"leading(mu).pt + 60 GeV\"",
    );
    let sorted = sorted.replace("\"muon_scale\" }", "\"muon_scale\", method = \"tangent\" }");
    folder.write("sorted.toml", sorted);
    let run = folder.run(&["run", "sorted.toml", "-o", "none"], "");
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(3), ""),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("the tangent of the systematic `muon_scale` cannot be had"),
        "{}",
        run.stderr
    );
}

#[test]
fn mistakes_leave_nothing_behind() {
    let folder = analysis();
    let text = folder
        .read("dilepton.toml")
        .replace("btagDeepFlavB", "btagDeepFlavC");
    folder.write("bad.toml", text);
    let run = folder.run(&["run", "bad.toml", "-o", "bad"], "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    assert!(
        run.stderr.contains("did you mean `btagDeepFlavB`?"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--> bad.toml:28:"), "{}", run.stderr);
    let gone = folder.run(&["run", "gone.toml"], "");
    assert_eq!(gone.code, Some(3));
    assert!(
        gone.stderr.contains("`gone.toml` cannot be read"),
        "{}",
        gone.stderr
    );
}

/// A systematic that moves weights alone is fitted with the events: beside the workspace, which interpolates.
#[test]
fn exact_systematics_are_fitted_with_the_events() {
    let folder = analysis();
    let text = folder
        .read("dilepton.toml")
        .replace("muon_scale = 0\n", "muon_scale = 0\ntilt = 0\n")
        .replace(
            "weight     = \"genWeight\"",
            "weight     = \"genWeight * exp(0.1 * tilt * count(Jet))\"",
        )
        .replace(
            "muon_scale = { parameter",
            "tilt = { parameter = \"tilt\", exact = true }\nmuon_scale = { parameter",
        )
        .replace("free     = { k_top = \"tt\" }\n", "")
        .replace(", top = \"n_jets\"", "");
    folder.write("exact.toml", text);
    let run = folder.run(&["run", "exact.toml", "--unblind", "-o", "out"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let (before, after) = (run.stdout.split_once("\nFit with event weights")).expect("a fit");
    assert!(before.contains("fit.json"), "{before}");
    assert!(
        after.contains("The fit converged") && after.contains("tilt"),
        "{after}"
    );
    let fit: Value = serde_json::from_str(&folder.read("out/fit.json")).expect("JSON");
    let names: Vec<&str> = (fit["parameters"].as_array().expect("a list").iter())
        .filter_map(|p| p["name"].as_str())
        .collect();
    assert!(
        names.contains(&"tilt") && !names.contains(&"exact_weights"),
        "{names:?}"
    );
    // What interpolates between the same templates finds nearly the same.
    let other = folder.run(&["fit", "out/workspace.json", "--json"], "");
    let other: Value = serde_json::from_str(&other.stdout).expect("JSON");
    let value = |fit: &Value| fit["twice_nll"].as_f64().expect("a number");
    let (exact, interpolated) = (value(&fit), value(&other));
    assert!(
        (exact - interpolated).abs() < 1e-3,
        "{exact} {interpolated}"
    );
    assert!(
        (exact - interpolated).abs() > 1e-9,
        "{exact} {interpolated}"
    );
    let json = folder.run(&["run", "exact.toml", "--unblind", "--json"], "");
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["fit"]["twice_nll"], fit["twice_nll"]);
}
