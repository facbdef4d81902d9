//! Reverse mode: linearise, then transpose the linear part. A sensitivity is pulled back from outputs to inputs.

use std::sync::Arc;

use super::cotangent::{Cotangent, pull};
use super::forward::{Tangents, differentiable_input, push_forward, upstream};
use super::linear_part::{LinearPart, PartValues, stand_in};
use super::names;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::primitive::Call;
use crate::program::{Program, ValueId};
use crate::ty::DType;

/// The outputs and inputs a cotangent runs between.
struct Pullback<'a> {
    program: &'a Program,
    wrt: Vec<ValueId>,
    of: Vec<ValueId>,
}

impl<'a> Pullback<'a> {
    fn new(program: &'a Program, of: &[&str], wrt: &[&str]) -> Result<Self> {
        let of = of
            .iter()
            .map(|name| differentiable_output(program, name))
            .collect::<Result<_>>()?;
        let wrt = wrt
            .iter()
            .map(|name| differentiable_input(program, name))
            .collect::<Result<_>>()?;
        Ok(Self { program, wrt, of })
    }

    /// Cotangents of the inputs, given those of the outputs.
    fn run<'b>(&self, b: &'b Builder, seeds: &[Sym<'b>]) -> Result<Vec<Sym<'b>>> {
        let program = self.program;
        let mut tangents: Tangents<'b> = vec![None; program.value_count()];
        for &id in &self.wrt {
            tangents[id.index()] = Some(stand_in(b, id, program.ty(id)));
        }
        let wanted = upstream(program, self.of.iter().copied());
        push_forward(b, program, &mut tangents, &wanted)?;

        let part = LinearPart::since(b, program.nodes().len());
        let starts: Vec<ValueId> = self
            .wrt
            .iter()
            .filter_map(|id| tangents[id.index()])
            .map(|t| b.id(t))
            .collect();
        let ends: Vec<(Option<ValueId>, Sym<'b>)> = self
            .of
            .iter()
            .zip(seeds)
            .map(|(out, &seed)| (tangents[out.index()].map(|t| b.id(t)), seed))
            .collect();
        let cotangents = adjoints(b, &part, &starts, &ends)?;
        Ok(self
            .wrt
            .iter()
            .map(|&id| {
                let found = tangents[id.index()].and_then(|t| cotangents.get(b.id(t)));
                let zero = || b.broadcast(Sym::from(0.0), program.ty(id).space);
                found.unwrap_or_else(zero)
            })
            .collect())
    }
}

/// The output of that name, which must be `f64`.
pub(crate) fn differentiable_output(program: &Program, name: &str) -> Result<ValueId> {
    let id = program.find_output(name).ok_or_else(|| Error::Unknown {
        kind: "output",
        name: name.into(),
        known: program
            .outputs()
            .iter()
            .map(|(n, _)| n.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    if program.ty(id).dtype != DType::F64 {
        let found = program.ty(id).dtype.to_string();
        return Err(Error::DType {
            primitive: "output",
            index: 0,
            found,
            expected: "f64 to differentiate".into(),
        });
    }
    Ok(id)
}

/// Cotangents of the values of the linear part of a program, pulled back from `ends` to `starts`, which stand in it.
pub(super) fn adjoints<'b>(
    b: &'b Builder,
    part: &LinearPart,
    starts: &[ValueId],
    ends: &[(Option<ValueId>, Sym<'b>)],
) -> Result<PartValues<Sym<'b>>> {
    Ok(cotangents(b, part, starts, ends)?.map(Cotangent::value))
}

/// The same with the masks that they carry.
pub(super) fn cotangents<'b>(
    b: &'b Builder,
    part: &LinearPart,
    starts: &[ValueId],
    ends: &[(Option<ValueId>, Sym<'b>)],
) -> Result<PartValues<Cotangent<'b>>> {
    // Everything that depends on a tangent is linear in it.
    let mut linear = part.values();
    for start in starts {
        linear.set(*start, ());
    }
    for node in &part.nodes {
        if node.args.iter().any(|a| linear.get(*a).is_some()) {
            node.results().for_each(|r| linear.set(r, ()));
        }
    }
    let mut cotangents: PartValues<Cotangent<'b>> = part.values();
    let add = |cotangents: &mut PartValues<Cotangent<'b>>, v: ValueId, term: Cotangent<'b>| {
        let sum = cotangents.get(v).map_or(term, |sum| sum.plus(term));
        cotangents.set(v, sum);
    };
    for (end, seed) in ends {
        if let Some(id) = end.filter(|id| linear.get(*id).is_some()) {
            add(&mut cotangents, id, Cotangent::plain(*seed));
        }
    }
    for node in part.nodes.iter().rev() {
        let given: Vec<Option<Cotangent<'b>>> = node.results().map(|r| cotangents.get(r)).collect();
        let flags: Vec<bool> = node.args.iter().map(|a| linear.get(*a).is_some()).collect();
        if !flags.contains(&true) || given.iter().all(Option::is_none) {
            continue;
        }
        let args: Vec<Sym<'b>> = node.args.iter().map(|&a| b.sym(a)).collect();
        let outs: Vec<Sym<'b>> = node.results().map(|r| b.sym(r)).collect();
        let call = Call {
            primitive: node.primitive,
            args: &args,
            outs: &outs,
            attrs: &node.attrs,
        };
        let label = b.with_program(|p| p.value(node.first).label.clone());
        let pulled = b.labelled(label, || pull(b, &call, &given, &flags))?;
        if let Some(error) = b.failure() {
            return Err(error);
        }
        for ((arg, cotangent), flag) in args.iter().zip(pulled).zip(flags) {
            if let (Some(c), true) = (cotangent, flag) {
                let c = c.broadcast(b, arg.space());
                add(&mut cotangents, b.id(*arg), c);
            }
        }
    }
    Ok(cotangents)
}

/// The program with cotangents: for each output `y` of `of` one more input `ct_y`, for each input `x` of `wrt` one more output `ct_x`
/// (`ct2_y`, `ct2_x` where one of these names is [taken](super)).
///
/// Pathwise, at frozen selection, as [`jvp`](super::jvp); [`vjp_total`](super::vjp_total) adds the surface terms of thresholds.
///
/// # Errors
/// An unknown name, or a primitive without a rule on the way.
pub fn vjp(program: &Program, of: &[&str], wrt: &[&str]) -> Result<Program> {
    let pullback = Pullback::new(program, of, wrt)?;
    let word = names::of_cotangents(program, of, wrt)?;
    let b = Builder::resume(program);
    let mut outputs = program.outputs().to_vec();
    {
        let seeds: Vec<Sym<'_>> = of
            .iter()
            .zip(&pullback.of)
            .map(|(name, &id)| b.input_of(&format!("{word}_{name}"), program.ty(id)))
            .collect();
        let results = pullback.run(&b, &seeds)?;
        for (name, result) in wrt.iter().zip(results) {
            outputs.push((Arc::from(format!("{word}_{name}")), b.id(result)));
        }
    }
    super::prune(&b.finish_ids(outputs)?)
}

/// The program with the gradient of the scalar output `of`: for each input `x` of `wrt` one more output `d_of/d_x`, called `grad_x`
/// (`grad2_x` where such a name is [taken](super)).
///
/// Pathwise, at frozen selection, as [`jvp`](super::jvp); [`grad_total`](super::grad_total) adds the surface terms of thresholds.
///
/// # Errors
/// An unknown name, an output that is no scalar, or a primitive without a rule on the way.
///
/// # Example
/// ```
/// use pullback_array::{Builder, Lowered, Bindings, transform};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let y = (x * x).sum_all();
/// let program = b.finish(&[("y", y)]).unwrap();
/// let lowered = Lowered::new(transform::grad(&program, "y", &["x"]).unwrap()).unwrap();
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into()])).unwrap();
/// assert_eq!((ws.scalar(0), ws.f64(1)), (5.0, &[2.0, 4.0][..]));
/// ```
pub fn grad(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let pullback = Pullback::new(program, &[of], wrt)?;
    if !program.ty(pullback.of[0]).space.is_scalar() {
        let space = program.space_name(&program.ty(pullback.of[0]).space);
        return Err(crate::primitive::ill_formed(
            "grad",
            format!("output `{of}` lives in [{space}], expected a scalar; use `vjp`"),
        ));
    }
    let word = names::of_gradients(program, wrt)?;
    let b = Builder::resume(program);
    let mut outputs = program.outputs().to_vec();
    {
        let results = pullback.run(&b, &[Sym::from(1.0)])?;
        for (name, result) in wrt.iter().zip(results) {
            outputs.push((Arc::from(format!("{word}_{name}")), b.id(result)));
        }
    }
    super::prune(&b.finish_ids(outputs)?)
}
