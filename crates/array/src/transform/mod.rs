//! Program-to-program transforms. A derivative is a program like any other: optimised, differentiated again, printed, saved.

mod bind;
mod forward;
mod interface;
mod jacobian;
mod neutral;
mod rebuild;
mod reverse;
mod rewrite;
mod second_order;
mod simplify;
mod specialise;
mod terms;
mod vmap;

pub use bind::bind;
pub use forward::jvp;
pub(crate) use forward::upstream;
pub use interface::interface;
pub use jacobian::JacobianPlan;
pub use rebuild::{prune, replay};
pub use reverse::{grad, vjp};
pub use rewrite::identities;
pub use second_order::HessianPlan;
pub use simplify::simplify;
pub use specialise::specialise;
pub(crate) use vmap::lane_by_lane;
pub use vmap::{LaneCall, vmap};
