//! A well-typed program from a list of numbers.

use pullback_ad::{Binary, Real, Unary};
use pullback_array::attr::{Attr, Attrs};
use pullback_array::region::{Policy, Scan};
use pullback_array::{
    Builder, DType, Flow, Last, LevelId, LevelKind, Owned, PrimitiveRef, Program, Space, Sym, Type,
    registry,
};

use crate::support::direction;

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
pub struct Case {
    pub program: Program,
    pub inputs: Vec<Owned>,
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
pub fn case(list: &[u32]) -> Case {
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
