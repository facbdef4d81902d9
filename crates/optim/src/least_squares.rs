//! The Levenberg-Marquardt method for sums of squares.

use crate::{Counts, Covariance, HessianState, Minimum, OptimError, Problem, Progress, Status};
use pullback_array::linalg::{self, LinalgError, dot};
use std::ops::ControlFlow;

/// Residuals r_i(x) of a least-squares problem, m of them, with their Jacobian.
///
/// NaN and infinities mean that x lies outside the domain.
pub trait Residuals {
    /// Number of parameters n.
    fn parameters(&self) -> usize;

    /// Number of residuals m.
    fn observations(&self) -> usize;

    /// r(x) into `r`.
    fn residuals(&mut self, x: &[f64], r: &mut [f64]);

    /// ∂r_i/∂x_j into `j`: m × n, row-major.
    fn jacobian(&mut self, x: &[f64], j: &mut [f64]);
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeastSquaresOptions {
    /// Converged when the part of r inside the tangent plane is below this fraction of ‖r‖. Default 1e-10.
    ///
    /// Reference: the relative offset of D. Bates & D. Watts, Technometrics 23 (1981) 179.
    pub offset: f64,
    /// Go on from there as long as the offset keeps falling. Default true.
    pub polish: bool,
    /// Most steps. Default 2000.
    pub iterations: usize,
    /// Most calls for the residuals. Default 20 000.
    pub evaluations: usize,
}

impl Default for LeastSquaresOptions {
    fn default() -> Self {
        Self {
            offset: 1e-10,
            polish: true,
            iterations: 2000,
            evaluations: 20_000,
        }
    }
}

/// Minimises f(x) = Σ r_i(x)² inside bounds.
///
/// The trust-region form of the Levenberg-Marquardt method with the scaling of MINPACK; each linear problem is solved by a singular-value
/// decomposition of the scaled Jacobian, which never squares its condition number.
///
/// ```
/// use pullback_optim::{LevenbergMarquardt, Problem, Residuals};
/// struct Decay; // y = a exp(−b t) through (0, 3), (1, 1.5), (2, 0.75)
/// impl Residuals for Decay {
///     fn parameters(&self) -> usize { 2 }
///     fn observations(&self) -> usize { 3 }
///     fn residuals(&mut self, x: &[f64], r: &mut [f64]) {
///         for (t, r) in r.iter_mut().enumerate() {
///             *r = x[0] * (-x[1] * t as f64).exp() - 3.0 / (1 << t) as f64;
///         }
///     }
///     fn jacobian(&mut self, x: &[f64], j: &mut [f64]) {
///         for (t, j) in j.chunks_exact_mut(2).enumerate() {
///             let e = (-x[1] * t as f64).exp();
///             j.copy_from_slice(&[e, -x[0] * t as f64 * e]);
///         }
///     }
/// }
/// let fit = LevenbergMarquardt::default().minimise(&mut Decay, &Problem::new(vec![1.0, 0.0]))?;
/// assert!(fit.converged());
/// assert!((fit.x[0] - 3.0).abs() < 1e-12 && (fit.x[1] - 2f64.ln()).abs() < 1e-12);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: J. Moré, Lecture Notes in Mathematics 630 (1978) 105.
#[derive(Debug, Clone, Default)]
pub struct LevenbergMarquardt {
    /// When to stop.
    pub options: LeastSquaresOptions,
    work: Work,
}

#[derive(Debug, Clone, Default)]
struct Work {
    free: Vec<usize>,
    /// Columns of J for the free parameters, each divided by its unit.
    a: Vec<f64>,
    values: Vec<f64>,
    left: Vec<f64>,
    right: Vec<f64>,
    /// Uᵀr.
    c: Vec<f64>,
    scale: Vec<f64>,
}

/// Singular values below this fraction of the largest count as zero (columns have unit length).
const SINGULAR: f64 = 1e-14;
/// The unit of a parameter is the largest norm of its column so far, with this loss of memory per step.
///
/// MINPACK has 1 and starts with a radius of 100 |x|; 0.8 and a radius of |x| (as here) need half the steps on NIST's problems, and all of them
/// are solved from both starts.
const MEMORY: f64 = 0.8;

struct State {
    x: Vec<f64>,
    r: Vec<f64>,
    j: Vec<f64>,
    g: Vec<f64>,
    f: f64,
}

impl State {
    fn finite(&self) -> bool {
        self.f.is_finite() && self.j.iter().all(|j| j.is_finite())
    }

    fn residuals(&mut self, target: &mut dyn Residuals, counts: &mut Counts) {
        counts.values += 1;
        target.residuals(&self.x, &mut self.r);
        self.f = dot(&self.r, &self.r);
    }

