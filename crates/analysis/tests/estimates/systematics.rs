//! Systematics of estimates, and of what they subtract.

use std::path::Path;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::Shift;

use super::{ABCD, COMMON, FAKES, close, folder, run_file};

/// An estimate is of no campaign: a systematic that acts on some campaigns, or on each apart, does not lose it silently.
#[test]
fn estimates_belong_to_no_campaign() {
    let at = |text: &str| {
        let text = format!("{COMMON}{text}")
            .replace("signal.csv\"", "signal.csv\", campaign = \"18\"")
            .replace("other.csv\"", "other.csv\", campaign = \"17\"");
        let campaigns =
            "[campaigns]\n17 = { luminosity = '1 /fb' }\n18 = { luminosity = '1 /fb' }\n";
        AnalysisFile::from_text("a.toml", &format!("{text}{campaigns}"), folder())
    };
    let of = |text: &str, name: &str, more: &str| {
        let systematic = format!("[systematics]\ns = {{ processes = {name}, {more} }}\n");
        let rest = text.replace("[systematics]\n", &systematic);
        if rest == text {
            at(&format!("{systematic}{text}"))
        } else {
            at(&rest)
        }
    };
    for (text, name) in [(FAKES, "fakes"), (ABCD, "multijet")] {
        for (key, more) in [
            (".campaigns", "norm = 0.1, campaigns = '17'"),
            (".correlated", "norm = 0.1, correlated = false"),
            ("", "norm = { 17 = 0.1, 18 = 0.2 }"),
            (
                ".campaigns",
                "norm = 0.1, campaigns = ['17', '18'], correlated = false",
            ),
        ] {
            if name == "multijet" && key.is_empty() {
                // Refused as a variation of events.
                continue;
            }
            for names in [format!("'{name}'"), format!("['{name}', 'other']")] {
                let error = of(text, &names, more).expect_err(more).to_string();
                let expected = format!(
                    "`{name}` is estimated from observed events, and belongs to no campaign (a.toml, systematics.s{key}, line"
                );
                assert!(error.starts_with(&expected), "{error}\n{expected}");
            }
        }
        // By default apart: of an estimate alone it stays one, of others it is split, of both it is refused.
        let apart = format!("{text}[defaults.systematics]\ncorrelated = false\n");
        let apart = apart.replace(
            "both = { norm = 0.3, processes = [\"fakes\", \"other\"] }",
            "",
        );
        let file = of(&apart, &format!("'{name}'"), "norm = 0.1").unwrap_or_else(|e| panic!("{e}"));
        let found = file
            .systematics
            .iter()
            .find(|s| s.name == "s")
            .expect("there");
        assert_eq!(found.processes, [name]);
        assert!(found.campaigns.is_empty());
        let file = of(&apart, "'other'", "norm = 0.1").unwrap_or_else(|e| panic!("{e}"));
        let mut names = file.systematics.iter().map(|s| s.name.as_str());
        assert!(names.any(|n| n == "s_17"));
        let both = format!("['{name}', 'other']");
        let error = of(&apart, &both, "norm = 0.1")
            .expect_err("both")
            .to_string();
        assert!(error.contains("belongs to no campaign"), "{error}");
        let file = of(&apart, &both, "norm = 0.1, correlated = true");
        assert_eq!(
            file.unwrap_or_else(|e| panic!("{e}")).systematics[0]
                .processes
                .len(),
            2
        );
    }
    // Nothing at all is left.
    let error = of(
        FAKES,
        "'other'",
        "norm = 0.1, campaigns = '18', correlated = false",
    );
    let error = error.expect_err("empty").to_string();
    assert!(
        error.contains("`systematics.s` acts on no data set of its campaigns"),
        "{error}"
    );
    // By calls it is found when it runs.
    let mut file = at(FAKES).unwrap_or_else(|e| panic!("{e}"));
    file.systematics[0].campaigns = vec!["17".into()];
    let error = run_file(&file).map(drop).expect_err("limited").to_string();
    assert!(
        error.contains("`fakes` is estimated from observed events, and belongs to no campaign"),
        "{error}"
    );
}

/// Members are weights of the muons of the events; the events of the estimate are those of `CR`.
const VECTORS: &str = r#"
[datasets]
signal = { files = "muons_none.root:Events", weight = "0.01" }
tt = { files = "muons_none.root:Events", weight = "0.1 + Muon.pt[0] / 1000" }
seen = { files = "muons_none.root:Events", observed = true }
[regions]
SR = { cuts = ["count(Muon) >= 2"] }
CR = { cuts = ["count(Muon) >= 2", "Muon.pt[1] > 10"], kind = "control" }
[histograms]
pt = { of = "Muon.pt[0]", edges = [0, 20, 40, 1000] }
[estimates.fakes]
from = "CR"
regions = "SR"
weight = "1"
minus = "tt"
[systematics]
scale = { vector = "Muon.pt / 30", members = [1, 0], combine = "envelope", processes = "tt" }
pdf = { vector = "1 + Muon.pt / 100", members = [0, 1], combine = "hessian", processes = "tt" }
toys = { vector = "1 + Muon.pt / 100", members = [0, 1], combine = "rms", processes = "tt" }
own = { vector = "1 + Muon.pt / 100", members = [0, 1], combine = "hessian", processes = ["tt", "fakes"] }
[fit]
signal = "signal"
channels = { SR = "pt" }
"#;

/// More of what is subtracted is less of the estimate, whatever the members are combined to.
#[test]
fn vectors_of_what_is_subtracted_go_the_other_way() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data");
    let file = AnalysisFile::from_text("a.toml", VECTORS, &files).unwrap_or_else(|e| panic!("{e}"));
    let results = run_file(&file).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(results.processes, ["signal", "tt", "fakes"]);
    let [there, here] = [1, 0].map(|region| results.histogram(0, region).expect("filled"));
    let data = &there.observed.as_ref().expect("seen").sums;
    for (s, name) in ["scale", "pdf", "toys", "own"].into_iter().enumerate() {
        for shift in [Shift::Up, Shift::Down] {
            let of = |filled: &pullback_analysis::run::Filled, p: usize| {
                let found = filled.variations.iter().find(|v| (v.0, v.1) == (s, shift));
                found.expect("varied").2[p]
                    .clone()
                    .expect("acts on it")
                    .sums
            };
            let (varied, found) = (of(there, 1), of(here, 2));
            let nominal = &here.nominal[2].sums;
            assert!(found.iter().zip(nominal).all(|(a, b)| a != b), "{name}");
            if name == "own" {
                // The estimate itself is multiplied: up is up.
                let more = |(a, b): (&f64, &f64)| (a > b) == (shift == Shift::Up);
                assert!(found.iter().zip(nominal).all(more));
                continue;
            }
            let expected: Vec<f64> = data.iter().zip(&varied).map(|(n, w)| n - w).collect();
            close(&found, &expected, 1e-12);
        }
    }
}
