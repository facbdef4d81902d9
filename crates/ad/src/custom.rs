//! Functions that bring their own derivative rule.

use crate::error::Error;
use crate::real::Scalar;

/// A function with its own tangent rule: the base form of a custom rule, valid for every order and in both directions.
///
/// Because [`jvp`](CustomJvp::jvp) is itself generic, differentiating twice differentiates the rule.
pub trait CustomJvp {
    /// The values `y` at `x`.
    fn value<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error>;

    /// The tangents `dy` of the outputs for tangents `dx` of the inputs, linear in `dx`; `y` are the values at `x`.
    fn jvp<S: Scalar>(&self, x: &[S], y: &[S], dx: &[S], dy: &mut [S]) -> Result<(), Error>;
}

/// A function with its own cotangent rule, on plain numbers: reverse mode and first order only.
///
/// Use it for host callbacks and for code whose adjoint exists as a program of its own. Evaluating it with dual numbers, jets or a nested
/// tape is [`Error::ReverseOnly`], never a silent zero.
pub trait CustomVjp {
    /// The name used in errors.
    fn name(&self) -> &'static str;

    /// The values `y` at `x`.
    fn value(&self, x: &[f64], y: &mut [f64]) -> Result<(), Error>;

    /// The cotangents `x_bar` of the inputs for cotangents `y_bar` of the outputs; `y` are the values at `x`.
    fn vjp(&self, x: &[f64], y: &[f64], y_bar: &[f64], x_bar: &mut [f64]) -> Result<(), Error>;
}

/// Evaluates `f` with its own tangent rule, for any scalar.
///
/// # Example
/// ```
/// use pullback_ad::{CustomJvp, Dual, Error, Real, Scalar, custom_jvp};
///
/// /// ln(1 + eˣ) whose rule does not divide infinities.
/// struct Softplus;
/// impl CustomJvp for Softplus {
///     fn value<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
///         y[0] = x[0].exp().ln_1p();
///         Ok(())
///     }
///     fn jvp<S: Scalar>(&self, x: &[S], _: &[S], dx: &[S], dy: &mut [S]) -> Result<(), Error> {
///         dy[0] = x[0].sigmoid() * dx[0];
///         Ok(())
///     }
/// }
///
/// let x = [Dual::<f64, 1>::variable(0.0, 0)];
/// let mut y = x;
/// custom_jvp(&Softplus, &x, &mut y)?;
/// assert_eq!(y[0].eps[0], 0.5);
/// # Ok::<(), Error>(())
/// ```
pub fn custom_jvp<S: Scalar, F: CustomJvp>(f: &F, x: &[S], y: &mut [S]) -> Result<(), Error> {
    S::custom_jvp(f, x, y)
}

/// Evaluates `f` with its own cotangent rule: reverse mode of first order.
///
/// Errors: [`Error::ReverseOnly`] for every scalar with derivatives other than the tape over `f64`.
///
/// # Example
/// ```
/// use pullback_ad::{CustomVjp, Error, Tape, custom_vjp};
///
/// /// A square that some other program computes.
/// #[derive(Clone)]
/// struct Host;
/// impl CustomVjp for Host {
///     fn name(&self) -> &'static str {
///         "host square"
///     }
///     fn value(&self, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
///         y[0] = x[0] * x[0];
///         Ok(())
///     }
///     fn vjp(&self, x: &[f64], _: &[f64], y_bar: &[f64], x_bar: &mut [f64]) -> Result<(), Error> {
///         x_bar[0] = 2.0 * x[0] * y_bar[0];
///         Ok(())
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.variable(3.0);
/// let mut y = [x];
/// custom_vjp(&Host, &[x], &mut y)?;
/// assert_eq!(tape.gradient(y[0], &[x])?, [6.0]);
/// # Ok::<(), Error>(())
/// ```
pub fn custom_vjp<S: Scalar, F: CustomVjp + Clone + 'static>(
    f: &F,
    x: &[S],
    y: &mut [S],
) -> Result<(), Error> {
    S::custom_vjp(f, x, y)
}
