//! A sweep over a stream: chunks, blocks, threads, accumulators.
#![allow(unsafe_code)] // Slots are raw memory; each block states why its access is in bounds and unaliased.
#![allow(clippy::cast_ptr_alignment)] // Slots are aligned for every element type.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::buffer::{Buffer, GROUP};
use super::inputs::{Bindings, Column};
use super::kernel::{Frame, Operand};
use super::lower::{Instr, Lowered, LoweredPhase, Op};
use super::monoid::{combine, initialise};
use super::output::Output;
use super::pieces::{Piece, assemble};
use super::run::{Thread, Workspace, length};
use super::shape::LEAF;
use crate::error::{Error, Result};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::DType;

/// Most chunks that a sweep is cut into; the cut depends on the input alone, so that results do not depend on the number of threads.
const MAX_CHUNKS: usize = 64;

impl Lowered {
    /// A phase that runs over a stream block by block, chunk by chunk, on all threads of the workspace.
    pub(super) fn run_stream(
        &self,
        ws: &mut Workspace,
        phase: &LoweredPhase,
        inputs: &Bindings<'_>,
        timed: bool,
    ) -> Result<()> {
        let Some(stream) = phase.stream else {
            return Ok(());
        };
        let events = ws.frame.dims[usize::from(stream.0)];
        if events == usize::MAX {
            let name = self.program.level(stream).name.clone();
            return Err(Error::Input {
                input: name,
                message:
                    "the length of this stream follows from no input; bind it with `Bindings::size`"
                        .into(),
            });
        }
        // The cut depends on the number of events only: what else is added up changes no bit of a result.
        let leaves = events.div_ceil(LEAF).max(1);
        // Chunks of at least four leaves: short ones would spend their time starting and combining.
        let per_chunk = leaves.div_ceil(MAX_CHUNKS).next_multiple_of(4) * LEAF;
        let chunks = events.div_ceil(per_chunk).max(1);
        // Chunks that add to one partial result, for each accumulator: more for a large one, which would else cost more to combine than to fill. It depends on
        // the accumulator's own size, and groups lie within each other.
        let groups: Vec<usize> = (phase.accumulators.iter())
            .map(|a| {
                let n = ws.frame.lens[usize::from(a.len.0)];
                let most = (events.saturating_mul(4) / n.max(1)).clamp(1, chunks);
                chunks.div_ceil(most).next_power_of_two()
            })
            .collect();
        let together = groups.iter().copied().max().unwrap_or(1);
        while ws.accumulators.len() < chunks {
            ws.accumulators.push(Vec::new());
        }
        for (c, chunk) in ws.accumulators[..chunks].iter_mut().enumerate() {
            chunk.resize_with(phase.accumulators.len().max(chunk.len()), Buffer::empty);
            for ((buffer, a), group) in chunk.iter_mut().zip(&phase.accumulators).zip(&groups) {
                if c % group > 0 {
                    continue;
                }
                let n = ws.frame.lens[usize::from(a.len.0)];
                if !buffer.reserve(n, a.dtype.bytes()) {
                    return Err(self.too_large(a.len, n));
                }
                initialise(buffer.ptr(), n, a.dtype, a.monoid);
            }
        }
        let sweep = Sweep {
            lowered: self,
            phase,
            inputs,
            events,
            per_chunk,
            block: ws.block,
            timed,
            places: Vec::new(),
            accumulators: &ws.accumulators,
            groups: &groups,
        };
        let whole: Vec<*mut u8> = ws.whole.iter().map(Buffer::ptr).collect();
        for thread in &mut ws.threads {
            thread.slots[..whole.len()].copy_from_slice(&whole);
            thread.frame.dims.clone_from(&ws.frame.dims);
            thread.frame.lens.clone_from(&ws.frame.lens);
            thread.frame.stream = Some(stream);
            thread.filled.fill(0);
        }
        let places = sweep.places(&ws.frame, &mut ws.outputs);
        let sweep = Sweep { places, ..sweep };
        let mut pieces: Vec<Vec<Piece>> = Vec::new();
        if sweep.places.iter().any(Option::is_none) {
            pieces.resize_with(chunks, || {
                phase.outputs.iter().map(|_| Piece::default()).collect()
            });
        }
        if ws.threads.len() == 1 || chunks <= together || timed {
            let thread = &mut ws.threads[0];
            for chunk in 0..chunks {
                sweep.run_chunk(thread, chunk, pieces.get_mut(chunk))?;
            }
        } else {
            let next = AtomicUsize::new(0);
            let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
            let slots: Vec<Mutex<Option<Vec<Piece>>>> =
                pieces.drain(..).map(|p| Mutex::new(Some(p))).collect();
            let sweep = &sweep;
            rayon::scope(|scope| {
                for thread in &mut ws.threads {
                    let (next, failure, slots) = (&next, &failure, &slots);
                    scope.spawn(move |_| {
                        loop {
                            let first = next.fetch_add(together, Ordering::Relaxed);
                            for chunk in first..(first + together).min(chunks) {
                                let mut piece = slots
                                    .get(chunk)
                                    .and_then(|s| s.lock().ok().and_then(|mut p| p.take()));
                                let result = sweep.run_chunk(thread, chunk, piece.as_mut());
                                if let (Some(slot), Some(piece)) = (slots.get(chunk), piece)
                                    && let Ok(mut slot) = slot.lock()
                                {
                                    *slot = Some(piece);
                                }
                                if let (Err(error), Ok(mut failure)) = (result, failure.lock()) {
                                    // The first chunk's error, whichever thread was faster.
                                    if failure.as_ref().is_none_or(|(c, _)| chunk < *c) {
                                        *failure = Some((chunk, error));
                                    }
                                    return;
                                }
                            }
                            if first >= chunks {
                                return;
                            }
                        }
                    });
                }
            });
            if let Some((_, error)) = failure.into_inner().ok().flatten() {
                return Err(error);
            }
            pieces = slots
                .into_iter()
                .filter_map(|s| s.into_inner().ok().flatten())
                .collect();
        }
        for (i, a) in phase.accumulators.iter().enumerate() {
            let n = ws.frame.lens[usize::from(a.len.0)];
            let dst = ws.whole[a.slot as usize].ptr();
            initialise(dst, n, a.dtype, a.monoid);
            for chunk in ws.accumulators[..chunks].iter().step_by(groups[i]) {
                combine(dst, chunk[i].ptr(), n, a.dtype, a.monoid);
            }
        }
        ws.pieces = pieces.iter().flatten().map(Piece::bytes).sum();
        for (j, (output, operand)) in phase.outputs.iter().enumerate() {
            if sweep.places[j].is_none() {
                assemble(&mut ws.outputs[*output], &pieces, j, operand.dtype);
            }
        }
        Ok(())
    }

