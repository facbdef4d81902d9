//! Simplification: the table of rewrites, equal nodes recorded once, constants folded, dead code removed.

use std::sync::Arc;

use super::bind::fold;
use super::prune;
use super::rebuild::level_of;
use super::rewrite::{record, translate};
use crate::attr::Attr;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim;
use crate::program::Program;
use crate::space::{LevelId, Space};
use crate::transform::width::inputs_first;
use crate::ty::Type;

/// Largest array that folding may add to a program, in elements.
pub(crate) const FOLD_LIMIT: usize = 1 << 16;

/// The same program with less work: rewrites that are exact in IEEE arithmetic, common subexpressions, constants, dead code.
///
/// The values are the same to the bit on the machine that simplifies, up to the payload of NaN: constants are folded with its kernels, whose last bit may
/// differ on another instruction set. Simplifying twice changes nothing more. Inputs stay, used or not, so that bindings keep their order; names of
/// values that disappear go to the values that take their place.
///
/// # Errors
/// A kernel that fails on constants.
///
/// # Example
/// ```
/// use pullback_array::{Builder, transform};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let (n, c) = (b.dense("n"), b.input("c", pullback_array::Space::SCALAR));
/// let x = b.input("x", n);
/// let y = -(-x) * c.broadcast(n).exp();
/// let program = b.finish(&[("y", y)]).unwrap();
/// let simple = transform::simplify(&program).unwrap();
/// // c is exponentiated once, not for each element.
/// let names: Vec<&str> = simple.nodes().iter().map(|n| n.primitive.name()).collect();
/// assert_eq!(names, ["input", "input", "exp", "splat", "mul"]);
/// ```
pub fn simplify(program: &Program) -> Result<Program> {
    let mut current = prune(program)?;
    // Each round removes nodes or moves them before a broadcast; a few suffice.
    for _ in 0..16 {
        let next = fold(&rewrite(&current)?, &[], FOLD_LIMIT)?;
        if next == current {
            break;
        }
        current = next;
    }
    // Rounds record inputs where they are first used.
    inputs_first(&mut current, program);
    Ok(current)
}

/// One pass of the table over all nodes.
fn rewrite(program: &Program) -> Result<Program> {
    let b = Builder::new();
    let outputs = {
        let mut copy = Copy {
            b: &b,
            program,
            levels: vec![None; program.levels().len()],
            map: Vec::new(),
        };
        copy.run()?;
        program
            .outputs()
            .iter()
            .map(|(name, v)| (Arc::clone(name), b.id(copy.map[v.index()])))
            .collect()
    };
    prune(&b.finish_ids(outputs)?)
}

struct Copy<'b, 'p> {
    b: &'b Builder,
    program: &'p Program,
    levels: Vec<Option<LevelId>>,
    map: Vec<Sym<'b>>,
}

impl Copy<'_, '_> {
    fn level(&mut self, old: LevelId) -> LevelId {
        level_of(self.b, self.program, &mut self.levels, &self.map, old)
    }

    fn run(&mut self) -> Result<()> {
        for node in self.program.nodes() {
            let mut attrs = translate(&node.attrs, |l| self.level(l));
            attrs.for_each_mut(|a| {
                if let Attr::Program(p) = a {
                    // A region is simplified on its own; one that can't be stays as it is.
                    if let Ok(simple) = simplify(p) {
                        *p = Arc::new(simple);
                    }
                }
            });
            let value = self.program.value(node.first);
            if node.primitive == prim::INPUT {
                let space: Space = attrs.space("to").unwrap_or(value.ty.space);
                let name = self
                    .program
                    .inputs()
                    .iter()
                    .find(|(_, v)| *v == node.first)
                    .map_or("", |(n, _)| n);
                self.map
                    .push(self.b.input_of(name, Type::new(value.ty.dtype, space)));
                continue;
            }
            let args: Vec<Sym<'_>> = node.args.iter().map(|a| self.map[a.index()]).collect();
            let results = self.b.labelled(value.label.clone(), || {
                if node.outputs == 1 {
                    vec![record(self.b, node.primitive, &args, attrs)]
                } else {
                    self.b.push(node.primitive, &args, attrs).all(self.b)
                }
            });
            if let Some(error) = self.b.failure() {
                return Err(error);
            }
            for (old, new) in node.results().zip(results) {
                self.b
                    .name_if_nameless(new, self.program.value(old).label.clone());
                self.map.push(new);
            }
        }
        Ok(())
    }
}
