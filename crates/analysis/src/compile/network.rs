//! Networks: layers are products of matrices over the events of a block.

use pullback_ad::Real;
use pullback_array::{Space, Sym};

use super::express::Compiler;
use super::value::{Maybe, Value, to_real};
use crate::network::{Activation, Layer};

impl<'b> Compiler<'b> {
    /// The output of a network: σ of the last sum.
    pub fn network(&self, name: &str) -> Maybe<'b> {
        let Some(network) = self.model.network(name) else {
            return self.nothing();
        };
        let standard = self.numbers_of(&network.standard_input(), network.standardisation());
        let weights = self.numbers_of(name, network.weights());
        let inputs = network.inputs().len();
        let mut features = Vec::with_capacity(inputs);
        for (k, column) in network.columns().enumerate() {
            let x = match self.defined(&column).value {
                Value::Real(x) => x,
                Value::Int(n) => to_real(n),
                _ => return self.nothing(),
            };
            let (mean, inverse) = (standard.element(k), standard.element(inputs + k));
            features.push((x - mean) * inverse);
        }
        let level = |k: usize, n: usize| self.b.dense_of(&format!("{name} layer {k}"), n);
        let mut from = level(0, inputs);
        let mut x = self.b.stack(&features, self.b.join(self.events, from));
        let Some((last, hidden)) = network.layers().split_last() else {
            return self.nothing();
        };
        for (k, layer) in hidden.iter().enumerate() {
            let to = level(k + 1, layer.outputs);
            let matrix = self.b.join(from, to);
            let w = self.part(weights, layer.first, layer.inputs * layer.outputs, matrix);
            let b = self.part(weights, layer.bias(), layer.outputs, to);
            let sum = x.contract(w, self.b.join(self.events, to)) + b;
            x = activate(network.activation(), sum);
            from = to;
        }
        Maybe::new(Value::Real(self.sum(weights, *last, x, from).sigmoid()))
    }

    /// The last layer, with one output.
    fn sum(&self, weights: Sym<'b>, layer: Layer, x: Sym<'b>, from: Space) -> Sym<'b> {
        let w = self.part(weights, layer.first, layer.inputs, from);
        x.contract(w, self.events) + weights.element(layer.bias())
    }

    /// Numbers of a vector from `first` on, in a space of their own.
    fn part(&self, vector: Sym<'b>, first: usize, len: usize, space: Space) -> Sym<'b> {
        let index: Vec<i64> = (first as i64..).take(len).collect();
        vector.gather(self.b.constant_i64(&index, space))
    }

    /// An input of several numbers that can vary.
    fn numbers_of(&self, name: &str, start: &[f64]) -> Sym<'b> {
        if let Some(known) = self.parameters.borrow().get(name) {
            return *known;
        }
        let input = self.b.input(name, self.b.dense_of(name, start.len()));
        self.input(name, start.to_vec(), input);
        input
    }
}

fn activate(activation: Activation, x: Sym<'_>) -> Sym<'_> {
    match activation {
        Activation::Tanh => x.tanh(),
        // At a tie the derivative is that of the first argument.
        Activation::Relu => Sym::from(0.0).max(x),
        Activation::Silu => x * x.sigmoid(),
        Activation::Sigmoid => x.sigmoid(),
        Activation::Softplus => x.softplus(),
    }
}
