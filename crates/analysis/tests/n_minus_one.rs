//! What cuts decide on: equal to loops over the events, each with all other cuts made.

use std::path::{Path, PathBuf};

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Bound, Distribution, Results, RunOptions};
use pullback_io::{Dataset, Values};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data")
}

const ANALYSIS: &str = r#"
[analysis]
weight = "1 + 0.5 * count(Muon)"
[datasets.a]
files = "muons_zlib.root:Events"
[datasets.b]
files = "muons_lz4.root:Events"
weight = "-0.25"
[datasets.seen]
files = "muons_none.root:Events"
observed = true
[parameters]
hard = "16 GeV"
[objects]
mu = { from = "Muon", where = "pt > 15 GeV" }
[columns]
lead = "max(mu.pt)"
[regions.SR]
cuts = ["count(mu) >= 2", "lead > 2 * hard", "15 GeV < sum(mu.pt) <= 90 GeV", "any(mu.pt > 16)", "lead != sum(mu.pt)"]
[regions.CR]
kind = "control"
cuts = ["2 > count(mu)"]
[regions.VR]
kind = "validation"
cuts = ["lead not in [30 GeV, 40 GeV)", "count(mu) == 2"]
[histograms.lead]
bins = 4
range = [20, "60 GeV"]
"#;

fn run(text: &str, n_minus_one: bool) -> Results {
    let file = AnalysisFile::from_text("a.toml", text, &folder()).unwrap_or_else(|e| panic!("{e}"));
    let options = RunOptions {
        n_minus_one,
        ..RunOptions::default()
    };
    let results = file.run(&options, &mut |_| true);
    let results = results.unwrap_or_else(|e| panic!("{e}"));
    results.expect("it was not stopped")
}

/// Muon pT of each event.
fn muons(name: &str) -> Vec<Vec<f64>> {
    let path = folder().join(name).display().to_string();
    let data = Dataset::open(&[format!("{path}:Events")]).expect("opens");
    let chunk = data.read(&["Muon_pt"], 0..data.entries()).expect("reads");
    let column = &chunk.columns[0];
    let offsets = column.offsets().expect("a list");
    let Values::F32(pt) = column.values() else {
        panic!("{:?}", column.dtype());
    };
    let list = |w: &[i64]| {
        let of = &pt[w[0] as usize..w[1] as usize];
        of.iter().map(|x| f64::from(*x)).collect()
    };
    offsets.windows(2).map(list).collect()
}

/// Number of muons, the largest momentum (if there is one) and the sum.
fn numbers(event: &[f64]) -> (f64, Option<f64>, f64) {
    let kept: Vec<f64> = event.iter().copied().filter(|x| *x > 15.0).collect();
    let lead = kept.iter().copied().reduce(f64::max);
    (kept.len() as f64, lead, kept.iter().sum())
}

fn found(results: &Results, region: usize, cut: usize) -> &Distribution {
    let mut all = results.n_minus_one.iter();
    let found = all.find(|d| (d.region, d.cut) == (region, cut));
    found.unwrap_or_else(|| panic!("no distribution of cut {cut} in region {region}"))
}

/// Fills a loop's values into the bins of a distribution and compares: what lies outside is in the first or the last bin.
fn equals_the_loop(d: &Distribution, value: impl Fn(&[f64]) -> Option<f64>) {
    // The names of the files of the two processes, and weights of an event by its number of muons.
    let weights = [
        ("muons_zlib.root", [1.0, 0.5]),
        ("muons_lz4.root", [-0.25, 0.0]),
    ];
    let n = d.edges.len() - 1;
    let bin = |x: f64| d.edges[1..n].iter().filter(|e| **e <= x).count();
    let mut seen = vec![0.0; n];
    for (p, (name, [one, more])) in weights.into_iter().enumerate() {
        let (mut sums, mut squares, mut entries) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        for event in muons(name) {
            if let Some(x) = value(&event) {
                let w = one + more * event.len() as f64;
                sums[bin(x)] += w;
                squares[bin(x)] += w * w;
                entries[bin(x)] += 1.0;
            }
        }
        assert!(entries.iter().sum::<f64>() > 0.0, "an empty test");
        let bins = &d.nominal[p];
        assert_eq!(bins.entries, entries, "{}", d.of);
        for (found, expected) in [(&bins.sums, &sums), (&bins.variances, &squares)] {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() <= 1e-12 * b.abs(), "{}: {a} {b}", d.of);
            }
        }
        seen = entries;
    }
    if let Some(observed) = &d.observed {
        // All files have the same events.
        assert_eq!(observed.sums, seen);
    }
}

