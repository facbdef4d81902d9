//! Jets: truncated Taylor series in one variable.
#![allow(
    clippy::suspicious_arithmetic_impl,
    reason = "products of series mix the operators"
)]

use core::array;
use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::custom::{CustomJvp, CustomVjp};
use crate::error::Error;
use crate::polygamma::{LAST_FACTORIAL, polygamma, polygamma_over_factorial};
use crate::real::{Real, Scalar};
use crate::table::{Binary, BinaryRule, Family, Unary, UnaryRule};
use crate::values;

/// K coefficients of a Taylor series, Σₖ c\[k\] tᵏ for k < K: derivatives to order K − 1, c\[k\] = f⁽ᵏ⁾/k!.
///
/// An operation costs O(K²) by its recurrence, so high orders (20 and more) are cheap where nested dual numbers would cost 2ᴷ.
///
/// # Example
/// ```
/// use pullback_ad::{Jet, Real};
///
/// // 1/(1 − t) = 1 + t + t² + …
/// let t = Jet::<6>::variable(0.0);
/// assert_eq!((-t + 1.0).recip().c, [1.0; 6]);
/// // The 5th derivative of sin at 0 is cos(0) = 1.
/// assert!((t.sin().derivative(5) - 1.0).abs() < 1e-15);
/// ```
///
/// Reference: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. (2008), chapter 13, propositions 13.1 and table 13.2.
#[derive(Debug, Clone, Copy)]
pub struct Jet<const K: usize> {
    /// The coefficients, lowest order first.
    pub c: [f64; K],
}

/// The Taylor coefficients of a function of one variable at `x`.
///
/// # Example
/// ```
/// use pullback_ad::{Real, taylor};
/// let c = taylor::<4>(|t| t.exp(), 0.0);
/// assert_eq!(c, [1.0, 1.0, 0.5, 1.0 / 6.0]);
/// ```
pub fn taylor<const K: usize>(f: impl FnOnce(Jet<K>) -> Jet<K>, x: f64) -> [f64; K] {
    f(Jet::variable(x)).c
}

impl<const K: usize> Jet<K> {
    /// The independent variable `x + t`.
    pub fn variable(x: f64) -> Self {
        Self {
            c: array::from_fn(|k| match k {
                0 => x,
                1 => 1.0,
                _ => 0.0,
            }),
        }
    }

    /// The derivative of order `k`, k!·c\[k\]; NaN beyond the order carried.
    pub fn derivative(&self, k: usize) -> f64 {
        let factorial = (2..=k).fold(1.0, |f, i| f * i as f64);
        self.c.get(k).map_or(f64::NAN, |c| c * factorial)
    }

    fn head(&self) -> f64 {
        self.c.first().copied().unwrap_or(f64::NAN)
    }

