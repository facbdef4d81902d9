//! Variations whose events come from other files: a run equals loops over the events of both, and what is refused.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::Error;
use pullback_analysis::file::{AnalysisFile, Effect, FitModel, Generated, Input, RegionKind};
use pullback_analysis::run::{Results, RunOptions, Shift};
use pullback_prob::{Key, fill_uniform};

/// Events: a value, and the weight of the generator.
type Events = Vec<(f64, f64)>;

/// `n` events whose values have a density that falls with `slope`; some weights are negative.
fn events(name: &str, n: usize, slope: f64) -> Events {
    let mut u = vec![0.0; 2 * n];
    fill_uniform(&mut u, Key::new(11, name), 0, 0);
    let (x, w) = u.split_at(n);
    let each = x.iter().zip(w);
    each.map(|(x, w)| (100.0 * x.powf(slope), if *w < 0.1 { -0.7 } else { 1.0 + w }))
        .collect()
}

/// The samples: name, number of events, slope.
const SAMPLES: [(&str, usize, f64); 7] = [
    ("tt_a", 4000, 1.0),
    ("tt_b", 1500, 1.3),
    ("zz", 800, 0.5),
    ("herwig_a", 2500, 1.2),
    ("up_a", 3000, 1.05),
    ("up_b", 1400, 1.35),
    ("down_a", 3500, 0.95),
];

fn sample(name: &str) -> Events {
    let found = SAMPLES.iter().find(|s| s.0 == name).expect("a sample");
    events(name, found.1, found.2)
}

/// The folder with the samples as files.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("pullback-variants-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, ..) in SAMPLES {
            let mut text = "x,w\n".to_owned();
            for (x, w) in sample(name) {
                writeln!(text, "{x:?},{w:?}").expect("a text");
            }
            std::fs::write(folder.join(format!("{name}.csv")), text).expect("written");
        }
        folder
    })
}

const FILE: &str = r#"
[analysis]
luminosity = "2 /fb"
weight = "w"
[datasets]
tt_a = { files = "tt_a.csv", process = "tt", cross_section = "3 pb", generated = "w" }
tt_b = { files = "tt_b.csv", process = "tt", cross_section = "1 pb", generated = 1200 }
zz   = { files = "zz.csv", cross_section = "0.5 pb" }
[regions.SR]
kind = "control"
cuts = ["x > 20"]
[histograms.x]
edges = [0, 30, 50, 70, 100]
[systematics]
shower = { files = { tt_a = "herwig_a.csv" } }
recoil = { up = { tt_a = "up_a.csv", tt_b = { files = "up_b.csv", generated = 1100, cross_section = "1.1 pb", weight = "2 * w" } }, down = { tt_a = "down_a.csv", tt_b = { files = "tt_b.csv", generated = 1300 } } }
hadron = { files = { zz = "zz.csv" }, one_sided = true }
[fit]
signal = "zz"
channels = { SR = "x" }
"#;

const EDGES: [f64; 5] = [0.0, 30.0, 50.0, 70.0, 100.0];

/// Sums of weights, scaled to a cross-section in fb⁻¹ of 2; without a number, by the sum of the weights.
fn by_hand(name: &str, weight: f64, cross_section: f64, generated: Option<f64>) -> [f64; 4] {
    let events = sample(name);
    let all: f64 = events.iter().map(|e| e.1).sum();
    let factor = cross_section * 2000.0 / generated.unwrap_or(all);
    let mut sums = [0.0; 4];
    for (x, w) in events {
        if x > 20.0 {
            let bin = EDGES.windows(2).position(|e| e[0] <= x && x < e[1]);
            sums[bin.expect("inside")] += weight * w * factor;
        }
    }
    sums
}

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, folder())
}

fn finished(file: &AnalysisFile) -> Results {
    let results = file.run(&RunOptions::default(), &mut |_| true);
    results
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("to its end")
}

fn run(text: &str) -> Results {
    finished(&read(text).unwrap_or_else(|e| panic!("{e}")))
}

fn varied(results: &Results, systematic: usize, shift: Shift, process: usize) -> Option<Vec<f64>> {
    let filled = results.histogram(0, 0).expect("filled");
    let mut all = filled.variations.iter();
    let (.., bins) = all.find(|(s, d, _)| (*s, *d) == (systematic, shift))?;
    Some(bins[process].as_ref()?.sums.clone())
}