    fn lanes_before_stream(&self, operand: &Operand, frame: &Frame) -> usize {
        let space = self.shapes.spaces[usize::from(operand.len.0)];
        let (mut lanes, mut counted) = (1, Space::SCALAR);
        let stream = |l: &LevelId| self.program.level(*l).kind == LevelKind::Stream;
        let depth = space.iter().position(|l| stream(&l)).unwrap_or(0);
        for level in space.prefix(depth).iter().rev() {
            // A ragged level counts all its elements, with those of the levels above it.
            if !counted.contains(level) {
                lanes *= frame.dims[usize::from(level.0)];
                if let LevelKind::Ragged { parent, .. } = self.program.level(level).kind {
                    counted = parent;
                }
            }
        }
        lanes
    }
}

/// A sweep over a stream.
struct Sweep<'a> {
    lowered: &'a Lowered,
    phase: &'a LoweredPhase,
    inputs: &'a Bindings<'a>,
    events: usize,
    per_chunk: usize,
    block: usize,
    /// Whether the instructions are timed, into the watches of the thread.
    timed: bool,
    /// For each streamed output the memory that blocks write it to; none where its size is not known before.
    places: Vec<Option<Place>>,
    /// Partial results by chunk.
    accumulators: &'a [Vec<Buffer>],
    /// For each accumulator the number of chunks that add to one partial result, that of the first of them.
    groups: &'a [usize],
}

/// The memory of an output.
#[derive(Clone, Copy)]
struct Place(*mut u8);

