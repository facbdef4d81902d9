//! Recording functions with their own rule.

use std::sync::Arc;

use super::super::{CUSTOM_JVP, CUSTOM_VJP};
use super::form::{Form, Way};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::primitive::PrimitiveRef;
use crate::region::{composed, region_of};
use crate::space::Space;
use crate::transform::simplify;
use crate::ty::DType;

/// What a rule is given: arguments, results, and tangents of the arguments (or cotangents of the results) that are made of doubles.
type Given<'a, 'r> = (&'a [Sym<'r>], &'a [Sym<'r>], &'a [Sym<'r>]);

fn custom<'b>(
    b: &'b Builder,
    primitive: PrimitiveRef,
    way: Way,
    lanes: Space,
    args: &[Sym<'b>],
    value: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Vec<Sym<'r>>,
    rule: impl for<'a, 'r> FnOnce(&'r Builder, Given<'a, 'r>) -> Vec<Sym<'r>>,
) -> Result<Vec<Sym<'b>>> {
    let args: Vec<Sym<'b>> = args.iter().map(|s| b.sym(b.id(*s))).collect();
    let body = region_of(lanes, None, &args, value)?;
    let form = Form {
        primitive: primitive.name(),
        rule: body.clone(),
        body,
        way,
    };
    let (types, _) = form.rule_types();
    let (n, m) = (form.body.inputs().len(), form.body.outputs().len());
    let recorded = composed(&form.body, &types, |b, v| {
        let (args, rest) = v.split_at(n);
        let (outs, given) = rest.split_at(m);
        let made = rule(b, (args, outs, given));
        // A number stands for itself everywhere.
        let like = match way {
            Way::Forward => outs,
            Way::Reverse => args,
        };
        let spaces = like.iter().filter(|v| v.dtype() == DType::F64);
        let spaces: Vec<Space> = spaces.map(|v| v.space()).collect();
        Ok(made
            .iter()
            .enumerate()
            .map(|(k, v)| match spaces.get(k) {
                Some(space) if v.space().broadcasts_to(space) => b.broadcast(*v, *space),
                _ => *v,
            })
            .collect())
    })?;
    let form = Form {
        rule: Arc::new(simplify(&recorded)?),
        ..form
    };
    let found = b.push(primitive, &args, form.attrs()).all(b);
    match b.failure() {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// Records a function with its own tangent rule: `value` computes results from arguments, `rule` their tangents from arguments, results and tangents of the
/// arguments, linear in these.
///
/// The base form of a custom rule, valid in both modes and, because the rule is a program, for every order. Arguments may have `lanes` in front, which neither
/// sees.
///
/// # Errors
/// A rule that does not return a tangent for each result of doubles, in its space; what recording may return.
///
/// # Example
/// ln(1 + eˣ) with the derivative 1/(1 + e⁻ˣ), which divides no infinities.
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_array::region::custom_jvp;
/// let b = Builder::new();
/// let x = b.input("x", Space::SCALAR);
/// let y = custom_jvp(&b, Space::SCALAR, &[x],
///     |_, x| vec![(x[0].exp() + 1.0).ln()],
///     |_, (x, _, dx)| vec![dx[0] / ((-x[0]).exp() + 1.0)],
/// )?[0];
/// let program = b.finish(&[("y", y)])?;
/// let lowered = Lowered::new(transform::grad(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&800.0).into()]))?;
/// assert_eq!(ws.scalar(1), 1.0);
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn custom_jvp<'b>(
    b: &'b Builder,
    lanes: Space,
    args: &[Sym<'b>],
    value: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Vec<Sym<'r>>,
    rule: impl for<'a, 'r> FnOnce(&'r Builder, Given<'a, 'r>) -> Vec<Sym<'r>>,
) -> Result<Vec<Sym<'b>>> {
    custom(b, CUSTOM_JVP, Way::Forward, lanes, args, value, rule)
}

/// Records a function with its own cotangent rule: `rule` computes cotangents of the arguments from arguments, results and cotangents of the results.
///
/// Reverse mode only: a tangent (`jvp`, forward over reverse through the function itself) is [`Error::NotDifferentiable`](crate::Error), never a zero.
/// Reverse over reverse differentiates the rule. Arguments may have `lanes` in front, which neither sees.
///
/// # Errors
/// A rule that does not return a cotangent for each argument of doubles, in its space; what recording may return.
///
/// # Example
/// The identity, whose cotangents are clipped.
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_array::region::custom_vjp;
/// let b = Builder::new();
/// let x = b.input("x", Space::SCALAR);
/// let y = custom_vjp(&b, Space::SCALAR, &[x],
///     |_, x| vec![x[0] * 1.0],
///     |_, (_, _, ct)| vec![ct[0].max((-1.0).into()).min(1.0.into())],
/// )?[0];
/// let program = b.finish(&[("y", y * 5.0)])?;
/// let lowered = Lowered::new(transform::grad(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&2.0).into()]))?;
/// assert_eq!((ws.scalar(0), ws.scalar(1)), (10.0, 1.0));
/// assert!(transform::jvp(&program, &["x"]).is_err());
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn custom_vjp<'b>(
    b: &'b Builder,
    lanes: Space,
    args: &[Sym<'b>],
    value: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>]) -> Vec<Sym<'r>>,
    rule: impl for<'a, 'r> FnOnce(&'r Builder, Given<'a, 'r>) -> Vec<Sym<'r>>,
) -> Result<Vec<Sym<'b>>> {
    custom(b, CUSTOM_VJP, Way::Reverse, lanes, args, value, rule)
}
