//! Tangents and transposes of scans.

use std::sync::Arc;

use pullback_ad::schedule::Policy;

use super::adjoint::Adjoint;
use super::form::{Form, unlaned};
use super::pull::{Incoming, Outgoing, Pull, given, zeros};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::primitive::Call;
use crate::region::{self, Signature, part_of, reached, rearranged, with_tangents, without_lanes};
use crate::transform::simplify;
use crate::ty::Type;

/// Types of values.
pub(crate) fn types(args: &[Sym<'_>]) -> Vec<Type> {
    args.iter()
        .map(|a| Type::new(a.dtype(), a.space()))
        .collect()
}

/// The inputs of a step that carry derivatives when the flagged ones do: carried values do as soon as one step makes them.
pub(crate) fn active(form: &Form, given: &[bool]) -> Vec<bool> {
    let mut flags = given.to_vec();
    loop {
        let reached = reached(&form.body, &flags);
        let before = flags.clone();
        for (flag, reached) in flags[..form.carries].iter_mut().zip(reached) {
            *flag |= reached;
        }
        if flags == before {
            return flags;
        }
    }
}

/// The inputs of a step that carry derivatives, by what they are for.
struct Sides {
    carries: Vec<usize>,
    xs: Vec<usize>,
    captures: Vec<usize>,
}

impl Sides {
    fn of(form: &Form, active: &[bool]) -> Self {
        let (c, m) = (form.carries, form.xs);
        let within = |range: std::ops::Range<usize>| range.filter(|k| active[*k]).collect();
        Self {
            carries: within(0..c),
            xs: within(c..c + m),
            captures: within(c + m..active.len()),
        }
    }
}

/// The scan of tangents. Where the values before each step are `stacked` they come as rows; else they are carried along.
fn extended(form: &Form, active: &[bool], of: &[usize], stacked: bool) -> Result<Form> {
    let (c, m, n) = (form.carries, form.xs, active.len());
    let sides = Sides::of(form, active);
    // Where the tangents stand among the inputs of the step with tangents: behind all others.
    let place = |list: &[usize]| -> Vec<usize> {
        let rank = |k: usize| n + active[..k].iter().filter(|f| **f).count();
        list.iter().map(|k| rank(*k)).collect()
    };
    let (plain, carries): (Vec<usize>, Vec<usize>) = ((0..c).collect(), place(&sides.carries));
    let head = if stacked {
        [carries, plain.clone()].concat()
    } else {
        [plain.clone(), carries].concat()
    };
    let order = [
        head,
        (c..c + m).collect(),
        place(&sides.xs),
        (c + m..n).collect(),
        place(&sides.captures),
    ]
    .concat();
    let primal: &[usize] = if stacked { &[] } else { &plain };
    let step = with_tangents(&form.body, active, primal, of)?;
    let more = sides.carries.len();
    Ok(Form {
        body: Arc::new(simplify(&rearranged(&step, &order)?)?),
        carries: if stacked { 0 } else { c } + more,
        xs: if stacked { c } else { 0 } + m + sides.xs.len(),
        running: form.running.map(|k| if k < c { k } else { k + more }),
        ..form.clone()
    })
}

/// The tangent of a scan.
pub(super) fn jvp<'b>(
    cx: &'b Builder,
    node: &Call<'_, 'b>,
    tangents: &[Option<Sym<'b>>],
) -> Result<Vec<Option<Sym<'b>>>> {
    let form = Form::of(node.attrs)?;
    let (c, m) = (form.carries, form.xs);
    let signature = cx.with_program(|p| form.signature(p, &types(node.args)))?;
    let given: Vec<bool> = tangents.iter().map(Option::is_some).collect();
    let active = active(&form, &given);
    let reached = reached(&form.body, &active);
    let sides = Sides::of(&form, &active);
    let ys: Vec<usize> = (c..reached.len()).filter(|k| reached[*k]).collect();
    let of: Vec<usize> = sides.carries.iter().chain(&ys).copied().collect();
    let stacked = form.policy == Policy::Store && form.running.is_none();
    let extended = extended(&form, &active, &of, stacked)?;
    let tangents = |list: &[usize]| -> Vec<Sym<'b>> {
        let zero = |k: usize| zeros(cx, unlaned(node.args[k].space(), &signature, k));
        list.iter()
            .map(|k| tangents[*k].unwrap_or_else(|| zero(*k)))
            .collect()
    };
    let stacks = &node.outs[c + form.ys()..];
    let inits = tangents(&sides.carries);
    let head = if stacked {
        [&inits, stacks].concat()
    } else {
        [&node.args[..c], &inits].concat()
    };
    let args = [
        head,
        node.args[c..c + m].to_vec(),
        tangents(&sides.xs),
        node.args[c + m..].to_vec(),
        tangents(&sides.captures),
    ]
    .concat();
    let found = extended.push(cx, &args)?;
    let skip = if stacked { 0 } else { c };
    let mut out = vec![None; node.outs.len()];
    for (i, k) in sides.carries.iter().enumerate() {
        out[*k] = Some(found.finals[skip + i]);
        out[c + form.ys() + k] = Some(found.stacks[skip + i]);
    }
    for (k, y) in ys.iter().zip(found.ys) {
        out[*k] = Some(y);
    }
    Ok(out)
}

