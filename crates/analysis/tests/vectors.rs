//! Vectors of weights: members equal a loop, and what is made of them the formulas of the papers.

use std::path::{Path, PathBuf};

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions, Shift};
use pullback_analysis::{Error, render};
use pullback_io::{Dataset, Values};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data")
}

/// Three factors per event, of its first three muons and a constant one; two data sets of one process.
const FILE: &str = r#"
[datasets.a]
files = "muons_none.root:Events"
process = "mm"
weight = "0.5"
[datasets.b]
files = "muons_none.root:Events"
process = "mm"
weight = "Muon.pt[0] / 20"
[datasets.c]
files = "muons_none.root:Events"
[regions.SR]
cuts = ["count(Muon) >= 2"]
[histograms.pt]
of = "Muon.pt[0]"
edges = [0, 20, 40, 1000]
[systematics]
scale = { vector = "Muon.pt / 30", members = [1, 0], combine = "envelope", processes = "mm" }
pdf = { vector = "1 + Muon.pt / 1000", members = { from = 0, to = 1 }, combine = "hessian" }
toys = { vector = "1 + Muon.pt / 1000", members = [0, 1], combine = "rms" }
[fit]
signal = "mm"
channels = { SR = "pt" }
"#;

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, &folder())
}

fn run(text: &str) -> Result<Results, Error> {
    let results = read(text)?.run(&RunOptions::default(), &mut |_| true)?;
    Ok(results.expect("it was not stopped"))
}

/// Sums of a weight in the bins.
fn by_hand(weight: impl Fn(&[f64]) -> f64) -> [f64; 3] {
    let path = folder().join("muons_none.root").display().to_string();
    let data = Dataset::open(&[format!("{path}:Events")]).expect("opens");
    let chunk = data.read(&["Muon_pt"], 0..data.entries()).expect("reads");
    let Values::F32(pt) = chunk.columns[0].values() else {
        panic!("a float");
    };
    let mut sums = [0.0; 3];
    for w in chunk.columns[0].offsets().expect("a list").windows(2) {
        let muons = pt[w[0] as usize..w[1] as usize].iter();
        let muons: Vec<f64> = muons.map(|x| f64::from(*x)).collect();
        if muons.len() >= 2 && muons[0] < 1000.0 {
            let bin = usize::from(muons[0] >= 20.0) + usize::from(muons[0] >= 40.0);
            sums[bin] += weight(&muons);
        }
    }
    sums
}

fn close(found: &[f64], expected: &[f64]) {
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{found:?} {expected:?}");
    }
}

#[test]
fn members_and_their_combinations_equal_a_loop() {
    let results = run(FILE).unwrap_or_else(|e| panic!("{}", render(&e, false)));
    let filled = results.histogram(0, 0).expect("filled");
    let both = |m: &[f64]| 0.5 + m[0] / 20.0;
    let varied = |s: usize, shift: Shift, p: usize| {
        let found = filled.variations.iter().find(|v| (v.0, v.1) == (s, shift));
        found.expect("varied").2[p].as_ref().map(|b| b.sums.clone())
    };
    let nominal = by_hand(both);
    close(&filled.nominal[0].sums, &nominal);
    let member = |k: usize| by_hand(|m| both(m) * m[k] / 30.0);
    let scales = [member(1), member(0)];
    assert_eq!(
        filled
            .members
            .iter()
            .filter(|m| m.0 == 0)
            .map(|m| m.1)
            .collect::<Vec<_>>(),
        [1, 0]
    );
    for (k, found) in filled.members.iter().filter(|m| m.0 == 0).enumerate() {
        close(&found.2[0].as_ref().expect("acts on it").sums, &scales[k]);
        assert!(found.2[1].is_none());
    }
    let of = |bin: usize| [nominal[bin], scales[0][bin], scales[1][bin]];
    let most: Vec<f64> = (0..3)
        .map(|b| of(b).into_iter().fold(f64::MIN, f64::max))
        .collect();
    let least: Vec<f64> = (0..3)
        .map(|b| of(b).into_iter().fold(f64::MAX, f64::min))
        .collect();
    assert!(most != nominal && least != nominal);
    close(&varied(0, Shift::Up, 0).expect("acts on it"), &most);
    close(&varied(0, Shift::Down, 0).expect("acts on it"), &least);
    assert!(varied(0, Shift::Up, 1).is_none());
    for (p, weight) in [&both as &dyn Fn(&[f64]) -> f64, &|_: &[f64]| 1.0]
        .into_iter()
        .enumerate()
    {
        let n = by_hand(weight);
        let x: [[f64; 3]; 2] = [0, 1].map(|k| by_hand(|m| weight(m) * (1.0 + m[k] / 1000.0)));
        let hessian = |b: usize| ((x[0][b] - n[b]).powi(2) + (x[1][b] - n[b]).powi(2)).sqrt();
        // Of two, the standard deviation is their difference over √2.
        let rms = |b: usize| (x[0][b] - x[1][b]).abs() / 2.0_f64.sqrt();
        for (s, spread) in [(1, &hessian as &dyn Fn(usize) -> f64), (2, &rms)] {
            for (shift, sign) in [(Shift::Up, 1.0), (Shift::Down, -1.0)] {
                let expected: Vec<f64> = (0..3).map(|b| n[b] + sign * spread(b)).collect();
                close(&varied(s, shift, p).expect("acts on it"), &expected);
            }
        }
    }
    let workspace = results.workspace().expect("a fit").to_string();
    for name in ["scale", "pdf", "toys"] {
        assert!(
            workspace.contains(&format!("\"name\":\"{name}\"")),
            "{name}"
        );
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, words) in [
        (
            "combine = \"envelope\"",
            "combine = \"max\"",
            "there is no combination `max` (a.toml, systematics.scale.combine, line 18",
        ),
        (
            ", combine = \"envelope\"",
            "",
            "`systematics.scale` has no `combine`",
        ),
        (
            "members = [1, 0], ",
            "",
            "`systematics.scale` has no `members`",
        ),
        (
            "members = [1, 0]",
            "members = [1, 1]",
            "2 members, or one of them twice",
        ),
        ("members = [1, 0]", "members = []", "0 members"),
        (
            "members = [1, 0]",
            "members = [-1]",
            "expected a list of whole numbers from 0 on",
        ),
        (
            "to = 1 }",
            "till = 1 }",
            "there is no key `systematics.pdf.members.till`",
        ),
        (
            "members = [0, 1], combine = \"rms\"",
            "members = [1], combine = \"rms\"",
            "one replica has no spread",
        ),
        (
            "vector = \"Muon.pt / 30\", ",
            "norm = 0.1, ",
            "members are those of a `vector` of weights",
        ),
        (
            "vector = \"Muon.pt / 30\", ",
            "vector = \"Muon.pt / 30\", norm = 0.1, ",
            "has to say what it does",
        ),
        ("Muon.pt / 30", "Moun.pt / 30", "did you mean `Muon`?"),
        // Events that have no such member are not left out silently.
        (
            "members = [1, 0]",
            "members = [1, 7]",
            "some weights of `a` are NaN or infinite",
        ),
    ] {
        assert!(FILE.contains(from), "{from}");
        let error = run(&FILE.replacen(from, to, 1))
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
}
