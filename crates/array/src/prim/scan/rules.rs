//! Tangents and transposes of scans.

use std::sync::Arc;

use pullback_ad::schedule::Policy;

use super::NAME;
use super::adjoint::Adjoint;
use super::form::{Form, unlaned};
use super::pull::{Incoming, Outgoing, Pull, given, zeros};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::primitive::Call;
use crate::region::{
    self, Signature, flagged, part_of, reached, rearranged, with_tangents, without_lanes,
};
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

/// Positions of flags that are set within a range, counted from its start.
fn within(flags: &[bool], range: std::ops::Range<usize>) -> Vec<usize> {
    flagged(&flags[range]).collect()
}

/// The tangent of a scan.
pub(super) fn jvp<'b>(
    cx: &'b Builder,
    node: &Call<'_, 'b>,
    tangents: &[Option<Sym<'b>>],
) -> Result<Vec<Option<Sym<'b>>>> {
    let form = Form::of(node.attrs)?;
    let (c, m, n) = (form.carries, form.xs, node.args.len());
    let signature = cx.with_program(|p| form.signature(p, &types(node.args)))?;
    let given: Vec<bool> = tangents.iter().map(Option::is_some).collect();
    let active = active(&form, &given);
    let reached = reached(&form.body, &active);
    let carried = within(&active, 0..c);
    let ys: Vec<usize> = (c..reached.len()).filter(|k| reached[*k]).collect();
    let of: Vec<usize> = carried.iter().chain(&ys).copied().collect();
    let tangent = |k: &usize| {
        tangents[*k].unwrap_or_else(|| zeros(cx, unlaned(node.args[*k].space(), &signature, *k)))
    };
    let [d_carries, d_xs, d_captures] = [
        within(&active, 0..c),
        within(&active, c..c + m).into_iter().map(|k| k + c).collect(),
        within(&active, c + m..n).into_iter().map(|k| k + c + m).collect(),
    ];
    // Where the tangents stand among the inputs of the step with tangents: behind all others.
    let place = |list: &[usize]| -> Vec<usize> {
        let rank = |k: usize| n + active[..k].iter().filter(|f| **f).count();
        list.iter().map(|k| rank(*k)).collect()
    };
    let stacked = form.policy == Policy::Store && form.running.is_none();
    let (plain, carries): (Vec<usize>, Vec<usize>) = ((0..c).collect(), place(&d_carries));
    let head = if stacked {
        [carries, plain.clone()].concat()
    } else {
        [plain.clone(), carries].concat()
    };
    let order = [
        head,
        (c..c + m).collect(),
        place(&d_xs),
        (c + m..n).collect(),
        place(&d_captures),
    ]
    .concat();
    let primal: &[usize] = if stacked { &[] } else { &plain };
    let step = with_tangents(&form.body, &active, primal, &of)?;
    let step = simplify(&rearranged(&step, &order)?)?;
    let extended = Form {
        body: Arc::new(step),
        carries: if stacked { 0 } else { c } + d_carries.len(),
        xs: if stacked { c } else { 0 } + m + d_xs.len(),
        running: form
            .running
            .map(|k| if k < c { k } else { k + d_carries.len() }),
        ..form.clone()
    };
    let stacks = &node.outs[c + form.ys()..];
    let first = if stacked { stacks } else { &node.args[..c] };
    let inits: Vec<Sym<'b>> = d_carries.iter().map(tangent).collect();
    let args = [
        if stacked { [&inits, first].concat() } else { [first, &inits].concat() },
        node.args[c..c + m].to_vec(),
        d_xs.iter().map(tangent).collect(),
        node.args[c + m..].to_vec(),
        d_captures.iter().map(tangent).collect(),
    ]
    .concat();
    let found = extended.push(cx, &args)?;
    let skip = if stacked { 0 } else { c };
    let mut out = vec![None; node.outs.len()];
    for (i, k) in carried.iter().enumerate() {
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
    let own = within(&active, 0..c);
    let ys: Vec<usize> = (c..c + form.ys())
        .filter(|k| cotangents[*k].is_some())
        .collect();
    let of: Vec<usize> = own.iter().chain(&ys).copied().collect();
    let ct_stacks: Vec<Option<Sym<'b>>> = own
        .iter()
        .map(|k| cotangents[c + form.ys() + k])
        .collect();
    let fixed: Vec<usize> = (0..n).filter(|k| !active[*k]).collect();
    let program = region::cotangent(&form.body, &active, &of)?;
    let lin_captures: Vec<usize> = (c + m..n).filter(|k| active[*k]).collect();
    let pull = Pull {
        program: Arc::new(simplify(&program)?),
        rows: fixed.iter().filter(|k| **k < c + m).count(),
        fixed: fixed.len(),
        carries: own.len(),
        ys: ys.len(),
        xs: within(&active, c..c + m).len(),
        stacked: ct_stacks.iter().any(Option::is_some),
    };
    let space = |k: usize| unlaned(node.args[k].space(), &signature, k);
    let incoming = Incoming {
        finals: own
            .iter()
            .map(|k| given(cx, cotangents[*k], space(*k)))
            .collect(),
        ys: ys.iter().filter_map(|k| cotangents[*k]).collect(),
        stacks: if pull.stacked {
            let zero = |k: usize| {
                let space = space(k).with(0, form.over).unwrap_or(space(k));
                zeros(cx, space)
            };
            own.iter()
                .zip(ct_stacks)
                .map(|(k, s)| s.unwrap_or_else(|| zero(*k)))
                .collect()
        } else {
            Vec::new()
        },
        zeros: lin_captures.iter().map(|k| zeros(cx, space(*k))).collect(),
    };
    let values: Vec<Sym<'b>> = fixed.iter().map(|k| node.args[*k]).collect();
    let (rows, captures) = values.split_at(pull.rows);
    let running = form.running.and_then(|k| fixed.iter().position(|f| *f == k));
    let outgoing = if own.len() == c {
        let transposed = pull.form(form.over, !form.reverse, form.policy, running)?;
        pull.scan(cx, &transposed, rows, captures, incoming)?
    } else {
        let kept: Vec<bool> = active.iter().map(|a| !a).collect();
        let primal: Vec<usize> = (0..c).filter(|k| !active[*k]).collect();
        let step = simplify(&part_of(&form.body, &kept, &primal)?)?;
        let adjoint = Adjoint {
            step: Arc::new(step),
            carries: primal.len(),
            over: form.over,
            reverse: form.reverse,
            policy: form.policy,
            running,
            pull,
        };
        adjoint.push(cx, &values, incoming)?
    };
    Ok(back(&signature, &form, &active, linear, outgoing))
}

/// Cotangents of the arguments from those of the inputs of the step that are linear.
fn back<'b>(
    signature: &Signature,
    form: &Form,
    active: &[bool],
    linear: &[bool],
    outgoing: Outgoing<'b>,
) -> Vec<Option<Sym<'b>>> {
    let mut found = outgoing
        .inits
        .into_iter()
        .chain(outgoing.xs)
        .chain(outgoing.captures);
    debug_assert!(form.carries <= active.len(), "{NAME}");
    (0..active.len())
        .map(|k| {
            let pulled = if active[k] { found.next() } else { None };
            pulled
                .filter(|_| linear[k])
                .map(|ct| without_lanes(ct, signature.lanes, signature.laned[k]))
        })
        .collect()
}

