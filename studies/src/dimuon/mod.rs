//! Muon momentum scale and resolution from J/ψ and Z at once: an unbinned likelihood of opposite-charge pairs, formed and selected in the recorded program, whose
//! densities move with the calibration while the data stay.
//!
//! - `line_shape`: the true masses of a resonance: Breit-Wigner or line, final-state radiation; `lattice`: the same as weights on an even lattice, and the norm in
//!   a window.
//! - `calibration`: parameters, bins, selection; `record`, `density`: the program; `plain`: the same as loops over any scalar, the oracle and the source of predictions.
//! - `likelihood`: value and gradient; `hessian`: second derivatives, pair by pair; `fit`: minimum and covariance.
//! - `muons`: columns, from a file or from the generator; `toys`: events of the model itself.
//! - `closure`: known values found again, pulls; `goodness`: χ² of both peaks.

mod calibration;
mod closure;
mod density;
mod error;
mod fit;
mod goodness;
mod hessian;
mod lattice;
mod likelihood;
mod line_shape;
mod muons;
mod plain;
mod record;
mod toys;

pub use calibration::{Calibration, Layout, Momenta, Peak, Truth};
pub use closure::{Pulls, Sample, bootstrap, of_generator, of_model};
pub use error::DimuonError;
pub use fit::{Fitted, fit, start};
pub use goodness::{Bin, Goodness, goodness};
pub use lattice::Lattice;
pub use likelihood::{Derivative, Likelihood};
pub use line_shape::{LineShape, Radiation};
pub use muons::{Muons, generated, open_data};
pub use plain::{Member, Pair, density, muon, pairs, twice_nll};
pub use record::{record, record_columns, record_selection};
pub use toys::toy;
