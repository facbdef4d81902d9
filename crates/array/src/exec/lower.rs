//! A lowered program: instructions over slots, and what a primitive sees while it is lowered.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pullback_ad::isa::Level as Isa;

use super::kernel::{MapFn, Monoid, Operand, Run};
use super::lowering::Lowering;
use super::shape::{Axis, LenId, Shapes};
use crate::attr::{Attrs, Data};
use crate::error::Result;
use crate::prim;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// The slot of a value that has none.
pub(super) const NONE: u32 = u32::MAX;

/// What a primitive sees while it is lowered.
pub struct LowerCx<'a> {
    pub(super) program: &'a Program,
    pub(super) node: usize,
    pub(super) isa: Isa,
    pub(super) shapes: &'a RefCell<Shapes>,
    pub(super) slots: &'a [u32],
}

impl<'a> LowerCx<'a> {
    /// The program.
    pub fn program(&self) -> &'a Program {
        self.program
    }

    /// The same for another node.
    pub(super) fn at(&self, node: u32) -> Self {
        Self {
            node: node as usize,
            ..*self
        }
    }

    /// Static parameters of the node.
    pub fn attrs(&self) -> &'a Attrs {
        &self.program.nodes()[self.node].attrs
    }

    /// Number of arguments.
    pub fn args(&self) -> usize {
        self.program.nodes()[self.node].args.len()
    }

    /// Type of argument `i`.
    pub fn arg(&self, i: usize) -> Type {
        self.program.ty(self.program.nodes()[self.node].args[i])
    }

    /// The data of argument `i`, if it is a constant of the program.
    pub fn constant(&self, i: usize) -> Option<&'a Data> {
        let node = self.program.node(self.program.nodes()[self.node].args[i]);
        (node.primitive == prim::DATA)
            .then(|| node.attrs.data("data"))
            .flatten()
    }

    /// Type of result `k`.
    pub fn out(&self, k: u32) -> Type {
        self.program
            .ty(ValueId(self.program.nodes()[self.node].first.0 + k))
    }

    /// Whether anything reads result `k`.
    pub(crate) fn is_used(&self, k: u32) -> bool {
        let value = ValueId(self.program.nodes()[self.node].first.0 + k);
        let read = |n: &crate::program::Node| n.args.contains(&value);
        self.program.outputs().iter().any(|(_, v)| *v == value)
            || self.program.nodes()[self.node..].iter().any(read)
    }

    /// Instruction set to choose kernels for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// A handle to the length of `space`, to be read in each block.
    pub fn len(&self, space: Space) -> LenId {
        self.shapes.borrow_mut().intern(self.program, space)
    }

    /// A handle to the axis of `space` at `level`.
    pub fn axis(&self, space: Space, level: LevelId) -> Option<Axis> {
        let k = space.position(level)?;
        let ragged = match self.program.level(level).kind {
            LevelKind::Ragged { parent, offsets } => {
                Some((self.len(parent), self.slots[offsets.index()]))
            }
            _ => None,
        };
        Some(Axis {
            outer: self.len(space.prefix(k)),
            level,
            ragged,
            reduced: self.len(space.without(k)),
        })
    }
}

/// What an instruction does.
pub(crate) enum Op {
    Map {
        f: MapFn,
        dst: u32,
        src: [u32; 3],
        len: LenId,
    },
    Run {
        run: Box<dyn Run>,
        args: Vec<Operand>,
        outs: Vec<Operand>,
        init: Option<Monoid>,
    },
    /// Copies a streamed or whole input into place.
    Input { input: u32, out: Operand },
}

pub(crate) struct Instr {
    pub op: Op,
    /// The node that it evaluates, the last one of those that were fused.
    pub node: u32,
    /// The nodes that were fused into it; empty if it is one alone.
    pub fused: Vec<u32>,
    /// Ragged levels whose size this instruction determines.
    pub defines: Vec<LevelId>,
    /// Results whose size is not known before the block runs: `(slot, length, dtype)`.
    pub grow: Vec<(u32, LenId, DType)>,
    /// Depends on nothing that changes between blocks: done once for full capacity.
    pub invariant: bool,
}

