//! Analysis files: what is refused and where, and that a run equals a loop over the events.

use std::path::{Path, PathBuf};

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions, Shift};
use pullback_analysis::{Error, render};
use pullback_io::{Dataset, Values};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data")
}

const ANALYSIS: &str = r#"
[analysis]
title = "muons"
luminosity = "2 /pb"
weight = "1 + 0.5 * count(Muon)"

[datasets.a]
files = "muons_zlib.root:Events"
process = "mm"
cross_section = "3 nb"
generated = "2 * (1 + 0.5 * count(Muon))"
[datasets.b]
files = ["muons_lz4.root:Events", "muons_zstd.root:Events"]
process = "mm"
weight = "-1"
[datasets.c]
files = "muons_none.root:Events"
[datasets.seen]
files = "muons_lzma.root:Events"
observed = true

[parameters]
scale = 0
[objects]
mu = { from = "Muon", fields = { pt_up = "pt * (1 + 0.1 * scale)" }, where = "pt_up > 25 GeV" }
[columns]
lead = "max(mu.pt)"

[regions.SR]
cuts = ["count(mu) >= 1", "lead < 60 GeV"]
[regions.CR]
kind = "control"
cuts = ["count(mu) == 0"]

[histograms.lead]
bins = 4
range = [20, "60 GeV"]
regions = "SR"
[histograms.n]
of = "count(Muon)"
edges = [0, 1, 2, 10]
outside = "clamp"

[systematics]
norm = { norm = [-0.1, 0.2], processes = "m*" }
scale = { parameter = "scale", processes = "mm" }
w = { weight = "1.1", processes = ["mm", "c"] }

[fit]
signal = "mm"
free = { k_c = "c" }
channels = { SR = "lead", CR = "n" }
"#;

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, &folder())
}

fn run(text: &str) -> Result<Results, Error> {
    let results = read(text)?.run(&RunOptions::default(), &mut |_| true)?;
    Ok(results.expect("it was not stopped"))
}

/// Muon pT of each event.
fn muons(name: &str) -> Vec<Vec<f64>> {
    let path = folder().join(name).display().to_string();
    let data = Dataset::open(&[format!("{path}:Events")]).expect("opens");
    let chunk = data.read(&["Muon_pt"], 0..data.entries()).expect("reads");
    let column = &chunk.columns[0];
    let offsets = column.offsets().expect("a list");
    let Values::F32(pt) = column.values() else {
        panic!("{:?}", column.dtype());
    };
    let lists = offsets.windows(2);
    lists
        .map(|w| {
            pt[w[0] as usize..w[1] as usize]
                .iter()
                .map(|x| f64::from(*x))
                .collect()
        })
        .collect()
}

/// Sum of weights, of their squares, and entries in the bins of `lead` in the signal region.
fn by_hand(events: &[Vec<f64>], scale: f64, weight: impl Fn(&[f64]) -> f64) -> [[f64; 4]; 3] {
    let mut out = [[0.0; 4]; 3];
    for pt in events {
        let kept = pt.iter().filter(|x| **x * (1.0 + 0.1 * scale) > 25.0);
        let lead = kept.copied().fold(f64::NEG_INFINITY, f64::max);
        if !(20.0..60.0).contains(&lead) {
            continue;
        }
        let (bin, w) = (((lead - 20.0) / 10.0) as usize, weight(pt));
        for (sums, x) in out.iter_mut().zip([w, w * w, 1.0]) {
            sums[bin] += x;
        }
    }
    out
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{found:?} {expected:?}");
    }
}

