//! Partial evaluation for a kernel that runs many times: known inputs become constants, constants are folded, rows without effect are dropped.

use std::sync::Arc;

use super::bind::bind;
use super::neutral::{Known, Layout, at, known};
use super::rewrite::translate;
use super::simplify::simplify;
use crate::attr::{Attr, Data};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// The program for fixed values of some inputs: they become constants, everything that follows from constants alone is computed now, and rows of dense or
/// ragged levels that contribute nothing (a term of a sum with a coefficient of exactly 0, a factor of exactly 1) leave with their level.
///
/// A dropped row would have contributed 0·x. Where x is not finite, IEEE arithmetic makes that NaN and the specialised program 0. Sums over fewer terms are
/// associated differently: results agree to rounding, not to the bit. Specialising twice changes nothing more.
///
/// # Errors
/// An unknown input, data of the wrong length or type, or a kernel that fails on the constants.
///
/// # Example
/// ```
/// use pullback_array::{attr::Data, transform, Bindings, Builder, Lowered};
/// let b = Builder::new();
/// let terms = b.dense("terms");
/// let (c, index, x) = (b.input("c", terms), b.constant_i64(&[0, 1, 1, 0], terms), b.input("x", b.dense("parameters")));
/// let y = (c * x.gather(index)).sum_all();
/// let program = b.finish(&[("y", y)]).unwrap();
/// let kernel = transform::specialise(&program, &[("c", Data::F64([2.0, 0.0, 0.5, 0.0].into()))]).unwrap();
/// // Two of four terms are left.
/// assert_eq!(kernel.level(kernel.find_level("terms").unwrap()).len, Some(2));
/// let lowered = Lowered::new(kernel).unwrap();
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[10.0, 100.0]).into()])).unwrap();
/// assert_eq!(ws.scalar(0), 2.0 * 10.0 + 0.5 * 100.0);
/// ```
pub fn specialise(program: &Program, known: &[(&str, Data)]) -> Result<Program> {
    let mut current = simplify(&bind(program, known)?)?;
    // Dropping rows of one level may leave others without effect.
    for _ in 0..=current.levels().len() {
        let Some(smaller) = drop_rows(&current)? else {
            break;
        };
        current = simplify(&smaller)?;
    }
    Ok(current)
}

/// The program without the rows of one level that have no effect, if there is such a level.
fn drop_rows(program: &Program) -> Result<Option<Program>> {
    let layout = Layout::new(program);
    let mut facts = None;
    for k in 0..program.levels().len() {
        let level = LevelId(k as u16);
        if !can_shrink(program, &layout, level) {
            continue;
        }
        let facts = facts.get_or_insert_with(|| known(program, &layout));
        let Some(keep) = rows_kept(program, &layout, facts, level) else {
            continue;
        };
        if keep.iter().any(|k| !k) {
            return shrink(program, &layout, level, &keep).map(Some);
        }
    }
    Ok(None)
}

/// How a node deals with a level.
enum Role {
    /// It does not see it.
    Apart,
    /// It works on each row on its own.
    Inside,
    /// It adds up or multiplies the rows: a row goes if all its elements have this value.
    Reduces(Known),
    /// The level must stay as it is.
    Blocks,
}

fn role(program: &Program, node: &Node, level: LevelId) -> Role {
    let has = |v: ValueId| program.ty(v).space.contains(level);
    let (arg, result) = (node.args.iter().any(|a| has(*a)), node.results().any(has));
    let named = node.attrs.iter().any(|(_, a)| match a {
        Attr::Level(l) => *l == level,
        Attr::Space(s) => s.contains(level),
        _ => false,
    });
    let over = node.attrs.level("over") == Some(level);
    if !arg && !result && !named {
        return Role::Apart;
    }
    let p = node.primitive;
    let name = p.name();
    if p == prim::INPUT {
        return Role::Blocks;
    }
    if p == prim::DATA
        || p.is_elementwise()
        || p == prim::EXPAND
        || p == prim::SPLAT
        || matches!(name, "powi" | "powf" | "polygamma")
    {
        return Role::Inside;
    }
    if p == prim::SUM || p == prim::TOTAL || name == "rows_sum" {
        return if result {
            Role::Inside
        } else {
            Role::Reduces(Known::Zero)
        };
    }
    if name == "prod" {
        return if result {
            Role::Inside
        } else {
            Role::Reduces(Known::One)
        };
    }
    if p == prim::GATHER {
        // Rows of the level that stand in the index, not in the table.
        return if result && !has(node.args[0]) && !over {
            Role::Inside
        } else {
            Role::Blocks
        };
    }
    if p == prim::SCATTER_ADD {
        return if result {
            Role::Blocks
        } else {
            Role::Reduces(Known::Zero)
        };
    }
    Role::Blocks
}

fn can_shrink(program: &Program, layout: &Layout<'_>, level: LevelId) -> bool {
    let l = program.level(level);
    let hangs = |l: &crate::space::Level| matches!(l.kind, LevelKind::Ragged { parent, .. } if parent.contains(level));
    let offsets_are_read = match l.kind {
        LevelKind::Dense => false,
        LevelKind::Ragged { offsets, .. } => {
            program.nodes().iter().any(|n| n.args.contains(&offsets))
                || program.outputs().iter().any(|(_, v)| *v == offsets)
        }
        LevelKind::Stream | LevelKind::Batch => return false,
    };
    !offsets_are_read
        && layout.dim(level).is_some_and(|n| n > 0)
        && !program.levels().iter().any(hangs)
        && !program
            .outputs()
            .iter()
            .any(|(_, v)| program.ty(*v).space.contains(level))
}

