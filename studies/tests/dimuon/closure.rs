//! What was put in comes out, within errors: toys of the model, generated events.

use pullback_sim::Detector;
use pullback_studies::dimuon::{
    Likelihood, Peak, bootstrap, fit, generated, of_generator, of_model, pairs, start, toy,
};

#[test]
fn biases_of_the_generator_are_found_again() {
    let calibration = super::of_generator();
    let mut detector = Detector {
        muon_eta_edges: calibration.edges.clone(),
        muon_scale: vec![0.004, -0.004, 0.006, -0.006, 0.01, -0.01],
        muon_offset: vec![0.03, -0.03, 0.0, 0.03, -0.05, 0.05],
        muon_resolution: vec![1.0, 1.2, 0.9, 1.3, 1.1, 1.0],
        ..Detector::default()
    };
    let (found, counts) =
        of_generator(&calibration, &detector, [20_000, 8000], 2, 3).expect("fitted");
    assert!(counts[0] > 1000 && counts[1] > 1000, "{counts:?}");
    let all = found.of(0..24);
    assert_eq!(all.count, 48);
    assert!(
        all.mean.abs() < 0.6 && all.rms > 0.6 && all.rms < 1.4,
        "{all:?}"
    );
    for row in &found.rows {
        assert!(row[..24].iter().all(|pull| pull.abs() < 4.5), "{row:?}");
    }
    // The biases are seen: without them expected, the pulls are far off.
    let events = generated(&detector, 3, 0, [20_000, 8000]).expect("generated");
    detector.muon_scale.fill(0.0);
    let mut likelihood = Likelihood::of_pairs(&calibration, &events, 1).expect("pairs are there");
    let fitted = fit(&mut likelihood, &start(&calibration, true)).expect("fitted");
    let (value, error) = fitted.of(calibration.layout().scale(0));
    assert!((value / error).abs() > 1.5, "{value} ± {error}");
}

#[test]
fn toys_keep_what_is_cut_on_and_return_their_parameters() {
    let calibration = super::of_generator();
    let muons = super::sample(12_000, 5000);
    let theta = super::somewhere(&calibration);
    let events = toy(&calibration, &theta, &muons, 1).expect("drawn");
    let (before, after) = (pairs(&calibration, &muons), pairs(&calibration, &events));
    for peak in [Peak::JPsi as usize, Peak::Z as usize] {
        // A pair at the cut may cross it by the mass of the muon and by what the nominal resolution depends on momentum, no more.
        assert!(before[peak].len().abs_diff(after[peak].len()) < 8);
        let first = before[peak].iter().zip(&after[peak]).take(20);
        for (a, b) in first {
            for m in 0..2 {
                assert!(
                    (a.members[m].pt / b.members[m].pt - 1.0).abs() < 2e-3,
                    "{a:?} and {b:?}"
                );
            }
        }
    }
    let found = of_model(&calibration, &theta, &muons, 2, 7).expect("fitted");
    let all = found.of(0..24);
    assert_eq!(all.count, 48);
    assert!(
        all.mean.abs() < 0.6 && all.rms > 0.6 && all.rms < 1.4,
        "{all:?}"
    );
}

#[test]
fn resampled_events_spread_as_the_covariance_says() {
    let calibration = super::of_generator();
    let theta = super::somewhere(&calibration);
    let muons = toy(&calibration, &theta, &super::sample(12_000, 5000), 2).expect("drawn");
    let mut likelihood = Likelihood::of_pairs(&calibration, &muons, 1).expect("pairs are there");
    let fitted = fit(&mut likelihood, &start(&calibration, false)).expect("fitted");
    assert!(fitted.minimum.converged(), "{}", fitted.minimum);
    let found = bootstrap(&calibration, &fitted.minimum.x, &muons, 3, 1).expect("fitted");
    let all = found.of(0..24);
    assert!(all.count > 60 && all.rms > 0.7 && all.rms < 1.35, "{all:?}");
}
