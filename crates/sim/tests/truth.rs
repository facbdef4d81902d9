//! The hard process, before the detector.

use pullback_ad::math::scalar::{atan, ln, pow};
use pullback_sim::pdg::{self, Resonance, id};
use pullback_sim::{FourVector, Process, SQRT_S, Truth};

mod support;
use support::{KOLMOGOROV, agrees, find, kolmogorov, mean, products, truths};

const N: u64 = 20_000;

/// All momentum that goes in comes out, at each decay and in all; partons have at most the energy of their proton.
#[test]
fn momentum_is_conserved() {
    for process in Process::menu() {
        for truth in truths(process, 3000) {
            let sum = truth
                .stable()
                .fold(FourVector::default(), |sum, p| sum + p.momentum);
            let [a, b] = [0, 1].map(|i| truth.particles[i]);
            let rest = sum - (a.momentum + b.momentum);
            for component in [rest.px, rest.py, rest.pz, rest.e] {
                assert!(
                    component.abs() < 1e-15 * 8.0 * SQRT_S,
                    "{process}: {rest:?}"
                );
            }
            assert_eq!([a.momentum.px, a.momentum.py, a.mass], [0.0; 3]);
            assert!(a.momentum.pz > 0.0 && b.momentum.pz < 0.0);
            for (x, p) in truth.x.iter().zip([a, b]) {
                assert!(*x > 0.0 && *x <= 1.0, "{process}: {x}");
                assert_eq!(*x, p.momentum.e / (0.5 * SQRT_S));
            }
            for (place, particle) in truth.particles.iter().enumerate() {
                let p = particle.momentum;
                let m2 = particle.mass * particle.mass;
                assert!((p.mass2() - m2).abs() < 1e-11 * p.e * p.e, "{process}");
                let daughters = products(&truth, place);
                assert_eq!(particle.stable, daughters.is_empty() && place > 1);
                if place > 1 && !particle.stable {
                    let sum = daughters
                        .iter()
                        .fold(-p, |s, d| s + truth.particles[*d].momentum);
                    assert!(
                        sum.e.abs() + sum.px.abs() + sum.pz.abs() < 1e-11,
                        "{process}"
                    );
                }
            }
        }
    }
}

/// Masses of particles with a number follow a Breit-Wigner between two ends.
fn resonance(process: Process, pdg_id: i32, line: Resonance, [low, high]: [f64; 2]) {
    let mut masses = Vec::new();
    for truth in truths(process, N) {
        // The decay of a pair leaves two of them; one per event keeps them independent.
        masses.extend(
            find(&truth, pdg_id)
                .first()
                .map(|i| truth.particles[*i].mass),
        );
    }
    let angle = |m: f64| atan((m * m - line.mass * line.mass) / (line.mass * line.width));
    let (from, to) = (angle(low), angle(high));
    let k = kolmogorov(&masses, |m| (angle(m) - from) / (to - from));
    assert_eq!(masses.len() as u64, N);
    assert!(k < KOLMOGOROV, "{process} {pdg_id}: {k}");
}

#[test]
fn resonances_have_their_masses_and_widths() {
    resonance(Process::ZToLL, id::Z, pdg::Z, [40.0, 200.0]);
    resonance(Process::WJets, id::W, pdg::W, [40.0, 200.0]);
    resonance(Process::JPsiToMuMu, id::JPSI, pdg::JPSI, [3.0, 3.2]);
    let higgs = [pdg::HIGGS.mass - 0.5, pdg::HIGGS.mass + 0.5];
    resonance(Process::HTo4L, id::HIGGS, pdg::HIGGS, higgs);
    let top = [pdg::TOP.mass - 30.0, pdg::TOP.mass + 30.0];
    resonance(Process::TTbar, id::TOP, pdg::TOP, top);
    resonance(Process::TTbar, id::W, pdg::W, [40.0, 120.0]);
    let z_prime = Process::ZPrimeToTT {
        mass: 2000.0,
        width: 60.0,
    };
    // The lower end is the threshold of each event, 346 GeV on average: 28 widths away.
    let line = Resonance {
        mass: 2000.0,
        width: 60.0,
    };
    resonance(z_prime, id::Z_PRIME, line, [346.0, 8000.0]);
}

