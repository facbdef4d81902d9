//! ROOT files: trees, ntuples and histograms read, histograms of one dimension written.

mod basket;
mod branch;
mod compression;
mod entries;
mod file;
mod histogram;
mod key;
mod layout;
mod ntuple;
mod number;
mod objects;
mod reduced;
mod streamer;
mod tree;
mod tree_read;
mod writer;

pub use compression::Algorithm;
pub use file::{File, Object, ObjectKind};
pub use histogram::{Histogram, HistogramAxis};
pub use ntuple::Ntuple;
pub use tree::Tree;
pub use writer::HistogramWriter;
