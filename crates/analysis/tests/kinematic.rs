//! Systematics that move a parameter: lanes of one sweep, equal to separate runs; tangents, equal to wide differences.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::optimize::{Options, Problem};
use pullback_analysis::run::{Bins, Results, RunOptions, Shift};
use pullback_analysis::{Error, generated};
use pullback_sim::{Generator, Process};

/// The folder of the samples, made once.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let name = format!("pullback-kinematic-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, process, events) in [
            ("tt", Process::TTbar, 30_000),
            ("wjets", Process::WJets, 8000),
        ] {
            let mut generator = Generator::new(process, 3).expect("in the menu");
            let path = folder.join(format!("{name}.parquet"));
            generated::write(&path, &mut generator, events).expect("written");
        }
        folder
    })
}

const FILE: &str = r#"
[analysis]
weight     = "genWeight"
luminosity = "1 /fb"
[datasets]
tt    = { files = "tt.parquet", cross_section = "832 pb" }
wjets = { files = "wjets.parquet", cross_section = "2 nb" }
[parameters]
jes  = 0
mes  = 0
met  = 0
btag = 0
[objects]
mu  = { from = "Muon", fields = { pt = "pt * (1 + 0.02 * mes)" }, where = "pt > 25 GeV and abs(eta) < 2.4 and pfRelIso04_all < 0.15" }
all = { from = "Jet", fields = { pt = "pt * (1 + 0.04 * jes)" }, where = "30 GeV < pt < 400 GeV and abs(eta) < 2.5 and not near(mu, 0.4)" }
b   = { from = "all", where = "btagDeepFlavB > 0.3 + 0.05 * btag" }
[columns]
ht   = "sum(all.pt)"
miss = "MET.pt * (1 + 0.1 * met)"
[regions]
SR = { cuts = ["count(mu) == 1", "count(b) >= 1", "count(all) >= 3", "miss > 40 GeV"] }
CR = { kind = "control", cuts = ["count(mu) == 1", "count(b) == 0", "miss > 40 GeV"] }
[histograms]
ht = { edges = [90, 180, 240, 320, 450, 2000] }
mu = { of = "sum(mu.pt)", edges = [25, 40, 60, 100, 300], regions = "CR" }
[systematics]
shape = { weight = "1 + 0.0005 * (ht - 200)" }
jes   = { parameter = "jes" }
mes   = { parameter = "mes", processes = "tt" }
met   = { parameter = "met", values = [-0.5, 1] }
btag  = { parameter = "btag" }
[fit]
signal   = "tt"
channels = { SR = "ht", CR = "mu" }
"#;

