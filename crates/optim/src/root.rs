//! Zeros of functions of one variable.

use crate::OptimError;

/// A zero, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Root {
    /// The abscissa; f changes sign within `width` of it (or is zero there).
    pub x: f64,
    /// f(x).
    pub value: f64,
    /// Width of the final bracket.
    pub width: f64,
    /// Calls of f.
    pub evaluations: usize,
    /// Whether the width fell below the tolerance (or f vanished) within the allowed calls.
    pub converged: bool,
}

/// Most calls of f in one search.
const CALLS: usize = 200;

/// A bracket [a, b] with the values at its ends.
#[derive(Clone, Copy)]
struct Bracket {
    a: f64,
    fa: f64,
    b: f64,
    fb: f64,
}

impl Bracket {
    fn new(a: f64, fa: f64, b: f64, fb: f64) -> Result<Self, OptimError> {
        if fa * fb <= 0.0 || (fa.signum() != fb.signum() && !fa.is_nan() && !fb.is_nan()) {
            Ok(if a <= b {
                Self { a, fa, b, fb }
            } else {
                Self {
                    a: b,
                    fa: fb,
                    b: a,
                    fb: fa,
                }
            })
        } else {
            Err(OptimError::NoBracket { a, fa, b, fb })
        }
    }

    fn width(&self) -> f64 {
        self.b - self.a
    }

    fn best(&self) -> (f64, f64) {
        if self.fa.abs() <= self.fb.abs() {
            (self.a, self.fa)
        } else {
            (self.b, self.fb)
        }
    }

    fn done(&self, tolerance: f64) -> bool {
        let (x, f) = self.best();
        f == 0.0 || self.width() <= 2.0 * (tolerance + 2.0 * f64::EPSILON * x.abs())
    }

    fn root(&self, tolerance: f64, evaluations: usize) -> Root {
        let (x, value) = self.best();
        Root {
            x,
            value,
            width: if value == 0.0 { 0.0 } else { self.width() },
            evaluations,
            converged: self.done(tolerance),
        }
    }

    /// Shrinks to the side of c on which the sign changes; returns the end that was dropped.
    fn cut(&mut self, c: f64, fc: f64) -> (f64, f64) {
        if fc == 0.0 {
            let dropped = (self.a, self.fa);
            *self = Self {
                a: c,
                fa: fc,
                b: c,
                fb: fc,
            };
            dropped
        } else if self.fa.signum() == fc.signum() {
            let dropped = (self.a, self.fa);
            (self.a, self.fa) = (c, fc);
            dropped
        } else {
            let dropped = (self.b, self.fb);
            (self.b, self.fb) = (c, fc);
            dropped
        }
    }

    fn secant(&self) -> f64 {
        self.a - self.fa * (self.b - self.a) / (self.fb - self.fa)
    }

    /// c moved at least 2δ away from both ends, so that an end next to the zero is soon overtaken (section 2, "bracket").
    fn inside(&self, c: f64, tolerance: f64) -> f64 {
        let delta = 0.7 * (tolerance + 2.0 * f64::EPSILON * self.best().0.abs());
        if c.is_nan() || self.width() <= 4.0 * delta {
            0.5 * self.a + 0.5 * self.b
        } else {
            c.max(self.a + 2.0 * delta).min(self.b - 2.0 * delta)
        }
    }

    /// The zero of the quadratic through the ends and (d, fd), by `steps` of Newton's method (Alefeld, Potra & Shi, section 2).
    fn quadratic(&self, d: f64, fd: f64, steps: usize) -> f64 {
        let slope = (self.fb - self.fa) / (self.b - self.a);
        let curvature = ((fd - self.fb) / (d - self.b) - slope) / (d - self.a);
        if curvature == 0.0 || !curvature.is_finite() {
            return self.secant();
        }
        let mut c = if curvature.signum() == self.fa.signum() {
            self.a
        } else {
            self.b
        };
        for _ in 0..steps {
            let value = self.fa + (slope + curvature * (c - self.b)) * (c - self.a);
            let derivative = slope + curvature * (2.0 * c - self.a - self.b);
            if derivative == 0.0 {
                return self.secant();
            }
            c -= value / derivative;
        }
        c
    }

