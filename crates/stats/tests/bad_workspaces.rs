//! What a reader gets to see for a wrong workspace: code, sentence, excerpt and help of each error, as a snapshot.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use pullback_stats::spec::{Options, PoiChoice, resolve};
use pullback_stats::workspace::{Limits, Patch, PatchSet, Workspace, read_limited};
use pullback_stats::{Error, ErrorKind};
use serde_json::{Value, json};

/// A workspace without faults; each case below changes one thing.
fn base() -> Value {
    json!({
        "channels": [
            {"name": "SR", "samples": [
                {"name": "signal", "data": [5.0, 10.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]},
                {"name": "bkg", "data": [50.0, 60.0], "modifiers": [
                    {"name": "JES", "type": "histosys", "data": {"hi_data": [52.0, 61.0], "lo_data": [48.0, 58.0]}},
                    {"name": "xsec", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}},
                    {"name": "lumi", "type": "lumi", "data": null},
                    {"name": "shape", "type": "shapesys", "data": [5.0, 6.0]},
                    {"name": "stat_SR", "type": "staterror", "data": [2.0, 3.0]}
                ]}
            ]},
            {"name": "CR", "samples": [
                {"name": "bkg", "data": [100.0], "modifiers": [
                    {"name": "free", "type": "shapefactor", "data": null},
                    {"name": "xsec", "type": "normsys", "data": {"hi": 1.2, "lo": 0.8}}
                ]}
            ]}
        ],
        "observations": [{"name": "SR", "data": [55, 71]}, {"name": "CR", "data": [99]}],
        "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": [
            {"name": "lumi", "auxdata": [1.0], "bounds": [[0.5, 1.5]], "inits": [1.0], "sigmas": [0.02]},
            {"name": "stat_SR", "bounds": [[0.1, 9.0], [0.2, 8.0]]}
        ]}}],
        "version": "1.0.0"
    })
}

const SIGNAL: &str = "/channels/0/samples/0";
const BKG: &str = "/channels/0/samples/1";

/// Reads and resolves.
fn read(text: &[u8]) -> Result<(), Error> {
    let (workspace, _) = Workspace::from_slice(text)?;
    resolve(&workspace, &Options::default()).map(drop)
}

/// The base with patch operations applied, as a pretty-printed text.
fn edited(operations: &Value) -> Vec<u8> {
    let mut document = base();
    Patch::from_value(operations)
        .unwrap()
        .apply(&mut document)
        .unwrap();
    serde_json::to_vec_pretty(&document).unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "the calls read better")]
fn set(path: &str, value: Value) -> Vec<u8> {
    edited(&json!([{"op": "add", "path": path, "value": value}]))
}

#[allow(clippy::needless_pass_by_value, reason = "the calls read better")]
fn replace(path: &str, value: Value) -> Vec<u8> {
    edited(&json!([{"op": "replace", "path": path, "value": value}]))
}

fn remove(path: &str) -> Vec<u8> {
    edited(&json!([{"op": "remove", "path": path}]))
}

/// The base as text with one piece of it replaced.
fn text(from: &str, to: &str) -> Vec<u8> {
    let base = serde_json::to_string_pretty(&base()).unwrap();
    assert!(base.contains(from), "{from}");
    base.replacen(from, to, 1).into_bytes()
}

fn describe(out: &mut String, name: &str, error: &Error) {
    let _ = writeln!(out, "## {name}\n{} {error}", error.code());
    if let Some(excerpt) = error.place().and_then(|p| p.excerpt.as_ref()) {
        for line in excerpt.to_string().lines() {
            let _ = writeln!(out, "    | {line}");
        }
    }
    let _ = writeln!(out, "    help: {}\n", error.help());
}

fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let modifier = |i: usize, key: &str| format!("{BKG}/modifiers/{i}/{key}");
    let parameter = |i: usize, key: &str| format!("/measurements/0/config/parameters/{i}/{key}");
    let new_modifier = |value: Value| set(&format!("{BKG}/modifiers/-"), value);
    vec![
        // The text.
        ("empty", Vec::new()),
        ("not JSON", b"hello".to_vec()),
        (
            "ends early",
            text("\"version\": \"1.0.0\"\n}", "\"version\": \"1.0.0\""),
        ),
        (
            "trailing comma",
            text("\"version\": \"1.0.0\"", "\"version\": \"1.0.0\","),
        ),
        (
            "comment",
            text("\"version\"", "// a comment\n  \"version\""),
        ),
        (
            "two documents",
            text("\"version\": \"1.0.0\"\n}", "\"version\": \"1.0.0\"\n} {}"),
        ),
        ("NaN", text("5.0", "NaN")),
        ("Infinity", text("5.0", "-Infinity")),
        ("number too large", text("5.0", "1e999")),
        ("number too large, negative", text("10.0", "-123456e400")),
        (
            "not UTF-8",
            [&text("5.0", "5.0")[..40], &[0xff, 0xfe], b"}"].concat(),
        ),
        ("depth bomb of lists", "[".repeat(1_000_000).into_bytes()),
        (
            "depth bomb in a modifier",
            text(
                "\"data\": null",
                &format!("\"data\": {}", "[".repeat(100_000)),
            ),
        ),
        (
            "depth bomb of objects",
            "{\"a\":".repeat(300_000).into_bytes(),
        ),
        // The schema.
        ("a list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("no channels", remove("/channels")),
        ("no observations", remove("/observations")),
        ("no measurements", remove("/measurements")),
        ("no version", remove("/version")),
        ("other version", replace("/version", json!("2.0.0"))),
        ("version is a number", replace("/version", json!(1))),
        (
            "channels is an object",
            replace("/channels", json!({"SR": []})),
        ),
        ("channel without name", remove("/channels/0/name")),
        ("name is a number", replace("/channels/0/name", json!(7))),
        ("sample without data", remove(&format!("{SIGNAL}/data"))),
        (
            "yield is a string",
            replace(&format!("{SIGNAL}/data/1"), json!("10")),
        ),
        (
            "yield is null",
            replace(&format!("{SIGNAL}/data/1"), json!(null)),
        ),
        (
            "yield is true",
            replace(&format!("{SIGNAL}/data/1"), json!(true)),
        ),
        (
            "modifiers is null",
            replace(&format!("{SIGNAL}/modifiers"), json!(null)),
        ),
        ("modifier without type", remove(&modifier(0, "type"))),
        ("modifier without data", remove(&modifier(2, "data"))),
        (
            "unknown modifier",
            replace(&modifier(1, "type"), json!("normsyst")),
        ),
        (
            "unknown modifier, unlike any",
            replace(&modifier(1, "type"), json!("a~b/c")),
        ),
        (
            "histosys with null",
            replace(&modifier(0, "data"), json!(null)),
        ),
        (
            "histosys without lo_data",
            remove(&modifier(0, "data/lo_data")),
        ),
        (
            "normsys with hi_data",
            replace(
                &modifier(1, "data"),
                json!({"hi_data": [1.0], "lo_data": [1.0]}),
            ),
        ),
        (
            "normsys with a list",
            replace(&modifier(1, "data"), json!([1.1, 0.9])),
        ),
        (
            "normfactor with data",
            replace(&format!("{SIGNAL}/modifiers/0/data"), json!([1.0])),
        ),
        (
            "shapesys with a number",
            replace(&modifier(3, "data"), json!(3.0)),
        ),
        (
            "lumi with another name",
            replace(&modifier(2, "name"), json!("luminosity")),
        ),
        (
            "key twice",
            text(
                "\"version\": \"1.0.0\"",
                "\"version\": \"1.0.0\", \"version\": \"1.0.0\"",
            ),
        ),
        (
            "poi is null",
            replace("/measurements/0/config/poi", json!(null)),
        ),
        ("no poi", remove("/measurements/0/config/poi")),
        ("no parameters", remove("/measurements/0/config/parameters")),
        (
            "bounds with one number",
            replace(&parameter(0, "bounds"), json!([[0.5]])),
        ),
        (
            "bounds with three numbers",
            replace(&parameter(0, "bounds"), json!([[0.5, 1.0, 2.0]])),
        ),
        ("fixed is a number", set(&parameter(0, "fixed"), json!(1))),
        // Empty lists.
        ("empty channels", replace("/channels", json!([]))),
        ("empty samples", replace("/channels/1/samples", json!([]))),
        (
            "empty data",
            replace("/channels/1/samples/0/data", json!([])),
        ),
        (
            "empty observation",
            replace("/observations/1/data", json!([])),
        ),
        ("empty observations", replace("/observations", json!([]))),
        ("empty measurements", replace("/measurements", json!([]))),
        ("empty inits", replace(&parameter(0, "inits"), json!([]))),
        // Lengths.
        (
            "sample with a bin more",
            set(&format!("{BKG}/data/-"), json!(1.0)),
        ),
        (
            "hi_data with a bin more",
            set(&modifier(0, "data/hi_data/-"), json!(1.0)),
        ),
        (
            "lo_data with a bin less",
            remove(&modifier(0, "data/lo_data/0")),
        ),
        ("shapesys with a bin less", remove(&modifier(3, "data/0"))),
        (
            "staterror with a bin more",
            set(&modifier(4, "data/-"), json!(1.0)),
        ),
        (
            "observation with a bin more",
            set("/observations/0/data/-", json!(1)),
        ),
        ("bounds for one of two", remove(&parameter(1, "bounds/0"))),
        (
            "two inits for lumi",
            set(&parameter(0, "inits/-"), json!(1.0)),
        ),
        // Content.
        (
            "negative observation",
            replace("/observations/0/data/1", json!(-1.5)),
        ),
        ("missing observation", remove("/observations/1")),
        (
            "normsys factor zero",
            replace(&modifier(1, "data/lo"), json!(0.0)),
        ),
        (
            "normsys factor negative",
            replace(&modifier(1, "data/hi"), json!(-0.3)),
        ),
        (
            "poi that is no parameter",
            replace("/measurements/0/config/poi", json!("mU")),
        ),
        (
            "poi with two components",
            replace("/measurements/0/config/poi", json!("stat_SR")),
        ),
        (
            "bounds reversed",
            replace(&parameter(0, "bounds/0"), json!([2.0, 1.0])),
        ),
        ("width zero", replace(&parameter(0, "sigmas/0"), json!(0.0))),
        (
            "sigmas of a normfactor",
            set(
                "/measurements/0/config/parameters/-",
                json!({"name": "mu", "sigmas": [2.0]}),
            ),
        ),
        (
            "sigmas of an alpha",
            set(
                "/measurements/0/config/parameters/-",
                json!({"name": "JES", "sigmas": [2.0]}),
            ),
        ),
        (
            "lumi not configured",
            remove("/measurements/0/config/parameters/0"),
        ),
        (
            "uncertainty too small",
            replace(&modifier(3, "data/0"), json!(1e-200)),
        ),
        // Names.
        (
            "two channels of one name",
            replace("/channels/1/name", json!("SR")),
        ),
        (
            "two samples of one name",
            replace(&format!("{SIGNAL}/name"), json!("bkg")),
        ),
        (
            "two observations of one name",
            replace("/observations/1/name", json!("SR")),
        ),
        (
            "two measurements of one name",
            edited(&json!([{"op": "copy", "from": "/measurements/0", "path": "/measurements/-"}])),
        ),
        (
            "two configurations of one name",
            replace(&parameter(1, "name"), json!("lumi")),
        ),
        (
            "modifier twice",
            new_modifier(
                json!({"name": "xsec", "type": "normsys", "data": {"hi": 1.0, "lo": 1.0}}),
            ),
        ),
        (
            "normfactor and normsys",
            new_modifier(json!({"name": "mu", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}})),
        ),
        (
            "histosys and staterror",
            new_modifier(json!({"name": "JES", "type": "staterror", "data": [1.0, 1.0]})),
        ),
        (
            "histosys named lumi",
            replace(&modifier(0, "name"), json!("lumi")),
        ),
        (
            "shapesys on two samples",
            set(
                &format!("{SIGNAL}/modifiers/-"),
                json!({"name": "shape", "type": "shapesys", "data": [1, 1]}),
            ),
        ),
        (
            "staterror in a channel more",
            edited(&json!([
                {"op": "add", "path": format!("{SIGNAL}/modifiers/-"), "value": {"name": "stat_SR", "type": "staterror", "data": [1, 1]}},
                {"op": "add", "path": "/channels/1/samples/0/modifiers/-", "value": {"name": "stat_SR", "type": "staterror", "data": [4]}}
            ])),
        ),
        (
            "shapefactor with more bins",
            new_modifier(json!({"name": "free", "type": "shapefactor", "data": null})),
        ),
        (
            "no modifiers",
            edited(&json!([
                {"op": "replace", "path": format!("{SIGNAL}/modifiers"), "value": []},
                {"op": "replace", "path": format!("{BKG}/modifiers"), "value": []},
                {"op": "replace", "path": "/channels/1/samples/0/modifiers", "value": []}
            ])),
        ),
    ]
}

