//! Surface terms of thresholds: what a jump contributes to a derivative, where the derivative of each single event has none.
//!
//! A sum F(θ) = Σᵢ f(xᵢ, H(mᵢ(θ))) over a sample with a step H has, beside the pathwise derivative, the derivative of the steps, Σᵢ δ(mᵢ)·dmᵢ·Δᵢ with
//! Δᵢ = f(xᵢ, 1) − f(xᵢ, 0): Reynolds' transport theorem, with the surface m = 0. A kernel Kₕ of width h in place of δ makes it an estimate
//! (Wang, Fu, Hu & Marcus 2012, <https://doi.org/10.1287/opre.1110.1018>; Hong 2009, <https://doi.org/10.1287/opre.1080.0531>).

use pullback_ad::isa::Isa;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::map::{Lane, select};
use crate::exec::{Kernel, LowerCx};
use crate::prim::binary::two_doubles;
use crate::prim::masked_mul::MaskedMul;
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::Type;

/// Zero, whose derivative is a weight times that of a margin: adds a surface term to what it is added to.
pub struct Surface;

/// A product whose first factor may not be differentiated.
pub struct FrozenMul;

struct Zero;

impl Lane for Zero {
    type A = f64;
    type B = f64;
    type C = ();
    type Out = f64;

    #[inline(always)]
    fn eval<I: Isa>(_: f64, _: f64, (): ()) -> f64 {
        0.0
    }
}

fn frozen<'b>(cx: &'b Builder, weight: Sym<'b>, tangent: Sym<'b>) -> Sym<'b> {
    cx.push(super::FROZEN_MUL, &[weight, tangent], Attrs::NONE)
        .first(cx)
}

impl Primitive for Surface {
    fn name(&self) -> &'static str {
        "surface"
    }

    fn doc(&self) -> &'static str {
        "Zero, with the derivative w·dm of a step of height Δ at margin m = 0 (argument 0) for the weight w = Kₕ(m)·Δ (argument 1)."
    }

    fn convention(&self) -> &'static str {
        "The value is 0 whatever the arguments, NaN too. The derivative is an estimate and of first order only: that of the weight is refused."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        two_doubles(self.name(), args)
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        // The tangent of the weight counts at second order only, where `frozen_mul` refuses it.
        Ok(vec![tangents[0].map(|t| frozen(cx, call.args[1], t))])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let isa = cx.isa();
        Ok(Kernel::Map(Box::new(move |mask| {
            select::<Zero>(isa, 2, mask)
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("beside a value", |s| {
                let n = s.b.dense("n");
                let x = s.f64("x", n, &[0.5, -0.25, 2.0]);
                let weight = s.b.constant_f64(&[1.5, -2.0, 0.0], n);
                x * x
                    + s.b
                        .push(super::SURFACE, &[x - 0.1, weight], Attrs::NONE)
                        .first(&s.b)
            }),
            Sample::special("NaN and infinity", &[0.0, 0.0], |s| {
                let n = s.b.dense("n");
                let m = s.f64("m", n, &[f64::NAN, 1.0]);
                let w = s.f64("w", n, &[1.0, f64::INFINITY]);
                s.b.push(super::SURFACE, &[m, w], Attrs::NONE).first(&s.b)
            }),
        ]
    }
}

impl Primitive for FrozenMul {
    fn name(&self) -> &'static str {
        "frozen_mul"
    }

    fn doc(&self) -> &'static str {
        "The product of a weight (argument 0), whose derivative is refused, and a value (argument 1)."
    }

    fn convention(&self) -> &'static str {
        "0·inf and 0·NaN are 0 where the zero is the weight: an element whose passing changes nothing has no surface term, whatever its margin does. A derivative of the weight is an error, not zero: it is an estimate whose derivative would be none."
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

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        if tangents[0].is_some() {
            return Err(Error::NotDifferentiable {
                primitive: self.name(),
                what: "second derivative",
                message: "a surface term of a threshold is an estimate of first order; differentiate the pathwise program again, or take differences".into(),
            });
        }
        Ok(vec![tangents[1].map(|t| frozen(cx, call.args[0], t))])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let pulled = cotangents[0].filter(|_| linear[1]);
        Ok(vec![None, pulled.map(|c| frozen(cx, call.args[0], c))])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        MaskedMul.lower(cx)
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("by a constant", |s| {
                let n = s.b.dense("n");
                let x = s.f64("x", n, &[0.5, -0.25, 2.0]);
                let weight = s.b.constant_f64(&[1.5, -2.0, 0.0], n);
                frozen(&s.b, weight, x * x)
            }),
            Sample::special("zeros that win", &[0.0, 0.0, f64::NAN, 6.0], |s| {
                let n = s.b.dense("n");
                let (inf, nan) = (f64::INFINITY, f64::NAN);
                let w = s.f64("w", n, &[0.0, 0.0, 1.0, 2.0]);
                let x = s.f64("x", n, &[inf, nan, nan, 3.0]);
                frozen(&s.b, w, x)
            }),
        ]
    }
}
