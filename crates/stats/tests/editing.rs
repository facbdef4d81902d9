//! Editing workspaces and resolving them with options.

use pullback_stats::spec::{
    Constraint, Derived, Effect, Options, ParameterKind, PoiChoice, resolve, summarise,
};
use pullback_stats::workspace::{
    Limits, ModifierType, NamedPatch, Patch, PatchSet, Prune, Rename, Workspace, sha256_hex,
};
use serde_json::{Value, json};

/// Two channels: a signal region with everything, a control region that shares `xsec` and `k` with it.
fn document() -> Value {
    json!({
        "channels": [
            {"name": "SR", "samples": [
                {"name": "signal", "data": [5.0, 0.0], "modifiers": [
                    {"name": "mu", "type": "normfactor", "data": null},
                    {"name": "stat", "type": "staterror", "data": [0.3, 0.0]}
                ]},
                {"name": "bkg", "data": [50.0, 60.0], "modifiers": [
                    {"name": "k", "type": "normfactor", "data": null},
                    {"name": "xsec", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}},
                    {"name": "flat", "type": "normsys", "data": {"hi": 1.0, "lo": 1.0}},
                    {"name": "xsec", "type": "histosys", "data": {"hi_data": [50.0, 66.0], "lo_data": [50.0, 54.0]}},
                    {"name": "same", "type": "histosys", "data": {"hi_data": [50.0, 60.0], "lo_data": [50.0, 60.0]}},
                    {"name": "shape", "type": "shapesys", "data": [5.0, 0.0]},
                    {"name": "stat", "type": "staterror", "data": [0.4, 3.0]}
                ]}
            ]},
            {"name": "CR", "samples": [
                {"name": "bkg", "data": [100.0], "modifiers": [
                    {"name": "k", "type": "normfactor", "data": null},
                    {"name": "xsec", "type": "normsys", "data": {"hi": 1.2, "lo": 0.8}}
                ]}
            ]}
        ],
        "observations": [{"name": "SR", "data": [55, 71]}, {"name": "CR", "data": [99]}],
        "measurements": [
            {"name": "first", "config": {"poi": "mu", "parameters": [{"name": "mu", "bounds": [[-3.0, 20.0]]}]}},
            {"name": "second", "config": {"poi": "k", "parameters": [{"name": "k", "inits": [1.5]}]}}
        ],
        "version": "1.0.0"
    })
}

fn workspace() -> Workspace {
    Workspace::from_value(&document(), &Limits::default())
        .unwrap()
        .0
}

fn names(workspace: &Workspace, options: &Options) -> Vec<String> {
    resolve(workspace, options)
        .unwrap()
        .parameters
        .into_iter()
        .map(|p| p.name)
        .collect()
}

#[test]
fn a_control_region_fit_has_no_poi() {
    let mut selected = workspace();
    selected.keep_channels(&["CR"]).unwrap();
    selected.check(&Limits::default()).unwrap();
    let model = resolve(&selected, &Options::default()).unwrap();
    assert_eq!(model.poi, None);
    assert_eq!(model.warnings, []);
    assert_eq!(names(&selected, &Options::default()), ["k", "xsec"]);
    assert_eq!(model.observations, [99.0]);
    // The other measurement keeps its parameter of interest.
    let second = Options {
        measurement: Some("second".to_owned()),
        ..Options::default()
    };
    assert_eq!(resolve(&selected, &second).unwrap().poi, Some(0));
}