/// A result of a sweep that is combined over chunks.
pub(crate) struct Accumulator {
    pub slot: u32,
    pub len: LenId,
    pub dtype: DType,
    pub monoid: Monoid,
}

pub(crate) struct LoweredPhase {
    pub stream: Option<LevelId>,
    pub instrs: Vec<Instr>,
    pub accumulators: Vec<Accumulator>,
    /// Streamed outputs: position in the program's outputs, and where they are found in a block.
    pub outputs: Vec<(usize, Operand)>,
    /// Slots of this phase with the most elements they hold: `(slot, length, dtype)`.
    pub needs: Vec<(u32, LenId, DType)>,
    /// Ragged levels below the stream that are given by inputs: level, input, parent.
    pub inputs: Vec<(LevelId, u32, Space)>,
}

/// Number of the next lowered program.
pub(super) static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A program ready to run: `run(&self, &mut Workspace, …)`; shareable between threads.
pub struct Lowered {
    /// Different for each lowered program of this process: a workspace fits one of them only.
    pub(crate) id: u64,
    pub(crate) program: Arc<Program>,
    pub(crate) shapes: Shapes,
    pub(crate) phases: Vec<LoweredPhase>,
    pub(crate) constants: Vec<(Operand, Constant)>,
    /// Constant offsets and the number of elements they tell.
    pub(crate) constant_offsets: Vec<(ValueId, usize)>,
    /// Whole outputs: position and where.
    pub(crate) whole_outputs: Vec<(usize, Operand)>,
    pub(crate) slots: u32,
    /// Slots below this are shared between threads.
    pub(crate) whole_slots: u32,
    pub(crate) isa: Isa,
    /// Slots of whole values, by value.
    pub(super) value_slots: Vec<u32>,
}

pub(crate) enum Constant {
    Scalar(f64),
    Data(Data),
}

/// Programs that were lowered.
static MADE: AtomicU64 = AtomicU64::new(0);

impl Lowered {
    /// Lowers a program for the instruction set of this machine.
    ///
    /// # Errors
    /// If a primitive refuses its operands.
    pub fn new(program: impl Into<Arc<Program>>) -> Result<Self> {
        Self::for_isa(program, Isa::current())
    }

    /// Lowers a program for a given instruction set.
    pub fn for_isa(program: impl Into<Arc<Program>>, isa: Isa) -> Result<Self> {
        let program: Arc<Program> = program.into();
        MADE.fetch_add(1, Ordering::Relaxed);
        Lowering::new(&program, isa, true).lower()
    }

    /// How many programs this process has lowered so far: who says that a loop compiles nothing counts before and after.
    pub fn count() -> u64 {
        MADE.load(Ordering::Relaxed)
    }

    /// Lowers a program node by node: each has an instruction of its own, and its result a place. What fusion is tested against: the bits are the same.
    ///
    /// # Errors
    /// If a primitive refuses its operands.
    pub fn unfused(program: impl Into<Arc<Program>>, isa: Isa) -> Result<Self> {
        let program: Arc<Program> = program.into();
        Lowering::new(&program, isa, false).lower()
    }

    /// Lowers a program for steps: slots of inputs and outputs belong to nothing else, so that a run may point them elsewhere.
    pub(super) fn for_steps(program: &Arc<Program>, isa: Isa) -> Result<Self> {
        let mut lowering = Lowering::new(program, isa, true);
        lowering.exclusive = true;
        lowering.lower()
    }

    /// The slot of a whole value.
    pub(super) fn slot(&self, v: ValueId) -> u32 {
        self.value_slots[v.index()]
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Instruction set it was lowered for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Number of instructions, by phase.
    pub fn instruction_counts(&self) -> Vec<usize> {
        self.phases.iter().map(|p| p.instrs.len()).collect()
    }
}
