//! The event that the detector sees.

use pullback_ad::math::scalar::ln_1p;
use pullback_prob::{Distribution, Poisson};

use crate::cluster::{Cluster, RADIUS, anti_kt, distance2};
use crate::detector::Detector;
use crate::draws::{Draw, Draws};
use crate::lepton::{self, ELECTRON_TRIGGER, Lepton, MUON_TRIGGER, Trace};
use crate::pdg::id;
use crate::response;
use crate::truth::{Particle, Truth};
use crate::vector::FourVector;

/// A measured jet.
#[derive(Clone, Copy, Debug)]
pub struct Jet {
    pub pt: f64,
    pub eta: f64,
    pub phi: f64,
    pub mass: f64,
    pub btag: f64,
    pub flavour: i32,
    members: u64,
}

/// What leaves energy in a jet.
#[derive(Clone, Copy, Debug)]
struct Input {
    /// What is measured of it.
    deposit: FourVector,
    /// 5, 4 or 0.
    flavour: i32,
    /// The step of its draws.
    step: u32,
    /// Whether it is hadrons.
    hadronic: bool,
    eta: f64,
    phi: f64,
    /// The transverse momentum of what is measured.
    pt: f64,
}

/// The measured event; its lists are used again from event to event.
#[derive(Clone, Debug, Default)]
pub struct Reconstruction {
    pub muons: Vec<Lepton>,
    pub electrons: Vec<Lepton>,
    pub jets: Vec<Jet>,
    pub met: [f64; 2],
    pub neutrinos: [f64; 2],
    pub interactions: f64,
    pub vertices: u64,
    pub muon_trigger: bool,
    pub electron_trigger: bool,
    inputs: Vec<Input>,
    clusters: Vec<Cluster>,
}

/// Spread of the mean number of interactions over its mean.
const PILE_UP_SPREAD: f64 = 0.28;
/// The fraction of interactions whose vertex is found.
const VERTEX_EFFICIENCY: f64 = 0.7;
impl Reconstruction {
    /// Measures an event.
    pub fn event(&mut self, detector: &Detector, truth: &Truth, draws: &mut Draws) {
        self.muons.clear();
        self.electrons.clear();
        self.jets.clear();
        self.inputs.clear();
        self.clusters.clear();
        self.neutrinos = [0.0; 2];
        self.conditions(detector, draws);

        let mut soft = FourVector::default();
        let (mut leptons, mut partons) = (0, 0);
        for (place, particle) in truth.particles.iter().enumerate() {
            if !particle.stable {
                continue;
            }
            match particle.pdg_id.abs() {
                id::ELECTRON => {
                    let trace = lepton::electron(particle, place, leptons, self.vertices, draws);
                    let found = trace.and_then(|trace| self.trace(particle, leptons, trace));
                    self.electrons.extend(found);
                    leptons += 1;
                }
                id::MUON => {
                    let trace =
                        lepton::muon(particle, place, leptons, self.vertices, detector, draws);
                    let found = trace.and_then(|trace| self.trace(particle, leptons, trace));
                    self.muons.extend(found);
                    leptons += 1;
                }
                12 | 14 | 16 => {
                    self.neutrinos[0] += particle.momentum.px;
                    self.neutrinos[1] += particle.momentum.py;
                }
                id::SYSTEM => soft += particle.momentum,
                flavour => {
                    self.parton(particle, flavour, partons, detector, draws);
                    partons += 1;
                }
            }
        }
        self.isolate();
        self.jets(draws);
        self.missing(soft, draws);
        sort_by_pt(&mut self.muons, |lepton| lepton.pt);
        sort_by_pt(&mut self.electrons, |lepton| lepton.pt);
        sort_by_pt(&mut self.jets, |jet| jet.pt);
        self.muon_trigger = MUON_TRIGGER.fires(&self.muons);
        self.electron_trigger = ELECTRON_TRIGGER.fires(&self.electrons);
    }

    /// The jet that holds a lepton, or −1.
    pub fn jet_of(&self, lepton: &Lepton) -> i32 {
        position(&self.jets, |jet| jet.members >> lepton.input & 1 == 1)
    }

    /// The first muon inside a jet, or −1.
    pub fn muon_in(&self, jet: &Jet) -> i32 {
        position(&self.muons, |muon| jet.members >> muon.input & 1 == 1)
    }

    /// The first electron inside a jet, or −1.
    pub fn electron_in(&self, jet: &Jet) -> i32 {
        position(&self.electrons, |e| jet.members >> e.input & 1 == 1)
    }

    /// The mean number of interactions (normal, its tails reflected at 0 and at twice the mean), and the vertices found, 1 + Poisson.
    fn conditions(&mut self, detector: &Detector, draws: &mut Draws) {
        let z = draws.normal(Draw::Interactions, 0);
        let cut = 1.0 / PILE_UP_SPREAD;
        let beyond = (z.abs() - cut).max(0.0).copysign(z);
        let mean = detector.pile_up * (1.0 + PILE_UP_SPREAD * (z - 2.0 * beyond));
        self.interactions = mean.max(0.0);
        // A mean in range has a distribution; without pile-up there is one vertex.
        let more = Poisson::new(VERTEX_EFFICIENCY * self.interactions)
            .map_or(0, |n| n.sample(&mut draws.stream(Draw::Vertices, 0)));
        self.vertices = 1 + more;
    }

