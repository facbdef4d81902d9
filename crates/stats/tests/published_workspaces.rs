//! The published ATLAS likelihoods: names, order, flags and initial values equal pyhf's (`references.json` next to them, made by its
//! `make_reference.py` with pyhf 0.7.6).

mod common;

use std::time::Instant;

use pullback_stats::spec::{Constraint, Options, resolve, summarise};
use pullback_stats::workspace::Workspace;
use serde_json::Value;

#[test]
fn parameters_equal_those_of_pyhf() {
    let Some(references) = common::atlas("references.json") else {
        return;
    };
    let references: Value = serde_json::from_slice(&std::fs::read(references).unwrap()).unwrap();
    for name in common::WORKSPACES {
        let Some(path) = common::atlas(&format!("{name}.json")) else {
            return;
        };
        let bytes = std::fs::read(path).unwrap();
        let start = Instant::now();
        let (workspace, _) =
            Workspace::from_slice(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let read = start.elapsed();
        let start = Instant::now();
        let model =
            resolve(&workspace, &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        println!(
            "{name}: read {read:?}, resolve {:?}, warnings {:?}",
            start.elapsed(),
            model.warnings
        );
        let reference = &references[name];
        let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            reference["parameter_names"],
            serde_json::json!(names),
            "{name}"
        );
        let fixed: Vec<bool> = model.parameters.iter().map(|p| p.fixed).collect();
        assert_eq!(reference["fixed"], serde_json::json!(fixed), "{name}");
        let inits: Vec<f64> = reference["points"][0]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect();
        assert_eq!(inits, model.inits(), "{name}");
        assert_eq!(
            reference["poi"].as_str(),
            model.poi.map(|i| names[i]),
            "{name}"
        );
    }
}

#[test]
fn models_are_consistent() {
    for name in common::WORKSPACES {
        let Some(path) = common::atlas(&format!("{name}.json")) else {
            return;
        };
        let (workspace, _) = Workspace::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let model = resolve(&workspace, &Options::default()).unwrap();
        assert_eq!(model.bin_of_cell().len(), model.cells());
        assert_eq!(model.auxdata.len(), model.auxdata_parameters.len());
        for (i, p) in model.auxdata_parameters.iter().enumerate() {
            assert_eq!(model.parameters[*p].aux, Some(i));
        }
        for p in &model.parameters {
            assert!(
                p.init.is_finite() && p.bounds[0].is_finite() && p.bounds[1].is_finite(),
                "{name}: {p:?}"
            );
            let positive = match p.constraint {
                Constraint::None => true,
                Constraint::Normal { aux, sigma } => {
                    aux.is_finite() && sigma.is_finite() && sigma > 0.0
                }
                Constraint::Poisson { aux, tau } => aux >= 0.0 && tau.is_finite() && tau > 0.0,
            };
            assert!(positive, "{name}: {p:?}");
        }
        for a in &model.applications {
            let set = &model.sets[model.modifiers[a.modifier].set];
            let last = a.parameter_of_bin(model.samples[a.sample].cells.len() - 1);
            assert!(
                set.parameters.contains(&a.parameter) && set.parameters.contains(&last),
                "{name}: {a:?}"
            );
        }
        let summary = summarise(&model);
        println!(
            "{name}: {:?} {:?}; without effect: {:?}",
            summary.modifiers, summary.parameters, summary.parameters_without_effect
        );
        let entries: usize = summary.modifiers.iter().map(|m| m.uses).sum();
        assert_eq!(entries, model.applications.len());
    }
}
