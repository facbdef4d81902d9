//! Dense Jacobians as programs: lanes for the elements of one side.

use std::sync::Arc;

use super::vocabulary::{listed, with_outputs};
use super::{forward, jvp, names, prune, replay, vjp, vmap};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::prim::compare::Compare;
use crate::prim::permute::permute;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};

/// Jacobians of several outputs as one program: by forward transforms if `forward` says so, otherwise (of one output) by what has fewer lanes. `name` gets the
/// positions of the output and of the input.
pub(super) fn assemble(
    program: &Program,
    of: &[&str],
    wrt: &[&str],
    forward: bool,
    name: impl Fn(usize, usize) -> String,
) -> Result<Program> {
    let b = Builder::new();
    let mut levels: Vec<Option<LevelId>> = vec![None; program.levels().len()];
    let values = replay(&b, program, &mut levels, |_, _| None)?;
    let columns = wrt
        .iter()
        .map(|x| Column::new(program, of, x, forward)?.record(&b, &values, &mut levels))
        .collect::<Result<Vec<_>>>()?;
    let mut outputs = Vec::new();
    for o in 0..of.len() {
        for (x, column) in columns.iter().enumerate() {
            outputs.push((name(o, x).into(), b.id(column[o])));
        }
    }
    let made: Vec<&str> = outputs.iter().map(|(n, _): &(Arc<str>, _)| &**n).collect();
    if let Some(twice) = names::twice(&made) {
        return Err(twice);
    }
    drop((columns, values));
    prune(&b.finish_ids(outputs)?)
}

/// The Jacobians of outputs with respect to one input, in forward mode; or that of one output, in reverse mode.
struct Column<'a> {
    program: &'a Program,
    of: &'a [&'a str],
    wrt: &'a str,
    outputs: Vec<ValueId>,
    input: ValueId,
    forward: bool,
}

impl<'a> Column<'a> {
    fn new(program: &'a Program, of: &'a [&'a str], wrt: &'a str, forward: bool) -> Result<Self> {
        let input = forward::differentiable_input(program, wrt)?;
        let find = |of: &&str| {
            program.find_output(of).ok_or_else(|| Error::Unknown {
                kind: "output",
                name: (*of).into(),
                known: listed(program.outputs()),
            })
        };
        let outputs = of.iter().map(find).collect::<Result<Vec<_>>>()?;
        for v in std::iter::once(input).chain(outputs.iter().copied()) {
            let sparse = |l: &LevelId| {
                !matches!(program.level(*l).kind, LevelKind::Dense | LevelKind::Batch)
            };
            if let Some(level) = program.ty(v).space.iter().find(sparse) {
                return Err(Error::Refused {
                    transform: "jacobian",
                    primitive: program.node(v).primitive.name(),
                    label: program.label_of(v),
                    message: format!(
                        "it lives in level `{}`, a stream or ragged: its Jacobian is not dense; use `jvp` or `vjp` with `vmap`",
                        program.level(level).name
                    ),
                });
            }
        }
        let forward = forward || outputs.iter().all(|o| fewer_lanes(program, input, *o));
        Ok(Self {
            program,
            of,
            wrt,
            outputs,
            input,
            forward,
        })
    }

    /// The program with one direction, and its results.
    fn seeded(&self) -> Result<(Program, String)> {
        let (program, wrt) = (self.program, &[self.wrt]);
        let (program, seed, results): (_, _, Vec<String>) = if self.forward {
            let word = names::of_tangents(program, wrt)?;
            let results = self.of.iter().map(|o| format!("{word}_{o}"));
            let results = results.collect();
            (jvp(program, wrt)?, format!("{word}_{}", self.wrt), results)
        } else {
            let word = names::of_cotangents(program, self.of, wrt)?;
            let seed = format!("{word}_{}", self.of[0]);
            let results = vec![format!("{word}_{}", self.wrt)];
            (vjp(program, self.of, wrt)?, seed, results)
        };
        let kept: Vec<(String, String)> = results.into_iter().map(|r| (r.clone(), r)).collect();
        Ok((with_outputs(&program, &kept)?, seed))
    }

    /// Records them where the program has been recorded already.
    fn record<'b>(
        &self,
        b: &'b Builder,
        values: &[Sym<'b>],
        levels: &mut [Option<LevelId>],
    ) -> Result<Vec<Sym<'b>>> {
        let side = if self.forward {
            self.input
        } else {
            self.outputs[0]
        };
        let (mut program, seed) = self.seeded()?;
        // One lane for each element: a level of lanes for each of its levels, the outermost last.
        let own = values[side.index()].space();
        let mut copies: Vec<LevelId> = Vec::new();
        let mut lanes_of: Vec<String> = Vec::new();
        for level in own.iter().rev() {
            let (level_name, len) = b.with_program(|p| {
                let l = p.level(level);
                (l.name.clone(), l.len)
            });
            let copy = b.level(&level_name, LevelKind::Dense, len);
            let lane = program.fresh_level_name("~");
            program = vmap(&program, &[&seed], &lane)?;
            lanes_of.push(lane);
            copies.insert(0, copy);
        }
        let lanes = Space::from_levels(&copies).unwrap_or(Space::SCALAR);
        let full = own
            .iter()
            .try_fold(lanes, Space::child)
            .ok_or_else(|| crate::primitive::ill_formed("jacobian", "too many levels"))?;
        let seed_value = own
            .iter()
            .zip(&copies)
            .map(|(level, copy)| b.broadcast(same(b, level, *copy), full))
            .fold(Sym::from(1.0), |product, one| product * one);
        let seed_value = b.broadcast(seed_value, full);
        let seed_value = b.sym(b.id(seed_value));
        let mut known = self.levels(&program, &lanes_of, &copies, levels);
        let all = replay(b, &program, &mut known, |name, _| {
            if name == seed {
                return Some(seed_value);
            }
            let v = self.program.find_input(name)?;
            Some(values[v.index()])
        })?;
        let found = program.outputs().iter().zip(&self.outputs);
        found
            .map(|((_, v), of)| self.ordered(b, all[v.index()], *of, values, &copies))
            .collect()
    }

