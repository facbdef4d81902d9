//! The Jacobian of a vector by sparse terms, and its Gram matrix.

use std::sync::Arc;

use pullback_ad::SparseMatrix;

use super::linear_terms::LinearTerms;
use super::second_order::{HessianPlan, Order, Recorder, coefficients, finite, pattern};
use super::terms::spelled_out;
use crate::build::Builder;
use crate::error::Result;
use crate::exec::Bindings;
#[allow(unused_imports)] // Named in documentation.
use crate::exec::Lowered;
use crate::program::Program;
use crate::sparse::{Blocks, Gram, Pattern, Updates};

/// The Jacobian of a vector output as sparse rows.
pub struct JacobianPlan {
    plan: HessianPlan,
    pattern: Option<Pattern>,
    gram: Option<Updates>,
    order: Order,
    threads: usize,
    rows: usize,
}

impl JacobianPlan {
    /// Plans the Jacobian of the vector output `of` with respect to the vector input `wrt`.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) if a node on the way has no sparse rule.
    pub fn new(program: &Program, of: &str, wrt: &str) -> Result<Self> {
        let b = Builder::resume(program);
        let linear = LinearTerms::new(&b, program, of, wrt)?;
        let (n, output) = (linear.n, linear.output);
        let lens = program.ty(output).space;
        let lens = lens.iter().map(|l| program.level(l).len);
        let rows = lens.product::<Option<usize>>().ok_or_else(|| {
            crate::primitive::ill_formed("output", "a sparse Jacobian needs a fixed length")
        })?;
        let space = program.ty(output).space;
        let terms = match linear.of(output)? {
            None => Vec::new(),
            Some(terms) => spelled_out(&b, &terms, space)
                .ok_or_else(|| crate::primitive::ill_formed("output", "a space of unknown size"))?,
        };
        let mut recorder = Recorder::new(&b);
        recorder
            .sum(&terms, space)
            .ok_or_else(|| crate::primitive::ill_formed("output", "a space of unknown size"))?;
        Ok(Self {
            plan: recorder.finish(n)?,
            pattern: None,
            gram: None,
            order: Order::new(n, &[]),
            threads: 1,
            rows,
        })
    }

    /// With variables of which no row has two, for [`Self::run_gram`].
    #[must_use]
    pub fn with_separable(mut self, separable: &[usize]) -> Self {
        self.order = Order::new(self.order.place.len(), separable);
        self.gram = None;
        self
    }

    /// Threads for [`Self::run_gram`]; their number changes no bit of the result.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }

    /// The Jacobian at `inputs`, by rows.
    ///
    /// # Errors
    /// What [`Lowered::run`] returns.
    pub fn run(&mut self, inputs: &Bindings<'_>) -> Result<SparseMatrix> {
        let plan = &mut self.plan;
        plan.sweep.run(&mut plan.memory, inputs)?;
        let n = self.order.place.len();
        let pattern = match &mut self.pattern {
            Some(pattern) => pattern,
            slot => {
                let identity: Vec<u32> = (0..n as u32).collect();
                slot.insert(plan.own_pattern(inputs, self.rows, &identity)?)
            }
        };
        pattern.filled(&coefficients(&plan.terms, &plan.memory), n)
    }

    /// `Jᵀ diag(w) J` at `inputs` by blocks, which are those of [`super::HessianPlan::run_blocks`]; false if it is not finite somewhere.
    ///
    /// # Errors
    /// What [`Lowered::run`] returns; lengths that do not fit; [`Error::Refused`](crate::Error::Refused) where a row has two separable variables.
    pub fn run_gram(
        &mut self,
        inputs: &Bindings<'_>,
        weights: &[f64],
        a: &mut [f64],
        e: &mut [f64],
        d: &mut [f64],
    ) -> Result<bool> {
        let plan = &mut self.plan;
        plan.sweep.run(&mut plan.memory, inputs)?;
        let m = self.order.dense();
        let blocks = Blocks { m, a, e, d };
        if !self.order.fits(&blocks) || weights.len() != self.rows {
            return Err(crate::primitive::ill_formed(
                "input",
                "the weights or the blocks do not have the lengths of the rows and the variables",
            ));
        }
        let updates = match &mut self.gram {
            Some(updates) => updates,
            slot => {
                let pattern = plan.own_pattern(inputs, self.rows, &self.order.place)?;
                let gram = Gram::new(Arc::new(pattern), None, false, m);
                slot.insert(Updates::new(vec![gram]))
            }
        };
        let coefficients = coefficients(&plan.terms, &plan.memory);
        let outcome = updates.run(&[weights], &coefficients, self.threads, blocks);
        finite(outcome, "sparse Jacobian")
    }
}

impl HessianPlan {
    /// The pattern of all terms.
    fn own_pattern(&self, inputs: &Bindings<'_>, rows: usize, place: &[u32]) -> Result<Pattern> {
        let mut memory = self.structure.workspace();
        self.structure.run(&mut memory, inputs)?;
        let all: Vec<usize> = (0..self.terms.len()).collect();
        Ok(pattern(&self.terms, &all, &memory, rows, place, true))
    }
}
