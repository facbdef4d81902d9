//! A step as it runs: what follows from captures is computed once per lane, the rest step by step.

use std::ops::Range;
use std::sync::Arc;

use pullback_ad::isa::Level as Isa;

use crate::error::Result;
use crate::exec::{Bindings, Border, Lowered, Padded, Stepper, Steps, Workspace};
use crate::program::Program;
use crate::region::{Hoisted, hoist};
use crate::ty::DType;

/// A step, lowered.
pub(super) struct Stage {
    before: Option<Before>,
    stepper: Stepper,
    /// Number of inputs that are no captures.
    captures: usize,
}

/// The part that does not change from step to step.
struct Before {
    lowered: Lowered,
    memory: Workspace,
    inputs: Vec<DType>,
    outputs: Vec<DType>,
}

impl Stage {
    pub fn new(body: &Arc<Program>, isa: Isa, border: Border) -> Result<Self> {
        let captures = border.carries + border.xs;
        let dtypes = |list: &[(Arc<str>, crate::program::ValueId)], p: &Program| {
            list.iter().map(|(_, v)| p.ty(*v).dtype).collect()
        };
        let (before, step) = match hoist(body, captures)? {
            Some(Hoisted { before, step }) => {
                let lowered = Lowered::for_isa(before.clone(), isa)?;
                let before = Before {
                    memory: lowered.workspace(),
                    inputs: dtypes(before.inputs(), &before),
                    outputs: dtypes(before.outputs(), &before),
                    lowered,
                };
                (Some(before), step)
            }
            None => (None, body.clone()),
        };
        Ok(Self {
            before,
            stepper: Stepper::new(&step, isa, border)?,
            captures,
        })
    }

    /// Begins the steps of a lane: lengths of the inputs of a step, number of rows for carried values, and the captures, each with the bytes that belong to
    /// the lane.
    ///
    /// # Errors
    /// As for a run.
    pub fn begin<'a>(
        &'a mut self,
        lens: &[usize],
        rows: usize,
        captures: &[(Padded<'a>, Range<usize>)],
    ) -> Result<Steps<'a>> {
        debug_assert_eq!(lens.len(), self.captures + captures.len());
        let Some(before) = &mut self.before else {
            let mut steps = self.stepper.begin(lens, rows)?;
            for (k, (column, range)) in captures.iter().enumerate() {
                steps.capture(k, *column, range.start);
            }
            return Ok(steps);
        };
        let columns: Vec<_> = captures
            .iter()
            .zip(&before.inputs)
            .map(|((column, range), dtype)| column.column(*dtype, range.clone()))
            .collect();
        before
            .lowered
            .run(&mut before.memory, &Bindings::ordered(&columns))?;
        let more = (0..before.outputs.len())
            .map(|k| before.memory.bytes(k).len() / before.outputs[k].bytes());
        let lens: Vec<usize> = lens.iter().copied().chain(more).collect();
        let mut steps = self.stepper.begin(&lens, rows)?;
        for (k, (column, range)) in captures.iter().enumerate() {
            steps.capture(k, *column, range.start);
        }
        for k in 0..before.outputs.len() {
            steps.set(captures.len() + k, before.memory.bytes(k));
        }
        Ok(steps)
    }
}
