//! Nanoseconds per random number, beside `rand`'s small generator (xoshiro256++, sequential) and `rand_distr` in the same run: 4,096 values in the first-level cache.
//!
//! `cargo run --release -p pullback-benches --bin random`

use pullback_ad::isa::Level;
use pullback_benches::{Row, measure, paired};
use pullback_prob::{
    Binomial, Distribution, Exponential, Gamma, Key, Normal, Poisson, Uniform, fill_uniform_pair,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::Distribution as _;

const VALUES: usize = 4096;
const KEY: Key = Key::new(1, "bench");

fn per_value(seconds: f64) -> f64 {
    seconds / VALUES as f64
}

/// A column of ours beside one of theirs.
fn row<T: Clone + Default>(
    name: &str,
    ours: &impl Distribution<Value = T>,
    mut theirs: impl FnMut(&mut SmallRng) -> f64,
) {
    let mut rng = SmallRng::seed_from_u64(1);
    let (mut out, mut other) = (vec![T::default(); VALUES], vec![0.0; VALUES]);
    let mut first = 0;
    let pair = paired(
        || {
            ours.fill(std::hint::black_box(&mut out), KEY, first, 0);
            first += VALUES as u64;
        },
        || {
            for x in std::hint::black_box(&mut other) {
                *x = theirs(&mut rng);
            }
        },
    );
    Row::time(name, per_value(pair.ours.min))
        .reference(per_value(pair.reference.min), "rand")
        .report();
}

fn main() {
    let level = Level::current().name();
    row(
        &format!("uniform ({level})"),
        &Uniform::standard(),
        RngExt::random::<f64>,
    );
    let (mut u, mut v) = (vec![0.0; VALUES / 2], vec![0.0; VALUES / 2]);
    let pairs = measure(|| {
        fill_uniform_pair(&mut u, &mut v, KEY, 0, 0);
        std::hint::black_box(&u[0]);
    });
    Row::time(format!("uniform, in pairs ({level})"), per_value(pairs.min)).report();
    row(&format!("normal ({level})"), &Normal::standard(), |rng| {
        rand_distr::StandardNormal.sample(rng)
    });
    let one = Normal::standard();
    let mut out = vec![0.0; VALUES];
    let single = measure(|| {
        for (event, z) in out.iter_mut().enumerate() {
            *z = one.draw(KEY, event as u64, 0);
        }
        std::hint::black_box(&out[0]);
    });
    Row::time("normal, one at a time", per_value(single.min)).report();
    if let Ok(ours) = Exponential::new(1.0) {
        row("exponential", &ours, |rng| rand_distr::Exp1.sample(rng));
    }
    if let (Ok(ours), Ok(theirs)) = (Gamma::new(2.5, 1.0), rand_distr::Gamma::new(2.5, 1.0)) {
        row("gamma(2.5)", &ours, |rng| theirs.sample(rng));
    }
    for mean in [3.0, 32.0, 1e6] {
        if let (Ok(ours), Ok(theirs)) = (Poisson::new(mean), rand_distr::Poisson::new(mean)) {
            row(&format!("Poisson({mean})"), &ours, |rng| theirs.sample(rng));
        }
    }
    if let (Ok(ours), Ok(theirs)) = (Binomial::new(200, 0.3), rand_distr::Binomial::new(200, 0.3)) {
        row("binomial(200, 0.3)", &ours, |rng| theirs.sample(rng) as f64);
    }
}
