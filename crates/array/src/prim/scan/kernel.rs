//! Running a scan.

use std::ops::Range;

use super::form::Form;
use super::stage::Stage;
use crate::error::Result;
use crate::exec::{Border, Io, Kernel, LenId, LowerCx, Padded, Steps};
use crate::region::{Pool, Signature, part};
use crate::space::LevelId;
use crate::ty::Type;

/// What the kernels of scans know about their arguments.
pub(super) struct Layout {
    lanes: Option<LenId>,
    laned: Vec<bool>,
    over: LevelId,
    sizes: Vec<usize>,
    rows: Vec<bool>,
}

impl Layout {
    pub fn new(
        cx: &LowerCx<'_>,
        signature: &Signature,
        over: LevelId,
        is_row: impl Fn(usize) -> bool,
    ) -> Self {
        let count = signature.laned.len();
        Self {
            lanes: (!signature.lanes.is_scalar()).then(|| cx.len(signature.lanes)),
            laned: signature.laned.clone(),
            over,
            sizes: (0..count).map(|i| cx.arg(i).dtype.bytes()).collect(),
            rows: (0..count).map(is_row).collect(),
        }
    }

    pub fn lanes(&self, io: &Io<'_>) -> usize {
        self.lanes.map_or(1, |id| io.len(id))
    }

    pub fn steps(&self, io: &Io<'_>) -> usize {
        io.dim(self.over)
    }

    /// Whether a lane makes no step: there is none, or the mask (argument `mask`) lets none run. What follows from captures is then not worked on, either.
    pub fn idle(&self, io: &Io<'_>, args: &[Padded<'_>], mask: Option<usize>, lane: usize) -> bool {
        let never = |r: usize| !any(&args[r].bytes()[self.lane(io, r, lane)]);
        self.steps(io) == 0 || mask.is_some_and(never)
    }

    /// Elements of argument `i` that one step of one lane sees.
    pub fn elements(&self, io: &Io<'_>, i: usize) -> usize {
        let lanes = if self.laned[i] { self.lanes(io) } else { 1 };
        let steps = if self.rows[i] { self.steps(io) } else { 1 };
        io.arg_len(i).checked_div(lanes * steps).unwrap_or(0)
    }

    /// Some arguments, each with the bytes that belong to a lane.
    pub fn captures<'a>(
        &self,
        io: &Io<'_>,
        args: &[Padded<'a>],
        which: Range<usize>,
        lane: usize,
    ) -> Vec<(Padded<'a>, Range<usize>)> {
        which.map(|i| (args[i], self.lane(io, i, lane))).collect()
    }

    /// Bytes of argument `i` that belong to a lane.
    pub fn lane(&self, io: &Io<'_>, i: usize, lane: usize) -> Range<usize> {
        let bytes = io.arg_len(i) * self.sizes[i];
        if self.laned[i] {
            part(bytes, self.lanes(io), lane)
        } else {
            0..bytes
        }
    }
}

/// Whether any element of a mask is true.
pub(super) fn any(mask: &[u8]) -> bool {
    mask.iter().any(|b| *b != 0)
}

/// Types of the arguments of the node that is lowered.
pub(super) fn arguments(cx: &LowerCx<'_>, count: usize) -> Vec<Type> {
    (0..count).map(|i| cx.arg(i)).collect()
}

/// The kernel of a scan.
pub(super) fn lower(cx: &LowerCx<'_>, form: &Form) -> Result<Kernel> {
    let args = arguments(cx, form.body.inputs().len());
    let signature = form.signature(cx.program(), &args)?;
    let rows = form.carries..form.carries + form.xs;
    let layout = Layout::new(cx, &signature, form.over, |k| rows.contains(&k));
    let first_stack = form.body.outputs().len();
    let stacked = (first_stack..first_stack + form.carries)
        .map(|k| cx.is_used(k as u32))
        .collect();
    let (body, isa) = (form.body.clone(), cx.isa());
    let border = Border {
        carries: form.carries,
        xs: form.xs,
    };
    let make = move || Stage::new(&body, isa, border);
    let pool = Pool::new(make()?);
    let scan = Running {
        layout,
        carries: form.carries,
        xs: form.xs,
        ys: form.ys(),
        reverse: form.reverse,
        mask: form.running,
        stacked,
    };
    Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
        pool.with(
            || make().map_err(|e| e.to_string()),
            |stage| scan.run(io, stage).map_err(|e| e.to_string()),
        )
    })))
}

