//! What is computed from the factors of a square matrix: solutions of linear systems and the determinant.
//!
//! A matrix is factorised by one node, which its solutions, their derivatives and the determinant share. The derivative is not carried by the factors but by
//! the matrix, which the nodes here have as their first argument: they never differentiate the elimination.

use super::binary::join;
use super::compare::Compare;
use super::lu::matrix;
use super::matrix::{
    Action, Part, Square, acts, doubles, flag, lanes_of_operand, square, with_scratch,
};
use super::matrix_apply::matrix_apply;
use super::triangular::{Solver, Triangular};
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::{Point, Sample, Sampler};
use crate::space::{LevelId, Space};
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// A x = b.
pub struct LuSolve;

/// sign and ln|det A|.
pub struct SlogDet;

/// A matrix with the factors that belong to it.
#[derive(Clone, Copy)]
pub(crate) struct Factorised<'b> {
    matrix: Sym<'b>,
    factors: Sym<'b>,
    rows: Sym<'b>,
}

impl<'b> Factorised<'b> {
    /// Records the factors of a matrix; they get its name.
    pub(crate) fn new(cx: &'b Builder, matrix: Sym<'b>) -> Self {
        let label = matrix
            .value_id()
            .and_then(|id| cx.with_program(|p| p.value(id).label.clone()));
        let made = cx.labelled(label, || cx.push(super::LU, &[matrix], Attrs::NONE).all(cx));
        Self {
            matrix,
            factors: made[0],
            rows: made.get(1).copied().unwrap_or(made[0]),
        }
    }

    fn of(args: &[Sym<'b>]) -> Self {
        Self {
            matrix: args[0],
            factors: args[1],
            rows: args[2],
        }
    }

    /// Records x with A x = b, or Aᵀ x = b, along the level `over` of b.
    pub(crate) fn solve(
        self,
        cx: &'b Builder,
        b: Sym<'b>,
        over: LevelId,
        transposed: bool,
    ) -> Sym<'b> {
        let attrs = Attrs::over(over).with("transposed", Attr::Int(i64::from(transposed)));
        let args = [self.matrix, self.factors, self.rows, b];
        cx.push(super::LU_SOLVE, &args, attrs).first(cx)
    }

    /// Records the sign of the determinant and the logarithm of its magnitude.
    pub(crate) fn slogdet(self, cx: &'b Builder) -> (Sym<'b>, Sym<'b>) {
        let args = [self.matrix, self.factors, self.rows];
        let made = cx.push(super::SLOGDET, &args, Attrs::NONE).all(cx);
        (made[0], made.get(1).copied().unwrap_or(made[0]))
    }
}

/// Checks a matrix, its factors and the order of its rows.
fn factorised(primitive: &'static str, program: &Program, args: &[Type]) -> Result<()> {
    let [a, factors, rows] = args else {
        return Err(ill_formed(
            primitive,
            "expects a matrix and what `lu` makes of it",
        ));
    };
    doubles(primitive, &[*a, *factors], 2)?;
    square(primitive, program, a.space)?;
    if factors != a || *rows != Type::new(DType::I64, a.space.prefix(a.space.depth() - 1)) {
        return Err(ill_formed(
            primitive,
            "the factors are not those that `lu` makes of the matrix",
        ));
    }
    Ok(())
}

/// The derivative is that of the matrix: what claims to move the factors alone has none.
fn only_the_matrix(primitive: &'static str, factors: Option<Sym<'_>>) -> Result<()> {
    match factors {
        None => Ok(()),
        Some(_) => Err(Error::NotDifferentiable {
            primitive,
            what: "derivative to the factors",
            message: "make them with `lu`; the derivative runs through the matrix".into(),
        }),
    }
}

fn parameters(attrs: &Attrs) -> Result<(LevelId, bool)> {
    let name = LuSolve.name();
    match attrs.level("over") {
        Some(over) => Ok((over, flag(name, attrs, "transposed")?)),
        None => Err(ill_formed(name, "expects a level `over`")),
    }
}

