//! Coordinates in which every point is legal: bounded quantities and ordered edges.

use crate::OptimError;
use pullback_ad::Real;
use serde::{Deserialize, Serialize};

/// Quantities that are transformed together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// As they are.
    Free {
        /// How many.
        count: usize,
    },
    /// One quantity strictly inside its bounds, x = a + (b − a)/(1 + e⁻ᵘ). It nears a bound but never reaches it.
    Logit {
        /// a.
        lower: f64,
        /// b.
        upper: f64,
    },
    /// One quantity inside its bounds or on them, x = a + (b − a)(1 + sin u)/2 (MINUIT's). At a bound the derivative vanishes.
    Sine {
        /// a.
        lower: f64,
        /// b.
        upper: f64,
    },
    /// The interior edges of `bins` bins of a range, ordered and at least `width` apart, by construction:
    /// xₖ = a + Σ_{i ≤ k} (w + (b − a − n w) softmax(u, 0)ᵢ).
    Edges {
        /// Lower end of the range, a.
        lower: f64,
        /// Upper end, b.
        upper: f64,
        /// How many bins, n: one edge less.
        bins: usize,
        /// The smallest width, w < (b − a)/n.
        width: f64,
    },
}

impl Block {
    /// How many quantities, which is also how many coordinates.
    pub fn len(&self) -> usize {
        match *self {
            Self::Free { count } => count,
            Self::Logit { .. } | Self::Sine { .. } => 1,
            Self::Edges { bins, .. } => bins.saturating_sub(1),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn legal(&self) -> bool {
        match *self {
            Self::Free { .. } => true,
            Self::Logit { lower, upper } | Self::Sine { lower, upper } => {
                lower < upper && (upper - lower).is_finite()
            }
            Self::Edges {
                lower,
                upper,
                bins,
                width,
            } => {
                let room = upper - lower - bins as f64 * width;
                bins > 0 && width >= 0.0 && room > 0.0 && room.is_finite()
            }
        }
    }

    fn quantities<R: Real>(&self, u: &[R], out: &mut Vec<R>) {
        match *self {
            Self::Free { .. } => out.extend_from_slice(u),
            Self::Logit { lower, upper } => {
                out.extend(u.iter().map(|u| u.sigmoid() * (upper - lower) + lower));
            }
            Self::Sine { lower, upper } => {
                let half = 0.5 * (upper - lower);
                out.extend(u.iter().map(|u| (u.sin() + 1.0) * half + lower));
            }
            Self::Edges {
                lower,
                upper,
                bins,
                width,
            } => {
                let one = R::constant(1.0);
                // Shifted by the largest, which cancels.
                let top = u.iter().fold(R::constant(0.0), |m, &u| {
                    R::select(u.gt(m), u, m).stop_gradient()
                });
                let powers: Vec<R> = u.iter().map(|&u| (u - top).exp()).collect();
                let sum = powers.iter().fold((-top).exp(), |s, &p| s + p);
                let room = R::constant(upper - lower - bins as f64 * width);
                let scale = room * (one / sum);
                let mut edge = R::constant(lower);
                out.extend(powers.into_iter().map(|p| {
                    edge = edge + p * scale + width;
                    edge
                }));
            }
        }
    }

    /// Adds Jᵀ`by` to `out`.
    fn pull_back(&self, u: &[f64], by: &[f64], out: &mut Vec<f64>) {
        match *self {
            Self::Free { .. } => out.extend_from_slice(by),
            Self::Logit { lower, upper } => out.extend(u.iter().zip(by).map(|(u, by)| {
                let s = u.sigmoid();
                by * (upper - lower) * s * (1.0 - s)
            })),
            Self::Sine { lower, upper } => {
                let half = 0.5 * (upper - lower);
                out.extend(u.iter().zip(by).map(|(u, by)| by * half * u.cos()));
            }
            Self::Edges {
                lower,
                upper,
                bins,
                width,
            } => {
                let top = u.iter().fold(0.0_f64, |m, u| m.max(*u));
                let powers: Vec<f64> = u.iter().map(|u| (u - top).exp()).collect();
                let sum = powers.iter().sum::<f64>() + (-top).exp();
                let room = upper - lower - bins as f64 * width;
                // Width i moves all edges from i on.
                let mut by_width = by.to_vec();
                for k in (1..by_width.len()).rev() {
                    by_width[k - 1] += by_width[k];
                }
                let mean: f64 = powers.iter().zip(&by_width).map(|(p, c)| p / sum * c).sum();
                out.extend(
                    powers
                        .iter()
                        .zip(&by_width)
                        .map(|(p, c)| room * p / sum * (c - mean)),
                );
            }
        }
    }

    /// The coordinates of quantities strictly inside the block's limits.
    fn coordinates(&self, x: &[f64]) -> Option<Vec<f64>> {
        let out: Vec<f64> = match *self {
            Self::Free { .. } => x.to_vec(),
            Self::Logit { lower, upper } => {
                x.iter().map(|x| ((x - lower) / (upper - x)).ln()).collect()
            }
            Self::Sine { lower, upper } => x
                .iter()
                .map(|x| ((2.0 * x - lower - upper) / (upper - lower)).asin())
                .collect(),
            Self::Edges {
                lower,
                upper,
                width,
                ..
            } => {
                let ends: Vec<f64> = x.iter().copied().chain([upper]).collect();
                let starts = std::iter::once(lower).chain(x.iter().copied());
                let spare: Vec<f64> = starts.zip(&ends).map(|(a, b)| b - a - width).collect();
                let last = spare.last().copied().unwrap_or(f64::NAN);
                if last.is_nan() || last <= 0.0 {
                    return None;
                }
                spare[..x.len()].iter().map(|s| (s / last).ln()).collect()
            }
        };
        out.iter().all(|u| u.is_finite()).then_some(out)
    }
}

/// Blocks one after the other: the map from coordinates u, in which an optimiser moves freely, to quantities x.
///
/// Shape: as many coordinates as quantities.
///
/// Differentiability: everywhere. [`Self::pull_back`] takes ∂f/∂x to ∂f/∂u.
///
/// ```
/// use pullback_optim::training::{Block, Chart};
/// let chart = Chart::new(vec![
///     Block::Logit { lower: 20.0, upper: 120.0 },
///     Block::Edges { lower: 0.0, upper: 1.0, bins: 4, width: 0.05 },
/// ])?;
/// let u = chart.coordinates(&[45.0, 0.2, 0.5, 0.9])?;
/// let x = chart.quantities(&u);
/// assert!(x.iter().zip([45.0, 0.2, 0.5, 0.9]).all(|(a, b)| (a - b).abs() < 1e-13));
/// // Any coordinates give ordered edges.
/// let x = chart.quantities(&[-3.0, 5.0, -40.0, 2.0]);
/// assert!(0.05 <= x[1] && x[1] + 0.05 <= x[2] && x[2] + 0.05 <= x[3] && x[3] <= 0.95);
/// # Ok::<(), pullback_optim::OptimError>(())
/// ```
///
/// Reference: F. James & M. Roos, Comput. Phys. Commun. 10 (1975) 343, section 4 (sine).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    blocks: Vec<Block>,
}

impl Chart {
    /// From blocks.
    ///
    /// # Errors
    /// [`OptimError::Block`] for one that leaves no room.
    pub fn new(blocks: Vec<Block>) -> Result<Self, OptimError> {
        match blocks.iter().position(|b| !b.legal()) {
            Some(block) => Err(OptimError::Block {
                block,
                what: "its limits leave no room",
            }),
            None => Ok(Self { blocks }),
        }
    }

