//! The minimum of a function as an operation.

use std::sync::Arc;

use pullback_array::attr::{Attr, Attrs};
use pullback_array::exec::{Io, Kernel, LowerCx};
use pullback_array::linalg;
use pullback_array::region::{
    self, Arguments, BODY, Lanes, Pool, Signature, body, call, ill_formed, part,
};
use pullback_array::transform::LaneCall;
use pullback_array::{
    Builder, Call as Node, DType, Error, Nature, Primitive, PrimitiveRef, Program, Result, Sample,
    Sampler, Space, Sym, Type,
};

use super::linear_solve::linear_solve;
use super::refused::refused;
use super::target::{Programs, Target, check_scalar};
use crate::{Bfgs, Minimiser, Newton, Objective, Problem, QuasiOptions};

/// x* = argmin f(x, captures) inside bounds, and f(x*).
pub(crate) struct ArgminOp;

/// The primitive. `argmin` is the name of the position of the smallest element.
pub(crate) const ARGMIN: PrimitiveRef = PrimitiveRef(&ArgminOp);

/// Start, lower and upper bounds stand before the captures.
const FIRST_CAPTURE: usize = 3;

/// What [`argmin`] records.
#[derive(Debug, Clone, Copy)]
pub struct Argmin<'b> {
    /// The solution x*.
    pub x: Sym<'b>,
    /// The value there, f*.
    pub value: Sym<'b>,
    /// Where x* lies on its lower bound (also where both bounds agree).
    pub at_lower: Sym<'b>,
    /// Where x* lies on its upper bound.
    pub at_upper: Sym<'b>,
}

/// Records the minimum of `objective` with respect to its first input, from `start`, inside `bounds` (lower, upper) if there are any; its other inputs are the
/// `captures`. What goes wrong while recording is kept by the builder, as for operators.
///
/// ```text
/// df* = ∂f/∂c dc + Σ_active ∂f/∂x_i db_i                          (envelope rule: no solve)
/// dx*_i = db_i where a bound b_i is active, elsewhere  H_FF dx*_F = −(∂g/∂c dc + H db)_F
/// ```
///
/// H is the Hessian at x*, formed and factorised at run time; F the free components. The second line is a [`linear_solve()`] whose operator is the directional
/// derivative of the gradient, so that derivatives of any order exist, and a reverse sweep needs one solve however many captures there are.
///
/// Shape: x*, masks and bounds are like `start`; f* is a scalar, per lane.
///
/// Differentiability: the start has derivative zero. The active set is that of the solution; a component on a bound counts as active even where its gradient
/// vanishes too (the derivative then exists from one side only, and this is the side on the bound). Where H_FF is singular, f* still has its derivative and x*
/// gives an error when it is asked for.
///
/// Errors (at run time): no convergence, with the reason; a start outside the domain; bounds that leave no room.
///
/// # Example
/// x* of Σ (eˣ − c x) is ln c; with x ≤ 1 and c = e², the bound is active.
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_optim::implicit::{argmin, region};
/// let b = Builder::new();
/// let n = b.dense_of("n", 2);
/// let (x0, c) = (b.input("x0", n), b.input("c", n));
/// let f = region(Space::SCALAR, &[x0, c], |_, v| (v[0].exp() - v[1] * v[0]).sum_all())?;
/// let (lower, upper) = ((-10.0).into(), 1.0.into());
/// let found = argmin(&b, &f, x0, Some([lower, upper]), &[c]);
/// let program = b.finish(&[("sum", found.x.sum_all())])?;
/// let lowered = Lowered::new(transform::grad(&program, "sum", &["c"])?)?;
/// let mut ws = lowered.workspace();
/// let c = [2.0, 1f64.exp().powi(2)];
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.0, 0.0]).into(), (&c).into()]))?;
/// assert!((ws.scalar(0) - (2f64.ln() + 1.0)).abs() < 1e-14);
/// assert!((ws.f64(1)[0] - 0.5).abs() < 1e-14); // d ln c = 1/c
/// assert_eq!(ws.f64(1)[1], 0.0); // on its bound
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: A. Fiacco, Introduction to Sensitivity and Stability Analysis in Nonlinear Programming (1983), theorem 3.2.2.
pub fn argmin<'b>(
    b: &'b Builder,
    objective: &Arc<Program>,
    start: Sym<'b>,
    bounds: Option<[Sym<'b>; 2]>,
    captures: &[Sym<'b>],
) -> Argmin<'b> {
    let space = start.space();
    let [lower, upper] = bounds
        .unwrap_or([Sym::from(f64::NEG_INFINITY), Sym::from(f64::INFINITY)])
        .map(|s| b.broadcast(s, space));
    let args: Vec<Sym<'b>> = [start, lower, upper]
        .into_iter()
        .chain(captures.iter().copied())
        .collect();
    let found = b
        .push(
            ARGMIN,
            &args,
            Attrs::NONE.with(BODY, Attr::Program(objective.clone())),
        )
        .all(b);
    match found[..] {
        [x, value, at_lower, at_upper] => Argmin {
            x,
            value,
            at_lower,
            at_upper,
        },
        // The builder keeps the reason.
        _ => Argmin {
            x: start,
            value: start,
            at_lower: start,
            at_upper: start,
        },
    }
}

