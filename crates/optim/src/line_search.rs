//! Line search for quasi-Newton methods: a point that satisfies Wolfe's conditions.

use crate::point::{Point, rounding};
use crate::{Counts, Objective, Problem};
use pullback_array::linalg::dot;

/// Sufficient decrease (Armijo).
const DECREASE: f64 = 1e-4;
/// Curvature condition: the slope must have fallen to this fraction.
const CURVATURE: f64 = 0.9;
const TRIALS: usize = 40;

/// A trial on the line.
#[derive(Clone, Copy)]
struct Trial {
    alpha: f64,
    f: f64,
    slope: f64,
}

/// Searches along x + αd, 0 < α ≤ `longest`, starting with `first`; leaves the best point found in `trial`, false if there is none.
///
/// `spare` is scratch. Points with value NaN or ±∞ lie outside the domain.
///
/// Reference: J. Nocedal & S. Wright, Numerical Optimization (2nd ed.), algorithms 3.5 and 3.6; at the precision limit the approximate
/// condition of W. Hager & H. Zhang, SIAM J. Optim. 16 (2005) 170, eq. 4.1.
pub(crate) struct Line<'a> {
    pub(crate) problem: &'a Problem,
    pub(crate) from: &'a Point,
    pub(crate) d: &'a [f64],
    pub(crate) longest: f64,
}

impl Line<'_> {
    pub(crate) fn search(
        &self,
        objective: &mut dyn Objective,
        counts: &mut Counts,
        first: f64,
        trial: &mut Point,
        best: &mut Point,
    ) -> bool {
        let start = Trial {
            alpha: 0.0,
            f: self.from.f,
            slope: dot(self.d, &self.from.g),
        };
        // The minimum along the line lies between `low` (the best point so far) and `high`, once that is known.
        let (mut low, mut high) = (start, None::<Trial>);
        let mut wall = self.longest;
        let mut alpha = first.min(wall);
        for _ in 0..TRIALS {
            self.problem
                .advance(&self.from.x, alpha, self.d, &mut trial.x);
            if trial.x == self.from.x {
                break;
            }
            trial.evaluate(objective, counts);
            if !trial.finite() {
                wall = alpha;
                high = None;
                alpha = low.alpha + 0.2 * (alpha - low.alpha);
                continue;
            }
            let now = Trial {
                alpha,
                f: trial.f,
                slope: dot(self.d, &trial.g),
            };
            let rounding = rounding(start.f, now.f);
            let decreases = now.f <= start.f + DECREASE * alpha * start.slope
                || (now.f <= start.f + rounding && now.slope <= -0.8 * start.slope);
            if decreases && now.slope.abs() <= -CURVATURE * start.slope {
                return true;
            }
            if !decreases || (now.f > low.f + rounding && low.alpha > 0.0) {
                high = Some(now);
            } else {
                if now.slope * (alpha - low.alpha) >= 0.0 {
                    high = Some(low);
                }
                low = now;
                best.clone_from(trial);
                if high.is_none() && alpha >= wall {
                    break;
                }
            }
            alpha = match high {
                Some(high) => between(low, high),
                // No upper end yet: grow, but only half-way towards a place where the function was undefined.
                None if wall < self.longest => 0.5 * (low.alpha + wall),
                None => (4.0 * alpha).min(wall),
            };
            if (alpha - low.alpha).abs() <= 1e-14 * low.alpha {
                break;
            }
        }
        if low.alpha > 0.0 {
            std::mem::swap(trial, best);
            true
        } else {
            false
        }
    }
}

/// The minimiser of the cubic through both ends, kept away from them.
///
/// Reference: Nocedal & Wright, eq. 3.59.
fn between(a: Trial, b: Trial) -> f64 {
    let width = b.alpha - a.alpha;
    let (s0, s1) = (a.slope * width, b.slope * width);
    let c = s0 + s1 - 3.0 * (b.f - a.f);
    let root = (c * c - s0 * s1).sqrt();
    let t = 1.0 - (s1 + root - c) / (s1 - s0 + 2.0 * root);
    let t = if t.is_nan() { 0.5 } else { t.clamp(0.1, 0.9) };
    a.alpha + t * width
}

/// The largest α for which x + αd stays inside the bounds.
pub(crate) fn longest_step(problem: &Problem, x: &[f64], d: &[f64]) -> f64 {
    let mut longest = f64::INFINITY;
    for (i, (x, d)) in x.iter().zip(d).enumerate() {
        if problem.movable(i) {
            if *d < 0.0 {
                longest = longest.min((problem.lower[i] - x) / d);
            } else if *d > 0.0 {
                longest = longest.min((problem.upper[i] - x) / d);
            }
        }
    }
    longest.max(0.0)
}
