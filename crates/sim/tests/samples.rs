//! Samples: columns, weights, ranges, errors, and the digests that freeze them.

use std::collections::HashSet;
use std::thread;

use pullback_sim::{
    ColumnData, ColumnType, Detector, Events, GenPartColumns, Generator, PDF_MEMBERS, Process,
    SCALES, SimError, alpha_s,
};

mod support;
use support::{SEED, agrees, generator, mean, sample, sd};

fn part(process: Process, first: u64, count: usize) -> Events {
    generator(process).generate(first, count).unwrap()
}

/// Any range alone, in any order, in chunks, on threads and after other work gives the same bits.
#[test]
fn events_depend_on_their_id_alone() {
    for process in Process::menu() {
        let whole = part(process, 1000, 500);
        for chunk in [1, 17, 64, 100] {
            let mut joined = Events::default();
            let mut ids = 0;
            for events in generator(process).chunks(1000..1500, chunk) {
                assert!(events.len() <= chunk);
                ids += events.len();
                joined.append(&events);
            }
            assert_eq!(ids, 500);
            assert_eq!(joined, whole, "{process} in chunks of {chunk}");
        }
        let parts: Vec<Events> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|n| scope.spawn(move || part(process, 1000 + 125 * n, 125)))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let mut joined = Events::default();
        for events in &parts {
            joined.append(events);
        }
        assert_eq!(joined, whole, "{process} on threads");

        // Backwards, event by event, with one generator that has seen others.
        let mut used = generator(process);
        let mut events = Events::default();
        for id in (1400..1500).rev() {
            used.generate_into(&mut events, id, 1).unwrap();
            let alone = part(process, id, 1);
            assert_eq!(events, alone, "{process}: event {id}");
            assert_eq!(events.event.event, [id]);
        }
    }
}

#[test]
fn the_record_does_not_change_the_events() {
    for process in Process::menu() {
        let mut kept = generator(process).keep_truth(true);
        let mut with = kept.generate(0, 300).unwrap();
        let record = with.gen_part.take().expect("it was asked for");
        assert_eq!(record.offsets.len(), 301);
        assert_eq!(record.pt.len() as i64, record.offsets[300]);
        let without = part(process, 0, 300);
        assert!(without.gen_part.is_none());
        with.muon.truth.fill(-1);
        with.electron.truth.fill(-1);
        assert_eq!(with, without);
        let truth = kept.truth(299);
        let last = record.offsets[299] as usize;
        for (particle, i) in truth.particles.iter().zip(last..) {
            assert_eq!(record.pdg_id[i], particle.pdg_id);
            assert_eq!(record.mass[i], particle.mass as f32);
            assert_eq!(record.pt[i], particle.momentum.pt() as f32);
        }
    }
}

#[test]
fn other_seeds_and_processes_are_other_events() {
    let digest = |process, seed| {
        let mut generator = Generator::new(process, seed).unwrap();
        generator.generate(0, 50).unwrap().digest()
    };
    let mut seen = HashSet::new();
    for process in Process::menu() {
        for seed in [0, 1, u64::MAX] {
            assert!(seen.insert(digest(process, seed)));
        }
    }
    let heavier = Process::ZPrimeToTT {
        mass: 1500.0,
        width: 10.0,
    };
    assert!(seen.insert(digest(heavier, 0)));
}

/// The frozen samples: 1,000 events of each process, the same on every instruction set. A new digest is another generator, and every study made with this one is void.
#[test]
fn samples_are_frozen() {
    let digests: Vec<(String, u64)> = Process::menu()
        .into_iter()
        .map(|process| (process.to_string(), sample(process, 1000).digest()))
        .collect();
    let frozen = [
        ("ZToLL", 0x7917_bb29_e687_25e8),
        ("WJets", 0x826f_5ab2_135c_d961),
        ("TTbar", 0xea4d_504c_74ca_bbac),
        ("ZPrimeToTT(1000, 10)", 0xd106_cb89_ebc7_3a14),
        ("HTo4L", 0x91dd_e1f5_1b2d_2ff5),
        ("ZZTo4L", 0xdefb_e472_778c_0244),
        ("JPsiToMuMu", 0xc200_c6b0_3f8e_b07f),
    ];
    let found: Vec<(&str, u64)> = digests.iter().map(|(n, d)| (n.as_str(), *d)).collect();
    assert_eq!(found, frozen);
}

