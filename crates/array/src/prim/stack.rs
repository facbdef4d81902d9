//! Several values as one with a level more, and one of them again.

use pullback_ad::isa::Isa;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelKind, Space};
use crate::ty::{DType, Type};

/// `out[p, k] = x_k[p]`.
pub struct Stack;

/// `out[p] = x[p, k]` for a constant k.
pub struct Element;

const STACK: &str = "stack";
const ELEMENT: &str = "element";

/// Records values of one path side by side, along the last level of `to`; a value whose path is shorter is repeated.
pub(crate) fn stack<'b>(cx: &'b Builder, values: &[Sym<'b>], to: Space) -> Sym<'b> {
    let from = to.prefix(to.depth().saturating_sub(1));
    let values: Vec<Sym<'b>> = values.iter().map(|x| cx.broadcast(*x, from)).collect();
    cx.push(super::STACK, &values, Attrs::to(to)).first(cx)
}

/// Records element `k` along the last level of a value.
pub(crate) fn element(x: Sym<'_>, k: usize) -> Sym<'_> {
    let k = i64::try_from(k).unwrap_or(i64::MAX);
    x.apply(super::ELEMENT, Attrs::NONE.with("k", Attr::Int(k)))
}

/// The path above the last level, and the length of that, which is known.
fn above(name: &'static str, program: &Program, space: Space) -> Result<(Space, usize)> {
    let last = space.last().map(|l| program.level(l));
    match last.map(|l| (l.kind, l.len)) {
        Some((LevelKind::Dense, Some(len))) => Ok((space.prefix(space.depth() - 1), len)),
        _ => Err(ill_formed(
            name,
            format!(
                "[{}] does not end with a dense level of a known length",
                program.space_name(&space)
            ),
        )),
    }
}

fn doubles(name: &'static str, args: &[Type]) -> Result<()> {
    match args.iter().position(|a| a.dtype != DType::F64) {
        None => Ok(()),
        Some(index) => Err(Error::DType {
            primitive: name,
            index,
            found: args[index].dtype.to_string(),
            expected: DType::F64.to_string(),
        }),
    }
}

/// Every `n`-th element of `out` from `k` on.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the instruction set tells the compiled instances apart"
)]
fn place_body<I: Isa>(out: &mut [f64], x: &[f64], n: usize, k: usize) {
    for (row, x) in out.chunks_exact_mut(n).zip(x) {
        row[k] = *x;
    }
}

/// Every `n`-th element of `x` from `k` on.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the instruction set tells the compiled instances apart"
)]
fn take_body<I: Isa>(out: &mut [f64], x: &[f64], n: usize, k: usize) {
    for (o, row) in out.iter_mut().zip(x.chunks_exact(n)) {
        *o = row[k];
    }
}

pullback_ad::multiversion! {
    fn place, place_at(out: &mut [f64], x: &[f64], n: usize, k: usize) = place_body;
    fn take, take_at(out: &mut [f64], x: &[f64], n: usize, k: usize) = take_body;
}

