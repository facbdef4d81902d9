//! The walk over a program that is relaxed.

use std::sync::Arc;

use super::decisions::Decision;
use super::policy::Relaxation;
use super::soft::{Place, Soft, SoftLevel};
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::dependencies;
use crate::prim::{self, cast::CAST};
use crate::primitive::ill_formed;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::transform::surface::{chooses, decides, gathers_what_it_compares, jumps};
use crate::transform::width::inputs_first;
use crate::transform::{prune, upstream_with_structure};
use crate::ty::{DType, Type};

/// The program with decisions that are soft: a mask becomes the degree to which it holds, σ(m/T) of its margin m.
///
/// | consumer | becomes |
/// |---|---|
/// | `and`, `or`, `not`, `xor` | w₁w₂, 1 − (1−w₁)(1−w₂), 1 − w, w₁(1−w₂) + w₂(1−w₁) |
/// | `select`, conversion to a number | w·a + (1−w)·b, w |
/// | filter | the level it was made from, with w as degree of membership; filters of filters, pairs, combinations and cartesian products multiply degrees |
/// | sum, total, fill, contraction along such a level | each element counts w times |
/// | product along such a level | Π (1 + w(x − 1)) |
/// | largest or smallest along such a level, and a number that stands at it | Σ Pᵢ xᵢ / Σ Pᵢ, Pᵢ = wᵢ Π (1 − wⱼ) over those before it: the mean over members that are there independently, given that there is one (that there is one has to be asked beside it) |
/// | a mask at the largest or smallest | Σ Pᵢ xᵢ: false where there is none |
/// | `any`, `all`, `count`, `counts` | 1 − Π(1−w), Π(1 − W(1−w)) with the membership W, Σw, Σw |
/// | comparison of counts | the threshold lies between whole numbers: n ≥ k is σ((n − k + ½)/T) |
/// | fill of a histogram at a bin index | each value spreads over the bins by the distribution function at the edges, σ((eₖ₊₁−x)/T) − σ((eₖ−x)/T) |
///
/// Widths are numbers or inputs of the program, which it then has in addition, after its own. As T → 0 the values are those of the exact program.
///
/// # Differentiability
/// To any order, the widths included. The derivative is that of the relaxed program, not of the exact one: quote results from the exact form.
///
/// # Errors
/// [`Error::Refused`], with name and label, for every other consumer of a degree or of a level with degrees (a sort, another index, an output);
/// nothing stays hard silently: also what decides otherwise (an order that something else is gathered by, `floor`, a region that compares) is refused where the
/// policy takes it. An unknown label; a decision without a width.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Column, Lowered, transform};
/// use transform::{Relaxation, Smoothing, Width, relax};
/// let b = Builder::new();
/// let muons = b.ragged("muons", b.stream("events"));
/// let pt = b.input("pt", muons);
/// let (good, index) = pt.gt(20.0.into()).named("cut").filter("good");
/// let (_, left, right) = b.pairs(good, "pairs");
/// let pt = pt.at(index);
/// let sum = (pt.at(left) + pt.at(right)).sum_all();
/// let program = b.finish(&[("sum", sum)]).unwrap();
/// let policy = Relaxation::all(Smoothing::Sigmoid, Width::input("T"));
/// let lowered = Lowered::new(relax(&program, &policy).unwrap()).unwrap();
/// let mut ws = lowered.workspace();
/// let mut at = |t: f64| {
///     let columns = [Column::Offsets(&[0, 2]), (&[25.0, 21.0]).into(), (&t).into()];
///     lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
///     ws.scalar(0)
/// };
/// assert_eq!(at(1e-3), 46.0);
/// let w = |m: f64| 1.0 / (1.0 + (-m / 2.0).exp());
/// assert!((at(2.0) - w(5.0) * w(1.0) * 46.0).abs() < 1e-13);
/// ```
///
/// # Reference
/// Simpson & Heinrich 2022, "neos: end-to-end-optimised summary statistics for high energy physics", arXiv:2203.05570 (bins by distribution functions, cuts by
/// sigmoids); Petersen et al. 2022, "Learning with algorithmic supervision via continuous relaxations", arXiv:2110.05651 (comparisons as logistic
/// distribution functions).
pub fn relax(program: &Program, policy: &Relaxation) -> Result<Program> {
    for name in policy.labels() {
        let known = |v: &crate::program::Value| v.label.as_deref() == Some(name);
        if !program.values.iter().any(known) {
            let mut known: Vec<&str> = program
                .values
                .iter()
                .filter_map(|v| v.label.as_deref())
                .collect();
            known.dedup();
            return Err(Error::Unknown {
                kind: "decision",
                name: name.into(),
                known: known.join(", "),
            });
        }
    }
    let b = Builder::new();
    let (outputs, _) = walk(&b, program, policy, None)?;
    let mut out = prune(&b.finish_ids(outputs)?)?;
    inputs_first(&mut out, program);
    Ok(out)
}

