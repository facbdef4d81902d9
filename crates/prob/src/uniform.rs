//! The uniform distribution.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::fill::fill_uniform;
use crate::key::Key;
use crate::quantile;

/// A number in (0, 1) from the upper 53 bits k of a word: k 2⁻⁵³, and 2⁻⁵⁴ for k = 0. Never 0, never 1.
///
/// # Example
/// ```
/// use pullback_prob::unit;
///
/// assert_eq!(unit(1 << 63), 0.5);
/// assert_eq!(unit(0), 2f64.powi(-54));
/// assert_eq!(unit(u64::MAX), 1.0 - 2f64.powi(-53));
/// ```
#[inline(always)]
pub const fn unit(word: u64) -> f64 {
    let k = (word >> 11) as f64;
    let k = if k == 0.0 { 0.5 } else { k };
    k * (1.0 / 9_007_199_254_740_992.0)
}

/// The uniform distribution on (low, high): low + (high − low) u.
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Key, Uniform};
///
/// let phi = Uniform::new(-3.0, 3.0)?.draw(Key::new(1, "phi"), 0, 0);
/// assert!(phi > -3.0 && phi < 3.0);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// Between two finite numbers. In a wide range the result may round to an end.
    ///
    /// # Errors
    /// [`ProbError::Range`] unless low < high with a finite difference.
    pub fn new(low: f64, high: f64) -> Result<Self, ProbError> {
        if low < high && (high - low).is_finite() {
            return Ok(Self { low, high });
        }
        Err(ProbError::Range {
            distribution: "uniform",
            low,
            high,
            expected: "finite, with the lower end first",
        })
    }

    /// The open unit interval.
    pub const fn standard() -> Self {
        Self {
            low: 0.0,
            high: 1.0,
        }
    }

    fn at(&self, u: f64) -> f64 {
        quantile::uniform(u, self.low, self.high)
    }
}

impl Distribution for Uniform {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.at(unit(rng.next_u64()))
    }

    fn fill(&self, out: &mut [f64], key: Key, first_event: u64, step: u32) {
        fill_uniform(out, key, first_event, step);
        for u in out {
            *u = self.at(*u);
        }
    }
}

/// The parameter checks of a location and a scale.
pub(crate) fn location_scale(
    distribution: &'static str,
    names: [&'static str; 2],
    location: f64,
    scale: f64,
) -> Result<(f64, f64), ProbError> {
    Ok((
        finite(distribution, names[0], location, false)?,
        finite(distribution, names[1], scale, true)?,
    ))
}
