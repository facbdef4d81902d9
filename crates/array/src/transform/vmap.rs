//! Lanes: a program applied to many inputs at once.

use std::sync::Arc;

use super::rebuild::level_of;
use super::rewrite::translate;
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::dependencies;
use crate::prim;
use crate::primitive::{PrimitiveRef, ill_formed};
use crate::program::{Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// A node of a program that is recorded again with lanes: what [`Primitive::vmap`](crate::Primitive::vmap) sees.
pub struct LaneCall<'a, 'b> {
    /// Primitive that is applied.
    pub primitive: PrimitiveRef,
    /// Arguments in the new program.
    pub args: &'a [Sym<'b>],
    /// Which arguments have lanes.
    pub lanes: &'a [bool],
    /// Static parameters, with the levels of the new program but without lanes.
    pub attrs: &'a Attrs,
    /// The level of the lanes: the outermost one of every value that has them.
    pub level: LevelId,
}

impl<'b> LaneCall<'_, 'b> {
    /// `space` with the lanes in front.
    pub fn space(&self, space: Space) -> Result<Space> {
        space.with(0, self.level).ok_or_else(|| {
            ill_formed(
                "vmap",
                format!("more than {} levels", crate::space::MAX_DEPTH),
            )
        })
    }

    /// Argument `i`, repeated along the lanes if it has none.
    pub fn arg(&self, cx: &'b Builder, i: usize) -> Result<Sym<'b>> {
        let arg = self.args[i];
        // Lanes share the structure that does not depend on them.
        if self.lanes[i] || arg.dtype() == DType::Offsets {
            return Ok(arg);
        }
        let space = self.space(arg.space())?;
        Ok(cx.broadcast(arg, space))
    }
}

