//! Re-running events: the part of a program between a decision and the sums that follow, for copies of events in which one element is forced to pass or to fail.
//!
//! The path `events > …` becomes `events > near > …`, where `near` holds the elements close to the threshold: one copy of the event for each. Levels given by
//! inputs are copied, those that the program makes (filters, combinations) are made again. What does not depend on the decision is read from the original.

use super::decide::{Decision, Decisions};
use crate::attr::{Attr, Attrs, Data};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::dependencies;
use crate::prim;
use crate::prim::compare::Compare;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// The program that is rewritten, and what was recorded of it so far.
pub(super) struct Origin<'a, 'b> {
    pub b: &'b Builder,
    pub program: &'a Program,
    pub decisions: &'a Decisions,
    /// For each value recorded so far, its counterpart in the new program.
    pub values: &'a [Sym<'b>],
    /// For each level, its counterpart.
    pub levels: &'a [Option<LevelId>],
}

/// The elements near a threshold.
#[derive(Clone, Copy)]
pub(super) struct Near<'b> {
    /// Path of the copies of events: `events > near`.
    pub path: Space,
    /// Index of the elements near the threshold, for a gather.
    pub index: Sym<'b>,
    /// For a bin index: the bins above and below the nearest edge, for each element near one.
    pub bins: Option<(Sym<'b>, Sym<'b>)>,
}

/// Copies of events in which the element near the threshold passes (`true`) or fails.
pub(super) struct Rerun<'b> {
    decision: usize,
    near: Near<'b>,
    passes: bool,
    /// Counterparts of values of the program.
    values: Vec<Option<Sym<'b>>>,
}

impl<'b> Rerun<'b> {
    pub fn new(program: &Program, decision: usize, near: Near<'b>, passes: bool) -> Self {
        Self {
            decision,
            near,
            passes,
            values: vec![None; program.value_count()],
        }
    }

