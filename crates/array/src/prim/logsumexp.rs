//! The logarithm of a sum of exponentials along one level.

use pullback_ad::Real;
use pullback_ad::isa::Isa;
use pullback_ad::math::exp::exp;

use super::along::{axis, within};
use super::maximum;
use super::total::leaf_sum_body;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LEAF, LowerCx, Segments};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, Space};
use crate::ty::{DType, Type};

/// `ln Σᵢ exp x[p, i, q]`, without overflow.
pub struct LogSumExp;

/// The shift for a largest element: itself, but 0 where it is infinite, so that `inf - inf` never arises.
#[inline(always)]
fn shift(largest: f64) -> f64 {
    if largest.abs() < f64::INFINITY || largest.is_nan() {
        largest
    } else {
        0.0
    }
}

/// Σ exp(x - m), in leaves.
#[inline(always)]
fn exp_sum<I: Isa>(x: &[f64], m: f64) -> f64 {
    let mut sum = 0.0;
    for leaf in x.chunks(LEAF) {
        let mut e = [0.0; LEAF];
        let e = &mut e[..leaf.len()];
        for (e, x) in e.iter_mut().zip(leaf) {
            *e = exp::<I>(*x - m);
        }
        sum += leaf_sum_body::<I>(e);
    }
    sum
}

/// Many short segments at once, so that the exponentials of one after the other fill the vectors.
#[inline(always)]
fn batch<I: Isa>(segments: Segments<'_>, first: usize, end: usize, x: &[f64], out: &mut [f64]) {
    let mut e = [0.0; LEAF];
    let start = segments.range(first).0;
    for (s, out) in (first..end).zip(&mut out[first..end]) {
        let (a, b) = segments.range(s);
        let mut m = f64::NEG_INFINITY;
        for x in &x[a..b] {
            m = maximum(m, *x);
        }
        let m = shift(m);
        *out = m;
        for (e, x) in e[a - start..b - start].iter_mut().zip(&x[a..b]) {
            *e = *x - m;
        }
    }
    let n = segments.range(end - 1).1 - start;
    for e in &mut e[..n.next_multiple_of(8)] {
        *e = exp::<I>(*e);
    }
    for (s, out) in (first..end).zip(&mut out[first..end]) {
        let (a, b) = segments.range(s);
        let sum = e[a - start..b - start].iter().fold(0.0, |sum, e| sum + e);
        *out += sum.ln();
    }
}

#[inline(always)]
fn logsumexp_body<I: Isa>(segments: Segments<'_>, x: &[f64], out: &mut [f64]) {
    let inner = segments.inner;
    if inner == 1 {
        let mut s = 0;
        while s < segments.count {
            let (start, stop) = segments.range(s);
            if stop - start > LEAF / 2 {
                let m = shift(
                    x[start..stop]
                        .iter()
                        .fold(f64::NEG_INFINITY, |m, x| maximum(m, *x)),
                );
                out[s] = m + exp_sum::<I>(&x[start..stop], m).ln();
                s += 1;
                continue;
            }
            // Which segments share a batch depends on the block; how each one is summed does not.
            let mut end = s + 1;
            let fits =
                |(a, b): (usize, usize)| b - a <= LEAF / 2 && a >= start && b - start <= LEAF;
            while end < segments.count && fits(segments.range(end)) {
                end += 1;
            }
            batch::<I>(segments, s, end, x, out);
            s = end;
        }
        return;
    }
    for s in 0..segments.count {
        let (a, b) = segments.range(s);
        let mut j = 0;
        while j < inner {
            let w = (inner - j).min(8);
            let mut m = [f64::NEG_INFINITY; 8];
            for i in a..b {
                for (m, x) in m.iter_mut().zip(&x[i * inner + j..i * inner + j + w]) {
                    *m = maximum(*m, *x);
                }
            }
            m = m.map(shift);
            let mut sum = [0.0; 8];
            for i in a..b {
                let mut e = m;
                e[..w].copy_from_slice(&x[i * inner + j..i * inner + j + w]);
                for k in 0..8 {
                    sum[k] += exp::<I>(e[k] - m[k]);
                }
            }
            for k in 0..w {
                out[s * inner + j + k] = m[k] + sum[k].ln();
            }
            j += w;
        }
    }
}

pullback_ad::multiversion! {
    fn logsumexp, logsumexp_at(segments: Segments<'_>, x: &[f64], out: &mut [f64]) = logsumexp_body;
}

/// The same in other primitives, also for a stream: shifted by the largest element, which carries no derivative (its two contributions cancel).
pub(crate) fn in_primitives(x: Sym<'_>, over: LevelId) -> Sym<'_> {
    let m = x.max_over(over).stop_gradient();
    let m = m.abs().lt(f64::INFINITY.into()).select(m, 0.0.into());
    (x - m).exp().sum(over).ln() + m
}

impl Primitive for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }

    fn doc(&self) -> &'static str {
        "ln Σᵢ exp x[p, i, q] along the level `over`, shifted by the largest element. Its derivative is the softmax exp(xᵢ - out)."
    }

    fn convention(&self) -> &'static str {
        "An empty segment, and one of -inf alone, gives -inf with a derivative of 0; an element +inf gives +inf; NaN if any element is."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        within(self.name(), program, args, attrs, DType::F64).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(over) = call.attrs.level("over") else {
            return Err(ill_formed(self.name(), "expects a level `over`"));
        };
        let (x, y) = (call.args[0], call.outs[0]);
        // exp(-inf - (-inf)) would be NaN.
        let y = y.eq(f64::NEG_INFINITY.into()).select(0.0.into(), y);
        let weight = (x - y).exp();
        Ok(vec![tangents[0].map(|t| (weight * t).sum(over))])
    }

    fn decompose<'b>(&self, _cx: &'b Builder, call: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        Some(vec![in_primitives(call.args[0], call.attrs.level("over")?)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = logsumexp;
        let (axis, kernel) = (axis(self.name(), cx, 0)?, logsumexp_at(cx.isa()));
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(io.segments(&axis), io.arg::<f64>(0), io.out::<f64>(0));
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let last = |s: Space| s.last().unwrap_or(LevelId(0));
        let inf = f64::INFINITY;
        vec![
            Sample::generic("segments", move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 3, 4]);
                s.f64("x", muons, &[1.0, 3.0, 2.0, -1.0])
                    .logsumexp(last(muons))
            }),
            Sample::generic("an outer level", move |s| {
                let (a, b) = (s.b.dense_of("a", 2), s.b.dense_of("b", 2));
                s.f64("x", s.b.join(a, b), &[1.0, 3.0, 2.0, -1.0])
                    .logsumexp(last(a))
            }),
            Sample::special(
                "empty, -inf, +inf, large",
                &[-inf, -inf, inf, 1000.0 + std::f64::consts::LN_2],
                move |s| {
                    let muons = s.ragged("muons", s.b.stream("events"), &[0, 0, 2, 4, 6]);
                    s.f64("x", muons, &[-inf, -inf, inf, 1.0, 1000.0, 1000.0])
                        .logsumexp(last(muons))
                },
            ),
        ]
    }
}
