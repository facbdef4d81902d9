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

/// The masses of a Higgs boson: 120 widths on either side of the pole.
pub const HIGGS_RANGE: [f64; 2] = [pdg::HIGGS.mass - 0.5, pdg::HIGGS.mass + 0.5];

/// m₁ > m₂ of H → Z*Z*, by rejection.
///
/// By symmetry one may take the heavier one first; the lighter one is then below m_H/2, far from the resonance. m₁ comes from its Breit-Wigner, m₂ from its own within
/// what m₁ leaves, and the size of that range joins the weight. About three attempts.
#[derive(Clone, Copy, Debug)]
pub struct OffShell {
    /// The largest weight.
    bound: f64,
}

/// Steps of the grid on which the largest weight is looked for.
const GRID: i32 = 250;

impl OffShell {
    /// Looks for the largest weight, at the largest mass, where there is most room; 2 % are added for what lies between the points of the grid.
    pub fn new() -> Self {
        let mass = HIGGS_RANGE[1];
        let at = |n: i32, low: f64, high: f64| low + (high - low) * f64::from(n) / f64::from(GRID);
        let mut bound: f64 = 0.0;
        for i in 1..GRID {
            let m1 = at(i, LOWEST, mass - LOWEST);
            let highest = m1.min(mass - m1);
            for j in 0..=GRID {
                let m2 = at(j, LOWEST, highest);
                bound = bound.max(joint_weight(m1, m2, mass));
            }
        }
        Self {
            bound: 1.02 * bound,
        }
    }

    /// The two masses.
    pub fn pair(&self, mass: f64, draws: &Draws) -> [f64; 2] {
        let lowest = angle(LOWEST);
        let first_range = angle(mass - LOWEST) - lowest;
        let mut pair = [pdg::Z.mass, LOWEST];
        // The chance that none of a thousand attempts is taken is below 10⁻¹⁰⁰.
        for attempt in 0..1000 {
            let mut stream = draws.stream(Draw::Attempt, attempt);
            let mut next = || unit(stream.next_u64());
            let m1 = mass_at(lowest + first_range * next());
            let range = angle(m1.min(mass - m1)) - lowest;
            let m2 = mass_at(lowest + range * next());
            pair = [m1, m2];
            if next() * self.bound < joint_weight(m1, m2, mass) {
                break;
            }
        }
        pair
    }
}

/// The weight of two masses times the range of angles from which the second comes.
fn joint_weight(m1: f64, m2: f64, mass: f64) -> f64 {
    let square = mass * mass;
    let range = angle(m1.min(mass - m1)) - angle(LOWEST);
    range * weight(m1 * m1 / square, m2 * m2 / square)
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

    /// No pair of masses weighs more than the bound, at any mass of the boson.
    #[test]
    fn the_bound_holds() {
        let bound = OffShell::new().bound;
        let mut largest: f64 = 0.0;
        for mass in [HIGGS_RANGE[0], pdg::HIGGS.mass, HIGGS_RANGE[1]] {
            for i in 1..997 {
                let m1 = LOWEST + (mass - 2.0 * LOWEST) * f64::from(i) / 997.0;
                for j in 0..=499 {
                    let m2 = LOWEST + (m1.min(mass - m1) - LOWEST) * f64::from(j) / 499.0;
                    largest = largest.max(joint_weight(m1, m2, mass));
                }
            }
        }
        assert!(
            largest < bound && largest > 0.9 * bound,
            "{largest}, {bound}"
        );
    }

    #[test]
    fn few_attempts_are_needed() {
        let off_shell = OffShell::new();
        let mut draws = Draws::new(1, "attempts");
        let (mut taken, mut tried) = (0_u32, 0_u32);
        for event in 0..5000 {
            draws.load(event, 1);
            let [m1, m2] = off_shell.pair(pdg::HIGGS.mass, &draws);
            assert!(m1 >= m2 && m2 >= LOWEST && m1 + m2 <= pdg::HIGGS.mass + 1e-9);
            tried += 1;
            let lowest = angle(LOWEST);
            let mut stream = draws.stream(Draw::Attempt, 0);
            let first = unit(stream.next_u64());
            let first_range = angle(pdg::HIGGS.mass - LOWEST) - lowest;
            taken += u32::from(mass_at(lowest + first_range * first) == m1);
        }
        assert!(
            f64::from(taken) > 0.25 * f64::from(tried),
            "{taken} of {tried}"
        );
    }
}
