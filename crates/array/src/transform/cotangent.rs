//! Cotangents that remember where nothing is pulled back.
//!
//! `select` sends no cotangent to the side it does not take. A zero there is not enough: further back it meets slopes that may be infinite or NaN, `√x` at
//! negative x say, and 0·NaN is NaN. So the mask stays beside the cotangent: elementwise rules work on what it masks, and the mask is applied after them. Where
//! elements of other places meet (sums, gathers, two masks), it is applied before, and from there on an exact zero wins over any slope.

use pullback_ad::{Binary, Unary};

use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim::{self, binary::binary, masked_mul::masked_mul};
use crate::primitive::Call;
use crate::space::Space;

/// Where a cotangent is zero whatever it holds there.
#[derive(Clone, Copy)]
enum Guard<'b> {
    /// Nowhere.
    None,
    /// Where the mask is not `holds`.
    Mask { mask: Sym<'b>, holds: bool },
    /// Where it is exactly zero: some of its elements were masked.
    Zeros,
}

/// A cotangent of a value.
#[derive(Clone, Copy)]
pub(super) struct Cotangent<'b> {
    held: Sym<'b>,
    guard: Guard<'b>,
}

impl<'b> Cotangent<'b> {
    /// One that is what it holds.
    pub fn plain(held: Sym<'b>) -> Self {
        let guard = Guard::None;
        Self { held, guard }
    }

    /// The cotangent as a value.
    pub fn value(self) -> Sym<'b> {
        match self.guard {
            Guard::Mask { mask, holds: true } => mask.select(self.held, Sym::from(0.0)),
            Guard::Mask { mask, holds: false } => mask.select(Sym::from(0.0), self.held),
            Guard::None | Guard::Zeros => self.held,
        }
    }

    /// Its product with a factor, masked after it.
    pub fn times(self, b: &'b Builder, factor: Sym<'b>) -> Sym<'b> {
        let held = match self.guard {
            Guard::Zeros => masked_mul(b, self.held, factor),
            _ => self.held * factor,
        };
        Self { held, ..self }.value()
    }

    /// The sum of two cotangents of one value.
    pub fn plus(self, other: Self) -> Self {
        let guard = match (self.guard, other.guard) {
            (Guard::Mask { mask, holds }, Guard::Mask { mask: m, holds: h })
                if mask.value_id() == m.value_id() && holds == h =>
            {
                return Self {
                    held: self.held + other.held,
                    guard: self.guard,
                };
            }
            // Where one of them is not masked, what it meets is met.
            (Guard::None, _) | (_, Guard::None) => Guard::None,
            _ => Guard::Zeros,
        };
        Self {
            held: self.value() + other.value(),
            guard,
        }
    }

    /// Spread over `space`.
    pub fn broadcast(self, b: &'b Builder, space: Space) -> Self {
        let held = b.broadcast(self.held, space);
        Self { held, ..self }
    }

    /// What `select` sends to the side that it takes where the mask is `holds`.
    fn taken(self, mask: Sym<'b>, holds: bool) -> Self {
        let positive = |mask: Sym<'b>, holds: bool| if holds { mask } else { !mask };
        match self.guard {
            Guard::None => Self {
                guard: Guard::Mask { mask, holds },
                ..self
            },
            Guard::Mask { mask: m, holds: h } => Self {
                guard: Guard::Mask {
                    mask: positive(mask, holds) & positive(m, h),
                    holds: true,
                },
                ..self
            },
            Guard::Zeros => {
                let guard = Guard::Mask { mask, holds };
                Self {
                    held: Self { guard, ..self }.value(),
                    ..self
                }
            }
        }
    }
}

/// Cotangents of the arguments of a linear node that are flagged in `linear`, from those of its results.
///
/// # Errors
/// A primitive without a transpose.
pub(super) fn pull<'b>(
    b: &'b Builder,
    call: &Call<'_, 'b>,
    given: &[Option<Cotangent<'b>>],
    linear: &[bool],
) -> Result<Vec<Option<Cotangent<'b>>>> {
    let primitive = call.primitive;
    let alone = match given {
        [Some(only)] if primitive.is_elementwise() => Some(*only),
        _ => None,
    };
    if let (Some(c), true) = (alone, primitive == prim::SELECT) {
        let mask = call.args[0];
        let c = c.broadcast(b, mask.space());
        let side = |k: usize| linear[k].then(|| c.taken(mask, k == 1));
        return Ok(vec![None, side(1), side(2)]);
    }
    if let Some(c) = alone {
        let slope = |k: usize| call.args[k];
        let kept = |held| Cotangent { held, ..c };
        let product = |by| Some(kept(masked_mul(b, c.held, by)));
        // Zeros win by the product itself and not by a comparison: its derivative must not forget that a zero may move.
        match (c.guard, linear) {
            (Guard::Zeros, [true, false]) if primitive == binary(Binary::Mul) => {
                return Ok(vec![product(slope(1)), None]);
            }
            (Guard::Zeros, [false, true]) if primitive == binary(Binary::Mul) => {
                return Ok(vec![None, product(slope(0))]);
            }
            (Guard::Zeros, [true, false]) if primitive == binary(Binary::Div) => {
                return Ok(vec![product(slope(1).unary_op(Unary::Recip)), None]);
            }
            _ => {}
        }
        let pulled = primitive.transpose(b, call, &[Some(c.held)], linear)?;
        return Ok(pulled.into_iter().map(|p| p.map(kept)).collect());
    }
    let masked = |c: &Cotangent<'b>| !matches!(c.guard, Guard::None);
    let guard = if given.iter().flatten().any(masked) {
        Guard::Zeros
    } else {
        Guard::None
    };
    let values: Vec<Option<Sym<'b>>> = given.iter().map(|c| c.map(Cotangent::value)).collect();
    let pulled = primitive.transpose(b, call, &values, linear)?;
    let kept = |held| Cotangent { held, guard };
    Ok(pulled.into_iter().map(|p| p.map(kept)).collect())
}
