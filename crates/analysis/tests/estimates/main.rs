//! Processes estimated from observed events: ABCD and fake factors, against formulas and loops.

mod fitted;
mod systematics;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::Error;
use pullback_analysis::file::{Abcd, AnalysisFile, Estimate};
use pullback_analysis::optimize::{Options, Problem};
use pullback_analysis::run::{Bins, Results, RunOptions, Shift};
use pullback_prob::{Distribution, Key, Poisson, Uniform};
use pullback_stats::fit::{FitOptions, FitResult, fit};
use pullback_stats::workspace::Workspace;
use pullback_stats::{Model, spec};
use serde_json::Value;

/// An event: in which of the four regions (0 to 3 for A to D), a number, a weight.
#[derive(Clone, Copy)]
struct Event {
    region: usize,
    x: f64,
    w: f64,
}

/// Events of three kinds from a seed: observed ones, simulated background with weights of both signs, simulated signal.
fn events(kind: &str) -> Vec<Event> {
    let mean = match kind {
        "seen" => [130.0, 300.0, 120.0, 500.0],
        "other" => [150.0, 200.0, 60.0, 90.0],
        _ => [200.0, 0.0, 0.0, 0.0],
    };
    let (key, mut all) = (Key::new(11, kind), Vec::new());
    for (region, mean) in mean.into_iter().enumerate().filter(|m| m.1 > 0.0) {
        let n = Poisson::new(mean)
            .expect("a mean")
            .draw(key, region as u64, 0);
        for k in 0..n {
            let u = |step: u32| Uniform::standard().draw(key, k, 4 * step + region as u32);
            let w = match kind {
                "seen" => 1.0,
                "other" if u(2) < 0.1 => -0.125,
                "other" => 0.25,
                _ => 0.0625,
            };
            // Falls; the signal rises.
            let x = if kind == "signal" {
                u(1).sqrt()
            } else {
                u(1).powi(2)
            };
            all.push(Event { region, x, w });
        }
    }
    all
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder =
            std::env::temp_dir().join(format!("pullback-estimates-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for kind in ["seen", "other", "signal"] {
            let mut text = String::from("region,x,w\n");
            for e in events(kind) {
                let _ = writeln!(text, "{},{:?},{:?}", e.region, e.x, e.w);
            }
            std::fs::write(folder.join(format!("{kind}.csv")), text).expect("written");
        }
        folder
    })
}

const COMMON: &str = r#"
[analysis]
weight = "w"
[datasets]
signal = { files = "signal.csv" }
other = { files = "other.csv" }
seen = { files = "seen.csv", observed = true }
[regions]
A = { cuts = ["region == 0"] }
B = { cuts = ["region == 1"], kind = "control" }
C = { cuts = ["region == 2"], kind = "control" }
D = { cuts = ["region == 3"], kind = "control" }
"#;

const ABCD: &str = r#"
[histograms]
x = { edges = [0, 0.1, 0.4, 1], regions = ["A", "B"] }
one = { of = "0.5", edges = [0, 1], regions = ["C", "D"] }
[fit]
signal = "signal"
channels = { A = "x", B = "x", C = "one", D = "one" }
mc_statistics = false
[fit.abcd.multijet]
A = "A"
B = "B"
C = "C"
D = "D"
"#;

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", &format!("{COMMON}{text}"), folder())
}

fn run_file(file: &AnalysisFile) -> Result<Results, Error> {
    Ok(file
        .run(&RunOptions::default(), &mut |_| true)?
        .expect("not stopped"))
}

fn run(text: &str) -> Results {
    let found = read(text).and_then(|f| run_file(&f));
    found.unwrap_or_else(|e| panic!("{e}"))
}

