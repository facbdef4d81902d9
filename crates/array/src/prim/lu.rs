//! Factors of a square matrix.

use pullback_ad::isa::Isa;

use super::matrix::{Square, doubles, square};
use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::linalg::{LinalgError, Lu as Blocked};
use crate::primitive::{Nature, Primitive};
use crate::program::Program;
use crate::sample::{Point, Sample, Sampler};
use crate::space::Space;
use crate::ty::{DType, Type};

/// P A = L U.
pub struct Lu;

/// Orders below which the plain loops here are used.
const SMALL: usize = 64;

/// Gaussian elimination with partial pivoting, in place; `rows[i]` is the row that became row i. The pivot that is zero or not finite, if one is.
///
/// Reference: Golub & Van Loan, Matrix Computations (4th ed.), algorithm 3.4.1.
#[inline(always)]
fn eliminate_body<I: Isa>(a: &mut [f64], rows: &mut [i64]) -> Option<(usize, f64)> {
    let n = rows.len();
    for (k, row) in rows.iter_mut().enumerate() {
        *row = k as i64;
    }
    for k in 0..n {
        let mut best = k;
        for i in k + 1..n {
            if a[i * n + k].abs() > a[best * n + k].abs() || a[i * n + k].is_nan() {
                best = i;
            }
        }
        if best != k {
            rows.swap(k, best);
            let (above, below) = a.split_at_mut(best * n);
            above[k * n..(k + 1) * n].swap_with_slice(&mut below[..n]);
        }
        let pivot = a[k * n + k];
        if pivot == 0.0 || !pivot.is_finite() {
            return Some((k, pivot));
        }
        let (done, rest) = a.split_at_mut((k + 1) * n);
        let top = &done[k * n + k + 1..];
        for row in rest.chunks_exact_mut(n) {
            let f = row[k] / pivot;
            row[k] = f;
            for (x, y) in row[k + 1..].iter_mut().zip(top) {
                *x = I::fma(-f, *y, *x);
            }
        }
    }
    None
}

pullback_ad::multiversion! {
    fn eliminate_here, eliminate_at(a: &mut [f64], rows: &mut [i64]) -> Option<(usize, f64)> = eliminate_body;
}

/// The same in blocks.
fn eliminate_large(a: &mut [f64], rows: &mut [i64]) -> Option<(usize, f64)> {
    match Blocked::new(a, rows.len()) {
        Ok(lu) => {
            a.copy_from_slice(lu.factors());
            for (to, from) in rows.iter_mut().zip(lu.rows()) {
                *to = *from as i64;
            }
            None
        }
        Err(LinalgError::Singular { pivot, value }) => Some((pivot, value)),
        Err(_) => Some((0, f64::NAN)),
    }
}

impl Primitive for Lu {
    fn name(&self) -> &'static str {
        "lu"
    }

    fn doc(&self) -> &'static str {
        "Factors P A = L U of a square matrix (the last two levels), by partial pivoting: L without its diagonal of ones below and U above, in one matrix; and for each row of it the row of A that became it."
    }

    fn convention(&self) -> &'static str {
        "The largest element is the pivot, the first of equal ones. A zero pivot, NaN or infinity is an error that names it. The factors carry no derivative: what is computed from them has it from the matrix."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        doubles(self.name(), args, 1)?;
        let space = args[0].space;
        square(self.name(), program, space)?;
        let rows = Type::new(DType::I64, space.prefix(space.depth() - 1));
        Ok(vec![args[0], rows])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let _ = eliminate_here;
        let at = Square::new(self.name(), cx, cx.arg(0).space)?;
        let small = eliminate_at(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let n = at.order(io)?;
            let (a, out, rows) = (io.arg::<f64>(0), io.out::<f64>(0), io.out::<i64>(1));
            out.copy_from_slice(a);
            let matrices = out.chunks_exact_mut((n * n).max(1));
            for (lane, (a, rows)) in matrices.zip(rows.chunks_exact_mut(n.max(1))).enumerate() {
                let failed = if n < SMALL {
                    small(a, rows)
                } else {
                    eliminate_large(a, rows)
                };
                if let Some((pivot, value)) = failed {
                    return Err(format!(
                        "matrix{} is singular: pivot {pivot} is {value:e}; a column is a combination of the others, or an element is not finite",
                        at.place(io, lane)
                    ));
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let both = |what: &str, expected: [&[f64]; 2], n: usize, a: &'static [f64]| {
            let mut sample = Sample::new(what, Point::Special, |s| {
                let a = s.f64("a", matrix(s, Space::SCALAR, n), a);
                let made = s.b.push(super::LU, &[a], Attrs::NONE).all(&s.b);
                vec![
                    ("factors".to_owned(), s.b.id(made[0])),
                    ("rows".to_owned(), s.b.id(made[1])),
                ]
            });
            sample.expected = Some(expected.map(<[f64]>::to_vec).to_vec());
            sample
        };
        vec![
            both(
                "a zero first",
                [&[2.0, 1.0, 0.0, 3.0], &[1.0, 0.0]],
                2,
                &[0.0, 3.0, 2.0, 1.0],
            ),
            both(
                "equal candidates",
                [&[1.0, 2.0, -1.0, 3.0], &[0.0, 1.0]],
                2,
                &[1.0, 2.0, -1.0, 1.0],
            ),
            both("of order 0", [&[], &[]], 0, &[]),
        ]
    }
}

/// The path of a matrix of order `n` behind `lanes`.
pub(crate) fn matrix(s: &Sampler, lanes: Space, n: usize) -> Space {
    s.b.join(lanes, s.b.join(s.b.dense_of("i", n), s.b.dense_of("j", n)))
}
