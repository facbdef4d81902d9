//! The zero of a system of equations as an operation.

use std::sync::Arc;

use pullback_array::attr::{Attr, Attrs};
use pullback_array::exec::{Io, Kernel, LowerCx};
use pullback_array::region::{
    self, Arguments, BODY, Lanes, Pool, Signature, body, call, ill_formed, part,
};
use pullback_array::transform::LaneCall;
use pullback_array::{
    Builder, Call as Node, DType, Nature, Point, Primitive, PrimitiveRef, Program, Result, Sample,
    Sampler, Space, Sym, Type,
};

use super::linear_solve::linear_solve;
use super::target::{Equations, System};
use crate::NewtonRoot;

/// x* with F(x*, captures) = 0.
pub(crate) struct RootOp;

/// The primitive.
pub(crate) const ROOT: PrimitiveRef = PrimitiveRef(&RootOp);

/// Records x* with F(x*, c) = 0, found from `start`: the region `equations` computes F from x, its first input, and the captures c.
///
/// Derivative: `J dx* = −∂F/∂c dc` with the Jacobian J at x*, one [`linear_solve()`]; a reverse sweep solves with Jᵀ once, however many captures there are.
///
/// Shape: x* is like `start`, and F has as many elements.
///
/// Differentiability: the start has derivative zero. Of several roots the one that Newton's method finds is followed.
///
/// Errors (at run time): no root found, with ‖F‖ at the best point; where J is singular the derivative gives an error when it is asked for.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_optim::implicit::{region, root};
/// let b = Builder::new();
/// let (x0, c) = (b.input("x0", Space::SCALAR), b.input("c", Space::SCALAR));
/// let f = region(Space::SCALAR, &[x0, c], |_, v| v[0] * v[0].exp() - v[1])?; // Lambert's W
/// let program = b.finish(&[("w", root(&b, &f, x0, &[c]))])?;
/// let lowered = Lowered::new(transform::grad(&program, "w", &["c"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&1.0).into(), (&1f64.exp()).into()]))?;
/// assert!((ws.scalar(0) - 1.0).abs() < 1e-15);
/// assert!((ws.scalar(1) - 0.5 / 1f64.exp()).abs() < 1e-15); // W' = W/(c (1 + W))
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: A. Griewank & A. Walther, Evaluating Derivatives (2nd ed., 2008), section 15.1.
pub fn root<'b>(
    b: &'b Builder,
    equations: &Arc<Program>,
    start: Sym<'b>,
    captures: &[Sym<'b>],
) -> Sym<'b> {
    let args: Vec<Sym<'b>> = std::iter::once(start)
        .chain(captures.iter().copied())
        .collect();
    b.push(
        ROOT,
        &args,
        Attrs::NONE.with(BODY, Attr::Program(equations.clone())),
    )
    .first(b)
}

fn signature(around: &Program, args: &[Type], attrs: &Attrs) -> Result<Signature> {
    let body = body(ROOT.name(), attrs)?;
    let inner = region::input_types(body);
    match (inner.first(), region::output_types(body).as_slice()) {
        (Some(x), [f]) if x.dtype == DType::F64 && f.dtype == DType::F64 => {}
        _ => {
            return Err(ill_formed(
                ROOT.name(),
                "the region has doubles as its first input and one result of doubles",
            ));
        }
    }
    if inner.len() != args.len() {
        return Err(ill_formed(
            ROOT.name(),
            format!(
                "{} captures for {} inputs of its region",
                args.len().saturating_sub(1),
                inner.len() - 1
            ),
        ));
    }
    let pairs: Vec<(Type, Type)> = inner.into_iter().zip(args.iter().copied()).collect();
    Signature::new(ROOT.name(), around, body, &pairs)
}

