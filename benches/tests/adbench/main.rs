//! The problems of ADBench against plain implementations of their own, whose derivatives come from complex steps.

mod bundle;
mod gmm;
mod hand;
mod lstm;
mod plain;

use std::path::PathBuf;

use pullback_ad::Complex;
use pullback_benches::adbench::Reader;

/// A file of `../shared/data/adbench`, or `None` with a visible note.
fn shared(file: &str) -> Option<Reader> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/adbench")
        .join(file);
    if path.is_file() {
        return Some(Reader::open(&path).expect("a readable file"));
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// Uniform in (-1, 1): splitmix64 (Steele, Lea & Flood 2014).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn random(state: &mut u64, n: usize) -> Vec<f64> {
    (0..n).map(|_| uniform(state)).collect()
}

/// The derivatives of all outputs to input `j` of `f` at `x`.
fn step(f: &impl Fn(&[Complex]) -> Vec<Complex>, x: &[f64], j: usize) -> Vec<f64> {
    const STEP: f64 = 1e-100;
    let x: Vec<Complex> = x
        .iter()
        .enumerate()
        .map(|(i, &x)| Complex::new(x, if i == j { STEP } else { 0.0 }))
        .collect();
    f(&x).iter().map(|y| y.im / STEP).collect()
}

/// Whether numbers agree to `tolerance` of the largest.
fn close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-300_f64, |m, x| m.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * size,
            "{what}[{i}]: {a} instead of {b}, size {size}"
        );
    }
}
