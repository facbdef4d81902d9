//! Complex numbers: analytic continuations of every function in the table, written without its derivatives.
//!
//! The complex step f′(x) ≈ Im f(x + ih)/h has no cancellation, so h can be 1e−100 and the result is exact to rounding (Squire & Trapp,
//! SIAM Review 40 (1998) 110). The formulas here are definitions, series and continued fractions of complex arguments; none uses an entry
//! of the derivative table, which makes them an independent oracle for it.
#![allow(
    clippy::suspicious_arithmetic_impl,
    reason = "complex products and quotients mix the operators"
)]

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, FRAC_PI_2, LN_2, PI};
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::real::Real;
use crate::table::{Binary, BinaryRule, Family, Unary, UnaryRule};
use crate::values;

/// A complex number as a [`Real`]: decisions (`abs`, `min`, `select`, comparisons) are made on the real part.
///
/// # Example
/// ```
/// use pullback_ad::{Complex, Real};
///
/// let z = Complex::new(0.5, 1e-100);
/// let slope = z.asin().im / 1e-100;
/// assert!((slope - 1.0 / 0.75f64.sqrt()).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

/// The derivative of a function of one variable by the complex step, with step 1e−100.
///
/// # Example
/// ```
/// use pullback_ad::{Real, complex_step};
/// assert!((complex_step(|z| z.exp(), 1.0) - 1f64.exp()).abs() < 1e-15);
/// ```
pub fn complex_step(f: impl FnOnce(Complex) -> Complex, x: f64) -> f64 {
    const STEP: f64 = 1e-100;
    f(Complex::new(x, STEP)).im / STEP
}

impl Complex {
    /// `re + i·im`.
    #[inline]
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    const fn real(re: f64) -> Self {
        Self { re, im: 0.0 }
    }

    /// i·z.
    fn times_i(self) -> Self {
        Self::new(-self.im, self.re)
    }

    /// −i·z.
    fn over_i(self) -> Self {
        Self::new(self.im, -self.re)
    }

    fn scale(self, c: f64) -> Self {
        Self::new(self.re * c, self.im * c)
    }

    /// Principal logarithm.
    fn log(self) -> Self {
        Self::new(self.re.hypot(self.im).ln(), self.im.atan2(self.re))
    }

    fn exponential(self) -> Self {
        let e = self.re.exp();
        Self::new(e * self.im.cos(), e * self.im.sin())
    }

    /// Principal square root: the part that does not cancel first, the other by division.
    fn root(self) -> Self {
        let r = self.re.hypot(self.im);
        if r == 0.0 {
            return Self::new(0.0, self.im);
        }
        let t = (0.5 * (r + self.re.abs())).sqrt();
        let s = self.im / (2.0 * t);
        if self.re >= 0.0 {
            Self::new(t, s)
        } else {
            Self::new(s.abs(), t.copysign(self.im))
        }
    }

    /// The real root of the continuation along the real axis: NaN left of the branch point, unlike [`root`](Self::root).
    fn real_root(self) -> Self {
        if self.re < 0.0 {
            Self::real(f64::NAN)
        } else {
            self.root()
        }
    }

    fn log_1p(self) -> Self {
        Self::new(
            0.5 * (self.re * (2.0 + self.re) + self.im * self.im).ln_1p(),
            self.im.atan2(1.0 + self.re),
        )
    }

    /// z^c by the polar form.
    fn power(self, c: f64) -> Self {
        let angle = c * self.im.atan2(self.re);
        let r = self.re.hypot(self.im).powf(c);
        Self::new(r * angle.cos(), r * angle.sin())
    }

    /// Kahan, *Branch cuts for complex elementary functions* (1987), for the inverse functions.
    fn arcsin(self) -> Self {
        let (minus, plus) = (
            (Self::real(1.0) - self).root(),
            (Self::real(1.0) + self).root(),
        );
        Self::new(
            self.re.atan2((minus * plus).re),
            (minus.re * plus.im - minus.im * plus.re).asinh(),
        )
    }

