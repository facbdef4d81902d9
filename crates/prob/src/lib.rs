//! Counter-based random numbers and the distributions drawn with them.
//!
//! There is no generator with a state that moves on. A draw is a function of its address: the seed, the global id of the event, the name of the
//! draw and a step ([`Key`], [`Stream`]). So a sub-range of events, another chunking or another number of threads gives the same numbers, and one
//! more draw in one place changes no other. The bits are the same on every machine and instruction set.
//!
//! | wanted | type |
//! |---|---|
//! | the address of draws | [`Key`]: seed and name; [`Key::stream`]: event and step |
//! | random words, also for other libraries | [`Stream`], a [`rand_core::Rng`] |
//! | a value, or a column of one value per event | [`Distribution::draw`], [`Distribution::fill`] |
//! | continuous | [`Uniform`], [`Normal`], [`Exponential`], [`Cauchy`], [`BreitWigner`], [`PowerTail`], [`Gamma`] |
//! | integers | [`Poisson`], [`Binomial`], [`Geometric`], [`Categorical`] |
//! | a draw as a differentiable function of its parameters | [`quantile`] |
//! | the raw function | [`philox`] |
//!
//! ```
//! use pullback_prob::{Distribution, Key, Normal};
//!
//! let key = Key::new(42, "muon.resolution");
//! let normal = Normal::new(0.0, 1.0)?;
//! let one = normal.draw(key, 1_000_003, 0);
//! let mut column = [0.0; 10];
//! normal.fill(&mut column, key, 1_000_000, 0);
//! assert_eq!(column[3], one);
//! # Ok::<(), pullback_prob::ProbError>(())
//! ```

mod binomial;
mod breit_wigner;
mod categorical;
mod cauchy;
mod distribution;
mod error;
mod exponential;
mod fill;
mod gamma;
mod geometric;
mod key;
mod normal;
pub mod philox;
mod poisson;
mod power_tail;
pub mod quantile;
mod saddle;
mod stream;
mod uniform;

pub use binomial::Binomial;
pub use breit_wigner::BreitWigner;
pub use categorical::Categorical;
pub use cauchy::Cauchy;
pub use distribution::Distribution;
pub use error::ProbError;
pub use exponential::Exponential;
pub use fill::{fill_exponential, fill_normal, fill_uniform, fill_uniform_pair};
pub use gamma::Gamma;
pub use geometric::Geometric;
pub use key::Key;
pub use normal::Normal;
pub use poisson::Poisson;
pub use power_tail::PowerTail;
pub use rand_core;
pub use stream::Stream;
pub use uniform::{Uniform, unit};
