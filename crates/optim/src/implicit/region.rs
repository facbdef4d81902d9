//! Regions: closed sub-programs, how their levels correspond to those around them, and their derivatives.

use std::sync::Arc;

use pullback_array::attr::Attrs;
use pullback_array::transform::{self, LaneCall};
use pullback_array::{
    Builder, DType, Error, LevelId, LevelKind, Program, Result, Space, Sym, Type,
};

/// Name of the parameter that holds a region.
pub(crate) const BODY: &str = "body";

pub(crate) fn ill_formed(primitive: &'static str, message: impl Into<String>) -> Error {
    Error::IllFormed {
        primitive,
        message: message.into(),
    }
}

/// The region among the parameters of a node.
pub(crate) fn body<'a>(primitive: &'static str, attrs: &'a Attrs) -> Result<&'a Arc<Program>> {
    attrs
        .program(BODY)
        .ok_or_else(|| ill_formed(primitive, "expects a sub-program `body`"))
}

/// Records a region: `f` gets its inputs, one for each of `args` and of the same type, and returns its result.
///
/// `lanes` is the common beginning of the arguments' paths that the region does not see (one problem per element of it); [`Space::SCALAR`] for a single
/// problem. The arguments themselves become arguments of the node that holds the region, in the same order.
///
/// # Errors
/// An argument in a stream or in a ragged level below `lanes`; what recording may return.
///
/// # Example
/// ```
/// use pullback_array::{Builder, Space};
/// use pullback_optim::implicit::region;
/// let b = Builder::new();
/// let n = b.dense("n");
/// let (x, c) = (b.input("x", n), b.input("c", n));
/// let distance = region(Space::SCALAR, &[x, c], |_, v| (v[0] - v[1]).square().sum_all())?;
/// assert_eq!((distance.inputs().len(), distance.outputs().len()), (2, 1));
/// # use pullback_ad::Real;
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn region<'o>(
    lanes: Space,
    args: &[Sym<'o>],
    f: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Sym<'r>,
) -> Result<Arc<Program>> {
    let b = Builder::new();
    let mut known: Vec<(LevelId, LevelId)> = Vec::new();
    let mut types = Vec::new();
    for arg in args {
        let space = arg.space();
        let own = if space.prefix(lanes.depth()) == lanes {
            space.iter().skip(lanes.depth()).collect()
        } else {
            space.iter().collect::<Vec<_>>()
        };
        let mut inner = Space::SCALAR;
        for outer in own {
            let level = if let Some((_, level)) = known.iter().find(|(o, _)| *o == outer) {
                *level
            } else {
                let level = mirror(arg.builder(), &b, outer)?;
                known.push((outer, level));
                level
            };
            inner = inner.child(level).unwrap_or(inner);
        }
        types.push(Type::new(arg.dtype(), inner));
    }
    let inputs: Vec<Sym<'_>> = types
        .iter()
        .enumerate()
        .map(|(k, ty)| b.input_of(&format!("a{k}"), *ty))
        .collect();
    let result = f(&b, &inputs);
    Ok(Arc::new(b.finish(&[("r0", result)])?))
}

/// Declares a level like `outer` in a region.
fn mirror(around: Option<&Builder>, b: &Builder, outer: LevelId) -> Result<LevelId> {
    let level = around.map(|o| o.with_program(|p| p.level(outer).clone()));
    match level {
        Some(level) if matches!(level.kind, LevelKind::Dense | LevelKind::Batch) => {
            Ok(b.level(&level.name, LevelKind::Dense, level.len))
        }
        Some(level) => Err(ill_formed(
            "region",
            format!(
                "level `{}` is a stream or ragged; sum over it before, or name it among the lanes",
                level.name
            ),
        )),
        None => Err(ill_formed("region", "an argument belongs to no program")),
    }
}

/// A new builder with the levels of a region's inputs, and the types of these inputs there.
pub(crate) fn mirrored(body: &Program, types: &[Type]) -> (Builder, Vec<Type>) {
    let b = Builder::new();
    let mut known: Vec<Option<LevelId>> = vec![None; body.levels().len()];
    let types = types
        .iter()
        .map(|ty| {
            let space = ty.space.map(|l| {
                *known[usize::from(l.0)].get_or_insert_with(|| {
                    let level = body.level(l);
                    b.level(&level.name, LevelKind::Dense, level.len)
                })
            });
            Type::new(ty.dtype, space)
        })
        .collect();
    (b, types)
}

/// Types of a region's inputs.
pub(crate) fn input_types(body: &Program) -> Vec<Type> {
    body.inputs().iter().map(|(_, v)| body.ty(*v)).collect()
}

