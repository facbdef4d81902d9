//! The hard process: masses, radiation, rapidities, and the decays that follow.
//!
//! The transverse momentum of the produced system is what radiation leaves: jets and a soft part, each with a power-law spectrum and a uniform azimuth. All
//! rapidities lie within ±ln(√s/M_T), with M_T the sum of all transverse masses: so the momentum fractions of the partons are at most 1, without rejection. Rapidities
//! follow a parabola. Decays are isotropic.

use std::f64::consts::TAU;

use pullback_ad::math::scalar::ln;
use pullback_prob::{BreitWigner, PowerTail, ProbError, quantile};

use crate::decay::Decays;
use crate::draws::{Draw, Draws};
use crate::four_lepton::{self, OffShell};
use crate::pdg::{self, Resonance, id};
use crate::process::{EMISSION_MIN, Process, Production};
use crate::truth::{Particle, Truth};
use crate::vector::{FourVector, direction};

/// The energy of the collisions in GeV.
pub const SQRT_S: f64 = 13_000.0;
/// The soft recoil ends here, in GeV.
const SOFT_MAX: f64 = 100.0;
/// At most this many radiated jets.
const EMISSIONS_MAX: u64 = 12;
/// And these within this rapidity.
const EMISSION_RAPIDITY: f64 = 5.0;

/// A process with what its draws need.
#[derive(Clone, Debug)]
pub struct Hard {
    process: Process,
    production: Production,
    soft: PowerTail,
    emission: PowerTail,
    ln_ratio: f64,
    /// The mass of what is produced alone, where one resonance is.
    resonance: Option<BreitWigner>,
    /// The excess over threshold, where a pair is.
    excess: Option<PowerTail>,
    top: BreitWigner,
    w: BreitWigner,
    /// Masses of H → ZZ*.
    off_shell: Option<OffShell>,
}

/// The fraction of W⁺: σ(W⁺)/σ(W⁻) = 1.35 at 13 TeV.
const W_PLUS: f64 = 0.575;

/// A radiated jet: p_T components and p_T.
type Jet = ([f64; 2], f64);

fn line(resonance: Resonance, low: f64, high: f64) -> Result<BreitWigner, ProbError> {
    BreitWigner::new(resonance.mass, resonance.width, low, high)
}

fn polar(pt: f64, u: f64) -> [f64; 2] {
    let [x, y, _] = direction(0.0, TAU * (u - 0.5));
    [pt * x, pt * y]
}

/// 3 % b, 6 % c, 56 % gluons, the rest light quarks.
fn emission_flavour(u: f64) -> i32 {
    match u {
        u if u < 0.03 => id::BOTTOM,
        u if u < 0.09 => id::CHARM,
        u if u < 0.65 => id::GLUON,
        u if u < 0.80 => id::UP,
        u if u < 0.93 => id::DOWN,
        _ => id::STRANGE,
    }
}

impl Hard {
    /// Of a checked process.
    pub fn new(process: Process) -> Result<Self, ProbError> {
        let production = process.production();
        let (soft, emission) = (production.soft, production.emission);
        let resonance = match process {
            Process::ZToLL => Some(line(pdg::Z, 40.0, 200.0)?),
            Process::WJets => Some(line(pdg::W, 40.0, 200.0)?),
            Process::HTo4L => {
                let [low, high] = four_lepton::HIGGS_RANGE;
                Some(line(pdg::HIGGS, low, high)?)
            }
            Process::JPsiToMuMu => Some(line(pdg::JPSI, 3.0, 3.2)?),
            Process::TTbar | Process::ZPrimeToTT { .. } | Process::ZZTo4L => None,
        };
        let excess = match process {
            Process::TTbar => Some(PowerTail::new(130.0, 2.1, 0.0, 4000.0)?),
            Process::ZZTo4L => Some(PowerTail::new(60.0, 2.2, 0.0, 2000.0)?),
            _ => None,
        };
        Ok(Self {
            process,
            production,
            soft: PowerTail::new(soft.0, soft.1, 0.0, SOFT_MAX)?,
            emission: PowerTail::new(emission.0, emission.1, EMISSION_MIN, SQRT_S / 8.0)?,
            ln_ratio: ln(production.ratio),
            resonance,
            excess,
            top: line(pdg::TOP, pdg::TOP.mass - 30.0, pdg::TOP.mass + 30.0)?,
            w: line(pdg::W, 40.0, 120.0)?,
            off_shell: match process {
                Process::HTo4L => Some(OffShell::new()?),
                _ => None,
            },
        })
    }

    /// The order in α_s of the process without radiation.
    pub fn order(&self) -> i32 {
        self.production.order
    }

    /// The fraction of negative weights.
    pub fn negative(&self) -> f64 {
        self.production.negative
    }

    /// An event.
    pub fn generate(&self, draws: &mut Draws, truth: &mut Truth) {
        truth.clear();
        let [u_mass, u_rapidity] = draws.pair(Draw::System, 0);
        let pair = self.pair_masses(draws);
        let mass = match self.process {
            Process::ZPrimeToTT { mass, width } => {
                let threshold = pair[0] + pair[1] + 1.0;
                quantile::breit_wigner(u_mass, mass, width, threshold, 8000.0)
            }
            _ => match (&self.resonance, &self.excess) {
                (Some(line), _) => line.quantile(u_mass),
                (None, Some(excess)) => pair[0] + pair[1] + excess.quantile(u_mass),
                (None, None) => 0.0, // Every process has one of them.
            },
        };
        let pair = match &self.off_shell {
            Some(off_shell) => off_shell.pair(mass, draws).0,
            None => pair,
        };
        let system = self.produce(mass, u_rapidity, draws, truth);
        self.decay(system, pair, draws, truth);
    }

