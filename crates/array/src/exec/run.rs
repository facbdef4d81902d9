//! Running a lowered program: binding inputs, blocks, threads, accumulators, outputs.
#![allow(unsafe_code)] // Slots are raw memory; each block states why its access is in bounds and unaliased.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::buffer::{Buffer, GROUP};
use super::inputs::{Bindings, Column, check_offsets};
use super::kernel::{Frame, Io, MapArgs, Monoid, Operand};
use super::lower::{Constant, Instr, Lowered, LoweredPhase, Op};
use super::pieces::{Piece, assemble};
use super::shape::LEAF;
use crate::attr::Data;
use crate::error::{Error, Result};
use crate::space::{LevelKind, Space};
use crate::ty::DType;

/// Most chunks that a sweep is cut into; the cut depends on the input alone, so that results do not depend on the number of threads.
const MAX_CHUNKS: usize = 64;

/// Memory of one thread while blocks run.
struct Thread {
    slots: Vec<*mut u8>,
    buffers: Vec<Buffer>,
    /// Elements to which an invariant slot has been filled.
    filled: Vec<usize>,
    frame: Frame,
}

// SAFETY: the pointers are to this thread's buffers or to memory that is shared read-only (or chunk by chunk) during a sweep.
unsafe impl Send for Thread {}

/// Memory for running a program: reused between runs, which then allocate nothing.
pub struct Workspace {
    whole: Vec<Buffer>,
    threads: Vec<Thread>,
    accumulators: Vec<Vec<Buffer>>,
    outputs: Vec<Vec<u8>>,
    frame: Frame,
    /// Elements of a stream per block; rounded to whole leaves.
    block: usize,
    /// Global offsets, by level, of ragged inputs.
    starts: Vec<usize>,
}

// SAFETY: raw pointers in `threads` point into this workspace or are refreshed at every run.
unsafe impl Send for Workspace {}

impl Lowered {
    /// A workspace for one thread.
    pub fn workspace(&self) -> Workspace {
        self.workspace_with(1, 1024)
    }

    /// A workspace for `threads` threads and blocks of about `block` elements. Neither changes a bit of the results.
    pub fn workspace_with(&self, threads: usize, block: usize) -> Workspace {
        let levels = self.program.levels().len();
        let mut frame = Frame {
            dims: vec![0; levels],
            lens: vec![0; self.shapes.spaces.len()],
            start: 0,
            stream: None,
        };
        for (k, level) in self.program.levels().iter().enumerate() {
            frame.dims[k] = level.len.unwrap_or(usize::MAX);
        }
        let mut whole: Vec<Buffer> = (0..self.whole_slots).map(|_| Buffer::empty()).collect();
        for (operand, constant) in &self.constants {
            fill_constant(&mut whole[operand.slot as usize], constant);
        }
        let count = self.slots as usize;
        let threads = (0..threads.max(1))
            .map(|_| Thread {
                slots: vec![std::ptr::null_mut(); count],
                buffers: (self.whole_slots as usize..count)
                    .map(|_| Buffer::empty())
                    .collect(),
                filled: vec![0; count],
                frame: frame.clone(),
            })
            .collect();
        Workspace {
            whole,
            threads,
            accumulators: Vec::new(),
            outputs: vec![Vec::new(); self.program.outputs().len()],
            frame,
            block: block.max(LEAF).next_multiple_of(LEAF),
            starts: vec![0; levels],
        }
    }

    /// Runs the program on `inputs`; results are read from the workspace.
    ///
    /// # Errors
    /// A missing or ill-typed input, lengths that disagree, or a kernel that failed.
    pub fn run(&self, ws: &mut Workspace, inputs: &Bindings<'_>) -> Result<()> {
        self.bind(ws, inputs)?;
        self.reserve_whole(ws)?;
        for phase in &self.phases {
            match phase.stream {
                None => self.run_whole(ws, phase, inputs)?,
                Some(_) => self.run_stream(ws, phase, inputs)?,
            }
        }
        for (i, operand) in &self.whole_outputs {
            let elements = length(&ws.frame, operand);
            let bytes = elements * operand.dtype.bytes();
            let out = &mut ws.outputs[*i];
            out.clear();
            // SAFETY: the slot holds `elements` elements of that type.
            out.extend_from_slice(unsafe {
                std::slice::from_raw_parts(ws.whole[operand.slot as usize].ptr(), bytes)
            });
        }
        Ok(())
    }

