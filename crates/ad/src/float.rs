//! `f64` itself as a scalar: the primal evaluation.

use crate::custom::{CustomJvp, CustomVjp};
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::table::{BinaryRule, Family, UnaryRule};

impl Real for f64 {
    type Mask = bool;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn unary<F: UnaryRule>(self) -> Self {
        F::value(self)
    }

    #[inline(always)]
    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        F::value(self, other)
    }

    #[inline(always)]
    fn family(self, family: Family) -> Self {
        family.value(self)
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        crate::math::trig::sin_cos::<crate::isa::Portable>(self)
    }

    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self < other
    }

    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self <= other
    }

    #[inline(always)]
    fn gt(self, other: Self) -> bool {
        self > other
    }

    #[inline(always)]
    fn ge(self, other: Self) -> bool {
        self >= other
    }

    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        self
    }

    #[inline(always)]
    fn times_tangent(self, tangent: Self) -> Self {
        // Bit arithmetic: a select on the partial would become a branch, which ends vectorisation over the lanes.
        let keep = u64::from(self != 0.0) & u64::from(tangent != 0.0);
        Self::from_bits((self * tangent).to_bits() & keep.wrapping_neg())
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";
    const DIFFERENTIATED: bool = false;

    #[inline(always)]
    fn value(self) -> f64 {
        self
    }

    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error> {
        f.value(x, y)
    }

    fn custom_vjp<F: CustomVjp + Clone + 'static>(
        f: &F,
        x: &[Self],
        y: &mut [Self],
    ) -> Result<(), Error> {
        f.value(x, y)
    }
}
