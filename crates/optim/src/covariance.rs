//! Covariance matrices from the exact Hessian.

use crate::factor::Factor;
use crate::trust::TrustRegion;
use crate::{Bordered, Minimum, Objective, OptimError, Problem};

/// A covariance matrix of the free parameters, with zero rows and columns for the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    n: usize,
    matrix: Vec<f64>,
    /// Parameters that have a row: not fixed and not at a bound.
    pub free: Vec<bool>,
}

impl Covariance {
    pub(crate) fn from_parts(n: usize, matrix: Vec<f64>, free: Vec<bool>) -> Self {
        Self { n, matrix, free }
    }

    /// Number of parameters.
    pub fn dim(&self) -> usize {
        self.n
    }

    /// The matrix, n × n, row-major.
    pub fn matrix(&self) -> &[f64] {
        &self.matrix
    }

    /// The element of parameters i and j.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.matrix[i * self.n + j]
    }

    /// Standard errors: roots of the diagonal, zero for parameters without a row.
    pub fn errors(&self) -> Vec<f64> {
        (0..self.n).map(|i| self.get(i, i).sqrt()).collect()
    }

    /// The correlation of two parameters; zero where one has no row.
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        let size = (self.get(i, i) * self.get(j, j)).sqrt();
        if size > 0.0 {
            self.get(i, j) / size
        } else {
            0.0
        }
    }
}

/// The exact Hessian at a minimum, restricted to the free parameters and factorised: what covariances and derivatives of the solution rest on.
///
/// Parameters at a bound count as fixed there. With x*(θ) the solution and f(x, θ) the objective, the implicit function theorem gives
/// dx*/dθ = −H⁻¹ ∂²f/∂x∂θ in this subspace (zero for the other parameters): one [`FreeHessian::solve`] per adjoint.
#[derive(Debug, Clone)]
pub struct FreeHessian {
    n: usize,
    factor: Factor,
    free: Vec<bool>,
}

impl FreeHessian {
    /// Computes and factorises the Hessian at a minimum.
    ///
    /// Errors: [`OptimError::NotPositiveDefinite`] with the parameters that are to blame; [`OptimError::NoHessian`] where the objective has no
    /// exact Hessian.
    pub fn new(
        objective: &mut dyn Objective,
        problem: &Problem,
        minimum: &Minimum,
    ) -> Result<Self, OptimError> {
        let n = objective.dim();
        problem.check(n)?;
        if minimum.x.len() != n {
            return Err(OptimError::Length {
                what: "the minimum",
                found: minimum.x.len(),
                expected: n,
            });
        }
        let mut h = Bordered::new(n, objective.separable())?;
        objective
            .hessian_bordered(&minimum.x, &mut h)
            .map_err(|_| OptimError::NoHessian)?;
        let free: Vec<bool> = (0..n)
            .map(|i| problem.movable(i) && problem.side(i, minimum.x[i]).is_none())
            .collect();
        let mut factor = Factor::default();
        factor.set_threads(objective.threads());
        if let Err(failure) = factor.compute(&h, &free) {
            let mut spectrum = TrustRegion::default();
            let lowest = spectrum.prepare(&h, &free, &vec![0.0; n]).map(|s| s.lowest);
            return Err(OptimError::NotPositiveDefinite {
                pivot: failure.variable,
                eigenvalue: lowest.unwrap_or(f64::NAN),
                parameters: if lowest.is_some() {
                    spectrum.parameters(1)
                } else {
                    vec![failure.variable]
                },
            });
        }
        Ok(Self { n, factor, free })
    }

    /// Parameters that are neither fixed nor at a bound.
    pub fn free(&self) -> &[bool] {
        &self.free
    }

    /// x ← H⁻¹b on the free parameters, zero on the others.
    ///
    /// Errors: [`OptimError::Length`].
    pub fn solve(&mut self, b: &[f64], x: &mut [f64]) -> Result<(), OptimError> {
        for (what, found) in [("the right-hand side", b.len()), ("the solution", x.len())] {
            if found != self.n {
                return Err(OptimError::Length {
                    what,
                    found,
                    expected: self.n,
                });
            }
        }
        self.factor.solve(b, x);
        Ok(())
    }

    /// The covariance matrix s H⁻¹.
    pub fn covariance(&self, scale: f64) -> Result<Covariance, OptimError> {
        let mut matrix = vec![0.0; self.n * self.n];
        self.factor.inverse(scale, &mut matrix, self.n)?;
        Ok(Covariance {
            n: self.n,
            matrix,
            free: self.free.clone(),
        })
    }
}

/// The covariance matrix s H⁻¹ at a minimum, from the exact Hessian of the free parameters.
///
/// `scale` s is 2 for `twice_nll`, 1 for a negative log-likelihood, and 2σ² for a sum of squares. Parameters at a bound count as fixed there; see
/// [`Covariance::free`].
///
/// Errors: [`OptimError::NotPositiveDefinite`] with the parameters that are to blame; [`OptimError::NoHessian`] where the objective has no exact
/// Hessian.
///
/// ```
/// use pullback_optim::{covariance, Minimiser, Newton, Objective, Problem, Unavailable};
/// struct Parabola; // x² + xy + y²: H = [2 1; 1 2]
/// impl Objective for Parabola {
///     fn dim(&self) -> usize { 2 }
///     fn value(&mut self, x: &[f64]) -> f64 { x[0] * x[0] + x[0] * x[1] + x[1] * x[1] }
///     fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
///         g.copy_from_slice(&[2.0 * x[0] + x[1], x[0] + 2.0 * x[1]]);
///         self.value(x)
///     }
///     fn hessian(&mut self, _: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
///         h.copy_from_slice(&[2.0, 1.0, 1.0, 2.0]);
///         Ok(())
///     }
/// }
/// let problem = Problem::new(vec![3.0, 4.0]);
/// let minimum = Newton::default().minimise(&mut Parabola, &problem)?;
/// let v = covariance(&mut Parabola, &problem, &minimum, 2.0)?;
/// assert!((v.get(0, 0) - 4.0 / 3.0).abs() < 1e-15);
/// assert!((v.correlation(0, 1) + 0.5).abs() < 1e-15);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
pub fn covariance(
    objective: &mut dyn Objective,
    problem: &Problem,
    minimum: &Minimum,
    scale: f64,
) -> Result<Covariance, OptimError> {
    FreeHessian::new(objective, problem, minimum)?.covariance(scale)
}
