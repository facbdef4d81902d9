//! Program-to-program transforms. A derivative is a program like any other: optimised, differentiated again, printed, saved.

mod bind;
mod forward;
mod rebuild;
mod reverse;
mod rewrite;
mod simplify;
mod vmap;

pub use bind::bind;
pub use forward::jvp;
pub use rebuild::{prune, replay};
pub use reverse::{grad, vjp};
pub use rewrite::identities;
pub use simplify::simplify;
pub(crate) use vmap::lane_by_lane;
pub use vmap::{LaneCall, vmap};
