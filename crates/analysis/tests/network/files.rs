//! Files of weights, and runs of analysis files that name them.

use std::path::{Path, PathBuf};

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::network::{Activation, Network, Weights};
use pullback_analysis::run::RunOptions;
use pullback_analysis::{Analysis, Schema, schema::Column};
use pullback_array::DType;
use pullback_io::{Dataset, Values};

use super::by_hand::Plain;

/// A folder for one test.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

fn trained() -> Weights {
    let schema = Schema::new([Column::new("Muon_pt", DType::F32, true)]);
    let network = Network::new(["count(Muon)", "default(max(Muon.pt), 0)"], [3])
        .activation(Activation::Softplus)
        .seed(9);
    let model = Analysis::new().network("nn", network).check(&schema);
    let model = model.expect("checked");
    let net = model.network("nn").expect("a network");
    let weights: Vec<f64> = net.weights().iter().map(|w| w + 0.1).collect();
    net.trained(&[1.0, 30.0, 1.0 / 3.0, 0.05], &weights)
        .expect("fits")
}

#[test]
fn what_is_written_is_read_again_to_the_bit() {
    let (path, weights) = (folder("network_round").join("nn.json"), trained());
    weights.write(&path).expect("writes");
    // A second time: the file is replaced.
    weights.write(&path).expect("writes");
    let again = Weights::read(&path).expect("reads");
    let bits = |list: &[f64]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&again.weights), bits(&weights.weights));
    assert_eq!(bits(&again.means), bits(&weights.means));
    assert_eq!(bits(&again.deviations), bits(&weights.deviations));
    assert_eq!(again.inputs, ["count(Muon)", "default(max(Muon.pt), 0)"]);
    assert_eq!(
        (again.hidden, again.activation),
        (vec![3], Activation::Softplus)
    );
    let left = std::fs::read_dir(folder("network_round"))
        .expect("a folder")
        .count();
    assert_eq!(left, 1, "something half written was left");
    let error = weights.write(path.join("below_a_file.json")).unwrap_err();
    assert_eq!(error.code(), "PB0817");
    let error = Weights::read(path.with_file_name("none.json")).unwrap_err();
    assert_eq!(error.code(), "PB0814");
}

/// A program that goes on from a file has the numbers of the one that wrote it: the file has deviations, the program their inverses.
#[test]
fn standardisations_come_back_from_files_to_the_bit() {
    let schema = Schema::new([Column::new("x", DType::F64, false)]);
    let network = Network::new(["x"], []);
    for k in 1..2_000_u32 {
        let model = Analysis::new()
            .network("nn", network.clone())
            .check(&schema);
        let model = model.expect("checked");
        let net = model.network("nn").expect("a network");
        assert!(!net.is_trained());
        let mut moments = net.moments();
        let x = [0.1, 0.2, f64::from(k).sqrt() * 1e-3];
        moments.add(&[&x], None).expect("finite");
        let standard = moments.standardisation();
        let trained = net.trained(&standard, net.weights()).expect("fits");
        let again = Weights::from_text("nn.json", &trained.to_text()).expect("reads");
        let model = Analysis::new().network("nn", network.clone().weights(again));
        let model = model.check(&schema).expect("checked");
        let net = model.network("nn").expect("a network");
        assert!(net.is_trained());
        assert_eq!(net.standardisation(), standard, "{k}");
    }
}

const ANALYSIS: &str = r#"
[datasets.a]
files = "FILES"
[networks.nn]
# Spaces make no other expression.
inputs = ["count( Muon )", "default(max(Muon.pt),0)"]
hidden = [3]
activation = "softplus"
weights = "nn.json"
[regions.SR]
cuts = ["nn > 0.3"]
[histograms.nn]
bins = 10
range = [0, 1]
[histograms.logit]
of = "logit(nn)"
bins = 8
range = [-4, 4]
"#;

