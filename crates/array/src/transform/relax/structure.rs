//! Filters, combinations, gathers and repetitions: levels with degrees.

use super::rewrite::{Rewriter, SOFT};
use super::soft::{Place, Soft, SoftLevel};
use crate::attr::Attrs;
use crate::build::Sym;
use crate::error::Result;
use crate::prim::{self, combine};
use crate::program::{Node, ValueId};
use crate::space::{LevelId, LevelKind, Space};

impl<'b> Rewriter<'_, 'b> {
    /// Structure that carries degrees; `None` for everything else.
    pub(super) fn structure(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let is = |p| node.primitive == p;
        if is(prim::FILTER_OFFSETS) {
            return self.filter(node);
        }
        if is(prim::FILTER_INDEX) {
            let to = node.attrs.space("to").unwrap_or(Space::SCALAR);
            let soft = match to.last() {
                Some(level) => self.soft_level(level)?.is_some(),
                None => false,
            };
            return Ok(soft.then_some(Soft::Identity));
        }
        if is(prim::COMBINATION_OFFSETS) || is(prim::CARTESIAN_OFFSETS) {
            return self.combination(node);
        }
        if is(prim::COMBINATION_INDEX) || is(prim::CARTESIAN_INDEX) {
            return self.member(node);
        }
        if is(prim::GATHER) {
            return self.gather(node);
        }
        if is(prim::EXPAND) || is(prim::SPLAT) {
            return self.repeat(node);
        }
        Ok(None)
    }

    /// Levels that a value of type offsets describes.
    fn described(&self, offsets: ValueId) -> Vec<LevelId> {
        let describes = |k: &usize| matches!(self.program.levels()[*k].kind, LevelKind::Ragged { offsets: o, .. } if o == offsets);
        (0..self.program.levels().len())
            .filter(describes)
            .map(|k| LevelId(k as u16))
            .collect()
    }

    fn declare(&mut self, offsets: ValueId, soft: SoftLevel<'b>) -> Soft<'b> {
        for level in self.described(offsets) {
            self.places[usize::from(level.0)] = Some(Place::Soft(soft));
        }
        Soft::Members
    }

    /// A filter keeps every element, to a degree: that of its mask times that of the element in the level it is taken from.
    fn filter(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let mask = node.args[0];
        let space = self.program.ty(mask).space;
        let Some(level) = space.last() else {
            return Ok(None);
        };
        let outer = self.soft_level(level)?;
        if self.soft(mask).is_plain() && outer.is_none() {
            return Ok(None);
        }
        let Some(mut degree) = self.degree_of(mask) else {
            return self.refuse(node, SOFT);
        };
        let mut becomes = self.place(level)?.level();
        if let Some(outer) = outer {
            degree = outer.degree * degree;
        }
        if self.program.level(level).kind == LevelKind::Stream {
            // Elements of a stream keep themselves: the level of one or none is gone.
            becomes = None;
        }
        Ok(Some(
            self.declare(node.first, SoftLevel { becomes, degree }),
        ))
    }

    /// The offsets of the level that stands for the one that `offsets` describes, and its degrees.
    fn underlying(
        &mut self,
        node: &Node,
        offsets: ValueId,
    ) -> Result<(Sym<'b>, Option<SoftLevel<'b>>)> {
        if let Some(value) = self.soft(offsets).value() {
            return Ok((value, None));
        }
        let level = self.described(offsets).first().copied();
        let soft = match level {
            Some(level) => self.soft_level(level)?,
            None => None,
        };
        let below = soft.and_then(|s| s.becomes);
        let kind = below.map(|l| self.b.with_program(|p| p.level(l).kind));
        match (kind, soft) {
            (Some(LevelKind::Ragged { offsets, .. }), Some(soft)) => {
                Ok((self.b.sym(offsets), Some(soft)))
            }
            _ => self.refuse(
                node,
                "it combines the elements of a level with degrees that is not ragged",
            ),
        }
    }

    /// Combinations are members to the product of the degrees of theirs.
    fn combination(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        if node.args.iter().all(|v| self.soft(*v).is_plain()) {
            return Ok(None);
        }
        let sides = node
            .args
            .clone()
            .into_iter()
            .map(|v| self.underlying(node, v))
            .collect::<Result<Vec<_>>>()?;
        let name = self
            .described(node.first)
            .first()
            .map_or("combinations", |l| &self.program.level(*l).name);
        let (space, members) = match sides.as_slice() {
            [(offsets, _)] => {
                let n = node.attrs.int("n").unwrap_or(2) as usize;
                combine::combinations(self.b, *offsets, n, name)
            }
            [(left, _), (right, _)] => {
                let (space, l, r) = combine::cartesian(self.b, *left, *right, name);
                (space, vec![l, r])
            }
            _ => return Ok(None),
        };
        let mut degree: Option<Sym<'b>> = None;
        for (k, member) in members.iter().enumerate() {
            if let Some(soft) = sides[k.min(sides.len() - 1)].1 {
                let one = soft.degree.at(*member);
                degree = Some(degree.map_or(one, |d| d * one));
            }
        }
        let degree = degree.unwrap_or_else(|| self.b.broadcast(Sym::from(1.0), space));
        let becomes = space.last();
        Ok(Some(
            self.declare(node.first, SoftLevel { becomes, degree }),
        ))
    }

    /// The index of a member of each combination counts in the level that stands for the one it is taken from.
    fn member(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        if node.args.iter().all(|v| self.soft(*v).is_plain()) {
            return Ok(None);
        }
        let args = node
            .args
            .clone()
            .into_iter()
            .map(|v| self.underlying(node, v).map(|(o, _)| o))
            .collect::<Result<Vec<_>>>()?;
        let Some(attrs) = self.attrs(node)? else {
            return self.refuse(node, SOFT);
        };
        Ok(Some(Soft::plain(
            self.b.push(node.primitive, &args, attrs).first(self.b),
        )))
    }

    fn gather(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let (table, index) = (self.soft(node.args[0]), self.soft(node.args[1]));
        match (table, index) {
            (_, Soft::Pick(pick)) => self.picked(node, pick).map(Some),
            // What a filter keeps is everything.
            (_, Soft::Identity) => Ok(Some(table)),
            (Soft::Identity, Soft::Plain { .. }) => Ok(Some(index)),
            (Soft::Members | Soft::Bin(_), _) | (_, Soft::Count(_) | Soft::Bin(_)) => {
                self.refuse(node, SOFT)
            }
            (Soft::Plain { value, lattice }, Soft::Plain { .. }) => {
                let made = self.along(node, value)?;
                Ok(Some(Soft::Plain {
                    value: made,
                    lattice,
                }))
            }
            (soft, Soft::Plain { value: index, .. }) => {
                let (Soft::Degree(w) | Soft::Count(w)) = soft else {
                    return self.refuse(node, SOFT);
                };
                // Nothing found holds to no degree; of a count it is the missing number.
                let missing = if matches!(soft, Soft::Degree(_)) {
                    0.0
                } else {
                    -1.0
                };
                let made = self.along(node, w)?;
                let found = index.compare(prim::compare::Compare::Ge, self.b.integer(0));
                let found = found.broadcast(made.space());
                let made = found.select(made, Sym::from(missing));
                Ok(Some(soft.map(|_| made)))
            }
            _ => self.refuse(node, SOFT),
        }
    }

    /// A gather of another table by the index of the node.
    fn along(&mut self, node: &Node, table: Sym<'b>) -> Result<Sym<'b>> {
        let (Some(attrs), Some(index)) = (self.attrs(node)?, self.soft(node.args[1]).value())
        else {
            return self.refuse(node, SOFT);
        };
        Ok(self
            .b
            .push(prim::GATHER, &[table, index], attrs)
            .first(self.b))
    }

    fn repeat(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let Some(to) = node.attrs.space("to") else {
            return Ok(None);
        };
        if self.soft(node.args[0]).is_plain() && !self.has_soft(to)? {
            return Ok(None);
        }
        let to = self.space(to)?;
        let b = self.b;
        let repeat = |x: Sym<'b>| {
            if x.space() == to {
                x
            } else if node.primitive == prim::SPLAT {
                b.push(prim::SPLAT, &[x], Attrs::to(to)).first(b)
            } else {
                b.broadcast(x, to)
            }
        };
        match self.soft(node.args[0]) {
            Soft::Members | Soft::Identity | Soft::Pick(_) => self.refuse(node, SOFT),
            soft => Ok(Some(soft.map(repeat))),
        }
    }
}
