//! From a program to instructions over slots.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pullback_ad::isa::Level as Isa;

use super::kernel::{Kernel, MapFn, Monoid, Operand, Run};
use super::plan::{Phase, plan};
use super::shape::{Axis, LenId, Shapes, Step};
use crate::attr::{Attrs, Data};
use crate::error::Result;
use crate::prim;
use crate::primitive::ill_formed;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

const NONE: u32 = u32::MAX;

/// What a primitive sees while it is lowered.
pub struct LowerCx<'a> {
    program: &'a Program,
    node: usize,
    isa: Isa,
    shapes: &'a RefCell<Shapes>,
    slots: &'a [u32],
}

impl<'a> LowerCx<'a> {
    /// The program.
    pub fn program(&self) -> &'a Program {
        self.program
    }

    /// Static parameters of the node.
    pub fn attrs(&self) -> &'a Attrs {
        &self.program.nodes()[self.node].attrs
    }

    /// Type of argument `i`.
    pub fn arg(&self, i: usize) -> Type {
        self.program.ty(self.program.nodes()[self.node].args[i])
    }

    /// Type of result `k`.
    pub fn out(&self, k: u32) -> Type {
        self.program
            .ty(ValueId(self.program.nodes()[self.node].first.0 + k))
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
    pub node: u32,
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
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

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
}

pub(crate) enum Constant {
    Scalar(f64),
    Data(Data),
}

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
        Lowering::new(&program, isa).lower()
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

struct Lowering<'a> {
    program: &'a Arc<Program>,
    isa: Isa,
    shapes: RefCell<Shapes>,
    /// Slots of whole values, and of streamed values of the current phase.
    slots: Vec<u32>,
    next: u32,
    free: Vec<u32>,
    constants: Vec<(Operand, Constant)>,
    /// Values that a phase reads and another one computes.
    crossing: Vec<bool>,
}

impl<'a> Lowering<'a> {
    fn new(program: &'a Arc<Program>, isa: Isa) -> Self {
        Self {
            program,
            isa,
            shapes: RefCell::default(),
            slots: vec![NONE; program.value_count()],
            next: 0,
            free: Vec::new(),
            constants: Vec::new(),
            crossing: vec![false; program.value_count()],
        }
    }

    fn lower(mut self) -> Result<Lowered> {
        let program = Arc::clone(self.program);
        let phases = plan(&program);
        super::positions::check(&program, &phases)?;
        // The columns of all inputs tell lengths, also of those that nothing reads.
        for (_, v) in program.inputs() {
            self.shapes.get_mut().intern(&program, program.ty(*v).space);
        }
        let whole = |v: ValueId| program.stream_root(&program.ty(v).space).is_none();

        // Whole values first, all phases, so that their slots come before those of blocks.
        let last = last_uses(&program, &phases);
        for (p, phase) in phases.iter().enumerate() {
            for (i, &k) in phase.nodes.iter().enumerate() {
                let node = &program.nodes()[k as usize];
                // Constants are written once, when a workspace is made: nothing else may live in their slots.
                let constant = node.primitive == prim::CONST || node.primitive == prim::DATA;
                for result in node.results().filter(|r| whole(*r)) {
                    self.slots[result.index()] = if constant {
                        self.fresh()
                    } else {
                        self.allocate()
                    };
                }
                if phase.stream.is_none() {
                    self.release(&node.args, |v| {
                        last[v.index()] == (p as u32, i as u32) && !pinned(&program, v)
                    });
                }
            }
        }
        for phase in &phases {
            for &k in &phase.nodes {
                for &a in &program.nodes()[k as usize].args {
                    let here = phase.nodes.binary_search(&program.value(a).node).is_ok();
                    self.crossing[a.index()] |= !here;
                }
            }
        }
        let whole_slots = self.next;
        let mut lowered = Vec::new();
        let mut slots = whole_slots;
        for phase in &phases {
            self.free = (whole_slots..slots).rev().collect();
            self.next = slots;
            for slot in &mut self.slots {
                if *slot != NONE && *slot >= whole_slots {
                    *slot = NONE;
                }
            }
            lowered.push(self.lower_phase(phase)?);
            slots = self.next;
        }
        let whole_outputs = program
            .outputs()
            .iter()
            .enumerate()
            .filter(|(_, (_, v))| whole(*v))
            .map(|(i, (_, v))| Ok((i, self.operand(*v))))
            .collect::<Result<_>>()?;
        let constant_offsets = program
            .nodes()
            .iter()
            .filter(|n| program.ty(n.first).dtype == DType::Offsets)
            .filter_map(|n| match n.attrs.data("data") {
                Some(Data::I64(d)) => d.last().map(|last| (n.first, *last as usize)),
                _ => None,
            })
            .collect();
        Ok(Lowered {
            constant_offsets,
            program: Arc::clone(&program),
            shapes: self.shapes.into_inner(),
            phases: lowered,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            constants: self.constants,
            whole_outputs,
            slots,
            whole_slots,
            isa: self.isa,
        })
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| self.fresh())
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    fn release(&mut self, values: &[ValueId], ends: impl Fn(ValueId) -> bool) {
        for &v in values {
            let slot = self.slots[v.index()];
            if slot != NONE && ends(v) && !self.free.contains(&slot) {
                self.free.push(slot);
            }
        }
    }

