//! Element types, and the type of a value: element type and space.

use crate::space::Space;

/// Type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// Double precision: what arithmetic is done in.
    F64,
    /// Single precision column; widened by `cast`.
    F32,
    /// Signed index or count.
    I64,
    /// 32-bit integer column; widened by `cast`.
    I32,
    /// Unsigned column (event numbers, bit masks).
    U64,
    /// Mask, one byte each.
    Bool,
    /// Structure of a ragged level: one more `i64` than parents, starting at 0, never decreasing.
    Offsets,
}

impl DType {
    /// Every element type.
    pub const ALL: [Self; 7] = [
        Self::F64,
        Self::F32,
        Self::I64,
        Self::I32,
        Self::U64,
        Self::Bool,
        Self::Offsets,
    ];

    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 | Self::Offsets => 8,
            Self::F32 | Self::I32 => 4,
            Self::Bool => 1,
        }
    }

    /// Name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::U64 => "u64",
            Self::Bool => "bool",
            Self::Offsets => "offsets",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Type of a value: an element type and the space it lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type {
    /// Element type.
    pub dtype: DType,
    /// Space.
    pub space: Space,
}

impl Type {
    /// A type.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self { dtype, space }
    }

    /// `f64` in `space`.
    pub fn f64(space: Space) -> Self {
        Self::new(DType::F64, space)
    }

    /// The same space with another element type.
    pub fn with(self, dtype: DType) -> Self {
        Self { dtype, ..self }
    }
}
