//! Running a lowered program: memory, phases of whole values, instructions.
#![allow(unsafe_code)] // Slots are raw memory; each block states why its access is in bounds and unaliased.
#![allow(clippy::cast_ptr_alignment)] // Slots are aligned for every element type.

use std::alloc::{Layout, handle_alloc_error};
use std::cell::Cell;

use super::buffer::Buffer;
use super::inputs::Bindings;
use super::kernel::{Frame, Io, MapArgs, Operand};
use super::lower::{Constant, Instr, Lowered, LoweredPhase, Op};
use super::monoid::initialise;
use super::output::Output;
use super::profile::Watch;
use super::shape::{LEAF, LenId};
use crate::attr::Data;
use crate::error::{Error, Result};
use crate::ty::DType;

/// Memory of one thread while blocks run.
pub(super) struct Thread {
    pub slots: Vec<*mut u8>,
    pub buffers: Vec<Buffer>,
    /// Elements to which an invariant slot has been filled.
    pub filled: Vec<usize>,
    pub frame: Frame,
    /// What the instructions of a sweep cost, while it is timed.
    pub watches: Vec<Watch>,
}

// SAFETY: the pointers are to this thread's buffers or to memory that is shared read-only (or chunk by chunk) during a sweep.
unsafe impl Send for Thread {}

