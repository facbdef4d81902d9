//! What each instruction of a lowered program costs.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::inputs::Bindings;
use super::kernel::Frame;
use super::lower::{Instr, Lowered, LoweredPhase, Op};
use super::run::{Workspace, length};
use crate::error::Result;

/// What one instruction cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Phase it belongs to, from 0.
    pub phase: usize,
    /// The primitive that it evaluates, or those of the nodes that were fused into it.
    pub primitive: String,
    /// The name of its result, or of the value that it was derived from.
    pub label: Option<Arc<str>>,
    /// Seconds in one run: the smallest of all repeats.
    pub seconds: f64,
    /// Elements of its results, over all blocks.
    pub elements: usize,
    /// Bytes of its arguments and results, over all blocks: each is counted once, in whatever cache it is.
    pub bytes: usize,
}

/// Time, elements and bytes of each instruction of a [`Lowered`] program, in the order in which they run.
///
/// The text form ([`fmt::Display`]) is a table with the most expensive instructions marked.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// One entry per instruction.
    pub costs: Vec<Cost>,
    /// Seconds of a whole run: the smallest of all repeats. More than the sum of the instructions by what a run does besides them, less by what overlaps.
    pub seconds: f64,
}

impl Profile {
    /// Seconds of all instructions together.
    pub fn sum(&self) -> f64 {
        self.costs.iter().map(|c| c.seconds).sum()
    }

