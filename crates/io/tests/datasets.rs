//! Several files as one table: chunks, ranges, friends, patterns, wrong use.

mod common;

use std::sync::Arc;

use common::{check_shape, own, own_files, sums};
use pullback_io::{
    Axis, Column, Dataset, Error, Level, Limits, Options, Source, Table, Values, open, root,
};

fn muons(compression: &str) -> Arc<dyn Table> {
    open(
        own(&format!("muons_{compression}.root")),
        Some("Events"),
        Limits::default(),
    )
    .expect("the file is in the repository")
}

fn pattern(name: &str) -> String {
    own(name).display().to_string()
}

#[test]
fn every_range_is_a_slice_of_the_whole() {
    for path in own_files() {
        let file = root::File::open(&path).expect("the file is in the repository");
        for object in file.objects().expect("it is whole") {
            let is_table = matches!(
                object.kind,
                root::ObjectKind::Tree | root::ObjectKind::Ntuple
            );
            if !is_table {
                continue;
            }
            let table = open(&path, Some(&object.path), Limits::default()).expect("it is whole");
            let columns: Vec<usize> = (0..table.schema().fields().len()).collect();
            let whole = table
                .read(&columns, 0..table.entries())
                .expect("it is whole");
            let n = table.entries();
            for range in [0..0, 0..1, n / 3..n / 2, 99..101, n - 1..n, n..n, 1..n] {
                if range.end > n {
                    continue;
                }
                let part = table.read(&columns, range.clone()).expect("it is whole");
                for ((column, whole), field) in part.iter().zip(&whole).zip(table.schema().fields())
                {
                    let name = format!("{} {} {range:?}", path.display(), field.name);
                    check_shape(&name, column);
                    assert_eq!(column.axes().len(), field.levels.len(), "{name}");
                    assert_eq!(column.dtype(), field.dtype, "{name}");
                    let expected = whole
                        .clone()
                        .slice(range.start as usize..range.end as usize);
                    assert_eq!(column, &expected, "{name}");
                }
            }
        }
    }
}

#[test]
fn columns_of_a_collection_share_their_offsets() {
    for path in ["muons_zlib.root", "ntuple_zlib.root"] {
        let table = open(own(path), Some("Events"), Limits::default()).expect("it is whole");
        let names: &[&str] = if path.starts_with('n') {
            &["muons.*"]
        } else {
            &["Muon_pt", "Muon_charge"]
        };
        let columns = table.select(names).expect("they are there");
        let read = table
            .read(&columns, 0..table.entries())
            .expect("it is whole");
        let [a, b] = read.as_slice() else {
            panic!("two columns")
        };
        let (a, b) = (a.offsets().expect("lists"), b.offsets().expect("lists"));
        assert!(Arc::ptr_eq(a, b), "{path}");
    }
}

/// The counter of a collection is decoded once, also where it is a column that is asked for: the limit has room for no more.
#[test]
fn counters_are_read_once() {
    let bytes = std::fs::read(own("muons_zlib.root")).expect("it can be read");
    let columns = |chunk_bytes: u64| {
        let limits = Limits {
            chunk_bytes,
            ..Limits::default()
        };
        let source = Source::from_bytes("muons", bytes.clone());
        let tree = root::File::with_limits(source, limits)?.tree("Events")?;
        let chosen = tree.select(&["nMuon", "Muon_pt"])?;
        let twice = [chosen[0], chosen[1], chosen[0]];
        let read = tree.read(&chosen, 0..250)?;
        assert_eq!(tree.read(&twice, 20..220)?.len(), 3);
        Ok::<_, pullback_io::Error>(read)
    };
    let whole = columns(1 << 20).expect("it is whole");
    let numbers: usize = whole.iter().map(|c| c.values().bytes()).sum();
    assert_eq!(columns(numbers as u64).expect("there is room"), whole);
    assert_eq!(
        columns(numbers as u64 - 1).expect_err("not now").code(),
        "PB0505"
    );
}

