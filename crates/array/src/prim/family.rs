//! Functions of one argument with a constant parameter: integer powers, real powers, polygamma functions.

use pullback_ad::Family;
use pullback_ad::isa::Isa;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::prim::binary::same_space;
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// Which family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FamilyOp {
    /// `x^n`.
    Powi,
    /// `x^c`.
    Powf,
    /// `ψ⁽ⁿ⁾(x)`.
    Polygamma,
}

/// The primitive and its parameter for a member of a family.
pub fn family(f: Family) -> (PrimitiveRef, Attrs) {
    match f {
        Family::Powi(n) => (
            PrimitiveRef(&FamilyOp::Powi),
            Attrs::NONE.with("n", Attr::Int(i64::from(n))),
        ),
        Family::Powf(c) => (
            PrimitiveRef(&FamilyOp::Powf),
            Attrs::NONE.with("value", Attr::F64(c)),
        ),
        Family::Polygamma(n) => (
            PrimitiveRef(&FamilyOp::Polygamma),
            Attrs::NONE.with("n", Attr::Int(i64::from(n))),
        ),
    }
}

impl FamilyOp {
    fn member(self, attrs: &Attrs) -> Option<Family> {
        let n = attrs.int("n");
        match self {
            Self::Powi => n.and_then(|n| i32::try_from(n).ok()).map(Family::Powi),
            Self::Powf => attrs.f64("value").map(Family::Powf),
            Self::Polygamma => n.and_then(|n| u32::try_from(n).ok()).map(Family::Polygamma),
        }
    }
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn powi_body<I: Isa>(dst: &mut [f64], x: &[f64], n: i32) {
    for (d, x) in dst.iter_mut().zip(x) {
        *d = Family::Powi(n).value(*x);
    }
}

pullback_ad::multiversion! {
    fn powi_here, powi_at(dst: &mut [f64], x: &[f64], n: i32) = powi_body;
}

impl Primitive for FamilyOp {
    fn name(&self) -> &'static str {
        match self {
            Self::Powi => "powi",
            Self::Powf => "powf",
            Self::Polygamma => "polygamma",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Powi => "`x` to the constant integer power `n`, by repeated squaring.",
            Self::Powf => "`x` to the constant real power `value`.",
            Self::Polygamma => "The polygamma function ψ⁽ⁿ⁾(x), the (n+1)-th derivative of ln Γ.",
        }
    }

    fn convention(&self) -> &'static str {
        match self {
            Self::Powi => "x^0 is 1, also for NaN; the derivative of x^0 is 0.",
            Self::Powf => {
                "NaN for x < 0 unless the power is an integer; the derivative of x^0 is 0."
            }
            Self::Polygamma => "poles at 0, -1, -2, …",
        }
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, _program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        if self.member(attrs).is_none() {
            return Err(ill_formed(self.name(), "expects its constant parameter"));
        }
        same_space(self.name(), args, &[DType::F64]).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(member) = self.member(call.attrs) else {
            return Ok(vec![None]);
        };
        Ok(vec![
            tangents[0].map(|t| member.derivative(call.args[0]) * t),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let member = self
            .member(cx.attrs())
            .ok_or_else(|| ill_formed(self.name(), "expects its constant parameter"))?;
        Ok(match member {
            Family::Powi(n) => {
                let _ = powi_here;
                let kernel = powi_at(cx.isa());
                Kernel::Run(Box::new(move |io: &Io<'_>| {
                    kernel(io.out::<f64>(0), io.arg::<f64>(0), n);
                    Ok(())
                }))
            }
            _ => Kernel::Run(Box::new(move |io: &Io<'_>| {
                for (d, x) in io.out::<f64>(0).iter_mut().zip(io.arg::<f64>(0)) {
                    *d = member.value(*x);
                }
                Ok(())
            })),
        })
    }

    fn samples(&self) -> Vec<Sample> {
        let members = match self {
            Self::Powi => [Family::Powi(3), Family::Powi(-2), Family::Powi(0)],
            Self::Powf => [Family::Powf(2.5), Family::Powf(-0.5), Family::Powf(0.0)],
            Self::Polygamma => [
                Family::Polygamma(1),
                Family::Polygamma(2),
                Family::Polygamma(3),
            ],
        };
        members
            .into_iter()
            .map(|m| {
                Sample::generic("positive arguments", move |s| {
                    s.f64("x", s.b.dense("n"), &[0.3, 1.7, 2.0, 8.5])
                        .family_op(m)
                })
            })
            .chain([Sample::special(
                "NaN",
                &[members[0].value(f64::NAN)],
                move |s| {
                    s.f64("x", s.b.dense("n"), &[f64::NAN])
                        .family_op(members[0])
                },
            )])
            .collect()
    }
}
