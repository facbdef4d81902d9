//! The step of a transposed scan, and the transposed scan.

use std::sync::Arc;

use pullback_ad::schedule::Policy;

use super::form::Form;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim::binary::join;
use crate::program::Program;
use crate::region::{self, composed, inline};
use crate::space::{LevelId, Space};
use crate::transform::simplify;
use crate::ty::Type;

/// What a transposed step has for inputs and results.
///
/// The region `program` has the inputs that are fixed (rows, then captures), cotangents of carried values after the step and of rows that it returned; its
/// results are cotangents of carried values before the step, of rows and of captures.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub program: Arc<Program>,
    /// Number of fixed inputs that are rows.
    pub rows: usize,
    /// Number of fixed inputs.
    pub fixed: usize,
    /// Number of carried values.
    pub carries: usize,
    /// Number of rows whose cotangents come in.
    pub ys: usize,
    /// Number of rows whose cotangents go out.
    pub xs: usize,
    /// Whether cotangents of the carried values before each step come in, too.
    pub stacked: bool,
}

/// Cotangents that come in, and where zeros of the others live.
pub(crate) struct Incoming<'b> {
    pub finals: Vec<Sym<'b>>,
    pub ys: Vec<Sym<'b>>,
    pub stacks: Vec<Sym<'b>>,
    /// Zeros like the captures whose cotangents go out.
    pub zeros: Vec<Sym<'b>>,
}

/// Cotangents that go out.
pub(crate) struct Outgoing<'b> {
    pub inits: Vec<Sym<'b>>,
    pub xs: Vec<Sym<'b>>,
    pub captures: Vec<Sym<'b>>,
}

impl Pull {
    /// Number of captures whose cotangents go out.
    pub fn captures(&self) -> usize {
        self.program.outputs().len() - self.carries - self.xs
    }

    /// Types of cotangents of carried values and of captures.
    fn carried(&self) -> Vec<Type> {
        let outputs = region::output_types(&self.program);
        let cotangents = region::input_types(&self.program)[self.fixed..].to_vec();
        cotangents[..self.carries]
            .iter()
            .chain(&outputs[self.carries + self.xs..])
            .copied()
            .collect()
    }

    /// The step of the transposed scan. Carried are cotangents of carried values and sums of cotangents of captures; rows are the fixed ones, cotangents of
    /// returned rows, and those of carried values before the step.
    ///
    /// # Errors
    /// What recording may return.
    pub fn step(&self) -> Result<Arc<Program>> {
        let inputs = region::input_types(&self.program);
        let (fixed, cotangents) = inputs.split_at(self.fixed);
        let (rows, captures) = fixed.split_at(self.rows);
        let (carried, ys) = cotangents.split_at(self.carries);
        let stacks: &[Type] = if self.stacked { carried } else { &[] };
        let sums = self.captures();
        let types: Vec<Type> = self
            .carried()
            .into_iter()
            .chain([rows, ys, stacks, captures].concat())
            .collect();
        let made = composed(&self.program, &types, |b, given| {
            let (carried, given) = given.split_at(self.carries);
            let (summed, given) = given.split_at(sums);
            let (rows, given) = given.split_at(self.rows);
            let (ys, given) = given.split_at(self.ys);
            let (stacks, captures) = given.split_at(stacks.len());
            let args = [rows, captures, carried, ys].concat();
            let mut pulled = inline(b, &self.program, &args)?;
            let sums = pulled.split_off(self.carries + self.xs);
            let xs = pulled.split_off(self.carries);
            let carried = pulled
                .into_iter()
                .enumerate()
                .map(|(k, c)| stacks.get(k).map_or(c, |s| c + *s));
            let sums = summed.iter().zip(sums).map(|(old, new)| *old + new);
            Ok(carried.chain(sums).chain(xs).collect())
        })?;
        Ok(Arc::new(simplify(&made)?))
    }

    /// The transposed scan as a scan, over fixed rows that are all there; `running` is the position of a mask among them.
    pub fn form(
        &self,
        over: LevelId,
        reverse: bool,
        policy: Policy,
        running: Option<usize>,
    ) -> Result<Form> {
        let carries = self.carries + self.captures();
        let stacks = if self.stacked { self.carries } else { 0 };
        Ok(Form {
            body: self.step()?,
            over,
            reverse,
            carries,
            xs: self.rows + self.ys + stacks,
            policy,
            running: running.map(|k| carries + k),
        })
    }

    /// Records the transposed scan.
    ///
    /// # Errors
    /// An ill-formed node.
    pub fn scan<'b>(
        &self,
        cx: &'b Builder,
        form: &Form,
        rows: &[Sym<'b>],
        captures: &[Sym<'b>],
        incoming: &Incoming<'b>,
    ) -> Result<Outgoing<'b>> {
        let args: Vec<Sym<'b>> = [
            &incoming.finals[..],
            &incoming.zeros,
            rows,
            &incoming.ys,
            &incoming.stacks,
            captures,
        ]
        .concat();
        let mut found = form.push(cx, &args)?;
        let sums = found.finals.split_off(self.carries);
        Ok(Outgoing {
            inits: found.finals,
            xs: found.ys,
            captures: sums,
        })
    }
}

/// Zeros in a space.
pub(crate) fn zeros(cx: &Builder, space: Space) -> Sym<'_> {
    let zero = cx.broadcast(Sym::from(0.0), space);
    cx.sym(cx.id(zero))
}

/// A cotangent, or zeros in its place.
pub(crate) fn given<'b>(cx: &'b Builder, cotangent: Option<Sym<'b>>, space: Space) -> Sym<'b> {
    join(cotangent, None).unwrap_or_else(|| zeros(cx, space))
}