    /// The series with another constant term (computed without the cancellation that the recurrence has).
    fn with_head(mut self, value: f64) -> Self {
        if let Some(c) = self.c.first_mut() {
            *c = value;
        }
        self
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self { c: self.c.map(f) }
    }

    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            c: array::from_fn(|k| f(self.c[k], other.c[k])),
        }
    }

    fn is_constant(&self) -> bool {
        self.c.iter().skip(1).all(|&c| c == 0.0)
    }

    fn product(&self, other: &Self, times: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            c: array::from_fn(|k| (0..=k).map(|j| times(self.c[j], other.c[k - j])).sum()),
        }
    }

    /// Σⱼ j·uⱼ·g₍ₖ₋ⱼ₎ over 1 ≤ j ≤ k: k times the coefficient of ∫ g du.
    fn moment(u: &Self, g: &Self, k: usize) -> f64 {
        (1..=k).map(|j| j as f64 * u.c[j] * g.c[k - j]).sum()
    }

    /// y with y′ = g·u′ and y(0) = `head`.
    fn integral(head: f64, g: &Self, u: &Self) -> Self {
        Self {
            c: array::from_fn(|k| {
                if k == 0 {
                    head
                } else {
                    Self::moment(u, g, k) / k as f64
                }
            }),
        }
    }

    /// y with v·y′ = u′ and y(0) = `head`.
    fn quotient_integral(head: f64, u: &Self, v: &Self) -> Self {
        let mut y = Self::constant(head);
        for k in 1..K {
            let known: f64 = (1..k).map(|j| j as f64 * y.c[j] * v.c[k - j]).sum();
            y.c[k] = (u.c[k] - known / k as f64) / v.c[0];
        }
        y
    }

    /// y with y′ = g·u′, where coefficient k of g follows from y up to k and g below k.
    fn feedback(head: f64, u: &Self, next: impl Fn(&Self, &Self, usize) -> f64) -> Self {
        let mut y = Self::constant(head);
        let mut g = Self::constant(0.0);
        for k in 0..K {
            if k > 0 {
                y.c[k] = Self::moment(u, &g, k) / k as f64;
            }
            g.c[k] = next(&y, &g, k);
        }
        y
    }

    /// Coefficient k of y².
    fn square_coefficient(y: &Self, k: usize) -> f64 {
        (0..=k).map(|j| y.c[j] * y.c[k - j]).sum()
    }

    /// A pair with s′ = c·u′ and c′ = sign·s·u′: sine and cosine (sign −1), their hyperbolic sisters (sign 1).
    fn pair(&self, s0: f64, c0: f64, sign: f64) -> (Self, Self) {
        let (mut s, mut c) = (Self::constant(s0), Self::constant(c0));
        for k in 1..K {
            s.c[k] = Self::moment(self, &c, k) / k as f64;
            c.c[k] = sign * Self::moment(self, &s, k) / k as f64;
        }
        (s, c)
    }

    fn root(self) -> Self {
        let mut y = Self::constant(self.head().sqrt());
        for k in 1..K {
            let known: f64 = (1..k).map(|j| y.c[j] * y.c[k - j]).sum();
            y.c[k] = (self.c[k] - known) / (2.0 * y.c[0]);
        }
        y
    }

    /// u^p from u·y′ = p·y·u′.
    fn power(&self, head: f64, p: f64) -> Self {
        let mut y = Self::constant(head);
        for k in 1..K {
            let sum: f64 = (1..=k)
                .map(|j| (p * j as f64 - (k - j) as f64) * self.c[j] * y.c[k - j])
                .sum();
            y.c[k] = sum / (k as f64 * self.c[0]);
        }
        y
    }

    fn integer_power(self, n: i32) -> Self {
        let mut rest = n.unsigned_abs();
        let (mut power, mut base) = (Self::constant(1.0), self);
        while rest > 0 {
            if rest & 1 == 1 {
                power *= base;
            }
            base *= base;
            rest >>= 1;
        }
        if n < 0 {
            Self::constant(1.0) / power
        } else {
            power
        }
    }

    fn real_power(self, p: f64) -> Self {
        let small = p.abs() <= 1e9 && p == p.floor();
        // The recurrence divides by u; an integer power has no singularity at 0.
        if small && self.head() == 0.0 {
            self.integer_power(p as i32)
        } else {
            self.power(values::pow(self.head(), p), p)
        }
    }

    fn logarithm(self) -> Self {
        Self::quotient_integral(values::ln(self.head()), &self, &self)
    }

    fn exponential(&self, head: f64) -> Self {
        Self::feedback(head, self, |y, _, k| y.c[k])
    }

    /// c·exp(r·u²), the derivative of the error functions.
    fn gaussian(&self, c: f64, r: f64) -> Self {
        let exponent = (*self * *self).map(|v| v * r);
        exponent
            .exponential(values::exp(exponent.head()))
            .map(|v| v * c)
    }

    /// Σₘ aₘ·(u − u₀)ᵐ by Horner's rule.
    fn compose(&self, a: impl Fn(u32) -> f64) -> Self {
        let h = self.with_head(0.0);
        let mut y = Self::constant(0.0);
        for m in (0..K as u32).rev() {
            y = y * h + a(m);
        }
        y
    }

    fn digamma_series(&self) -> Self {
        let x = self.head();
        self.compose(|m| {
            if m == 0 {
                values::digamma(x)
            } else {
                polygamma_over_factorial(m, x)
            }
        })
    }

    fn polygamma_series(&self, n: u32) -> Self {
        if n == 0 {
            return self.digamma_series();
        }
        let x = self.head();
        self.compose(|m| {
            let order = n.saturating_add(m);
            if order > LAST_FACTORIAL {
                let factorial = (2..=m).fold(1.0, |f, k| f * f64::from(k));
                return polygamma(order, x) / factorial;
            }
            // ψ⁽ⁿ⁺ᵐ⁾/m! = (n+m)!/m! times the scaled function.
            (m + 1..=order).fold(polygamma_over_factorial(order, x), |f, k| f * f64::from(k))
        })
    }

    /// The derivative with respect to t, of one order less (the top coefficient is 0).
    fn rate(&self) -> Self {
        Self {
            c: array::from_fn(|k| self.c.get(k + 1).map_or(0.0, |c| c * (k + 1) as f64)),
        }
    }
}

impl<const K: usize> Add for Jet<K> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl<const K: usize> Sub for Jet<K> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl<const K: usize> Mul for Jet<K> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.product(&other, |a, b| a * b)
    }
}

