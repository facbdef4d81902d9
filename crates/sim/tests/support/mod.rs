//! Samples and statistics for the tests.

#![allow(dead_code)] // Each test file uses its own part.

use pullback_sim::{Events, FourVector, Generator, Process, Truth};

/// The seed of all tests.
pub const SEED: u64 = 2026;

pub fn generator(process: Process) -> Generator {
    Generator::new(process, SEED).unwrap()
}

/// Events with the generator's record.
pub fn sample(process: Process, count: usize) -> Events {
    let mut generator = generator(process).keep_truth(true);
    generator.generate(0, count).unwrap()
}

pub fn truths(process: Process, count: u64) -> Vec<Truth> {
    let mut generator = generator(process);
    (0..count).map(|event| generator.truth(event)).collect()
}

/// The places of particles with a number, either sign.
pub fn find(truth: &Truth, pdg_id: i32) -> Vec<usize> {
    let particles = truth.particles.iter().enumerate();
    particles
        .filter(|(_, p)| p.pdg_id.abs() == pdg_id)
        .map(|(i, _)| i)
        .collect()
}

/// What a particle decays to.
pub fn products(truth: &Truth, place: usize) -> Vec<usize> {
    let particles = truth.particles.iter().enumerate();
    particles
        .filter(|(_, p)| p.mother == Some(place))
        .map(|(i, _)| i)
        .collect()
}

/// The values of one event in a collection.
pub fn of_event(offsets: &[i64], event: usize) -> std::ops::Range<usize> {
    offsets[event] as usize..offsets[event + 1] as usize
}

pub fn vector(pt: f32, eta: f32, phi: f32, mass: f32) -> FourVector {
    let [pt, eta, phi, mass] = [pt, eta, phi, mass].map(f64::from);
    FourVector::from_pt_eta_phi_mass(pt, eta, phi, mass)
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub fn sd(values: &[f64]) -> f64 {
    let mean = mean(values);
    let square = |x: &f64| (x - mean).powi(2);
    (values.iter().map(square).sum::<f64>() / values.len() as f64).sqrt()
}

/// The value below which a fraction of the sample lies.
pub fn quantile(values: &[f64], fraction: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(fraction * (sorted.len() - 1) as f64).round() as usize]
}

/// The largest distance between a sample and a distribution function, times √n: above 1.95 with probability 0.001 (Kolmogorov).
pub fn kolmogorov(values: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mut distance: f64 = 0.0;
    for (i, x) in sorted.iter().enumerate() {
        let f = cdf(*x);
        distance = distance.max(f - i as f64 / n).max((i + 1) as f64 / n - f);
    }
    distance * n.sqrt()
}

/// See [`kolmogorov`].
pub const KOLMOGOROV: f64 = 1.95;

/// A count of `passed` among `all` agrees with a probability within five standard deviations.
pub fn agrees(name: &str, passed: usize, all: usize, probability: f64) {
    let n = all as f64;
    let sigma = (n * probability * (1.0 - probability)).sqrt();
    let off = (passed as f64 - n * probability) / sigma;
    assert!(
        off.abs() < 5.0,
        "{name}: {passed} of {all} for {probability}: {off:.1} sigma"
    );
}
