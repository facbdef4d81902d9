//! The steps: line search along a convex model's step, chords, trust region.

use super::run::{Model, Run};
use crate::point::rounding;
use crate::trust::Spectrum;
use crate::{HessianState, Progress, Status};
use pullback_array::linalg::dot;
use std::ops::ControlFlow;

/// Sufficient decrease (Armijo), as a fraction of what the slope promises.
const DECREASE: f64 = 1e-4;
/// A chord step is tried while it lowers the edm by this factor.
const CHORD: f64 = 1e-2;
/// Below this edm (in units of the function) nothing can be gained in double precision, and polishing stops.
pub(super) const POLISHED: f64 = 1e-24;
/// Trial points per line search, those outside the domain included.
const TRIALS: usize = 50;
/// Trial points inside the domain that are refused before the direction is given up.
const REFUSALS: usize = 7;

/// How a chord step ended.
pub(super) enum Chord {
    Taken,
    /// It does not lower the edm.
    Refused,
    /// It leads to other active bounds, for which the factorisation does not stand.
    OtherFace,
}

/// How a line search ended.
enum Search {
    Accepted,
    /// All trial values agree with the one at hand to rounding.
    Precision,
    /// The function rises where the model promises a fall.
    BadModel,
}

impl Run<'_> {
    /// A step of the convex model with line search. Some(status) ends the fit.
    pub(super) fn convex_step(&mut self, model: Model) -> Option<Status> {
        let work = &mut *self.work;
        work.step.step(
            &work.h,
            &work.point.x,
            &work.point.g,
            self.problem,
            &mut work.d,
        );
        let slope = dot(&work.d, &work.point.g);
        if slope.is_nan() || slope >= 0.0 {
            return Some(self.stalled());
        }
        match self.search(slope) {
            Search::Accepted => None,
            Search::Precision => Some(self.stalled()),
            Search::BadModel => {
                // The trust region bends the step towards the gradient, which a line search along a poor direction cannot do.
                let work = &mut *self.work;
                if model == Model::Curvature
                    && self
                        .objective
                        .hessian_bordered(&work.point.x, &mut work.h)
                        .is_ok()
                {
                    self.counts.hessians += 1;
                }
                if work
                    .trust
                    .prepare(&work.h, &work.free, &work.point.g)
                    .is_none()
                {
                    return Some(self.stalled());
                }
                work.radius = Some(work.trust.length(&work.d, &work.point.x, &work.trial.x));
                self.trust_step()
            }
        }
    }

    fn stalled(&self) -> Status {
        // What rounding of the function value alone hides is not held against the fit.
        let noise = rounding(self.work.point.f, 0.0);
        match self.hessian {
            _ if self.edm.is_nan() || self.edm > self.options.edm.max(noise) => Status::Stalled,
            HessianState::Indefinite { .. } => Status::Stalled,
            HessianState::Flat { .. } => Status::ConvergedFlat,
            _ => Status::Converged,
        }
    }

    /// Backtracking from x + d along the segment, which lies inside the bounds.
    fn search(&mut self, slope: f64) -> Search {
        let mut alpha = 1.0;
        let (mut refused, mut noisy) = (0, true);
        for _ in 0..TRIALS {
            let work = &mut *self.work;
            self.problem
                .advance(&work.point.x, alpha, &work.d, &mut work.trial.x);
            if work.trial.x == work.point.x {
                return Search::Precision;
            }
            work.trial.evaluate(self.objective, &mut self.counts);
            if !work.trial.finite() {
                // Outside the domain: nothing is known there, so a bold cut.
                alpha *= 0.2;
                continue;
            }
            let trial_slope = dot(&work.trial.g, &work.d);
            if acceptable(work.point.f, slope, alpha, work.trial.f, trial_slope) {
                std::mem::swap(&mut work.point, &mut work.trial);
                self.iterations += 1;
                return Search::Accepted;
            }
            noisy &= (work.trial.f - work.point.f).abs() <= rounding(work.point.f, work.trial.f);
            refused += 1;
            if refused == REFUSALS {
                return if noisy {
                    Search::Precision
                } else {
                    Search::BadModel
                };
            }
            alpha *= shrink(
                work.point.f,
                slope * alpha,
                work.trial.f,
                trial_slope * alpha,
            );
        }
        if noisy && refused > 0 {
            Search::Precision
        } else {
            Search::BadModel
        }
    }

    /// One chord step: the unbounded step with the factorisation at hand, kept if it lowers the edm.
    pub(super) fn chord_step(&mut self) -> Chord {
        let work = &mut *self.work;
        if !work.step.inside(&work.point.x, self.problem) {
            return Chord::OtherFace;
        }
        self.problem
            .advance(&work.point.x, 1.0, work.step.unbounded(), &mut work.trial.x);
        if work.trial.x == work.point.x {
            return Chord::Refused;
        }
        work.trial.evaluate(self.objective, &mut self.counts);
        if !self.near() {
            return Chord::Refused;
        }
        let work = &mut *self.work;
        let (x, g) = (&work.trial.x, &work.trial.g);
        if (0..x.len()).any(|i| self.problem.is_free(i, x[i], g[i]) != work.step.free[i]) {
            return Chord::OtherFace;
        }
        let edm = work.step.chord(&work.trial.g);
        if edm < self.edm {
            self.edm = edm;
            self.iterations += 1;
            std::mem::swap(&mut work.point, &mut work.trial);
            Chord::Taken
        } else {
            work.step.chord(&work.point.g);
            Chord::Refused
        }
    }

    /// Below the tolerance: the step of the model inside the bounds, without a line search, where chords lead to other active bounds.
    pub(super) fn face_step(&mut self) -> bool {
        let work = &mut *self.work;
        work.step.step(
            &work.h,
            &work.point.x,
            &work.point.g,
            self.problem,
            &mut work.d,
        );
        self.problem
            .advance(&work.point.x, 1.0, &work.d, &mut work.trial.x);
        if work.trial.x == work.point.x {
            return false;
        }
        work.trial.evaluate(self.objective, &mut self.counts);
        if !self.near() {
            return false;
        }
        let work = &mut *self.work;
        std::mem::swap(&mut work.point, &mut work.trial);
        self.iterations += 1;
        true
    }

    /// Whether the trial point is as good as this one, as far as values tell.
    fn near(&self) -> bool {
        // Below the tolerance the gradient is the judge: it is far more precise than differences of the value.
        let slack = if self.edm <= self.options.edm {
            self.options.edm
        } else {
            0.0
        };
        let (point, trial) = (&self.work.point, &self.work.trial);
        trial.finite() && trial.f <= point.f + rounding(point.f, trial.f).max(slack)
    }

    /// Chord steps after an accepted step, while they gain two digits each.
    pub(super) fn chords(
        &mut self,
        before: f64,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Option<Status> {
        let work = &mut *self.work;
        let same = (0..work.free.len()).all(|i| {
            self.problem.is_free(i, work.point.x[i], work.point.g[i]) == work.step.free[i]
        });
        if !same {
            return None;
        }
        let now = work.step.chord(&work.point.g);
        if now.is_nan() || now > CHORD * before {
            return None;
        }
        self.edm = now;
        loop {
            let exact = self.hessian == HessianState::PositiveDefinite;
            let small = self.edm <= self.options.edm;
            if small && exact && (!self.options.polish || self.edm <= POLISHED) {
                return Some(Status::Converged);
            }
            if let Some(status) = self.exhausted() {
                return Some(status);
            }
            if self.tell(hook).is_break() {
                return Some(Status::Interrupted);
            }
            let before = self.edm;
            match self.chord_step() {
                Chord::Taken => {}
                Chord::OtherFace => return None,
                // At the limit of precision the step is refused although the point is fine.
                Chord::Refused => {
                    let polished = small && exact && before <= 1e-6 * self.options.edm;
                    return polished.then_some(Status::Converged);
                }
            }
            if self.edm > CHORD * before {
                return None;
            }
        }
    }

    /// Records why the Hessian is not positive definite. Some(status) where the point is a minimum all the same.
    pub(super) fn degenerate(&mut self, spectrum: Spectrum) -> Option<Status> {
        self.fresh = f64::NAN;
        if spectrum.negative > 0 {
            self.edm = f64::NAN;
            let parameters = self.work.trust.parameters(1);
            self.hessian = HessianState::Indefinite {
                eigenvalue: spectrum.lowest,
                parameters,
            };
            return None;
        }
        let parameters = self.work.trust.parameters(spectrum.flat);
        self.hessian = HessianState::Flat {
            directions: spectrum.flat,
            parameters,
        };
        let before = std::mem::replace(&mut self.edm, spectrum.edm);
        // Flat directions have no scale of their own; a slope along them is compared in units of the other ones.
        let level =
            spectrum.edm <= self.options.edm && spectrum.slope <= 1e-2 * self.options.edm.sqrt();
        let gains = self.options.polish
            && spectrum.edm > POLISHED
            && (before.is_nan() || spectrum.edm <= 0.25 * before);
        (level && spectrum.settled && !gains).then_some(Status::ConvergedFlat)
    }

    /// A trust-region step with the spectrum at hand. Some(status) ends the fit.
    pub(super) fn trust_step(&mut self) -> Option<Status> {
        let work = &mut *self.work;
        let mut radius = work
            .radius
            .unwrap_or_else(|| work.trust.initial_radius(&work.point.x));
        let mut sign = 1.0;
        for _ in 0..2 * TRIALS {
            let work = &mut *self.work;
            let (length, hard) = work.trust.step(radius, sign, &mut work.d);
            self.problem
                .advance(&work.point.x, 1.0, &work.d, &mut work.trial.x);
            for i in 0..work.d.len() {
                work.d[i] = work.trial.x[i] - work.point.x[i];
            }
            work.h
                .multiply(&work.d, &mut work.product, &mut work.scratch);
            let promised = -dot(&work.d, &work.point.g) - 0.5 * dot(&work.d, &work.product);
            if work.trial.x == work.point.x || length == 0.0 {
                break;
            }
            let mut ratio = -1.0;
            if promised > 0.0 {
                work.trial.evaluate(self.objective, &mut self.counts);
                if work.trial.finite() {
                    ratio = (work.point.f - work.trial.f) / promised;
                }
            }
            // At the precision limit the model is all there is.
            let polishing = self.edm <= self.options.edm && promised >= 0.0;
            let noise = rounding(work.point.f, work.trial.f);
            let level = polishing
                && promised <= noise
                && ratio.is_finite()
                && (work.trial.f - work.point.f).abs() <= noise;
            if ratio > DECREASE || level {
                let grown = if ratio > 0.75 && length > 0.9 * radius {
                    2.0 * radius
                } else {
                    radius
                };
                work.radius = Some(if ratio < 0.25 && !level {
                    0.5 * length
                } else {
                    grown
                });
                std::mem::swap(&mut work.point, &mut work.trial);
                self.iterations += 1;
                return None;
            }
            // From a saddle both ways are tried at each radius.
            if hard && sign > 0.0 {
                sign = -1.0;
            } else {
                sign = 1.0;
                radius = 0.25 * length.min(radius);
            }
        }
        let level = self.work.trust.zero_gradient(self.options.edm);
        Some(
            if level && matches!(self.hessian, HessianState::Indefinite { .. }) {
                Status::SaddlePoint
            } else {
                self.stalled()
            },
        )
    }
}

/// Sufficient decrease of the value or, where rounding hides it, of the slope.
///
/// Reference: Armijo's rule, and the approximate Wolfe condition of Hager & Zhang (2005), eq. 4.1.
fn acceptable(f: f64, slope: f64, alpha: f64, trial: f64, trial_slope: f64) -> bool {
    trial <= f + DECREASE * alpha * slope
        || (trial <= f + rounding(f, trial) && trial_slope.abs() <= 0.8 * slope.abs())
}

/// Factor on the step from the cubic through values and slopes at both ends, within [0.1, 0.5] (slopes per unit of the trial step).
///
/// Reference: Nocedal & Wright, eq. 3.59.
fn shrink(f0: f64, s0: f64, f1: f64, s1: f64) -> f64 {
    let a = s0 + s1 - 3.0 * (f1 - f0);
    let root = (a * a - s0 * s1).sqrt();
    let t = 1.0 - (s1 + root - a) / (s1 - s0 + 2.0 * root);
    if t.is_nan() { 0.5 } else { t.clamp(0.1, 0.5) }
}
