//! Mutated Parquet files: an error or columns of the right shape, never a panic, never more memory than the limits, never long.
//!
//! `cargo xtask fuzz` runs it for longer (`PULLBACK_FUZZ_SECONDS`); `PULLBACK_FUZZ_SEED` chooses other mutations.

mod common;

use std::time::{Duration, Instant};

use common::mutation::{self, LIMITS, Rng, checked, mutate, setting};
use common::own;
use pullback_io::parquet::Parquet;
use pullback_io::{Source, Table};

/// Reads every column of a file, one by one, and the first ones of a part of the rows.
fn fuzz_one(bytes: &[u8]) -> usize {
    let source = Source::from_bytes("fuzz", bytes.to_vec());
    let Ok(file) = Parquet::with_limits(source, LIMITS) else {
        return 0;
    };
    let rows = file.entries();
    let all = file.schema().fields().len();
    let mut good = 0;
    for k in 0..all {
        let _ = file.sizes(k);
        good += usize::from(checked(file.read(&[k], 0..rows)));
    }
    let some: Vec<usize> = (0..all.min(30)).collect();
    checked(file.read(&some, rows / 3..rows / 2));
    good
}

fn timed(bytes: &[u8]) -> usize {
    mutation::timed(bytes, "parquet", fuzz_one)
}

#[test]
fn fuzz_mutated_parquet_files() {
    let time = Duration::from_secs(setting("PULLBACK_FUZZ_SECONDS", 2));
    let mut rng = Rng(setting("PULLBACK_FUZZ_SEED", 1).max(1));
    let seeds = ["none", "snappy", "gzip", "lz4", "zstd"]
        .map(|name| std::fs::read(own(&format!("table_{name}.parquet"))).expect("it can be read"));
    assert!(seeds.iter().all(|seed| timed(seed) > 20));
    let (mut inputs, mut whole, mut partly) = (0_u64, 0_u64, 0_u64);
    let start = Instant::now();
    while start.elapsed() < time {
        let mut bytes = seeds[rng.below(seeds.len())].clone();
        if rng.below(2) == 0 {
            // The footer alone: a length in front of the last four bytes says where it is.
            let end = bytes.len() - 8;
            let length = u32::from_le_bytes(bytes[end..end + 4].try_into().expect("four"));
            let mut footer = bytes[end - length as usize..end].to_vec();
            mutate(&mut footer, &mut rng);
            bytes.truncate(end - length as usize);
            bytes.extend_from_slice(&footer);
            bytes.extend((footer.len() as u32).to_le_bytes());
            bytes.extend(b"PAR1");
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
    assert!(inputs > 50 && whole + partly > 5 && whole < inputs);
}

/// Every prefix of a file in steps: a copy that was cut short.
#[test]
fn fuzz_parquet_files_that_were_cut_short() {
    let bytes = std::fs::read(own("table_zstd.parquet")).expect("it can be read");
    for cut in (0..bytes.len()).step_by(397) {
        assert_eq!(timed(&bytes[..cut]), 0);
    }
}
