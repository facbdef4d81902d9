//! Numbers as ROOT writes them: big-endian, some with fewer bits than they have in memory.

use crate::dtype::DType;
use crate::values::Values;

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// `Double32_t` without a range: a single that is a double in memory.
    F32AsF64,
    /// An exponent byte and so many bits of mantissa in two bytes.
    Truncated {
        bits: u32,
        double: bool,
    },
    /// An integer of so many bits between two bounds.
    Ranged {
        low: f64,
        high: f64,
        bits: u32,
        double: bool,
    },
}

/// Big-endian numbers back to back.
macro_rules! numbers {
    ($items:expr, $type:ty) => {
        $items
            .as_chunks::<{ size_of::<$type>() }>()
            .0
            .iter()
            .map(|bytes| <$type>::from_be_bytes(*bytes))
    };
}

impl Number {
    /// From ROOT's code of a basic type (`TVirtualStreamerInfo::EReadWrite`) that is stored as it is in memory.
    pub(crate) fn of_kind(kind: i32) -> Option<Self> {
        Some(match kind {
            1 | 10 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 | 16 => Self::I64,
            5 => Self::F32,
            6 | 13 | 15 => Self::U32,
            8 => Self::F64,
            11 => Self::U8,
            12 => Self::U16,
            14 | 17 => Self::U64,
            18 => Self::Bool,
            _ => return None,
        })
    }

    /// From the name of a C++ type.
    pub(crate) fn of_type(name: &str) -> Option<Self> {
        Some(match name {
            "bool" | "Bool_t" => Self::Bool,
            "char" | "Char_t" | "signed char" | "int8_t" | "Int8_t" | "std::int8_t" => Self::I8,
            "unsigned char" | "UChar_t" | "uint8_t" | "UInt8_t" | "std::uint8_t" => Self::U8,
            "short" | "Short_t" | "int16_t" | "Int16_t" | "std::int16_t" => Self::I16,
            "unsigned short" | "UShort_t" | "uint16_t" | "UInt16_t" | "std::uint16_t" => Self::U16,
            "int" | "Int_t" | "int32_t" | "Int32_t" | "std::int32_t" => Self::I32,
            "unsigned int" | "unsigned" | "UInt_t" | "uint32_t" | "UInt32_t" | "std::uint32_t" => {
                Self::U32
            }
            "long" | "Long_t" | "long long" | "Long64_t" | "int64_t" | "Int64_t"
            | "std::int64_t" => Self::I64,
            "unsigned long" | "ULong_t" | "unsigned long long" | "ULong64_t" | "uint64_t"
            | "UInt64_t" | "std::uint64_t" | "size_t" => Self::U64,
            "float" | "Float_t" => Self::F32,
            "double" | "Double_t" => Self::F64,
            "Double32_t" => Self::F32AsF64,
            _ => return None,
        })
    }

    /// Bytes in the file.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::Truncated { .. } => 3,
            Self::I32 | Self::U32 | Self::F32 | Self::F32AsF64 | Self::Ranged { .. } => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Type in memory.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::Bool => DType::Bool,
            Self::I8 => DType::I8,
            Self::U8 => DType::U8,
            Self::I16 => DType::I16,
            Self::U16 => DType::U16,
            Self::I32 => DType::I32,
            Self::U32 => DType::U32,
            Self::I64 => DType::I64,
            Self::U64 => DType::U64,
            Self::F32 => DType::F32,
            Self::F64 | Self::F32AsF64 => DType::F64,
            Self::Truncated { double, .. } | Self::Ranged { double, .. } => {
                if double {
                    DType::F64
                } else {
                    DType::F32
                }
            }
        }
    }

    /// Numbers back to back.
    pub(crate) fn decode(self, items: &[u8]) -> Values {
        match self {
            Self::Bool => Values::Bool(items.iter().map(|b| *b != 0).collect()),
            Self::I8 => Values::I8(items.iter().map(|b| *b as i8).collect()),
            Self::U8 => Values::U8(items.to_vec()),
            Self::I16 => Values::I16(numbers!(items, i16).collect()),
            Self::U16 => Values::U16(numbers!(items, u16).collect()),
            Self::I32 => Values::I32(numbers!(items, i32).collect()),
            Self::U32 => Values::U32(numbers!(items, u32).collect()),
            Self::I64 => Values::I64(numbers!(items, i64).collect()),
            Self::U64 => Values::U64(numbers!(items, u64).collect()),
            Self::F32 => Values::F32(numbers!(items, f32).collect()),
            Self::F64 => Values::F64(numbers!(items, f64).collect()),
            Self::F32AsF64 => Values::F64(numbers!(items, f32).map(f64::from).collect()),
            Self::Truncated { bits, double } => {
                let all = items.as_chunks::<3>().0.iter().map(|b| truncated(*b, bits));
                if double {
                    Values::F64(all.map(f64::from).collect())
                } else {
                    Values::F32(all.collect())
                }
            }
            Self::Ranged {
                low,
                high,
                bits,
                double,
            } => {
                // As ROOT: 32 bits count one step less than they could, and singles are rounded once, at the end (`GetRange` in
                // TStreamerElement.cxx, TBufferFile::ReadWithFactor).
                let steps = 1_u32.checked_shl(bits).unwrap_or(u32::MAX);
                let factor = f64::from(steps) / (high - low);
                let all = numbers!(items, u32).map(|n| f64::from(n) / factor + low);
                if double {
                    Values::F64(all.collect())
                } else {
                    Values::F32(all.map(|x| x as f32).collect())
                }
            }
        }
    }

    /// Numbers at one place of every item: `count` of them, `at` bytes from its start, items `stride` bytes apart.
    pub(crate) fn decode_strided(
        self,
        items: &[u8],
        stride: usize,
        at: usize,
        count: usize,
    ) -> Values {
        let bytes = self.size() * count;
        if at == 0 && bytes == stride {
            return self.decode(items);
        }
        let mut gathered = Vec::with_capacity(items.len() / stride.max(1) * bytes);
        for item in items.chunks_exact(stride.max(1)) {
            gathered.extend_from_slice(item.get(at..at + bytes).unwrap_or_default());
        }
        self.decode(&gathered)
    }
}

