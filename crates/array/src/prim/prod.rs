//! Products along one level, and the product of the others, without a division.
//!
//! The derivative of Π xᵢ is Σᵢ (Πⱼ≠ᵢ xⱼ) dxᵢ. The product of the others is the product of what stands before an element and of what stands after it: exact
//! where elements are zero, no overflow or underflow that the result itself does not have. Prefix products follow a linear recurrence, and so do their tangents
//! (Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.3, example of Speelpenning), so the family is closed under differentiation.

use pullback_ad::isa::Isa;

use super::along::{axis, within};
use super::recurrence::{prefix_prod, recurrence};
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx, Segments};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::LevelId;
use crate::ty::{DType, Type};

/// Multiplies along a level: `out[p, q] = Πᵢ x[p, i, q]`.
pub struct Prod;

/// The product of the others: `out[p, i, q] = Πⱼ≠ᵢ x[p, j, q]`.
pub struct ExclusiveProd;

/// Columns `j..j + W` of the rows `a..b`, multiplied row by row.
#[inline(always)]
fn column_products<const W: usize>(
    x: &[f64],
    inner: usize,
    j: usize,
    (a, b): (usize, usize),
) -> [f64; W] {
    let mut acc = [1.0; W];
    for i in a..b {
        let row = &x[i * inner + j..i * inner + j + W];
        for k in 0..W {
            acc[k] *= row[k];
        }
    }
    acc
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn prod_body<I: Isa>(segments: Segments<'_>, x: &[f64], out: &mut [f64]) {
    match segments.inner {
        1 => {
            for (s, out) in out.iter_mut().enumerate().take(segments.count) {
                let (a, b) = segments.range(s);
                let mut acc = 1.0;
                for x in &x[a..b] {
                    acc *= x;
                }
                *out = acc;
            }
        }
        8 => {
            // The layout of likelihoods: cells in tiles of eight lanes. One register per segment.
            let (rows, _) = x.as_chunks::<8>();
            let (out, _) = out.as_chunks_mut::<8>();
            for (s, o) in out.iter_mut().enumerate().take(segments.count) {
                let (a, b) = segments.range(s);
                let mut acc = [1.0; 8];
                for row in &rows[a..b] {
                    for k in 0..8 {
                        acc[k] *= row[k];
                    }
                }
                *o = acc;
            }
        }
        inner => {
            for s in 0..segments.count {
                let range = segments.range(s);
                let out = &mut out[s * inner..(s + 1) * inner];
                let mut j = 0;
                while j + 16 <= inner {
                    out[j..j + 16].copy_from_slice(&column_products::<16>(x, inner, j, range));
                    j += 16;
                }
                while j < inner {
                    out[j] = column_products::<1>(x, inner, j, range)[0];
                    j += 1;
                }
            }
        }
    }
}

#[inline(always)]
fn exclusive_columns<const W: usize>(
    x: &[f64],
    out: &mut [f64],
    inner: usize,
    j: usize,
    (a, b): (usize, usize),
) {
    let mut acc = [1.0; W];
    for i in a..b {
        let at = i * inner + j;
        out[at..at + W].copy_from_slice(&acc);
        let row = &x[at..at + W];
        for k in 0..W {
            acc[k] *= row[k];
        }
    }
    acc = [1.0; W];
    for i in (a..b).rev() {
        let at = i * inner + j;
        let (row, o) = (&x[at..at + W], &mut out[at..at + W]);
        for k in 0..W {
            o[k] *= acc[k];
            acc[k] *= row[k];
        }
    }
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn exclusive_body<I: Isa>(segments: Segments<'_>, x: &[f64], out: &mut [f64]) {
    match segments.inner {
        8 => {
            let (rows, _) = x.as_chunks::<8>();
            let (out, _) = out.as_chunks_mut::<8>();
            for s in 0..segments.count {
                let (a, b) = segments.range(s);
                let (rows, out) = (&rows[a..b], &mut out[a..b]);
                let mut acc = [1.0; 8];
                for (row, o) in rows.iter().zip(out.iter_mut()) {
                    *o = acc;
                    for k in 0..8 {
                        acc[k] *= row[k];
                    }
                }
                acc = [1.0; 8];
                for (row, o) in rows.iter().zip(out.iter_mut()).rev() {
                    for k in 0..8 {
                        o[k] *= acc[k];
                        acc[k] *= row[k];
                    }
                }
            }
        }
        inner => {
            for s in 0..segments.count {
                let range = segments.range(s);
                let mut j = 0;
                while j + 16 <= inner {
                    exclusive_columns::<16>(x, out, inner, j, range);
                    j += 16;
                }
                while j < inner {
                    exclusive_columns::<1>(x, out, inner, j, range);
                    j += 1;
                }
            }
        }
    }
}

pullback_ad::multiversion! {
    fn prod, prod_at(segments: Segments<'_>, x: &[f64], out: &mut [f64]) = prod_body;
    fn exclusive, exclusive_at(segments: Segments<'_>, x: &[f64], out: &mut [f64]) = exclusive_body;
}

/// `Πⱼ≠ᵢ xⱼ` as prefix times suffix, with the factors.
fn factors(x: Sym<'_>, over: LevelId) -> (Sym<'_>, Sym<'_>) {
    (prefix_prod(x, over, false), prefix_prod(x, over, true))
}

impl Primitive for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }

    fn doc(&self) -> &'static str {
        "The product along the level `over`: out[p, q] = Πᵢ x[p, i, q]."
    }

    fn convention(&self) -> &'static str {
        "The product of an empty segment is 1. Multiplied from first to last. The derivative to an element is the product of the others, without division: exact where elements are 0."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        within(self.name(), program, args, attrs, DType::F64).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(over) = call.attrs.level("over") else {
            return Err(ill_formed(self.name(), "expects a level `over`"));
        };
        let others = cx
            .push(super::EXCLUSIVE_PROD, &[call.args[0]], call.attrs.clone())
            .first(cx);
        Ok(vec![tangents[0].map(|t| {
            match super::rows::per_row(cx, t, over) {
                // A tangent that is the same in all lanes of a row is contracted without being spread over them.
                Some((row, lanes)) => row.rows_sum(others * lanes, over),
                None => (others * t).sum(over),
            }
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = prod;
        let (axis, kernel) = (axis(self.name(), cx, 0)?, prod_at(cx.isa()));
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(io.segments(&axis), io.arg::<f64>(0), io.out::<f64>(0));
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("segments", |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 5]);
                let x = s.f64("x", muons, &[1.5, 2.0, 3.0, -0.5, 0.7]);
                x.prod(muons.last().unwrap_or(LevelId(0)))
            }),
            Sample::generic("an outer level", |s| {
                let (a, b) = (s.b.dense_of("a", 3), s.b.dense_of("b", 2));
                let x = s.f64("x", s.b.join(a, b), &[1.5, 2.0, 3.0, -0.5, 0.7, 1.1]);
                x.prod(a.last().unwrap_or(LevelId(0)))
            }),
            Sample::special("empty, one zero, two zeros", &[1.0, 0.0, 0.0], |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 0, 2, 5]);
                let x = s.f64("x", muons, &[3.0, 0.0, 0.0, 2.0, 0.0]);
                x.prod(muons.last().unwrap_or(LevelId(0)))
            }),
        ]
    }
}

