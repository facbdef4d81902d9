//! Campaigns of data taking: luminosities, weights and certified sections of their own, systematics of some of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::Error;
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions, Shift};
use pullback_prob::{Key, fill_uniform};
use serde_json::Value;

/// The samples: name, number of events.
const SAMPLES: [(&str, usize); 5] = [
    ("tt17", 900),
    ("tt18", 1300),
    ("tt18_other", 1100),
    ("zz18", 400),
    ("data", 600),
];

/// Values between 0 and 100.
fn sample(name: &str) -> Vec<f64> {
    let found = SAMPLES.iter().find(|s| s.0 == name).expect("a sample");
    let mut u = vec![0.0; found.1];
    fill_uniform(&mut u, Key::new(5, name), 0, 0);
    u.into_iter().map(|u| 100.0 * u).collect()
}

/// The folder with the samples as files.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder =
            std::env::temp_dir().join(format!("pullback-campaigns-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, _) in SAMPLES {
            let mut text = "run,luminosityBlock,x\n".to_owned();
            for (k, x) in sample(name).into_iter().enumerate() {
                writeln!(text, "{},{},{x:?}", k % 3, k % 7).expect("a text");
            }
            std::fs::write(folder.join(format!("{name}.csv")), text).expect("written");
        }
        std::fs::write(folder.join("17.json"), r#"{"1": [[2, 4]]}"#).expect("written");
        std::fs::write(folder.join("all.json"), r#"{"2": [[0, 3]]}"#).expect("written");
        folder
    })
}

const FILE: &str = r#"
[analysis]
weight = "1 + x"
certified = "all.json"
[campaigns.2017]
luminosity = "2 /fb"
certified = "17.json"
[campaigns.2018]
luminosity = "3 /fb"
weight = "2"
[datasets]
tt17 = { files = "tt17.csv", process = "tt", campaign = "2017", cross_section = "3 pb", generated = "1 + x" }
tt18 = { files = "tt18.csv", process = "tt", campaign = "2018", cross_section = "3 pb" }
zz   = { files = "zz18.csv", campaign = "2018" }
data17 = { files = "data.csv", campaign = "2017", observed = true }
data18 = { files = "data.csv", campaign = "2018", observed = true }
[parameters]
cut = 0
[regions.SR]
kind = "control"
cuts = ["x > 20 + cut"]
[histograms.x]
edges = [0, 50, 100]
[systematics]
lumi    = { norm = { 2017 = 0.02, 2018 = [-0.01, 0.03] } }
apart   = { norm = { 2017 = 0.04, 2018 = 0.05 }, correlated = false }
pileup  = { weight = ["1.1", "1 - 0.001 * x"], campaigns = "2017" }
hem     = { weight = "0.9", campaigns = "*8" }
cut     = { parameter = "cut", values = [-5, 5], campaigns = ["2018"] }
shower  = { files = { tt18 = "tt18_other.csv" } }
years   = { weight = "1.01", correlated = false, processes = "tt" }
[fit]
signal = "zz"
channels = { SR = "x" }
"#;

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, folder())
}

fn run(text: &str) -> Results {
    let results = read(text).and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
    results
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("to its end")
}

/// Σ of weights in the two bins.
fn by_hand(name: &str, cut: f64, weight: impl Fn(f64) -> f64) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for x in sample(name) {
        if x > cut {
            sums[usize::from(x >= 50.0)] += weight(x);
        }
    }
    sums
}

/// The yields of the two data sets of top quarks: cross-section times luminosity by generated weights.
fn tops(cuts: [f64; 2], factors: [&dyn Fn(f64) -> f64; 2], other: bool) -> [[f64; 2]; 2] {
    let all: f64 = sample("tt17").iter().map(|x| 1.0 + x).sum();
    let eighteen = if other { "tt18_other" } else { "tt18" };
    let n = sample(eighteen).len() as f64;
    [
        by_hand("tt17", cuts[0], |x| {
            (1.0 + x) * factors[0](x) * 3.0 * 2000.0 / all
        }),
        by_hand(eighteen, cuts[1], |x| {
            2.0 * factors[1](x) * 3.0 * 3000.0 / n
        }),
    ]
}

fn sum([a, b]: [[f64; 2]; 2]) -> Vec<f64> {
    vec![a[0] + b[0], a[1] + b[1]]
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{found:?} {expected:?}");
    }
}

fn varied(results: &Results, name: &str, shift: Shift, process: usize) -> Option<Vec<f64>> {
    let place = results.file.systematics.iter().position(|s| s.name == name);
    let place = place.unwrap_or_else(|| panic!("no {name}"));
    let filled = results.histogram(0, 0).expect("filled");
    let mut all = filled.variations.iter();
    let (.., bins) = all.find(|(s, d, _)| (*s, *d) == (place, shift))?;
    Some(bins[process].as_ref()?.sums.clone())
}

