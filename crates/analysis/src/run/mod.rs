//! Running an analysis file: events in, cutflow, histograms and a workspace out.
//!
//! Each data set is one program: all regions, histograms and variations are outputs of it, so that its events are read once. A systematic that moves a parameter is
//! a lane of it: the whole selection at another value, nothing is interpolated; what the parameter does not move is there once for all lanes.

mod abcd;
mod cautions;
mod collect;
mod compared;
mod estimates;
mod identity;
mod members;
mod open;
mod plan;
mod result;
mod root;
mod smooth;
mod sweep;
mod tangent;
mod uhi;
mod variants;
mod workspace;

pub use compared::Bound;
pub(crate) use identity::{IDENTITIES, identified, known, shared};
pub(crate) use plan::{Item, Plan, Quantity, Scope, Variation, Weighting, edges_name};
pub use plan::{Shift, Values};
pub use result::{Bins, Cutflow, Distribution, Filled, Results, Step, Stood};
pub(crate) use smooth::smoothed;
pub use sweep::{Progress, RunOptions};
pub(crate) use sweep::{Sums, Sweep, accumulate, check, widened};
pub use tangent::{Bias, Derivative};
