//! What the detector makes of the truth.

use pullback_ad::math::scalar::norm_cdf;
use pullback_sim::pdg::{self, id};
use pullback_sim::response::{
    TAG_EFFICIENCIES, TAG_THRESHOLDS, btag_score, electron_resolution, met_resolution,
    muon_efficiency, muon_resolution,
};
use pullback_sim::{Detector, Events, FourVector, Generator, Process, delta_phi};

mod support;
use support::{
    KOLMOGOROV, SEED, agrees, generator, kolmogorov, mean, of_event, quantile, sample, sd, vector,
};

const N: usize = 40_000;

/// The true momentum of a particle of the record.
fn true_vector(events: &Events, event: usize, place: i32) -> FourVector {
    let record = events.gen_part.as_ref().unwrap();
    let i = of_event(&record.offsets, event).start + place as usize;
    vector(record.pt[i], record.eta[i], record.phi[i], record.mass[i])
}

fn muon(events: &Events, i: usize) -> FourVector {
    let m = &events.muon;
    vector(m.pt[i], m.eta[i], m.phi[i], m.mass[i])
}

/// The curvature of muons and the energy of electrons are measured with normal errors of the stated size.
#[test]
fn leptons_are_measured_with_the_stated_resolution() {
    let events = sample(Process::ZToLL, N);
    let (mut muons, mut electrons) = (Vec::new(), Vec::new());
    for event in 0..events.len() {
        for i in of_event(&events.muon.offsets, event) {
            let truth = true_vector(&events, event, events.muon.truth[i]);
            let measured = f64::from(events.muon.pt[i]);
            let sigma = muon_resolution(truth.pt(), truth.eta());
            // Thresholds bias soft ones.
            if truth.pt() > 10.0 {
                muons.push((truth.pt() / measured - 1.0) / sigma);
            }
        }
        for i in of_event(&events.electron.offsets, event) {
            let truth = true_vector(&events, event, events.electron.truth[i]);
            let sigma = electron_resolution(truth.e, truth.eta());
            if truth.pt() > 10.0 {
                let measured = f64::from(events.electron.pt[i]);
                electrons.push((measured / truth.pt() - 1.0) / sigma);
            }
        }
    }
    for (name, pulls) in [("muons", muons), ("electrons", electrons)] {
        assert!(pulls.len() > 18_000, "{name}");
        let k = kolmogorov(&pulls, norm_cdf);
        assert!(k < KOLMOGOROV, "{name}: {k}");
    }
}

/// The Z peak stands where it should, as wide as nature and the detector make it.
#[test]
fn the_z_peak_has_its_place_and_width() {
    let events = sample(Process::ZToLL, N);
    let (mut measured, mut ratio, mut charges) = (Vec::new(), Vec::new(), [0, 0]);
    for event in 0..events.len() {
        let muons = of_event(&events.muon.offsets, event);
        for i in muons.clone() {
            charges[usize::from(events.muon.charge[i] > 0)] += 1;
        }
        if muons.len() == 2 {
            let (a, b) = (muon(&events, muons.start), muon(&events, muons.start + 1));
            let m = (a + b).mass();
            let [s, t] =
                [0, 1].map(|k| true_vector(&events, event, events.muon.truth[muons.start + k]));
            ratio.push(m / (s + t).mass());
            measured.push(m);
            assert_eq!(
                events.muon.charge[muons.start] + events.muon.charge[muons.start + 1],
                0
            );
        }
    }
    // Median and half of the central 50 %: of a Breit-Wigner M and Γ/2, here with 1.3 GeV of resolution on top.
    let median = quantile(&measured, 0.5);
    assert!((median - pdg::Z.mass).abs() < 0.1, "{median}");
    let half = 0.5 * (quantile(&measured, 0.75) - quantile(&measured, 0.25));
    assert!((1.45..1.95).contains(&half), "{half}");
    assert!((mean(&ratio) - 1.0).abs() < 0.0007, "{}", mean(&ratio));
    assert!((0.009..0.016).contains(&sd(&ratio)), "{}", sd(&ratio));
    agrees("positive muons", charges[1], charges[0] + charges[1], 0.5);
}

