//! Running the adjoint of a scan.

use pullback_ad::schedule::{Action, Schedule};

use super::adjoint::{Adjoint, NAME};
use super::kernel::{Layout, any, arguments};
use super::stage::Stage;
use crate::error::Result;
use crate::exec::{Border, Io, Kernel, LowerCx, Padded, Steps};
use crate::primitive::ill_formed;
use crate::region::{Pool, part};

/// The kernel of an adjoint.
pub(super) fn lower(cx: &LowerCx<'_>, adjoint: Adjoint) -> Result<Kernel> {
    let args = arguments(cx, adjoint.inner().len());
    let signature = adjoint.signature(cx.program(), &args)?;
    let layout = Layout::new(cx, &signature, adjoint.over, |k| adjoint.is_row(k));
    let (step, isa) = (adjoint.step.clone(), cx.isa());
    let border = Border {
        carries: adjoint.carries,
        xs: adjoint.pull.rows - adjoint.carries,
    };
    let transposed = adjoint.transposed()?;
    let back = Border {
        carries: transposed.carries,
        xs: transposed.xs,
    };
    let make = move || -> Result<Pair> {
        Ok(Pair {
            forward: Stage::new(&step, isa, border)?,
            backward: Stage::new(&transposed.body, isa, back)?,
        })
    };
    let pool = Pool::new(make()?);
    let running = Reversing { layout, adjoint };
    Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
        pool.with(
            || make().map_err(|e| e.to_string()),
            |pair| running.run(io, pair).map_err(|e| e.to_string()),
        )
    })))
}

/// Both directions of a step.
struct Pair {
    forward: Stage,
    backward: Stage,
}

/// A reverse sweep while it runs.
struct Reversing {
    layout: Layout,
    adjoint: Adjoint,
}

impl Reversing {
    fn run(&self, io: &Io<'_>, pair: &mut Pair) -> Result<()> {
        let lanes = self.layout.lanes(io);
        let pull = &self.adjoint.pull;
        let count = self.adjoint.inner().len();
        let args: Vec<Padded<'_>> = (0..count).map(|i| io.arg_bytes(i)).collect();
        let mut outs: Vec<&mut [u8]> = (0..pull.program.outputs().len())
            .map(|k| io.out_bytes(k))
            .collect();
        let lens: Vec<usize> = (0..count).map(|i| self.layout.elements(io, i)).collect();
        for lane in 0..lanes {
            if self.layout.idle(io, &args, self.adjoint.running, lane) {
                for (k, out) in outs.iter_mut().enumerate() {
                    let to = part(out.len(), lanes, lane);
                    if k < pull.carries {
                        let given = pull.fixed + k;
                        let own = self.layout.lane(io, given, lane);
                        out[to].copy_from_slice(&args[given].bytes()[own]);
                    } else {
                        out[to].fill(0);
                    }
                }
                continue;
            }
            self.lane(io, pair, &args, &lens, &mut outs, (lane, lanes))?;
        }
        Ok(())
    }

    /// Lengths of the inputs of the transposed step: cotangents of carried values, sums, fixed rows, cotangents of rows and of carried values, captures.
    fn backward_lens(&self, lens: &[usize], outs: &[&mut [u8]], lanes: usize) -> Vec<usize> {
        let pull = &self.adjoint.pull;
        let (fixed, given) = lens.split_at(pull.fixed);
        let sums: Vec<usize> = outs[pull.carries + pull.xs..]
            .iter()
            .map(|o| o.len() / lanes / size_of::<f64>())
            .collect();
        [
            &given[..pull.carries],
            &sums,
            &fixed[..pull.rows],
            &given[pull.carries..],
            &fixed[pull.rows..],
        ]
        .concat()
    }

    /// All steps in the order of the scan.
    fn order(&self, io: &Io<'_>) -> impl Iterator<Item = usize> + use<> {
        let (steps, reverse) = (self.layout.steps(io), self.adjoint.reverse);
        (0..steps).map(move |t| if reverse { steps - 1 - t } else { t })
    }

