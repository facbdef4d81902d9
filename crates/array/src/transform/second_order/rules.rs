//! Which layers a node has, and those of a program.

use super::partials::second_partials;
use super::plan::HessianPlan;
use super::record::Recorder;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::prim;
use crate::primitive::Nature;
use crate::program::{Node, Program, ValueId};
use crate::transform::cotangent::Cotangent;
use crate::transform::linear_part::LinearPart;
use crate::transform::linear_terms::LinearTerms;
use crate::transform::reverse::cotangents;
use crate::transform::terms::{Term, Terms, spelled_out};

fn refused(program: &Program, node: &Node, message: &str) -> Error {
    Error::Refused {
        transform: "Hessian by layers",
        primitive: node.primitive.name(),
        label: program.label_of(node.first),
        message: message.into(),
    }
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
        let adjoints = cotangents(
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
                    spelled_out(b, &Terms::Identity, program.ty(node.args[i]).space)
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
}
