//! A search for a Z' that decays to top pairs: cuts, bins and a network chosen for the expected limit by one gradient, beside a network trained on the
//! cross-entropy with cuts and bins chosen by CMA-ES in the same processor time.

mod compare;
mod samples;

pub use compare::{Compared, Gradients, compare, gradients};
pub use samples::{Samples, analysis};
