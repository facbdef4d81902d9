//! Sum along one level.

use pullback_ad::isa::Isa;

use super::total::leaf_sum_at;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Axis, Io, Kernel, LEAF, LowerCx, Monoid};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// Sums along a level: `out[p, q] = Σᵢ x[p, i, q]`.
pub struct Sum;

/// The path of a reduction of `arg` along `over`; checks that nothing ragged hangs below the level.
pub(crate) fn reduced(
    primitive: &'static str,
    program: &Program,
    args: &[Type],
    attrs: &Attrs,
    dtype: DType,
) -> Result<Space> {
    let ([arg], Some(over)) = (args, attrs.level("over")) else {
        return Err(ill_formed(
            primitive,
            "expects one argument and a level `over`",
        ));
    };
    if arg.dtype != dtype {
        return Err(Error::DType {
            primitive,
            index: 0,
            found: arg.dtype.to_string(),
            expected: dtype.to_string(),
        });
    }
    let Some(k) = arg.space.position(over) else {
        let (level, space) = (&program.level(over).name, program.space_name(&arg.space));
        return Err(ill_formed(
            primitive,
            format!("the argument lives in [{space}], which has no level `{level}`"),
        ));
    };
    let hangs = |l: LevelId| matches!(program.level(l).kind, LevelKind::Ragged { parent, .. } if parent.contains(over));
    if arg.space.iter().skip(k + 1).any(hangs) {
        return Err(ill_formed(
            primitive,
            "a ragged level hangs below; reduce that one first",
        ));
    }
    Ok(arg.space.without(k))
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn add_rows_body<I: Isa>(out: &mut [f64], x: &[f64]) {
    for row in x.chunks_exact(out.len()) {
        for (o, x) in out.iter_mut().zip(row) {
            *o += x;
        }
    }
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn add_rows_of_8_body<I: Isa>(out: &mut [f64], x: &[f64]) {
    let (out, _) = out.as_chunks_mut::<8>();
    let (rows, _) = x.as_chunks::<8>();
    let mut acc = [0.0; 8];
    for row in rows {
        for j in 0..8 {
            acc[j] += row[j];
        }
    }
    for (o, a) in out[0].iter_mut().zip(acc) {
        *o += a;
    }
}

/// Sums of eight neighbours each, in the order of `leaf_sum`.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn sums_of_8_body<I: Isa>(out: &mut [f64], x: &[f64]) {
    for (o, x) in out.iter_mut().zip(x.as_chunks::<8>().0) {
        let pairs: [f64; 4] = std::array::from_fn(|j| x[j] + x[j + 4]);
        *o += (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]);
    }
}

pullback_ad::multiversion! {
    fn sums_of_8, sums_of_8_at(out: &mut [f64], x: &[f64]) = sums_of_8_body;
    fn add_rows, add_rows_at(out: &mut [f64], x: &[f64]) = add_rows_body;
    fn add_rows_of_8, add_rows_of_8_at(out: &mut [f64], x: &[f64]) = add_rows_of_8_body;
}

impl Primitive for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn doc(&self) -> &'static str {
        "The sum along the level `over`: out[p, q] = Σᵢ x[p, i, q]."
    }

    fn convention(&self) -> &'static str {
        "The sum of an empty segment is 0."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        reduced(self.name(), program, args, attrs, DType::F64).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| {
            cx.push(super::SUM, &[t], call.attrs.clone()).first(cx)
        })])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (Some(over), to) = (call.attrs.level("over"), call.args[0].space()) else {
            return Ok(vec![None]);
        };
        let attrs = Attrs::to(to).with("over", crate::attr::Attr::Level(over));
        Ok(vec![
            cotangents[0].map(|c| cx.push(super::EXPAND, &[c], attrs).first(cx)),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let Some(over) = cx.attrs().level("over") else {
            return Err(ill_formed(self.name(), "expects a level `over`"));
        };
        let axis = cx
            .axis(cx.arg(0).space, over)
            .ok_or_else(|| ill_formed(self.name(), "the level is not on the path"))?;
        let _ = (add_rows, add_rows_of_8, sums_of_8);
        let loops = Loops {
            leaf: leaf_sum_at(cx.isa()),
            rows: add_rows_at(cx.isa()),
            rows_of_8: add_rows_of_8_at(cx.isa()),
            segments_of_8: sums_of_8_at(cx.isa()),
        };
        Ok(Kernel::Accumulate(
            Monoid::Add,
            Box::new(move |io: &Io<'_>| {
                sum(io, &axis, loops);
                Ok(())
            }),
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("segments", |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 2, 2, 3]);
                let x = s.f64("x", muons, &[1.0, 2.0, 3.0]);
                x.sum_last()
            }),
            Sample::generic("an outer level", |s| {
                let (a, b) = (s.b.dense_of("a", 2), s.b.dense_of("b", 3));
                let x = s.f64("x", s.b.join(a, b), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
                x.sum(a.last().unwrap_or(LevelId(0)))
            }),
            Sample::special("empty segments", &[0.0, 0.0], |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 0, 0]);
                s.f64("x", muons, &[]).sum_last()
            }),
        ]
    }
}

/// The loops for one instruction set.
#[derive(Clone, Copy)]
struct Loops {
    leaf: fn(&[f64]) -> f64,
    rows: fn(&mut [f64], &[f64]),
    rows_of_8: fn(&mut [f64], &[f64]),
    segments_of_8: fn(&mut [f64], &[f64]),
}

fn sum(io: &Io<'_>, axis: &Axis, loops: Loops) {
    let segments = io.segments(axis);
    let (x, out) = (io.arg::<f64>(0), io.out::<f64>(0));
    let inner = segments.inner;
    let ragged = segments.uniform().is_none();
    if inner == 1 && segments.uniform() == Some(8) {
        return (loops.segments_of_8)(out, x);
    }
    for s in 0..segments.count {
        let (a, b) = segments.range(s);
        match inner {
            0 => {}
            1 if ragged => out[s] += x[a..b].iter().fold(0.0, |sum, x| sum + x),
            1 => {
                let mut first = a;
                while first < b {
                    let end = (first + LEAF).min(b);
                    out[s] += (loops.leaf)(&x[first..end]);
                    first = end;
                }
            }
            8 => (loops.rows_of_8)(&mut out[s * 8..s * 8 + 8], &x[a * 8..b * 8]),
            _ => (loops.rows)(
                &mut out[s * inner..(s + 1) * inner],
                &x[a * inner..b * inner],
            ),
        }
    }
}
