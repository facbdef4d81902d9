//! Repetition along one level.

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Element, Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// Repeats a value along a level that it lacks.
pub struct Expand;

impl Primitive for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn doc(&self) -> &'static str {
        "Repeats each element along the level `over` of the path `to`: out[p, i, q] = x[p, q]."
    }

    fn convention(&self) -> &'static str {
        "An element whose segment is empty disappears."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, _program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([arg], Some(to), Some(over)) = (args, attrs.space("to"), attrs.level("over")) else {
            return Err(ill_formed(
                self.name(),
                "expects one argument, a space `to` and a level `over`",
            ));
        };
        match to.position(over) {
            Some(k) if to.without(k) == arg.space && arg.dtype != DType::Offsets => {
                Ok(vec![Type::new(arg.dtype, to)])
            }
            _ => Err(ill_formed(
                self.name(),
                "`to` must be the argument's path with the level `over` inserted",
            )),
        }
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| {
            cx.push(super::EXPAND, &[t], call.attrs.clone()).first(cx)
        })])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(over) = call.attrs.level("over") else {
            return Ok(vec![None]);
        };
        Ok(vec![cotangents[0].map(|c| c.sum(over))])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (Some(to), Some(over)) = (cx.attrs().space("to"), cx.attrs().level("over")) else {
            return Err(ill_formed(
                self.name(),
                "expects a space `to` and a level `over`",
            ));
        };
        let axis = cx
            .axis(to, over)
            .ok_or_else(|| ill_formed(self.name(), "the level is not on the path"))?;
        Ok(match cx.arg(0).dtype {
            DType::F64 => Kernel::infallible(move |io| repeat::<f64>(io, &axis)),
            DType::I64 => Kernel::infallible(move |io| repeat::<i64>(io, &axis)),
            DType::Bool => Kernel::infallible(move |io| repeat::<u8>(io, &axis)),
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
            Sample::generic("along a ragged level", |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 2, 2, 3]);
                let x = s.f64("x", events, &[1.0, 2.0, 3.0]);
                x * s.f64("y", muons, &[1.0, -1.0, 0.5])
            }),
            Sample::generic("along an inner and an outer level", |s| {
                let (a, b) = (s.b.dense_of("a", 2), s.b.dense_of("b", 3));
                let ab = s.b.join(a, b);
                let (x, y) = (s.f64("x", a, &[1.0, 2.0]), s.f64("y", b, &[1.0, -1.0, 3.0]));
                x.broadcast(ab) * y.broadcast(ab)
            }),
            Sample::special("empty segments", &[], |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 0, 0]);
                s.f64("x", events, &[1.0, 2.0]).broadcast(muons)
            }),
        ]
    }
}

fn repeat<T: Element>(io: &Io<'_>, axis: &crate::exec::Axis) {
    let segments = io.segments(axis);
    let (x, out) = (io.arg::<T>(0), io.out::<T>(0));
    let inner = segments.inner;
    if inner == 1 {
        for (s, x) in x.iter().enumerate().take(segments.count) {
            let (a, b) = segments.range(s);
            // Most segments are short: a loop beats a call.
            for o in &mut out[a..b] {
                *o = *x;
            }
        }
        return;
    }
    for s in 0..segments.count {
        let (a, b) = segments.range(s);
        let row = &x[s * inner..(s + 1) * inner];
        for i in a..b {
            out[i * inner..(i + 1) * inner].copy_from_slice(row);
        }
    }
}
