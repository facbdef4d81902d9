//! What a step computes from captures alone: once, before the first step.

use std::sync::Arc;

use crate::attr::{Attr, Attrs};
use crate::error::Result;
use crate::prim;
use crate::program::{Node, Program, ValueId};
use crate::space::LevelKind;
use crate::transform::prune;

/// A step cut in two.
pub(crate) struct Hoisted {
    /// Computes what does not change from step to step; its inputs are the captures.
    pub before: Arc<Program>,
    /// The rest; its inputs are those of the step, and then the results of `before`.
    pub step: Arc<Program>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Changes from step to step.
    Varying,
    /// Follows from captures, and is computed.
    Fixed,
    /// A constant, a capture, a broadcast number: there is nothing to gain.
    Free,
}

/// Cuts a step whose inputs from number `captures` on are the same in all steps; `None` if there is nothing to compute beforehand.
///
/// # Errors
/// Never for well-formed steps.
pub(crate) fn hoist(body: &Program, captures: usize) -> Result<Option<Hoisted>> {
    let ragged = |kind: LevelKind| matches!(kind, LevelKind::Ragged { .. });
    if body.levels().iter().any(|l| ragged(l.kind)) {
        return Ok(None);
    }
    let classes = classes(body, captures);
    let class = |v: ValueId| classes[body.value(v).node as usize];
    // Nodes that stay: those that change, and broadcasts that they read.
    let mut stays = vec![false; body.nodes().len()];
    let mut wanted = vec![false; body.value_count()];
    for (_, v) in body.outputs() {
        wanted[v.index()] = true;
    }
    for (k, node) in body.nodes().iter().enumerate().rev() {
        let read = node.results().any(|r| wanted[r.index()]);
        stays[k] = classes[k] != Class::Fixed && read;
        if stays[k] {
            node.args.iter().for_each(|a| wanted[a.index()] = true);
        }
    }
    let frontier: Vec<ValueId> = (0..body.value_count() as u32)
        .map(ValueId)
        .filter(|v| wanted[v.index()] && class(*v) == Class::Fixed)
        .collect();
    if frontier.is_empty() {
        return Ok(None);
    }
    let mut before = body.clone();
    before.inputs.drain(..captures);
    before.outputs = frontier
        .iter()
        .map(|v| (format!("h{}", v.0).into(), *v))
        .collect();
    let mut step = body.clone();
    for v in frontier {
        let (name, ty): (Arc<str>, _) = (format!("h{}", v.0).into(), body.ty(v));
        let attrs = Attrs::NONE
            .with("name", Attr::Str(name.clone()))
            .with("dtype", Attr::DType(ty.dtype))
            .with("to", Attr::Space(ty.space));
        step.nodes[body.value(v).node as usize] = Node {
            primitive: prim::INPUT,
            args: Vec::new(),
            attrs,
            first: v,
            outputs: 1,
        };
        step.inputs.push((name, v));
    }
    Ok(Some(Hoisted {
        before: Arc::new(prune(&before)?),
        step: Arc::new(prune(&step)?),
    }))
}

fn classes(body: &Program, captures: usize) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::with_capacity(body.nodes().len());
    for node in body.nodes() {
        let of = |v: &ValueId| classes[body.value(*v).node as usize];
        let varies = node.args.iter().any(|a| of(a) == Class::Varying);
        let changing = |v: ValueId| body.inputs()[..captures].iter().any(|(_, i)| *i == v);
        let class = if node.primitive == prim::INPUT {
            if changing(node.first) {
                Class::Varying
            } else {
                Class::Free
            }
        } else if varies || node.outputs != 1 {
            Class::Varying
        } else if node.args.is_empty()
            || (node.primitive == prim::SPLAT && body.ty(node.args[0]).space.is_scalar())
        {
            Class::Free
        } else {
            Class::Fixed
        };
        classes.push(class);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Builder;
    use crate::space::Space;
    use pullback_ad::Real;

    #[test]
    fn captures_are_worked_on_once() {
        let b = Builder::new();
        let n = b.dense("n");
        let (x, w, s) = (
            b.input("x", n),
            b.input("w", n),
            b.input("s", Space::SCALAR),
        );
        let y = x * (w.exp() + s.sin()) + s;
        let body = b.finish(&[("y", y)]).unwrap();
        let hoisted = hoist(&body, 1).unwrap().unwrap();
        let names =
            |p: &Program| -> Vec<&str> { p.nodes().iter().map(|n| n.primitive.name()).collect() };
        assert_eq!(hoisted.before.inputs().len(), 2);
        assert_eq!(hoisted.before.outputs().len(), 1);
        assert_eq!(
            names(&hoisted.step),
            ["input", "input", "input", "input", "mul", "splat", "add"]
        );
        assert!(hoist(&body, 3).unwrap().is_none());
    }
}