    /// Inverse cubic interpolation through the ends, d and e (section 2, "ipzero").
    fn inverse_cubic(&self, d: f64, fd: f64, e: f64, fe: f64) -> f64 {
        let (a, b, fa, fb) = (self.a, self.b, self.fa, self.fb);
        let q11 = (d - e) * fd / (fe - fd);
        let q21 = (b - d) * fb / (fd - fb);
        let q31 = (a - b) * fa / (fb - fa);
        let d21 = (b - d) * fd / (fd - fb);
        let d31 = (a - b) * fb / (fb - fa);
        let q22 = (d21 - q11) * fb / (fe - fb);
        let q32 = (d31 - q21) * fa / (fd - fa);
        let d32 = (d31 - q21) * fd / (fd - fa);
        let q33 = (d32 - q22) * fa / (fe - fa);
        a + q31 + q32 + q33
    }
}

/// A zero of f between a and b, where f has opposite signs, to ± `tolerance` (0 for full precision).
///
/// Asymptotically 2.7 calls gain a power 7.3 of precision; the bracket at least halves every three calls or so.
///
/// Errors: [`OptimError::NoBracket`], also where f is NaN at an end. A NaN inside ends the search (`converged` is false then).
///
/// ```
/// let root = pullback_optim::root::toms748(|x| x.cos() - x, 0.0, 1.0, 0.0)?;
/// assert!(root.converged && (root.x - 0.739_085_133_215_160_6).abs() < 1e-15);
/// assert!(root.evaluations <= 9);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: G. Alefeld, F. Potra & Y. Shi, ACM Trans. Math. Softw. 21 (1995) 327, algorithm 4.2 (TOMS 748) with k = 2.
pub fn toms748(
    mut f: impl FnMut(f64) -> f64,
    a: f64,
    b: f64,
    tolerance: f64,
) -> Result<Root, OptimError> {
    let mut bracket = Bracket::new(a, f(a), b, f(b))?;
    let mut calls = 2;
    // The ends dropped last and last but one: d and e of the paper.
    let mut dropped = [(f64::NAN, f64::NAN); 2];
    macro_rules! try_at {
        ($c:expr) => {{
            let c = bracket.inside($c, tolerance);
            let fc = f(c);
            calls += 1;
            if fc.is_nan() {
                return Ok(Root {
                    converged: false,
                    ..bracket.root(tolerance, calls)
                });
            }
            dropped = [bracket.cut(c, fc), dropped[0]];
            if bracket.done(tolerance) || calls >= CALLS {
                return Ok(bracket.root(tolerance, calls));
            }
        }};
    }
    if bracket.done(tolerance) {
        return Ok(bracket.root(tolerance, calls));
    }
    try_at!(bracket.secant());
    loop {
        let width = bracket.width();
        for steps in [2, 3] {
            let [(d, fd), (e, fe)] = dropped;
            let distinct = [bracket.fa, bracket.fb, fd, fe];
            let usable = fe.is_finite()
                && (0..4).all(|i| {
                    (0..i).all(|j| (distinct[i] - distinct[j]).abs() > 32.0 * f64::MIN_POSITIVE)
                });
            let c = if usable {
                bracket.inverse_cubic(d, fd, e, fe)
            } else {
                f64::NAN
            };
            let c = if c > bracket.a && c < bracket.b {
                c
            } else {
                bracket.quadratic(d, fd, steps)
            };
            try_at!(c);
        }
        // A double-length secant step from the better end.
        let (u, fu) = bracket.best();
        let c = u - 2.0 * fu * bracket.width() / (bracket.fb - bracket.fa);
        let middle = 0.5 * bracket.a + 0.5 * bracket.b;
        try_at!(if (c - u).abs() > 0.5 * bracket.width() {
            middle
        } else {
            c
        });
        if bracket.width() > 0.5 * width {
            try_at!(0.5 * bracket.a + 0.5 * bracket.b);
        }
    }
}

