//! The eight queries of the ADL benchmark (<https://github.com/iris-hep/adl-benchmarks-index>), each a few lines.
//!
//! On files of CMS open data, where they are present, they equal an independent computation by NumPy and Awkward, stored with the script that made it
//! (`scripts/adl_reference.py`). On generated events they equal loops over events written here.

#[path = "../support/mod.rs"]
mod support;

mod by_hand;

use std::collections::HashMap;
use std::path::PathBuf;

use by_hand::Event;
use pullback_analysis::{Analysis, Histogram, Object, Schema, What};
use pullback_array::Lowered;
use pullback_io::{Column, Dataset};
use pullback_sim::Process;
use support::{Data, close};

/// Each histogram: name, bins, ends.
const BINNING: [(&str, usize, f64, f64); 9] = [
    ("q1", 50, 0.0, 200.0),
    ("q2", 50, 0.0, 200.0),
    ("q3", 50, 0.0, 200.0),
    ("q4", 50, 0.0, 200.0),
    ("q5", 50, 0.0, 200.0),
    ("q6_pt", 40, 0.0, 400.0),
    ("q6_btag", 20, -1.0, 1.0),
    ("q7", 50, 0.0, 500.0),
    ("q8", 25, 0.0, 250.0),
];

/// The queries. What each fills is a column, so that its values can be looked at, too.
fn queries(btag: &str) -> Analysis {
    let mut analysis = Analysis::new()
        // 1. ETmiss of all events.
        .column("q1", "MET.pt")
        // 2. pT of all jets.
        .column("q2", "Jet.pt")
        // 3. pT of jets with |η| < 1.
        .column("q3", "Jet.pt where abs(eta) < 1")
        // 4. ETmiss of events that have at least two jets with pT > 40 GeV.
        .column("q4", "MET.pt where count(Jet.pt > 40 GeV) >= 2")
        // 5. ETmiss of events that have an opposite-charge muon pair with an invariant mass between 60 and 120 GeV.
        .object(
            "mm",
            Object::combine("Muon as a, Muon as b").filter("a.charge != b.charge"),
        )
        .column(
            "q5",
            "MET.pt where any(60 GeV < mass(mm.a + mm.b) < 120 GeV)",
        )
        // 6. pT of the trijet with the mass closest to 172.5 GeV, and the largest b-tag of its jets.
        .column("trijet", "triples(Jet).a + triples(Jet).b + triples(Jet).c")
        .column("top", "argmin(abs(mass(trijet) - 172.5 GeV))")
        .column("q6_pt", "trijet.pt[top]")
        .column(
            "q6_btag",
            format!("max(top.a.{btag}, top.b.{btag}, top.c.{btag})"),
        )
        // 7. Scalar sum of the pT of jets with pT > 30 GeV that are not within 0.4 in ΔR of a light lepton with pT > 10 GeV.
        .object("leptons", Object::union("Muon, Electron"))
        .column(
            "q7",
            "sum(Jet.pt where pt > 30 GeV and not near(leptons where pt > 10 GeV, 0.4))",
        )
        // 8. Events with at least three light leptons and a same-flavour opposite-charge pair: of the pair closest to 91.2 GeV, the transverse mass of the
        //    missing momentum and the leading lepton that is not in it.
        .object(
            "ll",
            Object::combine("leptons as a, leptons as b")
                .filter("a.source == b.source and a.charge != b.charge"),
        )
        .column("z", "argmin(abs(mass(ll.a + ll.b) - 91.2 GeV))")
        .column("other", "leading(leptons where it != z.a and it != z.b)")
        .column(
            "q8",
            "transverse_mass(other, MET) where count(leptons) >= 3",
        );
    for (name, bins, low, high) in BINNING {
        let h = Histogram::uniform(name, bins, low, high);
        analysis = analysis.histogram(format!("h_{name}"), h);
    }
    analysis
}

/// What a query filled: contents of the bins, and all values.
struct Filled {
    bins: Vec<f64>,
    values: Vec<f64>,
}

fn names() -> Vec<String> {
    let names = BINNING
        .iter()
        .flat_map(|q| [q.0.to_owned(), format!("h_{}", q.0)]);
    names.collect()
}

/// Results of a workspace, by query.
fn results(
    compiled: &pullback_analysis::Compiled,
    ws: &pullback_array::Workspace,
) -> HashMap<String, Filled> {
    let at = |of: &str, what| compiled.output(of, what).expect("it was asked for");
    BINNING
        .iter()
        .map(|(name, ..)| {
            let values = ws.f64(at(name, What::Values)).iter().copied();
            let filled = Filled {
                bins: ws.f64(at(&format!("h_{name}"), What::Bins)).to_vec(),
                values: values.filter(|x| !x.is_nan()).collect(),
            };
            ((*name).to_owned(), filled)
        })
        .collect()
}

