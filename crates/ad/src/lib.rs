//! Scalars for differentiable programs: dual numbers, jets, complex step, a tape; special functions; checkpoint schedules.
//!
//! Code is written once, generic over [`Real`] (no branches on data; can be lifted to arrays) or [`Scalar`] (with branches), and evaluated
//! with the scalar that carries the derivative wanted. Every elementary function is one entry of one table
//! ([`elementary_functions!`], [`binary_functions!`]).

mod complex;
mod custom;
mod drivers;
mod dual;
mod error;
mod float;
pub mod isa;
mod jet;
mod lanes;
pub mod math;
#[cfg(target_arch = "x86_64")]
mod packed;
mod polygamma;
mod real;
pub mod schedule;
mod sparse;
mod table;
mod tape;
mod values;
mod var;

pub use complex::{Complex, complex_step};
pub use custom::{CustomJvp, CustomVjp, custom_jvp, custom_vjp};
pub use drivers::{
    Function, JacobianWorkspace, Linearized, Matrix, checkpoint, derivative, grad, hessian, hvp,
    jacobian, jvp, linearize, stop_gradient, value_and_grad, vjp,
};
pub use dual::Dual;
pub use error::Error;
pub use jet::{Jet, taylor};
pub use math::normal::INV_SQRT_TAU;
pub use polygamma::{hurwitz_zeta, polygamma};
pub use real::{Mask, Real, Scalar};
pub use sparse::{
    Colouring, Dependence, Order, SparseJacobian, SparseMatrix, jacobian_pattern, sparse_jacobian,
};
pub use table::{Binary, BinaryRule, Family, Kind, Unary, UnaryRule, functions};
pub use tape::Tape;
pub use var::Var;
