//! Complex numbers for the complex step, f'(x) = Im f(x + ih)/h: written from textbook formulas, without a look at the derivative rules they test.
//!
//! Each function keeps the imaginary part accurate when it is tiny, so that formulas in which it would cancel (`ln((1+iz)/(1-iz))` for the inverse
//! tangent) are replaced by others. Squire & Trapp, SIAM Review 40 (1998) 110; special functions: Abramowitz & Stegun, chapters 6 and 7; DLMF 25.11.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, FRAC_PI_2, PI};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct C {
    pub re: f64,
    pub im: f64,
}

/// A complex number from its parts.
pub fn c(re: f64, im: f64) -> C {
    C { re, im }
}

impl From<f64> for C {
    fn from(re: f64) -> Self {
        c(re, 0.0)
    }
}

impl Add for C {
    type Output = C;
    fn add(self, o: C) -> C {
        c(self.re + o.re, self.im + o.im)
    }
}

impl Sub for C {
    type Output = C;
    fn sub(self, o: C) -> C {
        c(self.re - o.re, self.im - o.im)
    }
}

impl Neg for C {
    type Output = C;
    fn neg(self) -> C {
        c(-self.re, -self.im)
    }
}

impl Mul for C {
    type Output = C;
    fn mul(self, o: C) -> C {
        c(
            self.re * o.re - self.im * o.im,
            self.re * o.im + self.im * o.re,
        )
    }
}

impl Div for C {
    type Output = C;
    fn div(self, o: C) -> C {
        if self.im == 0.0 && o.im == 0.0 {
            return c(self.re / o.re, 0.0);
        }
        let d = o.re * o.re + o.im * o.im;
        c(
            (self.re * o.re + self.im * o.im) / d,
            (self.im * o.re - self.re * o.im) / d,
        )
    }
}

fn one() -> C {
    c(1.0, 0.0)
}

impl C {
    fn scale(self, k: f64) -> C {
        c(self.re * k, self.im * k)
    }

    /// `f` extended as an odd function to the left half plane.
    fn odd(self, f: impl Fn(C) -> C) -> C {
        if self.re < 0.0 { -f(-self) } else { f(self) }
    }

    pub fn exp(self) -> C {
        let r = self.re.exp();
        c(r * self.im.cos(), r * self.im.sin())
    }

    pub fn ln(self) -> C {
        c(self.re.hypot(self.im).ln(), self.im.atan2(self.re))
    }

    fn root(self, n: f64) -> C {
        let (r, t) = (
            self.re.hypot(self.im).powf(1.0 / n),
            self.im.atan2(self.re) / n,
        );
        c(r * t.cos(), r * t.sin())
    }

    pub fn sqrt(self) -> C {
        self.root(2.0)
    }

    pub fn sin(self) -> C {
        c(
            self.re.sin() * self.im.cosh(),
            self.re.cos() * self.im.sinh(),
        )
    }

    pub fn cos(self) -> C {
        c(
            self.re.cos() * self.im.cosh(),
            -(self.re.sin() * self.im.sinh()),
        )
    }

    pub fn atan(self) -> C {
        let C { re, im } = self;
        c(
            re.atan(),
            0.25 * (4.0 * im / (re * re + (1.0 - im) * (1.0 - im))).ln_1p(),
        )
    }

    fn asin(self) -> C {
        (self / ((one() - self) * (one() + self)).sqrt()).atan()
    }

    fn asinh(self) -> C {
        self.odd(|z| (z + (z * z + one()).sqrt()).ln())
    }

    fn tanh(self) -> C {
        self.odd(|z| one() - c(2.0, 0.0) / (z.scale(2.0).exp() + one()))
    }

    pub fn sigmoid(self) -> C {
        if self.re < 0.0 {
            let e = self.exp();
            e / (one() + e)
        } else {
            one() / (one() + (-self).exp())
        }
    }

    fn softplus(self) -> C {
        if self.re > 0.0 {
            self + (one() + (-self).exp()).ln()
        } else {
            (one() + self.exp()).ln()
        }
    }