    fn jacobian(&mut self, target: &mut dyn Residuals, counts: &mut Counts) {
        counts.gradients += 1;
        target.jacobian(&self.x, &mut self.j);
        self.g.fill(0.0);
        for (row, r) in self.j.chunks_exact(self.x.len().max(1)).zip(&self.r) {
            for (g, j) in self.g.iter_mut().zip(row) {
                *g += 2.0 * r * j;
            }
        }
    }
}

impl Work {
    /// Decomposes the scaled Jacobian of the free parameters; returns (‖Uᵀr‖², rank deficiency).
    fn decompose(&mut self, state: &State) -> Result<(f64, usize), LinalgError> {
        let (m, n, k) = (state.r.len(), state.x.len(), self.free.len());
        self.a.clear();
        for row in state.j.chunks_exact(n) {
            self.a
                .extend(self.free.iter().map(|&i| row[i] / self.scale[i]));
        }
        // With fewer observations than parameters, rows of zeros are added.
        let rows = m.max(k);
        self.a.resize(rows * k, 0.0);
        self.values.resize(k, 0.0);
        self.left.resize(k * rows, 0.0);
        self.right.resize(k * k, 0.0);
        linalg::thin_svd(
            &self.a,
            rows,
            k,
            &mut self.values,
            &mut self.left,
            &mut self.right,
        )?;
        self.c.clear();
        self.c.extend(
            self.left
                .chunks_exact(rows.max(1))
                .map(|u| dot(&u[..m], &state.r)),
        );
        let cut = self.cut();
        let mut inside = 0.0;
        let mut deficient = 0;
        for (s, c) in self.values.iter().zip(&self.c) {
            if *s > cut {
                inside += c * c;
            } else {
                deficient += 1;
            }
        }
        Ok((inside, deficient))
    }

    fn cut(&self) -> f64 {
        SINGULAR * self.values.first().copied().unwrap_or(0.0)
    }

    /// Σ over singular values of (σ c)² / (σ² + λ)^p.
    fn moment(&self, lambda: f64, power: i32) -> f64 {
        let cut = self.cut();
        self.values
            .iter()
            .zip(&self.c)
            .filter(|(s, _)| **s > cut)
            .map(|(s, c)| (s * c).powi(2) / (s * s + lambda).powi(power))
            .sum()
    }

    /// The step with ‖D p‖ ≤ radius (to 10 %) into `p`; returns its length.
    fn step(&self, radius: f64, p: &mut [f64]) -> f64 {
        let mut lambda = 0.0;
        let mut length = self.moment(0.0, 2).sqrt();
        if length > 1.1 * radius {
            let (mut low, mut high) = (0.0, self.moment(0.0, 0).sqrt() / radius);
            for _ in 0..60 {
                // Newton's method on 1/‖p‖ − 1/radius (Moré 1978, eq. 5.5), safeguarded.
                let slope = self.moment(lambda, 3) / length;
                let next = lambda + (length - radius) / radius * length / slope;
                lambda = if next > low && next < high {
                    next
                } else {
                    0.5 * (low + high)
                };
                length = self.moment(lambda, 2).sqrt();
                if (length - radius).abs() <= 0.1 * radius {
                    break;
                }
                if length > radius {
                    low = lambda;
                } else {
                    high = lambda;
                }
            }
        }
        p.fill(0.0);
        let (k, cut) = (self.free.len(), self.cut());
        for (v, (s, c)) in self
            .right
            .chunks_exact(k.max(1))
            .zip(self.values.iter().zip(&self.c))
        {
            if *s > cut {
                let along = -s * c / (s * s + lambda);
                for (&i, v) in self.free.iter().zip(v) {
                    p[i] += along * v / self.scale[i];
                }
            }
        }
        length
    }
}

impl LevenbergMarquardt {
    /// With other options.
    pub fn new(options: LeastSquaresOptions) -> Self {
        Self {
            options,
            work: Work::default(),
        }
    }

