//! From a program to instructions over slots.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pullback_ad::isa::Level as Isa;

use super::fuse::{Step, fuse};
use super::kernel::{Kernel, MapFn, Monoid, Operand, Run};
use super::lower::{
    Accumulator, Constant, Instr, LowerCx, Lowered, LoweredPhase, NEXT_ID, NONE, Op,
};
use super::plan::{Phase, plan};
use super::shape::{Shapes, Step as Path};
use crate::attr::Data;
use crate::error::Result;
use crate::prim;
use crate::primitive::ill_formed;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::DType;

pub(super) struct Lowering<'a> {
    program: &'a Arc<Program>,
    isa: Isa,
    /// Whether several nodes may become one instruction.
    fuse: bool,
    shapes: RefCell<Shapes>,
    /// Slots of whole values, and of streamed values of the current phase.
    slots: Vec<u32>,
    next: u32,
    free: Vec<u32>,
    constants: Vec<(Operand, Constant)>,
    /// Values that a phase reads and another one computes.
    crossing: Vec<bool>,
    /// Inputs and outputs share their slots with nothing.
    pub exclusive: bool,
}

impl<'a> Lowering<'a> {
    pub fn new(program: &'a Arc<Program>, isa: Isa, fuse: bool) -> Self {
        Self {
            program,
            isa,
            fuse,
            shapes: RefCell::default(),
            slots: vec![NONE; program.value_count()],
            next: 0,
            free: Vec::new(),
            constants: Vec::new(),
            crossing: vec![false; program.value_count()],
            exclusive: false,
        }
    }