/// Sums of w f and of its square in the bins of a region.
fn filled(kind: &str, region: usize, edges: &[f64], f: impl Fn(&Event) -> f64) -> [Vec<f64>; 2] {
    let mut out = [(); 2].map(|()| vec![0.0; edges.len() - 1]);
    for e in events(kind).iter().filter(|e| e.region == region) {
        if let Some(bin) = edges.windows(2).position(|w| w[0] <= e.x && e.x < w[1]) {
            let w = e.w * f(e);
            out[0][bin] += w;
            out[1][bin] += w * w;
        }
    }
    out
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!(
            (a - b).abs() <= tolerance * b.abs().max(1e-9),
            "{found:?} {expected:?}"
        );
    }
}

const EDGES: [f64; 4] = [0.0, 0.1, 0.4, 1.0];

/// Observed events of a region without those of the other background, with the variance of the former.
fn left(region: usize, edges: &[f64]) -> [Vec<f64>; 2] {
    let ([seen, _], [other, _]) = (
        filled("seen", region, edges, |_| 1.0),
        filled("other", region, edges, |_| 1.0),
    );
    let left = seen.iter().zip(&other).map(|(n, b)| n - b).collect();
    [left, seen]
}

fn fitted(workspace: &Value) -> FitResult {
    let text = workspace.to_string();
    let (workspace, _) = Workspace::from_slice(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let spec =
        spec::resolve(&workspace, &spec::Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let mut model = Model::new(spec).unwrap_or_else(|e| panic!("{e}"));
    let data = model.observed();
    let result = fit(&mut model, &data, &mut FitOptions::default());
    result.unwrap_or_else(|e| panic!("{e}"))
}

fn sample<'a>(result: &'a FitResult, channel: &str, name: &str) -> &'a [f64] {
    let channel = result.yields.iter().find(|c| c.channel == channel);
    let samples = &channel.expect("there").samples;
    &samples
        .iter()
        .find(|s| s.name == name)
        .expect("there")
        .postfit
}

/// With one bin everywhere the model has as many parameters as bins: the fitted yield of A is B · C/D of what other processes leave, its error that of
/// propagation, whatever is observed in A.
#[test]
fn the_fitted_yield_of_a_is_the_product() {
    let text = ABCD.replace("edges = [0, 0.1, 0.4, 1]", "edges = [0, 1]");
    let open = format!("{COMMON}{text}").replace("[analysis]", "[analysis]\nblind = false");
    let file = AnalysisFile::from_text("a.toml", &open, folder()).unwrap_or_else(|e| panic!("{e}"));
    let workspace = run_file(&file).expect("runs").workspace().expect("a fit");
    let result = fitted(&workspace);
    assert!(result.converged, "{}", result.status);
    let [b, c, d] = [1, 2, 3].map(|r| left(r, &[0.0, 1.0]).map(|v| v[0]));
    let expected = b[0] * c[0] / d[0];
    let found = sample(&result, "A", "multijet")[0];
    assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    // ln A = ln b + ln t.
    let place = |name: &str| {
        let mut all = result.parameters.iter();
        all.position(|p| p.name == name)
            .unwrap_or_else(|| panic!("{name}"))
    };
    let (bins, transfer) = (place("multijet_bins[0]"), place("multijet_transfer"));
    let covariance = result.covariance.as_ref().expect("determined");
    let (x, t) = (
        result.parameters[bins].value,
        result.parameters[transfer].value,
    );
    let relative = covariance.get(bins, bins) / (x * x)
        + covariance.get(transfer, transfer) / (t * t)
        + 2.0 * covariance.get(bins, transfer) / (x * t);
    let propagated: f64 = [b, c, d].iter().map(|[left, n]| n / (left * left)).sum();
    println!("A = {found:.4} ± {:.4}", found * propagated.sqrt());
    assert!(
        (relative / propagated - 1.0).abs() < 1e-7,
        "{relative} {propagated}"
    );
    // What the run says before any fit is the same.
    let results = run_file(&file).expect("runs");
    let p = results
        .processes
        .iter()
        .position(|p| p == "multijet")
        .expect("a process");
    let before = &results.histogram(0, 0).expect("filled").nominal[p];
    close(&before.sums, &[expected], 1e-12);
    // With the variance of the simulated background on top.
    let more: f64 = [b, c, d]
        .iter()
        .zip([1, 2, 3])
        .map(|([left, _], r)| filled("other", r, &[0.0, 1.0], |_| 1.0)[1][0] / (left * left))
        .sum();
    close(
        &before.variances,
        &[expected * expected * (propagated + more)],
        1e-12,
    );
}

