//! The four problems of ADBench, written with this library: Gaussian mixture, bundle adjustment, hand tracking, LSTM.
//!
//! | problem | what is differentiated | how it is written | derivative |
//! |---|---|---|---|
//! | [`Gmm`] | log-posterior of a Gaussian mixture, 1,650 parameters | an array program over a stream of points | `transform::grad`, one sweep |
//! | [`Bundle`] | reprojection errors of cameras and points, 95,529 × 55,710, sparse | scalar code for one observation | blocks of 2 × 15 in `Dual` lanes; also by colouring |
//! | [`Hand`] | differences between a posed hand and points, 300 × 26 | scalar code for the whole hand | `Dual` lanes, 16 at a time |
//! | [`Lstm`] | mean log-loss of a recurrent network, 266 parameters | an array program, a scan over the characters | `transform::grad` |
//!
//! What was reached (`cargo xtask bench adbench`; processor time of one thread, minimum, AMD Zen 4 with AVX-512, a shared machine), next to the same
//! by hand in Rust ([`by_hand`], same run) and to published implementations on another machine:
//!
//! | problem | objective | derivative | by hand, same run | hand-written C++; Tapenade C, elsewhere |
//! |---|---|---|---|---|
//! | GMM 10k d10 K25 | 4.6 ms | 8.7 ms | 24.4 ms | 24.6; 43.6 ms |
//! | BA ba1, by blocks | 1.0 ms | 2.7 ms | 1.9 ms | 3.6; 10.4 ms |
//! | BA ba1, by colouring (14 colours) | | 6.4 ms | | |
//! | HAND small c100 | 1.8 µs | 23 µs | | 377; 5160 µs |
//! | LSTM l2 c1024 | 0.9 ms | 2.8 ms | | 7.0; 4.2 ms |
//!
//! The mixture wins because its points fill the vectors and its matrix products run in registers. The hand is posed only where points are, with the
//! few bones that move a vertex; ADBench's code moves every vertex with every bone, so its time is not that of the same work. The blocks of bundle
//! adjustment carry fifteen tangents where the formula by hand uses that a camera's centre and the point enter as a difference.
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
