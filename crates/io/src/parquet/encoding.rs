//! Encodings of values.
//!
//! Specification: `Encodings.md` of the Parquet format.

use std::ops::Range;

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::dtype::DType;
use crate::error::Result;
use crate::parquet::hybrid::{self, unpack};
use crate::parquet::metadata::Physical;
use crate::parquet::thrift::{varint, zigzag};
use crate::values::{Strings, Values};

/// The values of a page: where they are, how many, and which of them are wanted.
pub(crate) struct Request<'a> {
    pub(crate) physical: Physical,
    pub(crate) encoding: i64,
    pub(crate) count: usize,
    pub(crate) wanted: Range<usize>,
    pub(crate) dictionary: Option<&'a Values>,
    /// Counts what is made of a few bytes.
    pub(crate) budget: &'a Budget,
}

impl Request<'_> {
    /// Room for so many bytes per value.
    fn room(&self, bytes: u64, cursor: &Cursor<'_>) -> Result<()> {
        let all = bytes.saturating_mul(self.count as u64);
        self.budget.take(all, cursor.site())
    }
}

/// The type in which values of a physical type are decoded.
pub(crate) fn decoded(physical: Physical) -> DType {
    match physical {
        Physical::Bool => DType::Bool,
        Physical::I32 => DType::I32,
        Physical::I64 => DType::I64,
        Physical::F32 | Physical::Fixed(_) => DType::F32,
        Physical::F64 => DType::F64,
        Physical::Bytes => DType::Str,
    }
}

/// Decodes the wanted values and appends them.
pub(crate) fn decode(
    request: &Request<'_>,
    cursor: &mut Cursor<'_>,
    to: &mut Values,
) -> Result<()> {
    let Request { count, wanted, .. } = request;
    if wanted.is_empty() {
        return Ok(());
    }
    match request.encoding {
        0 => plain(request, cursor, to),
        // The number of bits stands in front; 2 is the older number of the same.
        2 | 8 => {
            let Some(dictionary) = request.dictionary else {
                return Err(cursor.corrupt("a page of indices without a dictionary"));
            };
            let width = u32::from(cursor.u8()?);
            request.room(4, cursor)?;
            let indices = hybrid::read(cursor, width, wanted.end, |n| n)?;
            let indices = indices.get(wanted.clone()).unwrap_or_default();
            let most = indices.iter().copied().max().unwrap_or(0) as usize;
            if most >= dictionary.len() {
                let what = format!("index {most} in a dictionary of {}", dictionary.len());
                return Err(cursor.corrupt(what));
            }
            if let Values::Str(texts) = dictionary {
                let lengths = indices
                    .iter()
                    .map(|k| texts.get(*k as usize).map_or(0, <[u8]>::len));
                request
                    .budget
                    .take(lengths.map(|n| n as u64).sum(), cursor.site())?;
            }
            gather(dictionary, indices, to);
            Ok(())
        }
        3 if request.physical == Physical::Bool => {
            cursor.skip(4)?; // The number of bytes.
            request.room(1, cursor)?;
            let bits = hybrid::read(cursor, 1, wanted.end, |n| n != 0)?;
            to.extend(&Values::Bool(bits), wanted.clone());
            Ok(())
        }
        5 => {
            request.room(8, cursor)?;
            let numbers = delta(cursor, *count)?;
            let numbers = numbers.get(wanted.clone()).unwrap_or_default();
            match to {
                Values::I32(list) => list.extend(numbers.iter().map(|n| *n as i32)),
                Values::I64(list) => list.extend_from_slice(numbers),
                _ => return Err(cursor.unsupported("differences of what is no integer")),
            }
            Ok(())
        }
        6 => {
            request.room(16, cursor)?;
            let lengths = delta(cursor, *count)?;
            let texts = texts(cursor, &lengths)?;
            same(to, &Values::Str(texts), wanted, cursor)
        }
        7 => {
            request.room(32, cursor)?;
            let texts = prefixed(cursor, *count)?;
            same(to, &Values::Str(texts), wanted, cursor)
        }
        9 => split(request, cursor, to),
        other => Err(cursor.unsupported(format!("the encoding {other}"))),
    }
}