fn read(change: &[(&str, &str)]) -> Result<AnalysisFile, Error> {
    let mut text = FILE.to_owned();
    for (from, to) in change {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    AnalysisFile::from_text("k.toml", &text, folder())
}

fn attempt(change: &[(&str, &str)], threads: usize) -> Result<Results, Error> {
    let options = RunOptions {
        threads,
        ..RunOptions::default()
    };
    let results = read(change)?.run(&options, &mut |_| true)?;
    Ok(results.expect("to its end"))
}

fn run(change: &[(&str, &str)]) -> Results {
    attempt(change, 2).unwrap_or_else(|e| panic!("{e}"))
}

fn varied(results: &Results, h: usize, systematic: &str, shift: Shift) -> Vec<Option<Bins>> {
    let mut all = results.file.systematics.iter();
    let s = all.position(|s| s.name == systematic).expect("there");
    let mut all = results.histograms[h].variations.iter();
    let found = all.find(|(k, d, _)| (*k, *d) == (s, shift));
    found.expect("varied").2.clone()
}

/// Every lane has the bits of a run whose parameter begins there: yields, variances and entries.
#[test]
fn lanes_equal_runs_at_the_varied_values_to_the_bit() {
    let lanes = run(&[]);
    assert_eq!(lanes.histograms.len(), 3);
    for (name, shift, value) in [
        ("jes", Shift::Up, 1.0),
        ("jes", Shift::Down, -1.0),
        ("mes", Shift::Up, 1.0),
        ("mes", Shift::Down, -1.0),
        ("met", Shift::Up, 1.0),
        ("met", Shift::Down, -0.5),
        ("btag", Shift::Up, 1.0),
        ("btag", Shift::Down, -1.0),
    ] {
        let start = format!("{name:<4} = 0\n");
        let alone = run(&[(&start, &format!("{name} = {value:?}\n"))]);
        let mut moves = false;
        for (h, filled) in alone.histograms.iter().enumerate() {
            let found = varied(&lanes, h, name, shift);
            for (process, bins) in found.iter().enumerate() {
                let acts = name != "mes" || process == 0;
                assert_eq!(bins.is_some(), acts, "{name} on {process}");
                let Some(bins) = bins else { continue };
                assert_eq!(
                    *bins, filled.nominal[process],
                    "{name} {shift:?} {h} {process}"
                );
                moves |= *bins != lanes.histograms[h].nominal[process];
            }
        }
        assert!(moves, "{name} {shift:?} moves something");
    }
    // Nominal yields, and those with other weights, are not touched by what runs beside them.
    let none = run(&[
        ("jes   = { parameter = \"jes\" }\n", ""),
        ("mes   = { parameter = \"mes\", processes = \"tt\" }\n", ""),
        ("met   = { parameter = \"met\", values = [-0.5, 1] }\n", ""),
        ("btag  = { parameter = \"btag\" }\n", ""),
    ]);
    for (a, b) in lanes.histograms.iter().zip(&none.histograms) {
        assert_eq!(a.nominal, b.nominal);
    }
    assert_eq!(lanes.cutflows, none.cutflows);
    for h in 0..3 {
        let shape = |r: &Results| varied(r, h, "shape", Shift::Up);
        assert_eq!(shape(&lanes), shape(&none));
    }
}

/// What a cut of no histogram reads, or the weight of another systematic, moves no histogram.
#[test]
fn parameters_that_no_histogram_reads_are_said_to_move_none() {
    let results = run(&[
        ("btag = 0\n", "btag = 0\nidle = 0\n"),
        (
            "[histograms]",
            "VR = { cuts = [\"miss > 40 GeV + idle * 1 GeV\"] }\n[histograms]",
        ),
        (
            "edges = [90, 180, 240, 320, 450, 2000]",
            "edges = [90, 180, 240, 320, 450, 2000], regions = [\"SR\", \"CR\"]",
        ),
        ("0.0005 *", "0.0005 * (1 + 0 * idle) *"),
        ("[fit]", "idle = { parameter = \"idle\" }\n[fit]"),
    ]);
    let words = "the systematic `idle` moves no histogram";
    assert!(
        results.warnings.iter().any(|w| w == words),
        "{:?}",
        results.warnings
    );
    let workspace = results.workspace().expect("a fit").to_string();
    assert!(!workspace.contains("idle"));
}

#[test]
fn threads_change_no_bit_of_lanes_and_tangents() {
    let change = [("met\", values", "met\", method = \"tangent\", values")];
    let [one, three] = [1, 3].map(|n| attempt(&change, n).unwrap_or_else(|e| panic!("{e}")));
    assert_eq!(one.histograms, three.histograms);
    assert_eq!(one.derivatives, three.derivatives);
    assert_eq!(one.biases, three.biases);
}

#[test]
fn tangents_are_those_of_any_size_of_chunks() {
    let change = [("met\", values", "met\", method = \"tangent\", values")];
    let of = |chunk_bytes: u64| {
        let options = RunOptions {
            data: pullback_io::Options {
                chunk_bytes,
                ..pullback_io::Options::default()
            },
            ..RunOptions::default()
        };
        let results = read(&change).and_then(|f| f.run(&options, &mut |_| true));
        results.unwrap_or_else(|e| panic!("{e}")).expect("all")
    };
    let (whole, pieces) = (of(64 << 20), of(64 << 10));
    assert!(!whole.derivatives.is_empty());
    for (a, b) in whole.derivatives.iter().zip(&pieces.derivatives) {
        for (a, b) in a.bins.iter().flatten().zip(b.bins.iter().flatten()) {
            let scale = a.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (a, b) in a.iter().zip(b) {
                assert!((a - b).abs() <= 1e-11 * scale, "{a} {b}");
            }
        }
    }
}

const TANGENTS: [(&str, &str); 4] = [
    ("\"jes\" }", "\"jes\", method = \"tangent\" }"),
    ("\"mes\", p", "\"mes\", method = \"tangent\", p"),
    ("\"met\", v", "\"met\", method = \"tangent\", v"),
    ("\"btag\" }", "\"btag\", method = \"tangent\" }"),
];

/// Total derivatives of exact histograms, thresholds of events and of objects included, beside wide differences of them.
#[test]
fn tangents_equal_wide_differences_within_statistics() {
    let (lines, again) = (run(&TANGENTS), run(&[]));
    assert!(lines.derivatives.len() >= 10, "{}", lines.derivatives.len());
    let (mut chi2, mut of_nothing, mut bins) = (0.0, 0.0, 0.0);
    for d in &lines.derivatives {
        let name = &lines.file.systematics[d.systematic].name;
        let h = lines.histograms.iter();
        let h = h
            .clone()
            .position(|h| (h.plot, h.region) == (d.plot, d.region));
        let h = h.expect("filled");
        let [up, down] = [Shift::Up, Shift::Down].map(|s| varied(&again, h, name, s));
        let wide = if name == "met" { 1.5 } else { 2.0 };
        for (process, slope) in d.bins.iter().enumerate() {
            let Some(slope) = slope else { continue };
            let nominal = &again.histograms[h].nominal[process];
            let (Some(up), Some(down)) = (&up[process], &down[process]) else {
                panic!("{name} acts on {process}");
            };
            for (k, slope) in slope.iter().enumerate() {
                let difference = (up.sums[k] - down.sums[k]) / wide;
                // The difference is a number of events that go in or out, at least one; the derivative is of some more of them.
                let one = nominal.variances[k] / nominal.sums[k].max(1e-300);
                let moved = (up.sums[k] - down.sums[k]).abs().max(one);
                let error = (one * moved).sqrt() / wide;
                println!("{name} h{h} p{process} bin {k}: {slope:.1} {difference:.1} ± {error:.1}");
                if nominal.entries[k] > 30.0 {
                    chi2 += ((slope - difference) / error).powi(2);
                    of_nothing += (difference / error).powi(2);
                    bins += 1.0;
                }
            }
        }
    }
    println!("{chi2} in {bins} bins, without derivatives {of_nothing}");
    assert!(bins > 50.0, "{bins}");
    assert!(chi2 < 1.2 * bins, "{chi2} in {bins} bins");
    assert!(of_nothing > 6.0 * bins, "{of_nothing} in {bins} bins");
}

/// x on a grid over (0, 2), a thousand per unit; N(s) = Σ (1 + s/5) [x (1 + s/10) > 1] has the derivative 200 + 100 at 0, the second part from the threshold.
#[test]
fn the_derivative_of_a_count_is_the_one_by_hand() {
    let path = folder().join("grid.csv");
    let x = (0..2000).map(|i| format!("{}\n", (f64::from(i) + 0.5) / 1000.0));
    std::fs::write(&path, format!("x\n{}", x.collect::<String>())).expect("written");
    let text = r#"
[analysis]
weight = "1 + s / 5"
[datasets]
a = { files = "grid.csv" }
[parameters]
s = 0
[regions.SR]
cuts = ["x * (1 + s / 10) > 1"]
[histograms.all]
of    = "0 * x"
edges = [-1, 1]
[systematics]
s = { parameter = "s", method = "tangent", values = [-0.5, 1] }
[fit]
signal   = "a"
channels = { SR = "all" }
"#;
    let file = AnalysisFile::from_text("s.toml", text, folder());
    let results = file.and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
    let results = results
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("to its end");
    let slope = results.derivatives[0].bins[0].as_ref().expect("moves")[0];
    assert!((slope - 300.0).abs() < 0.5, "{slope}");
    // (1 + s/5) (2 − 1/(1 + s/10)) 1000 is not a line.
    let exact = |s: f64| (1.0 + s / 5.0) * (2.0 - 1.0 / (1.0 + s / 10.0)) * 1000.0;
    let error = 1000_f64.sqrt();
    for (bias, (shift, s)) in results
        .biases
        .iter()
        .zip([(Shift::Up, 1.0), (Shift::Down, -0.5)])
    {
        assert_eq!(bias.shift, shift);
        let [line, again] = bias.yields;
        assert!((line - (1000.0 + slope * s)).abs() < 1e-9, "{line}");
        assert!((again - exact(s)).abs() < 1.3, "{again} {}", exact(s));
        let total = bias.total.expect("there are events");
        assert!((total - (line - again) / error).abs() < 1e-12);
        assert_eq!(bias.worst, Some((0, total)));
        let Some(bins) = &varied(&results, 0, "s", shift)[0] else {
            panic!("it varies");
        };
        assert_eq!(bins.sums, [line], "what goes on is the line");
    }
    let (up, down) = (exact(1.0), exact(-0.5));
    let factor = &results.workspace().expect("a fit")["channels"][0]["samples"][0]["modifiers"][1];
    assert_eq!(factor["type"], "normsys", "{factor}");
    let hi = factor["data"]["hi"].as_f64().expect("a number");
    assert!((hi - (1.0 + slope / 1000.0)).abs() < 1e-12, "{hi}");
    assert!(up > 1000.0 && down < 1000.0);
}

#[test]
fn what_has_no_tangent_is_named() {
    let tangent = TANGENTS[0];
    // The leading jet changes where two are equally hard: its other fields jump.
    let leading = (
        "ht   = \"sum(all.pt)\"",
        "ht   = \"default(leading(all).eta, 0) * 100 + 300\"",
    );
    let error = attempt(&[tangent, leading], 1).expect_err("refused");
    println!("{error}\n  {}", error.help());
    assert_eq!(error.code(), "PB0823");
    let text = error.to_string();
    assert!(
        text.starts_with("the tangent of the systematic `jes` cannot be had"),
        "{text}"
    );
    assert!(error.help().contains("leave out `method`"));
    // |jes| has none at zero.
    let root = (
        "weight     = \"genWeight\"",
        "weight     = \"genWeight * (1 + sqrt(jes * jes))\"",
    );
    let error = attempt(&[tangent, root], 1).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.contains("the derivative of bin 0 of `ht` in `SR` is NaN or infinite"),
        "{text}"
    );
    // The same, evaluated again, is no problem.
    assert!(attempt(&[leading], 1).is_ok());
}