/// Muons are found with the stated efficiency inside |η| < 2.4, and never outside.
#[test]
fn muons_are_found_with_the_stated_efficiency() {
    let events = sample(Process::ZToLL, N);
    let record = events.gen_part.as_ref().unwrap();
    let (mut inside, mut expected, mut variance) = (0, 0.0, 0.0);
    for i in 0..record.pt.len() {
        if record.pdg_id[i].abs() == id::MUON && record.eta[i].abs() < 2.4 {
            inside += 1;
            // Near the threshold of 3 GeV the resolution counts; there are hardly any.
            let pt = f64::from(record.pt[i]);
            let p = if pt > 3.0 { muon_efficiency(pt) } else { 0.0 };
            expected += p;
            variance += p * (1.0 - p);
        }
    }
    let found = events.muon.pt.len() as f64;
    assert!(events.muon.eta.iter().all(|eta| eta.abs() < 2.4));
    assert!(events.muon.pt.iter().all(|pt| *pt > 3.0));
    assert!(
        (found - expected).abs() < 5.0 * f64::sqrt(variance) + 3.0,
        "{found} {expected}"
    );
    // The acceptance itself: 13 TeV, |y| parabolic to 4.96: about two thirds of muons.
    let all = 2 * record.pdg_id.iter().filter(|p| **p == id::MUON).count();
    let acceptance = f64::from(inside) / all as f64;
    assert!((0.62..0.72).contains(&acceptance), "{acceptance}");
}

/// The stated fractions of jets of each flavour lie above each working point.
#[test]
fn b_tags_have_the_stated_efficiencies() {
    let events = sample(Process::TTbar, N);
    let jets = &events.jet;
    for (row, flavour) in [5, 4, 0].into_iter().enumerate() {
        let scores: Vec<f32> = (0..jets.pt.len())
            .filter(|i| jets.flavour[*i] == flavour && jets.eta[*i].abs() < 2.5)
            .map(|i| jets.btag[i])
            .collect();
        assert!(scores.len() > 9_000, "{flavour}: {}", scores.len());
        assert!(scores.iter().all(|s| (0.0..=1.0).contains(s)));
        for (threshold, efficiency) in TAG_THRESHOLDS.iter().zip(TAG_EFFICIENCIES[row]) {
            let tagged = scores
                .iter()
                .filter(|s| f64::from(**s) > *threshold)
                .count();
            let name = format!("flavour {flavour} above {threshold}");
            agrees(&name, tagged, scores.len(), efficiency);
        }
    }
    let outside = (0..jets.pt.len()).filter(|i| jets.eta[*i].abs() > 2.5);
    for i in outside {
        assert_eq!(jets.btag[i], -1.0);
    }
    for flavour in [5, 4, 21] {
        let grid: Vec<f64> = (1..1000).map(|i| f64::from(i) / 1000.0).collect();
        let rising = grid
            .windows(2)
            .all(|u| btag_score(u[0], flavour) < btag_score(u[1], flavour));
        assert!(rising, "{flavour}");
    }
}