impl Primitive for LuSolve {
    fn name(&self) -> &'static str {
        "lu_solve"
    }

    fn doc(&self) -> &'static str {
        "x with A x = b, or Aᵀ x = b, along the level `over` of b (argument 3), for a matrix (the last two levels of argument 0) and what `lu` makes of it (arguments 1 and 2). x lives where b does; the levels before the matrix are lanes."
    }

    fn convention(&self) -> &'static str {
        "A singular matrix was refused by `lu`; NaN and infinities of b pass on, also through zeros of the matrix (0·inf is NaN)."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let [matrix @ .., b] = args else {
            return Err(ill_formed(self.name(), "expects four arguments"));
        };
        factorised(self.name(), program, matrix)?;
        doubles(self.name(), &[*b], 1)?;
        let (over, _) = parameters(attrs)?;
        acts(self.name(), program, args[0].space, b.space, over)?;
        Ok(vec![*b])
    }

    /// dx = A⁻¹ (db − dA x): Giles, LNCSE 64 (2008) 35, section 2.2.3.
    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, transposed) = parameters(call.attrs)?;
        only_the_matrix(self.name(), tangents[1])?;
        let moved =
            tangents[0].map(|t| -matrix_apply(cx, t, call.outs[0], over, Part::Full, transposed));
        let of = Factorised::of(call.args);
        Ok(vec![
            join(tangents[3], moved).map(|right| of.solve(cx, right, over, transposed)),
        ])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (over, transposed) = parameters(call.attrs)?;
        let of = Factorised::of(call.args);
        let pulled = cotangents[0]
            .filter(|_| linear[3])
            .map(|c| of.solve(cx, c, over, !transposed));
        Ok(vec![None, None, None, pulled])
    }

    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        lanes_of_operand(cx, call, 3)
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (_, transposed) = parameters(cx.attrs())?;
        let action = Action::new(self.name(), cx, cx.arg(0).space, 3)?;
        let solver = Solver::new(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (factors, rows) = (io.arg::<f64>(1), io.arg::<i64>(2));
            let (b, x) = (io.arg::<f64>(3), io.out::<f64>(0));
            action.each(io, |o| {
                let (n, w) = (o.order, o.inner);
                let data = &factors[o.lane * n * n..(o.lane + 1) * n * n];
                let rows = &rows[o.lane * n..(o.lane + 1) * n];
                let (b, x) = (&b[o.first..o.end], &mut x[o.first..o.end]);
                let triangle = |lower: bool| Triangular {
                    data,
                    n,
                    lower,
                    transposed,
                    unit: lower,
                };
                if transposed {
                    // Aᵀ = Uᵀ Lᵀ P.
                    x.copy_from_slice(b);
                    solver.solve(triangle(false), x, w, action.streamed);
                    solver.solve(triangle(true), x, w, action.streamed);
                    for x in x.chunks_exact_mut(n * w) {
                        with_scratch(n * w, |z| {
                            z.copy_from_slice(x);
                            for (z, &row) in z.chunks_exact(w).zip(rows) {
                                let row = usize::try_from(row).unwrap_or(usize::MAX);
                                if let Some(x) = x.chunks_exact_mut(w).nth(row) {
                                    x.copy_from_slice(z);
                                }
                            }
                        });
                    }
                } else {
                    for (x, b) in x.chunks_exact_mut(n * w).zip(b.chunks_exact(n * w)) {
                        for (x, &row) in x.chunks_exact_mut(w).zip(rows) {
                            let row = usize::try_from(row).unwrap_or(usize::MAX);
                            if let Some(b) = b.chunks_exact(w).nth(row) {
                                x.copy_from_slice(b);
                            }
                        }
                    }
                    solver.solve(triangle(true), x, w, action.streamed);
                    solver.solve(triangle(false), x, w, action.streamed);
                }
                Ok(())
            })
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let over = |s: Space, k: usize| s.level(k).unwrap_or(LevelId(0));
        let generic = |what: &str, transposed: bool| {
            Sample::generic(what, move |s| {
                let space = matrix(s, Space::SCALAR, 3);
                let a = s.f64("a", space, &[0.1, 0.3, -2.4, 0.5, 1.5, 0.6, 3.7, 0.8, -1.0]);
                let right = s.b.join(space.prefix(1), s.b.dense_of("k", 2));
                let b = s.f64("b", right, &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                Factorised::new(&s.b, a).solve(&s.b, b, over(space, 0), transposed)
            })
        };
        vec![
            generic("right-hand sides", false),
            generic("the transposed matrix", true),
            Sample::generic("one matrix for all muons", move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 3]);
                let space = matrix(s, Space::SCALAR, 2);
                let a = s.f64("a", space, &[0.2, 0.3, 0.5, -1.0]);
                let right = s.b.join(muons, space.prefix(1));
                let b = s.f64("b", right, &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0]);
                Factorised::new(&s.b, a).solve(&s.b, b, over(space, 0), false)
            }),
            Sample::generic("a matrix in each event", move |s| {
                let events = s.b.stream("events");
                let space = matrix(s, events, 2);
                let a = [0.2, 0.3, 0.5, -1.0, 1.5, 0.0, 0.1, 3.0];
                let a = s.f64("a", space, &a);
                let b = s.f64("b", space.prefix(2), &[1.0, 2.0, -1.0, 0.5]);
                Factorised::new(&s.b, a).solve(&s.b, b, over(space, 1), true)
            }),
            Sample::special("infinity", &[f64::NAN, f64::NAN], move |s| {
                let space = matrix(s, Space::SCALAR, 2);
                let a = s.f64("a", space, &[2.0, 0.0, 0.0, 4.0]);
                let b = s.f64("b", space.prefix(1), &[f64::INFINITY, 2.0]);
                Factorised::new(&s.b, a).solve(&s.b, b, over(space, 0), false)
            }),
        ]
    }
}

