//! The one table of elementary functions. A function is one entry here; its method on every scalar, its derivative, its array primitive, its
//! documentation and its tests follow from the entry.
//!
//! An entry of [`elementary_functions!`] is
//! `(Variant, method, "what it is", "where it is not differentiable and what comes back", Kind, [domain intervals], [special points], |x, y| f′)`
//! with `y = f(x)` and `f′` an expression over any `R: Real`; an entry of [`binary_functions!`] has a box of two intervals, special
//! points as pairs, and the two partial derivatives. Values come from the function `values::method`.

use crate::polygamma;
use crate::real::Real;
use crate::values;

/// How a function depends on its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Analytic on its domain.
    Smooth,
    /// Analytic except at isolated points, where a stated convention holds.
    Kinked,
    /// Piecewise constant: the derivative is exactly zero and the function belongs to the structure of a program (a decision).
    Structure,
}

/// Calls `callback!` with the table of functions of one argument.
#[macro_export]
macro_rules! elementary_functions {
    ($callback:ident) => {
        $callback! {
            (Neg, neg, "−x.", "everywhere.", Smooth, [(-10.0, 10.0)], [], |x, y| R::constant(-1.0));
            (Abs, abs, "|x|.", "0 at x = 0.", Kinked, [(-10.0, -0.1), (0.1, 10.0)], [0.0], |x, y| x.sign());
            (Sign, sign, "The sign of x: −1, 0 or 1; NaN for NaN.", "the derivative is 0, also at the jump (structure).", Structure,
                [(-10.0, -0.1), (0.1, 10.0)], [0.0], |x, y| R::constant(0.0));
            (Floor, floor, "The largest integer not above x.", "the derivative is 0, also at the jumps (structure).", Structure,
                [(0.1, 0.9), (-2.9, -2.1)], [-1.0, 0.0, 2.0], |x, y| R::constant(0.0));
            (Ceil, ceil, "The smallest integer not below x.", "the derivative is 0, also at the jumps (structure).", Structure,
                [(0.1, 0.9), (-2.9, -2.1)], [-1.0, 0.0, 2.0], |x, y| R::constant(0.0));
            (Round, round, "The nearest integer, halves to the even one (IEEE 754).", "the derivative is 0, also at the jumps (structure).",
                Structure, [(-0.4, 0.4), (2.6, 3.4)], [-0.5, 0.5, 1.5], |x, y| R::constant(0.0));
            (Recip, recip, "1/x.", "−inf at x = ±0.", Smooth, [(-10.0, -0.1), (0.1, 10.0)], [0.0], |x, y| -(y * y));
            (Square, square, "x².", "everywhere.", Smooth, [(-10.0, 10.0)], [0.0], |x, y| x * 2.0);
            (Sqrt, sqrt, "√x; NaN for x < 0.", "inf at x = 0.", Smooth, [(0.05, 20.0)], [0.0, -1.0], |x, y| R::constant(0.5) / y);
            (Cbrt, cbrt, "∛x, odd in x.", "inf at x = 0.", Smooth, [(-20.0, -0.05), (0.05, 20.0)], [0.0], |x, y| (y * y * 3.0).recip());
            (Exp, exp, "eˣ.", "everywhere.", Smooth, [(-20.0, 20.0)], [0.0, 709.0, 710.0, -745.0, -746.0], |x, y| y);
            (Expm1, expm1, "eˣ − 1 without cancellation.", "everywhere.", Smooth, [(-20.0, 20.0)], [0.0, 1e-20, -40.0, 710.0], |x, y| x.exp());
            (Ln, ln, "The natural logarithm; −inf at 0, NaN for x < 0.", "inf at x = 0.", Smooth, [(0.01, 100.0)], [0.0, 1.0, -1.0],
                |x, y| x.recip());
            (Ln1p, ln_1p, "ln(1 + x) without cancellation; −inf at −1.", "inf at x = −1.", Smooth, [(-0.95, 100.0)], [0.0, -1.0, -2.0, 1e-20],
                |x, y| (x + 1.0).recip());
            (Sin, sin, "The sine.", "everywhere.", Smooth, [(-10.0, 10.0)], [0.0, 1e22], |x, y| x.cos());
            (Cos, cos, "The cosine.", "everywhere.", Smooth, [(-10.0, 10.0)], [0.0, 1e22], |x, y| -x.sin());
            (Tan, tan, "The tangent.", "poles at odd multiples of π/2.", Smooth, [(-1.5, 1.5), (1.7, 4.5)], [0.0, 1e22],
                |x, y| y * y + 1.0);
            (Asin, asin, "The inverse sine; NaN for |x| > 1.", "inf at x = ±1.", Smooth, [(-0.99, 0.99)], [-1.0, 0.0, 1.0, 2.0],
                |x, y| ((-x + 1.0) * (x + 1.0)).sqrt().recip());
            (Acos, acos, "The inverse cosine; NaN for |x| > 1.", "−inf at x = ±1.", Smooth, [(-0.99, 0.99)], [-1.0, 0.0, 1.0, 2.0],
                |x, y| -((-x + 1.0) * (x + 1.0)).sqrt().recip());
            (Atan, atan, "The inverse tangent.", "everywhere.", Smooth, [(-20.0, 20.0)], [0.0, 1e300], |x, y| (x * x + 1.0).recip());
            (Sinh, sinh, "The hyperbolic sine.", "everywhere.", Smooth, [(-10.0, 10.0)], [0.0, 711.0], |x, y| x.cosh());
            (Cosh, cosh, "The hyperbolic cosine.", "everywhere.", Smooth, [(-10.0, 10.0)], [0.0, 711.0], |x, y| x.sinh());
            (Tanh, tanh, "The hyperbolic tangent.",
                "everywhere, to an absolute 2e-16: 1 − y² loses relative precision in the saturated tails and is 0 for |x| > 19.", Smooth,
                [(-4.0, 4.0)], [0.0, 20.0, -20.0, 800.0], |x, y| -(y * y) + 1.0);
            (Asinh, asinh, "The inverse hyperbolic sine.", "everywhere.", Smooth, [(-20.0, 20.0)], [0.0, 1e200], |x, y| (x * x + 1.0).sqrt().recip());
            (Acosh, acosh, "The inverse hyperbolic cosine; NaN for x < 1.", "inf at x = 1.", Smooth, [(1.05, 20.0)], [1.0, 0.0],
                |x, y| ((x - 1.0) * (x + 1.0)).sqrt().recip());
            (Atanh, atanh, "The inverse hyperbolic tangent; ±inf at ±1, NaN outside.", "inf at x = ±1.", Smooth, [(-0.95, 0.95)],
                [-1.0, 0.0, 1.0, 2.0], |x, y| ((-x + 1.0) * (x + 1.0)).recip());
            (Sigmoid, sigmoid, "The logistic function 1/(1 + e⁻ˣ).",
                "everywhere, to an absolute 1e-16: y(1 − y) loses relative precision for large positive x and is 0 for x > 37.", Smooth,
                [(-20.0, 5.0)], [0.0, 40.0, -40.0, 800.0, -800.0], |x, y| y * (-y + 1.0));
            (Softplus, softplus, "ln(1 + eˣ) without overflow.", "everywhere.", Smooth, [(-20.0, 20.0)], [0.0, 40.0, -40.0, 800.0, -800.0],
                |x, y| x.sigmoid());
            (Erf, erf, "The error function 2/√π ∫₀ˣ e^(−t²) dt.", "everywhere.", Smooth, [(-4.0, 4.0)], [0.0, 6.0, -6.0, 30.0],
                |x, y| (-(x * x)).exp() * core::f64::consts::FRAC_2_SQRT_PI);
            (Erfc, erfc, "1 − erf(x) without cancellation.", "everywhere.", Smooth, [(-4.0, 6.0)], [0.0, 6.0, -6.0, 30.0],
                |x, y| (-(x * x)).exp() * -core::f64::consts::FRAC_2_SQRT_PI);
            (NormCdf, norm_cdf, "Φ(x), the cumulative standard normal distribution.", "everywhere.", Smooth, [(-6.0, 6.0)],
                [0.0, 9.0, -9.0, -39.0], |x, y| (x * x * -0.5).exp() * $crate::INV_SQRT_TAU);
            (NormQuantile, norm_quantile, "Φ⁻¹(p), the quantile of the standard normal distribution; ∓inf at 0 and 1, NaN outside.",
                "inf at p = 0 and 1.", Smooth, [(0.001, 0.999)], [0.0, 0.5, 1.0, -0.1, 1.1, 1e-300],
                |x, y| (y * y * 0.5).exp() / $crate::INV_SQRT_TAU);
            (Lgamma, lgamma, "ln |Γ(x)|; inf at 0, −1, −2 and so on.", "poles at 0, −1, −2 and so on.", Smooth, [(0.05, 30.0), (-2.9, -2.1)],
                [0.0, 1.0, 2.0, -1.0, 1e300], |x, y| x.digamma());
            (Digamma, digamma, "ψ(x) = d ln Γ(x)/dx; ∓inf at ±0, NaN at −1, −2 and so on.", "poles at 0, −1, −2 and so on; the derivative is `polygamma(1)`.", Smooth,
                [(0.05, 30.0), (-2.9, -2.1)], [0.0, 1.0, -1.0, 1e300], |x, y| x.polygamma(1));
        }
    };
}