#[test]
fn compressions_hold_the_same() {
    let expected = muons("none").column("Muon_pt").expect("it is there");
    for compression in ["zlib", "lz4", "zstd", "lzma"] {
        let found = muons(compression).column("Muon_pt").expect("it is there");
        assert_eq!(found, expected, "{compression}");
    }
    let ntuple = open(own("ntuple_none.root"), None, Limits::default()).expect("it is whole");
    let pt = ntuple.column("muons.pt").expect("it is there");
    assert_eq!(pt, expected);
}

#[test]
fn chunks_are_the_whole_whatever_their_size() {
    let files = [pattern("muons_*.root:Events")];
    let whole = Dataset::open(&files).expect("the files are there");
    assert_eq!((whole.entries(), whole.files().len()), (1250, 5));
    let names = ["event", "Muon_pt"];
    let all = whole
        .read(&names, 0..whole.entries())
        .expect("they are whole");
    for chunk_bytes in [1, 500, 3000, 1 << 20] {
        let options = Options {
            chunk_bytes,
            ..Options::default()
        };
        let data = Dataset::with_options(&files, options).expect("the files are there");
        let (mut next, mut columns) = (0, vec![Vec::new(), Vec::new()]);
        let mut sizes = Vec::new();
        for chunk in data.chunks(&names).expect("they are there") {
            let chunk = chunk.expect("they are whole");
            assert_eq!(chunk.first, next);
            next += chunk.entries as u64;
            sizes.push(chunk.entries);
            for (list, column) in columns.iter_mut().zip(chunk.columns) {
                assert_eq!(column.len(), chunk.entries);
                list.push(column);
            }
        }
        assert_eq!(next, data.entries());
        let joined: Vec<Column> = columns.into_iter().filter_map(Column::concat).collect();
        assert_eq!(joined, all.columns, "{chunk_bytes}");
        match chunk_bytes {
            1 => assert!(sizes.iter().all(|n| *n == 1)),
            // About 24 bytes for an event: a basket of 100, 70 or 80 events fits, two do not.
            3000 => assert!(sizes.iter().all(|n| [100, 70, 80].contains(n)), "{sizes:?}"),
            1_048_576 => assert_eq!(sizes, [250; 5]),
            _ => assert!(sizes.iter().all(|n| *n < 70)),
        }
    }
}

#[test]
fn friends_stand_beside() {
    let main = Dataset::open(&[pattern("muons_zlib.root:Events")]).expect("it is there");
    let friend = Dataset::open(&[pattern("ntuple_zlib.root")]).expect("it is there");
    let joined = main.join("rn", friend).expect("both have 250 events");
    let chunk = joined
        .read(&["rn.event", "event", "rn.muons.pt"], 95..180)
        .expect("it is whole");
    assert_eq!(&*chunk.names, ["rn.event", "event", "rn.muons.pt"]);
    assert_eq!(chunk.columns[0], chunk.columns[1]);
    assert_eq!(chunk.column("rn.muons.pt").map(Column::len), Some(85));
    assert_eq!(joined.friends().collect::<Vec<_>>(), ["rn"]);

    let other = Dataset::open(&[pattern("muons_l*.root:Events")]).expect("they are there");
    let error = joined.join("other", other).expect_err("500 are not 250");
    assert_eq!(error.code(), "PB0514");
}

