//! A step that runs again and again: `carry_{k+1}, y_k = step(carry_k, x_k, captures)` along a dense level.
//!
//! `scan` is one primitive, and its derivatives are scans again:
//!
//! - The tangent of a scan is a scan of the tangents of its step, at the carried values before each step. With the policy `store` these are a result of the
//!   scan itself (nobody pays for them where they are not read); with another policy the tangent scan carries them along.
//! - The transpose of a linear scan is a scan in the other direction, whose carried values are cotangents, those of captures summed up.
//! - A linear scan that carries values of its own beside tangents is transposed by `scan_adjoint`, which recomputes them by the checkpoint policy; what it
//!   computes is written in scans that store everything for the derivatives of itself.
//!
//! - `form`: parameters, layout; `record`: recording. `rules`: tangents and transposes; `pull`: the step of a transposed scan.
//! - `stage`, `kernel`, `reversing`: running; `forward` and `adjoint`: the primitives.
//!
//! Reference: A. Griewank & A. Walther, Evaluating Derivatives (2nd ed., 2008), chapters 4 and 12; J. Bradbury et al., JAX (2018), `lax.scan`.

mod adjoint;
mod form;
mod forward;
mod kernel;
mod pull;
mod record;
mod reversing;
mod rules;
mod samples;
mod stage;

pub(crate) use adjoint::AdjointOp;
pub(crate) use form::Form;
use form::NAME;
pub(crate) use forward::ScanOp;
pub use record::{Scan, Scanned};