    fn arccos(self) -> Self {
        let (minus, plus) = (
            (Self::real(1.0) - self).root(),
            (Self::real(1.0) + self).root(),
        );
        Self::new(
            2.0 * minus.re.atan2(plus.re),
            (plus.re * minus.im - plus.im * minus.re).asinh(),
        )
    }

    fn arctan(self) -> Self {
        let (x, y) = (self.re, self.im);
        let below = (1.0 - y) * (1.0 - y);
        Self::new(
            0.5 * (2.0 * x).atan2((1.0 - x) * (1.0 + x) - y * y),
            0.25 * (4.0 * y / (x * x + below)).ln_1p(),
        )
    }

    fn arccosh(self) -> Self {
        let (minus, plus) = (
            (self - Self::real(1.0)).root(),
            (self + Self::real(1.0)).root(),
        );
        Self::new(
            (minus.re * plus.re + minus.im * plus.im).asinh(),
            2.0 * minus.im.atan2(plus.re),
        )
    }

    fn arctanh(self) -> Self {
        (self.log_1p() - (-self).log_1p()).scale(0.5)
    }

    fn sine(self) -> Self {
        Self::new(
            self.re.sin() * self.im.cosh(),
            self.re.cos() * self.im.sinh(),
        )
    }

    fn cosine(self) -> Self {
        Self::new(
            self.re.cos() * self.im.cosh(),
            -self.re.sin() * self.im.sinh(),
        )
    }

    fn hyperbolic_tangent(self) -> Self {
        // With e = exp(−2|z|) nothing overflows.
        let flip = self.re < 0.0;
        let z = if flip { -self } else { self };
        let e = z.scale(-2.0).exponential();
        let y = (Self::real(1.0) - e) / (Self::real(1.0) + e);
        if flip { -y } else { y }
    }

    fn logistic(self) -> Self {
        if self.re < 0.0 {
            let e = self.exponential();
            e / (e + Self::real(1.0))
        } else {
            ((-self).exponential() + Self::real(1.0)).recip()
        }
    }

    fn log_1p_exp(self) -> Self {
        if self.re > 0.0 {
            self + (-self).exponential().log_1p()
        } else {
            self.exponential().log_1p()
        }
    }

    /// e^(−z²)·Σₙ 2ⁿ z^(2n+1)/(2n+1)!! (NIST DLMF 7.6.2): terms of one sign for real z.
    fn erf_series(self) -> Self {
        let square = self * self;
        let mut term = self;
        let mut sum = self;
        for n in 1..200 {
            term *= square.scale(2.0 / (2.0 * f64::from(n) + 1.0));
            sum += term;
            if term.re.abs() <= 1e-18 * sum.re.abs() && term.im.abs() <= 1e-18 * sum.im.abs() {
                break;
            }
        }
        ((-square).exponential() * sum).scale(FRAC_2_SQRT_PI)
    }

    /// The continued fraction of erfc for Re z > 0 (NIST DLMF 7.9.1).
    fn erfc_fraction(self) -> Self {
        let mut t = self;
        for k in (1..=200).rev() {
            t = self + Self::real(0.5 * f64::from(k)) / t;
        }
        (-(self * self)).exponential().scale(0.5 * FRAC_2_SQRT_PI) / t
    }

    fn error_function(self) -> Self {
        if self.re.abs() < 1.5 {
            self.erf_series()
        } else if self.re > 0.0 {
            Self::real(1.0) - self.erfc_fraction()
        } else {
            (-self).erfc_fraction() - Self::real(1.0)
        }
    }

    fn complementary_error_function(self) -> Self {
        if self.re > 1.5 {
            self.erfc_fraction()
        } else {
            Self::real(1.0) - self.error_function()
        }
    }

    fn normal_cdf(self) -> Self {
        self.scale(-FRAC_1_SQRT_2)
            .complementary_error_function()
            .scale(0.5)
    }

