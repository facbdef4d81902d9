//! The solution of a linear system whose matrix is given by what it does.

use std::sync::Arc;

use pullback_array::attr::{Attr, Attrs};
use pullback_array::exec::{Io, Kernel, LowerCx};
use pullback_array::linalg::{self, Lu};
use pullback_array::region::{self, BODY, Lanes, Pool, Signature, body, call, ill_formed, part};
use pullback_array::transform::LaneCall;
use pullback_array::{
    Bindings, Builder, Call as Node, Column, DType, Error, Lowered, Nature, Primitive,
    PrimitiveRef, Program, Result, Sample, Space, Sym, Type, Workspace,
};

/// x with A(captures) x = b.
pub(crate) struct LinearSolve;

/// The primitive.
pub(crate) const LINEAR_SOLVE: PrimitiveRef = PrimitiveRef(&LinearSolve);

/// Below this reciprocal condition number a matrix counts as singular.
const SINGULAR: f64 = 1e-15;

/// Records x with A x = b, where the region `operator` computes A v from the captures and from v, its *last* input, in which it is linear.
///
/// A matrix that is there as numbers is better served by `Sym::solve`, `Sym::cholesky` and `Sym::triangular_solve` of `pullback-array`, which share one
/// factorisation with everything else that is computed from it; this is for one that is known by its products only.
///
/// With `symmetric`, A is known to be symmetric: it is factorised by Cholesky where it is positive definite, and is its own transpose.
///
/// Derivatives: `A dx = db − (dA) x`, and `Aᵀ b̄ = x̄` for the transpose, each a `linear_solve` again.
///
/// Shape: the result has the type of v, b that of A v; both have as many elements. At run time A is formed by n products and factorised (n³ operations), once
/// for all lanes if no capture has lanes, followed by one step of iterative refinement.
///
/// Errors (at run time): a singular matrix, by its reciprocal condition number; numbers that are not finite.
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, Space};
/// use pullback_optim::implicit::{linear_solve, region};
/// let b = Builder::new();
/// let n = b.dense_of("n", 2);
/// let (d, rhs) = (b.input("d", n), b.input("rhs", n));
/// // A = diag(d) + 1·1ᵀ, never written down.
/// let operator = region(Space::SCALAR, &[d, rhs], |_, v| v[0] * v[1] + v[1].sum_all())?;
/// let x = linear_solve(&b, &operator, true, rhs, &[d]);
/// let lowered = Lowered::new(b.finish(&[("x", x)])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[3.0, 4.0]).into()]))?;
/// assert!((ws.f64(0)[0] - 1.0).abs() < 1e-15 && (ws.f64(0)[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: M. Giles, LNCSE 64 (2008) 35, section 2.3.1.
pub fn linear_solve<'b>(
    b: &'b Builder,
    operator: &Arc<Program>,
    symmetric: bool,
    rhs: Sym<'b>,
    captures: &[Sym<'b>],
) -> Sym<'b> {
    let args: Vec<Sym<'b>> = std::iter::once(rhs)
        .chain(captures.iter().copied())
        .collect();
    let attrs = Attrs::NONE
        .with(BODY, Attr::Program(operator.clone()))
        .with("symmetric", Attr::Int(i64::from(symmetric)));
    b.push(LINEAR_SOLVE, &args, attrs).first(b)
}

