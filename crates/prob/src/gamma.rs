//! The gamma distribution.

use pullback_ad::math::scalar::{exp, ln};
use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::quantile;
use crate::uniform::unit;

/// The gamma distribution x^(a − 1) e^(−x/θ)/(Γ(a) θᵃ), of shape a and scale θ.
///
/// By rejection from the cube of a normal number; for a < 1 a draw of shape a + 1 times U^(1/a). At very small shapes most of the distribution lies below the
/// smallest number, and 0 comes back.
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Gamma, Key};
///
/// let energy = Gamma::new(2.5, 10.0)?.draw(Key::new(1, "energy"), 0, 0);
/// assert!(energy > 0.0);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
///
/// Reference: G. Marsaglia, W. W. Tsang, *A simple method for generating gamma variables*, ACM Transactions on Mathematical Software 26 (2000) 363.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    shape: f64,
    scale: f64,
}

impl Gamma {
    /// With the shape a > 0 and the scale θ > 0: mean a θ, variance a θ².
    pub fn new(shape: f64, scale: f64) -> Result<Self, ProbError> {
        Ok(Self {
            shape: finite("gamma", "shape", shape, true)?,
            scale: finite("gamma", "scale", scale, true)?,
        })
    }
}

impl Distribution for Gamma {
    type Value = f64;

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let (shape, boost) = if self.shape < 1.0 {
            let boost = exp(ln(unit(rng.next_u64())) / self.shape);
            (self.shape + 1.0, boost)
        } else {
            (self.shape, 1.0)
        };
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = quantile::standard_normal(unit(rng.next_u64()));
            let u = unit(rng.next_u64());
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let square = x * x;
            if u < 1.0 - 0.0331 * square * square || ln(u) < 0.5 * square + d * (1.0 - v + ln(v)) {
                return self.scale * boost * d * v;
            }
        }
    }
}