    /// Costs added up by primitive, the most expensive first: (primitive, instructions, seconds).
    pub fn by_primitive(&self) -> Vec<(String, usize, f64)> {
        let mut out: Vec<(String, usize, f64)> = Vec::new();
        for cost in &self.costs {
            match out.iter_mut().find(|(name, ..)| *name == cost.primitive) {
                Some((_, count, seconds)) => {
                    *count += 1;
                    *seconds += cost.seconds;
                }
                None => out.push((cost.primitive.clone(), 1, cost.seconds)),
            }
        }
        out.sort_by(|a, b| b.2.total_cmp(&a.2));
        out
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.sum();
        writeln!(
            f,
            "{} instructions, {:.2} µs in them, {:.2} µs per run",
            self.costs.len(),
            total * 1e6,
            self.seconds * 1e6
        )?;
        writeln!(
            f,
            "  phase       ns  share   elements      bytes  instruction"
        )?;
        for c in &self.costs {
            write!(
                f,
                "  {:5} {:8.1} {:5.1}% {:10} {:10}  {}",
                c.phase,
                c.seconds * 1e9,
                100.0 * c.seconds / total.max(f64::MIN_POSITIVE),
                c.elements,
                c.bytes,
                c.primitive
            )?;
            match &c.label {
                Some(label) => writeln!(f, " \"{label}\"")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

/// What an instruction of a phase took while it was timed, and what it touched.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    pub seconds: f64,
    pub elements: usize,
    pub bytes: usize,
}

impl Watch {
    /// Adds one execution in a block.
    pub fn add(&mut self, lowered: &Lowered, instr: &Instr, frame: &Frame, elapsed: Duration) {
        let (elements, bytes) = instr.touched(lowered, frame);
        self.seconds += (elapsed.as_secs_f64() - clock()).max(0.0);
        self.elements += elements;
        self.bytes += bytes;
    }
}

/// Seconds between two readings of the clock with nothing between them.
fn clock() -> f64 {
    static CLOCK: OnceLock<f64> = OnceLock::new();
    *CLOCK.get_or_init(|| {
        (0..1000)
            .map(|_| Instant::now().elapsed().as_secs_f64())
            .fold(f64::INFINITY, f64::min)
    })
}

impl Instr {
    /// Elements of the results, and bytes of arguments and results.
    fn touched(&self, lowered: &Lowered, frame: &Frame) -> (usize, usize) {
        match &self.op {
            Op::Map { len, .. } => {
                let node = &lowered.program().nodes()[self.node as usize];
                let n = frame.lens[usize::from(len.0)];
                let width = |v: crate::ValueId| lowered.program().ty(v).dtype.bytes();
                let read: usize = node.args.iter().map(|a| width(*a)).sum();
                (n, n * (read + width(node.first)))
            }
            Op::Run { args, outs, .. } => {
                let elements = outs.iter().map(|o| length(frame, o)).sum();
                let all = args.iter().chain(outs);
                (
                    elements,
                    all.map(|o| length(frame, o) * o.dtype.bytes()).sum(),
                )
            }
            Op::Input { out, .. } => {
                let n = length(frame, out);
                (n, 2 * n * out.dtype.bytes())
            }
        }
    }
}

impl Lowered {
    /// Runs the program on `inputs` and measures each instruction, with one thread.
    ///
    /// Instructions on whole values are repeated until the clock resolves them; those of a sweep are timed block by block, less the clock's own time. The
    /// smallest of `repeats` measurements counts. Results in the workspace are those of a run.
    ///
    /// # Errors
    /// As [`Self::run`].
    ///
    /// # Example
    /// ```
    /// use pullback_ad::Real;
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let x = b.input("x", b.dense("n"));
    /// let program = b.finish(&[("y", (x * 2.0).exp().named("growth"))]).unwrap();
    /// let lowered = Lowered::new(program).unwrap();
    /// let data = [0.5; 100];
    /// let profile = lowered.profile(&mut lowered.workspace(), &Bindings::ordered(&[(&data).into()]), 3).unwrap();
    /// let last = profile.costs.last().unwrap();
    /// assert_eq!((last.primitive.as_str(), last.label.as_deref(), last.elements), ("exp", Some("growth"), 100));
    /// ```
    pub fn profile(
        &self,
        ws: &mut Workspace,
        inputs: &Bindings<'_>,
        repeats: usize,
    ) -> Result<Profile> {
        let mut seconds = f64::INFINITY;
        // The first runs bind lengths and warm caches.
        for _ in 0..3 {
            self.run(ws, inputs)?;
        }
        for _ in 0..repeats.max(1) {
            let mut batch = 1_u32;
            loop {
                let start = Instant::now();
                for _ in 0..batch {
                    self.run(ws, inputs)?;
                }
                let elapsed = start.elapsed().as_secs_f64();
                seconds = seconds.min(elapsed / f64::from(batch));
                if elapsed > 50e-6 || batch >= 1 << 16 {
                    break;
                }
                batch *= 4;
            }
        }
        let mut costs: Vec<Cost> = Vec::new();
        for round in 0..repeats.max(1) {
            let mut at = 0;
            for (p, phase) in self.phases.iter().enumerate() {
                let mut watches = vec![Watch::default(); phase.instrs.len()];
                if phase.stream.is_none() {
                    self.time_whole(ws, phase, inputs, &mut watches)?;
                } else {
                    std::mem::swap(&mut ws.threads[0].watches, &mut watches);
                    let result = self.run_stream(ws, phase, inputs, true);
                    std::mem::swap(&mut ws.threads[0].watches, &mut watches);
                    result?;
                }
                for (instr, watch) in phase.instrs.iter().zip(watches) {
                    if round == 0 {
                        costs.push(Cost {
                            phase: p,
                            primitive: self.instruction_name(instr),
                            label: self.instruction_label(instr),
                            seconds: watch.seconds,
                            elements: watch.elements,
                            bytes: watch.bytes,
                        });
                    } else {
                        costs[at].seconds = costs[at].seconds.min(watch.seconds);
                    }
                    at += 1;
                }
            }
        }
        // A sweep that was timed wrote its results once more; accumulators start anew in each.
        self.run(ws, inputs)?;
        Ok(Profile { costs, seconds })
    }

    /// Runs a phase on whole values, each instruction so often that the clock resolves it: its results are the same each time.
    fn time_whole(
        &self,
        ws: &mut Workspace,
        phase: &LoweredPhase,
        inputs: &Bindings<'_>,
        watches: &mut [Watch],
    ) -> Result<()> {
        Self::enter_whole(ws, true);
        let mut result = Ok(());
        for (instr, watch) in phase.instrs.iter().zip(watches) {
            let mut batch = 1_u32;
            loop {
                let start = Instant::now();
                for _ in 0..batch {
                    result = self.step(ws, instr, inputs);
                    if result.is_err() {
                        break;
                    }
                }
                let elapsed = start.elapsed().as_secs_f64();
                if elapsed > 20e-6 || batch >= 1 << 16 || result.is_err() {
                    (watch.elements, watch.bytes) = instr.touched(self, &ws.threads[0].frame);
                    watch.seconds = elapsed / f64::from(batch);
                    break;
                }
                batch *= 4;
            }
            if result.is_err() {
                break;
            }
        }
        Self::leave_whole(ws);
        result
    }

    fn instruction_name(&self, instr: &Instr) -> String {
        let name = |k: &u32| self.program().nodes()[*k as usize].primitive.name();
        let fused: Vec<&str> = instr.fused.iter().map(name).collect();
        if fused.len() < 2 {
            name(&instr.node).to_owned()
        } else {
            fused.join(" + ")
        }
    }

    fn instruction_label(&self, instr: &Instr) -> Option<Arc<str>> {
        let node = &self.program().nodes()[instr.node as usize];
        self.program().value(node.first).label.clone()
    }
}
