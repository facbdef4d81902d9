//! What a run wrote for an output of the program.
#![allow(unsafe_code)] // Words viewed as the elements that they hold.

use super::run::Workspace;
use crate::ty::DType;

/// Elements of one type, in memory that is aligned for every type.
#[derive(Debug)]
pub(super) struct Output {
    dtype: DType,
    words: Vec<u64>,
    /// Bytes in use.
    bytes: usize,
}

impl Output {
    /// No elements.
    pub fn new(dtype: DType) -> Self {
        Self {
            dtype,
            words: Vec::new(),
            bytes: 0,
        }
    }

    /// Room for `bytes` bytes, to be written.
    pub fn resize(&mut self, bytes: usize) -> &mut [u8] {
        self.words.resize(bytes.div_ceil(8), 0);
        self.bytes = bytes;
        // SAFETY: initialised words, of which `bytes` bytes are in use; bytes need no alignment and have no invalid values.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), bytes) }
    }

    /// The elements as words, where they have eight bytes.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: as for `resize`.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.bytes) }
    }

    fn f64(&self) -> &[f64] {
        assert!(self.dtype == DType::F64, "the output is {}", self.dtype);
        // SAFETY: f64 has the size and alignment of u64, and every bit pattern is one.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.words.len()) }
    }

    fn i64(&self) -> &[i64] {
        let fits = matches!(self.dtype, DType::I64 | DType::Offsets);
        assert!(fits, "the output is {}", self.dtype);
        // SAFETY: i64 has the size and alignment of u64, and every bit pattern is one.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.words.len()) }
    }
}

impl Workspace {
    /// Output `k` of the last run as bytes.
    pub(crate) fn bytes(&self, k: usize) -> &[u8] {
        self.outputs[k].bytes()
    }

    /// Output `k` of the last run as doubles.
    ///
    /// # Panics
    /// If the output is not `f64`.
    pub fn f64(&self, k: usize) -> &[f64] {
        self.outputs[k].f64()
    }

    /// Output `k` of the last run as integers.
    ///
    /// # Panics
    /// If the output is not `i64` or `offsets`.
    pub fn i64(&self, k: usize) -> &[i64] {
        self.outputs[k].i64()
    }

    /// Output `k` of the last run as a mask of bytes 0 and 1.
    ///
    /// # Panics
    /// If the output is not `bool`.
    pub fn bool(&self, k: usize) -> &[u8] {
        let output = &self.outputs[k];
        assert!(
            output.dtype == DType::Bool,
            "the output is {}",
            output.dtype
        );
        output.bytes()
    }

    /// Output `k` as a single double; NaN if it is empty.
    ///
    /// # Panics
    /// If the output is not `f64`.
    pub fn scalar(&self, k: usize) -> f64 {
        self.f64(k).first().copied().unwrap_or(f64::NAN)
    }
}
