//! The sum of everything below.

use pullback_ad::isa::Isa;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx, Monoid};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::Space;
use crate::ty::{DType, Type};

/// Sums all elements below each element of a shorter path; to a scalar, sums everything.
pub struct Total;

/// Sum in eight virtual lanes, which are added pairwise: the same bits whatever the width of the machine.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
pub(crate) fn leaf_sum_body<I: Isa>(x: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for j in 0..8 {
            lanes[j] += chunk[j];
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    leaf(lanes)
}

/// What the lanes of a leaf add up to.
#[inline(always)]
pub(crate) fn leaf([a, b, c, d, e, f, g, h]: [f64; 8]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

pullback_ad::multiversion! {
    /// Sum of one leaf.
    pub(crate) fn leaf_sum, leaf_sum_at(x: &[f64]) -> f64 = leaf_sum_body;
}

impl Primitive for Total {
    fn name(&self) -> &'static str {
        "total"
    }

    fn doc(&self) -> &'static str {
        "The sum of all elements below each element of the path `to`, which is the beginning of the argument's path."
    }

    fn convention(&self) -> &'static str {
        "The sum of nothing is 0. Leaves of 256 elements (of the stream, if there is one) are summed in 8 lanes, then one after the other."
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
        if arg.space.prefix(to.depth()) != to || arg.dtype != DType::F64 {
            return Err(ill_formed(
                self.name(),
                "expects doubles, and `to` must be the beginning of the argument's path",
            ));
        }
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| {
            cx.push(super::TOTAL, &[t], call.attrs.clone()).first(cx)
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
            if c.space() == to {
                c
            } else {
                cx.push(super::SPLAT, &[c], Attrs::to(to)).first(cx)
            }
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = leaf_sum;
        let (depth, sum) = (cx.out(0).space.depth(), leaf_sum_at(cx.isa()));
        Ok(Kernel::Accumulate(
            Monoid::Add,
            Box::new(move |io: &Io<'_>| {
                let (x, out) = (io.arg::<f64>(0), io.out::<f64>(0));
                io.for_leaves(0, depth, |lane, first, end| {
                    out[lane] += sum(&x[first..end]);
                });
                Ok(())
            }),
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("to a scalar", |s| {
                s.f64("x", s.b.dense("n"), &[1.0, 2.0, 3.5]).sum_all()
            }),
            Sample::special("of nothing", &[0.0], |s| {
                s.f64("x", s.b.dense("n"), &[]).sum_all()
            }),
            Sample::special("infinities", &[f64::NAN], |s| {
                s.f64("x", s.b.dense("n"), &[f64::INFINITY, f64::NEG_INFINITY])
                    .sum_all()
            }),
            Sample::generic("below events", |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 2, 2, 3]);
                let x = s.f64("x", muons, &[1.0, 2.0, 3.0]);
                x.total(events)
            }),
        ]
    }
}

/// The space `to` of a total over everything.
pub(crate) const EVERYTHING: Space = Space::SCALAR;
