//! The exponential distribution.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::fill::fill_exponential;
use crate::key::Key;
use crate::quantile;
use crate::uniform::unit;

/// The exponential distribution, λ e^(−λx), by its quantile −ln(1 − u)/λ.
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Exponential, Key};
///
/// let time = Exponential::new(1.0 / 1.52)?.draw(Key::new(1, "lifetime"), 0, 0);
/// assert!(time > 0.0 && time < 1.52 * 36.8);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    rate: f64,
}

impl Exponential {
    /// With the rate λ > 0, the inverse of the mean.
    pub fn new(rate: f64) -> Result<Self, ProbError> {
        let rate = finite("exponential", "rate", rate, true)?;
        Ok(Self { rate })
    }
}

impl Distribution for Exponential {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        quantile::exponential(unit(rng.next_u64()), self.rate)
    }

    fn fill(&self, out: &mut [f64], key: Key, first_event: u64, step: u32) {
        fill_exponential(out, key, first_event, step);
        for x in out {
            *x /= self.rate;
        }
    }
}
