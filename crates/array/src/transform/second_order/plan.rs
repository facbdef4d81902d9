//! A Hessian by layers that runs: one sweep for weights and coefficients, then rank-k updates.

use std::collections::HashMap;
use std::sync::Arc;

use super::order::Order;
use crate::error::{Error, Result};
use crate::exec::{Bindings, Lowered, Workspace};
use crate::sparse::{
    Blocks, Gram, Outcome, PairGram, PairPattern, Pattern, PatternSource, Updates,
};

/// Positions of a term's arrays in the outputs of the two programs.
pub(in crate::transform) struct TermOutputs {
    pub coefficient: Option<usize>,
    pub column: usize,
    pub row: Option<usize>,
}

/// One rank-k update.
pub(super) struct Layer {
    pub weight: usize,
    pub left: usize,
    pub right: usize,
    /// Every entry stands for itself and no entry is paired with itself (products along a level).
    pub distinct: bool,
}

/// A Hessian that is computed by layers.
pub struct HessianPlan {
    pub(in crate::transform) sweep: Lowered,
    pub(in crate::transform) memory: Workspace,
    /// Columns and rows of the terms: evaluated once.
    pub(in crate::transform) structure: Lowered,
    pub(in crate::transform) terms: Vec<TermOutputs>,
    /// Lists of terms.
    pub(super) sums: Vec<Vec<usize>>,
    pub(super) layers: Vec<Layer>,
    pub(super) updates: Option<Updates>,
    /// Instead of them, for few parameters, and the full matrix.
    pub(super) pairs: Option<Vec<PairGram>>,
    pub(super) full: Vec<f64>,
    pub(super) order: Order,
    pub(super) threads: usize,
}

/// Parameters below which updates go pair by pair into a full matrix.
const PANELS_FROM: usize = 300;

impl HessianPlan {
    /// Number of parameters.
    pub fn dim(&self) -> usize {
        self.order.place.len()
    }

    /// With variables that have no mutual second derivatives: only their couplings to the others and their diagonal are kept.
    #[must_use]
    pub fn with_separable(mut self, separable: &[usize]) -> Self {
        self.order = Order::new(self.dim(), separable);
        self.updates = None;
        self
    }

    /// Threads for the rank-k updates; their number changes no bit of the result.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }

    /// The Hessian at `inputs`, row-major n × n; false if it is not finite somewhere (the layers divide by what vanishes there).
    ///
    /// # Errors
    /// What [`Lowered::run`] returns; [`Error::Refused`] where two separable variables meet.
    pub fn run(&mut self, inputs: &Bindings<'_>, out: &mut [f64]) -> Result<bool> {
        if self.dim() < PANELS_FROM {
            return self.by_pairs(self.dim(), inputs, out);
        }
        let order = std::mem::take(&mut self.order);
        let result = order.expand(out, |blocks| self.fill(&order, inputs, blocks));
        self.order = order;
        result
    }

    /// The Hessian by blocks: `a` (m × m) of the dense variables, rising; `e` (s × m) and `d` (s) of the separable ones, in the order they were given.
    ///
    /// # Errors
    /// As for [`Self::run`], and lengths that do not fit.
    pub fn run_blocks(
        &mut self,
        inputs: &Bindings<'_>,
        a: &mut [f64],
        e: &mut [f64],
        d: &mut [f64],
    ) -> Result<bool> {
        let order = std::mem::take(&mut self.order);
        let m = order.dense();
        let blocks = Blocks { m, a, e, d };
        let result = if order.fits(&blocks) && order.place.len() < PANELS_FROM {
            let mut full = std::mem::take(&mut self.full);
            full.resize(order.place.len() * order.place.len(), 0.0);
            let result = self.by_pairs(order.place.len(), inputs, &mut full);
            order.extract(&full, blocks);
            self.full = full;
            result
        } else if order.fits(&blocks) {
            self.fill(&order, inputs, blocks)
        } else {
            Err(crate::primitive::ill_formed(
                "input",
                "the blocks do not have the lengths of the separable and the other variables",
            ))
        };
        self.order = order;
        result
    }