/// Calls `callback!` with the table of functions of two arguments.
#[macro_export]
macro_rules! binary_functions {
    ($callback:ident) => {
        $callback! {
            (Add, add, "a + b.", "everywhere.", Smooth, [((-10.0, 10.0), (-10.0, 10.0))], [],
                |a, b, y| (R::constant(1.0), R::constant(1.0)));
            (Sub, sub, "a − b.", "everywhere.", Smooth, [((-10.0, 10.0), (-10.0, 10.0))], [],
                |a, b, y| (R::constant(1.0), R::constant(-1.0)));
            (Mul, mul, "a·b.", "everywhere.", Smooth, [((-10.0, 10.0), (-10.0, 10.0))], [(0.0, 0.0)], |a, b, y| (b, a));
            (Div, div, "a/b.", "±inf or NaN at b = 0.", Smooth, [((-10.0, 10.0), (0.1, 10.0)), ((-10.0, 10.0), (-10.0, -0.1))],
                [(0.0, 0.0), (1.0, 0.0)], |a, b, y| {
                    let r = b.recip();
                    (r, -(y * r))
                });
            (Pow, pow, "a to the power b.",
                "to a: 0 at a = b = 0; to b: 0 where a = 0 < b, NaN for a < 0, where powers exist only for integers.", Smooth,
                [((0.05, 10.0), (-3.0, 3.0))], [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, -1.0), (-2.0, 3.0), (-2.0, 0.5), (1.0, 1e300)],
                |a, b, y| {
                    let zero = R::constant(0.0);
                    (R::select(a.eq(zero) & b.eq(zero), zero, b * a.pow(b - 1.0)), y.xlogy(a))
                });
            (Atan2, atan2, "The angle of the point (x = b, y = a).", "NaN at the origin; a jump of 2π where b < 0 and a changes sign.", Smooth,
                [((-5.0, 5.0), (0.1, 5.0)), ((0.1, 5.0), (-5.0, 5.0))], [(0.0, 0.0), (0.0, -1.0), (1.0, 0.0)],
                |a, b, y| {
                    let r2 = a * a + b * b;
                    (b / r2, -(a / r2))
                });
            (Hypot, hypot, "√(a² + b²) without overflow.", "NaN at the origin.", Smooth, [((-5.0, 5.0), (0.1, 5.0))],
                [(0.0, 0.0), (1e200, 1e200), (1e-200, 1e-200)], |a, b, y| (a / y, b / y));
            (Min, min, "The smaller of two; NaN if either is.", "at a tie the derivative belongs to the first argument.", Kinked,
                [((-5.0, -0.1), (0.1, 5.0)), ((0.1, 5.0), (-5.0, -0.1))], [(0.0, 0.0), (1.0, 1.0)],
                |a, b, y| {
                    let second = b.lt(a);
                    let (zero, one) = (R::constant(0.0), R::constant(1.0));
                    (R::select(second, zero, one), R::select(second, one, zero))
                });
            (Max, max, "The larger of two; NaN if either is.", "at a tie the derivative belongs to the first argument.", Kinked,
                [((-5.0, -0.1), (0.1, 5.0)), ((0.1, 5.0), (-5.0, -0.1))], [(0.0, 0.0), (1.0, 1.0)],
                |a, b, y| {
                    let second = b.gt(a);
                    let (zero, one) = (R::constant(0.0), R::constant(1.0));
                    (R::select(second, zero, one), R::select(second, one, zero))
                });
            (Xlogy, xlogy, "a·ln b, with 0·ln b = 0 for every b that is not NaN.", "to b: 0 where a = 0.", Smooth,
                [((-10.0, 10.0), (0.05, 20.0))], [(0.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, f64::INFINITY)],
                |a, b, y| {
                    let none = a.eq(R::constant(0.0)) & b.eq(R::constant(0.0));
                    (b.ln(), a / R::select(none, R::constant(1.0), b))
                });
            (Logaddexp, logaddexp, "ln(eᵃ + eᵇ) without overflow.", "NaN where both are the same infinity.", Smooth,
                [((-10.0, 10.0), (-10.0, 10.0))], [(0.0, 0.0), (800.0, -800.0), (f64::NEG_INFINITY, 0.0), (f64::NEG_INFINITY, f64::NEG_INFINITY)],
                |a, b, y| ((a - b).sigmoid(), (b - a).sigmoid()));
            (Copysign, copysign, "|a| with the sign of b (of −0 too).", "±1 to a by the signs, also at a = 0; to b it is 0 (structure).", Kinked,
                [((0.1, 5.0), (0.1, 5.0)), ((0.1, 5.0), (-5.0, -0.1)), ((-5.0, -0.1), (0.1, 5.0))], [(0.0, 0.0), (0.0, -0.0), (1.0, 0.0)],
                |a, b, y| (R::constant(1.0).copysign(a) * R::constant(1.0).copysign(b), R::constant(0.0)));
        }
    };
}