/// A zero of f between a and b from values and derivatives: Newton's method that never leaves the bracket.
///
/// `f` returns (f(x), f'(x)); `start` is the first point. Where a Newton step would leave the bracket or does not halve |f| fast enough, the bracket is
/// bisected.
///
/// ```
/// let root = pullback_optim::root::newton_bracketed(|x| (x * x - 2.0, 2.0 * x), 0.0, 2.0, 1.0, 0.0)?;
/// assert!((root.x - 2f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: W. Press et al., Numerical Recipes (3rd ed.), section 9.4, describes the safeguard; the code is our own.
pub fn newton_bracketed(
    mut f: impl FnMut(f64) -> (f64, f64),
    a: f64,
    b: f64,
    start: f64,
    tolerance: f64,
) -> Result<Root, OptimError> {
    let mut bracket = Bracket::new(a, f(a).0, b, f(b).0)?;
    let mut calls = 2;
    if bracket.done(tolerance) {
        return Ok(bracket.root(tolerance, calls));
    }
    let mut x = bracket.inside(start, tolerance);
    let mut before = f64::INFINITY;
    loop {
        let (value, slope) = f(x);
        calls += 1;
        if value.is_nan() {
            return Ok(Root {
                converged: false,
                ..bracket.root(tolerance, calls)
            });
        }
        bracket.cut(x, value);
        let step = -value / slope;
        // Newton's method approaches from one side: a step below the tolerance ends it, wide as the bracket may be.
        let small = step.abs() <= tolerance + 2.0 * f64::EPSILON * x.abs();
        if value == 0.0 || small || bracket.done(tolerance) || calls >= CALLS {
            let converged = value == 0.0 || small || bracket.done(tolerance);
            let polished = if small && step.is_finite() {
                x + step
            } else {
                x
            };
            let inside = if polished >= bracket.a && polished <= bracket.b {
                polished
            } else {
                x
            };
            return Ok(Root {
                x: inside,
                value,
                width: step.abs().min(bracket.width()),
                evaluations: calls,
                converged,
            });
        }
        let next = x + step;
        x = if next > bracket.a && next < bracket.b && value.abs() <= 0.5 * before {
            next
        } else {
            0.5 * bracket.a + 0.5 * bracket.b
        };
        before = value.abs();
    }
}

/// Widens [a, b] geometrically until f changes sign, inside [lower, upper]; returns the ends.
///
/// Errors: [`OptimError::NoBracket`] with the widest interval that was tried.
///
/// ```
/// let (a, b) = pullback_optim::root::bracket(|x| x - 100.0, 0.0, 1.0, f64::NEG_INFINITY, f64::INFINITY)?;
/// assert!(a <= 100.0 && b >= 100.0);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
pub fn bracket(
    mut f: impl FnMut(f64) -> f64,
    a: f64,
    b: f64,
    lower: f64,
    upper: f64,
) -> Result<(f64, f64), OptimError> {
    let (mut a, mut b) = if a <= b { (a, b) } else { (b, a) };
    let (mut fa, mut fb) = (f(a), f(b));
    for _ in 0..60 {
        if fa.is_nan() || fb.is_nan() {
            break;
        }
        if fa == 0.0 || fb == 0.0 || fa.signum() != fb.signum() {
            return Ok((a, b));
        }
        // Outwards from the smaller value; from the other end where a limit is reached.
        let width = 1.6 * (b - a);
        let left = (fa.abs() < fb.abs() && a > lower) || b >= upper;
        if left && a <= lower {
            break;
        }
        if left {
            let (old, f_old) = (a, fa);
            a = (a - width).max(lower);
            fa = f(a);
            if fa.signum() != f_old.signum() && !fa.is_nan() {
                return Ok((a, old));
            }
        } else {
            let (old, f_old) = (b, fb);
            b = (b + width).min(upper);
            fb = f(b);
            if fb.signum() != f_old.signum() && !fb.is_nan() {
                return Ok((old, b));
            }
        }
    }
    Err(OptimError::NoBracket { a, fa, b, fb })
}
