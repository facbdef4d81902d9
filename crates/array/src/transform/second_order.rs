//! Exact Hessians by layers of second-order adjoints: `H = Σ Jᵀ diag(λ f″) J` over the non-linear nodes of a program, where λ is the adjoint of the node and
//! J the sparse Jacobian of its arguments ([`super::terms`]). One sweep of a program computes all weights and coefficients; rank-k updates add them up.
//!
//! References: R. Gower & M. Mello, Optim. Methods Softw. 27 (2012) 251 (edge pushing); A. Griewank & A. Walther, Evaluating Derivatives, ch. 7.

use std::collections::HashMap;
use std::sync::Arc;

use super::cotangent::Cotangent;
use super::forward::{Tangents, push_forward, upstream};
use super::linear_part::LinearPart;
use super::linear_terms::LinearTerms;
use super::terms::{Term, Terms, spread};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Bindings, Lowered, Workspace};
use crate::prim;
use crate::primitive::Nature;
use crate::program::{Node, Program, ValueId};
use crate::space::Space;
use crate::sparse::{
    Blocks, Gram, Outcome, PairGram, PairPattern, Pattern, PatternSource, Updates,
};

/// Positions of a term's arrays in the outputs of the two programs.
pub(super) struct TermOutputs {
    pub coefficient: Option<usize>,
    pub column: usize,
    pub row: Option<usize>,
}

/// Variables in the order of the blocks: dense ones rising, then the separable ones as they were given.
#[derive(Default)]
pub(super) struct Order {
    separable: Vec<usize>,
    dense: Vec<usize>,
    /// The place of each variable.
    pub place: Vec<u32>,
}

impl Order {
    /// Indices that are repeated or not below `n` count once or not at all.
    pub fn new(n: usize, separable: &[usize]) -> Self {
        let mut place = vec![u32::MAX; n];
        let mut out = Self::default();
        for &i in separable {
            if place.get(i) == Some(&u32::MAX) {
                place[i] = 0;
                out.separable.push(i);
            }
        }
        out.dense = (0..n).filter(|&i| place[i] == u32::MAX).collect();
        for (k, &i) in out.dense.iter().chain(&out.separable).enumerate() {
            place[i] = k as u32;
        }
        out.place = place;
        out
    }

    /// Number of dense variables.
    pub fn dense(&self) -> usize {
        self.dense.len()
    }

    /// Whether slices have the lengths of the blocks.
    pub fn fits(&self, blocks: &Blocks<'_>) -> bool {
        let (m, s) = (self.dense.len(), self.separable.len());
        blocks.a.len() == m * m && blocks.e.len() == s * m && blocks.d.len() == s
    }

    /// The blocks of a full matrix.
    fn extract(&self, full: &[f64], to: Blocks<'_>) {
        let (n, m) = (self.place.len(), self.dense.len().max(1));
        for (&i, row) in self.dense.iter().zip(to.a.chunks_exact_mut(m)) {
            for (&j, x) in self.dense.iter().zip(row) {
                *x = full[i * n + j];
            }
        }
        for (&i, row) in self.separable.iter().zip(to.e.chunks_exact_mut(m)) {
            for (&j, x) in self.dense.iter().zip(row) {
                *x = full[i * n + j];
            }
        }
        for (&i, x) in self.separable.iter().zip(to.d) {
            *x = full[i * n + i];
        }
    }

