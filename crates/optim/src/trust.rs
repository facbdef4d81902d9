//! Steps where the Hessian is not positive definite: the exact trust-region step from an eigen-decomposition.

use crate::Bordered;
use pullback_array::linalg;

/// Eigenvalues of the scaled Hessian below this fraction of the largest count as zero.
const FLAT: f64 = 1e-12;

/// The quadratic model in the eigenbasis of the Hessian scaled to unit diagonal, H = S⁻¹ V diag(λ) Vᵀ S⁻¹.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustRegion {
    variables: Vec<usize>,
    /// S: the unit of each variable.
    scale: Vec<f64>,
    /// Per parameter the second derivative behind its unit.
    curvature: Vec<f64>,
    matrix: Vec<f64>,
    values: Vec<f64>,
    /// Row k is eigenvector k.
    vectors: Vec<f64>,
    /// The gradient in the eigenbasis.
    gradient: Vec<f64>,
    y: Vec<f64>,
}

/// What the spectrum says about a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spectrum {
    /// Lowest eigenvalue (unit-diagonal scaling).
    pub(crate) lowest: f64,
    /// Number of eigenvalues that are zero to working precision.
    pub(crate) flat: usize,
    /// Number below those.
    pub(crate) negative: usize,
    /// ½ Σ ĝ_k²/|λ_k| over the others.
    pub(crate) edm: f64,
    /// Largest |ĝ_k| along the flat and negative directions.
    pub(crate) slope: f64,
    /// Whether the units are those of this point, not remembered ones.
    pub(crate) settled: bool,
}

impl TrustRegion {
    /// Forgets the units of an earlier problem.
    pub(crate) fn forget(&mut self) {
        self.curvature.clear();
    }

    /// Decomposes the Hessian on the free variables. None where an entry is not finite.
    pub(crate) fn prepare(&mut self, h: &Bordered, free: &[bool], g: &[f64]) -> Option<Spectrum> {
        self.variables.clear();
        self.variables.extend((0..g.len()).filter(|&i| free[i]));
        let n = self.variables.len();
        self.matrix.clear();
        for &i in &self.variables {
            for &j in &self.variables {
                self.matrix.push(h.get(i, j));
            }
        }
        self.scale.clear();
        self.curvature.resize(g.len(), 0.0);
        let mut settled = true;
        for (k, &i) in self.variables.iter().enumerate() {
            let row = &self.matrix[k * n..(k + 1) * n];
            let largest = row.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            // A (nearly) vanishing diagonal, as at a saddle xy, says nothing about the unit: take the largest element instead.
            let size = if row[k].abs() > 1e-8 * largest {
                row[k].abs()
            } else {
                largest
            };
            // As in MINPACK the unit remembers; here it may grow tenfold per iteration.
            settled &= size >= 0.01 * self.curvature[i];
            self.curvature[i] = size.max(0.01 * self.curvature[i]);
            self.scale.push(if self.curvature[i] > 0.0 {
                1.0 / self.curvature[i].sqrt()
            } else {
                1.0
            });
        }
        for i in 0..n {
            for j in 0..n {
                self.matrix[i * n + j] *= self.scale[i] * self.scale[j];
            }
        }
        self.values.resize(n, 0.0);
        self.vectors.resize(n * n, 0.0);
        linalg::symmetric_eigen(&self.matrix, n, &mut self.values, &mut self.vectors).ok()?;
        self.y.clear();
        self.y.extend(
            self.variables
                .iter()
                .zip(&self.scale)
                .map(|(&i, s)| s * g[i]),
        );
        self.gradient.clear();
        self.gradient.extend(
            self.vectors
                .chunks_exact(n.max(1))
                .map(|v| linalg::dot(v, &self.y)),
        );
        let zero = self.zero();
        let mut out = Spectrum {
            lowest: self.values.first().copied().unwrap_or(0.0),
            flat: 0,
            negative: 0,
            edm: 0.0,
            slope: 0.0,
            settled,
        };
        for (value, g) in self.values.iter().zip(&self.gradient) {
            if value.abs() <= zero {
                out.flat += 1;
                out.slope = out.slope.max(g.abs());
            } else {
                out.edm += 0.5 * g * g / value.abs();
                if *value < 0.0 {
                    out.negative += 1;
                    out.slope = out.slope.max(g.abs());
                }
            }
        }
        Some(out)
    }

    fn zero(&self) -> f64 {
        FLAT * self.values.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
    }

    /// Whether the gradient (scaled) vanishes as far as an edm of `edm` is concerned.
    pub(crate) fn zero_gradient(&self, edm: f64) -> bool {
        self.gradient.iter().map(|g| g * g).sum::<f64>() <= edm
    }

