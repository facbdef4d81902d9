//! The relativistic Breit-Wigner.

use pullback_ad::math::scalar::{atan, tan};
use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::{ProbError, finite};
use crate::uniform::unit;

/// The mass of a resonance: a relativistic Breit-Wigner of fixed width in m², between two masses; [`crate::quantile::breit_wigner`].
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
    pole: f64,
    scale: f64,
    /// The angles of the two ends.
    from: f64,
    to: f64,
    low: f64,
    high: f64,
}

impl BreitWigner {
    /// With pole mass and width > 0, between two masses 0 ≤ low < high.
    pub fn new(mass: f64, width: f64, low: f64, high: f64) -> Result<Self, ProbError> {
        let mass = finite("Breit-Wigner", "mass", mass, true)?;
        let width = finite("Breit-Wigner", "width", width, true)?;
        if low >= 0.0 && low < high && high.is_finite() {
            let mut resonance = Self {
                pole: mass * mass,
                scale: mass * width,
                from: 0.0,
                to: 0.0,
                low: low * low,
                high: high * high,
            };
            (resonance.from, resonance.to) = (resonance.angle(low), resonance.angle(high));
            return Ok(resonance);
        }
        Err(ProbError::Range {
            distribution: "Breit-Wigner",
            low,
            high,
            expected: "finite, not negative, with the lower end first",
        })
    }

    /// arctan((m² − M²)/(M Γ)): masses are drawn evenly in it.
    #[inline]
    pub fn angle(&self, mass: f64) -> f64 {
        atan((mass * mass - self.pole) / self.scale)
    }

    /// The mass at an angle, inside the two ends.
    #[inline]
    pub fn mass(&self, angle: f64) -> f64 {
        let s = self.pole + self.scale * tan(angle);
        s.max(self.low).min(self.high).sqrt()
    }

    /// The mass at a uniform number: [`crate::quantile::breit_wigner`] with the angles of the ends at hand.
    #[inline]
    pub fn quantile(&self, u: f64) -> f64 {
        self.mass(self.from + (self.to - self.from) * u)
    }
}

impl Distribution for BreitWigner {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.quantile(unit(rng.next_u64()))
    }
}