    /// The masses of a produced pair.
    fn pair_masses(&self, draws: &mut Draws) -> [f64; 2] {
        match self.process {
            Process::TTbar | Process::ZPrimeToTT { .. } => {
                let [u, v] = draws.pair(Draw::Masses, 0);
                [self.top.quantile(u), self.top.quantile(v)]
            }
            Process::ZZTo4L => four_lepton::continuum_pair(draws),
            _ => [0.0; 2],
        }
    }

    /// Radiation, and the system that recoils against it; its place in the record.
    fn produce(&self, mass: f64, u: f64, draws: &mut Draws, truth: &mut Truth) -> usize {
        let mut jets: [Jet; EMISSIONS_MAX as usize] = Default::default();
        // Half of what is left at most, so that the sum of transverse masses, m + 2 Σ p_T or less, stays below √s.
        let mut budget = 0.45 * (SQRT_S - mass) - SOFT_MAX;
        let [u_count, u_soft] = draws.pair(Draw::Count, 0);
        let count = quantile::geometric(u_count, self.ln_ratio).min(EMISSIONS_MAX) as usize;
        let [v_pt, v_phi] = draws.pair(Draw::Soft, 0);
        let soft_pt = self.soft.quantile(v_pt);
        let soft = polar(soft_pt, v_phi);
        let mut recoil = soft;
        let mut radiated = soft_pt;
        for (j, jet) in jets[..count].iter_mut().enumerate() {
            let [u_pt, u_phi] = draws.pair(Draw::Emission, j as u32);
            let pt = self.emission.quantile(u_pt).min(0.5 * budget);
            budget -= pt;
            radiated += pt;
            let p = polar(pt, u_phi);
            recoil = [recoil[0] + p[0], recoil[1] + p[1]];
            *jet = (p, pt);
        }
        let jets = &jets[..count];

        let transverse = (recoil[0] * recoil[0] + recoil[1] * recoil[1] + mass * mass).sqrt();
        let reach = ln(SQRT_S / (transverse + radiated));
        let system =
            FourVector::from_rapidity(-recoil[0], -recoil[1], quantile::parabola(u, reach), mass);
        let rest = FourVector::from_rapidity(
            soft[0],
            soft[1],
            quantile::parabola(u_soft, reach.min(EMISSION_RAPIDITY)),
            0.0,
        );

        let incoming = |pdg_id| Particle {
            pdg_id,
            momentum: FourVector::default(),
            mass: 0.0,
            mother: None,
            stable: false,
        };
        let ([a, b], produced) = self.names(draws);
        truth.particles.extend([incoming(a), incoming(b)]);
        let place = truth.add(produced, system, mass, 0);
        truth.add(id::SYSTEM, rest, 0.0, 0);
        let mut total = system + rest;
        for (j, (p, _)) in jets.iter().enumerate() {
            let [u_rapidity, u_flavour] = draws.pair(Draw::EmissionKind, j as u32);
            let rapidity = quantile::parabola(u_rapidity, reach.min(EMISSION_RAPIDITY));
            let momentum = FourVector::from_rapidity(p[0], p[1], rapidity, 0.0);
            total += momentum;
            truth.add(emission_flavour(u_flavour), momentum, 0.0, 0);
        }
        let beams = [0.5 * (total.e + total.pz), 0.5 * (total.e - total.pz)];
        for (side, energy) in beams.into_iter().enumerate() {
            truth.particles[side].momentum = FourVector {
                px: 0.0,
                py: 0.0,
                pz: if side == 0 { energy } else { -energy },
                e: energy,
            };
            truth.x[side] = energy / (0.5 * SQRT_S);
        }
        (truth.scale, truth.emissions) = (mass, count);
        place
    }

    /// Labels of the incoming partons and of what they make.
    fn names(&self, draws: &mut Draws) -> ([i32; 2], i32) {
        let quarks = [id::UP, -id::UP];
        let gluons = [id::GLUON; 2];
        match self.process {
            Process::ZToLL => (quarks, id::Z),
            Process::WJets => {
                let [u, _] = draws.pair(Draw::Charge, 0);
                if u < W_PLUS {
                    ([id::UP, -id::DOWN], id::W)
                } else {
                    ([id::DOWN, -id::UP], -id::W)
                }
            }
            Process::TTbar => (gluons, id::SYSTEM),
            Process::ZPrimeToTT { .. } => (quarks, id::Z_PRIME),
            Process::HTo4L => (gluons, id::HIGGS),
            Process::ZZTo4L => (quarks, id::SYSTEM),
            Process::JPsiToMuMu => (gluons, id::JPSI),
        }
    }

    fn decay(&self, system: usize, masses: [f64; 2], draws: &mut Draws, truth: &mut Truth) {
        let mut decays = Decays::new(draws, truth, &self.w);
        match self.process {
            Process::ZToLL => decays.z(system),
            Process::JPsiToMuMu => decays.leptons(system, id::MUON, pdg::M_MUON),
            Process::WJets => decays.w_to_leptons(system),
            Process::TTbar | Process::ZPrimeToTT { .. } => {
                let [t, tbar] = decays.two(system, [id::TOP, -id::TOP], masses);
                decays.top(t);
                decays.top(tbar);
            }
            Process::HTo4L | Process::ZZTo4L => {
                let [a, b] = decays.two(system, [id::Z, id::Z], masses);
                decays.z(a);
                decays.z(b);
            }
        }
    }
}
