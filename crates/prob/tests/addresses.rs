//! Draws belong to addresses: chunks, threads and other draws change nothing.

use std::thread;

use pullback_prob::{
    Binomial, BreitWigner, Categorical, Cauchy, Distribution, Exponential, Gamma, Geometric, Key,
    Normal, Poisson, PowerTail, Uniform, fill_uniform, fill_uniform_pair, rand_core::Rng, unit,
};

const N: usize = 1000;
const FIRST: u64 = (1 << 32) - 500; // The range crosses into the upper word.

/// Whole, in chunks, by threads, one by one, and around the end of the ids.
fn check<D: Distribution<Value: Clone + Default + PartialEq + std::fmt::Debug + Send> + Sync>(
    name: &str,
    distribution: &D,
) {
    let key = Key::new(77, name);
    let mut whole = vec![D::Value::default(); N];
    distribution.fill(&mut whole, key, FIRST, 3);

    for chunk in [1, 7, 64, 333] {
        let mut parts = vec![D::Value::default(); N];
        // Backwards: the order does not matter either.
        for (i, part) in parts.chunks_mut(chunk).enumerate().rev() {
            distribution.fill(part, key, FIRST + (i * chunk) as u64, 3);
        }
        assert_eq!(parts, whole, "{name} in chunks of {chunk}");
    }

    let mut parts = vec![D::Value::default(); N];
    thread::scope(|scope| {
        for (i, part) in parts.chunks_mut(N / 4).enumerate() {
            scope.spawn(move || distribution.fill(part, key, FIRST + (i * N / 4) as u64, 3));
        }
    });
    assert_eq!(parts, whole, "{name} on four threads");

    for (i, value) in whole.iter().enumerate() {
        let one = distribution.draw(key, FIRST + i as u64, 3);
        assert_eq!(one, *value, "{name} at event {i}");
    }

    let mut wrapped = vec![D::Value::default(); 20];
    distribution.fill(&mut wrapped, key, u64::MAX - 9, 3);
    assert_eq!(wrapped[10], distribution.draw(key, 0, 3), "{name}");
}

#[test]
fn chunks_and_threads_change_nothing() {
    check("uniform", &Uniform::new(-1.0, 2.0).unwrap());
    check("normal", &Normal::new(91.2, 2.5).unwrap());
    check("exponential", &Exponential::new(0.5).unwrap());
    check("cauchy", &Cauchy::new(91.2, 1.2).unwrap());
    let breit_wigner = BreitWigner::new(91.2, 2.5, 50.0, 150.0).unwrap();
    check("breit-wigner", &breit_wigner);
    check("power tail", &PowerTail::new(9.0, 2.1, 1.0, 500.0).unwrap());
    check("gamma", &Gamma::new(0.7, 2.0).unwrap());
    check("poisson, small", &Poisson::new(3.3).unwrap());
    check("poisson, large", &Poisson::new(33.0).unwrap());
    check("binomial, small", &Binomial::new(20, 0.8).unwrap());
    check("binomial, large", &Binomial::new(200, 0.3).unwrap());
    check("geometric", &Geometric::new(0.3).unwrap());
    check("categories", &Categorical::new(&[1.0, 0.0, 2.0]).unwrap());
}

#[test]
fn pairs_are_the_first_two_numbers_of_a_stream() {
    let key = Key::new(5, "pairs");
    let (mut u, mut v, mut w) = ([0.0; 100], [0.0; 90], [0.0; 100]);
    fill_uniform_pair(&mut u, &mut v, key, FIRST, 1);
    fill_uniform(&mut w, key, FIRST, 1);
    assert_eq!(u[..90], w[..90]);
    assert_eq!(u[90..], [0.0; 10], "the shorter slice counts");
    for (i, v) in v.iter().enumerate() {
        let mut stream = key.stream(FIRST + i as u64, 1);
        stream.next_u64();
        assert_eq!(*v, unit(stream.next_u64()));
    }
}