/// The hadronic top quark, from jets matched to its quarks, peaks at its mass.
#[test]
fn top_quarks_are_reconstructed_at_their_mass() {
    let events = sample(Process::TTbar, N);
    let record = events.gen_part.as_ref().unwrap();
    let mut masses = Vec::new();
    let mut bosons = Vec::new();
    for event in 0..events.len() {
        let start = of_event(&record.offsets, event).start;
        let jets = of_event(&events.jet.offsets, event);
        // The jet along a quark: another one merged into it would turn it away.
        let jet_of = |quark: usize| {
            jets.clone().find(|j| {
                let eta = f64::from(events.jet.eta[*j] - record.eta[quark]);
                let phi = delta_phi(f64::from(events.jet.phi[*j]), f64::from(record.phi[quark]));
                eta.hypot(phi) < 0.1
            })
        };
        for place in of_event(&record.offsets, event) {
            if record.pdg_id[place].abs() != id::TOP {
                continue;
            }
            let of = |mother: usize| {
                of_event(&record.offsets, event)
                    .filter(move |i| record.mother[*i] == (mother - start) as i32)
            };
            let [b, w]: [usize; 2] = of(place).collect::<Vec<_>>().try_into().unwrap();
            let quarks: Vec<usize> = of(w).collect();
            if record.pdg_id[quarks[0]].abs() > 5 {
                continue;
            }
            let found = [b, quarks[0], quarks[1]].map(jet_of);
            if let [Some(b), Some(q), Some(r)] = found
                && b != q
                && b != r
                && q != r
            {
                let jet = |i: usize| {
                    let j = &events.jet;
                    vector(j.pt[i], j.eta[i], j.phi[i], j.mass[i])
                };
                masses.push((jet(b) + jet(q) + jet(r)).mass());
                bosons.push((jet(q) + jet(r)).mass());
            }
        }
    }
    assert!(masses.len() > 15_000, "{}", masses.len());
    // The mass of a jet adds to that of its parton: up to 2 %.
    let median = quantile(&masses, 0.5);
    assert!((170.0..179.0).contains(&median), "{median}");
    let half = 0.5 * (quantile(&masses, 0.84) - quantile(&masses, 0.16));
    assert!((12.0..22.0).contains(&half), "{half}");
    let median = quantile(&bosons, 0.5);
    assert!((78.0..86.0).contains(&median), "{median}");
}

/// Missing momentum is minus all that was seen, with noise of the stated size.
#[test]
fn missing_momentum_has_the_stated_resolution() {
    let events = sample(Process::ZToLL, N);
    let record = events.gen_part.as_ref().unwrap();
    let mut pulls = Vec::new();
    let mut sizes = Vec::new();
    for event in 0..events.len() {
        let muons = of_event(&events.muon.offsets, event);
        let particles = of_event(&record.offsets, event);
        let alone = particles.len() == 6; // Two partons, the Z, the soft recoil, two leptons.
        if muons.len() != 2 || !alone {
            continue;
        }
        let soft = particles
            .clone()
            .find(|i| record.pdg_id[*i] == id::SYSTEM)
            .unwrap();
        let soft = true_vector(&events, event, (soft - particles.start) as i32);
        let seen = muon(&events, muons.start) + muon(&events, muons.start + 1) + soft;
        let (pt, phi) = (events.event.met_pt[event], events.event.met_phi[event]);
        let met = vector(pt, 0.0, phi, 0.0);
        let sigma = met_resolution(f64::from(events.event.vertices[event]), 0.0);
        pulls.push((met.px + seen.px) / sigma);
        pulls.push((met.py + seen.py) / sigma);
        sizes.push(f64::from(pt));
        assert_eq!(events.event.gen_met_pt[event], 0.0);
    }
    assert!(pulls.len() > 10_000, "{}", pulls.len());
    let k = kolmogorov(&pulls, norm_cdf);
    assert!(k < KOLMOGOROV, "{k}");
    // Neutrinos are what is missing: along them nothing is lost on average.
    let events = generator(Process::WJets).generate(0, N).unwrap();
    let e = &events.event;
    let along: Vec<f64> = (0..N)
        .filter(|i| e.gen_met_pt[*i] > 20.0)
        .map(|i| {
            let angle = f64::from(e.met_phi[i] - e.gen_met_phi[i]);
            let met = f64::from(e.met_pt[i]);
            met * pullback_ad::math::scalar::cos(angle) - f64::from(e.gen_met_pt[i])
        })
        .collect();
    // A third of the leptons fly beyond the acceptance and are missing, too, opposite to the neutrino: the median does not see them.
    let median = quantile(&along, 0.5);
    assert!((-8.0..1.0).contains(&median), "{median}");
    // About 15 GeV a component: the size is a Rayleigh variable, with mean σ√(π/2).
    assert!((17.0..21.0).contains(&mean(&sizes)), "{}", mean(&sizes));
}

