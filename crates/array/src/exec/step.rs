//! A lowered program that runs step by step: inputs are read where they lie, carried values stay in rows of the stepper's own memory.
#![allow(unsafe_code)] // Slots are pointed at rows of columns; each block states why its access is in bounds and unaliased.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use pullback_ad::isa::Level as Isa;

use super::buffer::{Buffer, GROUP};
use super::inputs::{Bindings, Column};
use super::kernel::Io;
use super::lower::Lowered;
use super::run::Workspace;
use crate::error::{Error, Result};
use crate::primitive::ill_formed;
use crate::program::{Program, ValueId};
use crate::sample::Owned;
use crate::ty::DType;

/// The slot of an input that nothing reads.
const UNREAD: u32 = u32::MAX;

/// What the inputs and outputs of a program are for. Inputs are carried values, rows of columns, and whole columns, in this order; outputs are carried
/// values and rows of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Border {
    /// Number of carried values.
    pub carries: usize,
    /// Number of inputs that are rows.
    pub xs: usize,
}

/// A column that kernels may read up to the end of its last group of elements.
#[derive(Clone, Copy)]
pub(crate) struct Padded<'a> {
    bytes: &'a [u8],
}

impl<'a> Padded<'a> {
    /// An argument of a kernel.
    pub(super) fn of(io: &Io<'a>, i: usize) -> Self {
        let operand = &io.args[i];
        let bytes = io.arg_len(i) * operand.dtype.bytes();
        // SAFETY: as for `Io::arg`; bytes have no invalid values. The executor pads arguments to whole groups, or points them into columns that go on.
        let bytes = unsafe { std::slice::from_raw_parts(io.slots[operand.slot as usize], bytes) };
        Self { bytes }
    }

    /// The bytes of the column itself.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes `range` as elements of the type that the column has.
    ///
    /// # Panics
    /// For offsets, which are no values of regions.
    pub fn column(&self, dtype: DType, range: Range<usize>) -> Column<'a> {
        let bytes = &self.bytes[range];
        match dtype {
            DType::F64 => Column::F64(view(bytes)),
            DType::F32 => Column::F32(view(bytes)),
            DType::I64 => Column::I64(view(bytes)),
            DType::I32 => Column::I32(view(bytes)),
            DType::U64 => Column::U64(view(bytes)),
            DType::Bool => Column::Bool(view(bytes)),
            DType::Offsets => panic!("offsets are no values of regions"),
        }
    }

    /// Bytes from the start of the column that may be read, for elements of `size` bytes.
    fn readable(&self, size: usize) -> usize {
        (self.bytes.len() / size).next_multiple_of(GROUP) * size
    }
}

/// Bytes of an operand as its elements.
fn view<T>(bytes: &[u8]) -> &[T] {
    // SAFETY: called with the element type of the operand, which slots are aligned for and whose bytes are whole elements; masks are bytes 0 and 1.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) }
}

/// A carried value.
struct Carry {
    input: u32,
    output: u32,
    size: usize,
    /// Written to its row by the program itself; else copied there, because its slot is that of another value.
    direct: bool,
    bytes: usize,
    stride: usize,
    rows: Buffer,
}

/// An input or output that is a row of a column, or a whole column.
struct Row {
    slot: u32,
    size: usize,
    bytes: usize,
    /// Number of rows that kernels may read in place: they touch whole groups of elements.
    in_place: usize,
    column: *mut u8,
    /// Number of rows in the column.
    count: usize,
}

/// A program that runs step by step.
pub(crate) struct Stepper {
    lowered: Lowered,
    memory: Workspace,
    carries: Vec<Carry>,
    xs: Vec<Row>,
    captures: Vec<Row>,
    ys: Vec<Row>,
    /// Lengths of the inputs that the memory is bound to.
    lens: Option<Vec<usize>>,
    rows: usize,
}

// SAFETY: pointers to columns are set by `begin` and its guard, and used only while the guard borrows them.
unsafe impl Send for Stepper {}

