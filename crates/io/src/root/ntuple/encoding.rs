//! How elements stand in a page: types, bits, split bytes, differences.
//!
//! Specification: section "Column Description".

use crate::dtype::DType;
use crate::root::ntuple::description::ColumnRecord;
use crate::values::Values;

/// How the elements of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Encoding {
    kind: Kind,
    /// Bits of an element.
    bits: u32,
    /// First bytes of all elements, then second bytes ..
    split: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Bit,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    Zigzag16,
    Zigzag32,
    Zigzag64,
    Half,
    F32,
    F64,
    Index32,
    Index64,
    Delta32,
    Delta64,
    Truncated,
    Quantised { low: f64, high: f64 },
}

/// Little-endian numbers, whole or split.
macro_rules! numbers {
    ($bytes:expr, $split:expr, $type:ty) => {{
        const SIZE: usize = size_of::<$type>();
        if $split {
            unsplit::<SIZE>($bytes)
                .into_iter()
                .map(<$type>::from_le_bytes)
                .collect::<Vec<$type>>()
        } else {
            let whole = $bytes.as_chunks::<SIZE>().0.iter();
            whole
                .map(|b| <$type>::from_le_bytes(*b))
                .collect::<Vec<$type>>()
        }
    }};
}

impl Encoding {
    /// The encoding of a column; `None` for types that this reader does not know, which are to be ignored.
    pub(crate) fn of(column: &ColumnRecord) -> Option<Self> {
        let (kind, bits, split) = match column.kind {
            0x00 => (Kind::Bit, 1, false),
            0x01 | 0x04 => (Kind::U8, 8, false),
            0x02 | 0x03 => (Kind::I8, 8, false),
            0x05 => (Kind::I16, 16, false),
            0x06 => (Kind::U16, 16, false),
            0x07 => (Kind::I32, 32, false),
            0x08 => (Kind::U32, 32, false),
            0x09 => (Kind::I64, 64, false),
            0x0a => (Kind::U64, 64, false),
            0x0b => (Kind::Half, 16, false),
            0x0c => (Kind::F32, 32, false),
            0x0d => (Kind::F64, 64, false),
            0x0e => (Kind::Index32, 32, false),
            0x0f => (Kind::Index64, 64, false),
            0x11 => (Kind::Zigzag16, 16, true),
            0x12 => (Kind::U16, 16, true),
            0x13 => (Kind::Zigzag32, 32, true),
            0x14 => (Kind::U32, 32, true),
            0x15 => (Kind::Zigzag64, 64, true),
            0x16 => (Kind::U64, 64, true),
            0x17 => (Kind::Half, 16, true),
            0x18 => (Kind::F32, 32, true),
            0x19 => (Kind::F64, 64, true),
            0x1a => (Kind::Delta32, 32, true),
            0x1b => (Kind::Delta64, 64, true),
            0x1c if (10..=31).contains(&column.bits) => (Kind::Truncated, column.bits, false),
            0x1d if (1..=32).contains(&column.bits) => {
                let (low, high) = column.range?;
                (Kind::Quantised { low, high }, column.bits, false)
            }
            _ => return None,
        };
        Some(Self {
            kind,
            bits: u32::from(bits),
            split,
        })
    }

    /// Type in memory, before a field may convert it.
    pub(crate) fn dtype(self) -> DType {
        match self.kind {
            Kind::Bit => DType::Bool,
            Kind::I8 => DType::I8,
            Kind::U8 => DType::U8,
            Kind::I16 | Kind::Zigzag16 => DType::I16,
            Kind::U16 => DType::U16,
            Kind::I32 | Kind::Zigzag32 => DType::I32,
            Kind::U32 => DType::U32,
            Kind::U64 => DType::U64,
            Kind::Half | Kind::F32 | Kind::Truncated | Kind::Quantised { .. } => DType::F32,
            Kind::F64 => DType::F64,
            Kind::I64
            | Kind::Zigzag64
            | Kind::Index32
            | Kind::Index64
            | Kind::Delta32
            | Kind::Delta64 => DType::I64,
        }
    }

