//! Prefix products and first-order linear recurrences along one level.
//!
//! `prefix_prod`: P₀ = 1, Pᵢ₊₁ = xᵢ Pᵢ. Its tangent obeys dP₀ = 0, dPᵢ₊₁ = xᵢ dPᵢ + Pᵢ dxᵢ, which is `recurrence`: y₀ = 0, yᵢ₊₁ = aᵢ yᵢ + bᵢ. The recurrence
//! is linear in b; its transpose is the same recurrence run backwards; its tangent to a is a recurrence again, with b = yᵢ daᵢ. So derivatives of any order
//! cost a sweep each. With `reverse` both run from the last element to the first.

use pullback_ad::isa::Isa;

use super::along::{axis, within};
use super::binary::join;
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym, builder_of};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx, Segments};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::LevelId;
use crate::ty::{DType, Type};

/// The product of what stands before each element (after it, with `reverse`).
pub struct PrefixProd;

/// `y₀ = 0, yᵢ₊₁ = aᵢ yᵢ + bᵢ` along a level.
pub struct Recurrence;

fn attrs(over: LevelId, reverse: bool) -> Attrs {
    Attrs::over(over).with("reverse", Attr::Int(i64::from(reverse)))
}

fn parameters(primitive: &'static str, attrs: &Attrs) -> Result<(LevelId, bool)> {
    match (attrs.level("over"), attrs.int("reverse")) {
        (Some(over), Some(reverse @ (0 | 1))) => Ok((over, reverse == 1)),
        _ => Err(ill_formed(
            primitive,
            "expects a level `over` and `reverse`, 0 or 1",
        )),
    }
}

