//! The unit of energies: by data set, by default, of columns whose names do not say it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::Error;
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions};

/// Two files of the same events: in MeV with whole numbers among them, and in GeV.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("pullback-energy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mev = "lep_pt,lep_eta,lep_ptcone30,met_et,meff,n\n\
                   25000,0.5,1500.5,40000.5,99000.25,3\n\
                   61000,-1.5,900.5,15000.5,120000.5,4\n\
                   90000,2.25,12000.5,71000.5,20000.5,5\n";
        let gev = "lep_pt,lep_eta,lep_ptcone30,met_et,meff,n\n\
                   25,0.5,1.5005,40.0005,99.00025,3\n\
                   61,-1.5,0.9005,15.0005,120.0005,4\n\
                   90,2.25,12.0005,71.0005,20.0005,5\n";
        std::fs::write(folder.join("mev.csv"), mev).expect("written");
        std::fs::write(folder.join("gev.csv"), gev).expect("written");
        folder
    })
}

const FILE: &str = r#"
[datasets]
a = { files = "mev.csv", energy = { unit = "MeV", columns = "me*ff" } }
b = { files = "gev.csv" }
seen = { files = "mev.csv", observed = true, energy = { unit = "MeV", columns = ["meff"] } }
[regions.SR]
kind = "control"
cuts = ["lep_pt > 20 GeV", "lep_ptcone30 < 0.1 * lep_pt", "lep.eta < 2"]
[histograms]
pt   = { of = "lep.pt", edges = [0, 30, 62, 100] }
met  = { of = "met.et", edges = [0, 20, 45, 100] }
meff = { edges = [0, "0.1 TeV", 200] }
n    = { edges = [0, 3.5, 4.5, 10] }
"#;

fn read(text: &str) -> Result<Results, Error> {
    let file = AnalysisFile::from_text("a.toml", text, folder())?;
    let results = file.run(&RunOptions::default(), &mut |_| true)?;
    Ok(results.expect("to its end"))
}

#[test]
fn energies_are_in_gev_whatever_the_file_has() {
    let results = read(FILE).unwrap_or_else(|e| panic!("{e}"));
    let expected = [
        &[1.0, 1.0, 0.0][..],
        &[1.0, 1.0, 0.0],
        &[1.0, 1.0],
        &[1.0, 1.0, 0.0],
    ];
    for (filled, expected) in results.histograms.iter().zip(expected) {
        assert_eq!(filled.nominal[0].sums, expected, "in MeV");
        assert_eq!(filled.nominal[1].sums, expected, "in GeV");
        assert_eq!(filled.observed.as_ref().expect("seen").sums, expected);
    }
    assert_eq!(results.units, ["GeV", "GeV", "GeV", ""]);
    // Without the unit the numbers are those of the file.
    let raw = FILE.replace(
        "a = { files = \"mev.csv\", energy = { unit = \"MeV\", columns = \"me*ff\" } }",
        "a = { files = \"mev.csv\" }",
    );
    let raw = read(&raw).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(raw.histograms[0].nominal[0].sums, [0.0; 3]);
}

#[test]
fn the_default_counts_for_observed_events_too() {
    let text = FILE
        .replace(", energy = { unit = \"MeV\", columns = \"me*ff\" }", "")
        .replace(", energy = { unit = \"MeV\", columns = [\"meff\"] }", "")
        .replace(
            "b = { files = \"gev.csv\" }",
            "b = { files = \"gev.csv\", energy = \"GeV\" }",
        )
        .replace(
            "[regions.SR]",
            "[defaults.datasets]\nenergy = { unit = \"MeV\", columns = \"meff\" }\n[regions.SR]",
        );
    let results = read(&text).unwrap_or_else(|e| panic!("{e}"));
    for filled in &results.histograms {
        let seen = &filled.observed.as_ref().expect("seen").sums;
        assert_eq!(seen, &filled.nominal[0].sums);
        assert_eq!(seen, &filled.nominal[1].sums);
        assert_eq!(seen.iter().sum::<f64>(), 2.0);
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (to, words) in [
        (
            "\"MEV\"",
            "there is no unit of energy `MEV`; did you mean `MeV`",
        ),
        ("\"cm\"", "there is no unit of energy `cm`"),
        (
            "{ unit = \"MeV\", columns = \"mef\" }",
            "there is no column `mef`; did you mean `meff`? (a.toml, datasets.a.energy, line 3, column 35)",
        ),
        (
            "{ columns = \"meff\" }",
            "`datasets.a.energy` has no `unit`",
        ),
        ("3", "expected a text in quotes"),
    ] {
        let from = "{ unit = \"MeV\", columns = \"me*ff\" }";
        assert!(FILE.contains(from), "{from}");
        let error = read(&FILE.replacen(from, to, 1))
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{error}\nexpected {words}");
    }
}