#[test]
fn a_run_equals_a_loop_over_the_events() {
    let results = run(ANALYSIS).expect("runs");
    assert_eq!(results.processes, ["mm", "c"]);
    let weight = |pt: &[f64]| 1.0 + 0.5 * pt.len() as f64;
    let events = muons("muons_zlib.root");
    let generated: f64 = events.iter().map(|e| 2.0 * weight(e)).sum();
    let factor = 3000.0 * 2.0 / generated;
    assert_eq!(results.datasets[0].0, events.len() as u64);
    close(&[results.datasets[0].1], &[factor]);

    let lead = results.histogram(0, 0).expect("filled");
    let all = |scale: f64, more: f64| -> [Vec<f64>; 3] {
        let [a, b] = [
            by_hand(&events, scale, |e| more * weight(e) * factor),
            by_hand(&events, scale, |_| -more),
        ];
        // Two files of the same events are of the other data set.
        std::array::from_fn(|k| a[k].iter().zip(&b[k]).map(|(a, b)| a + 2.0 * b).collect())
    };
    let [sums, squares, entries] = all(0.0, 1.0);
    close(&lead.nominal[0].sums, &sums);
    close(&lead.nominal[0].variances, &squares);
    close(&lead.nominal[0].entries, &entries);
    // Without a cross-section the weights are as they are.
    close(&lead.nominal[1].sums, &by_hand(&events, 0.0, weight)[0]);

    let varied = |systematic: usize, shift: Shift| {
        let mut found = lead.variations.iter();
        found
            .find(|(s, d, _)| (*s, *d) == (systematic, shift))
            .map(|f| &f.2)
    };
    // The whole selection at another scale, of one process.
    for (shift, scale) in [(Shift::Up, 1.0), (Shift::Down, -1.0)] {
        let bins = varied(1, shift).expect("varied");
        close(
            &bins[0].as_ref().expect("acts on it").sums,
            &all(scale, 1.0)[0],
        );
        assert!(bins[1].is_none());
        assert_ne!(all(scale, 1.0)[0], sums, "nothing moved");
    }
    let up = varied(2, Shift::Up).expect("varied");
    close(&up[0].as_ref().expect("acts on it").sums, &all(0.0, 1.1)[0]);
    assert!(varied(2, Shift::Down).is_none() && varied(0, Shift::Up).is_none());

    // Signal regions are blind, control regions are not, and the workspace says so.
    assert!(
        results
            .warnings
            .iter()
            .any(|w| w.starts_with("`SR` is blind")),
        "{:?}",
        results.warnings
    );
    assert!(lead.observed.is_none() && results.observed[0].is_none());
    let none = events
        .iter()
        .filter(|e| e.iter().all(|x| *x <= 25.0))
        .count();
    assert_eq!(
        results.observed[1],
        Some(vec![events.len() as f64, none as f64])
    );
    let steps = &results.cutflows[0].steps;
    assert_eq!(steps[0].yields[1].entries, [events.len() as f64]);
    close(&steps[2].yields[0].entries, &[entries.iter().sum()]);
    let counts = results.histogram(1, 1).expect("filled");
    assert_eq!(counts.nominal[1].entries.iter().sum::<f64>(), none as f64);
}

#[test]
fn observed_events_of_signal_regions_are_seen_when_asked_for() {
    let results = run(&ANALYSIS.replace("[analysis]", "[analysis]\nblind = false")).expect("runs");
    let expected = by_hand(&muons("muons_lzma.root"), 0.0, |_| 1.0);
    let observed = results.histogram(0, 0).and_then(|h| h.observed.as_ref());
    assert_eq!(observed.expect("looked at").sums, expected[0]);
    let workspace = results.workspace().expect("a fit");
    assert_eq!(
        workspace["observations"][0]["data"],
        serde_json::json!(expected[0])
    );
}

