//! Bounded loops: a scan whose number of steps depends on what it carries.

use std::sync::Arc;

use pullback_ad::Real;
use pullback_ad::schedule::Policy;

use super::inline::{composed, inline};
use super::record::{input_types, output_types, region_of};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::margin::margin;
use crate::prim::call::call;
use crate::prim::scan::Form;
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::space::{LevelKind, Space};
use crate::transform::simplify;
use crate::ty::{DType, Type};

/// A bounded loop: `while condition(carry): carry = body(carry)`, at most `bound` times.
///
/// The condition is a mask: each of its elements stops on its own, what is carried below it stays from then on, and the loop ends when all have stopped. The
/// bound is part of the program; whether it cut the loop short is a result ([`Whiled::bound_hit`]), never a silence.
///
/// Shape: carried values keep their types, and each has the levels of the condition. Arguments may have `lanes` in front, one loop each.
///
/// Differentiability: with respect to initial values and captures, to any order, at the number of steps that was made. The condition has no tangent: where a small
/// change switches it, the result jumps, and [`Whiled::margin`] says how far from that the closest of its evaluations was. Elements that have stopped run on
/// their initial value beside the others, unseen, so that no infinite derivative of theirs meets a zero. A reverse sweep counts the steps once more before
/// it reverses them by the policy of [`While::checkpoint`].
///
/// # Example
/// Newton's iteration for √a, each element until it no longer moves.
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// use pullback_array::region::While;
/// let b = Builder::new();
/// let a = b.input("a", b.dense("n"));
/// let root = While::at_most(50).record(&b, &[a], &[a],
///     |_, x, a| (x[0] * x[0] - a[0]).abs().gt(1e-12 * a[0]),
///     |_, x, a| vec![(x[0] + a[0] / x[0]) * 0.5],
/// )?;
/// let program = b.finish(&[("sum", root.carries[0].sum_all()), ("steps", root.steps), ("cut", root.bound_hit)])?;
/// let lowered = Lowered::new(transform::grad(&program, "sum", &["a"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 4.0, 9.0]).into()]))?;
/// assert_eq!((ws.i64(1), ws.bool(2)), (&[0, 5, 6][..], &[0, 0, 0][..]));
/// assert!((ws.f64(3)[2] - 1.0 / 6.0).abs() < 1e-9);
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: A. Griewank & A. Walther, Evaluating Derivatives (2nd ed., 2008), section 14 (piecewise differentiation).
#[derive(Debug, Clone, Copy)]
pub struct While {
    bound: usize,
    lanes: Space,
    policy: Policy,
}

/// What a bounded loop returns.
#[derive(Debug, Clone)]
pub struct Whiled<'b> {
    /// The carried values at the end.
    pub carries: Vec<Sym<'b>>,
    /// How many steps each element of the condition made.
    pub steps: Sym<'b>,
    /// Where the condition still held when the bound was reached.
    pub bound_hit: Sym<'b>,
    /// The smallest distance of any evaluation of the condition from switching, infinite for what was never evaluated; absent where no margin is known.
    pub margin: Option<Sym<'b>>,
}

impl While {
    /// At most `bound` steps.
    pub fn at_most(bound: usize) -> Self {
        Self {
            bound,
            lanes: Space::SCALAR,
            policy: Policy::Store,
        }
    }

    /// One loop for each element of `lanes`, with which the paths of arguments may begin.
    #[must_use]
    pub fn lanes(self, lanes: Space) -> Self {
        Self { lanes, ..self }
    }

