//! The same elements with their levels in another order.

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Element, Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// Levels in another order.
pub struct Permute;

const NAME: &str = "permute";

/// Records a value with its levels in the order of `to`; the value itself if that is its order.
pub(crate) fn permute(x: Sym<'_>, to: Space) -> Sym<'_> {
    if x.space() == to {
        x
    } else {
        x.apply(super::PERMUTE, Attrs::to(to))
    }
}

fn target(attrs: &Attrs) -> Result<Space> {
    attrs
        .space("to")
        .ok_or_else(|| ill_formed(NAME, "expects a space `to`"))
}

impl Primitive for Permute {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The same elements with their levels in the order of the path `to`: out[i, j] = x[j, i]."
    }

    fn convention(&self) -> &'static str {
        "Elements are copied as they are; a stream and what stands before it keep their places."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let (to, [x]) = (target(attrs)?, args) else {
            return Err(ill_formed(NAME, "expects one argument"));
        };
        let dense = |l: LevelId| {
            matches!(
                program.level(l).kind,
                LevelKind::Dense | LevelKind::Batch | LevelKind::Stream
            )
        };
        let stream = |s: &Space| {
            s.iter()
                .position(|l| program.level(l).kind == LevelKind::Stream)
                .map_or(0, |k| k + 1)
        };
        let same = to.depth() == x.space.depth() && to.iter().all(|l| x.space.contains(l));
        let kept = stream(&x.space) == stream(&to)
            && x.space.prefix(stream(&to)) == to.prefix(stream(&to));
        if !same || !kept || !to.iter().all(dense) || x.dtype == DType::Offsets {
            return Err(ill_formed(
                NAME,
                format!(
                    "[{}] to [{}]: expects the same levels, none of them ragged, those up to a stream in their places",
                    program.space_name(&x.space),
                    program.space_name(&to)
                ),
            ));
        }
        Ok(vec![Type::new(x.dtype, to)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let to = target(call.attrs)?;
        Ok(vec![tangents[0].map(|t| permute(t, to))])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let back = call.args[0].space();
        Ok(vec![cotangents[0].map(|c| permute(c, back))])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (to, from) = (target(cx.attrs())?, cx.arg(0).space);
        let axes = Axes {
            to: to.iter().collect(),
            from: from.iter().collect(),
        };
        Ok(match cx.arg(0).dtype.bytes() {
            8 if cx.arg(0).dtype == DType::F64 => {
                Kernel::infallible(move |io| copy::<f64>(io, &axes))
            }
            8 if cx.arg(0).dtype == DType::I64 => {
                Kernel::infallible(move |io| copy::<i64>(io, &axes))
            }
            1 => Kernel::infallible(move |io| copy::<u8>(io, &axes)),
            _ => {
                return Err(ill_formed(
                    NAME,
                    format!(
                        "{} is not supported; convert it with `cast`",
                        cx.arg(0).dtype
                    ),
                ));
            }
        })
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a transposed matrix", |s| {
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 3));
                let x = s.f64("x", s.b.join(i, j), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
                permute(x, s.b.join(j, i))
            }),
            Sample::generic("three levels below a stream", |s| {
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let events = s.b.stream("events");
                let inner = s.b.join(events, s.b.join(i, j));
                let x = s.f64("x", inner, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
                permute(x, s.b.join(events, s.b.join(j, i)))
            }),
            Sample::special("its elements", &[1.0, 3.0, f64::NAN, 4.0], |s| {
                let (i, j) = (s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                let x = s.f64("x", s.b.join(i, j), &[1.0, f64::NAN, 3.0, 4.0]);
                permute(x, s.b.join(j, i))
            }),
        ]
    }
}

/// Levels of the result and of the argument.
struct Axes {
    to: Vec<LevelId>,
    from: Vec<LevelId>,
}

fn copy<T: Element>(io: &Io<'_>, axes: &Axes) {
    let (x, out) = (io.arg::<T>(0), io.out::<T>(0));
    // Strides of the argument, in the order of the result.
    let stride = |level: LevelId| -> usize {
        axes.from
            .iter()
            .skip_while(|l| **l != level)
            .skip(1)
            .map(|l| io.dim(*l))
            .product()
    };
    let sizes: Vec<usize> = axes.to.iter().map(|l| io.dim(*l)).collect();
    let strides: Vec<usize> = axes.to.iter().map(|l| stride(*l)).collect();
    let (Some((&inner, outer)), Some(&step)) = (sizes.split_last(), strides.last()) else {
        out.copy_from_slice(x);
        return;
    };
    let mut at = vec![0; outer.len()];
    for row in out.chunks_exact_mut(inner.max(1)) {
        let first: usize = at.iter().zip(&strides).map(|(i, s)| i * s).sum();
        for (o, k) in row.iter_mut().zip(0..) {
            *o = x[first + k * step];
        }
        for k in (0..at.len()).rev() {
            at[k] += 1;
            if at[k] < outer[k] {
                break;
            }
            at[k] = 0;
        }
    }
}