#[test]
fn templates_and_derived_constants_agree() {
    let model = resolve(&workspace(), &Options::default()).unwrap();
    let found: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    // By type, then by first appearance: `xsec` comes with the histosys.
    assert_eq!(
        found,
        [
            "same", "xsec", "k", "mu", "flat", "shape[0]", "shape[1]", "stat[0]", "stat[1]"
        ]
    );
    let channels: Vec<&str> = model.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        (channels, model.observations.clone()),
        (vec!["CR", "SR"], vec![99.0, 55.0, 71.0])
    );
    assert_eq!(model.nominal, [100.0, 50.0, 60.0, 5.0, 0.0]);
    assert_eq!(model.bin_of_cell(), [0, 1, 2, 1, 2]);
    assert_eq!(model.bins_of_parameters()[1], [0, 1, 2]);

    let shape = &model.parameters[5];
    assert_eq!(
        (shape.kind, shape.constraint),
        (
            ParameterKind::GammaShape,
            Constraint::Poisson {
                aux: 100.0,
                tau: 100.0
            }
        )
    );
    // No uncertainty: fixed, with a placeholder.
    assert!(model.parameters[6].fixed && model.parameters[6].derived == Derived::Placeholder);
    let Derived::Staterror { applications, bin } = &model.parameters[7].derived else {
        panic!("{:?}", model.parameters[7])
    };
    let (mut squares, mut total) = (0.0, 0.0);
    for a in applications {
        let application = &model.applications[*a];
        let Effect::Staterror { uncertainty } = &application.effect else {
            panic!("{application:?}")
        };
        squares += uncertainty[*bin].powi(2);
        total += model.nominal_of(application.sample)[*bin];
    }
    let Constraint::Normal { aux, sigma } = model.parameters[7].constraint else {
        panic!("{:?}", model.parameters[7])
    };
    assert!(
        aux == 1.0
            && (sigma - 0.5 / 55.0).abs() < 1e-16
            && (sigma - f64::sqrt(squares) / total).abs() < 1e-16
    );
}

#[test]
fn options_override_the_measurement() {
    let options = Options {
        poi: PoiChoice::Named("k".to_owned()),
        inits: vec![("stat".to_owned(), 1.1), ("stat[1]".to_owned(), 1.2)],
        bounds: vec![("mu".to_owned(), [0.0, f64::INFINITY])],
        fix: vec![("xsec".to_owned(), Some(0.5)), ("k".to_owned(), None)],
        free: vec!["shape".to_owned()],
        ..Options::default()
    };
    let model = resolve(&workspace(), &options).unwrap();
    let get = |name: &str| &model.parameters[model.parameter_index(name).unwrap()];
    assert_eq!(model.poi, model.parameter_index("k"));
    assert_eq!((get("stat[0]").init, get("stat[1]").init), (1.1, 1.2));
    assert_eq!(get("mu").bounds, [0.0, f64::INFINITY]);
    assert!(get("xsec").fixed && get("xsec").init == 0.5 && get("k").fixed && get("k").init == 1.0);
    assert!(!get("shape[1]").fixed);
    let without = Options {
        poi: PoiChoice::Without,
        ..Options::default()
    };
    assert_eq!(resolve(&workspace(), &without).unwrap().poi, None);
}

#[test]
fn the_summary_finds_what_has_no_effect() {
    let summary = summarise(&resolve(&workspace(), &Options::default()).unwrap());
    assert_eq!(summary.parameters_without_effect, ["same", "flat"]);
    let inert: Vec<&str> = summary.inert.iter().map(|i| i.modifier.as_str()).collect();
    assert_eq!(inert, ["flat", "same"]);
    let histosys = &summary.modifiers[0];
    assert_eq!(
        (
            histosys.kind,
            histosys.names,
            histosys.uses,
            histosys.inert_uses
        ),
        (ModifierType::Histosys, 2, 2, 1)
    );
    assert_eq!((histosys.entries, histosys.inert_entries), (4, 3));
    assert_eq!(
        (
            summary.bins,
            summary.cells,
            summary.channels[1].observed,
            summary.channels[1].nominal
        ),
        (3, 5, 126.0, 115.0)
    );
    assert_eq!(summary.poi.as_deref(), Some("mu"));
}