/// Records [`PrefixProd`].
pub(crate) fn prefix_prod(x: Sym<'_>, over: LevelId, reverse: bool) -> Sym<'_> {
    x.apply(super::PREFIX_PROD, attrs(over, reverse))
}

/// Records [`Recurrence`].
pub(crate) fn recurrence<'b>(a: Sym<'b>, b: Sym<'b>, over: LevelId, reverse: bool) -> Sym<'b> {
    builder_of(&[a, b]).map_or(b, |cx| {
        cx.push(super::RECURRENCE, &[a, b], attrs(over, reverse))
            .first(cx)
    })
}

/// Visits `a..b`, backwards if `REVERSE`.
macro_rules! rows {
    ($reverse:expr, $a:expr, $b:expr, |$i:ident| $body:expr) => {
        if $reverse {
            for $i in ($a..$b).rev() {
                $body
            }
        } else {
            for $i in $a..$b {
                $body
            }
        }
    };
}

#[inline(always)]
fn prefix_columns<const W: usize>(
    x: &[f64],
    out: &mut [f64],
    inner: usize,
    j: usize,
    (a, b): (usize, usize),
    reverse: bool,
) {
    let mut acc = [1.0; W];
    rows!(reverse, a, b, |i| {
        let at = i * inner + j;
        out[at..at + W].copy_from_slice(&acc);
        let x = &x[at..at + W];
        for k in 0..W {
            acc[k] *= x[k];
        }
    });
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn prefix_body<I: Isa>(segments: Segments<'_>, x: &[f64], out: &mut [f64], reverse: bool) {
    let inner = segments.inner;
    for s in 0..segments.count {
        let mut j = 0;
        while j + 8 <= inner {
            prefix_columns::<8>(x, out, inner, j, segments.range(s), reverse);
            j += 8;
        }
        while j < inner {
            prefix_columns::<1>(x, out, inner, j, segments.range(s), reverse);
            j += 1;
        }
    }
}

/// Where a recurrence runs: columns from `j` of rows `range`.
#[derive(Clone, Copy)]
struct Strip {
    inner: usize,
    j: usize,
    range: (usize, usize),
    reverse: bool,
}

#[inline(always)]
fn recurrence_columns<I: Isa, const W: usize>(a: &[f64], b: &[f64], out: &mut [f64], strip: Strip) {
    let mut acc = [0.0; W];
    rows!(strip.reverse, strip.range.0, strip.range.1, |i| {
        let at = i * strip.inner + strip.j;
        out[at..at + W].copy_from_slice(&acc);
        let (a, b) = (&a[at..at + W], &b[at..at + W]);
        for k in 0..W {
            acc[k] = I::fma(a[k], acc[k], b[k]);
        }
    });
}

#[inline(always)]
fn recurrence_body<I: Isa>(
    segments: Segments<'_>,
    a: &[f64],
    b: &[f64],
    out: &mut [f64],
    reverse: bool,
) {
    let inner = segments.inner;
    for s in 0..segments.count {
        let mut strip = Strip {
            inner,
            j: 0,
            range: segments.range(s),
            reverse,
        };
        while strip.j + 8 <= inner {
            recurrence_columns::<I, 8>(a, b, out, strip);
            strip.j += 8;
        }
        while strip.j < inner {
            recurrence_columns::<I, 1>(a, b, out, strip);
            strip.j += 1;
        }
    }
}

pullback_ad::multiversion! {
    fn prefix, prefix_at(segments: Segments<'_>, x: &[f64], out: &mut [f64], reverse: bool) = prefix_body;
    fn recur, recur_at(segments: Segments<'_>, a: &[f64], b: &[f64], out: &mut [f64], reverse: bool) = recurrence_body;
}

impl Primitive for PrefixProd {
    fn name(&self) -> &'static str {
        "prefix_prod"
    }

    fn doc(&self) -> &'static str {
        "The product of what stands before each element along the level `over`: out[p, i, q] = Πⱼ<ᵢ x[p, j, q]; with `reverse`, of what stands after it."
    }

    fn convention(&self) -> &'static str {
        "The first element (the last, with `reverse`) has the product 1."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        parameters(self.name(), attrs)?;
        within(self.name(), program, args, attrs, DType::F64)?;
        Ok(args.to_vec())
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, reverse) = parameters(self.name(), call.attrs)?;
        Ok(vec![tangents[0].map(|t| {
            recurrence(call.args[0], call.outs[0] * t, over, reverse)
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = prefix;
        let (_, reverse) = parameters(self.name(), cx.attrs())?;
        let (axis, kernel) = (axis(self.name(), cx, 0)?, prefix_at(cx.isa()));
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(
                io.segments(&axis),
                io.arg::<f64>(0),
                io.out::<f64>(0),
                reverse,
            );
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let sample = |reverse: bool| {
            Sample::generic(if reverse { "backwards" } else { "forwards" }, move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 5]);
                prefix_prod(
                    s.f64("x", muons, &[1.5, 2.0, 3.0, -0.5, 0.7]),
                    muons.last().unwrap_or(LevelId(0)),
                    reverse,
                )
            })
        };
        vec![
            sample(false),
            sample(true),
            Sample::special("zeros", &[1.0, 2.0, 0.0, 0.0], |s| {
                let n = s.b.dense("n");
                prefix_prod(
                    s.f64("x", n, &[2.0, 0.0, 3.0, 0.0]),
                    n.last().unwrap_or(LevelId(0)),
                    false,
                )
            }),
        ]
    }
}

impl Primitive for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }

    fn doc(&self) -> &'static str {
        "The linear recurrence y₀ = 0, yᵢ₊₁ = aᵢ yᵢ + bᵢ along the level `over` for a (argument 0) and b (argument 1); with `reverse`, from the last element: yₙ₋₁ = 0, yᵢ₋₁ = aᵢ yᵢ + bᵢ."
    }

    fn convention(&self) -> &'static str {
        "The first element (the last, with `reverse`) is 0; the last a and b have no influence."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        parameters(self.name(), attrs)?;
        let [a, b] = args else {
            return Err(ill_formed(self.name(), "expects two arguments"));
        };
        within(self.name(), program, &[*a], attrs, DType::F64)?;
        if a != b {
            return Err(ill_formed(
                self.name(),
                "both arguments must be doubles in the same space",
            ));
        }
        Ok(vec![*a])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, reverse) = parameters(self.name(), call.attrs)?;
        let source = join(tangents[0].map(|t| t * call.outs[0]), tangents[1]);
        Ok(vec![
            source.map(|t| recurrence(call.args[0], t, over, reverse)),
        ])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        if linear[0] {
            return Err(ill_formed(
                self.name(),
                "is linear in its second argument only",
            ));
        }
        let (over, reverse) = parameters(self.name(), call.attrs)?;
        Ok(vec![
            None,
            cotangents[0].map(|c| recurrence(call.args[0], c, over, !reverse)),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = recur;
        let (_, reverse) = parameters(self.name(), cx.attrs())?;
        let (axis, kernel) = (axis(self.name(), cx, 0)?, recur_at(cx.isa()));
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(
                io.segments(&axis),
                io.arg::<f64>(0),
                io.arg::<f64>(1),
                io.out::<f64>(0),
                reverse,
            );
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let sample = |reverse: bool| {
            Sample::generic(if reverse { "backwards" } else { "forwards" }, move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 5]);
                let (a, b) = (
                    s.f64("a", muons, &[1.5, 2.0, 3.0, -0.5, 0.7]),
                    s.f64("b", muons, &[0.1, 0.2, -0.3, 0.4, 0.5]),
                );
                recurrence(a, b, muons.last().unwrap_or(LevelId(0)), reverse)
            })
        };
        vec![
            sample(false),
            sample(true),
            Sample::special("a running sum", &[0.0, 1.0, 3.0], |s| {
                let n = s.b.dense("n");
                let (a, b) = (
                    s.f64("a", n, &[1.0, 1.0, 1.0]),
                    s.f64("b", n, &[1.0, 2.0, 4.0]),
                );
                recurrence(a, b, n.last().unwrap_or(LevelId(0)), false)
            }),
        ]
    }
}