/// Records x with A x = b for a dense matrix: A has the level of b and then that of x.
///
/// # Errors
/// A matrix that does not have two levels.
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered};
/// use pullback_optim::implicit::solve;
/// let b = Builder::new();
/// let (rows, columns) = (b.dense_of("rows", 2), b.dense_of("columns", 2));
/// let (a, rhs) = (b.input("a", b.join(rows, columns)), b.input("rhs", rows));
/// let x = solve(&b, a, rhs)?;
/// let lowered = Lowered::new(b.finish(&[("x", x)])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.0, 2.0, 4.0, 0.0]).into(), (&[6.0, 8.0]).into()]))?;
/// assert_eq!(ws.f64(0), [2.0, 3.0]);
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn solve<'b>(b: &'b Builder, matrix: Sym<'b>, rhs: Sym<'b>) -> Result<Sym<'b>> {
    let space = matrix.space();
    let Some((rows, columns)) = space
        .depth()
        .checked_sub(2)
        .and_then(|k| space.level(k).zip(space.last()))
    else {
        return Err(ill_formed(
            LINEAR_SOLVE.name(),
            "a matrix has two levels: that of the right-hand side and that of the solution",
        ));
    };
    let inner = Builder::new();
    let level = |l| b.with_program(|p| p.level(l).clone());
    let (r, c) = (level(rows), level(columns));
    let (r, c) = (
        inner.level(&r.name, r.kind, r.len),
        inner.level(&c.name, c.kind, c.len),
    );
    let (Some(full), Some(unknown)) = (Space::from_levels(&[r, c]), Space::from_levels(&[c]))
    else {
        return Err(ill_formed(LINEAR_SOLVE.name(), "too many levels"));
    };
    let (a, v) = (inner.input("a0", full), inner.input("a1", unknown));
    let product = (a * v).sum(c);
    let operator = Arc::new(inner.finish(&[("r0", product)])?);
    Ok(linear_solve(b, &operator, false, rhs, &[matrix]))
}

/// Types inside the region for each argument: of the result for the right-hand side, then of the captures.
fn inner_types(operator: &Program) -> Result<Vec<Type>> {
    let (mut inputs, outputs) = (
        region::input_types(operator),
        region::output_types(operator),
    );
    match (inputs.pop(), outputs.as_slice()) {
        (Some(unknown), [out]) if unknown.dtype == DType::F64 && out.dtype == DType::F64 => {
            inputs.insert(0, *out);
            Ok(inputs)
        }
        _ => Err(ill_formed(
            LINEAR_SOLVE.name(),
            "the region has one result, and its last input is the vector that it multiplies; both are doubles",
        )),
    }
}

fn signature(around: &Program, args: &[Type], attrs: &Attrs) -> Result<Signature> {
    let operator = body(LINEAR_SOLVE.name(), attrs)?;
    let inner = inner_types(operator)?;
    if inner.len() != args.len() {
        return Err(ill_formed(
            LINEAR_SOLVE.name(),
            format!(
                "{} captures for {} inputs of its region",
                args.len().saturating_sub(1),
                inner.len() - 1
            ),
        ));
    }
    let pairs: Vec<(Type, Type)> = inner.into_iter().zip(args.iter().copied()).collect();
    Signature::new(LINEAR_SOLVE.name(), around, operator, &pairs)
}

fn symmetric(attrs: &Attrs) -> bool {
    attrs.int("symmetric") == Some(1)
}

