//! A spectrum that rises linearly and falls as a power.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::quantile;
use crate::uniform::unit;

/// x (1 + x²/x₀²)⁻ⁿ between two values: a transverse momentum; [`quantile::power_tail`].
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Key, PowerTail};
///
/// let pt = PowerTail::new(9.0, 2.1, 0.0, f64::INFINITY)?;
/// assert!(pt.draw(Key::new(1, "pt"), 0, 0) > 0.0);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerTail {
    scale: f64,
    exponent: f64,
    low: f64,
    high: f64,
}

impl PowerTail {
    /// With the scale x₀ > 0 and the exponent n > 1, for 0 ≤ low < x < high; the upper end may be infinite.
    pub fn new(scale: f64, exponent: f64, low: f64, high: f64) -> Result<Self, ProbError> {
        let distribution = "power tail";
        let scale = finite(distribution, "scale", scale, true)?;
        if !(exponent.is_finite() && exponent > 1.0) {
            return Err(ProbError::Parameter {
                distribution,
                parameter: "exponent",
                value: exponent,
                expected: "finite and above 1",
            });
        }
        if low >= 0.0 && low < high {
            return Ok(Self {
                scale,
                exponent,
                low,
                high,
            });
        }
        Err(ProbError::Range {
            distribution,
            low,
            high,
            expected: "not negative, with the lower end first",
        })
    }
}

impl Distribution for PowerTail {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = unit(rng.next_u64());
        quantile::power_tail(u, self.scale, self.exponent, self.low, self.high)
    }
}
