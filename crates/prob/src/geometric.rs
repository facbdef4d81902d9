//! The geometric distribution.

use pullback_ad::math::scalar;
use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::ProbError;
use crate::quantile;
use crate::uniform::unit;

/// P(n) = (1 − r) rⁿ, n = 0, 1, …: each count is r times as probable as the one before.
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Geometric, Key};
///
/// let jets = Geometric::new(0.3)?.draw(Key::new(1, "jets"), 0, 0);
/// assert!(jets < 40);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometric {
    ln_ratio: f64,
}

impl Geometric {
    /// With the ratio 0 < r < 1 of neighbouring probabilities.
    pub fn new(ratio: f64) -> Result<Self, ProbError> {
        if ratio > 0.0 && ratio < 1.0 {
            let ln_ratio = scalar::ln(ratio);
            return Ok(Self { ln_ratio });
        }
        Err(ProbError::Parameter {
            distribution: "geometric",
            parameter: "ratio",
            value: ratio,
            expected: "between 0 and 1",
        })
    }
}

impl Distribution for Geometric {
    type Value = u64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        quantile::geometric(unit(rng.next_u64()), self.ln_ratio)
    }
}
