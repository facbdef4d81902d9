//! A reference interpreter: plain loops over coordinates, one primitive after the other, over complex numbers.
//!
//! It knows nothing of blocks, slots, lanes or derivative rules. With inputs x + i·h·v its outputs carry the derivative along v in their imaginary
//! parts; with real inputs it is an independent evaluation of the program.

use std::cell::Cell;
use std::collections::HashMap;

use pullback_array::{DType, Level, LevelId, LevelKind, Node, Owned, Program, Space, ValueId};

use super::complex::{self, C, c};

/// Elements of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    Num(Vec<C>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

impl Array {
    pub fn num(&self) -> &[C] {
        match self {
            Self::Num(d) => d,
            _ => panic!("expected numbers, found {self:?}"),
        }
    }

    pub fn int(&self) -> &[i64] {
        match self {
            Self::Int(d) => d,
            _ => panic!("expected integers, found {self:?}"),
        }
    }

    pub fn bool(&self) -> &[bool] {
        match self {
            Self::Bool(d) => d,
            _ => panic!("expected a mask, found {self:?}"),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Num(d) => d.len(),
            Self::Int(d) => d.len(),
            Self::Bool(d) => d.len(),
        }
    }

    /// As doubles.
    pub fn reals(&self) -> Vec<f64> {
        match self {
            Self::Num(d) => d.iter().map(|z| z.re).collect(),
            Self::Int(d) => d.iter().map(|i| *i as f64).collect(),
            Self::Bool(d) => d.iter().map(|m| f64::from(*m)).collect(),
        }
    }

    /// Picks elements; `None` gives the missing value of a gather.
    fn pick(&self, at: impl Iterator<Item = Option<usize>>) -> Self {
        match self {
            Self::Num(d) => Self::Num(at.map(|k| k.map_or(c(f64::NAN, 0.0), |k| d[k])).collect()),
            Self::Int(d) => Self::Int(at.map(|k| k.map_or(-1, |k| d[k])).collect()),
            Self::Bool(d) => Self::Bool(at.map(|k| k.is_some_and(|k| d[k])).collect()),
        }
    }
}

/// Coordinates of an element: one index per level, counted within its parent.
pub type Coordinates = Vec<usize>;

/// A program with values.
pub struct Interpreter<'a> {
    pub program: &'a Program,
    pub dims: HashMap<LevelId, usize>,
    pub values: Vec<Option<Array>>,
    fragile: Cell<bool>,
}

/// What could not be interpreted.
#[derive(Debug)]
pub struct Unknown(pub String);

/// Evaluates a program: the values of its outputs. `Err` names a primitive that the interpreter does not know.
pub fn interpret(program: &Program, inputs: &[Array]) -> Result<Vec<Array>, Unknown> {
    interpret_decisions(program, inputs).map(|(values, _)| values)
}

/// [`interpret`], and whether a decision hung on the last digits: then an evaluation with other roundings may decide otherwise.
pub fn interpret_decisions(
    program: &Program,
    inputs: &[Array],
) -> Result<(Vec<Array>, bool), Unknown> {
    interpret_inside(program, inputs, &HashMap::new())
}

/// [`interpret_decisions`] with lengths that are known from outside.
pub fn interpret_inside(
    program: &Program,
    inputs: &[Array],
    dims: &HashMap<LevelId, usize>,
) -> Result<(Vec<Array>, bool), Unknown> {
    let mut it = Interpreter {
        program,
        dims: dims.clone(),
        values: vec![None; program.value_count()],
        fragile: Cell::new(false),
    };
    it.run(inputs)?;
    let values = program
        .outputs()
        .iter()
        .map(|(_, v)| it.get(*v).clone())
        .collect();
    Ok((values, it.fragile.get()))
}