/// Types inside the region for each argument.
fn inner_types(body: &Program) -> Result<Vec<Type>> {
    check_scalar(ARGMIN.name(), body)?;
    let inputs = region::input_types(body);
    Ok([inputs[0]; FIRST_CAPTURE]
        .into_iter()
        .chain(inputs[1..].iter().copied())
        .collect())
}

fn signature(around: &Program, args: &[Type], attrs: &Attrs) -> Result<Signature> {
    let body = body(ARGMIN.name(), attrs)?;
    let inner = inner_types(body)?;
    if inner.len() != args.len() {
        let (found, expected) = (
            args.len().saturating_sub(FIRST_CAPTURE),
            inner.len() - FIRST_CAPTURE,
        );
        return Err(ill_formed(
            ARGMIN.name(),
            format!("{found} captures for {expected} inputs of its region"),
        ));
    }
    let pairs: Vec<(Type, Type)> = inner.into_iter().zip(args.iter().copied()).collect();
    Signature::new(ARGMIN.name(), around, body, &pairs)
}

/// The region of K v = H v on free components and v on active ones; inputs x, at_lower, at_upper, captures, v.
fn masked_hessian(body: &Program) -> Result<Arc<Program>> {
    let gradient = region::gradient(body)?;
    let mut wrt = vec![false; gradient.inputs().len()];
    wrt[0] = true;
    let product = region::tangent(&gradient, &wrt, &[0])?;
    let inner = region::input_types(body);
    let mask = Type::new(DType::Bool, inner[0].space);
    let types: Vec<Type> = [inner[0], mask, mask]
        .into_iter()
        .chain(inner[1..].iter().copied())
        .chain([inner[0]])
        .collect();
    let (b, types) = region::mirrored(body, &types);
    let inputs: Vec<Sym<'_>> = types
        .iter()
        .enumerate()
        .map(|(k, ty)| b.input_of(&format!("a{k}"), *ty))
        .collect();
    let ([x, at_lower, at_upper], [captures @ .., v]) = (&inputs[..3], &inputs[3..]) else {
        return Err(ill_formed(ARGMIN.name(), "the region has no input"));
    };
    let zero = b.broadcast(Sym::from(0.0), v.space());
    let masked = at_lower.select(zero, at_upper.select(zero, *v));
    let args: Vec<Sym<'_>> = std::iter::once(*x)
        .chain(captures.iter().copied())
        .chain([masked])
        .collect();
    let turned = call(&b, &product, &args)[0];
    let result = at_lower.select(*v, at_upper.select(*v, turned));
    Ok(Arc::new(b.finish(&[("r0", result)])?))
}

