//! The step of a quadratic model inside a box.

use crate::factor::{Factor, Indefinite};
use crate::{Bordered, Problem, Side};
use pullback_array::linalg::dot;

/// Passes of the primal-dual active-set iteration before the slower, monotone one takes over.
const PASSES: usize = 12;

/// Minimiser of q(d) = gᵀd + ½ dᵀBd over l ≤ x + d ≤ u, for B positive definite on the free variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct BoxStep {
    /// Factor of B on the variables that are free at the start of the step: kept for chord steps.
    pub(crate) factor: Factor,
    /// The variables of `factor`.
    pub(crate) free: Vec<bool>,
    /// Factor on a smaller set, when the step meets bounds.
    inner: Factor,
    inner_free: Vec<bool>,
    held: Vec<Option<Side>>,
    rhs: Vec<f64>,
    p: Vec<f64>,
    product: Vec<f64>,
    scratch: Vec<f64>,
}

impl BoxStep {
    /// Threads of the factorisations.
    pub(crate) fn set_threads(&mut self, threads: usize) {
        self.factor.set_threads(threads);
        self.inner.set_threads(threads);
    }

    /// Factorises B on `free`, and computes the unbounded step p = −B⁻¹g there, from which the edm ½ gᵀB⁻¹g = −½ gᵀp follows.
    pub(crate) fn prepare(
        &mut self,
        b: &Bordered,
        free: &[bool],
        g: &[f64],
    ) -> Result<f64, Indefinite> {
        self.free.clear();
        self.free.extend_from_slice(free);
        self.factor.compute(b, free)?;
        Ok(self.chord(g))
    }

    /// The unbounded step for another gradient with the factor at hand; returns the edm.
    pub(crate) fn chord(&mut self, g: &[f64]) -> f64 {
        self.rhs.clear();
        self.rhs.extend(g.iter().map(|g| -g));
        self.p.resize(g.len(), 0.0);
        self.factor.solve(&self.rhs, &mut self.p);
        0.5 * dot(&self.rhs, &self.p)
    }

    /// The unbounded step of the last call of [`BoxStep::prepare`] or [`BoxStep::chord`].
    pub(crate) fn unbounded(&self) -> &[f64] {
        &self.p
    }

    /// Whether x + p stays inside the box.
    pub(crate) fn inside(&self, x: &[f64], problem: &Problem) -> bool {
        self.p.iter().enumerate().all(|(i, p)| {
            let y = x[i] + p;
            !self.free[i] || (y >= problem.lower[i] && y <= problem.upper[i])
        })
    }

    /// The step in the box, starting from [`BoxStep::prepare`] at the same point. A descent direction of q whenever the gradient allows one.
    ///
    /// Reference: the primal-dual active-set method, M. Hintermüller, K. Ito, K. Kunisch, SIAM J. Optim. 13 (2002) 865; if it cycles, the
    /// primal one (J. Nocedal & S. Wright, Numerical Optimization, 2nd ed., algorithm 16.3), in which q falls in each pass.
    pub(crate) fn step(
        &mut self,
        b: &Bordered,
        x: &[f64],
        g: &[f64],
        problem: &Problem,
        d: &mut [f64],
    ) {
        if self.inside(x, problem) {
            d.copy_from_slice(&self.p);
            return;
        }
        if !self.primal_dual(b, x, g, problem, d) {
            self.primal(b, x, g, problem, d);
        }
    }

    /// B d + g into `product`; returns q(d).
    fn model(&mut self, b: &Bordered, g: &[f64], d: &[f64]) -> f64 {
        self.product.resize(d.len(), 0.0);
        b.multiply(d, &mut self.product, &mut self.scratch);
        let q = dot(g, d) + 0.5 * dot(&self.product, d);
        for (r, g) in self.product.iter_mut().zip(g) {
            *r += g;
        }
        q
    }

