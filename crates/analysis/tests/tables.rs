//! Binned tables: equal to loops, from files, without derivatives that are silently zero, refused with their place.

mod support;

use std::collections::HashMap;
use std::path::Path;

use pullback_ad::{Complex, Real, complex_step};
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{RunOptions, Shift};
use pullback_analysis::tables::{Outside, Select, Table};
use pullback_analysis::{Analysis, Input, Object};
use pullback_array::transform::{Relaxation, Smoothing, jvp, relax};
use pullback_array::{Bindings, Lowered, explain};
use pullback_io::root::File;
use pullback_io::{Dataset, Values as Read};
use pullback_sim::Process;
use support::{Data, Values, close, two_events};

const PT: [f64; 4] = [20.0, 30.0, 60.0, 120.0];
const ETA: [f64; 3] = [0.0, 1.1, 2.4];
const SF: [f64; 6] = [0.91, 0.92, 0.93, 0.94, 0.95, 0.96];

/// The number of a value along each axis, as a loop finds it.
fn by_hand(x: f64, y: f64, outside: Outside) -> f64 {
    let bin = |x: f64, edges: &[f64]| {
        let above = edges.iter().filter(|e| **e <= x).count();
        let inside = above > 0 && above < edges.len();
        match outside {
            _ if x.is_nan() => None,
            Outside::Clamp => Some(above.clamp(1, edges.len() - 1) - 1),
            _ => inside.then(|| above - 1),
        }
    };
    match (bin(x, &PT), bin(y, &ETA), outside) {
        (Some(i), Some(j), _) => SF[2 * i + j],
        (_, _, Outside::Value(v)) => v,
        _ => f64::NAN,
    }
}

fn table() -> Table {
    Table::new(SF)
        .axis_in("pt", PT, "GeV")
        .axis("abseta", ETA)
        .variation("up", SF.map(|x| x + 0.01))
}

#[test]
fn a_lookup_equals_a_loop_per_object_and_per_event() {
    let data = Data::generated(Process::TTbar, 3, 3000);
    let (pt, offsets) = data.get("Jet_pt");
    let (pt, eta) = (pt.f64(), data.get("Jet_eta").0.f64());
    for outside in [Outside::Clamp, Outside::Error, Outside::Value(1.5)] {
        let analysis = Analysis::new()
            .table("sf", table().outside(outside))
            .column("one", "sf(Jet.pt, abs(Jet.eta))")
            .column(
                "ratio",
                "sf.up(Jet.pt, abs(Jet.eta)) - sf(Jet.pt, abs(Jet.eta))",
            )
            .column("lead", "sf(leading(Jet).pt, abs(leading(Jet).eta))")
            .column("all", "sf(25 GeV, 1.1)");
        let expected: Vec<f64> = (pt.iter().zip(&eta))
            .map(|(x, y)| by_hand(*x, y.abs(), outside))
            .collect();
        assert_eq!(data.evaluate(&analysis, "one").len(), pt.len());
        assert!(close(&data.evaluate(&analysis, "one"), &expected, 0.0));
        if outside != Outside::Error {
            let ratio = data.evaluate(&analysis, "ratio");
            let moved = |(d, e): (&f64, &f64)| *e == 1.5 || (d - 0.01).abs() < 1e-12;
            assert!(ratio.iter().zip(&expected).all(moved));
        }
        let lead: Vec<f64> = (offsets.windows(2))
            .map(|w| {
                let of = w[0] as usize..w[1] as usize;
                let best = of.max_by(|a, b| pt[*a].total_cmp(&pt[*b]));
                best.map_or(f64::NAN, |k| by_hand(pt[k], eta[k].abs(), outside))
            })
            .collect();
        assert!(close(&data.evaluate(&analysis, "lead"), &lead, 0.0));
        assert!(data.evaluate(&analysis, "all").iter().all(|x| *x == 0.92));
    }
}

