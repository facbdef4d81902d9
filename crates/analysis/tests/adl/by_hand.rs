//! The queries as loops over events.

use std::collections::HashMap;
use std::f64::consts::PI;

use crate::support::Data;

#[derive(Clone, Copy, Debug)]
pub struct Particle {
    pt: f64,
    eta: f64,
    phi: f64,
    mass: f64,
    charge: f64,
    btag: f64,
    /// 0 muon, 1 electron, 2 jet.
    species: u8,
}

#[derive(Clone, Debug)]
pub struct Event {
    met: f64,
    met_phi: f64,
    jets: Vec<Particle>,
    muons: Vec<Particle>,
    electrons: Vec<Particle>,
}

impl Event {
    pub fn all(data: &Data) -> Vec<Self> {
        let column = |name: &str| data.get(name).0.f64();
        let objects = |name: &str, species: u8| -> Vec<Vec<Particle>> {
            let get = |field: &str| column(&format!("{name}_{field}"));
            let (pt, eta, phi, mass) = (get("pt"), get("eta"), get("phi"), get("mass"));
            let (charge, btag) = if species == 2 {
                (vec![0.0; pt.len()], get("btagDeepFlavB"))
            } else {
                (get("charge"), vec![0.0; pt.len()])
            };
            let offsets = data.get(&format!("{name}_pt")).1;
            let particle = |i: usize| Particle {
                pt: pt[i],
                eta: eta[i],
                phi: phi[i],
                mass: mass[i],
                charge: charge[i],
                btag: btag[i],
                species,
            };
            let events = offsets.windows(2);
            events
                .map(|w| (w[0] as usize..w[1] as usize).map(particle).collect())
                .collect()
        };
        let (met, met_phi) = (column("MET_pt"), column("MET_phi"));
        let (jets, muons) = (objects("Jet", 2), objects("Muon", 0));
        let electrons = objects("Electron", 1);
        (0..met.len())
            .map(|i| Self {
                met: met[i],
                met_phi: met_phi[i],
                jets: jets[i].clone(),
                muons: muons[i].clone(),
                electrons: electrons[i].clone(),
            })
            .collect()
    }
}

/// Mass and p_T of a sum.
fn sum(parts: &[Particle]) -> (f64, f64) {
    let (mut x, mut y, mut z, mut e) = (0.0, 0.0, 0.0, 0.0);
    for p in parts {
        let pz = p.pt * p.eta.sinh();
        x += p.pt * p.phi.cos();
        y += p.pt * p.phi.sin();
        z += pz;
        e += (p.pt * p.pt + pz * pz + p.mass * p.mass).sqrt();
    }
    let squared: f64 = e * e - x * x - y * y - z * z;
    (squared.max(0.0).sqrt(), x.hypot(y))
}

fn distance(a: &Particle, b: &Particle) -> f64 {
    let mut phi = (a.phi - b.phi).abs();
    if phi > PI {
        phi = 2.0 * PI - phi;
    }
    (a.eta - b.eta).hypot(phi)
}

/// The best same-flavour opposite-charge pair, and what follows from it.
fn third_lepton(event: &Event) -> Option<f64> {
    let leptons: Vec<Particle> = event
        .muons
        .iter()
        .chain(&event.electrons)
        .copied()
        .collect();
    if leptons.len() < 3 {
        return None;
    }
    let mut best: Option<(f64, usize, usize)> = None;
    for i in 0..leptons.len() {
        for j in i + 1..leptons.len() {
            let (a, b) = (leptons[i], leptons[j]);
            if a.species != b.species || a.charge == b.charge {
                continue;
            }
            let away = (sum(&[a, b]).0 - 91.2).abs();
            if best.is_none_or(|b| away < b.0) {
                best = Some((away, i, j));
            }
        }
    }
    let (_, i, j) = best?;
    let rest = leptons
        .iter()
        .enumerate()
        .filter(|(k, _)| *k != i && *k != j);
    let other = rest
        .map(|(_, p)| *p)
        .reduce(|a, b| if b.pt > a.pt { b } else { a })?;
    Some((2.0 * other.pt * event.met * (1.0 - (other.phi - event.met_phi).cos())).sqrt())
}

/// p_T and b-tag of the trijet closest to the top quark.
fn trijet(jets: &[Particle]) -> Option<(f64, f64)> {
    let mut best: Option<(f64, f64, f64)> = None;
    for i in 0..jets.len() {
        for j in i + 1..jets.len() {
            for k in j + 1..jets.len() {
                let parts = [jets[i], jets[j], jets[k]];
                let (mass, pt) = sum(&parts);
                let away = (mass - 172.5).abs();
                if best.is_none_or(|b| away < b.0) {
                    let btag = parts
                        .iter()
                        .map(|p| p.btag)
                        .fold(f64::NEG_INFINITY, f64::max);
                    best = Some((away, pt, btag));
                }
            }
        }
    }
    best.map(|b| (b.1, b.2))
}

/// The values that each query fills, in the order of the events.
pub fn queries(events: &[Event]) -> HashMap<&'static str, Vec<f64>> {
    let mut out: HashMap<&'static str, Vec<f64>> = HashMap::new();
    for event in events {
        let mut fill = |name, value: f64| out.entry(name).or_default().push(value);
        fill("q1", event.met);
        for jet in &event.jets {
            fill("q2", jet.pt);
            if jet.eta.abs() < 1.0 {
                fill("q3", jet.pt);
            }
        }
        if event.jets.iter().filter(|j| j.pt > 40.0).count() >= 2 {
            fill("q4", event.met);
        }
        let pair = |i: usize, j: usize| {
            let (a, b) = (event.muons[i], event.muons[j]);
            let mass = sum(&[a, b]).0;
            a.charge != b.charge && 60.0 < mass && mass < 120.0
        };
        let n = event.muons.len();
        if (0..n).any(|i| (i + 1..n).any(|j| pair(i, j))) {
            fill("q5", event.met);
        }
        if let Some((pt, btag)) = trijet(&event.jets) {
            fill("q6_pt", pt);
            fill("q6_btag", btag);
        }
        let near = |jet: &Particle| {
            let mut leptons = event.muons.iter().chain(&event.electrons);
            leptons.any(|l| l.pt > 10.0 && distance(jet, l) < 0.4)
        };
        let far = event.jets.iter().filter(|j| j.pt > 30.0 && !near(j));
        fill("q7", far.map(|j| j.pt).sum());
        if let Some(mass) = third_lepton(event) {
            fill("q8", mass);
        }
    }
    for (name, ..) in super::BINNING {
        out.entry(name).or_default();
    }
    out
}

/// Contents of uniform bins; lower edges belong to their bin.
pub fn histogram(values: &[f64], bins: usize, low: f64, high: f64) -> Vec<f64> {
    let mut out = vec![0.0; bins];
    let edge = |k: usize| {
        if k == bins {
            high
        } else {
            low + (high - low) * k as f64 / bins as f64
        }
    };
    for x in values {
        if let Some(k) = (0..bins).find(|k| edge(*k) <= *x && *x < edge(k + 1)) {
            out[k] += 1.0;
        }
    }
    out
}
