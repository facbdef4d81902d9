//! What names of columns say, and columns that are not as the schema said.

mod support;

use std::sync::Arc;

use pullback_analysis::{Analysis, Error, Schema, schema};
use pullback_array::{DType, Lowered};
use pullback_io::{Chunk, Column, Values as Read};
use support::{Data, Values, close};

#[test]
fn four_vectors_are_known_by_components_of_either_kind() {
    let mut data = Data::default();
    let offsets = [0, 2, 2];
    for (name, values) in [
        ("Muon_Px", [3.0, 0.0]),
        ("Muon_Py", [4.0, -6.0]),
        ("Muon_Pz", [0.0, 8.0]),
        ("Muon_E", [13.0, 10.0]),
    ] {
        data.add(name, Values::F32(values.to_vec()), Some(&offsets));
    }
    data.add("MET_px", Values::F32(vec![1.0, 2.0]), None);
    assert_eq!(data.value("Muon.pt"), [5.0, 6.0]);
    assert!(close(&data.value("Muon.mass"), &[12.0, 0.0], 1e-14));
    assert!(close(
        &data.value("Muon.eta"),
        &[0.0, (8.0_f64 / 6.0).asinh()],
        1e-14
    ));
    assert!(close(
        &data.value("Muon.rapidity"),
        &[0.0, 0.8_f64.atanh()],
        1e-14
    ));
    assert!(close(
        &data.value("mass(sum(Muon))"),
        &[(23.0_f64 * 23.0 - 9.0 - 4.0 - 64.0).sqrt(), 0.0],
        1e-14
    ));
    assert!(close(
        &data.value("leading(Muon).phi"),
        &[-std::f64::consts::FRAC_PI_2, f64::NAN],
        1e-14
    ));
}

#[test]
fn physlite_is_in_mev() {
    let mut data = Data::default();
    for (name, values) in [
        ("AnalysisJetsAuxDyn.pt", [50_000.0, 30_000.0]),
        ("AnalysisJetsAuxDyn.eta", [0.5, 1.0]),
        ("AnalysisJetsAuxDyn.phi", [0.0, 3.0]),
        ("AnalysisJetsAuxDyn.m", [5000.0, 4000.0]),
    ] {
        data.add(name, Values::F32(values.to_vec()), Some(&[0, 2]));
    }
    data.add(
        "EventInfoAuxDyn.actualInteractionsPerCrossing",
        Values::F32(vec![30.0]),
        None,
    );
    assert_eq!(data.value("AnalysisJets.pt"), [50.0, 30.0]);
    assert_eq!(data.value("AnalysisJets.mass"), [5.0, 4.0]);
    assert_eq!(data.value("sum(AnalysisJets.pt where pt > 40 GeV)"), [50.0]);
    assert_eq!(
        data.value("EventInfo.actualInteractionsPerCrossing"),
        [30.0]
    );
    let error = data.error("AnalysisJets.pt > 3 mm");
    assert_eq!(error.code(), "PB0808");
}

#[test]
fn references_follow_the_names_of_nanoaod() {
    let i = |list| (DType::I32, list);
    let columns = [
        ("Muon_jetIdx", i(true)),
        ("Jet_muonIdx1", i(true)),
        ("GenPart_genPartIdxMother", i(true)),
        ("Muon_fatJetIdx", i(true)),
        ("FatJet_pt", (DType::F32, true)),
        ("Muon_nowhereIdx", i(true)),
        ("Jet_pt", (DType::F32, true)),
        ("Flag_jetIdx", i(false)),
    ];
    let schema = Schema::new(columns.map(|(n, (d, l))| schema::Column::new(n, d, l)));
    let refers = |group: &str, field: &str| {
        let found = schema.group(group)?.field(field)?;
        match found {
            schema::Target::Object { group, .. } => Some(schema.groups()[group].name.clone()),
            schema::Target::Column(_) => None,
        }
    };
    assert_eq!(refers("Muon", "jet").as_deref(), Some("Jet"));
    assert_eq!(refers("Jet", "muon1").as_deref(), Some("Muon"));
    assert_eq!(
        refers("GenPart", "genPartMother").as_deref(),
        Some("GenPart")
    );
    assert_eq!(refers("Muon", "fatJet").as_deref(), Some("FatJet"));
    assert_eq!(refers("Muon", "nowhere"), None);
    assert!(schema.group("Muon").unwrap().field("jetIdx").is_some());
}

