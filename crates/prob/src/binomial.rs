//! The binomial distribution.

use pullback_ad::math::scalar::{exp, ln, ln_1p};
use rand_core::Rng;

use crate::distribution::Distribution;
use crate::error::ProbError;
use crate::saddle::ln_binomial;
use crate::uniform::unit;

/// From this n·min(p, 1 − p) on by rejection.
const LARGE: f64 = 10.0;
const LARGEST: u64 = 1 << 52;

/// The binomial distribution of successes in n trials.
///
/// Where n·min(p, 1 − p) < 10 by inversion (one uniform number), else by rejection (BTRS) with the saddle point form of the probability.
///
/// # Example
/// ```
/// use pullback_prob::{Binomial, Distribution, Key};
///
/// let passed = Binomial::new(1000, 0.9)?.draw(Key::new(1, "passed"), 0, 0);
/// assert!((850..=950).contains(&passed));
/// # Ok::<(), pullback_prob::ProbError>(())
/// ```
///
/// Reference: W. Hörmann, *The generation of binomial random variates*, Journal of Statistical Computation and Simulation 46 (1993) 101, algorithm BTRS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binomial {
    trials: u64,
    /// The smaller of p and 1 − p.
    p: f64,
    /// Whether that is 1 − p: failures are drawn.
    flipped: bool,
}

impl Binomial {
    /// With n ≤ 2⁵² trials of probability 0 ≤ p ≤ 1.
    pub fn new(trials: u64, probability: f64) -> Result<Self, ProbError> {
        let wrong = |parameter, value, expected| ProbError::Parameter {
            distribution: "binomial",
            parameter,
            value,
            expected,
        };
        if trials > LARGEST {
            return Err(wrong("number of trials", trials as f64, "at most 2^52"));
        }
        if !(0.0..=1.0).contains(&probability) {
            return Err(wrong("probability", probability, "between 0 and 1"));
        }
        let flipped = probability > 0.5;
        let p = if flipped {
            1.0 - probability
        } else {
            probability
        };
        Ok(Self { trials, p, flipped })
    }

    fn invert(&self, mut u: f64) -> u64 {
        let n = self.trials as f64;
        let odds = self.p / (1.0 - self.p);
        let (mut probability, mut k) = (exp(n * ln_1p(-self.p)), 0.0);
        while u > probability && k < n && (probability > 1e-17 || k < n * self.p) {
            u -= probability;
            k += 1.0;
            probability *= odds * (n - k + 1.0) / k;
        }
        k as u64
    }

    fn reject<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        let (n, p) = (self.trials as f64, self.p);
        let sd = (n * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * sd;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let squeeze = 0.92 - 4.2 / b;
        let alpha = (2.83 + 5.1 / b) * sd;
        let at_mode = ln_binomial(((n + 1.0) * p).floor(), n, p);
        loop {
            let u = unit(rng.next_u64()) - 0.5;
            let v = unit(rng.next_u64());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + n * p + 0.5).floor();
            if us >= 0.07 && v <= squeeze {
                return k as u64;
            }
            if k < 0.0 || k > n {
                continue;
            }
            if ln(v * alpha / (a / (us * us) + b)) <= ln_binomial(k, n, p) - at_mode {
                return k as u64;
            }
        }
    }
}

impl Distribution for Binomial {
    type Value = u64;

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        let k = if (self.trials as f64) * self.p < LARGE {
            self.invert(unit(rng.next_u64()))
        } else {
            self.reject(rng)
        };
        if self.flipped { self.trials - k } else { k }
    }
}