/// Memory for running a program: reused between runs, which then allocate nothing.
pub struct Workspace {
    pub(super) whole: Vec<Buffer>,
    pub(super) threads: Vec<Thread>,
    pub(super) accumulators: Vec<Vec<Buffer>>,
    pub(super) outputs: Vec<Output>,
    /// Bytes of streamed outputs that the last sweep had to collect before it could put them together.
    pub(super) pieces: usize,
    pub(super) frame: Frame,
    /// Elements of a stream per block; rounded to whole leaves.
    pub(super) block: usize,
    /// The lowered program that this memory is for.
    lowered: u64,
    /// Lengths and types of the columns of the last run, if they alone determine all sizes.
    bound: Vec<(usize, DType)>,
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
                watches: Vec::new(),
            })
            .collect();
        Workspace {
            whole,
            threads,
            accumulators: Vec::new(),
            outputs: (self.program.outputs().iter())
                .map(|(_, value)| Output::new(self.program.ty(*value).dtype))
                .collect(),
            pieces: 0,
            frame,
            block: block.max(LEAF).next_multiple_of(LEAF),
            lowered: self.id,
            bound: Vec::new(),
        }
    }

    /// Runs the program on `inputs`; results are read from the workspace.
    ///
    /// # Errors
    /// A workspace of another program, a missing or ill-typed input, lengths that disagree, a kernel that failed, or more elements than there is memory for.
    pub fn run(&self, ws: &mut Workspace, inputs: &Bindings<'_>) -> Result<()> {
        if ws.lowered != self.id {
            return Err(Error::Workspace);
        }
        let result = self.run_bound(ws, inputs);
        if result.is_err() {
            // Slots may have lost their memory: the next run binds anew.
            ws.bound.clear();
        }
        result
    }

    fn run_bound(&self, ws: &mut Workspace, inputs: &Bindings<'_>) -> Result<()> {
        let fresh = !ws.bound_like(inputs);
        if fresh {
            ws.bound.clear();
            self.bind(ws, inputs)?;
            self.reserve_whole(ws)?;
        }
        for phase in &self.phases {
            match phase.stream {
                None => self.run_whole(ws, phase, inputs, fresh || self.phases.len() > 1)?,
                Some(_) => self.run_stream(ws, phase, inputs, false)?,
            }
        }
        for (i, operand) in &self.whole_outputs {
            let elements = length(&ws.frame, operand);
            let bytes = elements * operand.dtype.bytes();
            // SAFETY: the slot holds `elements` elements of that type.
            let result =
                unsafe { std::slice::from_raw_parts(ws.whole[operand.slot as usize].ptr(), bytes) };
            ws.outputs[*i].resize(bytes).copy_from_slice(result);
        }
        if fresh {
            ws.remember(inputs);
        }
        Ok(())
    }

    /// Room for all whole values before anything runs: growing a slot loses its content, which an earlier value of the same slot may still need.
    pub(super) fn reserve_whole(&self, ws: &mut Workspace) -> Result<()> {
        for phase in &self.phases {
            let accumulated = phase.accumulators.iter().map(|a| (a.slot, a.len, a.dtype));
            let whole = phase.needs.iter().copied();
            let whole = whole.filter(|_| phase.stream.is_none());
            for (slot, len, dtype) in whole.chain(accumulated) {
                let n = ws.frame.lens[usize::from(len.0)];
                if n == usize::MAX {
                    return Err(self.unbound(len.0));
                }
                let elements = n + usize::from(dtype == DType::Offsets);
                if !ws.whole[slot as usize].reserve(elements, dtype.bytes()) {
                    return Err(self.too_large(len, n));
                }
            }
        }
        Ok(())
    }

    fn run_whole(
        &self,
        ws: &mut Workspace,
        phase: &LoweredPhase,
        inputs: &Bindings<'_>,
        fresh: bool,
    ) -> Result<()> {
        Self::enter_whole(ws, fresh);
        let mut result = Ok(());
        for instr in &phase.instrs {
            result = self.step(ws, instr, inputs);
            if result.is_err() {
                break;
            }
        }
        Self::leave_whole(ws);
        result
    }

    /// Lends the frame of the workspace to the thread that runs instructions on whole values; `fresh` if the slots may have moved.
    pub(super) fn enter_whole(ws: &mut Workspace, fresh: bool) {
        let thread = &mut ws.threads[0];
        if fresh {
            for (slot, buffer) in thread.slots.iter_mut().zip(&ws.whole) {
                *slot = buffer.ptr();
            }
        }
        std::mem::swap(&mut thread.frame, &mut ws.frame);
        thread.frame.stream = None;
    }

    pub(super) fn leave_whole(ws: &mut Workspace) {
        std::mem::swap(&mut ws.threads[0].frame, &mut ws.frame);
    }

    /// One instruction on whole values.
    #[inline]
    pub(super) fn step(
        &self,
        ws: &mut Workspace,
        instr: &Instr,
        inputs: &Bindings<'_>,
    ) -> Result<()> {
        let thread = &mut ws.threads[0];
        for (slot, len, dtype) in &instr.grow {
            let n = thread.frame.lens[usize::from(len.0)];
            let buffer = &mut ws.whole[*slot as usize];
            if !buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes()) {
                return Err(self.too_large(*len, n));
            }
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
            return Ok(());
        }
        self.execute(thread, instr)
    }

    /// One instruction of the current block.
    #[inline]
    pub(super) fn execute(&self, thread: &mut Thread, instr: &Instr) -> Result<()> {
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

    /// Number of elements of a space, if it is known before anything runs.
    pub(super) fn elements(&self, ws: &Workspace, space: crate::space::Space) -> Option<usize> {
        let k = self.shapes.spaces.iter().position(|s| *s == space)?;
        let n = ws.frame.lens[k];
        (n != usize::MAX).then_some(n)
    }

    pub(super) fn set_dim(&self, frame: &mut Frame, level: usize, n: usize) {
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

    pub(super) fn too_large(&self, len: LenId, elements: usize) -> Error {
        let space = &self.shapes.spaces[usize::from(len.0)];
        Error::Memory {
            space: self.program.space_name(space),
            elements,
        }
    }

    pub(super) fn unbound(&self, space: u16) -> Error {
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
}

pub(super) fn length(frame: &Frame, operand: &Operand) -> usize {
    frame.lens[usize::from(operand.len.0)] + usize::from(operand.dtype == DType::Offsets)
}

/// Room for a constant, of which there is one copy already: that there is none for another ends the program, as for any vector.
fn room(buffer: &mut Buffer, elements: usize, size: usize) {
    if !buffer.reserve(elements, size) {
        handle_alloc_error(Layout::new::<f64>());
    }
}

fn fill_constant(buffer: &mut Buffer, constant: &Constant) {
    match constant {
        Constant::Scalar(x) => {
            room(buffer, 1, 8);
            // SAFETY: room for one element was reserved.
            unsafe { *buffer.ptr().cast::<f64>() = *x };
        }
        Constant::Data(data) => {
            let size = if matches!(data, Data::Bool(_)) { 1 } else { 8 };
            room(buffer, data.len(), size);
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

impl Workspace {
    /// Bytes of memory besides the outputs: values, blocks, partial results, and what the last sweep collected.
    ///
    /// An output below events whose size follows from the inputs is written in place; then this does not grow with the number of events.
    pub fn scratch_bytes(&self) -> usize {
        let blocks = self.threads.iter().flat_map(|t| &t.buffers);
        let partial = self.accumulators.iter().flatten();
        let buffers = self.whole.iter().chain(blocks).chain(partial);
        buffers.map(Buffer::bytes).sum::<usize>() + self.pieces
    }

    /// Whether the last run had columns of the same lengths and types: then all sizes and slots stay as they are.
    fn bound_like(&self, inputs: &Bindings<'_>) -> bool {
        !self.bound.is_empty()
            && inputs.sizes.is_empty()
            && self.bound.len() == inputs.columns.len()
            && self
                .bound
                .iter()
                .zip(&inputs.columns)
                .all(|(known, column)| {
                    column
                        .as_ref()
                        .is_some_and(|c| (c.len(), c.dtype()) == *known)
                })
    }

    /// Notes the shape of the inputs of a run that went well, unless sizes depend on more than the lengths of the columns.
    fn remember(&mut self, inputs: &Bindings<'_>) {
        let shapes: Option<Vec<(usize, DType)>> = inputs
            .columns
            .iter()
            .map(|c| c.as_ref().map(|c| (c.len(), c.dtype())))
            .collect();
        self.bound = shapes
            .filter(|s| inputs.sizes.is_empty() && s.iter().all(|(_, d)| *d != DType::Offsets))
            .unwrap_or_default();
    }
}