    /// Newton's method on the complex Φ; the slope only steers, the fixed point does not depend on it.
    fn normal_quantile(self) -> Self {
        if self.re > 0.5 {
            return -(Self::real(1.0) - self).normal_quantile();
        }
        let start = values::norm_quantile(self.re);
        if !start.is_finite() {
            return Self::real(start);
        }
        let mut w = Self::real(start);
        for _ in 0..6 {
            let density = (w * w).scale(-0.5).exponential().scale(crate::INV_SQRT_TAU);
            w -= (w.normal_cdf() - self) / density;
        }
        w
    }

    /// ln|Γ| along the real axis: Stirling's series (NIST DLMF 5.11.1) after the recurrence, reflection for Re z ≤ 0.
    fn log_gamma(self) -> Self {
        const SERIES: [f64; 8] = [
            1.0 / 12.0,
            -1.0 / 360.0,
            1.0 / 1260.0,
            -1.0 / 1680.0,
            1.0 / 1188.0,
            -691.0 / 360_360.0,
            1.0 / 156.0,
            -3617.0 / 122_400.0,
        ];
        if self.re <= 0.0 {
            let turn = Self::new(self.re - self.re.floor(), self.im);
            let sine = turn.scale(PI).sine();
            return Self::real(PI.ln()) - sine.log() - (Self::real(1.0) - self).log_gamma();
        }
        let mut z = self;
        let mut shift = Self::real(0.0);
        while z.re < 12.0 {
            shift += z.log();
            z += Self::real(1.0);
        }
        let inverse = z.recip();
        let step = inverse * inverse;
        let tail = SERIES
            .iter()
            .rev()
            .fold(Self::real(0.0), |sum, &c| sum * step + Self::real(c))
            * inverse;
        (z - Self::real(0.5)) * z.log() - z + Self::real(0.5 * (LN_2 + PI.ln())) + tail - shift
    }

    /// The digamma function: asymptotic series (NIST DLMF 5.11.2), recurrence 5.5.2, reflection 5.5.4.
    fn psi(self) -> Self {
        const SERIES: [f64; 8] = [
            1.0 / 12.0,
            -1.0 / 120.0,
            1.0 / 252.0,
            -1.0 / 240.0,
            1.0 / 132.0,
            -691.0 / 32_760.0,
            1.0 / 12.0,
            -3617.0 / 8160.0,
        ];
        if self.re <= 0.0 {
            let turn = Self::new(self.re - self.re.floor(), self.im).scale(PI);
            return (Self::real(1.0) - self).psi() - (turn.cosine() / turn.sine()).scale(PI);
        }
        let mut z = self;
        let mut shift = Self::real(0.0);
        while z.re < 12.0 {
            shift += z.recip();
            z += Self::real(1.0);
        }
        let step = (z * z).recip();
        let tail = SERIES
            .iter()
            .rev()
            .fold(Self::real(0.0), |sum, &c| sum * step + Self::real(c))
            * step;
        z.log() - z.scale(2.0).recip() - tail - shift
    }

    /// ψ⁽ⁿ⁾ = (−1)ⁿ⁺¹ n! Σₖ (z + k)^−(n+1), summed to |z + k| ≥ n + 20 with the first Euler–Maclaurin terms after it (NIST DLMF 25.11.43).
    /// An oracle for small orders: NaN below −1000, where the sum would be long.
    fn poly_psi(self, n: u32) -> Self {
        const BERNOULLI: [f64; 7] = [
            1.0 / 6.0,
            -1.0 / 30.0,
            1.0 / 42.0,
            -1.0 / 30.0,
            5.0 / 66.0,
            -691.0 / 2730.0,
            7.0 / 6.0,
        ];
        if n == 0 {
            return self.psi();
        }
        if self.re < -1000.0 || n > 100 {
            return Self::real(f64::NAN);
        }
        let order = n as i32;
        let s = f64::from(order) + 1.0;
        let mut z = self;
        let mut sum = Self::real(0.0);
        while z.re < s + 20.0 {
            sum += z.integer_power(-(order + 1));
            z += Self::real(1.0);
        }
        let lead = z.integer_power(-order);
        sum += lead.scale(1.0 / (s - 1.0)) + (lead / z).scale(0.5);
        let step = (z * z).recip();
        let mut term = lead * step.scale(s / 2.0);
        for (j, b) in BERNOULLI.iter().enumerate() {
            sum += term.scale(*b);
            let k = 2.0 * j as f64 + 2.0;
            term *= step.scale((s + k - 1.0) * (s + k) / ((k + 1.0) * (k + 2.0)));
        }
        let factorial = (2..=order).fold(1.0, |f, k| f * f64::from(k));
        sum.scale(if order % 2 == 0 {
            -factorial
        } else {
            factorial
        })
    }