/// Outputs of the relaxed program, and decisions where `found` asks for them.
type Walked = (Vec<(Arc<str>, ValueId)>, Option<Vec<Decision>>);

/// Records the relaxed program.
pub(super) fn walk(
    b: &Builder,
    program: &Program,
    policy: &Relaxation,
    found: Option<Vec<Decision>>,
) -> Result<Walked> {
    for name in policy.moving_with().unwrap_or_default() {
        crate::transform::differentiable_input(program, name)?;
    }
    let ends = program.outputs().iter().chain(program.inputs());
    let wanted = upstream_with_structure(program, ends.map(|(_, v)| *v));
    let mut r = Rewriter {
        b,
        program,
        policy,
        places: vec![None; program.levels().len()],
        values: Vec::with_capacity(program.value_count()),
        wanted: &wanted,
        invalid: None,
        found,
        moving: Vec::new(),
    };
    for (k, node) in program.nodes().iter().enumerate() {
        let label = program.value(node.first).label.clone();
        if !wanted[k] {
            // Nothing asks for it: it may be refused without harm.
            let nothing = Soft::plain(Sym::from(f64::NAN));
            r.values.extend(node.results().map(|_| nothing));
            continue;
        }
        let results = b.labelled(label, || r.node(node))?;
        if let Some(error) = b.failure() {
            return Err(error);
        }
        r.values.extend(results);
    }
    let outputs = program
        .outputs()
        .iter()
        .map(|(name, v)| Ok((Arc::clone(name), b.id(r.output(name, *v)?))))
        .collect::<Result<Vec<_>>>()?;
    Ok((outputs, r.found))
}

/// The relaxed program while it is recorded.
pub(super) struct Rewriter<'a, 'b> {
    pub b: &'b Builder,
    pub program: &'a Program,
    pub policy: &'a Relaxation,
    pub places: Vec<Option<Place<'b>>>,
    pub values: Vec<Soft<'b>>,
    /// Nodes that matter.
    pub wanted: &'a [bool],
    /// Whether a width so far is none when the program runs; nothing if all are numbers.
    pub invalid: Option<Sym<'b>>,
    /// The decisions that are relaxed, where they are to be listed instead.
    pub found: Option<Vec<Decision>>,
    /// Which values of the relaxed program move with the inputs of the policy, as far as they are known.
    pub moving: Vec<bool>,
}

