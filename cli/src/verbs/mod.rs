//! The verbs of the command line, one file each.

mod data;
mod demo;
mod eval;
mod fit;
mod generate;
mod inspect;
mod optimize;
mod pictures;
mod point;
mod run;

pub use data::{FileOverview, TableOverview, inspect_data, kind};
pub use demo::demo;
pub use eval::eval;
pub use fit::fit;
pub use generate::{Generated, generate};
pub use inspect::inspect;
pub use optimize::{InFolds, Optimized, optimize};
pub use run::run;