    /// Whether it holds where the children of a collection end.
    pub(crate) fn is_index(self) -> bool {
        matches!(
            self.kind,
            Kind::Index32 | Kind::Index64 | Kind::Delta32 | Kind::Delta64
        )
    }

    /// Bytes of a page of so many elements, before compression.
    pub(crate) fn page_bytes(self, elements: u64) -> u64 {
        elements.saturating_mul(u64::from(self.bits)).div_ceil(8)
    }

    /// The elements of a page, which has at least the bytes of [`page_bytes`](Self::page_bytes).
    pub(crate) fn decode(self, page: &[u8], elements: usize) -> Values {
        let split = self.split;
        match self.kind {
            Kind::Bit => {
                let bits = page
                    .iter()
                    .flat_map(|byte| (0..8).map(move |k| byte >> k & 1 == 1));
                Values::Bool(bits.take(elements).collect())
            }
            Kind::I8 => Values::I8(page.iter().map(|b| *b as i8).collect()),
            Kind::U8 => Values::U8(page.to_vec()),
            Kind::I16 => Values::I16(numbers!(page, split, i16)),
            Kind::U16 => Values::U16(numbers!(page, split, u16)),
            Kind::I32 => Values::I32(numbers!(page, split, i32)),
            Kind::U32 => Values::U32(numbers!(page, split, u32)),
            Kind::I64 => Values::I64(numbers!(page, split, i64)),
            Kind::U64 => Values::U64(numbers!(page, split, u64)),
            Kind::Zigzag16 => {
                let all = numbers!(page, split, u16);
                Values::I16(
                    all.into_iter()
                        .map(|n| (n >> 1) as i16 ^ -((n & 1) as i16))
                        .collect(),
                )
            }
            Kind::Zigzag32 => {
                let all = numbers!(page, split, u32);
                Values::I32(
                    all.into_iter()
                        .map(|n| (n >> 1) as i32 ^ -((n & 1) as i32))
                        .collect(),
                )
            }
            Kind::Zigzag64 => {
                let all = numbers!(page, split, u64);
                Values::I64(
                    all.into_iter()
                        .map(|n| (n >> 1) as i64 ^ -((n & 1) as i64))
                        .collect(),
                )
            }
            Kind::Half => Values::F32(numbers!(page, split, u16).into_iter().map(half).collect()),
            Kind::F32 => Values::F32(numbers!(page, split, f32)),
            Kind::F64 => Values::F64(numbers!(page, split, f64)),
            Kind::Index32 => Values::I64(
                numbers!(page, split, u32)
                    .into_iter()
                    .map(i64::from)
                    .collect(),
            ),
            Kind::Index64 => Values::I64(numbers!(page, split, i64)),
            Kind::Delta32 => {
                let all = numbers!(page, split, u32);
                Values::I64(running(all.into_iter().map(i64::from)))
            }
            Kind::Delta64 => Values::I64(running(numbers!(page, split, i64).into_iter())),
            Kind::Truncated => {
                let shift = 32 - self.bits;
                let all = packed(page, self.bits, elements);
                Values::F32(all.map(|bits| f32::from_bits(bits << shift)).collect())
            }
            Kind::Quantised { low, high } => {
                let steps = ((1_u64 << self.bits) - 1) as f64;
                let step = (high - low) / steps;
                let all = packed(page, self.bits, elements);
                Values::F32(all.map(|n| (low + f64::from(n) * step) as f32).collect())
            }
        }
    }
}

/// Elements whose first bytes, second bytes .. stand together.
fn unsplit<const SIZE: usize>(bytes: &[u8]) -> Vec<[u8; SIZE]> {
    let count = bytes.len() / SIZE;
    let mut whole = vec![[0; SIZE]; count];
    for (k, plane) in bytes.chunks_exact(count.max(1)).take(SIZE).enumerate() {
        for (element, byte) in whole.iter_mut().zip(plane) {
            if let Some(place) = element.get_mut(k) {
                *place = *byte;
            }
        }
    }
    whole
}

