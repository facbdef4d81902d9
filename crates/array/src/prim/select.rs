//! Choice by a mask.

use pullback_ad::isa::Isa;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::map::{Lane, select};
use crate::exec::{Kernel, LowerCx};
use crate::prim::binary::same_space;
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// `mask ? a : b`.
pub struct Select;

struct SelectLane;

impl Lane for SelectLane {
    type A = u8;
    type B = f64;
    type C = f64;
    type Out = f64;

    #[inline(always)]
    fn eval<I: Isa>(mask: u8, a: f64, b: f64) -> f64 {
        if mask == 0 { b } else { a }
    }
}

struct SelectIntLane;

impl Lane for SelectIntLane {
    type A = u8;
    type B = i64;
    type C = i64;
    type Out = i64;

    #[inline(always)]
    fn eval<I: Isa>(mask: u8, a: i64, b: i64) -> i64 {
        if mask == 0 { b } else { a }
    }
}

impl Primitive for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn doc(&self) -> &'static str {
        "`a` where the mask holds, else `b`."
    }

    fn convention(&self) -> &'static str {
        "Nothing of the side not taken passes, neither its value nor its derivative, not even 0·inf. The mask carries no derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        let dtype = args.get(1).map_or(DType::F64, |t| {
            if t.dtype == DType::I64 {
                DType::I64
            } else {
                DType::F64
            }
        });
        same_space(self.name(), args, &[DType::Bool, dtype, dtype])
            .map(|space| vec![Type::new(dtype, space)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let zero = Sym::from(0.0);
        let (a, b) = (tangents[1].unwrap_or(zero), tangents[2].unwrap_or(zero));
        Ok(vec![Some(
            cx.elementwise(super::SELECT, &[call.args[0], a, b]),
        )])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(c) = cotangents[0] else {
            return Ok(vec![None; 3]);
        };
        let zero = Sym::from(0.0);
        let mask = call.args[0];
        let a = linear[1].then(|| cx.elementwise(super::SELECT, &[mask, c, zero]));
        let b = linear[2].then(|| cx.elementwise(super::SELECT, &[mask, zero, c]));
        Ok(vec![None, a, b])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let isa = cx.isa();
        if cx.out(0).dtype == DType::I64 {
            return Ok(Kernel::Map(Box::new(move |mask| {
                select::<SelectIntLane>(isa, 3, mask)
            })));
        }
        Ok(Kernel::Map(Box::new(move |mask| {
            select::<SelectLane>(isa, 3, mask)
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("both sides", |s| {
                let n = s.b.dense("n");
                let mask = s.bool("mask", n, &[true, false, true]);
                mask.select(
                    s.f64("a", n, &[1.0, 2.0, 3.0]),
                    s.f64("b", n, &[4.0, 5.0, 6.0]),
                )
            }),
            Sample::special("infinity on the side not taken", &[1.0, 2.0], |s| {
                let n = s.b.dense("n");
                let mask = s.bool("mask", n, &[true, false]);
                mask.select(
                    s.f64("a", n, &[1.0, f64::INFINITY]),
                    s.f64("b", n, &[f64::NAN, 2.0]),
                )
            }),
        ]
    }
}