#[test]
fn optimisations_refuse_tangents_by_name() {
    let free = (
        "met  = 0",
        "met  = 0\ncut  = { start = \"40 GeV\", range = [\"20 GeV\", \"90 GeV\"] }",
    );
    let used = ("miss > 40 GeV\"] }\nCR", "miss > cut\"] }\nCR");
    let optimize = (
        "[fit]\n",
        "[optimize]\nobjective = \"limit\"\nfree = [\"cut\"]\n[fit]\n",
    );
    let open = |change: &[(&str, &str)]| {
        let file = read(change).unwrap_or_else(|e| panic!("{e}"));
        let opened = Problem::open(&file, &Options::default(), &mut |_, _| true);
        opened.map(|p| p.is_some())
    };
    let error = open(&[free, used, optimize, TANGENTS[0]]).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.contains("`jes` varies along a tangent, which has no derivative by `cut`"),
        "{text}"
    );
    assert!(open(&[free, used, optimize]).expect("opens"));
}

#[test]
fn words_that_are_no_method_are_named() {
    for (change, words) in [
        (
            ("\"jes\" }", "\"jes\", method = \"tangents\" }"),
            "there is no method `tangents` (k.toml, systematics.jes.method, line",
        ),
        (
            ("(ht - 200)\" }", "(ht - 200)\", method = \"rerun\" }"),
            "only a parameter has a method",
        ),
    ] {
        let error = read(&[change]).expect_err(words).to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
}
