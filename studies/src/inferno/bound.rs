//! What no statistic can beat: the information of the events themselves.

use super::benchmark::Benchmark;
use super::toy::Toy;

/// Nodes in t = exp(−x₂).
const NODES: usize = 48;
/// Distance of nodes in x₀ and x₁, in units of the signal's standard deviation.
const STEP: f64 = 0.2;

/// The Fisher information of the unbinned extended likelihood of (s, r, λ, b) at the nominal point.
///
/// ```text
/// I_jk = ∫ ∂ⱼν(x) ∂ₖν(x) / ν(x) dx,    ν = s f_s + b f_b
/// ```
///
/// By the trapezoidal rule in x₀ and x₁, which converges geometrically for what falls as a Gaussian, and Gauss and Legendre's in t = exp(−x₂).
///
/// Reference: the paper, equation (17); R. Barlow, Nucl. Instrum. Meth. A 297 (1990) 496 (extended likelihood).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fisher {
    /// The matrix, in the order of [`super::PARAMETERS`].
    pub matrix: [[f64; 4]; 4],
}

impl Fisher {
    /// Of a toy.
    pub fn new(toy: &Toy) -> Self {
        let line = |from: f64, to: f64| {
            let n = ((to - from) / STEP).round() as usize;
            (0..=n).map(move |i| from + STEP * i as f64)
        };
        let axis: Vec<(f64, f64)> = gauss_legendre(NODES)
            .into_iter()
            .map(|(x, w)| {
                let t = f64::midpoint(1.0, x);
                (-t.ln(), 0.5 * w / t)
            })
            .collect();
        let mut matrix = [[0.0; 4]; 4];
        for x0 in line(-16.0, 20.0) {
            for x1 in line(-27.0, 27.0) {
                for &(x2, weight) in &axis {
                    let x = [x0, x1, x2];
                    let background = Toy::background_density(&x, 0.0, Toy::LAMBDA);
                    let signal = background * toy.log_ratio(&x, 0.0, Toy::LAMBDA).exp();
                    let expected = Toy::S * signal + Toy::B * background;
                    let [by_r, by_lambda] = Toy::scores(&x).map(|s| Toy::B * background * s);
                    let by = [signal, by_r, by_lambda, background];
                    let weight = weight * STEP * STEP / expected;
                    for (row, a) in matrix.iter_mut().zip(by) {
                        for (element, b) in row.iter_mut().zip(by) {
                            *element += weight * a * b;
                        }
                    }
                }
            }
        }
        Self { matrix }
    }

    /// σ(s) of a benchmark: the smallest that any statistic of the events reaches.
    ///
    /// ```
    /// use pullback_studies::inferno::{Benchmark, Fisher, Toy};
    /// let bound = Fisher::new(&Toy::AS_RUN);
    /// assert!((bound.sigma(Benchmark::Two) - 15.63).abs() < 0.005);
    /// ```
    pub fn sigma(&self, benchmark: Benchmark) -> f64 {
        let free = benchmark.free();
        let constraints = benchmark.constraints();
        // What is left of I_ss when the others are eliminated, one after the other, from the last.
        let mut m = self.matrix;
        for (k, constraint) in constraints.iter().enumerate() {
            m[k][k] += constraint;
        }
        for k in (1..free).rev() {
            for i in 0..k {
                for j in 0..k {
                    m[i][j] -= m[i][k] * m[k][j] / m[k][k];
                }
            }
        }
        m[0][0].sqrt().recip()
    }
}

/// Nodes and weights of Gauss and Legendre's rule on [−1, 1], by Newton's method on the three-term recurrence.
///
/// ```
/// use pullback_studies::inferno::gauss_legendre;
/// let integral: f64 = gauss_legendre(5).iter().map(|(x, w)| w * x.powi(8)).sum();
/// assert!((integral - 2.0 / 9.0).abs() < 1e-15);
/// ```
///
/// Reference: P. Davis & P. Rabinowitz, Methods of Numerical Integration (1984), section 2.7.
pub fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    (0..n)
        .map(|i| {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..8 {
                let (mut p, mut before) = (x, 1.0);
                for k in 2..=n {
                    let k = k as f64;
                    (p, before) = (((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k, p);
                }
                slope = n as f64 * (x * p - before) / (x * x - 1.0);
                x -= p / slope;
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}
