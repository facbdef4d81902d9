//! Dual numbers: a value and N tangents at once.
#![allow(
    clippy::suspicious_arithmetic_impl,
    reason = "the product and quotient rules mix the operators"
)]

use core::array;
use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::custom::{CustomJvp, CustomVjp};
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::table::{Binary, BinaryRule, Family, UnaryRule};

/// A value with N tangents, `re + Σᵢ epsᵢ·εᵢ` with εᵢεⱼ = 0.
///
/// Forward mode without allocation. Nest it for higher orders: `Dual<Dual<f64, N>, M>`. N = 8 fills a register; lanes that are not
/// needed stay zero and cost nothing there. Comparisons see the value only.
///
/// # Example
/// ```
/// use pullback_ad::{Dual, Real};
///
/// let x = Dual::<f64, 2>::variable(3.0, 0);
/// let y = Dual::<f64, 2>::variable(4.0, 1);
/// let r = x.hypot(y);
/// assert_eq!((r.re, r.eps), (5.0, [0.6, 0.8]));
///
/// // Second derivative: d²(x³)/dx² = 6x.
/// let inner = Dual::<f64, 1>::variable(2.0, 0);
/// let x = Dual::<Dual<f64, 1>, 1> { re: inner, eps: [Dual::constant(1.0)] };
/// assert_eq!((x * x * x).eps[0].eps[0], 12.0);
/// ```
///
/// Reference: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. (2008), section 3.1.
#[derive(Debug, Clone, Copy)]
pub struct Dual<T, const N: usize> {
    /// The value.
    pub re: T,
    /// The tangents.
    pub eps: [T; N],
}

impl<T: Real, const N: usize> Dual<T, N> {
    /// The independent variable of lane `lane`: its tangent is 1 there and 0 elsewhere (everywhere, if there is no such lane).
    #[inline(always)]
    pub fn variable(re: T, lane: usize) -> Self {
        Self {
            re,
            eps: array::from_fn(|i| T::constant(if i == lane { 1.0 } else { 0.0 })),
        }
    }

    /// A value that does not vary.
    #[inline(always)]
    pub fn lift(re: T) -> Self {
        Self {
            re,
            eps: [T::constant(0.0); N],
        }
    }

    /// Puts the tangents into memory once.
    ///
    /// The vectoriser of LLVM starts from neighbouring stores and looks at most 12 operations up; a long expression without a store in between
    /// falls apart into shuffles. Measured on the orbit of `benches` (57 operations, 8 lanes): AVX2 111 → 77 ns, AVX-512 88 → 85 ns. It stays a
    /// matter of luck, which is why `function!` definitions are differentiated in registers instead.
    #[inline(always)]
    fn anchored(mut self) -> Self {
        if N >= 4 {
            core::hint::black_box(&mut self.eps);
        }
        self
    }

    /// Each tangent through `f`.
    #[inline(always)]
    fn with(self, re: T, f: impl Fn(T) -> T) -> Self {
        Self {
            re,
            eps: array::from_fn(|i| f(self.eps[i])),
        }
    }

    /// The tangents of two through `f`.
    #[inline(always)]
    fn zip(self, other: Self, re: T, f: impl Fn(T, T) -> T) -> Self {
        Self {
            re,
            eps: array::from_fn(|i| f(self.eps[i], other.eps[i])),
        }
    }
}

impl<T: Real, const N: usize> From<f64> for Dual<T, N> {
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}

impl<T: Real, const N: usize> Add for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, self.re + other.re, |a, b| a + b)
    }
}

impl<T: Real, const N: usize> Sub for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, self.re - other.re, |a, b| a - b)
    }
}

impl<T: Real, const N: usize> Mul for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, self.re * other.re, |a, b| a * other.re + self.re * b)
    }
}

impl<T: Real, const N: usize> Div for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // d(a/b) = (da − (a/b) db)/b with one division for all lanes.
        let inverse = other.re.recip();
        let y = self.re / other.re;
        self.zip(other, y, |a, b| (a - y * b) * inverse)
    }
}

impl<T: Real, const N: usize> Neg for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.with(-self.re, |a| -a)
    }
}

impl<T: Real, const N: usize> Add<f64> for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        Self {
            re: self.re + other,
            eps: self.eps,
        }
    }
}

impl<T: Real, const N: usize> Sub<f64> for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        Self {
            re: self.re - other,
            eps: self.eps,
        }
    }
}

impl<T: Real, const N: usize> Mul<f64> for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        self.with(self.re * other, |a| a * other)
    }
}

impl<T: Real, const N: usize> Div<f64> for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: f64) -> Self {
        let inverse = 1.0 / other;
        self.with(self.re / other, |a| a * inverse)
    }
}

