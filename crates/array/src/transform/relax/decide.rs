//! Comparisons, logic, choices: decisions and what is made of them at once.

use pullback_ad::Real;

use super::decisions::Decision;
use super::rewrite::Rewriter;
use super::soft::{Soft, SoftBin, weigh};
use crate::build::Sym;
use crate::error::Result;
use crate::prim;
use crate::prim::compare::Compare;
use crate::prim::logic::Logic;
use crate::program::{Node, ValueId};
use crate::ty::DType;

impl<'b> Rewriter<'_, 'b> {
    /// Relaxed decisions and logic of them; `None` for everything else.
    pub(super) fn decision(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let is = |p| node.primitive == p;
        if let Some(op) = Compare::ALL.into_iter().find(|op| is(op.primitive())) {
            return self.comparison(node, op);
        }
        if is(prim::BIN_INDEX) {
            return self.bin(node);
        }
        if let Some(op) = Logic::ALL.into_iter().find(|op| is(op.primitive())) {
            return self.logic(node, op);
        }
        if is(prim::SELECT) {
            return self.choice(node);
        }
        Ok(None)
    }

    fn label(&self, v: ValueId) -> Option<&str> {
        self.program.value(v).label.as_deref()
    }

    /// The width of a decision.
    fn width(&mut self, v: ValueId, counts: bool) -> Result<Sym<'b>> {
        if let Some(found) = &mut self.found {
            found.push(Decision { value: v, counts });
            return Ok(Sym::from(1.0));
        }
        let width = self.policy.width(self.b, v, self.label(v))?;
        if width.as_const().is_none() {
            let invalid = width.compare(Compare::Ne, width);
            self.invalid = Some(match self.invalid {
                Some(known) if known.value_id() != invalid.value_id() => known | invalid,
                _ => invalid,
            });
        }
        Ok(width)
    }

    /// A number for the margin: a double, or a count of members.
    fn number(&self, v: ValueId) -> Option<Sym<'b>> {
        match self.soft(v) {
            Soft::Plain { value, .. } if value.dtype() == DType::I64 => {
                Some(value.cast(DType::F64))
            }
            Soft::Plain { value, .. } => Some(value),
            Soft::Count(n) => Some(n),
            _ => None,
        }
    }

    /// A constant whole number, or a count.
    fn is_whole(&self, v: ValueId) -> bool {
        match self.soft(v) {
            Soft::Plain { lattice: true, .. } | Soft::Count(_) => true,
            Soft::Plain { value, .. } => {
                value.dtype() == DType::I64 || value.as_const().is_some_and(|c| c.fract() == 0.0)
            }
            _ => false,
        }
    }

    fn comparison(&mut self, node: &Node, op: Compare) -> Result<Option<Soft<'b>>> {
        let (a, c) = (node.args[0], node.args[1]);
        let lattice = self.soft(a).is_lattice() || self.soft(c).is_lattice();
        let soft = |v| self.soft(v);
        if soft(a).is_plain() && soft(c).is_plain() {
            let taken = self.takes(node);
            let integers = self.program.ty(a).dtype == DType::I64;
            if !taken || (integers && !lattice) {
                return Ok(None);
            }
        } else if self.policy.keeps(self.label(node.first)) {
            return self.refuse(
                node,
                "it is to stay hard, but compares what is relaxed; keep that hard too, or relax it",
            );
        }
        let (Some(x), Some(y)) = (self.number(a), self.number(c)) else {
            return self.refuse(node, super::rewrite::SOFT);
        };
        // Between whole numbers the threshold lies half way.
        let whole = lattice && self.is_whole(a) && self.is_whole(c);
        let half = Sym::from(if whole { 0.5 } else { 0.0 });
        let margin = match op {
            Compare::Gt => x - y - half,
            Compare::Ge => x - y + half,
            Compare::Lt => y - x - half,
            Compare::Le => y - x + half,
            Compare::Eq if whole => -(x - y).abs() + half,
            Compare::Ne if whole => (x - y).abs() - half,
            Compare::Eq | Compare::Ne => {
                return self.refuse(
                    node,
                    "equality of doubles has no degree; keep it hard with `Relaxation::hard`",
                );
            }
        };
        let width = self.width(node.first, lattice)?;
        Ok(Some(Soft::Degree(
            self.policy.smoothing().apply(margin / width),
        )))
    }

    fn bin(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        if !self.takes(node) {
            return Ok(None);
        }
        let (Some(x), Some(edges)) = (
            self.soft(node.args[0]).value(),
            self.soft(node.args[1]).value(),
        ) else {
            return self.refuse(node, super::rewrite::SOFT);
        };
        if edges.space().depth() != 1 {
            return self.refuse(node, "its edges have lanes");
        }
        Ok(Some(Soft::Bin(SoftBin {
            x,
            edges,
            width: self.width(node.first, false)?,
            flow: node.attrs.int("flow").unwrap_or(0),
        })))
    }

    /// The degree of a mask, hard or soft.
    pub(super) fn degree_of(&self, v: ValueId) -> Option<Sym<'b>> {
        match self.soft(v) {
            Soft::Degree(w) => Some(w),
            Soft::Plain { value, .. } if value.dtype() == DType::Bool => {
                Some(value.cast(DType::F64))
            }
            _ => None,
        }
    }

    fn logic(&mut self, node: &Node, op: Logic) -> Result<Option<Soft<'b>>> {
        if node.args.iter().all(|v| self.soft(*v).is_plain()) {
            return Ok(None);
        }
        let degrees: Option<Vec<Sym<'b>>> = node.args.iter().map(|v| self.degree_of(*v)).collect();
        let one = Sym::from(1.0);
        let not = |w: Sym<'b>| one - w;
        Ok(Some(Soft::Degree(match (op, degrees.as_deref()) {
            (Logic::Not, Some([x])) => not(*x),
            (Logic::And, Some([x, y])) => *x * *y,
            (Logic::Or, Some([x, y])) => not(not(*x) * not(*y)),
            (Logic::Xor, Some([x, y])) => *x * not(*y) + *y * not(*x),
            _ => return self.refuse(node, super::rewrite::SOFT),
        })))
    }

    fn choice(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        if node.args.iter().all(|v| self.soft(*v).is_plain()) {
            let lattice = node.args[1..].iter().all(|v| self.soft(*v).is_lattice());
            let made = self.again(node)?[0];
            return Ok(Some(match made {
                Soft::Plain { value, .. } => Soft::Plain { value, lattice },
                other => other,
            }));
        }
        let whole = self.program.ty(node.first).dtype == DType::I64;
        let (Some(w), Some(x), Some(y)) = (
            self.degree_of(node.args[0]),
            self.number(node.args[1]),
            self.number(node.args[2]),
        ) else {
            return self.refuse(node, super::rewrite::SOFT);
        };
        // An index between two indices is none; numbers of something may be mixed.
        let counts = node.args[1..].iter().all(|v| {
            matches!(self.soft(*v), Soft::Count(_)) || self.program.node(*v).primitive == prim::DATA
        });
        if whole && !counts {
            return self.refuse(
                node,
                "an integer that is neither a count nor a constant cannot be mixed by degrees",
            );
        }
        // Between a number and what loses against all others nothing can be mixed; the extreme that asks for it can.
        for (kept, filled, degree) in [(x, y, w), (y, x, Sym::from(1.0) - w)] {
            if let Some(worst) = filled.as_const().filter(|c| c.is_infinite()) {
                let value = kept.broadcast(w.space());
                return Ok(Some(Soft::Missing {
                    value,
                    degree,
                    worst,
                }));
            }
        }
        let mixed = weigh(w, x, self.invalid) + weigh(Sym::from(1.0) - w, y, self.invalid);
        Ok(Some(if whole {
            Soft::Count(mixed)
        } else {
            Soft::plain(mixed)
        }))
    }
}
