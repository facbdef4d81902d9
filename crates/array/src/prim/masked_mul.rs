//! The product of a cotangent and a slope in which an exact zero of the first wins: what is not pulled back meets no slope, not even an infinite one.

use pullback_ad::isa::Isa;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::map::{Lane, select};
use crate::exec::{Kernel, LowerCx};
use crate::prim::binary::{join, two_doubles};
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::Type;

/// a·b, and 0 where a is exactly 0.
pub struct MaskedMul;

struct Product;

impl Lane for Product {
    type A = f64;
    type B = f64;
    type C = ();
    type Out = f64;

    #[inline(always)]
    fn eval<I: Isa>(a: f64, b: f64, (): ()) -> f64 {
        if a == 0.0 { 0.0 } else { a * b }
    }
}

/// Records the product of `a`, whose zeros win, and `b`.
pub(crate) fn masked_mul<'b>(cx: &'b Builder, a: Sym<'b>, b: Sym<'b>) -> Sym<'b> {
    cx.elementwise(super::MASKED_MUL, &[a, b])
}

impl Primitive for MaskedMul {
    fn name(&self) -> &'static str {
        "masked_mul"
    }

    fn doc(&self) -> &'static str {
        "The product of a cotangent (argument 0) and a slope (argument 1): a·b, and 0 where a is exactly 0."
    }

    fn convention(&self) -> &'static str {
        "0·inf and 0·NaN are 0 where the zero is that of argument 0, in derivatives too; a zero of argument 1 follows IEEE 754."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        two_doubles(self.name(), args)
    }

    /// Both terms, also where a is 0: there the product is still linear in a, with the slope b.
    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (a, b) = (call.args[0], call.args[1]);
        Ok(vec![join(
            tangents[0].map(|t| masked_mul(cx, t, b)),
            tangents[1].map(|t| masked_mul(cx, a, t)),
        )])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (a, b) = (call.args[0], call.args[1]);
        let pulled = |k: usize| cotangents[0].filter(|_| linear[k]);
        Ok(vec![
            pulled(0).map(|c| masked_mul(cx, c, b)),
            pulled(1).map(|c| masked_mul(cx, a, c)),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let isa = cx.isa();
        Ok(Kernel::Map(Box::new(move |mask| {
            select::<Product>(isa, 2, mask)
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a product", |s| {
                let n = s.b.dense("n");
                let a = s.f64("a", n, &[0.5, -0.25, 2.0, 3.0]);
                let b = s.f64("b", n, &[1.5, -2.0, 0.3, 1.0]);
                masked_mul(&s.b, a, b)
            }),
            Sample::special(
                "zeros that win and zeros that do not",
                &[0.0, 0.0, f64::NAN, f64::NAN, 6.0],
                |s| {
                    let n = s.b.dense("n");
                    let (inf, nan) = (f64::INFINITY, f64::NAN);
                    let a = s.f64("a", n, &[0.0, -0.0, inf, 1.0, 2.0]);
                    let b = s.f64("b", n, &[inf, nan, 0.0, nan, 3.0]);
                    masked_mul(&s.b, a, b)
                },
            ),
        ]
    }
}
