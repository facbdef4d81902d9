//! The loop: which model to follow, and when to stop.

use super::steps::{Chord, POLISHED};
use super::{NewtonOptions, Workspace};
use crate::point::rounding;
use crate::trust::Spectrum;
use crate::{Counts, HessianState, Minimum, Objective, OptimError, Problem, Progress, Status};
use std::ops::ControlFlow;

/// Function values below this count as −∞.
const BOTTOMLESS: f64 = -1e100;

/// Which matrix a step came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Exact,
    Curvature,
}

/// What the model at a point asks for.
pub(super) enum Plan {
    /// A positive definite model with this edm.
    Convex(Model, f64),
    /// A trust-region step with the Hessian (or what stands in for it) of this spectrum.
    Trust(Spectrum),
}

/// A minimisation under way.
pub(super) struct Run<'a> {
    pub(super) options: NewtonOptions,
    pub(super) objective: &'a mut dyn Objective,
    pub(super) problem: &'a Problem,
    pub(super) work: &'a mut Workspace,
    pub(super) counts: Counts,
    pub(super) iterations: usize,
    pub(super) edm: f64,
    /// The edm when the Hessian was last computed.
    pub(super) fresh: f64,
    pub(super) hessian: HessianState,
}

impl Run<'_> {
    pub(super) fn iterate(
        &mut self,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Status, OptimError> {
        loop {
            if self.tell(hook).is_break() {
                return Ok(Status::Interrupted);
            }
            if let Some(status) = self.exhausted() {
                return Ok(status);
            }
            self.update_free();
            if !self.work.free.iter().any(|f| *f) {
                self.edm = 0.0;
                self.look_at_multipliers();
                return Ok(Status::ConvergedAtCorner);
            }
            match self.plan()? {
                Plan::Convex(model, edm) => {
                    let polishing = self.fresh <= self.options.edm;
                    let gained = edm <= 0.25 * self.fresh;
                    (self.edm, self.fresh) = (edm, edm);
                    self.hessian = state_of(model);
                    let mut done = false;
                    if edm <= self.options.edm {
                        // Slow convergence (a degenerate minimum) is followed as far as the function resolves it.
                        let resolved = edm > rounding(self.work.point.f, 0.0);
                        if !self.options.polish
                            || edm <= POLISHED
                            || (polishing && !gained && !resolved)
                        {
                            return Ok(Status::Converged);
                        }
                        done = match self.chord_step() {
                            Chord::Taken => true,
                            Chord::Refused => false,
                            Chord::OtherFace => self.face_step(),
                        };
                        if !done && !resolved {
                            return Ok(Status::Converged);
                        }
                    }
                    if !done && let Some(status) = self.convex_step(model) {
                        return Ok(status);
                    }
                    // The factorisation goes on serving as long as it gains two digits per step.
                    if let Some(status) = self.chords(edm, hook) {
                        return Ok(status);
                    }
                }
                Plan::Trust(spectrum) => {
                    if let Some(status) = self.degenerate(spectrum) {
                        return Ok(status);
                    }
                    if let Some(status) = self.trust_step() {
                        return Ok(status);
                    }
                }
            }
        }
    }

    pub(super) fn tell(
        &self,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        hook(&Progress {
            iteration: self.iterations,
            value: self.work.point.f,
            edm: self.edm,
            evaluations: self.counts,
            x: &self.work.point.x,
        })
    }

    pub(super) fn exhausted(&self) -> Option<Status> {
        if self.iterations >= self.options.iterations {
            Some(Status::IterationLimit)
        } else if self.counts.gradients + self.counts.values >= self.options.evaluations {
            Some(Status::EvaluationLimit)
        } else if self.work.point.f < BOTTOMLESS {
            Some(Status::Unbounded)
        } else {
            None
        }
    }

    /// Second derivatives at a corner, which are the unit of the multipliers there.
    fn look_at_multipliers(&mut self) {
        let work = &mut *self.work;
        let held = (0..work.free.len()).any(|i| self.problem.side(i, work.point.x[i]).is_some());
        if held
            && self
                .objective
                .hessian_bordered(&work.point.x, &mut work.h)
                .is_ok()
        {
            self.counts.hessians += 1;
        }
    }

    fn update_free(&mut self) {
        let (problem, point) = (self.problem, &self.work.point);
        self.work.free.clear();
        self.work
            .free
            .extend((0..point.x.len()).map(|i| problem.is_free(i, point.x[i], point.g[i])));
    }

    /// Chooses the model at the current point.
    fn plan(&mut self) -> Result<Plan, OptimError> {
        let work = &mut *self.work;
        let (x, g) = (&work.point.x, &work.point.g);
        let exact = self.objective.hessian_bordered(x, &mut work.h).is_ok();
        if exact {
            self.counts.hessians += 1;
            if let Ok(edm) = work.step.prepare(&work.h, &work.free, g) {
                return Ok(Plan::Convex(Model::Exact, edm));
            }
        }
        let curvature = self.objective.curvature_bordered(x, &mut work.h).is_ok();
        if curvature {
            self.counts.curvatures += 1;
            if let Ok(edm) = work.step.prepare(&work.h, &work.free, g) {
                // Where Fisher's matrix sees a minimum but the Hessian is not convex, the Hessian decides.
                if !exact || edm > self.options.edm {
                    return Ok(Plan::Convex(Model::Curvature, edm));
                }
            }
        }
        if !exact && !curvature {
            return Err(OptimError::NoHessian);
        }
        if exact && curvature {
            self.counts.hessians += 1;
            let _ = self.objective.hessian_bordered(x, &mut work.h);
        }
        match work.trust.prepare(&work.h, &work.free, g) {
            Some(spectrum) => Ok(Plan::Trust(spectrum)),
            None => Err(OptimError::OutsideDomain {
                what: "the Hessian".to_owned(),
                value: f64::NAN,
            }),
        }
    }

    pub(super) fn minimum(self, status: Status) -> Minimum {
        let point = &self.work.point;
        let n = point.x.len();
        let at_bound: Vec<_> = (0..n).map(|i| self.problem.side(i, point.x[i])).collect();
        let mut diagonal = vec![0.0; n];
        self.work.h.copy_diagonal(&mut diagonal);
        let near_zero_multipliers = (0..n)
            .filter(|&i| {
                at_bound[i].is_some() && point.g[i].abs() <= 1e-4 * diagonal[i].abs().sqrt()
            })
            .collect();
        Minimum {
            x: point.x.clone(),
            value: point.f,
            gradient: point.g.clone(),
            edm: self.edm,
            status,
            iterations: self.iterations,
            evaluations: self.counts,
            at_bound,
            near_zero_multipliers,
            hessian: self.hessian,
        }
    }
}

fn state_of(model: Model) -> HessianState {
    match model {
        Model::Exact => HessianState::PositiveDefinite,
        Model::Curvature => HessianState::Approximate,
    }
}
