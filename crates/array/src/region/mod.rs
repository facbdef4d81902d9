//! Regions: closed sub-programs as operations.
//!
//! A node holds a region among its parameters; the region's inputs are given by the node's arguments, captures included. Regions know nothing of the
//! program around them; transforms differentiate them with the rules that they use everywhere, so derivatives of any order exist.
//!
//! Arguments may have further outer levels (lanes, one problem per element) that the region does not see; an argument without them serves all lanes.
//!
//! - `record`: recording a region; `signature`: its levels and those around it, lanes.
//! - `derivative`: tangent, cotangent and gradient of a region.
//! - `runtime`: arguments of a kernel as columns, lane by lane, and memory that is reused.
//! - `hoist`: what a step computes from captures alone.
//! - `inline`: regions as pieces of other programs.
//! - `host`: closures of the host.

mod derivative;
mod hoist;
mod host;
mod inline;
mod record;
mod repeat;
mod runtime;
mod signature;

pub use crate::prim::call::{call, checkpoint};
pub use crate::prim::custom::{custom_jvp, custom_vjp};
pub use crate::prim::scan::{Scan, Scanned};
pub use crate::primitive::ill_formed;
pub use derivative::{cotangent, doubles, flagged, gradient, tangent, value_and_gradient};
pub(crate) use derivative::{part_of, reached, with_tangents};
pub(crate) use hoist::{Hoisted, hoist};
pub use host::HostFunction;
pub use inline::inline;
pub(crate) use inline::{composed, rearranged};
pub use pullback_ad::schedule::Policy;
pub(crate) use record::region_of;
pub use record::{BODY, body, input_types, mirrored, output_types, region};
pub use repeat::{While, Whiled};
pub use runtime::{Arguments, Lanes, Pool, part};
pub use signature::{Signature, lane_arguments, without_lanes};
