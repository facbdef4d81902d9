//! Running an analysis file: events in, cutflow, histograms and a workspace out.
//!
//! Each data set is one program: all regions, histograms and variations are outputs of it, so that its events are read once. A systematic that moves a parameter is
//! the same program at another value, on the same chunk: the whole selection is evaluated again, nothing is interpolated.

mod abcd;
mod collect;
mod compared;
mod estimates;
mod members;
mod plan;
mod result;
mod smooth;
mod sweep;
mod uhi;
mod workspace;

pub use compared::Bound;
pub(crate) use plan::{Pass, Plan, Quantity, Scope, Weighting, edges_name};
pub use plan::{Shift, Values};
pub use result::{Bins, Cutflow, Distribution, Filled, Results, Step};
pub(crate) use smooth::smoothed;
pub use sweep::{Progress, RunOptions};
pub(crate) use sweep::{Sums, Sweep, accumulate, check, widened};