    /// Lengths of levels from the lengths of columns.
    fn bind(&self, ws: &mut Workspace, inputs: &Bindings<'_>) -> Result<()> {
        let program = &self.program;
        let input_error = |k: usize, message: String| Error::Input {
            input: program.inputs()[k].0.to_string(),
            message,
        };
        let dims = &mut ws.frame.dims;
        for (k, level) in program.levels().iter().enumerate() {
            dims[k] = level.len.unwrap_or(usize::MAX);
        }
        for &(level, len) in &inputs.sizes {
            dims[usize::from(level)] = len;
        }
        for (value, offsets) in &self.constant_offsets {
            for (l, level) in program.levels().iter().enumerate() {
                if matches!(level.kind, LevelKind::Ragged { offsets: o, .. } if o == *value) {
                    dims[l] = *offsets;
                }
            }
        }
        if inputs.columns.len() != program.inputs().len() {
            return Err(Error::Input {
                input: "*".into(),
                message: format!(
                    "{} columns for {} inputs",
                    inputs.columns.len(),
                    program.inputs().len()
                ),
            });
        }
        for (k, (_, value)) in program.inputs().iter().enumerate() {
            let ty = program.ty(*value);
            let Some(column) = &inputs.columns[k] else {
                return Err(input_error(k, "is not bound".into()));
            };
            if column.dtype() != ty.dtype {
                return Err(input_error(
                    k,
                    format!("expected {}, found {}", ty.dtype, column.dtype()),
                ));
            }
            if let (DType::Offsets, Column::Offsets(offsets)) = (ty.dtype, column) {
                check_offsets(offsets).map_err(|m| input_error(k, m))?;
                for (l, level) in program.levels().iter().enumerate() {
                    if matches!(level.kind, LevelKind::Ragged { offsets: o, .. } if o == *value) {
                        dims[l] = offsets.last().copied().unwrap_or(0) as usize;
                    }
                }
            }
        }
        // One column may tell a length that another one needs: until nothing new is learned.
        let mut learned = true;
        while learned {
            learned = false;
            for (k, (_, value)) in program.inputs().iter().enumerate() {
                let ty = program.ty(*value);
                let len = inputs.columns[k].map_or(0, |c| c.len())
                    - usize::from(ty.dtype == DType::Offsets);
                if let Some(s) = self.shapes.spaces.iter().position(|s| *s == ty.space) {
                    learned |= self.settle(dims, s, len).map_err(|m| input_error(k, m))?;
                }
            }
            for (operand, constant) in &self.constants {
                if let Constant::Data(data) = constant {
                    let space = usize::from(operand.len.0);
                    let len = data.len() - usize::from(operand.dtype == DType::Offsets);
                    learned |= self.settle(dims, space, len).map_err(|message| {
                        let name = program.space_name(&self.shapes.spaces[space]);
                        Error::Input {
                            input: format!("constant in [{name}]"),
                            message,
                        }
                    })?;
                }
            }
        }
        for s in 0..self.shapes.spaces.len() {
            let factors = self.shapes.factors(s);
            ws.frame.lens[s] = if factors
                .iter()
                .any(|l| ws.frame.dims[usize::from(l.0)] == usize::MAX)
            {
                usize::MAX
            } else {
                self.shapes.len(s, &ws.frame.dims)
            };
        }
        Ok(())
    }

