//! A checked network: its sizes, where its numbers lie, and what they are at the start.

use pullback_prob::{Key, fill_normal};

use super::define::{Activation, Network};
use super::moments::Moments;
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::syntax::parse;

/// Most numbers of a network.
const MOST: usize = 1 << 24;

/// One layer among the weights: `inputs × outputs` numbers W, row by row (a row for each input), then `outputs` numbers b; it computes Wᵀ x + b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Where W begins.
    pub first: usize,
    /// Numbers that come in.
    pub inputs: usize,
    /// Numbers that go out.
    pub outputs: usize,
}

impl Layer {
    /// Where b begins.
    pub fn bias(self) -> usize {
        self.first + self.inputs * self.outputs
    }

    /// One past the last number.
    pub fn end(self) -> usize {
        self.bias() + self.outputs
    }
}

/// A network of a checked analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Perceptron {
    name: String,
    /// Texts of the inputs, as the printer writes them.
    inputs: Vec<String>,
    hidden: Vec<usize>,
    activation: Activation,
    layers: Vec<Layer>,
    standardisation: Vec<f64>,
    weights: Vec<f64>,
    trained: bool,
}

/// The layers of these sizes, one after the other.
fn layers(sizes: &[usize]) -> Option<Vec<Layer>> {
    let mut first = 0;
    let mut all = Vec::new();
    for pair in sizes.windows(2) {
        let (inputs, outputs) = (pair[0], pair[1]);
        let count = inputs.checked_add(1)?.checked_mul(outputs)?;
        all.push(Layer {
            first,
            inputs,
            outputs,
        });
        first = first.checked_add(count).filter(|n| *n <= MOST)?;
    }
    Some(all)
}

impl Perceptron {
    /// A network whose sizes are checked, and its weights if they are given. That its inputs are numbers per event is checked where columns are known.
    pub(crate) fn new(name: &str, network: &Network) -> Result<Self> {
        let texts = network.inputs.iter().map(|s| Ok(parse(s)?.to_string()));
        let inputs = texts.collect::<Result<Vec<String>>>()?;
        let mut sizes = vec![inputs.len()];
        sizes.extend(&network.hidden);
        sizes.push(1);
        let refuse = |message: String, help: &str| Error::Network {
            network: name.into(),
            message,
            help: help.into(),
        };
        if inputs.is_empty() {
            return Err(refuse(
                "has no inputs".into(),
                "give it a list of expressions, numbers per event",
            ));
        }
        if let Some(k) = network.hidden.iter().position(|n| *n == 0) {
            return Err(refuse(
                format!("has no neuron in hidden layer {}", k + 1),
                "leave the layer out, or give it a size",
            ));
        }
        let Some(layers) = layers(&sizes) else {
            return Err(refuse(
                format!("has more than {MOST} weights"),
                "make the layers smaller",
            ));
        };
        let mut made = Self {
            name: name.into(),
            standardisation: vec![0.0; 2 * inputs.len()],
            weights: Vec::new(),
            trained: network.weights.is_some(),
            inputs,
            hidden: network.hidden.clone(),
            activation: network.activation,
            layers,
        };
        made.standardisation[made.inputs.len()..].fill(1.0);
        match &network.weights {
            None => made.weights = made.drawn(network.seed),
            Some(given) => {
                given.check(&made)?;
                made.standardisation = given.standardisation();
                made.weights.clone_from(&given.weights);
            }
        }
        Ok(made)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The expressions of its inputs, in the printer's form.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Names of the columns that hold the inputs as they are, before their standardisation: what [`Model::compile`](crate::Model::compile) takes.
    pub fn columns(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.inputs.len()).map(|k| column(&self.name, k))
    }

    /// Sizes of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        &self.hidden
    }

    /// What the sums of hidden layers go through.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The layers, one after the other among the weights.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The numbers that are trained, at the start: the input of the program with the network's name.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Name of the input of the program that holds means and inverse deviations.
    pub fn standard_input(&self) -> String {
        format!("{} inputs", self.name)
    }

    /// Means, then one over deviations, at the start: zeros and ones, or what the weights were trained with.
    pub fn standardisation(&self) -> &[f64] {
        &self.standardisation
    }

    /// Whether the numbers are those of an earlier training: then the standardisation is part of it, and is not to be taken from another sample.
    pub fn is_trained(&self) -> bool {
        self.trained
    }

    /// Nothing yet of the means and deviations of the inputs.
    pub fn moments(&self) -> Moments {
        Moments::new(&self.name, &self.inputs)
    }

    /// The weights of a training, to be written to a file: the numbers of both inputs of the program. Those of [`Moments`] come back from the file to the bit.
    ///
    /// # Errors
    /// Numbers that are not as many as there are, or not finite.
    pub fn trained(&self, standardisation: &[f64], weights: &[f64]) -> Result<Weights> {
        let (means, inverse) = standardisation.split_at(standardisation.len() / 2);
        let trained = Weights {
            origin: "the trained numbers".into(),
            inputs: self.inputs.clone(),
            hidden: self.hidden.clone(),
            activation: self.activation,
            means: means.to_vec(),
            deviations: inverse.iter().map(|x| x.recip()).collect(),
            weights: weights.to_vec(),
        };
        trained.check(self)?;
        Ok(trained)
    }

    /// Normal numbers of the variance that suits the activation (the last layer ends in a sigmoid), biases 0. Each is a function of seed, name of the network,
    /// layer and place.
    fn drawn(&self, seed: u64) -> Vec<f64> {
        let mut weights = vec![0.0; self.layers.last().map_or(0, |l| l.end())];
        let key = Key::new(seed, &self.name);
        for (step, layer) in (0..).zip(&self.layers) {
            let last = step as usize + 1 == self.layers.len();
            let into = if last {
                Activation::Sigmoid
            } else {
                self.activation
            };
            let width = into.variance(layer.inputs, layer.outputs).sqrt();
            let drawn = &mut weights[layer.first..layer.bias()];
            fill_normal(drawn, key, 0, step);
            for w in drawn {
                *w *= width;
            }
        }
        weights
    }
}

/// The column that holds input `k` of a network.
pub(crate) fn column(network: &str, k: usize) -> String {
    format!("{network} inputs[{k}]")
}
