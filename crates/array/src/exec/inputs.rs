//! What a program runs on.

use crate::error::{Error, Result};
use crate::program::Program;
use crate::ty::DType;

/// An input column.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Doubles.
    F64(&'a [f64]),
    /// Singles.
    F32(&'a [f32]),
    /// Integers.
    I64(&'a [i64]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// Unsigned integers.
    U64(&'a [u64]),
    /// Masks.
    Bool(&'a [bool]),
    /// Offsets of a ragged level: one more than parents.
    Offsets(&'a [i64]),
}

impl Column<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(d) => d.len(),
            Self::F32(d) => d.len(),
            Self::I64(d) | Self::Offsets(d) => d.len(),
            Self::I32(d) => d.len(),
            Self::U64(d) => d.len(),
            Self::Bool(d) => d.len(),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        match self {
            Self::F64(_) => DType::F64,
            Self::F32(_) => DType::F32,
            Self::I64(_) => DType::I64,
            Self::I32(_) => DType::I32,
            Self::U64(_) => DType::U64,
            Self::Bool(_) => DType::Bool,
            Self::Offsets(_) => DType::Offsets,
        }
    }

    pub(crate) fn ptr(&self) -> *const u8 {
        match self {
            Self::F64(d) => d.as_ptr().cast(),
            Self::F32(d) => d.as_ptr().cast(),
            Self::I64(d) | Self::Offsets(d) => d.as_ptr().cast(),
            Self::I32(d) => d.as_ptr().cast(),
            Self::U64(d) => d.as_ptr().cast(),
            Self::Bool(d) => d.as_ptr().cast(),
        }
    }
}

impl<'a> From<&'a [f64]> for Column<'a> {
    fn from(d: &'a [f64]) -> Self {
        Self::F64(d)
    }
}

impl<'a> From<&'a Vec<f64>> for Column<'a> {
    fn from(d: &'a Vec<f64>) -> Self {
        Self::F64(d)
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for Column<'a> {
    fn from(d: &'a [f64; N]) -> Self {
        Self::F64(d)
    }
}

impl<'a> From<&'a f64> for Column<'a> {
    fn from(d: &'a f64) -> Self {
        Self::F64(std::slice::from_ref(d))
    }
}

/// Columns by input, in the program's order, and lengths that no column tells.
#[derive(Debug, Clone, Default)]
pub struct Bindings<'a> {
    pub(crate) columns: Vec<Option<Column<'a>>>,
    pub(crate) sizes: Vec<(u16, usize)>,
}

impl<'a> Bindings<'a> {
    /// Columns in the order of the program's inputs.
    pub fn ordered(columns: &[Column<'a>]) -> Self {
        Self {
            columns: columns.iter().copied().map(Some).collect(),
            sizes: Vec::new(),
        }
    }

    /// Columns by name.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named(program: &Program, columns: &[(&str, Column<'a>)]) -> Result<Self> {
        let mut bindings = Self {
            columns: vec![None; program.inputs().len()],
            sizes: Vec::new(),
        };
        for &(name, column) in columns {
            let k = program
                .inputs()
                .iter()
                .position(|(n, _)| &**n == name)
                .ok_or_else(|| Error::Unknown {
                    kind: "input",
                    name: name.into(),
                    known: program
                        .inputs()
                        .iter()
                        .map(|(n, _)| n.to_string())
                        .collect::<Vec<_>>()
                        .join(", "),
                })?;
            bindings.columns[k] = Some(column);
        }
        Ok(bindings)
    }

    /// Replaces the column of input `k`.
    pub fn set(&mut self, k: usize, column: Column<'a>) {
        self.columns[k] = Some(column);
    }

    /// Sets the length of a level that no input column tells.
    ///
    /// # Errors
    /// An unknown level.
    pub fn size(mut self, program: &Program, level: &str, len: usize) -> Result<Self> {
        let id = program.find_level(level).ok_or_else(|| Error::Unknown {
            kind: "level",
            name: level.into(),
            known: program
                .levels()
                .iter()
                .map(|l| l.name.clone())
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        self.sizes.push((id.0, len));
        Ok(self)
    }
}

/// Offsets start at 0 and never decrease.
pub(crate) fn check_offsets(offsets: &[i64]) -> std::result::Result<(), String> {
    match offsets.first() {
        None => {
            return Err("offsets are empty; expected one more than parents, starting at 0".into());
        }
        Some(0) => {}
        Some(x) => return Err(format!("offsets start at {x}, expected 0")),
    }
    offsets
        .windows(2)
        .position(|w| w[1] < w[0])
        .map_or(Ok(()), |k| {
            Err(format!(
                "offsets decrease at position {}: {} after {}",
                k + 1,
                offsets[k + 1],
                offsets[k]
            ))
        })
}
