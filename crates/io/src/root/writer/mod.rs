//! ROOT files of histograms, written.

mod classes;
mod file;
mod histogram;
mod label;
mod output;

pub use file::HistogramWriter;