/// An entry of the table of functions of one argument, as a type: implemented by the markers in [`functions`].
pub trait UnaryRule: 'static {
    /// The entry.
    const OP: Unary;
    /// f(x).
    fn value(x: f64) -> f64;
    /// f in a form that a loop compiled for an instruction set vectorises; within the documented bound of `value`.
    type Lane: crate::math::slice::Map1;
    /// f′(x), where `y` is f(x).
    fn derivative<R: Real>(x: R, y: R) -> R;
}

/// An entry of the table of functions of two arguments, as a type: implemented by the markers in [`functions`].
pub trait BinaryRule: 'static {
    /// The entry.
    const OP: Binary;
    /// f(a, b).
    fn value(a: f64, b: f64) -> f64;
    /// f in a form that a loop compiled for an instruction set vectorises; within the documented bound of `value`.
    type Lane: crate::math::slice::Map2;
    /// (∂f/∂a, ∂f/∂b), where `y` is f(a, b).
    fn partials<R: Real>(a: R, b: R, y: R) -> (R, R);
}

macro_rules! unary_enum {
    ($(($variant:ident, $method:ident, $doc:literal, $note:literal, $kind:ident,
        [$($domain:expr),*], [$($special:expr),*], |$x:ident, $y:ident| $d:expr);)*) => {
        /// The elementary functions of one argument.
        ///
        /// # Example
        /// ```
        /// use pullback_ad::Unary;
        /// assert_eq!(Unary::Sqrt.value(9.0), 3.0);
        /// assert_eq!(Unary::Sqrt.derivative(9.0, 3.0), 0.5 / 3.0);
        /// assert_eq!(Unary::ALL.len(), Unary::ALL.iter().map(|f| f.name()).collect::<std::collections::HashSet<_>>().len());
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Unary {
            $(#[doc = concat!($doc, "\n\nDifferentiability: ", $note)] $variant,)*
        }

        impl Unary {
            /// Every entry.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name of the function, which is the name of the method.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($method),)* }
            }

            /// One line that says what it is.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// Where it is not differentiable and what comes back there.
            pub const fn differentiability(self) -> &'static str {
                match self { $(Self::$variant => $note,)* }
            }

            /// How it depends on its argument.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Intervals in which it is smooth: tests draw their points there.
            pub const fn domain(self) -> &'static [(f64, f64)] {
                match self { $(Self::$variant => &[$($domain),*],)* }
            }

            /// Points of its own that deserve a test (0, ±inf and NaN are tested for every function).
            pub const fn special_points(self) -> &'static [f64] {
                match self { $(Self::$variant => &[$($special),*],)* }
            }

            /// f(x).
            #[inline]
            pub fn value(self, x: f64) -> f64 {
                match self { $(Self::$variant => values::$method(x),)* }
            }

            /// f(x) for any [`Real`].
            #[inline]
            pub fn apply<R: Real>(self, x: R) -> R {
                match self { $(Self::$variant => x.unary::<functions::$variant>(),)* }
            }

            /// f′(x), where `y` is f(x).
            #[inline]
            pub fn derivative<R: Real>(self, x: R, y: R) -> R {
                match self { $(Self::$variant => functions::$variant::derivative(x, y),)* }
            }
        }

        mod unary_functions {
            #![allow(unused_variables, reason = "most rules use one of x and y")]
            use super::{Real, Unary, UnaryRule, values};
            $(
                #[doc = $doc]
                #[derive(Debug, Clone, Copy)]
                pub struct $variant;

                impl UnaryRule for $variant {
                    const OP: Unary = Unary::$variant;
                    type Lane = crate::lanes::$method;

                    #[inline(always)]
                    fn value(x: f64) -> f64 {
                        values::$method(x)
                    }

                    #[inline(always)]
                    fn derivative<R: Real>($x: R, $y: R) -> R {
                        $d
                    }
                }
            )*
        }
    };
}

