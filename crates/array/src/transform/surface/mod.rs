//! Surface terms: the part of a derivative that thresholds contribute, as estimates beside the pathwise part.
//!
//! ```text
//! let good = (pt * s).gt(20.0.into()).named("pt > 20");          // the decision has a name
//! let (muons, index) = good.filter("good");                      // .. pairs, masses, F = Σ shape(m)
//! let program = b.finish(&[("F", f)])?;
//! let total = jvp_total(&program, &["F"], &["s"], &Surface::new(1.0))?;   // windows of 1 GeV about the cut
//! // F, d_F = d_F_pathwise + d_F_surface, near_pt > 20: how many muons carried the surface term
//! let free = jvp_total(&program, &["F"], &["s"], &Surface::new(Width::input("h")))?;   // the width is an input of each run
//! let sampled = Surface::from_sample(&program, &["F"], &["s"], &columns)?;             // or comes from the margins of a sample
//! grad(&grad_total(&program, "F", &["s"], &sampled)?, "grad_s", &["s"])                // PB0205: an estimate of first order has no second derivative
//! ```
//!
//! `jvp`, `vjp` and `grad` of the program itself are pathwise, at frozen selection.
//!
//! - `options`: widths, kernels, supports; `sample`: both from a sample.
//! - `decide`: decisions whose margins move, and the sums through which they leave the stream; what is not known is refused by name. `kinds`: what
//!   decides, chooses, jumps.
//! - `window`: the elements near a threshold; `rerun`: their events again, with and without them; `attach`: the rewritten program.
//! - `total`: derivatives in two parts.

mod attach;
mod decide;
mod kinds;
mod options;
mod rerun;
mod sample;
mod total;
mod window;

pub(super) use decide::gathers_what_it_compares;
pub(super) use kinds::decides;
pub(crate) use kinds::{chooses, jumps, makes_index};
pub use options::{Surface, SurfaceKernel};
pub use total::{Threshold, grad_total, jvp_total, thresholds, vjp_total, with_surface_terms};
