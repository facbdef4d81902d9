//! The largest, the smallest, and what stands there: each element counts as often as it is a member and none before it is.

use pullback_ad::Real;

use super::rewrite::{Rewriter, SOFT};
use super::soft::{Pick, Soft, weigh};
use crate::build::Sym;
use crate::error::Result;
use crate::prim;
use crate::prim::extreme::{Arg, Extreme};
use crate::prim::sort::argsort;
use crate::program::Node;
use crate::space::LevelKind;
use crate::transform::surface::makes_index;
use crate::ty::DType;

impl<'b> Rewriter<'_, 'b> {
    /// Extremes along a level with degrees, and where they are; `None` for everything else.
    pub(super) fn extreme(&mut self, node: &Node) -> Result<Option<Soft<'b>>> {
        let is = |p| node.primitive == p;
        let value = Extreme::ALL.into_iter().find(|e| is(e.primitive()));
        let place = Arg::ALL.into_iter().find(|a| is(a.primitive()));
        let largest = match (value, place) {
            (Some(e), _) => e == Extreme::Max,
            (_, Some(a)) => a == Arg::Max,
            _ => return Ok(None),
        };
        let Some(over) = node.attrs.level("over") else {
            return Ok(None);
        };
        let member = self.soft_level(over)?;
        let (x, own) = match self.soft(node.args[0]) {
            Soft::Plain { .. } if member.is_none() => return Ok(None),
            Soft::Plain { value, .. } => (value, None),
            Soft::Missing {
                value,
                degree,
                worst,
            } if (worst < 0.0) == largest => (value, Some(degree)),
            _ => return self.refuse(node, SOFT),
        };
        if place.is_some() {
            // What it chooses by may move: then nothing is known but what it compared itself.
            self.no_other_decision(node)?;
        }
        let level = self.place(over)?.level();
        if level.is_none() || self.program.level(over).kind == LevelKind::Stream {
            return self.refuse(node, "an order of degrees over a whole stream is not known");
        }
        if x.space().last() != level {
            return self.refuse(node, SOFT);
        }
        let degree = member.map(|m| m.degree.broadcast(x.space()));
        let degree = match (degree, own) {
            (Some(a), Some(b)) => a * b,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Ok(None),
        };
        let pick = pick(x, degree, largest);
        if place.is_some() {
            return Ok(Some(Soft::Pick(pick)));
        }
        let worst = worst(largest);
        Ok(Some(Soft::plain(self.expected(
            pick.part,
            x.at(pick.order),
            worst,
        ))))
    }

    /// The mean of what stands at the first member, given that there is one; `none` where there is none.
    fn expected(&self, part: Sym<'b>, x: Sym<'b>, none: f64) -> Sym<'b> {
        let (total, sum) = (over_last(part), over_last(weigh(part, x, self.invalid)));
        let mut some = total.gt(Sym::from(SOME));
        if let Some(invalid) = self.invalid {
            some = some | invalid.broadcast(some.space());
        }
        some.select(sum / some.select(total, Sym::from(1.0)), Sym::from(none))
    }

    /// The same of numbers that may be missing, which are NaN: those that are known count.
    fn known(&self, part: Sym<'b>, x: Sym<'b>, none: f64) -> Sym<'b> {
        let (known, zero) = (x.eq(x), Sym::from(0.0));
        self.expected(known.select(part, zero), known.select(x, zero), none)
    }

    /// A gather of one element, where it is known to a degree.
    pub(super) fn picked(&mut self, node: &Node, pick: Pick<'b>) -> Result<Soft<'b>> {
        match self.soft(node.args[0]) {
            Soft::Identity => Ok(Soft::Pick(pick)),
            Soft::Plain { value, lattice } => {
                let level = node.attrs.level("over");
                let level = match level {
                    Some(level) => self.place(level)?.level(),
                    None => None,
                };
                let (Some(level), true) = (level, value.space().last() == level) else {
                    return self.refuse(node, SOFT);
                };
                let found = value.gather_over(level, pick.order);
                Ok(match value.dtype() {
                    DType::F64 => Soft::Plain {
                        value: self.known(pick.part, found, f64::NAN),
                        lattice,
                    },
                    // Nothing found is false: it holds where there is a member and it holds of that.
                    DType::Bool => Soft::Degree(over_last(pick.part * found.cast(DType::F64))),
                    // A place in another level: what is asked of it is asked of both.
                    _ if makes_index(self.program.node(node.args[0]).primitive) => {
                        Soft::Pick(Pick {
                            order: found,
                            ..pick
                        })
                    }
                    _ => Soft::Count(self.expected(pick.part, found.cast(DType::F64), -1.0)),
                })
            }
            Soft::Degree(w) => Ok(Soft::Degree(over_last(pick.part * w.at(pick.order)))),
            _ => self.refuse(node, SOFT),
        }
    }
}

/// What is less probable is none: a quotient by it, and by its square, has to be a number.
const SOME: f64 = 1e-100;

/// In the order of `x`: how probable it is that an element is the first member, P = wᵢ Πⱼ (1 − wⱼ) over those before it. NaN comes first, as an extreme is NaN.
fn pick<'b>(x: Sym<'b>, degree: Sym<'b>, largest: bool) -> Pick<'b> {
    let (zero, one, worst) = (Sym::from(0.0), Sym::from(1.0), Sym::from(worst(largest)));
    // What is worst of all is what a value that is missing is filled with.
    let filled = x.eq(worst);
    let order = argsort(x.eq(x).select(x, -worst), largest);
    let degree = filled.select(zero, degree).at(order);
    let part = match degree.space().last() {
        Some(level) => degree * prim::recurrence::prefix_prod(one - degree, level, false),
        None => degree,
    };
    Pick { order, part }
}

/// The sum along the innermost level.
fn over_last(x: Sym<'_>) -> Sym<'_> {
    x.space().last().map_or(x, |level| x.sum(level))
}

/// What an extreme of nothing is.
fn worst(largest: bool) -> f64 {
    if largest {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    }
}