impl Stepper {
    /// Lowers `program`.
    ///
    /// # Errors
    /// A stream in the program; what lowering may return.
    pub fn new(program: &Arc<Program>, isa: Isa, border: Border) -> Result<Self> {
        let lowered = Lowered::for_steps(program, isa)?;
        if lowered.phases.iter().any(|p| p.stream.is_some()) {
            return Err(ill_formed(
                "region",
                "a region that runs step by step holds no stream",
            ));
        }
        let memory = lowered.workspace();
        let (inputs, outputs) = (program.inputs(), program.outputs());
        let row = |value: ValueId| Row {
            slot: lowered.slot(value),
            size: program.ty(value).dtype.bytes(),
            bytes: 0,
            in_place: 0,
            column: std::ptr::null_mut(),
            count: 0,
        };
        let carries: Vec<Carry> = (0..border.carries)
            .map(|k| {
                let (input, output) = (inputs[k].1, outputs[k].1);
                // Inputs and constants keep the slot they have; one value can't be written to two rows.
                let source = program.node(output).args.is_empty();
                let once = outputs[..border.carries]
                    .iter()
                    .filter(|(_, v)| *v == output)
                    .count()
                    == 1;
                Carry {
                    input: lowered.slot(input),
                    output: lowered.slot(output),
                    size: program.ty(input).dtype.bytes(),
                    direct: !source && once,
                    bytes: 0,
                    stride: 0,
                    rows: Buffer::empty(),
                }
            })
            .collect();
        let all: Vec<Row> = inputs.iter().map(|(_, v)| row(*v)).collect();
        let mut rest = all.into_iter().skip(border.carries);
        let xs = rest.by_ref().take(border.xs).collect();
        let captures = rest.collect();
        let ys = outputs[border.carries..]
            .iter()
            .map(|(_, v)| row(*v))
            .collect();
        Ok(Self {
            memory,
            carries,
            xs,
            captures,
            ys,
            lens: None,
            rows: 0,
            lowered,
        })
    }

    /// Binds the lengths of the inputs of one step, and makes room for `rows` values of each carried one.
    ///
    /// # Errors
    /// As for a run.
    pub fn begin<'a>(&'a mut self, lens: &[usize], rows: usize) -> Result<Steps<'a>> {
        if self.lens.as_deref() != Some(lens) {
            self.lens = None;
            self.bind(lens)?;
            self.lens = Some(lens.to_vec());
        }
        for carry in &mut self.carries {
            let elements = rows.saturating_mul(carry.stride / carry.size);
            if !carry.rows.reserve(elements, carry.size) {
                return Err(Error::Memory {
                    space: "stored states of a scan".into(),
                    elements,
                });
            }
        }
        for row in self
            .xs
            .iter_mut()
            .chain(&mut self.captures)
            .chain(&mut self.ys)
        {
            (row.column, row.count, row.in_place) = (std::ptr::null_mut(), 0, 0);
        }
        self.rows = rows;
        let thread = &mut self.memory.threads[0];
        for (slot, buffer) in thread.slots.iter_mut().zip(&self.memory.whole) {
            *slot = buffer.ptr();
        }
        Ok(Steps {
            stepper: self,
            columns: PhantomData,
        })
    }

    /// Sizes of everything from the lengths of the inputs.
    fn bind(&mut self, lens: &[usize]) -> Result<()> {
        let program = Arc::clone(self.lowered.program());
        let zeros: Vec<Owned> = program
            .inputs()
            .iter()
            .zip(lens)
            .map(|((name, v), n)| match program.ty(*v).dtype {
                DType::F64 => Ok(Owned::F64(vec![0.0; *n])),
                DType::F32 => Ok(Owned::F32(vec![0.0; *n])),
                DType::I64 => Ok(Owned::I64(vec![0; *n])),
                DType::I32 => Ok(Owned::I32(vec![0; *n])),
                DType::U64 => Ok(Owned::U64(vec![0; *n])),
                DType::Bool => Ok(Owned::Bool(vec![false; *n])),
                DType::Offsets => Err(Error::Input {
                    input: name.to_string(),
                    message: "offsets cannot enter a region".into(),
                }),
            })
            .collect::<Result<_>>()?;
        let columns: Vec<Column<'_>> = zeros.iter().map(Owned::column).collect();
        self.lowered
            .bind(&mut self.memory, &Bindings::ordered(&columns))?;
        self.lowered.reserve_whole(&mut self.memory)?;
        self.memory.threads[0].frame.clone_from(&self.memory.frame);
        for (carry, n) in self.carries.iter_mut().zip(lens) {
            carry.bytes = n * carry.size;
            carry.stride = n.next_multiple_of(GROUP).max(GROUP) * carry.size;
        }
        for (row, n) in self
            .xs
            .iter_mut()
            .chain(&mut self.captures)
            .zip(&lens[self.carries.len()..])
        {
            row.bytes = n * row.size;
        }
        let outputs = program.outputs();
        let elements = |v: ValueId| self.lowered.elements(&self.memory, program.ty(v).space);
        for ((name, v), n) in outputs.iter().zip(&lens[..self.carries.len()]) {
            if elements(*v) != Some(*n) {
                return Err(Error::Input {
                    input: name.to_string(),
                    message: format!("a carried value of {n} elements changes its size"),
                });
            }
        }
        for (row, (name, v)) in self.ys.iter_mut().zip(&outputs[self.carries.len()..]) {
            let n = elements(*v).ok_or_else(|| Error::Input {
                input: name.to_string(),
                message: "the size of a result follows from no input of the region".into(),
            })?;
            row.bytes = n * row.size;
        }
        Ok(())
    }

    #[inline]
    fn execute(&mut self) -> Result<()> {
        let thread = &mut self.memory.threads[0];
        for phase in &self.lowered.phases {
            for instr in &phase.instrs {
                for (slot, len, dtype) in &instr.grow {
                    let n = thread.frame.lens[usize::from(len.0)];
                    let buffer = &mut self.memory.whole[*slot as usize];
                    if !buffer.reserve(n + usize::from(*dtype == DType::Offsets), dtype.bytes()) {
                        return Err(self.lowered.too_large(*len, n));
                    }
                    thread.slots[*slot as usize] = buffer.ptr();
                }
                self.lowered.execute(thread, instr)?;
            }
        }
        Ok(())
    }
}

