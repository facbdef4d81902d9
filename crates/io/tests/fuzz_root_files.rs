//! Mutated ROOT files: an error or columns of the right shape, never a panic, never more memory than the limits, never long.
//!
//! `cargo xtask fuzz` runs it for longer (`PULLBACK_FUZZ_SECONDS`); `PULLBACK_FUZZ_SEED` chooses other mutations.

mod common;

use std::time::{Duration, Instant};

use common::mutation::{self, LIMITS, Rng, checked, mutate, setting};
use common::{own, own_files, shared};
use pullback_io::{Limits, Source, Table, root};

/// Reads everything in a file; how many columns came out.
fn fuzz_one(bytes: &[u8]) -> usize {
    let source = Source::from_bytes("fuzz", bytes.to_vec());
    let Ok(file) = root::File::with_limits(source, LIMITS) else {
        return 0;
    };
    let Ok(objects) = file.objects() else {
        return 0;
    };
    let mut columns = 0;
    for object in objects.iter().take(50) {
        columns += match object.kind {
            root::ObjectKind::Tree => file.tree(&object.path).map_or(0, |t| read(&t)),
            root::ObjectKind::Ntuple => file.ntuple(&object.path).map_or(0, |n| read(&n)),
            root::ObjectKind::Histogram => file
                .histogram(&object.path)
                .map_or(0, |h| usize::from(!h.values.is_empty())),
            _ => 0,
        };
    }
    columns
}

/// Reads all columns of a table, one by one, and the first ones of a part of the entries.
fn read(table: &dyn Table) -> usize {
    let mut good = 0;
    let entries = table.entries();
    let all = table.schema().fields().len();
    for k in 0..all {
        let _ = table.sizes(k);
        good += usize::from(checked(table.read(&[k], 0..entries)));
    }
    let some: Vec<usize> = (0..all.min(8)).collect();
    let _ = table.boundaries(&some);
    checked(table.read(&some, entries / 3..entries / 2));
    good
}

/// The envelopes of an uncompressed ntuple: (start, end) of each, the header first.
fn envelopes(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for at in 0..bytes.len().saturating_sub(16) {
        // Type 1, 2 or 3 in two bytes, the length in six, the hash at the end.
        let word = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let (kind, len) = (word & 0xffff, (word >> 16) as usize);
        if !(1..=3).contains(&kind) || len < 24 || len > bytes.len() - at {
            continue;
        }
        let end = at + len;
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes[at..end - 8]);
        if hash.to_le_bytes() == bytes[end - 8..end] {
            found.push((at, end));
        }
    }
    found
}

/// Mutates inside the envelopes only and makes their hashes fit again.
fn mutate_envelopes(bytes: &mut [u8], envelopes: &[(usize, usize)], rng: &mut Rng) {
    let old = envelopes
        .first()
        .map(|(_, end)| bytes[end - 8..*end].to_vec())
        .unwrap_or_default();
    for _ in 0..=rng.below(3) {
        let (start, end) = envelopes[rng.below(envelopes.len())];
        let mut part = bytes[start + 8..end - 8].to_vec();
        mutate(&mut part, rng);
        let len = part.len().min(end - start - 16);
        bytes[start + 8..start + 8 + len].copy_from_slice(&part[..len]);
    }
    for (k, (start, end)) in envelopes.iter().enumerate() {
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes[*start..end - 8]).to_le_bytes();
        bytes[end - 8..*end].copy_from_slice(&hash);
        if k == 0 {
            // Footer and page lists carry the hash of the header.
            for (start, end) in &envelopes[1..] {
                let part = &mut bytes[*start..*end];
                if let Some(at) = part.windows(8).position(|w| w == old) {
                    part[at..at + 8].copy_from_slice(&hash);
                }
            }
        }
    }
}

fn timed(bytes: &[u8]) -> usize {
    mutation::timed(bytes, "root", fuzz_one)
}

