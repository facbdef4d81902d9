//! Counting in one sweep: masks that become numbers of elements.

use std::sync::Arc;

use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Bindings, Lowered, Workspace};
use crate::prim::compare::Compare;
use crate::program::ValueId;
use crate::transform::prune;
use crate::ty::DType;

/// Outputs that are collected while a program is extended, and read after its run.
pub(super) struct Probe<'b> {
    pub b: &'b Builder,
    outputs: Vec<(Arc<str>, ValueId)>,
}

/// The place of an output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading(usize);

impl<'b> Probe<'b> {
    pub fn new(b: &'b Builder) -> Self {
        Self {
            b,
            outputs: Vec::new(),
        }
    }

    /// Reads a value.
    pub fn value(&mut self, x: Sym<'b>) -> Reading {
        let id = self.b.id(x);
        let known = self.outputs.iter().position(|(_, v)| *v == id);
        Reading(known.unwrap_or_else(|| {
            self.outputs.push((Arc::from(format!("{}", id.0)), id));
            self.outputs.len() - 1
        }))
    }

    /// Counts the elements for which a mask holds.
    pub fn count(&mut self, mask: Sym<'b>) -> Reading {
        self.value(mask.cast(DType::F64).sum_all())
    }

    /// The outputs to end the program with.
    pub fn into_outputs(self) -> Vec<(Arc<str>, ValueId)> {
        self.outputs
    }
}

/// The results of a run.
pub(super) struct Counted(Workspace);

impl Counted {
    /// Runs the extended program.
    pub fn run(
        b: &Builder,
        outputs: Vec<(Arc<str>, ValueId)>,
        inputs: &Bindings<'_>,
    ) -> Result<Self> {
        let lowered = Lowered::new(prune(&b.finish_ids(outputs)?)?)?;
        let mut ws = lowered.workspace();
        lowered.run(&mut ws, inputs)?;
        Ok(Self(ws))
    }

    pub fn number(&self, r: Reading) -> f64 {
        self.0.scalar(r.0)
    }

    pub fn count(&self, r: Reading) -> usize {
        self.0.scalar(r.0) as usize
    }

    pub fn doubles(&self, r: Reading) -> &[f64] {
        self.0.f64(r.0)
    }
}

pub(super) fn is_nan(x: Sym<'_>) -> Sym<'_> {
    x.compare(Compare::Ne, x)
}

pub(super) fn is_infinite(x: Sym<'_>) -> Sym<'_> {
    // Without |x|, which is no value of the program where x is a constant.
    let is = |y: f64| x.compare(Compare::Eq, Sym::from(y));
    is(f64::INFINITY) | is(f64::NEG_INFINITY)
}

pub(super) fn is_zero(x: Sym<'_>) -> Sym<'_> {
    x.compare(Compare::Eq, Sym::from(0.0))
}

/// The number of elements of a space.
pub(super) fn size<'b>(b: &'b Builder, like: Sym<'b>) -> Sym<'b> {
    b.broadcast(Sym::from(1.0), like.space()).sum_all()
}