/// Every decay is isotropic in its rest frame: the cosine of the first product to the beam is flat, and to the mother's flight, too.
#[test]
fn decays_are_isotropic() {
    let cosine = |truth: &Truth, place: usize| {
        let mother = truth.particles[place];
        let p = mother.momentum;
        let back = FourVector {
            px: -p.px,
            py: -p.py,
            pz: -p.pz,
            e: p.e,
        };
        let first = products(truth, place)[0];
        let q = truth.particles[first].momentum.boosted(back, mother.mass);
        let norm = (q.pt2() + q.pz * q.pz).sqrt();
        let flight = (p.pt2() + p.pz * p.pz).sqrt();
        let along = (q.px * p.px + q.py * p.py + q.pz * p.pz) / (norm * flight);
        [q.pz / norm, along, q.phi() / std::f64::consts::PI]
    };
    for (process, pdg_id) in [
        (Process::ZToLL, id::Z),
        (Process::TTbar, id::TOP),
        (Process::TTbar, id::W),
        (Process::HTo4L, id::HIGGS),
        (Process::HTo4L, id::Z),
    ] {
        let mut angles = [const { Vec::new() }; 3];
        for truth in truths(process, N) {
            let all = cosine(&truth, find(&truth, pdg_id)[0]);
            for (list, x) in angles.iter_mut().zip(all) {
                list.push(x);
            }
        }
        for list in angles {
            let k = kolmogorov(&list, |x| 0.5 * (x + 1.0));
            assert!(k < KOLMOGOROV, "{process} {pdg_id}: {k}");
        }
    }
}

/// W and τ decay with their branching fractions, and charges add up.
#[test]
fn decays_have_their_branching_fractions() {
    let charge = |pdg_id: i32| {
        let size = match pdg_id.abs() {
            id::UP | id::CHARM | id::TOP => 2,
            1..6 => -1,
            id::ELECTRON | id::MUON | id::TAU => -3,
            id::W | id::RHO => 3,
            _ => 0,
        };
        size * pdg_id.signum()
    };
    let mut w = [0; 4];
    let mut tau = [0; 3];
    for truth in truths(Process::TTbar, N) {
        for (place, particle) in truth.particles.iter().enumerate().skip(2) {
            let daughters = products(&truth, place);
            let ids: Vec<i32> = daughters
                .iter()
                .map(|d| truth.particles[*d].pdg_id)
                .collect();
            // A pair of neutrinos from a τ carries no charge.
            if !ids.is_empty() && particle.pdg_id != id::SYSTEM {
                let total: i32 = ids.iter().map(|d| charge(*d)).sum();
                assert_eq!(
                    total,
                    charge(particle.pdg_id),
                    "{} to {ids:?}",
                    particle.pdg_id
                );
            }
            match (particle.pdg_id.abs(), ids.first().map_or(0, |d| d.abs())) {
                (id::W, id::ELECTRON) => w[0] += 1,
                (id::W, id::MUON) => w[1] += 1,
                (id::W, id::TAU) => w[2] += 1,
                (id::W, _) => w[3] += 1,
                (id::TAU, id::ELECTRON) => tau[0] += 1,
                (id::TAU, id::MUON) => tau[1] += 1,
                (id::TAU, _) => tau[2] += 1,
                _ => {}
            }
        }
    }
    let all: usize = w.iter().sum();
    assert_eq!(all as u64, 2 * N);
    for (passed, p) in w.into_iter().zip(pdg::W_TO_LEPTONS) {
        agrees("W", passed, all, p);
    }
    for (passed, p) in tau.into_iter().zip(pdg::TAU_TO_LEPTONS) {
        agrees("tau", passed, w[2], p);
    }
}

/// W⁺ and W⁻ as stated, Z → ee in half of the decays, H → 4e, 2e2µ, 4µ as 1 : 2 : 1.
#[test]
fn charges_and_flavours_are_as_stated() {
    let all = N as usize;
    let plus = truths(Process::WJets, N)
        .iter()
        .filter(|t| t.particles[2].pdg_id == id::W)
        .count();
    agrees("W+", plus, all, 0.575);
    let electrons = truths(Process::ZToLL, N)
        .iter()
        .filter(|t| !find(t, id::ELECTRON).is_empty())
        .count();
    agrees("Z to ee", electrons, all, 0.5);
    let mut pairs = [0; 3];
    for truth in truths(Process::HTo4L, N) {
        pairs[find(&truth, id::ELECTRON).len() / 2] += 1;
    }
    agrees("4 muons", pairs[0], all, 0.25);
    agrees("2e2mu", pairs[1], all, 0.5);
    agrees("4 electrons", pairs[2], all, 0.25);
}

