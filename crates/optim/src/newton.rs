//! Projected Newton with the exact Hessian: the workhorse for likelihood fits.

mod run;
mod steps;

use crate::box_step::BoxStep;
use crate::minimiser::check_start;
use crate::point::Point;
use crate::trust::TrustRegion;
use crate::{
    Bordered, Counts, HessianState, Minimiser, Minimum, Objective, OptimError, Problem, Progress,
};
use run::Run;
use std::ops::ControlFlow;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewtonOptions {
    /// Converged when the estimated distance to the minimum is below this, in units of the function. Default 1e-8.
    pub edm: f64,
    /// Go on from there until the gradient is zero to machine precision; costs a few gradients. Default true.
    pub polish: bool,
    /// Most steps. Default 500.
    pub iterations: usize,
    /// Most calls of the objective for the value, with or without gradient. Default 20 000.
    pub evaluations: usize,
}

impl Default for NewtonOptions {
    fn default() -> Self {
        Self {
            edm: 1e-8,
            polish: true,
            iterations: 500,
            evaluations: 20_000,
        }
    }
}

/// Minimiser with bounds for functions with exact Hessians.
///
/// Each iteration solves the quadratic model inside the bounds. The model has
/// - the exact Hessian, where that is positive definite on the free parameters (not fixed, not pushed against a bound by the gradient);
/// - else the positive semi-definite approximation that the objective offers (Fisher information: then this is Fisher scoring);
/// - else the exact Hessian in a trust region, which follows negative curvature down from saddle points.
///
/// Separable parameters are eliminated by a Schur complement, so that an iteration costs m³/3 for the m others. Near the minimum the
/// factorisation is used again for chord steps as long as they gain two digits, which takes the gradient to machine precision without
/// another Hessian. A point with value NaN or ±∞ lies outside the domain: the step is shortened.
///
/// References: D. Bertsekas, SIAM J. Control Optim. 20 (1982) 221 (active set by the projected gradient); J. Nocedal & S. Wright,
/// Numerical Optimization (2nd ed.), chapters 3 and 4; W. Hager & H. Zhang, SIAM J. Optim. 16 (2005) 170, eq. 4.1 (line search at the
/// precision limit).
#[derive(Debug, Clone, Default)]
pub struct Newton {
    /// When to stop.
    pub options: NewtonOptions,
    work: Workspace,
}

#[derive(Debug, Clone, Default)]
struct Workspace {
    h: Bordered,
    step: BoxStep,
    trust: TrustRegion,
    radius: Option<f64>,
    free: Vec<bool>,
    d: Vec<f64>,
    point: Point,
    trial: Point,
    product: Vec<f64>,
    scratch: Vec<f64>,
}

impl Newton {
    /// With other options.
    pub fn new(options: NewtonOptions) -> Self {
        Self {
            options,
            work: Workspace::default(),
        }
    }
}

impl Minimiser for Newton {
    fn minimise_watched(
        &mut self,
        objective: &mut dyn Objective,
        problem: &Problem,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Minimum, OptimError> {
        let n = objective.dim();
        problem.check(n)?;
        let work = &mut self.work;
        work.h.reset(n, objective.separable())?;
        work.step.set_threads(objective.threads());
        work.point.resize(n);
        work.trial.resize(n);
        for v in [&mut work.d, &mut work.product] {
            v.clear();
            v.resize(n, 0.0);
        }
        work.radius = None;
        work.trust.forget();
        problem.projected_start(&mut work.point.x);
        let mut run = Run {
            options: self.options,
            objective,
            problem,
            work,
            counts: Counts::default(),
            iterations: 0,
            edm: f64::NAN,
            fresh: f64::NAN,
            hessian: HessianState::Unknown,
        };
        run.work.point.evaluate(run.objective, &mut run.counts);
        check_start(run.work.point.f, &run.work.point.g)?;
        let status = run.iterate(hook)?;
        Ok(run.minimum(status))
    }
}
