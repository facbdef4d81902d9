//! Random well-typed programs over dense, streamed and ragged spaces: what must hold for every program.
//!
//! A program is grown from a list of numbers, each of which makes one choice, so that proptest can shrink it. Primitives come from the registry: one that is
//! added there takes part as soon as its `infer` accepts arguments that are around.

mod support;

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use pullback_ad::isa::Level as Isa;
use pullback_ad::{Binary, Real, Unary};
use pullback_array::attr::{Attr, Attrs};
use pullback_array::region::{Policy, Scan};
use pullback_array::registry::{self, Registry};
use pullback_array::{
    Builder, DType, Flow, Last, LevelId, LevelKind, Owned, PrimitiveRef, Program, Space, Sym, Type,
    check, text, transform,
};
use support::interpreter::{arrays, interpret, interpret_decisions};
use support::{
    STEP, bits, deviation, differentiable, direction, dot, double_bits, double_outputs, names, run,
    run_sized, run_with, tile,
};

/// Choices, one after the other; 0 when there are no more.
struct Choices<'a> {
    list: &'a [u32],
    at: usize,
}

impl Choices<'_> {
    fn below(&mut self, n: usize) -> usize {
        let word = self.list.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        word as usize % n.max(1)
    }

    fn done(&self) -> bool {
        self.at >= self.list.len()
    }

    fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

/// A program with data for its inputs.
struct Case {
    program: Program,
    inputs: Vec<Owned>,
}

struct Grower<'b> {
    b: &'b Builder,
    doubles: Vec<Sym<'b>>,
    masks: Vec<Sym<'b>>,
    /// Integers that count something (not positions for a gather).
    integers: Vec<Sym<'b>>,
    /// Spaces whose last level is ragged.
    ragged: Vec<Space>,
    bins: Space,
    events: Space,
    columns: Space,
}

const EVENTS: usize = 4;
const OFFSETS: [i64; EVENTS + 1] = [0, 2, 2, 3, 6];
const JETS: [i64; EVENTS + 1] = [0, 1, 3, 3, 4];

