//! Dense quasi-Newton minimisation with bounds.

use crate::box_step::BoxStep;
use crate::line_search::{Line, longest_step};
use crate::point::rounding;
use crate::quasi::{QuasiOptions, Track};
use crate::{Bordered, Minimiser, Minimum, Objective, OptimError, Problem, Progress, Status};
use pullback_array::linalg::{self, dot};
use std::ops::ControlFlow;

/// The BFGS method with bounds: for functions that offer the gradient only, up to a few hundred parameters.
///
/// An approximation B of the Hessian is built from the gradients; each iteration minimises the quadratic model inside the bounds and searches along
/// the step for Wolfe's conditions. If the objective offers [`Objective::curvature`], B starts from that.
///
/// ```
/// use pullback_optim::{Bfgs, Minimiser, Objective, Problem};
/// struct Quartic; // x⁴ − 2x² + y²
/// impl Objective for Quartic {
///     fn dim(&self) -> usize { 2 }
///     fn value(&mut self, x: &[f64]) -> f64 { x[0].powi(4) - 2.0 * x[0] * x[0] + x[1] * x[1] }
///     fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
///         g.copy_from_slice(&[4.0 * x[0].powi(3) - 4.0 * x[0], 2.0 * x[1]]);
///         self.value(x)
///     }
/// }
/// let minimum = Bfgs::default().minimise(&mut Quartic, &Problem::new(vec![0.5, 3.0]))?;
/// assert!(minimum.converged() && (minimum.x[0] - 1.0).abs() < 1e-10);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: J. Nocedal & S. Wright, Numerical Optimization (2nd ed.), section 6.1, with the damping of section 18.3 (procedure 18.2) where the
/// bounds keep Wolfe's conditions from being met.
#[derive(Debug, Clone, Default)]
pub struct Bfgs {
    /// When to stop.
    pub options: QuasiOptions,
    b: Bordered,
    step: BoxStep,
}

impl Bfgs {
    /// With other options.
    pub fn new(options: QuasiOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// A multiple of the unit matrix.
    fn restart(&mut self, n: usize, size: f64) {
        let b = self.b.dense_mut();
        b.fill(0.0);
        for i in 0..n {
            b[i * (n + 1)] = size;
        }
    }

    /// B ← B + yyᵀ/sᵀy − Bs sᵀB/sᵀBs with Powell's damping of y.
    fn update(&mut self, s: &[f64], y: &mut [f64], bs: &mut [f64]) {
        let n = s.len();
        // Lengths fit by construction.
        let _ = linalg::matvec(self.b.dense(), s, bs);
        let (sy, sbs) = (dot(s, y), dot(s, bs));
        if !(sbs > 0.0 && sy.is_finite()) {
            return;
        }
        if sy < 0.2 * sbs {
            let theta = 0.8 * sbs / (sbs - sy);
            for (y, bs) in y.iter_mut().zip(bs.iter()) {
                *y = theta * *y + (1.0 - theta) * bs;
            }
        }
        let sy = dot(s, y);
        for (i, row) in self.b.dense_mut().chunks_exact_mut(n).enumerate() {
            let (u, v) = (y[i] / sy, bs[i] / sbs);
            for ((b, y), bs) in row.iter_mut().zip(y.iter()).zip(bs.iter()) {
                *b += u * y - v * bs;
            }
        }
    }

    fn iterate(
        &mut self,
        t: &mut Track,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Status {
        let n = t.point.x.len();
        let (mut d, mut s, mut y, mut bs) =
            (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let informed = t
            .objective
            .curvature(&t.point.x, self.b.dense_mut())
            .is_ok();
        let mut fresh = !informed;
        if informed {
            t.counts.curvatures += 1;
        } else {
            self.restart(n, initial_size(t));
        }
        loop {
            if let Some(status) = t.ended(hook) {
                return status;
            }
            if !t.update_free() {
                t.edm = 0.0;
                return Status::ConvergedAtCorner;
            }
            let edm = match self.step.prepare(&self.b, &t.free, &t.point.g) {
                Ok(edm) => edm,
                Err(_) if fresh => return Status::Stalled,
                Err(_) => {
                    self.restart(n, initial_size(t));
                    fresh = true;
                    continue;
                }
            };
            if t.settled(edm) {
                return Status::Converged;
            }
            self.step
                .step(&self.b, &t.point.x, &t.point.g, t.problem, &mut d);
            let longest = longest_step(t.problem, &t.point.x, &d).max(1.0);
            let line = Line {
                problem: t.problem,
                from: &t.point,
                d: &d,
                longest,
            };
            let down = dot(&d, &t.point.g) < 0.0;
            if !down || !line.search(t.objective, &mut t.counts, 1.0, &mut t.trial, &mut t.spare) {
                if fresh || t.edm <= rounding(t.point.f, 0.0) {
                    return t.stuck();
                }
                self.restart(n, initial_size(t));
                fresh = true;
                continue;
            }
            for i in 0..n {
                s[i] = t.trial.x[i] - t.point.x[i];
                y[i] = t.trial.g[i] - t.point.g[i];
            }
            t.accept();
            let (sy, yy) = (dot(&s, &y), dot(&y, &y));
            if fresh && sy > 0.0 {
                // The unit of B from the first step (Nocedal & Wright, eq. 6.20).
                self.restart(n, yy / sy);
            }
            fresh = false;
            self.update(&s, &mut y, &mut bs);
        }
    }
}

/// A unit matrix of this size makes the first step about as long as the start vector, at most.
fn initial_size(t: &Track) -> f64 {
    let norm = |v: &[f64]| dot(v, v).sqrt();
    let size = norm(&t.point.g) / norm(&t.point.x).max(1.0);
    if size > 0.0 { size } else { 1.0 }
}

impl Minimiser for Bfgs {
    fn minimise_watched(
        &mut self,
        objective: &mut dyn Objective,
        problem: &Problem,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Minimum, OptimError> {
        let mut track = Track::start(self.options, objective, problem)?;
        let n = track.point.x.len();
        self.b.reset(n, &[])?;
        let status = self.iterate(&mut track, hook);
        Ok(track.minimum(status, |i| self.b.dense()[i * (n + 1)]))
    }
}
