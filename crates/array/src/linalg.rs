//! Dense linear algebra on row-major slices.
//!
//! This is the only module, with its `lu`, that knows [`faer`]. Matrices are plain slices, row-major, without padding; symmetric ones are given by
//! their **upper** triangle (the strict lower one is neither read nor written unless said otherwise). Nothing allocates except where
//! said; nothing panics on numbers (NaN and inf give errors or NaN), wrong lengths are refused by [`LinalgError::Shape`].
//!
//! Small matrices (order below [`BLOCKED_FROM`]) go through loops of our own, which have no set-up cost; larger ones through faer.
//!
//! - `cholesky`, `tiled` (on several threads), `lu`: factorisations and what is solved with them.
//! - `product`: products of vectors and matrices. `spectral`: eigenvalues and singular values.

mod cholesky;
mod error;
mod lu;
mod product;
mod spectral;
#[cfg(test)]
mod tests;
mod tiled;

pub use cholesky::{
    cholesky, cholesky_inverse, cholesky_solve, cholesky_solve_many, smallest_pivot, solve_upper,
    solve_upper_transposed, solve_upper_transposed_many,
};
pub use error::LinalgError;
pub use lu::Lu;
pub use product::{
    dot, gram_lower, gram_update, matmul, matvec, mirror_lower, mirror_upper, transposed_product,
    weighted_gram,
};
pub use spectral::{symmetric_eigen, thin_svd};
pub use tiled::cholesky_on;

/// Order from which the factorisations are done by faer (blocked, recursive) instead of by the plain loops here.
pub const BLOCKED_FROM: usize = 112;

fn check(what: &'static str, found: usize, expected: usize) -> Result<(), LinalgError> {
    if found == expected {
        Ok(())
    } else {
        Err(LinalgError::Shape {
            what,
            found,
            expected,
        })
    }
}
