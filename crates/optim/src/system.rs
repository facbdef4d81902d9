//! Zeros of systems of equations.

use crate::{LevenbergMarquardt, OptimError, Problem, Residuals};
use pullback_array::linalg::{Lu, dot};

/// Newton's method for F(x) = 0, n equations in n unknowns, with a line search on ‖F‖².
///
/// Where the Jacobian is singular, or its direction leads nowhere, the Levenberg-Marquardt method takes over; a point where ‖F‖ has a minimum
/// that is not zero is reported as such.
///
/// ```
/// use pullback_optim::{NewtonRoot, Residuals};
/// struct Circles; // x² + y² = 4, x = y
/// impl Residuals for Circles {
///     fn parameters(&self) -> usize { 2 }
///     fn observations(&self) -> usize { 2 }
///     fn residuals(&mut self, x: &[f64], r: &mut [f64]) {
///         r.copy_from_slice(&[x[0] * x[0] + x[1] * x[1] - 4.0, x[0] - x[1]]);
///     }
///     fn jacobian(&mut self, x: &[f64], j: &mut [f64]) {
///         j.copy_from_slice(&[2.0 * x[0], 2.0 * x[1], 1.0, -1.0]);
///     }
/// }
/// let root = NewtonRoot::default().solve(&mut Circles, &[1.0, 0.0])?;
/// assert!(root.converged && (root.x[0] - 2f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: J. Dennis & R. Schnabel, Numerical Methods for Unconstrained Optimization and Nonlinear Equations (1983), section 6.5.
#[derive(Debug, Clone)]
pub struct NewtonRoot {
    /// Converged when a Newton step changes no component by more than this fraction of the largest one. Default 1e-12.
    pub tolerance: f64,
    /// Most steps. Default 100.
    pub iterations: usize,
}

impl Default for NewtonRoot {
    fn default() -> Self {
        Self {
            tolerance: 1e-12,
            iterations: 100,
        }
    }
}

/// A zero of a system, or the best that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemRoot {
    /// The point.
    pub x: Vec<f64>,
    /// F there.
    pub residuals: Vec<f64>,
    /// Newton steps.
    pub iterations: usize,
    /// Reciprocal condition number of the last Jacobian: derivatives of the solution lose that many digits. Zero where it was singular.
    pub rcond: f64,
    /// Whether the point is a zero as far as the method can tell.
    pub converged: bool,
}

/// Below this reciprocal condition number a Newton direction is noise.
const SINGULAR: f64 = 1e-15;

impl NewtonRoot {
    /// Searches from `start`.
    ///
    /// Errors: numbers of equations and unknowns differ, or the functions are not finite at the start.
    pub fn solve(
        &self,
        target: &mut dyn Residuals,
        start: &[f64],
    ) -> Result<SystemRoot, OptimError> {
        let n = target.parameters();
        if target.observations() != n {
            return Err(OptimError::Length {
                what: "the system",
                found: target.observations(),
                expected: n,
            });
        }
        let problem = Problem::new(start.to_vec());
        problem.check(n)?;
        let mut x = start.to_vec();
        let (mut r, mut j) = (vec![0.0; n], vec![0.0; n * n]);
        let (mut trial, mut r_trial) = (x.clone(), r.clone());
        target.residuals(&x, &mut r);
        let mut size = dot(&r, &r);
        if !size.is_finite() {
            return Err(OptimError::OutsideDomain {
                what: "the system".to_owned(),
                value: size,
            });
        }
        let mut rcond = 0.0;
        let mut iterations = 0;
        let mut rescued = false;
        while iterations < self.iterations {
            if size == 0.0 {
                rcond = condition(target, &x, &mut j);
                return Ok(SystemRoot {
                    x,
                    residuals: r,
                    iterations,
                    rcond,
                    converged: true,
                });
            }
            target.jacobian(&x, &mut j);
            let lu = Lu::new(&j, n).ok();
            rcond = lu.as_ref().map_or(0.0, Lu::rcond);
            let mut accepted = false;
            if let (Some(lu), true) = (&lu, rcond > SINGULAR) {
                let mut d: Vec<f64> = r.iter().map(|r| -r).collect();
                lu.solve(&mut d)?;
                let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
                let small = d
                    .iter()
                    .all(|d| d.abs() <= self.tolerance * largest.max(f64::MIN_POSITIVE));
                let mut alpha = 1.0;
                for _ in 0..40 {
                    for i in 0..n {
                        trial[i] = x[i] + alpha * d[i];
                    }
                    target.residuals(&trial, &mut r_trial);
                    let now = dot(&r_trial, &r_trial);
                    // Along Newton's direction ‖F‖² falls with slope −2‖F‖².
                    if now <= (1.0 - 2e-4 * alpha) * size {
                        std::mem::swap(&mut x, &mut trial);
                        std::mem::swap(&mut r, &mut r_trial);
                        size = now;
                        accepted = true;
                        iterations += 1;
                        break;
                    }
                    if small || trial == x {
                        break;
                    }
                    alpha *= if now.is_finite() { 0.5 } else { 0.2 };
                }
                if small {
                    return Ok(SystemRoot {
                        x,
                        residuals: r,
                        iterations,
                        rcond,
                        converged: true,
                    });
                }
            }
            if !accepted {
                if rescued {
                    break;
                }
                rescued = true;
                let minimum =
                    LevenbergMarquardt::default().minimise(target, &Problem::new(x.clone()))?;
                iterations += minimum.iterations;
                x.copy_from_slice(&minimum.x);
                target.residuals(&x, &mut r);
                let before = size;
                size = dot(&r, &r);
                if size >= before {
                    break;
                }
            }
        }
        Ok(SystemRoot {
            x,
            residuals: r,
            iterations,
            rcond,
            converged: size == 0.0,
        })
    }
}

fn condition(target: &mut dyn Residuals, x: &[f64], j: &mut [f64]) -> f64 {
    target.jacobian(x, j);
    Lu::new(j, x.len()).map_or(0.0, |lu| lu.rcond())
}
