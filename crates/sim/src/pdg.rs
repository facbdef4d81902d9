//! Masses and widths in GeV, branching fractions and particle numbers.
//!
//! Reference: Particle Data Group, *Review of particle physics*, Phys. Rev. D 110 (2024) 030001; the width of the Higgs boson is the prediction of the
//! standard model (LHC Higgs cross section working group, arXiv:1610.07922).

/// Mass and width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resonance {
    /// The pole mass.
    pub mass: f64,
    /// The full width.
    pub width: f64,
}

/// The Z boson.
pub const Z: Resonance = Resonance {
    mass: 91.1880,
    width: 2.4955,
};
/// The W boson.
pub const W: Resonance = Resonance {
    mass: 80.3692,
    width: 2.085,
};
/// The top quark.
pub const TOP: Resonance = Resonance {
    mass: 172.57,
    width: 1.42,
};
/// The Higgs boson.
pub const HIGGS: Resonance = Resonance {
    mass: 125.20,
    width: 0.004_1,
};
/// J/ψ(1S).
pub const JPSI: Resonance = Resonance {
    mass: 3.096_900,
    width: 92.6e-6,
};

/// The electron.
pub const M_ELECTRON: f64 = 0.000_510_998_95;
/// The muon.
pub const M_MUON: f64 = 0.105_658_375_5;
/// The τ lepton.
pub const M_TAU: f64 = 1.776_93;
/// The b quark (the 1S scheme).
pub const M_BOTTOM: f64 = 4.78;
/// The ρ(770), which stands for the hadrons of a τ decay.
pub const M_RHO: f64 = 0.775_26;

/// W → eν, µν, τν; the rest is hadrons.
pub const W_TO_LEPTONS: [f64; 3] = [0.1071, 0.1063, 0.1138];
/// τ → eνν, µνν; the rest is hadrons.
pub const TAU_TO_LEPTONS: [f64; 2] = [0.1782, 0.1739];

/// Particle numbers.
pub mod id {
    /// Down quark.
    pub const DOWN: i32 = 1;
    /// Up quark.
    pub const UP: i32 = 2;
    /// Strange quark.
    pub const STRANGE: i32 = 3;
    /// Charm quark.
    pub const CHARM: i32 = 4;
    /// Bottom quark.
    pub const BOTTOM: i32 = 5;
    /// Top quark.
    pub const TOP: i32 = 6;
    /// Electron.
    pub const ELECTRON: i32 = 11;
    /// Muon.
    pub const MUON: i32 = 13;
    /// τ lepton.
    pub const TAU: i32 = 15;
    /// Gluon.
    pub const GLUON: i32 = 21;
    /// Z boson.
    pub const Z: i32 = 23;
    /// W⁺ boson.
    pub const W: i32 = 24;
    /// Higgs boson.
    pub const HIGGS: i32 = 25;
    /// Z′ boson.
    pub const Z_PRIME: i32 = 32;
    /// A system of particles: here the soft recoil, and the pair of top quarks or Z bosons.
    pub const SYSTEM: i32 = 90;
    /// ρ⁺ meson.
    pub const RHO: i32 = 213;
    /// J/ψ meson.
    pub const JPSI: i32 = 443;
}
