//! Links of PHYSLITE: the key of a container and an index in it.

mod support;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::RunOptions;
use pullback_analysis::schema::Target;
use pullback_io::parquet::{WriteOptions, Writer};
use pullback_io::{Axis, Column, DType, Field, Level};
use support::{Data, Values, close};

/// The keys of some containers, as they are in files of ATLAS.
const IN_DET: i64 = 490_246_363;
const COMBINED: i64 = 873_304_470;
const TRUTH_PHOTONS: i64 = 13_267_281;
const TRUTH_ELECTRONS: i64 = 394_100_163;
/// Nothing.
const NONE: i64 = 0xffff_ffff;

/// Three events: two muons and three tracks, none, one muon and one track; photons with truth of two kinds.
fn data() -> Data {
    let mut data = Data::default();
    let (muons, tracks) = ([0, 2, 2, 3], [0, 3, 3, 4]);
    let whole = |v: &[i64]| Values::I64(v.to_vec());
    let real = |v: &[f64]| Values::F64(v.to_vec());
    let mut link = |name: &str, keys: &[i64], indices: &[i64], offsets: &[i64]| {
        data.add(&format!("{name}.m_persKey"), whole(keys), Some(offsets));
        data.add(
            &format!("{name}.m_persIndex"),
            whole(indices),
            Some(offsets),
        );
    };
    // The third one leads to a container that is called otherwise.
    link(
        "AnalysisMuonsAuxDyn.inDetTrackParticleLink",
        &[IN_DET, IN_DET, 339_503_174],
        &[2, 0, 0],
        &muons,
    );
    link(
        "AnalysisMuonsAuxDyn.combinedTrackParticleLink",
        &[0, COMBINED, COMBINED],
        &[NONE, 1, 0],
        &muons,
    );
    link(
        "AnalysisPhotonsAuxDyn.TruthLink",
        &[TRUTH_ELECTRONS, TRUTH_PHOTONS, 0],
        &[0, 1, NONE],
        &[0, 1, 1, 3],
    );
    link(
        "AnalysisMuonsAuxDyn.elsewhereLink",
        &[1, 2, 3],
        &[0, 0, 0],
        &muons,
    );
    data.add(
        "AnalysisMuonsAuxDyn.pt",
        real(&[40e3, 30e3, 20e3]),
        Some(&muons),
    );
    data.add(
        "InDetTrackParticlesAuxDyn.z0",
        real(&[1.0, 2.0, 3.0, 4.0]),
        Some(&tracks),
    );
    data.add(
        "CombinedMuonTrackParticlesAuxDyn.z0",
        real(&[10.0, 20.0, 30.0]),
        Some(&[0, 2, 2, 3]),
    );
    data.add(
        "TruthPhotonsAuxDyn.e",
        real(&[5e3, 6e3, 7e3]),
        Some(&[0, 1, 1, 3]),
    );
    data.add(
        "TruthElectronsAuxDyn.e",
        real(&[8e3, 9e3]),
        Some(&[0, 1, 1, 2]),
    );
    data.add("weight", real(&[1.0; 3]), None);
    data
}

#[test]
fn a_link_is_the_element_of_its_container_or_missing() {
    let data = data();
    let nan = f64::NAN;
    for (text, expected) in [
        ("AnalysisMuons.inDetTrackParticle.z0", &[3.0, 1.0, nan][..]),
        ("AnalysisMuons.combinedTrackParticle.z0", &[nan, 20.0, 30.0]),
        ("AnalysisPhotons.Truth.e", &[nan, 7.0, nan]),
        (
            "sum(default(AnalysisMuons.inDetTrackParticle.z0, 0))",
            &[4.0, 0.0, 0.0],
        ),
        (
            "sum((AnalysisMuons where inDetTrackParticle.z0 > 2).pt)",
            &[40.0, 0.0, 0.0],
        ),
    ] {
        let found = data.value(text);
        assert!(close(&found, expected, 1e-14), "{text}: {found:?}");
    }
    // No collection has the name of this one.
    let error = data.error("AnalysisMuons.elsewhere.z0");
    assert_eq!(error.code(), "PB0804");
}

