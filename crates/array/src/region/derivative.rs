//! Derivatives of regions: regions again, with inputs a0, a1, … and results r0, r1, ….

use std::sync::Arc;

use crate::error::Result;
use crate::prim;
use crate::primitive::Nature;
use crate::program::Program;
use crate::transform;
use crate::ty::{DType, Type};

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
pub fn tangent(body: &Program, wrt: &[bool], of: &[usize]) -> Result<Arc<Program>> {
    with_tangents(body, wrt, &[], of).map(Arc::new)
}

/// The region of values and tangents: inputs are those of `body`, then tangents of the inputs flagged in `wrt`; results are the results `primal` and then the
/// tangents of the results `of`.
///
/// # Errors
/// A result or an operation without a derivative.
pub(crate) fn with_tangents(
    body: &Program,
    wrt: &[bool],
    primal: &[usize],
    of: &[usize],
) -> Result<Program> {
    let plain = canonical(body)?;
    let flagged: Vec<String> = flagged(wrt).map(|k| format!("a{k}")).collect();
    let flagged: Vec<&str> = flagged.iter().map(String::as_str).collect();
    let program = transform::tangents_of(&plain, &flagged)?;
    let old: Vec<String> = primal
        .iter()
        .map(|k| format!("r{k}"))
        .chain(of.iter().map(|k| format!("d_r{k}")))
        .collect();
    let (new, inputs) = (
        numbered('r', old.len()),
        numbered('a', program.inputs().len()),
    );
    let pairs = old
        .iter()
        .map(String::as_str)
        .zip(new.iter().map(String::as_str));
    rename(&program, &inputs, pairs)
}

/// The region of some results of some inputs, on which alone they depend.
///
/// # Errors
/// A result that needs another input.
pub(crate) fn part_of(body: &Program, inputs: &[bool], results: &[usize]) -> Result<Program> {
    let plain = canonical(body)?;
    let names = numbered('a', inputs.len());
    let mut next = names.iter();
    let kept: Vec<Option<&str>> = inputs
        .iter()
        .map(|keep| {
            if *keep {
                next.next().map(String::as_str)
            } else {
                None
            }
        })
        .collect();
    let (old, new): (Vec<String>, Vec<String>) = (
        results.iter().map(|k| format!("r{k}")).collect(),
        numbered('r', results.len()),
    );
    let pairs: Vec<(&str, &str)> = old
        .iter()
        .map(String::as_str)
        .zip(new.iter().map(String::as_str))
        .collect();
    transform::interface(&plain, &kept, &pairs)
}

/// Which results depend on flagged inputs in a way that carries derivatives.
pub(crate) fn reached(body: &Program, inputs: &[bool]) -> Vec<bool> {
    let mut reached = vec![false; body.value_count()];
    for ((_, v), flag) in body.inputs().iter().zip(inputs) {
        reached[v.index()] = *flag;
    }
    for node in body.nodes() {
        if node.primitive.nature() != Nature::Structure
            && node.primitive != prim::STOP_GRADIENT
            && node.args.iter().any(|a| reached[a.index()])
        {
            for r in node.results() {
                reached[r.index()] |= body.ty(r).dtype == DType::F64;
            }
        }
    }
    body.outputs()
        .iter()
        .map(|(_, v)| reached[v.index()])
        .collect()
}

/// The transposed region: inputs are those of `body` that are not flagged in `linear`, then cotangents of the results `of`; results are the cotangents of the
/// flagged inputs, in which `body` is linear.
pub fn cotangent(body: &Program, linear: &[bool], of: &[usize]) -> Result<Arc<Program>> {
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
pub fn gradient(body: &Program) -> Result<Arc<Program>> {
    let program = transform::grad(&canonical(body)?, "r0", &["a0"])?;
    let inputs = numbered('a', program.inputs().len());
    Ok(Arc::new(rename(
        &program,
        &inputs,
        std::iter::once(("grad_a0", "r0")),
    )?))
}

/// The region with value and gradient as results.
pub fn value_and_gradient(body: &Program) -> Result<Program> {
    transform::grad(&canonical(body)?, "r0", &["a0"])
}

/// Positions of the flags that are set.
pub fn flagged(flags: &[bool]) -> impl Iterator<Item = usize> {
    flags
        .iter()
        .enumerate()
        .filter(|(_, f)| **f)
        .map(|(k, _)| k)
}

/// Positions of the results that carry derivatives.
pub fn doubles(types: &[Type]) -> Vec<usize> {
    types
        .iter()
        .enumerate()
        .filter(|(_, t)| t.dtype == DType::F64)
        .map(|(k, _)| k)
        .collect()
}