/// Extra jets fall with their number, and with p_T; leptons make jets that point back to them.
#[test]
fn jets_fall_and_overlap_with_leptons() {
    let events = sample(Process::WJets, N);
    let mut counts = [0_usize; 4];
    for event in 0..events.len() {
        let jets = of_event(&events.jet.offsets, event);
        let clean = jets.clone().filter(|j| {
            let j = *j;
            let bare = events.jet.muon[j] < 0 && events.jet.electron[j] < 0;
            bare && events.jet.pt[j] > 30.0 && events.jet.eta[j].abs() < 2.4
        });
        counts[clean.count().min(3)] += 1;

        let muons = of_event(&events.muon.offsets, event);
        for (local, i) in muons.clone().enumerate() {
            let jet = events.muon.jet[i];
            // The jet of a muon above threshold exists and points back, to the muon itself as there is one at most.
            if events.muon.pt[i] > 16.0 {
                let j = jets.start + usize::try_from(jet).expect("a muon makes a jet");
                assert!(jets.contains(&j));
                assert_eq!(events.jet.muon[j], local as i32);
                assert!((events.jet.eta[j] - events.muon.eta[i]).abs() < 0.4);
            }
        }
        let electrons = of_event(&events.electron.offsets, event);
        for (local, i) in electrons.enumerate() {
            if let Ok(jet) = usize::try_from(events.electron.jet[i]) {
                assert_eq!(events.jet.electron[jets.start + jet], local as i32);
                assert!(events.jet.pt[jets.start + jet] > 0.3 * events.electron.pt[i]);
            }
        }
        for list in [&events.jet.pt[jets], &events.muon.pt[muons]] {
            assert!(
                list.windows(2).all(|pair| pair[0] >= pair[1]),
                "by falling pt"
            );
        }
    }
    let fraction = (counts[1] + counts[2] + counts[3]) as f64 / N as f64;
    assert!((0.16..0.30).contains(&fraction), "{fraction}");
    for n in 1..3 {
        let ratio = counts[n + 1] as f64 / counts[n] as f64;
        assert!((0.1..0.4).contains(&ratio), "{n}: {ratio} {counts:?}");
    }
    assert!(events.jet.pt.iter().all(|pt| *pt > 15.0));
    assert!(events.jet.eta.iter().all(|eta| eta.abs() < 4.7));
}

/// Vertices follow the pile-up, isolation tells muons beside jets from others, triggers need what they say.
#[test]
fn conditions_and_triggers_are_as_stated() {
    let events = sample(Process::TTbar, N);
    let vertices: Vec<f64> = events
        .event
        .vertices
        .iter()
        .map(|n| f64::from(*n))
        .collect();
    let mean_vertices = 1.0 + 0.7 * 32.0;
    let spread = (0.7 * 32.0 + (0.7 * 0.28 * 32.0_f64).powi(2)).sqrt();
    let error = spread / (N as f64).sqrt();
    assert!((mean(&vertices) - mean_vertices).abs() < 5.0 * error);
    assert!(
        (sd(&vertices) / spread - 1.0).abs() < 0.02,
        "{}",
        sd(&vertices)
    );

    let mut fired = [0, 0];
    for event in 0..events.len() {
        let muons = of_event(&events.muon.offsets, event);
        let good = muons
            .clone()
            .filter(|i| events.muon.pt[*i] > 24.01 && events.muon.isolation[*i] < 0.1499)
            .count();
        if good == 1 && muons.len() == 1 {
            fired[usize::from(events.event.muon_trigger[event])] += 1;
        }
        if events.event.muon_trigger[event] {
            let any = muons
                .clone()
                .any(|i| events.muon.pt[i] > 23.99 && events.muon.isolation[i] < 0.1501);
            assert!(any, "fired without a muon");
        }
    }
    agrees("trigger", fired[1], fired[0] + fired[1], 0.92);
    let isolated = events.muon.isolation.iter().filter(|i| **i < 0.15).count();
    let fraction = isolated as f64 / events.muon.pt.len() as f64;
    assert!((0.80..0.97).contains(&fraction), "{fraction}");
}

