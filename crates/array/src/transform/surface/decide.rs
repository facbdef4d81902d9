//! Which decisions of a program have a surface term, what depends on them, and where their sums leave the stream.

use pullback_ad::Binary;

use super::kinds::{chooses, compare, decides, jumps, makes_index, repeats};
use super::options::Surface;
use crate::attr::Attr;
use crate::error::{Error, Result};
use crate::exec::dependencies;
use crate::prim::binary::binary;
use crate::prim::compare::Compare;
use crate::prim::quantify::Quantify;
use crate::prim::{self, cast::CAST};
use crate::primitive::Nature;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::transform::upstream_with_structure;
use crate::ty::DType;

/// A decision whose margin depends on what is differentiated.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    /// The mask or the bin index.
    pub value: ValueId,
    /// Its label, or the name of its primitive and its number.
    pub label: String,
    /// The stream it lives on.
    pub stream: LevelId,
    /// The level of its elements below the stream, none if the elements are those of the stream.
    pub level: Option<LevelId>,
}

/// What a program decides.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    pub list: Vec<Decision>,
    /// For each value, the decisions that it depends on while it is in the stream.
    pub below: Vec<Vec<usize>>,
    /// For each node, the decisions whose influence leaves the stream through it.
    pub exits: Vec<Vec<usize>>,
    /// For each value: an integer that is a position for a gather.
    pub index_like: Vec<bool>,
}

/// The name under which a decision is asked for.
fn label(program: &Program, value: ValueId) -> String {
    match &program.value(value).label {
        Some(label) => label.to_string(),
        None => format!("{}%{}", program.node(value).primitive.name(), value.0),
    }
}

fn refuse<T>(program: &Program, value: ValueId, message: impl Into<String>) -> Result<T> {
    Err(Error::Refused {
        transform: "surface",
        primitive: program.node(value).primitive.name(),
        label: program.label_of(value),
        message: message.into(),
    })
}

struct Analysis<'a> {
    program: &'a Program,
    surface: &'a Surface,
    wanted: Vec<bool>,
    /// For each value: it carries a tangent.
    active: Vec<bool>,
    found: Decisions,
    /// For each node that counts a mask over the stream: the decisions behind it.
    counted: Vec<Vec<usize>>,
}

/// Finds the decisions that the outputs `of` depend on and whose margins depend on the inputs `wrt`.
pub(super) fn decisions(
    program: &Program,
    of: &[ValueId],
    wrt: &[ValueId],
    surface: &Surface,
) -> Result<Decisions> {
    let count = program.nodes().len();
    let mut a = Analysis {
        program,
        surface,
        wanted: upstream_with_structure(program, of.iter().copied()),
        active: vec![false; program.value_count()],
        found: Decisions {
            list: Vec::new(),
            below: vec![Vec::new(); program.value_count()],
            exits: vec![Vec::new(); count],
            index_like: vec![false; program.value_count()],
        },
        counted: vec![Vec::new(); count],
    };
    for v in wrt {
        a.active[v.index()] = true;
    }
    for k in 0..count {
        a.visit(k)?;
    }
    for v in of {
        if let Some(d) = a.found.below[v.index()].first() {
            let decision = &a.found.list[*d].label;
            return refuse(
                program,
                *v,
                format!(
                    "it is an output for each element of a stream, which jumps at the threshold `{decision}`; the derivative of a single element has no value there: sum it first"
                ),
            );
        }
    }
    for name in surface.labels() {
        let known = |v: &crate::program::Value| v.label.as_deref() == Some(name);
        if !program.values.iter().any(known) && !a.found.list.iter().any(|d| d.label == name) {
            let known: Vec<&str> = a.found.list.iter().map(|d| d.label.as_str()).collect();
            return Err(Error::Unknown {
                kind: "decision",
                name: name.into(),
                known: known.join(", "),
            });
        }
    }
    Ok(a.found)
}

