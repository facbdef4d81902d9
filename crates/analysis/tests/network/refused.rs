//! What is refused, and in which words.

use std::path::Path;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::network::{Network, Weights};
use pullback_analysis::{Analysis, Error};

use super::support::two_events;

fn error(network: Network) -> Error {
    let analysis = Analysis::new().parameter("t", "1").network("nn", network);
    let checked = analysis.check(&two_events().schema());
    checked.map(|_| ()).expect_err("accepted")
}

#[test]
fn inputs_are_numbers_in_every_event() {
    let refused = |input: &str| {
        let e = error(Network::new(["MET.pt", input], [2]));
        (e.code(), e.to_string(), e.help())
    };
    assert_eq!(
        refused("leading(Jet).pt"),
        (
            "PB0806",
            "expected a number in every event, found one that may be missing (networks.nn.inputs[1], line 1, column 1)".into(),
            "say what stands for it: `default(leading(Jet).pt, 0)`".into()
        )
    );
    let (code, message, help) = refused("Jet.pt");
    assert_eq!(code, "PB0806");
    assert!(
        message.starts_with("expected a number per event, found a number per object of `Jet`"),
        "{message}"
    );
    assert!(help.contains("`sum(..)`"), "{help}");
    assert_eq!(refused("MET.pt > 3").0, "PB0806");
    assert_eq!(refused("Jet").0, "PB0806");
    assert_eq!(refused("MET.tp").0, "PB0804");
    // Itself, by itself and by another name.
    let (code, message, _) = refused("nn + 1");
    assert_eq!(code, "PB0809");
    assert!(message.contains("needs itself"), "{message}");
}

#[test]
fn sizes_are_those_of_a_network() {
    let e = error(Network::new(Vec::<&str>::new(), [2]));
    assert_eq!(
        (e.code(), e.to_string()),
        ("PB0815", "the network `nn` has no inputs".into())
    );
    let e = error(Network::new(["MET.pt"], [2, 0]));
    assert_eq!(
        e.to_string(),
        "the network `nn` has no neuron in hidden layer 2"
    );
    for hidden in [vec![1 << 24], vec![1 << 13, 1 << 13], vec![usize::MAX]] {
        let e = error(Network::new(["MET.pt"], hidden));
        assert_eq!(
            e.to_string(),
            "the network `nn` has more than 16777216 weights"
        );
        assert_eq!(e.help(), "make the layers smaller");
    }
}

#[test]
fn outputs_are_numbers_without_a_unit() {
    let analysis = Analysis::new()
        .network("nn", Network::new(["MET.pt"], [2]))
        .column("x", "nn > 50 GeV");
    let e = analysis.check(&two_events().schema()).unwrap_err();
    assert_eq!(e.code(), "PB0808");
    let twice = Analysis::new()
        .column("nn", "1")
        .network("nn", Network::new(["MET.pt"], [2]));
    let e = twice.check(&two_events().schema()).unwrap_err();
    assert_eq!(e.code(), "PB0810");
}

const WEIGHTS: &str = r#"{"format": "pullback network", "version": 1, "inputs": ["MET.pt"], "hidden": [2],
"activation": "tanh", "means": [1], "deviations": [2], "weights": [1, 2, 3, 4, 5, 6, 7]}"#;

#[test]
fn texts_that_are_no_weights_are_refused() {
    for (from, to, words) in [
        ("{", "", "the file is not JSON"),
        (
            "pullback network",
            "pickle",
            "the file has no `\"format\": \"pullback network\"`",
        ),
        ("\"version\": 1, ", "", "the format has no version"),
        ("[\"MET.pt\"]", "[1]", "`inputs` is no list of texts"),
        ("[2],\n", "[-2],\n", "`hidden` is no list of whole numbers"),
        ("tanh", "step", "there is no activation `step`"),
        ("\"means\": [1]", "\"means\": 1", "`means` is no list"),
        (
            ", 3,",
            ", null,",
            "`weights[2]` is null, which is no finite number",
        ),
        (
            ", 3,",
            ", \"NaN\",",
            "`weights[2]` is \"NaN\", which is no finite number",
        ),
        (", 3,", ", 1e999,", "the file is not JSON"),
    ] {
        let text = WEIGHTS.replacen(from, to, 1);
        assert_ne!(text, WEIGHTS);
        let e = Weights::from_text("nn.json", &text).unwrap_err();
        assert_eq!(e.code(), "PB0816");
        assert!(
            e.to_string()
                .starts_with("the weights in nn.json cannot be used: ")
        );
        assert!(e.to_string().contains(words), "{e}");
    }
    for (from, to, words) in [
        (", 7]", "]", "there are 6 weights, and `nn` has 7"),
        ("[1],", "[1, 2],", "there are 2 means, and `nn` has 1"),
        (
            "\"deviations\": [2]",
            "\"deviations\": [0]",
            "`deviations[0]` is 0, which is not positive",
        ),
    ] {
        let weights = Weights::from_text("nn.json", &WEIGHTS.replacen(from, to, 1));
        let e = error(Network::new(["MET.pt"], [2]).weights(weights.expect("reads")));
        assert!(e.to_string().contains(words), "{e}");
    }
    let mut weights = Weights::from_text("nn.json", WEIGHTS).expect("reads");
    weights.weights[1] = f64::NAN;
    let e = error(Network::new(["MET.pt"], [2]).weights(weights));
    assert!(
        e.to_string()
            .contains("`weights[1]` is NaN, which is no finite number"),
        "{e}"
    );
}

#[test]
fn keys_of_the_file_are_checked() {
    let read = |text: &str| {
        let text = format!("[networks.nn]\n{text}\n");
        let read = AnalysisFile::from_text("a.toml", &text, Path::new(""));
        read.map(|_| ()).expect_err("accepted")
    };
    let e = read("hidden = [2]");
    assert_eq!(
        (e.to_string(), e.help()),
        (
            "`networks.nn` has no `inputs` (a.toml, networks.nn, line 1, column 1)".into(),
            "give it a list of expressions, numbers per event".into()
        )
    );
    assert!(
        read("inputs = ['MET.pt']")
            .to_string()
            .contains("has no `hidden`")
    );
    let e = read("inputs = ['MET.pt']\nhidden = [8, 0]");
    assert!(
        e.to_string()
            .starts_with("expected a list of whole numbers from 1 on"),
        "{e}"
    );
    let e = read("inputs = ['MET.pt']\nhidden = [8]\nactivation = 'tahn'");
    assert!(
        e.to_string()
            .starts_with("there is no activation `tahn`; did you mean `tanh`?"),
        "{e}"
    );
    assert_eq!(e.help(), "known are tanh, relu, silu, sigmoid, softplus");
    let e = read("inputs = ['MET.pt +']\nhidden = [8]");
    assert_eq!(e.code(), "PB0801");
    let e = read("inputs = ['MET.pt']\nhidden = [8]\nseed = -1");
    assert!(
        e.to_string()
            .starts_with("expected a whole number from 0 on"),
        "{e}"
    );
}
