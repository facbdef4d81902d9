//! Values that number elements from the start of a block, and what may be done with them.
//!
//! The index that a filter, a sort or a combination makes counts the elements of a level of the current block: what it gathers does not depend on how the stream
//! is cut, the numbers do. Lowering refuses a program in which they could be seen.

use super::plan::Phase;
use crate::attr::Data;
use crate::error::{Error, Result};
use crate::prim;
use crate::prim::compare::Compare;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, LevelKind};

/// Whether the elements of a level come block by block.
fn streamed(program: &Program, level: LevelId) -> bool {
    match program.level(level).kind {
        LevelKind::Stream => true,
        LevelKind::Ragged { parent, .. } => program.stream_root(&parent).is_some(),
        LevelKind::Dense | LevelKind::Batch => false,
    }
}

/// The integers of a constant, also of one that is broadcast.
fn constant(program: &Program, mut v: ValueId) -> Option<&[i64]> {
    loop {
        let node = program.node(v);
        if node.primitive == prim::SPLAT || node.primitive == prim::EXPAND {
            v = node.args[0];
        } else {
            return match node.attrs.data("data") {
                Some(Data::I64(d)) => Some(d),
                _ => None,
            };
        }
    }
}

/// Whether `index op x` is the same for all indices that are not negative.
fn tests_the_sign(op: Compare, x: i64) -> bool {
    match op {
        Compare::Ge | Compare::Lt => x <= 0,
        Compare::Gt | Compare::Le | Compare::Eq | Compare::Ne => x < 0,
    }
}

struct Positions<'p> {
    program: &'p Program,
    /// The level whose elements a value numbers from the start of a block.
    of: Vec<Option<LevelId>>,
}

impl Positions<'_> {
    fn name(&self, level: LevelId) -> &str {
        &self.program.level(level).name
    }

    fn refused(&self, v: ValueId, message: String) -> Error {
        Error::Refused {
            transform: "lowering",
            primitive: self.program.node(v).primitive.name(),
            label: self.program.label_of(v),
            message,
        }
    }

    fn nothing_found(&self, v: ValueId) -> bool {
        constant(self.program, v).is_some_and(|d| d.iter().all(|i| *i < 0))
    }

    /// Whether a comparison of argument `i` of a node, which numbers the elements of `level`, is the same for every cut.
    fn comparable(&self, node: &Node, i: usize, level: LevelId) -> bool {
        let op = Compare::ALL
            .into_iter()
            .find(|op| op.primitive() == node.primitive);
        let (Some(op), Some(&other)) = (op, node.args.get(1 - i.min(1))) else {
            return false;
        };
        if self.of[other.index()] == Some(level) {
            return true;
        }
        let op = if i == 0 { op } else { op.mirrored() };
        constant(self.program, other).is_some_and(|d| d.iter().all(|x| tests_the_sign(op, *x)))
    }

    /// The index of a gather along a level that comes block by block must be one that numbers its elements.
    fn check_index(&self, node: &Node) -> Result<()> {
        let Some(over) = node.attrs.level("over") else {
            return Ok(());
        };
        let index = node.args[1];
        let of = self.of[index.index()];
        if of == Some(over)
            || (of.is_none() && (!streamed(self.program, over) || self.nothing_found(index)))
        {
            return Ok(());
        }
        let over = self.name(over);
        Err(self.refused(
            node.first,
            match of {
                Some(level) => format!(
                    "the index numbers the elements of `{}`, but is used along `{over}`",
                    self.name(level)
                ),
                None => format!(
                    "along `{over}`, whose elements come block by block, an index must be made by a filter, a sort, a combination, `argmax` or `locate` (from numbers within a segment)"
                ),
            },
        ))
    }

    fn visit(&mut self, node: &Node) -> Result<()> {
        if node.primitive == prim::GATHER || node.primitive == prim::SCATTER_ADD {
            self.check_index(node)?;
        }
        for (i, &arg) in node.args.iter().enumerate() {
            let Some(level) = self.of[arg.index()] else {
                continue;
            };
            if node.primitive == prim::GATHER || node.primitive == prim::SCATTER_ADD {
                if i == 0 {
                    self.of[node.first.index()] = Some(level);
                }
            } else if node.primitive == prim::SPLAT || node.primitive == prim::EXPAND {
                self.of[node.first.index()] = Some(level);
            } else if node.primitive == prim::SELECT {
                let other = node.args[3 - i.clamp(1, 2)];
                if self.of[other.index()] != Some(level) && !self.nothing_found(other) {
                    return Err(self.refused(
                        node.first,
                        format!(
                            "chooses between an index along `{}` and something else",
                            self.name(level)
                        ),
                    ));
                }
                self.of[node.first.index()] = Some(level);
            } else if !self.comparable(node, i, level) {
                return Err(self.refused(
                    node.first,
                    format!(
                        "argument {i} numbers the elements of `{}` from the start of a block and would make the result depend on the size of blocks; the number of an element in its segment is `position(space, level).at(index)`",
                        self.name(level)
                    ),
                ));
            }
        }
        let numbered = node.primitive.numbers(self.program, node);
        if let Some(level) = numbered.filter(|l| streamed(self.program, *l)) {
            self.of[node.first.index()] = Some(level);
        }
        Ok(())
    }
}

/// Refuses a program whose results would depend on the size of blocks.
pub(super) fn check(program: &Program, phases: &[Phase]) -> Result<()> {
    let mut positions = Positions {
        program,
        of: vec![None; program.value_count()],
    };
    let mut nodes: Vec<u32> = phases
        .iter()
        .flat_map(|p| p.nodes.iter().copied())
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    for k in nodes {
        positions.visit(&program.nodes()[k as usize])?;
    }
    for (name, v) in program.outputs() {
        if let Some(level) = positions.of[v.index()] {
            return Err(positions.refused(
                *v,
                format!(
                    "output `{name}` would number the elements of `{}` from the start of a block, which depends on the size of blocks; write out `position(space, level).at(index)`, the number in the segment",
                    positions.name(level)
                ),
            ));
        }
    }
    Ok(())
}