impl<const K: usize> Div for Jet<K> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let mut y = Self { c: [0.0; K] };
        for k in 0..K {
            let known: f64 = (0..k).map(|j| y.c[j] * other.c[k - j]).sum();
            y.c[k] = (self.c[k] - known) / other.c[0];
        }
        y
    }
}

impl<const K: usize> Neg for Jet<K> {
    type Output = Self;
    fn neg(self) -> Self {
        self.map(|c| -c)
    }
}

impl<const K: usize> Add<f64> for Jet<K> {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self.with_head(self.head() + other)
    }
}

impl<const K: usize> Sub<f64> for Jet<K> {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self.with_head(self.head() - other)
    }
}

impl<const K: usize> Mul<f64> for Jet<K> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.map(|c| c * other)
    }
}

impl<const K: usize> Div<f64> for Jet<K> {
    type Output = Self;
    fn div(self, other: f64) -> Self {
        self.map(|c| c / other)
    }
}

impl<const K: usize> AddAssign for Jet<K> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<const K: usize> SubAssign for Jet<K> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<const K: usize> MulAssign for Jet<K> {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl<const K: usize> DivAssign for Jet<K> {
    fn div_assign(&mut self, other: Self) {
        *self = *self / other;
    }
}

impl<const K: usize> Real for Jet<K> {
    type Mask = bool;

    fn constant(value: f64) -> Self {
        Self {
            c: array::from_fn(|k| if k == 0 { value } else { 0.0 }),
        }
    }

    fn unary<F: UnaryRule>(self) -> Self {
        let x = self.head();
        let y0 = F::value(x);
        let one_minus = |s: Self| -s + 1.0;
        let series = match F::OP {
            Unary::Neg => -self,
            // At the kink the derivative is 0 by convention, so the series stops there.
            Unary::Abs => self.map(|c| c * values::sign(x)),
            Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round => Self::constant(y0),
            Unary::Recip => Self::constant(1.0) / self,
            Unary::Square => self * self,
            Unary::Sqrt => self.root(),
            Unary::Cbrt => self.power(y0, 1.0 / 3.0),
            Unary::Exp => self.exponential(y0),
            Unary::Expm1 => self.exponential(values::exp(x)),
            Unary::Ln => self.logarithm(),
            Unary::Ln1p => Self::quotient_integral(y0, &self, &(self + 1.0)),
            Unary::Sin => self.pair(y0, values::cos(x), -1.0).0,
            Unary::Cos => self.pair(values::sin(x), y0, -1.0).1,
            Unary::Sinh => self.pair(y0, values::cosh(x), 1.0).0,
            Unary::Cosh => self.pair(values::sinh(x), y0, 1.0).1,
            Unary::Tan => Self::feedback(y0, &self, |y, _, k| {
                f64::from(k == 0) + Self::square_coefficient(y, k)
            }),
            Unary::Tanh => Self::feedback(y0, &self, |y, _, k| {
                f64::from(k == 0) - Self::square_coefficient(y, k)
            }),
            Unary::Asin => {
                Self::quotient_integral(y0, &self, &(one_minus(self) * (self + 1.0)).root())
            }
            Unary::Acos => {
                Self::quotient_integral(-y0, &self, &(one_minus(self) * (self + 1.0)).root())
                    .map(|c| -c)
            }
            Unary::Atan => Self::quotient_integral(y0, &self, &(self * self + 1.0)),
            Unary::Asinh => Self::quotient_integral(y0, &self, &(self * self + 1.0).root()),
            Unary::Acosh => {
                Self::quotient_integral(y0, &self, &((self - 1.0) * (self + 1.0)).root())
            }
            Unary::Atanh => Self::quotient_integral(y0, &self, &(one_minus(self) * (self + 1.0))),
            Unary::Sigmoid => {
                Self::feedback(y0, &self, |y, _, k| y.c[k] - Self::square_coefficient(y, k))
            }
            Unary::Softplus => Self::integral(y0, &self.sigmoid(), &self),
            Unary::Erf => Self::integral(
                y0,
                &self.gaussian(core::f64::consts::FRAC_2_SQRT_PI, -1.0),
                &self,
            ),
            Unary::Erfc => Self::integral(
                y0,
                &self.gaussian(-core::f64::consts::FRAC_2_SQRT_PI, -1.0),
                &self,
            ),
            Unary::NormCdf => Self::integral(y0, &self.gaussian(crate::INV_SQRT_TAU, -0.5), &self),
            Unary::NormQuantile => Self::feedback(y0, &self, |y, g, k| {
                // g = √(2π)·exp(y²/2), so g′ = (y²/2)′·g.
                if k == 0 {
                    return values::exp(0.5 * y.c[0] * y.c[0]) / crate::INV_SQRT_TAU;
                }
                (1..=k)
                    .map(|j| 0.5 * j as f64 * Self::square_coefficient(y, j) * g.c[k - j])
                    .sum::<f64>()
                    / k as f64
            }),
            Unary::Lgamma => Self::integral(y0, &self.digamma_series(), &self),
            Unary::Digamma => self.digamma_series(),
        };
        // The recurrences may form inf − inf where the value is well defined.
        series.with_head(y0)
    }

    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        let head = F::value(self.head(), other.head());
        let series = match F::OP {
            Binary::Add => self + other,
            Binary::Sub => self - other,
            Binary::Mul => self * other,
            Binary::Div => self / other,
            Binary::Pow if other.is_constant() => self.real_power(other.head()),
            Binary::Pow => (other * self.logarithm()).exponential(head),
            Binary::Atan2 => {
                // y′ = (b·a′ − a·b′)/(a² + b²)
                let slope =
                    (other * self.rate() - self * other.rate()) / (self * self + other * other);
                Self {
                    c: array::from_fn(|k| {
                        if k == 0 {
                            head
                        } else {
                            slope.c[k - 1] / k as f64
                        }
                    }),
                }
            }
            Binary::Hypot => {
                let size = self.head().abs().max(other.head().abs());
                let size = if size.is_normal() { size } else { 1.0 };
                let (a, b) = (self / size, other / size);
                ((a * a + b * b).root() * size).with_head(head)
            }
            Binary::Min if other.head() < self.head() || other.head().is_nan() => other,
            Binary::Max if other.head() > self.head() || other.head().is_nan() => other,
            Binary::Min | Binary::Max => self,
            Binary::Xlogy if self.head() == 0.0 && self.is_constant() => Self::constant(head),
            Binary::Xlogy => (self * other.logarithm()).with_head(head),
            Binary::Logaddexp => {
                let (top, low) = if self.head() >= other.head() {
                    (self, other)
                } else {
                    (other, self)
                };
                (top + (low - top).softplus()).with_head(head)
            }
            Binary::Copysign
                if self.head().is_sign_negative() == other.head().is_sign_negative() =>
            {
                self
            }
            Binary::Copysign => -self,
        };
        series.with_head(head)
    }

