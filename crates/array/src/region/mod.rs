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
//! - `host`: closures of the host.

mod derivative;
mod host;
mod record;
mod runtime;
mod signature;

pub use crate::prim::call::call;
pub use crate::primitive::ill_formed;
pub use derivative::{cotangent, doubles, flagged, gradient, tangent, value_and_gradient};
pub use host::HostFunction;
pub use record::{BODY, body, input_types, mirrored, output_types, region};
pub use runtime::{Arguments, Lanes, Pool, part};
pub use signature::{Signature, lane_arguments, without_lanes};