    /// The full matrix of blocks that `fill` writes.
    pub fn expand<E>(
        &self,
        out: &mut [f64],
        fill: impl FnOnce(Blocks<'_>) -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        let (m, s, n) = (self.dense.len(), self.separable.len(), self.place.len());
        if s == 0 {
            return fill(Blocks {
                m,
                a: out,
                e: &mut [],
                d: &mut [],
            });
        }
        let (mut a, mut e, mut d) = (vec![0.0; m * m], vec![0.0; s * m], vec![0.0; s]);
        let finite = fill(Blocks {
            m,
            a: &mut a,
            e: &mut e,
            d: &mut d,
        })?;
        out.fill(0.0);
        for (&i, row) in self.dense.iter().zip(a.chunks_exact(m.max(1))) {
            for (&j, x) in self.dense.iter().zip(row) {
                out[i * n + j] = *x;
            }
        }
        for (k, &i) in self.separable.iter().enumerate() {
            out[i * n + i] = d[k];
            for (&j, x) in self.dense.iter().zip(&e[k * m..(k + 1) * m]) {
                out[i * n + j] = *x;
                out[j * n + i] = *x;
            }
        }
        Ok(finite)
    }
}

/// The coefficients of terms after a run.
pub(super) fn coefficients<'a>(
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
pub(super) fn pattern(
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

/// One rank-k update.
struct Layer {
    weight: usize,
    left: usize,
    right: usize,
    /// Every entry stands for itself and no entry is paired with itself (products along a level).
    distinct: bool,
}

/// A Hessian that is computed by layers.
pub struct HessianPlan {
    pub(super) sweep: Lowered,
    pub(super) memory: Workspace,
    /// Columns and rows of the terms: evaluated once.
    pub(super) structure: Lowered,
    pub(super) terms: Vec<TermOutputs>,
    /// Lists of terms.
    sums: Vec<Vec<usize>>,
    layers: Vec<Layer>,
    updates: Option<Updates>,
    /// Instead of them, for few parameters, and the full matrix.
    pairs: Option<Vec<PairGram>>,
    full: Vec<f64>,
    order: Order,
    threads: usize,
}

/// Parameters below which updates go pair by pair into a full matrix.
const PANELS_FROM: usize = 300;

pub(super) struct Recorder<'b> {
    b: &'b Builder,
    spreads: Vec<(Option<Sym<'b>>, Sym<'b>, Option<Sym<'b>>)>,
    sums: Vec<Vec<usize>>,
    layers: Vec<(Sym<'b>, usize, usize, bool)>,
}

fn refused(program: &Program, node: &Node, message: &str) -> Error {
    Error::Refused {
        transform: "Hessian by layers",
        primitive: node.primitive.name(),
        label: program.label_of(node.first),
        message: message.into(),
    }
}

impl<'b> Recorder<'b> {
    pub(super) fn new(b: &'b Builder) -> Self {
        Self {
            b,
            spreads: Vec::new(),
            sums: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// The number of a list of terms, each spread over its elements in rows of `value`.
    pub(super) fn sum(&mut self, terms: &[Term<'b>], value: Space) -> Option<usize> {
        let mut list = Vec::new();
        for term in terms {
            let spread = spread(self.b, term, value)?;
            let same = |a: Option<Sym<'b>>, c: Option<Sym<'b>>| {
                a.and_then(Sym::value_id) == c.and_then(Sym::value_id)
            };
            let known = self.spreads.iter().position(|s| {
                same(s.0, spread.0) && same(Some(s.1), Some(spread.1)) && same(s.2, spread.2)
            });
            list.push(known.unwrap_or_else(|| {
                self.spreads.push(spread);
                self.spreads.len() - 1
            }));
        }
        Some(
            self.sums
                .iter()
                .position(|s| *s == list)
                .unwrap_or_else(|| {
                    self.sums.push(list);
                    self.sums.len() - 1
                }),
        )
    }

    fn layer(
        &mut self,
        weight: Sym<'b>,
        value: Space,
        left: &[Term<'b>],
        right: &[Term<'b>],
        distinct: bool,
    ) -> Option<()> {
        let weight = self.b.broadcast(weight, value);
        let (left, right) = (self.sum(left, value)?, self.sum(right, value)?);
        self.layers.push((weight, left, right, distinct));
        Some(())
    }
}

/// Second partial derivatives of a pointwise node, as values of the builder; `None` where they vanish identically.
fn second_partials<'b>(
    b: &'b Builder,
    program: &Program,
    node: &Node,
    active: &[bool],
) -> Result<Vec<Vec<Option<Sym<'b>>>>> {
    // The node alone, in a program of its own with the same levels and fresh inputs.
    let scratch = Builder::scratch(program);
    let args: Vec<Sym<'_>> = node
        .args
        .iter()
        .enumerate()
        .map(|(i, a)| scratch.input_of(&format!("second partial argument {i}"), program.ty(*a)))
        .collect();
    let out = scratch
        .push(node.primitive, &args, node.attrs.clone())
        .first(&scratch);
    let base = scratch.with_program(Program::clone);
    let result = base.value(scratch.id(out)).ty.space;
    let one_hot = |i: usize| -> Tangents<'_> {
        let mut tangents: Tangents<'_> = vec![None; scratch.with_program(Program::value_count)];
        let one = scratch.broadcast(Sym::from(1.0), scratch.ty(args[i]).space);
        tangents[scratch.id(args[i]).index()] = Some(scratch.sym(scratch.id(one)));
        tangents
    };
    let n = args.len();
    let mut found: Vec<(usize, usize, ValueId)> = Vec::new();
    for i in (0..n).filter(|&i| active[i]) {
        let mut tangents = one_hot(i);
        let wanted = vec![true; base.nodes().len()];
        push_forward(&scratch, &base, &mut tangents, &wanted)?;
        let Some(partial) = tangents[scratch.id(out).index()] else {
            continue;
        };
        let first = scratch.with_program(Program::clone);
        for j in (i..n).filter(|&j| active[j]) {
            let mut tangents = one_hot(j);
            tangents.resize(scratch.with_program(Program::value_count), None);
            let id = scratch.id(partial);
            let wanted = upstream(&first, std::iter::once(id));
            push_forward(&scratch, &first, &mut tangents, &wanted)?;
            if let Some(second) = tangents[id.index()] {
                let second = scratch.broadcast(second, result);
                found.push((i, j, scratch.id(second)));
            }
        }
    }
    let outputs = found
        .iter()
        .map(|(i, j, v)| (Arc::from(format!("{i} {j}")), *v))
        .collect();
    drop(args);
    let part = scratch.finish_ids(outputs)?;
    let map = b.graft(&part, program.nodes().len(), |name| {
        name.strip_prefix("second partial argument ")
            .and_then(|k| k.parse::<usize>().ok())
            .map(|k| b.sym(node.args[k]))
    })?;
    let mut out = vec![vec![None; n]; n];
    for (i, j, v) in found {
        out[i][j] = map[v.index()];
    }
    Ok(out)
}

impl HessianPlan {
    /// Plans the Hessian of the scalar output `of` with respect to the vector input `wrt`.
    ///
    /// # Errors
    /// [`Error::Refused`] if a node on the way has no sparse Jacobian or no second-order rule; a Hessian from directional derivatives works then.
    pub fn new(program: &Program, of: &str, wrt: &str) -> Result<Self> {
        let b = Builder::resume_without_shortcuts(program);
        let linear = LinearTerms::new(&b, program, of, wrt)?;
        let (n, tangents) = (linear.n, &linear.tangents);
        // Adjoints: cotangents of the tangents.
        let end = tangents[linear.output.index()].map(|t| b.id(t));
        let adjoints = super::reverse::cotangents(
            &b,
            &LinearPart::of(&linear.linear, linear.first),
            &[linear.seed],
            &[(end, Sym::from(1.0))],
        )?;
        let mut recorder = Recorder::new(&b);
        let mut seen: Vec<ValueId> = Vec::new();
        for (k, node) in program
            .nodes()
            .iter()
            .enumerate()
            .filter(|(k, _)| linear.wanted[*k])
        {
            let _ = k;
            let active: Vec<bool> = node
                .args
                .iter()
                .map(|a| tangents[a.index()].is_some())
                .collect();
            let bilinear = node.primitive.nature() == Nature::Linear
                && active.iter().filter(|a| **a).count() < 2
                && !divides_by(node, &active);
            if node.primitive.nature() == Nature::Structure || !active.contains(&true) || bilinear {
                continue;
            }
            let Some(tangent) = tangents[node.first.index()].and_then(Sym::value_id) else {
                continue;
            };
            let Some(adjoint) = adjoints.get(tangent) else {
                continue;
            };
            if seen.contains(&tangent) {
                continue;
            }
            seen.push(tangent);
            recorder.node(program, node, &active, adjoint, &linear)?;
        }
        recorder.finish(n)
    }

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

/// Whether a matrix is finite; an error where what was said about its variables is not so.
pub(super) fn finite(outcome: Outcome, transform: &'static str) -> Result<bool> {
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

/// Division by an active argument is not linear.
fn divides_by(node: &Node, active: &[bool]) -> bool {
    node.primitive.name() == "div" && active.get(1) == Some(&true)
}

impl<'b> Recorder<'b> {
    fn node(
        &mut self,
        program: &Program,
        node: &Node,
        active: &[bool],
        adjoint: Cotangent<'b>,
        linear: &LinearTerms<'b>,
    ) -> Result<()> {
        let b = self.b;
        let space = program.ty(node.first).space;
        let no = |message: &str| refused(program, node, message);
        let terms_of = |i: usize| -> Result<Vec<Term<'b>>> {
            match linear.of(node.args[i])? {
                Some(Terms::Sum(terms)) => Ok(terms),
                Some(Terms::Identity) => {
                    super::terms::spelled_out(b, &Terms::Identity, program.ty(node.args[i]).space)
                        .ok_or_else(|| no("parameters of unknown number"))
                }
                None => Err(no("its argument has no sparse Jacobian")),
            }
        };
        if node.primitive == prim::PROD {
            let terms = terms_of(0)?;
            let full = program.ty(node.args[0]).space;
            if terms.iter().any(|t| t.space != full || t.row.is_some()) || terms.len() != 1 {
                return Err(no("factors that depend on several parameters each"));
            }
            // P/(fᵢ fⱼ) for i ≠ j with vanishing factors replaced by a tiny one: exact to rounding, and no pair of an entry with itself is formed.
            let over = node.attrs.level("over").ok_or_else(|| no("no level"))?;
            let f = b.sym(node.args[0]);
            let f = f
                .compare(prim::compare::Compare::Eq, Sym::from(0.0))
                .select(Sym::from(1e-140), f);
            let product = f.prod(over);
            let term = Term {
                coefficient: Some(terms[0].coefficient.map_or(Sym::from(1.0) / f, |c| c / f)),
                ..terms[0]
            };
            return self
                .layer(adjoint.times(b, product), space, &[term], &[term], true)
                .ok_or_else(|| no("a space of unknown size"));
        }
        let pointwise = node.primitive.is_elementwise()
            || node
                .args
                .iter()
                .zip(active)
                .all(|(a, active)| !active || program.ty(*a).space.broadcasts_to(&space))
                && node.primitive.is_pointwise();
        if !pointwise {
            return Err(no("it has no second-order rule"));
        }
        let partials = second_partials(b, program, node, active)?;
        for (i, row) in partials.iter().enumerate() {
            for (j, partial) in row.iter().enumerate() {
                let Some(partial) = partial else { continue };
                let mut weight = adjoint.times(b, *partial);
                let at = program.ty(node.args[i]).space;
                if at != program.ty(node.args[j]).space {
                    return Err(no("arguments in different spaces"));
                }
                // An argument that is repeated along lanes: its weights add up.
                for level in space.iter().filter(|l| !at.contains(*l)) {
                    weight = weight.sum(level);
                }
                // A mixed pair stands for two; with equal Jacobians the update is symmetric and counts once.
                let (left, right) = (terms_of(i)?, terms_of(j)?);
                let equal = self.sum(&left, at) == self.sum(&right, at);
                let weight = if i != j && equal {
                    weight * 2.0
                } else {
                    weight
                };
                self.layer(weight, at, &left, &right, false)
                    .ok_or_else(|| no("a space of unknown size"))?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, n: usize) -> Result<HessianPlan> {
        let b = self.b;
        let mut outputs: Vec<(Arc<str>, ValueId)> = Vec::new();
        let mut index: HashMap<ValueId, usize> = HashMap::new();
        let put = |outputs: &mut Vec<(Arc<str>, ValueId)>,
                   index: &mut HashMap<ValueId, usize>,
                   s: Sym<'b>| {
            let id = b.id(s);
            *index.entry(id).or_insert_with(|| {
                outputs.push((Arc::from(format!("{}", id.0)), id));
                outputs.len() - 1
            })
        };
        let coefficients: Vec<Option<usize>> = self
            .spreads
            .iter()
            .map(|s| s.0.map(|c| put(&mut outputs, &mut index, c)))
            .collect();
        let layers: Vec<Layer> = self
            .layers
            .iter()
            .map(|&(w, left, right, distinct)| Layer {
                weight: put(&mut outputs, &mut index, w),
                left,
                right,
                distinct,
            })
            .collect();
        let mut structure: Vec<(Arc<str>, ValueId)> = Vec::new();
        let mut known: HashMap<ValueId, usize> = HashMap::new();
        let terms: Vec<TermOutputs> = self
            .spreads
            .iter()
            .zip(coefficients)
            .map(|(s, coefficient)| TermOutputs {
                coefficient,
                column: put(&mut structure, &mut known, s.1),
                row: s.2.map(|r| put(&mut structure, &mut known, r)),
            })
            .collect();
        let both = b.finish_ids(outputs.iter().chain(&structure).cloned().collect())?;
        let split = outputs.len();
        let part = |range: std::ops::Range<usize>| -> Result<Lowered> {
            let mut program = both.clone();
            program.outputs = both.outputs[range].to_vec();
            Lowered::new(super::bind(&super::prune(&program)?, &[])?)
        };
        let (sweep, structure) = (part(0..split)?, part(split..both.outputs.len())?);
        let memory = sweep.workspace();
        Ok(HessianPlan {
            sweep,
            memory,
            structure,
            terms,
            sums: self.sums,
            layers,
            updates: None,
            pairs: None,
            full: Vec::new(),
            order: Order::new(n, &[]),
            threads: 1,
        })
    }
}