    /// Minimises inside the bounds.
    pub fn minimise(
        &mut self,
        target: &mut dyn Residuals,
        problem: &Problem,
    ) -> Result<Minimum, OptimError> {
        self.minimise_watched(target, problem, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`LevenbergMarquardt::minimise`], calling `hook` once per iteration; where that answers `Break`, the best point so far is returned.
    pub fn minimise_watched(
        &mut self,
        target: &mut dyn Residuals,
        problem: &Problem,
        hook: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Minimum, OptimError> {
        let (n, m) = (target.parameters(), target.observations());
        problem.check(n)?;
        let mut state = State {
            x: vec![0.0; n],
            r: vec![0.0; m],
            j: vec![0.0; m * n],
            g: vec![0.0; n],
            f: 0.0,
        };
        let mut trial = State {
            x: vec![0.0; n],
            r: vec![0.0; m],
            j: vec![0.0; m * n],
            g: vec![0.0; n],
            f: 0.0,
        };
        let mut counts = Counts::default();
        problem.projected_start(&mut state.x);
        state.residuals(target, &mut counts);
        if !state.f.is_finite() {
            return Err(OptimError::OutsideDomain {
                what: "the sum of squares".to_owned(),
                value: state.f,
            });
        }
        state.jacobian(target, &mut counts);
        if let Some(k) = state.j.iter().position(|j| !j.is_finite()) {
            let what = format!(
                "the derivative of residual {} with respect to parameter {}",
                k / n,
                k % n
            );
            return Err(OptimError::OutsideDomain {
                what,
                value: state.j[k],
            });
        }
        let work = &mut self.work;
        work.scale.clear();
        work.scale.resize(n, 0.0);
        let (mut iterations, mut edm, mut deficient) = (0, f64::NAN, 0);
        let (mut lowest, mut idle) = (f64::INFINITY, 0);
        let mut radius = None::<f64>;
        let (mut p, mut jp) = (vec![0.0; n], vec![0.0; m]);
        let status = 'fit: loop {
            let progress = Progress {
                iteration: iterations,
                value: state.f,
                edm,
                evaluations: counts,
                x: &state.x,
            };
            if hook(&progress).is_break() {
                break Status::Interrupted;
            }
            if iterations >= self.options.iterations {
                break Status::IterationLimit;
            }
            work.free.clear();
            work.free
                .extend((0..n).filter(|&i| problem.is_free(i, state.x[i], state.g[i])));
            if work.free.is_empty() {
                edm = 0.0;
                break Status::ConvergedAtCorner;
            }
            for (i, scale) in work.scale.iter_mut().enumerate() {
                let norm = state
                    .j
                    .iter()
                    .skip(i)
                    .step_by(n)
                    .map(|j| j * j)
                    .sum::<f64>()
                    .sqrt();
                *scale = if norm > 0.0 {
                    norm.max(MEMORY * *scale)
                } else if *scale > 0.0 {
                    *scale
                } else {
                    1.0
                };
            }
            match work.decompose(&state) {
                Ok(found) => (edm, deficient) = found,
                Err(error) => return Err(error.into()),
            }
            if edm.sqrt() <= self.options.offset * state.f.sqrt() {
                idle = if edm < 0.25 * lowest { 0 } else { idle + 1 };
                lowest = lowest.min(edm);
                if !self.options.polish || idle >= 3 || edm <= 1e-32 * state.f {
                    break if deficient > 0 {
                        Status::ConvergedFlat
                    } else {
                        Status::Converged
                    };
                }
            }
            let size: f64 = work
                .free
                .iter()
                .map(|&i| (work.scale[i] * state.x[i]).powi(2))
                .sum::<f64>()
                .sqrt();
            let mut now = radius.unwrap_or(if size > 0.0 { size } else { 1.0 });
            loop {
                if counts.values >= self.options.evaluations {
                    break 'fit Status::EvaluationLimit;
                }
                let length = work.step(now, &mut p);
                problem.advance(&state.x, 1.0, &p, &mut trial.x);
                for (p, (trial, x)) in p.iter_mut().zip(trial.x.iter().zip(&state.x)) {
                    *p = trial - x;
                }
                let stuck = trial.x == state.x;
                if stuck || now <= 1e-15 * size {
                    let fine = edm.sqrt() <= self.options.offset.max(1e-7) * state.f.sqrt();
                    break 'fit match (fine, deficient) {
                        (true, 0) => Status::Converged,
                        (true, _) => Status::ConvergedFlat,
                        _ => Status::Stalled,
                    };
                }
                linalg::matvec(&state.j, &p, &mut jp)?;
                for (y, r) in jp.iter_mut().zip(&state.r) {
                    *y += r;
                }
                // ‖r‖² − ‖r + Jp‖² without the cancellation: −(2r + Jp)·Jp = (r − (r + Jp))·(r + (r + Jp)).
                let promised: f64 = jp
                    .iter()
                    .zip(&state.r)
                    .map(|(y, r)| (r - y) * (r + y))
                    .sum();
                trial.residuals(target, &mut counts);
                let gained: f64 = trial
                    .r
                    .iter()
                    .zip(&state.r)
                    .map(|(t, r)| (r - t) * (r + t))
                    .sum();
                // Below a promise of 1e-11 f, rounding of the residuals hides the gain: the offset decides then, not f.
                let rounding = 1e-11 * state.f;
                let level = promised.abs() <= rounding && (trial.f - state.f).abs() <= rounding;
                let ratio = if trial.f.is_finite() && promised > 0.0 {
                    gained / promised
                } else {
                    -1.0
                };
                if ratio >= 1e-4 || level {
                    trial.jacobian(target, &mut counts);
                    if trial.finite() {
                        radius = Some(if level || ratio >= 0.75 {
                            now.max(2.0 * length)
                        } else if ratio < 0.25 {
                            0.5 * length
                        } else {
                            now
                        });
                        std::mem::swap(&mut state, &mut trial);
                        iterations += 1;
                        break;
                    }
                }
                now = 0.25 * now.min(length);
            }
        };
        let at_bound: Vec<_> = (0..n).map(|i| problem.side(i, state.x[i])).collect();
        let near_zero_multipliers = (0..n)
            .filter(|&i| {
                let second: f64 = 2.0
                    * state
                        .j
                        .iter()
                        .skip(i)
                        .step_by(n)
                        .map(|j| j * j)
                        .sum::<f64>();
                at_bound[i].is_some() && state.g[i].abs() <= 1e-4 * second.sqrt()
            })
            .collect();
        let hessian = if deficient > 0 {
            HessianState::Flat {
                directions: deficient,
                parameters: work.blame(deficient),
            }
        } else {
            HessianState::Approximate
        };
        Ok(Minimum {
            x: state.x,
            value: state.f,
            gradient: state.g,
            edm,
            status,
            iterations,
            evaluations: counts,
            at_bound,
            near_zero_multipliers,
            hessian,
        })
    }
}

impl Work {
    /// The parameters of the `count` smallest singular vectors, the largest component first.
    fn blame(&self, count: usize) -> Vec<usize> {
        let k = self.free.len();
        let mut weights: Vec<(f64, usize)> = (0..k)
            .map(|i| {
                (
                    (k - count.min(k)..k)
                        .map(|v| self.right[v * k + i].powi(2))
                        .sum::<f64>(),
                    self.free[i],
                )
            })
            .filter(|(w, _)| *w > 0.01)
            .collect();
        weights.sort_by(|a, b| b.0.total_cmp(&a.0));
        weights.into_iter().map(|(_, i)| i).collect()
    }
}

/// The covariance matrix s (JᵀJ)⁻¹ of a least-squares fit, from the singular values of J. Parameters at a bound count as fixed there.
///
/// `scale` s is σ², the variance of a residual: 1 where residuals are divided by their errors; the usual estimate otherwise is f / (m − n) with the
/// number n of free parameters.
///
/// Errors: [`OptimError::NotPositiveDefinite`] where columns of J are dependent to working precision.
pub fn least_squares_covariance(
    target: &mut dyn Residuals,
    problem: &Problem,
    minimum: &Minimum,
    scale: f64,
) -> Result<Covariance, OptimError> {
    let (n, m) = (target.parameters(), target.observations());
    problem.check(n)?;
    if minimum.x.len() != n {
        return Err(OptimError::Length {
            what: "the minimum",
            found: minimum.x.len(),
            expected: n,
        });
    }
    let mut state = State {
        x: minimum.x.clone(),
        r: vec![0.0; m],
        j: vec![0.0; m * n],
        g: vec![0.0; n],
        f: 0.0,
    };
    let mut counts = Counts::default();
    state.residuals(target, &mut counts);
    state.jacobian(target, &mut counts);
    let free: Vec<bool> = (0..n)
        .map(|i| problem.movable(i) && problem.side(i, minimum.x[i]).is_none())
        .collect();
    let mut work = Work {
        free: (0..n).filter(|&i| free[i]).collect(),
        ..Work::default()
    };
    work.scale = (0..n)
        .map(|i| {
            state
                .j
                .iter()
                .skip(i)
                .step_by(n)
                .map(|j| j * j)
                .sum::<f64>()
                .sqrt()
        })
        .collect();
    for s in &mut work.scale {
        if *s == 0.0 {
            *s = 1.0;
        }
    }
    let (_, deficient) = work.decompose(&state)?;
    if deficient > 0 {
        let parameters = work.blame(1);
        return Err(OptimError::NotPositiveDefinite {
            pivot: parameters.first().copied().unwrap_or(0),
            eigenvalue: work.values.last().map_or(f64::NAN, |s| s * s),
            parameters,
        });
    }
    let k = work.free.len();
    let mut matrix = vec![0.0; n * n];
    for (v, s) in work.right.chunks_exact(k.max(1)).zip(&work.values) {
        for (&i, a) in work.free.iter().zip(v) {
            for (&j, b) in work.free.iter().zip(v) {
                matrix[i * n + j] += scale * (a / (s * work.scale[i])) * (b / (s * work.scale[j]));
            }
        }
    }
    Ok(Covariance::from_parts(n, matrix, free))
}
