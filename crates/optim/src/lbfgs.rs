//! Limited-memory quasi-Newton minimisation with bounds.

use crate::line_search::{Line, longest_step};
use crate::point::rounding;
use crate::quasi::{QuasiOptions, Track};
use crate::{Minimiser, Minimum, Objective, OptimError, Problem, Progress, Status};
use pullback_array::linalg::dot;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// L-BFGS with bounds: for many parameters and the gradient only; memory and work per step are linear in their number.
///
/// The inverse Hessian is applied by the two-loop recursion over the last steps, restricted to the free parameters (those not pushed against a bound
/// by the gradient); where the step leaves the bounds it is projected onto them.
///
/// ```
/// use pullback_optim::{Lbfgs, Minimiser, Objective, Problem};
/// struct Bowl; // Σ k (x_k − 1)²
/// impl Objective for Bowl {
///     fn dim(&self) -> usize { 1000 }
///     fn value(&mut self, x: &[f64]) -> f64 {
///         x.iter().enumerate().map(|(k, x)| (k as f64 + 1.0) * (x - 1.0).powi(2)).sum()
///     }
///     fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
///         for (k, (g, x)) in g.iter_mut().zip(x).enumerate() {
///             *g = 2.0 * (k as f64 + 1.0) * (x - 1.0);
///         }
///         self.value(x)
///     }
/// }
/// let problem = Problem::new(vec![0.0; 1000]).with_bounds(7, -1.0, 0.5);
/// let minimum = Lbfgs::default().minimise(&mut Bowl, &problem)?;
/// assert!(minimum.converged() && (minimum.value - 8.0 * 0.25).abs() < 1e-9);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: J. Nocedal & S. Wright, Numerical Optimization (2nd ed.), algorithm 7.4; the two-metric projection of D. Bertsekas, SIAM J.
/// Control Optim. 20 (1982) 221, as for L-BFGS in M. Schmidt, D. Kim & S. Sra, Optimization for Machine Learning (2011), section 11.4.
#[derive(Debug, Clone)]
pub struct Lbfgs {
    /// When to stop.
    pub options: QuasiOptions,
    /// Steps that are remembered. Default 10.
    pub memory: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            options: QuasiOptions::default(),
            memory: 10,
        }
    }
}

/// A step and the change of the gradient along it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Pair {
    pub(crate) s: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

fn masked_dot(a: &[f64], b: &[f64], free: &[bool]) -> f64 {
    a.iter()
        .zip(b)
        .zip(free)
        .map(|((a, b), free)| if *free { a * b } else { 0.0 })
        .sum()
}

/// d ← −H g on the free parameters. Pairs without positive curvature there are left out.
pub(crate) fn direction(pairs: &VecDeque<Pair>, g: &[f64], free: &[bool], d: &mut [f64]) {
    for ((d, g), free) in d.iter_mut().zip(g).zip(free) {
        *d = if *free { -g } else { 0.0 };
    }
    let mut used = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let (sy, yy) = (
            masked_dot(&pair.s, &pair.y, free),
            masked_dot(&pair.y, &pair.y, free),
        );
        if sy <= f64::EPSILON * yy.max(f64::MIN_POSITIVE) {
            continue;
        }
        let alpha = dot(&pair.s, d) / sy;
        for ((d, y), free) in d.iter_mut().zip(&pair.y).zip(free) {
            if *free {
                *d -= alpha * y;
            }
        }
        used.push((pair, alpha, sy, yy));
    }
    if let Some((_, _, sy, yy)) = used.first() {
        for d in d.iter_mut() {
            *d *= sy / yy;
        }
    }
    for (pair, alpha, sy, _) in used.iter().rev() {
        let beta = dot(&pair.y, d) / sy;
        for ((d, s), free) in d.iter_mut().zip(&pair.s).zip(free) {
            if *free {
                *d += (alpha - beta) * s;
            }
        }
    }
}

impl Lbfgs {
    fn iterate(&self, t: &mut Track, hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Status {
        let n = t.point.x.len();
        let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(self.memory + 1);
        let mut d = vec![0.0; n];
        loop {
            if let Some(status) = t.ended(hook) {
                return status;
            }
            if !t.update_free() {
                t.edm = 0.0;
                return Status::ConvergedAtCorner;
            }
            direction(&pairs, &t.point.g, &t.free, &mut d);
            let mut slope = dot(&d, &t.point.g);
            if slope.is_nan() || slope >= 0.0 {
                pairs.clear();
                direction(&pairs, &t.point.g, &t.free, &mut d);
                slope = dot(&d, &t.point.g);
            }
            let first = if pairs.is_empty() {
                let size = dot(&t.point.x, &t.point.x).sqrt().max(1.0);
                // Without memory the estimate means nothing, except at a stationary point.
                if slope == 0.0 {
                    t.edm = 0.0;
                    return Status::Converged;
                }
                (size / (-slope).sqrt()).min(1.0)
            } else {
                if t.settled(-0.5 * slope) {
                    return Status::Converged;
                }
                1.0
            };
            let longest = longest_step(t.problem, &t.point.x, &d);
            let found = if longest >= first {
                let line = Line {
                    problem: t.problem,
                    from: &t.point,
                    d: &d,
                    longest,
                };
                line.search(
                    t.objective,
                    &mut t.counts,
                    first,
                    &mut t.trial,
                    &mut t.spare,
                )
            } else {
                projected_search(t, &d, first)
            };
            if !found {
                if pairs.is_empty() || t.edm <= rounding(t.point.f, 0.0) {
                    return t.stuck();
                }
                pairs.clear();
                continue;
            }
            let mut pair = if pairs.len() == self.memory.max(1) {
                pairs.pop_front()
            } else {
                None
            }
            .unwrap_or_else(|| Pair {
                s: vec![0.0; n],
                y: vec![0.0; n],
            });
            for i in 0..n {
                pair.s[i] = t.trial.x[i] - t.point.x[i];
                pair.y[i] = t.trial.g[i] - t.point.g[i];
            }
            t.accept();
            pairs.push_back(pair);
        }
    }
}

/// Backtracking along the path x(α) = P(x + αd), bent by the bounds.
fn projected_search(t: &mut Track, d: &[f64], first: f64) -> bool {
    let mut alpha = first;
    for _ in 0..60 {
        t.problem.advance(&t.point.x, alpha, d, &mut t.trial.x);
        if t.trial.x == t.point.x {
            return false;
        }
        t.trial.evaluate(t.objective, &mut t.counts);
        let promised: f64 = (0..d.len())
            .map(|i| t.point.g[i] * (t.trial.x[i] - t.point.x[i]))
            .sum();
        if t.trial.finite() && promised < 0.0 && t.trial.f <= t.point.f + 1e-4 * promised {
            return true;
        }
        alpha *= if t.trial.finite() { 0.4 } else { 0.2 };
    }
    false
}

impl Minimiser for Lbfgs {
    fn minimise_watched(
        &mut self,
        objective: &mut dyn Objective,
        problem: &Problem,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Minimum, OptimError> {
        let mut track = Track::start(self.options, objective, problem)?;
        let status = self.iterate(&mut track, hook);
        // No second derivatives are at hand: only an exact zero counts as a vanishing multiplier.
        Ok(track.minimum(status, |_| 0.0))
    }
}
