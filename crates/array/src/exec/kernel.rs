//! What a primitive lowers to, and how a kernel sees its operands.
#![allow(unsafe_code)] // Operands are typed views of untyped slots.
#![allow(clippy::cast_ptr_alignment)] // Slots are aligned for every element type.

use std::cell::Cell;

use super::shape::{Axis, LEAF, LenId, Segments, Step};
use super::step::Padded;
use crate::space::LevelId;
use crate::ty::DType;

/// Operands of an elementwise kernel: `n` elements, rounded up to a whole group by the loop (slots are padded).
#[derive(Debug, Clone, Copy)]
pub struct MapArgs {
    /// Number of elements.
    pub n: usize,
    /// Destination.
    pub dst: *mut u8,
    /// Sources; a scalar one points at a single element.
    pub src: [*const u8; 3],
}

/// An elementwise kernel for one instruction set.
pub type MapFn = fn(MapArgs);

/// What partial results are combined with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monoid {
    /// Sum, from 0.
    Add,
    /// Maximum, from -inf.
    Max,
    /// Minimum, from +inf.
    Min,
    /// Disjunction, from false.
    Or,
    /// Conjunction, from true.
    And,
}

/// A kernel.
pub enum Kernel {
    /// Elementwise. Given a bit mask of the arguments that are scalars, the loop for that case, if there is one.
    Map(Box<dyn Fn(u8) -> Option<MapFn> + Send + Sync>),
    /// Anything else that writes its results anew in every block.
    Run(Box<dyn Run>),
    /// Adds to its first result, which the executor sets to the identity before the first block and combines over blocks and threads.
    Accumulate(Monoid, Box<dyn Run>),
    /// An input or a constant: no work.
    Source,
}

impl Kernel {
    /// A kernel that always succeeds.
    pub(crate) fn infallible(body: impl Fn(&Io<'_>) + Send + Sync + 'static) -> Self {
        Self::Run(Box::new(move |io: &Io<'_>| {
            body(io);
            Ok(())
        }))
    }
}

/// The body of a kernel that is not elementwise.
pub trait Run: Send + Sync {
    /// Evaluates one block.
    ///
    /// # Errors
    /// A sentence on what went wrong; the executor adds primitive and label.
    fn run(&self, io: &Io<'_>) -> Result<(), String>;
}

impl<F: Fn(&Io<'_>) -> Result<(), String> + Send + Sync> Run for F {
    fn run(&self, io: &Io<'_>) -> Result<(), String> {
        self(io)
    }
}

/// An operand: its slot, its length and element type.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub slot: u32,
    pub len: LenId,
    pub dtype: DType,
    /// Path from the root to the elements, for leaf boundaries.
    pub steps: Vec<Step>,
}

/// Lengths of the block that runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub dims: Vec<usize>,
    pub lens: Vec<usize>,
    /// Elements of the stream before this block.
    pub start: usize,
    /// The stream that runs block by block, if one does.
    pub stream: Option<LevelId>,
}

/// Operands of a kernel in the current block.
pub struct Io<'a> {
    pub(crate) slots: &'a [*mut u8],
    pub(crate) frame: &'a Frame,
    pub(crate) args: &'a [Operand],
    pub(crate) outs: &'a [Operand],
    pub(crate) taken: Cell<u64>,
}

/// Element types that slots can be viewed as.
pub trait Element: Copy + 'static {
    /// True if a slot of that type holds such elements.
    fn fits(dtype: DType) -> bool;
}

macro_rules! element {
    ($($t:ty: $p:pat),*) => {$(
        impl Element for $t {
            fn fits(dtype: DType) -> bool {
                matches!(dtype, $p)
            }
        }
    )*};
}
element!(f64: DType::F64, f32: DType::F32, i64: DType::I64 | DType::Offsets, i32: DType::I32, u64: DType::U64, u8: DType::Bool);

impl<'a> Io<'a> {
    /// Length of argument `i`.
    pub fn arg_len(&self, i: usize) -> usize {
        self.length(&self.args[i])
    }

    /// Length of result `k`.
    pub fn out_len(&self, k: usize) -> usize {
        self.length(&self.outs[k])
    }

    fn length(&self, operand: &Operand) -> usize {
        self.frame.lens[usize::from(operand.len.0)] + usize::from(operand.dtype == DType::Offsets)
    }

    /// Length of a space.
    pub fn len(&self, id: LenId) -> usize {
        self.frame.lens[usize::from(id.0)]
    }

    /// Number of elements of a level in this block.
    pub fn dim(&self, level: LevelId) -> usize {
        self.frame.dims[usize::from(level.0)]
    }

    /// Elements of the stream before this block.
    pub fn stream_start(&self) -> usize {
        self.frame.start
    }