    fn family(self, family: Family) -> Self {
        let series = match family {
            Family::Powi(n) => self.integer_power(n),
            Family::Powf(p) => self.real_power(p),
            Family::Polygamma(n) => self.polygamma_series(n),
        };
        series.with_head(family.value(self.head()))
    }

    fn lt(self, other: Self) -> bool {
        self.head() < other.head()
    }

    fn le(self, other: Self) -> bool {
        self.head() <= other.head()
    }

    fn gt(self, other: Self) -> bool {
        self.head() > other.head()
    }

    fn ge(self, other: Self) -> bool {
        self.head() >= other.head()
    }

    fn eq(self, other: Self) -> bool {
        self.head() == other.head()
    }

    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }

    fn stop_gradient(self) -> Self {
        Self::constant(self.head())
    }

    fn times_tangent(self, tangent: Self) -> Self {
        self.product(&tangent, f64::times_tangent)
    }
}

impl<const K: usize> PartialEq for Jet<K> {
    fn eq(&self, other: &Self) -> bool {
        self.head() == other.head()
    }
}

impl<const K: usize> PartialOrd for Jet<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.head().partial_cmp(&other.head())
    }
}

impl<const K: usize> Scalar for Jet<K> {
    const NAME: &'static str = "Jet (Taylor series)";
    const DIFFERENTIATED: bool = true;

    fn value(self) -> f64 {
        self.head()
    }

    /// Picard iteration of y′ = jvp(x, y, x′): each pass fixes one more coefficient.
    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error> {
        let primal: Vec<f64> = x.iter().map(Jet::head).collect();
        let mut value = vec![0.0; y.len()];
        f.value(&primal, &mut value)?;
        let mut series: Vec<Self> = value.iter().map(|&v| Self::constant(v)).collect();
        let dx: Vec<Self> = x.iter().map(Jet::rate).collect();
        for _ in 1..K {
            f.jvp(x, &series, &dx, y)?;
            for (y, (series, &value)) in y.iter().zip(series.iter_mut().zip(&value)) {
                *series = Self {
                    c: array::from_fn(|k| if k == 0 { value } else { y.c[k - 1] / k as f64 }),
                };
            }
        }
        y.copy_from_slice(&series);
        Ok(())
    }

    fn custom_vjp<F: CustomVjp + Clone + 'static>(
        f: &F,
        _: &[Self],
        _: &mut [Self],
    ) -> Result<(), Error> {
        Err(Error::ReverseOnly {
            name: f.name(),
            scalar: Self::NAME,
        })
    }
}
