//! Compression of pages.
//!
//! Specification: `Compression.md` of the Parquet format.

use crate::error::{Error, Result};
use crate::site::Site;

/// How the pages of a column are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Not at all.
    None,
    /// Snappy.
    Snappy,
    /// Gzip.
    Gzip,
    /// LZ4 blocks.
    Lz4,
    /// Zstandard.
    Zstd,
    /// One that is not read (LZO, Brotli, LZ4 with Hadoop's frames), by its number.
    Other(i32),
}

/// Level of Zstandard that is written: its default.
const ZSTD_LEVEL: i32 = 3;

impl Codec {
    pub(crate) fn from_number(number: i64) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Snappy,
            2 => Self::Gzip,
            6 => Self::Zstd,
            7 => Self::Lz4,
            other => Self::Other(i32::try_from(other).unwrap_or(-1)),
        }
    }

    pub(crate) fn number(self) -> i32 {
        match self {
            Self::None => 0,
            Self::Snappy => 1,
            Self::Gzip => 2,
            Self::Zstd => 6,
            Self::Lz4 => 7,
            Self::Other(number) => number,
        }
    }

    /// The name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Snappy => "snappy",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Other(_) => "unknown",
        }
    }

    /// To exactly `size` bytes; `offset` is where the data are in the file.
    pub(crate) fn decompress(
        self,
        data: &[u8],
        size: usize,
        offset: u64,
        site: &Site,
    ) -> Result<Vec<u8>> {
        let damaged = |message: String| Error::Compression {
            algorithm: self.name(),
            message,
            place: site.place(Some(offset)),
        };
        // What the algorithms can expand a byte to: deflate 1032 times, LZ4 255 times, Snappy 64 bytes from 3.
        let most = match self {
            Self::None => data.len(),
            Self::Snappy => data.len().saturating_mul(64),
            Self::Gzip => data.len().saturating_mul(1032),
            Self::Lz4 => data.len().saturating_mul(255),
            _ => usize::MAX,
        };
        if size > most {
            let message = format!("{} bytes claim to hold {size}", data.len());
            return Err(damaged(message));
        }
        let mut output = vec![0; size];
        let written = match self {
            Self::None => return Ok(data.get(..size).unwrap_or_default().to_vec()),
            Self::Snappy => snap::raw::Decoder::new()
                .decompress(data, &mut output)
                .map_err(|e| damaged(e.to_string()))?,
            Self::Gzip => {
                // 16 more than the size of the window: with the head of a gzip file.
                let config = zlib_rs::InflateConfig { window_bits: 31 };
                let (part, code) = zlib_rs::decompress_slice(&mut output, data, config);
                if code != zlib_rs::ReturnCode::Ok {
                    return Err(damaged(format!("{code:?}")));
                }
                part.len()
            }
            Self::Lz4 => lz4_flex::block::decompress_into(data, &mut output)
                .map_err(|e| damaged(e.to_string()))?,
            Self::Zstd => zstd_safe::decompress(output.as_mut_slice(), data)
                .map_err(|code| damaged(zstd_safe::get_error_name(code).to_owned()))?,
            Self::Other(number) => {
                let what = format!("pages compressed by codec {number}");
                return Err(site.unsupported(Some(offset), what));
            }
        };
        if written == size {
            return Ok(output);
        }
        Err(damaged(format!(
            "{written} bytes came out, {size} were promised"
        )))
    }

    /// For writing; `None` where it is one that is only read.
    pub(crate) fn compress(self, data: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::None => Some(data),
            Self::Snappy => snap::raw::Encoder::new().compress_vec(&data).ok(),
            Self::Zstd => {
                let mut output = vec![0; zstd_safe::compress_bound(data.len())];
                let length = zstd_safe::compress(output.as_mut_slice(), &data, ZSTD_LEVEL).ok()?;
                output.truncate(length);
                Some(output)
            }
            Self::Gzip | Self::Lz4 | Self::Other(_) => None,
        }
    }
}
