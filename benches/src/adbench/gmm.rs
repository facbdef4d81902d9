//! Gaussian mixture: the log-posterior of a mixture of Gaussians with a Wishart prior on the precisions, as an array program.

use pullback_ad::Real;
use pullback_array::attr::Data;
use pullback_array::{Bindings, Builder, Column, Lowered, Program, Result, Space, Sym, transform};

use super::read::{ReadError, Reader};

/// A Gaussian mixture of K components in D dimensions, and N points.
///
/// Component k has the weight softmax(α)ₖ, the mean μₖ and the precision Qₖᵀ Qₖ, where Qₖ is lower triangular with the diagonal exp(qₖ) and the
/// strictly lower entries lₖ, column by column.
#[derive(Clone, Debug, PartialEq)]
pub struct Gmm {
    /// D.
    pub d: usize,
    /// K.
    pub k: usize,
    /// α, K values.
    pub alpha: Vec<f64>,
    /// μ, K × D.
    pub mu: Vec<f64>,
    /// q, K × D.
    pub q: Vec<f64>,
    /// l, K × D(D − 1)/2.
    pub l: Vec<f64>,
    /// Points, a column per dimension: D × N.
    pub x: Vec<f64>,
    /// γ of the prior.
    pub gamma: f64,
    /// m of the prior: its additional degrees of freedom.
    pub m: usize,
}

impl Gmm {
    /// Reads `gmm_*.txt`.
    pub fn read(mut file: Reader) -> std::result::Result<Self, ReadError> {
        let d = file.count("D, the dimension")?;
        let k = file.count("K, the number of components")?;
        let n = file.count("N, the number of points")?;
        let below = d * (d - 1) / 2;
        let alpha = file.numbers("a log-weight", k)?;
        let mu = file.numbers("a mean", k * d)?;
        let (mut q, mut l) = (Vec::new(), Vec::new());
        for _ in 0..k {
            q.extend(file.numbers("a log-diagonal", d)?);
            l.extend(file.numbers("an entry below the diagonal", below)?);
        }
        let rows = file.numbers("a point", n * d)?;
        let x = (0..d)
            .flat_map(|j| rows.iter().skip(j).step_by(d).copied())
            .collect();
        let gamma = file.number("γ")?;
        let m = file.index("m", 1_000_000)?;
        file.end()?;
        Ok(Self {
            d,
            k,
            alpha,
            mu,
            q,
            l,
            x,
            gamma,
            m,
        })
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.x.len() / self.d
    }

    /// The log-posterior
    ///
    /// ```text
    /// F = Σᵢ logsumexpₖ(βᵢₖ) − N (D/2 ln 2π + logsumexp α) + Σₖ (m Σⱼ qₖⱼ − γ²/2 ‖Qₖ‖²) + K C,    βᵢₖ = αₖ + Σⱼ qₖⱼ − ½ ‖Qₖ (xᵢ − μₖ)‖²
    /// ```
    ///
    /// with C = nD ln(γ/√2) − ln Γ_D(n/2) and n = D + m + 1. Inputs `alpha`, `mu`, `q`, `l`, `x`; output `log_posterior`.
    ///
    /// Reference: GradBench, evals/gmm/README.md.
    pub fn record(&self) -> Result<Program> {
        let b = Builder::new();
        let points = b.stream("points");
        let components = b.dense_of("components", self.k);
        let (rows, dimensions) = (b.dense_of("rows", self.d), b.dense_of("dimensions", self.d));
        let below = b.dense_of("below", self.d * (self.d - 1) / 2);
        let alpha = b.input("alpha", components);
        let mu = b.input("mu", b.join(components, dimensions));
        let q = b.input("q", b.join(components, rows));
        let l = b.input("l", b.join(components, below));
        let x = b.input("x", b.join(dimensions, points));

        let factor = factor(&b, self.d, q, l, dimensions);
        let whitened =
            factor.contract(x, b.join(q.space(), points)) - factor.contract(mu, q.space());
        let distance = (whitened * whitened).sum(last(rows));
        let log_determinant = q.sum_last();
        let beta = alpha + log_determinant - distance * 0.5;
        let likelihood = beta.logsumexp(last(components)).sum_all();

        let frobenius = (factor * factor).sum_all();
        let prior = q.sum_all() * self.m as f64 - frobenius * (0.5 * self.gamma * self.gamma);
        let weights = alpha.logsumexp(last(components)) * self.points() as f64;
        let f = likelihood - weights + prior + self.constant();
        b.finish(&[("log_posterior", f)])
    }

    /// What does not depend on the parameters: −N D/2 ln 2π + K C.
    pub(super) fn constant(&self) -> f64 {
        let (d, dof) = (self.d as f64, (self.d + self.m + 1) as f64);
        let multivariate_gamma = 0.25 * d * (d - 1.0) * std::f64::consts::PI.ln()
            + (0..self.d)
                .map(|j| Real::lgamma(0.5 * (dof - j as f64)))
                .sum::<f64>();
        let wishart =
            dof * d * (self.gamma.ln() - 0.5 * std::f64::consts::LN_2) - multivariate_gamma;
        self.k as f64 * wishart - 0.5 * self.points() as f64 * d * std::f64::consts::TAU.ln()
    }

    /// The objective, ready to run.
    pub fn objective(&self) -> Result<Lowered> {
        Lowered::new(transform::simplify(&self.record()?)?)
    }

    /// The objective with its gradient for α, μ, q and l, ready to run.
    pub fn gradient(&self) -> Result<Lowered> {
        let program =
            transform::grad(&self.record()?, "log_posterior", &["alpha", "mu", "q", "l"])?;
        Lowered::new(transform::simplify(&program)?)
    }

    /// The columns of a run.
    pub fn bindings(&self) -> Bindings<'_> {
        let columns: [Column<'_>; 5] =
            [&self.alpha, &self.mu, &self.q, &self.l, &self.x].map(Column::from);
        Bindings::ordered(&columns)
    }
}

fn last(space: Space) -> pullback_array::LevelId {
    space.last().unwrap_or(pullback_array::LevelId(0))
}

/// Qₖ as matrices, `components × rows × dimensions`: exp(q) on the diagonal, l below it.
fn factor<'b>(b: &'b Builder, d: usize, q: Sym<'b>, l: Sym<'b>, dimensions: Space) -> Sym<'b> {
    let matrices = b.join(q.space(), dimensions);
    let matrix = matrices.without(0);
    // Entry of l at (row, column), column by column; −1 elsewhere.
    let entry = |row: usize, column: usize| {
        if row > column {
            (column * (2 * d - column - 1) / 2 + row - column - 1) as i64
        } else {
            -1
        }
    };
    let entries: Vec<i64> = (0..d * d).map(|i| entry(i / d, i % d)).collect();
    let index = b.constant_i64(&entries, matrix).broadcast(matrices);
    let mask = |f: fn(usize, usize) -> bool| {
        let mask: Vec<bool> = (0..d * d).map(|i| f(i / d, i % d)).collect();
        b.constant(Data::Bool(mask.into()), matrix)
            .broadcast(matrices)
    };
    let lower = l.gather_over(last(l.space()), index);
    let entries = mask(|row, column| row > column).select(lower, Sym::from(0.0));
    mask(|row, column| row == column).select(q.exp().broadcast(matrices), entries)
}
