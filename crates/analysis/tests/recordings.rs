//! A training compiles nothing. Alone in its process: programs are counted there.

#[path = "optimize/events.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod events;

use pullback_analysis::optimize::{Options, Problem};
use pullback_array::Lowered;

#[test]
fn a_hundred_steps_over_many_chunks_lower_no_program() {
    let change = [
        &events::NETWORK[..],
        &[(
            "objective = \"limit\"",
            "objective = \"limit\"\nsteps = 101\nvalidate = 1000\npretrain = 0",
        )],
    ]
    .concat();
    let file = events::read(&change);
    let mut options = Options::default();
    // Some 1,000 events each, read again in each sweep.
    options.data.chunk_bytes = 100_000;
    options.memory = 0;
    let mut chunks = 0;
    let problem = Problem::open(&file, &options, &mut |_, _| {
        chunks += 1;
        true
    });
    let mut problem = problem.unwrap_or_else(|e| panic!("{e}")).expect("opened");
    assert!(chunks >= 10, "{chunks}");
    let mut state = problem.begin().expect("inside");
    let mut counts = Vec::new();
    problem
        .train(&mut state, &mut |at| {
            counts.push(Lowered::count());
            at.done < 101
        })
        .unwrap_or_else(|e| panic!("{e}"));
    // The model of the likelihood is made with the first bins.
    assert_eq!(counts.len(), 101);
    assert!(
        counts[0] > 0 && counts.iter().all(|c| *c == counts[0]),
        "{counts:?}"
    );
}