    /// Argument `i`. Masks are bytes 0 and 1.
    ///
    /// # Panics
    /// If the type is wrong: a bug in the primitive.
    pub fn arg<T: Element>(&self, i: usize) -> &'a [T] {
        let operand = &self.args[i];
        assert!(T::fits(operand.dtype), "argument {i} is {}", operand.dtype);
        // SAFETY: the executor gave the slot room for `length` elements of `dtype`; results never alias arguments.
        unsafe {
            std::slice::from_raw_parts(
                self.slots[operand.slot as usize].cast::<T>(),
                self.length(operand),
            )
        }
    }

    /// Result `k`, to be written; each may be taken once.
    ///
    /// # Panics
    /// If the type is wrong or the result was taken before: a bug in the primitive.
    #[allow(clippy::mut_from_ref)] // `taken` makes the borrow unique.
    pub fn out<T: Element>(&self, k: usize) -> &'a mut [T] {
        let operand = &self.outs[k];
        assert!(T::fits(operand.dtype), "result {k} is {}", operand.dtype);
        assert!(self.taken.get() & (1 << k) == 0, "result {k} taken twice");
        self.taken.set(self.taken.get() | (1 << k));
        // SAFETY: as for arguments; uniqueness by `taken`, and slots of results are distinct from each other and from those of arguments.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.slots[operand.slot as usize].cast::<T>(),
                self.length(operand),
            )
        }
    }

    /// Argument `i` as bytes.
    pub(crate) fn arg_bytes(&self, i: usize) -> Padded<'a> {
        Padded::of(self, i)
    }

    /// Result `k` as bytes, to be written; each may be taken once.
    ///
    /// # Panics
    /// If the result was taken before: a bug in the primitive.
    #[allow(clippy::mut_from_ref)] // `taken` makes the borrow unique.
    pub(crate) fn out_bytes(&self, k: usize) -> &'a mut [u8] {
        let operand = &self.outs[k];
        assert!(self.taken.get() & (1 << k) == 0, "result {k} taken twice");
        self.taken.set(self.taken.get() | (1 << k));
        let bytes = self.length(operand) * operand.dtype.bytes();
        // SAFETY: as for `out`; the primitive writes bytes of elements only.
        unsafe { std::slice::from_raw_parts_mut(self.slots[operand.slot as usize], bytes) }
    }

    /// Segments of an axis.
    pub fn segments(&self, axis: &Axis) -> Segments<'a> {
        let count = self.len(axis.outer);
        let reduced = self.len(axis.reduced);
        let inner = reduced.checked_div(count).unwrap_or(1);
        let offsets = axis
            .ragged
            .map(|(parents, slot)| self.offsets(parents, slot));
        Segments {
            count,
            inner,
            dense: self.dim(axis.level),
            offsets,
        }
    }

    fn offsets(&self, parents: LenId, slot: u32) -> &'a [i64] {
        // SAFETY: slot of a value of type `offsets`, one longer than its path.
        unsafe {
            std::slice::from_raw_parts(
                self.slots[slot as usize].cast::<i64>(),
                self.len(parents) + 1,
            )
        }
    }

    /// Position in argument `i` of the first element below element `outer` of its first `depth` levels.
    pub fn position(&self, i: usize, depth: usize, outer: usize) -> usize {
        self.walk(&self.args[i], depth, outer)
    }

    /// [`Self::position`] in result `k`.
    pub fn out_position(&self, k: usize, depth: usize, outer: usize) -> usize {
        self.walk(&self.outs[k], depth, outer)
    }

    fn walk(&self, operand: &Operand, depth: usize, outer: usize) -> usize {
        let mut at = outer;
        for step in &operand.steps[depth..] {
            at = match step {
                Step::Dense(level) => at * self.dim(*level),
                Step::Ragged { parent, offsets } => {
                    let offsets = self.offsets(*parent, *offsets);
                    let parents = offsets.len() - 1;
                    at.checked_div(parents).map_or(0, |copies| {
                        copies * offsets[parents] as usize + offsets[at % parents] as usize
                    })
                }
            };
        }
        at
    }

    /// Calls `leaf(lane, first, end)` for each leaf of argument `i`, where a lane is an element of its first `depth` levels. The leaves of a stream hold
    /// [`LEAF`] of its elements with all that is below them; other arrays are cut every [`LEAF`] elements. The leaves of a lane come in an order that
    /// does not depend on the block size: where levels stand between the lane and the stream, all of them contribute to a leaf before the next one.
    pub fn for_leaves(&self, i: usize, depth: usize, mut leaf: impl FnMut(usize, usize, usize)) {
        let operand = &self.args[i];
        let lanes = self.lanes(i, depth);
        let is_stream =
            |step: &Step| matches!(step, Step::Dense(level) if Some(*level) == self.frame.stream);
        if let Some(k) = operand
            .steps
            .iter()
            .position(is_stream)
            .filter(|k| *k >= depth)
        {
            let events = self.frame.stream.map_or(0, |level| self.dim(level));
            let per_lane = self.lanes(i, k).checked_div(lanes).unwrap_or(0);
            let mut first = 0;
            while first < events {
                let end = (first + LEAF).min(events);
                for outer in 0..lanes * per_lane {
                    leaf(
                        outer / per_lane,
                        self.position(i, k + 1, outer * events + first),
                        self.position(i, k + 1, outer * events + end),
                    );
                }
                first = end;
            }
            return;
        }
        for lane in 0..lanes {
            let (mut first, stop) = (
                self.position(i, depth, lane),
                self.position(i, depth, lane + 1),
            );
            while first < stop {
                let end = (first + LEAF).min(stop);
                leaf(lane, first, end);
                first = end;
            }
        }
    }

    /// Number of elements of the first `depth` levels of argument `i`.
    pub fn lanes(&self, i: usize, depth: usize) -> usize {
        let mut lanes = 1;
        for step in &self.args[i].steps[..depth] {
            lanes = match step {
                Step::Dense(level) => lanes * self.dim(*level),
                Step::Ragged { parent, offsets } => {
                    let offsets = self.offsets(*parent, *offsets);
                    let parents = offsets.len() - 1;
                    lanes
                        .checked_div(parents)
                        .map_or(0, |copies| copies * offsets[parents] as usize)
                }
            };
        }
        lanes
    }
}
