//! The Cholesky factor of a positive definite matrix.

use pullback_ad::isa::Isa;

use super::matrix::{Part, Square, doubles, square};
use super::matrix_apply::matrix_apply;
use super::triangle::Triangle;
use super::triangular_solve::triangular_solve;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::linalg::{LinalgError, cholesky};
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::Type;

/// A = L Lᵀ.
pub struct Cholesky;

/// Orders below which the plain loops here, which go through rows, are faster than those that go through the transposed matrix.
const SMALL: usize = 16;

/// L of the lower triangle of `a`, row by row (Cholesky–Banachiewicz); the pivot that is not positive, if one is not.
#[inline(always)]
fn small_body<I: Isa>(a: &[f64], l: &mut [f64], n: usize) -> Option<(usize, f64)> {
    for i in 0..n {
        let (above, rest) = l.split_at_mut(i * n);
        let row = &mut rest[..n];
        let mut pivot = a[i * n + i];
        for j in 0..i {
            let other = &above[j * n..=j * n + j];
            let mut x = a[i * n + j];
            for (x_k, y_k) in row[..j].iter().zip(other) {
                x = I::fma(-*x_k, *y_k, x);
            }
            x /= other[j];
            row[j] = x;
            pivot = I::fma(-x, x, pivot);
        }
        // The negated comparison also catches NaN.
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return Some((i, pivot));
        }
        row[i] = pivot.sqrt();
        row[i + 1..].fill(0.0);
    }
    None
}

pullback_ad::multiversion! {
    fn small_here, small_at(a: &[f64], l: &mut [f64], n: usize) -> Option<(usize, f64)> = small_body;
}

/// The same through the upper triangle of the transposed matrix, which is blocked.
fn large(a: &[f64], l: &mut [f64], n: usize) -> Option<(usize, f64)> {
    for i in 0..n {
        for j in 0..=i {
            l[j * n + i] = a[i * n + j];
        }
    }
    match cholesky(l, n) {
        Ok(()) => {}
        Err(LinalgError::NotPositiveDefinite { pivot, value }) => return Some((pivot, value)),
        Err(_) => return Some((0, f64::NAN)),
    }
    for i in 0..n {
        for j in 0..i {
            l[i * n + j] = std::mem::replace(&mut l[j * n + i], 0.0);
        }
    }
    None
}

impl Primitive for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }

    fn doc(&self) -> &'static str {
        "The lower triangular L with a positive diagonal and A = L Lᵀ, for a symmetric positive definite matrix in the last two levels."
    }

    fn convention(&self) -> &'static str {
        "Reads the lower triangle only: the derivative to an element below the diagonal is that of the pair. Above the diagonal L is 0. A matrix that is not positive definite (or holds NaN) is an error that names the pivot."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        doubles(self.name(), args, 1)?;
        square(self.name(), program, args[0].space)?;
        Ok(vec![args[0]])
    }

    /// dL = L Φ(L⁻¹ dA L⁻ᵀ), where Φ takes the lower triangle and half the diagonal: Murray, arXiv:1602.07527, equation (8); Giles, LNCSE 64 (2008) 35, section
    /// 2.2.1.
    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let l = call.outs[0];
        let (rows, columns) = cx.with_program(|p| square(self.name(), p, l.space()))?;
        Ok(vec![tangents[0].map(|t| {
            let mirrored = Triangle::Mirror.record(cx, t);
            let half = triangular_solve(cx, l, mirrored, rows, Part::Lower, false);
            let whole = triangular_solve(cx, l, half, columns, Part::Lower, false);
            // Twice Φ of a symmetric matrix is what folding it onto its lower triangle gives.
            let phi = Triangle::Fold.record(cx, whole) * 0.5;
            matrix_apply(cx, l, phi, rows, Part::Lower, false)
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = small_here;
        let (at, small) = (
            Square::new(self.name(), cx, cx.arg(0).space)?,
            small_at(cx.isa()),
        );
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let n = at.order(io)?;
            let (a, l) = (io.arg::<f64>(0), io.out::<f64>(0));
            let size = (n * n).max(1);
            for (lane, (a, l)) in a
                .chunks_exact(size)
                .zip(l.chunks_exact_mut(size))
                .enumerate()
            {
                let failed = if n < SMALL {
                    small(a, l, n)
                } else {
                    large(a, l, n)
                };
                if let Some((pivot, value)) = failed {
                    return Err(format!(
                        "matrix{} is not positive definite: pivot {pivot} is {value:e}; look at the eigenvector of the lowest eigenvalue of its first {} rows and columns",
                        at.place(io, lane),
                        pivot + 1
                    ));
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("of order 3", |s| {
                let space = s.b.join(s.b.dense_of("i", 3), s.b.dense_of("j", 3));
                s.f64("a", space, &[4.0, 9.0, 9.0, 1.0, 3.0, 9.0, -0.5, 0.25, 2.0])
                    .cholesky()
            }),
            Sample::generic("in each event", |s| {
                let events = s.b.stream("events");
                let space =
                    s.b.join(events, s.b.join(s.b.dense_of("i", 2), s.b.dense_of("j", 2)));
                s.f64("a", space, &[2.0, 0.0, 0.5, 1.0, 1.0, 0.0, -0.2, 3.0])
                    .cholesky()
            }),
            Sample::generic("through the transposed matrix", |s| {
                let n = SMALL + 1;
                let space = s.b.join(s.b.dense_of("i", n), s.b.dense_of("j", n));
                let a: Vec<f64> = (0..n * n)
                    .map(|k| {
                        let (i, j) = ((k / n) as f64, (k % n) as f64);
                        if i == j {
                            2.0 + 0.1 * i
                        } else {
                            (-(i - j).abs()).exp()
                        }
                    })
                    .collect();
                s.f64("a", space, &a).cholesky()
            }),
            Sample::special(
                "the other triangle is not read",
                &[2.0, 0.0, 0.5, 1.5],
                |s| {
                    let space = s.b.join(s.b.dense_of("i", 2), s.b.dense_of("j", 2));
                    s.f64("a", space, &[4.0, f64::NAN, 1.0, 2.5]).cholesky()
                },
            ),
            Sample::special("of order 0", &[], |s| {
                let space = s.b.join(s.b.dense_of("i", 0), s.b.dense_of("j", 0));
                s.f64("a", space, &[]).cholesky()
            }),
        ]
    }
}