    /// The variables that make up the `count` lowest eigenvectors, the largest component first.
    pub(crate) fn parameters(&self, count: usize) -> Vec<usize> {
        let n = self.variables.len();
        let mut weights: Vec<(f64, usize)> = (0..n)
            .map(|i| {
                (
                    (0..count.min(n))
                        .map(|k| self.vectors[k * n + i].powi(2))
                        .sum::<f64>(),
                    self.variables[i],
                )
            })
            .filter(|(w, _)| *w > 0.01)
            .collect();
        weights.sort_by(|a, b| b.0.total_cmp(&a.0));
        weights.into_iter().map(|(_, i)| i).collect()
    }

    /// Radius that suits a point x: its distance from the origin in scaled units, at least one unit.
    pub(crate) fn initial_radius(&self, x: &[f64]) -> f64 {
        let norm: f64 = self
            .variables
            .iter()
            .zip(&self.scale)
            .map(|(&i, s)| (x[i] / s).powi(2))
            .sum();
        norm.sqrt().max(1.0)
    }

    /// Length of the step from `from` to `to` in scaled units, at least a small fraction of that of `d`.
    pub(crate) fn length(&self, d: &[f64], from: &[f64], to: &[f64]) -> f64 {
        let norm = |f: &dyn Fn(usize) -> f64| {
            self.variables
                .iter()
                .zip(&self.scale)
                .map(|(&i, s)| (f(i) / s).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        norm(&|i| to[i] - from[i]).max(1e-6 * norm(&|i| d[i]))
    }

    /// The minimiser of the model in the ball ‖S⁻¹d‖ ≤ radius, into `d`; returns its length ‖S⁻¹d‖, and whether its sign was a free choice.
    ///
    /// The step is y_k = −ĝ_k / (λ_k + μ) with μ ≥ max(0, −λ₀) such that ‖y‖ = radius (or μ = 0 inside); in the hard case, where the
    /// gradient has no component along the lowest eigenvector, that one is added with the sign `sign`.
    /// Directions that are flat with a vanishing gradient get no step.
    ///
    /// Reference: J. Moré & D. Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553, section 3.
    pub(crate) fn step(&mut self, radius: f64, sign: f64, d: &mut [f64]) -> (f64, bool) {
        let n = self.variables.len();
        d.fill(0.0);
        if n == 0 {
            return (0.0, false);
        }
        let zero = self.zero();
        let size = self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let noise = 1e-14 * size;
        let usable = |value: f64, g: f64| !(value.abs() <= zero && g.abs() <= noise);
        let norm = |mu: f64| -> f64 {
            let terms = self
                .values
                .iter()
                .zip(&self.gradient)
                .filter(|(v, g)| usable(**v, **g) && **g != 0.0);
            terms
                .map(|(v, g)| (g / (v + mu)).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let lowest = self.values[0];
        let floor = if lowest < -zero { -lowest } else { 0.0 };
        // Just above the floor: beyond this μ the step cannot grow any further in double precision.
        let least = floor * (1.0 + 1e-12)
            + if lowest > zero {
                0.0
            } else {
                zero.max(f64::MIN_POSITIVE)
            };
        let mut mu = least;
        let mut extra = 0.0;
        let length = norm(least);
        if length > radius {
            // ‖y(μ)‖ falls from above the radius to below it: Newton's method on 1/‖y‖, safeguarded by bisection.
            let (mut low, mut high) = (least, floor + size / radius + zero);
            for _ in 0..100 {
                let now = norm(mu);
                if (now - radius).abs() <= 1e-6 * radius {
                    break;
                }
                if now > radius {
                    low = mu;
                } else {
                    high = mu;
                }
                let derivative: f64 = self
                    .values
                    .iter()
                    .zip(&self.gradient)
                    .filter(|(v, g)| usable(**v, **g) && **g != 0.0)
                    .map(|(v, g)| g * g / (v + mu).powi(3))
                    .sum();
                let next = mu + (now * now / derivative) * (now / radius - 1.0);
                mu = if next > low && next < high {
                    next
                } else {
                    0.5 * (low + high)
                };
            }
        } else if lowest < -zero {
            extra = (radius * radius - length * length).max(0.0).sqrt();
        }
        for k in 0..n {
            let (value, g) = (self.values[k], self.gradient[k]);
            let mut y = if usable(value, g) && g != 0.0 {
                -g / (value + mu)
            } else {
                0.0
            };
            if k == 0 {
                y += extra * if g.abs() <= noise { sign } else { -g.signum() };
            }
            self.y[k] = y;
        }
        let mut square = 0.0;
        for (position, (&i, s)) in self.variables.iter().zip(&self.scale).enumerate() {
            let along: f64 = (0..n)
                .map(|k| self.vectors[k * n + position] * self.y[k])
                .sum();
            square += along * along;
            d[i] = s * along;
        }
        (
            square.sqrt(),
            extra > 0.0 && self.gradient[0].abs() <= noise,
        )
    }
}