fn plus(a: [f64; 4], b: [f64; 4]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{found:?} {expected:?}");
    }
}

#[test]
fn a_variation_is_a_loop_over_the_other_events() {
    let results = run(FILE);
    let a = by_hand("tt_a", 1.0, 3.0, None);
    let b = by_hand("tt_b", 1.0, 1.0, Some(1200.0));
    let filled = results.histogram(0, 0).expect("filled");
    close(&filled.nominal[0].sums, &plus(a, b));
    // The other data set of the process is as it was, and the sum of weights is that of these files.
    let herwig = by_hand("herwig_a", 1.0, 3.0, None);
    close(
        &varied(&results, 0, Shift::Up, 0).expect("varied"),
        &plus(herwig, b),
    );
    assert!(varied(&results, 0, Shift::Down, 0).is_none());
    assert!(varied(&results, 0, Shift::Up, 1).is_none());
    // What a variation says of itself counts: cross-section, weight, sum.
    let up = plus(
        by_hand("up_a", 1.0, 3.0, None),
        by_hand("up_b", 2.0, 1.1, Some(1100.0)),
    );
    close(&varied(&results, 1, Shift::Up, 0).expect("varied"), &up);
    let down = plus(
        by_hand("down_a", 1.0, 3.0, None),
        by_hand("tt_b", 1.0, 1.0, Some(1300.0)),
    );
    close(&varied(&results, 1, Shift::Down, 0).expect("varied"), &down);
    // One-sided: the other side is nominal.
    let nominal = &filled.nominal[1].sums;
    close(
        &varied(&results, 2, Shift::Down, 1).expect("nominal"),
        nominal,
    );
    assert_eq!(
        results.datasets.iter().map(|d| d.0).collect::<Vec<_>>(),
        [4000, 1500, 800]
    );
    let stood: Vec<(&str, usize, u64)> = (results.variants.iter())
        .map(|v| (v.dataset.as_str(), v.systematic, v.events))
        .collect();
    let expected = [
        ("tt_a", 0, 2500),
        ("tt_a", 1, 3000),
        ("tt_b", 1, 1400),
        ("tt_a", 1, 3500),
        ("tt_b", 1, 1500),
        ("zz", 2, 800),
    ];
    assert_eq!(stood, expected);
    // Events of variations are no events of the cutflow.
    assert_eq!(results.cutflows[0].steps[0].yields[0].entries, [5500.0]);
}

#[test]
fn the_workspace_has_it_as_yield_and_shape_mirrored() {
    let results = run(FILE);
    let workspace = results.workspace().expect("a fit");
    let sample = &workspace["channels"][0]["samples"][0];
    let modifier = |kind: &str| {
        let mut all = sample["modifiers"].as_array().expect("a list").iter();
        let found = all.find(|m| m["name"] == "shower" && m["type"] == kind);
        found.expect("there")["data"].clone()
    };
    let b = by_hand("tt_b", 1.0, 1.0, Some(1200.0));
    let nominal = plus(by_hand("tt_a", 1.0, 3.0, None), b);
    let up = plus(by_hand("herwig_a", 1.0, 3.0, None), b);
    let down: Vec<f64> = nominal.iter().zip(&up).map(|(n, u)| 2.0 * n - u).collect();
    let norm = modifier("normsys");
    let shape = modifier("histosys");
    for (factor, side, expected) in [("hi", "hi_data", up), ("lo", "lo_data", down)] {
        let factor = norm[factor].as_f64().expect("a number");
        let whole = expected.iter().sum::<f64>() / nominal.iter().sum::<f64>();
        close(&[factor], &[whole]);
        let shape = shape[side].as_array().expect("a list").iter();
        let again: Vec<f64> = shape
            .map(|x| factor * x.as_f64().expect("a number"))
            .collect();
        close(&again, &expected);
    }
    // Variations are pruned and smoothed as others.
    let changed = run(&FILE.replace(
        "[fit]",
        "[fit]\nprune = { norm = 0.9, shape = 0.9 }\nsmooth = \"shower\"",
    ));
    let workspace = changed.workspace().expect("a fit");
    let kept = workspace["channels"][0]["samples"][0]["modifiers"].as_array();
    let kept: Vec<&str> = (kept.expect("a list").iter())
        .filter_map(|m| m["name"].as_str())
        .collect();
    assert_eq!(kept, ["staterror_SR"]);
}

