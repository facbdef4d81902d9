//! A network, neuron by neuron.

use pullback_ad::Real;
use pullback_analysis::network::Activation;

/// Sizes from the inputs to the output, and the numbers.
#[derive(Clone)]
pub struct Plain<R> {
    pub sizes: Vec<usize>,
    pub activation: Activation,
    pub standard: Vec<R>,
    pub weights: Vec<R>,
}

impl Plain<f64> {
    pub fn map<R>(&self, f: impl Fn(&f64) -> R) -> Plain<R> {
        Plain {
            sizes: self.sizes.clone(),
            activation: self.activation,
            standard: self.standard.iter().map(&f).collect(),
            weights: self.weights.iter().map(&f).collect(),
        }
    }
}

impl<R: Real> Plain<R> {
    /// What the sigmoid of the output is taken of.
    pub fn sum(&self, inputs: &[R]) -> R {
        let n = inputs.len();
        let mut x: Vec<R> = (0..n)
            .map(|k| (inputs[k] - self.standard[k]) * self.standard[n + k])
            .collect();
        let mut first = 0;
        for (l, pair) in self.sizes.windows(2).enumerate() {
            let (rows, columns) = (pair[0], pair[1]);
            x = (0..columns)
                .map(|j| {
                    let mut z = self.weights[first + rows * columns + j];
                    for (i, x) in x.iter().enumerate() {
                        z += *x * self.weights[first + i * columns + j];
                    }
                    if l + 2 == self.sizes.len() {
                        z
                    } else {
                        self.activate(z)
                    }
                })
                .collect();
            first += (rows + 1) * columns;
        }
        assert_eq!(first, self.weights.len());
        x[0]
    }

    fn activate(&self, z: R) -> R {
        let one = R::constant(1.0);
        match self.activation {
            Activation::Tanh => z.tanh(),
            Activation::Relu => R::select(z.gt(R::constant(0.0)), z, R::constant(0.0)),
            Activation::Silu => z / (one + (-z).exp()),
            Activation::Sigmoid => one / (one + (-z).exp()),
            Activation::Softplus => (one + z.exp()).ln(),
        }
    }
}

/// Σ w σ(z) over events.
pub fn weighted_sum<R: Real>(network: &Plain<R>, events: &[Vec<R>], weights: &[f64]) -> R {
    let one = R::constant(1.0);
    let each = events.iter().zip(weights);
    each.fold(R::constant(0.0), |s, (x, w)| {
        s + R::constant(*w) / (one + (-network.sum(x)).exp())
    })
}
