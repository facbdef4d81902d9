//! The same on muons of CMS open data (the dimuon example of the IRIS-HEP analysis grand challenge), from the column file that `scripts/agc_columns.py` writes.

use std::collections::HashMap;
use std::path::PathBuf;

use pullback_array::{Bindings, Column, Lowered, transform};

use crate::program::{Events, record, record_with};
use crate::total::{agrees, record_cut};

/// Columns and numbers of the file, or `None` with a visible note.
fn read() -> Option<(Events, HashMap<String, f64>)> {
    // `cargo xtask test` writes it where the data is; the folder of temporary files of tests is below the target folder.
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .map(|target| target.join("agc-dimuon.columns"))
        .filter(|path| path.is_file());
    let Some(path) = path else {
        println!(
            "skipped: agc-dimuon.columns is not in the target folder; scripts/agc_columns.py writes it"
        );
        return None;
    };
    let bytes = std::fs::read(&path).unwrap();
    let end = bytes.windows(5).position(|w| w == b"\nend\n").unwrap();
    let header = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut data = &bytes[end + 5..];
    let mut lines = header.lines();
    assert_eq!(lines.next(), Some("pullback-columns 1"));
    let (mut numbers, mut doubles, mut integers) = (HashMap::new(), HashMap::new(), HashMap::new());
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["number", name, value] => {
                numbers.insert(name.to_owned(), value.parse().unwrap());
            }
            ["column", name, "f64", n] => {
                let (part, rest) = data.split_at(8 * n.parse::<usize>().unwrap());
                let column = part.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b));
                doubles.insert(name, column.collect::<Vec<f64>>());
                data = rest;
            }
            ["column", name, "i64", n] => {
                let (part, rest) = data.split_at(8 * n.parse::<usize>().unwrap());
                let column = part.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b));
                integers.insert(name, column.collect::<Vec<i64>>());
                data = rest;
            }
            ["column", name, "i32", n] => {
                let (part, rest) = data.split_at(4 * n.parse::<usize>().unwrap());
                let column = part.as_chunks().0.iter();
                let column = column.map(|b| i64::from(i32::from_le_bytes(*b)));
                integers.insert(name, column.collect());
                data = rest;
            }
            _ => panic!("{line}"),
        }
    }
    assert!(data.is_empty());
    let mut take = |name| doubles.remove(name).unwrap();
    let charge = integers["charge"].iter().map(|q| *q as i32).collect();
    let events = Events {
        offsets: integers["offsets"].clone(),
        pt: take("pt"),
        eta: take("eta"),
        phi: take("phi"),
        charge,
    };
    Some((events, numbers))
}

/// Parts of a sample of `events` events each.
fn parts(all: &Events, events: usize) -> impl Iterator<Item = Events> {
    let count = all.offsets.len() - 1;
    (0..count).step_by(events).map(move |first| {
        let offsets = &all.offsets[first..=(first + events).min(count)];
        let (a, b) = (offsets[0], offsets[offsets.len() - 1]);
        let range = a as usize..b as usize;
        Events {
            offsets: offsets.iter().map(|o| o - a).collect(),
            pt: all.pt[range.clone()].to_vec(),
            eta: all.eta[range.clone()].to_vec(),
            phi: all.phi[range.clone()].to_vec(),
            charge: all.charge[range].to_vec(),
        }
    })
}

#[test]
fn values_and_pathwise_derivatives_are_those_of_numpy() {
    let Some((events, numbers)) = read() else {
        return;
    };
    let lowered = Lowered::new(transform::jvp(&record(), &["s"]).unwrap()).unwrap();
    let mut ws = lowered.workspace();
    for s in ["0.98", "1", "1.02"] {
        let value: f64 = s.parse().unwrap();
        let mut columns = events.columns(&value);
        columns.push(Column::from(&1.0));
        lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
        for (k, name) in [(0, format!("F({s})")), (1, format!("dF({s})"))] {
            let (found, expected) = (ws.scalar(k), numbers[&name]);
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{name} is {found}, NumPy has {expected}"
            );
        }
    }
}

#[test]
fn pairs_of_opposite_charge_without_a_cut_are_as_many_as_are_known() {
    let Some((events, numbers)) = read() else {
        return;
    };
    // A scale that lifts every muon over the cut, and a shape that is 1: the number of pairs.
    let counted = record_with(|_, _| 1e9.into(), true);
    let lowered = Lowered::new(counted).unwrap();
    let mut ws = lowered.workspace();
    lowered
        .run(&mut ws, &Bindings::ordered(&events.columns(&1.0)))
        .unwrap();
    assert_eq!(ws.scalar(0), 130_037.0);
    assert_eq!(numbers["opposite_charge_pairs"], 130_037.0);
}

#[test]
fn total_derivatives_agree_with_differences_of_the_exact_value() {
    let Some((events, _)) = read() else {
        return;
    };
    agrees(&record(), parts(&events, 1000), 4.0);
    let (off, error) = agrees(&record_cut(), parts(&events, 1000), 4.0);
    // 100,000 events: the surface term is an eighth of the derivative, seen at a little more than three standard errors.
    assert!(off.abs() > 3.0 * error, "{off} ± {error}");
}
