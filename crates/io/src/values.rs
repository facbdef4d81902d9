//! The elements of a column: one typed buffer.

use std::ops::Range;

use crate::dtype::DType;
use crate::error::{Error, Result};

/// Texts, back to back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strings {
    /// Text `k` is `bytes[offsets[k]..offsets[k + 1]]`; starts at 0.
    offsets: Vec<i64>,
    bytes: Vec<u8>,
}

impl Default for Strings {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            bytes: Vec::new(),
        }
    }
}

impl Strings {
    /// Texts whose offsets start at 0, do not decrease, and end with the bytes.
    pub(crate) fn new(offsets: Vec<i64>, bytes: Vec<u8>) -> Self {
        debug_assert_eq!(offsets.last().copied(), Some(bytes.len() as i64));
        Self { offsets, bytes }
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// True without texts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where each text starts, and where the last one ends.
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// The bytes of all texts.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of one text.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = (self.offsets.get(index)?, self.offsets.get(index + 1)?);
        self.bytes.get(*start as usize..*end as usize)
    }

    /// One text; bytes that are not UTF-8 become `U+FFFD`.
    pub fn text(&self, index: usize) -> Option<std::borrow::Cow<'_, str>> {
        self.get(index).map(String::from_utf8_lossy)
    }

    /// Appends a text.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.offsets.push(self.bytes.len() as i64);
    }

    fn extend(&mut self, other: &Self, range: Range<usize>) {
        let Some(offsets) = other.offsets.get(range.start..=range.end) else {
            return;
        };
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
            return;
        };
        let shift = self.bytes.len() as i64 - first;
        if let Some(bytes) = other.bytes.get(first as usize..last as usize) {
            self.bytes.extend_from_slice(bytes);
            let ends = offsets.get(1..).unwrap_or_default();
            self.offsets.extend(ends.iter().map(|end| end + shift));
        }
    }
}