/// In several bins, one factor takes all from B to A; A is blind, and its expected events are data there.
#[test]
fn bins_of_a_are_those_of_b_times_one_factor_or_one_each() {
    let [b, c, d] = [1, 2, 3].map(|r| left(r, &EDGES)[0].clone());
    let total = |x: &[f64]| x.iter().sum::<f64>();
    let one: Vec<f64> = b.iter().map(|b| b * total(&c) / total(&d)).collect();
    let each: Vec<f64> = (0..3).map(|k| b[k] * c[k] / d[k]).collect();
    let by_bin = ABCD
        .replace(
            "regions = [\"A\", \"B\"]",
            "regions = [\"A\", \"B\", \"C\", \"D\"]",
        )
        .replace("C = \"one\", D = \"one\"", "C = \"x\", D = \"x\"");
    for (text, expected) in [
        (ABCD.to_owned(), &one),
        (format!("{by_bin}transfer = \"bins\"\n"), &each),
    ] {
        let results = run(&text);
        let workspace = results.workspace().expect("a fit");
        let p = results
            .processes
            .iter()
            .position(|p| p == "multijet")
            .expect("a process");
        close(
            &results.histogram(0, 0).expect("filled").nominal[p].sums,
            expected,
            1e-12,
        );
        let result = fitted(&workspace);
        assert!(result.converged && result.parameters[result.poi.expect("one")].value > 0.999);
        close(sample(&result, "A", "multijet"), expected, 1e-7);
        close(sample(&result, "B", "multijet"), &b, 1e-7);
        // Observed events of A are not in the workspace, those of the others are.
        let [seen, _] = filled("seen", 1, &EDGES, |_| 1.0);
        let data = |k: usize| {
            serde_json::from_value::<Vec<f64>>(workspace["observations"][k]["data"].clone())
        };
        assert_eq!(data(1).expect("numbers"), seen);
        assert!(data(0).expect("numbers").iter().any(|x| x.fract() != 0.0));
        // No uncertainty from a number of simulated events, which it does not have.
        let modifiers = workspace["channels"][0]["samples"][p]["modifiers"].to_string();
        assert!(!modifiers.contains("staterror"), "{modifiers}");
    }
}

/// A non-closure uncertainty belongs to A, others of all processes do not touch the estimate.
#[test]
fn norms_of_an_abcd_estimate_are_those_of_a() {
    let text = format!(
        "[systematics]\nluminosity = {{ norm = 0.02 }}\nclosure = {{ norm = 0.1, processes = 'multijet' }}\n{ABCD}"
    );
    let workspace = run(&text).workspace().expect("a fit");
    for (channel, expected) in [(0, vec!["closure"]), (1, vec![]), (2, vec![])] {
        let samples = workspace["channels"][channel]["samples"]
            .as_array()
            .expect("a list")
            .clone();
        let last = samples.last().expect("some");
        assert_eq!(last["name"], "multijet");
        let modifiers = last["modifiers"].as_array().expect("a list").iter();
        let norms = modifiers.filter(|m| m["type"] == "normsys");
        let norms: Vec<&str> = norms.filter_map(|m| m["name"].as_str()).collect();
        assert_eq!(norms, expected);
    }
}