    pub fn lower(mut self) -> Result<Lowered> {
        let program = Arc::clone(self.program);
        let phases = plan(&program);
        super::positions::check(&program, &phases)?;
        // The columns of all inputs tell lengths, also of those that nothing reads.
        for (_, v) in program.inputs() {
            self.shapes.get_mut().intern(&program, program.ty(*v).space);
        }
        let whole = |v: ValueId| program.stream_root(&program.ty(v).space).is_none();

        for phase in &phases {
            for &k in &phase.nodes {
                for &a in &program.nodes()[k as usize].args {
                    let here = phase.nodes.binary_search(&program.value(a).node).is_ok();
                    self.crossing[a.index()] |= !here;
                }
            }
        }
        let steps: Vec<Vec<Step>> = phases.iter().map(|p| self.steps(p)).collect();

        // Whole values first, all phases, so that their slots come before those of blocks.
        let last = last_uses(&program, &steps);
        for (p, (phase, steps)) in phases.iter().zip(&steps).enumerate() {
            for (i, step) in steps.iter().enumerate() {
                for &result in step.outs.iter().filter(|r| whole(**r)) {
                    // Constants are written once, when a workspace is made: nothing else may live in their slots.
                    let border = program.node(result).primitive == prim::INPUT
                        || program.outputs().iter().any(|(_, o)| *o == result);
                    let own = is_constant(&program, result) || (self.exclusive && border);
                    self.slots[result.index()] = if own { self.fresh() } else { self.allocate() };
                }
                if phase.stream.is_none() {
                    let here = (p as u32, i as u32);
                    self.release(&step.args, |v| {
                        last[v.index()] == here && !pinned(&program, v)
                    });
                    self.release(&step.scratch, |_| true);
                }
            }
        }
        let whole_slots = self.next;
        let mut lowered = Vec::new();
        let mut slots = whole_slots;
        for (phase, steps) in phases.iter().zip(&steps) {
            self.free = (whole_slots..slots).rev().collect();
            self.next = slots;
            for slot in &mut self.slots {
                if *slot != NONE && *slot >= whole_slots {
                    *slot = NONE;
                }
            }
            lowered.push(self.lower_phase(phase, steps)?);
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
            value_slots: self.slots,
        })
    }

    /// The steps of a phase, fused where a pattern fits.
    fn steps(&self, phase: &Phase) -> Vec<Step> {
        if !self.fuse {
            return phase
                .nodes
                .iter()
                .map(|&k| Step::alone(self.program, k))
                .collect();
        }
        let slots = vec![NONE; self.slots.len()];
        let cx = LowerCx {
            program: self.program,
            node: 0,
            isa: self.isa,
            shapes: &self.shapes,
            slots: &slots,
        };
        fuse(&cx, &phase.nodes, &self.crossing, phase.stream.is_some())
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
                LevelKind::Ragged { parent, offsets } => Path::Ragged {
                    parent: self.shapes.borrow_mut().intern(self.program, parent),
                    offsets: self.slots[offsets.index()],
                },
                _ => Path::Dense(level),
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

    fn lower_phase(&mut self, phase: &Phase, steps: &[Step]) -> Result<LoweredPhase> {
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
                LevelKind::Ragged { offsets, .. } => {
                    let maker = program.node(offsets).primitive;
                    maker != prim::INPUT && maker != prim::DATA
                }
                _ => false,
            })
        };
        let mut kernels: HashMap<u32, Kernel> = HashMap::new();
        let mut skipped: Vec<bool> = vec![false; program.value_count()];
        // A broadcast scalar is read in place by kernels that can; the broadcast is evaluated only if another one needs it.
        let splat_source = |v: ValueId| repeated_number(&program, v);
        let mut needed_splats: Vec<bool> = vec![false; program.value_count()];
        let mut masks: HashMap<u32, (u8, MapFn)> = HashMap::new();
        for step in steps {
            let k = step.node;
            let node = &program.nodes()[k as usize];
            let probe = LowerCx {
                program: &program,
                node: k as usize,
                isa: self.isa,
                shapes: &self.shapes,
                slots: &self.slots,
            };
            if step.elementwise {
                let kernel = match &step.fused {
                    Some(make) => make(&probe)?,
                    None => node.primitive.lower(&probe)?,
                };
                if let Kernel::Map(select) = &kernel {
                    let full: u8 = step
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
                        for (i, a) in step.args.iter().enumerate() {
                            if mask & (1 << i) == 0 {
                                needed_splats[a.index()] = true;
                            }
                        }
                    }
                } else {
                    for a in &step.args {
                        needed_splats[a.index()] = true;
                    }
                }
                kernels.insert(k, kernel);
            } else {
                for a in &step.args {
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
        for step in steps {
            let first = program.nodes()[step.node as usize].first;
            if step.fused.is_none()
                && splat_source(first).is_some()
                && !needed_splats[first.index()]
            {
                skipped[first.index()] = true;
            }
        }

        // Last use of each streamed value within the phase.
        let mut last = vec![u32::MAX; program.value_count()];
        for (i, step) in steps.iter().enumerate() {
            for &a in &step.args {
                last[a.index()] = i as u32;
            }
        }
        let kept = |v: ValueId| -> bool {
            // The slot of an input may point into the caller's column: nothing else may be written there.
            program.ty(v).dtype == DType::Offsets
                || program.node(v).primitive == prim::INPUT
                || phase.outputs.iter().any(|&o| program.outputs()[o].1 == v)
        };

        for (i, step) in steps.iter().enumerate() {
            let k = step.node;
            let node = &program.nodes()[k as usize];
            if skipped[node.first.index()] {
                continue;
            }
            let invariant = phase.stream.is_some() && splat_source(node.first).is_some();
            for result in step.outs.iter().filter(|r| streamed(**r)) {
                let slot = if invariant {
                    self.fresh()
                } else {
                    self.allocate()
                };
                self.slots[result.index()] = slot;
            }
            let defines: Vec<LevelId> = (0..program.levels().len())
                .map(|l| LevelId(l as u16))
                .filter(|&l| matches!(program.level(l).kind, LevelKind::Ragged { offsets, .. } if step.outs.contains(&offsets)))
                .collect();
            let mut grow = Vec::new();
            // Constants were written into slots of their own size when the workspace was made.
            let constant = node.primitive == prim::CONST || node.primitive == prim::DATA;
            for result in step.outs.iter().filter(|_| !constant) {
                let operand = self.operand(*result);
                if computed(&program.ty(*result).space) {
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
                match &step.fused {
                    Some(kernel) => kernel(&cx)?,
                    None => node.primitive.lower(&cx)?,
                }
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
                        // What constant offsets tell is known before anything runs; a constant on a computed level must have its size.
                        computed(&program.ty(node.first).space).then(|| Op::Run {
                            run: Box::new(move |io: &super::Io<'_>| match io.out_len(0) {
                                n if n == elements => Ok(()),
                                n => Err(format!("{elements} elements where its space has {n}")),
                            }),
                            args: Vec::new(),
                            outs: vec![operand],
                            init: None,
                        })
                    }
                }
                Kernel::Map(_) => masks.get(&k).map(|&(mask, f)| {
                    let mut src = [0; 3];
                    for (i, &a) in step.args.iter().enumerate().take(3) {
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
                Kernel::Run(run) => Some(self.run_op(step, run, None)),
                Kernel::Accumulate(monoid, run) => {
                    let result = self.operand(node.first);
                    if phase.stream.is_some() && !streamed(node.first) {
                        out.accumulators.push(Accumulator {
                            slot: result.slot,
                            len: result.len,
                            dtype: result.dtype,
                            monoid,
                        });
                        Some(self.run_op(step, run, None))
                    } else {
                        Some(self.run_op(step, run, Some(monoid)))
                    }
                }
            };
            if let Some(op) = op {
                out.instrs.push(Instr {
                    op,
                    node: k,
                    fused: step.nodes.clone(),
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
            self.release(&step.args, ends);
        }
        for &o in &phase.outputs {
            out.outputs.push((o, self.operand(program.outputs()[o].1)));
        }
        Ok(out)
    }

    fn run_op(&self, step: &Step, run: Box<dyn Run>, init: Option<Monoid>) -> Op {
        Op::Run {
            run,
            args: step.args.iter().map(|&a| self.operand(a)).collect(),
            outs: step.outs.iter().map(|&r| self.operand(r)).collect(),
            init,
        }
    }
}

/// The number that a value repeats everywhere.
pub(super) fn repeated_number(program: &Program, v: ValueId) -> Option<ValueId> {
    let node = program.node(v);
    let repeats = node.primitive == prim::SPLAT && program.ty(node.args[0]).space.is_scalar();
    repeats.then(|| node.args[0])
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

fn is_constant(program: &Program, v: ValueId) -> bool {
    let maker = program.node(v).primitive;
    maker == prim::CONST || maker == prim::DATA
}

/// Phase and step of the last use of each value.
fn last_uses(program: &Program, steps: &[Vec<Step>]) -> Vec<(u32, u32)> {
    let mut last = vec![(0, 0); program.value_count()];
    for (p, steps) in steps.iter().enumerate() {
        for (i, step) in steps.iter().enumerate() {
            let splat = program.nodes()[step.node as usize].primitive == prim::SPLAT;
            for &a in &step.args {
                // A broadcast scalar is read wherever its broadcast is: it stays.
                last[a.index()] = if splat || last[a.index()] == (u32::MAX, 0) {
                    (u32::MAX, 0)
                } else {
                    (p as u32, i as u32)
                };
            }
        }
    }
    last
}
