//! Derivatives of functions of a vector: the vocabulary of the design.

mod forward;
mod function;
mod matrix;
mod reverse;
mod second;

pub use forward::{JacobianWorkspace, derivative, jacobian, jvp};
pub use function::{Function, checkpoint, stop_gradient};
pub use matrix::Matrix;
pub use reverse::{Linearized, grad, linearize, value_and_grad, vjp};
pub use second::{hessian, hvp};
