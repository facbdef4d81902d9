//! Bad input of an optimisation: one clear error each.

use pullback_analysis::Error;
use pullback_analysis::optimize::{Options, Part, Problem};

use crate::events::read;

/// The error of opening or of the first step.
fn refused(change: &[(&str, &str)]) -> Error {
    let file = read(change);
    match Problem::open(&file, &Options::default(), &mut |_, _| true) {
        Err(error) => error,
        Ok(problem) => {
            let mut problem = problem.expect("not stopped");
            let mut state = problem.begin().expect("inside");
            if let Err(error) = problem.train(&mut state, &mut |_| false) {
                return error;
            }
            let x = problem.start().to_vec();
            problem.quote(Part::Test, &x).expect_err("refused")
        }
    }
}

#[test]
fn each_mistake_has_its_message() {
    for (change, words) in [
        (("\"MET.pt > met_cut\"", "\"MET.ptt > met_cut\""), "ptt"),
        (
            ("\"count(mu) == 1\"", "\"count(mu) == 50\""),
            "no event of any process passes the cuts that do not move",
        ),
        (
            (
                "weight     = \"genWeight\"",
                "weight     = \"genWeight / 0\"",
            ),
            "some weights of `zprime` are NaN or infinite",
        ),
        (("\"ht > ht_cut\"", "\"ht + 1 GeV\""), "expected"),
    ] {
        let error = refused(&[change]);
        println!("{error}\n  {}", error.help());
        assert!(error.to_string().contains(words), "{change:?}: {error}");
    }
}

/// What a file says by tables can be said by calls.
#[test]
fn an_analysis_by_calls_is_that_of_the_file() {
    use pullback_analysis::file::{
        AnalysisFile, Effect, Evaluated, FitModel, Free, Generated, Goal, Input, Optimisation,
        RegionKind,
    };
    use pullback_analysis::{Analysis, Object};
    let file = read(&[]);
    let jets = "pt > 30 GeV and abs(eta) < 2.5 and not near(mu, 0.4)";
    let definitions = Analysis::new()
        .parameter("jes", "0")
        .parameter("lep_cut", "30 GeV")
        .parameter("met_cut", "30 GeV")
        .parameter("jet_cut", "35 GeV")
        .parameter("ht_cut", "250 GeV")
        .object(
            "mu",
            Object::from("Muon").filter("pt > 25 GeV and abs(eta) < 2.4 and pfRelIso04_all < 0.15"),
        )
        .object(
            "all",
            Object::from("Jet")
                .field("pt", "pt * (1 + 0.03 * jes)")
                .filter(jets),
        )
        .object("jets", Object::from("all").filter("pt > jet_cut"))
        .object("b", Object::from("all").filter("btagDeepFlavB > 0.3"))
        .column("ht", "sum(jets.pt)")
        .column("st", "ht + sum(mu.pt) + MET.pt");
    let folder = crate::events::folder();
    let sample = |name: &str, pb: f64| {
        let files = [folder.join(format!("{name}.parquet"))];
        Input::simulated(name, files)
            .cross_section(pb)
            .generated(Generated::Sum("genWeight".into()))
            .weight("genWeight")
    };
    let cuts = [
        "count(mu) == 1",
        "count(b) >= 1",
        "count(jets) >= 3",
        "sum(mu.pt) > lep_cut",
        "MET.pt > met_cut",
        "ht > ht_cut",
    ];
    let all = ["zprime", "tt", "wjets"];
    let norm = |size: f64| Effect::Norm {
        up: 1.0 + size,
        down: 1.0 - size,
    };
    let shape = Effect::Weight {
        up: "1 + 0.0002 * (st - 500)".into(),
        down: None,
    };
    let jes = Effect::Parameter {
        name: "jes".into(),
        up: 1.0,
        down: -1.0,
        evaluated: Evaluated::Again,
    };
    let mut analysis = AnalysisFile::new("by calls", definitions)
        .luminosity(20_000.0)
        .dataset(sample("zprime", 30.0))
        .dataset(sample("tt", 832.0))
        .dataset(sample("wjets", 2000.0))
        .region("SR", RegionKind::Signal, cuts)
        .histogram("st", "st", [300.0, 500.0, 700.0, 900.0, 1100.0, 2000.0])
        .systematic("luminosity", &all, norm(0.02))
        .systematic("xs_tt", &["tt"], norm(0.05))
        .systematic("xs_wjets", &["wjets"], norm(0.2))
        .systematic("top_shape", &["tt"], shape)
        .systematic("jes", &all, jes)
        .range("ht_cut", 250.0, [150.0, 900.0])
        .fit(FitModel::new(&["zprime"], &[(0, 0)]))
        .unwrap_or_else(|e| panic!("{e}"))
        .optimise(Optimisation::new(
            Goal::Limit { alpha: 0.05 },
            vec![Free::Parameter {
                name: "ht_cut".into(),
                start: 250.0,
                range: [150.0, 900.0],
            }],
        ));
    analysis.histograms[0].flow = pullback_array::Flow::Clamp;
    let open = |file| {
        Problem::open(file, &Options::default(), &mut |_, _| true)
            .unwrap_or_else(|e| panic!("{e}"))
            .expect("opened")
    };
    let x = open(&file).start().to_vec();
    let quote = open(&file).quote(Part::Test, &x).expect("a value");
    assert_eq!(
        open(&analysis)
            .quote(Part::Test, &[250.0])
            .expect("a value"),
        quote
    );
    let error = analysis
        .fit(FitModel::new(&["zprim"], &[(0, 0)]))
        .unwrap_err();
    assert!(
        error.to_string().contains("did you mean `zprime`"),
        "{error}"
    );
}
