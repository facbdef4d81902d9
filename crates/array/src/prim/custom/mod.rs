//! Functions that bring their own derivative rule, as regions.
//!
//! | operation | rule | valid |
//! |---|---|---|
//! | `custom_jvp` | tangents of the results from arguments, results and tangents, in which it is linear | every order, both modes |
//! | `custom_vjp` | cotangents of the arguments from arguments, results and cotangents | reverse mode; a tangent is an error, never a zero |
//!
//! - `form`: parameters and types; `record`: recording; `forward`, `reverse`: the primitives; `tangent`: what stands for a tangent that has no value.
//!
//! Reference: J. Bradbury et al., JAX (2018), "Custom derivative rules".

mod form;
mod forward;
mod record;
mod reverse;
mod tangent;

pub(crate) use forward::CustomJvp;
pub use record::{custom_jvp, custom_vjp};
pub(crate) use reverse::CustomVjp;
pub(crate) use tangent::{CustomTangent, reverse_only};
