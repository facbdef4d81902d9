//! Published ATLAS likelihoods: value and gradient, reading and compiling, the fit, its covariance, beside the hand-written figures in the data README
//! (historical: measured elsewhere).

use pullback_benches::{Row, measure};
use pullback_stats::fit::{FitOptions, fit};
use pullback_stats::{Model, spec, workspace::Workspace};

/// Workspace, then historical figures: value, value + gradient, full fit, in seconds.
const HISTORICAL: [(&str, f64, f64, f64); 5] = [
    ("2018-31__BkgOnlyA", 0.6e-6, 1.3e-6, 0.2e-3),
    ("2018-04__SRcombined", 0.7e-6, 1.2e-6, 0.3e-3),
    ("2018-05-ewk__ewk_signal_bkgonly", 1.1e-6, 2.4e-6, 0.6e-3),
    ("2019-09__bkg_onshell", 1.5e-6, 2.8e-6, 0.6e-3),
    ("2018-16__EWKinos_bkgonly_SR2lOnly", 2.6e-6, 4.1e-6, 1.6e-3),
];

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/atlas-likelihoods");
    if !folder.is_dir() {
        println!("skipped: {} is not here", folder.display());
        return;
    }
    for (name, value, gradient, by_hand_fit) in HISTORICAL {
        let bytes = std::fs::read(folder.join(format!("{name}.json"))).expect("readable");
        let build = || {
            let (workspace, _) = Workspace::from_slice(&bytes).expect("a workspace");
            let mut model =
                Model::new(spec::resolve(&workspace, &spec::Options::default()).expect("resolves"))
                    .expect("compiles");
            let (inits, data) = (model.spec().inits(), model.observed());
            model.gradient(&inits, &data).expect("evaluates");
            model
        };
        let mut model = build();
        let (inits, data) = (model.spec().inits(), model.observed());
        let stats = measure(|| model.twice_nll(&inits, &data).expect("evaluates"));
        Row::stats(format!("{name}: value"), &stats)
            .historical(value, "by hand")
            .ratio_at_most(3.0, 1.5)
            .report();
        let mut g = vec![0.0; inits.len()];
        let stats = measure(|| {
            model
                .value_and_gradient(&inits, &data, &mut g)
                .expect("evaluates")
        });
        Row::stats(format!("{name}: value + gradient"), &stats)
            .historical(gradient, "by hand")
            .ratio_at_most(3.0, 1.5)
            .report();
        let stats = measure(|| model.hessian(&inits, &data).expect("evaluates"));
        Row::stats(format!("{name}: exact Hessian"), &stats).report();
        // A fit and nothing else, then with covariance and errors; each starts from the same point with warm programs.
        let mut only = FitOptions {
            minimum_only: true,
            ..FitOptions::default()
        };
        let fit_alone = measure(|| fit(&mut model, &data, &mut only).expect("fits").twice_nll);
        Row::stats(format!("{name}: full fit"), &fit_alone)
            .historical(by_hand_fit, "by hand")
            .ratio_at_most(4.0, 2.0)
            .report();
        let with = measure(|| {
            fit(&mut model, &data, &mut FitOptions::default())
                .expect("fits")
                .seconds
                .covariance
        });
        let extra = (0..20)
            .map(|_| {
                fit(&mut model, &data, &mut FitOptions::default())
                    .expect("fits")
                    .seconds
                    .covariance
            })
            .fold(f64::INFINITY, f64::min);
        Row::stats(format!("{name}: fit, covariance, pulls, yields"), &with).report();
        Row::time(format!("{name}: covariance in addition"), extra)
            .historical(fit_alone.min, "one fit")
            .ratio_at_most(1.0, None)
            .report();
        let stats = measure(build);
        Row::stats(format!("{name}: read + compile"), &stats)
            .value_at_most(30e-3, 10e-3)
            .report();
    }
}
