//! How far decisions are from switching.
//!
//! A mask is true where its margin is positive (or zero, where equality is included), and a small change of its inputs switches it exactly where the margin
//! changes sign. On margins rest relaxations, surface terms of thresholds and the detection of kinks.

use pullback_ad::Real;

use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::prim;
use crate::prim::bin::nearest_edge;
use crate::prim::compare::Compare;
use crate::prim::logic::Logic;
use crate::prim::quantify::Quantify;
use crate::ty::DType;

/// The margin of a recorded mask or bin index, a differentiable value in the same space.
///
/// - Comparisons: `a - b` for `>` and `≥`, `b - a` for `<` and `≤`, `|a - b|` for `≠`, `-|a - b|` for `=`.
/// - Logic: the smaller margin for *and*, the larger for *or*, the negative for *not*; *xor* is (a and not b) or (b and not a).
/// - `any` and `all` along a level: the largest and the smallest margin. Gathers and broadcasts: those of the margin.
/// - `bin_index`: the distance to the nearest edge, never negative.
///
/// # Errors
/// [`Error::Refused`], by the name of the primitive, for a mask or index that no margin is known for (an input, a comparison of integers).
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, margin};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let mask = x.gt(20.0.into()) & x.lt(50.0.into());
/// let m = margin(&b, mask).unwrap();
/// let program = b.finish(&[("margin", m)]).unwrap();
/// let lowered = Lowered::new(program).unwrap();
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[19.0, 22.0, 49.0]).into()])).unwrap();
/// assert_eq!(ws.f64(0), [-1.0, 2.0, 1.0]);
/// ```
pub fn margin<'b>(b: &'b Builder, decision: Sym<'b>) -> Result<Sym<'b>> {
    let id = b.id(decision);
    let (primitive, attrs, args) = b.with_program(|p| {
        let node = p.node(id);
        (node.primitive, node.attrs.clone(), node.args.clone())
    });
    let refused = |message: &str| {
        let label = b.with_program(|p| p.label_of(id));
        Err(Error::Refused {
            transform: "margin",
            primitive: primitive.name(),
            label,
            message: message.into(),
        })
    };
    let arg = |i: usize| b.sym(args[i]);
    if let Some(op) = Compare::ALL
        .into_iter()
        .find(|op| op.primitive() == primitive)
    {
        if b.ty(arg(0)).dtype != DType::F64 {
            return refused("integers do not change by small steps");
        }
        let (x, y) = (arg(0), arg(1));
        return Ok(match op {
            Compare::Gt | Compare::Ge => x - y,
            Compare::Lt | Compare::Le => y - x,
            Compare::Ne => (x - y).abs(),
            Compare::Eq => -(x - y).abs(),
        });
    }
    if let Some(op) = Logic::ALL
        .into_iter()
        .find(|op| op.primitive() == primitive)
    {
        let x = margin(b, arg(0))?;
        if op == Logic::Not {
            return Ok(-x);
        }
        let y = margin(b, arg(1))?;
        return Ok(match op {
            Logic::And => x.min(y),
            Logic::Or => x.max(y),
            _ => x.min(-y).max((-x).min(y)),
        });
    }
    if primitive == prim::BIN_INDEX {
        let (x, edges) = (arg(0), arg(1));
        let nearest = edges.gather(nearest_edge(x, edges));
        return Ok((x - nearest).abs());
    }
    if primitive == prim::GATHER || primitive == prim::EXPAND || primitive == prim::SPLAT {
        let inner = margin(b, arg(0))?;
        let mut values = vec![inner];
        values.extend((1..args.len()).map(arg));
        return Ok(b.push(primitive, &values, attrs).first(b));
    }
    match (
        Quantify::ALL
            .into_iter()
            .find(|op| op.primitive() == primitive),
        attrs.level("over"),
    ) {
        (Some(Quantify::Any), Some(over)) => Ok(margin(b, arg(0))?.max_over(over)),
        (Some(Quantify::All), Some(over)) => Ok(margin(b, arg(0))?.min_over(over)),
        _ => refused("no margin is known for it; compare doubles, or make bins of them"),
    }
}