/// The transpose of a scan that is linear in the flagged arguments.
pub(super) fn transpose<'b>(
    cx: &'b Builder,
    node: &Call<'_, 'b>,
    cotangents: &[Option<Sym<'b>>],
    linear: &[bool],
) -> Result<Vec<Option<Sym<'b>>>> {
    let form = Form::of(node.attrs)?;
    let (c, m, n) = (form.carries, form.xs, node.args.len());
    let signature = cx.with_program(|p| form.signature(p, &types(node.args)))?;
    let active = active(&form, linear);
    let sides = Sides::of(&form, &active);
    let ys: Vec<usize> = (c..c + form.ys())
        .filter(|k| cotangents[*k].is_some())
        .collect();
    let of: Vec<usize> = sides.carries.iter().chain(&ys).copied().collect();
    let fixed: Vec<usize> = (0..n).filter(|k| !active[*k]).collect();
    let program = region::cotangent(&form.body, &active, &of)?;
    let stack = |k: usize| cotangents[c + form.ys() + k];
    let pull = Pull {
        program: Arc::new(simplify(&program)?),
        rows: fixed.iter().filter(|k| **k < c + m).count(),
        fixed: fixed.len(),
        carries: sides.carries.len(),
        ys: ys.len(),
        xs: sides.xs.len(),
        stacked: sides.carries.iter().any(|k| stack(*k).is_some()),
    };
    let space = |k: usize| unlaned(node.args[k].space(), &signature, k);
    let stacks = sides.carries.iter().filter(|_| pull.stacked).map(|k| {
        let rows = space(*k).with(0, form.over).unwrap_or(space(*k));
        given(cx, stack(*k), rows)
    });
    let finals = sides.carries.iter();
    let incoming = Incoming {
        finals: finals
            .map(|k| given(cx, cotangents[*k], space(*k)))
            .collect(),
        ys: ys.iter().filter_map(|k| cotangents[*k]).collect(),
        stacks: stacks.collect(),
        zeros: sides
            .captures
            .iter()
            .map(|k| zeros(cx, space(*k)))
            .collect(),
    };
    let values: Vec<Sym<'b>> = fixed.iter().map(|k| node.args[*k]).collect();
    let outgoing = if sides.carries.len() == c {
        let (rows, captures) = values.split_at(pull.rows);
        let running = position(&form, &fixed);
        let transposed = pull.form(form.over, !form.reverse, form.policy, running)?;
        pull.scan(cx, &transposed, rows, captures, &incoming)?
    } else {
        adjoint(&form, &active, &fixed, pull)?.push(cx, &values, &incoming)?
    };
    Ok(back(&signature, &active, linear, outgoing))
}

/// Where the mask of what runs stands among the fixed inputs.
fn position(form: &Form, fixed: &[usize]) -> Option<usize> {
    form.running
        .and_then(|k| fixed.iter().position(|f| *f == k))
}

/// The adjoint of a scan that carries values beside what is active.
fn adjoint(form: &Form, active: &[bool], fixed: &[usize], pull: Pull) -> Result<Adjoint> {
    let kept: Vec<bool> = active.iter().map(|a| !a).collect();
    let primal: Vec<usize> = (0..form.carries).filter(|k| !active[*k]).collect();
    Ok(Adjoint {
        step: Arc::new(simplify(&part_of(&form.body, &kept, &primal)?)?),
        carries: primal.len(),
        over: form.over,
        reverse: form.reverse,
        policy: form.policy,
        running: position(form, fixed),
        pull,
    })
}

/// Cotangents of the arguments from those of the inputs of the step that are linear.
fn back<'b>(
    signature: &Signature,
    active: &[bool],
    linear: &[bool],
    outgoing: Outgoing<'b>,
) -> Vec<Option<Sym<'b>>> {
    let mut found = outgoing
        .inits
        .into_iter()
        .chain(outgoing.xs)
        .chain(outgoing.captures);
    (0..active.len())
        .map(|k| {
            let pulled = if active[k] { found.next() } else { None };
            pulled
                .filter(|_| linear[k])
                .map(|ct| without_lanes(ct, signature.lanes, signature.laned[k]))
        })
        .collect()
}
