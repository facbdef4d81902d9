//! The bench harness: processor time, minimum over repeats, a row per measurement beside its reference.
//!
//! How to add a bench, in five steps:
//! 1. Create `benches/src/bin/NAME.rs`; `cargo xtask bench NAME` finds, builds (release) and runs it.
//! 2. Time with [`measure`] (one function) or [`paired`] (ours and the reference, interleaved: use this for ratios);
//!    [`measure_with`] and [`paired_with`] give each call fresh inputs, made outside the timed part.
//! 3. Make a [`Row`]: [`Row::paired`], or [`Row::time`] with `.historical(..)` for figures measured elsewhere.
//! 4. State the limits of the speed table: `.ratio_at_most(required, aim)` or `.value_at_most(required, aim)`.
//! 5. `.report()` prints it, and appends the JSON line that the summary table is made of.
//!
//! ```no_run
//! use pullback_benches::{Row, paired};
//! let xs: Vec<f64> = (0..100_000).map(f64::from).collect();
//! let pair = paired(|| xs.iter().map(|x| x * x).sum::<f64>(), || xs.iter().sum::<f64>());
//! Row::paired("sum of squares, 1e5 values", &pair).ratio_at_most(1.6, 1.2).report();
//! ```
//!
//! Times are processor time of the calling thread, which a neighbour on the machine disturbs less than wall time. It
//! does not see work that moves to other threads: where that can happen, use [`Clock::Process`] or [`Clock::Wall`].

pub mod adbench;
mod clock;
pub mod histfactory;
mod measure;
mod memory;
#[cfg(doctest)]
mod readme;
mod row;

pub use clock::{Clock, Stopwatch};
pub use measure::{Effort, Paired, Stats, measure, measure_with, paired, paired_with};
pub use memory::{peak_rss_bytes, reset_peak_rss};
pub use row::{JSON_PATH_VARIABLE, Row, Verdict};