macro_rules! binary_enum {
    ($(($variant:ident, $method:ident, $doc:literal, $note:literal, $kind:ident,
        [$($domain:expr),*], [$($special:expr),*], |$a:ident, $b:ident, $y:ident| $d:expr);)*) => {
        /// The functions of two arguments.
        ///
        /// # Example
        /// ```
        /// use pullback_ad::Binary;
        /// assert_eq!(Binary::Hypot.value(3.0, 4.0), 5.0);
        /// assert_eq!(Binary::Hypot.partials(3.0, 4.0, 5.0), (0.6, 0.8));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Binary {
            $(#[doc = concat!($doc, "\n\nDifferentiability: ", $note)] $variant,)*
        }

        impl Binary {
            /// Every entry.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name of the function, which is the name of the method.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($method),)* }
            }

            /// One line that says what it is.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// Where it is not differentiable and what comes back there.
            pub const fn differentiability(self) -> &'static str {
                match self { $(Self::$variant => $note,)* }
            }

            /// How it depends on its arguments.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Boxes (interval of a, interval of b) in which it is smooth: tests draw their points there.
            pub const fn domain(self) -> &'static [((f64, f64), (f64, f64))] {
                match self { $(Self::$variant => &[$($domain),*],)* }
            }

            /// Points of its own that deserve a test (0, ±inf and NaN are tested for every function).
            pub const fn special_points(self) -> &'static [(f64, f64)] {
                match self { $(Self::$variant => &[$($special),*],)* }
            }

            /// f(a, b).
            #[inline]
            pub fn value(self, a: f64, b: f64) -> f64 {
                match self { $(Self::$variant => values::$method(a, b),)* }
            }

            /// f(a, b) for any [`Real`].
            #[inline]
            pub fn apply<R: Real>(self, a: R, b: R) -> R {
                match self { $(Self::$variant => a.binary::<functions::$variant>(b),)* }
            }

            /// (∂f/∂a, ∂f/∂b), where `y` is f(a, b).
            #[inline]
            pub fn partials<R: Real>(self, a: R, b: R, y: R) -> (R, R) {
                match self { $(Self::$variant => functions::$variant::partials(a, b, y),)* }
            }
        }

        mod binary_functions {
            #![allow(unused_variables, reason = "few rules use all of a, b and y")]
            use super::{Binary, BinaryRule, Real, values};
            $(
                #[doc = $doc]
                #[derive(Debug, Clone, Copy)]
                pub struct $variant;

                impl BinaryRule for $variant {
                    const OP: Binary = Binary::$variant;
                    type Lane = crate::lanes::$method;

                    #[inline(always)]
                    fn value(a: f64, b: f64) -> f64 {
                        values::$method(a, b)
                    }

                    #[inline(always)]
                    fn partials<R: Real>($a: R, $b: R, $y: R) -> (R, R) {
                        $d
                    }
                }
            )*
        }
    };
}

