//! Relaxation: decisions become degrees of membership, so that a program has a derivative through them.
//!
//! ```text
//! let good = (pt * s).gt(20.0.into()).named("pt > 20");
//! let (muons, index) = good.filter("good");                      // .. pairs, masses, a histogram of the mass, F
//! let program = b.finish(&[("F", f)])?;
//! let policy = Relaxation::only(Smoothing::Sigmoid).with("pt > 20", Width::input("T"));
//! let soft = relax(&program, &policy)?;                          // the same inputs and T: annealed between runs, recorded once
//! let gradient = grad(&soft, "F", &["s"])?;                      // of any order; T → 0 is the exact program
//! ```
//!
//! - `decisions`: which ones move with some inputs, and margins of a sample, by which widths are chosen.
//! - `policy`: which decisions, how smooth. `soft`: what a value becomes, and levels whose elements are members to a degree. `rewrite`: the walk over the
//!   program; `decide`, `structure`, `reduce`, `order`: what each consumer does with degrees. What has no rule is refused by name.

mod decide;
mod decisions;
mod order;
mod policy;
mod reduce;
mod rewrite;
mod soft;
mod structure;

pub use decisions::{Decision, decisions};
pub use policy::{Relaxation, Smoothing};
pub use rewrite::relax;