impl Analysis<'_> {
    fn visit(&mut self, k: usize) -> Result<()> {
        let program = self.program;
        let node = &program.nodes()[k];
        let index = makes_index(node.primitive)
            || ([prim::GATHER, prim::SELECT, prim::EXPAND, prim::SPLAT].contains(&node.primitive)
                && program.ty(node.first).dtype == DType::I64
                && node.args.iter().any(|v| self.found.index_like[v.index()]));
        node.results()
            .for_each(|r| self.found.index_like[r.index()] = index);
        if !self.wanted[k] || node.primitive == prim::INPUT {
            return Ok(());
        }
        let mut below: Vec<usize> = dependencies(program, k)
            .iter()
            .flat_map(|v| self.found.below[v.index()].iter().copied())
            .collect();
        below.sort_unstable();
        below.dedup();
        let mut active = node.args.iter().any(|v| self.active[v.index()]);
        if active {
            active = self.activity(node, &mut below)?;
        }
        let counted = self.counted[k].clone();
        if !counted.is_empty() {
            // The number of a count, as a double: what it jumps by is counted here.
            self.found.exits[k] = counted;
            active = true;
        }
        let in_stream = program.stream_root(&program.ty(node.first).space).is_some();
        if !in_stream && !below.is_empty() {
            active |= self.exit(k, std::mem::take(&mut below))?;
        }
        for r in node.results() {
            self.active[r.index()] = active && program.ty(r).dtype == DType::F64;
            self.found.below[r.index()].clone_from(&below);
        }
        Ok(())
    }

    /// Whether the results of a node with active arguments are active; notes decisions.
    fn activity(&mut self, node: &Node, below: &mut Vec<usize>) -> Result<bool> {
        let (program, primitive) = (self.program, node.primitive);
        if primitive == prim::STOP_GRADIENT {
            return Ok(false);
        }
        let scalar = program.ty(node.first).space.is_scalar();
        let switches = match compare(primitive) {
            // Equal by accident, for the derivative: never.
            Some(Compare::Eq | Compare::Ne) => false,
            Some(_) => true,
            None => primitive == prim::BIN_INDEX,
        };
        if switches {
            let label = label(program, node.first);
            let ends = [self.numbered(&label), label.clone()];
            let pathwise = ends.iter().any(|l| self.surface.is_pathwise(l));
            // A number that is compared is not at its threshold but at single points.
            if !scalar && !pathwise {
                below.push(self.decision(node, &label)?);
            }
            return Ok(false);
        }
        let sign = primitive == binary(Binary::Copysign) && self.active[node.args[1].index()];
        if jumps(primitive)
            || sign
            || (primitive == CAST && program.ty(node.first).dtype == DType::I64)
        {
            let label = label(program, node.first);
            if !scalar && !self.surface.is_pathwise(&label) {
                return refuse(
                    program,
                    node.first,
                    "it jumps, and its surface terms are not known; write it as bins or comparisons, or name it in `Surface::pathwise`",
                );
            }
            return Ok(false);
        }
        if chooses(primitive) || primitive == prim::FIND || primitive == prim::NEAREST_EDGE {
            let label = label(program, node.first);
            if !gathers_what_it_compares(program, &self.wanted, node)
                && !self.surface.is_pathwise(&label)
            {
                return refuse(
                    program,
                    node.first,
                    "another element is chosen where two are equal, and what is gathered jumps there; its surface term is not known: gather what is compared only, or name it in `Surface::pathwise`",
                );
            }
            return Ok(false);
        }
        if node
            .attrs
            .iter()
            .any(|(_, a)| matches!(a, Attr::Program(p) if decides(p)))
        {
            let label = label(program, node.first);
            if !self.surface.is_pathwise(&label) {
                return refuse(
                    program,
                    node.first,
                    "the region holds decisions, whose surface terms are not known; name it in `Surface::pathwise` if it does not jump",
                );
            }
        }
        Ok(primitive.nature() != Nature::Structure)
    }

    fn decision(&mut self, node: &Node, label: &str) -> Result<usize> {
        let (program, value) = (self.program, node.first);
        let space = program.ty(value).space;
        let Some(stream) = space
            .root()
            .filter(|l| program.level(*l).kind == LevelKind::Stream)
        else {
            let name = program.space_name(&space);
            return refuse(
                program,
                value,
                format!(
                    "it decides in [{name}], which is no stream: only a sum over a sample has a surface term; make the level a stream, apply `vmap` afterwards, or name it in `Surface::pathwise`"
                ),
            );
        };
        if !single(program, space) {
            let name = program.space_name(&space);
            return refuse(
                program,
                value,
                format!(
                    "it decides in [{name}]; surface terms are known one level below the stream; name it in `Surface::pathwise` to leave it out"
                ),
            );
        }
        if node.primitive == prim::BIN_INDEX && program.ty(node.args[1]).space.depth() != 1 {
            return refuse(program, value, "its edges have lanes");
        }
        let label = self.numbered(label);
        self.found.list.push(Decision {
            value,
            label,
            stream,
            level: space.level(1),
        });
        Ok(self.found.list.len() - 1)
    }

    /// The label of a further decision: `label`, or `label#2`, `label#3`, … where others are called so, as both ends of a window are.
    fn numbered(&self, label: &str) -> String {
        let taken = |l: &String| self.found.list.iter().any(|d| d.label == *l);
        let counted = (2..).map(|k: usize| format!("{label}#{k}"));
        let mut labels = std::iter::once(label.to_owned()).chain(counted);
        labels.find(|l| !taken(l)).unwrap_or_default()
    }

    /// Where a count of the stream, at node `k`, becomes a double its surface term is added, repeated or not. What else is done with the integer is refused,
    /// unless it is compared outside the stream, where it is a number like any other.
    fn count(&mut self, k: usize, below: &[usize]) -> Result<()> {
        let program = self.program;
        let mut is_count = vec![false; program.value_count()];
        is_count[program.nodes()[k].first.index()] = true;
        for (j, node) in program.nodes().iter().enumerate().skip(k + 1) {
            if !self.wanted[j] || !node.args.iter().any(|v| is_count[v.index()]) {
                continue;
            }
            let ty = program.ty(node.first);
            if repeats(node) {
                is_count[node.first.index()] = true;
            } else if node.primitive == CAST && ty.dtype == DType::F64 {
                self.counted[j].extend(below);
            } else if compare(node.primitive).is_none() || program.stream_root(&ty.space).is_some()
            {
                let names: Vec<&str> = below
                    .iter()
                    .map(|d| self.found.list[*d].label.as_str())
                    .collect();
                return refuse(
                    program,
                    node.first,
                    format!(
                        "it takes a count of the threshold `{}` further as an integer, and how it jumps with it is not known; make the count a double by `cast` first",
                        names.join("`, `")
                    ),
                );
            }
        }
        Ok(())
    }

    /// A node through which decisions leave the stream. Returns whether its result carries surface terms.
    fn exit(&mut self, k: usize, below: Vec<usize>) -> Result<bool> {
        let program = self.program;
        let node = &program.nodes()[k];
        let sums = [prim::TOTAL, prim::SUM, prim::SCATTER_ADD].contains(&node.primitive);
        if sums {
            self.found.exits[k] = below;
            return Ok(true);
        }
        if node.primitive == Quantify::Count.primitive() {
            self.count(k, &below)?;
            return Ok(false);
        }
        let names: Vec<&str> = below
            .iter()
            .map(|d| self.found.list[*d].label.as_str())
            .collect();
        refuse(
            program,
            node.first,
            format!(
                "it takes what the threshold `{}` decides out of the stream; surface terms are known for sums, counts and histograms",
                names.join("`, `")
            ),
        )
    }
}

/// True if the elements that a node chooses are used for gathers of what it compares only: then nothing jumps where two are equal. `wanted` are the nodes that
/// matter.
pub(crate) fn gathers_what_it_compares(program: &Program, wanted: &[bool], node: &Node) -> bool {
    let uses = |n: &Node| n.args.iter().any(|v| node.results().any(|r| r == *v));
    let live = program.nodes().iter().zip(wanted).filter(|(_, w)| **w);
    live.filter(|(n, _)| uses(n))
        .all(|(n, _)| n.primitive == prim::GATHER && n.args[0] == node.args[0])
}

/// A path of a stream and at most one level, dense or hanging below the stream alone.
fn single(program: &Program, space: Space) -> bool {
    match space.level(1).map(|l| program.level(l).kind) {
        None => true,
        Some(LevelKind::Ragged { parent, .. }) => space.depth() == 2 && parent.depth() == 1,
        Some(LevelKind::Dense) => space.depth() == 2,
        Some(_) => false,
    }
}