/// Where other processes give more than is observed, the estimate is zero before the fit, says so, and the fit goes on.
#[test]
fn negative_remainders_are_warned_of() {
    let text = format!("{COMMON}{ABCD}").replace(
        "other = { files = \"other.csv\" }",
        "other = { files = \"other.csv\", weight = \"30 * w if region == 1 and x > 0.4 else w\" }",
    );
    let file = AnalysisFile::from_text("a.toml", &text, folder()).unwrap_or_else(|e| panic!("{e}"));
    let results = run_file(&file).unwrap_or_else(|e| panic!("{e}"));
    let warned = results.warnings.iter().any(|w| {
        w.starts_with("no more is observed in `B` than other processes give, in 1 of 3 bins")
    });
    assert!(warned, "{:?}", results.warnings);
    let workspace = results.workspace().expect("a fit");
    let inits = workspace["measurements"][0]["config"]["parameters"][1]["inits"].clone();
    // Not at a rate of zero.
    assert_eq!(inits[2], 0.1);
    let result = fitted(&workspace);
    close(&sample(&result, "B", "multijet")[2..], &[0.0], 1e-6);
    // Nothing left in D is an error.
    let text = text.replace("30 * w if region == 1 and x > 0.4", "40 * w if region == 3");
    let error = AnalysisFile::from_text("a.toml", &text, folder()).and_then(|f| run_file(&f));
    let error = error.map(drop).expect_err("nothing left").to_string();
    assert!(
        error.contains("nothing of `multijet` is left in `D`")
            && error.contains("fit.abcd.multijet"),
        "{error}"
    );
}

const FAKES: &str = r#"
[tables.ff]
axes = { x = [0, 0.2, 0.5, 1] }
values = [0.1, 0.2, 0.4]
error = [0.01, 0.03, 0.1]
[parameters]
tilt = 0
[histograms]
x = { edges = [0, 0.1, 0.4, 1], regions = ["A", "C"] }
n = { of = "0.5", edges = [0, 1], regions = "A" }
[estimates.fakes]
from = { A = "B", C = "D" }
weight = "ff(x)"
minus = "other"
[systematics]
ff = { weight = ["ff.up(x) / ff(x)", "ff.down(x) / ff(x)"], processes = "fakes" }
xs = { norm = [-0.1, 0.2], processes = "other" }
shape = { weight = "1 + x", processes = ["other", "signal"] }
tilt = { parameter = "tilt", processes = "other" }
both = { norm = 0.3, processes = ["fakes", "other"] }
[fit]
signal = "signal"
channels = { A = "x", C = "x" }
"#;

fn factor(x: f64, shift: f64) -> f64 {
    let k = usize::from(x >= 0.2) + usize::from(x >= 0.5);
    [0.1, 0.2, 0.4][k] + shift * [0.01, 0.03, 0.1][k]
}

/// Observed events with the factor, minus simulated ones with theirs and another factor of the weight.
fn fakes(from: usize, shift: f64, more: impl Fn(&Event) -> f64) -> [Vec<f64>; 2] {
    let [seen, s2] = filled("seen", from, &EDGES, |e| factor(e.x, shift));
    let [other, o2] = filled("other", from, &EDGES, |e| factor(e.x, shift) * more(e));
    let sums = seen.iter().zip(&other).map(|(a, b)| a - b).collect();
    [sums, s2.iter().zip(&o2).map(|(a, b)| a + b).collect()]
}

