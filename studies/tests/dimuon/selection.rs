//! The pairs that the program forms and keeps are those of a plain loop.

use std::path::Path;

use pullback_array::{Bindings, Lowered};
use pullback_studies::dimuon::{
    Calibration, DimuonError, Likelihood, Momenta, Muons, Pair, Truth, open_data, pairs,
    record_selection,
};

/// Pairs by the program: its columns must be those of the loop, in order.
fn same(calibration: &Calibration, muons: &Muons) -> [usize; 2] {
    let lowered = Lowered::new(record_selection(calibration).expect("recorded")).expect("lowers");
    let mut ws = lowered.workspace();
    lowered
        .run(&mut ws, &Bindings::ordered(&muons.columns()))
        .expect("runs");
    let expected = pairs(calibration, muons);
    for (peak, expected) in expected.iter().enumerate() {
        let column = |k: usize, f: &dyn Fn(&Pair) -> f64| {
            let found = ws.f64(7 * peak + k);
            assert_eq!(found.len(), expected.len());
            for (found, pair) in found.iter().zip(expected) {
                let by_loop = f(pair);
                assert!(
                    (found - by_loop).abs() <= 1e-12 * by_loop.abs().max(1.0),
                    "column {k}: {found} and {by_loop}"
                );
            }
        };
        column(0, &|p| p.y);
        for m in 0..2 {
            column(3 + m, &|p| p.members[m].pt);
            column(5 + m, &|p| p.members[m].kappa);
            let bins: Vec<usize> = expected.iter().map(|p| p.members[m].bin).collect();
            let found = ws.i64(7 * peak + 1 + m).iter().map(|b| *b as usize);
            assert_eq!(found.collect::<Vec<_>>(), bins);
        }
    }
    expected.map(|list| list.len())
}

/// Events of several muons from a congruence: many pairs near both masses, all charges, |η| up to 2.6, p_T down to 2 GeV.
fn crowded() -> Muons {
    let mut state = 12345_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut muons = Muons::default();
    for event in 0..3000 {
        let n = event % 7;
        let list: Vec<_> = (0..n)
            .map(|k| {
                let pt = if k < 2 {
                    2.0 + 8.0 * uniform()
                } else {
                    20.0 + 40.0 * uniform()
                };
                let (eta, phi) = (5.2 * uniform() - 2.6, 6.2 * uniform());
                (
                    pt,
                    if k < 2 { 0.1 * eta } else { eta },
                    if k < 2 { 0.15 * phi } else { phi },
                    if uniform() < 0.5 { 1 } else { -1 },
                )
            })
            .collect();
        muons.push(list);
    }
    muons
}

#[test]
fn the_program_keeps_the_pairs_of_a_plain_loop() {
    let mut calibration = Calibration::new(Truth::Collisions).expect("its numbers are right");
    for momenta in [Momenta::Constrained, Momenta::Measured] {
        calibration.momenta = momenta;
        let [jpsi, z] = same(&calibration, &crowded());
        assert!(jpsi > 50 && z > 300, "{jpsi} and {z}");
    }
    let [jpsi, z] = same(&super::of_generator(), &super::sample(3000, 1000));
    assert!(jpsi > 100 && z > 100, "{jpsi} and {z}");
}

#[test]
fn open_data_have_the_pairs_that_awkward_finds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/agc-dimuon/open-data-example.root");
    if !path.is_file() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let muons = open_data(&path).expect("it is whole");
    assert_eq!((muons.events(), muons.pt.len()), (100_000, 235_286));
    let calibration = Calibration::new(Truth::Collisions).expect("its numbers are right");
    // python/dimuon_jax.py selects the same with Awkward and NumPy.
    assert_eq!(same(&calibration, &muons), [7678, 8366]);
}

#[test]
fn a_sample_without_pairs_is_an_error_that_says_which() {
    let calibration = super::of_generator();
    let mut muons = super::sample(2000, 0);
    let error = Likelihood::new(&calibration, &muons, 1)
        .err()
        .expect("no Z");
    assert!(matches!(error, DimuonError::Empty { peak: "Z" }), "{error}");
    muons.charge.fill(1);
    let error = Likelihood::new(&calibration, &muons, 1)
        .err()
        .expect("no pair");
    assert!(
        error
            .to_string()
            .starts_with("PB1013: no pair is left in the window of the J/psi"),
        "{error}"
    );
}
