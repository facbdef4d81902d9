//! Neural networks of an analysis: a number per event from others, by weights that can be trained.
//!
//! A network is a name like any other: `nn` is its output in (0, 1), a column per event that can be cut on, binned and used in weights; `logit(nn)` is what the
//! sigmoid was taken of, without a loss of digits where that is saturated, so that the cross-entropy of a signal event is `softplus(-logit(nn))` and that of a
//! background event `softplus(logit(nn))`.
//!
//! ```text
//! x_k = (input_k − mean_k)/deviation_k,   h = a(Wᵀ x + b),   ..,   nn = σ(wᵀ h + c)
//! ```
//!
//! In the program the weights are one input of the network's name, laid out layer by layer ([`Perceptron::layers`]), and the standardisation is another one,
//! `NAME inputs`: all means, then one over all deviations. The inputs before it are columns, `NAME inputs[0]` and so on, of which [`Moments`] are taken.
//!
//! Reference: D. Rumelhart, G. Hinton and R. Williams, Nature 323 (1986) 533, equations (1) and (2).

mod define;
mod moments;
mod perceptron;
mod weights;

pub use define::{Activation, Network};
pub use moments::Moments;
pub(crate) use perceptron::column;
pub use perceptron::{Layer, Perceptron};
pub use weights::Weights;