impl Primitive for SlogDet {
    fn name(&self) -> &'static str {
        "slogdet"
    }

    fn doc(&self) -> &'static str {
        "The sign of the determinant and the logarithm of its magnitude, ln|det A| = Σ ln|Uᵢᵢ|, of a matrix (the last two levels of argument 0) from what `lu` makes of it (arguments 1 and 2)."
    }

    fn convention(&self) -> &'static str {
        "Of order 0: 1 and 0. A singular matrix was refused by `lu`. The sign carries no derivative."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        factorised(self.name(), program, args)?;
        let lanes = args[0].space.prefix(args[0].space.depth() - 2);
        Ok(vec![Type::f64(lanes); 2])
    }

    /// d ln|det A| = tr(A⁻¹ dA) = Σ (A⁻ᵀ)ᵢⱼ dAᵢⱼ: Giles, LNCSE 64 (2008) 35, section 2.2.4.
    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        only_the_matrix(self.name(), tangents[1])?;
        let Some(t) = tangents[0] else {
            return Ok(vec![None, None]);
        };
        let space = call.args[0].space();
        let (rows, columns) = cx.with_program(|p| square(self.name(), p, space))?;
        let diagonal = cx
            .position(space, rows)
            .compare(Compare::Eq, cx.position(space, columns));
        let one = diagonal.select(1.0.into(), 0.0.into());
        let inverse = Factorised::of(call.args).solve(cx, one, rows, true);
        Ok(vec![None, Some((inverse * t).sum(columns).sum(rows))])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let at = Square::new(self.name(), cx, cx.arg(0).space)?;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let n = at.order(io)?;
            let (factors, rows) = (io.arg::<f64>(1), io.arg::<i64>(2));
            let (sign, log) = (io.out::<f64>(0), io.out::<f64>(1));
            for (lane, (sign, log)) in sign.iter_mut().zip(log).enumerate() {
                let u = &factors[lane * n * n..(lane + 1) * n * n];
                let rows = &rows[lane * n..(lane + 1) * n];
                (*sign, *log) = (if odd(rows) { -1.0 } else { 1.0 }, 0.0);
                for u in u.iter().step_by(n + 1) {
                    *log += u.abs().ln();
                    *sign *= u.signum();
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let made = |s: &Sampler, lanes: Space, n: usize, a: &[f64]| {
            let a = s.f64("a", matrix(s, lanes, n), a);
            let (sign, log) = Factorised::new(&s.b, a).slogdet(&s.b);
            vec![
                ("sign".to_owned(), s.b.id(sign)),
                ("log".to_owned(), s.b.id(log)),
            ]
        };
        let special = |what: &str, expected: [f64; 2], n: usize, a: &'static [f64]| {
            let mut sample =
                Sample::new(what, Point::Special, move |s| made(s, Space::SCALAR, n, a));
            sample.expected = Some(expected.map(|x| vec![x]).to_vec());
            sample
        };
        vec![
            Sample::new("of order 3", Point::Generic, move |s| {
                let a = [0.1, 0.3, -2.4, 0.5, 1.5, 0.6, 3.7, 0.8, -1.0];
                made(s, Space::SCALAR, 3, &a)
            }),
            Sample::new("in each event", Point::Generic, move |s| {
                let a = [0.2, 0.3, 0.5, -1.0, 1.5, 0.0, 0.1, 3.0];
                made(s, s.b.stream("events"), 2, &a)
            }),
            special("odd", [-1.0, 0.0], 2, &[0.0, 1.0, 1.0, 0.0]),
            special("a negative pivot", [-1.0, 0.0], 2, &[-1.0, 0.0, 0.0, 1.0]),
            special("of order 0", [1.0, 0.0], 0, &[]),
        ]
    }
}

/// Whether a permutation is odd: whether the number of its cycles and of its elements differ by an odd number.
fn odd(rows: &[i64]) -> bool {
    // Each element that is not the smallest of its cycle is one transposition.
    let smallest = |start: usize| {
        let mut at = start;
        for _ in 0..rows.len() {
            at = rows.get(at).map_or(start, |r| *r as usize);
            if at <= start {
                break;
            }
        }
        at == start
    };
    (0..rows.len()).filter(|&k| !smallest(k)).count() % 2 == 1
}