fn analysis() -> String {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data/muons_zlib.root");
    ANALYSIS.replace("FILES", &format!("{}:Events", data.display()))
}

#[test]
fn a_run_uses_the_weights_of_the_file() {
    let (folder, weights) = (folder("network_run"), trained());
    weights.write(folder.join("nn.json")).expect("writes");
    let file = AnalysisFile::from_text("a.toml", &analysis(), &folder).expect("reads");
    let results = file
        .run(&RunOptions::default(), &mut |_| true)
        .expect("runs");
    let results = results.expect("it was not stopped");
    let plain = Plain {
        sizes: vec![2, 3, 1],
        activation: weights.activation,
        standard: vec![1.0, 30.0, 1.0 / 3.0, 0.05],
        weights: weights.weights,
    };
    let (mut expected, mut logits) = ([0.0; 10], [0.0; 8]);
    for pt in muons() {
        let lead = pt.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lead = if pt.is_empty() { 0.0 } else { lead };
        let z: f64 = plain.sum(&[pt.len() as f64, lead]);
        let y = 1.0 / (1.0 + (-z).exp());
        if y > 0.3 {
            expected[(y * 10.0) as usize] += 1.0;
            if (-4.0..4.0).contains(&z) {
                logits[(z + 4.0) as usize] += 1.0;
            }
        }
    }
    let filled = expected.iter().filter(|n| **n > 0.0).count();
    assert!(filled > 2, "{expected:?}");
    let found = |plot: usize| {
        results.histogram(plot, 0).expect("filled").nominal[0]
            .sums
            .clone()
    };
    assert_eq!(found(0), expected);
    assert_eq!(found(1), logits);
}

/// Muon pT of each event.
fn muons() -> Vec<Vec<f64>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data/muons_zlib.root");
    let data = Dataset::open(&[format!("{}:Events", data.display())]).expect("opens");
    let chunk = data.read(&["Muon_pt"], 0..data.entries()).expect("reads");
    let column = &chunk.columns[0];
    let offsets = column.offsets().expect("a list");
    let Values::F32(pt) = column.values() else {
        panic!("{:?}", column.dtype());
    };
    let list = |w: &[i64]| {
        pt[w[0] as usize..w[1] as usize]
            .iter()
            .map(|x| f64::from(*x))
    };
    offsets.windows(2).map(|w| list(w).collect()).collect()
}

#[test]
fn files_that_do_not_fit_are_refused_by_what_differs() {
    let (folder, weights) = (folder("network_fit"), trained());
    weights.write(folder.join("nn.json")).expect("writes");
    for (from, to, words) in [
        (
            "default(max(Muon.pt),0)",
            "default(max(Muon.pt),1)",
            "they are of a network with the inputs [count(Muon); default(max(Muon.pt), 0)], and `nn` has [count(Muon); default(max(Muon.pt), 1)]",
        ),
        (
            "hidden = [3]",
            "hidden = [3, 3]",
            "they are of a network with hidden layers of [3], and `nn` has [3, 3]",
        ),
        (
            "\"softplus\"",
            "\"relu\"",
            "they are of a network of softplus, and `nn` is one of relu",
        ),
    ] {
        let text = analysis().replace(from, to);
        let file = AnalysisFile::from_text("a.toml", &text, &folder).expect("reads");
        let error = file.run(&RunOptions::default(), &mut |_| true).unwrap_err();
        assert_eq!(error.code(), "PB0816");
        let origin = folder.join("nn.json").display().to_string();
        assert_eq!(
            error.to_string(),
            format!("the weights in {origin} cannot be used: {words}")
        );
        assert!(error.help().starts_with("leave out `weights`"));
    }
    let text = analysis().replace("nn.json", "none.json");
    let error = AnalysisFile::from_text("a.toml", &text, &folder).unwrap_err();
    assert!(
        error.to_string().contains("none.json` cannot be read"),
        "{error}"
    );
}
