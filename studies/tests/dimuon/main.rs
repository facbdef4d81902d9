//! The dimuon study in small: every piece against another way to the same number.

mod closure;
mod densities;
mod derivatives;
mod selection;

use pullback_sim::Detector;
use pullback_studies::dimuon::{Calibration, Muons, Truth, generated, start};

/// A calibration for generated events.
fn of_generator() -> Calibration {
    Calibration::new(Truth::Generator).expect("its numbers are right")
}

/// Some hundred pairs of each peak.
fn sample(jpsi: usize, z: usize) -> Muons {
    generated(&Detector::default(), 5, 0, [jpsi, z]).expect("generated")
}

/// A point that is nothing special.
fn somewhere(calibration: &Calibration) -> Vec<f64> {
    let start = start(calibration, false).start.into_iter().enumerate();
    start
        .map(|(k, x)| x + 0.3 * (1.7 * k as f64).sin())
        .collect()
}
