//! Which node runs in which phase.
//!
//! Phases alternate: at even times whole values are computed, at odd times a stream runs block by block. A reduction over a stream is a barrier: its result
//! exists at the next even time. A streamed value that a later sweep needs is recomputed there from the inputs, never stored as a column.

use crate::prim;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};

/// A phase: nodes in order.
#[derive(Debug)]
pub(crate) struct Phase {
    /// The stream that runs block by block, or none for whole values.
    pub stream: Option<LevelId>,
    /// Indices of the nodes.
    pub nodes: Vec<u32>,
    /// Streamed outputs of the program that are written in this phase.
    pub outputs: Vec<usize>,
}

/// Offsets that the shape of `space` depends on.
pub(crate) fn structure_of(program: &Program, space: &Space, out: &mut Vec<ValueId>) {
    for level in space.iter() {
        if let LevelKind::Ragged { offsets, .. } = program.level(level).kind
            && !out.contains(&offsets)
        {
            structure_of(program, &program.ty(offsets).space, out);
            out.push(offsets);
        }
    }
}

/// Arguments of a node and the offsets that its shapes depend on.
pub(crate) fn dependencies(program: &Program, node: usize) -> Vec<ValueId> {
    let node = &program.nodes()[node];
    let mut out: Vec<ValueId> = node.args.clone();
    let mut offsets = Vec::new();
    for value in node.args.iter().copied().chain(node.results()) {
        structure_of(program, &program.ty(value).space, &mut offsets);
    }
    for (_, attr) in node.attrs.iter() {
        if let crate::attr::Attr::Space(space) = attr {
            structure_of(program, space, &mut offsets);
        }
    }
    offsets.retain(|o| !node.results().any(|r| r == *o));
    out.extend(offsets);
    out
}

/// Cuts a program into phases.
pub(crate) fn plan(program: &Program) -> Vec<Phase> {
    let count = program.nodes().len();
    let deps: Vec<Vec<ValueId>> = (0..count).map(|k| dependencies(program, k)).collect();
    let stream_of = |v: ValueId| program.stream_root(&program.ty(v).space);

    let mut live = vec![false; count];
    let mut todo: Vec<u32> = Vec::new();
    let mut offsets = Vec::new();
    for &(_, out) in program.outputs() {
        todo.push(program.value(out).node);
        structure_of(program, &program.ty(out).space, &mut offsets);
    }
    todo.extend(offsets.iter().map(|o| program.value(*o).node));
    while let Some(k) = todo.pop() {
        if !std::mem::replace(&mut live[k as usize], true) {
            todo.extend(deps[k as usize].iter().map(|v| program.value(*v).node));
        }
    }

    // Time at which a node runs: even for whole nodes, odd for streamed ones and reductions of a stream.
    let mut time = vec![0_u32; count];
    let mut sweeps = vec![None; count];
    let available = |time: &[u32], sweeps: &[Option<LevelId>], v: ValueId| {
        let k = program.value(v).node as usize;
        if sweeps[k].is_some() && stream_of(v).is_none() {
            time[k] + 1
        } else {
            time[k]
        }
    };
    for k in (0..count).filter(|&k| live[k]) {
        let node = &program.nodes()[k];
        let stream = deps[k]
            .iter()
            .copied()
            .chain(node.results())
            .find_map(stream_of);
        sweeps[k] = stream;
        let ready = deps[k]
            .iter()
            .map(|&v| available(&time, &sweeps, v))
            .max()
            .unwrap_or(0);
        time[k] = match stream {
            Some(_) => ready + u32::from(ready % 2 == 0),
            None => ready,
        };
        // Inputs and constants cost nothing and are there from the start.
        if node.primitive == prim::INPUT && stream.is_some() {
            time[k] = 1;
        }
    }

    let last = (0..count)
        .filter(|&k| live[k])
        .map(|k| time[k])
        .max()
        .unwrap_or(0);
    let mut phases = Vec::new();
    for t in 0..=last {
        if t % 2 == 0 {
            let nodes: Vec<u32> = (0..count)
                .filter(|&k| live[k] && sweeps[k].is_none() && time[k] == t)
                .map(|k| k as u32)
                .collect();
            if !nodes.is_empty() {
                phases.push(Phase {
                    stream: None,
                    nodes,
                    outputs: Vec::new(),
                });
            }
            continue;
        }
        let mut streams: Vec<LevelId> = (0..count)
            .filter(|&k| live[k] && time[k] == t)
            .filter_map(|k| sweeps[k])
            .collect();
        streams.sort_unstable();
        streams.dedup();
        for stream in streams {
            let mut wanted = vec![false; count];
            let mut todo: Vec<u32> = Vec::new();
            let mut outputs = Vec::new();
            for (i, &(_, out)) in program.outputs().iter().enumerate() {
                let k = program.value(out).node;
                if stream_of(out) == Some(stream) && time[k as usize] == t {
                    outputs.push(i);
                    todo.push(k);
                    let mut offsets = Vec::new();
                    structure_of(program, &program.ty(out).space, &mut offsets);
                    todo.extend(offsets.iter().map(|o| program.value(*o).node));
                }
            }
            for k in (0..count).filter(|&k| live[k] && sweeps[k] == Some(stream) && time[k] == t) {
                if program.nodes()[k].results().any(|r| stream_of(r).is_none()) {
                    todo.push(k as u32);
                }
            }
            while let Some(k) = todo.pop() {
                if sweeps[k as usize].is_some() && !std::mem::replace(&mut wanted[k as usize], true)
                {
                    todo.extend(
                        deps[k as usize]
                            .iter()
                            .copied()
                            .filter(|v| stream_of(*v).is_some())
                            .map(|v| program.value(v).node),
                    );
                }
            }
            let nodes: Vec<u32> = (0..count)
                .filter(|&k| wanted[k])
                .map(|k| k as u32)
                .collect();
            if !nodes.is_empty() {
                phases.push(Phase {
                    stream: Some(stream),
                    nodes,
                    outputs,
                });
            }
        }
    }
    phases
}