#[test]
fn prune_and_rename() {
    let mut pruned = workspace();
    let prune = Prune {
        samples: vec!["signal".to_owned()],
        modifiers: vec!["same".to_owned()],
        modifier_types: vec![ModifierType::Shapesys],
        measurements: vec!["second".to_owned()],
        ..Prune::default()
    };
    pruned.prune(&prune).unwrap();
    pruned.check(&Limits::default()).unwrap();
    assert_eq!(
        names(&pruned, &Options::default()),
        ["xsec", "k", "flat", "stat[0]", "stat[1]"]
    );
    assert_eq!(resolve(&pruned, &Options::default()).unwrap().poi, None);
    let before = pruned.clone();
    let all = Prune {
        samples: vec!["bkg".to_owned()],
        ..Prune::default()
    };
    assert_eq!(pruned.prune(&all).unwrap_err().code(), "PB0323");
    let unknown = Prune {
        modifiers: vec!["xsecc".to_owned()],
        ..Prune::default()
    };
    assert_eq!(
        pruned.prune(&unknown).unwrap_err().help(),
        "did you mean `xsec`?"
    );
    assert_eq!(pruned, before);

    let mut renamed = workspace();
    let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
    let rename = Rename {
        channels: pair("CR", "Z"),
        samples: pair("bkg", "top"),
        modifiers: pair("mu", "signal_strength"),
        measurements: pair("first", "1"),
    };
    renamed.rename(&rename).unwrap();
    renamed.check(&Limits::default()).unwrap();
    let model = resolve(&renamed, &Options::default()).unwrap();
    assert_eq!(
        (
            model.channels[1].name.as_str(),
            model.processes[1].as_str(),
            model.measurement.as_str()
        ),
        ("Z", "top", "1")
    );
    let poi = &model.parameters[model.poi.unwrap()];
    assert_eq!(
        (poi.name.as_str(), poi.bounds),
        ("signal_strength", [-3.0, 20.0])
    );
}

#[test]
fn patchsets_choose_by_name_and_values_and_verify() {
    let background = document();
    let patchset = json!({
        "version": "1.0.0",
        "metadata": {
            "description": "test", "labels": ["m1", "m2"], "references": {"hepdata": "ins1234567"},
            "digests": {"sha256": sha256_hex(&background), "md5": pullback_stats::workspace::md5_hex(&background)}
        },
        "patches": [
            {"metadata": {"name": "a", "values": [100, 1.5]}, "patch": [{"op": "replace", "path": "/channels/0/samples/0/data/1", "value": 7.5}]},
            {"metadata": {"name": "b", "values": ["x", 1]}, "patch": [{"op": "test", "path": "/version", "value": "1.0.0"}]}
        ]
    });
    let patchset =
        PatchSet::from_slice(patchset.to_string().as_bytes(), &Limits::default()).unwrap();
    patchset.verify(&background).unwrap();
    let name = |found: &NamedPatch| found.name.clone();
    assert_eq!(patchset.find("a").map(name), Ok("a".to_owned()));
    assert_eq!(patchset.find("100,1.50").map(name), Ok("a".to_owned()));
    assert_eq!(patchset.find("x, 1").map(name), Ok("b".to_owned()));
    let mut patched = background.clone();
    patchset
        .find("a")
        .unwrap()
        .patch
        .apply(&mut patched)
        .unwrap();
    assert_eq!(
        patched["channels"][0]["samples"][0]["data"],
        json!([5.0, 7.5])
    );
    assert_eq!(patchset.verify(&patched).unwrap_err().code(), "PB0334");
    // pyhf's `Workspace.model(patches=...)` style: a list of operations alone.
    assert_eq!(Patch::from_value(&json!([])).unwrap().operations, []);
}

#[test]
fn errors_of_resolving_get_their_line() {
    let mut document = document();
    document["measurements"][0]["config"]["parameters"][0]["inits"] = json!([1.0, 2.0]);
    let text = serde_json::to_string_pretty(&document).unwrap();
    let (workspace, _) = Workspace::from_slice(text.as_bytes()).unwrap();
    let error = resolve(&workspace, &Options::default()).unwrap_err();
    assert_eq!(error.place().unwrap().position, None);
    let position = error.located_in(&text).place().unwrap().position.unwrap();
    assert!(text.lines().nth(position.line - 1).unwrap()[position.column - 1..].starts_with('['));
}
