//! The words for derivatives that are made of others: gradients with values, products with Hessians, Jacobians, Hessians.

use std::sync::Arc;

use super::columns::assemble;
use super::{grad, jvp, names, prune};
use crate::error::{Error, Result};
use crate::program::{Program, ValueId};

/// The program with some of its outputs, under other names.
pub(super) fn with_outputs(program: &Program, outputs: &[(String, String)]) -> Result<Program> {
    let mut out = program.clone();
    out.outputs = outputs
        .iter()
        .map(|(old, new)| {
            let v = program.find_output(old).ok_or_else(|| Error::Unknown {
                kind: "output",
                name: old.clone(),
                known: listed(program.outputs()),
            })?;
            Ok((Arc::from(new.as_str()), v))
        })
        .collect::<Result<_>>()?;
    prune(&out)
}

pub(super) fn listed(list: &[(Arc<str>, ValueId)]) -> String {
    list.iter()
        .map(|(n, _)| n.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The program of a scalar output and its gradient, and of nothing else: outputs are `of`, and `grad_x` for each input `x` of `wrt`
/// (`grad2_x` where `of` has such a name).
///
/// # Errors
/// As for [`grad`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let program = b.finish(&[("y", (x * x).sum_all()), ("other", x + 1.0)])?;
/// let both = transform::value_and_grad(&program, "y", &["x"])?;
/// assert_eq!(both.outputs().len(), 2);
/// let lowered = Lowered::new(both)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into()]))?;
/// assert_eq!((ws.scalar(0), ws.f64(1)), (5.0, &[2.0, 4.0][..]));
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn value_and_grad(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let part = with_outputs(program, &[(of.to_owned(), of.to_owned())])?;
    // Outputs of the part are the value, then the gradient.
    grad(&part, of, wrt)
}

/// The gradient alone, with outputs `grad_x`.
fn gradient(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let mut out = value_and_grad(program, of, wrt)?;
    out.outputs.remove(0);
    for ((name, _), x) in out.outputs.iter_mut().zip(wrt) {
        *name = Arc::from(format!("grad_{x}"));
    }
    prune(&out)
}

/// The program of the Hessian of a scalar output times a vector: for each input `x` of `wrt` one more input `d_x` (`d2_x` where such
/// a name is [taken](super)), outputs are `hvp_x`.
///
/// ```text
/// hvp = H v,   forward over reverse: no Hessian is formed
/// ```
///
/// # Errors
/// As for [`grad`] and [`jvp`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let program = b.finish(&[("y", (x * x * x).sum_all())])?;
/// let lowered = Lowered::new(transform::hvp(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[1.0, 10.0]).into()]))?;
/// assert_eq!(ws.f64(0), [6.0, 120.0]);
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: B. Pearlmutter, Neural Computation 6 (1994) 147.
pub fn hvp(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let gradient = gradient(program, of, wrt)?;
    let word = names::of_tangents(&gradient, wrt)?;
    let names: Vec<(String, String)> = wrt
        .iter()
        .map(|x| (format!("{word}_grad_{x}"), format!("hvp_{x}")))
        .collect();
    with_outputs(&jvp(&gradient, wrt)?, &names)
}

/// The program of the dense Jacobian of an output: outputs are `jac_of_x` for each input `x` of `wrt`.
///
/// ```text
/// J[o, i] = ∂ of[o] / ∂ x[i]
/// ```
///
/// Forward or reverse, whichever has fewer lanes: as many as `x` has elements, or the output. Where a length is not known before a run, it is reverse for a
/// scalar output and forward otherwise.
///
/// Shape: the levels of the output, then those of `x`, copied where the output has them too or their lanes are made: `n_1` of `n`. Copies whose length no input
/// tells are bound at each run by `Bindings::size`.
///
/// # Errors
/// An output or input in a stream or a ragged level (their Jacobian is not dense), more levels than a path can have; as for [`jvp`] and [`vjp`](super::vjp).
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let (n, m) = (b.dense_of("n", 2), b.dense_of("m", 3));
/// let (x, a) = (b.input("x", n), b.input("a", b.join(m, n)));
/// let program = b.finish(&[("y", (a * x).sum_last() * x.sum_all())])?;
/// let lowered = Lowered::new(transform::jacobian(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 1.0]).into(), (&a).into()]))?;
/// assert_eq!(ws.f64(0), [5.0, 7.0, 13.0, 15.0, 21.0, 23.0]);
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn jacobian(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    assemble(program, &[of], wrt, false, |_, x| {
        format!("jac_{of}_{}", wrt[x])
    })
}

/// The program of the dense Hessian of a scalar output: outputs are `hess_x_y` for all inputs `x`, `y` of `wrt`.
///
/// Forward over reverse, lanes for the elements of `y`: one gradient, and one forward transform of it for each `y`. For a likelihood with many parameters and layers see [`HessianPlan`](super::HessianPlan), which costs
/// less.
///
/// Shape: the levels of `x`, then those of `y`, copied: `n`, `n_1`.
///
/// # Errors
/// As for [`jacobian`] and [`grad`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense_of("n", 2));
/// let program = b.finish(&[("y", x.sum_all() * (x * x).sum_all())])?;
/// let lowered = Lowered::new(transform::hessian(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into()]))?;
/// assert_eq!(ws.f64(0), [10.0, 6.0, 6.0, 14.0]); // 2 (xᵢ + xⱼ) + 2 δᵢⱼ Σx
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn hessian(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let gradient = gradient(program, of, wrt)?;
    let of: Vec<String> = wrt.iter().map(|x| format!("grad_{x}")).collect();
    let of: Vec<&str> = of.iter().map(String::as_str).collect();
    assemble(&gradient, &of, wrt, true, |x, y| {
        format!("hess_{}_{}", wrt[x], wrt[y])
    })
}