    /// The full matrix of few parameters.
    fn by_pairs(&mut self, n: usize, inputs: &Bindings<'_>, out: &mut [f64]) -> Result<bool> {
        self.sweep.run(&mut self.memory, inputs)?;
        if self.pairs.is_none() {
            let mut structure = self.structure.workspace();
            self.structure.run(&mut structure, inputs)?;
            let gram = |layer: &Layer| {
                let rows = self.memory.f64(layer.weight).len();
                let pattern = |sum: usize| {
                    let sources = self.sums[sum]
                        .iter()
                        .map(|&t| source(&self.terms, t, &structure));
                    PairPattern::new(rows, n, sources, !layer.distinct)
                };
                let right = (layer.left != layer.right).then(|| pattern(layer.right));
                PairGram::new(pattern(layer.left), right, layer.distinct)
            };
            self.pairs = Some(self.layers.iter().map(gram).collect());
        }
        out.fill(0.0);
        let (terms, memory) = (&self.terms, &self.memory);
        for (layer, gram) in self.layers.iter().zip(self.pairs.iter_mut().flatten()) {
            gram.add(
                memory.f64(layer.weight),
                |t| terms[t].coefficient.map(|k| memory.f64(k)),
                n,
                out,
            );
        }
        let mut finite = true;
        for i in 0..n {
            for j in 0..=i {
                let sum = out[i * n + j] + if i == j { 0.0 } else { out[j * n + i] };
                out[i * n + j] = sum;
                out[j * n + i] = sum;
                finite &= sum.is_finite();
            }
        }
        Ok(finite)
    }

    fn fill(&mut self, order: &Order, inputs: &Bindings<'_>, out: Blocks<'_>) -> Result<bool> {
        self.sweep.run(&mut self.memory, inputs)?;
        let updates = match &mut self.updates {
            Some(updates) => updates,
            slot => {
                let mut structure = self.structure.workspace();
                self.structure.run(&mut structure, inputs)?;
                let parts = (&self.terms[..], &self.sums[..], &self.layers[..]);
                slot.insert(Updates::new(grams(parts, order, &structure, &self.memory)))
            }
        };
        let memory = &self.memory;
        let weights: Vec<&[f64]> = self.layers.iter().map(|l| memory.f64(l.weight)).collect();
        let coefficients = coefficients(&self.terms, memory);
        let outcome = updates.run(&weights, &coefficients, self.threads, out);
        finite(outcome, "Hessian by layers")
    }
}

/// The coefficients of terms after a run.
pub(in crate::transform) fn coefficients<'a>(
    terms: &[TermOutputs],
    memory: &'a Workspace,
) -> Vec<Option<&'a [f64]>> {
    terms
        .iter()
        .map(|t| t.coefficient.map(|k| memory.f64(k)))
        .collect()
}

/// Columns and rows of a term.
fn source<'a>(terms: &[TermOutputs], t: usize, structure: &'a Workspace) -> PatternSource<'a> {
    PatternSource {
        term: t,
        columns: structure.i64(terms[t].column),
        rows: terms[t].row.map(|r| structure.i64(r)),
    }
}

/// The pattern of a sum of terms.
pub(in crate::transform) fn pattern(
    terms: &[TermOutputs],
    sum: &[usize],
    structure: &Workspace,
    rows: usize,
    place: &[u32],
    merge: bool,
) -> Pattern {
    let sources = sum.iter().map(|&t| source(terms, t, structure));
    Pattern::new(rows, place, sources, merge)
}

/// Whether a matrix is finite; an error where what was said about its variables is not so.
pub(in crate::transform) fn finite(outcome: Outcome, transform: &'static str) -> Result<bool> {
    match outcome {
        Outcome::Finite => Ok(true),
        Outcome::NotFinite => Ok(false),
        Outcome::Meet => Err(Error::Refused {
            transform,
            primitive: "input",
            label: String::new(),
            message: "two variables that were declared separable have a mutual second derivative"
                .into(),
        }),
    }
}

/// The updates of layers, which share the patterns of their sums.
fn grams(
    (terms, sums, layers): (&[TermOutputs], &[Vec<usize>], &[Layer]),
    order: &Order,
    structure: &Workspace,
    memory: &Workspace,
) -> Vec<Gram> {
    let mut known: HashMap<(usize, bool), Arc<Pattern>> = HashMap::new();
    let mut gram = |layer: &Layer| {
        let rows = memory.f64(layer.weight).len();
        let merge = !layer.distinct;
        let mut of = |sum: usize| {
            let build = || pattern(terms, &sums[sum], structure, rows, &order.place, merge);
            let entry = known.entry((sum, merge));
            Arc::clone(entry.or_insert_with(|| Arc::new(build())))
        };
        let left = of(layer.left);
        let right = (layer.left != layer.right).then(|| of(layer.right));
        Gram::new(left, right, layer.distinct, order.dense())
    };
    layers.iter().map(&mut gram).collect()
}
