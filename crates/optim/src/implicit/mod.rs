//! Solutions as operations of a program: minima, roots and linear solves whose derivatives follow from what they solve, not from how.
//!
//! | operation | result | derivative |
//! |---|---|---|
//! | [`argmin()`] | x*, f*, masks of active bounds | f*: envelope rule, no solve; x*: one [`linear_solve()`] with the Hessian of the free parameters |
//! | [`root()`] | x* with F(x*) = 0 | one [`linear_solve()`] with the Jacobian |
//! | [`linear_solve()`] | x with A x = b | another [`linear_solve()`] with A, its transpose one with Aᵀ |
//! | [`call()`] | the results of a sub-program | a call of its derivative |
//! | [`HostFunction`] | what a closure returns | its Jacobian, once |
//!
//! Each of the first four holds a *region*: a closed sub-program whose first inputs are what the operation varies and whose other inputs are captures,
//! given explicitly by the node's other arguments. [`region()`] records one. Regions know nothing of the program around them; transforms differentiate them
//! with the rules that they use everywhere, so derivatives of any order exist.
//!
//! All arguments may have further outer levels (lanes, one problem per element); an argument without them serves all lanes.
//!
//! References: A. Griewank & A. Walther, Evaluating Derivatives (2nd ed., 2008), section 15.1; B. Christianson, Optim. Methods Softw. 3 (1994) 311 (implicit
//! functions in reverse mode); M. Blondel et al., NeurIPS 35 (2022) 5230 (rules for solvers as operations).

mod argmin;
mod linear_solve;
mod refused;
mod registry;
mod root;
mod target;

pub use argmin::{Argmin, argmin};
pub use linear_solve::{linear_solve, solve};
pub use pullback_array::region::{HostFunction, call, region};
pub use registry::{PRIMITIVES, registry};
pub use root::root;