#[test]
fn the_workspace_has_the_variations_as_yield_and_shape() {
    let results = run(ANALYSIS).expect("runs");
    let workspace = results.workspace().expect("a fit");
    let sample = &workspace["channels"][0]["samples"][0];
    let modifier = |name: &str, kind: &str| {
        let all = sample["modifiers"].as_array().expect("a list");
        all.iter()
            .find(|m| m["name"] == name && m["type"] == kind)
            .map(|m| &m["data"])
    };
    assert_eq!(modifier("norm", "normsys").expect("there")["hi"], 1.2);
    assert_eq!(modifier("norm", "normsys").expect("there")["lo"], 0.9);
    assert!(modifier("mu", "normfactor").is_some() && modifier("k_c", "normfactor").is_none());
    assert!(modifier("staterror_SR", "staterror").is_some());
    // A factor for all events has no shape, and is mirrored downwards.
    assert!(modifier("w", "histosys").is_none());
    let number = |v: &serde_json::Value| v.as_f64().expect("a number");
    close(
        &[number(&modifier("w", "normsys").expect("there")["lo"])],
        &[0.9],
    );
    // Yield times shape is the variation.
    let lead = results.histogram(0, 0).expect("filled");
    let hi = number(&modifier("scale", "normsys").expect("there")["hi"]);
    let shape = modifier("scale", "histosys").expect("there")["hi_data"]
        .as_array()
        .expect("a list");
    let again: Vec<f64> = shape.iter().map(|x| hi * number(x)).collect();
    let (.., up) = lead
        .variations
        .iter()
        .find(|v| (v.0, v.1) == (1, Shift::Up))
        .expect("varied");
    let up = &up[0].as_ref().expect("acts on it").sums;
    for (a, b) in again.iter().zip(up) {
        assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{again:?} {up:?}");
    }
    let names: Vec<&str> = (workspace["observations"].as_array().expect("a list").iter())
        .filter_map(|o| o["name"].as_str())
        .collect();
    assert_eq!(names, ["SR", "CR"]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (old, new, message) in [
        (
            "bins = 4",
            "bin = 4",
            "there is no key `histograms.lead.bin`; did you mean `bins`? (a.toml, histograms.lead, line 36, column 1)",
        ),
        (
            "[regions.SR]",
            "[regoins.SR]",
            "there is no key `regoins`; did you mean `regions`?",
        ),
        (
            "regions = \"SR\"",
            "regions = \"RS\"",
            "there is no region `RS`",
        ),
        (
            "cuts = [\"count(mu) >= 1\", \"lead < 60 GeV\"]",
            "",
            "`regions.SR` has no `cuts`",
        ),
        (
            "lead < 60 GeV",
            "lead <> 60 GeV",
            "(a.toml, regions.SR.cuts[1], line 30, column 34)",
        ),
        ("lead < 60 GeV", "leed < 60 GeV", "there is no"),
        ("Muon\", fields", "Muoon\", fields", "did you mean `Muon`"),
        ("\"3 nb\"", "3", "this is not a cross-section"),
        ("\"3 nb\"", "\"3 nB\"", "this is not a cross-section"),
        ("\"2 /pb\"", "\"2 pb\"", "this is not a luminosity"),
        (
            "luminosity = \"2 /pb\"",
            "",
            "a cross-section needs a luminosity",
        ),
        (
            "observed = true",
            "observed = true\nweight = \"2\"",
            "observed events have no weight",
        ),
        (
            "observed = true",
            "observed = 1",
            "expected true or false, found a number",
        ),
        (
            "edges = [0, 1, 2, 10]",
            "edges = [0, 1, 1]",
            "edges have to rise",
        ),
        (
            "range = [20, \"60 GeV\"]",
            "range = [60, 20]",
            "a range has two ends, the upper one is larger",
        ),
        (
            "range = [20, \"60 GeV\"]",
            "",
            "`histograms.lead` has no bins",
        ),
        (
            "outside = \"clamp\"",
            "outside = \"keep\"",
            "there is no policy `keep`",
        ),
        (
            "kind = \"control\"",
            "kind = \"cr\"",
            "there is no kind of region `cr`",
        ),
        ("norm = [-0.1, 0.2]", "norm = -2", "are not positive"),
        ("\"m*\"", "\"x*\"", "no process is meant"),
        (
            "parameter = \"scale\"",
            "parameter = \"skale\"",
            "there is no parameter `skale`; did you mean `scale`?",
        ),
        (
            "weight = \"1.1\"",
            "weight = \"1.1\", values = [0, 1]",
            "only a parameter has values",
        ),
        (
            "CR = \"n\"",
            "CR = \"lead\"",
            "`lead` is not filled in `CR`",
        ),
        ("signal = \"mm\"", "", "`fit` has no `signal`"),
        (
            "weight = \"-1\"",
            "weight = \"1 / 0\"",
            "some weights of `b` are NaN or infinite",
        ),
        (
            "generated = \"2",
            "generated = \"0",
            "add up to 0, by which a cross-section cannot be divided",
        ),
        ("muons_none.root", "muons_gone.root", "muons_gone.root"),
        (
            "title = \"muons\"",
            "title = \"muons",
            "the file is not TOML",
        ),
    ] {
        assert!(ANALYSIS.contains(old), "{old}");
        let error = run(&ANALYSIS.replacen(old, new, 1)).expect_err(message);
        let text = error.to_string();
        assert!(text.contains(message), "{text}\nexpected {message}");
        assert!(!error.code().is_empty());
        // It can be drawn.
        let drawn = render(&error, false);
        assert!(drawn.contains(error.code()), "{drawn}");
    }
}

#[test]
fn a_run_can_be_stopped() {
    let file = read(ANALYSIS).expect("reads");
    let stopped = file.run(&RunOptions::default(), &mut |_| false);
    assert!(stopped.expect("no mistake").is_none());
}

#[test]
fn no_text_panics() {
    // Each line left out, doubled, cut in two.
    let lines: Vec<&str> = ANALYSIS.lines().collect();
    for k in 0..lines.len() {
        let mut less = lines.clone();
        less.remove(k);
        let _ = read(&less.join("\n"));
        let mut more = lines.clone();
        more.insert(k, lines[k]);
        let _ = read(&more.join("\n"));
        let half = &lines[k][..lines[k].len() / 2];
        let mut cut = lines.clone();
        cut[k] = half;
        let _ = read(&cut.join("\n"));
    }
}

/// The published schema knows the keys that the reader knows, table by table.
#[test]
fn the_schema_has_the_keys_of_the_reader() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/analysis.schema.json")).expect("JSON");
    let of = |table: &serde_json::Value| -> Vec<String> {
        let keys = table["properties"].as_object().expect("properties");
        let mut keys: Vec<String> = keys.keys().cloned().collect();
        keys.sort();
        keys
    };
    let tables = &schema["properties"];
    let each = |name: &str| of(&tables[name]["additionalProperties"]);
    let object = &tables["objects"]["additionalProperties"]["anyOf"][1];
    let parameter = &tables["parameters"]["additionalProperties"]["anyOf"][1];
    let abcd = &tables["fit"]["properties"]["abcd"]["additionalProperties"];
    let draw = &tables["draws"]["additionalProperties"]["anyOf"][1];
    for (heading, keys) in [
        ("title", of(&schema)),
        ("[analysis]", of(&tables["analysis"])),
        ("[datasets.a]", each("datasets")),
        ("[campaigns.a]", each("campaigns")),
        ("[objects.a]", of(object)),
        ("[regions.a]", each("regions")),
        ("[tables.a]", each("tables")),
        ("[networks.a]", each("networks")),
        ("[histograms.a]", each("histograms")),
        ("[systematics.a]", each("systematics")),
        ("[estimates.a]", each("estimates")),
        ("[fit]", of(&tables["fit"])),
        ("[fit.abcd.a]", of(abcd)),
        ("[optimize]", of(&tables["optimize"])),
        ("[parameters.a]", of(parameter)),
        ("[draws.a]", of(draw)),
    ] {
        // What is asked for before the key is refused is what is known.
        let needed = match heading {
            "[regions.a]" => "cuts = []\n",
            "[datasets.a]" => "files = 'x'\n",
            "[fit]" => "signal = 'a'\nchannels = {}\n",
            _ => "",
        };
        let before = match heading {
            "[fit]" => "[datasets.a]\nfiles = 'x'\n",
            "[estimates.a]" | "[fit.abcd.a]" => "[datasets.seen]\nfiles = 'x'\nobserved = true\n",
            _ => "",
        };
        let heading = if heading == "title" { "" } else { heading };
        let text = format!("{before}{heading}\n{needed}no_such_key = 1\n");
        let Err(error @ Error::Unknown { .. }) = read(&text) else {
            panic!("{text}: {:?}", read(&text));
        };
        let help = error.help();
        let known = help.strip_prefix("known are ").expect("a list").split(", ");
        let mut known: Vec<String> = known.map(String::from).collect();
        known.sort();
        assert_eq!(known, keys, "{heading}");
    }
}