#[test]
fn edges_belong_to_the_bin_above_and_nan_to_none() {
    let at = [
        19.9,
        20.0,
        30.0,
        119.9,
        120.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let mut data = Data::default();
    data.add("x", Values::F64(at.to_vec()), None);
    for outside in [Outside::Clamp, Outside::Error, Outside::Value(7.0)] {
        let one = Table::new([1.0, 2.0, 3.0]).axis("x", PT).outside(outside);
        let analysis = Analysis::new().table("t", one).column("y", "t(x)");
        let (low, high, nan) = match outside {
            Outside::Clamp => (1.0, 3.0, f64::NAN),
            Outside::Error => (f64::NAN, f64::NAN, f64::NAN),
            Outside::Value(v) => (v, v, v),
        };
        let expected = [low, 1.0, 2.0, 3.0, high, high, low, nan];
        assert!(close(&data.evaluate(&analysis, "y"), &expected, 0.0));
    }
}

/// No derivative passes through a bin: `explain` says so by the name of the table, and a relaxation refuses it by that name.
#[test]
fn the_decision_is_known_by_the_name_of_the_table() {
    let data = Data::generated(Process::TTbar, 3, 500);
    let analysis = Analysis::new()
        .parameter("scale", "1")
        .table("sf", table())
        .column("w", "sf(scale * MET.pt, 0.5)")
        .histogram(
            "h",
            pullback_analysis::Histogram::new("0 * MET.pt", [-1.0, 1.0]).weight("w"),
        );
    let compiled = analysis
        .check(&data.schema())
        .and_then(|m| m.compile(&["h"]))
        .expect("compiles");
    let (met, scale) = (data.get("MET_pt").0.column(), [1.0]);
    let columns: Vec<_> = (compiled.inputs.iter())
        .map(|i| {
            if i.column().is_some() {
                met
            } else {
                (&scale).into()
            }
        })
        .collect();
    let mut program = compiled.program.clone();
    let bindings = Bindings::ordered(&columns)
        .size(&program, "events", 500)
        .expect("binds");
    let b = pullback_array::Builder::resume(&program);
    let sum = b.sym(program.outputs()[0].1).sum_all();
    program = b.finish(&[("sum", sum)]).expect("a program");
    let found = explain(&program, &bindings, "sum", &["scale"])
        .expect("explains")
        .to_string();
    assert!(found.contains("bin_index `sf pt`"), "{found}");
    assert!(found.contains("no path carries a derivative"), "{found}");
    let policy = Relaxation::all(Smoothing::Sigmoid, 1.0);
    let refused = relax(&compiled.program, &policy)
        .expect_err("it cannot be soft")
        .to_string();
    assert!(refused.contains("sf"), "{refused}");
    // What does not move is not taken.
    assert!(
        relax(
            &compiled.program,
            &Relaxation::moving(Smoothing::Sigmoid, &[])
        )
        .is_ok()
    );
}

/// A weight that is a product over objects equals a loop.
#[test]
fn products_equal_a_loop() {
    let data = Data::generated(Process::TTbar, 5, 2000);
    let analysis = Analysis::new()
        .table("sf", table())
        .object("good", Object::from("Jet").filter("pt > 150"))
        .column("w", "product(sf(good.pt, abs(good.eta)))")
        .column("v", "product(sf(Jet.pt, abs(Jet.eta)) where Jet.pt > 150)");
    let (pt, offsets) = data.get("Jet_pt");
    let (pt, eta) = (pt.f64(), data.get("Jet_eta").0.f64());
    let expected: Vec<f64> = (offsets.windows(2))
        .map(|w| {
            let good = (w[0] as usize..w[1] as usize).filter(|k| pt[*k] > 150.0);
            good.map(|k| by_hand(pt[k], eta[k].abs(), Outside::Clamp))
                .product()
        })
        .collect();
    assert!(expected.contains(&1.0));
    assert!(close(&data.evaluate(&analysis, "w"), &expected, 1e-14));
    assert!(close(&data.evaluate(&analysis, "v"), &expected, 1e-14));
    let analysis = Analysis::new().column("w", "product(Jet.pt)");
    let error = analysis
        .check(&data.schema())
        .expect_err("a product of GeV");
    assert_eq!(error.code(), "PB0808");
}

/// A product over members of a soft collection: each has the factor 1 + d(w − 1), and so its derivative; narrow decisions give the hard product.
#[test]
fn products_of_soft_members() {
    let data = two_events();
    let analysis = Analysis::new()
        .parameter("cut", "30")
        .table("sf", table())
        .object("good", Object::from("Jet").filter("pt > cut"))
        .column("w", "product(sf(good.pt, abs(good.eta)))");
    let compiled = analysis
        .check(&data.schema())
        .and_then(|m| m.compile(&["w"]))
        .expect("compiles");
    let jets = [
        vec![(50.0, 0.6), (100.0, 0.4), (20.0, 1.6)],
        vec![(80.0, 1.0)],
    ];
    let at = |cut: Complex, width: f64, jets: &[(f64, f64)]| {
        jets.iter()
            .fold(Complex::constant(1.0), |product, (pt, eta)| {
                let degree = ((-cut + *pt) / width).sigmoid();
                product * (degree * (by_hand(*pt, *eta, Outside::Clamp) - 1.0) + 1.0)
            })
    };
    for width in [5.0, 1e-3] {
        let policy = Relaxation::only(Smoothing::Sigmoid).with("good", width);
        let soft = relax(&compiled.program, &policy).expect("relaxes");
        let lowered = Lowered::new(soft.clone()).expect("lowers");
        let mut ws = lowered.workspace();
        data.run_again(&lowered, &mut ws, &compiled.inputs, &HashMap::new());
        let expected: Vec<f64> = jets
            .iter()
            .map(|j| at(Complex::constant(30.0), width, j).re)
            .collect();
        assert!(
            close(ws.f64(0), &expected, 1e-14),
            "{:?} {expected:?}",
            ws.f64(0)
        );
        let tangent = Lowered::new(jvp(&soft, &["cut"]).expect("differentiates")).expect("lowers");
        let mut ws = tangent.workspace();
        let mut inputs = compiled.inputs.clone();
        inputs.push(Input::Parameter {
            name: "d_cut".into(),
            start: vec![1.0],
        });
        data.run_again(&tangent, &mut ws, &inputs, &HashMap::new());
        let slope = |j: &Vec<(f64, f64)>| complex_step(|cut| at(cut, width, j), 30.0);
        let expected: Vec<f64> = jets.iter().map(slope).collect();
        assert!(
            close(ws.f64(1), &expected, 1e-13),
            "{:?} {expected:?}",
            ws.f64(1)
        );
    }
    assert_eq!(data.evaluate(&analysis, "w"), [0.93 * 0.95, 0.95]);
}

/// A table of the members of a soft collection keeps its numbers; members count by their degrees.
#[test]
fn tables_of_soft_members() {
    let data = two_events();
    let analysis = Analysis::new()
        .parameter("cut", "30")
        .table("sf", table())
        .object("good", Object::from("Jet").filter("pt > cut"))
        .column("w", "sum(sf(good.pt, abs(good.eta)))");
    let compiled = analysis
        .check(&data.schema())
        .and_then(|m| m.compile(&["w"]))
        .expect("compiles");
    let policy = Relaxation::only(Smoothing::Sigmoid).with("good", 5.0);
    let soft = Lowered::new(relax(&compiled.program, &policy).expect("relaxes")).expect("lowers");
    let mut ws = soft.workspace();
    data.run_again(&soft, &mut ws, &compiled.inputs, &HashMap::new());
    let degree = |pt: f64| 1.0 / (1.0 + ((30.0 - pt) / 5.0).exp());
    let member = |pt: f64, eta: f64| degree(pt) * by_hand(pt, eta, Outside::Clamp);
    let expected = [
        member(50.0, 0.6) + member(100.0, 0.4) + member(20.0, 1.6),
        member(80.0, 1.0),
    ];
    assert!(
        close(ws.f64(0), &expected, 1e-14),
        "{:?} {expected:?}",
        ws.f64(0)
    );
}

fn own(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

#[test]
fn correctionlib_agrees() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("data/corrections_reference.json")).expect("JSON");
    let numbers = |key: &str| -> Vec<f64> {
        let list = reference[key].as_array().expect("a list").iter();
        list.map(|x| x.as_f64().expect("a number")).collect()
    };
    let pick = |kind: &str| [("kind".to_owned(), kind.to_owned())].into();
    let mut select = Select::default();
    select.with.insert("year".into(), "2018".into());
    select.with.insert("kind".into(), "nominal".into());
    select.variations.push(("up".into(), pick("systup")));
    select.variations.push(("down".into(), pick("systdown")));
    let muon = Table::open(own("corrections.json"), Some("muon"), &select).expect("reads");
    let mut select = Select::default();
    select.with.insert("flavour".into(), "5".into());
    let jets = Table::open(own("corrections.json"), Some("jets"), &select).expect("reads");
    let mut data = Data::default();
    data.add("x_eta", Values::F64(numbers("eta")), None);
    data.add("x_pt", Values::F64(numbers("pt")), None);
    for (key, text) in [
        ("nominal", "muon(x_eta, x_pt)"),
        ("systup", "muon.up(x_eta, x_pt)"),
        ("systdown", "muon.down(x_eta, x_pt)"),
        ("jets", "jets(x_eta, x_pt)"),
    ] {
        let analysis = Analysis::new()
            .table("muon", muon.clone())
            .table("jets", jets.clone());
        let found = data.evaluate(&analysis.column("value", text), "value");
        for (k, (a, b)) in found.iter().zip(numbers(key)).enumerate() {
            // correctionlib reads decimal numbers to within one unit in the last place.
            assert!((a - b).abs() <= 3e-16 * b.abs(), "{key} {k}: {a} {b}");
        }
    }
}