    /// The value in the copies of events, with everything that it needs.
    pub fn value(&mut self, o: &Origin<'_, 'b>, wanted: ValueId) -> Result<Sym<'b>> {
        let mut needed = vec![false; o.program.nodes().len()];
        let mut todo = vec![wanted];
        while let Some(v) = todo.pop() {
            let k = o.program.value(v).node as usize;
            if self.values[v.index()].is_some() || needed[k] {
                continue;
            }
            needed[k] = true;
            // What stands for its elements: the offsets of its path.
            let mut structure = Vec::new();
            crate::exec::structure_of(o.program, &o.program.ty(v).space, &mut structure);
            todo.extend(structure);
            if !self.is_read(o, v) {
                todo.extend(dependencies(o.program, k));
            }
        }
        for (k, _) in needed.iter().enumerate().filter(|(_, n)| **n) {
            let node = &o.program.nodes()[k];
            if self.values[node.first.index()].is_some() {
                continue;
            }
            let results = if self.is_read(o, node.first) {
                node.results()
                    .map(|r| self.read(o, r))
                    .collect::<Result<Vec<_>>>()?
            } else {
                let label = o.program.value(node.first).label.clone();
                o.b.labelled(label, || self.again(o, node))?
            };
            if let Some(error) = o.b.failure() {
                return Err(error);
            }
            for (r, s) in node.results().zip(results) {
                self.values[r.index()] = Some(s);
            }
        }
        self.get(o, wanted)
    }

    fn get(&self, o: &Origin<'_, 'b>, v: ValueId) -> Result<Sym<'b>> {
        self.values[v.index()].ok_or_else(|| self.refused(o, v, "it is not known in the copies"))
    }

    fn refused(&self, o: &Origin<'_, 'b>, v: ValueId, message: &str) -> Error {
        let decision = &o.decisions.list[self.decision].label;
        Error::Refused {
            transform: "surface",
            primitive: o.program.node(v).primitive.name(),
            label: o.program.label_of(v),
            message: format!(
                "events cannot be run again for the threshold `{decision}`: {message}"
            ),
        }
    }

    fn depends(&self, o: &Origin<'_, 'b>, v: ValueId) -> bool {
        o.decisions.below[v.index()].contains(&self.decision)
    }

    /// True if the value is read from the original: it does not depend on the decision, and its elements can be found there.
    fn is_read(&self, o: &Origin<'_, 'b>, v: ValueId) -> bool {
        let ty = o.program.ty(v);
        let Some(stream) = o.program.stream_root(&ty.space) else {
            return true;
        };
        if self.depends(o, v) || ty.space.root() != Some(stream) {
            return false;
        }
        let copied = ty.space.iter().skip(1).all(|l| o.is_copied(l));
        match ty.dtype {
            DType::Offsets => o.program.levels().iter().enumerate().any(|(k, l)| {
                matches!(l.kind, LevelKind::Ragged { offsets, .. } if offsets == v)
                    && o.is_copied(LevelId(k as u16))
            }),
            DType::F64 | DType::Bool => copied,
            DType::I64 => copied && !o.decisions.index_like[v.index()],
            DType::F32 | DType::I32 | DType::U64 => false,
        }
    }

    /// A value of the original at the elements of the copies.
    fn read(&self, o: &Origin<'_, 'b>, v: ValueId) -> Result<Sym<'b>> {
        let (b, program) = (o.b, o.program);
        let (value, ty) = (o.values[v.index()], program.ty(v));
        if program.stream_root(&ty.space).is_none() {
            return Ok(value);
        }
        if ty.dtype == DType::Offsets {
            let counts = b.push(prim::COUNTS, &[value], Attrs::NONE).first(b);
            let counts = counts.broadcast(self.near.path);
            return Ok(b.push(prim::OFFSETS_OF, &[counts], Attrs::NONE).first(b));
        }
        let space = self.space(o, ty.space)?;
        let ragged = |l: &LevelId| matches!(program.level(*l).kind, LevelKind::Ragged { .. });
        let Some(level) = ty.space.iter().find(ragged) else {
            return Ok(value.broadcast(space));
        };
        // Number by number in the event: the copies have the elements of the original.
        let at = ty.space.position(level).unwrap_or(1);
        let (old, new) = (o.level(level), space.level(at + 1));
        let (Some(old), Some(new)) = (old, new) else {
            return Err(self.refused(o, v, "its level is not known"));
        };
        let path = space.prefix(at + 2);
        let number = b.position(path, new);
        let below = value.space().prefix(at + 1);
        let index = b.locate(number, below);
        Ok(value.gather_over(old, index))
    }

    /// The level of the copies.
    fn level(&self, o: &Origin<'_, 'b>, level: LevelId) -> Result<LevelId> {
        match o.program.level(level).kind {
            LevelKind::Ragged { offsets, .. } => {
                let offsets = self.get(o, offsets)?;
                let name = &o.program.level(level).name;
                let space = o.b.ragged_by(&format!("{name}_again"), offsets);
                Ok(space.last().unwrap_or(level))
            }
            _ => o.level(level).ok_or_else(|| {
                self.refused(
                    o,
                    o.decisions.list[self.decision].value,
                    "a level is not known",
                )
            }),
        }
    }

    /// The path of the copies.
    fn space(&self, o: &Origin<'_, 'b>, space: Space) -> Result<Space> {
        let stream = o.decisions.list[self.decision].stream;
        let Some(k) = space.position(stream) else {
            return Ok(space.map(|l| o.level(l).unwrap_or(l)));
        };
        let too_deep = |_: LevelId| {
            self.refused(
                o,
                o.decisions.list[self.decision].value,
                "a path has too many levels",
            )
        };
        if k > 0 {
            let first = space.level(0).unwrap_or(stream);
            return Err(too_deep(first));
        }
        let mut out = self.near.path;
        for level in space.iter().skip(1) {
            let new = self.level(o, level)?;
            out = out.child(new).ok_or_else(|| too_deep(level))?;
        }
        Ok(out)
    }

    /// Records a node for the copies.
    fn again(&self, o: &Origin<'_, 'b>, node: &Node) -> Result<Vec<Sym<'b>>> {
        let (b, program) = (o.b, o.program);
        let decision = &o.decisions.list[self.decision];
        if node.first == decision.value {
            return Ok(vec![self.forced(o, node, decision)?]);
        }
        if node.primitive == prim::INPUT {
            return Err(self.refused(
                o,
                node.first,
                "it hangs more than one level below the stream, or must be converted by `cast` first",
            ));
        }
        let args = node
            .args
            .iter()
            .map(|a| self.get(o, *a))
            .collect::<Result<Vec<_>>>()?;
        let stream_level = |v: ValueId| {
            let space = program.ty(v).space;
            space.depth() == 1 && space.root() == Some(decision.stream)
        };
        let filters =
            node.primitive == prim::FILTER_OFFSETS || node.primitive == prim::FILTER_INDEX;
        if filters && stream_level(node.args[0]) {
            return self.filter_of_events(o, node, args[0]).map(|s| vec![s]);
        }
        let mut attrs = node.attrs.clone();
        let mut failed = None;
        attrs.for_each_mut(|a| match a {
            Attr::Level(l) if *l == decision.stream => {
                if node.primitive == prim::GATHER {
                    *l = self.near.path.last().unwrap_or(*l);
                } else {
                    failed = Some(self.refused(o, node.first, "it works along the stream"));
                }
            }
            Attr::Level(l) => match self.level(o, *l) {
                Ok(new) => *l = new,
                Err(e) => failed = Some(e),
            },
            Attr::Space(s) => match self.space(o, *s) {
                Ok(new) => *s = new,
                Err(e) => failed = Some(e),
            },
            _ => {}
        });
        match failed {
            Some(e) => Err(e),
            None => Ok(b.push(node.primitive, &args, attrs).all(b)),
        }
    }

    /// A filter of the stream itself: each copy of an event keeps itself or nothing.
    fn filter_of_events(&self, o: &Origin<'_, 'b>, node: &Node, mask: Sym<'b>) -> Result<Sym<'b>> {
        let b = o.b;
        let near = self.near.path;
        if node.primitive == prim::FILTER_OFFSETS {
            let counts = mask.cast(DType::I64);
            return Ok(b.push(prim::OFFSETS_OF, &[counts], Attrs::NONE).first(b));
        }
        let to = node.attrs.space("to").unwrap_or(Space::SCALAR);
        let to = self.space(o, to)?;
        let own = near
            .last()
            .map_or(mask, |l| b.position(near, l))
            .broadcast(to);
        Ok(b.locate(own, near))
    }

    /// The decision in the copies: as it is, but for the element near the threshold.
    fn forced(&self, o: &Origin<'_, 'b>, node: &Node, decision: &Decision) -> Result<Sym<'b>> {
        let b = o.b;
        let near = self.near.path;
        let constant = |value: bool, space: Space| {
            b.constant(Data::Bool([value].into()), Space::SCALAR)
                .broadcast(space)
        };
        let side = self
            .near
            .bins
            .map(|(above, below)| if self.passes { above } else { below });
        let Some(level) = decision.level else {
            return Ok(side.unwrap_or_else(|| constant(self.passes, near)));
        };
        let space = self.space(o, o.program.ty(decision.value).space)?;
        let original = self.original(o, node)?;
        let (Some(old), Some(new)) = (o.level(level), space.last()) else {
            return Err(self.refused(o, node.first, "its level is not known"));
        };
        let own = o.values[node.first.index()].space();
        let number = b.position(own, old).at(self.near.index).broadcast(space);
        let is_near = b.position(space, new).compare(Compare::Eq, number);
        Ok(match side {
            Some(bin) => is_near.select(bin.broadcast(space), original),
            None if self.passes => original | is_near,
            None => original & !is_near,
        })
    }

    /// The decision in the copies as the program makes it.
    fn original(&self, o: &Origin<'_, 'b>, node: &Node) -> Result<Sym<'b>> {
        let space = o.program.ty(node.first).space;
        if space.iter().skip(1).all(|l| o.is_copied(l)) {
            return self.read(o, node.first);
        }
        let args = node
            .args
            .iter()
            .map(|a| self.get(o, *a))
            .collect::<Result<Vec<_>>>()?;
        Ok(o.b
            .push(node.primitive, &args, node.attrs.clone())
            .first(o.b))
    }
}

impl Origin<'_, '_> {
    /// The counterpart of a level, if it has one yet.
    pub fn level(&self, level: LevelId) -> Option<LevelId> {
        self.levels.get(usize::from(level.0)).copied().flatten()
    }

    /// True for a level that is copied: given by an input below the stream.
    fn is_copied(&self, level: LevelId) -> bool {
        match self.program.level(level).kind {
            LevelKind::Ragged { parent, offsets } => {
                let made = self.program.node(offsets).primitive;
                parent.depth() == 1 && (made == prim::INPUT || made == prim::DATA)
            }
            LevelKind::Dense => true,
            LevelKind::Stream | LevelKind::Batch => false,
        }
    }

    /// Type of the counterpart of a value.
    pub fn ty(&self, v: ValueId) -> Type {
        self.b.ty(self.values[v.index()])
    }
}
