//! The primitive `scan_adjoint`: the transpose of a scan that carries values beside tangents.

use std::sync::Arc;

use pullback_ad::schedule::Policy;

use super::super::SCAN_ADJOINT;
use super::form::{Form, count, policy_of, policy_text, signature, with_rows};
use super::forward::with_row_levels;
use super::pull::{Incoming, Outgoing, Pull, zeros};
use super::rules::types;
use super::{reversing, samples};
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::region::{self, BODY, Signature, body, lane_arguments};
use crate::sample::Sample;
use crate::space::{LevelId, Space};
use crate::transform::{LaneCall, jvp_through, transpose_through};
use crate::ty::Type;

/// Cotangents of a scan whose carried values are recomputed.
pub(crate) struct AdjointOp;

/// Name of the primitive.
pub(super) const NAME: &str = "scan_adjoint";

/// Its parameters.
#[derive(Debug, Clone)]
pub(super) struct Adjoint {
    /// The step of carried values: inputs are these, rows and captures.
    pub step: Arc<Program>,
    /// Number of carried values that are recomputed: they are the first fixed rows of `pull`.
    pub carries: usize,
    pub over: LevelId,
    /// Direction of the steps (cotangents run the other way).
    pub reverse: bool,
    pub policy: Policy,
    pub running: Option<usize>,
    pub pull: Pull,
}

impl Adjoint {
    fn of(attrs: &Attrs) -> Result<Self> {
        let program = body(NAME, attrs)?.clone();
        let (Some(step), Some(over), Some(reverse @ (0 | 1))) = (
            attrs.program("step"),
            attrs.level("over"),
            attrs.int("reverse"),
        ) else {
            return Err(ill_formed(
                NAME,
                "expects a sub-program `step`, a level `over` and `reverse`, 0 or 1",
            ));
        };
        let number = |name| count(NAME, attrs, name);
        let (carries, xs) = (number("carries")?, number("xs")?);
        let found = Self {
            carries,
            over,
            reverse: reverse == 1,
            policy: policy_of(NAME, attrs)?,
            running: match attrs.get("running") {
                Some(_) => Some(number("running")?),
                None => None,
            },
            pull: Pull {
                rows: carries + xs,
                fixed: step.inputs().len(),
                carries: number("cotangents")?,
                ys: number("ys")?,
                xs: number("pulled")?,
                stacked: number("stacked")? == 1,
                program,
            },
            step: step.clone(),
        };
        found.check()?;
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        let (pull, p) = (&self.pull, &self.pull.program);
        let (inputs, outputs) = (region::input_types(p), region::output_types(p));
        let (fixed, stepped) = (
            region::input_types(&self.step),
            region::output_types(&self.step),
        );
        let fits = pull.rows <= pull.fixed
            && self.carries <= pull.rows
            && inputs.len() == pull.fixed + pull.carries + pull.ys
            && outputs.len() >= pull.carries + pull.xs
            && outputs.len() <= 64
            && stepped.len() == self.carries
            && self.running.is_none_or(|k| k < pull.rows)
            && fixed
                .iter()
                .zip(&inputs)
                .all(|(a, b)| a.dtype == b.dtype && a.space.depth() == b.space.depth())
            && stepped.iter().zip(&fixed).all(|(a, b)| a == b)
            && outputs
                .iter()
                .zip(&inputs[pull.fixed..])
                .take(pull.carries)
                .all(|(a, b)| a == b);
        if fits {
            Ok(())
        } else {
            Err(ill_formed(
                NAME,
                "the inputs and results of its sub-programs are not what its numbers say",
            ))
        }
    }

    fn attrs(&self) -> Attrs {
        let int = |n: usize| Attr::Int(n as i64);
        let pull = &self.pull;
        let attrs = Attrs::NONE
            .with("step", Attr::Program(self.step.clone()))
            .with(BODY, Attr::Program(pull.program.clone()))
            .with("over", Attr::Level(self.over))
            .with("reverse", int(usize::from(self.reverse)))
            .with("carries", int(self.carries))
            .with("xs", int(pull.rows - self.carries))
            .with("cotangents", int(pull.carries))
            .with("ys", int(pull.ys))
            .with("pulled", int(pull.xs))
            .with("stacked", int(usize::from(pull.stacked)))
            .with("checkpoint", Attr::Str(policy_text(self.policy).into()));
        match self.running {
            Some(k) => attrs.with("running", int(k)),
            None => attrs,
        }
    }

    /// Types inside for each argument: fixed inputs, cotangents that come in.
    pub fn inner(&self) -> Vec<Type> {
        let inputs = region::input_types(&self.pull.program);
        let stacks = if self.pull.stacked {
            inputs[self.pull.fixed..self.pull.fixed + self.pull.carries].to_vec()
        } else {
            Vec::new()
        };
        [inputs, stacks].concat()
    }

    pub fn is_row(&self, k: usize) -> bool {
        let pull = &self.pull;
        (self.carries..pull.rows).contains(&k) || k >= pull.fixed + pull.carries
    }

