//! Where NaN and infinities arise, and which of them reach a result.

use pullback_ad::Real;

use super::probe::{Counted, Probe, Reading, is_infinite, is_nan};
use super::report::{Birth, Place, Stage};
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim;
use crate::primitive::Call;
use crate::program::{Node, Program, ValueId};
use crate::space::LevelKind;
use crate::ty::DType;

/// Elements that are NaN or infinite.
fn is_bad(x: Sym<'_>) -> Sym<'_> {
    // Without |x|, which is no value of the program where x is a constant.
    !(x.lt(Sym::from(f64::INFINITY)) & x.gt(Sym::from(f64::NEG_INFINITY)))
}

/// Counts of NaN and infinite elements of every double of a program.
pub(super) fn bad_counts(probe: &mut Probe<'_>, program: &Program) -> Vec<Option<Reading>> {
    let b = probe.b;
    (0..program.value_count() as u32)
        .map(ValueId)
        .map(|v| {
            let double = program.ty(v).dtype == DType::F64;
            double.then(|| probe.count(is_bad(b.sym(v))))
        })
        .collect()
}

/// Nodes whose results are bad while none of their arguments is, or is where the result is.
pub(super) fn candidates(program: &Program, bad: &[usize]) -> Vec<usize> {
    let is_bad = |v: &ValueId| bad[v.index()] > 0;
    program
        .nodes()
        .iter()
        .enumerate()
        .filter(|(_, n)| {
            let passes = [prim::SELECT, prim::EXPAND, prim::SPLAT, prim::INPUT];
            n.results().any(|r| is_bad(&r))
                && !passes.contains(&n.primitive)
                && (n.primitive.is_elementwise()
                    || n.primitive == prim::GATHER
                    || !n.args.iter().any(is_bad))
        })
        .map(|(k, _)| k)
        .collect()
}

/// Elements of each double that reach the results: 1 or 0.
struct Reach<'b> {
    b: &'b Builder,
    weights: Vec<Option<Sym<'b>>>,
}

impl<'b> Reach<'b> {
    /// Walks back from the results. A `select` stops what it does not take; sums, gathers and fills pass on what they take; an operation without elements of
    /// its own passes everything on.
    fn new(b: &'b Builder, program: &Program, results: &[ValueId]) -> Result<Self> {
        let mut reach = Self {
            b,
            weights: vec![None; program.value_count()],
        };
        let ones = |v: ValueId| b.broadcast(Sym::from(1.0), program.ty(v).space);
        for v in results {
            reach.weights[v.index()] = Some(ones(*v));
        }
        for node in program.nodes().iter().rev() {
            // Of several results, what any of them needs: an operation that has them passes everything on.
            let Some(out) = node.results().find_map(|r| reach.weights[r.index()]) else {
                continue;
            };
            for (i, v) in node.args.iter().enumerate() {
                if program.ty(*v).dtype != DType::F64 {
                    continue;
                }
                let passed = passed(b, program, node, i, out)?;
                reach.add(*v, passed.broadcast(program.ty(*v).space));
            }
        }
        Ok(reach)
    }

    fn add(&mut self, v: ValueId, weight: Sym<'b>) {
        let slot = &mut self.weights[v.index()];
        *slot = Some(slot.map_or(weight, |w| w.max(weight)));
    }

    /// Of a mask, the elements that reach the results.
    fn of(&self, v: ValueId, mask: Sym<'b>) -> Option<Sym<'b>> {
        // As a value of the program also where it is 1 for all.
        let b = self.b;
        self.weights[v.index()].map(|w| mask & b.sym(b.id(w)).gt(Sym::from(0.0)))
    }
}

/// The elements of argument `i` through which those of `out` are reached.
fn passed<'b>(
    b: &'b Builder,
    program: &Program,
    node: &Node,
    i: usize,
    out: Sym<'b>,
) -> Result<Sym<'b>> {
    let zero = Sym::from(0.0);
    if node.primitive == prim::SELECT {
        let mask = b.sym(node.args[0]);
        return Ok(if i == 1 {
            mask.select(out, zero)
        } else {
            mask.select(zero, out)
        });
    }
    if node.primitive.is_elementwise() {
        return Ok(out);
    }
    let carriers = [
        prim::SUM,
        prim::TOTAL,
        prim::EXPAND,
        prim::SPLAT,
        prim::GATHER,
        prim::SCATTER_ADD,
    ];
    if !carriers.contains(&node.primitive) {
        return Ok(b.broadcast(Sym::from(1.0), program.ty(node.args[i]).space));
    }
    let args: Vec<Sym<'b>> = node.args.iter().map(|v| b.sym(*v)).collect();
    let outs: Vec<Sym<'b>> = node.results().map(|r| b.sym(r)).collect();
    let call = Call {
        primitive: node.primitive,
        args: &args,
        outs: &outs,
        attrs: &node.attrs,
    };
    let mut linear = vec![false; args.len()];
    linear[i] = true;
    let pulled = node.primitive.transpose(b, &call, &[Some(out)], &linear)?;
    Ok(pulled
        .get(i)
        .copied()
        .flatten()
        .unwrap_or(zero)
        .min(Sym::from(1.0)))
}

/// A birth before its numbers are known.
pub(super) struct Suspect {
    node: usize,
    result: ValueId,
    nan: Reading,
    infinite: Reading,
    reach_value: Option<Reading>,
    reach_derivative: Option<Reading>,
    place: Vec<(String, Reading)>,
    arguments: Vec<Reading>,
}

