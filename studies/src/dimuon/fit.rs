//! The fit: Newton with the exact Hessian, covariance from its inverse.

use pullback_optim::{Covariance, Minimiser, Minimum, Newton, Objective, Problem, covariance};

use super::calibration::{Calibration, Peak};
use super::error::DimuonError;
use super::likelihood::Likelihood;

/// A calibration that was fitted.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Where it ended.
    pub minimum: Minimum,
    /// 2 H⁻¹.
    pub covariance: Covariance,
}

impl Fitted {
    /// A parameter and its standard error.
    pub fn of(&self, parameter: usize) -> (f64, f64) {
        (
            self.minimum.x[parameter],
            self.covariance.get(parameter, parameter).sqrt(),
        )
    }
}

/// Start values and bounds: no shifts, a resolution of 1.2 % (2 % beyond |η| = 1.2), half as much more in its square at large p_T, a background of a tenth. `pure`: without background.
pub fn start(calibration: &Calibration, pure: bool) -> Problem {
    let layout = calibration.layout();
    let mut problem = Problem::new(vec![0.0; layout.count()]);
    for bin in 0..layout.bins {
        let variance = if calibration.edges[bin] < 1.2 {
            1.4
        } else {
            4.0
        };
        problem.start[layout.low(bin)] = variance;
        problem.start[layout.high(bin)] = 1.5 * variance;
        problem = problem
            .with_bounds(layout.low(bin), 0.05, 60.0)
            .with_bounds(layout.high(bin), 0.05, 60.0);
        for peak in Peak::ALL {
            problem.start[layout.background(peak, bin)] = -2.2;
            problem = problem
                .with_bounds(layout.background(peak, bin), -12.0, 12.0)
                .with_bounds(layout.slope(peak, bin), -0.98, 0.98);
        }
    }
    if pure {
        for bin in 0..layout.bins {
            for peak in Peak::ALL {
                problem = problem
                    .with_fixed(layout.background(peak, bin), -40.0)
                    .with_fixed(layout.slope(peak, bin), 0.0);
            }
        }
    }
    problem
}

/// Minimises, and inverts the Hessian there.
///
/// # Errors
/// A failed run of a program, a minimiser that cannot start, a Hessian that is not positive definite.
pub fn fit(likelihood: &mut Likelihood<'_>, problem: &Problem) -> Result<Fitted, DimuonError> {
    let result = Newton::default().minimise(likelihood as &mut dyn Objective, problem);
    if let Some(failure) = likelihood.take_failure() {
        return Err(failure);
    }
    let minimum = result?;
    let covariance = covariance(likelihood, problem, &minimum, 2.0)?;
    Ok(Fitted {
        minimum,
        covariance,
    })
}
