//! Parquet files: nested lists, optional values and records as columns with offsets.

mod codec;
mod encoding;
mod hybrid;
mod layout;
mod levels;
mod metadata;
mod page;
mod read;
mod shred;
mod table;
mod thrift;
mod writer;

pub use codec::Codec;
pub use table::Parquet;
pub use writer::{WriteOptions, Writer};