#[test]
fn campaigns_add_up_with_their_luminosities() {
    let results = run(FILE);
    let filled = results.histogram(0, 0).expect("filled");
    let one = |_: f64| 1.0;
    close(
        &filled.nominal[0].sums,
        &sum(tops([20.0; 2], [&one, &one], false)),
    );
    // Without a cross-section weights are as they are: those of the campaign.
    close(&filled.nominal[1].sums, &by_hand("zz18", 20.0, |_| 2.0));
    assert_eq!(results.file.total_luminosity(), Some(5000.0));
    // Each campaign has its mask, or that of the analysis.
    let mut observed = [0.0; 2];
    for (k, x) in sample("data").into_iter().enumerate() {
        let (run, block) = (k % 3, k % 7);
        let here = [run == 1 && (2..=4).contains(&block), run == 2 && block <= 3];
        if x > 20.0 {
            let times = here.into_iter().filter(|h| *h).count() as f64;
            observed[usize::from(x >= 50.0)] += times;
        }
    }
    assert!(observed[0] > 0.0);
    assert_eq!(filled.observed.as_ref().expect("seen").sums, observed);
}

#[test]
fn systematics_of_some_campaigns_leave_the_others_as_they_are() {
    let results = run(FILE);
    let one = |_: f64| 1.0;
    let at = |a: f64, b: f64| sum(tops([20.0; 2], [&move |_| a, &move |_| b], false));
    let check = |name: &str, shift, expected: &[f64]| {
        close(&varied(&results, name, shift, 0).expect(name), expected);
    };
    check("lumi", Shift::Up, &at(1.02, 1.03));
    check("lumi", Shift::Down, &at(0.98, 0.99));
    check("apart_2017", Shift::Up, &at(1.04, 1.0));
    check("apart_2018", Shift::Down, &at(1.0, 0.95));
    check("pileup", Shift::Up, &at(1.1, 1.0));
    let tilted = tops([20.0; 2], [&|x| 1.0 - 0.001 * x, &one], false);
    check("pileup", Shift::Down, &sum(tilted));
    check("hem", Shift::Up, &at(1.0, 0.9));
    assert!(varied(&results, "hem", Shift::Down, 0).is_none());
    check(
        "cut",
        Shift::Up,
        &sum(tops([20.0, 25.0], [&one, &one], false)),
    );
    check(
        "cut",
        Shift::Down,
        &sum(tops([20.0, 15.0], [&one, &one], false)),
    );
    check(
        "shower",
        Shift::Up,
        &sum(tops([20.0; 2], [&one, &one], true)),
    );
    check("years_2017", Shift::Up, &at(1.01, 1.0));
    check("years_2018", Shift::Up, &at(1.0, 1.01));
    // A process without a campaign's data sets is not moved by it.
    for name in ["pileup", "apart_2017", "years_2018"] {
        assert!(varied(&results, name, Shift::Up, 1).is_none(), "{name}");
    }
    let workspace = results.workspace().expect("a fit");
    let modifiers = |sample: usize, name: &str| -> Vec<Value> {
        let all = workspace["channels"][0]["samples"][sample]["modifiers"].as_array();
        let own = all.expect("a list").iter().filter(|m| m["name"] == name);
        own.cloned().collect()
    };
    // All of this process is of one campaign: the norm is a norm.
    let [norm] = &modifiers(1, "apart_2018")[..] else {
        panic!("{:?}", modifiers(1, "apart_2018"));
    };
    assert_eq!(norm["type"], "normsys");
    close(&[norm["data"]["hi"].as_f64().expect("a number")], &[1.05]);
    assert!(modifiers(1, "apart_2017").is_empty());
    // Of two campaigns with different shapes it is both.
    let kinds: Vec<Value> = modifiers(0, "apart_2018")
        .iter()
        .map(|m| m["type"].clone())
        .collect();
    assert_eq!(kinds, ["normsys", "histosys"]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, words) in [
        (
            "campaign = \"2017\", cross",
            "campaign = \"2071\", cross",
            "there is no campaign `2071`; did you mean `2017`",
        ),
        (
            "luminosity = \"2 /fb\"\n",
            "",
            "`campaigns.2017` has no `luminosity` (a.toml, campaigns.2017, line 5",
        ),
        (
            "campaigns = \"*8\"",
            "campaigns = \"*9\"",
            "no campaign is meant",
        ),
        (
            "campaigns = \"2017\"",
            "campaigns = \"2017\", processes = \"zz\"",
            "`systematics.pileup` acts on no data set of its campaigns",
        ),
        (
            "norm = { 2017 = 0.02,",
            "norm = { 2016 = 0.02,",
            "there is no campaign `2016`; did you mean `2017` or `2018`",
        ),
        (
            "2018 = [-0.01, 0.03] } }",
            "2018 = [-0.01, 0.03] }, campaigns = \"2018\" }",
            "the campaigns are those that `norm` has sizes for",
        ),
        (
            "zz   = { files = \"zz18.csv\", campaign = \"2018\" }",
            "zz   = { files = \"zz18.csv\" }",
            "`zz` belongs to no campaign (a.toml, systematics.apart",
        ),
        (
            "process = \"tt\", campaign = \"2017\"",
            "process = \"tt\"",
            "a cross-section needs a luminosity",
        ),
    ] {
        assert!(FILE.contains(from), "{from}");
        let error = read(&FILE.replacen(from, to, 1))
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
    let plain = "[datasets]\na = { files = 'x.csv' }\n[systematics]\nb = { norm = 0.1, correlated = false }\n";
    let error = read(plain).expect_err("refused").to_string();
    assert!(
        error.starts_with("there are no campaigns (a.toml, systematics.b.correlated, line 4"),
        "{error}"
    );
}