    /// Takes note of the number of elements of a space: one unknown level of its path follows from it. True if it did.
    fn settle(
        &self,
        dims: &mut [usize],
        space: usize,
        len: usize,
    ) -> std::result::Result<bool, String> {
        let mut known = 1_usize;
        let mut unknown = None;
        for level in self.shapes.factors(space) {
            match dims[usize::from(level.0)] {
                // Two unknown levels: nothing follows.
                usize::MAX if unknown.is_some() => return Ok(false),
                usize::MAX => unknown = Some(*level),
                n => known = known.saturating_mul(n),
            }
        }
        let Some(level) = unknown else {
            if known == len {
                return Ok(false);
            }
            let name = self.program.space_name(&self.shapes.spaces[space]);
            return Err(format!("{len} elements where [{name}] has {known}"));
        };
        // The size of a ragged level follows from its offsets alone; that of anything behind an empty level from nothing.
        if matches!(self.program.level(level).kind, LevelKind::Ragged { .. })
            || (known == 0 && len == 0)
        {
            return Ok(false);
        }
        if known == 0 || len % known != 0 {
            return Err(format!("{len} elements are no multiple of {known}"));
        }
        dims[usize::from(level.0)] = len / known;
        Ok(true)
    }

    /// Room for all whole values before anything runs: growing a slot loses its content, which an earlier value of the same slot may still need.
    fn reserve_whole(&self, ws: &mut Workspace) -> Result<()> {
        for phase in &self.phases {
            let accumulated = phase.accumulators.iter().map(|a| (a.slot, a.len, a.dtype));
            let whole = phase
                .needs
                .iter()
                .copied()
                .filter(|_| phase.stream.is_none());
            for (slot, len, dtype) in whole.chain(accumulated) {
                let n = ws.frame.lens[usize::from(len.0)];
                if n == usize::MAX {
                    return Err(self.unbound(len.0));
                }
                ws.whole[slot as usize]
                    .reserve(n + usize::from(dtype == DType::Offsets), dtype.bytes());
            }
        }
        Ok(())
    }

