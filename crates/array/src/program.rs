//! The program: a list of nodes in static single assignment form, over the levels it declares.
//!
//! ```text
//! program := level* node* output*
//! level   := NAME ":" ("dense" | "stream" | "batch" | "ragged" space "by" VALUE) ["=" INT]
//! node    := result ("," result)* "=" PRIMITIVE VALUE* ["{" attr ("," attr)* "}"]
//! result  := VALUE ":" DTYPE space [LABEL]
//! attr    := NAME "=" (INT | DOUBLE | STRING | "@" NAME | space | DTYPE | DTYPE "(" number,* ")" | "(" program ")")
//! space   := "[" NAME,* "]"
//! output  := "return" NAME "=" VALUE
//! ```
//!
//! A `VALUE` is `%` and a number, a `NAME` is a word or quoted, `@` before a name makes it a level. Inputs are the `input` nodes, in order.
//! [`crate::text`] prints and parses this form.
//!
//! A node's arguments stand before it. Structure (masks, indices, offsets, sort orders) is made of nodes like any other. Transforms append to a
//! program and change its outputs; only [`crate::transform::simplify`] removes nodes.

use std::sync::Arc;

use crate::attr::Attrs;
use crate::primitive::PrimitiveRef;
use crate::space::{Level, LevelId, LevelKind, Space};
use crate::ty::Type;

/// Index of a value in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A value: one output of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its type.
    pub ty: Type,
    /// The node that makes it.
    pub node: u32,
    /// The user's name for it, or that of the value it was derived from.
    pub label: Option<Arc<str>>,
}

/// An application of a primitive.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is applied.
    pub primitive: PrimitiveRef,
    /// Arguments.
    pub args: Vec<ValueId>,
    /// Static parameters.
    pub attrs: Attrs,
    /// Its first output; the others follow.
    pub first: ValueId,
    /// Number of outputs.
    pub outputs: u32,
}

impl Node {
    /// The values this node makes.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValueId> + Clone + use<> {
        (self.first.0..self.first.0 + self.outputs).map(ValueId)
    }
}

/// A recorded program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    pub(crate) levels: Vec<Level>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) values: Vec<Value>,
    pub(crate) inputs: Vec<(Arc<str>, ValueId)>,
    pub(crate) outputs: Vec<(Arc<str>, ValueId)>,
}

impl Program {
    /// Levels, by [`LevelId`].
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Nodes in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Names and values of the inputs, in the order they were declared.
    pub fn inputs(&self) -> &[(Arc<str>, ValueId)] {
        &self.inputs
    }

    /// Names and values of the outputs.
    pub fn outputs(&self) -> &[(Arc<str>, ValueId)] {
        &self.outputs
    }

    /// Number of values.
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    /// A value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// Type of a value.
    pub fn ty(&self, id: ValueId) -> Type {
        self.values[id.index()].ty
    }

    /// The node that makes a value.
    pub fn node(&self, id: ValueId) -> &Node {
        &self.nodes[self.values[id.index()].node as usize]
    }

    /// A level.
    pub fn level(&self, id: LevelId) -> &Level {
        &self.levels[usize::from(id.0)]
    }

    /// The level of that name.
    pub fn find_level(&self, name: &str) -> Option<LevelId> {
        self.levels
            .iter()
            .position(|l| l.name == name)
            .map(|k| LevelId(k as u16))
    }

    /// The input of that name.
    pub fn find_input(&self, name: &str) -> Option<ValueId> {
        self.inputs
            .iter()
            .find(|(n, _)| &**n == name)
            .map(|&(_, v)| v)
    }

    /// The output of that name.
    pub fn find_output(&self, name: &str) -> Option<ValueId> {
        self.outputs
            .iter()
            .find(|(n, _)| &**n == name)
            .map(|&(_, v)| v)
    }

    /// The innermost level of `space` that is a stream root, if any: such values are evaluated block by block.
    pub fn stream_root(&self, space: &Space) -> Option<LevelId> {
        space
            .iter()
            .find(|&l| self.level(l).kind == LevelKind::Stream)
    }

    /// Names of a path, for messages: `events, muons`.
    pub fn space_name(&self, space: &Space) -> String {
        space
            .iter()
            .map(|l| self.level(l).name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// ` (label)` of a value for messages, empty if it has none.
    pub fn label_of(&self, id: ValueId) -> String {
        self.value(id)
            .label
            .as_ref()
            .map(|l| format!(" ({l})"))
            .unwrap_or_default()
    }

    /// A name not yet taken by a level, made from `wish`.
    pub(crate) fn fresh_level_name(&self, wish: &str) -> String {
        let mut name = wish.to_owned();
        let mut k = 1;
        while self.find_level(&name).is_some() {
            k += 1;
            name = format!("{wish}_{k}");
        }
        name
    }

    /// Declares a level.
    pub(crate) fn push_level(&mut self, level: Level) -> LevelId {
        let id = LevelId(self.levels.len() as u16);
        self.levels.push(level);
        id
    }

    /// Appends a node with outputs of the given types; nothing is checked here.
    pub(crate) fn push_node(
        &mut self,
        primitive: PrimitiveRef,
        args: &[ValueId],
        attrs: Attrs,
        types: &[Type],
        label: Option<&Arc<str>>,
    ) -> ValueId {
        let first = ValueId(self.values.len() as u32);
        let node = self.nodes.len() as u32;
        for &ty in types {
            self.values.push(Value {
                ty,
                node,
                label: label.cloned(),
            });
        }
        self.nodes.push(Node {
            primitive,
            args: args.to_vec(),
            attrs,
            first,
            outputs: types.len() as u32,
        });
        first
    }
}