/// The columns of a sample as arrays; `step[k]`, if given, is the imaginary part of input `k`.
pub fn arrays(inputs: &[Owned], step: &[Option<Vec<f64>>]) -> Vec<Array> {
    inputs
        .iter()
        .enumerate()
        .map(|(k, column)| match column {
            Owned::F64(d) => {
                let im = step.get(k).and_then(Option::as_ref);
                Array::Num(
                    d.iter()
                        .enumerate()
                        .map(|(i, x)| c(*x, im.map_or(0.0, |v| v[i])))
                        .collect(),
                )
            }
            Owned::F32(d) => Array::Num(d.iter().map(|x| C::from(f64::from(*x))).collect()),
            Owned::I64(d) | Owned::Offsets(d) => Array::Int(d.clone()),
            Owned::I32(d) => Array::Int(d.iter().map(|x| i64::from(*x)).collect()),
            Owned::U64(d) => Array::Int(d.iter().map(|x| *x as i64).collect()),
            Owned::Bool(d) => Array::Bool(d.clone()),
        })
        .collect()
}

impl<'a> Interpreter<'a> {
    pub fn get(&self, v: ValueId) -> &Array {
        self.values[v.index()]
            .as_ref()
            .expect("arguments come before uses")
    }

    fn level(&self, l: LevelId) -> &'a Level {
        self.program.level(l)
    }

    /// Number of children of the element at `at` along `path`, whose next level is `level`.
    fn children(&self, path: &Space, at: &[usize], level: LevelId) -> usize {
        match self.level(level).kind {
            LevelKind::Ragged { parent, offsets } => {
                let local: Vec<usize> = parent
                    .iter()
                    .map(|l| {
                        at[path
                            .position(l)
                            .expect("the parent's levels are on the path")]
                    })
                    .collect();
                let p = self.flat(&parent)[&local];
                let offsets = self.get(offsets).int();
                (offsets[p + 1] - offsets[p]) as usize
            }
            _ => *self.dims.get(&level).unwrap_or_else(|| {
                panic!(
                    "the length of level `{}` is not known",
                    self.level(level).name
                )
            }),
        }
    }

    /// Coordinates of the elements of a space, in order.
    pub fn coordinates(&self, space: &Space) -> Vec<Coordinates> {
        let mut all = vec![Vec::new()];
        let mut path = Space::SCALAR;
        for level in space.iter() {
            let mut next = Vec::new();
            for at in &all {
                for i in 0..self.children(&path, at, level) {
                    let mut at = at.clone();
                    at.push(i);
                    next.push(at);
                }
            }
            all = next;
            path = path.child(level).expect("depth");
        }
        all
    }

    pub fn flat(&self, space: &Space) -> HashMap<Coordinates, usize> {
        self.coordinates(space)
            .into_iter()
            .enumerate()
            .map(|(k, at)| (at, k))
            .collect()
    }

    fn run(&mut self, inputs: &[Array]) -> Result<(), Unknown> {
        for (k, level) in self.program.levels().iter().enumerate() {
            if let Some(n) = level.len {
                self.dims.insert(LevelId(k as u16), n);
            }
        }
        // Offsets first: they tell lengths and are needed to count.
        let mut order: Vec<(usize, ValueId)> = self
            .program
            .inputs()
            .iter()
            .enumerate()
            .map(|(k, (_, v))| (k, *v))
            .collect();
        order.sort_by_key(|(_, v)| self.program.ty(*v).dtype != DType::Offsets);
        for (k, v) in order {
            let array = &inputs[k];
            let ty = self.program.ty(v);
            let len = array.len() - usize::from(ty.dtype == DType::Offsets);
            let unknown: Vec<LevelId> = ty
                .space
                .iter()
                .filter(|l| {
                    !self.dims.contains_key(l)
                        && !matches!(self.level(*l).kind, LevelKind::Ragged { .. })
                })
                .collect();
            self.values[v.index()] = Some(array.clone());
            if let [level] = unknown[..] {
                // With one element along the unknown level; ragged levels below a stream are counted with it.
                let ragged_root = ty.space.iter().any(|l| match self.level(l).kind {
                    LevelKind::Ragged { parent, .. } => parent.contains(level),
                    _ => false,
                });
                assert!(
                    !ragged_root,
                    "offsets come first and tell the length of the parent"
                );
                self.dims.insert(level, 1);
                let one = self.coordinates(&ty.space).len();
                self.dims.insert(level, len.checked_div(one).unwrap_or(0));
            }
        }
        for node in self.program.nodes() {
            if node.primitive.name() == "input" {
                assert!(
                    self.values[node.first.index()].is_some(),
                    "an input without a column"
                );
                continue;
            }
            let results = self
                .apply(node)
                .ok_or_else(|| Unknown(node.primitive.name().to_owned()))?;
            for (v, array) in node.results().zip(results) {
                self.values[v.index()] = Some(array);
            }
        }
        Ok(())
    }

    fn apply(&self, node: &Node) -> Option<Vec<Array>> {
        let name = node.primitive.name();
        let arg = |i: usize| self.get(node.args[i]);
        let space = |i: usize| self.program.ty(node.args[i]).space;
        let out = self.program.ty(node.first);
        let attrs = &node.attrs;
        let one = |a: Array| Some(vec![a]);
        self.note_decision(node);
        if let Some(found) = self.structure(node) {
            return one(found);
        }
        if node.attrs.program("body").is_some() {
            return self.region(node);
        }
        if let Some(found) = self.matrices(node) {
            return Some(found);
        }
        match name {
            "const" => one(Array::Num(vec![C::from(attrs.f64("value")?)])),
            "data" => one(match attrs.data("data")? {
                pullback_array::attr::Data::F64(d) => {
                    Array::Num(d.iter().map(|x| C::from(*x)).collect())
                }
                pullback_array::attr::Data::I64(d) => Array::Int(d.to_vec()),
                pullback_array::attr::Data::Bool(d) => Array::Bool(d.to_vec()),
            }),
            "splat" => {
                let from = self.flat(&space(0));
                let depth = space(0).depth();
                one(arg(0).pick(
                    self.coordinates(&out.space)
                        .iter()
                        .map(|at| Some(from[&at[..depth]])),
                ))
            }
            "expand" => {
                let k = out.space.position(attrs.level("over")?)?;
                let from = self.flat(&space(0));
                one(
                    arg(0).pick(self.coordinates(&out.space).into_iter().map(|mut at| {
                        at.remove(k);
                        Some(from[&at])
                    })),
                )
            }
            "stack" => {
                let to = self.coordinates(&out.space);
                let mut elements = Vec::with_capacity(to.len());
                for mut at in to {
                    let k = at.pop().expect("a last level");
                    elements.push(arg(k).num()[self.flat(&space(k))[&at]]);
                }
                one(Array::Num(elements))
            }
            "element" => {
                let (from, k) = (self.flat(&space(0)), attrs.int("k")? as usize);
                one(
                    arg(0).pick(self.coordinates(&out.space).into_iter().map(|mut at| {
                        at.push(k);
                        Some(from[&at])
                    })),
                )
            }
            "permute" => {
                let (from, to) = (space(0), out.space);
                let places = self.flat(&from);
                one(arg(0).pick(self.coordinates(&to).into_iter().map(|at| {
                    let old: Vec<usize> = from
                        .iter()
                        .map(|l| at[to.position(l).expect("the same levels")])
                        .collect();
                    Some(places[&old])
                })))
            }
            "sum" | "total" => {
                let over = attrs.level("over").filter(|_| name == "sum");
                let k = over.and_then(|l| space(0).position(l));
                let to = self.flat(&out.space);
                let mut sums = vec![C::from(0.0); to.len()];
                for (mut at, x) in self.coordinates(&space(0)).into_iter().zip(arg(0).num()) {
                    match k {
                        Some(k) => drop(at.remove(k)),
                        None => at.truncate(out.space.depth()),
                    }
                    let s = &mut sums[to[&at]];
                    *s = *s + *x;
                }
                one(Array::Num(sums))
            }
            "gather" => {
                let at = self.positions(node.args[1], attrs.level("over")?, &space(0));
                one(arg(0).pick(at.into_iter()))
            }
            "scatter_add" => {
                let to = attrs.space("to")?;
                let at = self.positions(node.args[1], attrs.level("over")?, &to);
                let mut sums = vec![C::from(0.0); self.coordinates(&to).len()];
                for (k, x) in at.into_iter().zip(arg(0).num()) {
                    if let Some(k) = k {
                        sums[k] = sums[k] + *x;
                    }
                }
                one(Array::Num(sums))
            }
            "select" => {
                let mask = arg(0).bool();
                one(match (arg(1), arg(2)) {
                    (Array::Num(a), Array::Num(b)) => Array::Num(
                        (0..mask.len())
                            .map(|i| if mask[i] { a[i] } else { b[i] })
                            .collect(),
                    ),
                    (Array::Int(a), Array::Int(b)) => Array::Int(
                        (0..mask.len())
                            .map(|i| if mask[i] { a[i] } else { b[i] })
                            .collect(),
                    ),
                    _ => return None,
                })
            }
            "prod" => {
                let (lines, _) = self.lines(&space(0), attrs.level("over")?);
                let x = arg(0).num();
                one(Array::Num(
                    lines
                        .iter()
                        .map(|line| line.iter().fold(C::from(1.0), |p, i| p * x[*i]))
                        .collect(),
                ))
            }
            "exclusive_prod" => {
                let (lines, _) = self.lines(&space(0), attrs.level("over")?);
                let x = arg(0).num();
                let mut out = x.to_vec();
                for line in lines {
                    for i in &line {
                        out[*i] = line
                            .iter()
                            .filter(|j| *j != i)
                            .fold(C::from(1.0), |p, j| p * x[*j]);
                    }
                }
                one(Array::Num(out))
            }
            "prefix_prod" | "recurrence" => {
                let (mut lines, _) = self.lines(&space(0), attrs.level("over")?);
                if attrs.int("reverse")? == 1 {
                    for line in &mut lines {
                        line.reverse();
                    }
                }
                let x = arg(0).num();
                let mut out = x.to_vec();
                for line in lines {
                    let mut acc = C::from(if name == "prefix_prod" { 1.0 } else { 0.0 });
                    for i in line {
                        out[i] = acc;
                        acc = x[i] * acc;
                        if name == "recurrence" {
                            acc = acc + arg(1).num()[i];
                        }
                    }
                }
                one(Array::Num(out))
            }
            "rows_sum" | "rows_dot" | "rows_outer" => {
                let full = if name == "rows_sum" {
                    space(1)
                } else if name == "rows_dot" {
                    space(0)
                } else {
                    out.space
                };
                let k = full.position(attrs.level("over")?)?;
                let (x_of, c_of) = (self.flat(&full.prefix(k + 1)), self.flat(&full.without(k)));
                let (a, b) = (arg(0).num(), arg(1).num());
                let mut result = vec![C::from(0.0); self.coordinates(&out.space).len()];
                for (m, at) in self.coordinates(&full).into_iter().enumerate() {
                    let (x, mut rest) = (x_of[&at[..=k]], at);
                    rest.remove(k);
                    let c = c_of[&rest];
                    match name {
                        "rows_sum" => result[c] = result[c] + a[x] * b[m],
                        "rows_dot" => result[x] = result[x] + a[m] * b[c],
                        _ => result[m] = a[x] * b[c],
                    }
                }
                one(Array::Num(result))
            }
            "rows_sum_at" | "rows_dot_at" => {
                let sum = name == "rows_sum_at";
                let full = space(if sum { 2 } else { 0 });
                let k = full.position(attrs.level("over")?)?;
                let (row_of, c_of) = (self.flat(&full.prefix(k + 1)), self.flat(&full.without(k)));
                let index = arg(if sum { 1 } else { 2 }).int();
                let mut result = vec![C::from(0.0); self.coordinates(&out.space).len()];
                for (m, at) in self.coordinates(&full).into_iter().enumerate() {
                    let (x, mut rest) = (index[row_of[&at[..=k]]] as usize, at);
                    rest.remove(k);
                    let c = c_of[&rest];
                    if sum {
                        result[c] = result[c] + arg(0).num()[x] * arg(2).num()[m];
                    } else {
                        result[x] = result[x] + arg(0).num()[m] * arg(1).num()[c];
                    }
                }
                one(Array::Num(result))
            }
            "stop_gradient" => one(Array::Num(
                arg(0).num().iter().map(|z| C::from(z.re)).collect(),
            )),
            // Zero, whose derivative along a margin is its weight.
            "surface" => {
                let pairs = arg(0).num().iter().zip(arg(1).num());
                one(Array::Num(
                    pairs
                        .map(|(m, w)| c(0.0, if w.re == 0.0 { 0.0 } else { w.re * m.im }))
                        .collect(),
                ))
            }
            // Zero where the first factor is, whatever the second.
            "masked_mul" => {
                let zero = |z: &C| z.re == 0.0 && z.im == 0.0;
                let product = |(a, b): (&C, &C)| if zero(a) { C::from(0.0) } else { *a * *b };
                let pairs = arg(0).num().iter().zip(arg(1).num());
                one(Array::Num(pairs.map(product).collect()))
            }
            "frozen_mul" => {
                let pairs = arg(0).num().iter().zip(arg(1).num());
                let product = |(w, x): (&C, &C)| match w.re {
                    0.0 => C::from(0.0),
                    w => C::from(w) * *x,
                };
                one(Array::Num(pairs.map(product).collect()))
            }
            "cast" => one(cast(arg(0), attrs.dtype("dtype")?)),
            "powi" => one(map(arg(0), |z| z.powi(attrs.int("n").unwrap_or(0)))),
            "powf" => one(map(arg(0), |z| z.powf(attrs.f64("value").unwrap_or(0.0)))),
            "polygamma" => one(map(arg(0), |z| z.polygamma(attrs.int("n").unwrap_or(0)))),
            "lt" | "le" | "gt" | "ge" | "eq" | "ne" => {
                one(Array::Bool(compare(name, arg(0), arg(1))))
            }
            "not" => one(Array::Bool(arg(0).bool().iter().map(|m| !m).collect())),
            "and" | "or" | "xor" => {
                let logic = |(a, b): (&bool, &bool)| match name {
                    "and" => *a && *b,
                    "or" => *a || *b,
                    _ => a != b,
                };
                one(Array::Bool(
                    arg(0).bool().iter().zip(arg(1).bool()).map(logic).collect(),
                ))
            }
            _ if node.args.len() == 1 => {
                let Array::Num(x) = arg(0) else { return None };
                one(Array::Num(
                    x.iter()
                        .map(|z| complex::unary(name, *z))
                        .collect::<Option<_>>()?,
                ))
            }
            _ if node.args.len() == 2 => {
                let (Array::Num(a), Array::Num(b)) = (arg(0), arg(1)) else {
                    return None;
                };
                one(Array::Num(
                    a.iter()
                        .zip(b)
                        .map(|(a, b)| complex::binary(name, *a, *b))
                        .collect::<Option<_>>()?,
                ))
            }
            _ => None,
        }
    }

    /// Takes note of a decision that hung on the last digits.
    pub fn note_fragile(&self) {
        self.fragile.set(true);
    }

    /// Takes note of decisions between numbers that are equal to nine digits.
    fn note_decision(&self, node: &Node) {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (a.abs() + b.abs());
        // Whole numbers and equal inputs are equal in every evaluation.
        let tied = |a: f64, b: f64| close(a, b) && (a != b || a.fract() != 0.0);
        let numbers = |i: usize| node.args.get(i).map(|a| self.get(*a));
        let fragile = match (node.primitive.name(), numbers(0), numbers(1)) {
            (
                "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "min" | "max",
                Some(Array::Num(a)),
                Some(Array::Num(b)),
            ) => node.args[0] != node.args[1] && a.iter().zip(b).any(|(a, b)| tied(a.re, b.re)),
            ("floor" | "ceil" | "round", Some(Array::Num(x)), _) => x
                .iter()
                .any(|x| (x.re * 2.0 - (x.re * 2.0).round()).abs() < 1e-8 && x.re != 0.0),
            ("sign" | "abs", Some(Array::Num(x)), _) => {
                x.iter().any(|x| x.re.abs() < 1e-12 && x.re != 0.0)
            }
            ("copysign", _, Some(Array::Num(x))) => x.iter().any(|x| x.re.abs() < 1e-12),
            ("bin_index" | "nearest_edge", Some(Array::Num(x)), Some(Array::Num(e))) => {
                x.iter().any(|x| e.iter().any(|e| close(x.re, e.re)))
            }
            (
                "argmax" | "argmin" | "argsort" | "max_over" | "min_over" | "find",
                Some(Array::Num(x)),
                _,
            ) => {
                let mut sorted: Vec<f64> = x.iter().map(|x| x.re).collect();
                sorted.sort_by(f64::total_cmp);
                sorted.windows(2).any(|w| w[0] != w[1] && close(w[0], w[1]))
            }
            _ => false,
        };
        if fragile {
            self.fragile.set(true);
        }
    }

    /// The lines of a space along a level: for each element of the space without the level, the positions along it. And that space's positions.
    pub fn lines(
        &self,
        space: &Space,
        over: LevelId,
    ) -> (Vec<Vec<usize>>, HashMap<Coordinates, usize>) {
        let k = space.position(over).expect("checked by infer");
        let to = self.flat(&space.without(k));
        let mut lines = vec![Vec::new(); to.len()];
        for (i, mut at) in self.coordinates(space).into_iter().enumerate() {
            at.remove(k);
            lines[to[&at]].push(i);
        }
        (lines, to)
    }

    /// For each element of a gather from (or a scatter into) `table`: the position in the table, none for a negative index.
    fn positions(&self, index: ValueId, over: LevelId, table: &Space) -> Vec<Option<usize>> {
        let k = table.position(over).expect("checked by infer");
        let index_space = self.program.ty(index).space;
        let indices = self.get(index).int();
        // Elements of the table by (coordinates before the gathered level without its parents, number along the level, coordinates after it).
        let lanes = match self.level(over).kind {
            LevelKind::Ragged { parent, .. } => k - parent.depth(),
            _ => k,
        };
        let tail = table.depth() - k - 1;
        let mut rows: HashMap<Coordinates, Vec<Coordinates>> = HashMap::new();
        for at in self.coordinates(&table.prefix(k + 1)) {
            rows.entry(at[..lanes].to_vec()).or_default().push(at);
        }
        let flat = self.flat(table);
        let below: Vec<Coordinates> = {
            let mut path = Space::SCALAR;
            for level in table.iter().skip(table.depth() - tail) {
                path = path.child(level).expect("depth");
            }
            self.coordinates(&path)
        };
        let mut out = Vec::new();
        for (at, &i) in self.coordinates(&index_space).iter().zip(indices) {
            for q in &below {
                out.push((i >= 0).then(|| {
                    let mut row = rows[&at[..lanes]][i as usize].clone();
                    row.extend(q);
                    flat[&row]
                }));
            }
        }
        out
    }
}