impl Primitive for Stack {
    fn name(&self) -> &'static str {
        STACK
    }

    fn doc(&self) -> &'static str {
        "Values of one path side by side along the last level of the path `to`: out[p, k] = x_k[p]."
    }

    fn convention(&self) -> &'static str {
        "Elements are copied as they are; there are as many arguments as the level has elements."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let Some(to) = attrs.space("to") else {
            return Err(ill_formed(STACK, "expects a space `to`"));
        };
        let (from, len) = above(STACK, program, to)?;
        doubles(STACK, args)?;
        if len == 0 || args.len() != len || args.iter().any(|a| a.space != from) {
            let message = format!(
                "[{}] takes {len} values in [{}], at least one",
                program.space_name(&to),
                program.space_name(&from)
            );
            return Err(ill_formed(STACK, message));
        }
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let zero = Sym::from(0.0);
        let tangents: Vec<Sym<'b>> = tangents.iter().map(|t| t.unwrap_or(zero)).collect();
        Ok(vec![Some(stack(cx, &tangents, call.outs[0].space()))])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        _call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let each = linear.iter().enumerate();
        Ok(each
            .map(|(k, linear)| cotangents[0].filter(|_| *linear).map(|c| element(c, k)))
            .collect())
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = place;
        let (n, place) = (cx.args(), place_at(cx.isa()));
        Ok(Kernel::infallible(move |io: &Io<'_>| {
            let out = io.out::<f64>(0);
            for k in 0..n {
                place(out, io.arg(k), n, k);
            }
        }))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("columns of events", |s| {
                let events = s.b.stream("events");
                let x = s.f64("x", events, &[1.0, 2.0, 4.0]);
                let y = s.f64("y", events, &[0.5, -1.0, 3.0]);
                stack(&s.b, &[x, y, x], s.b.join(events, s.b.dense_of("k", 3)))
            }),
            Sample::generic("numbers", |s| {
                let x = s.f64("x", Space::SCALAR, &[1.5]);
                let y = s.f64("y", Space::SCALAR, &[-2.0]);
                stack(&s.b, &[x, y], s.b.dense_of("k", 2))
            }),
            Sample::special("its elements", &[1.0, f64::NAN, -0.0, f64::INFINITY], |s| {
                let n = s.b.dense("n");
                let x = s.f64("x", n, &[1.0, -0.0]);
                let y = s.f64("y", n, &[f64::NAN, f64::INFINITY]);
                stack(&s.b, &[x, y], s.b.join(n, s.b.dense_of("k", 2)))
            }),
        ]
    }
}

impl Primitive for Element {
    fn name(&self) -> &'static str {
        ELEMENT
    }

    fn doc(&self) -> &'static str {
        "The element of the constant number `k` along the last level: out[p] = x[p, k]."
    }

    fn convention(&self) -> &'static str {
        "Elements are copied as they are; a number past the end is refused when it is recorded."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([x], Some(k)) = (args, attrs.int("k")) else {
            return Err(ill_formed(ELEMENT, "expects one argument and a number `k`"));
        };
        let (to, len) = above(ELEMENT, program, x.space)?;
        doubles(ELEMENT, args)?;
        if usize::try_from(k).is_ok_and(|k| k < len) {
            return Ok(vec![Type::f64(to)]);
        }
        let message = format!("element {k} is past the end: the level has {len}");
        Err(ill_formed(ELEMENT, message))
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let again = |t: Sym<'b>| t.apply(super::ELEMENT, call.attrs.clone());
        Ok(vec![tangents[0].map(again)])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let to = call.args[0].space();
        let (_, len) = cx.with_program(|p| above(ELEMENT, p, to))?;
        let k = call.attrs.int("k").and_then(|k| usize::try_from(k).ok());
        Ok(vec![cotangents[0].map(|c| {
            let mut all = vec![Sym::from(0.0); len];
            if let Some(place) = k.and_then(|k| all.get_mut(k)) {
                *place = c;
            }
            stack(cx, &all, to)
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = take;
        let (_, n) = above(ELEMENT, cx.program(), cx.arg(0).space)?;
        let k = cx.attrs().int("k").and_then(|k| usize::try_from(k).ok());
        let k = k.ok_or_else(|| ill_formed(ELEMENT, "expects a number `k`"))?;
        let take = take_at(cx.isa());
        Ok(Kernel::infallible(move |io: &Io<'_>| {
            take(io.out::<f64>(0), io.arg(0), n, k);
        }))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a column of a table", |s| {
                let space = s.b.join(s.b.stream("events"), s.b.dense_of("k", 3));
                element(s.f64("x", space, &[1.0, 2.0, 4.0, 0.5, -1.0, 3.0]), 1)
            }),
            Sample::generic("a number", |s| {
                element(s.f64("x", s.b.dense_of("k", 2), &[1.0, 2.0]), 0)
            }),
            Sample::special("its elements", &[f64::NAN, -0.0], |s| {
                let space = s.b.join(s.b.dense("n"), s.b.dense_of("k", 2));
                element(s.f64("x", space, &[1.0, f64::NAN, 2.0, -0.0]), 1)
            }),
        ]
    }
}
