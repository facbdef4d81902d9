//! Functions of a whole vector, generic over the scalar.

use crate::error::Error;
use crate::real::Scalar;

/// A function ℝⁿ → ℝᵐ that can be evaluated with any scalar.
///
/// [`function!`](crate::function) writes the implementation from a body. For speed bind the inputs with one pattern
/// (`let &[a, b] = x else { … }`) instead of indexing, and put `#[inline(always)]` on a small [`eval`](Function::eval): the drivers run it
/// inside code compiled for the processor at hand.
///
/// # Example
/// ```
/// use pullback_ad::{Error, Function, Real, Scalar, jacobian};
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
/// let j = jacobian(&Polar, &[2.0, 0.0])?;
/// assert_eq!(j.as_slice(), [1.0, 0.0, 0.0, 2.0]);
/// # Ok::<(), Error>(())
/// ```
pub trait Function {
    /// Whether [`eval`](Function::eval) and what it calls are `#[inline(always)]`, so that Jacobians may keep tangents in vector registers:
    /// about twice as fast where it is true, several times slower where it is claimed and isn't. [`function!`](crate::function) sets it.
    const INLINED: bool = false;

    /// m, the number of outputs.
    fn outputs(&self) -> usize;

    /// Writes the m outputs at the n inputs `x` into `y`.
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error>;
}

impl<F: Function + ?Sized> Function for &F {
    const INLINED: bool = F::INLINED;

    fn outputs(&self) -> usize {
        (**self).outputs()
    }

    #[inline(always)]
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        (**self).eval(x, y)
    }
}

/// Evaluates `f` without storing its intermediate values: reverse mode computes them again when the cotangents arrive.
///
/// Time: one more evaluation of `f`; memory: the inputs instead of every operation.
///
/// # Example
/// ```
/// use pullback_ad::{Error, Function, Real, Scalar, checkpoint, function, grad};
///
/// function! {
///     /// One step of a long chain.
///     struct Step;
///     fn eval(x: [1]) -> [1] {
///         [x[0].sin() + x[0]]
///     }
/// }
///
/// struct Chain;
/// impl Function for Chain {
///     fn outputs(&self) -> usize {
///         1
///     }
///     fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
///         let mut state = [x[0]];
///         for _ in 0..3 {
///             let before = state;
///             checkpoint(&Step, &before, &mut state)?;
///         }
///         y[0] = state[0];
///         Ok(())
///     }
/// }
///
/// assert_eq!(grad(&Chain, &[0.0])?, [8.0]);
/// # Ok::<(), Error>(())
/// ```
pub fn checkpoint<S: Scalar, F: Function + Clone + 'static>(
    f: &F,
    x: &[S],
    y: &mut [S],
) -> Result<(), Error> {
    S::checkpoint(f, x, y)
}

/// The value without its derivative, for any scalar: what is not to be differentiated.
///
/// # Example
/// ```
/// use pullback_ad::{Dual, stop_gradient};
/// let x = Dual::<f64, 1>::variable(3.0, 0);
/// assert_eq!((x * stop_gradient(x)).eps[0], 3.0);
/// ```
pub fn stop_gradient<R: crate::Real>(x: R) -> R {
    x.stop_gradient()
}

/// Defines a type and its [`Function`](crate::Function) from a body, in place of a closure (closures can't be generic over the scalar).
///
/// The body sees the inputs as an array, the fields of the type (which are `Copy`) by name and the scalar type as `S`; it ends in an array of
/// the outputs.
///
/// # Example
/// ```
/// use pullback_ad::{Real, function, value_and_grad};
///
/// function! {
///     /// Rosenbrock's valley.
///     #[derive(Debug)]
///     pub struct Valley { steepness: f64 }
///     fn eval(x: [2]) -> [1] {
///         let [a, b] = x;
///         [(b - a * a).square() * steepness + (-a + 1.0).square()]
///     }
/// }
///
/// let (value, gradient) = value_and_grad(&Valley { steepness: 100.0 }, &[0.0, 1.0])?;
/// assert_eq!((value, gradient), (101.0, vec![-2.0, 200.0]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
#[macro_export]
macro_rules! function {
    (
        $(#[$attr:meta])* $vis:vis struct $name:ident;
        fn eval($x:ident: [$n:expr]) -> [$m:expr] $body:block
    ) => {
        $(#[$attr])*
        #[derive(Clone, Copy)]
        $vis struct $name;

        $crate::function!(@impl $name [] $x [$n] [$m] $body);
    };
    (
        $(#[$attr:meta])* $vis:vis struct $name:ident { $($(#[$field_attr:meta])* $field:ident: $type:ty),* $(,)? }
        fn eval($x:ident: [$n:expr]) -> [$m:expr] $body:block
    ) => {
        $(#[$attr])*
        #[derive(Clone, Copy)]
        $vis struct $name { $($(#[$field_attr])* $field: $type),* }

        $crate::function!(@impl $name [$($field),*] $x [$n] [$m] $body);
    };
    (@impl $name:ident [$($field:ident),*] $x:ident [$n:expr] [$m:expr] $body:block) => {
        impl $crate::Function for $name {
            const INLINED: bool = true;

            fn outputs(&self) -> usize {
                $m
            }

            #[inline(always)]
            fn eval<S: $crate::Scalar>(&self, x: &[S], y: &mut [S]) -> ::core::result::Result<(), $crate::Error> {
                let Ok($x) = <[S; $n]>::try_from(x) else {
                    return Err($crate::Error::Shape { what: "x", expected: $n, found: x.len() });
                };
                let Ok(y) = <&mut [S; $m]>::try_from(y) else {
                    return Err($crate::Error::Shape { what: "y", expected: $m, found: 0 });
                };
                let Self { $($field),* } = *self;
                *y = $body;
                Ok(())
            }
        }
    };
}