    /// Solves for the variables in `inner_free` with the others of `d` held; false where the factorisation fails.
    fn solve_inner(&mut self, b: &Bordered, g: &[f64], d: &[f64]) -> bool {
        self.model(b, g, d);
        if self.inner.compute(b, &self.inner_free).is_err() {
            return false;
        }
        self.rhs.clear();
        self.rhs.extend(self.product.iter().map(|r| -r));
        self.inner.solve(&self.rhs, &mut self.p);
        true
    }

    fn primal_dual(
        &mut self,
        b: &Bordered,
        x: &[f64],
        g: &[f64],
        problem: &Problem,
        d: &mut [f64],
    ) -> bool {
        let n = x.len();
        self.held.clear();
        self.held.extend((0..n).map(|i| {
            let pushed = problem.movable(i) && !self.free[i];
            if pushed { problem.side(i, x[i]) } else { None }
        }));
        d.copy_from_slice(&self.p);
        for pass in 0..PASSES {
            // Who leaves the box is held at the bound.
            let mut changed = false;
            for i in 0..n {
                if problem.movable(i) && self.held[i].is_none() {
                    let y = x[i] + d[i];
                    self.held[i] = if y < problem.lower[i] {
                        Some(Side::Lower)
                    } else if y > problem.upper[i] {
                        Some(Side::Upper)
                    } else {
                        None
                    };
                    changed |= self.held[i].is_some();
                }
            }
            if !changed {
                // Inside. Who is held against the model's will is released, in the first passes (later that could cycle).
                let q = self.model(b, g, d);
                if pass < PASSES / 2 {
                    for i in 0..n {
                        let release = match self.held[i] {
                            Some(Side::Lower) => self.product[i] < 0.0,
                            Some(Side::Upper) => self.product[i] > 0.0,
                            None => false,
                        };
                        if release {
                            self.held[i] = None;
                            changed = true;
                        }
                    }
                }
                if !changed {
                    return q < 0.0;
                }
            }
            self.inner_free.clear();
            self.inner_free
                .extend((0..n).map(|i| problem.movable(i) && self.held[i].is_none()));
            for (i, d) in d.iter_mut().enumerate() {
                *d = match self.held[i] {
                    Some(Side::Lower) => problem.lower[i] - x[i],
                    Some(Side::Upper) => problem.upper[i] - x[i],
                    None => 0.0,
                };
            }
            if !self.solve_inner(b, g, d) {
                return false;
            }
            for ((d, p), _) in d
                .iter_mut()
                .zip(&self.p)
                .zip(&self.inner_free)
                .filter(|(_, free)| **free)
            {
                *d = *p;
            }
        }
        false
    }

    fn primal(&mut self, b: &Bordered, x: &[f64], g: &[f64], problem: &Problem, d: &mut [f64]) {
        let n = x.len();
        d.fill(0.0);
        self.inner_free.clear();
        self.inner_free.extend_from_slice(&self.free);
        for _ in 0..2 * n + 4 {
            if !self.inner_free.iter().any(|f| *f) || !self.solve_inner(b, g, d) {
                return;
            }
            let mut theta = 1.0;
            for i in 0..n {
                if self.inner_free[i] {
                    let room = if self.p[i] < 0.0 {
                        problem.lower[i] - x[i] - d[i]
                    } else {
                        problem.upper[i] - x[i] - d[i]
                    };
                    if self.p[i] != 0.0 {
                        theta = f64::min(theta, (room / self.p[i]).max(0.0));
                    }
                }
            }
            let mut blocked = false;
            for i in 0..n {
                if self.inner_free[i] {
                    let y = d[i] + theta * self.p[i];
                    let (low, high) = (problem.lower[i] - x[i], problem.upper[i] - x[i]);
                    d[i] = y.clamp(low, high);
                    let at = if self.p[i] < 0.0 { low } else { high };
                    if theta < 1.0 && (y - at).abs() <= 1e-14 * at.abs() {
                        d[i] = at;
                        self.inner_free[i] = false;
                        blocked = true;
                    }
                }
            }
            if !blocked {
                return;
            }
        }
    }
}