#[test]
fn fake_factors_equal_a_loop_over_the_events() {
    let text = format!("{COMMON}{FAKES}").replace(
        "other = { files = \"other.csv\" }",
        "other = { files = \"other.csv\", weight = \"w * (1 + 0.2 * tilt * x)\" }",
    );
    let file = AnalysisFile::from_text("a.toml", &text, folder()).unwrap_or_else(|e| panic!("{e}"));
    let results = run_file(&file).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(results.processes, ["signal", "other", "fakes"]);
    for (region, from) in [(0, 1), (2, 3)] {
        let filled = results.histogram(0, region).expect("filled");
        let [sums, variances] = fakes(from, 0.0, |_| 1.0);
        close(&filled.nominal[2].sums, &sums, 1e-12);
        close(&filled.nominal[2].variances, &variances, 1e-12);
        assert!(sums.iter().all(|x| *x > 1.0));
        let varied = |s: usize, shift: Shift| {
            let found = filled.variations.iter().find(|v| (v.0, v.1) == (s, shift));
            found
                .and_then(|v| v.2[2].as_ref())
                .map(|b: &Bins| b.sums.clone())
        };
        let up = |s| varied(s, Shift::Up).expect("varied");
        let down = |s| varied(s, Shift::Down).expect("varied");
        // Its own uncertainty, of both parts.
        close(&up(0), &fakes(from, 1.0, |_| 1.0)[0], 1e-12);
        close(&down(0), &fakes(from, -1.0, |_| 1.0)[0], 1e-12);
        // Those of what is subtracted: a norm, a weight, a parameter.
        close(&up(1), &fakes(from, 0.0, |_| 1.2)[0], 1e-12);
        close(&down(1), &fakes(from, 0.0, |_| 0.9)[0], 1e-12);
        close(&up(2), &fakes(from, 0.0, |e| 1.0 + e.x)[0], 1e-12);
        assert!(varied(2, Shift::Down).is_none());
        close(&up(3), &fakes(from, 0.0, |e| 1.0 + 0.2 * e.x)[0], 1e-12);
        close(&down(3), &fakes(from, 0.0, |e| 1.0 - 0.2 * e.x)[0], 1e-12);
        // A norm of the estimate itself is a factor, no shape.
        assert!(varied(4, Shift::Up).is_none());
    }
    // The simulated process is varied as ever, and the parameter does not reach the signal.
    let filled = results.histogram(0, 0).expect("filled");
    let tilt = filled
        .variations
        .iter()
        .find(|v| (v.0, v.1) == (3, Shift::Up))
        .expect("varied");
    assert!(tilt.2[0].is_none() && tilt.2[1].is_some());
    let all = results.histogram(1, 0).expect("filled");
    close(
        &[all.nominal[2].sums[0]],
        &[fakes(1, 0.0, |_| 1.0)[0].iter().sum()],
        1e-12,
    );
    let last = &results.cutflows[0].steps[1].yields[2];
    close(&last.sums, &all.nominal[2].sums, 1e-12);
    assert_eq!(results.cutflows[1].steps[1].yields[2].entries, [0.0]);
    assert!(
        !results.warnings.iter().any(|w| w.contains("`fakes`")),
        "{:?}",
        results.warnings
    );

    let workspace = results.workspace().expect("a fit");
    let sample = &workspace["channels"][0]["samples"][2];
    assert_eq!(sample["name"], "fakes");
    let has = |name: &str, kind: &str| {
        let all = sample["modifiers"].as_array().expect("a list");
        all.iter()
            .find(|m| m["name"] == name && m["type"] == kind)
            .map(|m| m["data"].clone())
    };
    for name in ["ff", "xs", "shape", "tilt"] {
        assert!(
            has(name, "histosys").is_some() && has(name, "normsys").is_some(),
            "{name}"
        );
    }
    let both = has("both", "normsys").expect("a factor");
    assert_eq!(
        (both["hi"].as_f64(), has("both", "histosys")),
        (Some(1.3), None)
    );
    let errors: Vec<f64> =
        serde_json::from_value(has("staterror_A", "staterror").expect("there")).expect("numbers");
    let expected: Vec<f64> = fakes(1, 0.0, |_| 1.0)[1].iter().map(|v| v.sqrt()).collect();
    close(&errors, &expected, 1e-12);
    assert!(fitted(&workspace).converged);
}

/// Chunks and threads: the same, to rounding.
#[test]
fn chunks_change_nothing() {
    let file = read(FAKES).unwrap_or_else(|e| panic!("{e}"));
    let whole = run_file(&file).expect("runs");
    let mut options = RunOptions {
        threads: 2,
        ..RunOptions::default()
    };
    options.data.chunk_bytes = 900;
    let other = file
        .run(&options, &mut |_| true)
        .expect("runs")
        .expect("all");
    for (a, b) in whole.histograms.iter().zip(&other.histograms) {
        close(&a.nominal[2].sums, &b.nominal[2].sums, 1e-12);
    }
}