/// `Float16_t`, `Double32_t` without a range but with a number of bits (`TBufferFile::ReadWithNbits`): the exponent of a single, then the
/// leading bits of its mantissa under a sign bit.
fn truncated([exponent, high, low]: [u8; 3], bits: u32) -> f32 {
    let mantissa = u32::from(high) << 8 | u32::from(low);
    let kept = mantissa & ((1 << (bits + 1)) - 1);
    let magnitude = f32::from_bits(u32::from(exponent) << 23 | kept << (23 - bits));
    if mantissa & (1 << (bits + 1)) == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_swapped() {
        assert_eq!(
            Number::I16.decode(&[1, 2, 255, 255]),
            Values::I16(vec![258, -1])
        );
        assert_eq!(
            Number::F32.decode(&1.5_f32.to_be_bytes()),
            Values::F32(vec![1.5])
        );
        assert_eq!(
            Number::Bool.decode(&[0, 1, 7]),
            Values::Bool(vec![false, true, true])
        );
        // A number at the end that is not whole is left out.
        assert_eq!(Number::U16.decode(&[0, 1, 0]), Values::U16(vec![1]));
    }

    #[test]
    fn strided_numbers_are_gathered() {
        let items = [9, 0, 1, 0, 2, 9, 0, 3, 0, 4];
        assert_eq!(
            Number::I16.decode_strided(&items, 5, 1, 2),
            Values::I16(vec![1, 2, 3, 4])
        );
    }

    #[test]
    fn numbers_of_few_bits() {
        // 1.5 = 2^0 · 1.1b: exponent 127; of 12 mantissa bits the leading one is set.
        let bytes = [127, 0b0000_1000, 0];
        let number = Number::Truncated {
            bits: 12,
            double: false,
        };
        assert_eq!(number.decode(&bytes), Values::F32(vec![1.5]));
        assert_eq!(
            number.decode(&[127, 0b0010_1000, 0]),
            Values::F32(vec![-1.5])
        );
        let ranged = Number::Ranged {
            low: -1.0,
            high: 3.0,
            bits: 2,
            double: true,
        };
        assert_eq!(ranged.decode(&3_u32.to_be_bytes()), Values::F64(vec![2.0]));
    }

    /// `aint / factor + minvalue` in double precision, with `factor = (2^bits, or 0xffffffff for 32) / (xmax - xmin)`.
    #[test]
    fn ranged_numbers_of_32_bits_count_one_step_less() {
        let ranged = |low, high, bits, double| Number::Ranged {
            low,
            high,
            bits,
            double,
        };
        let last = u32::MAX.to_be_bytes();
        assert_eq!(
            ranged(-1.0, 3.0, 32, true).decode(&last),
            Values::F64(vec![3.0])
        );
        let factor = f64::from(u32::MAX) / 0.3;
        assert_eq!(
            ranged(0.1, 0.4, 32, true).decode(&12_345_678_u32.to_be_bytes()),
            Values::F64(vec![12_345_678.0 / factor + 0.1])
        );
        // A single is rounded once, at the end.
        let low = 16_777_217.0;
        let expected = (f64::from(3_u32) / (8.0 / 12.0) + low) as f32;
        assert_eq!(
            ranged(low, low + 12.0, 3, false).decode(&3_u32.to_be_bytes()),
            Values::F32(vec![expected])
        );
    }
}
