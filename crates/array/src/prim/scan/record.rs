//! Recording a scan.

use std::sync::Arc;

use pullback_ad::schedule::Policy;

use super::super::SCAN;
use super::form::Form;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::program::Program;
use crate::region::region_of;
use crate::space::{LevelId, Space};

/// How to scan: along which level, in which direction, and which carried values a reverse sweep stores.
///
/// ```text
/// carry_{k+1}, y_k = step(carry_k, x_k, captures),   k = 0, 1, …    (from the last element to the first with `reversed`)
/// ```
///
/// Shape: a carried value keeps its type; a row x has the level of the steps, right behind the lanes if there are any, and the step sees it without; a result y
/// gets that level. Everything else that the step reads is a capture and has no level of the steps. Arguments may have `lanes` in front, one scan each.
///
/// Differentiability: with respect to initial values, rows and captures, to any order. A reverse sweep recomputes the inside of each step from the carried values
/// before it, which it stores ([`Policy::Store`], the default) or recomputes from fewer: about l/k + k of l with [`Policy::Every`]`(k)`, s with
/// [`Policy::Binomial`]`(s)`. Second derivatives store them all.
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_array::region::Scan;
/// let b = Builder::new();
/// let steps = b.dense("steps");
/// let (y0, a, x) = (b.input("y0", Space::SCALAR), b.input("a", Space::SCALAR), b.input("x", steps));
/// // A filter: y ← a y + x.
/// let filtered = Scan::along(steps).record(&b, &[y0], &[x], &[a], |_, y, x, a| {
///     let next = a[0] * y[0] + x[0];
///     (vec![next], vec![next])
/// })?;
/// let program = b.finish(&[("y", filtered.carries[0]), ("all", filtered.ys[0])])?;
/// let lowered = Lowered::new(transform::grad(&program, "y", &["a", "x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&1.0).into(), (&0.5).into(), (&[1.0, 2.0]).into()]))?;
/// assert_eq!((ws.scalar(0), ws.f64(1)), (2.75, &[1.5, 2.75][..]));
/// assert_eq!((ws.scalar(2), ws.f64(3)), (2.0, &[0.5, 1.0][..])); // a² y0 + a x0 + x1
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: A. Griewank & A. Walther, ACM Trans. Math. Softw. 26 (2000) 19 (the policies).
#[derive(Debug, Clone, Copy)]
pub struct Scan {
    steps: Space,
    lanes: Space,
    reverse: bool,
    policy: Policy,
}

/// What a scan returns.
#[derive(Debug, Clone)]
pub struct Scanned<'b> {
    /// The carried values after the last step.
    pub carries: Vec<Sym<'b>>,
    /// What each step returned, with the level of the steps.
    pub ys: Vec<Sym<'b>>,
}

impl Scan {
    /// Along the last level of `steps`, which is dense.
    pub fn along(steps: Space) -> Self {
        Self {
            steps,
            lanes: Space::SCALAR,
            reverse: false,
            policy: Policy::Store,
        }
    }

    /// One scan for each element of `lanes`, with which the paths of arguments may begin.
    #[must_use]
    pub fn lanes(self, lanes: Space) -> Self {
        Self { lanes, ..self }
    }

    /// From the last element to the first.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            reverse: true,
            ..self
        }
    }

    /// What a reverse sweep stores.
    #[must_use]
    pub fn checkpoint(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Records the scan: `step` gets carried values, rows and captures and returns new carried values and results.
    ///
    /// # Errors
    /// An argument in a stream or in a ragged level behind the lanes; a carried value that changes its type; what recording may return.
    pub fn record<'b>(
        self,
        b: &'b Builder,
        inits: &[Sym<'b>],
        xs: &[Sym<'b>],
        captures: &[Sym<'b>],
        step: impl for<'r> FnOnce(
            &'r Builder,
            &[Sym<'r>],
            &[Sym<'r>],
            &[Sym<'r>],
        ) -> (Vec<Sym<'r>>, Vec<Sym<'r>>),
    ) -> Result<Scanned<'b>> {
        let args: Vec<Sym<'b>> = [inits, xs, captures]
            .concat()
            .into_iter()
            // A bare number becomes a value of the program.
            .map(|s| b.sym(b.id(s)))
            .collect();
        let (c, m) = (inits.len(), xs.len());
        let body = region_of(self.lanes, self.steps.last(), &args, |b, inputs| {
            let (carries, rest) = inputs.split_at(c);
            let (xs, captures) = rest.split_at(m);
            let (next, ys) = step(b, carries, xs, captures);
            // A number stands for itself everywhere.
            let widened = next.iter().zip(carries).map(|(n, c)| {
                if n.space().broadcasts_to(&c.space()) {
                    b.broadcast(*n, c.space())
                } else {
                    *n
                }
            });
            widened.chain(ys).collect()
        })?;
        self.body(b, &body, c, m, &args)
    }

    /// Records the scan of a given step, whose inputs are carried values, rows and captures.
    ///
    /// # Errors
    /// As for [`Self::record`].
    pub fn body<'b>(
        self,
        b: &'b Builder,
        step: &Arc<Program>,
        carries: usize,
        xs: usize,
        args: &[Sym<'b>],
    ) -> Result<Scanned<'b>> {
        let form = Form {
            body: step.clone(),
            over: self.steps.last().unwrap_or(LevelId(u16::MAX)),
            reverse: self.reverse,
            carries,
            xs,
            policy: self.policy,
            running: None,
        };
        let found = form.push(b, args)?;
        Ok(Scanned {
            carries: found.finals,
            ys: found.ys,
        })
    }
}

/// All results of a scan.
pub(crate) struct Results<'b> {
    pub finals: Vec<Sym<'b>>,
    pub ys: Vec<Sym<'b>>,
    /// The carried values before each step.
    pub stacks: Vec<Sym<'b>>,
}

impl Form {
    /// Records the node.
    ///
    /// # Errors
    /// An ill-formed node.
    pub fn push<'b>(&self, b: &'b Builder, args: &[Sym<'b>]) -> Result<Results<'b>> {
        let mut found = b.push(SCAN, args, self.attrs()).all(b);
        if let Some(error) = b.failure() {
            return Err(error);
        }
        let mut ys = found.split_off(self.carries);
        let stacks = ys.split_off(self.ys());
        Ok(Results {
            finals: found,
            ys,
            stacks,
        })
    }
}