    fn operand(&self, v: ValueId) -> Operand {
        let ty = self.program.ty(v);
        let steps = ty
            .space
            .iter()
            .map(|level| match self.program.level(level).kind {
                LevelKind::Ragged { parent, offsets } => Step::Ragged {
                    parent: self.shapes.borrow_mut().intern(self.program, parent),
                    offsets: self.slots[offsets.index()],
                },
                _ => Step::Dense(level),
            })
            .collect();
        let len = self.shapes.borrow_mut().intern(self.program, ty.space);
        Operand {
            slot: self.slots[v.index()],
            len,
            dtype: ty.dtype,
            steps,
        }
    }

    fn lower_phase(&mut self, phase: &Phase) -> Result<LoweredPhase> {
        let program = Arc::clone(self.program);
        let streamed = |v: ValueId| program.stream_root(&program.ty(v).space).is_some();
        let mut out = LoweredPhase {
            stream: phase.stream,
            instrs: Vec::new(),
            accumulators: Vec::new(),
            outputs: Vec::new(),
            needs: Vec::new(),
            inputs: Vec::new(),
        };
        // Ragged levels that this program computes: their sizes are known only while a block runs.
        let computed = |space: &Space| -> bool {
            space.iter().any(|l| match program.level(l).kind {
                LevelKind::Ragged { offsets, .. } => program.node(offsets).primitive != prim::INPUT,
                _ => false,
            })
        };
        let mut kernels: HashMap<u32, Kernel> = HashMap::new();
        let mut skipped: Vec<bool> = vec![false; program.value_count()];
        // A broadcast scalar is read in place by kernels that can; the broadcast is evaluated only if another one needs it.
        let splat_source = |v: ValueId| -> Option<ValueId> {
            let node = program.node(v);
            (node.primitive == prim::SPLAT && program.ty(node.args[0]).space.is_scalar())
                .then(|| node.args[0])
        };
        let mut needed_splats: Vec<bool> = vec![false; program.value_count()];
        let mut masks: HashMap<u32, (u8, MapFn)> = HashMap::new();
        for &k in &phase.nodes {
            let node = &program.nodes()[k as usize];
            let probe = LowerCx {
                program: &program,
                node: k as usize,
                isa: self.isa,
                shapes: &self.shapes,
                slots: &self.slots,
            };
            if node.primitive.is_elementwise() {
                let kernel = node.primitive.lower(&probe)?;
                if let Kernel::Map(select) = &kernel {
                    let full: u8 = node
                        .args
                        .iter()
                        .enumerate()
                        .filter(|(_, a)| splat_source(**a).is_some())
                        .map(|(i, _)| 1 << i)
                        .sum();
                    let chosen = select(full)
                        .map(|f| (full, f))
                        .or_else(|| select(0).map(|f| (0, f)));
                    if let Some((mask, f)) = chosen {
                        masks.insert(k, (mask, f));
                        for (i, a) in node.args.iter().enumerate() {
                            if mask & (1 << i) == 0 {
                                needed_splats[a.index()] = true;
                            }
                        }
                    }
                } else {
                    for a in &node.args {
                        needed_splats[a.index()] = true;
                    }
                }
                kernels.insert(k, kernel);
            } else {
                for a in &node.args {
                    needed_splats[a.index()] = true;
                }
            }
        }
        for &(_, v) in program.outputs() {
            needed_splats[v.index()] = true;
        }
        for (needed, crosses) in needed_splats.iter_mut().zip(&self.crossing) {
            *needed |= crosses;
        }
        for &k in &phase.nodes {
            let first = program.nodes()[k as usize].first;
            if splat_source(first).is_some() && !needed_splats[first.index()] {
                skipped[first.index()] = true;
            }
        }

        // Last use of each streamed value within the phase.
        let mut last = vec![u32::MAX; program.value_count()];
        for (i, &k) in phase.nodes.iter().enumerate() {
            for &a in &program.nodes()[k as usize].args {
                last[a.index()] = i as u32;
            }
        }
        let kept = |v: ValueId| -> bool {
            // The slot of an input may point into the caller's column: nothing else may be written there.
            program.ty(v).dtype == DType::Offsets
                || program.node(v).primitive == prim::INPUT
                || phase.outputs.iter().any(|&o| program.outputs()[o].1 == v)
        };

        for (i, &k) in phase.nodes.iter().enumerate() {
            let node = &program.nodes()[k as usize];
            if skipped[node.first.index()] {
                continue;
            }
            let invariant = phase.stream.is_some() && splat_source(node.first).is_some();
            for result in node.results().filter(|r| streamed(*r)) {
                let slot = if invariant {
                    self.fresh()
                } else {
                    self.allocate()
                };
                self.slots[result.index()] = slot;
            }
            let defines: Vec<LevelId> = (0..program.levels().len())
                .map(|l| LevelId(l as u16))
                .filter(|&l| matches!(program.level(l).kind, LevelKind::Ragged { offsets, .. } if node.results().any(|r| r == offsets)))
                .collect();
            let mut grow = Vec::new();
            // Constants were written into slots of their own size when the workspace was made.
            let constant = node.primitive == prim::CONST || node.primitive == prim::DATA;
            for result in node.results().filter(|_| !constant) {
                let operand = self.operand(result);
                if computed(&program.ty(result).space) {
                    grow.push((operand.slot, operand.len, operand.dtype));
                } else {
                    out.needs.push((operand.slot, operand.len, operand.dtype));
                }
            }
            let kernel = if let Some(kernel) = kernels.remove(&k) {
                kernel
            } else {
                let cx = LowerCx {
                    program: &program,
                    node: k as usize,
                    isa: self.isa,
                    shapes: &self.shapes,
                    slots: &self.slots,
                };
                node.primitive.lower(&cx)?
            };
            // What is computed block by block lives on the stream, unless it is accumulated.
            let misplaced = phase.stream.is_some()
                && !constant
                && node.primitive != prim::INPUT
                && node.results().any(|r| !streamed(r))
                && !matches!(kernel, Kernel::Accumulate(..));
            if misplaced {
                return Err(ill_formed(
                    node.primitive.name(),
                    "its result lives on no stream, but what it depends on does",
                ));
            }
            let op = match kernel {
                Kernel::Source => {
                    let operand = self.operand(node.first);
                    if node.primitive == prim::INPUT {
                        let input = program
                            .inputs()
                            .iter()
                            .position(|(_, v)| *v == node.first)
                            .unwrap_or(0) as u32;
                        if let (Some(_), DType::Offsets) = (phase.stream, operand.dtype) {
                            for &level in &defines {
                                out.inputs
                                    .push((level, input, program.ty(node.first).space));
                            }
                        }
                        Some(Op::Input {
                            input,
                            out: operand,
                        })
                    } else {
                        let constant = if node.primitive == prim::CONST {
                            Constant::Scalar(node.attrs.f64("value").unwrap_or(f64::NAN))
                        } else {
                            Constant::Data(
                                node.attrs
                                    .data("data")
                                    .cloned()
                                    .unwrap_or(Data::F64(Arc::from([]))),
                            )
                        };
                        let elements = match &constant {
                            Constant::Scalar(_) => 1,
                            Constant::Data(data) => data.len(),
                        };
                        self.constants.push((operand.clone(), constant));
                        // Constant offsets still tell their level its size, and a ragged constant must have the size of its level.
                        (!defines.is_empty() || computed(&program.ty(node.first).space)).then(
                            || Op::Run {
                                run: Box::new(move |io: &super::Io<'_>| match io.out_len(0) {
                                    n if n == elements => Ok(()),
                                    n => {
                                        Err(format!("{elements} elements where its space has {n}"))
                                    }
                                }),
                                args: Vec::new(),
                                outs: vec![operand],
                                init: None,
                            },
                        )
                    }
                }
                Kernel::Map(_) => masks.get(&k).map(|&(mask, f)| {
                    let mut src = [0; 3];
                    for (i, &a) in node.args.iter().enumerate().take(3) {
                        let v = if mask & (1 << i) == 0 {
                            a
                        } else {
                            splat_source(a).unwrap_or(a)
                        };
                        src[i] = self.slots[v.index()];
                    }
                    let dst = self.operand(node.first);
                    Op::Map {
                        f,
                        dst: dst.slot,
                        src,
                        len: dst.len,
                    }
                }),
                Kernel::Run(run) => Some(self.run_op(k as usize, run, None)),
                Kernel::Accumulate(monoid, run) => {
                    let result = self.operand(node.first);
                    if phase.stream.is_some() && !streamed(node.first) {
                        out.accumulators.push(Accumulator {
                            slot: result.slot,
                            len: result.len,
                            dtype: result.dtype,
                            monoid,
                        });
                        Some(self.run_op(k as usize, run, None))
                    } else {
                        Some(self.run_op(k as usize, run, Some(monoid)))
                    }
                }
            };
            if let Some(op) = op {
                out.instrs.push(Instr {
                    op,
                    node: k,
                    defines,
                    grow,
                    invariant,
                });
            }
            // Arguments that end here give their slots back, after the results were placed: no aliasing. The slot of an input may point into the caller's
            // column, which nothing may be written to.
            let input = |v: ValueId| program.node(v).primitive == prim::INPUT;
            let ends = |v: ValueId| {
                last[v.index()] == i as u32
                    && streamed(v)
                    && !kept(v)
                    && !skipped[v.index()]
                    && splat_source(v).is_none()
                    && !input(v)
            };
            self.release(&node.args, ends);
        }
        for &o in &phase.outputs {
            out.outputs.push((o, self.operand(program.outputs()[o].1)));
        }
        Ok(out)
    }

    fn run_op(&self, k: usize, run: Box<dyn Run>, init: Option<Monoid>) -> Op {
        let node = &self.program.nodes()[k];
        Op::Run {
            run,
            args: node.args.iter().map(|&a| self.operand(a)).collect(),
            outs: node.results().map(|r| self.operand(r)).collect(),
            init,
        }
    }
}

/// Constants, inputs, outputs and offsets keep their slot.
fn pinned(program: &Program, v: ValueId) -> bool {
    let node = program.node(v);
    node.primitive == prim::CONST
        || node.primitive == prim::DATA
        || node.primitive == prim::INPUT
        || program.ty(v).dtype == DType::Offsets
        || program.outputs().iter().any(|(_, o)| *o == v)
}

/// Phase and position of the last use of each value.
fn last_uses(program: &Program, phases: &[Phase]) -> Vec<(u32, u32)> {
    let mut last = vec![(0, 0); program.value_count()];
    for (p, phase) in phases.iter().enumerate() {
        for (i, &k) in phase.nodes.iter().enumerate() {
            let node = &program.nodes()[k as usize];
            for &a in &node.args {
                // A broadcast scalar is read wherever its broadcast is: it stays.
                last[a.index()] =
                    if node.primitive == prim::SPLAT || last[a.index()] == (u32::MAX, 0) {
                        (u32::MAX, 0)
                    } else {
                        (p as u32, i as u32)
                    };
            }
        }
    }
    last
}
