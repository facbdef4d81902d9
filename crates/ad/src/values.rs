//! The values of the functions in the table, one function per method name.

pub use crate::math::scalar::{exp, ln};
pub use libm::{erf, erfc};

pub fn neg(x: f64) -> f64 {
    -x
}

pub fn abs(x: f64) -> f64 {
    x.abs()
}

/// Unlike [`f64::signum`] this is 0 at 0.
pub fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x * 0.0
    }
}

pub fn floor(x: f64) -> f64 {
    x.floor()
}

pub fn ceil(x: f64) -> f64 {
    x.ceil()
}

pub fn round(x: f64) -> f64 {
    x.round_ties_even()
}

pub fn recip(x: f64) -> f64 {
    1.0 / x
}

pub fn square(x: f64) -> f64 {
    x * x
}

#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

pub fn add(a: f64, b: f64) -> f64 {
    a + b
}

pub fn sub(a: f64, b: f64) -> f64 {
    a - b
}

pub fn mul(a: f64, b: f64) -> f64 {
    a * b
}

pub fn div(a: f64, b: f64) -> f64 {
    a / b
}

/// NaN if either is NaN, unlike [`f64::min`]; the first at a tie.
pub fn min(a: f64, b: f64) -> f64 {
    if b < a || b.is_nan() { b } else { a }
}

/// NaN if either is NaN, unlike [`f64::max`]; the first at a tie.
pub fn max(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

pub fn copysign(a: f64, b: f64) -> f64 {
    a.copysign(b)
}

pub fn xlogy(a: f64, b: f64) -> f64 {
    if a == 0.0 && !b.is_nan() {
        0.0
    } else {
        a * ln(b)
    }
}

/// Repeated squaring from the top bit: the same roundings on every processor.
#[inline(always)]
pub fn powi(x: f64, exponent: i32) -> f64 {
    let mut rest = exponent.unsigned_abs();
    let mut power = 1.0;
    let mut base = x;
    while rest > 0 {
        if rest & 1 == 1 {
            power *= base;
        }
        rest >>= 1;
        if rest > 0 {
            base *= base;
        }
    }
    if exponent < 0 { 1.0 / power } else { power }
}

macro_rules! from_std {
    ($($name:ident = $std:ident),*) => {
        $(pub fn $name(x: f64) -> f64 { x.$std() })*
    };
}

from_std!(
    cbrt = cbrt,
    expm1 = exp_m1,
    ln_1p = ln_1p,
    sin = sin,
    cos = cos,
    tan = tan,
    asin = asin,
    acos = acos,
    atan = atan,
    sinh = sinh,
    cosh = cosh,
    tanh = tanh,
    asinh = asinh,
    acosh = acosh,
    atanh = atanh
);

pub fn pow(x: f64, c: f64) -> f64 {
    x.powf(c)
}

pub fn atan2(a: f64, b: f64) -> f64 {
    a.atan2(b)
}

pub fn hypot(a: f64, b: f64) -> f64 {
    a.hypot(b)
}

pub fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 {
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + e)
    }
}

pub fn softplus(x: f64) -> f64 {
    max(x, 0.0) + (-x.abs()).exp().ln_1p()
}

pub fn logaddexp(a: f64, b: f64) -> f64 {
    let top = max(a, b);
    if top.is_infinite() {
        top
    } else {
        top + (-(a - b).abs()).exp().ln_1p()
    }
}

pub fn norm_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2)
}

pub fn norm_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return if p == 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    // Newton on ln Φ of the smaller tail from a start above the root of the concave function: it converges monotonically.
    let q = p.min(1.0 - p);
    let mut x = -(-2.0 * q.ln()).sqrt();
    x = if x > -1.0 { -0.5 } else { x };
    for _ in 0..60 {
        let cdf = norm_cdf(x);
        let step = (cdf / q).ln() * cdf / (crate::INV_SQRT_TAU * (-0.5 * x * x).exp());
        x -= step;
        if step.abs() <= 1e-16 * x.abs() {
            break;
        }
    }
    if p < 0.5 { x } else { -x }
}

pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Recurrence to x ≥ 10, then the asymptotic series (Abramowitz & Stegun 6.3.18); reflection 6.3.7 below 0.
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        let turn = x - x.floor();
        return digamma(1.0 - x) - core::f64::consts::PI / (core::f64::consts::PI * turn).tan();
    }
    let mut z = x;
    let mut sum = 0.0;
    while z < 10.0 {
        sum -= 1.0 / z;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let tail = w
        * (1.0 / 12.0
            - w * (1.0 / 120.0
                - w * (1.0 / 252.0
                    - w * (1.0 / 240.0 - w * (1.0 / 132.0 - w * (691.0 / 32760.0 - w / 12.0))))));
    sum + z.ln() - 0.5 / z - tail
}