    fn run_whole(
        &self,
        ws: &mut Workspace,
        phase: &LoweredPhase,
        inputs: &Bindings<'_>,
    ) -> Result<()> {
        let thread = &mut ws.threads[0];
        for (k, buffer) in ws.whole.iter().enumerate() {
            thread.slots[k] = buffer.ptr();
        }
        std::mem::swap(&mut thread.frame, &mut ws.frame);
        thread.frame.stream = None;
        let mut result = Ok(());
        for instr in &phase.instrs {
            for (slot, len, dtype) in &instr.grow {
                let n = thread.frame.lens[usize::from(len.0)];
                let buffer = &mut ws.whole[*slot as usize];
                buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes());
                thread.slots[*slot as usize] = buffer.ptr();
            }
            if let Op::Input { input, out } = &instr.op {
                if let Some(column) = &inputs.columns[*input as usize] {
                    // SAFETY: the slot was sized for the column, whose length `bind` checked; the ranges are distinct allocations.
                    unsafe {
                        std::ptr::copy_nonoverlapping(
                            column.ptr(),
                            thread.slots[out.slot as usize],
                            column.len() * out.dtype.bytes(),
                        );
                    }
                }
                continue;
            }
            result = self.execute(thread, instr);
            if result.is_err() {
                break;
            }
        }
        std::mem::swap(&mut thread.frame, &mut ws.frame);
        result
    }

    /// One instruction of the current block.
    #[inline]
    fn execute(&self, thread: &mut Thread, instr: &Instr) -> Result<()> {
        match &instr.op {
            Op::Map { f, dst, src, len } => {
                let n = thread.frame.lens[usize::from(len.0)];
                let at = |s: u32| {
                    thread
                        .slots
                        .get(s as usize)
                        .copied()
                        .unwrap_or(std::ptr::null_mut())
                        .cast_const()
                };
                f(MapArgs {
                    n,
                    dst: thread.slots[*dst as usize],
                    src: [at(src[0]), at(src[1]), at(src[2])],
                });
            }
            Op::Run {
                run,
                args,
                outs,
                init,
            } => {
                if let Some(monoid) = init {
                    let operand = &outs[0];
                    let n = length(&thread.frame, operand);
                    initialise(
                        thread.slots[operand.slot as usize],
                        n,
                        operand.dtype,
                        *monoid,
                    );
                }
                let io = Io {
                    slots: &thread.slots,
                    frame: &thread.frame,
                    args,
                    outs,
                    taken: Cell::new(0),
                };
                if let Err(message) = run.run(&io) {
                    let node = &self.program.nodes()[instr.node as usize];
                    return Err(Error::Run {
                        primitive: node.primitive.name(),
                        label: self.program.label_of(node.first),
                        message,
                    });
                }
            }
            Op::Input { .. } => {}
        }
        for level in &instr.defines {
            if let Op::Run { outs, .. } = &instr.op {
                let operand = &outs[0];
                let n = thread.frame.lens[usize::from(operand.len.0)];
                // SAFETY: offsets have one element more than their path.
                let total = unsafe { *thread.slots[operand.slot as usize].cast::<i64>().add(n) };
                self.set_dim(&mut thread.frame, usize::from(level.0), total as usize);
            }
        }
        Ok(())
    }

    fn set_dim(&self, frame: &mut Frame, level: usize, n: usize) {
        frame.dims[level] = n;
        for &space in self.shapes.users.get(level).into_iter().flatten() {
            let factors = self.shapes.factors(usize::from(space));
            if factors
                .iter()
                .all(|l| frame.dims[usize::from(l.0)] != usize::MAX)
            {
                frame.lens[usize::from(space)] = self.shapes.len(usize::from(space), &frame.dims);
            }
        }
    }

    fn unbound(&self, space: u16) -> Error {
        let factors = self.shapes.factors(usize::from(space));
        let level = factors
            .first()
            .map_or("", |l| self.program.level(*l).name.as_str());
        Error::Input {
            input: level.to_owned(),
            message:
                "the length of this level follows from no input; bind it with `Bindings::size`"
                    .into(),
        }
    }

    fn run_stream(
        &self,
        ws: &mut Workspace,
        phase: &LoweredPhase,
        inputs: &Bindings<'_>,
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
        // The cut depends on the number of events and the size of the accumulators only.
        let table: usize = phase
            .accumulators
            .iter()
            .map(|a| ws.frame.lens[usize::from(a.len.0)])
            .sum();
        let leaves = events.div_ceil(LEAF).max(1);
        let most = (events.saturating_mul(4) / table.max(1)).clamp(1, MAX_CHUNKS);
        // Chunks of at least four leaves: short ones would spend their time starting and combining.
        let per_chunk = leaves.div_ceil(most).next_multiple_of(4) * LEAF;
        let chunks = events.div_ceil(per_chunk).max(1);
        while ws.accumulators.len() < chunks {
            ws.accumulators.push(Vec::new());
        }
        for chunk in &mut ws.accumulators[..chunks] {
            chunk.resize_with(phase.accumulators.len().max(chunk.len()), Buffer::empty);
            for (buffer, a) in chunk.iter_mut().zip(&phase.accumulators) {
                let n = ws.frame.lens[usize::from(a.len.0)];
                buffer.reserve(n, a.dtype.bytes());
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
        };
        let whole: Vec<*mut u8> = ws.whole.iter().map(Buffer::ptr).collect();
        for thread in &mut ws.threads {
            thread.slots[..whole.len()].copy_from_slice(&whole);
            thread.frame.dims.clone_from(&ws.frame.dims);
            thread.frame.lens.clone_from(&ws.frame.lens);
            thread.frame.stream = Some(stream);
            thread.filled.fill(0);
        }
        let accumulators = &ws.accumulators;
        let mut pieces: Vec<Vec<Piece>> = Vec::new();
        if !phase.outputs.is_empty() {
            pieces.resize_with(chunks, || {
                phase.outputs.iter().map(|_| Piece::default()).collect()
            });
        }
        if ws.threads.len() == 1 || chunks == 1 {
            let thread = &mut ws.threads[0];
            for chunk in 0..chunks {
                sweep.run_chunk(thread, chunk, &accumulators[chunk], pieces.get_mut(chunk))?;
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
                            let chunk = next.fetch_add(1, Ordering::Relaxed);
                            if chunk >= chunks {
                                return;
                            }
                            let mut piece = slots
                                .get(chunk)
                                .and_then(|s| s.lock().ok().and_then(|mut p| p.take()));
                            let result = sweep.run_chunk(
                                thread,
                                chunk,
                                &accumulators[chunk],
                                piece.as_mut(),
                            );
                            if let (Some(slot), Some(piece)) = (slots.get(chunk), piece) {
                                if let Ok(mut slot) = slot.lock() {
                                    *slot = Some(piece);
                                }
                            }
                            if let (Err(error), Ok(mut failure)) = (result, failure.lock()) {
                                // The first chunk's error, whichever thread was faster.
                                if failure.as_ref().is_none_or(|(c, _)| chunk < *c) {
                                    *failure = Some((chunk, error));
                                }
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
            for chunk in &ws.accumulators[..chunks] {
                combine(dst, chunk[i].ptr(), n, a.dtype, a.monoid);
            }
        }
        for (j, (output, operand)) in phase.outputs.iter().enumerate() {
            assemble(&mut ws.outputs[*output], &pieces, j, operand.dtype);
        }
        Ok(())
    }

    fn lanes_before_stream(&self, operand: &Operand, frame: &Frame) -> usize {
        let space = self.shapes.spaces[usize::from(operand.len.0)];
        space
            .iter()
            .take_while(|l| self.program.level(*l).kind != LevelKind::Stream)
            .map(|l| frame.dims[usize::from(l.0)])
            .product()
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
}

impl Sweep<'_> {
    fn run_chunk(
        &self,
        thread: &mut Thread,
        chunk: usize,
        accumulators: &[Buffer],
        mut pieces: Option<&mut Vec<Piece>>,
    ) -> Result<()> {
        for (a, buffer) in self.phase.accumulators.iter().zip(accumulators) {
            thread.slots[a.slot as usize] = buffer.ptr();
        }
        let stop = ((chunk + 1) * self.per_chunk).min(self.events);
        let mut first = chunk * self.per_chunk;
        // An empty stream still runs one empty block, which makes empty outputs.
        loop {
            let end = self.cut(first, stop);
            self.run_block(thread, first, end)?;
            for (j, (_, operand)) in self.phase.outputs.iter().enumerate() {
                if let Some(piece) = pieces.as_mut().and_then(|p| p.get_mut(j)) {
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
                most = most.max(b - a);
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
        let mut ranges: Vec<(u16, usize, usize)> = Vec::new();
        lowered.set_dim(&mut thread.frame, usize::from(stream.0), end - first);
        for (level, input, parent) in &self.phase.inputs {
            let (a, b) = self.elements(parent, (first, end), &ranges, &thread.frame);
            let (a, b) = self.range(*input, a, b);
            ranges.push((level.0, a, b));
            lowered.set_dim(&mut thread.frame, usize::from(level.0), b - a);
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
                buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes());
                if buffer.ptr() != before {
                    thread.filled[*slot as usize] = 0;
                }
                thread.slots[*slot as usize] = buffer.ptr();
            }
        }
        for instr in &self.phase.instrs {
            for (slot, len, dtype) in &instr.grow {
                let n = thread.frame.lens[usize::from(len.0)];
                let buffer = &mut thread.buffers[(*slot - base) as usize];
                let before = buffer.ptr();
                buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes());
                if buffer.ptr() != before {
                    thread.filled[*slot as usize] = 0;
                }
                thread.slots[*slot as usize] = buffer.ptr();
            }
            match &instr.op {
                Op::Input { input, out } => {
                    self.load(thread, *input, out, (first, end), &ranges, instr)
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

fn length(frame: &Frame, operand: &Operand) -> usize {
    frame.lens[usize::from(operand.len.0)] + usize::from(operand.dtype == DType::Offsets)
}

fn fill_constant(buffer: &mut Buffer, constant: &Constant) {
    match constant {
        Constant::Scalar(x) => {
            buffer.reserve(1, 8);
            // SAFETY: room for one element was reserved.
            unsafe { *buffer.ptr().cast::<f64>() = *x };
        }
        Constant::Data(data) => {
            let size = if matches!(data, Data::Bool(_)) { 1 } else { 8 };
            buffer.reserve(data.len(), size);
            let src: *const u8 = match data {
                Data::F64(d) => d.as_ptr().cast(),
                Data::I64(d) => d.as_ptr().cast(),
                Data::Bool(d) => d.as_ptr().cast(),
            };
            // SAFETY: room for `len` elements was reserved; distinct allocations.
            unsafe { std::ptr::copy_nonoverlapping(src, buffer.ptr(), data.len() * size) };
        }
    }
}

fn identity(monoid: Monoid) -> f64 {
    match monoid {
        Monoid::Max => f64::NEG_INFINITY,
        Monoid::Min => f64::INFINITY,
        _ => 0.0,
    }
}

fn initialise(ptr: *mut u8, n: usize, dtype: DType, monoid: Monoid) {
    // SAFETY: callers pass slots reserved for `n` elements of `dtype`.
    unsafe {
        match dtype {
            DType::F64 => {
                std::slice::from_raw_parts_mut(ptr.cast::<f64>(), n).fill(identity(monoid))
            }
            DType::Bool => {
                std::slice::from_raw_parts_mut(ptr, n).fill(u8::from(monoid == Monoid::And))
            }
            DType::I64 => std::slice::from_raw_parts_mut(ptr.cast::<i64>(), n).fill(match monoid {
                Monoid::Max => i64::MIN,
                Monoid::Min => i64::MAX,
                _ => 0,
            }),
            _ => std::slice::from_raw_parts_mut(ptr, n * dtype.bytes()).fill(0),
        }
    }
}

fn combine(dst: *mut u8, src: *const u8, n: usize, dtype: DType, monoid: Monoid) {
    // SAFETY: both were reserved for `n` elements of `dtype` and are distinct buffers.
    unsafe {
        match dtype {
            DType::F64 => {
                let (dst, src) = (
                    std::slice::from_raw_parts_mut(dst.cast::<f64>(), n),
                    std::slice::from_raw_parts(src.cast::<f64>(), n),
                );
                for (d, s) in dst.iter_mut().zip(src) {
                    *d = match monoid {
                        Monoid::Max => crate::prim::maximum(*d, *s),
                        Monoid::Min => crate::prim::minimum(*d, *s),
                        _ => *d + *s,
                    };
                }
            }
            DType::I64 => {
                let (dst, src) = (
                    std::slice::from_raw_parts_mut(dst.cast::<i64>(), n),
                    std::slice::from_raw_parts(src.cast::<i64>(), n),
                );
                for (d, s) in dst.iter_mut().zip(src) {
                    *d = match monoid {
                        Monoid::Max => (*d).max(*s),
                        Monoid::Min => (*d).min(*s),
                        _ => *d + *s,
                    };
                }
            }
            _ => {
                let (dst, src) = (
                    std::slice::from_raw_parts_mut(dst, n),
                    std::slice::from_raw_parts(src, n),
                );
                for (d, s) in dst.iter_mut().zip(src) {
                    *d = if monoid == Monoid::And {
                        *d & *s
                    } else {
                        *d | *s
                    };
                }
            }
        }
    }
}

impl Workspace {
    /// Output `k` of the last run as doubles.
    ///
    /// # Panics
    /// If the output is not `f64`.
    pub fn f64(&self, k: usize) -> &[f64] {
        let bytes = &self.outputs[k];
        // SAFETY: written as f64 by the executor (the caller names an f64 output); any bit pattern is a valid f64. `align_to` checks alignment.
        let (head, body, _) = unsafe { bytes.align_to::<f64>() };
        assert!(
            head.is_empty(),
            "outputs are allocated with the alignment of f64"
        );
        body
    }

    /// Output `k` of the last run as integers.
    ///
    /// # Panics
    /// If the output is not `i64` or `offsets`.
    pub fn i64(&self, k: usize) -> &[i64] {
        // SAFETY: as for `f64`.
        let (head, body, _) = unsafe { self.outputs[k].align_to::<i64>() };
        assert!(
            head.is_empty(),
            "outputs are allocated with the alignment of i64"
        );
        body
    }

    /// Output `k` of the last run as a mask of bytes 0 and 1.
    pub fn bool(&self, k: usize) -> &[u8] {
        &self.outputs[k]
    }

    /// Output `k` as a single double.
    pub fn scalar(&self, k: usize) -> f64 {
        self.f64(k).first().copied().unwrap_or(f64::NAN)
    }
}
