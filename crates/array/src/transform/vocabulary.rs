//! The words for derivatives that are made of others: gradients with values, products with Hessians, Jacobians, Hessians.

use std::sync::Arc;

use super::{forward, grad, jvp, names, prune, replay, vjp, vmap};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::prim::compare::Compare;
use crate::prim::permute::permute;
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};

/// The program with some of its outputs, under other names.
fn with_outputs(program: &Program, outputs: &[(String, String)]) -> Result<Program> {
    let mut out = program.clone();
    out.outputs = outputs
        .iter()
        .map(|(old, new)| {
            let v = program.find_output(old).ok_or_else(|| Error::Unknown {
                kind: "output",
                name: old.clone(),
                known: listed(program.outputs()),
            })?;
            Ok((Arc::from(new.as_str()), v))
        })
        .collect::<Result<_>>()?;
    prune(&out)
}

fn listed(list: &[(Arc<str>, ValueId)]) -> String {
    list.iter()
        .map(|(n, _)| n.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The program of a scalar output and its gradient, and of nothing else: outputs are `of`, and `grad_x` for each input `x` of `wrt`
/// (`grad2_x` where `of` has such a name).
///
/// # Errors
/// As for [`grad`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let program = b.finish(&[("y", (x * x).sum_all()), ("other", x + 1.0)])?;
/// let both = transform::value_and_grad(&program, "y", &["x"])?;
/// assert_eq!(both.outputs().len(), 2);
/// let lowered = Lowered::new(both)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into()]))?;
/// assert_eq!((ws.scalar(0), ws.f64(1)), (5.0, &[2.0, 4.0][..]));
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn value_and_grad(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let part = with_outputs(program, &[(of.to_owned(), of.to_owned())])?;
    // Outputs of the part are the value, then the gradient.
    grad(&part, of, wrt)
}

/// The gradient alone, with outputs `grad_x`.
fn gradient(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let mut out = value_and_grad(program, of, wrt)?;
    out.outputs.remove(0);
    for ((name, _), x) in out.outputs.iter_mut().zip(wrt) {
        *name = Arc::from(format!("grad_{x}"));
    }
    prune(&out)
}

/// The program of the Hessian of a scalar output times a vector: for each input `x` of `wrt` one more input `d_x` (`d2_x` where such
/// a name is [taken](super)), outputs are `hvp_x`.
///
/// ```text
/// hvp = H v,   forward over reverse: no Hessian is formed
/// ```
///
/// # Errors
/// As for [`grad`] and [`jvp`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let program = b.finish(&[("y", (x * x * x).sum_all())])?;
/// let lowered = Lowered::new(transform::hvp(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[1.0, 10.0]).into()]))?;
/// assert_eq!(ws.f64(0), [6.0, 120.0]);
/// # Ok::<(), pullback_array::Error>(())
/// ```
///
/// Reference: B. Pearlmutter, Neural Computation 6 (1994) 147.
pub fn hvp(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let gradient = gradient(program, of, wrt)?;
    let word = names::of_tangents(&gradient, wrt)?;
    let names: Vec<(String, String)> = wrt
        .iter()
        .map(|x| (format!("{word}_grad_{x}"), format!("hvp_{x}")))
        .collect();
    with_outputs(&jvp(&gradient, wrt)?, &names)
}

/// The program of the dense Jacobian of an output: outputs are `jac_of_x` for each input `x` of `wrt`.
///
/// ```text
/// J[o, i] = ∂ of[o] / ∂ x[i]
/// ```
///
/// Forward or reverse, whichever has fewer lanes: as many as `x` has elements, or the output. Where a length is not known before a run, it is reverse for a
/// scalar output and forward otherwise.
///
/// Shape: the levels of the output, then those of `x`, copied where the output has them too or their lanes are made: `n_1` of `n`. Copies whose length no input
/// tells are bound at each run by `Bindings::size`.
///
/// # Errors
/// An output or input in a stream or a ragged level (their Jacobian is not dense), more levels than a path can have; as for [`jvp`] and [`vjp`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let (n, m) = (b.dense_of("n", 2), b.dense_of("m", 3));
/// let (x, a) = (b.input("x", n), b.input("a", b.join(m, n)));
/// let program = b.finish(&[("y", (a * x).sum_last() * x.sum_all())])?;
/// let lowered = Lowered::new(transform::jacobian(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 1.0]).into(), (&a).into()]))?;
/// assert_eq!(ws.f64(0), [5.0, 7.0, 13.0, 15.0, 21.0, 23.0]);
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn jacobian(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    assemble(program, &[of], wrt, false, |_, x| {
        format!("jac_{of}_{}", wrt[x])
    })
}

/// The program of the dense Hessian of a scalar output: outputs are `hess_x_y` for all inputs `x`, `y` of `wrt`.
///
/// Forward over reverse, lanes for the elements of `y`: one gradient, and one forward transform of it for each `y`. For a likelihood with many parameters and layers see [`HessianPlan`](super::HessianPlan), which costs
/// less.
///
/// Shape: the levels of `x`, then those of `y`, copied: `n`, `n_1`.
///
/// # Errors
/// As for [`jacobian`] and [`grad`].
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// let b = Builder::new();
/// let x = b.input("x", b.dense_of("n", 2));
/// let program = b.finish(&[("y", x.sum_all() * (x * x).sum_all())])?;
/// let lowered = Lowered::new(transform::hessian(&program, "y", &["x"])?)?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into()]))?;
/// assert_eq!(ws.f64(0), [10.0, 6.0, 6.0, 14.0]); // 2 (xᵢ + xⱼ) + 2 δᵢⱼ Σx
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn hessian(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let gradient = gradient(program, of, wrt)?;
    let of: Vec<String> = wrt.iter().map(|x| format!("grad_{x}")).collect();
    let of: Vec<&str> = of.iter().map(String::as_str).collect();
    assemble(&gradient, &of, wrt, true, |x, y| {
        format!("hess_{}_{}", wrt[x], wrt[y])
    })
}

/// Jacobians of several outputs as one program: by forward transforms if `forward` says so, otherwise (of one output) by what has fewer lanes. `name` gets the
/// positions of the output and of the input.
fn assemble(
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
