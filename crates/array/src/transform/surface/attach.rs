//! The rewritten program: each sum that leaves the stream gets the surface terms of the decisions before it.

use std::sync::Arc;

use super::super::rebuild::level_of;
use super::super::rewrite::translate;
use super::super::width::inputs_first;
use super::decide::{Decisions, decisions};
use super::kinds::repeats;
use super::options::Surface;
use super::rerun::{Origin, Rerun};
use super::window::{Window, term, window};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, Space};
use crate::ty::{DType, Type};

/// A program with surface terms.
pub(super) struct Attached {
    pub program: Program,
    /// Label of each decision, and the value that counts the elements near its threshold.
    pub near: Vec<(String, ValueId)>,
}

/// One decision while the program is rewritten: its window and both copies of the events near it.
struct Forked<'b> {
    window: Window<'b>,
    passes: Rerun<'b>,
    fails: Rerun<'b>,
}

/// Records `program` again with surface terms.
pub(super) fn attach(
    program: &Program,
    of: &[ValueId],
    wrt: &[ValueId],
    surface: &Surface,
) -> Result<Attached> {
    let found = decisions(program, of, wrt, surface)?;
    let b = Builder::new();
    let (outputs, near) = {
        let mut copy = Copy {
            b: &b,
            program,
            surface,
            found: &found,
            levels: vec![None; program.levels().len()],
            values: Vec::with_capacity(program.value_count()),
            forked: found.list.iter().map(|_| None).collect(),
        };
        for (k, node) in program.nodes().iter().enumerate() {
            copy.node(k, node)?;
        }
        let outputs: Vec<(Arc<str>, ValueId)> = program
            .outputs()
            .iter()
            .map(|(name, v)| (Arc::clone(name), b.id(copy.values[v.index()])))
            .collect();
        let near: Vec<(Arc<str>, ValueId)> = found
            .list
            .iter()
            .zip(&copy.forked)
            .filter_map(|(d, f)| {
                let name = Arc::from(format!("near_{}", d.label));
                f.as_ref().map(|f| (name, b.id(f.window.count)))
            })
            .collect();
        (outputs, near)
    };
    let count = outputs.len();
    let all = outputs.into_iter().chain(near).collect();
    let mut out = super::super::prune(&b.finish_ids(all)?)?;
    inputs_first(&mut out, program);
    let near = out
        .outputs
        .split_off(count)
        .into_iter()
        .map(|(name, v)| (name["near_".len()..].to_owned(), v))
        .collect();
    Ok(Attached { program: out, near })
}

struct Copy<'a, 'b> {
    b: &'b Builder,
    program: &'a Program,
    surface: &'a Surface,
    found: &'a Decisions,
    levels: Vec<Option<LevelId>>,
    values: Vec<Sym<'b>>,
    forked: Vec<Option<Forked<'b>>>,
}

impl<'b> Copy<'_, 'b> {
    fn level(&mut self, old: LevelId) -> LevelId {
        level_of(self.b, self.program, &mut self.levels, &self.values, old)
    }

    fn space(&mut self, old: Space) -> Space {
        // Outer levels first: ragged ones are declared below their parents.
        old.map(|l| self.level(l))
    }

    fn node(&mut self, k: usize, node: &Node) -> Result<()> {
        let attrs = translate(&node.attrs, |l| self.level(l));
        let b = self.b;
        if node.primitive == prim::INPUT {
            let ty = self.program.ty(node.first);
            let space = self.space(ty.space);
            let listed = |(_, v): &&(Arc<str>, ValueId)| *v == node.first;
            let name = self.program.inputs().iter().find(listed);
            let name = name.map_or("", |(n, _)| n);
            if self.surface.all_widths().any(|w| w.is_input(name)) {
                b.fail(crate::Error::Input {
                    input: name.into(),
                    message: "a width has the name of an input of the program".into(),
                });
            }
            self.values
                .push(b.input_of(name, Type::new(ty.dtype, space)));
            return Ok(());
        }
        let args: Vec<Sym<'b>> = node.args.iter().map(|a| self.values[a.index()]).collect();
        let label = self.program.value(node.first).label.clone();
        let results = b
            .labelled(label.clone(), || b.push(node.primitive, &args, attrs))
            .all(b);
        if let Some(error) = b.failure() {
            return Err(error);
        }
        self.values.extend(results);
        let exits = self.found.exits[k].clone();
        if exits.is_empty() {
            return Ok(());
        }
        let mut sum = self.values[node.first.index()];
        for d in exits {
            let mut forked = match self.forked[d].take() {
                Some(known) => known,
                None => self.fork(d)?,
            };
            let decision = Arc::from(self.found.list[d].label.as_str());
            let origin = Origin {
                b,
                program: self.program,
                decisions: self.found,
                values: &self.values,
                levels: &self.levels,
            };
            let made = b.labelled(Some(decision), || leave(&origin, &mut forked, node));
            self.forked[d] = Some(forked);
            sum += made?;
        }
        b.name_if_nameless(sum, label);
        self.values[node.first.index()] = sum;
        match b.failure() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn fork(&self, d: usize) -> Result<Forked<'b>> {
        let decision = &self.found.list[d];
        let mask = self.values[decision.value.index()];
        let label = Arc::from(decision.label.as_str());
        let window = self.b.labelled(Some(label), || {
            window(self.b, mask, &decision.label, self.surface)
        })?;
        Ok(Forked {
            window,
            passes: Rerun::new(self.program, d, window.near, true),
            fails: Rerun::new(self.program, d, window.near, false),
        })
    }
}

/// The surface term of a sum: Σ over the elements near the threshold of Kₕ(m)·dm·(what the event adds with the element − without it).
fn leave<'b>(o: &Origin<'_, 'b>, forked: &mut Forked<'b>, node: &Node) -> Result<Sym<'b>> {
    let window = forked.window;
    let path = window.near.path;
    let b = o.b;
    let out = o.ty(node.first).space;
    // Sums over the copies, then over events.
    let gathered = |jump: Sym<'b>| {
        let mut sum = term(b, &window, jump);
        for level in path.iter().rev() {
            sum = sum.sum(level);
        }
        sum
    };
    let summand = node.args[0];
    if node.primitive == prim::SCATTER_ADD {
        let fill = |rerun: &mut Rerun<'b>, sign: f64| -> Result<Sym<'b>> {
            let x = rerun.value(o, summand)?;
            let index = rerun.value(o, node.args[1])?;
            let x = term(b, &window, x * sign);
            Ok(x.scatter_add(index, out))
        };
        let (up, down) = (
            fill(&mut forked.passes, 1.0)?,
            fill(&mut forked.fails, -1.0)?,
        );
        return Ok(up + down);
    }
    // A count, as a double, of a mask.
    let mut counted = o.program.node(summand);
    while repeats(counted) {
        counted = o.program.node(counted.args[0]);
    }
    let mask = (node.primitive == prim::cast::CAST).then(|| counted.args[0]);
    let one = |rerun: &mut Rerun<'b>| -> Result<Sym<'b>> {
        if let Some(mask) = mask {
            return Ok(rerun.value(o, mask)?.cast(DType::F64));
        }
        let x = rerun.value(o, summand)?;
        Ok(if node.primitive == prim::TOTAL {
            x.total(path)
        } else {
            x
        })
    };
    let jump = one(&mut forked.passes)? - one(&mut forked.fails)?;
    Ok(if jump.space() == path && out.is_scalar() {
        term(b, &window, jump).sum_all()
    } else {
        gathered(jump)
    })
}
