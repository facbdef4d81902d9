//! Pictures of programs for Graphviz.

use std::fmt::Write as _;

use crate::attr::Attr;
use crate::primitive::Nature;
use crate::program::{Program, ValueId};
use crate::space::LevelKind;
use crate::text::quoted;

/// The program as a directed graph in the language of Graphviz (`dot -Tsvg`): a box per node with its primitive, label and type; decisions are
/// diamonds, inputs and outputs have their own colours; dotted edges lead from offsets to the first value of the level they describe.
///
/// # Example
/// ```
/// use pullback_array::{Builder, graphviz};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let y = b.input("x", b.dense("bins")).exp();
/// let dot = graphviz::dot(&b.finish(&[("y", y)]).unwrap());
/// assert!(dot.contains("n0 -> n1"));
/// ```
pub fn dot(program: &Program) -> String {
    let mut out = String::from(
        "digraph program {\n  rankdir = TB;\n  node [shape = box, style = filled, fillcolor = white, fontname = \"sans-serif\"];\n",
    );
    let node_of = |v: ValueId| program.value(v).node;
    for (k, node) in program.nodes().iter().enumerate() {
        let name = node.primitive.name();
        let mut label = String::new();
        match (
            node.attrs.get("name"),
            node.attrs.get("value"),
            node.attrs.get("n"),
        ) {
            (Some(Attr::Str(n)), ..) => write!(label, "{name} {n}"),
            (_, Some(Attr::F64(x)), _) => write!(label, "{name} {x:?}"),
            (.., Some(Attr::Int(n))) => write!(label, "{name} {n}"),
            _ => write!(label, "{name}"),
        }
        .ok();
        if let Some(given) = program
            .value(node.first)
            .label
            .as_ref()
            .filter(|_| name != "input")
        {
            write!(label, "\n{given}").ok();
        }
        for r in node.results() {
            let ty = program.ty(r);
            write!(label, "\n{}[{}]", ty.dtype, program.space_name(&ty.space)).ok();
        }
        let look = match node.primitive.nature() {
            _ if name == "input" => ", fillcolor = lightblue",
            _ if node.args.is_empty() => ", fillcolor = lightgrey",
            Nature::Structure => ", shape = diamond",
            _ => "",
        };
        write!(out, "  n{k} [label = ").ok();
        quoted(&mut out, &label);
        writeln!(out, "{look}];").ok();
        for a in &node.args {
            writeln!(out, "  n{} -> n{k};", node_of(*a)).ok();
        }
    }
    for (k, level) in program.levels().iter().enumerate() {
        if let LevelKind::Ragged { offsets, .. } = level.kind {
            let user = program.nodes().iter().position(|n| {
                n.results()
                    .any(|r| program.ty(r).space.iter().any(|l| usize::from(l.0) == k))
            });
            if let Some(user) = user {
                write!(
                    out,
                    "  n{} -> n{user} [style = dotted, label = ",
                    node_of(offsets)
                )
                .ok();
                quoted(&mut out, &level.name);
                out.push_str("];\n");
            }
        }
    }
    for (k, (name, value)) in program.outputs().iter().enumerate() {
        write!(
            out,
            "  out{k} [shape = ellipse, fillcolor = lightyellow, label = "
        )
        .ok();
        quoted(&mut out, name);
        writeln!(out, "];\n  n{} -> out{k};", node_of(*value)).ok();
    }
    out.push_str("}\n");
    out
}