impl Primitive for RootOp {
    fn name(&self) -> &'static str {
        "root"
    }

    fn doc(&self) -> &'static str {
        "x* with F(x*, c) = 0; arguments are the start and the captures c, F is the sub-program `body`."
    }

    fn convention(&self) -> &'static str {
        "The root that Newton's method finds from the start; none found is an error."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let body = body(self.name(), attrs)?;
        let signature = signature(around, args, attrs)?;
        // Equations may have a level of their own; it is that of an argument too, so that they can be solved for.
        signature.outer(self.name(), body, region::output_types(body)[0])?;
        Ok(vec![signature.outer(
            self.name(),
            body,
            region::input_types(body)[0],
        )?])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let body = body(self.name(), node.attrs)?;
        let captures = &node.args[1..];
        let mut wrt: Vec<bool> = tangents.iter().map(Option::is_some).collect();
        wrt[0] = false;
        if !wrt.contains(&true) {
            return Ok(vec![None]);
        }
        let x = node.outs[0];
        let fixed: Vec<Sym<'b>> = std::iter::once(x).chain(captures.iter().copied()).collect();
        let args: Vec<Sym<'b>> = fixed
            .iter()
            .copied()
            .chain(tangents[1..].iter().copied().flatten())
            .collect();
        let moved = call(cx, &region::tangent(body, &wrt, &[0])?, &args)[0];
        let first: Vec<bool> = (0..wrt.len()).map(|k| k == 0).collect();
        let jacobian = region::tangent(body, &first, &[0])?;
        Ok(vec![Some(linear_solve(
            cx, &jacobian, false, -moved, &fixed,
        ))])
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let inner = region::input_types(body(self.name(), node.attrs)?);
        let args = region::lane_arguments(cx, node, &inner)?;
        Ok(cx.push(ROOT, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let body = body(self.name(), cx.attrs())?.clone();
        let args: Vec<Type> = (0..body.inputs().len()).map(|i| cx.arg(i)).collect();
        let lanes = Lanes::new(cx, &signature(cx.program(), &args, cx.attrs())?);
        let pool = Pool::new(Equations::new(&body)?);
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let args = lanes.arguments(io);
            let x = io.out::<f64>(0);
            let n = x.len();
            pool.with(
                || Equations::new(&body).map_err(|e| e.to_string()),
                |equations| {
                    for lane in 0..args.count {
                        solve_lane(equations, &args, lane, &mut x[part(n, args.count, lane)])?;
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
                v[0].exp() + v[0].sum_all() * 0.4 * v[2] - v[1]
            });
            made.map_err(|e| s.b.fail(e)).ok()
        };
        vec![
            Sample::generic("a coupled system", move |s| {
                let n = s.b.dense_of("n", 3);
                let (x0, c) = (
                    s.f64("x0", n, &[0.1, 0.2, -0.1]),
                    s.f64("c", n, &[0.9, 2.5, 1.3]),
                );
                let scale = s.f64("scale", Space::SCALAR, &[1.2]);
                body(s, Space::SCALAR, &[x0, c, scale])
                    .map_or(x0, |f| root(&s.b, &f, x0, &[c, scale]))
            }),
            Sample::generic("lanes", move |s| {
                let (lanes, n) = (s.b.dense_of("lanes", 2), s.b.dense_of("n", 2));
                let full = s.b.join(lanes, n);
                let (x0, c) = (
                    s.f64("x0", n, &[0.1, 0.2]),
                    s.f64("c", full, &[0.9, 2.5, 1.3, 0.8]),
                );
                let scale = s.f64("scale", Space::SCALAR, &[1.2]);
                body(s, lanes, &[x0, c, scale]).map_or(x0, |f| root(&s.b, &f, x0, &[c, scale]))
            }),
            Sample::special("the start is a root", &[0.0, 2.0], |s| {
                let n = s.b.dense_of("n", 2);
                let (x0, c) = (s.f64("x0", n, &[0.0, 2.0]), s.f64("c", n, &[0.0, 4.0]));
                let made = region::region(Space::SCALAR, &[x0, c], |_, v| v[0] * 2.0 - v[1]);
                made.map_or_else(|_| x0, |f| root(&s.b, &f, x0, &[c]))
            }),
        ]
        .into_iter()
        .inspect(|s| debug_assert!(s.point == Point::Generic || s.expected.is_some()))
        .collect()
    }
}

fn solve_lane(
    equations: &mut Equations,
    args: &Arguments<'_>,
    lane: usize,
    x: &mut [f64],
) -> std::result::Result<(), String> {
    let start = args.doubles(0, lane);
    let captures = args.columns_from(1, lane);
    let count = equations
        .count(start, &captures)
        .map_err(|e| e.to_string())?;
    let mut system = System {
        programs: equations,
        captures,
        n: start.len(),
        equations: count,
        failure: None,
    };
    let found = NewtonRoot::default().solve(&mut system, start);
    if let Some(failure) = system.failure {
        return Err(failure);
    }
    let found = found.map_err(|e| e.to_string())?;
    if !found.converged {
        let size = found.residuals.iter().map(|r| r * r).sum::<f64>().sqrt();
        return Err(format!(
            "no root was found in {} steps: ‖F‖ = {size:.3e} at the best point",
            found.iterations
        ));
    }
    x.copy_from_slice(&found.x);
    Ok(())
}
