//! Tables and sentences for people.

mod bars;
mod data;
mod derivatives;
mod eval;
mod fit;
mod generate;
mod inspect;
pub mod optimize;
mod parameters;
pub mod rounding;
pub mod run;
mod table;
pub mod tangents;
mod yields;

pub use data::data;
pub use derivatives::{Derivatives, Lever, by_data, by_signal, derivatives};
pub use eval::eval;
pub use fit::{About, count, duration, fit, headline};
pub use generate::generate;
pub use inspect::inspect;
pub use optimize::optimize;
pub use parameters::{Group, members, note};
pub use run::run;
pub use table::{shorten, terminal_width};
pub use yields::{observed, text_of as yield_text};