// SAFETY: blocks write disjoint ranges of it.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Sweep<'_> {
    /// Room for the outputs whose sizes follow from the inputs: their elements are those below the events, block after block.
    fn places(&self, frame: &Frame, outputs: &mut [Output]) -> Vec<Option<Place>> {
        let all = (0, self.events);
        let ranges = self.ranges(all, frame);
        let place = |(output, operand): &(usize, Operand)| {
            let space = self.lowered.shapes.spaces[usize::from(operand.len.0)];
            let known = space
                .iter()
                .all(|l| match self.lowered.program.level(l).kind {
                    LevelKind::Ragged { .. } => ranges.iter().any(|r| r.0 == l.0),
                    _ => true,
                });
            if !known || operand.dtype == DType::Offsets || self.depth_of_stream(operand) > 0 {
                return None;
            }
            let (_, elements) = self.elements(&space, all, &ranges, frame);
            let memory = outputs[*output].resize(elements * operand.dtype.bytes());
            Some(Place(memory.as_mut_ptr()))
        };
        self.phase.outputs.iter().map(place).collect()
    }

    /// Global ranges of the elements of ragged inputs below events `first..end`.
    fn ranges(&self, events: (usize, usize), frame: &Frame) -> Vec<(u16, usize, usize)> {
        let mut ranges: Vec<(u16, usize, usize)> = Vec::new();
        for (level, input, parent) in &self.phase.inputs {
            let (a, b) = self.elements(parent, events, &ranges, frame);
            let (a, b) = self.range(*input, a, b);
            ranges.push((level.0, a, b));
        }
        ranges
    }

    /// Copies the block's part of an output to its place.
    fn put(&self, thread: &Thread, place: Place, operand: &Operand, events: (usize, usize)) {
        let space = self.lowered.shapes.spaces[usize::from(operand.len.0)];
        let ranges = self.ranges(events, &thread.frame);
        let (a, b) = self.elements(&space, events, &ranges, &thread.frame);
        let size = operand.dtype.bytes();
        // SAFETY: the slot holds the b − a elements of this block, the output those of all events; blocks do not overlap.
        unsafe {
            std::ptr::copy_nonoverlapping(
                thread.slots[operand.slot as usize],
                place.0.add(a * size),
                (b - a) * size,
            );
        }
    }

    fn run_chunk(
        &self,
        thread: &mut Thread,
        chunk: usize,
        mut pieces: Option<&mut Vec<Piece>>,
    ) -> Result<()> {
        for (i, a) in self.phase.accumulators.iter().enumerate() {
            let first = chunk - chunk % self.groups[i];
            thread.slots[a.slot as usize] = self.accumulators[first][i].ptr();
        }
        let stop = ((chunk + 1) * self.per_chunk).min(self.events);
        let mut first = chunk * self.per_chunk;
        // An empty stream still runs one empty block, which makes empty outputs.
        loop {
            let end = self.cut(first, stop);
            self.run_block(thread, first, end)?;
            for (j, (_, operand)) in self.phase.outputs.iter().enumerate() {
                if let Some(place) = self.places[j] {
                    self.put(thread, place, operand, (first, end));
                } else if let Some(piece) = pieces.as_mut().and_then(|p| p.get_mut(j)) {
                    piece.push(
                        &thread.slots,
                        &thread.frame,
                        operand,
                        self.depth_of_stream(operand),
                    );
                }
            }
            first = end;
            if first >= stop {
                return Ok(());
            }
        }
    }

    /// Levels before the stream on an operand's path.
    fn depth_of_stream(&self, operand: &Operand) -> usize {
        let space = self.lowered.shapes.spaces[usize::from(operand.len.0)];
        space
            .iter()
            .take_while(|l| self.lowered.program.level(*l).kind != LevelKind::Stream)
            .count()
    }

    /// End of the block that starts at `first`: whole leaves, as many as the budget of elements allows, at least one.
    fn cut(&self, first: usize, stop: usize) -> usize {
        let mut end = (first + LEAF).min(stop);
        while end < stop {
            let next = (end + LEAF).min(stop);
            let mut most = next - first;
            for (level, input, _) in &self.phase.inputs {
                let (a, b) = self.range(*input, first, next);
                let _ = level;
                // Children count half: filters and pairs leave fewer of them, and blocks of short columns cost more per element than long ones.
                most = most.max((b - a) / 2);
            }
            if most > self.block {
                break;
            }
            end = next;
        }
        end
    }

    /// Children of parents `first..end` in global positions.
    fn range(&self, input: u32, first: usize, end: usize) -> (usize, usize) {
        match &self.inputs.columns[input as usize] {
            Some(Column::Offsets(o)) if end < o.len() => (o[first] as usize, o[end] as usize),
            _ => (0, 0),
        }
    }

    fn run_block(&self, thread: &mut Thread, first: usize, end: usize) -> Result<()> {
        let lowered = self.lowered;
        let Some(stream) = self.phase.stream else {
            return Ok(());
        };
        thread.frame.start = first;
        // Global ranges of the stream and of ragged inputs below it.
        let ranges = self.ranges((first, end), &thread.frame);
        lowered.set_dim(&mut thread.frame, usize::from(stream.0), end - first);
        for (level, a, b) in &ranges {
            lowered.set_dim(&mut thread.frame, usize::from(*level), b - a);
        }
        let base = lowered.whole_slots;
        for (slot, len, dtype) in &self.phase.needs {
            if *slot >= base {
                let n = thread.frame.lens[usize::from(len.0)];
                if n == usize::MAX {
                    return Err(lowered.unbound(len.0));
                }
                let buffer = &mut thread.buffers[(*slot - base) as usize];
                let before = buffer.ptr();
                if !buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes()) {
                    return Err(lowered.too_large(*len, n));
                }
                if buffer.ptr() != before {
                    thread.filled[*slot as usize] = 0;
                }
                thread.slots[*slot as usize] = buffer.ptr();
            }
        }
        for (k, instr) in self.phase.instrs.iter().enumerate() {
            let started = self.timed.then(Instant::now);
            for (slot, len, dtype) in &instr.grow {
                let n = thread.frame.lens[usize::from(len.0)];
                let buffer = &mut thread.buffers[(*slot - base) as usize];
                let before = buffer.ptr();
                if !buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes()) {
                    return Err(lowered.too_large(*len, n));
                }
                if buffer.ptr() != before {
                    thread.filled[*slot as usize] = 0;
                }
                thread.slots[*slot as usize] = buffer.ptr();
            }
            match &instr.op {
                Op::Input { input, out } => {
                    self.load(thread, *input, out, (first, end), &ranges, instr);
                }
                Op::Run { outs, .. } if instr.invariant => {
                    let slot = outs[0].slot as usize;
                    let n = length(&thread.frame, &outs[0]);
                    if thread.filled[slot] < n {
                        lowered.execute(thread, instr)?;
                        thread.filled[slot] = n;
                    }
                }
                _ => lowered.execute(thread, instr)?,
            }
            if let Some(started) = started {
                thread.watches[k].add(lowered, instr, &thread.frame, started.elapsed());
            }
        }
        Ok(())
    }

    /// Global range of elements of `space` below stream elements `first..end`.
    fn elements(
        &self,
        space: &Space,
        (first, end): (usize, usize),
        ranges: &[(u16, usize, usize)],
        frame: &Frame,
    ) -> (usize, usize) {
        let program = &self.lowered.program;
        let (mut a, mut b) = (first, end);
        for level in space.iter() {
            match program.level(level).kind {
                LevelKind::Stream => (a, b) = (first, end),
                LevelKind::Ragged { .. } => {
                    if let Some(&(_, x, y)) = ranges.iter().find(|(l, ..)| *l == level.0) {
                        (a, b) = (x, y);
                    }
                }
                LevelKind::Dense | LevelKind::Batch => {
                    let n = frame.dims[usize::from(level.0)];
                    (a, b) = (a * n, b * n);
                }
            }
        }
        (a, b)
    }

    /// Points a slot at the block's part of a column, or copies it where a kernel could read past the end, where offsets must start at 0, or where lanes
    /// stand before the stream.
    fn load(
        &self,
        thread: &mut Thread,
        input: u32,
        out: &Operand,
        range: (usize, usize),
        ranges: &[(u16, usize, usize)],
        instr: &Instr,
    ) {
        let program = &self.lowered.program;
        let Some(column) = &self.inputs.columns[input as usize] else {
            return;
        };
        let space = self.lowered.shapes.spaces[usize::from(out.len.0)];
        let lanes = self.lowered.lanes_before_stream(out, &thread.frame);
        let depth = space
            .iter()
            .take_while(|l| program.level(*l).kind != LevelKind::Stream)
            .count();
        let mut below = Space::SCALAR;
        for level in space.iter().skip(depth) {
            below = below.child(level).unwrap_or(below);
        }
        let (a, b) = self.elements(&below, range, ranges, &thread.frame);
        let size = out.dtype.bytes();
        let slot = out.slot as usize;
        let buffer = &thread.buffers[slot - self.lowered.whole_slots as usize];
        if let (DType::Offsets, Column::Offsets(offsets)) = (out.dtype, column) {
            let dst = buffer.ptr().cast::<i64>();
            let start = offsets[a];
            for (i, o) in offsets[a..=b].iter().enumerate() {
                // SAFETY: the slot was reserved for b - a + 1 offsets.
                unsafe { *dst.add(i) = o - start };
            }
            thread.slots[slot] = buffer.ptr();
            debug_assert!(!instr.defines.is_empty() || b >= a);
        } else if lanes == 1 && a + (b - a).next_multiple_of(GROUP) <= column.len() {
            // SAFETY: in bounds by the condition; kernels only read arguments.
            thread.slots[slot] = unsafe { column.ptr().add(a * size) }.cast_mut();
        } else {
            let stride = column.len() / lanes.max(1);
            for lane in 0..lanes {
                // SAFETY: the slot was reserved for `lanes × (b - a)` elements, and each lane of the column has `stride` of them.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        column.ptr().add((lane * stride + a) * size),
                        buffer.ptr().add(lane * (b - a) * size),
                        (b - a) * size,
                    );
                }
            }
            thread.slots[slot] = buffer.ptr();
        }
    }
}
