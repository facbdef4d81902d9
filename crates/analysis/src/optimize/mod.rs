//! Choosing cuts, bin edges and weights for the final sensitivity, by one gradient from the fit back to every event.
//!
//! ```text
//! events ──soft programs──▶ bins ──▶ templates ──▶ likelihood, fitted on Asimov data ──▶ objective
//!        ◀──derivatives─── bins ◀──  templates ◀── derivatives at the solution      ◀──
//! ```
//!
//! A step is two sweeps over the training events and one fit between them. What moves with a free quantity is soft, with a width that is set by the sample and falls from
//! step to step; all else is exact, the variations of systematics too: the whole selection is evaluated again for each. Programs are recorded once. The best step
//! is chosen by the exact objective on validation events, the result is quoted from the exact objective on test events.
//!
//! A variation from other files is a data set of its own with the soft programs of its nominal one. Its events are in the part of the nominal events that are the same
//! ones, by run, section and number where all files have these (`event`, and `run` and `luminosityBlock` as far as they are there), else by their place in the files.
//!
//! Of a part of the events yields stand for all of them (weights are scaled by its share of the generated weights), and so do variances and numbers of entries: the
//! uncertainty of the number of simulated events is that of the whole sample.

mod batches;
mod driver;
mod events;
mod goal;
mod held_out;
mod layout;
mod networks;
mod outcome;
mod problem;
mod quantities;
mod quote;
mod soft;
mod split;
mod templates;
mod training;

pub use batches::Batches;
pub use events::Options;
pub use held_out::HeldOut;
pub use outcome::{Moved, Outcome};
pub use problem::{Problem, SoftValue};
pub use quantities::Quantity;
pub use quote::{Impact, Quote};
pub use split::Part;
pub use training::{Ended, Progress, Record, State};
