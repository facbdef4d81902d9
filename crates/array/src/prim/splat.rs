//! Repetition of a value over everything below it.

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::Space;
use crate::ty::{DType, Type};

/// Repeats a value of a space over all elements below it in a longer path; a scalar fills any space.
pub struct Splat;

impl Primitive for Splat {
    fn name(&self) -> &'static str {
        "splat"
    }

    fn doc(&self) -> &'static str {
        "Repeats each element over everything below it: the argument's path is the beginning of the path `to`."
    }

    fn convention(&self) -> &'static str {
        "An element with nothing below it disappears."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, _program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([arg], Some(to)) = (args, attrs.space("to")) else {
            return Err(ill_formed(
                self.name(),
                "expects one argument and a space `to`",
            ));
        };
        if to.prefix(arg.space.depth()) != arg.space || arg.dtype == DType::Offsets {
            return Err(ill_formed(
                self.name(),
                "the argument's path must be the beginning of `to`",
            ));
        }
        Ok(vec![Type::new(arg.dtype, to)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| {
            cx.push(super::SPLAT, &[t], call.attrs.clone()).first(cx)
        })])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let to = call.args[0].space();
        Ok(vec![cotangents[0].map(|c| {
            cx.push(super::TOTAL, &[c], Attrs::to(to)).first(cx)
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let depth = cx.arg(0).space.depth();
        Ok(match cx.arg(0).dtype {
            DType::F64 => Kernel::infallible(move |io| fill::<f64>(io, depth)),
            DType::I64 => Kernel::infallible(move |io| fill::<i64>(io, depth)),
            DType::Bool => Kernel::infallible(move |io| fill::<u8>(io, depth)),
            other => {
                return Err(ill_formed(
                    self.name(),
                    format!("{other} is not supported; convert it with `cast`"),
                ));
            }
        })
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a scalar over bins", |s| {
                let n = s.b.dense("n");
                let y = s.f64("y", n, &[1.0, 2.0, 3.0]);
                s.f64("x", Space::SCALAR, &[2.0]) * y
            }),
            Sample::special("over an empty space", &[], |s| {
                let n = s.b.dense("n");
                let y = s.f64("y", n, &[]);
                s.f64("x", Space::SCALAR, &[2.0]) * y
            }),
        ]
    }
}

fn fill<T: crate::exec::Element>(io: &Io<'_>, depth: usize) {
    let (arg, out) = (io.arg::<T>(0), io.out::<T>(0));
    if depth == 0 {
        out.fill(arg[0]);
        return;
    }
    for (lane, x) in arg.iter().enumerate() {
        out[io.out_position(0, depth, lane)..io.out_position(0, depth, lane + 1)].fill(*x);
    }
}
