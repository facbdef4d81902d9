//! Operations that let no derivative pass: those that decide, and those that are flat, do not pick or do not take some elements.

use pullback_ad::{Binary, Real, Unary};

use super::probe::{Counted, Probe, Reading, is_zero, size};
use super::report::{Blocker, Decides, Why};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::margin::margin;
use crate::prim::bin::nearest_edge;
use crate::prim::binary::{binary, join};
use crate::prim::compare::Compare;
use crate::prim::unary::unary;
use crate::prim::{self, cast::CAST};
use crate::primitive::{Call, Nature, PrimitiveRef};
use crate::program::{Node, Program, ValueId};
use crate::transform::{Tangents, chooses, jumps, push_forward};
use crate::ty::DType;

/// A blocker before its numbers are known.
pub(super) struct Suspect {
    why: Why,
    node: usize,
    label: Option<String>,
    elements: Reading,
    of: Reading,
    within_step: Option<Reading>,
}

impl Suspect {
    /// The blocker, if it blocks anything.
    pub fn settle(&self, program: &Program, counted: &Counted) -> Option<Blocker> {
        let (elements, of) = (counted.count(self.elements), counted.count(self.of));
        let blocks = if self.why == Why::Empty {
            of == 0
        } else {
            elements > 0
        };
        blocks.then(|| Blocker {
            why: self.why,
            primitive: program.nodes()[self.node].primitive.name(),
            label: self.label.clone(),
            elements,
            of,
            within_step: self.within_step.map(|r| counted.count(r)),
        })
    }
}

/// What is known of one input: which values move with it.
pub(super) struct Influence<'b> {
    /// Tangents for a step of the input.
    pub tangents: Tangents<'b>,
    pub has_path: bool,
    pub suspects: Vec<Suspect>,
}

/// How a decision is seen, if the node is one.
fn decides(primitive: PrimitiveRef) -> Option<Why> {
    let compares = Compare::ALL
        .into_iter()
        .any(|op| op.primitive() == primitive);
    if compares {
        Some(Why::Decision)
    } else if primitive == prim::BIN_INDEX || primitive == prim::NEAREST_EDGE {
        Some(Why::BinIndex)
    } else if chooses(primitive) || primitive == prim::FIND {
        Some(Why::Choice)
    } else if primitive == prim::STOP_GRADIENT {
        Some(Why::StopGradient)
    } else if jumps(primitive) || primitive == CAST {
        Some(Why::Conversion)
    } else {
        None
    }
}

/// The user's name for a node: that of its result, or for a gather that of the mask behind its index.
fn name(program: &Program, node: &Node) -> Option<String> {
    if node.primitive == prim::GATHER {
        let index = program.node(node.args[1]);
        if index.primitive == prim::FILTER_INDEX {
            let mask = program.value(index.args[0]).label.as_ref();
            return mask.map(ToString::to_string);
        }
    }
    let label = program.value(node.first).label.as_ref();
    label.map(ToString::to_string)
}

/// Follows an input through the nodes that the result needs. `step` is by how much it moves.
pub(super) fn follow<'b>(
    probe: &mut Probe<'b>,
    program: &Program,
    input: ValueId,
    step: Sym<'b>,
    wanted: &[bool],
    result: ValueId,
) -> Result<Influence<'b>> {
    let b = probe.b;
    let mut tangents: Tangents<'b> = vec![None; program.value_count()];
    tangents[input.index()] = Some(step);
    push_forward(b, program, &mut tangents, wanted)?;
    let mut suspects = Vec::new();
    let moves = |v: &ValueId| tangents[v.index()].is_some();
    for (k, node) in program.nodes().iter().enumerate() {
        if !wanted[k] || !node.args.iter().any(moves) {
            continue;
        }
        let blocked = node.results().all(|r| tangents[r.index()].is_none());
        if blocked {
            if let Some(why) = decides(node.primitive) {
                suspects.push(stopped(probe, program, k, why, &tangents)?);
            }
        } else {
            partly(probe, program, k, &tangents, &mut suspects)?;
        }
    }
    let has_path = tangents[result.index()].is_some();
    Ok(Influence {
        tangents,
        has_path,
        suspects,
    })
}

/// A node that lets nothing pass.
fn stopped<'b>(
    probe: &mut Probe<'b>,
    program: &Program,
    k: usize,
    why: Why,
    tangents: &Tangents<'b>,
) -> Result<Suspect> {
    let node = &program.nodes()[k];
    let all = probe.value(size(probe.b, probe.b.sym(node.args[0])));
    let near = close(probe.b, program, node.first, tangents)?;
    Ok(Suspect {
        why,
        node: k,
        label: name(program, node),
        elements: all,
        of: all,
        within_step: near.map(|mask| probe.count(mask)),
    })
}

/// The elements of a decision that are within a step of switching: |m| ≤ |dm|. None where there is no margin.
pub(super) fn close<'b>(
    b: &'b Builder,
    program: &Program,
    decision: ValueId,
    tangents: &Tangents<'b>,
) -> Result<Option<Sym<'b>>> {
    let node = program.node(decision);
    let bins = node.primitive == prim::BIN_INDEX;
    if !bins && decides(node.primitive) != Some(Why::Decision) {
        return Ok(None);
    }
    if program.ty(node.args[0]).dtype != DType::F64 {
        return Ok(None);
    }
    let m = margin(b, b.sym(decision))?.abs();
    let moves = |v: ValueId| tangents[v.index()];
    let (x, limit) = (node.args[0], node.args[1]);
    let mut other = moves(limit);
    if bins {
        // Of the edges, by how much the nearest moves.
        let nearest = nearest_edge(b.sym(x), b.sym(limit));
        let along = |d: Sym<'b>| b.broadcast(d, program.ty(limit).space).gather(nearest);
        other = other.map(along);
    }
    let moved = match (moves(x), other) {
        (Some(x), Some(y)) => x - y,
        (Some(x), None) | (None, Some(x)) => x,
        (None, None) => return Ok(None),
    };
    Ok(Some(
        m.compare(Compare::Le, moved.broadcast(m.space()).abs()),
    ))
}

