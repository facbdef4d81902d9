//! Element types.

use std::fmt;

/// The element type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// True or false.
    Bool,
    /// 8-bit integers.
    I8,
    /// 8-bit natural numbers.
    U8,
    /// 16-bit integers.
    I16,
    /// 16-bit natural numbers.
    U16,
    /// 32-bit integers.
    I32,
    /// 32-bit natural numbers.
    U32,
    /// 64-bit integers.
    I64,
    /// 64-bit natural numbers.
    U64,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Text.
    Str,
}

impl DType {
    /// Bytes per element in memory; text counts its offset.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 | Self::Str => 8,
        }
    }

    /// The smallest of the types of the array engine (`f64`, `f32`, `i64`, `i32`, `u64`, `bool`) that holds every value of this one.
    ///
    /// ```
    /// use pullback_io::DType;
    /// assert_eq!(DType::U8.widened(), DType::I32);
    /// assert_eq!(DType::U32.widened(), DType::I64);
    /// assert_eq!(DType::F32.widened(), DType::F32);
    /// ```
    pub fn widened(self) -> Self {
        match self {
            Self::I8 | Self::U8 | Self::I16 | Self::U16 => Self::I32,
            Self::U32 => Self::I64,
            other => other,
        }
    }

    /// The name, as in Rust; `str` for text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I64 => "i64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Str => "str",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
