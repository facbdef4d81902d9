//! The value without its derivative.

use pullback_ad::isa::Isa;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::map::{Lane, select_arrays};
use crate::exec::{Kernel, LowerCx};
use crate::prim::binary::same_space;
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// A barrier for derivatives.
pub struct StopGradient;

struct Identity;

impl Lane for Identity {
    type A = f64;
    type B = ();
    type C = ();
    type Out = f64;

    #[inline(always)]
    fn eval<I: Isa>(a: f64, (): (), (): ()) -> f64 {
        a
    }
}

impl Primitive for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }

    fn doc(&self) -> &'static str {
        "Its argument, as a constant to every order of differentiation."
    }

    fn convention(&self) -> &'static str {
        "The derivative is zero because the user asked for it; the audit lists it as such."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        same_space(self.name(), args, &[DType::F64]).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        _call: &Call<'_, 'b>,
        _tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![None])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let isa = cx.isa();
        Ok(Kernel::Map(Box::new(move |mask| {
            select_arrays::<Identity>(isa, mask)
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("beside a derivative", |s| {
                let x = s.f64("x", s.b.dense("n"), &[2.0, -1.5]);
                x * x.stop_gradient()
            }),
            Sample::special("a value", &[2.0], |s| {
                s.f64("x", s.b.dense("n"), &[2.0]).stop_gradient()
            }),
        ]
    }
}