#[test]
fn lists_and_single_values_may_share_a_name() {
    let mut data = Data::default();
    data.add("Jet_rho", Values::F64(vec![7.0, 8.0]), None);
    data.add("Jet_pt", Values::F64(vec![50.0, 30.0]), Some(&[0, 1, 2]));
    data.add("Jet_area", Values::F64(vec![0.5, 0.4]), None);
    assert_eq!(data.value("Jet.pt"), [50.0, 30.0]);
    assert_eq!(data.value("Jet_rho"), [7.0, 8.0]);
    assert_eq!(data.error("Jet.area").code(), "PB0804");
    assert_eq!(data.value("Jet_area + sum(Jet.pt)"), [50.5, 30.4]);
}

fn chunk(columns: Vec<(&str, Column)>) -> Chunk {
    Chunk {
        first: 0,
        entries: 2,
        file: Arc::from("memory"),
        names: columns.iter().map(|c| c.0.to_owned()).collect(),
        columns: columns.into_iter().map(|c| c.1).collect(),
    }
}

fn list(values: Read, offsets: Vec<i64>) -> Column {
    Column::lists(Arc::new(offsets), values).expect("offsets fit")
}

#[test]
fn columns_that_are_not_as_the_schema_says_are_refused_by_name() {
    let schema = Schema::new([
        schema::Column::new("Jet_pt", DType::F32, true),
        schema::Column::new("MET_pt", DType::F32, false),
    ]);
    let analysis = Analysis::new()
        .parameter("scale", "2")
        .column("x", "scale * sum(Jet.pt) + MET.pt");
    let compiled = analysis
        .check(&schema)
        .and_then(|m| m.compile(&["x"]))
        .unwrap();
    assert_eq!(compiled.columns(), ["Jet_pt", "MET_pt"]);
    assert_eq!(
        compiled.parameters().collect::<Vec<_>>(),
        [("scale", [2.0].as_slice())]
    );
    let jets = || list(Read::F32(vec![1.0, 2.0, 3.0]), vec![0, 2, 3]);
    let met = || Column::flat(Read::F32(vec![10.0, 20.0]));
    let good = chunk(vec![("MET_pt", met()), ("Jet_pt", jets())]);
    let lowered = Lowered::new(compiled.program.clone()).unwrap();
    let mut ws = lowered.workspace();
    lowered
        .run(&mut ws, &compiled.bind(&good, &[vec![2.0]]).unwrap())
        .unwrap();
    assert_eq!(ws.f64(0), [16.0, 26.0]);
    let wide = || Column::flat(Read::F64(vec![10.0, 20.0]));
    let narrow = || Column::flat(Read::I8(vec![10, 20]));
    for (columns, parameters, words) in [
        (
            vec![("Jet_pt", jets())],
            vec![vec![2.0]],
            "`MET_pt` is not in what was read of memory",
        ),
        (
            vec![("Jet_pt", jets()), ("MET_pt", wide())],
            vec![vec![2.0]],
            "`MET_pt` is f64; the schema says f32",
        ),
        (
            vec![("Jet_pt", jets()), ("MET_pt", narrow())],
            vec![vec![2.0]],
            "`MET_pt` is i8, which has to be widened",
        ),
        (
            vec![("Jet_pt", jets()), ("MET_pt", jets())],
            vec![vec![2.0]],
            "`MET_pt` is a list per event",
        ),
        (
            vec![("Jet_pt", met()), ("MET_pt", met())],
            vec![vec![2.0]],
            "`Jet_pt` is no list per event",
        ),
        (
            vec![("Jet_pt", jets()), ("MET_pt", met())],
            vec![],
            "`scale` is a parameter without a value",
        ),
    ] {
        let chunk = chunk(columns);
        let error = compiled.bind(&chunk, &parameters).unwrap_err();
        assert!(matches!(error, Error::Column { .. }) && error.code() == "PB0812");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_program_without_columns_has_the_events_of_the_chunk() {
    let schema = Schema::new([schema::Column::new("MET_pt", DType::F32, false)]);
    let analysis = Analysis::new().region("all", Vec::<&str>::new());
    let compiled = analysis
        .check(&schema)
        .and_then(|m| m.compile(&["all"]))
        .unwrap();
    let lowered = Lowered::new(compiled.program.clone()).unwrap();
    let mut ws = lowered.workspace();
    let chunk = chunk(vec![]);
    lowered
        .run(&mut ws, &compiled.bind(&chunk, &[]).unwrap())
        .unwrap();
    assert_eq!(ws.bool(0), [1, 1]);
}