elementary_functions!(unary_enum);
binary_functions!(binary_enum);

/// The entries of the tables as types, for static dispatch: `x.unary::<functions::Sin>()` is `x.sin()`.
pub mod functions {
    pub use super::binary_functions::*;
    pub use super::unary_functions::*;
}

/// Functions of one argument with a constant parameter.
///
/// # Example
/// ```
/// use pullback_ad::Family;
/// assert_eq!(Family::Powi(3).value(2.0), 8.0);
/// assert_eq!(Family::Powi(3).derivative(2.0), 12.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Family {
    /// xⁿ for an integer n; x⁰ is 1, also for NaN.
    Powi(i32),
    /// xᶜ for a real c: NaN for x < 0 unless c is an integer. The derivative is c·x^(c−1), and 0 for c = 0.
    Powf(f64),
    /// ψ⁽ⁿ⁾(x): the digamma function and its derivatives; the derivative is ψ⁽ⁿ⁺¹⁾.
    Polygamma(u32),
}

impl Family {
    /// The name of the function, which is the name of the method.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Powi(_) => "powi",
            Self::Powf(_) => "powf",
            Self::Polygamma(_) => "polygamma",
        }
    }

    /// f(x).
    #[inline(always)]
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Powi(n) => values::powi(x, n),
            Self::Powf(c) => values::pow(x, c),
            Self::Polygamma(n) => polygamma::polygamma(n, x),
        }
    }

    /// f(x) for any [`Real`].
    #[inline(always)]
    pub fn apply<R: Real>(self, x: R) -> R {
        x.family(self)
    }

    /// f′(x).
    #[inline(always)]
    pub fn derivative<R: Real>(self, x: R) -> R {
        match self {
            Self::Powi(0) | Self::Powf(0.0) => R::constant(0.0),
            Self::Powi(1) => R::constant(1.0),
            Self::Powi(2) => x * 2.0,
            // For the most negative exponent n − 1 does not exist; the real power does.
            Self::Powi(n) => match n.checked_sub(1) {
                Some(m) => x.powi(m) * f64::from(n),
                None => x.powf(f64::from(n) - 1.0) * f64::from(n),
            },
            Self::Powf(c) => x.powf(c - 1.0) * c,
            // Above u32 there is no further order: ψ⁽ⁿ⁾ overflows long before that for every argument below 1e9.
            Self::Polygamma(n) => x.polygamma(n.saturating_add(1)),
        }
    }
}