fn same(
    to: &mut Values,
    values: &Values,
    wanted: &Range<usize>,
    cursor: &Cursor<'_>,
) -> Result<()> {
    if to.dtype() != values.dtype() {
        return Err(cursor.unsupported(format!("an encoding of texts for {}", to.dtype())));
    }
    to.extend(values, wanted.clone());
    Ok(())
}

/// Little-endian numbers, bits, or lengths and bytes.
fn plain(request: &Request<'_>, cursor: &mut Cursor<'_>, to: &mut Values) -> Result<()> {
    let wanted = &request.wanted;
    let size = match request.physical {
        Physical::I32 | Physical::F32 => 4,
        Physical::I64 | Physical::F64 => 8,
        Physical::Fixed(n) => n,
        Physical::Bool => {
            let bytes = cursor.take(wanted.end.div_ceil(8))?;
            if let Values::Bool(list) = to {
                let bit = |k: usize| bytes.get(k / 8).is_some_and(|b| b >> (k % 8) & 1 == 1);
                list.extend(wanted.clone().map(bit));
            }
            return Ok(());
        }
        Physical::Bytes => {
            let mut texts = Strings::default();
            for k in 0..wanted.end {
                let length = cursor.le_u32()? as usize;
                let text = cursor.take(length)?;
                if k >= wanted.start {
                    texts.push(text);
                }
            }
            to.extend(&Values::Str(texts), 0..wanted.len());
            return Ok(());
        }
    };
    let bytes = |n: usize| n.saturating_mul(size);
    cursor.skip(bytes(wanted.start))?;
    let bytes = cursor.take(bytes(wanted.len()))?;
    match (request.physical, to) {
        (Physical::Fixed(_), Values::F32(list)) => halves(bytes, list),
        (_, to) => numbers(bytes, to),
    }
    Ok(())
}

/// Appends little-endian numbers of the type of `to`.
fn numbers(bytes: &[u8], to: &mut Values) {
    macro_rules! numbers {
        ($list:expr, $type:ty) => {
            $list.extend(
                bytes
                    .as_chunks::<{ size_of::<$type>() }>()
                    .0
                    .iter()
                    .map(|b| <$type>::from_le_bytes(*b)),
            )
        };
    }
    match to {
        Values::I32(list) => numbers!(list, i32),
        Values::I64(list) => numbers!(list, i64),
        Values::F32(list) => numbers!(list, f32),
        Values::F64(list) => numbers!(list, f64),
        _ => {}
    }
}

/// IEEE 754 halves.
pub(crate) fn halves(bytes: &[u8], to: &mut Vec<f32>) {
    let half = |b: &[u8; 2]| {
        let n = u32::from(u16::from_le_bytes(*b));
        let sign = if n & 0x8000 == 0 { 1.0 } else { -1.0 };
        let (exponent, mantissa) = (n >> 10 & 31, n & 1023);
        let magnitude = match exponent {
            0 => mantissa as f32 * 2.0_f32.powi(-24),
            31 if mantissa == 0 => f32::INFINITY,
            31 => f32::NAN,
            _ => f32::from_bits((exponent + 112) << 23 | mantissa << 13),
        };
        sign * magnitude
    };
    to.extend(bytes.as_chunks::<2>().0.iter().map(half));
}

fn gather(dictionary: &Values, indices: &[u32], to: &mut Values) {
    macro_rules! gather {
        ($($kind:ident)*) => {
            match (dictionary, to) {
                $((Values::$kind(from), Values::$kind(to)) => {
                    to.extend(indices.iter().filter_map(|k| from.get(*k as usize)));
                })*
                (Values::Str(from), Values::Str(to)) => {
                    for k in indices {
                        to.push(from.get(*k as usize).unwrap_or_default());
                    }
                }
                _ => {}
            }
        };
    }
    gather!(Bool I32 I64 F32 F64);
}