/// Elements of one type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// True or false.
    Bool(Vec<bool>),
    /// 8-bit integers.
    I8(Vec<i8>),
    /// 8-bit natural numbers.
    U8(Vec<u8>),
    /// 16-bit integers.
    I16(Vec<i16>),
    /// 16-bit natural numbers.
    U16(Vec<u16>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 32-bit natural numbers.
    U32(Vec<u32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 64-bit natural numbers.
    U64(Vec<u64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Text.
    Str(Strings),
}

/// Runs the same code on the vector inside, whatever its type; text has an arm of its own.
macro_rules! each {
    ($values:expr, $vector:ident => $do:expr, $text:ident => $else:expr) => {
        match $values {
            Values::Bool($vector) => $do,
            Values::I8($vector) => $do,
            Values::U8($vector) => $do,
            Values::I16($vector) => $do,
            Values::U16($vector) => $do,
            Values::I32($vector) => $do,
            Values::U32($vector) => $do,
            Values::I64($vector) => $do,
            Values::U64($vector) => $do,
            Values::F32($vector) => $do,
            Values::F64($vector) => $do,
            Values::Str($text) => $else,
        }
    };
}

impl Values {
    /// No elements, with room for some.
    pub fn with_capacity(dtype: DType, capacity: usize) -> Self {
        match dtype {
            DType::Bool => Self::Bool(Vec::with_capacity(capacity)),
            DType::I8 => Self::I8(Vec::with_capacity(capacity)),
            DType::U8 => Self::U8(Vec::with_capacity(capacity)),
            DType::I16 => Self::I16(Vec::with_capacity(capacity)),
            DType::U16 => Self::U16(Vec::with_capacity(capacity)),
            DType::I32 => Self::I32(Vec::with_capacity(capacity)),
            DType::U32 => Self::U32(Vec::with_capacity(capacity)),
            DType::I64 => Self::I64(Vec::with_capacity(capacity)),
            DType::U64 => Self::U64(Vec::with_capacity(capacity)),
            DType::F32 => Self::F32(Vec::with_capacity(capacity)),
            DType::F64 => Self::F64(Vec::with_capacity(capacity)),
            DType::Str => Self::Str(Strings::default()),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(self, v => v.len(), s => s.len())
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        each!(self, v => std::mem::size_of_val(v.as_slice()), s => s.bytes.len() + 8 * s.offsets.len())
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        match self {
            Self::Bool(_) => DType::Bool,
            Self::I8(_) => DType::I8,
            Self::U8(_) => DType::U8,
            Self::I16(_) => DType::I16,
            Self::U16(_) => DType::U16,
            Self::I32(_) => DType::I32,
            Self::U32(_) => DType::U32,
            Self::I64(_) => DType::I64,
            Self::U64(_) => DType::U64,
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
            Self::Str(_) => DType::Str,
        }
    }

    /// Appends a part of `other`, which must have the same type: another type or a range that it does not have appends nothing.
    pub(crate) fn extend(&mut self, other: &Self, range: Range<usize>) {
        macro_rules! extend {
            ($($kind:ident)*) => {
                match (self, other) {
                    $((Self::$kind(to), Self::$kind(from)) => {
                        to.extend_from_slice(from.get(range).unwrap_or_default());
                    })*
                    (Self::Str(to), Self::Str(from)) => to.extend(from, range),
                    _ => debug_assert!(false, "values of one column have one type"),
                }
            };
        }
        extend!(Bool I8 U8 I16 U16 I32 U32 I64 U64 F32 F64);
    }

    /// Keeps the elements of `range` only.
    pub(crate) fn slice(mut self, range: Range<usize>) -> Self {
        each!(&mut self, v => {
            v.truncate(range.end);
            v.drain(..range.start.min(v.len()));
        }, s => {
            let mut kept = Strings::default();
            kept.extend(s, range);
            *s = kept;
        });
        self
    }

    /// The same numbers in the smallest type of the array engine that holds them all: `i8, i16, u8, u16` become `i32`, `u32` becomes
    /// `i64`, the others stay as they are.
    ///
    /// ```
    /// use pullback_io::Values;
    /// assert_eq!(Values::U32(vec![u32::MAX]).widen(), Values::I64(vec![4_294_967_295]));
    /// ```
    pub fn widen(self) -> Self {
        match self {
            Self::I8(v) => Self::I32(v.into_iter().map(i32::from).collect()),
            Self::U8(v) => Self::I32(v.into_iter().map(i32::from).collect()),
            Self::I16(v) => Self::I32(v.into_iter().map(i32::from).collect()),
            Self::U16(v) => Self::I32(v.into_iter().map(i32::from).collect()),
            Self::U32(v) => Self::I64(v.into_iter().map(i64::from).collect()),
            other => other,
        }
    }

    /// The same numbers in another type.
    ///
    /// # Errors
    /// [`Error::Lossy`] where a number changes its value: integers out of range, fractions to integers, text to anything else. An integer
    /// becomes the nearest float where it is too large to be one, and a double the nearest single.
    ///
    /// ```
    /// use pullback_io::{DType, Values};
    /// assert_eq!(Values::I32(vec![1, 2]).cast(DType::F64)?, Values::F64(vec![1.0, 2.0]));
    /// assert!(Values::I32(vec![-1]).cast(DType::U32).is_err());
    /// # Ok::<(), pullback_io::Error>(())
    /// ```
    pub fn cast(self, to: DType) -> Result<Self> {
        if self.dtype() == to {
            return Ok(self);
        }
        let from = self.dtype();
        let lossy = |detail: String| Error::Lossy { from, to, detail };
        macro_rules! integers {
            ($kind:ident, $type:ty) => {{
                let mut out: Vec<$type> = Vec::with_capacity(self.len());
                macro_rules! all {
                    ($v:expr) => {
                        for x in $v {
                            let y = <$type>::try_from(x).map_err(|_| lossy(format!(": {x}")))?;
                            out.push(y);
                        }
                    };
                }
                match self {
                    Self::Bool(v) => out.extend(v.into_iter().map(<$type>::from)),
                    Self::I8(v) => all!(v),
                    Self::U8(v) => all!(v),
                    Self::I16(v) => all!(v),
                    Self::U16(v) => all!(v),
                    Self::I32(v) => all!(v),
                    Self::U32(v) => all!(v),
                    Self::I64(v) => all!(v),
                    Self::U64(v) => all!(v),
                    Self::F32(_) | Self::F64(_) | Self::Str(_) => return Err(lossy(String::new())),
                }
                Ok(Self::$kind(out))
            }};
        }
        macro_rules! floats {
            ($kind:ident, $type:ty) => {
                Ok(Self::$kind(match self {
                    Self::Bool(v) => v.into_iter().map(|x| <$type>::from(u8::from(x))).collect(),
                    Self::I8(v) => v.into_iter().map(<$type>::from).collect(),
                    Self::U8(v) => v.into_iter().map(<$type>::from).collect(),
                    Self::I16(v) => v.into_iter().map(<$type>::from).collect(),
                    Self::U16(v) => v.into_iter().map(<$type>::from).collect(),
                    Self::I32(v) => v.into_iter().map(|x| x as $type).collect(),
                    Self::U32(v) => v.into_iter().map(|x| x as $type).collect(),
                    Self::I64(v) => v.into_iter().map(|x| x as $type).collect(),
                    Self::U64(v) => v.into_iter().map(|x| x as $type).collect(),
                    Self::F32(v) => v.into_iter().map(|x| x as $type).collect(),
                    Self::F64(v) => v.into_iter().map(|x| x as $type).collect(),
                    Self::Str(_) => return Err(lossy(String::new())),
                }))
            };
        }
        match to {
            DType::I8 => integers!(I8, i8),
            DType::U8 => integers!(U8, u8),
            DType::I16 => integers!(I16, i16),
            DType::U16 => integers!(U16, u16),
            DType::I32 => integers!(I32, i32),
            DType::U32 => integers!(U32, u32),
            DType::I64 => integers!(I64, i64),
            DType::U64 => integers!(U64, u64),
            DType::F32 => floats!(F32, f32),
            DType::F64 => floats!(F64, f64),
            DType::Bool => self.cast_to_bool(),
            DType::Str => Err(lossy(String::new())),
        }
    }

    /// 0 and 1 are masks, other numbers are not.
    fn cast_to_bool(self) -> Result<Self> {
        let from = self.dtype();
        match self.cast(DType::U8) {
            Ok(Self::U8(v)) if v.iter().all(|x| *x <= 1) => {
                Ok(Self::Bool(v.into_iter().map(|x| x == 1).collect()))
            }
            _ => Err(Error::Lossy {
                from,
                to: DType::Bool,
                detail: String::new(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_keeps_every_value() {
        for values in [
            Values::I8(vec![i8::MIN, i8::MAX]),
            Values::U8(vec![0, u8::MAX]),
            Values::I16(vec![i16::MIN, i16::MAX]),
            Values::U16(vec![0, u16::MAX]),
            Values::U32(vec![0, u32::MAX]),
            Values::U64(vec![0, u64::MAX]),
            Values::Bool(vec![true, false]),
        ] {
            let (from, wide) = (values.dtype(), values.clone().widen());
            assert_eq!(wide.dtype(), from.widened());
            assert_eq!(wide.cast(from).unwrap(), values);
        }
    }

    #[test]
    fn what_would_lose_is_refused() {
        let refused = [
            (Values::I64(vec![1 << 40]), DType::I32),
            (Values::F64(vec![1.5]), DType::I32),
            (Values::I32(vec![2]), DType::Bool),
            (Values::U64(vec![u64::MAX]), DType::I64),
        ];
        for (values, to) in refused {
            assert_eq!(values.cast(to).unwrap_err().code(), "PB0515");
        }
    }

    #[test]
    fn texts_are_sliced_and_joined() {
        let mut strings = Strings::default();
        for text in ["a", "", "bcd", "e"] {
            strings.push(text.as_bytes());
        }
        let values = Values::Str(strings).slice(1..3);
        let mut joined = values.clone();
        joined.extend(&values, 1..2);
        let Values::Str(joined) = joined else {
            panic!("text stays text")
        };
        assert_eq!(joined.len(), 3);
        assert_eq!(joined.text(1).unwrap(), "bcd");
        assert_eq!(joined.text(2).unwrap(), "bcd");
        assert_eq!(joined.text(3), None);
    }
}
