//! What a network is: inputs, layers, activation.

use super::weights::Weights;
use crate::place::Source;

/// What the sums of a hidden layer go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// tanh x.
    #[default]
    Tanh,
    /// max(0, x); the derivative at 0 is 0.
    Relu,
    /// x/(1 + e⁻ˣ) (Elfwing, Uchibe and Doya, Neural Networks 107 (2018) 3); also called swish.
    Silu,
    /// 1/(1 + e⁻ˣ).
    Sigmoid,
    /// ln(1 + eˣ).
    Softplus,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Tanh,
        Self::Relu,
        Self::Silu,
        Self::Sigmoid,
        Self::Softplus,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::Softplus => "softplus",
        }
    }

    /// The one of that name; `swish` is `silu`.
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::network::Activation;
    /// assert_eq!(Activation::named("swish"), Some(Activation::Silu));
    /// assert_eq!(Activation::named("step"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "swish" { "silu" } else { name };
        Self::ALL.into_iter().find(|a| a.name() == name)
    }

    /// Variance of an initial weight of a layer with so many inputs and outputs: that which keeps variances from layer to layer.
    ///
    /// Reference: X. Glorot and Y. Bengio, AISTATS 9 (2010) 249, equation (12); K. He et al., arXiv:1502.01852, equation (10), for those that halve it.
    pub(crate) fn variance(self, inputs: usize, outputs: usize) -> f64 {
        match self {
            Self::Tanh | Self::Sigmoid => 2.0 / (inputs + outputs) as f64,
            Self::Relu | Self::Silu | Self::Softplus => 2.0 / inputs as f64,
        }
    }
}

/// A fully connected network of numbers per event, whose output is one number in (0, 1) per event.
///
/// # Example
/// ```
/// use pullback_analysis::network::{Activation, Network};
/// use pullback_analysis::{Analysis, Schema, schema::Column};
/// use pullback_array::DType;
/// let schema = Schema::new([Column::new("MET_pt", DType::F32, false), Column::new("Jet_pt", DType::F32, true)]);
/// let network = Network::new(["MET.pt", "default(leading(Jet).pt, 0)"], [8, 4]).activation(Activation::Relu);
/// let model = Analysis::new().network("nn", network).check(&schema)?;
/// // 2·8 + 8 numbers in the first layer, 8·4 + 4 in the second, 4 + 1 in the last.
/// assert_eq!(model.network("nn").unwrap().weights().len(), 24 + 36 + 5);
/// # Ok::<(), pullback_analysis::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub(crate) inputs: Vec<Source>,
    pub(crate) hidden: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) seed: u64,
    pub(crate) weights: Option<Weights>,
}

impl Network {
    /// A network of these inputs, numbers per event, with hidden layers of these sizes; none of them is a logistic regression.
    pub fn new<S: Into<Source>>(
        inputs: impl IntoIterator<Item = S>,
        hidden: impl Into<Vec<usize>>,
    ) -> Self {
        Self {
            inputs: inputs.into_iter().map(Into::into).collect(),
            hidden: hidden.into(),
            activation: Activation::default(),
            seed: 0,
            weights: None,
        }
    }

    /// What the sums of hidden layers go through; tanh if nothing is said.
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The seed of the initial weights; 0 if nothing is said. Networks of other names have other weights at the same seed.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Starts from these weights; [`Analysis::check`](crate::Analysis::check) refuses those of another network.
    pub fn weights(self, weights: Weights) -> Self {
        Self {
            weights: Some(weights),
            ..self
        }
    }
}
