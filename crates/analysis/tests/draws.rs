//! Random numbers beside the columns of the files: what they are, and that nothing else changes them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::draws::Random;
use pullback_analysis::file::{AnalysisFile, Effect, Evaluated, FitModel, Free, Input, RegionKind};
use pullback_analysis::optimize::{Options, Part, Problem};
use pullback_analysis::run::{Results, RunOptions, Shift};
use pullback_analysis::{Analysis, Draw, Error, Object, generated, render};
use pullback_io::{Dataset, Values};
use pullback_prob::{Distribution, Exponential, Key, Normal, Poisson, Uniform};
use pullback_sim::{Generator, Process};

const EVENTS: usize = 5000;

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("pullback-draws-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut generator = Generator::new(Process::TTbar, 3).expect("in the menu");
        generated::write(&folder.join("tt.parquet"), &mut generator, EVENTS).expect("written");
        folder
    })
}

const FILE: &str = r#"
[analysis]
seed = 5
[datasets.tt]
files = "tt.parquet"
weight = "boot"
[draws]
jer = { on = "Jet", distribution = "normal" }
boot = "poisson"
[parameters]
resolution = 1
cut = { start = 40, range = [30, 60] }
[objects]
jets = { from = "Jet", fields = { pt = "pt * (1 + 0.1 * resolution * jer)" }, where = "pt > cut and abs(eta) < 2.5" }
[columns]
ht = "sum(jets.pt)"
[regions.CR]
kind = "control"
cuts = ["count(jets) >= 2"]
[histograms.ht]
edges = [80, 150, 200, 250, 300, 400, 600, 2000]
[systematics]
jer = { parameter = "resolution", values = [0.9, 1.1] }
[fit]
signal = "tt"
channels = { CR = "ht" }
[optimize]
free = ["cut"]
"#;

fn read(text: &str) -> Result<AnalysisFile, Error> {
    AnalysisFile::from_text("a.toml", text, folder())
}

fn run_with(text: &str, options: &RunOptions) -> Results {
    let results = read(text).and_then(|f| f.run(options, &mut |_| true));
    results
        .unwrap_or_else(|e| panic!("{}", render(&e, false)))
        .expect("to its end")
}

fn run(text: &str) -> Results {
    run_with(text, &RunOptions::default())
}

/// Run, section and number of each event, and p_T and η of its jets.
struct Event {
    section: String,
    id: u64,
    jets: Vec<[f64; 2]>,
}

fn events() -> Vec<Event> {
    let path = folder().join("tt.parquet").display().to_string();
    let data = Dataset::open(&[path]).expect("opens");
    let names = ["run", "luminosityBlock", "event", "Jet_pt", "Jet_eta"];
    let chunk = data.read(&names, 0..data.entries()).expect("reads");
    let whole = |k: usize| -> Vec<u64> {
        match chunk.columns[k].values() {
            Values::I64(v) => v.iter().map(|x| *x as u64).collect(),
            Values::U64(v) => v.clone(),
            other => panic!("{}", other.dtype()),
        }
    };
    let jets = |k: usize| match chunk.columns[k].values() {
        Values::F32(v) => v.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(),
        other => panic!("{}", other.dtype()),
    };
    let (runs, sections, ids) = (whole(0), whole(1), whole(2));
    let (pt, eta) = (jets(3), jets(4));
    let offsets = chunk.columns[3].offsets().expect("lists");
    (0..chunk.entries)
        .map(|k| Event {
            section: format!("{}:{}", runs[k], sections[k]),
            id: ids[k],
            jets: (offsets[k] as usize..offsets[k + 1] as usize)
                .map(|j| [pt[j], eta[j]])
                .collect(),
        })
        .collect()
}

const EDGES: [f64; 8] = [80.0, 150.0, 200.0, 250.0, 300.0, 400.0, 600.0, 2000.0];

/// The histogram by a loop that draws for itself: with this resolution, threshold and weight.
fn by_hand(events: &[Event], resolution: f64, cut: f64) -> [f64; 7] {
    let (jer, boot) = (
        Key::new(5, "Jet.jer").child("tt"),
        Key::new(5, "boot").child("tt"),
    );
    let (normal, poisson) = (Normal::standard(), Poisson::new(1.0).expect("a mean"));
    let mut bins = [0.0; 7];
    for event in events {
        let (mut count, mut ht) = (0, 0.0);
        for (step, [pt, eta]) in event.jets.iter().enumerate() {
            let z = normal.draw(jer.child(&event.section), event.id, step as u32);
            let pt = pt * (1.0 + 0.1 * resolution * z);
            if pt > cut && eta.abs() < 2.5 {
                (count, ht) = (count + 1, ht + pt);
            }
        }
        if count >= 2
            && let Some(bin) = EDGES.windows(2).position(|e| e[0] <= ht && ht < e[1])
        {
            bins[bin] += poisson.draw(boot.child(&event.section), event.id, 0) as f64;
        }
    }
    bins
}