    /// The steps that the scan made, in its order: those that a mask among the rows does not leave out.
    fn listed(&self, io: &Io<'_>, args: &[Padded<'_>], lane: usize) -> Vec<usize> {
        let Some(r) = self.adjoint.running else {
            return self.order(io).collect();
        };
        let own = &args[r].bytes()[self.layout.lane(io, r, lane)];
        let steps = self.layout.steps(io);
        self.order(io)
            .filter(|k| any(&own[part(own.len(), steps, *k)]))
            .collect()
    }

    /// The steps that the scan made until a mask that it carries ended it.
    fn counted(&self, io: &Io<'_>, forward: &mut Steps<'_>) -> Result<Vec<usize>> {
        let (r, mut row, mut made) = (self.adjoint.running.unwrap_or(0), 0, Vec::new());
        for k in self.order(io) {
            if !any(forward.value(r, row)) {
                break;
            }
            made.push(k);
            forward.step(k, row, 1 - row)?;
            row = 1 - row;
        }
        Ok(made)
    }

    fn lane(
        &self,
        io: &Io<'_>,
        pair: &mut Pair,
        args: &[Padded<'_>],
        lens: &[usize],
        outs: &mut [&mut [u8]],
        (lane, lanes): (usize, usize),
    ) -> Result<()> {
        let (a, pull) = (&self.adjoint, &self.adjoint.pull);
        let captures = self.layout.captures(io, args, pull.rows..pull.fixed, lane);
        let lens_back = self.backward_lens(lens, outs, lanes);
        let range = |i: usize| self.layout.lane(io, i, lane);
        // Rows 0 and 1 are for steps, the others are stored states.
        let load = |forward: &mut Steps<'_>| {
            for (i, arg) in args.iter().enumerate().take(a.carries) {
                forward.load(i, 0, &arg.bytes()[range(i)]);
            }
        };
        let made = if a.running.is_some_and(|r| r < a.carries) {
            let mut forward = pair.forward.begin(&lens[..pull.fixed], 2, &captures)?;
            self.wire_forward(io, &mut forward, args, lane);
            load(&mut forward);
            self.counted(io, &mut forward)?
        } else {
            self.listed(io, args, lane)
        };
        let schedule =
            Schedule::new(a.policy, made.len()).map_err(|e| ill_formed(NAME, e.to_string()))?;
        let mut forward =
            pair.forward
                .begin(&lens[..pull.fixed], schedule.slots() + 2, &captures)?;
        self.wire_forward(io, &mut forward, args, lane);
        load(&mut forward);
        let mut backward = pair.backward.begin(&lens_back, 2, &captures)?;
        let (inits, rest) = outs.split_at_mut(pull.carries);
        let (xs, sums) = rest.split_at_mut(pull.xs);
        for (k, out) in xs.iter_mut().enumerate() {
            let to = part(out.len(), lanes, lane);
            out[to.clone()].fill(0);
            backward.write(k, &mut out[to]);
        }
        self.wire_backward(io, &mut backward, args, lane);
        let (mut current, mut row) = (0, 0);
        for action in schedule {
            match action {
                Action::Store { slot, .. } => forward.copy(current, slot + 2),
                Action::Restore { slot, .. } => current = slot + 2,
                Action::Advance { from, to } => {
                    for k in &made[from..to] {
                        let next = usize::from(current == 0);
                        forward.step(*k, current, next)?;
                        current = next;
                    }
                }
                Action::Reverse { step } => {
                    for k in 0..a.carries {
                        backward.feed(k, forward.value(k, current));
                    }
                    backward.step(made[step], row, 1 - row)?;
                    row = 1 - row;
                }
            }
        }
        for (k, out) in inits.iter_mut().chain(sums).enumerate() {
            let to = part(out.len(), lanes, lane);
            out[to].copy_from_slice(backward.value(k, row));
        }
        Ok(())
    }

    fn wire_forward<'a>(
        &self,
        io: &Io<'_>,
        forward: &mut Steps<'a>,
        args: &[Padded<'a>],
        lane: usize,
    ) {
        let (a, pull) = (&self.adjoint, &self.adjoint.pull);
        for (i, arg) in args.iter().enumerate().take(pull.rows).skip(a.carries) {
            forward.read(i - a.carries, *arg, self.layout.lane(io, i, lane));
        }
    }

    fn wire_backward<'a>(
        &self,
        io: &Io<'_>,
        backward: &mut Steps<'a>,
        args: &[Padded<'a>],
        lane: usize,
    ) {
        let (a, pull) = (&self.adjoint, &self.adjoint.pull);
        let range = |i: usize| self.layout.lane(io, i, lane);
        for k in 0..pull.carries {
            let i = pull.fixed + k;
            backward.load(k, 0, &args[i].bytes()[range(i)]);
        }
        backward.clear(pull.carries, 0);
        for (i, arg) in args.iter().enumerate().take(pull.rows).skip(a.carries) {
            backward.read(i, *arg, range(i));
        }
        for (i, arg) in args.iter().enumerate().skip(pull.fixed + pull.carries) {
            let k = pull.rows + i - pull.fixed - pull.carries;
            backward.read(k, *arg, range(i));
        }
    }
}