#[test]
fn columns_are_those_of_the_schema() {
    let events = sample(Process::TTbar, 200);
    let columns = events.columns();
    let schema: Vec<_> = Events::schema().chain(GenPartColumns::INFO).collect();
    assert_eq!(columns.len(), schema.len());
    let mut names = HashSet::new();
    for (column, info) in columns.iter().zip(schema) {
        assert_eq!(column.info, info);
        assert!(names.insert(info.name), "{} twice", info.name);
        assert!(info.doc.ends_with('.'), "{}", info.name);
        let (ty, length) = match column.data {
            ColumnData::F32(x) => {
                assert!(x.iter().all(|x| x.is_finite()), "{}", info.name);
                (ColumnType::F32, x.len())
            }
            ColumnData::I32(x) => (ColumnType::I32, x.len()),
            ColumnData::I64(x) => (ColumnType::I64, x.len()),
            ColumnData::U64(x) => (ColumnType::U64, x.len()),
            ColumnData::Bool(x) => (ColumnType::Bool, x.len()),
        };
        assert_eq!(ty, info.ty, "{}", info.name);
        match (column.offsets, info.collection) {
            (None, None) => assert_eq!(length, 200, "{}", info.name),
            (Some(offsets), Some(collection)) => {
                assert!(info.name.starts_with(collection));
                assert_eq!(offsets.len(), 201);
                assert_eq!(offsets[0], 0);
                assert_eq!(offsets[200] as usize, length, "{}", info.name);
                let count = events.column(&format!("n{collection}")).unwrap();
                let ColumnData::I32(count) = count.data else {
                    panic!("counts are integers");
                };
                for (pair, n) in offsets.windows(2).zip(count) {
                    assert_eq!(pair[1] - pair[0], i64::from(*n));
                }
            }
            _ => panic!("{}: offsets without a collection", info.name),
        }
    }
    for name in [
        "Muon_pt",
        "Jet_btagDeepFlavB",
        "MET_pt",
        "genWeight",
        "nJet",
    ] {
        assert!(events.column(name).is_some(), "{name}");
    }
    assert!(events.column("Muon_momentum").is_none());
}

/// Sizes, signs and variations of weights.
#[test]
fn weights_are_as_stated() {
    const N: usize = 20_000;
    for process in Process::menu() {
        let events = part(process, 0, N);
        let weights = &events.event.gen_weight;
        let negative = weights.iter().filter(|w| **w < 0.0).count();
        let fraction = process.negative_fraction();
        if fraction > 0.0 {
            agrees("negative weights", negative, N, fraction);
        } else {
            assert_eq!(negative, 0);
        }
        let sizes: Vec<f64> = weights.iter().map(|w| f64::from(w.abs())).collect();
        assert!((mean(&sizes) - 1.0).abs() < 5.0 * 0.1 / (N as f64).sqrt());
        assert!((sd(&sizes) - 0.1).abs() < 0.004, "{}", sd(&sizes));

        assert_eq!(events.scale.weight.len(), N * SCALES.len());
        assert_eq!(events.pdf.weight.len(), N * PDF_MEMBERS);
        for w in events.scale.weight.chunks(SCALES.len()) {
            assert_eq!(w[3], 1.0, "the nominal point");
            // The two scales act independently of each other.
            assert!((w[0] / (w[1] * w[2]) - 1.0).abs() < 1e-6);
            assert!((w[6] / (w[5] * w[4]) - 1.0).abs() < 1e-6);
        }
        let bounded = |w: &f32| (0.9..1.1).contains(w);
        assert!(events.pdf.weight.iter().all(bounded));
    }
}

/// The renormalisation scale acts as the coupling to the power of the process: tt̄ without radiation is of second order.
#[test]
fn the_renormalisation_scale_is_a_ratio_of_couplings() {
    let mut generator = generator(Process::TTbar);
    let events = generator.generate(0, 300).unwrap();
    for id in 0..300 {
        let truth = generator.truth(id);
        let order = 2 + truth.emissions as i32;
        let at = id as usize * SCALES.len();
        for (k, scale) in [(1, 0.5), (5, 2.0)] {
            let ratio = alpha_s(scale * truth.scale) / alpha_s(truth.scale);
            let expected = ratio.powi(order) as f32;
            assert!((events.scale.weight[at + k] / expected - 1.0).abs() < 1e-5);
        }
    }
    assert!((alpha_s(91.188) - 0.118).abs() < 1e-15);
}