impl Primitive for ArgminOp {
    fn name(&self) -> &'static str {
        "minimum"
    }

    fn doc(&self) -> &'static str {
        "x* = argmin f(x, c) within bounds, f(x*), and masks of active lower and upper bounds; arguments are start, lower and upper bounds and the captures c, f is the sub-program `body`."
    }

    fn convention(&self) -> &'static str {
        "A component on a bound is active also where its gradient vanishes; where both bounds agree the lower one counts. A minimisation that does not converge is an error."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let body = body(self.name(), attrs)?;
        let signature = signature(around, args, attrs)?;
        let x = region::input_types(body)[0];
        let mask = Type::new(DType::Bool, x.space);
        [x, Type::f64(Space::SCALAR), mask, mask]
            .into_iter()
            .map(|ty| signature.outer(self.name(), body, ty))
            .collect()
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let body = body(self.name(), node.attrs)?;
        let captures = &node.args[FIRST_CAPTURE..];
        let [x, _, at_lower, at_upper] = node.outs else {
            return Ok(vec![None; node.outs.len()]);
        };
        // How the active components move with their bounds.
        let moved = (tangents[1].is_some() || tangents[2].is_some()).then(|| {
            let zero = cx.broadcast(Sym::from(0.0), x.space());
            let [lower, upper] =
                [1, 2].map(|i| tangents[i].map_or(zero, |t| cx.broadcast(t, x.space())));
            at_lower.select(lower, at_upper.select(upper, zero))
        });
        let wrt: Vec<bool> = std::iter::once(moved.is_some())
            .chain(tangents[FIRST_CAPTURE..].iter().map(Option::is_some))
            .collect();
        if !wrt.contains(&true) {
            return Ok(vec![None; 4]);
        }
        let args: Vec<Sym<'b>> = std::iter::once(*x)
            .chain(captures.iter().copied())
            .chain(moved)
            .chain(tangents[FIRST_CAPTURE..].iter().copied().flatten())
            .collect();
        let value = call(cx, &region::tangent(body, &wrt, &[0])?, &args)[0];
        // Recorded also where only f* is wanted: nothing then needs it, and it goes when the program is pruned.
        let gradient = region::gradient(body)?;
        let second = region::tangent(&gradient, &wrt, &[0])
            .and_then(|second| Ok((second, masked_hessian(body)?)));
        let (second, hessian) = match second {
            Ok(found) => found,
            Err(Error::NotDifferentiable { .. }) => {
                let given: Vec<Sym<'b>> = tangents[1..].iter().copied().flatten().collect();
                return Ok(vec![
                    Some(refused(cx, &given, x.space())),
                    Some(value),
                    None,
                    None,
                ]);
            }
            Err(error) => return Err(error),
        };
        let turned = call(cx, &second, &args)[0];
        let zero = cx.broadcast(Sym::from(0.0), x.space());
        let rhs = at_lower.select(zero, at_upper.select(zero, -turned));
        let fixed: Vec<Sym<'b>> = [*x, *at_lower, *at_upper]
            .into_iter()
            .chain(captures.iter().copied())
            .collect();
        let free = linear_solve(cx, &hessian, true, rhs, &fixed);
        Ok(vec![
            Some(moved.map_or(free, |m| m + free)),
            Some(value),
            None,
            None,
        ])
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let inner = inner_types(body(self.name(), node.attrs)?)?;
        let args = region::lane_arguments(cx, node, &inner)?;
        Ok(cx.push(ARGMIN, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let body = body(self.name(), cx.attrs())?.clone();
        let args: Vec<Type> = (0..body.inputs().len() + FIRST_CAPTURE - 1)
            .map(|i| cx.arg(i))
            .collect();
        let lanes = Lanes::new(cx, &signature(cx.program(), &args, cx.attrs())?);
        let pool = Pool::new(Programs::new(&body)?);
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let args = lanes.arguments(io);
            let (x, value) = (io.out::<f64>(0), io.out::<f64>(1));
            let (at_lower, at_upper) = (io.out::<u8>(2), io.out::<u8>(3));
            pool.with(
                || Programs::new(&body).map_err(|e| e.to_string()),
                |programs| {
                    for (lane, value) in value.iter_mut().enumerate().take(args.count) {
                        let own = part(x.len(), args.count, lane);
                        let (solution, smallest) = minimise(programs, &args, lane, own.len())?;
                        *value = smallest;
                        for (k, &found) in own.clone().zip(&solution) {
                            let i = k - own.start;
                            let (lower, upper) =
                                (args.doubles(1, lane)[i], args.doubles(2, lane)[i]);
                            x[k] = found;
                            at_lower[k] = u8::from(found <= lower);
                            at_upper[k] = u8::from(found > lower && found >= upper);
                        }
                    }
                    Ok(())
                },
            )
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        use pullback_ad::Real;
        let body = |s: &Sampler, lanes: Space, args: &[Sym<'_>]| {
            let made = region::region(lanes, args, |_, v| {
                // Strictly convex, coupled, with its minimum where no formula gives it.
                (v[0].exp() - v[0] * v[1] * v[2]).sum_all() + v[0].sum_all().square() * 0.3
            });
            made.map_err(|e| s.b.fail(e)).ok()
        };
        let outputs = |s: &Sampler, found: Argmin<'_>| {
            vec![
                ("x".to_owned(), s.b.id(found.x)),
                ("value".to_owned(), s.b.id(found.value)),
            ]
        };
        let build = move |s: &Sampler, bounds: Option<[f64; 2]>| {
            let n = s.b.dense_of("n", 3);
            let (x0, c) = (
                s.f64("x0", n, &[0.1, 0.2, -0.1]),
                s.f64("c", n, &[0.9, 2.5, 0.3]),
            );
            let scale = s.f64("scale", Space::SCALAR, &[1.2]);
            let bounds = bounds.map(|[lower, upper]| {
                [
                    s.f64("lower", n, &[lower; 3]),
                    s.f64("upper", n, &[upper; 3]),
                ]
            });
            let found = body(s, Space::SCALAR, &[x0, c, scale])
                .map(|f| argmin(&s.b, &f, x0, bounds, &[c, scale]));
            found.map_or_else(Vec::new, |found| outputs(s, found))
        };
        vec![
            Sample::new("no bounds", pullback_array::Point::Generic, move |s| {
                build(s, None)
            }),
            Sample::new("active bounds", pullback_array::Point::Generic, move |s| {
                build(s, Some([-0.4, 0.5]))
            }),
            Sample::new("lanes", pullback_array::Point::Generic, move |s| {
                let (lanes, n) = (s.b.dense_of("lanes", 2), s.b.dense_of("n", 2));
                let full = s.b.join(lanes, n);
                let (x0, c) = (
                    s.f64("x0", full, &[0.1, 0.2, -0.1, 0.3]),
                    s.f64("c", n, &[0.9, 2.5]),
                );
                let scale = s.f64("scale", lanes, &[1.2, 0.7]);
                let found = body(s, lanes, &[x0, c, scale])
                    .map(|f| argmin(&s.b, &f, x0, None, &[c, scale]));
                found.map_or_else(Vec::new, |found| outputs(s, found))
            }),
            Sample {
                expected: Some(vec![vec![2.0, 0.5, 1.0]]),
                ..Sample::new(
                    "free, active and held",
                    pullback_array::Point::Special,
                    move |s| {
                        let n = s.b.dense_of("n", 3);
                        let (x0, c) = (
                            s.f64("x0", n, &[0.0, 0.0, 1.0]),
                            s.f64("c", n, &[2.0, 3.0, 7.0]),
                        );
                        let bounds = [
                            s.f64("lower", n, &[-9.0, -1.0, 1.0]),
                            s.f64("upper", n, &[9.0, 0.5, 1.0]),
                        ];
                        let made = region::region(Space::SCALAR, &[x0, c], |_, v| {
                            (v[0] - v[1]).square().sum_all()
                        });
                        let found = made.map(|f| argmin(&s.b, &f, x0, Some(bounds), &[c]));
                        found.map_or_else(
                            |_| Vec::new(),
                            |found| vec![("x".to_owned(), s.b.id(found.x))],
                        )
                    },
                )
            },
        ]
    }
}

