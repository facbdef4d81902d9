//! The masses of two Z bosons.

use pullback_prob::rand_core::Rng;
use pullback_prob::{BreitWigner, Categorical, ProbError, quantile, unit};

use crate::draws::{Draw, Draws};
use crate::pdg;

/// The smallest mass of a pair of leptons in GeV.
const LOWEST: f64 = 4.0;
/// The part of the continuum in which one pair comes from a photon.
const PHOTON: f64 = 0.25;
/// Its masses, in GeV.
const PHOTON_RANGE: [f64; 2] = [12.0, 120.0];

/// The weight of two masses beside their resonances, per m_H⁴: √λ (λ + 12 m₁² m₂²), with λ = (1 − a − b)² − 4ab, a = m₁²/m_H², b = m₂²/m_H².
///
/// Reference: A. Djouadi, Phys. Rep. 457 (2008) 1, section 2.2: Γ(H → Z*Z*) ∝ ∫∫ BW BW √λ (λ + 12 m₁² m₂²/m_H⁴).
fn weight(a: f64, b: f64) -> f64 {
    let rest = 1.0 - a - b;
    let lambda = rest * rest - 4.0 * a * b;
    if lambda <= 0.0 {
        return 0.0;
    }
    lambda.sqrt() * (lambda + 12.0 * a * b)
}

/// The masses of a Higgs boson: 120 widths on either side of the pole.
pub const HIGGS_RANGE: [f64; 2] = [pdg::HIGGS.mass - 0.5, pdg::HIGGS.mass + 0.5];

/// m₁ > m₂ of H → Z*Z*, by rejection.
///
/// By symmetry one may take the heavier one first; the lighter one is then below m_H/2, far from the resonance. m₁ comes from strips of a GeV, each as often as its part of
/// the Breit-Wigner times its largest weight asks for, and within a strip from the Breit-Wigner; m₂ from its own within what m₁ leaves, and the size of that range joins the
/// weight. Fewer than two attempts on average.
#[derive(Clone, Debug)]
pub struct OffShell {
    strips: Vec<Strip>,
    choice: Categorical,
    z: BreitWigner,
}

/// A range of m₁: its angles, and the largest weight in it.
#[derive(Clone, Copy, Debug)]
struct Strip {
    from: f64,
    to: f64,
    bound: f64,
}

/// Width of the strips in GeV.
const STRIP: f64 = 1.0;
/// Points per strip and direction at which the largest weight is looked for.
const POINTS: [i32; 2] = [4, 40];

/// The largest weight with m₁ between two masses, on a grid with the given points in m₁ and m₂, at the ends and in the middle of the masses of the boson.
fn largest_weight(z: &BreitWigner, low: f64, high: f64, points: [i32; 2]) -> f64 {
    let mut largest: f64 = 0.0;
    for mass in [HIGGS_RANGE[0], pdg::HIGGS.mass, HIGGS_RANGE[1]] {
        for i in 0..=points[0] {
            let m1 = low + (high - low) * f64::from(i) / f64::from(points[0]);
            let room = m1.min(mass - m1) - LOWEST;
            for j in 0..=points[1] {
                let m2 = LOWEST + room * f64::from(j) / f64::from(points[1]);
                largest = largest.max(joint_weight(z, m1, m2, mass));
            }
        }
    }
    largest
}

impl OffShell {
    /// Looks for the largest weights, and adds 3 % for what lies between the points.
    pub fn new() -> Result<Self, ProbError> {
        let end = HIGGS_RANGE[1] - LOWEST;
        let count = ((end - LOWEST) / STRIP).ceil() as i32;
        let z = BreitWigner::new(pdg::Z.mass, pdg::Z.width, LOWEST, end)?;
        let edge = |n: i32| (LOWEST + STRIP * f64::from(n)).min(end);
        let strips: Vec<Strip> = (0..count)
            .map(|n| Strip {
                from: z.angle(edge(n)),
                to: z.angle(edge(n + 1)),
                bound: 1.03 * largest_weight(&z, edge(n), edge(n + 1), POINTS),
            })
            .collect();
        let sizes: Vec<f64> = strips.iter().map(|s| (s.to - s.from) * s.bound).collect();
        let choice = Categorical::new(&sizes)?;
        Ok(Self { strips, choice, z })
    }

    /// The two masses, and how many attempts they took.
    pub fn pair(&self, mass: f64, draws: &Draws) -> ([f64; 2], u32) {
        let lowest = self.z.angle(LOWEST);
        let mut pair = [pdg::Z.mass, LOWEST];
        for attempt in 0..1000 {
            let mut stream = draws.stream(Draw::Attempt, attempt);
            let mut next = || unit(stream.next_u64());
            let strip = self.strips[self.choice.quantile(next())];
            let m1 = self.z.mass(strip.from + (strip.to - strip.from) * next());
            let range = self.z.angle(m1.min(mass - m1)) - lowest;
            let m2 = self.z.mass(lowest + range * next());
            pair = [m1, m2];
            if next() * strip.bound < joint_weight(&self.z, m1, m2, mass) {
                return (pair, attempt + 1);
            }
        }
        // With half of the attempts taken this has the probability 2⁻¹⁰⁰⁰.
        (pair, 1000)
    }
}

/// The weight of two masses times the range of angles from which the second comes; 0 where there is no room.
fn joint_weight(z: &BreitWigner, m1: f64, m2: f64, mass: f64) -> f64 {
    let square = mass * mass;
    let range = z.angle(m1.min(mass - m1)) - z.angle(LOWEST);
    range.max(0.0) * weight(m1 * m1 / square, m2 * m2 / square)
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

    /// No pair of masses weighs more than the bound of its strip, on a finer grid.
    #[test]
    fn the_bounds_hold() {
        let off_shell = OffShell::new().unwrap();
        for (n, strip) in off_shell.strips.iter().enumerate() {
            let low = LOWEST + STRIP * n as f64;
            let high = (low + STRIP).min(HIGGS_RANGE[1] - LOWEST);
            let largest = largest_weight(&off_shell.z, low, high, [13, 137]);
            assert!(largest <= strip.bound, "{low}: {largest}, {}", strip.bound);
        }
    }

    #[test]
    fn few_attempts_are_needed() {
        let off_shell = OffShell::new().unwrap();
        let mut draws = Draws::new(1, "attempts");
        let mut attempts = 0;
        for event in 0..5000 {
            draws.load(event, 1);
            let ([m1, m2], tried) = off_shell.pair(pdg::HIGGS.mass, &draws);
            assert!(m1 >= m2 && m2 >= LOWEST && m1 + m2 <= pdg::HIGGS.mass + 1e-9);
            attempts += tried;
        }
        assert!(attempts < 2 * 5000, "{attempts} for 5000");
    }
}
