//! Event weights that are evaluated in the fit, against loops over the events and against interpolation.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::Error;
use pullback_analysis::exact::Exact;
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions};
use pullback_prob::{Distribution, Key, Uniform};
use pullback_stats::Model;
use pullback_stats::fit::{FitOptions, FitResult, fit};
use pullback_stats::spec::{HistosysCode, ModifierSettings, Options, resolve};
use pullback_stats::workspace::Workspace;
use serde_json::{Value, json};

/// x and weight of an event.
fn events(kind: &str) -> Vec<[f64; 2]> {
    let n = match kind {
        "top" => 2000,
        "more" => 500,
        "seen" => 560,
        _ => 300,
    };
    let key = Key::new(5, kind);
    let u = |k: u64, step| Uniform::standard().draw(key, k, step);
    (0..n)
        .map(|k| match kind {
            "signal" => [0.5 + 0.5 * u(k, 0), 0.125],
            "seen" if k < 500 => [u(k, 0).powf(1.5), 1.0],
            "seen" => [0.5 + 0.5 * u(k, 0), 1.0],
            _ => [u(k, 0).powf(1.6), if u(k, 1) < 0.1 { -0.25 } else { 0.25 }],
        })
        .collect()
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder =
            std::env::temp_dir().join(format!("pullback-exact-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for kind in ["top", "more", "signal", "seen"] {
            let mut text = String::from("x,w\n");
            for [x, w] in events(kind) {
                let _ = writeln!(text, "{x:?},{w:?}");
            }
            std::fs::write(folder.join(format!("{kind}.csv")), text).expect("written");
        }
        folder
    })
}

const FILE: &str = r#"
[analysis]
blind = false
[datasets]
signal = { files = "signal.csv", weight = "w" }
top = { files = "top.csv", weight = "w * (1 + 0.4 * tilt * (x - 0.3))" }
more = { files = "more.csv", process = "top", weight = "w" }
seen = { files = "seen.csv", observed = true }
[parameters]
tilt = 0
shift = 0
[columns]
y = "x + 0.01 * shift"
[regions]
low = { cuts = ["x < 0.6"] }
high = { cuts = ["x >= 0.6"] }
[histograms]
a = { of = "x", edges = [0, 0.1, 0.3, 0.6], regions = "low" }
b = { of = "y", edges = [0.6, 0.8, 1.1], regions = "high", outside = "clamp" }
[systematics]
luminosity = { norm = 0.05 }
other = { weight = ["1 + 0.1 * x", "1 - 0.05 * x"], processes = "top" }
tilt = { parameter = "tilt", exact = true }
[fit]
signal = "signal"
channels = { low = "a", high = "b" }
"#;

const EDGES: [&[f64]; 2] = [&[0.0, 0.1, 0.3, 0.6], &[0.6, 0.8, 1.1]];

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, folder())
}

fn run(text: &str) -> Results {
    let found = read(text).and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
    found.unwrap_or_else(|e| panic!("{e}")).expect("all")
}

fn open(results: &Results) -> Exact {
    let exact = Exact::open(results, &RunOptions::default(), &mut |_| true);
    exact.unwrap_or_else(|e| panic!("{e}")).expect("all")
}

fn fitted(exact: &mut Exact) -> FitResult {
    exact
        .fit(&mut FitOptions::default())
        .unwrap_or_else(|e| panic!("{e}"))
}

/// The yields of top in a channel, with a factor of the weights of the one data set.
fn by_hand(channel: usize, factor: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut out = vec![0.0; EDGES[channel].len() - 1];
    for kind in ["top", "more"] {
        for [x, w] in events(kind) {
            if let Some(bin) = EDGES[channel]
                .windows(2)
                .position(|e| e[0] <= x && x < e[1])
            {
                out[bin] += w * if kind == "top" { factor(x) } else { 1.0 };
            }
        }
    }
    out
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!(
            (a - b).abs() <= tolerance * b.abs().max(1.0),
            "{found:?} {expected:?}"
        );
    }
}

fn codes(histosys: HistosysCode) -> Options {
    Options {
        modifiers: ModifierSettings {
            histosys,
            ..ModifierSettings::default()
        },
        ..Options::default()
    }
}