#[test]
fn files_that_hold_no_table_are_refused() {
    let mut year = Select::default();
    year.with.insert("year".into(), "2018".into());
    let mut other = Select::default();
    other.with.insert("flavour".into(), "4".into());
    for (name, object, select, words) in [
        ("corrections.json", "muons", &year, "is not in the file"),
        (
            "corrections.json",
            "muon",
            &Select::default(),
            "depends on `year`, which is one of 2018",
        ),
        (
            "corrections.json",
            "muon",
            &year,
            "depends on `kind`, which is one of nominal, systup, systdown",
        ),
        (
            "corrections.json",
            "jets",
            &other,
            "has no `4` for `flavour`",
        ),
        (
            "corrections.json",
            "formula",
            &Select::default(),
            "`formula`",
        ),
        (
            "corrections_reference.json",
            "muon",
            &year,
            "is no correctionlib file of schema 2",
        ),
    ] {
        let error = Table::open(own(name), Some(object), select).expect_err(words);
        assert_eq!(error.code(), "PB0818");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(
        Table::open(own("gone.json"), Some("a"), &year)
            .expect_err("gone")
            .code(),
        "PB0814"
    );
}

const CSV: &str = "eta_low,eta_high,pt_low,pt_high,value,error\n0,1,20,30,0.9,0.1\n0,1,30,50,0.8,0.2\n1,2.5,30,50,0.6,0.4\n1,2.5,20,30,0.7,0.3\n";

#[test]
fn csv_has_a_row_per_bin_in_any_order() {
    let folder = std::env::temp_dir().join(format!("pullback-tables-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("sf.csv");
    let read = |text: &str| {
        std::fs::write(&path, text).expect("writes");
        Table::open(&path, None, &Select::default())
    };
    let analysis = Analysis::new().table("sf", read(CSV).expect("reads"));
    let analysis = analysis
        .column("a", "sf(abs(Jet.eta), Jet.pt)")
        .column("b", "sf.up(abs(Jet.eta), Jet.pt)");
    assert_eq!(two_events().evaluate(&analysis, "a"), [0.8, 0.8, 0.7, 0.6]);
    assert!(close(
        &two_events().evaluate(&analysis, "b"),
        &[1.0, 1.0, 1.0, 1.0],
        1e-15
    ));
    for (from, to, words) in [
        ("value", "sf", "has no column `value`"),
        ("pt_high", "pt_up", "has no column `pt_high`"),
        ("1,2.5,20,30,0.7,0.3\n", "", "has 3 rows for 4 bins"),
        ("1,2.5,20,30,", "1,2.5,30,50,", "has the bin of row 4 twice"),
        (
            "1,2.5,20,30,",
            "1,2.5,20,35,",
            "has gaps or overlaps along `pt`",
        ),
        (
            "0.7,",
            "x,",
            "has something else than numbers in the column `value`",
        ),
        (
            "eta_low,eta_high",
            "eta_high,eta_low",
            "and no `eta_low` before it",
        ),
    ] {
        let error = read(&CSV.replacen(from, to, 1)).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
    }
    std::fs::remove_dir_all(&folder).expect("removes");
}

fn io_data() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data")
}

const FILE: &str = r#"
[datasets.a]
files = "muons_none.root:Events"
weight = "trigger(count(Muon), lead) * sf(lead)"
[tables.sf]
axes = { pt = ["10 GeV", "20 GeV", "40 GeV"] }
values = [0.9, 1.1]
error = 0.1
[tables.trigger]
file = "histograms.root:plane"
[columns]
lead = "default(max(Muon.pt), 0)"
[regions.all]
cuts = []
[histograms.lead]
edges = [0, 15, 30, 1000]
outside = "clamp"
[systematics]
sf = { weight = ["sf.up(lead) / sf(lead)", "sf.down(lead) / sf(lead)"] }
"#;

fn read(text: &str) -> Result<AnalysisFile, pullback_analysis::Error> {
    AnalysisFile::from_text("a.toml", text, &io_data())
}

/// A run whose weights are tables, one of them a histogram of ROOT, equals a loop.
#[test]
fn weights_from_a_file_equal_a_loop() {
    let results = read(FILE).and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
    let results = results.expect("runs").expect("to its end");
    let histogram = File::open(io_data().join("histograms.root"))
        .expect("opens")
        .histogram("plane");
    let plane = histogram.expect("it is there");
    let bin = |x: f64, edges: &[f64]| {
        let above = edges.iter().filter(|e| **e <= x).count();
        above.clamp(1, edges.len() - 1)
    };
    let path = io_data().join("muons_none.root").display().to_string();
    let data = Dataset::open(&[format!("{path}:Events")]).expect("opens");
    let chunk = data.read(&["Muon_pt"], 0..data.entries()).expect("reads");
    let Read::F32(pt) = chunk.columns[0].values() else {
        panic!("a float");
    };
    let [mut sums, mut up] = [[0.0; 3]; 2];
    for w in chunk.columns[0].offsets().expect("a list").windows(2) {
        let muons = &pt[w[0] as usize..w[1] as usize];
        let lead = muons.iter().fold(0.0, |m: f64, x| m.max(f64::from(*x)));
        // Files have the first axis running fastest, and bins of under- and overflow.
        let (x, y) = (&plane.axes[0].edges, &plane.axes[1].edges);
        let trigger = plane.values[bin(muons.len() as f64, x) + (x.len() + 1) * bin(lead, y)];
        let k = bin(lead, &[0.0, 15.0, 30.0, 1000.0]) - 1;
        let sf = if lead < 20.0 { 0.9 } else { 1.1 };
        sums[k] += trigger * sf;
        up[k] += trigger * (sf + 0.1);
    }
    let filled = results.histogram(0, 0).expect("filled");
    assert!(sums.iter().filter(|s| **s != 0.0).count() > 1, "{sums:?}");
    assert!(close(&filled.nominal[0].sums, &sums, 1e-12));
    let varied = filled
        .variations
        .iter()
        .find(|v| v.1 == Shift::Up)
        .expect("varied");
    assert!(close(&varied.2[0].as_ref().expect("acts").sums, &up, 1e-12));
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, words) in [
        (
            "values = [0.9, 1.1]",
            "values = [0.9]",
            "1 numbers do not fit to 2 bins (a.toml, tables.sf.values, line 7",
        ),
        (
            "values = [0.9, 1.1]",
            "values = [[0.9], 1.1]",
            "the lists are not equally long",
        ),
        (
            "values = [0.9, 1.1]",
            "values = [0.9, 'x']",
            "expected numbers",
        ),
        ("values = [0.9, 1.1]", "", "`tables.sf` has no numbers"),
        (
            "\"20 GeV\", \"40 GeV\"",
            "\"20 GeV\", \"40 mm\"",
            "the units differ",
        ),
        (
            "\"20 GeV\", \"40 GeV\"",
            "\"40 GeV\", \"20 GeV\"",
            "has edges of `pt` that do not rise",
        ),
        (
            "error = 0.1",
            "error = 0.1\nup = [1, 2]",
            "`error` gives `up` and `down` already",
        ),
        (
            "error = 0.1",
            "outside = 'drop'",
            "there is no policy `drop`",
        ),
        ("error = 0.1", "erorr = 0.1", "did you mean `error`?"),
        (
            "error = 0.1",
            "with = { a = 1 }",
            "there is no file to select from",
        ),
        (
            "sf(lead)\"",
            "sf(count(Muon), lead)\"",
            "the table `sf` takes 1 argument, not 2",
        ),
        (
            "sf(lead)\"",
            "sfs(lead)\"",
            "there is no function `sfs`; did you mean `sf`?",
        ),
        (
            "sf(lead)\"",
            "sf.updown(lead)\"",
            "there is no variation `updown`; did you mean `down`?",
        ),
        ("sf(lead)\"", "sf\"", "`sf` is a table, which is no value"),
        (
            "sf(lead)\"",
            "sf(2 mm)\"",
            "`2 mm` (mm) and the axis `pt` (GeV) do not have the same unit",
        ),
        (
            "[tables.sf]",
            "[tables.abs]",
            "`abs` cannot be defined: a function has that name",
        ),
        (
            "histograms.root:plane",
            "histograms.root",
            "may have several tables",
        ),
        ("histograms.root:plane", "histograms.root:plain", "plain"),
        (
            "histograms.root:plane",
            "muons.txt",
            "is of no kind that tables are read from",
        ),
    ] {
        assert!(FILE.contains(from), "{from}");
        let result = read(&FILE.replacen(from, to, 1))
            .and_then(|f| f.run(&RunOptions::default(), &mut |_| true));
        let error = result.expect_err(words).to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
    // What is outside is an error at the end of the run.
    let text = FILE.replacen("error = 0.1", "error = 0.1\noutside = 'error'", 1);
    let error = read(&text)
        .and_then(|f| f.run(&RunOptions::default(), &mut |_| true))
        .expect_err("outside");
    assert!(
        error.to_string().contains("some weights of `a` are NaN"),
        "{error}"
    );
}
