//! What the two quasi-Newton minimisers share.

use crate::minimiser::check_start;
use crate::point::{Point, rounding};
use crate::{Counts, HessianState, Minimum, Objective, OptimError, Problem, Progress, Status};
use std::ops::ControlFlow;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuasiOptions {
    /// Converged when the estimated distance to the minimum is below this twice in a row, in units of the function. Default 1e-10.
    pub edm: f64,
    /// Go on from there until ten steps in a row have not halved the lowest estimate. Default true.
    pub polish: bool,
    /// Most steps. Default 10 000.
    pub iterations: usize,
    /// Most calls for value and gradient. Default 50 000.
    pub evaluations: usize,
}

impl Default for QuasiOptions {
    fn default() -> Self {
        Self {
            edm: 1e-10,
            polish: true,
            iterations: 10_000,
            evaluations: 50_000,
        }
    }
}

/// The state of a run.
pub(crate) struct Track<'a> {
    pub(crate) options: QuasiOptions,
    pub(crate) objective: &'a mut dyn Objective,
    pub(crate) problem: &'a Problem,
    pub(crate) counts: Counts,
    pub(crate) iterations: usize,
    pub(crate) edm: f64,
    pub(crate) point: Point,
    pub(crate) trial: Point,
    pub(crate) spare: Point,
    pub(crate) free: Vec<bool>,
    below: usize,
    lowest: f64,
    idle: usize,
}

impl<'a> Track<'a> {
    pub(crate) fn start(
        options: QuasiOptions,
        objective: &'a mut dyn Objective,
        problem: &'a Problem,
    ) -> Result<Self, OptimError> {
        let n = objective.dim();
        problem.check(n)?;
        let mut point = Point::default();
        point.resize(n);
        problem.projected_start(&mut point.x);
        let mut counts = Counts::default();
        point.evaluate(objective, &mut counts);
        check_start(point.f, &point.g)?;
        let (trial, spare) = (point.clone(), point.clone());
        Ok(Self {
            options,
            objective,
            problem,
            counts,
            iterations: 0,
            edm: f64::NAN,
            point,
            trial,
            spare,
            free: Vec::new(),
            below: 0,
            lowest: f64::INFINITY,
            idle: 0,
        })
    }

    pub(crate) fn update_free(&mut self) -> bool {
        let (problem, point) = (self.problem, &self.point);
        self.free.clear();
        self.free
            .extend((0..point.x.len()).map(|i| problem.is_free(i, point.x[i], point.g[i])));
        self.free.iter().any(|f| *f)
    }

    /// Reasons to end that have nothing to do with the point.
    pub(crate) fn ended(
        &mut self,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Option<Status> {
        let progress = Progress {
            iteration: self.iterations,
            value: self.point.f,
            edm: self.edm,
            evaluations: self.counts,
            x: &self.point.x,
        };
        if hook(&progress).is_break() {
            Some(Status::Interrupted)
        } else if self.iterations >= self.options.iterations {
            Some(Status::IterationLimit)
        } else if self.counts.gradients >= self.options.evaluations {
            Some(Status::EvaluationLimit)
        } else if self.point.f < -1e100 {
            Some(Status::Unbounded)
        } else {
            None
        }
    }

    /// Whether the edm of this iteration ends the run.
    ///
    /// The estimate rests on an approximate Hessian, so it has to be small twice; polishing ends when it has not improved for some steps.
    pub(crate) fn settled(&mut self, edm: f64) -> bool {
        self.edm = edm;
        if edm > self.options.edm {
            self.below = 0;
            return false;
        }
        self.below += 1;
        self.idle = if edm < 0.5 * self.lowest {
            0
        } else {
            self.idle + 1
        };
        self.lowest = self.lowest.min(edm);
        edm == 0.0 || (self.below >= 2 && (!self.options.polish || self.idle >= 10 || edm <= 1e-24))
    }

    /// What it means that no better point was found along the line.
    pub(crate) fn stuck(&self) -> Status {
        let noise = rounding(self.point.f, 0.0);
        if self.edm <= self.options.edm.max(noise) {
            Status::Converged
        } else {
            Status::Stalled
        }
    }

    pub(crate) fn accept(&mut self) {
        std::mem::swap(&mut self.point, &mut self.trial);
        self.iterations += 1;
    }

    pub(crate) fn minimum(self, status: Status, second: impl Fn(usize) -> f64) -> Minimum {
        let n = self.point.x.len();
        let at_bound: Vec<_> = (0..n)
            .map(|i| self.problem.side(i, self.point.x[i]))
            .collect();
        let near_zero_multipliers = (0..n)
            .filter(|&i| {
                at_bound[i].is_some() && self.point.g[i].abs() <= 1e-4 * second(i).abs().sqrt()
            })
            .collect();
        Minimum {
            x: self.point.x,
            value: self.point.f,
            gradient: self.point.g,
            edm: self.edm,
            status,
            iterations: self.iterations,
            evaluations: self.counts,
            at_bound,
            near_zero_multipliers,
            hessian: if status == Status::ConvergedAtCorner {
                HessianState::Unknown
            } else {
                HessianState::Approximate
            },
        }
    }
}