/// Momenta of what recoils: spectra and multiplicities as stated, azimuths flat, and the produced system takes their sum.
#[test]
fn radiation_has_its_spectra() {
    let (mut soft, mut jets, mut phi, mut y) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut counts = [0; 4];
    for truth in truths(Process::ZToLL, N) {
        let mut recoil = truth.particles[2].momentum;
        let radiated = &truth.particles[3..4 + truth.emissions];
        for (i, particle) in radiated.iter().enumerate() {
            assert_eq!(particle.mother, Some(0));
            recoil += particle.momentum;
            let list = if i == 0 { &mut soft } else { &mut jets };
            list.push(particle.momentum.pt());
            phi.push(particle.momentum.phi() / std::f64::consts::PI);
        }
        assert!(recoil.px.abs() < 1e-10 && recoil.py.abs() < 1e-10);
        counts[truth.emissions.min(3)] += 1;
        let transverse: f64 = radiated.iter().map(|p| p.momentum.pt()).sum();
        let z = truth.particles[2];
        let reach = ln(SQRT_S / ((z.mass * z.mass + z.momentum.pt2()).sqrt() + transverse));
        y.push(z.momentum.rapidity() / reach);
    }
    let survival = |x: f64, scale: f64, n: f64| pow(1.0 + (x / scale).powi(2), 1.0 - n);
    let end = survival(100.0, 9.0, 2.6);
    let k = kolmogorov(&soft, |x| (1.0 - survival(x, 9.0, 2.6)) / (1.0 - end));
    assert!(k < KOLMOGOROV, "soft: {k}");
    let (from, to) = (survival(15.0, 20.0, 2.2), survival(SQRT_S / 8.0, 20.0, 2.2));
    let k = kolmogorov(&jets, |x| (from - survival(x, 20.0, 2.2)) / (from - to));
    assert!(k < KOLMOGOROV, "jets: {k}");
    let k = kolmogorov(&phi, |x| 0.5 * (x + 1.0));
    assert!(k < KOLMOGOROV, "azimuth: {k}");
    let k = kolmogorov(&y, |t| (1.0 + t).powi(2) * (2.0 - t) / 4.0);
    assert!(k < KOLMOGOROV, "rapidity: {k}");
    for (n, count) in counts.into_iter().enumerate() {
        let p = pow(0.33, n as f64) * if n == 3 { 1.0 } else { 0.67 };
        agrees("multiplicity", count, N as usize, p);
    }
}

/// The two masses of H → ZZ*: their joint density, integrated here on a grid, in four regions.
#[test]
fn off_shell_masses_have_their_density() {
    let mh = pdg::HIGGS.mass;
    let density = |m1: f64, m2: f64| {
        let line = |m: f64| {
            let pole = pdg::Z.mass * pdg::Z.mass;
            m / ((m * m - pole).powi(2) + pole * pdg::Z.width.powi(2))
        };
        let (a, b) = ((m1 / mh).powi(2), (m2 / mh).powi(2));
        let lambda = ((1.0 - a - b).powi(2) - 4.0 * a * b).max(0.0);
        line(m1) * line(m2) * lambda.sqrt() * (lambda + 12.0 * a * b)
    };
    let regions = |m1: f64, m2: f64| match (m1 > 85.0, m2 > 28.0) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    };
    let mut expected = [0.0; 4];
    let step = 0.05;
    for i in 0..2424 {
        let m1 = 4.0 + (f64::from(i) + 0.5) * step;
        for j in 0..2424 {
            let m2 = 4.0 + (f64::from(j) + 0.5) * step;
            if m2 < m1 && m1 + m2 < mh {
                expected[regions(m1, m2)] += density(m1, m2);
            }
        }
    }
    let total: f64 = expected.iter().sum();
    let mut counts = [0; 4];
    for truth in truths(Process::HTo4L, N) {
        let z = find(&truth, id::Z);
        let [m1, m2] = [z[0], z[1]].map(|place| truth.particles[place].mass);
        counts[regions(m1, m2)] += 1;
    }
    for (region, (count, p)) in counts.into_iter().zip(expected).enumerate() {
        agrees(&format!("region {region}"), count, N as usize, p / total);
    }
}

/// The mass of tt̄ turns on at threshold, peaks within 100 GeV of it and falls; the lepton spectrum of τ is Michel's.
#[test]
fn pairs_and_taus_have_their_spectra() {
    let truths = truths(Process::TTbar, N);
    let excess: Vec<f64> = truths
        .iter()
        .map(|t| {
            let tops = find(t, id::TOP);
            t.scale - t.particles[tops[0]].mass - t.particles[tops[1]].mass
        })
        .collect();
    let survival = |x: f64| pow(1.0 + (x / 130.0).powi(2), -1.1);
    let end = survival(4000.0);
    let k = kolmogorov(&excess, |x| (1.0 - survival(x)) / (1.0 - end));
    assert!(k < KOLMOGOROV, "excess: {k}");

    let mut fractions = Vec::new();
    for truth in &truths {
        for place in find(truth, id::TAU) {
            let daughter = truth.particles[products(truth, place)[0]];
            if daughter.pdg_id.abs() == id::ELECTRON {
                let tau = truth.particles[place];
                let p = tau.momentum;
                let back = FourVector {
                    px: -p.px,
                    py: -p.py,
                    pz: -p.pz,
                    e: p.e,
                };
                let e = daughter.momentum.boosted(back, tau.mass).e;
                fractions.push(2.0 * e / pdg::M_TAU);
            }
        }
    }
    assert!(fractions.len() > 600);
    let k = kolmogorov(&fractions, |x| (2.0 - x) * x.powi(3));
    assert!(k < KOLMOGOROV, "tau: {k}");
    assert!((mean(&fractions) - 0.7).abs() < 0.03);
    // A wrong width of the excess would be seen: the same test against a scale 5 % larger fails.
    let wrong = |x: f64| 1.0 - pow(1.0 + (x / 136.5).powi(2), -1.1);
    assert!(kolmogorov(&excess, wrong) > KOLMOGOROV);
}