    fn erf(self) -> C {
        if self.re.abs() > 2.5 {
            return self.odd(|z| one() - z.erfc());
        }
        // 2/√π e^(−z²) Σ 2ⁿ z^(2n+1)/(2n+1)!!: no cancellation (A&S 7.1.6).
        let (mut term, mut sum) = (self, self);
        for n in 1..120 {
            term = term * self * self.scale(2.0 / f64::from(2 * n + 1));
            sum = sum + term;
        }
        sum * (-(self * self)).exp().scale(FRAC_2_SQRT_PI)
    }

    fn erfc(self) -> C {
        if self.re < 2.5 {
            return one() - self.erf();
        }
        // Continued fraction A&S 7.1.14, from the tail.
        let mut tail = self;
        for k in (1..200).rev() {
            tail = self + c(f64::from(k) / 2.0, 0.0) / tail;
        }
        (-(self * self)).exp().scale(FRAC_2_SQRT_PI / 2.0) / tail
    }

    fn norm_cdf(self) -> C {
        // Below -2.5 the tail by erfc, so that nothing cancels.
        self.scale(-FRAC_1_SQRT_2).erfc().scale(0.5)
    }

    fn norm_quantile(self) -> C {
        // Bisection for the real root, then a complex Newton step with the density written out.
        let (mut lo, mut hi) = (-40.0, 40.0);
        for _ in 0..200 {
            let mid = 0.5 * (lo + hi);
            if c(mid, 0.0).norm_cdf().re < self.re {
                lo = mid;
            } else {
                hi = mid;
            }
        }
        let x = c(0.5 * (lo + hi), 0.0);
        let density = (-(x * x).scale(0.5)).exp().scale(1.0 / (2.0 * PI).sqrt());
        let step = (x.norm_cdf() - self) / density;
        // Higher terms matter to the second derivative only, which a complex step of the first does not see.
        c(x.re, -step.im)
    }

    fn lgamma(self) -> C {
        if self.re < 0.5 {
            let s = self.scale(PI).sin();
            let s = if s.re < 0.0 { -s } else { s };
            return c(PI.ln(), 0.0) - s.ln() - (one() - self).lgamma();
        }
        let (mut z, mut shift) = (self, c(0.0, 0.0));
        while z.re < 20.0 {
            shift = shift + z.ln();
            z = z + one();
        }
        // Stirling (A&S 6.1.41).
        let (mut sum, w) = (c(0.0, 0.0), one() / (z * z));
        for k in [
            691.0 / 360_360.0,
            -1.0 / 1188.0,
            1.0 / 1680.0,
            -1.0 / 1260.0,
            1.0 / 360.0,
            -1.0 / 12.0,
        ] {
            sum = sum * w - c(k, 0.0);
        }
        (z - c(0.5, 0.0)) * z.ln() - z + c(0.5 * (2.0 * PI).ln(), 0.0) + sum / z - shift
    }

    fn digamma(self) -> C {
        if self.re < 0.5 {
            let z = self.scale(PI);
            return (one() - self).digamma() - (z.cos() / z.sin()).scale(PI);
        }
        let (mut z, mut shift) = (self, c(0.0, 0.0));
        while z.re < 20.0 {
            shift = shift + one() / z;
            z = z + one();
        }
        let (mut sum, w) = (c(0.0, 0.0), one() / (z * z));
        for k in [
            691.0 / 32760.0,
            -1.0 / 132.0,
            1.0 / 240.0,
            -1.0 / 252.0,
            1.0 / 120.0,
            -1.0 / 12.0,
        ] {
            sum = sum * w + c(k, 0.0);
        }
        z.ln() - c(0.5, 0.0) / z + sum * w - shift
    }

    /// (−1)^(n+1) n! ζ(n+1, z), by Euler–Maclaurin (DLMF 25.11.5 with the sum up to Re z ≥ 25); reflection below ½ by its recurrence.
    pub fn polygamma(self, n: i64) -> C {
        if n == 0 {
            return self.digamma();
        }
        let s = (n + 1) as f64;
        let power = |z: C, p: f64| (z.ln().scale(-p)).exp();
        let (mut z, mut sum) = (self, c(0.0, 0.0));
        while z.re < 25.0 {
            // Poles lie on the left: integer powers there, not ln.
            sum = sum + one() / z.powi(n + 1);
            z = z + one();
        }
        sum = sum + power(z, s - 1.0).scale(1.0 / (s - 1.0)) + power(z, s).scale(0.5);
        let mut rising = s;
        for (k, b) in [
            1.0 / 6.0,
            -1.0 / 30.0,
            1.0 / 42.0,
            -1.0 / 30.0,
            5.0 / 66.0,
            -691.0 / 2730.0,
        ]
        .into_iter()
        .enumerate()
        {
            let two_k = 2 * (k + 1);
            let factorial: f64 = (1..=two_k).map(|i| i as f64).product();
            sum = sum + power(z, s + two_k as f64 - 1.0).scale(b / factorial * rising);
            rising *= (s + two_k as f64 - 1.0) * (s + two_k as f64);
        }
        let factorial: f64 = (1..=n).map(|i| i as f64).product();
        sum.scale(if n % 2 == 0 { -factorial } else { factorial })
    }

