//! Rebuilding a program: only what its outputs need, renumbered; or replayed into another builder.

use super::rewrite::translate;
use crate::attr::Attr;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::dependencies;
use crate::prim;
use crate::program::{Program, Value, ValueId};
use crate::space::{Level, LevelId, LevelKind};

/// The program without nodes, and without levels, that no output needs. Inputs stay, so that bindings keep their order.
///
/// # Errors
/// Never for well-formed programs.
pub fn prune(program: &Program) -> Result<Program> {
    let count = program.nodes().len();
    let mut live = vec![false; count];
    let mut todo: Vec<u32> = program
        .outputs()
        .iter()
        .chain(program.inputs())
        .map(|(_, v)| program.value(*v).node)
        .collect();
    let mut spaces = Vec::new();
    for (_, v) in program.outputs().iter().chain(program.inputs()) {
        crate::exec::structure_of(program, &program.ty(*v).space, &mut spaces);
    }
    todo.extend(spaces.iter().map(|v| program.value(*v).node));
    while let Some(k) = todo.pop() {
        if !std::mem::replace(&mut live[k as usize], true) {
            todo.extend(
                dependencies(program, k as usize)
                    .iter()
                    .map(|v| program.value(*v).node),
            );
        }
    }
    let mut used = vec![false; program.levels().len()];
    let mut mark =
        |space: &crate::space::Space| space.iter().for_each(|l| used[usize::from(l.0)] = true);
    for (k, node) in program.nodes().iter().enumerate().filter(|(k, _)| live[*k]) {
        let _ = k;
        for r in node.results() {
            mark(&program.ty(r).space);
        }
        for (_, attr) in node.attrs.iter() {
            if let Attr::Space(s) = attr {
                mark(s);
            }
        }
    }
    for node in program
        .nodes()
        .iter()
        .enumerate()
        .filter(|(k, _)| live[*k])
        .map(|(_, n)| n)
    {
        for (_, attr) in node.attrs.iter() {
            if let Attr::Level(l) = attr {
                used[usize::from(l.0)] = true;
            }
        }
    }
    let mut level_map = vec![LevelId(0); program.levels().len()];
    let mut levels: Vec<Level> = Vec::new();
    for (k, level) in program
        .levels()
        .iter()
        .enumerate()
        .filter(|(k, _)| used[*k])
    {
        level_map[k] = LevelId(levels.len() as u16);
        levels.push(level.clone());
    }
    let mut value_map = vec![ValueId(u32::MAX); program.value_count()];
    let mut out = Program {
        levels,
        ..Program::default()
    };
    for (_, node) in program.nodes().iter().enumerate().filter(|(k, _)| live[*k]) {
        let first = ValueId(out.values.len() as u32);
        for (i, r) in node.results().enumerate() {
            let old = program.value(r);
            let mut ty = old.ty;
            ty.space = ty.space.map(|l| level_map[usize::from(l.0)]);
            value_map[r.index()] = ValueId(first.0 + i as u32);
            out.values.push(Value {
                ty,
                node: out.nodes.len() as u32,
                label: old.label.clone(),
            });
        }
        let mut copy = node.clone();
        copy.first = first;
        copy.args.iter_mut().for_each(|a| *a = value_map[a.index()]);
        copy.attrs.for_each_mut(|a| match a {
            Attr::Level(l) => *l = level_map[usize::from(l.0)],
            Attr::Space(s) => *s = s.map(|l| level_map[usize::from(l.0)]),
            _ => {}
        });
        out.nodes.push(copy);
    }
    for level in &mut out.levels {
        if let LevelKind::Ragged { parent, offsets } = &mut level.kind {
            *parent = parent.map(|l| level_map[usize::from(l.0)]);
            *offsets = value_map[offsets.index()];
        }
    }
    let rename = |list: &[(std::sync::Arc<str>, ValueId)]| {
        list.iter()
            .map(|(n, v)| (n.clone(), value_map[v.index()]))
            .collect()
    };
    out.inputs = rename(program.inputs());
    out.outputs = rename(program.outputs());
    #[cfg(debug_assertions)]
    crate::check::check(&out)?;
    Ok(out)
}

/// The level that stands for `old` of `program` in `b`, where the program is recorded again: declared when it is met first, a ragged one by its offsets among
/// the new `values`, so that levels whose offsets turn out to be the same become one.
pub(super) fn level_of<'b>(
    b: &'b Builder,
    program: &Program,
    levels: &mut [Option<LevelId>],
    values: &[Sym<'b>],
    old: LevelId,
) -> LevelId {
    let k = usize::from(old.0);
    if let Some(known) = levels[k] {
        return known;
    }
    let level = program.level(old);
    let new = match level.kind {
        LevelKind::Ragged { offsets, .. } => b
            .ragged_by(&level.name, values[offsets.index()])
            .last()
            .unwrap_or(old),
        kind => b.level(&level.name, kind, level.len),
    };
    levels[k] = Some(new);
    new
}

/// Records the nodes of `program` again in `b`: `input` gives the values of its inputs. Returns the value of every value.
///
/// The levels of `program` are declared anew in `b`, except roots that an input's value already brings along (they are matched through `levels`).
///
/// # Errors
/// If a node is ill-formed with the new inputs.
pub fn replay<'b>(
    b: &'b Builder,
    program: &Program,
    levels: &mut [Option<LevelId>],
    mut input: impl FnMut(&str, ValueId) -> Option<Sym<'b>>,
) -> Result<Vec<Sym<'b>>> {
    let mut map: Vec<Sym<'b>> = Vec::with_capacity(program.value_count());
    for node in program.nodes() {
        let attrs = translate(&node.attrs, |l| level_of(b, program, levels, &map, l));
        if node.primitive == prim::INPUT {
            let name = program
                .inputs()
                .iter()
                .find(|(_, v)| *v == node.first)
                .map_or("", |(n, _)| n);
            if let Some(sym) = input(name, node.first) {
                map.push(sym);
                continue;
            }
            let mut ty = program.ty(node.first);
            if let Some(space) = attrs.space("to") {
                ty.space = space;
            }
            map.push(b.input_of(name, ty));
            continue;
        }
        let args: Vec<Sym<'b>> = node.args.iter().map(|a| map[a.index()]).collect();
        let label = program.value(node.first).label.clone();
        let results = b
            .labelled(label, || b.push(node.primitive, &args, attrs))
            .all(b);
        if let Some(error) = b.failure() {
            return Err(error);
        }
        map.extend(results);
    }
    Ok(map)
}