/// A node that lets derivatives of some elements pass.
fn partly<'b>(
    probe: &mut Probe<'b>,
    program: &Program,
    k: usize,
    tangents: &Tangents<'b>,
    suspects: &mut Vec<Suspect>,
) -> Result<()> {
    let (b, node) = (probe.b, &program.nodes()[k]);
    let moves = |i: usize| {
        node.args
            .get(i)
            .is_some_and(|v| tangents[v.index()].is_some())
    };
    let mut add = |probe: &mut Probe<'b>, why: Why, blocked: Sym<'b>, of: Sym<'b>| {
        suspects.push(Suspect {
            why,
            node: k,
            label: name(program, node),
            elements: probe.count(blocked),
            of: probe.value(of),
            within_step: None,
        });
    };
    let primitive = node.primitive;
    if primitive == prim::GATHER && moves(0) {
        let (table, index) = (b.sym(node.args[0]), b.sym(node.args[1]));
        let Some(over) = node.attrs.level("over") else {
            return Ok(());
        };
        let picked = b.broadcast(Sym::from(1.0), program.ty(node.first).space);
        let attrs = node
            .attrs
            .clone()
            .with("to", crate::attr::Attr::Space(table.space()));
        let _ = over;
        let times = b.push(prim::SCATTER_ADD, &[picked, index], attrs).first(b);
        add(probe, Why::NotPicked, is_zero(times), size(b, table));
    } else if primitive == prim::SELECT {
        let mask = b.sym(node.args[0]);
        let not_taken = match (moves(1), moves(2)) {
            (true, false) => !mask,
            (false, true) => mask,
            _ => return Ok(()),
        };
        add(probe, Why::NotTaken, not_taken, size(b, mask));
    } else if primitive == prim::TOTAL || primitive == prim::SUM || primitive == prim::SCATTER_ADD {
        let of = size(b, b.sym(node.args[0]));
        suspects.push(Suspect {
            why: Why::Empty,
            node: k,
            label: name(program, node),
            elements: probe.value(of),
            of: probe.value(of),
            within_step: None,
        });
    } else if primitive.is_elementwise() && primitive.nature() != Nature::Structure {
        let flat = slopes(b, program, node, tangents)?;
        let why = if primitive == binary(Binary::Mul) || primitive == binary(Binary::Div) {
            Why::ZeroFactor
        } else {
            Why::Flat
        };
        if let Some(flat) = flat {
            add(probe, why, flat, size(b, b.sym(node.first)));
        }
    }
    Ok(())
}

/// Elements of an elementwise node whose derivatives to all arguments that move are zero.
fn slopes<'b>(
    b: &'b Builder,
    program: &Program,
    node: &Node,
    tangents: &Tangents<'b>,
) -> Result<Option<Sym<'b>>> {
    let constant = [Binary::Add, Binary::Sub].map(binary);
    if constant.contains(&node.primitive) || node.primitive == unary(Unary::Neg) {
        return Ok(None);
    }
    let args: Vec<Sym<'b>> = node.args.iter().map(|v| b.sym(*v)).collect();
    let outs: Vec<Sym<'b>> = node.results().map(|r| b.sym(r)).collect();
    let call = Call {
        primitive: node.primitive,
        args: &args,
        outs: &outs,
        attrs: &node.attrs,
    };
    let mut flat: Option<Sym<'b>> = None;
    for (i, v) in node.args.iter().enumerate() {
        if tangents[v.index()].is_none() {
            continue;
        }
        let one = b.broadcast(Sym::from(1.0), program.ty(*v).space);
        let mut given = vec![None; args.len()];
        given[i] = Some(one);
        let slope = node.primitive.jvp(b, &call, &given)?;
        let Some(slope) = slope.first().copied().flatten() else {
            continue;
        };
        let zero = is_zero(slope).broadcast(program.ty(node.first).space);
        flat = Some(flat.map_or(zero, |f| f & zero));
    }
    Ok(flat)
}

/// The decisions that move with any of the inputs.
pub(super) struct Moving {
    node: usize,
    elements: Reading,
    within_step: Reading,
}

impl Moving {
    pub fn settle(&self, program: &Program, counted: &Counted) -> Decides {
        let node = &program.nodes()[self.node];
        Decides {
            primitive: node.primitive.name(),
            label: name(program, node),
            elements: counted.count(self.elements),
            within_step: counted.count(self.within_step),
        }
    }
}

pub(super) fn moving<'b>(
    probe: &mut Probe<'b>,
    program: &Program,
    influences: &[Influence<'b>],
    wanted: &[bool],
) -> Result<Vec<Moving>> {
    let b = probe.b;
    let mut out = Vec::new();
    for (k, node) in program.nodes().iter().enumerate() {
        let why = decides(node.primitive);
        if !wanted[k] || !matches!(why, Some(Why::Decision | Why::BinIndex)) {
            continue;
        }
        let mut near: Option<Sym<'b>> = None;
        for influence in influences {
            if let Some(mask) = close(b, program, node.first, &influence.tangents)? {
                near = join(near, Some(mask.cast(DType::F64)));
            }
        }
        if let Some(near) = near {
            out.push(Moving {
                node: k,
                elements: probe.value(size(b, b.sym(node.first))),
                within_step: probe.count(near.gt(Sym::from(0.0))),
            });
        }
    }
    Ok(out)
}