/// A scan while it runs.
struct Running {
    layout: Layout,
    carries: usize,
    xs: usize,
    ys: usize,
    reverse: bool,
    mask: Option<usize>,
    /// Which results of carried values before each step somebody reads.
    stacked: Vec<bool>,
}

impl Running {
    fn run(&self, io: &Io<'_>, stage: &mut Stage) -> Result<()> {
        let (lanes, steps) = (self.layout.lanes(io), self.layout.steps(io));
        let inputs = self.layout.laned.len();
        let args: Vec<Padded<'_>> = (0..inputs).map(|i| io.arg_bytes(i)).collect();
        let mut outs: Vec<&mut [u8]> = (0..self.carries + self.ys)
            .map(|k| io.out_bytes(k))
            .collect();
        let mut stacks: Vec<Option<&mut [u8]>> = (0..self.carries)
            .map(|k| self.stacked[k].then(|| io.out_bytes(self.carries + self.ys + k)))
            .collect();
        let lens: Vec<usize> = (0..inputs).map(|i| self.layout.elements(io, i)).collect();
        for lane in 0..lanes {
            if self.layout.idle(io, &args, self.mask, lane) {
                for (k, out) in outs.iter_mut().enumerate() {
                    let to = part(out.len(), lanes, lane);
                    if k < self.carries {
                        let init = &args[k].bytes()[self.layout.lane(io, k, lane)];
                        out[to].copy_from_slice(init);
                    } else {
                        out[to].fill(0);
                    }
                }
                for (k, stack) in stacks.iter_mut().enumerate() {
                    let Some(stack) = stack else { continue };
                    let init = &args[k].bytes()[self.layout.lane(io, k, lane)];
                    for k in lane * steps..(lane + 1) * steps {
                        stack[k * init.len()..(k + 1) * init.len()].copy_from_slice(init);
                    }
                }
                continue;
            }
            let captures = self
                .layout
                .captures(io, &args, self.carries + self.xs..inputs, lane);
            let mut session = stage.begin(&lens, 2, &captures)?;
            let (finals, ys) = outs.split_at_mut(self.carries);
            for (k, out) in ys.iter_mut().enumerate() {
                let to = part(out.len(), lanes, lane);
                session.write(k, &mut out[to]);
            }
            self.load(io, &mut session, &args, lane);
            let end = {
                let mut stack = |session: &Steps<'_>, row: usize, k: usize| {
                    for (j, stack) in stacks.iter_mut().enumerate() {
                        if let Some(stack) = stack {
                            let value = session.value(j, row);
                            let at = (lane * steps + k) * value.len();
                            stack[at..at + value.len()].copy_from_slice(value);
                        }
                    }
                };
                self.steps(io, &mut session, &args, lane, &mut stack)?
            };
            for (j, out) in finals.iter_mut().enumerate() {
                let to = part(out.len(), lanes, lane);
                out[to].copy_from_slice(session.value(j, end));
            }
        }
        Ok(())
    }

    /// Gives a lane its arguments.
    fn load<'a>(&self, io: &Io<'a>, session: &mut Steps<'a>, args: &[Padded<'a>], lane: usize) {
        for (i, arg) in args.iter().enumerate() {
            let range = self.layout.lane(io, i, lane);
            if i < self.carries {
                session.load(i, 0, &arg.bytes()[range]);
            } else if i < self.carries + self.xs {
                session.read(i - self.carries, *arg, range);
            }
        }
    }

    /// Runs the steps of a lane; returns the row where the carried values end.
    fn steps(
        &self,
        io: &Io<'_>,
        session: &mut Steps<'_>,
        args: &[Padded<'_>],
        lane: usize,
        stack: &mut impl FnMut(&Steps<'_>, usize, usize),
    ) -> Result<usize> {
        let steps = self.layout.steps(io);
        let stacking = self.stacked.contains(&true);
        let mut row = 0;
        for t in 0..steps {
            let k = if self.reverse { steps - 1 - t } else { t };
            if stacking {
                stack(session, row, k);
            }
            if let Some(r) = self.mask {
                let goes_on = if r < self.carries {
                    any(session.value(r, row))
                } else {
                    let range = self.layout.lane(io, r, lane);
                    let own = &args[r].bytes()[range];
                    any(&own[part(own.len(), steps, k)])
                };
                if !goes_on {
                    session.skip(k);
                    continue;
                }
            }
            session.step(k, row, 1 - row)?;
            row = 1 - row;
        }
        Ok(row)
    }
}