#[test]
fn the_base_is_sound() {
    let (workspace, warnings) = Workspace::from_value(&base(), &Limits::default()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        resolve(&workspace, &Options::default()).unwrap().warnings,
        []
    );
}

#[test]
fn errors_of_documents() {
    let mut out = String::new();
    let cases = documents();
    assert!(cases.len() >= 40);
    for (name, document) in cases {
        let start = Instant::now();
        let Err(error) = read(&document) else {
            panic!("{name} was accepted")
        };
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{name} took {:?}",
            start.elapsed()
        );
        assert_eq!(error.kind(), ErrorKind::Input, "{name}");
        describe(&mut out, name, &error);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn errors_of_options_and_edits() {
    let mut out = String::new();
    let workspace = || {
        Workspace::from_value(&base(), &Limits::default())
            .unwrap()
            .0
    };
    let name = |s: &str| s.to_owned();
    let options = Options::default;
    for (what, options) in [
        (
            "measurement",
            Options {
                measurement: Some(name("maes")),
                ..options()
            },
        ),
        (
            "poi",
            Options {
                poi: PoiChoice::Named(name("signal strength")),
                ..options()
            },
        ),
        (
            "fix",
            Options {
                fix: vec![(name("stat_SR[2]"), None)],
                ..options()
            },
        ),
        (
            "init",
            Options {
                inits: vec![(name("zzzzzzzzzz"), 1.0)],
                ..options()
            },
        ),
        (
            "init NaN",
            Options {
                inits: vec![(name("mu"), f64::NAN)],
                ..options()
            },
        ),
        (
            "bounds",
            Options {
                bounds: vec![(name("mu"), [f64::NAN, 1.0])],
                ..options()
            },
        ),
        (
            "parameters",
            Options {
                limits: Limits {
                    parameters: 5,
                    ..Limits::default()
                },
                ..options()
            },
        ),
    ] {
        describe(
            &mut out,
            what,
            &resolve(&workspace(), &options).unwrap_err(),
        );
    }
    describe(
        &mut out,
        "normsys code",
        &"4p"
            .parse::<pullback_stats::spec::NormsysCode>()
            .unwrap_err(),
    );
    describe(
        &mut out,
        "histosys code",
        &"code1"
            .parse::<pullback_stats::spec::HistosysCode>()
            .unwrap_err(),
    );
    describe(
        &mut out,
        "keep",
        &workspace().keep_channels(&["SRR"]).unwrap_err(),
    );
    describe(
        &mut out,
        "keep nothing",
        &workspace().keep_channels::<&str>(&[]).unwrap_err(),
    );
    describe(
        &mut out,
        "exclude all",
        &workspace().exclude_channels(&["SR", "CR"]).unwrap_err(),
    );
    insta::assert_snapshot!(out);
}

#[test]
fn errors_of_limits_and_patchsets() {
    let mut out = String::new();
    let text = serde_json::to_vec(&base()).unwrap();
    for limits in [
        Limits {
            bytes: 100,
            ..Limits::default()
        },
        Limits {
            cells: 4,
            ..Limits::default()
        },
        Limits {
            modifiers: 7,
            ..Limits::default()
        },
    ] {
        let error = Workspace::from_slice_with(&text, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        describe(&mut out, "limit", &error);
    }
    describe(
        &mut out,
        "endless input",
        &read_limited(
            std::io::repeat(b' '),
            &Limits {
                bytes: 1 << 20,
                ..Limits::default()
            },
        )
        .unwrap_err(),
    );

    let patchset = json!({
        "version": "1.0.0",
        "metadata": {"description": "d", "labels": ["m1", "m2"], "digests": {"sha256": "0".repeat(64)}, "references": {"hepdata": "ins1234567"}},
        "patches": [
            {"metadata": {"name": "a_100_1", "values": [100, 1]}, "patch": []},
            {"metadata": {"name": "a_200_1", "values": [200, 1]}, "patch": [{"op": "remove", "path": "/x"}]}
        ]
    });
    let good = PatchSet::from_value(&patchset).unwrap();
    describe(
        &mut out,
        "unknown patch",
        &good.find("a_300_1").unwrap_err(),
    );
    describe(&mut out, "unknown point", &good.find("300, 1").unwrap_err());
    describe(&mut out, "digest", &good.verify(&base()).unwrap_err());
    for (name, path, value) in [
        (
            "two patches of one name",
            "/patches/1/metadata/name",
            json!("a_100_1"),
        ),
        (
            "two patches of one point",
            "/patches/1/metadata/values",
            json!([100.0, 1]),
        ),
        ("values", "/patches/1/metadata/values", json!([100])),
        (
            "a list as value",
            "/patches/1/metadata/values",
            json!([100, []]),
        ),
        ("operation", "/patches/1/patch/0/op", json!("delete")),
        ("path", "/patches/1/patch/0/path", json!(3)),
        ("labels", "/metadata/labels", json!("m1")),
        ("no patches", "/patches", json!([])),
        ("version", "/version", json!("1.1.0")),
    ] {
        let mut bad = patchset.clone();
        *bad.pointer_mut(path).unwrap() = value;
        describe(&mut out, name, &PatchSet::from_value(&bad).unwrap_err());
    }
    insta::assert_snapshot!(out);
}

#[test]
fn warnings() {
    let mut document = base();
    document["comment"] = json!("extra");
    document["channels"][0]["samples"][0]["modifiers"][0]["note"] = json!({"deep": [1, 2]});
    document["channels"][0]["samples"][1]["modifiers"][1]["data"]["hi_data"] = json!([1.0, 1.0]);
    document["channels"][0]["samples"][0]["data"] = json!([-0.5, -0.25]);
    document["observations"][1]["data"] = json!([99.5]);
    document["observations"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "VR", "data": [1]}));
    let parameters = document["measurements"][0]["config"]["parameters"]
        .as_array_mut()
        .unwrap();
    parameters[0].as_object_mut().unwrap().remove("sigmas");
    parameters[0]["inits"] = json!([3.0]);
    parameters.push(json!({"name": "typo"}));
    let text = serde_json::to_vec_pretty(&document).unwrap();
    let (workspace, warnings) = Workspace::from_slice(&text).unwrap();
    let model = resolve(&workspace, &Options::default()).unwrap();
    let lines: Vec<String> = warnings
        .iter()
        .chain(&model.warnings)
        .map(|w| format!("{} {w}", w.code()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
