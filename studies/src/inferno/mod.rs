//! INFERNO's toy: summary statistics of a mixture with nuisance parameters, trained for the uncertainty of the measurement instead of a classification.
//!
//! Reference: P. de Castro & T. Dorigo, arXiv:1806.04743 (Comput. Phys. Commun. 244 (2019) 170), "the paper" of this module.
//!
//! | what | where |
//! |---|---|
//! | the mixture: events, densities, scores | [`Toy`], [`Batch`] |
//! | which parameters are free, and how they are constrained | [`Benchmark`] |
//! | the uncertainty σ(s) of templates, as a program | [`Sigma`], [`record_sigma`] |
//! | the smallest that any statistic can reach | [`Fisher`] |
//! | the network, the sums over events | [`Network`], [`Readout`], [`record_templates`] |
//! | one gradient from σ(s) to all weights | [`train`], [`Training`], [`Goal`] |
//! | held-out templates and their σ(s) | [`evaluate`], [`Held`] |
//! | all trainings of the table, and the table | [`jobs`], [`run`], [`markdown`], [`json`] |
//! | what was published | [`published`] |

mod benchmark;
mod bound;
mod error;
mod evaluate;
mod network;
pub mod published;
mod sigma;
mod study;
mod table;
mod templates;
mod toy;
mod train;

pub use benchmark::{Benchmark, PARAMETERS};
pub use bound::{Fisher, gauss_legendre};
pub use error::InfernoError;
pub use evaluate::{Classes, GROUPS, Held, Tangents, edges_of_equal_content, evaluate};
pub use network::Network;
pub use sigma::{Sigma, record_sigma};
pub use study::{Entry, Job, Kind, Run, jobs, run};
pub use table::{json, markdown};
pub use templates::{Readout, record_templates, record_training};
pub use toy::{Batch, Batches, Row, Toy};
pub use train::{Goal, Method, Report, Step, Training, train};