/// The rule that fits every primitive whose kernel runs over outer levels lane by lane: all arguments get lanes, and so do spaces among the parameters.
pub(crate) fn lane_by_lane<'b>(cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
    let primitive = call.primitive;
    let mut attrs = call.attrs.clone();
    let mut failed = None;
    attrs.for_each_mut(|a| match a {
        Attr::Space(s) => match call.space(*s) {
            Ok(space) => *s = space,
            Err(e) => failed = Some(e),
        },
        Attr::Program(_) => {
            failed = Some(Error::Refused {
                transform: "vmap",
                primitive: primitive.name(),
                label: String::new(),
                message: "it holds a sub-program and states no rule for lanes".into(),
            });
        }
        _ => {}
    });
    if let Some(e) = failed {
        return Err(e);
    }
    // What fills a space from a number needs no lanes of its own.
    let fills = primitive == prim::SPLAT && call.args[0].space().is_scalar();
    // A table without lanes serves all of them, if nothing stands before the level that is read.
    let table = primitive == prim::GATHER
        && !call.lanes[0]
        && attrs.level("over") == call.args[0].space().root();
    let args = (0..call.args.len())
        .map(|i| {
            if fills || (table && i == 0) {
                Ok(call.args[i])
            } else {
                call.arg(cx, i)
            }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(cx.push(primitive, &args, attrs).all(cx))
}

/// The program applied to lanes: each input of `in_axes` gets a new outermost level called `level`, and so does everything that depends on one of them;
/// the rest is computed once for all lanes. Outputs that depend on no lane stay as they are.
///
/// Structure that depends on lanes (a filter on a varied momentum) becomes structure per lane. The number of lanes follows from the inputs.
/// Where the program has a level of that name, the new one is `level_2`.
///
/// # Errors
/// An unknown input; offsets among `in_axes`; more than seven levels; a primitive that refuses by name.
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, transform};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let (x, s) = (b.input("x", b.dense("n")), b.input("s", pullback_array::Space::SCALAR));
/// let y = (x * s).sum_all();
/// let program = b.finish(&[("y", y)]).unwrap();
/// // Three scales at once.
/// let lanes = transform::vmap(&program, &["s"], "scales").unwrap();
/// let lowered = Lowered::new(lanes).unwrap();
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[1.0, 10.0, 100.0]).into()])).unwrap();
/// assert_eq!(ws.f64(0), [3.0, 30.0, 300.0]);
/// ```
pub fn vmap(program: &Program, in_axes: &[&str], level: &str) -> Result<Program> {
    let mut batched = vec![false; program.value_count()];
    for name in in_axes {
        let id = program.find_input(name).ok_or_else(|| Error::Unknown {
            kind: "input",
            name: (*name).into(),
            known: program
                .inputs()
                .iter()
                .map(|(n, _)| n.to_string())
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        if program.ty(id).dtype == DType::Offsets {
            return Err(Error::Refused {
                transform: "vmap",
                primitive: "input",
                label: format!(" ({name})"),
                message: "offsets of an input are the same for all lanes; filter per lane instead"
                    .into(),
            });
        }
        batched[id.index()] = true;
    }
    for (k, node) in program.nodes().iter().enumerate() {
        if node.primitive != prim::INPUT
            && dependencies(program, k).iter().any(|v| batched[v.index()])
        {
            node.results().for_each(|r| batched[r.index()] = true);
        }
    }

    let b = Builder::new();
    let outputs = {
        let lanes = b.level(&program.fresh_level_name(level), LevelKind::Batch, None);
        let mut copy = Copy {
            b: &b,
            program,
            lanes,
            batched: &batched,
            levels: vec![None; program.levels().len()],
            map: Vec::new(),
        };
        copy.run()?;
        program
            .outputs()
            .iter()
            .map(|(name, v)| (Arc::clone(name), b.id(copy.map[v.index()])))
            .collect()
    };
    super::prune(&b.finish_ids(outputs)?)
}

struct Copy<'b, 'p> {
    b: &'b Builder,
    program: &'p Program,
    lanes: LevelId,
    batched: &'p [bool],
    levels: Vec<Option<LevelId>>,
    map: Vec<Sym<'b>>,
}

impl Copy<'_, '_> {
    fn level(&mut self, old: LevelId) -> LevelId {
        level_of(self.b, self.program, &mut self.levels, &self.map, old)
    }

    fn space(&mut self, old: Space) -> Space {
        // Outer levels first: ragged ones are declared below their parents.
        old.map(|l| self.level(l))
    }

    fn run(&mut self) -> Result<()> {
        for (k, node) in self.program.nodes().iter().enumerate() {
            let attrs = translate(&node.attrs, |l| self.level(l));
            let label = self.program.value(node.first).label.clone();
            let batched = self.batched[node.first.index()];
            if node.primitive == prim::INPUT {
                let ty = self.program.ty(node.first);
                let mut space = self.space(ty.space);
                if batched {
                    space = space
                        .with(0, self.lanes)
                        .ok_or_else(|| ill_formed("vmap", "too many levels"))?;
                }
                let name = self
                    .program
                    .inputs()
                    .iter()
                    .find(|(_, v)| *v == node.first)
                    .map_or("", |(n, _)| n);
                self.map
                    .push(self.b.input_of(name, Type::new(ty.dtype, space)));
                continue;
            }
            let args: Vec<Sym<'_>> = node.args.iter().map(|a| self.map[a.index()]).collect();
            let results = self.b.labelled(label, || {
                if batched {
                    let lanes: Vec<bool> =
                        node.args.iter().map(|a| self.batched[a.index()]).collect();
                    let call = LaneCall {
                        primitive: node.primitive,
                        args: &args,
                        lanes: &lanes,
                        attrs: &attrs,
                        level: self.lanes,
                    };
                    node.primitive
                        .vmap(self.b, &call)
                        .map_err(|e| self.place(e, ValueId(node.first.0)))
                } else {
                    Ok(self.b.push(node.primitive, &args, attrs).all(self.b))
                }
            })?;
            if let Some(error) = self.b.failure() {
                return Err(error);
            }
            debug_assert_eq!(results.len(), node.results().len(), "node {k}");
            self.map.extend(results);
        }
        Ok(())
    }

    /// A refusal with the name that the user gave to the value.
    fn place(&self, error: Error, value: ValueId) -> Error {
        match error {
            Error::Refused {
                transform,
                primitive,
                message,
                ..
            } => Error::Refused {
                transform,
                primitive,
                label: self.program.label_of(value),
                message,
            },
            other => other,
        }
    }
}
