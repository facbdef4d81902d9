//! A choice between categories.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::ProbError;
use crate::uniform::unit;

/// A choice with given weights: the index i with probability wᵢ/Σw, by bisection of the running sums (one uniform number).
///
/// # Example
/// ```
/// use pullback_prob::{Categorical, Distribution, Key};
///
/// let decay = Categorical::new(&[0.1071, 0.1063, 0.1138, 0.6741])?;
/// assert!(decay.draw(Key::new(1, "W decay"), 0, 0) < 4);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Categorical {
    /// w₀, w₀ + w₁, …
    sums: Vec<f64>,
    /// The last category with a weight.
    last: usize,
}

impl Categorical {
    /// With weights ≥ 0, not all of them 0; they need not add up to 1.
    pub fn new(weights: &[f64]) -> Result<Self, ProbError> {
        let mut sum = 0.0;
        let mut last = 0;
        let mut sums = Vec::with_capacity(weights.len());
        for (index, &value) in weights.iter().enumerate() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ProbError::Weight { index, value });
            }
            if value > 0.0 {
                last = index;
            }
            sum += value;
            sums.push(sum);
        }
        if sum > 0.0 && sum.is_finite() {
            return Ok(Self { sums, last });
        }
        let count = weights.len();
        Err(ProbError::Weights { count, sum })
    }

    /// The category at a uniform number.
    #[inline]
    pub fn quantile(&self, u: f64) -> usize {
        let x = u * self.sums[self.last];
        // A product that rounds up to the sum belongs to the last.
        self.sums.partition_point(|sum| *sum <= x).min(self.last)
    }
}

impl Distribution for Categorical {
    type Value = usize;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        self.quantile(unit(rng.next_u64()))
    }
}
