//! Finds the published likelihoods that lie outside the repository, and the numbers of a workspace.

use std::path::PathBuf;

use pullback_stats::spec::{Effect, ModelSpec};

/// A file of `../shared/data/atlas-likelihoods`, or `None` with a visible note.
pub fn atlas(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/atlas-likelihoods")
        .join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The published workspaces.
#[allow(dead_code, reason = "each test binary uses a part of this module")]
pub const WORKSPACES: [&str; 15] = [
    "2018-04__SRcombined",
    "2018-05-ewk__ewk_signal_bkgonly",
    "2018-14__Comb_bkgonly",
    "2018-14__SRee_bkgonly",
    "2018-16__EWKinos_bkgonly_SR2lOnly",
    "2018-22-multibin__simplified_MB-C_noCR_bkgonly",
    "2018-31__BkgOnlyA",
    "2018-31__BkgOnlyB",
    "2018-31__simplifiedA",
    "2018-32__bkgonly_simplified",
    "2019-09__SR_WH_0j_fake_bkgonly",
    "2019-09__bkg_onshell",
    "2019-09__bkg_onshell_simplified",
    "pyhf__2-bin_1-channel",
    "pyhf__example_bkgonly",
];

/// Pointers to the numbers of each slot, in the order of its entries.
#[allow(dead_code, reason = "each test binary uses a part of this module")]
pub fn pointers(spec: &ModelSpec) -> Vec<(&'static str, Vec<String>)> {
    let sample_of = |k: usize| {
        let sample = &spec.samples[k];
        format!(
            "/channels/{}/samples/{}",
            spec.channels[sample.channel].source, sample.source
        )
    };
    let mut slots: Vec<(&'static str, Vec<String>)> = [
        "nominal",
        "histosys_hi",
        "histosys_lo",
        "normsys_hi",
        "normsys_lo",
        "uncertainty",
    ]
    .map(|name| (name, Vec::new()))
    .into();
    for (k, sample) in spec.samples.iter().enumerate() {
        slots[0]
            .1
            .extend((0..sample.cells.len()).map(|b| format!("{}/data/{b}", sample_of(k))));
    }
    for a in &spec.applications {
        let data = format!("{}/modifiers/{}/data", sample_of(a.sample), a.source);
        let bins = spec.samples[a.sample].cells.len();
        match a.effect {
            Effect::Histosys { .. } => {
                slots[1]
                    .1
                    .extend((0..bins).map(|b| format!("{data}/hi_data/{b}")));
                slots[2]
                    .1
                    .extend((0..bins).map(|b| format!("{data}/lo_data/{b}")));
            }
            Effect::Normsys { .. } => {
                slots[3].1.push(format!("{data}/hi"));
                slots[4].1.push(format!("{data}/lo"));
            }
            Effect::Staterror { .. } | Effect::Shapesys { .. } => {
                slots[5].1.extend((0..bins).map(|b| format!("{data}/{b}")));
            }
            _ => {}
        }
    }
    slots
}
