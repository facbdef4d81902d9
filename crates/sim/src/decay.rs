//! Decays, one after the other, isotropic in each rest frame.

use std::f64::consts::TAU;

use pullback_ad::math::scalar::cbrt;
use pullback_prob::BreitWigner;

use crate::draws::{Draw, Draws};
use crate::pdg::{self, id};
use crate::truth::Truth;
use crate::vector::{direction, two_body};

/// The decays of an event; it counts the draws.
pub struct Decays<'a> {
    draws: &'a mut Draws,
    truth: &'a mut Truth,
    w: &'a BreitWigner,
    angles: u32,
    channels: u32,
    masses: u32,
}

impl<'a> Decays<'a> {
    /// `w` is the mass of W bosons from top quarks.
    pub fn new(draws: &'a mut Draws, truth: &'a mut Truth, w: &'a BreitWigner) -> Self {
        Self {
            draws,
            truth,
            w,
            angles: 0,
            channels: 0,
            masses: 1, // The first is that of the produced pair.
        }
    }

    fn channel(&mut self) -> [f64; 2] {
        self.channels += 1;
        self.draws.pair(Draw::Channel, self.channels - 1)
    }

    /// Into two particles; their places.
    pub fn two(&mut self, mother: usize, ids: [i32; 2], masses: [f64; 2]) -> [usize; 2] {
        let [u, v] = self.draws.pair(Draw::Decay, self.angles);
        self.angles += 1;
        let parent = self.truth.particles[mother];
        let [a, b] = two_body(
            parent.momentum,
            parent.mass,
            masses[0],
            masses[1],
            direction(2.0 * u - 1.0, TAU * (v - 0.5)),
        );
        [
            self.truth.add(ids[0], a, masses[0], mother),
            self.truth.add(ids[1], b, masses[1], mother),
        ]
    }

    /// Into ℓ⁻ℓ⁺.
    pub fn leptons(&mut self, mother: usize, pdg_id: i32, mass: f64) {
        self.two(mother, [pdg_id, -pdg_id], [mass; 2]);
    }

    /// Z → e⁻e⁺ or µ⁻µ⁺.
    pub fn z(&mut self, z: usize) {
        let [u, _] = self.channel();
        if u < 0.5 {
            self.leptons(z, id::ELECTRON, pdg::M_ELECTRON);
        } else {
            self.leptons(z, id::MUON, pdg::M_MUON);
        }
    }

    /// t → b W, W → anything.
    pub fn top(&mut self, top: usize) {
        let sign = self.truth.particles[top].pdg_id.signum();
        let [u, _] = self.draws.pair(Draw::Masses, self.masses);
        self.masses += 1;
        let mass = self.w.quantile(u);
        let ids = [sign * id::BOTTOM, sign * id::W];
        let [_, w] = self.two(top, ids, [pdg::M_BOTTOM, mass]);
        let [u, v] = self.channel();
        self.w(w, u, v);
    }

    /// W → eν, µν, τν.
    pub fn w_to_leptons(&mut self, w: usize) {
        let leptonic: f64 = pdg::W_TO_LEPTONS.iter().sum();
        let [u, v] = self.channel();
        // The product may round up to the sum, which would be hadrons.
        self.w(w, (u * leptonic).min(leptonic - 1e-12), v);
    }

    /// The channel at u, with the branching fractions one after the other; v chooses the quarks.
    fn w(&mut self, w: usize, u: f64, v: f64) {
        let sign = self.truth.particles[w].pdg_id.signum();
        let [e, mu, tau] = pdg::W_TO_LEPTONS;
        let lepton = |pdg_id: i32| [-sign * pdg_id, sign * (pdg_id + 1)];
        if u < e {
            self.two(w, lepton(id::ELECTRON), [pdg::M_ELECTRON, 0.0]);
        } else if u < e + mu {
            self.two(w, lepton(id::MUON), [pdg::M_MUON, 0.0]);
        } else if u < e + mu + tau {
            let [tau, _] = self.two(w, lepton(id::TAU), [pdg::M_TAU, 0.0]);
            self.tau(tau);
        } else if v < 0.5 {
            self.two(w, [sign * id::UP, -sign * id::DOWN], [0.0; 2]);
        } else {
            self.two(w, [sign * id::CHARM, -sign * id::STRANGE], [0.0; 2]);
        }
    }

    /// τ → ℓνν with the lepton spectrum x²(3 − 2x) of x = 2E/m_τ, or τ → ρν for all hadrons.
    ///
    /// The two neutrinos take the mass m_τ √(1 − x) (less what the lepton's own mass costs).
    ///
    /// Reference: Michel, Proc. Phys. Soc. A 63 (1950) 514, with ρ = ¾, for the spectrum.
    fn tau(&mut self, tau: usize) {
        let sign = self.truth.particles[tau].pdg_id.signum();
        let [u, v] = self.channel();
        let [e, mu] = pdg::TAU_TO_LEPTONS;
        let (pdg_id, mass) = if u < e {
            (id::ELECTRON, pdg::M_ELECTRON)
        } else if u < e + mu {
            (id::MUON, pdg::M_MUON)
        } else {
            let ids = [-sign * id::RHO, sign * (id::TAU + 1)];
            self.two(tau, ids, [pdg::M_RHO, 0.0]);
            return;
        };
        let neutrinos = (pdg::M_TAU - mass) * (1.0 - michel(v)).max(0.0).sqrt();
        let [_, pair] = self.two(tau, [sign * pdg_id, id::SYSTEM], [mass, neutrinos]);
        let ids = [-sign * (pdg_id + 1), sign * (id::TAU + 1)];
        self.two(pair, ids, [0.0; 2]);
    }
}

/// The x at which 2x³ − x⁴ = v: Newton's method from ∛v, which lies above the root, on a convex function.
fn michel(v: f64) -> f64 {
    let mut x = cbrt(v);
    for _ in 0..6 {
        let square = x * x;
        x -= (square * x * (2.0 - x) - v) / (square * (6.0 - 4.0 * x));
    }
    x
}

#[cfg(test)]
mod tests {
    use super::michel;

    #[test]
    fn the_spectrum_is_inverted() {
        for v in [1e-15, 1e-6, 0.1, 0.5, 0.9, 1.0 - 1e-12] {
            let x = michel(v);
            let back = 2.0 * x.powi(3) - x.powi(4);
            assert!((back - v).abs() <= 1e-14 * v, "{v}: {x}, {back}");
        }
    }
}
