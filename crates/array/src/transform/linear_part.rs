//! The linear part of a program while it is recorded: what stands for tangents, and the nodes since then.

use std::sync::Arc;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::prim;
use crate::program::{Node, Program, ValueId};
use crate::ty::Type;

/// Something that stands for the tangent of the value `of`: a node without a column, gone when the program is pruned.
pub(super) fn stand_in(b: &Builder, of: ValueId, ty: Type) -> Sym<'_> {
    let attrs = Attrs::NONE
        .with("name", Attr::Str(Arc::from(format!("~{}", of.0))))
        .with("dtype", Attr::DType(ty.dtype))
        .with("to", Attr::Space(ty.space));
    b.push(prim::INPUT, &[], attrs).first(b)
}

/// The nodes of a program from one on: a copy, so that more can be recorded while they are read.
pub(super) struct LinearPart {
    pub nodes: Vec<Node>,
}

impl LinearPart {
    /// The nodes of `program` from number `first` on.
    pub fn of(program: &Program, first: usize) -> Self {
        let nodes = program.nodes()[first..].to_vec();
        Self { nodes }
    }

    /// The nodes that were recorded from number `first` on.
    pub fn since(b: &Builder, first: usize) -> Self {
        b.with_program(|p| Self::of(p, first))
    }

    /// Nothing yet for each of its values.
    pub fn values<T: Clone>(&self) -> PartValues<T> {
        let first = self.nodes.first().map_or(0, |n| n.first.0);
        let end = self.nodes.last().map_or(0, |n| n.first.0 + n.outputs);
        PartValues {
            first,
            list: vec![None; (end - first) as usize],
        }
    }
}

/// Something for values of the linear part, and nothing for all others.
pub(super) struct PartValues<T> {
    first: u32,
    list: Vec<Option<T>>,
}

impl<T: Copy> PartValues<T> {
    /// What there is for a value.
    pub fn get(&self, v: ValueId) -> Option<T> {
        let k = v.0.checked_sub(self.first)?;
        self.list.get(k as usize).copied().flatten()
    }

    /// The place of a value of the part.
    pub fn slot(&mut self, v: ValueId) -> Option<&mut Option<T>> {
        let k = v.0.checked_sub(self.first)?;
        self.list.get_mut(k as usize)
    }

    /// Puts something at a value of the part.
    pub fn set(&mut self, v: ValueId, x: T) {
        if let Some(slot) = self.slot(v) {
            *slot = Some(x);
        }
    }

    /// With something else for each value.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> PartValues<U> {
        PartValues {
            first: self.first,
            list: self.list.into_iter().map(|x| x.map(&f)).collect(),
        }
    }
}