/// Which rows of a level must stay; `None` if the level must stay whole.
fn rows_kept(
    program: &Program,
    layout: &Layout<'_>,
    facts: &[Option<Vec<Known>>],
    level: LevelId,
) -> Option<Vec<bool>> {
    let mut keep = vec![false; layout.dim(level)?];
    for node in program.nodes() {
        let wanted = match role(program, node, level) {
            Role::Apart | Role::Inside => continue,
            Role::Blocks => return None,
            Role::Reduces(wanted) => wanted,
        };
        let scatter = node.primitive == prim::SCATTER_ADD;
        let index = scatter
            .then(|| program.node(node.args[1]).attrs.data("data"))
            .flatten();
        // Of a sum of products, one of the factors is enough; its elements stand for those of its rows.
        let factors: &[ValueId] = if scatter { &node.args[..1] } else { &node.args };
        let factors: Vec<ValueId> = factors
            .iter()
            .copied()
            .filter(|a| program.ty(*a).space.contains(level))
            .collect();
        let widest = *factors
            .iter()
            .max_by_key(|a| program.ty(**a).space.depth())?;
        let space = program.ty(widest).space;
        let depth = space.position(level)?;
        for e in 0..layout.elements(&space)? {
            let neutral = factors.iter().any(|a| {
                let own = program.ty(*a).space;
                // The factors of `rows_sum` are m[p, i, q] and x[p, i].
                let e = if own == space {
                    e
                } else {
                    e / layout
                        .below(&space, own.depth().saturating_sub(1))
                        .unwrap_or(1)
                        .max(1)
                };
                at(facts, *a, e) == wanted
            });
            let nowhere = match index {
                Some(Data::I64(d)) => d.get(e).is_some_and(|i| *i < 0),
                _ => false,
            };
            if !neutral && !nowhere {
                keep[layout.row(&space, depth, e)?] = true;
            }
        }
    }
    Some(keep)
}

/// The program with the rows of a level that are kept.
fn shrink(
    program: &Program,
    layout: &Layout<'_>,
    level: LevelId,
    keep: &[bool],
) -> Result<Program> {
    let b = Builder::new();
    let outputs = {
        let mut copy = Shrink {
            b: &b,
            program,
            layout,
            level,
            keep,
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

struct Shrink<'b, 'p> {
    b: &'b Builder,
    program: &'p Program,
    layout: &'p Layout<'p>,
    level: LevelId,
    keep: &'p [bool],
    levels: Vec<Option<LevelId>>,
    map: Vec<Sym<'b>>,
}

impl Shrink<'_, '_> {
    fn new_level(&mut self, old: LevelId) -> LevelId {
        let k = usize::from(old.0);
        if let Some(known) = self.levels[k] {
            return known;
        }
        let level = self.program.level(old);
        let new = match level.kind {
            LevelKind::Ragged { offsets, .. } => self
                .b
                .ragged_by(&level.name, self.map[offsets.index()])
                .last()
                .unwrap_or(old),
            kind => {
                let len = if old == self.level {
                    Some(self.keep.iter().filter(|k| **k).count())
                } else {
                    level.len
                };
                self.b.level(&level.name, kind, len)
            }
        };
        self.levels[k] = Some(new);
        new
    }

    /// The rows that stay of constant data.
    fn filtered(&self, node: &Node, data: &Data) -> Data {
        let space = self.program.ty(node.first).space;
        if let LevelKind::Ragged { offsets, .. } = self.program.level(self.level).kind
            && let (true, Data::I64(d)) = (offsets == node.first, data)
        {
            let mut kept = 0;
            let mut out = vec![0];
            for w in d.windows(2) {
                kept += self.keep[w[0] as usize..w[1] as usize]
                    .iter()
                    .filter(|k| **k)
                    .count() as i64;
                out.push(kept);
            }
            return Data::I64(out.into());
        }
        let Some(k) = space.position(self.level) else {
            return data.clone();
        };
        let stays = |e: &usize| {
            self.layout
                .row(&space, k, *e)
                .is_none_or(|row| self.keep[row])
        };
        let at: Vec<usize> = (0..data.len()).filter(stays).collect();
        match data {
            Data::F64(d) => Data::F64(at.iter().map(|e| d[*e]).collect()),
            Data::I64(d) => Data::I64(at.iter().map(|e| d[*e]).collect()),
            Data::Bool(d) => Data::Bool(at.iter().map(|e| d[*e]).collect()),
        }
    }

    fn run(&mut self) -> Result<()> {
        for node in self.program.nodes() {
            let mut attrs = translate(&node.attrs, |l| self.new_level(l));
            let value = self.program.value(node.first);
            if node.primitive == prim::INPUT {
                let space: Space = attrs.space("to").unwrap_or(value.ty.space);
                let name = self
                    .program
                    .inputs()
                    .iter()
                    .find(|(_, v)| *v == node.first)
                    .map_or("", |(n, _)| n);
                self.map
                    .push(self.b.input_of(name, Type::new(value.ty.dtype, space)));
                continue;
            }
            if value.ty.space.contains(self.level) || value.ty.dtype == DType::Offsets {
                attrs.for_each_mut(|a| {
                    if let Attr::Data(d) = a {
                        *d = self.filtered(node, d);
                    }
                });
            }
            let args: Vec<Sym<'_>> = node.args.iter().map(|a| self.map[a.index()]).collect();
            let results = self.b.labelled(value.label.clone(), || {
                self.b.push(node.primitive, &args, attrs).all(self.b)
            });
            if let Some(error) = self.b.failure() {
                return Err(error);
            }
            self.map.extend(results);
        }
        Ok(())
    }
}
