//! Change of element type.

use pullback_ad::isa::Isa;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::map::{Lane, select_arrays};
use crate::exec::{Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::Program;
use crate::sample::{Owned, Sample};
use crate::ty::DType::{self, Bool, F32, F64, I32, I64, U64};
use crate::ty::Type;

/// Conversion to another element type.
pub struct Cast;

pub(crate) const CAST: PrimitiveRef = PrimitiveRef(&Cast);

macro_rules! lanes {
    ($($name:ident: $from:ty => $to:ty, |$a:ident| $e:expr;)*) => {$(
        struct $name;

        impl Lane for $name {
            type A = $from;
            type B = ();
            type C = ();
            type Out = $to;

            #[inline(always)]
            fn eval<I: Isa>($a: $from, (): (), (): ()) -> $to {
                $e
            }
        }
    )*};
}
lanes! {
    F32F64: f32 => f64, |a| f64::from(a);
    I64F64: i64 => f64, |a| a as f64;
    I32F64: i32 => f64, |a| f64::from(a);
    U64F64: u64 => f64, |a| a as f64;
    BoolF64: u8 => f64, |a| f64::from(a);
    I32I64: i32 => i64, |a| i64::from(a);
    U64I64: u64 => i64, |a| a as i64;
    BoolI64: u8 => i64, |a| i64::from(a);
    F64I64: f64 => i64, |a| a as i64;
    F64Bool: f64 => u8, |a| u8::from(a != 0.0);
    I64Bool: i64 => u8, |a| u8::from(a != 0);
    I32Bool: i32 => u8, |a| u8::from(a != 0);
}

impl Primitive for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn doc(&self) -> &'static str {
        "Conversion to the element type `dtype`."
    }

    fn convention(&self) -> &'static str {
        "To `f64` exact up to 2^53; from `f64` to `i64` towards zero, saturating, NaN to 0; to `bool` whether not zero. Only f64 carries derivatives."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([arg], Some(to)) = (args, attrs.dtype("dtype")) else {
            return Err(ill_formed(
                self.name(),
                "expects one argument and an element type `dtype`",
            ));
        };
        match (arg.dtype, to) {
            (F32 | I64 | I32 | U64 | Bool, F64)
            | (I32 | U64 | Bool | F64, I64)
            | (F64 | I64 | I32, Bool) => Ok(vec![arg.with(to)]),
            (from, to) => Err(ill_formed(
                self.name(),
                format!("no conversion from {from} to {to}"),
            )),
        }
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
        let (from, to, isa) = (cx.arg(0).dtype, cx.out(0).dtype, cx.isa());
        Ok(Kernel::Map(Box::new(move |mask| match (from, to) {
            (F32, F64) => select_arrays::<F32F64>(isa, mask),
            (I64, F64) => select_arrays::<I64F64>(isa, mask),
            (I32, F64) => select_arrays::<I32F64>(isa, mask),
            (U64, F64) => select_arrays::<U64F64>(isa, mask),
            (Bool, F64) => select_arrays::<BoolF64>(isa, mask),
            (I32, I64) => select_arrays::<I32I64>(isa, mask),
            (U64, I64) => select_arrays::<U64I64>(isa, mask),
            (Bool, I64) => select_arrays::<BoolI64>(isa, mask),
            (F64, I64) => select_arrays::<F64I64>(isa, mask),
            (F64, Bool) => select_arrays::<F64Bool>(isa, mask),
            (I64, Bool) => select_arrays::<I64Bool>(isa, mask),
            (I32, Bool) => select_arrays::<I32Bool>(isa, mask),
            _ => None,
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let to = |dtype| Attrs::NONE.with("dtype", Attr::DType(dtype));
        vec![
            Sample::special("single precision", &[0.5, -2.0], move |s| {
                let x = s.column("x", s.b.dense("n"), Owned::F32(vec![0.5, -2.0]));
                x.apply(CAST, to(DType::F64))
            }),
            Sample::special(
                "towards zero, saturating",
                &[1.0, -1.0, 0.0, 9_223_372_036_854_775_807.0],
                move |s| {
                    let x = s.f64("x", s.b.dense("n"), &[1.9, -1.9, f64::NAN, 1e300]);
                    x.apply(CAST, to(DType::I64)).apply(CAST, to(DType::F64))
                },
            ),
        ]
    }
}