    /// Adds what a lepton leaves to the inputs of jets; the lepton itself, if it was found.
    fn trace(&mut self, particle: &Particle, step: u32, trace: Trace) -> Option<Lepton> {
        let input = self.input(
            particle.momentum,
            Input {
                deposit: trace.deposit,
                flavour: 0,
                step,
                hadronic: false,
                eta: trace.eta,
                phi: trace.phi,
                pt: trace.pt,
            },
        );
        trace.lepton.map(|lepton| Lepton { input, ..lepton })
    }

    fn parton(
        &mut self,
        particle: &Particle,
        flavour: i32,
        step: u32,
        detector: &Detector,
        draws: &mut Draws,
    ) {
        let p = particle.momentum;
        let (pt, eta) = (p.pt(), p.eta());
        if eta.abs() > response::CALORIMETER_ETA {
            return;
        }
        let z = draws.normal(Draw::JetEnergy, step);
        let measured = (1.0 + response::jet_resolution(pt) * z).max(0.1);
        let factor = measured * (1.0 + detector.jet_energy_scale);
        let flavour = if flavour == id::CHARM || flavour == id::BOTTOM {
            flavour
        } else {
            0
        };
        self.input(
            p,
            Input {
                deposit: p.scaled(factor),
                flavour,
                step,
                hadronic: true,
                eta,
                phi: p.phi(),
                pt: pt * factor,
            },
        );
    }

    fn input(&mut self, truth: FourVector, input: Input) -> usize {
        let place = self.inputs.len();
        // Only b quarks have a mass that counts.
        let rapidity = if input.flavour == id::BOTTOM {
            truth.rapidity()
        } else {
            input.eta
        };
        let cluster = Cluster::new(truth, rapidity, input.phi, place);
        self.clusters.push(cluster);
        self.inputs.push(input);
        place
    }

    /// Adds what hadrons within ΔR < 0.4 leave in the isolation cones.
    fn isolate(&mut self) {
        for lepton in self.muons.iter_mut().chain(&mut self.electrons) {
            for input in self.inputs.iter().filter(|input| input.hadronic) {
                let r2 = distance2(input.eta - lepton.eta, input.phi - lepton.phi);
                if r2 < RADIUS * RADIUS {
                    lepton.isolation += input.pt / lepton.pt;
                }
            }
        }
    }

    /// Jets of what was deposited, with the draws of their first parton (or lepton).
    fn jets(&mut self, draws: &mut Draws) {
        for cluster in anti_kt(&mut self.clusters) {
            let Some(first) = self.inputs.get(cluster.members.trailing_zeros() as usize) else {
                continue;
            };
            let mut seed = *first;
            if cluster.members.count_ones() > 1 {
                seed = merged(&self.inputs, cluster.members, seed);
            }
            let Input {
                eta,
                phi,
                pt,
                flavour,
                ..
            } = seed;
            if pt < response::JET_PT || eta.abs() > response::JET_ETA {
                continue;
            }
            let (tag, spread) = if seed.hadronic {
                let [tag, u] = draws.pair(Draw::Jet, seed.step);
                (tag, JET_MASS * pt * (-2.0 * ln_1p(-u)).sqrt())
            } else {
                let [tag, _] = draws.pair(Draw::LeptonJet, seed.step);
                (tag, 0.0)
            };
            let tagged = eta.abs() < response::TAG_ETA;
            self.jets.push(Jet {
                pt,
                eta,
                phi,
                mass: (seed.deposit.mass2().max(0.0) + spread * spread).sqrt(),
                btag: if tagged {
                    response::btag_score(tag, flavour)
                } else {
                    -1.0
                },
                flavour,
                members: cluster.members,
            });
        }
    }

    /// Minus the sum of all that was measured, with noise.
    fn missing(&mut self, soft: FourVector, draws: &mut Draws) {
        let mut seen = [soft.px, soft.py];
        let mut sum_et = 0.0;
        for input in &self.inputs {
            seen[0] += input.deposit.px;
            seen[1] += input.deposit.py;
            sum_et += if input.hadronic { input.pt } else { 0.0 };
        }
        let sigma = response::met_resolution(self.vertices as f64, sum_et);
        for (step, seen) in seen.into_iter().enumerate() {
            self.met[step] = -seen + sigma * draws.normal(Draw::Met, step as u32);
        }
    }
}

/// The sum of several inputs, with the draws of the first hadronic one.
fn merged(inputs: &[Input], members: u64, first: Input) -> Input {
    let mut sum = FourVector::default();
    let mut all = first;
    for (i, input) in inputs.iter().enumerate() {
        if members >> i & 1 == 1 {
            sum += input.deposit;
            all.flavour = all.flavour.max(input.flavour);
            if input.hadronic && !all.hadronic {
                (all.hadronic, all.step) = (true, input.step);
            }
        }
    }
    (all.deposit, all.pt, all.eta, all.phi) = (sum, sum.pt(), sum.eta(), sum.phi());
    all
}

/// The scale of the Rayleigh distribution of m/p_T of one parton's jet.
const JET_MASS: f64 = 0.09;
fn position<T>(list: &[T], test: impl Fn(&T) -> bool) -> i32 {
    list.iter().position(test).map_or(-1, |i| i as i32)
}

/// Falling, equal values in their order.
fn sort_by_pt<T>(list: &mut [T], pt: impl Fn(&T) -> f64) {
    if list.len() > 1 {
        list.sort_by(|a, b| pt(b).total_cmp(&pt(a)));
    }
}
