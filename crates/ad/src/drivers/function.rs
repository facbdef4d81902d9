//! Functions of a whole vector, generic over the scalar.

use crate::error::Error;
use crate::real::Scalar;

/// A function ℝⁿ → ℝᵐ that can be evaluated with any scalar.
///
/// Put `#[inline(always)]` on a small [`eval`](Function::eval): the drivers run it inside code compiled for the processor at hand.
///
/// # Example
/// ```
/// use pullback_ad::{Error, Function, Scalar};
///
/// struct Polar;
/// impl Function for Polar {
///     fn outputs(&self) -> usize {
///         2
///     }
///     fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
///         y[0] = x[0] * x[1].cos();
///         y[1] = x[0] * x[1].sin();
///         Ok(())
///     }
/// }
///
/// # Ok::<(), Error>(())
/// ```
pub trait Function {
    /// m, the number of outputs.
    fn outputs(&self) -> usize;

    /// Writes the m outputs at the n inputs `x` into `y`.
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error>;
}