impl<'b> Rewriter<'_, 'b> {
    pub fn soft(&self, v: ValueId) -> Soft<'b> {
        self.values[v.index()]
    }

    /// Whether the policy takes a decision of hard arguments.
    pub fn takes(&mut self, node: &Node) -> bool {
        let label = self.program.value(node.first).label.as_deref();
        if self.policy.moving_with().is_none() {
            return self.policy.takes_label(label);
        }
        !self.policy.keeps(label) && node.args.iter().any(|v| self.moves(*v))
    }

    /// Whether a value moves with the inputs of the policy.
    fn moves(&mut self, v: ValueId) -> bool {
        let Some(sym) = self.soft(v).value() else {
            return true;
        };
        let Some(id) = sym.value_id() else {
            return false;
        };
        let wrt = self.policy.moving_with().unwrap_or_default();
        let moving = &mut self.moving;
        self.b.with_program(|p| {
            while moving.len() < p.value_count() {
                let k = p.value(ValueId(moving.len() as u32)).node as usize;
                let node = &p.nodes()[k];
                let named = |(name, v): &(Arc<str>, ValueId)| {
                    *v == node.first && wrt.iter().any(|w| w == name)
                };
                let own = node.primitive == prim::INPUT && p.inputs().iter().any(named);
                let any = own || dependencies(p, k).iter().any(|d| moving[d.index()]);
                moving.resize(node.first.index() + node.outputs as usize, any);
            }
        });
        self.moving[id.index()]
    }

    pub fn refuse<T>(&self, node: &Node, message: impl Into<String>) -> Result<T> {
        Err(Error::Refused {
            transform: "relax",
            primitive: node.primitive.name(),
            label: self.program.label_of(node.first),
            message: message.into(),
        })
    }

    /// Where a level is found in the relaxed program.
    pub fn place(&mut self, old: LevelId) -> Result<Place<'b>> {
        let k = usize::from(old.0);
        if let Some(known) = self.places[k] {
            return Ok(known);
        }
        let level = self.program.level(old);
        let new = match level.kind {
            LevelKind::Ragged { offsets, .. } => {
                let Some(offsets) = self.soft(offsets).value() else {
                    // A filter or a combination declared it soft when it made the offsets.
                    return Err(ill_formed(
                        "relax",
                        format!("level `{}` is not known", level.name),
                    ));
                };
                self.b.ragged_by(&level.name, offsets).last().unwrap_or(old)
            }
            kind => self.b.level(&level.name, kind, level.len),
        };
        let place = Place::Same(new);
        self.places[k] = Some(place);
        Ok(place)
    }

    /// The path in the relaxed program: without levels that became nothing.
    pub fn space(&mut self, old: Space) -> Result<Space> {
        let mut out = Space::SCALAR;
        for level in old.iter() {
            if let Some(new) = self.place(level)?.level() {
                out = out
                    .child(new)
                    .ok_or_else(|| ill_formed("relax", "too many levels"))?;
            }
        }
        Ok(out)
    }

    /// The level, if its elements are members to a degree.
    pub fn soft_level(&mut self, level: LevelId) -> Result<Option<SoftLevel<'b>>> {
        Ok(match self.place(level)? {
            Place::Soft(soft) => Some(soft),
            Place::Same(_) => None,
        })
    }

    /// True if a level of the path has elements that are members to a degree.
    pub fn has_soft(&mut self, space: Space) -> Result<bool> {
        for level in space.iter() {
            if self.soft_level(level)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The degree to which the elements of `levels` are members, if any is soft.
    pub fn degree(&mut self, levels: impl Iterator<Item = LevelId>) -> Result<Option<Sym<'b>>> {
        let mut product: Option<Sym<'b>> = None;
        for level in levels {
            if let Some(soft) = self.soft_level(level)? {
                product = Some(match product {
                    None => soft.degree,
                    Some(outer) => outer.broadcast(soft.degree.space()) * soft.degree,
                });
            }
        }
        Ok(product)
    }

    /// Static parameters with the levels of the relaxed program; `None` for a level that became nothing.
    pub fn attrs(&mut self, node: &Node) -> Result<Option<Attrs>> {
        let mut attrs = node.attrs.clone();
        let mut failed = None;
        let mut gone = false;
        attrs.for_each_mut(|a| match a {
            Attr::Level(l) => match self.place(*l) {
                Ok(place) => match place.level() {
                    Some(new) => *l = new,
                    None => gone = true,
                },
                Err(e) => failed = Some(e),
            },
            Attr::Space(s) => match self.space(*s) {
                Ok(new) => *s = new,
                Err(e) => failed = Some(e),
            },
            _ => {}
        });
        match failed {
            Some(e) => Err(e),
            None => Ok((!gone).then_some(attrs)),
        }
    }

    /// Records the node as it is.
    pub fn again(&mut self, node: &Node) -> Result<Vec<Soft<'b>>> {
        let Some(attrs) = self.attrs(node)? else {
            return self.refuse(
                node,
                "it works along a level whose elements are members to a degree",
            );
        };
        let mut args = Vec::new();
        for v in &node.args {
            match self.soft(*v).value() {
                Some(value) => args.push(value),
                None => return self.refuse(node, SOFT),
            }
        }
        let results = self.b.push(node.primitive, &args, attrs).all(self.b);
        Ok(results.into_iter().map(Soft::plain).collect())
    }

    fn input(&mut self, node: &Node) -> Result<Soft<'b>> {
        let ty = self.program.ty(node.first);
        let space = self.space(ty.space)?;
        let listed = |(_, v): &&(Arc<str>, ValueId)| *v == node.first;
        let name = self.program.inputs().iter().find(listed);
        let name = name.map_or("", |(n, _)| n);
        if self.policy.inputs().any(|n| n == name) {
            return Err(Error::Input {
                input: name.into(),
                message: "a width has the name of an input of the program".into(),
            });
        }
        Ok(Soft::plain(
            self.b.input_of(name, Type::new(ty.dtype, space)),
        ))
    }

    fn node(&mut self, node: &Node) -> Result<Vec<Soft<'b>>> {
        let primitive = node.primitive;
        if primitive == prim::INPUT {
            return self.input(node).map(|s| vec![s]);
        }
        if let Some(made) = self.decision(node)? {
            return Ok(vec![made]);
        }
        if let Some(made) = self.structure(node)? {
            return Ok(vec![made]);
        }
        if let Some(made) = self.reduction(node)? {
            return Ok(vec![made]);
        }
        if let Some(made) = self.extreme(node)? {
            return Ok(vec![made]);
        }
        self.no_other_decision(node)?;
        if primitive == CAST {
            return self.cast(node).map(|s| vec![s]);
        }
        if primitive.is_elementwise() {
            return self.again(node);
        }
        self.other(node)
    }

    /// Refuses what decides without a margin that is known here, if the policy takes it: it would stay hard.
    pub(super) fn no_other_decision(&mut self, node: &Node) -> Result<()> {
        let (program, primitive) = (self.program, node.primitive);
        let converts = primitive == CAST
            && program.ty(node.args[0]).dtype == DType::F64
            && program.ty(node.first).dtype == DType::I64;
        let chooses = (chooses(primitive) || primitive == prim::FIND)
            && !is_constant(program, node.args[0])
            && !gathers_what_it_compares(program, self.wanted, node);
        let region = |(_, a): (&str, &Attr)| matches!(a, Attr::Program(p) if decides(p));
        let hidden = converts
            || chooses
            || jumps(primitive)
            || primitive == prim::NEAREST_EDGE
            || node.attrs.iter().any(region);
        if hidden && self.takes(node) {
            return self.refuse(
                node,
                "it decides, and no degree of that is known; give it a label and keep it hard with `Relaxation::hard`",
            );
        }
        Ok(())
    }

    fn cast(&mut self, node: &Node) -> Result<Soft<'b>> {
        let to = node.attrs.dtype("dtype");
        match (self.soft(node.args[0]), to) {
            (Soft::Degree(w), Some(DType::F64)) => Ok(Soft::Plain {
                value: w,
                lattice: true,
            }),
            (Soft::Degree(w), Some(DType::I64)) => Ok(Soft::Count(w)),
            (Soft::Count(n), Some(DType::F64)) => Ok(Soft::Plain {
                value: n,
                lattice: true,
            }),
            (soft, _) if soft.is_plain() && !(soft.is_lattice() && to != Some(DType::F64)) => {
                Ok(self.again(node)?[0])
            }
            _ => self.refuse(node, "a degree or a sum of degrees becomes a double only"),
        }
    }

    /// Everything without a rule: it must not see degrees.
    fn other(&mut self, node: &Node) -> Result<Vec<Soft<'b>>> {
        let program = self.program;
        let mut spaces: Vec<Space> = node.args.iter().map(|v| program.ty(*v).space).collect();
        spaces.extend(node.attrs.space("to"));
        let result = program.ty(node.first).space;
        for space in spaces {
            for level in space.iter() {
                // A level with degrees that stays on the path is not looked at; one that goes would be.
                let along = node.attrs.level("over") == Some(level);
                if (along || !result.contains(level)) && self.soft_level(level)?.is_some() {
                    let name = &program.level(level).name;
                    return self.refuse(
                        node,
                        format!("the elements of `{name}` are members to a degree, and it has no rule for that"),
                    );
                }
            }
        }
        self.again(node)
    }

    /// An output: a value of the same type whose elements are what they were.
    fn output(&mut self, name: &str, v: ValueId) -> Result<Sym<'b>> {
        let program = self.program;
        let refused = |message: String| Error::Refused {
            transform: "relax",
            primitive: program.node(v).primitive.name(),
            label: program.label_of(v),
            message,
        };
        if self.has_soft(program.ty(v).space)? {
            let space = program.space_name(&program.ty(v).space);
            return Err(refused(format!(
                "output `{name}` lives in [{space}], whose elements are members to a degree: sum it first"
            )));
        }
        self.soft(v)
            .value()
            .ok_or_else(|| refused(format!("output `{name}` {SOFT}")))
    }
}

/// A constant, perhaps repeated: the order of its elements is that in which they stand.
fn is_constant(program: &Program, v: ValueId) -> bool {
    let node = program.node(v);
    match node.primitive {
        p if p == prim::EXPAND || p == prim::SPLAT => is_constant(program, node.args[0]),
        p => p == prim::DATA,
    }
}

/// Why a consumer without a rule is refused.
pub(super) const SOFT: &str = "needs a decision that is relaxed, and has no rule for degrees; keep that decision hard with `Relaxation::hard`";
