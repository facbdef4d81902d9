//! The two traits: [`Real`] for code that can be lifted to arrays, [`Scalar`] for code with branches.

use core::ops::{
    Add, AddAssign, BitAnd, BitOr, Div, DivAssign, Mul, MulAssign, Neg, Not, Sub, SubAssign,
};

use crate::custom::{CustomJvp, CustomVjp};
use crate::drivers::Function;
use crate::error::Error;
use crate::table::{BinaryRule, Family, UnaryRule, functions};

/// The result of a comparison: `bool`, or a handle to a recorded boolean node.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {}

impl<M: Copy + BitAnd<Output = M> + BitOr<Output = M> + Not<Output = M>> Mask for M {}

macro_rules! unary_methods {
    ($($(#[$attr:meta])* ($variant:ident, $method:ident, $doc:literal, $note:literal, $kind:ident,
        [$($domain:expr),*], [$($special:expr),*], |$x:ident, $y:ident| $d:expr);)*) => {
        $(
            #[doc = concat!($doc, "\n\nDifferentiability: ", $note)]
            #[inline(always)]
            fn $method(self) -> Self {
                self.unary::<functions::$variant>()
            }
        )*
    };
}

/// Arithmetic and elementary functions, without branches on values.
///
/// There is no `PartialOrd` and no way to an `f64`: what is written over `Real` can be recorded into an array program. Comparisons give a
/// [`Mask`], decisions are made by [`select`](Real::select). Code that branches on data is written over [`Scalar`].
///
/// An implementation supplies the operators and [`unary`](Real::unary), [`binary`](Real::binary), [`family`](Real::family); every function
/// of the table then exists as a method. Operators with an `f64` on the right work for every `Real`; for one on the left write
/// `R::constant(1.0) - x`, `x.recip()`, or use a concrete type.
///
/// # Example
/// ```
/// use pullback_ad::{Dual, Real};
///
/// /// A resonance line at `m`: generic, no branches.
/// fn line<R: Real>(m: R, m0: f64, width: f64) -> R {
///     (((m - m0) / width).square() * 4.0 + 1.0).recip()
/// }
///
/// let m = Dual::<f64, 1>::variable(92.0, 0);
/// let y = line(m, 91.0, 2.0);
/// assert_eq!(y.re, 0.5);
/// assert_eq!(y.eps[0], -0.5);
/// ```
pub trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// What a comparison gives.
    type Mask: Mask;

    /// A constant: no derivative flows through it.
    fn constant(value: f64) -> Self;

    /// Applies an entry of the table of elementary functions.
    fn unary<F: UnaryRule>(self) -> Self;

    /// Applies an entry of the table of functions of two arguments.
    fn binary<F: BinaryRule>(self, other: Self) -> Self;

    /// Applies a function with a constant parameter: an integer or real power, a polygamma function.
    fn family(self, family: Family) -> Self;

    /// `self < other`. Comparisons with NaN are false.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self ≤ other`.
    fn le(self, other: Self) -> Self::Mask;
    /// `self > other`.
    fn gt(self, other: Self) -> Self::Mask;
    /// `self ≥ other`.
    fn ge(self, other: Self) -> Self::Mask;
    /// `self = other`, of the primal values.
    fn eq(self, other: Self) -> Self::Mask;

    /// `a` where the mask holds, else `b`, with the derivative of the side taken; nothing of the other side passes, not even 0·inf.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// The value without its derivative: a constant to every order.
    fn stop_gradient(self) -> Self;

    /// The product of a partial derivative and a tangent, in which an exact zero wins over inf and NaN.
    ///
    /// An argument that does not vary contributes nothing, also where the function has an infinite slope (`sqrt` at 0) or no derivative
    /// (`pow` with a negative base, to its exponent); a partial that vanishes exactly lets nothing pass. Nested scalars apply the rule to
    /// each coefficient, so a tangent whose value vanishes keeps its own derivatives. The arithmetic operators follow IEEE 754 instead.
    #[inline(always)]
    fn times_tangent(self, tangent: Self) -> Self {
        self * tangent
    }

    /// `self · a + b`, rounded as the two operations (fusing them would make results depend on the processor).
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }

    /// `self` to a constant integer power by repeated squaring; `x.powi(0)` is 1, also for NaN.
    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        self.family(Family::Powi(exponent))
    }

    /// `self` to a constant real power. For a variable exponent see [`pow`](Real::pow).
    #[inline(always)]
    fn powf(self, exponent: f64) -> Self {
        self.family(Family::Powf(exponent))
    }

    /// The polygamma function ψ⁽ⁿ⁾, the (n + 1)-th derivative of ln Γ; its derivative is `polygamma(n + 1)`, so the chain never ends.
    #[inline(always)]
    fn polygamma(self, order: u32) -> Self {
        if order == 0 {
            self.digamma()
        } else {
            self.family(Family::Polygamma(order))
        }
    }

    /// ψ′(x), `polygamma(1)`.
    #[inline(always)]
    fn trigamma(self) -> Self {
        self.polygamma(1)
    }

    /// Sine and cosine, which are each other's derivative: scalars with tangents evaluate each once. The same bits as the two functions.
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }

    /// `self` to a variable power. Derivative: `b·a^(b−1)` (0 at a = b = 0) and `a^b·ln a` (0 where `a^b` is 0, NaN for a < 0).
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        self.binary::<functions::Pow>(exponent)
    }

    /// The angle of the point (x = `other`, y = `self`) in (−π, π]. Derivative: NaN at the origin.
    #[inline(always)]
    fn atan2(self, other: Self) -> Self {
        self.binary::<functions::Atan2>(other)
    }

    /// √(a² + b²) without overflow. Derivative: NaN at the origin, the tip of the cone.
    #[inline(always)]
    fn hypot(self, other: Self) -> Self {
        self.binary::<functions::Hypot>(other)
    }

    /// The smaller of two; NaN if either is. Derivative: of the argument returned; at a tie of the first.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.binary::<functions::Min>(other)
    }

    /// The larger of two; NaN if either is. Derivative: of the argument returned; at a tie of the first.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.binary::<functions::Max>(other)
    }

    /// a·ln b, with 0·ln b = 0 for every b that is not NaN. Derivative: `ln b` and `a/b` (0 where a = 0).
    #[inline(always)]
    fn xlogy(self, other: Self) -> Self {
        self.binary::<functions::Xlogy>(other)
    }

    /// ln(eᵃ + eᵇ) without overflow. Derivative: the two weights `sigmoid(±(a − b))`.
    #[inline(always)]
    fn logaddexp(self, other: Self) -> Self {
        self.binary::<functions::Logaddexp>(other)
    }

    /// |a| with the sign of b. Derivative: ±1 to a (by the signs, also at zeros), 0 to b.
    #[inline(always)]
    fn copysign(self, other: Self) -> Self {
        self.binary::<functions::Copysign>(other)
    }

    crate::elementary_functions!(unary_methods);
}

