//! Where the time of the published likelihoods goes, instruction by instruction: `cargo run --release -p pullback-benches --example likelihood_profile
//! [NAME] [value|gradient]`.

use pullback_array::{Bindings, Column, Lowered, transform};
use pullback_stats::{Model, spec, workspace::Workspace};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let what = arguments.next().unwrap_or_default();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/atlas-likelihoods");
    if !folder.is_dir() {
        println!("skipped: {} is not here", folder.display());
        return;
    }
    for name in [
        "2018-31__BkgOnlyA",
        "2018-04__SRcombined",
        "2018-05-ewk__ewk_signal_bkgonly",
        "2019-09__bkg_onshell",
        "2018-16__EWKinos_bkgonly_SR2lOnly",
    ] {
        if !name.contains(&wanted) {
            continue;
        }
        let bytes = std::fs::read(folder.join(format!("{name}.json"))).expect("readable");
        let (workspace, _) = Workspace::from_slice(&bytes).expect("a workspace");
        let model =
            Model::new(spec::resolve(&workspace, &spec::Options::default()).expect("resolves"))
                .expect("compiles");
        let (inits, data) = (model.spec().inits(), model.observed());
        let gradient = transform::grad(model.program(), "twice_nll", &["parameters"])
            .and_then(|g| transform::bind(&g, &[]))
            .expect("differentiable");
        for (kind, program) in [("value", model.program().clone()), ("gradient", gradient)] {
            if !kind.contains(&what) {
                continue;
            }
            let columns = [
                Column::F64(&inits),
                Column::F64(&data.main),
                Column::F64(&data.aux),
                Column::F64(&[0.0]),
            ];
            let lowered = Lowered::new(program).expect("lowers");
            let profile = lowered
                .profile(&mut lowered.workspace(), &Bindings::ordered(&columns), 200)
                .expect("runs");
            println!("{name}: {kind}\n{profile}");
        }
    }
}