/// Injected scales move what they should by what they should, and nothing else.
#[test]
fn injected_scales_are_found_in_the_columns() {
    let detector = Detector {
        muon_eta_edges: vec![0.0, 0.9, 2.4],
        muon_scale: vec![0.003, -0.002],
        muon_offset: vec![0.05, 0.1],
        muon_resolution: vec![1.0, 1.0],
        jet_energy_scale: 0.02,
        ..Detector::default()
    };
    let plain = generator(Process::TTbar).generate(0, 3000).unwrap();
    let mut biased = Generator::with_detector(Process::TTbar, SEED, detector).unwrap();
    let biased = biased.generate(0, 3000).unwrap();
    let (mut muons, mut jets) = (0, 0);
    for event in 0..plain.len() {
        let (a, b) = (
            of_event(&plain.muon.offsets, event),
            of_event(&biased.muon.offsets, event),
        );
        if a.len() == b.len() {
            for (i, j) in a.zip(b) {
                let inner = plain.muon.eta[i].abs() < 0.9;
                let (s, c) = if inner { (0.003, 0.05) } else { (-0.002, 0.1) };
                let expected = (1.0 + s) * plain.muon.pt[i] + c;
                // Two muons may change places.
                if plain.muon.eta[i] == biased.muon.eta[j] {
                    assert!((biased.muon.pt[j] / expected - 1.0).abs() < 1e-5);
                    muons += 1;
                }
            }
        }
        let a = of_event(&plain.jet.offsets, event);
        for j in of_event(&biased.jet.offsets, event) {
            let same = a.clone().find(|i| plain.jet.eta[*i] == biased.jet.eta[j]);
            let bare = biased.jet.muon[j] < 0 && biased.jet.electron[j] < 0;
            if let Some(i) = same
                && bare
            {
                let ratio = biased.jet.pt[j] / plain.jet.pt[i];
                // Electrons that were not found leave energy in jets that the scale does not touch.
                if (ratio - 1.0).abs() > 1e-5 {
                    assert!((ratio - 1.02).abs() < 1e-5, "{ratio}");
                    jets += 1;
                }
                assert_eq!(biased.jet.btag[j], plain.jet.btag[i]);
            }
        }
    }
    assert!(muons > 500 && jets > 10_000, "{muons} {jets}");
    assert_eq!(biased.event.gen_weight, plain.event.gen_weight);
    assert_ne!(biased.event.met_pt, plain.event.met_pt);
    assert_eq!(biased.electron.pt, plain.electron.pt);
}

/// A resolution factor widens the pulls of muons by it.
#[test]
fn an_injected_resolution_widens_the_pulls() {
    let detector = Detector {
        muon_resolution: vec![1.5],
        ..Detector::default()
    };
    let generator = Generator::with_detector(Process::ZToLL, SEED, detector).unwrap();
    let events = generator.keep_truth(true).generate(0, N).unwrap();
    let mut pulls = Vec::new();
    for event in 0..events.len() {
        for i in of_event(&events.muon.offsets, event) {
            let truth = true_vector(&events, event, events.muon.truth[i]);
            let sigma = muon_resolution(truth.pt(), truth.eta());
            if truth.pt() > 10.0 {
                pulls.push((truth.pt() / f64::from(events.muon.pt[i]) - 1.0) / sigma);
            }
        }
    }
    assert!((sd(&pulls) / 1.5 - 1.0).abs() < 5.0 / (2.0 * pulls.len() as f64).sqrt());
}
