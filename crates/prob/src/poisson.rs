//! The Poisson distribution.

use pullback_ad::math::scalar::{exp, ln};
use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::ProbError;
use crate::saddle::ln_poisson;
use crate::uniform::unit;

/// From this mean on by rejection.
const LARGE: f64 = 10.0;
/// Beyond this mean counts would not be exact in an `f64`.
const LARGEST: f64 = 4_503_599_627_370_496.0;

/// The Poisson distribution e^(−µ) µᵏ/k!.
///
/// Below µ = 10 by inversion, which needs one uniform number and increases in it; above by rejection (PTRS), exact at every mean: the acceptance compares
/// with the saddle point form of the probability, whose accuracy does not depend on µ.
///
/// # Example
/// ```
/// use pullback_prob::{Distribution, Key, Poisson};
///
/// let n = Poisson::new(1e12)?.draw(Key::new(1, "n"), 0, 0);
/// assert!((n as f64 - 1e12).abs() < 8e6);
/// assert_eq!(Poisson::new(0.0)?.draw(Key::new(1, "n"), 0, 0), 0);
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
///
/// Reference: W. Hörmann, *The transformed rejection method for generating Poisson random variables*, Insurance: Mathematics and Economics 12 (1993) 39, algorithm PTRS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poisson {
    mean: f64,
    /// e^(−µ) for small means, else Hörmann's b.
    constant: f64,
}

impl Poisson {
    /// With the mean 0 ≤ µ ≤ 2⁵².
    pub fn new(mean: f64) -> Result<Self, ProbError> {
        if !(0.0..=LARGEST).contains(&mean) {
            return Err(ProbError::Parameter {
                distribution: "Poisson",
                parameter: "mean",
                value: mean,
                expected: "between 0 and 2^52",
            });
        }
        let constant = if mean < LARGE {
            exp(-mean)
        } else {
            0.931 + 2.53 * mean.sqrt()
        };
        Ok(Self { mean, constant })
    }

    /// By summing probabilities until they exceed u.
    #[inline]
    fn invert(&self, mut u: f64) -> u64 {
        let (mut p, mut k) = (self.constant, 0_u32);
        // What is left of u is below the tail; where that is less than the lattice of u has points for, it is rounding.
        while u > p && p > 0.0 && (p > 1e-17 || f64::from(k) < self.mean) {
            u -= p;
            k += 1;
            p *= self.mean / f64::from(k);
        }
        u64::from(k)
    }

    #[inline]
    fn reject<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        let b = self.constant;
        let a = -0.059 + 0.02483 * b;
        let squeeze = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = unit(rng.next_u64()) - 0.5;
            let v = unit(rng.next_u64());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + self.mean + 0.43).floor();
            if us >= 0.07 && v <= squeeze {
                return k as u64;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
            if ln(v * inverse_alpha / (a / (us * us) + b)) <= ln_poisson(k, self.mean) {
                return k as u64;
            }
        }
    }
}

impl Distribution for Poisson {
    type Value = u64;

    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        if self.mean < LARGE {
            self.invert(unit(rng.next_u64()))
        } else {
            self.reject(rng)
        }
    }
}