    /// What a reverse sweep stores.
    #[must_use]
    pub fn checkpoint(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Records the loop; `condition` and `body` get carried values and captures.
    ///
    /// # Errors
    /// A condition that is no mask, or has levels that a carried value lacks; an argument in a stream or in a ragged level behind the lanes; a carried
    /// value that changes its type; what recording may return.
    pub fn record<'b>(
        self,
        b: &'b Builder,
        inits: &[Sym<'b>],
        captures: &[Sym<'b>],
        condition: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>], &[Sym<'r>]) -> Sym<'r>,
        body: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>], &[Sym<'r>]) -> Vec<Sym<'r>>,
    ) -> Result<Whiled<'b>> {
        let c = inits.len();
        let args: Vec<Sym<'b>> = [inits, captures]
            .concat()
            .into_iter()
            .map(|s| b.sym(b.id(s)))
            .collect();
        // The condition and, where one is known, its margin.
        let condition = region_of(self.lanes, None, &args, |b, v| {
            let mask = condition(b, &v[..c], &v[c..]);
            std::iter::once(mask).chain(distance(b, mask)).collect()
        })?;
        let first = call(b, &condition, &args);
        if let Some(error) = b.failure() {
            return Err(error);
        }
        let mask = first[0];
        if mask.dtype() != DType::Bool {
            return Err(Error::DType {
                primitive: "while",
                index: 0,
                found: mask.dtype().to_string(),
                expected: DType::Bool.to_string(),
            });
        }
        let masked = !own(self.lanes, mask.space()).is_scalar();
        let step = step(&condition, c, body)?;
        let zero = b.broadcast(Sym::from(0.0), mask.space());
        let over = b.level("iterations", LevelKind::Dense, Some(self.bound));
        let form = Form {
            body: step,
            over,
            reverse: false,
            carries: c + first.len() + 1,
            xs: 0,
            policy: self.policy,
            running: Some(c),
        };
        let given = [
            &args[..c],
            &[mask, b.sym(b.id(zero))],
            &first[1..],
            if masked { &args[..c] } else { &[] },
            &args[c..],
        ]
        .concat();
        let found = form.push(b, &given)?.finals;
        Ok(Whiled {
            carries: found[..c].to_vec(),
            bound_hit: found[c],
            steps: found[c + 1].cast(DType::I64),
            margin: found.get(c + 2).copied(),
        })
    }
}

/// The step: inputs are `c` carried values, the mask of what runs, the number of steps (as doubles, which add), the margin, initial values (if elements stop on
/// their own), captures.
fn step(
    condition: &Program,
    c: usize,
    body: impl for<'r> FnOnce(&'r Builder, &[Sym<'r>], &[Sym<'r>]) -> Vec<Sym<'r>>,
) -> Result<Arc<Program>> {
    let (inputs, results) = (input_types(condition), output_types(condition));
    let mask = results[0];
    // A single condition is never seen after it failed.
    let masked = !mask.space.is_scalar();
    let types: Vec<Type> = [
        &inputs[..c],
        &[mask, mask.with(DType::F64)],
        &results[1..],
        if masked { &inputs[..c] } else { &[] },
        &inputs[c..],
    ]
    .concat();
    let made = composed(condition, &types, |b, v| {
        let (carried, rest) = v.split_at(c);
        let (running, steps) = (rest[0], rest[1]);
        let (margins, rest) = rest[2..].split_at(results.len() - 1);
        let (starts, captures) = rest.split_at(if masked { c } else { 0 });
        let seen: Vec<Sym<'_>> = carried
            .iter()
            .enumerate()
            .map(|(k, now)| match starts.get(k) {
                Some(start) if start.dtype() == DType::F64 => {
                    running.select(*now, start.stop_gradient())
                }
                _ => *now,
            })
            .collect();
        let next = body(b, &seen, captures);
        if next.len() != c {
            let message = format!("the body returns {} values for {c}", next.len());
            return Err(ill_formed("while", message));
        }
        let next: Vec<Sym<'_>> = next
            .iter()
            .zip(carried)
            .map(|(next, old)| {
                let next = if next.space().broadcasts_to(&old.space()) {
                    b.broadcast(*next, old.space())
                } else {
                    *next
                };
                if masked {
                    running.select(next, *old)
                } else {
                    next
                }
            })
            .collect();
        let again = inline(b, condition, &[&next[..], captures].concat())?;
        let closest = margins
            .iter()
            .zip(&again[1..])
            .map(|(old, new)| running.select(old.min(*new), *old));
        let made = steps + running.cast(DType::F64);
        let all = next.iter().copied().chain([running & again[0], made]);
        Ok(all.chain(closest).collect())
    })?;
    Ok(Arc::new(simplify(&made)?))
}

/// How far a mask is from switching, without a derivative.
fn distance<'b>(b: &'b Builder, mask: Sym<'b>) -> Option<Sym<'b>> {
    margin(b, mask).ok().map(|m| m.abs().stop_gradient())
}

/// A space without the lanes in front.
fn own(lanes: Space, space: Space) -> Space {
    if space.prefix(lanes.depth()) == lanes {
        space
            .iter()
            .skip(lanes.depth())
            .fold(Space::SCALAR, |s, l| s.child(l).unwrap_or(s))
    } else {
        space
    }
}