fn says<T: std::fmt::Debug>(result: Result<T, SimError>, code: &str, words: &[&str]) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), code, "{text}");
    assert!(text.starts_with(code) && text.contains("help:"), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

#[test]
fn bad_requests_are_refused() {
    let z_prime = |mass, width| Generator::new(Process::ZPrimeToTT { mass, width }, 0);
    says(z_prime(300.0, 3.0), "PB0701", &["mass", "300", "410"]);
    says(z_prime(f64::NAN, 3.0), "PB0701", &["mass", "NaN"]);
    says(z_prime(1000.0, 0.0), "PB0701", &["width"]);
    says(z_prime(1000.0, 600.0), "PB0701", &["width", "half"]);
    assert!(z_prime(6000.0, 3000.0).unwrap().generate(0, 2000).is_ok());

    let with = |detector| Generator::with_detector(Process::ZToLL, 0, detector);
    let plain = Detector::default;
    let scale = vec![0.0, 0.0];
    says(
        with(Detector {
            muon_scale: scale,
            ..plain()
        }),
        "PB0703",
        &["muon_scale", "2 elements", "1 bins"],
    );
    says(
        with(Detector {
            muon_offset: vec![5.0],
            ..plain()
        }),
        "PB0702",
        &["`muon_offset`[0]", "5", "GeV"],
    );
    says(
        with(Detector {
            muon_eta_edges: vec![1.0, 0.5],
            ..plain()
        }),
        "PB0702",
        &["`muon_eta_edges`[1]", "0.5"],
    );
    says(
        with(Detector {
            muon_eta_edges: vec![-1.0, 0.5],
            ..plain()
        }),
        "PB0702",
        &["`muon_eta_edges`[0]"],
    );
    says(
        with(Detector {
            jet_energy_scale: f64::NAN,
            ..plain()
        }),
        "PB0702",
        &["jet_energy_scale", "NaN"],
    );
    says(
        with(Detector {
            pile_up: -1.0,
            ..plain()
        }),
        "PB0702",
        &["pile_up"],
    );
    let no_bins = Detector {
        muon_eta_edges: vec![],
        muon_scale: vec![],
        muon_offset: vec![],
        muon_resolution: vec![],
        pile_up: 0.0,
        ..plain()
    };
    let events = with(no_bins).unwrap().generate(0, 100).unwrap();
    assert!(events.event.vertices.iter().all(|n| *n == 1));

    let mut z = generator(Process::ZToLL);
    says(z.generate(u64::MAX - 5, 7), "PB0704", &["7 events"]);
    let last = z.generate(u64::MAX - 5, 6).unwrap();
    assert_eq!(last.event.event[5], u64::MAX);
    assert!(z.generate(u64::MAX, 0).unwrap().is_empty());
}

#[test]
fn processes_are_named() {
    for process in Process::menu() {
        assert_eq!(process.to_string().parse::<Process>().unwrap(), process);
    }
    assert_eq!("ZToLL".parse::<Process>().unwrap(), Process::ZToLL);
    for wrong in [
        "Z",
        "ztoll",
        "ZToLL(1)",
        "ZPrimeToTT(1000)",
        "ZPrimeToTT(1, 2",
        "",
    ] {
        says(wrong.parse::<Process>(), "PB0705", &["TTbar", "HTo4L"]);
    }
    // What is no number is not left out.
    for (wrong, text) in [
        ("ZPrimeToTT(1000, x)", "`x`"),
        ("ZPrimeToTT(1000, x, 10)", "`x`"),
        ("ZPrimeToTT(1000,, 10)", "``"),
        ("ZPrimeToTT(1e3 GeV, 10)", "`1e3 GeV`"),
    ] {
        says(wrong.parse::<Process>(), "PB0706", &["ZPrimeToTT", text]);
    }
    says("ZPrimeToTT(100, 1)".parse::<Process>(), "PB0701", &["100"]);
    assert_eq!(generator(Process::TTbar).seed(), SEED);
}
