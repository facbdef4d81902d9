//! Histograms that are written, read back here, and by uproot and ROOT (`scripts/read_written_histograms.py`), to the bit.

mod common;

use std::collections::HashSet;
use std::path::Path;

use common::written;
use pullback_io::root::{File, Histogram, HistogramAxis, HistogramWriter, ObjectKind};
use pullback_io::{Error, ErrorKind, Limits, Source};
use serde_json::Value;

fn open(bytes: Vec<u8>) -> File {
    File::new(Source::from_bytes("written.root", bytes)).expect("its header is whole")
}

fn one(name: &str) -> Histogram {
    let axis = HistogramAxis::new("x", vec![0.0, 1.0, 4.0]);
    Histogram::th1d(name, "", axis, &[1.0, 2.0], &[1.0, 2.0], 3.0)
}

fn refused(directory: &str, histogram: &Histogram) -> Error {
    let mut writer = HistogramWriter::new("f.root").expect("a name");
    let error = writer.add(directory, histogram).expect_err("it is wrong");
    assert_eq!(
        (error.code(), error.kind()),
        ("PB0519", ErrorKind::Usage),
        "{error}"
    );
    error
}

#[test]
fn what_is_written_is_read_to_the_bit() {
    let all = written::histograms();
    for compressed in [true, false] {
        let file = open(written::bytes(compressed));
        for (directory, histogram) in &all {
            let path = format!("{directory}/{}", histogram.name);
            let found = file.histogram(path.trim_start_matches('/')).expect(&path);
            assert_eq!(format!("{found:?}"), format!("{histogram:?}"));
            let bits = |h: &Histogram| -> Vec<u64> {
                let sumw2 = h.sumw2.iter().flatten();
                let edges = h.axes[0].edges.iter();
                let all = h.values.iter().chain(sumw2).chain(edges);
                all.map(|x| x.to_bits()).collect()
            };
            assert_eq!(bits(&found), bits(histogram), "{path}");
        }
        let objects = file.objects().expect("its directories are whole");
        let of = |kind| objects.iter().filter(|o| o.kind == kind).count();
        assert_eq!(of(ObjectKind::Histogram), all.len());
        let folders: HashSet<&str> = all.iter().map(|(d, _)| d.as_str()).collect();
        // `SR` has none of its own, and the outermost is no object.
        assert_eq!(of(ObjectKind::Directory), folders.len() + 1 - 1);
        assert_eq!(
            (objects.len(), file.version()),
            (all.len() + folders.len(), 62400)
        );
    }
    assert!(written::bytes(true).len() < written::bytes(false).len() / 2);
}

/// The same bytes from the same histograms, others from others.
#[test]
fn nothing_but_the_histograms_is_in_the_file() {
    assert_eq!(written::bytes(true), written::bytes(true));
    let write = |value: f64| {
        let mut histogram = one("h");
        histogram.values[1] = value;
        let mut writer = HistogramWriter::new("f.root").expect("a name");
        writer.add("d", &histogram).expect("it is right");
        writer.uncompressed().finish(Vec::new()).expect("memory")
    };
    let (a, b) = (write(1.0), write(2.0));
    assert_ne!(a[47..63], b[47..63], "the identifiers");
    assert_eq!((a[47 + 6] >> 4, a[47 + 8] >> 6), (8, 2), "their version");
}

/// uproot and ROOT read the very bytes that are written here, and say what this crate put in.
#[test]
fn uproot_and_root_read_the_same() {
    let bytes = written::bytes(false);
    // For the script to read.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("plain.root"), &bytes).expect("a folder for this");
    std::fs::write(folder.join("zlib.root"), written::bytes(true)).expect("a folder for this");
    let reference = std::fs::read(common::own("written_histograms.json")).expect("it is there");
    let reference: Value = serde_json::from_slice(&reference).expect("JSON");
    let found = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&bytes));
    assert_eq!(reference["xxh3"], found, "other bytes than the script read");
    let all = written::histograms();
    for reader in ["uproot", "root"] {
        assert_eq!(reference[reader]["said"], Value::Array(vec![]), "{reader}");
        let read = reference[reader]["histograms"]
            .as_object()
            .expect("an object");
        assert_eq!(read.len(), all.len(), "{reader}");
        for (directory, histogram) in &all {
            let path = format!("{directory}/{}", histogram.name);
            let read = &read[path.trim_start_matches('/')];
            let numbers = |key: &str| -> Vec<f64> {
                let list = read[key].as_array().expect("numbers").iter();
                list.map(|x| f64::from_bits(x.as_u64().expect("bits")))
                    .collect()
            };
            let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(
                bits(&numbers("values")),
                bits(&histogram.values),
                "{reader} {path}"
            );
            assert_eq!(
                bits(&numbers("variances")),
                bits(histogram.variances()),
                "{reader} {path}"
            );
            assert_eq!(
                bits(&numbers("edges")),
                bits(&histogram.axes[0].edges),
                "{reader} {path}"
            );
            assert_eq!(numbers("entries"), [histogram.entries], "{reader} {path}");
            assert_eq!(read["title"], histogram.title, "{reader} {path}");
            assert_eq!(read["label"], histogram.axes[0].title, "{reader} {path}");
        }
    }
    // Mean and width as ROOT makes them of bins and of what is stored, which must be the same.
    let statistics = &reference["root"]["statistics"];
    for (stored, made) in statistics
        .as_object()
        .expect("an object")
        .values()
        .map(|s| (&s[0], &s[1]))
    {
        let (stored, made) = (stored.as_f64(), made.as_f64());
        let (stored, made) = stored.zip(made).expect("numbers");
        assert!(
            (stored - made).abs() <= 1e-14 * made.abs(),
            "{stored} {made}"
        );
    }
}

