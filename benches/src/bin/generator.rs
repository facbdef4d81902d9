//! Nanoseconds per generated event, one thread: 4,096 events into memory that is used again.
//!
//! `cargo run --release -p pullback-benches --bin generator`

use pullback_benches::{Row, measure};
use pullback_sim::{Events, Generator, Process};

const EVENTS: usize = 4096;

fn main() {
    for process in Process::menu() {
        let Ok(mut generator) = Generator::new(process, 1) else {
            continue; // The menu has no bad parameters.
        };
        let mut events = Events::default();
        let mut first = 0;
        let stats = measure(|| {
            let done = generator.generate_into(&mut events, first, EVENTS);
            first += EVENTS as u64;
            std::hint::black_box(done.is_ok())
        });
        let row = Row::time(format!("{process}, per event"), stats.min / EVENTS as f64);
        if process == Process::ZToLL {
            row.value_at_most(1e-6, 0.7e-6).report();
        } else {
            row.report();
        }
    }
}
