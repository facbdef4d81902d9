//! Streamed outputs: what a sweep wrote chunk by chunk, block by block, put together lane by lane.
#![allow(unsafe_code)] // Slots are raw memory.

use std::cell::Cell;

use super::kernel::{Frame, Io, Operand};
use super::output::Output;
use crate::ty::DType;

/// What a sweep wrote for one output in one chunk.
#[derive(Default)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    /// For each block, the number of elements in each lane. Offsets are kept as counts.
    lanes: Vec<Vec<usize>>,
}

impl Piece {
    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let counts: usize = self.lanes.iter().map(Vec::len).sum();
        self.bytes.capacity() + counts * size_of::<usize>()
    }

    /// Appends the current block. The first `depth` levels of the operand's path are lanes.
    pub fn push(&mut self, slots: &[*mut u8], frame: &Frame, operand: &Operand, depth: usize) {
        let operands = std::slice::from_ref(operand);
        let io = Io {
            slots,
            frame,
            args: operands,
            outs: &[],
            taken: Cell::new(0),
        };
        let lanes: Vec<usize> = (0..io.lanes(0, depth))
            .map(|lane| io.position(0, depth, lane + 1) - io.position(0, depth, lane))
            .collect();
        if operand.dtype == DType::Offsets {
            // A block starts at 0: differences can be put together.
            for w in io.arg::<i64>(0).windows(2) {
                self.bytes.extend_from_slice(&(w[1] - w[0]).to_ne_bytes());
            }
        } else {
            let bytes = io.arg_len(0) * operand.dtype.bytes();
            // SAFETY: the slot holds as many elements of that type.
            let block = unsafe { std::slice::from_raw_parts(slots[operand.slot as usize], bytes) };
            self.bytes.extend_from_slice(block);
        }
        self.lanes.push(lanes);
    }
}

/// Puts the pieces of output `j` together: lane by lane, chunk by chunk, block by block.
pub(super) fn assemble(out: &mut Output, pieces: &[Vec<Piece>], j: usize, dtype: DType) {
    let size = dtype.bytes();
    let pieces = || pieces.iter().map(|p| &p[j]);
    let lanes = pieces()
        .flat_map(|p| &p.lanes)
        .map(Vec::len)
        .max()
        .unwrap_or(0);
    // Offsets start with a zero, and are kept as counts up to here.
    let offsets = dtype == DType::Offsets;
    let mut to = if offsets { size } else { 0 };
    let bytes = out.resize(to + pieces().map(|p| p.bytes.len()).sum::<usize>());
    bytes[..to].fill(0);
    for lane in 0..lanes {
        for piece in pieces() {
            let mut at = 0;
            for block in &piece.lanes {
                let before: usize = block[..lane].iter().sum();
                let first = at + before * size;
                let part = &piece.bytes[first..first + block[lane] * size];
                bytes[to..to + part.len()].copy_from_slice(part);
                to += part.len();
                at += block.iter().sum::<usize>() * size;
            }
        }
    }
    if offsets {
        let mut total = 0;
        for word in out.words_mut() {
            total += *word;
            *word = total;
        }
    }
}