#[test]
fn fuzz_mutated_root_files() {
    let time = Duration::from_secs(setting("PULLBACK_FUZZ_SECONDS", 2));
    let mut rng = Rng(setting("PULLBACK_FUZZ_SEED", 1).max(1));
    let mut seeds: Vec<Vec<u8>> = own_files()
        .iter()
        .map(|p| std::fs::read(p).expect("it can be read"))
        .collect();
    seeds.extend([true, false].map(common::written::bytes));
    // Objects and vectors, which this crate's own files lack.
    let objects = shared("skhep-testdata/uproot-HZZ-objects.root");
    seeds.extend(objects.and_then(|path| std::fs::read(path).ok()));
    let ntuple = std::fs::read(own("ntuple_none.root")).expect("it can be read");
    let parts = envelopes(&ntuple);
    assert!(parts.len() >= 3, "header, footer and page lists: {parts:?}");
    assert!(seeds.iter().all(|seed| timed(seed) > 0));
    let (mut inputs, mut whole, mut partly) = (0_u64, 0_u64, 0_u64);
    let start = Instant::now();
    while start.elapsed() < time {
        let seed = &seeds[rng.below(seeds.len())];
        if seed.len() > 100_000 && rng.below(20) != 0 {
            continue;
        }
        let mut bytes = seed.clone();
        if rng.below(4) == 0 {
            bytes.clone_from(&ntuple);
            mutate_envelopes(&mut bytes, &parts, &mut rng);
        } else {
            mutate(&mut bytes, &mut rng);
        }
        match timed(&bytes) {
            0 => {}
            n if n < 10 => partly += 1,
            _ => whole += 1,
        }
        inputs += 1;
    }
    println!("{inputs} inputs, {whole} mostly readable, {partly} in part");
    assert!(inputs > 50 && whole + partly > 5 && whole + partly < inputs);
}

#[test]
fn fuzz_kept_inputs() {
    // Every prefix of a small file in steps: a copy that was cut short.
    let bytes = std::fs::read(own("ntuple_zlib.root")).expect("it can be read");
    let mut before = 0;
    for cut in (0..bytes.len()).step_by(997) {
        before = before.max(timed(&bytes[..cut]));
    }
    assert!(before <= timed(&bytes));
}

/// A block that claims to hold a gigabyte, and a length that the file does not have.
#[test]
fn fuzz_claims_are_checked_before_memory_is_taken() {
    let mut bytes = std::fs::read(own("muons_zlib.root")).expect("it can be read");
    let at = bytes
        .windows(3)
        .position(|w| w == b"ZL\x08")
        .expect("there is a zlib block");
    for (k, byte) in bytes[at + 6..at + 9].iter_mut().enumerate() {
        *byte = [0xff, 0xff, 0xff][k];
    }
    assert!(timed(&bytes) > 0);
    let limits = Limits {
        object_bytes: 100,
        ..Limits::default()
    };
    let file = root::File::with_limits(Source::from_bytes("small", bytes), limits);
    let error = file
        .and_then(|file| file.tree("Events").map(|_| ()))
        .expect_err("100 bytes");
    assert_eq!(
        (error.code(), error.kind()),
        ("PB0505", pullback_io::ErrorKind::Limit)
    );
}

/// Found by the fuzz: a counter whose first basket does not start at the first entry gave lists without offsets.
#[test]
fn fuzz_baskets_that_start_too_late_are_refused() {
    let mut bytes = std::fs::read(own("muons_lz4.root")).expect("it can be read");
    let file = root::File::new(Source::from_bytes("whole", bytes.clone())).expect("it is whole");
    let tree = file.tree("Events").expect("it is whole");
    let good = tree.boundaries(&tree.select(&["Muon_pt"]).expect("it is there"));
    assert_eq!(good.expect("it is whole"), [0, 100, 170]);
    // Every list of first entries: 0, 100, 170, 250.
    let list: Vec<u8> = [0_i64, 100, 170, 250]
        .iter()
        .flat_map(|n| n.to_be_bytes())
        .collect();
    let mut at = 0;
    let mut found = 0;
    while let Some(k) = bytes[at..].windows(32).position(|w| w == list) {
        bytes[at + k + 7] = 50;
        at += k + 32;
        found += 1;
    }
    assert!(found >= 5, "one for each branch");
    let file = root::File::new(Source::from_bytes("late", bytes)).expect("its header is whole");
    let tree = file.tree("Events").expect("its names are whole");
    for name in ["Muon_pt", "event", "nMuon"] {
        assert_eq!(
            tree.column(name).expect_err("no basket has entry 0").code(),
            "PB0503"
        );
    }
}

/// Names can be many more bytes than the file: those of members carry the names of what they are in.
#[test]
fn fuzz_names_are_counted() {
    let limits = Limits {
        name_bytes: 30,
        ..Limits::default()
    };
    let open = |name: &str| {
        let bytes = std::fs::read(own(name)).expect("it can be read");
        root::File::with_limits(Source::from_bytes(name, bytes), limits).expect("its header fits")
    };
    let trees = open("muons_zlib.root");
    let ntuples = open("ntuple_zlib.root");
    let histograms = open("histograms.root");
    for error in [
        trees
            .tree("Events")
            .map(|_| ())
            .expect_err("its branches have names"),
        histograms
            .objects()
            .map(|_| ())
            .expect_err("they have names"),
        ntuples
            .ntuple("Events")
            .map(|_| ())
            .expect_err("its fields have names"),
    ] {
        assert_eq!(error.code(), "PB0505", "{error}");
        assert!(error.to_string().contains("bytes of names"), "{error}");
    }
}
