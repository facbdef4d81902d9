//! Compressed blocks: nine bytes of header, then data of one of four algorithms.
//!
//! Format: ROOT, `core/zip/src/RZip.cxx`; the same table stands in the RNTuple specification, "Compression Block".

use std::borrow::Cow;
use std::io::Read;

use lzma_rust2::XzReader;

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::site::Site;

/// A compression algorithm, as a tree or an ntuple names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Not compressed.
    None,
    /// zlib.
    Zlib,
    /// LZMA in xz containers.
    Lzma,
    /// LZ4 blocks.
    Lz4,
    /// Zstandard.
    Zstd,
    /// Something else.
    Unknown,
}

impl Algorithm {
    /// From ROOT's compression settings: 100 × algorithm + level.
    pub(crate) fn from_settings(settings: u32) -> Self {
        match (settings / 100, settings % 100) {
            (_, 0) => Self::None,
            // Before ROOT 5.30 the settings were the level of zlib alone.
            (0 | 1, _) => Self::Zlib,
            (2, _) => Self::Lzma,
            (4, _) => Self::Lz4,
            (5, _) => Self::Zstd,
            _ => Self::Unknown,
        }
    }

    /// The name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zlib => "zlib",
            Self::Lzma => "lzma",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Unknown => "unknown",
        }
    }
}

const HEADER: usize = 9;

/// One block: algorithm, data, decompressed size.
struct Block<'a> {
    algorithm: Algorithm,
    offset: u64,
    data: &'a [u8],
    size: usize,
}

fn next_block<'a>(cursor: &mut Cursor<'a>) -> Result<Block<'a>> {
    let offset = cursor.offset();
    let header = cursor.take(HEADER)?;
    let &[a, b, _, c0, c1, c2, u0, u1, u2] = header else {
        return Err(cursor.corrupt("a block has no header"));
    };
    let compressed = usize::from(c0) | usize::from(c1) << 8 | usize::from(c2) << 16;
    let size = usize::from(u0) | usize::from(u1) << 8 | usize::from(u2) << 16;
    // What an algorithm can expand a byte to: deflate 1032 times, LZ4 255 times; the others know runs of any length.
    let (algorithm, most) = match (a, b) {
        (b'Z', b'L') => (Algorithm::Zlib, compressed.saturating_mul(1032)),
        (b'X', b'Z') => (Algorithm::Lzma, usize::MAX),
        (b'L', b'4') => (Algorithm::Lz4, compressed.saturating_mul(255)),
        (b'Z', b'S') => (Algorithm::Zstd, usize::MAX),
        (b'C', b'S') => {
            return Err(
                cursor.unsupported("the compression of ROOT before version 2 (`CS` blocks)")
            );
        }
        _ => {
            return Err(cursor.corrupt(format!(
                "a block starts with {a:#04x} {b:#04x}, which is no compression algorithm"
            )));
        }
    };
    if size > most {
        return Err(cursor.corrupt(format!(
            "a block of {compressed} bytes claims to hold {size}, more than {} can",
            algorithm.name()
        )));
    }
    Ok(Block {
        algorithm,
        offset,
        data: cursor.take(compressed)?,
        size,
    })
}

/// Decompresses `input`, which is at byte `base` of the file, to exactly `size` bytes; stored bytes are copied.
///
/// # Errors
/// Sizes that contradict each other or pass the limit (before anything is allocated), a damaged block, a wrong checksum.
pub(crate) fn decompress(
    input: &[u8],
    base: u64,
    size: u64,
    site: &Site,
    limits: &Limits,
) -> Result<Vec<u8>> {
    site.limit("bytes of a decompressed object", size, limits.object_bytes)?;
    let size = size as usize;
    if size <= input.len() {
        return Ok(input.get(..size).unwrap_or_default().to_vec());
    }
    let mut total = 0_usize;
    let mut cursor = Cursor::new(input, base, site);
    // A first pass over the headers alone: nothing is allocated on the word of a block that contradicts the others.
    while total < size {
        total += next_block(&mut cursor)?.size;
        if total > size {
            return Err(cursor.corrupt(format!(
                "the blocks hold more than the {size} bytes of their object"
            )));
        }
    }
    let mut output = vec![0; size];
    let mut rest = output.as_mut_slice();
    let mut cursor = Cursor::new(input, base, site);
    while !rest.is_empty() {
        let block = next_block(&mut cursor)?;
        let Some((part, tail)) = rest.split_at_mut_checked(block.size) else {
            break;
        };
        decode(&block, part, site)?;
        rest = tail;
    }
    Ok(output)
}