#[test]
fn negative_estimates_are_warned_of() {
    let text = FAKES.replace("\"ff(x)\"", "\"ff(x) if x < 0.4 else -ff(x)\"");
    let results = run(&text);
    let warned = results
        .warnings
        .iter()
        .any(|w| w == "`x` of `fakes` in `A` is negative in 1 of 3 bins");
    assert!(warned, "{:?}", results.warnings);
}

#[test]
fn calls_say_what_a_file_says() {
    let file =
        read(&FAKES[..FAKES.find("[estimates").expect("there")]).unwrap_or_else(|e| panic!("{e}"));
    let estimate = Estimate::new("fakes", &[(0, 1), (2, 3)], "ff(x)").minus(&["other"]);
    let by_calls = run_file(&file.estimate(estimate)).expect("runs");
    let by_file = run(FAKES);
    assert_eq!(
        by_calls.histograms[0].nominal,
        by_file.histograms[0].nominal
    );
    let end = ABCD.find("[fit]").expect("there");
    let file = read(&ABCD[..end]).unwrap_or_else(|e| panic!("{e}"));
    let fit = read(ABCD).ok().and_then(|f| f.fit).expect("a fit");
    let file = file
        .abcd(Abcd::new("multijet", [0, 1, 2, 3]))
        .fit(fit)
        .unwrap_or_else(|e| panic!("{e}"));
    let both = [run_file(&file).expect("runs"), run(ABCD)];
    let [a, b] = both.map(|r| r.workspace());
    assert_eq!(a, b);
}

