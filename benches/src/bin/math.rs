//! Nanoseconds per value of the vectorised functions, beside `std` in the same run.
//!
//! `cargo run --release -p pullback-benches --bin math`
use pullback_ad::math::slice;
use std::hint::black_box;
use std::time::Instant;

/// Values in all, and per call (the block that stays in the first-level cache).
const VALUES: usize = 10_240;
const BLOCK: usize = 512;

fn best(values: &[f64], mut kernel: impl FnMut(&mut [f64], &[f64])) -> f64 {
    let mut out = vec![0.0; BLOCK];
    let mut best = f64::INFINITY;
    for _ in 0..2000 {
        let start = Instant::now();
        for block in values.chunks_exact(BLOCK) {
            kernel(&mut out, black_box(block));
            black_box(&mut out);
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    best / values.len() as f64 * 1e9
}

fn main() {
    let u: Vec<f64> = (0..VALUES)
        .map(|i| ((i as f64 + 0.5) * 0.618_033_988_749_894_9).fract())
        .collect();
    let x: Vec<f64> = u.iter().map(|u| 20.0 * u - 10.0).collect();
    let p: Vec<f64> = u.iter().map(|u| 100.0 * u).collect();
    for level in pullback_ad::isa::Level::available() {
        println!(
            "{:>10} exp {:.3} ln {:.3}",
            level.name(),
            best(&x, slice::exp_at(level)),
            best(&p, slice::ln_at(level))
        );
    }
    println!(
        "{:>10} exp {:.3} ln {:.3}",
        "std",
        best(&x, |d, s| for (d, s) in d.iter_mut().zip(s) {
            *d = s.exp()
        }),
        best(&p, |d, s| for (d, s) in d.iter_mut().zip(s) {
            *d = s.ln()
        })
    );
}
