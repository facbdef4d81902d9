//! Event weights that stay exact in the likelihood: T(θ) = Σ w(θ) over the selected events, at every θ that a fit looks at, instead of an interpolation between templates at
//! ±1 standard deviation.
//!
//! A systematic with `exact = true` moves a parameter of the analysis by which weights change and nothing else: what moves a decision (a cut, a bin, a choice) is refused by its
//! name. The events that pass the cuts of some channel are held in memory, the derivatives dT/dθ come from the program of the data set in forward mode, and the fit is
//! [`pullback_stats::fit::fit_moving`].
//!
//! What an exact systematic adds to a yield, T(θ) − T(0), stands in the likelihood where a `histosys` stands: beside the shapes of other systematics, inside of their factors, with
//! `staterror` widths from the nominal yields, and a normal constraint of θ.

mod events;
mod fit;

pub use fit::Exact;
