//! What a recorded value can do: arithmetic and elementary functions (it is a [`Real`]), comparisons, choices, reductions, gathers.

use pullback_ad::{
    Binary, BinaryRule, Family, Real, Unary, UnaryRule, impl_real_constant_operators,
    impl_real_operators,
};

use crate::attr::{Attr, Attrs, Data};
use crate::build::{Builder, Sym, builder_of};
use crate::prim::{self, cast::CAST, compare::Compare, logic::Logic};
use crate::primitive::ill_formed;
use crate::space::{LevelId, Space};
use crate::ty::DType;

impl_real_operators!(['b] Sym<'b>);
impl_real_constant_operators!(['b] Sym<'b>);

/// A recorded mask.
pub type SymMask<'b> = Sym<'b>;

macro_rules! logic {
    ($($op:ident, $method:ident, $logic:ident);*) => {$(
        impl std::ops::$op for Sym<'_> {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                match builder_of(&[self, other]) {
                    Some(b) => b.elementwise(Logic::$logic.primitive(), &[self, other]),
                    None => self,
                }
            }
        }
    )*};
}
logic!(BitAnd, bitand, And; BitOr, bitor, Or; BitXor, bitxor, Xor);

impl std::ops::Not for Sym<'_> {
    type Output = Self;

    fn not(self) -> Self {
        self.apply(Logic::Not.primitive(), Attrs::NONE)
    }
}

impl<'b> Real for Sym<'b> {
    type Mask = Sym<'b>;

    fn constant(value: f64) -> Self {
        Self::from(value)
    }

    fn unary<F: UnaryRule>(self) -> Self {
        self.unary_op(F::OP)
    }

    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        self.binary_op(F::OP, other)
    }

    fn family(self, family: Family) -> Self {
        self.family_op(family)
    }

    fn lt(self, other: Self) -> Self {
        self.compare(Compare::Lt, other)
    }

    fn le(self, other: Self) -> Self {
        self.compare(Compare::Le, other)
    }

    fn gt(self, other: Self) -> Self {
        self.compare(Compare::Gt, other)
    }

    fn ge(self, other: Self) -> Self {
        self.compare(Compare::Ge, other)
    }

    fn eq(self, other: Self) -> Self {
        self.compare(Compare::Eq, other)
    }

    fn select(mask: Self, a: Self, b: Self) -> Self {
        mask.select(a, b)
    }

    fn stop_gradient(self) -> Self {
        self.apply(prim::STOP_GRADIENT, Attrs::NONE)
    }
}

impl<'b> Sym<'b> {
    /// An elementary function of the table.
    pub fn unary_op(self, f: Unary) -> Self {
        match self.builder() {
            Some(_) => self.apply(prim::unary::unary(f), Attrs::NONE),
            None => Self::from(f.value(self.as_const().unwrap_or(f64::NAN))),
        }
    }

    /// A function of two arguments of the table. Identities that are exact in IEEE arithmetic are applied at once: x·1, x/1, x − 0.
    pub fn binary_op(self, f: Binary, other: Self) -> Self {
        let Some(b) = builder_of(&[self, other]) else {
            return Self::from(f.value(
                self.as_const().unwrap_or(f64::NAN),
                other.as_const().unwrap_or(f64::NAN),
            ));
        };
        let one = |s: Self| s.as_const() == Some(1.0);
        match f {
            Binary::Mul | Binary::Div if one(other) => return self.joined(b, other),
            Binary::Mul if one(self) => return other.joined(b, self),
            Binary::Sub if other.as_const().is_some_and(|c| c.to_bits() == 0) => {
                return self.joined(b, other);
            }
            Binary::Div if one(self) => return other.unary_op(Unary::Recip).joined(b, self),
            Binary::Mul if self.value_id().is_some() && self.value_id() == other.value_id() => {
                return self.unary_op(Unary::Square);
            }
            _ => {}
        }
        b.elementwise(prim::binary::binary(f), &[self, other])
    }

    /// This value in the space it shares with an operand that was simplified away.
    fn joined(self, b: &'b Builder, other: Self) -> Self {
        let space = b.common("broadcast", self.space(), other.space());
        b.broadcast(self, space)
    }

    /// A function with a constant parameter.
    pub fn family_op(self, f: Family) -> Self {
        match self.builder() {
            Some(_) => {
                let (primitive, attrs) = prim::family::family(f);
                self.apply(primitive, attrs)
            }
            None => Self::from(f.value(self.as_const().unwrap_or(f64::NAN))),
        }
    }

    /// A comparison; the mask remembers what it compared.
    pub fn compare(self, op: Compare, other: Self) -> Self {
        match builder_of(&[self, other]) {
            Some(b) => b.elementwise(op.primitive(), &[self, other]),
            None => self,
        }
    }

    /// `a` where this mask holds, else `b`.
    pub fn select(self, a: Self, b: Self) -> Self {
        match builder_of(&[self, a, b]) {
            Some(builder) => builder.elementwise(prim::SELECT, &[self, a, b]),
            None => a,
        }
    }

    /// The value without its derivative.
    pub fn stop_gradient(self) -> Self {
        self.apply(prim::STOP_GRADIENT, Attrs::NONE)
    }

    /// Conversion to another element type.
    pub fn cast(self, dtype: DType) -> Self {
        if self.dtype() == dtype {
            self
        } else {
            self.apply(CAST, Attrs::NONE.with("dtype", Attr::DType(dtype)))
        }
    }

    /// Sum along a level.
    pub fn sum(self, over: LevelId) -> Self {
        self.apply(prim::SUM, Attrs::over(over))
    }

    /// Sum along the innermost level.
    pub fn sum_last(self) -> Self {
        self.space().last().map_or(self, |l| self.sum(l))
    }

    /// Sum of everything.
    pub fn sum_all(self) -> Self {
        self.total(prim::total::EVERYTHING)
    }

    /// Sum of everything below the elements of `to`, the beginning of this value's path.
    pub fn total(self, to: Space) -> Self {
        if self.space() == to {
            self
        } else {
            self.apply(prim::TOTAL, Attrs::to(to))
        }
    }

    /// Elements at `index` along the outermost level.
    pub fn gather(self, index: Self) -> Self {
        match self.space().root() {
            Some(over) => self.gather_over(over, index),
            None => self,
        }
    }

    /// Elements at `index` along a level.
    pub fn gather_over(self, over: LevelId, index: Self) -> Self {
        match builder_of(&[self, index]) {
            Some(b) => b
                .push(prim::GATHER, &[self, index], Attrs::over(over))
                .first(b),
            None => self,
        }
    }

    /// Adds these values at `index` along the outermost level of `to`: the fill of a histogram.
    pub fn scatter_add(self, index: Self, to: Space) -> Self {
        match (builder_of(&[self, index]), to.root()) {
            (Some(b), Some(over)) => {
                let x = b.broadcast(self, index.space());
                b.push(
                    prim::SCATTER_ADD,
                    &[x, index],
                    Attrs::over(over).with("to", Attr::Space(to)),
                )
                .first(b)
            }
            (Some(b), None) => {
                b.fail(ill_formed(
                    "scatter_add",
                    "the target is a scalar; use `sum_all`",
                ));
                self
            }
            _ => self,
        }
    }
}

impl Builder {
    /// A constant integer.
    pub fn integer(&self, value: i64) -> Sym<'_> {
        self.constant(Data::I64([value].into()), Space::SCALAR)
    }
}