/// A [`Real`] with a value in hand: code with real branches and loops on data uses this.
///
/// Comparison operators compare primal values only; two scalars with equal values and different tangents are equal.
///
/// # Example
/// ```
/// use pullback_ad::{Dual, Real, Scalar};
///
/// /// Square root by Newton's method: a loop that ends on data.
/// fn newton_sqrt<S: Scalar>(a: S) -> S {
///     let mut x = a;
///     for _ in 0..60 {
///         let next = (x + a / x) * 0.5;
///         if (next - x).abs() <= x * 1e-15 {
///             return next;
///         }
///         x = next;
///     }
///     x
/// }
///
/// let y = newton_sqrt(Dual::<f64, 1>::variable(9.0, 0));
/// assert!((y.re - 3.0).abs() < 1e-15);
/// assert!((y.eps[0] - 1.0 / 6.0).abs() < 1e-15);
/// ```
pub trait Scalar: Real<Mask = bool> + PartialOrd {
    /// What the type is called in messages.
    const NAME: &'static str;

    /// Whether the type carries derivatives.
    const DIFFERENTIATED: bool;

    /// The primal value.
    fn value(self) -> f64;

    /// Evaluates a function with its own tangent rule; see [`custom_jvp`](crate::custom_jvp).
    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error>;

    /// Evaluates a function with its own cotangent rule; see [`custom_vjp`](crate::custom_vjp).
    fn custom_vjp<F: CustomVjp + Clone + 'static>(
        f: &F,
        x: &[Self],
        y: &mut [Self],
    ) -> Result<(), Error>;

    /// Evaluates a function without storing its intermediate values; see [`checkpoint`](crate::checkpoint).
    fn checkpoint<F: Function + Clone + 'static>(
        f: &F,
        x: &[Self],
        y: &mut [Self],
    ) -> Result<(), Error> {
        f.eval(x, y)
    }
}

/// The operators of a [`Real`] type between two values of it, from its [`Real::binary`] and [`Real::unary`].
///
/// The generics come first, in brackets: `impl_real_operators!(['t, T: Scalar] Var<'t, T>)`.
#[macro_export]
macro_rules! impl_real_operators {
    ([$($generics:tt)*] $type:ty) => {
        $crate::impl_real_operators!(@one [$($generics)*] $type, Add, add, AddAssign, add_assign);
        $crate::impl_real_operators!(@one [$($generics)*] $type, Sub, sub, SubAssign, sub_assign);
        $crate::impl_real_operators!(@one [$($generics)*] $type, Mul, mul, MulAssign, mul_assign);
        $crate::impl_real_operators!(@one [$($generics)*] $type, Div, div, DivAssign, div_assign);

        impl<$($generics)*> ::core::ops::Neg for $type {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $crate::Real::unary::<$crate::functions::Neg>(self)
            }
        }
    };
    (@one [$($generics:tt)*] $type:ty, $op:ident, $method:ident, $assign:ident, $assign_method:ident) => {
        impl<$($generics)*> ::core::ops::$op for $type {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                $crate::Real::binary::<$crate::functions::$op>(self, other)
            }
        }

        impl<$($generics)*> ::core::ops::$assign for $type {
            #[inline(always)]
            fn $assign_method(&mut self, other: Self) {
                *self = ::core::ops::$op::$method(*self, other);
            }
        }
    };
}

/// The operators of a [`Real`] type with an `f64` on either side, by way of [`Real::constant`].
#[macro_export]
macro_rules! impl_real_constant_operators {
    ([$($generics:tt)*] $type:ty) => {
        $crate::impl_real_constant_operators!(@one [$($generics)*] $type, Add, add);
        $crate::impl_real_constant_operators!(@one [$($generics)*] $type, Sub, sub);
        $crate::impl_real_constant_operators!(@one [$($generics)*] $type, Mul, mul);
        $crate::impl_real_constant_operators!(@one [$($generics)*] $type, Div, div);
    };
    (@one [$($generics:tt)*] $type:ty, $op:ident, $method:ident) => {
        impl<$($generics)*> ::core::ops::$op<f64> for $type {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                $crate::Real::binary::<$crate::functions::$op>(self, <Self as $crate::Real>::constant(other))
            }
        }

        impl<$($generics)*> ::core::ops::$op<$type> for f64 {
            type Output = $type;
            #[inline(always)]
            fn $method(self, other: $type) -> $type {
                $crate::Real::binary::<$crate::functions::$op>(<$type as $crate::Real>::constant(self), other)
            }
        }
    };
}