fn decode(block: &Block<'_>, output: &mut [u8], site: &Site) -> Result<()> {
    let damaged = |message: String| Error::Compression {
        algorithm: block.algorithm.name(),
        message,
        place: site.place(Some(block.offset)),
    };
    let size = output.len();
    let written = match block.algorithm {
        Algorithm::Zlib => {
            let config = zlib_rs::InflateConfig::default();
            let (part, code) = zlib_rs::decompress_slice(output, block.data, config);
            if code != zlib_rs::ReturnCode::Ok {
                return Err(damaged(format!("{code:?}")));
            }
            part.len()
        }
        Algorithm::Lz4 => {
            let Some((stored, data)) = block.data.split_first_chunk::<8>() else {
                return Err(damaged("it has no checksum".to_owned()));
            };
            let expected = u64::from_be_bytes(*stored);
            let found = xxhash_rust::xxh64::xxh64(data, 0);
            if found != expected {
                return Err(Error::Checksum {
                    algorithm: "xxHash64",
                    expected,
                    found,
                    place: site.place(Some(block.offset)),
                });
            }
            lz4_flex::block::decompress_into(data, output).map_err(|e| damaged(e.to_string()))?
        }
        Algorithm::Zstd => zstd_safe::decompress(output, block.data)
            .map_err(|code| damaged(zstd_safe::get_error_name(code).to_owned()))?,
        Algorithm::Lzma => {
            // 128 MiB: the decoder of the highest preset needs 65.
            let mut reader = XzReader::new_mem_limit(block.data, false, 128 << 10);
            reader
                .read_exact(output)
                .map_err(|e| damaged(e.to_string()))?;
            // Reads the index too, which ends the check of the container.
            match reader.read(&mut [0]).map_err(|e| damaged(e.to_string()))? {
                0 => size,
                more => size + more,
            }
        }
        Algorithm::None | Algorithm::Unknown => return Err(damaged("unknown".to_owned())),
    };
    if written != size {
        return Err(damaged(format!(
            "{written} bytes came out, {size} were promised"
        )));
    }
    Ok(())
}

/// Bytes that one block can say that it holds.
const LARGEST_BLOCK: usize = 0xff_ffff;
/// The level of zlib that ROOT takes where nothing else is asked for.
const LEVEL: i32 = 1;

/// The blocks of an object, or the object itself where it is not to be compressed or would not be smaller.
pub(crate) fn compress(object: &[u8], how: Algorithm) -> Cow<'_, [u8]> {
    let stored = Cow::Borrowed(object);
    if how != Algorithm::Zlib {
        return stored;
    }
    let mut blocks = Vec::new();
    for part in object.chunks(LARGEST_BLOCK) {
        let mut room = vec![0; zlib_rs::compress_bound(part.len())];
        let config = zlib_rs::DeflateConfig::new(LEVEL);
        let (data, code) = zlib_rs::compress_slice(&mut room, part, config);
        if code != zlib_rs::ReturnCode::Ok || data.len() > LARGEST_BLOCK {
            return stored;
        }
        blocks.extend(*b"ZL\x08");
        for size in [data.len(), part.len()] {
            blocks.extend(size.to_le_bytes().iter().take(3));
        }
        blocks.extend_from_slice(data);
    }
    if blocks.len() < object.len() {
        Cow::Owned(blocks)
    } else {
        stored
    }
}
