//! Finds the published likelihoods that lie outside the repository.

use std::path::PathBuf;

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