/// What is read of friends fills chunks, by the sizes that it has; what is not read does not.
#[test]
fn friends_fill_chunks_by_their_own_sizes() {
    let options = Options {
        chunk_bytes: 6000,
        ..Options::default()
    };
    let open =
        |name: &str| Dataset::with_options(&[pattern(name)], options).expect("the files are there");
    let entries = |data: &Dataset, names: &[&str]| -> Vec<usize> {
        let chunks = data.chunks(names).expect("they are there");
        let sizes = chunks.map(|chunk| {
            let chunk = chunk.expect("it is whole");
            // Bytes of an event differ by half.
            assert!(chunk.bytes() <= 9000, "{} of {names:?}", chunk.bytes());
            chunk.entries
        });
        sizes.collect()
    };
    let alone = open("muons_zlib.root:Events");
    let joined = open("muons_zlib.root:Events")
        .join("rn", open("ntuple_zlib.root"))
        .expect("both have 250 events");
    let flat = entries(&alone, &["event"]);
    assert_eq!(entries(&joined, &["event"]), flat);
    let heavy = entries(&joined, &["event", "rn.muons.*", "rn.hits"]);
    assert!(heavy.len() > 2 * flat.len(), "{heavy:?}, {flat:?}");
    // Also where nothing is read of the table itself.
    let friend = entries(&joined, &["rn.muons.*", "rn.hits"]);
    assert!(friend.len() > 2 * flat.len(), "{friend:?}");
}

#[test]
fn nested_lists_options_and_texts() {
    let table = open(own("ntuple_zlib.root"), None, Limits::default()).expect("it is whole");
    let field = |name: &str| table.schema().field(name).expect("it is there").clone();
    assert_eq!(field("hits").levels, [Level::List, Level::List]);
    assert_eq!(field("optional").levels, [Level::Option]);
    let optional = table.column("optional").expect("it is there");
    let [Axis::Option(present)] = optional.axes() else {
        panic!("one level of options")
    };
    let there = present.iter().filter(|p| **p).count();
    assert_eq!((present.len(), optional.values().len()), (250, there));
    let weight = table.column("weight").expect("it is there");
    let (Values::F64(all), Values::F64(some)) = (weight.values(), optional.values()) else {
        panic!("doubles")
    };
    let kept: Vec<f64> = all
        .iter()
        .zip(&**present)
        .filter(|(_, p)| **p)
        .map(|(w, _)| *w)
        .collect();
    assert_eq!(some, &kept);
    let label = table.column("label").expect("it is there");
    let Values::Str(label) = label.values() else {
        panic!("texts")
    };
    assert_eq!(label.text(0).as_deref(), Some(""));
    assert_eq!(label.text(1).as_deref(), Some("event 1"));
    assert_eq!(label.text(249).as_deref(), Some(""));
}

/// A tree that was never flushed: its baskets lie inside its description.
#[test]
fn baskets_inside_the_tree_have_their_sizes() {
    let Some(path) = common::shared("agc-dimuon/open-data-example.root") else {
        return;
    };
    let bytes = std::fs::metadata(&path).expect("it is there").len();
    let tree = open(path, None, Limits::default()).expect("it is whole");
    let fields = tree.schema().fields();
    let sizes = (0..fields.len()).map(|k| tree.sizes(k).expect("it is whole"));
    let sizes: Vec<_> = sizes.collect();
    let counter = tree.schema().position("nMuon").expect("it is there");
    // 100,000 numbers of four bytes, and the heads of baskets.
    let size = sizes[counter].uncompressed;
    assert!((400_000..410_000).contains(&size), "{size}");
    let stored: u64 = sizes.iter().map(|s| s.compressed).sum();
    assert!(
        stored < bytes && stored > bytes * 9 / 10,
        "{stored} of {bytes}"
    );
}

#[test]
fn histograms_have_edges_values_and_variances() {
    let file = root::File::open(own("histograms.root")).expect("it is there");
    let edges = file.histogram("edges").expect("it is there");
    assert_eq!(edges.axes[0].edges, [0.0, 1.0, 2.5, 5.0, 10.0]);
    assert!(!edges.axes[0].uniform);
    let total: f64 = edges.inner_values().iter().sum();
    assert_eq!(total, edges.values[1..=4].iter().sum::<f64>());
    let plane = file.histogram("plane").expect("it is there");
    assert_eq!((plane.axes[0].bins(), plane.axes[1].bins()), (4, 3));
    assert_eq!(
        (plane.values.len(), plane.inner_values().len()),
        (6 * 5, 12)
    );
}

