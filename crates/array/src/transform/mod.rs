//! Program-to-program transforms. A derivative is a program like any other: optimised, differentiated again, printed, saved.

mod bind;
mod forward;
mod rebuild;
mod reverse;

pub use bind::bind;
pub use forward::jvp;
pub use rebuild::{prune, replay};
pub use reverse::{grad, vjp};