#[test]
fn on_open_data_they_equal_numpy_and_awkward() {
    let text = include_str!("../data/adl_reference.json");
    let reference: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (file, btag) in [
        (
            "skhep-testdata/nanoAOD_2015_CMS_Open_Data_ttbar.root",
            "btagDeepFlavB",
        ),
        ("coffea-samples/nano_dy.root", "btagDeepFlavB"),
        ("coffea-samples/nano_dimuon.root", "btagDeepFlavB"),
    ] {
        let path = shared.join(file);
        if !path.exists() {
            eprintln!("skipped: {} is not there", path.display());
            continue;
        }
        let data = Dataset::open(&[format!("{}:Events", path.display())]).expect("a file");
        let schema = Schema::of_table(data.schema());
        let model = queries(btag)
            .check(&schema)
            .unwrap_or_else(|e| panic!("{e}"));
        let names = names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let compiled = model.compile(&names).unwrap_or_else(|e| panic!("{e}"));
        let needed = compiled.columns();
        assert!(needed.len() < 25, "{needed:?}"); // Of some thousand columns.
        let mut chunk = data.read(&needed, 0..data.entries()).expect("columns");
        chunk.columns = chunk.columns.into_iter().map(Column::widen).collect();
        let lowered = Lowered::new(compiled.program.clone()).unwrap_or_else(|e| panic!("{e}"));
        let mut ws = lowered.workspace();
        let bindings = compiled.bind(&chunk, &[]).unwrap_or_else(|e| panic!("{e}"));
        lowered
            .run(&mut ws, &bindings)
            .unwrap_or_else(|e| panic!("{e}"));
        let found = results(&compiled, &ws);
        let key = path.file_name().expect("a name").to_string_lossy();
        for (name, ..) in BINNING {
            let (expected, found) = (&reference[&*key][name], &found[name]);
            let number = |v: &serde_json::Value| v.as_f64().expect("a number");
            let bins: Vec<f64> = expected["bins"]
                .as_array()
                .expect("bins")
                .iter()
                .map(number)
                .collect();
            assert_eq!(found.bins, bins, "{key}, {name}");
            assert_eq!(
                found.values.len() as f64,
                number(&expected["entries"]),
                "{key}, {name}"
            );
            let sum: f64 = found.values.iter().sum();
            assert!(
                close(&[sum], &[number(&expected["sum"])], 1e-11),
                "{key}, {name}: {sum}"
            );
        }
    }
}

/// Generated events as columns.
fn generated(process: Process, events: usize) -> Data {
    Data::generated(process, 20_251, events)
}

/// Other blocks, other threads, the same bits.
fn same_bits_whatever_the_blocks(
    data: &Data,
    compiled: &pullback_analysis::Compiled,
    expected: &HashMap<String, Filled>,
) {
    let lowered = Lowered::new(compiled.program.clone()).unwrap_or_else(|e| panic!("{e}"));
    for (threads, block) in [(1, 1), (2, 100), (3, 1_000_000)] {
        let mut ws = lowered.workspace_with(threads, block);
        data.run_again(&lowered, &mut ws, &compiled.inputs, &HashMap::new());
        let found = results(compiled, &ws);
        for (name, ..) in BINNING {
            let bits = |q: &HashMap<String, Filled>| -> Vec<u64> {
                let all = q[name].values.iter().chain(&q[name].bins);
                all.map(|x| x.to_bits()).collect()
            };
            assert!(
                bits(&found) == bits(expected),
                "{name}, {threads} threads, {block}"
            );
        }
    }
}

#[test]
fn on_generated_events_they_equal_loops() {
    // Four leptons for the last query, jets for the others.
    for (process, events) in [
        (Process::HTo4L, 3000),
        (Process::TTbar, 3000),
        (Process::ZToLL, 3000),
    ] {
        let data = generated(process, events);
        let model = queries("btagDeepFlavB")
            .check(&data.schema())
            .unwrap_or_else(|e| panic!("{e}"));
        let names = names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let compiled = model.compile(&names).unwrap_or_else(|e| panic!("{e}"));
        let (_, ws) = data.run(&compiled, &HashMap::new());
        let found = results(&compiled, &ws);
        same_bits_whatever_the_blocks(&data, &compiled, &found);
        let expected = by_hand::queries(&Event::all(&data));
        for (name, bins, low, high) in BINNING {
            let (found, expected) = (&found[name], &expected[name]);
            assert!(
                close(&found.values, expected, 1e-9),
                "{process:?}, {name}: {} and {} values",
                found.values.len(),
                expected.len()
            );
            assert_eq!(
                found.bins,
                by_hand::histogram(expected, bins, low, high),
                "{process:?}, {name}"
            );
        }
        let enough = |q: &str, least: usize| {
            assert!(
                found[q].values.len() >= least,
                "{process:?}, {q}: {} values",
                found[q].values.len()
            );
        };
        match process {
            Process::HTo4L => enough("q8", 500),
            Process::TTbar => enough("q6_pt", 1000),
            _ => enough("q5", 300),
        }
    }
}