    /// Number of quantities.
    pub fn dim(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }

    /// x(u). Coordinates beyond [`Self::dim`] are left out.
    pub fn quantities<R: Real>(&self, u: &[R]) -> Vec<R> {
        let mut out = Vec::with_capacity(u.len());
        let mut rest = u;
        for block in &self.blocks {
            let (here, next) = rest.split_at(block.len().min(rest.len()));
            block.quantities(here, &mut out);
            rest = next;
        }
        out
    }

    /// u(x).
    ///
    /// # Errors
    /// [`OptimError::Block`] for quantities that are not inside; [`OptimError::Length`].
    pub fn coordinates(&self, x: &[f64]) -> Result<Vec<f64>, OptimError> {
        self.check("the quantities", x.len())?;
        let mut out = Vec::with_capacity(x.len());
        let mut rest = x;
        for (k, block) in self.blocks.iter().enumerate() {
            let (here, next) = rest.split_at(block.len());
            out.extend(block.coordinates(here).ok_or(OptimError::Block {
                block: k,
                what: "the quantities are not inside its limits",
            })?);
            rest = next;
        }
        Ok(out)
    }

    /// ∂f/∂u = (∂x/∂u)ᵀ ∂f/∂x.
    ///
    /// # Errors
    /// [`OptimError::Length`].
    pub fn pull_back(&self, u: &[f64], by_quantities: &[f64]) -> Result<Vec<f64>, OptimError> {
        self.check("the coordinates", u.len())?;
        self.check("the gradient", by_quantities.len())?;
        let mut out = Vec::with_capacity(u.len());
        let (mut u, mut by) = (u, by_quantities);
        for block in &self.blocks {
            let (here, next) = u.split_at(block.len());
            let (by_here, by_next) = by.split_at(block.len());
            block.pull_back(here, by_here, &mut out);
            (u, by) = (next, by_next);
        }
        Ok(out)
    }

    fn check(&self, what: &'static str, found: usize) -> Result<(), OptimError> {
        let expected = self.dim();
        if found == expected {
            Ok(())
        } else {
            Err(OptimError::Length {
                what,
                found,
                expected,
            })
        }
    }
}
