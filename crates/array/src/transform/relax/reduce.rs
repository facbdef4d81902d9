//! Sums, counts, quantifiers and fills: where degrees are spent.

use pullback_ad::Real;

use super::rewrite::{Rewriter, SOFT};
use super::soft::{Soft, SoftBin, weigh};
use crate::attr::Attrs;
use crate::build::Sym;
use crate::error::Result;
use crate::prim::quantify::Quantify;
use crate::prim::{self, contract};
use crate::program::Node;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::DType;

impl<'b> Rewriter<'_, 'b> {
    /// Reductions that spend degrees; `None` for everything else.
    pub(super) fn reduction(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let is = |p| node.primitive == p;
        if is(prim::SUM) || is(prim::TOTAL) {
            return self.sum(node);
        }
        if is(prim::PROD) {
            return self.product(node);
        }
        if is(prim::SCATTER_ADD) {
            return self.fill(node);
        }
        if is(prim::CONTRACT) {
            return self.contraction(node);
        }
        if is(prim::COUNTS) {
            return self.counts(node);
        }
        match Quantify::ALL.into_iter().find(|q| is(q.primitive())) {
            Some(q) => self.quantify(node, q),
            None => Ok(None),
        }
    }

    /// Levels of the argument that are not on the path of the result.
    fn spent(&self, node: &Node, arg: usize) -> Vec<LevelId> {
        let (from, to) = (
            self.program.ty(node.args[arg]).space,
            self.program.ty(node.first).space,
        );
        from.iter().filter(|l| !to.contains(*l)).collect()
    }

    /// An argument times the degree of what is spent, or nothing if that is not soft.
    fn weighed(&mut self, node: &Node, arg: usize) -> Result<Option<Sym<'b>>> {
        let levels = self.spent(node, arg);
        let Some(degree) = self.degree(levels.into_iter())? else {
            return Ok(None);
        };
        match self.soft(node.args[arg]).value() {
            Some(x) => Ok(Some(weigh(degree.broadcast(x.space()), x, self.invalid))),
            None => self.refuse(node, SOFT),
        }
    }

    fn sum(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let soft = self.soft(node.args[0]);
        let Some(x) = self.weighed(node, 0)? else {
            return match soft {
                // The sum of whole numbers is one.
                Soft::Plain { lattice: true, .. } => {
                    let made = self.again(node)?[0].value();
                    Ok(made.map(|value| Soft::Plain {
                        value,
                        lattice: true,
                    }))
                }
                Soft::Plain { .. } => Ok(None),
                _ => self.refuse(node, SOFT),
            };
        };
        let to = self.space(self.program.ty(node.first).space)?;
        let value = sum_to(x, to);
        Ok(Some(Soft::Plain {
            value,
            lattice: soft.is_lattice(),
        }))
    }

    /// Π (1 + w(x − 1)): what the product is on average where each element is a member with probability w and the others count for nothing, which is the
    /// generating function of independent trials (Feller, *An Introduction to Probability Theory and Its Applications* I, 3rd ed., chapter XI.6, at one x). Of
    /// masks it is the rule of `all`, and where the degrees are 0 and 1 the product of the members.
    fn product(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let levels = self.spent(node, 0);
        let soft = self.soft(node.args[0]);
        let Some(degree) = self.degree(levels.into_iter())? else {
            return match soft {
                Soft::Plain { .. } => Ok(None),
                _ => self.refuse(node, SOFT),
            };
        };
        let Some(x) = soft.value() else {
            return self.refuse(node, SOFT);
        };
        let over = node.attrs.level("over");
        if over.is_some_and(|l| self.program.level(l).kind == LevelKind::Stream) {
            return self.refuse(
                node,
                "a product of degrees over a whole stream is not known",
            );
        }
        let to = self.space(self.program.ty(node.first).space)?;
        let one = Sym::from(1.0);
        let mut x = weigh(degree.broadcast(x.space()), x - one, self.invalid) + one;
        for level in x.space().iter().rev().collect::<Vec<_>>() {
            if !to.contains(level) {
                x = x.prod(level);
            }
        }
        Ok(Some(Soft::plain(x)))
    }

    fn contraction(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let Some(x) = self.weighed(node, 0)? else {
            return Ok(None);
        };
        let Some(y) = self.soft(node.args[1]).value() else {
            return self.refuse(node, SOFT);
        };
        let to = self.space(self.program.ty(node.first).space)?;
        Ok(Some(Soft::plain(contract::contract(x, y, to))))
    }

    fn counts(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        if self.soft(node.args[0]).is_plain() {
            return Ok(None);
        }
        let offsets = node.args[0];
        let describes = |l: &&crate::space::Level| matches!(l.kind, LevelKind::Ragged { offsets: o, .. } if o == offsets);
        let level = self.program.levels().iter().position(|l| describes(&l));
        let soft = match level {
            Some(k) => self.soft_level(LevelId(k as u16))?,
            None => None,
        };
        let to = self.space(self.program.ty(node.first).space)?;
        match soft {
            Some(soft) => Ok(Some(Soft::Count(sum_to(soft.degree, to)))),
            None => self.refuse(node, SOFT),
        }
    }

    fn quantify(&mut self, node: &Node, q: Quantify) -> Result<Option<Soft<'b>>> {
        let Some(over) = node.attrs.level("over") else {
            return Ok(None);
        };
        let member = self.soft_level(over)?;
        if self.soft(node.args[0]).is_plain() && member.is_none() {
            return Ok(None);
        }
        let Some(w) = self.degree_of(node.args[0]) else {
            return self.refuse(node, SOFT);
        };
        let member = member.map(|m| m.degree.broadcast(w.space()));
        let both = |w: Sym<'b>| member.map_or(w, |m| m * w);
        let to = self.space(self.program.ty(node.first).space)?;
        let one = Sym::from(1.0);
        if q == Quantify::Count {
            return Ok(Some(Soft::Count(sum_to(both(w), to))));
        }
        if self.program.level(over).kind == LevelKind::Stream {
            return self.refuse(
                node,
                "a product of degrees over a whole stream is not known",
            );
        }
        let product = |x: Sym<'b>| {
            if x.space() == to {
                return x;
            }
            let last = x.space().iter().find(|l| !to.contains(*l));
            last.map_or(x, |l| x.prod(l))
        };
        Ok(Some(Soft::Degree(match q {
            Quantify::Any => one - product(one - both(w)),
            _ => product(one - both(one - w)),
        })))
    }

    /// A fill: elements count by their degrees; at a soft index each spreads over the bins.
    fn fill(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let program = self.program;
        let to = node.attrs.space("to").unwrap_or(Space::SCALAR);
        let index_space = program.ty(node.args[1]).space;
        // Levels of the index that are summed over: not those before the level that is filled.
        let spent: Vec<LevelId> = index_space.iter().filter(|l| !to.contains(*l)).collect();
        let degree = self.degree(spent.into_iter())?;
        let Some(x) = self.soft(node.args[0]).value() else {
            return self.refuse(node, SOFT);
        };
        let weighed = degree.map_or(x, |d| weigh(d.broadcast(x.space()), x, self.invalid));
        match self.soft(node.args[1]) {
            Soft::Plain { .. } if degree.is_none() => Ok(None),
            Soft::Plain { value: index, .. } => {
                let Some(attrs) = self.attrs(node)? else {
                    return self.refuse(node, SOFT);
                };
                let made = self
                    .b
                    .push(prim::SCATTER_ADD, &[weighed, index], attrs)
                    .first(self.b);
                Ok(Some(Soft::plain(made)))
            }
            Soft::Bin(bin) => {
                let to = self.space(to)?;
                if to.depth() != 1 || x.space() != bin.x.space() {
                    return self.refuse(node, "a soft fill is known for histograms of one axis and one weight per element");
                }
                let spread = self.spread(bin, to);
                Ok(Some(Soft::plain(contract::contract(weighed, spread, to))))
            }
            _ => self.refuse(node, SOFT),
        }
    }

    /// The part of each value that falls into each bin: `values > bins`.
    fn spread(&self, bin: SoftBin<'b>, bins: Space) -> Sym<'b> {
        let b = self.b;
        let path = b.join(bin.x.space(), bins);
        let over = bins.last();
        let number = over.map_or(bin.x, |l| b.position(bins, l).cast(DType::F64));
        let edges = bin.edges;
        let ones = edges.space().last().map_or(edges, |l| {
            b.position(edges.space(), l).cast(DType::F64) * 0.0 + 1.0
        });
        let last = (ones.sum_all() - 1.0).broadcast(bins);
        // Bin k lies between edges k + first and k + first + 1. Where there is no edge, or it is infinite, everything lies on one side of it: the distribution
        // function is a constant there, and no infinity reaches a derivative.
        let first = if bin.flow == 2 { -1.0 } else { 0.0 };
        let (zero, one) = (Sym::from(0.0), Sym::from(1.0));
        let clamp = bin.flow == 1;
        let below = |k: Sym<'b>, upper: bool| {
            let (least, most) = (k.le(zero), k.ge(last));
            let known = match (clamp, upper) {
                (true, true) => !most,
                (true, false) => !least,
                (false, _) => k.ge(zero) & k.le(last),
            };
            let index = k.cast(DType::I64);
            let index = known.select(index, b.integer(-1).broadcast(bins));
            let edge = edges.gather(index);
            let finite = known & edge.abs().lt(Sym::from(f64::INFINITY));
            let beyond = edge.gt(zero) | (!known & k.gt(zero));
            let u = (finite.select(edge, zero).broadcast(path) - bin.x.broadcast(path)) / bin.width;
            let part = self.policy.smoothing().apply(u);
            let constant = beyond.select(one, zero).broadcast(path);
            finite.broadcast(path).select(part, constant)
        };
        let low = below(number + first, false);
        let high = below(number + (first + 1.0), true);
        let part = high - low;
        // A value that is not a number falls nowhere, but for the overflow of counted bins.
        let x = bin.x.broadcast(path);
        let nowhere = if bin.flow == 2 {
            let overflow = number.gt(last).select(one, zero);
            overflow.broadcast(path)
        } else {
            zero
        };
        x.eq(x).select(part, nowhere)
    }
}

/// The sum of everything that is not on the path `to`, inner levels first.
fn sum_to(mut x: Sym<'_>, to: Space) -> Sym<'_> {
    if x.space().prefix(to.depth()) == to {
        return x.total(to);
    }
    for level in x.space().iter().rev().collect::<Vec<_>>() {
        if !to.contains(level) {
            x = x.apply(prim::SUM, Attrs::over(level));
        }
    }
    x
}