/// A process of two data sets, of which a systematic moves one: the other one is part of the variation as it is.
#[test]
fn what_a_systematic_does_not_move_stays_in_its_variation() {
    let text = ANALYSIS.replace(
        "weight = \"-1\"",
        "weight = \"1 + 0.5 * scale\"\n[datasets.d]\nfiles = \"muons_none.root:Events\"\nprocess = \"mm\"\nweight = \"2\"",
    );
    let text = text.replace(
        "fields = { pt_up = \"pt * (1 + 0.1 * scale)\" }",
        "fields = { pt_up = \"pt\" }",
    );
    let results = run(&text).unwrap_or_else(|e| panic!("{e}"));
    let mm = results
        .processes
        .iter()
        .position(|p| p == "mm")
        .expect("there");
    let filled = results.histogram(0, 0).expect("filled");
    let (_, _, up) = (filled.variations.iter())
        .find(|(s, shift, _)| *s == 1 && *shift == Shift::Up)
        .expect("moved");
    let without = run(&text.replace(
        "process = \"mm\"\nweight = \"2\"",
        "process = \"dd\"\nweight = \"2\"",
    ));
    let without = without.unwrap_or_else(|e| panic!("{e}"));
    let alone = without.histogram(0, 0).expect("filled");
    let (_, _, up_alone) = (alone.variations.iter())
        .find(|(s, shift, _)| *s == 1 && *shift == Shift::Up)
        .expect("moved");
    let dd = without
        .processes
        .iter()
        .position(|p| p == "dd")
        .expect("there");
    let (all, part) = (
        &up[mm].as_ref().expect("bins").sums,
        &up_alone[mm].as_ref().expect("bins").sums,
    );
    for ((all, part), rest) in all.iter().zip(part).zip(&alone.nominal[dd].sums) {
        assert!(*rest > 0.0 && (all - part - rest).abs() < 1e-9 * all.abs());
    }
}