impl Primitive for LinearSolve {
    fn name(&self) -> &'static str {
        "linear_solve"
    }

    fn doc(&self) -> &'static str {
        "The solution x of A x = b for b (argument 0); the sub-program `body` computes A v from the other arguments and v, its last input."
    }

    fn convention(&self) -> &'static str {
        "A singular matrix and numbers that are not finite are errors; an empty system has an empty solution."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let operator = body(self.name(), attrs)?;
        let signature = signature(around, args, attrs)?;
        let unknown = region::input_types(operator).pop();
        unknown
            .into_iter()
            .map(|ty| signature.outer(self.name(), operator, ty))
            .collect()
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let operator = body(self.name(), node.attrs)?;
        let captures = &node.args[1..];
        let moved: Vec<Sym<'b>> = tangents[1..].iter().copied().flatten().collect();
        let mut rhs = tangents[0];
        if !moved.is_empty() {
            let wrt: Vec<bool> = tangents[1..]
                .iter()
                .map(Option::is_some)
                .chain([false])
                .collect();
            let derivative = region::tangent(operator, &wrt, &[0])?;
            let args: Vec<Sym<'b>> = captures
                .iter()
                .copied()
                .chain([node.outs[0]])
                .chain(moved)
                .collect();
            let turned = call(cx, &derivative, &args)[0];
            rhs = Some(rhs.map_or_else(|| -turned, |r| r - turned));
        }
        Ok(vec![rhs.map(|r| {
            linear_solve(cx, operator, symmetric(node.attrs), r, captures)
        })])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        if linear[1..].contains(&true) {
            return Err(Error::NotDifferentiable {
                primitive: self.name(),
                what: "transpose",
                message: "it is linear in its right-hand side only".into(),
            });
        }
        let mut out = vec![None; node.args.len()];
        let Some(ct) = cotangents[0] else {
            return Ok(out);
        };
        let operator = body(self.name(), node.attrs)?;
        let transposed = if symmetric(node.attrs) {
            operator.clone()
        } else {
            let last = operator.inputs().len() - 1;
            let flags: Vec<bool> = (0..=last).map(|k| k == last).collect();
            region::cotangent(operator, &flags, &[0])?
        };
        let types: Vec<Type> = node
            .args
            .iter()
            .map(|a| Type::new(a.dtype(), a.space()))
            .collect();
        let around = cx.with_program(|p| signature(p, &types, node.attrs))?;
        let pulled = linear_solve(cx, &transposed, symmetric(node.attrs), ct, &node.args[1..]);
        out[0] = Some(region::without_lanes(pulled, around.lanes, around.laned[0]));
        Ok(out)
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let inner = inner_types(body(self.name(), node.attrs)?)?;
        let args = region::lane_arguments(cx, node, &inner)?;
        Ok(cx.push(LINEAR_SOLVE, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let operator = body(self.name(), cx.attrs())?.clone();
        let args: Vec<Type> = (0..operator.inputs().len()).map(|i| cx.arg(i)).collect();
        let lanes = Lanes::new(cx, &signature(cx.program(), &args, cx.attrs())?);
        let symmetric = symmetric(cx.attrs());
        let count = args.len();
        let lowered = Lowered::for_isa(operator, cx.isa())?;
        let pool = Pool::new(lowered.workspace());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let args = lanes.arguments(io);
            let out = io.out::<f64>(0);
            let n = out.len();
            let differ = lanes.differ(1..count);
            pool.with(
                || Ok(lowered.workspace()),
                |memory| {
                    let mut system: Option<System> = None;
                    for lane in 0..args.count {
                        let (rhs, x) = (args.doubles(0, lane), &mut out[part(n, args.count, lane)]);
                        if system.is_none() || differ {
                            system = Some(System::new(
                                &lowered,
                                memory,
                                &args.columns_from(1, lane),
                                x.len(),
                                symmetric,
                            )?);
                        }
                        if let Some(system) = &system {
                            system.solve(rhs, x)?;
                        }
                    }
                    Ok(())
                },
            )
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        use pullback_ad::Real;
        let record = |s: &pullback_array::Sampler,
                      lanes: Space,
                      symmetric: bool,
                      rhs: Sym<'_>,
                      d: Sym<'_>|
         -> Option<Arc<Program>> {
            // diag(exp d) plus a matrix of rank one that makes it asymmetric.
            let made = region::region(lanes, &[d, rhs], |_, v| {
                let rank = if symmetric {
                    v[0] * (v[0] * v[1]).sum_all()
                } else {
                    (v[0] * v[1]).sum_all() * 0.5
                };
                v[0].exp() * v[1] + rank
            });
            made.map_err(|e| s.b.fail(e)).ok()
        };
        let matrix_free = move |symmetric: bool| {
            Sample::generic(
                if symmetric {
                    "symmetric operator"
                } else {
                    "operator"
                },
                move |s| {
                    let n = s.b.dense_of("n", 3);
                    let (rhs, d) = (
                        s.f64("rhs", n, &[0.3, -1.2, 2.0]),
                        s.f64("d", n, &[0.4, -0.3, 0.7]),
                    );
                    record(s, Space::SCALAR, symmetric, rhs, d)
                        .map_or(rhs, |op| linear_solve(&s.b, &op, symmetric, rhs, &[d]))
                },
            )
        };
        vec![
            matrix_free(false),
            matrix_free(true),
            Sample::generic("lanes of right-hand sides", move |s| {
                let (lanes, n) = (s.b.dense_of("lanes", 2), s.b.dense_of("n", 3));
                let (rhs, d) = (
                    s.f64("rhs", s.b.join(lanes, n), &[0.3, -1.2, 2.0, 1.0, 0.5, -0.1]),
                    s.f64("d", n, &[0.4, -0.3, 0.7]),
                );
                record(s, lanes, false, rhs, d)
                    .map_or(rhs, |op| linear_solve(&s.b, &op, false, rhs, &[d]))
            }),
            Sample::generic("dense matrix", |s| {
                let (rows, columns) = (s.b.dense_of("rows", 2), s.b.dense_of("columns", 2));
                let a = s.f64("a", s.b.join(rows, columns), &[0.5, 2.0, -1.0, 0.3]);
                let rhs = s.f64("rhs", rows, &[1.0, -0.4]);
                solve(&s.b, a, rhs).map_err(|e| s.b.fail(e)).unwrap_or(rhs)
            }),
            Sample::special("a permutation", &[3.0, 2.0], |s| {
                let (rows, columns) = (s.b.dense_of("rows", 2), s.b.dense_of("columns", 2));
                let a = s.f64("a", s.b.join(rows, columns), &[0.0, 1.0, 1.0, 0.0]);
                let rhs = s.f64("rhs", rows, &[2.0, 3.0]);
                solve(&s.b, a, rhs).map_err(|e| s.b.fail(e)).unwrap_or(rhs)
            }),
        ]
    }
}