#[test]
fn mistakes_by_calls_are_found_when_it_runs() {
    let end = FAKES.find("[estimates").expect("there");
    for (estimate, message) in [
        (
            Estimate::new("fakes", &[(2, 0)], "ff(x)"),
            "`fakes` needs the observed events of `A`, which is blind",
        ),
        (
            Estimate::new("fakes", &[(0, 1)], "ff(x)").minus(&["others"]),
            "`others` is no simulated process",
        ),
    ] {
        let file = read(&FAKES[..end]).unwrap_or_else(|e| panic!("{e}"));
        let error = run_file(&file.estimate(estimate)).map(drop);
        let error = error.expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// An optimisation does not look at observed events, and says so.
#[test]
fn an_optimisation_refuses_estimates_by_name() {
    for (text, name) in [(FAKES, "fakes"), (ABCD, "multijet")] {
        let file =
            read(&format!("{text}[optimize]\nfree = 'x'\n")).unwrap_or_else(|e| panic!("{e}"));
        let error = Problem::open(&file, &Options::default(), &mut |_, _| true)
            .err()
            .expect("refused");
        assert!(
            error
                .to_string()
                .contains(&format!("`{name}` is estimated from observed events")),
            "{error}"
        );
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (text, old, new, message) in [
        (
            FAKES,
            "C = \"D\" }",
            "C = \"E\" }",
            "there is no region `E`; did you mean `A` or `B`? (a.toml, estimates.fakes.from.C, line 24, column 23)",
        ),
        (
            FAKES,
            "{ A = \"B\", C = \"D\" }",
            "\"B\"",
            "`estimates.fakes` has no `regions`",
        ),
        (
            FAKES,
            "C = \"D\" }",
            "C = \"D\" }\nregions = \"A\"",
            "`from` names the regions",
        ),
        (
            FAKES,
            "C = \"D\" }",
            "C = \"A\" }",
            "`A` is a signal region, whose observed events an estimate may not use",
        ),
        (
            FAKES,
            "C = \"D\" }",
            "C = \"C\" }",
            "`C` cannot stand for itself",
        ),
        (
            FAKES,
            "minus = \"other\"",
            "minus = \"othr\"",
            "there is no simulated process `othr`; did you mean `other`?",
        ),
        (
            FAKES,
            "weight = \"ff(x)\"",
            "",
            "`estimates.fakes` has no `weight`",
        ),
        (
            FAKES,
            "weight = \"ff(x)\"",
            "weight = \"fff(x)\"",
            "did you mean `ff`",
        ),
        (
            FAKES,
            "weight = \"ff(x)\"",
            "weight = \"1 / (x - x)\"",
            "some weights of `other` are NaN or infinite (a.toml, estimates.fakes.weight",
        ),
        (
            FAKES,
            "[estimates.fakes]",
            "[estimates.other]",
            "there is a process `other` already",
        ),
        (
            FAKES,
            "processes = \"fakes\"",
            "processes = \"fake\"",
            "did you mean `fakes`?",
        ),
        (ABCD, "B = \"B\"", "B = \"A\"", "`A` is a signal region"),
        (
            ABCD,
            "C = \"C\"",
            "C = \"B\"",
            "`B` is named twice (a.toml, fit.abcd.multijet.C",
        ),
        (ABCD, "D = \"D\"\n", "", "`fit.abcd.multijet` has no `D`"),
        (
            ABCD,
            ", D = \"one\" }",
            " }",
            "`D` is no channel of the fit (a.toml, fit.abcd.multijet",
        ),
        (
            ABCD,
            "D = \"D\"\n",
            "D = \"D\"\ntransfer = \"bin\"\n",
            "there is no transfer `bin`",
        ),
        (
            ABCD,
            "D = \"D\"\n",
            "D = \"D\"\ntransfer = \"bins\"\n",
            "3 bins of A and 1 of C have no factor in common",
        ),
        (
            ABCD,
            "regions = [\"A\", \"B\"] }",
            "regions = [\"A\", \"B\"] }\ny = { of = 'x', edges = [0, 1], regions = 'B' }",
            "",
        ),
        (
            ABCD,
            "[fit]\n",
            "[systematics]\ns = { weight = '1.1', processes = 'multijet' }\n[fit]\n",
            "`multijet` has no events that could be varied",
        ),
    ] {
        assert!(text.contains(old), "{old}");
        let mut changed = text.replacen(old, new, 1);
        let mut message = message;
        if message.is_empty() {
            changed = changed.replace("B = \"x\"", "B = \"y\"");
            message = "A and B do not have the same bins";
        }
        let error = read(&changed).and_then(|f| run_file(&f));
        let error = error.expect_err(message).to_string();
        assert!(error.contains(message), "{error}\nexpected {message}");
    }
    let text = format!("{COMMON}{ABCD}").replace(", observed = true", "");
    let error = AnalysisFile::from_text("a.toml", &text, folder())
        .expect_err("no data")
        .to_string();
    assert!(
        error.contains("`multijet` is estimated from observed events, and there are none"),
        "{error}"
    );
}

/// pyhf reads the workspace, with another estimate and a non-closure uncertainty in it, and finds the same minimum (`data/make_abcd.py`).
#[test]
fn pyhf_fits_the_workspace_to_the_same() {
    let text = format!("[systematics]\nclosure = {{ norm = 0.1, processes = 'multijet' }}\n{ABCD}");
    let text = format!("{COMMON}{text}").replace("[analysis]", "[analysis]\nblind = false");
    let file = AnalysisFile::from_text("a.toml", &text, folder()).unwrap_or_else(|e| panic!("{e}"));
    let workspace = run_file(&file).expect("runs").workspace().expect("a fit");
    let stored: Value = serde_json::from_str(include_str!("../data/abcd.json")).expect("JSON");
    assert_eq!(workspace, stored["workspace"], "{workspace}");
    let result = fitted(&workspace);
    assert!(result.converged);
    let pyhf = &stored["pyhf"];
    let value = pyhf["twice_nll"].as_f64().expect("a number");
    println!("{} {value}", result.twice_nll);
    // pyhf's minimiser stops where it stops, which is above the minimum.
    assert!(result.twice_nll < value + 1e-9 && value - result.twice_nll < 1e-6);
    for p in &result.parameters {
        let found = pyhf["parameters"][&p.name]
            .as_f64()
            .unwrap_or_else(|| panic!("{}", p.name));
        assert!(
            (p.value - found).abs() < 2e-4 * p.error.expect("free"),
            "{} {} {found}",
            p.name,
            p.value
        );
    }
}
