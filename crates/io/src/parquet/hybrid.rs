//! Small numbers as runs and bit-packed groups: levels, dictionary indices, truth values.
//!
//! Specification: `Encodings.md` of the Parquet format, "Run Length Encoding / Bit-Packing Hybrid".

use crate::cursor::Cursor;
use crate::error::Result;
use crate::parquet::thrift::{Output, varint};

/// Bits that hold numbers up to `most`.
pub(crate) fn width(most: u8) -> u32 {
    u8::BITS - most.leading_zeros()
}

/// Reads `count` numbers of `width` bits, 32 at most.
pub(crate) fn read<T: Copy + Default>(
    cursor: &mut Cursor<'_>,
    width: u32,
    count: usize,
    convert: impl Fn(u32) -> T,
) -> Result<Vec<T>> {
    if width > 32 {
        return Err(cursor.corrupt(format!("numbers of {width} bits")));
    }
    let mut numbers = Vec::with_capacity(count);
    if width == 0 {
        numbers.resize(count, convert(0));
        return Ok(numbers);
    }
    while numbers.len() < count {
        let left = count - numbers.len();
        let head = varint(cursor)?;
        let length = usize::try_from(head >> 1).unwrap_or(usize::MAX);
        if length == 0 {
            return Err(cursor.corrupt("a run of no numbers"));
        }
        if head & 1 == 0 {
            let bytes = cursor.take(width.div_ceil(8) as usize)?;
            let value = bytes.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b));
            if u64::from(value) >> width > 0 {
                return Err(cursor.corrupt(format!("{value} has more than {width} bits")));
            }
            numbers.resize(numbers.len() + length.min(left), convert(value));
        } else {
            // Groups of eight; the last one may be cut off behind the last number.
            let here = length.saturating_mul(8).min(left);
            let whole = length.saturating_mul(width as usize);
            let needed = (here * width as usize).div_ceil(8);
            let bytes = cursor.take(whole.min(cursor.left().max(needed)))?;
            unpack(bytes, width, here, |n| numbers.push(convert(n as u32)));
        }
    }
    Ok(numbers)
}

/// Takes `count` numbers of `width` bits (64 at most) from bytes that hold them, from the lowest bit on.
pub(crate) fn unpack(bytes: &[u8], width: u32, count: usize, mut each: impl FnMut(u64)) {
    let (mut bytes, mut count) = (bytes, count);
    // Eight numbers take as many bytes as one has bits.
    while (1..=8).contains(&width) && count >= 8 {
        let Some((group, rest)) = bytes.split_at_checked(width as usize) else {
            break;
        };
        let eight = group
            .iter()
            .rev()
            .fold(0, |all, b| all << 8 | u64::from(*b));
        for k in 0..8 {
            each(eight >> (k * width) & ((1 << width) - 1));
        }
        (bytes, count) = (rest, count - 8);
    }
    let mask = (1_u128 << width) - 1;
    let (mut buffer, mut bits) = (0_u128, 0);
    let mut bytes = bytes.iter();
    for _ in 0..count {
        while bits < width {
            buffer |= u128::from(bytes.next().copied().unwrap_or(0)) << bits;
            bits += 8;
        }
        each((buffer & mask) as u64);
        buffer >>= width;
        bits -= width;
    }
}

/// Writes levels: runs of eight and more as such, the rest in groups of eight.
pub(crate) fn write(numbers: &[u8], width: u32) -> Vec<u8> {
    let mut output = Output::default();
    let run = |from: usize| {
        let rest = numbers.get(from..).unwrap_or_default();
        rest.iter().take_while(|n| Some(*n) == rest.first()).count()
    };
    let mut at = 0;
    while at < numbers.len() {
        let length = run(at);
        if length >= 8 || at + length == numbers.len() {
            output.varint((length as u64) << 1);
            output.bytes.extend(numbers.get(at));
            at += length;
            continue;
        }
        // Whole groups up to the next long run, which gives up what the last group lacks.
        let start = at;
        while at < numbers.len() && run(at) < 8 {
            at += 8;
        }
        let groups = (at - start) / 8;
        output.varint((groups as u64) << 1 | 1);
        let (mut buffer, mut bits) = (0_u32, 0);
        for k in start..at {
            buffer |= u32::from(numbers.get(k).copied().unwrap_or(0)) << bits;
            bits += width;
            while bits >= 8 {
                output.bytes.push(buffer as u8);
                buffer >>= 8;
                bits -= 8;
            }
        }
    }
    output.bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Site;

    #[test]
    fn what_is_written_is_read() {
        let site = Site::new(&"f".into());
        let mut state = 1_u32;
        for most in [1_u8, 2, 3, 5, 9, 200] {
            for length in [0, 1, 7, 8, 9, 63, 64, 65, 1000] {
                let mut numbers = Vec::new();
                while numbers.len() < length {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let run = if state >> 30 == 0 { 20 } else { 1 };
                    numbers.extend(std::iter::repeat_n((state >> 8) as u8 % (most + 1), run));
                }
                numbers.truncate(length);
                let bytes = write(&numbers, width(most));
                let mut cursor = Cursor::new(&bytes, 0, &site);
                let read = read(&mut cursor, width(most), length, |n| n as u8).unwrap();
                assert_eq!(read, numbers, "{most} {length}");
                assert_eq!(cursor.left(), 0);
            }
        }
    }

    #[test]
    fn the_example_of_the_specification() {
        // The numbers 0 to 7 of three bits.
        let bytes = [0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        let site = Site::new(&"f".into());
        let mut cursor = Cursor::new(&bytes, 0, &site);
        let numbers = read(&mut cursor, 3, 8, |n| n).unwrap();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn runs_that_are_too_long_give_what_is_wanted() {
        let site = Site::new(&"f".into());
        let long = [0xfe, 0xff, 0xff, 0xff, 0x0f, 1];
        let ones = read(&mut Cursor::new(&long, 0, &site), 1, 5, |n| n).unwrap();
        assert_eq!(ones, [1; 5]);
        for bad in [&[0x00, 1][..], &[0x04], &[0x02, 4], &[0x05, 1]] {
            assert!(read(&mut Cursor::new(bad, 0, &site), 2, 9, |n| n).is_err());
        }
    }
}
