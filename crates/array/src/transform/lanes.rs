//! Lanes side by side: a program and what it gives where some inputs are moved, each from the nodes that it needs.

use std::sync::Arc;

use super::rebuild::{level_of, replay};
use super::rewrite::translate;
use super::{names, prune};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::dependencies;
use crate::prim;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind};
use crate::transform::width::inputs_first;

/// A lane: which inputs have a value of their own in it, and which outputs are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// What is added to the names of its inputs and outputs: `x` of the lane `up` is `x up`.
    pub name: String,
    /// Inputs with a value of their own.
    pub moved: Vec<String>,
    /// Outputs that are wanted.
    pub outputs: Vec<String>,
}

/// The program with lanes beside it: after its inputs those that lanes move, `x LANE`, and after its outputs those of the lanes, `y LANE`.
///
/// The nodes that depend on what a lane moves are recorded again for it; the rest is there once, for the program and for all lanes. Where all lanes move the same
/// inputs, [`vmap`](super::vmap) says the same with fewer nodes; where each moves something of its own, it repeats in every lane what any of them moves.
///
/// Structure that depends on what is moved (a filter on a varied momentum) is structure of the lane. Each output has the bits that the program alone gives at the
/// values of the lane.
///
/// # Errors
/// An unknown input or output; names that are taken.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use transform::{Lane, lanes};
/// let b = Builder::new();
/// let (x, s) = (b.input("x", b.stream("events")), b.input("s", Space::SCALAR));
/// let y = (x.exp() * s).sum_all();
/// let program = b.finish(&[("y", y)]).unwrap();
/// let up = Lane { name: "up".into(), moved: vec!["s".into()], outputs: vec!["y".into()] };
/// let both = lanes(&program, &[up]).unwrap();
/// // x is exponentiated once.
/// let exps = both.nodes().iter().filter(|n| n.primitive.name() == "exp");
/// assert_eq!(exps.count(), 1);
/// let lowered = Lowered::new(both).unwrap();
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.0, 0.0]).into(), (&1.0).into(), (&1.5).into()])).unwrap();
/// assert_eq!((ws.scalar(0), ws.scalar(1)), (2.0, 3.0));
/// ```
pub fn lanes(program: &Program, lanes: &[Lane]) -> Result<Program> {
    let b = Builder::new();
    let mut outputs = Vec::new();
    {
        let mut levels = vec![None; program.levels().len()];
        let plain = replay(&b, program, &mut levels, |_, _| None)?;
        for (name, v) in program.outputs() {
            outputs.push((Arc::clone(name), b.id(plain[v.index()])));
        }
        for lane in lanes {
            let mut beside = Beside {
                b: &b,
                program,
                lane,
                // Levels of the data are those of all lanes; ragged ones are found again by their offsets.
                levels: (levels.iter().enumerate())
                    .map(|(k, new)| new.filter(|_| !is_ragged(program, k)))
                    .collect(),
                values: plain.clone(),
            };
            beside.record()?;
            for name in &lane.outputs {
                let v = program.find_output(name);
                let v = v.ok_or_else(|| unknown("output", name, program.outputs()))?;
                let name = format!("{name} {}", lane.name);
                outputs.push((Arc::from(name), b.id(beside.values[v.index()])));
            }
        }
    }
    let all: Vec<&str> = outputs.iter().map(|(n, _)| &**n).collect();
    if let Some(error) = names::twice(&all) {
        return Err(error);
    }
    let mut out = prune(&b.finish_ids(outputs)?)?;
    inputs_first(&mut out, program);
    Ok(out)
}

fn is_ragged(program: &Program, level: usize) -> bool {
    matches!(program.levels()[level].kind, LevelKind::Ragged { .. })
}

fn unknown(kind: &'static str, name: &str, known: &[(Arc<str>, ValueId)]) -> Error {
    let known: Vec<&str> = known.iter().map(|(n, _)| &**n).collect();
    Error::Unknown {
        kind,
        name: name.into(),
        known: known.join(", "),
    }
}

/// What a lane adds to the program that is recorded.
struct Beside<'a, 'b> {
    b: &'b Builder,
    program: &'a Program,
    lane: &'a Lane,
    levels: Vec<Option<LevelId>>,
    /// For each value of the program, that of the lane: the common one, until it is recorded again.
    values: Vec<Sym<'b>>,
}

impl Beside<'_, '_> {
    fn level(&mut self, old: LevelId) -> LevelId {
        level_of(self.b, self.program, &mut self.levels, &self.values, old)
    }

    fn record(&mut self) -> Result<()> {
        let program = self.program;
        let mut moved = vec![false; program.value_count()];
        for name in &self.lane.moved {
            let id = program.find_input(name);
            let id = id.ok_or_else(|| unknown("input", name, program.inputs()))?;
            moved[id.index()] = true;
            let ty = self.b.ty(self.values[id.index()]);
            let name = format!("{name} {}", self.lane.name);
            self.values[id.index()] = self.b.input_of(&name, ty);
        }
        for (k, node) in program.nodes().iter().enumerate() {
            let depends = || dependencies(program, k).iter().any(|v| moved[v.index()]);
            if node.primitive == prim::INPUT || !depends() {
                continue;
            }
            let attrs = translate(&node.attrs, |l| self.level(l));
            let args: Vec<Sym<'_>> = node.args.iter().map(|a| self.values[a.index()]).collect();
            let label = program.value(node.first).label.clone();
            let results = self
                .b
                .labelled(label, || self.b.push(node.primitive, &args, attrs))
                .all(self.b);
            if let Some(error) = self.b.failure() {
                return Err(error);
            }
            for (old, new) in node.results().zip(results) {
                moved[old.index()] = true;
                self.values[old.index()] = new;
            }
        }
        match self.b.failure() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