fn map(x: &Array, f: impl Fn(C) -> C) -> Array {
    Array::Num(x.num().iter().map(|z| f(*z)).collect())
}

fn compare(name: &str, a: &Array, b: &Array) -> Vec<bool> {
    fn all<T: PartialOrd>(name: &str, pairs: impl Iterator<Item = (T, T)>) -> Vec<bool> {
        pairs
            .map(|(a, b)| match name {
                "lt" => a < b,
                "le" => a <= b,
                "gt" => a > b,
                "ge" => a >= b,
                "eq" => a == b,
                _ => a != b,
            })
            .collect()
    }
    match (a, b) {
        (Array::Num(a), Array::Num(b)) => {
            all(name, a.iter().map(|z| z.re).zip(b.iter().map(|z| z.re)))
        }
        _ => all(name, a.int().iter().zip(b.int())),
    }
}

fn cast(x: &Array, to: DType) -> Array {
    match (x, to) {
        // A cast carries no derivative.
        (Array::Num(d), DType::F64) => Array::Num(d.iter().map(|z| C::from(z.re)).collect()),
        (Array::Num(d), DType::I64) => Array::Int(d.iter().map(|z| z.re as i64).collect()),
        (Array::Num(d), _) => Array::Bool(d.iter().map(|z| z.re != 0.0).collect()),
        (Array::Int(d), DType::F64) => Array::Num(d.iter().map(|i| C::from(*i as f64)).collect()),
        (Array::Int(d), DType::I64) => Array::Int(d.clone()),
        (Array::Int(d), _) => Array::Bool(d.iter().map(|i| *i != 0).collect()),
        (Array::Bool(d), DType::F64) => {
            Array::Num(d.iter().map(|m| C::from(f64::from(*m))).collect())
        }
        (Array::Bool(d), _) => Array::Int(d.iter().map(|m| i64::from(*m)).collect()),
    }
}