/// `BYTE_STREAM_SPLIT`: the first bytes of all numbers, then the second ones.
fn split(request: &Request<'_>, cursor: &mut Cursor<'_>, to: &mut Values) -> Result<()> {
    let size = match request.physical {
        Physical::I32 | Physical::F32 => 4,
        Physical::I64 | Physical::F64 => 8,
        Physical::Fixed(n) => n,
        Physical::Bool | Physical::Bytes => {
            return Err(cursor.unsupported("bytes of texts that are split"));
        }
    };
    let all = request.count.saturating_mul(size);
    let bytes = cursor.take(all)?;
    let mut joined = vec![0; request.wanted.len() * size];
    for (k, stream) in bytes.chunks_exact(request.count.max(1)).enumerate() {
        let wanted = stream.get(request.wanted.clone()).unwrap_or_default();
        for (to, from) in joined.iter_mut().skip(k).step_by(size.max(1)).zip(wanted) {
            *to = *from;
        }
    }
    match (request.physical, to) {
        (Physical::Fixed(_), Values::F32(list)) => halves(&joined, list),
        (_, to) => numbers(&joined, to),
    }
    Ok(())
}

/// `DELTA_BINARY_PACKED`: exactly `count` integers; sums wrap around as those of the writer did.
fn delta(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>> {
    let block = varint(cursor)?;
    let parts = varint(cursor)?;
    let total = varint(cursor)?;
    let mut last = zigzag(cursor)?;
    let per_part = block.checked_div(parts).unwrap_or(0);
    if total != count as u64 || parts > 1 << 16 || per_part % 32 != 0 || per_part > 1 << 20 {
        return Err(cursor.corrupt(format!(
            "{total} differences in blocks of {block} in {parts} parts for {count} values"
        )));
    }
    let mut numbers = Vec::with_capacity(count);
    if count > 0 {
        numbers.push(last);
    }
    while numbers.len() < count {
        if per_part == 0 || parts == 0 {
            return Err(cursor.corrupt("a block of no differences"));
        }
        let least = zigzag(cursor)?;
        let widths = cursor.take(parts as usize)?;
        for width in widths {
            let left = count - numbers.len();
            if left == 0 {
                break;
            }
            if *width > 64 {
                return Err(cursor.corrupt(format!("differences of {width} bits")));
            }
            // The last part may be cut off behind its last number.
            let here = left.min(per_part as usize);
            let whole = per_part as usize * usize::from(*width) / 8;
            let needed = (here * usize::from(*width)).div_ceil(8);
            let bytes = cursor.take(whole.min(cursor.left().max(needed)))?;
            unpack(bytes, u32::from(*width), here, |step| {
                last = last.wrapping_add(least).wrapping_add(step.cast_signed());
                numbers.push(last);
            });
        }
    }
    Ok(numbers)
}

/// The bytes of texts of these lengths.
fn texts(cursor: &mut Cursor<'_>, lengths: &[i64]) -> Result<Strings> {
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0_i64;
    offsets.push(end);
    for length in lengths {
        end = match end.checked_add(*length) {
            Some(end) if *length >= 0 => end,
            _ => return Err(cursor.corrupt(format!("a text of {length} bytes"))),
        };
        offsets.push(end);
    }
    let bytes = cursor.take(usize::try_from(end).unwrap_or(usize::MAX))?;
    Ok(Strings::new(offsets, bytes.to_vec()))
}

/// `DELTA_BYTE_ARRAY`: of each text the length of what it shares with the one before, and the rest.
fn prefixed(cursor: &mut Cursor<'_>, count: usize) -> Result<Strings> {
    let shared = delta(cursor, count)?;
    let lengths = delta(cursor, count)?;
    let rests = texts(cursor, &lengths)?;
    let mut all = Strings::default();
    let mut last: Vec<u8> = Vec::new();
    // A text may hold all of the one before: the whole can be much larger than the page.
    let mut left = PREFIXED;
    for (k, shared) in shared.iter().enumerate() {
        let kept = usize::try_from(*shared).ok().filter(|n| *n <= last.len());
        let Some(kept) = kept else {
            return Err(cursor.corrupt(format!("{shared} of {} bytes are shared", last.len())));
        };
        last.truncate(kept);
        last.extend_from_slice(rests.get(k).unwrap_or_default());
        left = left.checked_sub(last.len()).ok_or_else(|| {
            cursor.corrupt(format!("texts of one page take more than {PREFIXED} bytes"))
        })?;
        all.push(&last);
    }
    Ok(all)
}

/// Bytes of the texts of a page that are written as differences.
const PREFIXED: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::site::Site;

    fn run(bytes: &[u8], request: &Request<'_>) -> Result<Values> {
        let site = Site::new(&"f".into());
        let mut values = Values::with_capacity(decoded(request.physical), 0);
        decode(request, &mut Cursor::new(bytes, 0, &site), &mut values)?;
        Ok(values)
    }

    fn request(physical: Physical, encoding: i64, count: usize) -> Request<'static> {
        let budget = Box::leak(Box::new(Budget::columns(&Limits::default())));
        Request {
            budget,
            physical,
            encoding,
            count,
            wanted: 0..count,
            dictionary: None,
        }
    }

    /// The two examples of the specification, with blocks of 128 in 4 parts.
    #[test]
    fn differences() {
        let first = [0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0];
        let values = run(&first, &request(Physical::I32, 5, 5)).unwrap();
        assert_eq!(values, Values::I32(vec![1, 2, 3, 4, 5]));
        // 7, 5, 3, 1, 2, 3, 4, 5: differences from -2 on of two bits: 0 0 0 3 3 3 3.
        let mut second = vec![
            0x80,
            0x01,
            4,
            8,
            14,
            3,
            2,
            0,
            0,
            0,
            0b1100_0000,
            0b0011_1111,
        ];
        second.extend([0; 6]);
        let values = run(&second, &request(Physical::I64, 5, 8)).unwrap();
        assert_eq!(values, Values::I64(vec![7, 5, 3, 1, 2, 3, 4, 5]));
        assert!(run(&second, &request(Physical::I64, 5, 9)).is_err());
    }

    #[test]
    fn split_bytes_come_together() {
        let bytes: Vec<u8> = (0..4)
            .flat_map(|k| [1.5_f32, -2.0].map(|x| x.to_le_bytes()[k]))
            .collect();
        let mut some = request(Physical::F32, 9, 2);
        assert_eq!(run(&bytes, &some).unwrap(), Values::F32(vec![1.5, -2.0]));
        some.wanted = 1..2;
        assert_eq!(run(&bytes, &some).unwrap(), Values::F32(vec![-2.0]));
    }

    #[test]
    fn halves_are_exact() {
        let mut all = Vec::new();
        for n in [0x3c00_u16, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x8000] {
            halves(&n.to_le_bytes(), &mut all);
        }
        let smallest = 2.0_f32.powi(-24);
        let expected = [
            1.0,
            -2.0,
            65504.0,
            smallest,
            2.0_f32.powi(-14),
            f32::INFINITY,
            0.0,
        ];
        assert_eq!(all, expected);
        assert!(all[6].is_sign_negative());
    }

    #[test]
    fn indices_stay_in_the_dictionary() {
        let dictionary = Values::F64(vec![1.0, 2.0]);
        let mut indices = request(Physical::F64, 8, 3);
        indices.dictionary = Some(&dictionary);
        let values = run(&[1, 0x03, 0b101], &indices).unwrap();
        assert_eq!(values, Values::F64(vec![2.0, 1.0, 2.0]));
        assert!(run(&[2, 0x03, 0b11_0101, 0], &indices).is_err());
        indices.dictionary = None;
        assert!(run(&[1, 0x03, 0b101], &indices).is_err());
    }
}