/// Sums of differences.
fn running(differences: impl Iterator<Item = i64>) -> Vec<i64> {
    let sums = differences.scan(0_i64, |sum, d| {
        *sum = sum.wrapping_add(d);
        Some(*sum)
    });
    sums.collect()
}

/// Numbers of so many bits, from the lowest bit of the first byte on.
fn packed(bytes: &[u8], bits: u32, elements: usize) -> impl Iterator<Item = u32> {
    let mask = if bits == 32 {
        u32::MAX
    } else {
        (1 << bits) - 1
    };
    let mut rest = bytes.iter();
    let (mut held, mut count) = (0_u64, 0);
    (0..elements).map(move |_| {
        while count < bits {
            held |= u64::from(rest.next().copied().unwrap_or(0)) << count;
            count += 8;
        }
        let number = held as u32 & mask;
        held >>= bits;
        count -= bits;
        number
    })
}

/// IEEE 754 half precision.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let mantissa = u32::from(bits & 0x3ff);
    match exponent {
        0 => {
            // Zero and numbers below 2⁻¹⁴: mantissa · 2⁻²⁴, exact in single precision.
            let magnitude = mantissa as f32 * f32::from_bits((127 - 24) << 23);
            f32::from_bits(magnitude.to_bits() | sign)
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | mantissa << 13),
        _ => f32::from_bits(sign | (exponent + 127 - 15) << 23 | mantissa << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(kind: u16, bits: u16) -> Encoding {
        let column = ColumnRecord {
            kind,
            bits,
            field: 0,
            representation: 0,
            deferred: false,
            range: Some((-1.0, 1.0)),
        };
        Encoding::of(&column).unwrap()
    }

    #[test]
    fn split_elements_come_together() {
        // 1 and 0x0102, split.
        assert_eq!(
            encoding(0x12, 16).decode(&[1, 2, 0, 1], 2),
            Values::U16(vec![1, 258])
        );
        // Zigzag: 0, −1, 1, −2.
        assert_eq!(
            encoding(0x11, 16).decode(&[0, 1, 2, 3, 0, 0, 0, 0], 4),
            Values::I16(vec![0, -1, 1, -2])
        );
        // Differences 1, 0, 2.
        let mut page = vec![1, 0, 2];
        page.resize(12, 0);
        assert_eq!(
            encoding(0x1a, 32).decode(&page, 3),
            Values::I64(vec![1, 1, 3])
        );
    }

    #[test]
    fn bits_are_taken_from_the_lowest() {
        assert_eq!(
            encoding(0, 1).decode(&[0b0000_0101, 1], 9),
            Values::Bool(vec![
                true, false, true, false, false, false, false, false, true
            ])
        );
        // Three numbers of 5 bits: 1, 2, 31.
        let packed: Vec<u32> = packed(&[0b0100_0001, 0b0111_1100], 5, 3).collect();
        assert_eq!(packed, [1, 2, 31]);
    }

    #[test]
    fn floats_of_few_bits() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 5.960_464_5e-8),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan());
        // 16 leading bits of 1.5.
        let page = (1.5_f32.to_bits() >> 16) as u16;
        assert_eq!(
            encoding(0x1c, 16).decode(&page.to_le_bytes(), 1),
            Values::F32(vec![1.5])
        );
        // 0 and 255 of 255 steps between −1 and 1.
        assert_eq!(
            encoding(0x1d, 8).decode(&[0, 255], 2),
            Values::F32(vec![-1.0, 1.0])
        );
    }

    #[test]
    fn sizes_of_pages() {
        assert_eq!(encoding(0, 1).page_bytes(9), 2);
        assert_eq!(encoding(0x1c, 10).page_bytes(5), 7);
        assert_eq!(encoding(0x1b, 64).page_bytes(2), 16);
        let unknown = ColumnRecord {
            kind: 0x77,
            bits: 8,
            field: 0,
            representation: 0,
            deferred: false,
            range: None,
        };
        assert_eq!(Encoding::of(&unknown), None);
    }
}
