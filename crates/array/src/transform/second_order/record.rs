//! Terms and layers while they are collected, and the programs that they make.

use std::collections::HashMap;
use std::sync::Arc;

use super::order::Order;
use super::plan::{HessianPlan, Layer, TermOutputs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::Lowered;
use crate::program::ValueId;
use crate::space::Space;
use crate::transform::terms::{Term, spread};
use crate::transform::{bind, prune};

/// The terms and layers of a program.
pub(in crate::transform) struct Recorder<'b> {
    pub(super) b: &'b Builder,
    spreads: Vec<(Option<Sym<'b>>, Sym<'b>, Option<Sym<'b>>)>,
    sums: Vec<Vec<usize>>,
    layers: Vec<(Sym<'b>, usize, usize, bool)>,
}

impl<'b> Recorder<'b> {
    pub(in crate::transform) fn new(b: &'b Builder) -> Self {
        Self {
            b,
            spreads: Vec::new(),
            sums: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// The number of a list of terms, each spread over its elements in rows of `value`.
    pub(in crate::transform) fn sum(&mut self, terms: &[Term<'b>], value: Space) -> Option<usize> {
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

    pub(super) fn layer(
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

    pub(in crate::transform) fn finish(self, n: usize) -> Result<HessianPlan> {
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
            Lowered::new(bind(&prune(&program)?, &[])?)
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
