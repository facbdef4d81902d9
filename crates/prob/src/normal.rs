//! The normal distribution.

use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::ProbError;
use crate::fill::fill_normal;
use crate::key::Key;
use crate::quantile;
use crate::uniform::{location_scale, unit};

/// The normal distribution, by its quantile µ + σ Φ⁻¹(u).
///
/// One uniform number makes one normal one, without branches, increasing in u and smooth in µ and σ; the pairs of Box and Muller have none of this, and cost as much
/// in vector code. The lattice of u ends at ±8.2σ (2⁻⁵⁴); between, a tail is as exact as the 53 bits of u allow.
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Key, Normal};
///
/// let mut z = vec![0.0; 100_000];
/// Normal::new(5.0, 2.0)?.fill(&mut z, Key::new(1, "z"), 0, 0);
/// let mean = z.iter().sum::<f64>() / z.len() as f64;
/// assert!((mean - 5.0).abs() < 4.0 * 2.0 / 316.0);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
///
/// Reference: M. J. Wichura, Applied Statistics 37 (1988) 477, algorithm AS 241, for Φ⁻¹.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    mean: f64,
    sd: f64,
}

impl Normal {
    /// With a mean and a standard deviation > 0.
    pub fn new(mean: f64, sd: f64) -> Result<Self, ProbError> {
        let (mean, sd) = location_scale("normal", ["mean", "standard deviation"], mean, sd)?;
        Ok(Self { mean, sd })
    }

    /// Mean 0, standard deviation 1.
    pub const fn standard() -> Self {
        Self { mean: 0.0, sd: 1.0 }
    }
}

impl Distribution for Normal {
    type Value = f64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        quantile::normal(unit(rng.next_u64()), self.mean, self.sd)
    }

    fn fill(&self, out: &mut [f64], key: Key, first_event: u64, step: u32) {
        fill_normal(out, key, first_event, step);
        for z in out {
            *z = self.mean + self.sd * *z;
        }
    }
}
