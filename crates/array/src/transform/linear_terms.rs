//! A program linearised in a vector of parameters, with the terms of every tangent: what Hessian and Jacobian plans begin with.

use super::forward::{Tangents, differentiable_input, push_forward, upstream};
use super::linear_part::stand_in;
use super::terms::{Terms, propagate};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::prim;
use crate::primitive::ill_formed;
use crate::program::{Program, ValueId};

pub(super) struct LinearTerms<'b> {
    /// Number of parameters.
    pub n: usize,
    /// The output that was asked for.
    pub output: ValueId,
    /// Nodes that the output depends on.
    pub wanted: Vec<bool>,
    pub tangents: Tangents<'b>,
    /// The program with its linear part, which starts at node `first`.
    pub linear: Program,
    pub first: usize,
    /// The tangent of the parameters.
    pub seed: ValueId,
    terms: Vec<Option<Terms<'b>>>,
    /// Values that depend on the parameters in a way that no terms say, and why: nothing may be computed from their other terms.
    refused: Vec<Option<Error>>,
}

impl<'b> LinearTerms<'b> {
    /// Linearises `program`, which `b` continues.
    ///
    /// # Errors
    /// Unknown names, parameters that are no vector of fixed length, a node without a JVP rule.
    pub fn new(b: &'b Builder, program: &Program, of: &str, wrt: &str) -> Result<Self> {
        let output = program.find_output(of).ok_or_else(|| Error::Unknown {
            kind: "output",
            name: of.into(),
            known: String::new(),
        })?;
        let theta = differentiable_input(program, wrt)?;
        let ty = program.ty(theta);
        let level = ty.space.last().filter(|_| ty.space.depth() == 1);
        let n = level.and_then(|l| program.level(l).len).ok_or_else(|| {
            let message = "sparse derivatives need a vector of parameters of fixed length";
            ill_formed("input", message)
        })?;
        let mut tangents: Tangents<'b> = vec![None; program.value_count()];
        let seed = stand_in(b, theta, ty);
        tangents[theta.index()] = Some(seed);
        let wanted = upstream(program, std::iter::once(output));
        push_forward(b, program, &mut tangents, &wanted)?;
        let linear = b.with_program(Program::clone);
        let mut found = Self {
            n,
            output,
            wanted,
            tangents,
            first: program.nodes().len(),
            seed: b.id(seed),
            terms: vec![None; linear.value_count()],
            refused: vec![None; linear.value_count()],
            linear,
        };
        found.propagate(b);
        Ok(found)
    }

    fn propagate(&mut self, b: &'b Builder) {
        self.terms[self.seed.index()] = Some(Terms::Identity);
        for node in &self.linear.nodes()[self.first..] {
            if node.primitive == prim::INPUT {
                continue;
            }
            let args: Vec<Option<Terms<'b>>> = node
                .args
                .iter()
                .map(|a| self.terms[a.index()].clone())
                .collect();
            let lost = node
                .args
                .iter()
                .find_map(|a| self.refused[a.index()].clone());
            let result = match lost {
                Some(error) => Err(error),
                None if args.iter().all(Option::is_none) => continue,
                None => propagate(b, &self.linear, node, &args),
            };
            match result {
                Ok(terms) => self.terms[node.first.index()] = Some(terms),
                // The linear tail below the last non-linear node needs no Jacobian: a refusal matters only where one is used.
                Err(error) => {
                    for r in node.results() {
                        self.refused[r.index()] = Some(error.clone());
                    }
                }
            }
        }
    }

    /// The terms of the tangent of a value of the program; none where it does not depend on the parameters.
    ///
    /// # Errors
    /// What could not be said in terms on the way to it.
    pub fn of(&self, value: ValueId) -> Result<Option<Terms<'b>>> {
        let Some(id) = self.tangents[value.index()].and_then(Sym::value_id) else {
            return Ok(None);
        };
        match &self.refused[id.index()] {
            Some(error) => Err(error.clone()),
            None => Ok(self.terms[id.index()].clone()),
        }
    }
}
