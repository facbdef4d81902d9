//! Numbers for test functions: plain, second-order jets for the derivatives, and complex for the check of these.

use std::ops::{Add, Div, Mul, Neg, Sub};

pub trait Number:
    Copy
    + From<f64>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The analytic function whose value, first and second derivative at the real part are given by `f`; `complex` is its extension.
    fn re(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn atan(self) -> Self;
    fn sqrt(self) -> Self {
        (self.ln() * Self::from(0.5)).exp()
    }
    fn powi(self, k: u32) -> Self {
        (0..k).fold(Self::from(1.0), |p, _| p * self)
    }
    fn pow(self, p: Self) -> Self {
        (self.ln() * p).exp()
    }
}

impl Number for f64 {
    fn re(self) -> f64 {
        self
    }
    fn exp(self) -> f64 {
        f64::exp(self)
    }
    fn ln(self) -> f64 {
        f64::ln(self)
    }
    fn sin(self) -> f64 {
        f64::sin(self)
    }
    fn cos(self) -> f64 {
        f64::cos(self)
    }
    fn atan(self) -> f64 {
        f64::atan(self)
    }
}

/// Value, gradient and Hessian with respect to N variables.
#[derive(Clone, Copy)]
pub struct Jet<const N: usize> {
    pub v: f64,
    pub g: [f64; N],
    pub h: [[f64; N]; N],
}

impl<const N: usize> Jet<N> {
    pub fn variable(x: f64, i: usize) -> Self {
        let mut out = Self::from(x);
        out.g[i] = 1.0;
        out
    }

    /// φ(self), from φ, φ' and φ'' at the value.
    fn map(self, f: f64, f1: f64, f2: f64) -> Self {
        let mut out = self;
        out.v = f;
        for i in 0..N {
            out.g[i] = f1 * self.g[i];
            for j in 0..N {
                out.h[i][j] = f1 * self.h[i][j] + f2 * self.g[i] * self.g[j];
            }
        }
        out
    }

    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut out = self;
        out.v = f(self.v, other.v);
        for i in 0..N {
            out.g[i] = f(self.g[i], other.g[i]);
            for j in 0..N {
                out.h[i][j] = f(self.h[i][j], other.h[i][j]);
            }
        }
        out
    }
}

impl<const N: usize> From<f64> for Jet<N> {
    fn from(v: f64) -> Self {
        Self {
            v,
            g: [0.0; N],
            h: [[0.0; N]; N],
        }
    }
}

impl<const N: usize> Add for Jet<N> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl<const N: usize> Sub for Jet<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl<const N: usize> Mul for Jet<N> {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        let mut out = Self::from(self.v * o.v);
        for i in 0..N {
            out.g[i] = self.g[i] * o.v + self.v * o.g[i];
            for j in 0..N {
                out.h[i][j] = self.h[i][j] * o.v
                    + self.v * o.h[i][j]
                    + self.g[i] * o.g[j]
                    + self.g[j] * o.g[i];
            }
        }
        out
    }
}

impl<const N: usize> Div for Jet<N> {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let r = 1.0 / o.v;
        self * o.map(r, -r * r, 2.0 * r * r * r)
    }
}

impl<const N: usize> Neg for Jet<N> {
    type Output = Self;
    fn neg(self) -> Self {
        self.map(-self.v, -1.0, 0.0)
    }
}

impl<const N: usize> Number for Jet<N> {
    fn re(self) -> f64 {
        self.v
    }
    fn exp(self) -> Self {
        let e = self.v.exp();
        self.map(e, e, e)
    }
    fn ln(self) -> Self {
        let r = 1.0 / self.v;
        self.map(self.v.ln(), r, -r * r)
    }
    fn sin(self) -> Self {
        let (s, c) = self.v.sin_cos();
        self.map(s, c, -s)
    }
    fn cos(self) -> Self {
        let (s, c) = self.v.sin_cos();
        self.map(c, -s, -c)
    }
    fn atan(self) -> Self {
        let r = 1.0 / (1.0 + self.v * self.v);
        self.map(self.v.atan(), r, -2.0 * self.v * r * r)
    }
}

#[derive(Clone, Copy)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

impl From<f64> for Complex {
    fn from(re: f64) -> Self {
        Self { re, im: 0.0 }
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self {
            re: self.re + o.re,
            im: self.im + o.im,
        }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self {
            re: self.re - o.re,
            im: self.im - o.im,
        }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self {
            re: self.re * o.re - self.im * o.im,
            im: self.re * o.im + self.im * o.re,
        }
    }
}

impl Div for Complex {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let n = o.re * o.re + o.im * o.im;
        Self {
            re: (self.re * o.re + self.im * o.im) / n,
            im: (self.im * o.re - self.re * o.im) / n,
        }
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            re: -self.re,
            im: -self.im,
        }
    }
}

impl Number for Complex {
    fn re(self) -> f64 {
        self.re
    }
    fn exp(self) -> Self {
        let (s, c) = self.im.sin_cos();
        Self {
            re: self.re.exp() * c,
            im: self.re.exp() * s,
        }
    }
    fn ln(self) -> Self {
        Self {
            re: self.re.hypot(self.im).ln(),
            im: self.im.atan2(self.re),
        }
    }
    fn sin(self) -> Self {
        Self {
            re: self.re.sin() * self.im.cosh(),
            im: self.re.cos() * self.im.sinh(),
        }
    }
    fn cos(self) -> Self {
        Self {
            re: self.re.cos() * self.im.cosh(),
            im: -self.re.sin() * self.im.sinh(),
        }
    }
    fn atan(self) -> Self {
        // First order in the imaginary part, which is all that the complex step needs (the formula with logarithms would lose it).
        Self {
            re: self.re.atan(),
            im: self.im / (1.0 + self.re * self.re),
        }
    }
}
