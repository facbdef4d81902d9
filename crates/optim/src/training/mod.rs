//! First-order optimisation of trainings: many steps, noisy or relaxed objectives, states that go to disk and come back.
//!
//! | job | type |
//! |---|---|
//! | the next point from value and gradient | [`Optimiser`]: [`Adam`], [`StepwiseLbfgs`] |
//! | bounded quantities, ordered bin edges | [`Chart`] of [`Block`]s |
//! | learning rates, temperatures | [`Schedule`] |
//! | when to stop, and the best point | [`EarlyStopping`] |
//! | several starts | [`spread_starts`], [`minimise_from`] |
//!
//! An optimiser is driven from outside: whoever has it evaluates at [`Optimiser::point`] and hands value and gradient to [`Optimiser::step`]. Every state is a
//! plain value with serde; written as JSON (with shortest round-trip numbers) and read again it takes the same steps to the bit.
//!
//! ```
//! use pullback_optim::training::{Adam, Optimiser};
//! let mut adam = Adam::new(vec![3.0, -2.0]);
//! for _ in 0..2000 {
//!     let x = adam.point();
//!     let (value, gradient) = (x[0] * x[0] + 10.0 * x[1] * x[1], [2.0 * x[0], 20.0 * x[1]]);
//!     adam.step(value, &gradient)?;
//! }
//! assert!(adam.point().iter().all(|x| x.abs() < 1e-3));
//! # Ok::<(), pullback_optim::OptimError>(())
//! ```

mod adam;
mod chart;
mod optimiser;
mod schedule;
mod starts;
mod stepwise_lbfgs;
mod stopping;

pub use adam::{Adam, AdamOptions};
pub use chart::{Block, Chart};
pub use optimiser::{Optimiser, Step};
pub use schedule::Schedule;
pub use starts::{Attempt, minimise_from, spread_starts};
pub use stepwise_lbfgs::{StepwiseLbfgs, StepwiseLbfgsOptions};
pub use stopping::{Best, EarlyStopping, Verdict};