/// A jet-resolution systematic from end to end: the template and its variations are those of a loop over the events.
#[test]
fn a_resolution_systematic_equals_a_loop_that_draws_for_itself() {
    let results = run(FILE);
    let events = events();
    let filled = results.histogram(0, 0).expect("filled");
    let nominal = by_hand(&events, 1.0, 40.0);
    assert_eq!(filled.nominal[0].sums, nominal);
    assert!(nominal.iter().all(|n| *n > 20.0), "{nominal:?}");
    for (shift, resolution) in [(Shift::Up, 1.1), (Shift::Down, 0.9)] {
        let found = filled
            .variations
            .iter()
            .find(|v| v.1 == shift)
            .expect("varied");
        let expected = by_hand(&events, resolution, 40.0);
        assert_eq!(found.2[0].as_ref().expect("acts on it").sums, expected);
        assert_ne!(expected, nominal, "nothing moved");
    }
    // They are in the workspace.
    let workspace = results.workspace().expect("a fit");
    let modifiers = workspace["channels"][0]["samples"][0]["modifiers"].as_array();
    let mut modifiers = modifiers.expect("a list").iter();
    assert!(modifiers.any(|m| m["name"] == "jer" && m["type"] == "histosys"));
}

/// Chunks, threads and further columns change no bit.
#[test]
fn chunks_threads_and_other_columns_change_nothing() {
    let whole = run(FILE);
    for (bytes, threads) in [(20_000, 1), (7_000, 2), (1 << 30, 3)] {
        let mut options = RunOptions {
            threads,
            ..RunOptions::default()
        };
        options.data.chunk_bytes = bytes;
        let other = run_with(FILE, &options);
        // Whole weights: their sums are exact in any order.
        assert_eq!(whole.histograms, other.histograms, "{bytes} {threads}");
    }
    let more = FILE
        .replace("[columns]", "[columns]\nmet = 'MET.pt'")
        .replace(
            "boot = \"poisson\"",
            "boot = \"poisson\"\nu = { on = \"Muon\", distribution = \"uniform\" }",
        )
        .replace(
            "\"count(jets) >= 2\"",
            "\"count(jets) >= 2\", \"met > -1\", \"count(Muon where u < 0) == 0\"",
        );
    assert_eq!(
        whole.histograms[0].nominal,
        run(&more).histograms[0].nominal
    );
    // Another seed does, and the name of the data set.
    let other = run(&FILE.replace("seed = 5", "seed = 6"));
    assert_ne!(whole.histograms[0].nominal, other.histograms[0].nominal);
    let other = run(&FILE.replace("[datasets.tt]", "[datasets.top]\nprocess = 'tt'"));
    assert_ne!(whole.histograms[0].nominal, other.histograms[0].nominal);
}

/// An optimisation has the same draws as a run: its parts add up to the histogram, exact, soft and whatever is held in memory.
#[test]
fn an_optimisation_draws_what_a_run_draws() {
    let file = read(FILE).unwrap_or_else(|e| panic!("{e}"));
    let events = events();
    let mut values = Vec::new();
    for (memory, bytes) in [(1 << 30, 1 << 30), (0, 1 << 30), (0, 30_000)] {
        let mut options = Options {
            memory,
            ..Options::default()
        };
        options.data.chunk_bytes = bytes;
        let problem = Problem::open(&file, &options, &mut |_, _| true);
        let mut problem = problem.unwrap_or_else(|e| panic!("{e}")).expect("opened");
        let x = problem.start().to_vec();
        let soft = problem.soft_value(Part::Training, &x, 1.0);
        let exact = problem
            .exact(Part::Training, &x)
            .unwrap_or_else(|e| panic!("{e}"));
        values.push((exact, soft.unwrap_or_else(|e| panic!("{e}"))));
        let moved = file.at(&problem.values(&[50.0])).expect("known");
        let results = moved.run(&RunOptions::default(), &mut |_| true);
        let results = results.expect("runs").expect("all");
        let found = &results.histogram(0, 0).expect("filled").nominal[0].sums;
        assert_eq!(found[..], by_hand(&events, 1.0, 50.0));
    }
    assert!(values.iter().all(|v| v.0 == values[0].0), "{values:?}");
    // Widths are measured in the first chunk: of equal ones the soft values are equal, too.
    assert!(
        (values[0].1 / values[1].1 - 1.0).abs() < 1e-12,
        "{values:?}"
    );
}

