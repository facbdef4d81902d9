//! A sub-program as an operation.

use std::sync::Arc;

use super::CALL;
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Bindings, Io, Kernel, LowerCx, Lowered};
use crate::primitive::{Call as Node, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::region::{self, BODY, Lanes, Pool, Signature, body, part};
use crate::sample::{Point, Sample, Sampler};
use crate::space::Space;
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// Evaluates a region.
pub(crate) struct Call;

/// Records a call of `body` and returns its results. What goes wrong is kept by the builder, as for operators.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_array::region::{call, region};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let body = region(Space::SCALAR, &[x], |_, v| v[0].square().sum_all())?;
/// let program = b.finish(&[("y", call(&b, &body, &[x])[0])])?;
/// let lowered = Lowered::new(transform::grad(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 3.0]).into()]))?;
/// assert_eq!((ws.scalar(0), ws.f64(1)), (10.0, &[2.0, 6.0][..]));
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn call<'b>(b: &'b Builder, body: &Arc<Program>, args: &[Sym<'b>]) -> Vec<Sym<'b>> {
    let found = b
        .push(
            CALL,
            args,
            Attrs::NONE.with(BODY, Attr::Program(body.clone())),
        )
        .all(b);
    // After a failure there is one value of no use; the builder keeps the reason.
    (0..body.outputs().len())
        .map(|k| found.get(k).copied().unwrap_or_else(|| Sym::from(f64::NAN)))
        .collect()
}

/// Records `f` as a region of its own and calls it: a reverse sweep keeps its arguments and evaluates the inside again.
///
/// ```text
/// forward: y = f(args);   reverse: y = f(args) once more, then its pullback
/// ```
///
/// Shape: arguments may have `lanes` in front, which `f` does not see.
///
/// Differentiability: that of `f`, to any order.
///
/// # Errors
/// An argument in a stream or in a ragged level behind the lanes; what recording may return.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, region, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let y = region::checkpoint(&b, Space::SCALAR, &[x], |_, v| vec![v[0].exp().sin().sum_all()])?[0];
/// let program = b.finish(&[("y", y)])?;
/// let lowered = Lowered::new(transform::grad(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.0]).into()]))?;
/// assert_eq!(ws.f64(1)[0], 1f64.cos());
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: A. Griewank & A. Walther, Evaluating Derivatives (2nd ed., 2008), section 12.1.
pub fn checkpoint<'b>(
    b: &'b Builder,
    lanes: Space,
    args: &[Sym<'b>],
    f: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Vec<Sym<'r>>,
) -> Result<Vec<Sym<'b>>> {
    let args: Vec<Sym<'b>> = args.iter().map(|s| b.sym(b.id(*s))).collect();
    let body = region::region_of(lanes, None, &args, f)?;
    let found = call(b, &body, &args);
    match b.failure() {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

fn signature(around: &Program, args: &[Type], attrs: &Attrs) -> Result<Signature> {
    let body = body(CALL.name(), attrs)?;
    let inner = region::input_types(body);
    if inner.len() != args.len() {
        return Err(ill_formed(
            CALL.name(),
            format!(
                "{} arguments for {} inputs of its region",
                args.len(),
                inner.len()
            ),
        ));
    }
    let pairs: Vec<(Type, Type)> = inner.into_iter().zip(args.iter().copied()).collect();
    Signature::new(CALL.name(), around, body, &pairs)
}

fn types(args: &[Sym<'_>]) -> Vec<Type> {
    args.iter()
        .map(|a| Type::new(a.dtype(), a.space()))
        .collect()
}

impl Primitive for Call {
    fn name(&self) -> &'static str {
        "call"
    }

    fn doc(&self) -> &'static str {
        "The results of the sub-program `body` for the arguments as its inputs, lane by lane."
    }

    fn convention(&self) -> &'static str {
        "What the operations of the sub-program say; without lanes nothing runs."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let body = body(self.name(), attrs)?;
        results(self.name(), body, &signature(around, args, attrs)?)
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let body = body(self.name(), node.attrs)?;
        let of = region::doubles(&region::output_types(body));
        let wrt: Vec<bool> = tangents.iter().map(Option::is_some).collect();
        let derivative = region::tangent(body, &wrt, &of)?;
        let args: Vec<Sym<'b>> = node
            .args
            .iter()
            .copied()
            .chain(tangents.iter().copied().flatten())
            .collect();
        let mut found = call(cx, &derivative, &args).into_iter();
        Ok((0..node.outs.len())
            .map(|k| if of.contains(&k) { found.next() } else { None })
            .collect())
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let around = signature_of(cx, node)?;
        let body = body(self.name(), node.attrs)?;
        let given: Vec<bool> = cotangents.iter().map(Option::is_some).collect();
        let of: Vec<usize> = region::flagged(&given).collect();
        let transposed = region::cotangent(body, linear, &of)?;
        let fixed = node
            .args
            .iter()
            .zip(linear)
            .filter(|(_, l)| !**l)
            .map(|(a, _)| *a);
        let args: Vec<Sym<'b>> = fixed.chain(cotangents.iter().copied().flatten()).collect();
        let mut found = call(cx, &transposed, &args).into_iter();
        Ok((0..node.args.len())
            .map(|i| {
                if linear[i] {
                    found
                        .next()
                        .map(|c| region::without_lanes(c, around.lanes, around.laned[i]))
                } else {
                    None
                }
            })
            .collect())
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let inner = region::input_types(body(self.name(), node.attrs)?);
        let args = region::lane_arguments(cx, node, &inner)?;
        Ok(cx.push(CALL, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let body = body(self.name(), cx.attrs())?;
        let args: Vec<Type> = (0..body.inputs().len()).map(|i| cx.arg(i)).collect();
        kernel(cx, body, &signature(cx.program(), &args, cx.attrs())?)
    }

    fn samples(&self) -> Vec<Sample> {
        let body = |s: &Sampler, lanes: Space, args: &[Sym<'_>]| {
            use pullback_ad::Real;
            let made = region::region(lanes, args, |_, v| {
                (v[0] * v[1]).sin().sum_all() + v[1].exp()
            });
            made.map_err(|e| s.b.fail(e)).ok()
        };
        let lanes = Sample::generic("lanes and a shared scale", move |s| {
            let lanes = s.b.dense_of("lanes", 2);
            let x = s.f64(
                "x",
                s.b.join(lanes, s.b.dense_of("n", 3)),
                &[0.3, -0.2, 0.9, 1.1, 0.4, -0.7],
            );
            let scale = s.f64("scale", Space::SCALAR, &[0.8]);
            body(s, lanes, &[x, scale]).map_or(x, |body| call(&s.b, &body, &[x, scale])[0])
        });
        let special = Sample::special("no lanes", &[], move |s| {
            let lanes = s.b.dense_of("lanes", 0);
            let x = s.f64("x", s.b.join(lanes, s.b.dense_of("n", 3)), &[]);
            let scale = s.f64("scale", Space::SCALAR, &[0.8]);
            body(s, lanes, &[x, scale]).map_or(x, |body| call(&s.b, &body, &[x, scale])[0])
        });
        debug_assert_eq!(special.point, Point::Special);
        vec![lanes, special]
    }
}

fn signature_of<'b>(cx: &'b Builder, node: &Node<'_, 'b>) -> Result<Signature> {
    cx.with_program(|p| signature(p, &types(node.args), node.attrs))
}

/// Types of the results of a region in the program around it.
pub(crate) fn results(
    primitive: &'static str,
    body: &Program,
    signature: &Signature,
) -> Result<Vec<Type>> {
    let types = region::output_types(body);
    // As many as a kernel can tell apart.
    if types.len() > 64 {
        return Err(ill_formed(
            primitive,
            format!("the region returns {} results; at most 64", types.len()),
        ));
    }
    types
        .into_iter()
        .map(|ty| match ty.dtype {
            DType::F64 | DType::I64 | DType::Bool => signature.outer(primitive, body, ty),
            other => Err(ill_formed(
                primitive,
                format!("the region returns {other}; expected f64, i64 or bool"),
            )),
        })
        .collect()
}

/// The kernel that runs a region lane by lane.
pub(crate) fn kernel(
    cx: &LowerCx<'_>,
    body: &Arc<Program>,
    signature: &Signature,
) -> Result<Kernel> {
    let lanes = Lanes::new(cx, signature);
    let dtypes: Vec<DType> = region::output_types(body).iter().map(|t| t.dtype).collect();
    let lowered = Lowered::for_isa(body.clone(), cx.isa())?;
    let pool = Pool::new(lowered.workspace());
    Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
        let args = lanes.arguments(io);
        let mut outs: Vec<Out<'_>> = dtypes
            .iter()
            .enumerate()
            .map(|(k, d)| Out::new(io, k, *d))
            .collect();
        pool.with(
            || Ok(lowered.workspace()),
            |memory| {
                for lane in 0..args.count {
                    lowered
                        .run(memory, &Bindings::ordered(&args.columns_from(0, lane)))
                        .map_err(|e| e.to_string())?;
                    for (k, out) in outs.iter_mut().enumerate() {
                        match out {
                            Out::F64(o) => copy(o, memory.f64(k), args.count, lane)?,
                            Out::I64(o) => copy(o, memory.i64(k), args.count, lane)?,
                            Out::Bool(o) => copy(o, memory.bool(k), args.count, lane)?,
                        }
                    }
                }
                Ok(())
            },
        )
    })))
}

/// A result of a kernel.
enum Out<'a> {
    F64(&'a mut [f64]),
    I64(&'a mut [i64]),
    Bool(&'a mut [u8]),
}

impl<'a> Out<'a> {
    fn new(io: &Io<'a>, k: usize, dtype: DType) -> Self {
        match dtype {
            DType::I64 => Self::I64(io.out(k)),
            DType::Bool => Self::Bool(io.out(k)),
            _ => Self::F64(io.out(k)),
        }
    }
}

fn copy<T: Copy>(
    out: &mut [T],
    from: &[T],
    lanes: usize,
    lane: usize,
) -> std::result::Result<(), String> {
    let n = out.len();
    let to = &mut out[part(n, lanes, lane)];
    if to.len() != from.len() {
        return Err(format!(
            "the region returned {} elements where {} are expected",
            from.len(),
            to.len()
        ));
    }
    to.copy_from_slice(from);
    Ok(())
}