/// What a file says by tables can be said by calls.
#[test]
fn by_calls_too() {
    let path = |name: &str| folder().join(format!("{name}.csv"));
    let of = |name: &str| {
        Input::simulated("tt_a", [path(name)])
            .process("tt")
            .cross_section(3.0)
            .generated(Generated::Sum("w".into()))
            .weight("w")
    };
    let (tt_a, herwig) = (of("tt_a"), of("herwig_a"));
    let effect = Effect::Files {
        up: vec![herwig],
        down: Vec::new(),
        one_sided: false,
    };
    let file = AnalysisFile::new("", pullback_analysis::Analysis::new())
        .luminosity(2000.0)
        .dataset(tt_a)
        .region("SR", RegionKind::Control, ["x > 20"])
        .histogram("x", "x", EDGES)
        .systematic("shower", &["tt"], effect)
        .fit(FitModel::new(&["tt"], &[(0, 0)]))
        .unwrap_or_else(|e| panic!("{e}"));
    let found = varied(&finished(&file), 0, Shift::Up, 0).expect("varied");
    close(&found, &by_hand("herwig_a", 1.0, 3.0, None));
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, words) in [
        (
            "{ tt_a = \"herwig_a.csv\" }",
            "{ ttt_a = \"herwig_a.csv\" }",
            "there is no data set `ttt_a`; did you mean `tt_a`",
        ),
        (
            "{ tt_a = \"herwig_a.csv\" }",
            "{ tt_b = \"herwig_a.csv\" }",
            "the sum 1200 of generated weights is that of the files of `tt_b` (a.toml, systematics.shower.files.tt_b, line 15",
        ),
        ("{ tt_a = \"herwig_a.csv\" }", "{}", "no data set is meant"),
        (
            "files = { tt_a = \"herwig_a.csv\" }",
            "down = { tt_a = \"herwig_a.csv\" }",
            "`systematics.shower` has to say which side its files are",
        ),
        (
            ", tt_b = { files = \"tt_b.csv\", generated = 1300 } }",
            " }",
            "`tt_b` has files on one side alone (a.toml, systematics.recoil.down, line 16",
        ),
        (
            "{ tt_a = \"herwig_a.csv\" }",
            "{ tt_a = \"herwig_a.csv\" }, norm = 0.1",
            "a systematic of other files does nothing else",
        ),
        (
            "{ tt_a = \"herwig_a.csv\" }",
            "{ tt_a = \"herwig_a.csv\" }, processes = \"zz\"",
            "`tt_a` belongs to `tt`, on which the systematic does not act",
        ),
        (
            "generated = 1300 } }",
            "generated = 1300 } }, one_sided = true",
            "has two sides",
        ),
        (
            "[regions.SR]",
            "data = { files = \"zz.csv\", observed = true }\n[regions.SR]",
            "",
        ),
        (
            "zz   = { files = \"zz.csv\", cross_section = \"0.5 pb\" }",
            "zz   = { files = \"zz.csv\" }",
            "",
        ),
        ("herwig_a.csv", "herwig_c.csv", "herwig_c.csv"),
    ] {
        assert!(FILE.contains(from), "{from}");
        let text = FILE.replacen(from, to, 1);
        let text = match from {
            "[regions.SR]" => text.replace("{ tt_a = \"herwig_a.csv\" }", "{ data = \"zz.csv\" }"),
            f if f.starts_with("zz ") => text.replace(
                "{ zz = \"zz.csv\" }",
                "{ zz = { files = \"zz.csv\", generated = 3 } }",
            ),
            _ => text,
        };
        let words = match from {
            "[regions.SR]" => "`data` has observed events, which have no variations",
            f if f.starts_with("zz ") => "`zz` has no cross-section",
            _ => words,
        };
        let run = |file: AnalysisFile| file.run(&RunOptions::default(), &mut |_| true);
        let error = read(&text).and_then(run).expect_err(words).to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
}