/// Values that a function takes without leaving its domain.
fn into(x: Sym<'_>, (lo, hi): (f64, f64)) -> Sym<'_> {
    // The derivative of the inverse tangent is accurate far out; that of the logistic function is not.
    x.atan() * ((hi - lo) / std::f64::consts::PI) + 0.5 * (lo + hi)
}

impl<'b> Grower<'b> {
    fn space_of(&self, c: &mut Choices<'_>) -> Space {
        self.doubles[c.below(self.doubles.len())].space()
    }

    /// A double in exactly this space: one that is there, or one that is broadcast.
    fn double_in(&self, c: &mut Choices<'_>, space: Space) -> Sym<'b> {
        let fits: Vec<Sym<'b>> = self
            .doubles
            .iter()
            .copied()
            .filter(|s| s.space().broadcasts_to(&space))
            .collect();
        // Later values more often: depth.
        let k = c.below(fits.len()).max(c.below(fits.len()));
        self.b.broadcast(fits[k], space)
    }

    fn mask_in(&mut self, c: &mut Choices<'_>, space: Space) -> Sym<'b> {
        let (x, y) = (self.double_in(c, space), self.double_in(c, space));
        let op = registry::find(["lt", "le", "gt", "ge", "ne"][c.below(5)]).expect("registered");
        self.b.push(op, &[x, y], Attrs::NONE).first(self.b)
    }

    fn grow(&mut self, c: &mut Choices<'_>) {
        let space = self.space_of(c);
        match c.below(15) {
            0 | 1 => {
                let f = *c.of(Unary::ALL);
                let x = self.double_in(c, space);
                let domain = *c.of(f.domain());
                self.doubles.push(into(x, domain).unary_op(f));
            }
            2 | 3 => {
                let f = *c.of(Binary::ALL);
                let (x, y) = (self.double_in(c, space), self.double_in(c, space));
                let (dx, dy) = *c.of(f.domain());
                let z = if matches!(f, Binary::Add | Binary::Sub) {
                    x.binary_op(f, y)
                } else {
                    into(x, dx).binary_op(f, into(y, dy))
                };
                self.doubles.push(z);
            }
            4 => {
                let mask = self.mask_in(c, space);
                let (x, y) = (self.double_in(c, space), self.double_in(c, space));
                self.masks.push(mask);
                self.doubles.push(mask.select(x, y));
            }
            // Whatever of the registry fits.
            5..=7 => self.any_primitive(c, space),
            8 => {
                // Fill and read back.
                let x = self.double_in(c, self.events);
                let index = self.bin_of(c);
                let filled = x.scatter_add(index, self.bins);
                self.doubles.push(filled);
                let index = found(self.b, self.bin_of(c));
                self.doubles.push(filled.gather(index));
            }
            9 => {
                let depth = c.below(space.depth() + 1);
                let x = self.double_in(c, space);
                self.doubles.push(x.total(space.prefix(depth)));
            }
            10 if self.ragged.len() < 4 => {
                let space = if c.below(3) == 0 {
                    self.events
                } else {
                    *c.of(&self.ragged)
                };
                let mask = self.mask_in(c, space);
                let table = self.double_in(c, space);
                let (kept, index) = mask.filter("kept");
                self.ragged.push(kept);
                self.doubles.push(table.at(index));
            }
            11 if self.ragged.len() < 4 => {
                let from = *c.of(&self.ragged);
                let (x, y) = (self.double_in(c, from), self.double_in(c, from));
                let (pairs, left, right) = self.b.pairs(from, "pairs");
                self.ragged.push(pairs);
                self.doubles.push(x.at(left) * y.at(right));
            }
            12 => {
                let from = *c.of(&self.ragged);
                let (x, by) = (self.double_in(c, from), self.double_in(c, from));
                // A segment without elements has no leading one.
                let leading = x.leading(by);
                self.doubles
                    .push((leading * 0.0).eq(0.0.into()).select(leading, 1.0.into()));
                self.doubles.push(x.at(by.argsort(c.below(2) == 0)));
            }
            13 => {
                let from = *c.of(&self.ragged);
                let number = match c.below(2) {
                    0 => self.b.position(from, from.last().expect("ragged")),
                    _ => self.b.counts(from),
                };
                self.integers.push(number);
                self.doubles.push(number.cast(DType::F64));
            }
            14 => self.scan(c),
            _ => {
                let x = self.double_in(c, space);
                self.doubles.push(x.stop_gradient() * 0.5);
            }
        }
    }

    /// A region of a few operations, along the bins of a table or along the columns of each event.
    fn scan(&mut self, c: &mut Choices<'_>) {
        let (over, lanes) = *c.of(&[(self.columns, self.events), (self.bins, Space::SCALAR)]);
        let (row, carry) = if lanes.is_scalar() {
            (self.b.join(self.bins, self.columns), self.columns)
        } else {
            (self.b.join(self.events, self.columns), self.events)
        };
        let args = [
            self.double_in(c, carry),
            self.double_in(c, row),
            self.double_in(c, Space::SCALAR),
        ];
        let policy = *c.of(&[Policy::Store, Policy::Every(2), Policy::Binomial(1)]);
        let scan = Scan::along(over).lanes(lanes).checkpoint(policy);
        let scan = if c.below(2) == 0 {
            scan.reversed()
        } else {
            scan
        };
        let found = scan.record(self.b, &args[..1], &args[1..2], &args[2..], |_, h, x, w| {
            let mut values = vec![h[0], x[0], w[0]];
            for _ in 0..3 {
                let (a, b) = (*c.of(&values), *c.of(&values));
                values.push(match c.below(4) {
                    0 => {
                        let f = *c.of(Unary::ALL);
                        into(a, *c.of(f.domain())).unary_op(f)
                    }
                    1 => a.lt(b).select(a * 0.5, b),
                    _ => a * b + values[c.below(3)],
                });
            }
            let y = values[values.len() - 1];
            (vec![into(y + h[0], (-1.0, 1.0))], vec![y])
        });
        match found {
            Ok(found) => self
                .doubles
                .extend(found.carries.into_iter().chain(found.ys)),
            Err(e) => self.b.fail(e),
        }
    }

    /// A bin for each event, or none.
    fn bin_of(&mut self, c: &mut Choices<'_>) -> Sym<'b> {
        let x = self.double_in(c, self.events);
        if c.below(2) == 0 {
            return into(x, (-0.9, 2.9)).floor().cast(DType::I64);
        }
        let edges = self
            .b
            .constant_f64(&[-2.0, -0.5, 0.5, 2.0], self.b.dense_of("edges", 4));
        let (flow, last) = (
            *c.of(&[Flow::Drop, Flow::Clamp]),
            *c.of(&[Last::Open, Last::Closed]),
        );
        x.bin_index(edges, flow, last)
    }

    fn any_primitive(&mut self, c: &mut Choices<'_>, space: Space) {
        // Surface terms have no second derivatives. Positions for a gather mean nothing by themselves; inputs and constants need data; the domain of functions is looked after above.
        let usable = |p: &PrimitiveRef| {
            let name = p.name();
            let table = Unary::ALL.iter().any(|f| f.name() == name)
                || Binary::ALL.iter().any(|f| f.name() == name);
            !table
                && !p.convention().contains("start of the block")
                && !matches!(
                    name,
                    "input"
                        | "const"
                        | "data"
                        | "gather"
                        | "scatter_add"
                        | "bin_index"
                        | "nearest_edge"
                        | "surface"
                        | "frozen_mul"
                )
        };
        let list: Vec<PrimitiveRef> = registry::all().into_iter().filter(usable).collect();
        let p = *c.of(&list);
        let levels: Vec<LevelId> = space.iter().collect();
        let mut attrs = vec![
            Attrs::NONE,
            Attrs::NONE.with("n", Attr::Int(c.below(4) as i64 - 1)),
            Attrs::NONE.with("value", Attr::F64(1.5)),
        ];
        for &l in &levels {
            attrs.push(Attrs::over(l));
            attrs.push(Attrs::over(l).with("reverse", Attr::Int(c.below(2) as i64)));
        }
        if p.is_elementwise() {
            attrs.truncate(1);
        }
        let (x, y, mask) = (
            self.double_in(c, space),
            self.double_in(c, space),
            self.mask_in(c, space),
        );
        // Powers and products stay of moderate size.
        let x = into(x, (0.2, 1.8));
        let integers: Vec<Sym<'b>> = self
            .integers
            .iter()
            .copied()
            .filter(|i| i.space() == space)
            .collect();
        let mut tuples = vec![
            vec![x],
            vec![x, y],
            vec![mask],
            vec![mask, mask],
            vec![mask, x, y],
            vec![],
        ];
        tuples.extend(integers.iter().flat_map(|i| [vec![*i], vec![*i, *i]]));
        for l in &levels {
            let k = space.position(*l).expect("on the path");
            let less = self.double_in_without(c, space.without(k));
            tuples.extend(less.map(|less| vec![x, less]));
        }
        let start = c.below(attrs.len());
        for args in &tuples {
            for k in 0..attrs.len() {
                let attrs = &attrs[(start + k) % attrs.len()];
                let types: Vec<Type> = args.iter().map(|a| self.b.ty(*a)).collect();
                let fits = self
                    .b
                    .with_program(|program| p.infer(program, &types, attrs));
                if let Ok(results) = fits.as_deref() {
                    if results.iter().any(|t| !self.well_formed(t.space)) {
                        continue;
                    }
                    for out in self.b.push(p, args, attrs.clone()).all(self.b) {
                        match out.dtype() {
                            DType::F64 => self.doubles.push(out),
                            DType::Bool => self.masks.push(out),
                            DType::I64 => self.integers.push(out),
                            _ => {}
                        }
                    }
                    return;
                }
            }
        }
    }

    fn double_in_without(&self, c: &mut Choices<'_>, space: Space) -> Option<Sym<'b>> {
        self.well_formed(space).then(|| self.double_in(c, space))
    }

    /// The parents of ragged levels stand right before them.
    fn well_formed(&self, space: Space) -> bool {
        self.b.with_program(|p| {
            space
                .iter()
                .enumerate()
                .all(|(k, l)| match p.level(l).kind {
                    LevelKind::Ragged { parent, .. } => {
                        k >= parent.depth()
                            && space
                                .iter()
                                .take(k)
                                .skip(k - parent.depth())
                                .eq(parent.iter())
                    }
                    _ => true,
                })
        })
    }
}

/// The first bin instead of none, so that a gather finds something.
fn found<'b>(b: &'b Builder, index: Sym<'b>) -> Sym<'b> {
    let zero = b.integer(0).broadcast(index.space());
    let ge = registry::find("ge").expect("registered");
    b.push(ge, &[index, zero], Attrs::NONE)
        .first(b)
        .select(index, zero)
}

/// Grows a program from choices.
fn case(list: &[u32]) -> Case {
    let c = &mut Choices { list, at: 0 };
    let b = Builder::new();
    let bins = b.dense_of("bins", 3);
    let columns = b.dense_of("columns", 2);
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let jets = b.ragged("jets", events);
    let table = b.join(bins, columns);
    let hidden = b.join(events, columns);
    let spaces = [
        Space::SCALAR,
        Space::SCALAR,
        bins,
        table,
        events,
        hidden,
        muons,
        muons,
        jets,
    ];
    let mut inputs = vec![
        Owned::Offsets(OFFSETS.to_vec()),
        Owned::Offsets(JETS.to_vec()),
    ];
    let lengths = [1, 1, 3, 6, EVENTS, 2 * EVENTS, 6, 6, 4];
    let doubles: Vec<Sym<'_>> = spaces
        .iter()
        .enumerate()
        .map(|(k, s)| b.input(&format!("x{k}"), *s))
        .collect();
    inputs.extend(
        lengths
            .iter()
            .enumerate()
            .map(|(k, n)| Owned::F64(direction(*n, k as u64 + 1))),
    );
    let outputs = {
        let mut g = Grower {
            b: &b,
            doubles,
            masks: Vec::new(),
            integers: Vec::new(),
            ragged: vec![muons, jets],
            bins,
            events,
            columns,
        };
        while !c.done() {
            g.grow(c);
        }
        let last = g.doubles[g.doubles.len() - 1];
        let mut outputs: Vec<(String, Sym<'_>)> =
            vec![("last".into(), last), ("total".into(), last.sum_all())];
        let others = [
            g.doubles[c.below(g.doubles.len())],
            g.doubles[g.doubles.len() / 2],
        ];
        outputs.extend(
            others
                .iter()
                .enumerate()
                .map(|(k, s)| (format!("other{k}"), *s)),
        );
        outputs.extend(g.masks.last().map(|m| ("mask".to_owned(), *m)));
        outputs.extend(g.integers.last().map(|i| ("integer".to_owned(), *i)));
        outputs
            .into_iter()
            .map(|(n, s)| (n.as_str().into(), b.id(s)))
            .collect()
    };
    if let Some(e) = b.failure() {
        panic!("the grower made an ill-formed program: {e}");
    }
    Case {
        program: b.finish_ids(outputs).expect("well-formed"),
        inputs,
    }
}

/// The part of a program that its outputs need, as text.
fn shown(program: &Program) -> String {
    transform::prune(program).map_or_else(|e| e.to_string(), |p| text::print(&p))
}

/// Any NaN as the same NaN.
fn plain(v: &[Vec<f64>]) -> Vec<Vec<u64>> {
    let one = |x: &f64| if x.is_nan() { f64::NAN } else { *x };
    bits(
        &v.iter()
            .map(|o| o.iter().map(one).collect())
            .collect::<Vec<_>>(),
    )
}

/// Everything that must hold for a program. The error says what does not; a panic is one, too.
fn properties(case: &Case) -> Result<(), String> {
    let hold = std::panic::AssertUnwindSafe(|| all_properties(case));
    std::panic::catch_unwind(hold).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map_or("a panic", String::as_str);
        Err(format!("{message}\n{}", shown(&case.program)))
    })
}

fn all_properties(case: &Case) -> Result<(), String> {
    let Case { program, inputs } = case;
    let fail = |what: &str, detail: String| Err(format!("{what}: {detail}\n{}", shown(program)));
    check::check(program).map_err(|e| e.to_string())?;

    let printed = text::print(program);
    match text::parse(&printed, &Registry::standard()) {
        Ok(parsed) if parsed == *program => {}
        other => return fail("text", format!("{:?}", other.map(|p| text::print(&p)))),
    }

    let values = match run(program, inputs) {
        Ok(values) => values,
        Err(e) => return fail("run", e),
    };
    let mut fragile = false;
    match interpret_decisions(program, &arrays(inputs, &[])) {
        Err(unknown) => return fail("interpreter", format!("{unknown:?}")),
        Ok((_, true)) => fragile = true,
        Ok((reference, false)) => {
            for ((name, _), (found, expected)) in
                program.outputs().iter().zip(values.iter().zip(&reference))
            {
                let d = deviation(found, &expected.reals());
                let close = found
                    .iter()
                    .zip(expected.reals())
                    .all(|(f, e)| (f - e).abs() < 1e-10);
                if d > 1e-9 && !close {
                    return fail(
                        "interpreter",
                        format!(
                            "`{name}` deviates by {d:e}: {found:?}, expected {:?}",
                            expected.reals()
                        ),
                    );
                }
            }
        }
    }

    let simple = transform::simplify(program).map_err(|e| e.to_string())?;
    match run(&simple, inputs) {
        Ok(found) if plain(&found) == plain(&values) => {}
        other => {
            return fail(
                "simplify",
                format!("{other:?}, expected {values:?}\n{}", text::print(&simple)),
            );
        }
    }
    if transform::simplify(&simple).map_err(|e| e.to_string())? != simple {
        return fail("simplify", "twice is more than once".into());
    }

    let many = tile(program, inputs, 200).ok_or("no stream")?;
    let expected = match run_with(program, &many, Isa::current(), 1, 256) {
        Ok(expected) => bits(&expected),
        Err(e) => return fail("blocks", e),
    };
    for (threads, block) in [(2, 512), (8, 4096)] {
        match run_with(program, &many, Isa::current(), threads, block) {
            Ok(found) if bits(&found) == expected => {}
            other => {
                return fail(
                    "blocks",
                    format!(
                        "{threads} threads and blocks of {block} give other bits: {}",
                        other.is_ok()
                    ),
                );
            }
        }
    }

    if !fragile {
        derivatives(case, &values)?;
    }
    lanes(case, &[(1, 1024)])?;
    // The same over many blocks: lanes stand before the stream, which is cut below them.
    let long = Case {
        program: program.clone(),
        inputs: many,
    };
    lanes(&long, &[(1, 256), (2, 512), (8, 4096)])
}

fn derivatives(case: &Case, values: &[Vec<f64>]) -> Result<(), String> {
    let Case { program, inputs } = case;
    let fail = |what: &str, detail: String| Err(format!("{what}: {detail}\n{}", shown(program)));
    let wrt = differentiable(program);
    // A cotangent cannot be given where the program computes the size; those outputs are summed in `total`.
    let given = |(k, _): &(usize, String)| {
        program
            .ty(program.outputs()[*k].1)
            .space
            .iter()
            .all(|l| match program.level(l).kind {
                LevelKind::Ragged { offsets, .. } => {
                    program.node(offsets).primitive.name() == "input"
                }
                _ => true,
            })
    };
    let of: Vec<(usize, String)> = double_outputs(program).into_iter().filter(given).collect();
    let with = |more: &[Vec<f64>]| -> Vec<Owned> {
        inputs
            .iter()
            .cloned()
            .chain(more.iter().map(|d| Owned::F64(d.clone())))
            .collect()
    };
    let directions: Vec<Vec<f64>> = wrt
        .iter()
        .map(|(k, _)| direction(support::length(&inputs[*k]), 50 + *k as u64))
        .collect();
    let cotangents: Vec<Vec<f64>> = of
        .iter()
        .map(|(k, _)| direction(values[*k].len(), 70 + *k as u64))
        .collect();
    let (jvp, vjp) = match (
        transform::jvp(program, &names(&wrt)),
        transform::vjp(program, &names(&of), &names(&wrt)),
    ) {
        (Ok(jvp), Ok(vjp)) => (jvp, vjp),
        (a, b) => return fail("derivative", format!("{:?} {:?}", a.err(), b.err())),
    };
    for (derivative, more) in [(&jvp, &directions), (&vjp, &cotangents)] {
        let inputs = with(more);
        let fused = double_bits(derivative, &inputs, true);
        if fused != double_bits(derivative, &inputs, false) {
            return fail("fusion", "other bits than node by node".into());
        }
    }
    let (forward, backward) = match (run(&jvp, &with(&directions)), run(&vjp, &with(&cotangents))) {
        (Ok(f), Ok(b)) => (f, b),
        (a, b) => return fail("derivative", format!("{:?} {:?}", a.err(), b.err())),
    };
    let all: Vec<(usize, String)> = double_outputs(program);
    let every = &forward[values.len()..];
    let tangents: Vec<Vec<f64>> = of
        .iter()
        .map(|(k, _)| every[all.iter().position(|(j, _)| j == k).expect("a double")].clone())
        .collect();
    let pulled = &backward[values.len()..];
    for primal in [&forward[..values.len()], &backward[..values.len()]] {
        if plain(primal) != plain(values) {
            return fail("derivative", "the value changed".into());
        }
    }
    let sum = |pairs: Vec<(f64, f64)>| {
        pairs
            .into_iter()
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    let (f, size_f) = sum(cotangents
        .iter()
        .zip(tangents)
        .map(|(c, t)| dot(c, &t))
        .collect());
    let (b, size_b) = sum(pulled
        .iter()
        .zip(&directions)
        .map(|(c, v)| dot(c, v))
        .collect());
    let finite = size_f.is_finite() && size_b.is_finite();
    // The magnitudes of the terms do not show what cancelled inside; 1e-13 holds for single primitives.
    if finite && (f - b).abs() > 1e-10 * (size_f + size_b) {
        return fail(
            "dot product",
            format!("<ct, jvp> = {f:e}, <vjp, v> = {b:e}"),
        );
    }
    let mut step = vec![None; inputs.len()];
    for ((k, _), v) in wrt.iter().zip(&directions) {
        step[*k] = Some(v.iter().map(|x| x * STEP).collect());
    }
    let reference = interpret(program, &arrays(inputs, &step)).map_err(|u| format!("{u:?}"))?;
    for ((k, name), found) in all.iter().zip(every) {
        let expected: Vec<f64> = reference[*k].num().iter().map(|z| z.im / STEP).collect();
        let d = deviation(found, &expected);
        // Saturated functions lose relative precision, to a stated absolute one: 1 − σ is 0 long before it should be.
        let close = found
            .iter()
            .zip(&expected)
            .all(|(f, e)| (f - e).abs() < 1e-9);
        if d > 1e-8 && !close && expected.iter().all(|x| x.is_finite()) {
            return fail(
                "complex step",
                format!("`{name}` deviates by {d:e}: {found:?}, expected {expected:?}"),
            );
        }
    }
    Ok(())
}

/// `vmap` over a scalar and the muons against a loop over the lanes; every cut (threads, elements per block) must give the same bits.
fn lanes(case: &Case, cuts: &[(usize, usize)]) -> Result<(), String> {
    const LANES: usize = 2;
    let Case { program, inputs } = case;
    let fail = |detail: String| Err(format!("vmap: {detail}\n{}", shown(program)));
    // One scalar and the muons.
    let axes = ["x0", "x6"];
    let batched = match transform::vmap(program, &axes, "lanes") {
        Ok(batched) => batched,
        Err(e) => return fail(e.to_string()),
    };
    let lane = |l: usize| -> Vec<Owned> {
        let moved = |k: usize| match &inputs[k] {
            Owned::F64(d) => Owned::F64(d.iter().map(|x| x * (1.0 + 0.1 * l as f64)).collect()),
            other => other.clone(),
        };
        (0..inputs.len())
            .map(|k| {
                if axes.contains(&&*program.inputs()[k].0) {
                    moved(k)
                } else {
                    inputs[k].clone()
                }
            })
            .collect()
    };
    let each: Vec<Vec<Owned>> = (0..LANES).map(lane).collect();
    let stacked: Vec<Owned> = (0..inputs.len())
        .map(|k| {
            if axes.contains(&&*program.inputs()[k].0) {
                Owned::F64(
                    each.iter()
                        .flat_map(|l| support::doubles(&l[k]).to_vec())
                        .collect(),
                )
            } else {
                inputs[k].clone()
            }
        })
        .collect();
    let mut all = Vec::new();
    for &(threads, block) in cuts {
        let sizes = [("lanes", LANES)];
        match run_sized(&batched, &stacked, Isa::current(), threads, block, &sizes) {
            Ok(found) => all.push(found),
            Err(e) => return fail(format!("{e}\n{}", text::print(&batched))),
        }
    }
    let found = all.swap_remove(0);
    for (other, cut) in all.iter().zip(&cuts[1..]) {
        if bits(other) != bits(&found) {
            return fail(format!(
                "{cut:?} (threads, block) gives other bits than {:?}\n{}",
                cuts[0],
                text::print(&batched)
            ));
        }
    }
    let mut expected = Vec::new();
    for l in &each {
        expected.push(run(program, l)?);
    }
    for (k, (name, v)) in batched.outputs().iter().enumerate() {
        let root = batched.ty(*v).space.root();
        let has_lanes = root.is_some_and(|l| batched.level(l).kind == LevelKind::Batch);
        let loop_: Vec<f64> = if has_lanes {
            expected.iter().flat_map(|l| l[k].clone()).collect()
        } else {
            expected[0][k].clone()
        };
        if found[k].len() != loop_.len() || deviation(&found[k], &loop_) > 1e-13 {
            return fail(format!(
                "`{name}` is {:?}, the loop gives {loop_:?}\n{}",
                found[k],
                text::print(&batched)
            ));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40), failure_persistence: None,
        // The same programs every time; `fuzz` is for new ones.
        rng_seed: proptest::test_runner::RngSeed::Fixed(2), ..ProptestConfig::default() })]

    #[test]
    fn all_properties_hold(list in proptest::collection::vec(any::<u32>(), 20..160)) {
        properties(&case(&list)).map_err(TestCaseError::fail)?;
    }
}

/// Second derivatives made in different ways, and lanes of gradients.
fn compositions(case: &Case) -> Result<(), String> {
    let Case { program, inputs } = case;
    let fail = |what: &str, detail: String| Err(format!("{what}: {detail}\n{}", shown(program)));
    match interpret_decisions(program, &arrays(inputs, &[])) {
        Ok((_, false)) => {}
        _ => return Ok(()),
    }
    let wrt = differentiable(program);
    let names = names(&wrt);
    let gradient =
        transform::value_and_grad(program, "total", &names).map_err(|e| e.to_string())?;
    let hvp = transform::hvp(program, "total", &names).map_err(|e| e.to_string())?;
    let grads: Vec<String> = names.iter().map(|x| format!("grad_{x}")).collect();
    let grads: Vec<&str> = grads.iter().map(String::as_str).collect();
    // Reverse over reverse.
    let twice = transform::vjp(&gradient, &grads, &names).map_err(|e| e.to_string())?;
    let vectors = |seed: u64| -> Vec<Vec<f64>> {
        wrt.iter()
            .map(|(k, _)| direction(support::length(&inputs[*k]), seed + *k as u64))
            .collect()
    };
    let with = |more: &[Vec<f64>]| -> Vec<Owned> {
        let more = more.iter().map(|d| Owned::F64(d.clone()));
        inputs.iter().cloned().chain(more).collect()
    };
    let (u, v) = (vectors(50), vectors(90));
    let forward = match run(&hvp, &with(&v)) {
        Ok(forward) => forward,
        Err(e) => return fail("hvp", e),
    };
    let backward = match run(&twice, &with(&u)) {
        Ok(backward) => backward[1 + names.len()..].to_vec(),
        Err(e) => return fail("reverse over reverse", e),
    };
    let sum = |a: &[Vec<f64>], b: &[Vec<f64>]| {
        a.iter().zip(b).fold((0.0, 0.0), |(s, m), (a, b)| {
            let (x, y) = dot(a, b);
            (s + x, m + y)
        })
    };
    let ((a, size_a), (b, size_b)) = (sum(&u, &forward), sum(&v, &backward));
    if size_a.is_finite() && size_b.is_finite() && (a - b).abs() > 1e-8 * (size_a + size_b) {
        return fail(
            "second order",
            format!("<u, H v> = {a:e}, <H u, v> = {b:e}"),
        );
    }
    // Against the complex step of the gradient.
    let mut step = vec![None; inputs.len()];
    for ((k, _), v) in wrt.iter().zip(&v) {
        step[*k] = Some(v.iter().map(|x| x * STEP).collect());
    }
    let reference = interpret(&gradient, &arrays(inputs, &step)).map_err(|u| format!("{u:?}"))?;
    for (found, e) in forward.iter().zip(&reference[1..]) {
        let e: Vec<f64> = e.num().iter().map(|z| z.im / STEP).collect();
        let close = found.iter().zip(&e).all(|(f, e)| (f - e).abs() < 1e-7);
        if deviation(found, &e) > 1e-6 && !close && e.iter().all(|x| x.is_finite()) {
            return fail(
                "complex step of the gradient",
                format!("{found:?}, expected {e:?}"),
            );
        }
    }
    lanes(
        &Case {
            program: gradient,
            inputs: inputs.clone(),
        },
        &[(1, 1024), (2, 256)],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(20), failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn compositions_agree(list in proptest::collection::vec(any::<u32>(), 10..60)) {
        compositions(&case(&list)).map_err(TestCaseError::fail)?;
    }
}

/// The same with programs from a counter: a few by default, as long as `PULLBACK_FUZZ_SECONDS` says.
#[test]
fn fuzz() {
    let seconds: Option<f64> = std::env::var("PULLBACK_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    // New programs each time it runs for long; the seed of a failure is in its message.
    let first = seconds.map_or(1, |_| {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(1, |d| d.as_secs() << 20)
    });
    let (start, mut seed) = (Instant::now(), first);
    let more = |seed: u64| match seconds {
        Some(s) => start.elapsed() < Duration::from_secs_f64(s),
        None => seed < first + 8,
    };
    while more(seed) {
        let list: Vec<u32> = direction(20 + (seed % 200) as usize, seed)
            .iter()
            .map(|x| (x.to_bits() >> 20) as u32)
            .collect();
        if let Err(e) = properties(&case(&list)) {
            panic!("seed {seed}: {e}");
        }
        seed += 1;
    }
    eprintln!("{} programs", seed - first);
}