#[test]
fn names_are_checked() {
    for (directory, name, what) in [
        ("", "", "a name is empty"),
        ("a//b", "h", "a name is empty"),
        ("/a", "h", "a name is empty"),
        ("a", "b/c", "'/' cannot stand in a name"),
        ("a", "h;1", "';' cannot stand in a name"),
        ("a\n", "h", "'\\n' cannot stand in a name"),
        ("a", "\0", "'\\0' cannot stand in a name"),
    ] {
        let error = refused(directory, &one(name)).to_string();
        assert!(error.contains(what), "{error}");
    }
    let long = "n".repeat(4097);
    assert!(refused(&long, &one("h")).to_string().contains("4096"));
    assert!(refused("", &one(&long)).to_string().contains("4096"));
    let deep = |n: usize| vec!["d"; n].join("/");
    assert!(refused(&deep(65), &one("h")).to_string().contains("64"));
    let mut writer = HistogramWriter::new("f.root").expect("a name");
    writer.add(&deep(64), &one("h")).expect("deep enough");
    let file = open(writer.finish(Vec::new()).expect("memory"));
    assert_eq!(file.objects().expect("not too deep").len(), 65);
    let mut titled = one("h");
    titled.axes[0].title.clone_from(&long);
    assert!(refused("", &titled).to_string().contains("title"));
    assert!(HistogramWriter::new("a/b.root").is_err());
}

#[test]
fn a_name_stands_once() {
    let mut writer = HistogramWriter::new("f.root").expect("a name");
    writer.add("a", &one("b")).expect("the first one");
    for (directory, name, path) in [("a", "b", "a/b"), ("a/b", "c", "a/b"), ("", "a", "a")] {
        let error = writer.add(directory, &one(name)).expect_err("it is there");
        let expected =
            format!("the histogram `{path}` cannot be written: there are two of this name");
        assert_eq!(error.to_string(), expected);
    }
    writer.add("b", &one("b")).expect("another directory");
    let file = open(writer.finish(Vec::new()).expect("memory"));
    assert_eq!(file.histogram("a/b").expect("the first one"), one("b"));
    assert_eq!(file.objects().expect("whole").len(), 4);
}

#[test]
fn what_is_no_th1d_is_refused() {
    let change = |change: &dyn Fn(&mut Histogram)| {
        let mut histogram = one("h");
        change(&mut histogram);
        refused("d", &histogram).to_string()
    };
    for (error, what) in [
        (change(&|h| h.class = "TH1F".to_owned()), "TH1F"),
        (change(&|h| h.axes.push(h.axes[0].clone())), "2 axes"),
        (change(&|h| h.axes[0].edges.truncate(1)), "no bins"),
        (change(&|h| h.axes[0].edges = vec![0.0, 0.0, 1.0]), "rise"),
        (change(&|h| h.axes[0].edges[1] = f64::NAN), "rise"),
        (change(&|h| h.axes[0].edges[2] = f64::INFINITY), "rise"),
        (
            change(&|h| h.axes[0].labels = vec![String::new(); 2]),
            "names",
        ),
        (
            change(&|h| h.values.truncate(3)),
            "3 values or variances for 4",
        ),
        (
            change(&|h| h.sumw2 = Some(vec![0.0])),
            "1 values or variances for 4",
        ),
    ] {
        assert!(error.contains(what), "{error}");
    }
}

/// An axis that says it is uniform and is not keeps its edges.
#[test]
fn edges_are_stored_where_root_would_compute_others() {
    let mut histogram = one("h");
    histogram.axes[0].uniform = true;
    let mut writer = HistogramWriter::new("f.root").expect("a name");
    writer.add("", &histogram).expect("it is right");
    let file = open(writer.finish(Vec::new()).expect("memory"));
    let found = file.histogram("h").expect("it is there");
    assert_eq!(found.axes[0].edges, histogram.axes[0].edges);
    assert!(!found.axes[0].uniform);
    // ROOT has 0.1 + 2 · 0.1 = 0.30000000000000004 there.
    assert!(!HistogramAxis::new("", vec![0.1, 0.2, 0.3, 0.4]).uniform);
    assert!(HistogramAxis::new("", vec![0.0, 0.25, 0.5]).uniform);
}

#[test]
fn a_sink_that_is_full_is_an_error() {
    let writer = HistogramWriter::new("f.root").expect("a name");
    let mut room = [0_u8; 50];
    let error = writer.finish(&mut room[..]).expect_err("it is too small");
    assert_eq!((error.code(), error.kind()), ("PB0517", ErrorKind::Limit));
}

/// Cut anywhere it is an error, and a histogram takes no more memory than it is allowed.
#[test]
fn parts_of_a_written_file_are_errors() {
    let bytes = written::bytes(false);
    for cut in (0..bytes.len()).step_by(97) {
        let Ok(file) = File::new(Source::from_bytes("cut.root", bytes[..cut].to_vec())) else {
            continue;
        };
        // Behind the lists of keys are the descriptions of the classes, which histograms do not need.
        if let Ok(objects) = file.objects() {
            assert!(cut > bytes.len() / 2, "cut at {cut}");
            let mut histograms = objects.iter().filter(|o| o.kind == ObjectKind::Histogram);
            assert!(
                histograms.all(|o| file.histogram_of(o).is_ok()),
                "cut at {cut}"
            );
        }
    }
    let limits = Limits {
        object_bytes: 1 << 10,
        ..Limits::default()
    };
    let file = File::with_limits(Source::from_bytes("f.root", bytes), limits).expect("a file");
    let error = file.histogram("SR/fine/ttbar").expect_err("100 bins");
    assert_eq!(error.code(), "PB0505");
}
