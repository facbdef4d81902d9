//! Random well-typed programs over dense, streamed and ragged spaces: what must hold for every program.
//!
//! A program is grown from a list of numbers, each of which makes one choice, so that proptest can shrink it. Primitives come from the registry: one that is
//! added there takes part as soon as its `infer` accepts arguments that are around.

#[path = "../support/mod.rs"]
mod support;

mod compositions;
mod grow;
mod lanes;
mod properties;

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;

use compositions::compositions;
use grow::case;
use properties::properties;
use support::direction;

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40), failure_persistence: None,
        // The same programs every time; `fuzz` is for new ones.
        rng_seed: proptest::test_runner::RngSeed::Fixed(2), ..ProptestConfig::default() })]

    #[test]
    fn all_properties_hold(list in proptest::collection::vec(any::<u32>(), 20..160)) {
        properties(&case(&list)).map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(20), failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn compositions_agree(list in proptest::collection::vec(any::<u32>(), 10..60)) {
        compositions(&case(&list)).map_err(TestCaseError::fail)?;
    }
}

/// The same with programs from a counter: a few by default, as long as `PULLBACK_FUZZ_SECONDS` says.
#[test]
fn fuzz() {
    let seconds: Option<f64> = std::env::var("PULLBACK_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    // New programs each time it runs for long; the seed of a failure is in its message.
    let first = seconds.map_or(1, |_| {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(1, |d| d.as_secs() << 20)
    });
    let (start, mut seed) = (Instant::now(), first);
    let more = |seed: u64| match seconds {
        Some(s) => start.elapsed() < Duration::from_secs_f64(s),
        None => seed < first + 8,
    };
    while more(seed) {
        let list: Vec<u32> = direction(20 + (seed % 200) as usize, seed)
            .iter()
            .map(|x| (x.to_bits() >> 20) as u32)
            .collect();
        if let Err(e) = properties(&case(&list)) {
            panic!("seed {seed}: {e}");
        }
        seed += 1;
    }
    eprintln!("{} programs", seed - first);
}
