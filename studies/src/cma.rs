//! CMA-ES: what is optimised with where there are no derivatives.

use pullback_array::linalg::symmetric_eigen;
use pullback_prob::{Key, fill_normal};

/// The covariance matrix adaptation evolution strategy with weighted recombination, cumulation and rank-one and rank-µ updates, at its default constants.
///
/// Reference: N. Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, figure 6 and table 1.
pub struct CmaEs {
    n: usize,
    /// The mean of the distribution.
    pub mean: Vec<f64>,
    /// Its step size.
    pub sigma: f64,
    c: Vec<f64>,
    p_sigma: Vec<f64>,
    p_c: Vec<f64>,
    weights: Vec<f64>,
    lambda: usize,
    generation: usize,
    key: Key,
}

impl CmaEs {
    /// A normal distribution about a start, of standard deviation `sigma` in all directions.
    pub fn new(start: Vec<f64>, sigma: f64, seed: u64) -> Self {
        let n = start.len();
        let lambda = 4 + (3.0 * (n as f64).ln()).floor() as usize;
        let mu = lambda / 2;
        let raw = (1..=mu).map(|i| (0.5 * (lambda as f64 + 1.0) / i as f64).ln());
        let raw: Vec<f64> = raw.collect();
        let sum: f64 = raw.iter().sum();
        let mut c = vec![0.0; n * n];
        (0..n).for_each(|i| c[i * n + i] = 1.0);
        Self {
            n,
            mean: start,
            sigma,
            c,
            p_sigma: vec![0.0; n],
            p_c: vec![0.0; n],
            weights: raw.iter().map(|w| w / sum).collect(),
            lambda,
            generation: 0,
            key: Key::new(seed, "cma-es"),
        }
    }

    /// One generation: evaluates its points, and moves on. Values that are not finite are the worst. Returns the best value and its point.
    ///
    /// # Panics
    /// If the covariance is no matrix of numbers any more, which takes infinite steps.
    pub fn generation(&mut self, f: &mut dyn FnMut(&[f64]) -> f64) -> (f64, Vec<f64>) {
        let n = self.n;
        let mut values = vec![0.0; n];
        let mut vectors = vec![0.0; n * n];
        symmetric_eigen(&self.c, n, &mut values, &mut vectors).expect("a symmetric matrix");
        let d: Vec<f64> = values.iter().map(|v| v.max(1e-30).sqrt()).collect();
        let mut points: Vec<(f64, Vec<f64>)> = Vec::new();
        for k in 0..self.lambda {
            let mut z = vec![0.0; n];
            let id = (self.generation * self.lambda + k) as u64;
            for (i, z) in z.iter_mut().enumerate() {
                fill_normal(std::slice::from_mut(z), self.key, id, i as u32);
            }
            // y = B D z, with the eigenvectors as columns of B: rows of `vectors`.
            let y = |i: usize| {
                (0..n)
                    .map(|j| vectors[j * n + i] * d[j] * z[j])
                    .sum::<f64>()
            };
            let y: Vec<f64> = (0..n).map(y).collect();
            let x: Vec<f64> = (0..n).map(|i| self.mean[i] + self.sigma * y[i]).collect();
            let value = f(&x);
            points.push((
                if value.is_finite() {
                    value
                } else {
                    f64::INFINITY
                },
                y,
            ));
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let best_y = points[0].1.clone();
        let best = (0..n)
            .map(|i| self.mean[i] + self.sigma * best_y[i])
            .collect();
        self.update(&points, &vectors, &d);
        (points[0].0, best)
    }

    fn update(&mut self, points: &[(f64, Vec<f64>)], vectors: &[f64], d: &[f64]) {
        let n = self.n;
        let dim = n as f64;
        let mu_eff = 1.0 / self.weights.iter().map(|w| w * w).sum::<f64>();
        let c_sigma = (mu_eff + 2.0) / (dim + mu_eff + 5.0);
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (dim + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_c = (4.0 + mu_eff / dim) / (dim + 4.0 + 2.0 * mu_eff / dim);
        let c_1 = 2.0 / ((dim + 1.3).powi(2) + mu_eff);
        let rank_mu = 2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((dim + 2.0).powi(2) + mu_eff);
        let c_mu = rank_mu.min(1.0 - c_1);
        let expected = dim.sqrt() * (1.0 - 1.0 / (4.0 * dim) + 1.0 / (21.0 * dim * dim));
        let mut step = vec![0.0; n];
        for (w, (_, y)) in self.weights.iter().zip(points) {
            step.iter_mut().zip(y).for_each(|(s, y)| *s += w * y);
        }
        for (m, s) in self.mean.iter_mut().zip(&step) {
            *m += self.sigma * s;
        }
        // C^(-1/2) step = B D⁻¹ Bᵀ step.
        let along = |j: usize| (0..n).map(|i| vectors[j * n + i] * step[i]).sum::<f64>() / d[j];
        let along: Vec<f64> = (0..n).map(along).collect();
        let factor = (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt();
        for i in 0..n {
            let white: f64 = (0..n).map(|j| vectors[j * n + i] * along[j]).sum();
            self.p_sigma[i] = (1.0 - c_sigma) * self.p_sigma[i] + factor * white;
        }
        let norm = self.p_sigma.iter().map(|p| p * p).sum::<f64>().sqrt();
        let t = (self.generation + 1) as i32;
        let stalled = norm / (1.0 - (1.0 - c_sigma).powi(2 * t)).sqrt();
        let h = f64::from(u8::from(stalled < (1.4 + 2.0 / (dim + 1.0)) * expected));
        let factor = h * (c_c * (2.0 - c_c) * mu_eff).sqrt();
        for (p, s) in self.p_c.iter_mut().zip(&step) {
            *p = (1.0 - c_c) * *p + factor * s;
        }
        let keep = 1.0 - c_1 - c_mu + c_1 * (1.0 - h) * c_c * (2.0 - c_c);
        for i in 0..n {
            for j in 0..n {
                let rank_mu: f64 = self
                    .weights
                    .iter()
                    .zip(points)
                    .map(|(w, (_, y))| w * y[i] * y[j])
                    .sum();
                let c = &mut self.c[i * n + j];
                *c = keep * *c + c_1 * self.p_c[i] * self.p_c[j] + c_mu * rank_mu;
            }
        }
        self.sigma *= ((c_sigma / d_sigma) * (norm / expected - 1.0))
            .min(1.0)
            .exp();
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rosenbrock_in_six_dimensions() {
        let mut f = |x: &[f64]| {
            let pairs = x.windows(2);
            pairs
                .map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2))
                .sum()
        };
        let mut cma = CmaEs::new(vec![-1.0; 6], 0.5, 3);
        let mut best = f64::INFINITY;
        for _ in 0..600 {
            best = best.min(cma.generation(&mut f).0);
        }
        assert!(best < 1e-9, "{best}");
    }
}