#[test]
fn references_of_the_schema() {
    let schema = data().schema();
    let to = |group: &str, field: &str| {
        let found = schema.group(group).and_then(|g| g.field(field))?;
        match found {
            Target::Object {
                group,
                key: Some(_),
                ..
            } => Some(schema.groups()[group].name.clone()),
            _ => None,
        }
    };
    for (group, field, expected) in [
        (
            "AnalysisMuons",
            "inDetTrackParticle",
            Some("InDetTrackParticles"),
        ),
        (
            "AnalysisMuons",
            "combinedTrackParticle",
            Some("CombinedMuonTrackParticles"),
        ),
        ("AnalysisPhotons", "Truth", Some("TruthPhotons")),
        ("AnalysisMuons", "elsewhere", None),
    ] {
        assert_eq!(to(group, field).as_deref(), expected, "{group}.{field}");
    }
}

/// The same columns as a file.
fn written() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("pullback-links-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (name, values, offsets) in data().columns {
        let (dtype, values) = match values {
            Values::I64(v) => (DType::I64, pullback_io::Values::I64(v)),
            Values::F64(v) => (DType::F64, pullback_io::Values::F64(v)),
            other => panic!("{other:?}"),
        };
        let Some(offsets) = offsets.map(std::sync::Arc::new) else {
            continue;
        };
        fields.push(Field::new(&name, dtype, &[Level::List]));
        let column = Column::new(3, vec![Axis::List(offsets)], values);
        columns.push(column.expect("a column"));
    }
    let file = std::fs::File::create(folder.join("physlite.parquet")).expect("a file");
    let mut writer = Writer::new(file, &fields, WriteOptions::default()).expect("begun");
    writer.write(&columns).expect("written");
    writer.finish().expect("ended");
    folder
}

#[test]
fn a_data_set_says_where_links_lead() {
    let folder = written();
    let text = "[datasets]\n\
        a = { files = 'physlite.parquet', links = { 'AnalysisPhotons.Truth' = 'TruthElectrons' } }\n\
        b = { files = 'physlite.parquet' }\n\
        [regions.SR]\ncuts = []\n\
        [histograms]\n\
        e = { of = 'default(max(AnalysisPhotons.Truth.e), 0)', edges = [0, 6.5, 7.5, 8.5] }\n\
        z = { of = 'default(max(AnalysisMuons.inDetTrackParticle.z0), 0)', edges = [-1, 1, 2.5, 3.5] }\n";
    let run = |text: &str| {
        let file = AnalysisFile::from_text("a.toml", text, &folder)?;
        file.run(&RunOptions::default(), &mut |_| true)
    };
    let results = run(text)
        .unwrap_or_else(|e| panic!("{e}"))
        .expect("to its end");
    let sums = |plot: usize, process: usize| results.histograms[plot].nominal[process].sums.clone();
    assert_eq!(
        (sums(0, 0), sums(0, 1)),
        (vec![2.0, 0.0, 1.0], vec![2.0, 1.0, 0.0])
    );
    assert_eq!(
        (sums(1, 0), sums(1, 1)),
        (vec![2.0, 0.0, 1.0], vec![2.0, 0.0, 1.0])
    );
    for (from, to, words) in [
        (
            "'TruthElectrons'",
            "'TruthElectron'",
            "there is no collection `TruthElectron`; did you mean `TruthElectrons`",
        ),
        (
            "'AnalysisPhotons.Truth'",
            "'AnalysisPhotons.truth'",
            "there is no link `AnalysisPhotons.truth`; did you mean `AnalysisPhotons.Truth`? (a.toml, datasets.a.links.AnalysisPhotons.truth, line 2",
        ),
    ] {
        let error = run(&text.replacen(from, to, 1))
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
}