    fn integer_power(self, n: i32) -> Self {
        let mut rest = n.unsigned_abs();
        let (mut power, mut base) = (Self::real(1.0), self);
        while rest > 0 {
            if rest & 1 == 1 {
                power *= base;
            }
            base *= base;
            rest >>= 1;
        }
        if n < 0 {
            Self::real(1.0) / power
        } else {
            power
        }
    }

    fn real_power(self, c: f64) -> Self {
        if c == 0.0 {
            return Self::real(1.0);
        }
        if self.re >= 0.0 {
            return self.power(c);
        }
        // Left of the origin only integer powers are real.
        match (c == c.floor(), (c * 0.5).floor() * 2.0 == c) {
            (true, true) => (-self).power(c),
            (true, false) => -(-self).power(c),
            _ => Self::real(f64::NAN),
        }
    }

    /// The angle of the point (`other`, `self`), as an arctangent of the ratio that is at most 1.
    fn angle(self, other: Self) -> Self {
        if other.re.abs() >= self.re.abs() {
            let turn = if other.re < 0.0 {
                PI.copysign(self.re)
            } else {
                0.0
            };
            (self / other).arctan() + Self::real(turn)
        } else {
            Self::real(FRAC_PI_2.copysign(self.re)) - (other / self).arctan()
        }
    }

    fn modulus(self, other: Self) -> Self {
        let (big, small) = if self.re.abs() >= other.re.abs() {
            (self, other)
        } else {
            (other, self)
        };
        let big = if big.re < 0.0 { -big } else { big };
        let ratio = small / big;
        big * (ratio * ratio + Self::real(1.0)).root()
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
}

impl Div for Complex {
    type Output = Self;
    /// Smith's algorithm (Communications of the ACM 5 (1962) 435).
    fn div(self, other: Self) -> Self {
        if other.re.abs() >= other.im.abs() {
            let ratio = other.im / other.re;
            let scale = other.re + other.im * ratio;
            Self::new(
                (self.re + self.im * ratio) / scale,
                (self.im - self.re * ratio) / scale,
            )
        } else {
            let ratio = other.re / other.im;
            let scale = other.re * ratio + other.im;
            Self::new(
                (self.re * ratio + self.im) / scale,
                (self.im * ratio - self.re) / scale,
            )
        }
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.re, -self.im)
    }
}

impl AddAssign for Complex {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Complex {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Complex {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl DivAssign for Complex {
    fn div_assign(&mut self, other: Self) {
        *self = *self / other;
    }
}

crate::impl_real_constant_operators!([] Complex);

impl Real for Complex {
    type Mask = bool;

    fn constant(value: f64) -> Self {
        Self::real(value)
    }