enum Factor {
    Cholesky(Vec<f64>),
    Lu(Lu),
}

/// A matrix and its factors.
struct System {
    a: Vec<f64>,
    n: usize,
    factor: Factor,
}

impl System {
    /// Forms the matrix column by column and factorises it.
    fn new(
        operator: &Lowered,
        memory: &mut Workspace,
        captures: &[Column<'_>],
        n: usize,
        symmetric: bool,
    ) -> std::result::Result<Self, String> {
        let mut a = vec![0.0; n * n];
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit[j] = 1.0;
            let mut columns = captures.to_vec();
            columns.push(Column::F64(&unit));
            operator
                .run(memory, &Bindings::ordered(&columns))
                .map_err(|e| e.to_string())?;
            let product = memory.f64(0);
            if product.len() != n {
                return Err(format!("{} equations for {n} unknowns", product.len()));
            }
            product
                .iter()
                .enumerate()
                .for_each(|(i, x)| a[i * n + j] = *x);
            unit[j] = 0.0;
        }
        if symmetric {
            for i in 0..n {
                for j in 0..i {
                    let mean = 0.5 * (a[i * n + j] + a[j * n + i]);
                    (a[i * n + j], a[j * n + i]) = (mean, mean);
                }
            }
            let mut r = a.clone();
            if linalg::cholesky(&mut r, n).is_ok()
                && linalg::smallest_pivot(&r, n, (0..n).map(|i| a[i * n + i])).1 > SINGULAR
            {
                return Ok(Self {
                    a,
                    n,
                    factor: Factor::Cholesky(r),
                });
            }
        }
        let lu = Lu::new(&a, n).map_err(|e| e.to_string())?;
        let rcond = if n == 0 { 1.0 } else { lu.rcond() };
        if rcond < SINGULAR {
            return Err(format!(
                "the matrix is singular to working precision: its reciprocal condition number is {rcond:.1e}"
            ));
        }
        Ok(Self {
            a,
            n,
            factor: Factor::Lu(lu),
        })
    }

    fn apply(&self, b: &mut [f64]) -> std::result::Result<(), String> {
        match &self.factor {
            Factor::Cholesky(r) => linalg::cholesky_solve(r, self.n, b),
            Factor::Lu(lu) => lu.solve(b),
        }
        .map_err(|e| e.to_string())
    }

    /// Solves, and once more for what is left.
    fn solve(&self, rhs: &[f64], x: &mut [f64]) -> std::result::Result<(), String> {
        if rhs.len() != self.n {
            return Err(format!(
                "{} numbers on the right-hand side of {} equations",
                rhs.len(),
                self.n
            ));
        }
        x.copy_from_slice(rhs);
        self.apply(x)?;
        let mut rest: Vec<f64> = rhs.to_vec();
        for (r, row) in rest.iter_mut().zip(self.a.chunks_exact(self.n.max(1))) {
            *r -= linalg::dot(row, x);
        }
        self.apply(&mut rest)?;
        x.iter_mut().zip(rest).for_each(|(x, r)| *x += r);
        Ok(())
    }
}
