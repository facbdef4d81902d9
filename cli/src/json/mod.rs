//! Results for machines.

mod data;
mod eval;
mod fit;
mod generate;
mod inspect;
mod layout;
mod optimize;
mod run;

pub use data::data;
pub use eval::{Evaluation, NamedValue};
pub use fit::fit;
pub use generate::generate;
pub use inspect::inspect;
pub use layout::write;
pub use optimize::{optimize, optimum};
pub use run::run;
