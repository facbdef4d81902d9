//! Electrons and muons as the detector sees them.

use pullback_ad::math::scalar::ln_1p;

use crate::detector::Detector;
use crate::draws::{Draw, Draws};
use crate::response;
use crate::truth::Particle;
use crate::vector::FourVector;

/// A measured electron or muon.
#[derive(Clone, Copy, Debug)]
pub struct Lepton {
    pub pt: f64,
    pub eta: f64,
    pub phi: f64,
    pub charge: i32,
    pub isolation: f64,
    /// Its place in the generator's record.
    pub truth: usize,
    /// Its place among the inputs of jets.
    pub input: usize,
    /// Uniform: whether it fires a trigger.
    pub trigger: f64,
}

/// What is left in the detector: a deposit, with or without a lepton.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    pub deposit: FourVector,
    pub pt: f64,
    pub eta: f64,
    pub phi: f64,
    pub lepton: Option<Lepton>,
}

/// A trigger for one isolated lepton.
#[derive(Clone, Copy, Debug)]
pub struct Trigger {
    pub threshold: f64,
    pub plateau: f64,
}

/// The trigger for muons.
pub const MUON_TRIGGER: Trigger = Trigger {
    threshold: 24.0,
    plateau: 0.92,
};
/// The trigger for electrons.
pub const ELECTRON_TRIGGER: Trigger = Trigger {
    threshold: 32.0,
    plateau: 0.88,
};
/// The isolation that a trigger asks for.
const TRIGGER_ISOLATION: f64 = 0.15;
/// Straight tracks are cut off here, in GeV.
const MUON_PT_MAX: f64 = 13_000.0;

impl Trigger {
    /// Whether any of the leptons fires it.
    pub fn fires(self, leptons: &[Lepton]) -> bool {
        leptons.iter().any(|lepton| {
            lepton.pt > self.threshold
                && lepton.isolation < TRIGGER_ISOLATION
                && lepton.trigger < self.plateau
        })
    }
}

/// The isolation of a prompt lepton: exponential, with a mean that grows with pile-up, over p_T.
fn leakage(u: f64, vertices: u64, pt: f64) -> f64 {
    -ln_1p(-u) * (0.3 + 0.02 * vertices as f64) / pt
}

/// An electron leaves its energy in the calorimeter, whether it is found or not.
pub fn electron(
    particle: &Particle,
    place: usize,
    step: u32,
    vertices: u64,
    draws: &mut Draws,
) -> Option<Trace> {
    let p = particle.momentum;
    let (pt, eta, phi) = (p.pt(), p.eta(), p.phi());
    if eta.abs() > response::CALORIMETER_ETA {
        return None;
    }
    let [u, leak] = draws.pair(Draw::Lepton, step);
    let [trigger, flip] = draws.pair(Draw::Trigger, step);
    let z = draws.normal(Draw::LeptonMomentum, step);
    let factor = (1.0 + response::electron_resolution(p.e, eta) * z).max(0.05);
    let measured = pt * factor;
    let found = eta.abs() < response::ELECTRON_ETA
        && u < response::electron_efficiency(pt, eta)
        && measured > response::ELECTRON_PT;
    let wrong = if eta.abs() < 1.5 { 0.001 } else { 0.01 };
    let sign = if flip < wrong { -1 } else { 1 };
    let lepton = found.then(|| Lepton {
        pt: measured,
        eta,
        phi,
        charge: -particle.pdg_id.signum() * sign,
        isolation: leakage(leak, vertices, pt),
        truth: place,
        input: 0,
        trigger,
    });
    Some(Trace {
        deposit: p.scaled(factor),
        pt: measured,
        eta,
        phi,
        lepton,
    })
}

/// A muon that is not found leaves nothing.
pub fn muon(
    particle: &Particle,
    place: usize,
    step: u32,
    vertices: u64,
    detector: &Detector,
    draws: &mut Draws,
) -> Option<Trace> {
    let p = particle.momentum;
    let (pt, eta) = (p.pt(), p.eta());
    if eta.abs() > response::MUON_ETA {
        return None;
    }
    let [u, leak] = draws.pair(Draw::Lepton, step);
    if u > response::muon_efficiency(pt) {
        return None;
    }
    let [trigger, _] = draws.pair(Draw::Trigger, step);
    let z = draws.normal(Draw::LeptonMomentum, step);
    let bias = detector.muon_bias(eta.abs());
    // The curvature q/p_T is measured with a normal error: a large one turns the charge.
    let curvature = 1.0 + response::muon_resolution(pt, eta) * bias.resolution * z;
    let measured = (pt / curvature.abs()).min(MUON_PT_MAX);
    let measured = (1.0 + bias.scale) * measured + bias.offset;
    if measured <= response::MUON_PT {
        return None;
    }
    let phi = p.phi();
    let sign = if curvature < 0.0 { -1 } else { 1 };
    Some(Trace {
        deposit: p.scaled(measured / pt),
        pt: measured,
        eta,
        phi,
        lepton: Some(Lepton {
            pt: measured,
            eta,
            phi,
            charge: -particle.pdg_id.signum() * sign,
            isolation: leakage(leak, vertices, pt),
            truth: place,
            input: 0,
            trigger,
        }),
    })
}
