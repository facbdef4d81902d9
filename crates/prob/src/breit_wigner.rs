//! The relativistic Breit-Wigner.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::quantile;
use crate::uniform::unit;

/// The mass of a resonance: a relativistic Breit-Wigner of fixed width in m², between two masses; [`quantile::breit_wigner`].
///
/// # Example
/// ```
/// use pullback_prob::{BreitWigner, Distribution, Key};
///
/// let z = BreitWigner::new(91.188, 2.4955, 50.0, 150.0)?;
/// let mass = z.draw(Key::new(1, "mass"), 0, 0);
/// assert!((50.0..=150.0).contains(&mass));
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreitWigner {
    mass: f64,
    width: f64,
    low: f64,
    high: f64,
}

impl BreitWigner {
    /// With pole mass and width > 0, between two masses 0 ≤ low < high.
    pub fn new(mass: f64, width: f64, low: f64, high: f64) -> Result<Self, ProbError> {
        let mass = finite("Breit-Wigner", "mass", mass, true)?;
        let width = finite("Breit-Wigner", "width", width, true)?;
        if low >= 0.0 && low < high && high.is_finite() {
            return Ok(Self {
                mass,
                width,
                low,
                high,
            });
        }
        Err(ProbError::Range {
            distribution: "Breit-Wigner",
            low,
            high,
            expected: "finite, not negative, with the lower end first",
        })
    }
}

impl Distribution for BreitWigner {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = unit(rng.next_u64());
        quantile::breit_wigner(u, self.mass, self.width, self.low, self.high)
    }
}
