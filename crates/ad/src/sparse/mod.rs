//! Sparse Jacobians: the pattern by propagating index sets, its compression by colouring, the values from few sweeps.
//!
//! Columns of a Jacobian that have no row in common can be told apart in their sum, so they share a tangent. A colouring of the graph in which
//! columns with a common row are neighbours says which do; a banded matrix of any size takes as many tangents as its band is wide.
//!
//! References: A. R. Curtis, M. J. D. Powell & J. K. Reid, J. Inst. Maths Applics 13 (1974) 117; A. H. Gebremedhin, F. Manne & A. Pothen, *What
//! color is your Jacobian?*, SIAM Rev. 47 (2005) 629.

mod colouring;
mod dependence;
mod jacobian;
mod matrix;

pub use colouring::{Colouring, Order};
pub use dependence::{Dependence, jacobian_pattern};
pub use jacobian::{SparseJacobian, sparse_jacobian};
pub use matrix::SparseMatrix;
