//! Weights at the start, and moments of the inputs.

use pullback_analysis::network::{Activation, Network};
use pullback_analysis::{Analysis, Schema, schema::Column};
use pullback_array::DType;

fn weights(name: &str, network: Network) -> (Vec<f64>, Vec<usize>) {
    let schema = Schema::new([Column::new("x", DType::F64, false)]);
    let model = Analysis::new().network(name, network).check(&schema);
    let model = model.expect("checked");
    let net = model.network(name).expect("a network");
    (
        net.weights().to_vec(),
        net.layers().iter().map(|l| l.bias()).collect(),
    )
}

fn network(hidden: usize, seed: u64) -> Network {
    let inputs = vec!["x"; 40];
    Network::new(inputs, [hidden, hidden]).seed(seed)
}

#[test]
fn a_start_is_a_function_of_seed_and_name_and_is_frozen() {
    let (a, _) = weights("nn", network(60, 1));
    assert_eq!(a, weights("nn", network(60, 1)).0);
    assert_ne!(a, weights("nn", network(60, 2)).0);
    assert_ne!(a, weights("other", network(60, 1)).0);
    // No column has to be known for that.
    let analysis = Analysis::new().network("nn", network(60, 1));
    assert_eq!(analysis.perceptron("nn").expect("a network").weights(), a);
    let net = analysis.perceptron("nn").expect("a network");
    let ones = vec![1.0; a.len()];
    let trained = net.trained(net.standardisation(), &ones).expect("fits");
    let mut again = analysis.clone();
    again.set_weights("nn", &trained);
    let net = again.perceptron("nn").expect("a network");
    assert!(net.is_trained() && net.weights() == ones);
    let error = analysis.perceptron("mm").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no network `mm` (line 1, column 1)"
    );
    let drawn = FROZEN.map(f64::from_bits);
    assert_eq!(
        a[..3],
        drawn,
        "{:?}",
        [0, 1, 2].map(|k: usize| a[k].to_bits())
    );
}

/// The first weights of `nn` at seed 1: a change of these changes every training.
const FROZEN: [u64; 3] = [
    4_598_672_513_660_728_353,
    4_596_419_633_690_245_884,
    13_819_392_446_831_620_436,
];

#[test]
fn variances_are_those_of_glorot_and_he_and_biases_are_zero() {
    for (activation, expected) in [
        (Activation::Tanh, [2.0 / 340.0, 2.0 / 600.0]),
        (Activation::Relu, [2.0 / 40.0, 2.0 / 300.0]),
        (Activation::Silu, [2.0 / 40.0, 2.0 / 300.0]),
    ] {
        let (all, biases) = weights("nn", network(300, 3).activation(activation));
        let ranges = [(0, biases[0]), (biases[0] + 300, biases[1])];
        for ((first, end), expected) in ranges.into_iter().zip(expected) {
            let part = &all[first..end];
            let n = part.len() as f64;
            let mean = part.iter().sum::<f64>() / n;
            let variance = part.iter().map(|w| w * w).sum::<f64>() / n;
            // Four standard errors.
            assert!(
                mean.abs() < 4.0 * (expected / n).sqrt(),
                "{activation:?} {mean}"
            );
            let off = (variance / expected - 1.0).abs();
            assert!(
                off < 4.0 * (2.0 / n).sqrt(),
                "{activation:?} {variance} {expected}"
            );
        }
        for first in &biases[..2] {
            assert!(all[*first..first + 300].iter().all(|b| *b == 0.0));
        }
        // The last layer ends in a sigmoid, whatever the others do.
        let last = &all[biases[1] + 300..biases[2]];
        let variance = last.iter().map(|w| w * w).sum::<f64>() / 300.0;
        assert!((variance * 301.0 / 2.0 - 1.0).abs() < 0.35, "{variance}");
    }
}

#[test]
fn moments_in_chunks_are_those_of_everything() {
    let schema = Schema::new([
        Column::new("x", DType::F64, false),
        Column::new("y", DType::F64, false),
        Column::new("z", DType::F64, false),
    ]);
    let model = Analysis::new().network("nn", Network::new(["x", "y", "z"], [2]));
    let model = model.check(&schema).expect("checked");
    let net = model.network("nn").expect("a network");
    // Far from zero, where a difference of squares has no digits left.
    let x: Vec<f64> = (0..100).map(|k| 1e9 + (f64::from(k) * 0.7).sin()).collect();
    let y: Vec<f64> = (0..100).map(|k| f64::from(k % 7)).collect();
    let z = vec![5.0; 100];
    let w: Vec<f64> = (0..100).map(|k| f64::from(k % 5) - 2.0).collect();
    let mut moments = net.moments();
    for (first, end) in [(0, 37), (37, 38), (38, 38), (38, 100)] {
        let columns = [&x[first..end], &y[first..end], &z[first..end]];
        moments.add(&columns, Some(&w[first..end])).expect("finite");
    }
    let sum: f64 = w.iter().map(|w| w.abs()).sum();
    let found = moments.standardisation();
    for (k, column) in [&x, &y].into_iter().enumerate() {
        let each = || column.iter().zip(&w);
        let shift = column[0];
        let mean = shift + each().map(|(x, w)| w.abs() * (x - shift)).sum::<f64>() / sum;
        let square: f64 = each().map(|(x, w)| w.abs() * (x - mean).powi(2)).sum();
        assert!((found[k] - mean).abs() <= 1e-15 * mean.abs().max(1.0));
        let inverse = (square / sum).sqrt().recip();
        assert!(
            (found[3 + k] / inverse - 1.0).abs() < 1e-7,
            "{k} {}",
            found[3 + k]
        );
    }
    // What never changes is left as it is.
    assert_eq!((found[2], found[5]), (5.0, 1.0));
    assert_eq!(
        net.moments().standardisation(),
        [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    );
    let error = moments
        .add(&[&[1.0], &[f64::NAN], &[5.0]], None)
        .unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            "PB0812",
            "the column `nn inputs[1]` (`y`) is NaN in an event"
        )
    );
    let error = moments.add(&[&[1.0], &[2.0]], None).unwrap_err();
    assert!(error.to_string().contains("does not fit"), "{error}");
}