    pub fn signature(&self, around: &Program, args: &[Type]) -> Result<Signature> {
        let body = &self.pull.program;
        signature(NAME, around, body, self.inner(), args, self.over, |k| {
            self.is_row(k)
        })
    }

    /// Records the node: `fixed` are initial carried values, rows and captures.
    pub fn push<'b>(
        &self,
        cx: &'b Builder,
        fixed: &[Sym<'b>],
        incoming: &Incoming<'b>,
    ) -> Result<Outgoing<'b>> {
        let args = [fixed, &incoming.finals, &incoming.ys, &incoming.stacks].concat();
        let found = cx.push(SCAN_ADJOINT, &args, self.attrs()).all(cx);
        match cx.failure() {
            Some(error) => Err(error),
            None => Ok(self.outgoing(found)),
        }
    }

    fn outgoing<'b>(&self, mut found: Vec<Sym<'b>>) -> Outgoing<'b> {
        let captures = found.split_off(self.pull.carries + self.pull.xs);
        let xs = found.split_off(self.pull.carries);
        Outgoing {
            inits: found,
            xs,
            captures,
        }
    }

    /// The transposed scan over carried values that are all there.
    pub fn transposed(&self) -> Result<Form> {
        // The running mask: a carried value has the position of its rows.
        self.pull
            .form(self.over, !self.reverse, Policy::Store, self.running)
    }

    /// The same in scans that store everything.
    fn in_scans<'b>(&self, cx: &'b Builder, args: &[Sym<'b>]) -> Result<Vec<Sym<'b>>> {
        let pull = &self.pull;
        let signature = cx.with_program(|p| self.signature(p, &types(args)))?;
        let forward = Form {
            body: self.step.clone(),
            over: self.over,
            reverse: self.reverse,
            carries: self.carries,
            xs: pull.rows - self.carries,
            policy: Policy::Store,
            running: self.running,
        };
        let stacks = forward.push(cx, &args[..pull.fixed])?.stacks;
        let rows = [&stacks[..], &args[self.carries..pull.rows]].concat();
        let (finals, rest) = args[pull.fixed..].split_at(pull.carries);
        let (ys, stacks) = rest.split_at(pull.ys);
        let incoming = Incoming {
            finals: finals.to_vec(),
            ys: ys.to_vec(),
            stacks: stacks.to_vec(),
            zeros: region::output_types(&pull.program)[pull.carries + pull.xs..]
                .iter()
                .map(|ty| {
                    let outer = signature.outer(NAME, &pull.program, *ty)?.space;
                    let own: Vec<LevelId> = outer.iter().skip(signature.lanes.depth()).collect();
                    Ok(zeros(cx, Space::from_levels(&own).unwrap_or(outer)))
                })
                .collect::<Result<_>>()?,
        };
        let out = pull.scan(
            cx,
            &self.transposed()?,
            &rows,
            &args[pull.rows..pull.fixed],
            &incoming,
        )?;
        Ok([out.inits, out.xs, out.captures].concat())
    }
}

impl Primitive for AdjointOp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The transpose of a scan that carries values beside tangents: `step` recomputes the carried values by the policy `checkpoint`, `body` pulls cotangents back through a step, the last one first. Arguments are initial carried values, rows, captures and cotangents of what the scan returned; results are cotangents of initial tangents, of rows and of captures."
    }

    fn convention(&self) -> &'static str {
        "Without elements cotangents of carried values stay what they are and those of captures are zero. Steps that the scan left out are left out."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let adjoint = Adjoint::of(attrs)?;
        let (signature, pull) = (adjoint.signature(around, args)?, &adjoint.pull);
        region::output_types(&pull.program)
            .into_iter()
            .enumerate()
            .map(|(k, ty)| {
                let outer = signature.outer(NAME, &pull.program, ty)?;
                if (pull.carries..pull.carries + pull.xs).contains(&k) {
                    with_rows(NAME, outer, &signature, adjoint.over)
                } else {
                    Ok(outer)
                }
            })
            .collect()
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let outs = Adjoint::of(node.attrs)?.in_scans(cx, node.args)?;
        jvp_through(cx, node.args, tangents, &outs)
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let adjoint = Adjoint::of(node.attrs)?;
        if linear[..adjoint.pull.fixed].contains(&true) {
            return Err(ill_formed(NAME, "is linear in cotangents only"));
        }
        transpose_through(cx, node.args, linear, cotangents, |args| {
            adjoint.in_scans(cx, args)
        })
    }

    fn decompose<'b>(&self, cx: &'b Builder, node: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        Adjoint::of(node.attrs).ok()?.in_scans(cx, node.args).ok()
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let adjoint = Adjoint::of(node.attrs)?;
        let inner = with_row_levels(NAME, adjoint.inner(), |k| adjoint.is_row(k))?;
        let args = lane_arguments(cx, node, &inner)?;
        Ok(cx.push(SCAN_ADJOINT, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        reversing::lower(cx, Adjoint::of(cx.attrs())?)
    }

    fn samples(&self) -> Vec<Sample> {
        samples::adjoints()
    }
}