/// Minimises in one lane: Newton's method, or BFGS for a function that has a gradient only.
fn minimise(
    programs: &mut Programs,
    args: &Arguments<'_>,
    lane: usize,
    n: usize,
) -> std::result::Result<(Vec<f64>, f64), String> {
    let mut problem = Problem::new(args.doubles(0, lane).to_vec());
    for (k, (lower, upper)) in args
        .doubles(1, lane)
        .iter()
        .zip(args.doubles(2, lane))
        .enumerate()
    {
        problem = problem.with_bounds(k, *lower, *upper);
    }
    let second_order = programs.has_hessian();
    let mut target = Target {
        programs,
        captures: args.columns_from(FIRST_CAPTURE, lane),
        n,
        failure: None,
    };
    let minimum = if second_order {
        Newton::default().minimise(&mut target, &problem)
    } else {
        Bfgs::new(QuasiOptions::default()).minimise(&mut target, &problem)
    };
    let minimum = match (target.failure.take(), minimum) {
        (Some(failure), _) => return Err(failure),
        (None, minimum) => minimum.map_err(|e| e.to_string())?,
    };
    if !minimum.converged() {
        return Err(format!("the minimisation {}", minimum.status));
    }
    let x = if second_order {
        polished(&mut target, &problem, &minimum.x)?
    } else {
        minimum.x
    };
    let value = target.value(&x);
    target.failure.map_or(Ok((x, value)), Err)
}

