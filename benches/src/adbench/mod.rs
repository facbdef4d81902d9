//! The four problems of ADBench, written with this library: Gaussian mixture, bundle adjustment, hand tracking, LSTM.
//!
//! | problem | what is differentiated | how it is written | derivative |
//! |---|---|---|---|
//! | [`Gmm`] | log-posterior of a Gaussian mixture | an array program over a stream of points | `transform::grad`, one sweep |
//! | [`Bundle`] | reprojection errors of cameras and points | scalar code for one observation | block Jacobians in `Dual` lanes; also by colouring |
//! | [`Hand`] | distances between a posed hand and points | scalar code for the whole hand | `Dual` lanes, 16 at a time |
//!
//! No derivative is written by hand here. The objectives follow the specification of GradBench (github.com/gradbench/gradbench, `evals/`), which
//! corrects three errors of ADBench's own mixture; the file formats are those of ADBench (`docs/FileFormat.md`).
//!
//! References: F. Šrajer, Z. Kukelova, A. Fitzgibbon, A benchmark of selected algorithmic differentiation tools, Optim. Methods Softw. 33 (2018) 889,
//! arXiv:1807.10129.

mod bundle;
pub mod by_hand;
mod gmm;
mod hand;
mod lstm;
mod read;

pub use bundle::{Bundle, Observation};
pub use gmm::Gmm;
pub use hand::{Anchor, Bone, Hand, Vertex};
pub use lstm::Lstm;
pub use read::{ReadError, Reader};