fn fit_of(workspace: &Value, histosys: HistosysCode) -> (Model, FitResult) {
    let text = workspace.to_string();
    let (workspace, _) = Workspace::from_slice(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let spec = resolve(&workspace, &codes(histosys)).unwrap_or_else(|e| panic!("{e}"));
    let mut model = Model::new(spec).unwrap_or_else(|e| panic!("{e}"));
    let data = model.observed();
    let result = fit(&mut model, &data, &mut FitOptions::default());
    let result = result.unwrap_or_else(|e| panic!("{e}"));
    (model, result)
}

fn value(result: &FitResult, name: &str) -> [f64; 2] {
    let found = result.parameters.iter().find(|p| p.name == name);
    let found = found.unwrap_or_else(|| panic!("{name}"));
    [found.value, found.error.expect("free")]
}

/// The workspace of a run where the variation is a `histosys` of the whole change, as yields at one standard deviation are, instead of a factor and a shape.
fn as_histosys(results: &Results) -> Value {
    let mut workspace = results.workspace().expect("a fit");
    for c in 0..2 {
        let up = by_hand(c, |x| 1.0 + 0.4 * (x - 0.3));
        let down = by_hand(c, |x| 1.0 - 0.4 * (x - 0.3));
        let modifiers = &mut workspace["channels"][c]["samples"][1]["modifiers"];
        let list = modifiers.as_array_mut().expect("a list");
        list.retain(|m| m["name"] != "tilt");
        list.push(
            json!({"name": "tilt", "type": "histosys", "data": {"hi_data": up, "lo_data": down}}),
        );
    }
    workspace
}

/// Where weights are linear in θ, interpolation says the same (code 4p between symmetric templates is a straight line, as code 0 is, which has kinks in other
/// systematics): fits, errors and −2 ln L are equal; so are all yields at −1, 0 and 1, where interpolation is of a factor and a shape.
#[test]
fn linear_weights_equal_linear_interpolation() {
    let results = run(FILE);
    let options = (codes(HistosysCode::Code4p), RunOptions::default());
    let exact = Exact::open_with(&results, &options.0, &options.1, &mut |_| true);
    let mut exact = exact.unwrap_or_else(|e| panic!("{e}")).expect("all");
    assert_eq!(exact.parameters().collect::<Vec<_>>(), ["tilt"]);
    for theta in [-1.0, 0.0, 1.0, 0.37, -2.5] {
        let yields = exact.yields(&[theta]).expect("finite");
        for (c, top) in yields[1].iter().enumerate() {
            close(top, &by_hand(c, |x| 1.0 + 0.4 * theta * (x - 0.3)), 1e-12);
        }
        assert!(yields[0].iter().all(Vec::is_empty));
    }
    let found = fitted(&mut exact);
    let (_, expected) = fit_of(&as_histosys(&results), HistosysCode::Code4p);
    assert!(
        found.converged && expected.converged,
        "{} {}",
        found.status,
        expected.status
    );
    let names = |r: &FitResult| {
        r.parameters
            .iter()
            .map(|p| p.name.clone())
            .collect::<Vec<_>>()
    };
    let (mut a, mut b) = (names(&found), names(&expected));
    a.sort();
    b.sort();
    assert_eq!(a, b);
    println!("twice_nll {} {}", found.twice_nll, expected.twice_nll);
    close(&[found.twice_nll], &[expected.twice_nll], 1e-11);
    for name in &a {
        println!(
            "{name}: {:?} {:?}",
            value(&found, name),
            value(&expected, name)
        );
        let error = value(&expected, name)[1];
        assert!(
            (value(&found, name)[0] - value(&expected, name)[0]).abs() < 1e-5 * error,
            "{name}"
        );
        close(&value(&found, name)[1..], &[error], 1e-6);
    }
    for (a, b) in found.yields.iter().zip(&expected.yields) {
        for (a, b) in [
            (a.prefit_total, b.prefit_total),
            (a.postfit_total, b.postfit_total),
        ] {
            close(
                &[a.value, a.error.expect("one")],
                &[b.value, b.error.expect("one")],
                1e-6,
            );
        }
    }
    // The workspace of the run has a factor and a shape, and any interpolation: at −1, 0 and 1 they are the same yields.
    let (mut model, _) = fit_of(&results.workspace().expect("a fit"), HistosysCode::Code4p);
    let place = model
        .spec()
        .parameters
        .iter()
        .position(|p| p.name == "tilt")
        .expect("there");
    for theta in [-1.0, 0.0, 1.0] {
        let mut parameters = model.spec().inits();
        parameters[place] = theta;
        let rates = model.expected(&parameters).expect("rates");
        let yields = exact.yields(&[theta]).expect("finite");
        for (c, channel) in model.spec().channels.iter().enumerate() {
            let k = usize::from(channel.name == "high");
            let filled = results.histogram(k, k).expect("filled");
            let signal = &filled.nominal[0].sums;
            let sum: Vec<f64> = signal
                .iter()
                .zip(&yields[1][k])
                .map(|(s, t)| s + t)
                .collect();
            close(&rates[model.spec().channels[c].bins.clone()], &sum, 1e-12);
        }
    }
}

/// Weights that are exponential in θ: what interpolation between ±1 standard deviation makes of them, and what the events say.
///
/// ```text
///             exact               interpolated (normsys code 4, histosys code 4p)
/// mu          1.0935 ± 1.2002     1.1282 ± 1.2038
/// tilt        0.3555 ± 0.3416     0.3411 ± 0.3430
/// twice_nll  24.2402             24.2906
/// ```
#[test]
fn exponential_weights_differ_from_interpolation_by_what_is_printed() {
    let text = FILE.replace(
        "(1 + 0.4 * tilt * (x - 0.3))",
        "exp(1.2 * tilt * (x - 0.3))",
    );
    let results = run(&text);
    let mut exact = open(&results);
    for theta in [-2.0, 0.5, 1.0] {
        let yields = exact.yields(&[theta]).expect("finite");
        for (c, top) in yields[1].iter().enumerate() {
            close(top, &by_hand(c, |x| (1.2 * theta * (x - 0.3)).exp()), 1e-12);
        }
    }
    let found = fitted(&mut exact);
    let (_, interpolated) = fit_of(&results.workspace().expect("a fit"), HistosysCode::Code4p);
    assert!(found.converged && interpolated.converged);
    println!("             exact             interpolated");
    for name in ["mu", "tilt"] {
        let ([a, e], [b, f]) = (value(&found, name), value(&interpolated, name));
        println!("{name:>10} {a:.5} ± {e:.5} {b:.5} ± {f:.5}");
        // Not the same, and not far.
        assert!(
            (a - b).abs() > 1e-4 * e && (a - b).abs() < 0.5 * e,
            "{name}"
        );
    }
    println!(
        " twice_nll {:.6} {:.6}",
        found.twice_nll, interpolated.twice_nll
    );
    let numbers = [
        value(&found, "mu"),
        value(&found, "tilt"),
        value(&interpolated, "mu"),
    ];
    close(
        &numbers.concat(),
        &[1.0935, 1.2002, 0.3555, 0.3416, 1.1282, 1.2038],
        1e-4,
    );
    // The minimum is one: no other value of θ is better, by the model at fixed templates of a loop.
    let [tilt, _] = value(&found, "tilt");
    for theta in [tilt - 0.1, tilt + 0.1] {
        let held = |p: &pullback_stats::fit::FittedParameter| p.name == "tilt";
        let place = found.parameters.iter().position(held).expect("there");
        let mut all = exact.spec().parameters.iter();
        let of_model = all.position(|p| p.name == "tilt").expect("there");
        let mut options = FitOptions {
            fix: vec![(of_model, theta)],
            ..FitOptions::default()
        };
        let other = exact.fit(&mut options).unwrap_or_else(|e| panic!("{e}"));
        assert!(
            other.parameters[place].fixed && other.twice_nll > found.twice_nll,
            "{theta}"
        );
    }
}

#[test]
fn chunks_and_threads_change_nothing_beyond_rounding() {
    let results = run(FILE);
    let whole = open(&results).yields(&[0.7]).expect("finite");
    let mut options = RunOptions {
        threads: 2,
        ..RunOptions::default()
    };
    options.data.chunk_bytes = 2000;
    let exact = Exact::open(&results, &options, &mut |_| true).expect("opens");
    let other = exact.expect("all").yields(&[0.7]).expect("finite");
    for c in 0..2 {
        close(&whole[1][c], &other[1][c], 1e-13);
    }
    assert!(
        Exact::open(&results, &options, &mut |_| false)
            .expect("no mistake")
            .is_none()
    );
}

#[test]
fn what_moves_more_than_weights_is_refused_by_name() {
    for (old, new, message) in [
        // A bin, a cut.
        (
            "tilt = { parameter = \"tilt\", exact = true }",
            "shift = { parameter = \"shift\", exact = true }\n",
            "`shift` cannot be exact: `shift` moves more than weights of `signal`: `_t1`",
        ),
        (
            "\"x >= 0.6\"",
            "\"x + 0.001 * tilt >= 0.6\"",
            "`tilt` cannot be exact: `tilt` moves more than weights of `signal`: `high: x + 0.001 * tilt >= 0.6`",
        ),
        (
            "* tilt * (x - 0.3)",
            "",
            "`tilt` moves no weight of its processes (a.toml, systematics.tilt.exact, line 2",
        ),
        (
            "exact = true",
            "exact = true, values = [-1, 2]",
            "-1 and 2 are not equally far from the start 0",
        ),
        (
            "1 + 0.4 * tilt * (x - 0.3)",
            "sqrt(tilt * tilt)",
            "some weights are NaN or infinite at [0",
        ),
        ("exact = true", "exact = 1", "expected true or false"),
        (
            "processes = \"top\" }",
            "processes = \"top\", exact = true }",
            "only a parameter by which weights change can be exact",
        ),
        (
            "exact = true",
            "exact = true }\nagain = { parameter = \"tilt\", exact = true",
            "`tilt` is moved by two exact systematics",
        ),
        (
            "exact = true",
            "exact = false",
            "there is no fit with exact systematics",
        ),
    ] {
        assert!(FILE.contains(old), "{old}");
        let text = FILE.replacen(old, new, 1);
        let found = read(&text).and_then(|f| {
            let results = f.run(&RunOptions::default(), &mut |_| true)?.expect("all");
            let exact = Exact::open(&results, &RunOptions::default(), &mut |_| true)?;
            exact.expect("all").fit(&mut FitOptions::default())
        });
        let error = found
            .err()
            .unwrap_or_else(|| panic!("accepted: {message}"))
            .to_string();
        assert!(error.contains(message), "{error}\nexpected {message}");
    }
}