/// Newton steps in the free components as long as they make the gradient there smaller: the rules hold at the minimum only.
fn polished(
    target: &mut Target<'_>,
    problem: &Problem,
    x: &[f64],
) -> std::result::Result<Vec<f64>, String> {
    let n = target.n;
    let mut x = x.to_vec();
    let free: Vec<usize> = (0..n)
        .filter(|&k| problem.lower[k] < x[k] && x[k] < problem.upper[k])
        .collect();
    let size = |g: &[f64]| free.iter().fold(0.0_f64, |m, &k| m.max(g[k].abs()));
    let (mut g, mut h) = (vec![0.0; n], vec![0.0; n * n]);
    target.value_and_gradient(&x, &mut g);
    for _ in 0..3 {
        if size(&g) == 0.0 || target.hessian(&x, &mut h).is_err() {
            break;
        }
        let mut r: Vec<f64> = free
            .iter()
            .flat_map(|&i| free.iter().map(move |&j| i * n + j))
            .map(|k| h[k])
            .collect();
        let mut step: Vec<f64> = free.iter().map(|&k| g[k]).collect();
        if linalg::cholesky(&mut r, free.len()).is_err() {
            break;
        }
        linalg::cholesky_solve(&r, free.len(), &mut step).map_err(|e| e.to_string())?;
        let mut trial = x.clone();
        free.iter().zip(&step).for_each(|(&k, s)| trial[k] -= s);
        let inside = free
            .iter()
            .all(|&k| problem.lower[k] < trial[k] && trial[k] < problem.upper[k]);
        let mut after = vec![0.0; n];
        let value = target.value_and_gradient(&trial, &mut after);
        // Negated, so that NaN stops too.
        if !(inside && value.is_finite() && size(&after) < size(&g)) {
            break;
        }
        (x, g) = (trial, after);
    }
    Ok(x)
}
