//! Objectives made from residuals or plain formulas that are written once, generic over the number type.

use crate::number::{Complex, Jet, Number};
use pullback_optim::{Objective, Unavailable};

/// A sum of squares Σ r_i(x)² over N variables.
pub trait Residuals<const N: usize> {
    fn residuals<T: Number>(&self, x: &[T]) -> Vec<T>;
}

/// What an objective shows to the minimiser.
#[derive(Clone, Copy, PartialEq)]
pub enum Shows {
    Hessian,
    HessianAndCurvature,
    Gradient,
}

pub struct SumOfSquares<R, const N: usize> {
    pub residuals: R,
    pub shows: Shows,
}

impl<R: Residuals<N>, const N: usize> SumOfSquares<R, N> {
    fn jets(&self, x: &[f64]) -> Vec<Jet<N>> {
        let x: Vec<Jet<N>> = x
            .iter()
            .enumerate()
            .map(|(i, x)| Jet::variable(*x, i))
            .collect();
        self.residuals.residuals(&x)
    }

    fn matrix(&self, x: &[f64], h: &mut [f64], second: f64) {
        h.fill(0.0);
        for r in self.jets(x) {
            for i in 0..N {
                for j in 0..N {
                    h[i * N + j] += 2.0 * (r.g[i] * r.g[j] + second * r.v * r.h[i][j]);
                }
            }
        }
    }

    /// The gradient by complex step: independent of the jets.
    pub fn complex_step(&self, x: &[f64]) -> Vec<f64> {
        (0..N)
            .map(|i| {
                let mut z: Vec<Complex> = x.iter().map(|x| Complex::from(*x)).collect();
                let step = 1e-40;
                z[i].im = step;
                let f = self
                    .residuals
                    .residuals(&z)
                    .into_iter()
                    .fold(Complex::from(0.0), |s, r| s + r * r);
                f.im / step
            })
            .collect()
    }
}

impl<R: Residuals<N>, const N: usize> Objective for SumOfSquares<R, N> {
    fn dim(&self) -> usize {
        N
    }
    fn value(&mut self, x: &[f64]) -> f64 {
        self.residuals.residuals(x).iter().map(|r| r * r).sum()
    }
    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        g.fill(0.0);
        let mut f = 0.0;
        for r in self.jets(x) {
            f += r.v * r.v;
            for (g, d) in g.iter_mut().zip(&r.g) {
                *g += 2.0 * r.v * d;
            }
        }
        f
    }
    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        if !matches!(self.shows, Shows::Hessian | Shows::HessianAndCurvature) {
            return Err(Unavailable);
        }
        self.matrix(x, h, 1.0);
        Ok(())
    }
    fn curvature(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        if self.shows != Shows::HessianAndCurvature {
            return Err(Unavailable);
        }
        self.matrix(x, h, 0.0);
        Ok(())
    }
}

/// A formula over N variables.
pub trait Formula<const N: usize> {
    fn value<T: Number>(&self, x: &[T]) -> T;
}

/// A formula as an objective with exact Hessian and no curvature.
pub struct Exact<F, const N: usize>(pub F);

impl<F: Formula<N>, const N: usize> Exact<F, N> {
    fn jet(&self, x: &[f64]) -> Jet<N> {
        let x: Vec<Jet<N>> = x
            .iter()
            .enumerate()
            .map(|(i, x)| Jet::variable(*x, i))
            .collect();
        self.0.value(&x)
    }
}

impl<F: Formula<N>, const N: usize> Objective for Exact<F, N> {
    fn dim(&self) -> usize {
        N
    }
    fn value(&mut self, x: &[f64]) -> f64 {
        self.0.value(x)
    }
    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        let jet = self.jet(x);
        g.copy_from_slice(&jet.g);
        jet.v
    }
    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        h.copy_from_slice(self.jet(x).h.as_flattened());
        Ok(())
    }
}