#[test]
fn distributions_equal_loops_with_all_other_cuts() {
    let results = run(ANALYSIS, true);
    let cuts: Vec<(usize, usize)> = (results.n_minus_one.iter())
        .map(|d| (d.region, d.cut))
        .collect();
    // Not `any(..)`, which is no number, and not what compares two numbers of the event.
    assert_eq!(cuts, [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]);
    let more = |e: &[f64]| e.iter().any(|x| *x > 16.0);
    let unlike = |lead: Option<f64>, sum: f64| lead.is_some_and(|l| l != sum);
    let hard = |lead: Option<f64>| lead.is_some_and(|l| l > 32.0);
    let window = |sum: f64| 15.0 < sum && sum <= 90.0;

    let count = found(&results, 0, 0);
    assert_eq!((count.of.as_str(), count.unit.as_str()), ("count(mu)", ""));
    equals_the_loop(count, |e| {
        let (n, lead, sum) = numbers(e);
        (hard(lead) && window(sum) && more(e) && unlike(lead, sum)).then_some(n)
    });
    let lead = found(&results, 0, 1);
    assert_eq!((lead.of.as_str(), lead.unit.as_str()), ("lead", "GeV"));
    equals_the_loop(lead, |e| {
        let (n, lead, sum) = numbers(e);
        let kept = n >= 2.0 && window(sum) && more(e) && unlike(lead, sum);
        lead.filter(|_| kept)
    });
    equals_the_loop(found(&results, 0, 2), |e| {
        let (n, lead, sum) = numbers(e);
        (n >= 2.0 && hard(lead) && more(e) && unlike(lead, sum)).then_some(sum)
    });
    // The plain distribution where there is no other cut.
    equals_the_loop(found(&results, 1, 0), |e| Some(numbers(e).0));
    equals_the_loop(found(&results, 2, 0), |e| {
        let (n, lead, _) = numbers(e);
        lead.filter(|_| n == 2.0)
    });
    equals_the_loop(found(&results, 2, 1), |e| {
        let (n, lead, _) = numbers(e);
        (!lead.is_some_and(|l| (30.0..40.0).contains(&l)) && lead.is_some()).then_some(n)
    });
    // Blind where the region is.
    assert!(count.observed.is_none());
    assert!(found(&results, 1, 0).observed.is_some());
    // What passes the cut, too, is what the region selects.
    let selected = &results.cutflows[1].steps[1].yields[0];
    let count = found(&results, 1, 0);
    let wall = count.wall(&count.bounds[0]);
    let below = count.edges[1..].iter().zip(&count.nominal[0].entries);
    let below: f64 = below.filter(|(e, _)| **e <= wall).map(|(_, n)| n).sum();
    assert_eq!(selected.entries, [below]);
}

#[test]
fn bounds_are_those_at_the_parameters_of_the_file() {
    let bound = |at, above, closed| Bound { at, above, closed };
    let results = run(ANALYSIS, true);
    let bounds = |region, cut| found(&results, region, cut).bounds.clone();
    assert_eq!(bounds(0, 0), [bound(2.0, true, true)]);
    assert_eq!(bounds(0, 1), [bound(32.0, true, false)]);
    let window = [bound(15.0, true, false), bound(90.0, false, true)];
    assert_eq!(bounds(0, 2), window);
    assert_eq!(bounds(1, 0), [bound(2.0, false, false)]);
    let veto = [bound(30.0, false, false), bound(40.0, true, true)];
    assert_eq!(bounds(2, 0), veto);
    let exactly = [bound(2.0, true, true), bound(2.0, false, true)];
    assert_eq!(bounds(2, 1), exactly);
    // Whole numbers stand in the middle of bins of one, and bounds between them.
    let exactly = found(&results, 2, 1);
    assert!(exactly.whole && exactly.edges.windows(2).all(|e| e[1] - e[0] == 1.0));
    let walls: Vec<f64> = exactly.bounds.iter().map(|b| exactly.wall(b)).collect();
    assert_eq!(walls, [1.5, 2.5]);
    let less = found(&results, 1, 0);
    assert_eq!(less.wall(&less.bounds[0]), 1.5);
    // A threshold that moved is where it is now.
    let file = AnalysisFile::from_text("a.toml", ANALYSIS, &folder()).expect("an analysis");
    let moved = file
        .at(&[("hard".into(), vec![22.25])].into())
        .expect("a parameter");
    let options = RunOptions {
        n_minus_one: true,
        ..RunOptions::default()
    };
    let moved = moved.run(&options, &mut |_| true).expect("runs");
    let moved = moved.expect("it was not stopped");
    assert_eq!(found(&moved, 0, 1).bounds, [bound(44.5, true, false)]);
}

#[test]
fn nothing_else_changes_and_nothing_comes_unasked() {
    let (without, with) = (run(ANALYSIS, false), run(ANALYSIS, true));
    assert!(without.n_minus_one.is_empty() && !with.n_minus_one.is_empty());
    assert_eq!(without.cutflows, with.cutflows);
    assert_eq!(without.histograms, with.histograms);
    assert_eq!(
        (without.units.as_slice(), with.units.len()),
        (&["GeV".to_owned()][..], 1)
    );
    let lines = |r: &Results| {
        r.csv()
            .lines()
            .filter(|l| l.contains("n_minus_one"))
            .count()
    };
    assert_eq!(lines(&without), 0);
    assert!(with.csv().contains("CR,n_minus_one_1,data,"));
    assert!(!with.csv().contains("SR,n_minus_one_1,data,"));
}