impl<T: Real, const N: usize> Add<Dual<T, N>> for f64 {
    type Output = Dual<T, N>;
    #[inline(always)]
    fn add(self, other: Dual<T, N>) -> Dual<T, N> {
        other + self
    }
}

impl<T: Real, const N: usize> Sub<Dual<T, N>> for f64 {
    type Output = Dual<T, N>;
    #[inline(always)]
    fn sub(self, other: Dual<T, N>) -> Dual<T, N> {
        other.with(T::constant(self) - other.re, |b| -b)
    }
}

impl<T: Real, const N: usize> Mul<Dual<T, N>> for f64 {
    type Output = Dual<T, N>;
    #[inline(always)]
    fn mul(self, other: Dual<T, N>) -> Dual<T, N> {
        other * self
    }
}

impl<T: Real, const N: usize> Div<Dual<T, N>> for f64 {
    type Output = Dual<T, N>;
    #[inline(always)]
    fn div(self, other: Dual<T, N>) -> Dual<T, N> {
        let inverse = other.re.recip();
        let y = T::constant(self) / other.re;
        let slope = -(y * inverse);
        other.with(y, |b| slope * b)
    }
}

impl<T: Real, const N: usize> AddAssign for Dual<T, N> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<T: Real, const N: usize> SubAssign for Dual<T, N> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<T: Real, const N: usize> MulAssign for Dual<T, N> {
    #[inline(always)]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl<T: Real, const N: usize> DivAssign for Dual<T, N> {
    #[inline(always)]
    fn div_assign(&mut self, other: Self) {
        *self = *self / other;
    }
}

impl<T: Real, const N: usize> Real for Dual<T, N> {
    type Mask = T::Mask;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Self::lift(T::constant(value))
    }

    #[inline(always)]
    fn unary<F: UnaryRule>(self) -> Self {
        let y = self.re.unary::<F>();
        let slope = F::derivative(self.re, y);
        self.with(y, |a| slope.times_tangent(a)).anchored()
    }

    #[inline(always)]
    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        match F::OP {
            Binary::Add => self + other,
            Binary::Sub => self - other,
            Binary::Mul => self * other,
            Binary::Div => self / other,
            _ => {
                let y = self.re.binary::<F>(other.re);
                let (da, db) = F::partials(self.re, other.re, y);
                self.zip(other, y, |a, b| da.times_tangent(a) + db.times_tangent(b))
            }
        }
    }

    #[inline(always)]
    fn family(self, family: Family) -> Self {
        let slope = family.derivative(self.re);
        self.with(self.re.family(family), |a| slope.times_tangent(a))
            .anchored()
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = Real::sin_cos(self.re);
        let slope = -sin;
        (
            self.with(sin, |a| cos.times_tangent(a)).anchored(),
            self.with(cos, |a| slope.times_tangent(a)).anchored(),
        )
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        self.re.lt(other.re)
    }

    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        self.re.le(other.re)
    }

    #[inline(always)]
    fn gt(self, other: Self) -> Self::Mask {
        self.re.gt(other.re)
    }

    #[inline(always)]
    fn ge(self, other: Self) -> Self::Mask {
        self.re.ge(other.re)
    }

    #[inline(always)]
    fn eq(self, other: Self) -> Self::Mask {
        self.re.eq(other.re)
    }

    #[inline(always)]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        a.zip(b, T::select(mask, a.re, b.re), |a, b| T::select(mask, a, b))
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        Self::lift(self.re.stop_gradient())
    }

    #[inline(always)]
    fn times_tangent(self, tangent: Self) -> Self {
        self.zip(tangent, self.re.times_tangent(tangent.re), |a, b| {
            a.times_tangent(tangent.re) + self.re.times_tangent(b)
        })
    }
}

impl<T: Scalar, const N: usize> PartialEq for Dual<T, N> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.re == other.re
    }
}

impl<T: Scalar, const N: usize> PartialOrd for Dual<T, N> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.re.partial_cmp(&other.re)
    }
}

impl<T: Scalar, const N: usize> Scalar for Dual<T, N> {
    const NAME: &'static str = "Dual (forward mode)";
    const DIFFERENTIATED: bool = true;

    #[inline(always)]
    fn value(self) -> f64 {
        self.re.value()
    }

    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error> {
        let primal: Vec<T> = x.iter().map(|x| x.re).collect();
        let mut value = vec![T::constant(0.0); y.len()];
        T::custom_jvp(f, &primal, &mut value)?;
        for (y, &value) in y.iter_mut().zip(&value) {
            *y = Self::lift(value);
        }
        let mut dy = value.clone();
        for lane in 0..N {
            let dx: Vec<T> = x.iter().map(|x| x.eps[lane]).collect();
            f.jvp(&primal, &value, &dx, &mut dy)?;
            for (y, &dy) in y.iter_mut().zip(&dy) {
                y.eps[lane] = dy;
            }
        }
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
