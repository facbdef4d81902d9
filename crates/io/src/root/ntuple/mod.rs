//! `ROOT::RNTuple`: fields in columns, columns in pages, pages in clusters.
//!
//! Format: "RNTuple Binary Format Specification 1.0.0.1", `tree/ntuple/doc/BinaryFormatSpecification.md` in ROOT.

mod description;
mod elements;
mod encoding;
mod envelope;
mod fields;
mod pages;
mod read;
mod table;

pub use table::Ntuple;