/// Smearing by a known width widens a peak by it: jets of 100 GeV smeared by 10 %.
#[test]
fn a_smeared_peak_has_the_width_it_should_have() {
    let analysis = Analysis::new()
        .object(
            "near",
            Object::from("Jet").field("ratio", "(pt * (1 + 0.1 * jer)) / pt"),
        )
        .column("ratio", "near.ratio");
    let edges: Vec<f64> = (0..=200).map(|k| 0.5 + 0.005 * f64::from(k)).collect();
    let file = AnalysisFile::new("a peak", analysis)
        .seed(9)
        .draw(Draw::per_object("jer", "Jet", Random::Normal))
        .dataset(Input::simulated("tt", [folder().join("tt.parquet")]))
        .region("all", RegionKind::Control, ["count(Jet) >= 0"])
        .histogram("ratio", "ratio", edges.clone());
    let results = file.run(&RunOptions::default(), &mut |_| true);
    let results = results.unwrap_or_else(|e| panic!("{e}")).expect("all");
    let bins = &results.histogram(0, 0).expect("filled").nominal[0].sums;
    let n: f64 = bins.iter().sum();
    let moment = |power: i32| {
        let each = bins.iter().zip(&edges);
        each.map(|(b, e)| b * (e - 0.9975).powi(power)).sum::<f64>() / n
    };
    let (mean, variance) = (moment(1), moment(2) - moment(1).powi(2));
    // Bins add width²/12; the error of a width is σ/√(2n).
    let width = (variance - 0.005_f64.powi(2) / 12.0).sqrt();
    println!("{n} jets: mean {mean:.5}, width {width:.5}");
    assert!(n > 15_000.0 && mean.abs() < 4.0 * 0.1 / n.sqrt());
    assert!(
        (width - 0.1).abs() < 4.0 * 0.1 / (2.0 * n).sqrt(),
        "{width}"
    );
}

/// All distributions, of files whose events have no numbers: these are their places in the data set, over all files.
#[test]
fn events_without_numbers_are_told_apart_by_their_places() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data");
    let text = r#"
[analysis]
seed = 1
[datasets.a]
files = ["muons_zlib.root:Events", "muons_lz4.root:Events"]
[draws]
n = "normal"
u = "uniform"
e = { distribution = "exponential" }
p = "poisson"
m = { on = "Muon", distribution = "uniform" }
[regions.all]
kind = "control"
cuts = ["n == n"]
[histograms]
n = { edges = [-9, 0, 9] }
u = { edges = [0, 0.3, 1] }
e = { edges = [0, 1, 99] }
p = { edges = [0, 1, 99] }
m = { of = "Muon.m", edges = [0, 0.3, 1] }
"#;
    let file = AnalysisFile::from_text("a.toml", text, &folder).unwrap_or_else(|e| panic!("{e}"));
    let results = file.run(&RunOptions::default(), &mut |_| true);
    let results = results.unwrap_or_else(|e| panic!("{e}")).expect("all");
    let events = results.datasets[0].0;
    let key = |name: &str| Key::new(1, name).child("a").child("");
    let (exponential, poisson) = (
        Exponential::new(1.0).expect("a rate"),
        Poisson::new(1.0).expect("a mean"),
    );
    let count = |f: &dyn Fn(u64) -> bool| (0..events).filter(|k| f(*k)).count() as f64;
    let below: HashMap<&str, f64> = HashMap::from([
        (
            "n",
            count(&|k| Normal::standard().draw(key("n"), k, 0) < 0.0),
        ),
        (
            "u",
            count(&|k| Uniform::standard().draw(key("u"), k, 0) < 0.3),
        ),
        ("e", count(&|k| exponential.draw(key("e"), k, 0) < 1.0)),
        ("p", count(&|k| poisson.draw(key("p"), k, 0) == 0)),
    ]);
    for (k, plot) in file.histograms.iter().enumerate().take(4) {
        let bins = &results.histogram(k, 0).expect("filled").nominal[0].sums;
        let expected = below[plot.name.as_str()];
        assert_eq!(
            bins[..],
            [expected, events as f64 - expected],
            "{}",
            plot.name
        );
        assert!(expected > 0.1 * events as f64 && expected < 0.9 * events as f64);
    }
    // Lists begin anew in the second file, and places do not.
    let names = ["muons_zlib.root:Events", "muons_lz4.root:Events"];
    let data = Dataset::open(&names.map(|f| folder.join(f).display().to_string()));
    let data = data.expect("opens");
    let chunk = data.read(&["Muon_pt"], 0..data.entries()).expect("reads");
    let offsets = chunk.columns[0].offsets().expect("lists");
    let mut low = 0.0;
    for (event, ends) in offsets.windows(2).enumerate() {
        let u = |step| Uniform::standard().draw(key("Muon.m"), event as u64, step as u32);
        low += (0..ends[1] - ends[0]).filter(|step| u(*step) < 0.3).count() as f64;
    }
    let m = &results.histogram(4, 0).expect("filled").nominal[0].sums;
    assert_eq!(m[..], [low, 670.0 - low]);
}

