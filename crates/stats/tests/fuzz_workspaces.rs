//! Mutated workspaces: reading, resolving, summarising and writing never panic and take less than a second, whatever the bytes.
//!
//! Two seconds in the test suite; `PULLBACK_FUZZ_SECONDS` sets another time and `PULLBACK_FUZZ_SEED` another start. A failing input is left in the
//! temporary directory and named in the message; a copy of it in `data/fuzz` is replayed by every run.

mod common;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use pullback_stats::Error;
use pullback_stats::spec::{Options, resolve, summarise};
use pullback_stats::workspace::{Limits, Patch, PatchSet, Workspace, read_json, sha256_hex};
use serde_json::{Value, json};

/// One input through everything. Returns whether it was a model.
fn fuzz_one(bytes: &[u8]) -> bool {
    let limits = Limits::default();
    if let Ok(value) = read_json(bytes, &limits) {
        assert_eq!(sha256_hex(&value).len(), 64);
        check(Patch::from_value(&value));
        check(PatchSet::from_value(&value));
    }
    let Some((workspace, warnings)) = check(Workspace::from_slice(bytes)) else {
        return false;
    };
    for warning in warnings {
        assert!(!warning.to_string().is_empty() && warning.code().starts_with("PB03"));
    }
    let (again, _) =
        Workspace::from_slice(workspace.to_json().as_bytes()).expect("what is written can be read");
    assert!(again == workspace, "what is written is what was read");
    let Some(model) = check(resolve(&workspace, &Options::default())) else {
        return false;
    };
    let last = model.parameters.len();
    for a in &model.applications {
        assert!(a.parameter_of_bin(model.samples[a.sample].cells.len() - 1) < last);
    }
    assert_eq!(model.bin_of_cell().len(), model.cells());
    assert_eq!(model.bins_of_parameters().len(), last);
    assert!(
        model
            .nominal
            .iter()
            .chain(&model.auxdata)
            .chain(&model.observations)
            .all(|x| x.is_finite())
    );
    assert!(model.parameters.iter().all(|p| p.init.is_finite()));
    assert_eq!(summarise(&model).cells, model.cells());
    let mut selected = workspace.clone();
    selected
        .keep_channels(&[&model.channels[0].name])
        .expect("the channel exists");
    check(selected.check(&limits));
    check(resolve(&selected, &Options::default()));
    true
}

/// Every error has its parts.
fn check<T>(result: Result<T, Error>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    assert!(error.code().starts_with("PB03") && !error.help().is_empty());
    let text = error.to_string();
    assert!(
        !text.is_empty() && !text.contains('\n') || text.len() < 4000,
        "{text}"
    );
    let _ = (
        error.kind(),
        error.value(),
        error.place().map(ToString::to_string),
    );
    None
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

const TOKENS: [&str; 24] = [
    "1e999",
    "-1e999",
    "1e308",
    "1e-320",
    "-1",
    "0",
    "-0.0",
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"lumi\"",
    "99999999999999999999999",
    "[[[[",
    "}",
    "]",
    "\\u0000",
    "\u{feff}",
    "\"a/b~c\"",
    "1.0000000000000002",
    ",",
];

fn mutate_bytes(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len());
        let end = (at + rng.below(30)).min(bytes.len());
        match rng.below(6) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, TOKENS[rng.below(TOKENS.len())].bytes())),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = rng.below(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            4 => {
                // A token in the place of a number.
                let start = (at..bytes.len())
                    .find(|&i| bytes[i].is_ascii_digit())
                    .unwrap_or(at);
                let stop = (start..bytes.len())
                    .find(|&i| !matches!(bytes[i], b'0'..=b'9' | b'.' | b'e' | b'-' | b'+'))
                    .unwrap_or(start);
                drop(bytes.splice(start..stop, TOKENS[rng.below(TOKENS.len())].bytes()));
            }
            _ => bytes.truncate(bytes.len() - rng.below(40).min(bytes.len() - 1)),
        }
        if bytes.is_empty() {
            bytes.push(b'{');
        }
    }
}

/// A random node of a document.
fn pick<'v>(mut value: &'v mut Value, rng: &mut Rng) -> &'v mut Value {
    loop {
        let size = match &*value {
            Value::Array(list) => list.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        };
        if size == 0 || rng.below(6) == 0 {
            return value;
        }
        let i = rng.below(size);
        value = match value {
            Value::Array(list) => &mut list[i],
            Value::Object(map) => map.values_mut().nth(i).expect("i is below the length"),
            _ => unreachable!("size is zero"),
        };
    }
}