#[test]
fn what_is_not_there_is_named() {
    let path = pattern("muons_zlib.root");
    let code = |result: Result<Dataset, Error>| result.expect_err("it is wrong").code();
    assert_eq!(code(Dataset::open(&["no/such.root"])), "PB0501");
    assert_eq!(code(Dataset::open(&["no/such*.root"])), "PB0513");
    assert_eq!(code(Dataset::open::<&str>(&[])), "PB0513");
    assert_eq!(
        code(Dataset::open(&[concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/Cargo.toml"
        )])),
        "PB0502"
    );
    // Two trees, and none was named.
    let error = Dataset::open(&[&path]).expect_err("which one?");
    assert_eq!(error.code(), "PB0509");
    assert!(error.help().contains("runs/Runs"), "{}", error.help());
    let error = Dataset::open(&[format!("{path}:events")]).expect_err("another name");
    assert!(error.help().contains("`Events`"), "{}", error.help());
    let data = Dataset::open(&[format!("{path}:Events")]).expect("it is there");
    let error = data.read(&["Muon_Pt"], 0..1).expect_err("another name");
    assert_eq!(
        (error.code(), error.help().contains("Muon_pt")),
        ("PB0510", true)
    );
    let place = error.place().expect("it has a place");
    assert!(place.file.ends_with("muons_zlib.root") && place.object == "Events");
    let error = data.read(&["event"], 0..251).expect_err("there are 250");
    assert_eq!(error.code(), "PB0512");
}

/// Names with `/` and `;` in them are names as others.
#[test]
fn names_may_look_like_paths() {
    let whole = std::fs::read(own("muons_zlib.root")).expect("it can be read");
    for name in ["Ev/nts", "Ev;nts", "/vents", "Event/", "Even;x"] {
        let mut bytes = whole.clone();
        let (old, new) = (b"\x06Events", [b"\x06", name.as_bytes()].concat());
        let mut at = 0;
        while let Some(k) = bytes[at..].windows(7).position(|w| w == old) {
            bytes[at + k..at + k + 7].copy_from_slice(&new);
            at += k + 7;
        }
        let file = root::File::new(Source::from_bytes("renamed", bytes)).expect("it is whole");
        let listed = file.objects().expect("it is whole");
        assert!(listed.iter().any(|o| o.path == name), "{name}");
        assert_eq!(file.tree(name).expect("it is there").entries(), 250);
        let exact = format!("{name};1");
        assert_eq!(file.tree(&exact).expect("it is there").entries(), 250);
        assert_eq!(file.tree("runs/Runs").expect("it is there").entries(), 3);
    }
}

#[test]
fn types_must_not_change_between_files() {
    let files = [
        pattern("muons_zlib.root:Events"),
        pattern("muons_zlib.root:runs/Runs"),
    ];
    let data = Dataset::open(&files).expect("both are there");
    assert_eq!(data.entries(), 253);
    // `run` is unsigned in one of them.
    let error = data.read(&["run"], 0..253).expect_err("another type");
    assert_eq!(error.code(), "PB0511");
    let error = data
        .read(&["weight"], 0..253)
        .expect_err("missing in the second");
    assert_eq!(error.code(), "PB0510");
    assert!(data.read(&["weight"], 0..250).is_ok());
}

#[test]
fn bytes_in_memory_are_as_good_as_a_file() {
    let bytes = std::fs::read(own("muons_lz4.root")).expect("it is there");
    let file = root::File::new(Source::from_bytes("memory", bytes)).expect("it is whole");
    let pt = file
        .tree("Events")
        .and_then(|tree| tree.column("Muon_pt"))
        .expect("it is whole");
    let same = muons("lz4").column("Muon_pt").expect("it is whole");
    assert_eq!(sums(pt.values()), sums(same.values()));
}