/// Elements of a result that are born: bad, while no argument is at that element.
fn born<'b>(b: &'b Builder, program: &Program, node: &Node, result: ValueId) -> Sym<'b> {
    let out = b.sym(result);
    let mut mask = is_bad(out);
    if node.primitive.is_elementwise() {
        for v in &node.args {
            if program.ty(*v).dtype == DType::F64 {
                mask = mask & !is_bad(b.sym(*v));
            }
        }
    } else if node.primitive == prim::GATHER {
        let found = b
            .sym(node.args[1])
            .compare(prim::compare::Compare::Lt, b.integer(0));
        mask = mask & found.broadcast(out.space());
    }
    mask
}

/// Records what is to be known about the candidates. `value` is the result, `derivatives` the others.
pub(super) fn suspects<'b>(
    probe: &mut Probe<'b>,
    program: &Program,
    nodes: &[usize],
    value: ValueId,
    derivatives: &[ValueId],
) -> Result<Vec<Suspect>> {
    let b = probe.b;
    let to_value = Reach::new(b, program, &[value])?;
    let to_derivatives = Reach::new(b, program, derivatives)?;
    let mut out = Vec::new();
    let results = nodes.iter().flat_map(|&k| {
        let results = program.nodes()[k].results();
        results.map(move |v| (k, v))
    });
    for (k, v) in results.filter(|(_, v)| program.ty(*v).dtype == DType::F64) {
        let node = &program.nodes()[k];
        let mask = born(b, program, node, v);
        let x = b.sym(v);
        let (nan, infinite) = (mask & is_nan(x), mask & is_infinite(x));
        let mut reading = |m: Option<Sym<'b>>| m.map(|m| probe.count(m));
        let reach_value = reading(to_value.of(v, mask));
        let reach_derivative = reading(to_derivatives.of(v, mask));
        let (nan, infinite) = (probe.count(nan), probe.count(infinite));
        let (place, arguments) = first(probe, program, node, mask);
        out.push(Suspect {
            node: k,
            result: v,
            nan,
            infinite,
            reach_value,
            reach_derivative,
            place,
            arguments,
        });
    }
    Ok(out)
}

/// Where the elements of a mask are, and the arguments there.
fn first<'b>(
    probe: &mut Probe<'b>,
    program: &Program,
    node: &Node,
    mask: Sym<'b>,
) -> (Vec<(String, Reading)>, Vec<Reading>) {
    let b = probe.b;
    let space = mask.space();
    let lanes = space
        .iter()
        .any(|l| program.level(l).kind == LevelKind::Batch);
    let doubles =
        |v: &&ValueId| program.ty(**v).dtype == DType::F64 && program.ty(**v).space == space;
    let arguments: Vec<Sym<'b>> = if node.primitive.is_elementwise() {
        node.args
            .iter()
            .filter(doubles)
            .map(|v| b.sym(*v))
            .collect()
    } else {
        Vec::new()
    };
    if space.is_scalar() {
        let arguments = arguments
            .into_iter()
            .map(|x| probe.value(x + 0.0))
            .collect();
        return (Vec::new(), arguments);
    }
    if lanes {
        return (Vec::new(), Vec::new());
    }
    let (_, index) = mask.filter("born");
    let place = space
        .iter()
        .map(|level| {
            // Along a level that others hang below, the number is that of the ancestor.
            let at = space.position(level).unwrap_or(0) + 1;
            let path = space.prefix(at);
            let number = as_double(b.position(path, level)).broadcast(space);
            let name = program.level(level).name.clone();
            (name, probe.value(number.at(index)))
        })
        .collect();
    let arguments = arguments
        .into_iter()
        .map(|x| probe.value(x.at(index)))
        .collect();
    (place, arguments)
}

fn as_double(x: Sym<'_>) -> Sym<'_> {
    x.cast(DType::F64)
}

impl Suspect {
    /// The birth, if there was one.
    pub fn settle(&self, program: &Program, value: &[bool], counted: &Counted) -> Option<Birth> {
        let node = &program.nodes()[self.node];
        let count = |r: &Option<Reading>| r.map_or(0, |r| counted.count(r));
        let (nan, infinite) = (counted.count(self.nan), counted.count(self.infinite));
        if nan + infinite == 0 {
            return None;
        }
        let first = |r: &Reading| counted.doubles(*r).first().copied();
        let (reach_value, reach_derivative) =
            (count(&self.reach_value), count(&self.reach_derivative));
        let nothing = reach_value + reach_derivative == 0;
        Some(Birth {
            stage: if value[self.node] {
                Stage::Value
            } else {
                Stage::Derivative
            },
            primitive: node.primitive.name(),
            label: program
                .value(self.result)
                .label
                .as_ref()
                .map(ToString::to_string),
            nan,
            infinite,
            reach_value,
            reach_derivative,
            discarded_by: nothing.then(|| select_after(program, self.node)).flatten(),
            place: self
                .place
                .iter()
                .filter_map(|(level, r)| {
                    first(r).map(|number| Place {
                        level: level.clone(),
                        number: number as i64,
                    })
                })
                .collect(),
            arguments: self.arguments.iter().filter_map(first).collect(),
        })
    }
}

/// The first `select` that a node's result meets, by the label of its result or of its mask.
fn select_after(program: &Program, from: usize) -> Option<String> {
    let mut reached = vec![false; program.value_count()];
    program.nodes()[from]
        .results()
        .for_each(|r| reached[r.index()] = true);
    for node in &program.nodes()[from..] {
        if !node.args.iter().any(|v| reached[v.index()]) {
            continue;
        }
        if node.primitive == prim::SELECT {
            let own = program.value(node.first).label.as_ref();
            let label = own.or(program.value(node.args[0]).label.as_ref());
            return Some(label.map_or_else(|| "select".to_owned(), |l| format!("select `{l}`")));
        }
        node.results().for_each(|r| reached[r.index()] = true);
    }
    None
}