    pub fn powi(self, n: i64) -> C {
        let mut out = one();
        for _ in 0..n.unsigned_abs() {
            out = out * self;
        }
        if n < 0 { one() / out } else { out }
    }

    pub fn powf(self, p: f64) -> C {
        if p == 0.0 {
            one()
        } else {
            self.ln().scale(p).exp()
        }
    }
}

/// A function of the table of elementary functions, by name.
pub fn unary(name: &str, z: C) -> Option<C> {
    let real = |f: fn(f64) -> f64| c(f(z.re), 0.0);
    Some(match name {
        "neg" => -z,
        "abs" => {
            if z.re < 0.0 {
                -z
            } else {
                z
            }
        }
        "sign" => c(if z.re == 0.0 { z.re } else { z.re.signum() }, 0.0),
        "floor" => real(f64::floor),
        "ceil" => real(f64::ceil),
        "round" => real(f64::round_ties_even),
        "recip" => one() / z,
        "square" => z * z,
        "sqrt" => z.sqrt(),
        "cbrt" => z.odd(|z| z.root(3.0)),
        "exp" => z.exp(),
        "expm1" => c(z.re.exp_m1(), z.exp().im),
        "ln" => z.ln(),
        "ln_1p" => c(z.re.ln_1p(), z.im.atan2(1.0 + z.re)),
        "sin" => z.sin(),
        "cos" => z.cos(),
        "tan" => z.sin() / z.cos(),
        "asin" => z.asin(),
        "acos" => c(FRAC_PI_2, 0.0) - z.asin(),
        "atan" => z.atan(),
        "sinh" => c(z.re.sinh() * z.im.cos(), z.re.cosh() * z.im.sin()),
        "cosh" => c(z.re.cosh() * z.im.cos(), z.re.sinh() * z.im.sin()),
        "tanh" => z.tanh(),
        "asinh" => z.asinh(),
        "acosh" => (z + (z - one()).sqrt() * (z + one()).sqrt()).ln(),
        "atanh" => ((one() + z) / (one() - z)).ln().scale(0.5),
        "sigmoid" => z.sigmoid(),
        "softplus" => z.softplus(),
        "erf" => z.erf(),
        "erfc" => z.erfc(),
        "norm_cdf" => z.norm_cdf(),
        "norm_quantile" => z.norm_quantile(),
        "lgamma" => z.lgamma(),
        "digamma" => z.digamma(),
        _ => return None,
    })
}

/// A function of the table of functions of two arguments, by name.
pub fn binary(name: &str, a: C, b: C) -> Option<C> {
    Some(match name {
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a / b,
        "pow" => (b * a.ln()).exp(),
        "atan2" => {
            if b.re.abs() > a.re.abs() {
                let angle = (a / b).atan();
                angle + c(if b.re > 0.0 { 0.0 } else { PI.copysign(a.re) }, 0.0)
            } else {
                c(FRAC_PI_2.copysign(a.re), 0.0) - (b / a).atan()
            }
        }
        "hypot" => (a * a + b * b).sqrt(),
        "min" => {
            if b.re < a.re {
                b
            } else {
                a
            }
        }
        "max" => {
            if b.re > a.re {
                b
            } else {
                a
            }
        }
        "xlogy" => {
            if a == c(0.0, 0.0) {
                a
            } else {
                a * b.ln()
            }
        }
        "logaddexp" => {
            let (top, rest) = if a.re > b.re { (a, b) } else { (b, a) };
            top + (one() + (rest - top).exp()).ln()
        }
        "copysign" => {
            if (a.re < 0.0) == b.re.is_sign_negative() {
                a
            } else {
                -a
            }
        }
        _ => return None,
    })
}
