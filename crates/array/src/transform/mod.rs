//! Program-to-program transforms. A derivative is a program like any other: optimised, differentiated again, printed, saved.
//!
//! Names at its border: a transform calls what it adds after what it belongs to, `d_x`, `ct_y`, `grad_x`. Where one of these is taken, all that it adds is
//! counted, `d2_x`, `d2_y`, and what the program had keeps its name: `jvp` of `jvp` has inputs `x, d_x, d2_x` and outputs `y, d_y, d2_y, d2_d_y`. Levels of
//! lanes do the same: `lanes`, `lanes_2`.

mod bind;
mod columns;
mod cotangent;
mod forward;
mod interface;
mod jacobian;
mod lanes;
mod linear_part;
mod linear_terms;
mod linearize;
mod names;
mod neutral;
mod rebuild;
mod relax;
mod reverse;
mod rewrite;
mod second_order;
mod simplify;
mod specialise;
mod surface;
mod terms;
mod through;
mod vmap;
mod vocabulary;
mod width;

pub use bind::bind;
pub use forward::jvp;
pub(crate) use forward::{
    Tangents, differentiable_input, push_forward, tangents_of, upstream, upstream_with_structure,
};
pub use interface::interface;
pub use jacobian::JacobianPlan;
pub use lanes::{Lane, lanes};
pub use linearize::{Linearized, linearize};
pub use rebuild::{prune, replay};
pub use relax::{Decision, Relaxation, Smoothing, decisions, relax};
pub(crate) use reverse::differentiable_output;
pub use reverse::{grad, vjp};
pub use rewrite::identities;
pub use second_order::HessianPlan;
pub use simplify::simplify;
pub use specialise::specialise;
pub use surface::{
    Surface, SurfaceKernel, Threshold, grad_total, jvp_total, thresholds, vjp_total,
    with_surface_terms,
};
pub(crate) use surface::{chooses, jumps};
pub(crate) use through::{jvp_through, transpose_through};
pub(crate) use vmap::lane_by_lane;
pub use vmap::{LaneCall, vmap};
pub use vocabulary::{hessian, hvp, jacobian, value_and_grad};
pub use width::Width;
