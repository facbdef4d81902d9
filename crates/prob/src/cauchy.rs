//! The Cauchy distribution, in physics the non-relativistic Breit-Wigner.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::ProbError;
use crate::quantile;
use crate::uniform::{location_scale, unit};

/// The Cauchy distribution 1/(πγ (1 + (x − x₀)²/γ²)): no mean, no variance; γ is half the width at half height.
///
/// # Example
/// ```
/// use pullback_prob::{Cauchy, Distribution, Key};
///
/// let mass = Cauchy::new(91.188, 0.5 * 2.4955)?.draw(Key::new(1, "mass"), 0, 0);
/// assert!(mass.is_finite());
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cauchy {
    location: f64,
    scale: f64,
}

impl Cauchy {
    /// With the location x₀ and the scale γ > 0.
    pub fn new(location: f64, scale: f64) -> Result<Self, ProbError> {
        let (location, scale) = location_scale("Cauchy", ["location", "scale"], location, scale)?;
        Ok(Self { location, scale })
    }
}

impl Distribution for Cauchy {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        quantile::cauchy(unit(rng.next_u64()), self.location, self.scale)
    }
}