    /// Levels of the program with lanes where the original ones were recorded.
    fn levels(
        &self,
        program: &Program,
        lanes_of: &[String],
        copies: &[LevelId],
        levels: &[Option<LevelId>],
    ) -> Vec<Option<LevelId>> {
        let count = copies.len();
        program
            .levels()
            .iter()
            .map(|level| {
                let lane = lanes_of.iter().position(|name| *name == level.name);
                match lane {
                    Some(k) => Some(copies[count - 1 - k]),
                    None => self
                        .program
                        .find_level(&level.name)
                        .filter(|_| !matches!(level.kind, LevelKind::Ragged { .. }))
                        .and_then(|l| levels[usize::from(l.0)]),
                }
            })
            .collect()
    }

    /// Levels of the output before those of the input.
    fn ordered<'b>(
        &self,
        b: &'b Builder,
        found: Sym<'b>,
        of: ValueId,
        values: &[Sym<'b>],
        copies: &[LevelId],
    ) -> Result<Sym<'b>> {
        let (output, input) = (
            values[of.index()].space(),
            values[self.input.index()].space(),
        );
        let lanes: Vec<LevelId> = copies.to_vec();
        let order: Vec<LevelId> = if self.forward {
            output.iter().chain(lanes).collect()
        } else {
            lanes.into_iter().chain(input.iter()).collect()
        };
        let to = Space::from_levels(&order)
            .ok_or_else(|| crate::primitive::ill_formed("jacobian", "too many levels"))?;
        // A derivative that does not depend on the lanes is zero.
        let full = if self.forward {
            copies
                .iter()
                .copied()
                .chain(output.iter())
                .collect::<Vec<_>>()
        } else {
            order
        };
        let full = Space::from_levels(&full).unwrap_or(to);
        let found = b.broadcast(found, full);
        Ok(permute(b.sym(b.id(found)), to))
    }
}

/// Whether an input has not more elements than an output; unless both are known, whether the output is no scalar.
fn fewer_lanes(program: &Program, input: ValueId, output: ValueId) -> bool {
    let elements = |v: ValueId| {
        let space = program.ty(v).space;
        space
            .iter()
            .map(|l| program.level(l).len)
            .try_fold(1_usize, |n, len| len.map(|len| n.saturating_mul(len)))
    };
    match (elements(input), elements(output)) {
        (Some(columns), Some(rows)) => columns <= rows,
        _ => !program.ty(output).space.is_scalar(),
    }
}

/// 1 where an element of `level` and one of its copy have the same position.
fn same(b: &Builder, level: LevelId, copy: LevelId) -> Sym<'_> {
    let space = |l: LevelId| Space::from_levels(&[l]).unwrap_or(Space::SCALAR);
    let both = space(copy).child(level).unwrap_or(Space::SCALAR);
    let at = |l: LevelId| b.broadcast(b.position(space(l), l), both);
    let equal = at(copy).compare(Compare::Eq, at(level));
    let number = |x: f64| b.broadcast(Sym::from(x), both);
    equal.select(number(1.0), number(0.0))
}
