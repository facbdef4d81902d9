//! A spectrum that rises linearly and falls as a power.

use pullback_ad::math::scalar::{exp, ln};
use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::quantile::{TAIL_END, far_tail};
use crate::uniform::unit;

/// x (1 + x²/x₀²)⁻ⁿ between two values: a transverse momentum; [`crate::quantile::power_tail`].
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
    /// x₀².
    square: f64,
    /// 1/(1 − n).
    inverse_power: f64,
    /// The survival function at the ends.
    from: f64,
    to: f64,
    low: f64,
    high: f64,
    scale: f64,
    exponent: f64,
    /// Whether the survival function at the ends has all its digits.
    near: bool,
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
            let (square, power) = (scale * scale, 1.0 - exponent);
            let survival = |x: f64| exp(ln(x * x / square + 1.0) * power);
            let from = survival(low);
            let squares =
                low * low < f64::INFINITY && (high * high < f64::INFINITY || high == f64::INFINITY);
            return Ok(Self {
                near: from >= TAIL_END && squares,
                scale,
                exponent,
                square,
                inverse_power: power.recip(),
                from,
                to: if high.is_finite() {
                    survival(high)
                } else {
                    0.0
                },
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

impl PowerTail {
    /// The value at a uniform number: [`crate::quantile::power_tail`] with the survival function of the ends at hand.
    #[inline]
    pub fn quantile(&self, u: f64) -> f64 {
        let s = self.from - (self.from - self.to) * u;
        let square = self.square * (exp(ln(s) * self.inverse_power) - 1.0);
        if self.near && square < f64::INFINITY {
            return square.max(self.low * self.low).sqrt().min(self.high);
        }
        far_tail(u, self.scale, self.exponent, self.low, self.high)
    }
}

impl Distribution for PowerTail {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.quantile(unit(rng.next_u64()))
    }
}
