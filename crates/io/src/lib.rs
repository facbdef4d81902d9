//! Files in, files out: columns of numbers under levels of lists, in ROOT, Parquet and CSV files; no physics.
//!
//! # Design
//!
//! Two layers. The lower one knows a format: [`root::File`] opens a ROOT file ([`Source`]: positioned reads, nothing mapped), lists
//! what is in it, and gives a [`root::Tree`], a [`root::Ntuple`] or a [`root::Histogram`]; [`parquet::Parquet`] and [`csv::Csv`] are tables of their own, with a
//! [`parquet::Writer`] and a [`csv::Writer`] beside them, and a [`root::HistogramWriter`] for histograms. The upper one knows none: a [`Table`] has a
//! number of entries and a [`Schema`] of [`Field`]s (name, [`DType`], [`Level`]s), and reads columns by position for a range of
//! entries; a [`Dataset`] is several tables of several files as one, with friends joined by entry, read in [`Chunk`]s of bounded
//! memory with global entry numbers. A further format is a module that implements [`Table`].
//!
//! A [`Column`] is one typed buffer ([`Values`]) under [`Axis`] levels: `i64` offsets that start at 0 (shared among the columns of a
//! collection), fixed lengths, or presence masks. That is what the array engine takes, after [`Column::widen`] for the types that it
//! lacks; this crate does not depend on it.
//!
//! Reading is by bulk: the baskets (pages) of the wanted columns that overlap the range are decompressed and decoded in parallel,
//! each to a typed buffer by a loop over fixed-size chunks that the compiler vectorises, then cut and joined. Opening a tree parses
//! names, types and shapes only; lists of baskets stay where they are until a column is read.
//!
//! # What a file may do
//!
//! Nothing read from a file is believed: lengths are compared with the size of the file and with [`Limits`] before anything is
//! allocated, checksums are verified where the format has them (LZ4 blocks, ntuple envelopes and pages), and every [`Error`] names
//! the file, the object and the byte. There is no unsafe code, no panic and no unchecked index in this crate.
//!
//! ```
//! use pullback_io::{Table, Values, root};
//! let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/muons_zlib.root");
//! let tree = root::File::open(path)?.tree("Events")?;
//! assert_eq!(tree.entries(), 250);
//! let pt = tree.column("Muon_pt")?;
//! assert_eq!(pt.offsets().map(|o| o[1]), Some(0)); // The first event has no muon.
//! assert!(matches!(pt.values(), Values::F32(_)));
//! # Ok::<(), pullback_io::Error>(())
//! ```

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests"
    )
)]

mod budget;
mod chunks;
mod column;
pub mod csv;
mod cursor;
mod dataset;
mod dtype;
mod error;
mod limits;
mod names;
mod open;
pub mod parquet;
mod paths;
pub mod root;
mod schema;
mod site;
mod source;
mod table;
mod take;
mod values;

pub use chunks::Chunks;
pub use column::{Axis, Column};
pub use dataset::{Chunk, Dataset, Options};
pub use dtype::DType;
pub use error::{Error, ErrorKind, Place, Result};
pub use limits::Limits;
pub use names::nearest;
pub use open::{Format, open};
pub use schema::{Field, Level, Schema, Unreadable};
pub use source::Source;
pub use table::{Sizes, Table};
pub use values::{Strings, Values};
