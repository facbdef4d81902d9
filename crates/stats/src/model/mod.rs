//! The likelihood of a resolved model, as programs of the array engine.

mod even;
mod interp;
mod interp_kernel;
mod layout;
mod likelihood;
mod pullback;
mod record;
mod slots;

pub use even::{EVEN, Even, even_basis};
pub use interp::{INTERP, Interp, coefficients, factor, histosys_basis};
pub use layout::{LANES, Layout, RowTable};
pub use likelihood::{Data, Model};
pub use pullback::Slots;
pub(crate) use pullback::{Pullback, column, keep};
pub use record::{Part, record, templates};
