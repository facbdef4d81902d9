//! Texts with one row a line and a separator between cells (RFC 4180).

mod infer;
mod scan;
mod table;
mod writer;

pub use table::Csv;
pub use writer::Writer;
