//! The masses of two Z bosons.

use pullback_ad::math::scalar::{atan, tan};
use pullback_prob::rand_core::Rng;
use pullback_prob::{quantile, unit};

use crate::draws::{Draw, Draws};
use crate::pdg;

/// The smallest mass of a pair of leptons in GeV.
const LOWEST: f64 = 4.0;
/// The part of the continuum in which one pair comes from a photon.
const PHOTON: f64 = 0.25;
/// Its masses, in GeV.
const PHOTON_RANGE: [f64; 2] = [12.0, 120.0];

fn angle(mass: f64) -> f64 {
    atan((mass * mass - pdg::Z.mass * pdg::Z.mass) / (pdg::Z.mass * pdg::Z.width))
}

fn mass_at(angle: f64) -> f64 {
    let s = pdg::Z.mass * pdg::Z.mass + pdg::Z.mass * pdg::Z.width * tan(angle);
    s.max(0.0).sqrt()
}

/// The weight of two masses beside their resonances, per m_H⁴: √λ (λ + 12 m₁² m₂²), with λ = (1 − a − b)² − 4ab, a = m₁²/m_H², b = m₂²/m_H².
///
/// Reference: A. Djouadi, Phys. Rep. 457 (2008) 1, section 2.2: Γ(H → Z*Z*) ∝ ∫∫ BW BW √λ (λ + 12 m₁² m₂²/m_H⁴).
fn weight(a: f64, b: f64) -> f64 {
    let lambda = (1.0 - a - b).powi(2) - 4.0 * a * b;
    if lambda <= 0.0 {
        return 0.0;
    }
    lambda.sqrt() * (lambda + 12.0 * a * b)
}

/// m₁ > m₂ of H → Z*Z*, by rejection.
///
/// By symmetry one may take the heavier one first; the lighter one is then below m_H/2, far from the resonance. m₁ comes from its Breit-Wigner, m₂ from its own within
/// what m₁ leaves, and the size of that range joins the weight. On average 9 attempts.
pub fn off_shell_pair(mass: f64, draws: &mut Draws) -> [f64; 2] {
    let lowest = angle(LOWEST);
    let first_range = angle(mass - LOWEST) - lowest;
    let square = mass * mass;
    let widest = angle(0.5 * mass) - lowest;
    let mut best = [pdg::Z.mass, LOWEST];
    for attempt in 0..1000 {
        let mut stream = draws.stream(Draw::Attempt, attempt);
        let mut next = || unit(stream.next_u64());
        let m1 = mass_at(lowest + first_range * next());
        let range = angle(m1.min(mass - m1)) - lowest;
        let m2 = mass_at(lowest + range * next());
        best = [m1, m2];
        // The weight is below 1: λ + 12ab ≤ 1 for masses that fit.
        if next() * widest < range * weight(m1 * m1 / square, m2 * m2 / square) {
            break;
        }
    }
    best
}

/// Two resonances, or a resonance and a photon with dm²/m².
pub fn continuum_pair(draws: &mut Draws) -> [f64; 2] {
    let [u, v] = draws.pair(Draw::Masses, 0);
    let m1 = quantile::breit_wigner(u, pdg::Z.mass, pdg::Z.width, 40.0, 120.0);
    let m2 = if v < PHOTON {
        let [low, high] = PHOTON_RANGE;
        low * pullback_ad::math::scalar::pow(high / low, v / PHOTON)
    } else {
        let v = (v - PHOTON) / (1.0 - PHOTON);
        quantile::breit_wigner(v, pdg::Z.mass, pdg::Z.width, 40.0, 120.0)
    };
    [m1, m2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_is_a_probability() {
        for i in 0..200 {
            for j in 0..200 {
                let (x, y) = (f64::from(i) / 200.0, f64::from(j) / 200.0);
                if x + y <= 1.0 {
                    let w = weight(x * x, y * y);
                    assert!((0.0..=1.0).contains(&w), "{x} {y}: {w}");
                }
            }
        }
    }
}