/// A stepper at work on columns that it borrows.
pub(crate) struct Steps<'a> {
    stepper: &'a mut Stepper,
    columns: PhantomData<&'a mut [u8]>,
}

impl<'a> Steps<'a> {
    /// The rows of input `k` of those that are rows: those of the bytes `range` of `column`.
    pub fn read(&mut self, k: usize, column: Padded<'a>, range: Range<usize>) {
        let row = &mut self.stepper.xs[k];
        let (first, own) = (range.start, &column.bytes[range]);
        row.count = own.len().checked_div(row.bytes).unwrap_or(usize::MAX);
        let padded = (row.bytes / row.size).next_multiple_of(GROUP) * row.size;
        row.in_place = match column.readable(row.size).checked_sub(first + padded) {
            Some(more) => more.checked_div(row.bytes).map_or(usize::MAX, |n| n + 1),
            None => 0,
        };
        row.column = own.as_ptr().cast_mut();
    }

    /// The value of input `k` of those that are rows for the next step alone.
    pub fn feed(&mut self, k: usize, value: &[u8]) {
        let row = &mut self.stepper.xs[k];
        (row.column, row.count) = (std::ptr::null_mut(), usize::MAX);
        assert_eq!(row.bytes, value.len(), "a value of another size");
        if row.slot == UNREAD {
            return;
        }
        let to = self.stepper.memory.whole[row.slot as usize].ptr();
        // SAFETY: the slot was reserved for the elements of this input, and is no memory of the caller.
        unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), to, row.bytes) };
    }

    /// The value of capture `k`: that of `column` from byte `first` on.
    pub fn capture(&mut self, k: usize, column: Padded<'a>, first: usize) {
        let row = &self.stepper.captures[k];
        let source = &column.bytes[first..first + row.bytes];
        if row.slot == UNREAD {
            return;
        }
        let padded = (row.bytes / row.size).next_multiple_of(GROUP) * row.size;
        let slot = row.slot as usize;
        self.stepper.memory.threads[0].slots[slot] = if first + padded <= column.readable(row.size)
        {
            source.as_ptr().cast_mut()
        } else {
            let own = self.stepper.memory.whole[slot].ptr();
            // SAFETY: the slot was reserved for the elements of this input.
            unsafe { std::ptr::copy_nonoverlapping(source.as_ptr(), own, row.bytes) };
            own
        };
    }

    /// The value of capture `k`, copied.
    pub fn set(&mut self, k: usize, value: &[u8]) {
        let row = &self.stepper.captures[k];
        assert_eq!(row.bytes, value.len(), "a value of another size");
        if row.slot != UNREAD {
            let own = self.stepper.memory.whole[row.slot as usize].ptr();
            // SAFETY: the slot was reserved for the elements of this input, and is no memory of the caller.
            unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), own, row.bytes) };
            self.stepper.memory.threads[0].slots[row.slot as usize] = own;
        }
    }

    /// Where the rows of output `k` of those that are rows are written.
    pub fn write(&mut self, k: usize, column: &'a mut [u8]) {
        let row = &mut self.stepper.ys[k];
        row.count = column.len().checked_div(row.bytes).unwrap_or(usize::MAX);
        row.column = column.as_mut_ptr();
    }

    /// Sets carried value `k` in row `row`.
    pub fn load(&mut self, k: usize, row: usize, value: &[u8]) {
        let carry = &mut self.stepper.carries[k];
        assert!(
            row < self.stepper.rows && value.len() == carry.bytes,
            "a value of another size"
        );
        // SAFETY: `begin` reserved `rows` rows of `stride` bytes, of which a value takes the first `bytes`.
        unsafe {
            let to = carry.rows.ptr().add(row * carry.stride);
            std::ptr::copy_nonoverlapping(value.as_ptr(), to, carry.bytes);
        }
    }

    /// Sets the carried values from number `first` on to zero in row `row`.
    pub fn clear(&mut self, first: usize, row: usize) {
        assert!(row < self.stepper.rows, "no such row");
        for carry in &mut self.stepper.carries[first..] {
            // SAFETY: as for `load`.
            unsafe {
                carry
                    .rows
                    .ptr()
                    .add(row * carry.stride)
                    .write_bytes(0, carry.bytes);
            };
        }
    }

    /// Carried value `k` in row `row`.
    pub fn value(&self, k: usize, row: usize) -> &[u8] {
        let carry = &self.stepper.carries[k];
        assert!(row < self.stepper.rows, "no such row");
        // SAFETY: as for `load`; memory of rows is initialised.
        unsafe {
            let from = carry.rows.ptr().add(row * carry.stride);
            std::slice::from_raw_parts(from, carry.bytes)
        }
    }

    /// Copies every carried value from one row to another.
    pub fn copy(&mut self, from: usize, to: usize) {
        assert!(
            from < self.stepper.rows && to < self.stepper.rows,
            "no such row"
        );
        for carry in &mut self.stepper.carries {
            let rows = carry.rows.ptr();
            // SAFETY: as for `load`.
            unsafe {
                std::ptr::copy(
                    rows.add(from * carry.stride),
                    rows.add(to * carry.stride),
                    carry.bytes,
                );
            };
        }
    }

    /// Leaves out step `k`: the rows that it would return are zero.
    pub fn skip(&mut self, k: usize) {
        for row in self.stepper.ys.iter().filter(|r| !r.column.is_null()) {
            assert!(k < row.count, "no row {k}");
            // SAFETY: the column has more than `k` rows of `bytes` bytes, borrowed mutably.
            unsafe { row.column.add(k * row.bytes).write_bytes(0, row.bytes) };
        }
    }

    /// Runs the program once: carried values are read from row `from` and written to row `to`, another one; rows number `k` of columns are read and written.
    ///
    /// # Errors
    /// A kernel that failed.
    #[inline]
    pub fn step(&mut self, k: usize, from: usize, to: usize) -> Result<()> {
        let stepper = &mut *self.stepper;
        assert!(
            from != to && from < stepper.rows && to < stepper.rows,
            "no such row"
        );
        let slots = &mut stepper.memory.threads[0].slots;
        for row in stepper.xs.iter().filter(|r| r.slot != UNREAD) {
            assert!(k < row.count, "no row {k}");
            let slot = row.slot as usize;
            if row.column.is_null() {
                slots[slot] = stepper.memory.whole[slot].ptr();
                continue;
            }
            // SAFETY: the column has more than `k` rows of `bytes` bytes; it is read up to the end of a group only where `in_place` says that it goes on.
            unsafe {
                let at = row.column.add(k * row.bytes);
                if k < row.in_place {
                    slots[slot] = at;
                } else {
                    let own = stepper.memory.whole[slot].ptr();
                    std::ptr::copy_nonoverlapping(at, own, row.bytes);
                    slots[slot] = own;
                }
            }
        }
        for carry in &stepper.carries {
            // SAFETY: both rows are inside the memory of rows and hold a padded value each.
            unsafe {
                if carry.input != UNREAD {
                    slots[carry.input as usize] = carry.rows.ptr().add(from * carry.stride);
                }
                if carry.direct {
                    slots[carry.output as usize] = carry.rows.ptr().add(to * carry.stride);
                }
            }
        }
        stepper.execute()?;
        let slots = &stepper.memory.threads[0].slots;
        for carry in stepper.carries.iter().filter(|c| !c.direct) {
            // SAFETY: the slot holds a value of `bytes` bytes; the row that is written is that of no slot.
            unsafe {
                let row = carry.rows.ptr().add(to * carry.stride);
                std::ptr::copy_nonoverlapping(slots[carry.output as usize], row, carry.bytes);
            }
        }
        for row in stepper.ys.iter().filter(|r| !r.column.is_null()) {
            assert!(k < row.count, "no row {k}");
            // SAFETY: the column has more than `k` rows; it is the caller's, borrowed mutably, and no slot.
            unsafe {
                let to = row.column.add(k * row.bytes);
                std::ptr::copy_nonoverlapping(slots[row.slot as usize], to, row.bytes);
            }
        }
        Ok(())
    }
}