fn mutate_nodes(document: &mut Value, rng: &mut Rng) {
    let names = [
        "mu",
        "lumi",
        "xsec",
        "stat",
        "signal",
        "bkg",
        "SR",
        "normsys",
        "histosys",
        "shapesys",
        "staterror",
        "shapefactor",
        "normfactor",
    ];
    for _ in 0..=rng.below(3) {
        let donor = pick(document, rng).clone();
        let number = f64::from_bits(rng.next());
        let kind = rng.below(8);
        let name = names[rng.below(names.len())];
        let chosen = rng.next() as usize;
        match (pick(document, rng), kind) {
            (Value::Array(list), 0..=2) if !list.is_empty() => {
                list.remove(chosen % list.len());
            }
            (Value::Array(list), 3..=4) => list.push(list.first().cloned().unwrap_or(donor)),
            (Value::Object(map), 0) if !map.is_empty() => {
                let key = map
                    .keys()
                    .nth(chosen % map.len())
                    .cloned()
                    .unwrap_or_default();
                map.shift_remove(&key);
            }
            (Value::Object(map), 1) => drop(map.insert(name.to_owned(), donor)),
            (node @ Value::String(_), 0..=5) => *node = json!(name),
            (node @ Value::Number(_), 0..=2) => *node = json!(number),
            (node @ Value::Number(_), 3..=5) => {
                *node = json!([0.0, -1.0, 1e-300, 1e300, 1.0][chosen % 5]);
            }
            (node, _) => *node = donor,
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("data/pyhf_models.json")).expect("the reference is JSON");
    let mut seeds: Vec<Vec<u8>> = cases
        .iter()
        .filter(|c| c["pyhf"]["error"].is_null())
        .map(|c| c["workspace"].to_string().into_bytes())
        .collect();
    // The small published ones, and one of a usual size.
    let files = [
        "pyhf__example_bkgonly",
        "2018-31__simplifiedA",
        "2018-14__Comb_bkgonly",
        "2018-31__BkgOnlyB",
    ];
    seeds.extend(
        files
            .iter()
            .filter_map(|name| std::fs::read(common::atlas(&format!("{name}.json"))?).ok()),
    );
    seeds
}

fn timed(bytes: &[u8]) -> bool {
    let start = Instant::now();
    let result = catch_unwind(|| fuzz_one(bytes));
    let took = start.elapsed();
    if result.is_err() || took > Duration::from_secs(1) {
        let path = std::env::temp_dir().join(format!("pullback-fuzz-{}.json", bytes.len()));
        let _ = std::fs::write(&path, bytes);
        panic!(
            "input of {} bytes failed or took {took:?}; it is in {}",
            bytes.len(),
            path.display()
        );
    }
    result.unwrap_or(false)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn mutated_workspaces() {
    let time = Duration::from_secs(setting("PULLBACK_FUZZ_SECONDS", 2));
    let mut rng = Rng(setting("PULLBACK_FUZZ_SEED", 1));
    let seeds = seeds();
    let (mut inputs, mut models) = (0_u64, 0_u64);
    let start = Instant::now();
    while start.elapsed() < time {
        let mut bytes = seeds[rng.below(seeds.len())].clone();
        if bytes.len() > 20_000 && rng.below(20) != 0 {
            continue;
        }
        if rng.below(3) == 0 {
            mutate_bytes(&mut bytes, &mut rng);
        } else if let Ok(mut document) = serde_json::from_slice::<Value>(&bytes) {
            mutate_nodes(&mut document, &mut rng);
            bytes = document.to_string().into_bytes();
        }
        models += u64::from(timed(&bytes));
        inputs += 1;
    }
    println!("{inputs} inputs, {models} of them models");
    assert!(
        inputs > 100 && models > 10 && models < inputs,
        "{inputs} inputs, {models} models"
    );
}

#[test]
fn kept_inputs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder is in the repository") {
        timed(
            &std::fs::read(entry.expect("the folder can be listed").path())
                .expect("the file can be read"),
        );
        count += 1;
    }
    assert!(count > 0);
}