    fn unary<F: UnaryRule>(self) -> Self {
        let one = Self::real(1.0);
        match F::OP {
            Unary::Neg => -self,
            Unary::Abs if self.re == 0.0 => Self::real(0.0),
            Unary::Abs => self.scale(values::sign(self.re)),
            Unary::Sign => Self::real(values::sign(self.re)),
            Unary::Floor => Self::real(self.re.floor()),
            Unary::Ceil => Self::real(self.re.ceil()),
            Unary::Round => Self::real(self.re.round_ties_even()),
            Unary::Recip => one / self,
            Unary::Square => self * self,
            Unary::Sqrt => self.real_root(),
            Unary::Cbrt if self.re < 0.0 => -(-self).power(1.0 / 3.0),
            Unary::Cbrt => self.power(1.0 / 3.0),
            Unary::Exp => self.exponential(),
            Unary::Expm1 => {
                let half = (0.5 * self.im).sin();
                Self::new(
                    self.re.exp_m1() * self.im.cos() - 2.0 * half * half,
                    self.re.exp() * self.im.sin(),
                )
            }
            Unary::Ln if self.re < 0.0 => Self::real(f64::NAN),
            Unary::Ln => self.log(),
            Unary::Ln1p if self.re < -1.0 => Self::real(f64::NAN),
            Unary::Ln1p => self.log_1p(),
            Unary::Sin => self.sine(),
            Unary::Cos => self.cosine(),
            Unary::Tan => self.sine() / self.cosine(),
            Unary::Asin | Unary::Acos | Unary::Atanh if self.re.abs() > 1.0 => Self::real(f64::NAN),
            Unary::Asin => self.arcsin(),
            Unary::Acos => self.arccos(),
            Unary::Atan => self.arctan(),
            Unary::Sinh => self.times_i().sine().over_i(),
            Unary::Cosh => self.times_i().cosine(),
            Unary::Tanh => self.hyperbolic_tangent(),
            Unary::Asinh => self.times_i().arcsin().over_i(),
            Unary::Acosh if self.re < 1.0 => Self::real(f64::NAN),
            Unary::Acosh => self.arccosh(),
            Unary::Atanh => self.arctanh(),
            Unary::Sigmoid => self.logistic(),
            Unary::Softplus => self.log_1p_exp(),
            Unary::Erf => self.error_function(),
            Unary::Erfc => self.complementary_error_function(),
            Unary::NormCdf => self.normal_cdf(),
            Unary::NormQuantile => self.normal_quantile(),
            Unary::Lgamma => self.log_gamma(),
            Unary::Digamma => self.psi(),
        }
    }

    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        match F::OP {
            Binary::Add => self + other,
            Binary::Sub => self - other,
            Binary::Mul => self * other,
            Binary::Div => self / other,
            Binary::Pow if other.im == 0.0 => self.real_power(other.re),
            Binary::Pow if self.re < 0.0 => Self::real(f64::NAN),
            Binary::Pow => (other * self.log()).exponential(),
            Binary::Atan2 => self.angle(other),
            Binary::Hypot => self.modulus(other),
            Binary::Min if other.re < self.re || other.re.is_nan() => other,
            Binary::Max if other.re > self.re || other.re.is_nan() => other,
            Binary::Min | Binary::Max => self,
            Binary::Xlogy if self == Self::real(0.0) && !other.re.is_nan() => self,
            Binary::Xlogy if other.re < 0.0 => Self::real(f64::NAN),
            Binary::Xlogy => self * other.log(),
            Binary::Logaddexp => {
                let (top, low) = if self.re >= other.re {
                    (self, other)
                } else {
                    (other, self)
                };
                top + (low - top).exponential().log_1p()
            }
            Binary::Copysign => {
                let flip = self.re.is_sign_negative() != other.re.is_sign_negative();
                if flip { -self } else { self }
            }
        }
    }

    fn family(self, family: Family) -> Self {
        match family {
            Family::Powi(n) => self.integer_power(n),
            Family::Powf(c) => self.real_power(c),
            Family::Polygamma(n) => self.poly_psi(n),
        }
    }

    fn lt(self, other: Self) -> bool {
        self.re < other.re
    }

    fn le(self, other: Self) -> bool {
        self.re <= other.re
    }

    fn gt(self, other: Self) -> bool {
        self.re > other.re
    }

    fn ge(self, other: Self) -> bool {
        self.re >= other.re
    }

    fn eq(self, other: Self) -> bool {
        self.re == other.re
    }

    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }

    fn stop_gradient(self) -> Self {
        Self::real(self.re)
    }
}