/// Types of a region's results.
pub(crate) fn output_types(body: &Program) -> Vec<Type> {
    body.outputs().iter().map(|(_, v)| body.ty(*v)).collect()
}

/// How a region sits in the program around it.
#[derive(Debug)]
pub(crate) struct Signature {
    /// Outer levels that the region does not see.
    pub lanes: Space,
    /// The level around for each level of the region that its inputs have.
    levels: Vec<Option<LevelId>>,
    /// Which arguments have the lanes.
    pub laned: Vec<bool>,
}

impl Signature {
    /// Matches types inside the region with those of arguments.
    pub fn new(
        primitive: &'static str,
        around: &Program,
        body: &Program,
        pairs: &[(Type, Type)],
    ) -> Result<Self> {
        let mut lanes = Space::SCALAR;
        let mut levels: Vec<Option<LevelId>> = vec![None; body.levels().len()];
        let mut laned = Vec::new();
        for (index, (inner, outer)) in pairs.iter().enumerate() {
            if inner.dtype != outer.dtype {
                return Err(Error::DType {
                    primitive,
                    index,
                    found: outer.dtype.to_string(),
                    expected: inner.dtype.to_string(),
                });
            }
            let misfit = || {
                let (left, right) = (
                    around.space_name(&outer.space),
                    body.space_name(&inner.space),
                );
                ill_formed(
                    primitive,
                    format!("argument {index} lives in [{left}], its region expects [{right}]"),
                )
            };
            let more = outer
                .space
                .depth()
                .checked_sub(inner.space.depth())
                .ok_or_else(misfit)?;
            if more > 0 && lanes.is_scalar() {
                lanes = outer.space.prefix(more);
            }
            if more > 0 && outer.space.prefix(more) != lanes {
                return Err(misfit());
            }
            laned.push(more > 0);
            for (i, o) in inner.space.iter().zip(outer.space.iter().skip(more)) {
                let (within, outside) = (body.level(i), around.level(o));
                let fits = !matches!(within.kind, LevelKind::Ragged { .. })
                    && matches!(outside.kind, LevelKind::Dense | LevelKind::Batch)
                    && within.len.zip(outside.len).is_none_or(|(a, b)| a == b);
                let known = levels[usize::from(i.0)].get_or_insert(o);
                if !fits || *known != o {
                    return Err(misfit());
                }
            }
        }
        Ok(Self {
            lanes,
            levels,
            laned,
        })
    }

    /// The type around that a type inside the region has.
    pub fn outer(&self, primitive: &'static str, body: &Program, ty: Type) -> Result<Type> {
        let mut path: Vec<LevelId> = self.lanes.iter().collect();
        for level in ty.space.iter() {
            path.push(self.levels[usize::from(level.0)].ok_or_else(|| {
                ill_formed(
                    primitive,
                    format!(
                        "the region returns a value in level `{}`, which none of its arguments has",
                        body.level(level).name
                    ),
                )
            })?);
        }
        let space =
            Space::from_levels(&path).ok_or_else(|| ill_formed(primitive, "too many levels"))?;
        Ok(Type::new(ty.dtype, space))
    }
}

/// The arguments of a node with new lanes: those that are the same for all lanes, old and new, stay as they are, the others get both.
pub(crate) fn lane_arguments<'b>(
    cx: &'b Builder,
    call: &LaneCall<'_, 'b>,
    inner: &[Type],
) -> Result<Vec<Sym<'b>>> {
    let own = |i: usize| {
        call.args[i]
            .space()
            .depth()
            .saturating_sub(usize::from(call.lanes[i]) + inner[i].space.depth())
    };
    let old = (0..call.args.len()).map(|i| (own(i), i)).max();
    let old: Vec<LevelId> = old.map_or_else(Vec::new, |(n, i)| {
        call.args[i]
            .space()
            .iter()
            .skip(usize::from(call.lanes[i]))
            .take(n)
            .collect()
    });
    (0..call.args.len())
        .map(|i| {
            let arg = call.args[i];
            if !call.lanes[i] && own(i) == 0 {
                return Ok(arg);
            }
            let suffix = arg.space().depth() - inner[i].space.depth();
            let path: Vec<LevelId> = std::iter::once(call.level)
                .chain(old.iter().copied())
                .chain(arg.space().iter().skip(suffix))
                .collect();
            let space =
                Space::from_levels(&path).ok_or_else(|| ill_formed("vmap", "too many levels"))?;
            Ok(cx.broadcast(arg, space))
        })
        .collect()
}

