//! The function to minimise.

use crate::Bordered;

/// A derivative that the objective does not offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this objective does not offer the derivative")]
pub struct Unavailable;

/// A function of n variables with exact derivatives.
///
/// NaN and infinite values mean "outside the domain": minimisers step back from there. The methods take `&mut self` so that an
/// implementation can keep its workspace.
pub trait Objective {
    /// Number of variables n.
    fn dim(&self) -> usize;

    /// f(x).
    fn value(&mut self, x: &[f64]) -> f64;

    /// f(x), and ∇f(x) into `g`.
    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64;

    /// The exact Hessian into `h`: n × n, row-major, both triangles.
    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        let _ = (x, h);
        Err(Unavailable)
    }

    /// A positive semi-definite approximation of the Hessian (Fisher information, Gauss-Newton) into `h`, laid out as in [`Objective::hessian`].
    fn curvature(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        let _ = (x, h);
        Err(Unavailable)
    }

    /// Variables whose mutual Hessian block is diagonal (each touches one bin only); minimisers eliminate them by a Schur complement.
    ///
    /// The answer must not change during a minimisation. Default: none.
    fn separable(&self) -> &[usize] {
        &[]
    }

    /// Threads that the linear algebra may use; their number changes no bit of a result. Default: one.
    fn threads(&self) -> usize {
        1
    }

    /// As [`Objective::hessian`], by blocks. Worth overriding where there are many separable variables: the default goes through the full matrix.
    fn hessian_bordered(&mut self, x: &[f64], h: &mut Bordered) -> Result<(), Unavailable> {
        h.fill_from_dense(|full| self.hessian(x, full))
    }

    /// As [`Objective::curvature`], by blocks.
    fn curvature_bordered(&mut self, x: &[f64], h: &mut Bordered) -> Result<(), Unavailable> {
        h.fill_from_dense(|full| self.curvature(x, full))
    }
}

impl<T: Objective + ?Sized> Objective for &mut T {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn value(&mut self, x: &[f64]) -> f64 {
        (**self).value(x)
    }
    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        (**self).value_and_gradient(x, g)
    }
    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        (**self).hessian(x, h)
    }
    fn curvature(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        (**self).curvature(x, h)
    }
    fn separable(&self) -> &[usize] {
        (**self).separable()
    }
    fn threads(&self) -> usize {
        (**self).threads()
    }
    fn hessian_bordered(&mut self, x: &[f64], h: &mut Bordered) -> Result<(), Unavailable> {
        (**self).hessian_bordered(x, h)
    }
    fn curvature_bordered(&mut self, x: &[f64], h: &mut Bordered) -> Result<(), Unavailable> {
        (**self).curvature_bordered(x, h)
    }
}