/// What a file says is what calls say.
#[test]
fn calls_say_what_a_file_says() {
    let analysis = Analysis::new()
        .parameter("resolution", "1")
        .parameter("cut", "40")
        .object(
            "jets",
            Object::from("Jet")
                .field("pt", "pt * (1 + 0.1 * resolution * jer)")
                .filter("pt > cut and abs(eta) < 2.5"),
        )
        .column("ht", "sum(jets.pt)");
    let effect = Effect::Parameter {
        name: "resolution".into(),
        up: 1.1,
        down: 0.9,
        evaluated: Evaluated::Again,
    };
    let file = AnalysisFile::new("", analysis)
        .seed(5)
        .draw(Draw::per_object("jer", "Jet", Random::Normal))
        .draw(Draw::per_event("boot", Random::Poisson))
        .dataset(Input::simulated("tt", [folder().join("tt.parquet")]).weight("boot"))
        .region("CR", RegionKind::Control, ["count(jets) >= 2"])
        .histogram("ht", "ht", EDGES)
        .systematic("jer", &["tt"], effect)
        .fit(FitModel::new(&["tt"], &[(0, 0)]))
        .unwrap_or_else(|e| panic!("{e}"));
    let results = file.run(&RunOptions::default(), &mut |_| true);
    let results = results.unwrap_or_else(|e| panic!("{e}")).expect("all");
    assert_eq!(results.histograms, run(FILE).histograms);
    assert!(read(FILE).is_ok_and(|f| {
        f.optimisation
            .is_some_and(|o| matches!(o.free[0], Free::Parameter { .. }))
    }));
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (old, new, message) in [
        (
            "on = \"Jet\"",
            "on = \"Jets\"",
            "there is no collection of the files `Jets`; did you mean `Jet`? (a.toml, draws.jer, line 8",
        ),
        ("on = \"Jet\"", "on = \"jets\"", "did you mean `Jet`"),
        (
            "on = \"Jet\"",
            "of = \"Jet\"",
            "there is no key `draws.jer.of`; did you mean `on`?",
        ),
        (
            "\"normal\"",
            "\"gauss\"",
            "there is no distribution `gauss`",
        ),
        ("\"poisson\"", "\"poison\"", "did you mean `poisson`?"),
        (
            "boot = \"poisson\"",
            "boot = { on = \"Jet\" }",
            "`draws.boot` has no `distribution`",
        ),
        (
            "boot = \"poisson\"",
            "\"a b\" = \"poisson\"",
            "`a b` cannot be defined",
        ),
        (
            "jer = { on",
            "pt = { on",
            "`pt` cannot be defined: the files have a column `Jet_pt`",
        ),
        (
            "boot = \"poisson\"",
            "boot = \"poisson\"\nht = \"normal\"",
            "`ht` cannot be defined",
        ),
        ("seed = 5", "seed = -5", "a whole number from 0 on"),
        (
            "weight = \"boot\"",
            "weight = \"boost\"",
            "did you mean `boot`",
        ),
    ] {
        assert!(FILE.contains(old), "{old}");
        let file = read(&FILE.replacen(old, new, 1));
        let error = file.and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
        let text = error.expect_err(message).to_string();
        assert!(text.contains(message), "{text}\nexpected {message}");
    }
}