impl Primitive for ExclusiveProd {
    fn name(&self) -> &'static str {
        "exclusive_prod"
    }

    fn doc(&self) -> &'static str {
        "The product of the other elements along the level `over`: out[p, i, q] = Πⱼ≠ᵢ x[p, j, q]. The derivative of `prod`."
    }

    fn convention(&self) -> &'static str {
        "The only element of a segment has the product 1. Computed as what stands before times what stands after, without division."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        within(self.name(), program, args, attrs, DType::F64)?;
        Ok(args.to_vec())
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
        let x = call.args[0];
        let (before, after) = factors(x, over);
        Ok(vec![tangents[0].map(|t| {
            after * recurrence(x, before * t, over, false)
                + before * recurrence(x, after * t, over, true)
        })])
    }

    fn decompose<'b>(&self, _cx: &'b Builder, call: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        let (before, after) = factors(call.args[0], call.attrs.level("over")?);
        Some(vec![before * after])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = exclusive;
        let (axis, kernel) = (axis(self.name(), cx, 0)?, exclusive_at(cx.isa()));
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(io.segments(&axis), io.arg::<f64>(0), io.out::<f64>(0));
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("segments", |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 5]);
                s.f64("x", muons, &[1.5, 2.0, 3.0, -0.5, 0.7])
                    .exclusive_prod(muons.last().unwrap_or(LevelId(0)))
            }),
            Sample::special(
                "alone, one zero, two zeros",
                &[1.0, 0.0, 3.0, 0.0, 0.0, 0.0],
                |s| {
                    let muons = s.ragged("muons", s.b.stream("events"), &[0, 1, 3, 6]);
                    let x = s.f64("x", muons, &[5.0, 3.0, 0.0, 0.0, 2.0, 0.0]);
                    x.exclusive_prod(muons.last().unwrap_or(LevelId(0)))
                },
            ),
        ]
    }
}
