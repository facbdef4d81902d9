//! A network of dense layers, recorded.

use pullback_ad::Real;
use pullback_array::{Builder, Column, Space, Sym};
use pullback_prob::{Key, fill_normal};

/// Dense layers with max(0, ·) between them: the paper has 3 → 100 → 100 → 10.
///
/// ```text
/// h₀ = x,    hₖ = max(0, hₖ₋₁ Wₖ + bₖ),    logits = h W + b
/// ```
///
/// All weights of a network are one vector, layer by layer: W row by row (a row per input), then b.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Numbers of units, inputs first.
    pub sizes: Vec<usize>,
}

impl Network {
    /// With these numbers of units, inputs first.
    pub fn new(sizes: &[usize]) -> Self {
        Self {
            sizes: sizes.to_vec(),
        }
    }

    /// Number of weights.
    ///
    /// ```
    /// use pullback_studies::inferno::Network;
    /// assert_eq!(Network::new(&[3, 100, 100, 10]).weights(), 400 + 10_100 + 1_010);
    /// ```
    pub fn weights(&self) -> usize {
        self.layers().map(|(i, o)| (i + 1) * o).sum()
    }

    fn layers(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.sizes.windows(2).map(|w| (w[0], w[1]))
    }

    /// Names of the inputs that hold the weights, in the order of [`Self::columns`].
    pub fn names(&self) -> Vec<String> {
        (1..self.sizes.len())
            .flat_map(|k| [format!("weights{k}"), format!("biases{k}")])
            .collect()
    }

    /// The vector of weights cut into columns.
    pub fn columns<'a>(&self, weights: &'a [f64]) -> Vec<Column<'a>> {
        let mut rest = weights;
        let mut columns = Vec::new();
        for (inputs, outputs) in self.layers() {
            for n in [inputs * outputs, outputs] {
                let (column, after) = rest.split_at(n.min(rest.len()));
                columns.push(column.into());
                rest = after;
            }
        }
        columns
    }

    /// Start values: W normal with variance 2/inputs, b = 0.
    ///
    /// Reference: K. He et al., arXiv:1502.01852, equation (10).
    pub fn start(&self, seed: u64) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.weights());
        for (k, (inputs, outputs)) in self.layers().enumerate() {
            let mut z = vec![0.0; inputs * outputs];
            fill_normal(&mut z, Key::new(seed, "weights"), 0, k as u32);
            let sd = (2.0 / inputs as f64).sqrt();
            out.extend(z.iter().map(|z| sd * z));
            out.resize(out.len() + outputs, 0.0);
        }
        out
    }

    /// Records the logits, `events > last level`, of `x` in `events > features`; the weights are new inputs.
    pub fn record<'b>(&self, b: &'b Builder, x: Sym<'b>, events: Space, last: Space) -> Sym<'b> {
        let mut from = x.space().without(0);
        let mut h = x;
        let layers = self.sizes.len() - 1;
        for (k, name) in self.names().chunks(2).enumerate() {
            let to = if k + 1 == layers {
                last
            } else {
                b.dense_of(&format!("units{}", k + 1), self.sizes[k + 1])
            };
            let weights = b.input(&name[0], b.join(from, to));
            let biases = b.input(&name[1], to);
            h = h.contract(weights, b.join(events, to)) + biases;
            if k + 1 < layers {
                h = h.max(0.0.into());
            }
            from = to;
        }
        h.named("logits")
    }
}