/// Sums a cotangent over the lanes that its argument does not have.
pub(crate) fn without_lanes(cotangent: Sym<'_>, lanes: Space, laned: bool) -> Sym<'_> {
    if laned {
        return cotangent;
    }
    lanes.iter().rev().fold(cotangent, |c, level| {
        if c.space().contains(level) {
            c.sum(level)
        } else {
            c
        }
    })
}

fn numbered(letter: char, n: usize) -> Vec<String> {
    (0..n).map(|k| format!("{letter}{k}")).collect()
}

/// The region with inputs a0, a1, … and results r0, r1, …: names that transforms can build on again and again.
fn canonical(body: &Program) -> Result<Program> {
    let (inputs, outputs) = (
        numbered('a', body.inputs().len()),
        numbered('r', body.outputs().len()),
    );
    rename(
        body,
        &inputs,
        body.outputs()
            .iter()
            .map(|(n, _)| &**n)
            .zip(outputs.iter().map(String::as_str)),
    )
}

fn rename<'a>(
    program: &Program,
    inputs: &[String],
    outputs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Program> {
    let inputs: Vec<Option<&str>> = inputs.iter().map(|n| Some(n.as_str())).collect();
    transform::interface(program, &inputs, &outputs.collect::<Vec<_>>())
}

/// The region of tangents: inputs are those of `body`, then tangents of the inputs flagged in `wrt`; results are the tangents of the results `of`.
pub(crate) fn tangent(body: &Program, wrt: &[bool], of: &[usize]) -> Result<Arc<Program>> {
    let plain = canonical(body)?;
    let flagged: Vec<String> = flagged(wrt).map(|k| format!("a{k}")).collect();
    let flagged: Vec<&str> = flagged.iter().map(String::as_str).collect();
    let program = transform::jvp(&plain, &flagged)?;
    let old: Vec<String> = of.iter().map(|k| format!("d_r{k}")).collect();
    let new = numbered('r', of.len());
    let inputs = numbered('a', program.inputs().len());
    let pairs = old
        .iter()
        .map(String::as_str)
        .zip(new.iter().map(String::as_str));
    Ok(Arc::new(rename(&program, &inputs, pairs)?))
}

/// The transposed region: inputs are those of `body` that are not flagged in `linear`, then cotangents of the results `of`; results are the cotangents of the
/// flagged inputs, in which `body` is linear.
pub(crate) fn cotangent(body: &Program, linear: &[bool], of: &[usize]) -> Result<Arc<Program>> {
    let plain = canonical(body)?;
    let wrt: Vec<String> = flagged(linear).map(|k| format!("a{k}")).collect();
    let results: Vec<String> = of.iter().map(|k| format!("r{k}")).collect();
    let wrt_names: Vec<&str> = wrt.iter().map(String::as_str).collect();
    let result_names: Vec<&str> = results.iter().map(String::as_str).collect();
    let program = transform::vjp(&plain, &result_names, &wrt_names)?;
    let total = program.inputs().len();
    let names = numbered('a', total);
    let mut kept = names.iter();
    let inputs: Vec<Option<&str>> = (0..total)
        .map(|k| {
            if linear.get(k) == Some(&true) {
                None
            } else {
                kept.next().map(String::as_str)
            }
        })
        .collect();
    let (old, new): (Vec<String>, Vec<String>) = (
        wrt.iter().map(|n| format!("ct_{n}")).collect(),
        numbered('r', wrt.len()),
    );
    let outputs: Vec<(&str, &str)> = old
        .iter()
        .map(String::as_str)
        .zip(new.iter().map(String::as_str))
        .collect();
    Ok(Arc::new(transform::interface(&program, &inputs, &outputs)?))
}

/// The region of the gradient of the scalar result with respect to the first input.
pub(crate) fn gradient(body: &Program) -> Result<Arc<Program>> {
    let program = transform::grad(&canonical(body)?, "r0", &["a0"])?;
    let inputs = numbered('a', program.inputs().len());
    Ok(Arc::new(rename(
        &program,
        &inputs,
        std::iter::once(("grad_a0", "r0")),
    )?))
}

/// The region with value and gradient as results.
pub(crate) fn value_and_gradient(body: &Program) -> Result<Program> {
    transform::grad(&canonical(body)?, "r0", &["a0"])
}

pub(crate) fn flagged(flags: &[bool]) -> impl Iterator<Item = usize> {
    flags
        .iter()
        .enumerate()
        .filter(|(_, f)| **f)
        .map(|(k, _)| k)
}

/// Positions of the results that carry derivatives.
pub(crate) fn doubles(types: &[Type]) -> Vec<usize> {
    types
        .iter()
        .enumerate()
        .filter(|(_, t)| t.dtype == DType::F64)
        .map(|(k, _)| k)
        .collect()
}
