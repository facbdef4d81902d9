//! An interpreter of the language, one event at a time: the plainest reading of what expressions mean. It knows neither levels nor programs; objects are
//! values that carry their fields, a value per object is a list of (object, value).

use std::cell::Cell;
use std::f64::consts::TAU;

use pullback_analysis::syntax::{BinaryOp, CompareOp, End, Expr, ExprKind, UnaryOp, parse};

use crate::support::Data;

/// An object: what it is, not where it is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// Number `1` of the group in the event; a single object has number 0.
    Data(&'static str, usize),
    Tuple(Vec<(String, Object)>),
    /// From part `0` of a union.
    Part(usize, Box<Object>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Missing,
    Number(f64),
    Bool(bool),
    /// px, py, pz, E
    Vector([f64; 4]),
    Object(Object),
}

/// One value, or one per object: how often the collection was chosen from, and the values.
#[derive(Clone, Debug)]
pub enum Value {
    One(Item),
    Many(usize, Vec<(Object, Item)>),
}

const GROUPS: [&str; 3] = ["Muon", "Jet", "MET"];
const COMPONENTS: [&str; 9] = [
    "pt", "eta", "phi", "mass", "energy", "px", "py", "pz", "rapidity",
];

pub struct Interpreter<'d> {
    data: &'d Data,
    event: usize,
    /// A decision hung on rounding: the result says nothing.
    pub fragile: Cell<bool>,
}

fn number(x: &Item) -> f64 {
    match x {
        Item::Number(x) => *x,
        other => panic!("{other:?} is no number"),
    }
}

/// What the components of a four-vector are.
fn component([x, y, z, e]: [f64; 4], name: &str) -> f64 {
    let pt = x.hypot(y);
    match name {
        "pt" => pt,
        "eta" => (z / pt).asinh(),
        "phi" => y.atan2(x),
        "mass" => {
            let squared = e * e - x * x - y * y - z * z;
            if squared > 0.0 { squared.sqrt() } else { 0.0 }
        }
        "energy" => e,
        "px" => x,
        "py" => y,
        "pz" => z,
        "rapidity" => (z / e).atanh(),
        other => panic!("no component {other}"),
    }
}

impl<'d> Interpreter<'d> {
    pub fn new(data: &'d Data, event: usize) -> Self {
        Self {
            data,
            event,
            fragile: Cell::new(false),
        }
    }

    fn group(name: &str) -> Option<&'static str> {
        GROUPS.into_iter().find(|g| *g == name)
    }

    fn range(&self, column: &str) -> std::ops::Range<usize> {
        let offsets = self.data.get(column).1;
        if offsets.is_empty() {
            self.event..self.event + 1
        } else {
            offsets[self.event] as usize..offsets[self.event + 1] as usize
        }
    }

    fn column(&self, name: &str, k: usize) -> Item {
        let found = self.data.columns.iter().find(|c| c.0 == name);
        let (_, values, _) = found.unwrap_or_else(|| panic!("no column {name}"));
        let x = values.f64()[self.range(name).start + k];
        if name.starts_with("HLT") {
            Item::Bool(x != 0.0)
        } else {
            Item::Number(x)
        }
    }

    /// A field of an object, if it has it.
    fn field(&self, object: &Object, name: &str) -> Option<Item> {
        match object {
            Object::Tuple(members) => {
                if name == "m_ll" {
                    let parts: Vec<[f64; 4]> = members.iter().map(|m| self.vector(&m.1)).collect();
                    let sum = [0, 1, 2, 3].map(|c| parts.iter().map(|p| p[c]).sum());
                    return Some(Item::Number(component(sum, "mass")));
                }
                let found = members.iter().find(|m| m.0 == name)?;
                Some(Item::Object(found.1.clone()))
            }
            Object::Part(source, _) if name == "source" => Some(Item::Number(*source as f64)),
            Object::Part(_, inner) => self.field(inner, name),
            Object::Data(group, k) => {
                if (*group, name) == ("Muon", "jet") {
                    let jet = number(&self.column("Muon_jetIdx", *k));
                    return Some(if jet < 0.0 {
                        Item::Missing
                    } else {
                        Item::Object(Object::Data("Jet", jet as usize))
                    });
                }
                let column = format!("{group}_{name}");
                if self.data.columns.iter().any(|c| c.0 == column) {
                    return Some(self.column(&column, *k));
                }
                (COMPONENTS.contains(&name))
                    .then(|| Item::Number(component(self.vector(object), name)))
            }
        }
    }

    fn vector(&self, object: &Object) -> [f64; 4] {
        let get = |name| {
            number(
                &self
                    .field(object, name)
                    .unwrap_or_else(|| panic!("no {name}")),
            )
        };
        let (pt, eta, phi, mass) = (get("pt"), get("eta"), get("phi"), get("mass"));
        let pz = pt * eta.sinh();
        let e = (pt * pt + pz * pz + mass * mass).sqrt();
        [pt * phi.cos(), pt * phi.sin(), pz, e]
    }

    fn as_vector(&self, x: &Item) -> [f64; 4] {
        match x {
            Item::Vector(v) => *v,
            Item::Object(o) => self.vector(o),
            other => panic!("{other:?} is no vector"),
        }
    }

    fn whole(&self, name: &'static str) -> Value {
        if name == "MET" {
            return Value::One(Item::Object(Object::Data("MET", 0)));
        }
        let objects = (0..self.range(&format!("{name}_pt")).len()).map(|k| Object::Data(name, k));
        Value::Many(0, objects.map(|o| (o.clone(), Item::Object(o))).collect())
    }

    fn text(&self, text: &str) -> Value {
        let e = parse(&text.into()).unwrap_or_else(|e| panic!("{e}"));
        self.expr(&e, None)
    }

    fn name(&self, name: &str, it: Option<&Value>) -> Value {
        if let Some(it) = it {
            if name == "it" {
                return it.clone();
            }
            let objects = Self::items(it);
            let known = match objects.first() {
                Some((object, _)) => self.field(object, name).is_some(),
                // Where there are no objects, nothing is chosen whatever the name means.
                None => ["pt", "eta", "a", "b", "source", "m_ll"].contains(&name),
            };
            if known {
                return self.fields(it, name);
            }
        }
        match name {
            "mu" => self.text("sorted(Muon, -pt) where pt > 20"),
            "ll" => self.text("pairs(mu)"),
            "m_ll" => self.text("mass(ll.a + ll.b)"),
            "cut" => Value::One(Item::Number(20.0)),
            _ => {
                if let Some(group) = Self::group(name) {
                    return self.whole(group);
                }
                let range = self.range(name);
                if self.data.get(name).1.is_empty() {
                    return Value::One(self.column(name, 0));
                }
                let values =
                    (0..range.len()).map(|k| (Object::Data("LHEWeight", k), self.column(name, k)));
                Value::Many(0, values.collect())
            }
        }
    }

    /// Values side by side; those of a collection that is chosen from another one decide.
    fn zip(values: &[Value], f: &dyn Fn(&[Item]) -> Item) -> Value {
        let finest = values.iter().filter_map(|v| match v {
            Value::Many(depth, items) => Some((*depth, items)),
            Value::One(_) => None,
        });
        let Some((depth, keys)) = finest.reduce(|a, b| if b.0 > a.0 { b } else { a }) else {
            let items: Vec<Item> = values
                .iter()
                .map(|v| match v {
                    Value::One(x) => x.clone(),
                    Value::Many(..) => unreachable!(),
                })
                .collect();
            return Value::One(f(&items));
        };
        let at = |key: &Object| {
            let items: Vec<Item> = values
                .iter()
                .map(|v| match v {
                    Value::One(x) => x.clone(),
                    Value::Many(_, items) => {
                        let found = items.iter().find(|i| i.0 == *key);
                        found
                            .unwrap_or_else(|| panic!("{key:?} is not there"))
                            .1
                            .clone()
                    }
                })
                .collect();
            (key.clone(), f(&items))
        };
        Value::Many(depth, keys.iter().map(|(k, _)| at(k)).collect())
    }

    fn numbers(values: &[Value], f: &dyn Fn(&[f64]) -> f64) -> Value {
        Self::zip(values, &|x| {
            if x.contains(&Item::Missing) {
                return Item::Missing;
            }
            Item::Number(f(&x.iter().map(number).collect::<Vec<_>>()))
        })
    }

    /// Two numbers that are compared.
    fn near_each_other(&self, a: f64, b: f64) {
        // Small whole numbers are counts.
        let whole = a.fract() == 0.0 && b.fract() == 0.0 && a.abs() < 12.0;
        if !whole && (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0) {
            self.fragile.set(true);
        }
    }

    pub fn expr(&self, e: &Expr, it: Option<&Value>) -> Value {
        let go = |e: &Expr| self.expr(e, it);
        match &e.kind {
            ExprKind::Number(l) => {
                let factor = l.unit.map_or(1.0, |(u, n)| u.factor().powi(i32::from(n)));
                Value::One(Item::Number(l.value * factor))
            }
            ExprKind::Bool(b) => Value::One(Item::Bool(*b)),
            ExprKind::Name(name) => self.name(name, it),
            ExprKind::Field(x, field) => self.fields(&go(x), &field.name),
            ExprKind::Index(x, i) => Self::index(&go(x), &go(i)),
            ExprKind::Call(f, args) => self.call(&f.name, args, it),
            ExprKind::Unary(UnaryOp::Neg, x) => Self::numbers(&[go(x)], &|x| -x[0]),
            ExprKind::Unary(UnaryOp::Not, x) => Self::zip(&[go(x)], &|x| match x[0] {
                Item::Bool(b) => Item::Bool(!b),
                _ => Item::Missing,
            }),
            ExprKind::Binary(op, a, b) => self.binary(*op, &go(a), &go(b)),
            ExprKind::Compare(first, rest) => {
                let mut left = go(first);
                let mut all = Value::One(Item::Bool(true));
                for (op, right) in rest {
                    let right = go(right);
                    let one = self.compare(*op, &left, &right);
                    all = Self::logic(&all, &one, false);
                    left = right;
                }
                all
            }
            ExprKind::Range {
                value,
                negated,
                low,
                low_end,
                high,
                high_end,
            } => {
                let above = if *low_end == End::Closed {
                    CompareOp::Ge
                } else {
                    CompareOp::Gt
                };
                let below = if *high_end == End::Closed {
                    CompareOp::Le
                } else {
                    CompareOp::Lt
                };
                let x = go(value);
                let (a, b) = (
                    self.compare(above, &x, &go(low)),
                    self.compare(below, &x, &go(high)),
                );
                let both = Self::logic(&a, &b, false);
                Self::zip(&[both], &|x| match x[0] {
                    Item::Bool(b) => Item::Bool(b != *negated),
                    _ => Item::Missing,
                })
            }
            ExprKind::Set { .. } => panic!("sets are not tried"),
            ExprKind::If(a, c, b) => Self::zip(&[go(a), go(c), go(b)], &|x| match x[1] {
                Item::Bool(true) => x[0].clone(),
                Item::Bool(false) => x[2].clone(),
                _ => Item::Missing,
            }),
            ExprKind::Where(x, c) => {
                let x = go(x);
                let Value::Many(depth, items) = &x else {
                    return Self::zip(&[x, go(c)], &|x| match x[1] {
                        Item::Bool(true) => x[0].clone(),
                        _ => Item::Missing,
                    });
                };
                let keep = self.about(c, &x);
                let kept = items
                    .iter()
                    .zip(keep)
                    .filter(|(_, keep)| *keep == Item::Bool(true));
                Value::Many(depth + 1, kept.map(|(item, _)| item.clone()).collect())
            }
        }
    }

    /// An expression about the objects of a collection, one value for each.
    fn about(&self, e: &Expr, x: &Value) -> Vec<Item> {
        let objects = Self::items(x).into_iter();
        let objects = objects.map(|(o, _)| (o.clone(), Item::Object(o)));
        let whole = Value::Many(Self::depth(x), objects.collect());
        let value = self.expr(e, Some(&whole));
        let beside = Self::zip(&[whole, value], &|x| x[1].clone());
        Self::items(&beside).into_iter().map(|i| i.1).collect()
    }

    fn fields(&self, x: &Value, name: &str) -> Value {
        Self::zip(std::slice::from_ref(x), &|x| match &x[0] {
            Item::Missing => Item::Missing,
            Item::Vector(v) => Item::Number(component(*v, name)),
            Item::Object(o) => self
                .field(o, name)
                .unwrap_or_else(|| panic!("no field {name} of {o:?}")),
            other => panic!("{other:?} has no fields"),
        })
    }

    fn index(x: &Value, i: &Value) -> Value {
        let Value::Many(_, items) = x else {
            panic!("no elements")
        };
        Self::zip(std::slice::from_ref(i), &|i| match &i[0] {
            Item::Object(o) => {
                let found = items.iter().find(|i| i.0 == *o);
                found
                    .unwrap_or_else(|| panic!("{o:?} is not there"))
                    .1
                    .clone()
            }
            Item::Number(n) if *n >= 0.0 => items
                .get(*n as usize)
                .map_or(Item::Missing, |i| i.1.clone()),
            _ => Item::Missing,
        })
    }

    fn logic(a: &Value, b: &Value, or: bool) -> Value {
        Self::zip(&[a.clone(), b.clone()], &|x| match (&x[0], &x[1]) {
            (Item::Bool(a), _) | (_, Item::Bool(a)) if *a == or => Item::Bool(or),
            (_, Item::Bool(b)) if *b == or => Item::Bool(or),
            (Item::Bool(_), Item::Bool(_)) => Item::Bool(!or),
            _ => Item::Missing,
        })
    }

    fn compare(&self, op: CompareOp, a: &Value, b: &Value) -> Value {
        Self::zip(&[a.clone(), b.clone()], &|x| match (&x[0], &x[1]) {
            (Item::Missing, _) | (_, Item::Missing) => Item::Missing,
            (Item::Object(a), Item::Object(b)) => Item::Bool((a == b) == (op == CompareOp::Eq)),
            (a, b) => {
                let (a, b) = (number(a), number(b));
                self.near_each_other(a, b);
                Item::Bool(match op {
                    CompareOp::Lt => a < b,
                    CompareOp::Le => a <= b,
                    CompareOp::Gt => a > b,
                    CompareOp::Ge => a >= b,
                    CompareOp::Eq => a == b,
                    CompareOp::Ne => a != b,
                })
            }
        })
    }

    fn binary(&self, op: BinaryOp, a: &Value, b: &Value) -> Value {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return Self::logic(a, b, op == BinaryOp::Or);
        }
        Self::zip(&[a.clone(), b.clone()], &|x| {
            let (a, b) = match (&x[0], &x[1]) {
                (Item::Missing, _) | (_, Item::Missing) => return Item::Missing,
                (Item::Number(a), Item::Number(b)) => (*a, *b),
                (v, Item::Number(s)) | (Item::Number(s), v) => {
                    return Item::Vector(self.as_vector(v).map(|x| x * s));
                }
                (v, w) => {
                    let (v, w) = (self.as_vector(v), self.as_vector(w));
                    let sign = if op == BinaryOp::Add { 1.0 } else { -1.0 };
                    return self.checked([0, 1, 2, 3].map(|c| v[c] + sign * w[c]));
                }
            };
            let value = match op {
                BinaryOp::Add => a + b,
                BinaryOp::Sub => a - b,
                BinaryOp::Mul => a * b,
                BinaryOp::Div => a / b,
                BinaryOp::Rem => a - (a / b).floor() * b,
                _ => a.powf(b),
            };
            let cancels = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Rem);
            if cancels && value.abs() < 1e-6 * a.abs().max(b.abs()) {
                self.fragile.set(true);
            }
            Item::Number(value)
        })
    }

    /// A four-vector whose mass is not lost in rounding.
    fn checked(&self, v: [f64; 4]) -> Item {
        let mass = component(v, "mass");
        if mass < 1e-3 * v[3].abs() {
            self.fragile.set(true);
        }
        Item::Vector(v)
    }

    fn items(x: &Value) -> Vec<(Object, Item)> {
        match x {
            Value::Many(_, items) => items.clone(),
            Value::One(x) => panic!("{x:?} is not per object"),
        }
    }

    /// The best of the numbers that are there: the first NaN, else the first of equal ones.
    fn best(&self, x: &Value, largest: bool) -> Option<(Object, f64)> {
        let mut best: Option<(Object, f64)> = None;
        for (key, item) in Self::items(x) {
            let Item::Number(x) = item else { continue };
            let better = best.as_ref().is_none_or(|(_, b)| {
                self.near_each_other(x, *b);
                !b.is_nan() && (x.is_nan() || if largest { x > *b } else { x < *b })
            });
            if better {
                best = Some((key, x));
            }
        }
        best
    }

    fn sorted(&self, x: &Value, largest_first: bool) -> Vec<Object> {
        let mut items: Vec<(Object, f64)> = Self::items(x)
            .into_iter()
            .map(|(k, x)| (k, if let Item::Number(x) = x { x } else { f64::NAN }))
            .collect();
        for (i, a) in items.iter().enumerate() {
            for b in &items[i + 1..] {
                self.near_each_other(a.1, b.1);
            }
        }
        items.sort_by(|a, b| match (a.1.is_nan(), b.1.is_nan()) {
            (true, true) => std::cmp::Ordering::Equal,
            (true, false) => std::cmp::Ordering::Greater,
            (false, true) => std::cmp::Ordering::Less,
            _ if largest_first => b.1.partial_cmp(&a.1).unwrap(),
            _ => a.1.partial_cmp(&b.1).unwrap(),
        });
        items.into_iter().map(|i| i.0).collect()
    }

    /// Combinations; `texts` says which members are the same collection. Equal members of different texts may be one or not: nothing is said about them.
    fn product(&self, members: &[Value], texts: &[String]) -> Value {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let lists: Vec<Vec<Object>> = members
            .iter()
            .map(|m| Self::items(m).into_iter().map(|i| i.0).collect())
            .collect();
        let mut out: Vec<Vec<usize>> = vec![vec![]];
        for (k, list) in lists.iter().enumerate() {
            // Of one collection, the numbers rise.
            let same = k > 0 && texts[k - 1] == texts[k];
            if k > 0 && !same && lists[k - 1] == *list {
                self.fragile.set(true);
            }
            out = out
                .into_iter()
                .flat_map(|picked| {
                    let from = if same { picked[k - 1] + 1 } else { 0 };
                    (from..list.len()).map(move |i| [picked.clone(), vec![i]].concat())
                })
                .collect();
        }
        let tuple = |picked: Vec<usize>| {
            let members = picked.iter().enumerate();
            Object::Tuple(
                members
                    .map(|(k, i)| (names[k].to_owned(), lists[k][*i].clone()))
                    .collect(),
            )
        };
        let objects = out.into_iter().map(tuple);
        Value::Many(0, objects.map(|o| (o.clone(), Item::Object(o))).collect())
    }

    fn depth(x: &Value) -> usize {
        match x {
            Value::Many(depth, _) => *depth,
            Value::One(_) => 0,
        }
    }

    fn distance(&self, a: &Item, b: &Item) -> Option<f64> {
        let get = |x: &Item, name: &str| match x {
            Item::Object(o) => self.field(o, name).map(|x| number(&x)),
            Item::Vector(v) => Some(component(*v, name)),
            _ => None,
        };
        let phi = (get(a, "phi")? - get(b, "phi")?).rem_euclid(TAU);
        let distance = (get(a, "eta")? - get(b, "eta")?).hypot(phi.min(TAU - phi));
        let computed = [a, b].iter().any(|x| matches!(x, Item::Vector(_)));
        if computed && distance < 1e-9 {
            self.fragile.set(true);
        }
        Some(distance)
    }

    fn call(&self, name: &str, args: &[Expr], it: Option<&Value>) -> Value {
        if name == "sorted" {
            let x = self.expr(&args[0], it);
            let keys = Self::items(&x).into_iter().map(|i| i.0);
            let keys = Value::Many(0, keys.zip(self.about(&args[1], &x)).collect());
            let order = self.sorted(&keys, false);
            let items = order.into_iter().map(|o| (o.clone(), Item::Object(o)));
            return Value::Many(Self::depth(&x) + 1, items.collect());
        }
        let mut v: Vec<Value> = args.iter().map(|a| self.expr(a, it)).collect();
        let surrounded = match name {
            "near" => 3,
            "min_delta_r" => 2,
            _ => 0,
        };
        if v.len() + 1 == surrounded {
            v.insert(0, it.expect("objects at hand").clone());
        }
        let one = |x: Item| Value::One(x);
        let maybe = |x: Option<f64>| Value::One(x.map_or(Item::Missing, Item::Number));
        let there = |x: &Value| -> Vec<Item> {
            Self::items(x)
                .into_iter()
                .map(|i| i.1)
                .filter(|i| *i != Item::Missing)
                .collect()
        };
        match (name, v.len()) {
            (name, 1) if COMPONENTS.contains(&name) => self.fields(&v[0], name),
            ("abs", 1) => Self::numbers(&v, &|x| x[0].abs()),
            ("exp", 1) => Self::numbers(&v, &|x| x[0].exp()),
            ("cosh", 1) => Self::numbers(&v, &|x| x[0].cosh()),
            ("tanh", 1) => Self::numbers(&v, &|x| x[0].tanh()),
            ("floor", 1) => Self::numbers(&v, &|x| {
                if (x[0] - x[0].round()).abs() < 1e-9 * x[0].abs().max(1.0) {
                    self.fragile.set(true);
                }
                x[0].floor()
            }),
            ("default", 2) => Self::zip(&v, &|x| {
                if x[0] == Item::Missing {
                    x[1].clone()
                } else {
                    x[0].clone()
                }
            }),
            ("exists", 1) => Self::zip(&v, &|x| Item::Bool(x[0] != Item::Missing)),
            ("count", 1) => {
                let counts = there(&v[0]).into_iter().filter(|x| *x != Item::Bool(false));
                one(Item::Number(counts.count() as f64))
            }
            ("any" | "all", 1) => {
                let or = name == "any";
                let items = Self::items(&v[0]).into_iter().map(|i| i.1);
                let items: Vec<Item> = items.collect();
                if items.contains(&Item::Bool(or)) {
                    return one(Item::Bool(or));
                }
                one(if items.contains(&Item::Missing) {
                    Item::Missing
                } else {
                    Item::Bool(!or)
                })
            }
            ("sum", 1) => {
                let items = there(&v[0]);
                if items.iter().all(|x| matches!(x, Item::Number(_))) {
                    let all: Vec<f64> = items.iter().map(number).collect();
                    let (sum, size) = (
                        all.iter().sum::<f64>(),
                        all.iter().map(|x| x.abs()).fold(0.0, f64::max),
                    );
                    if sum.abs() < 1e-6 * size {
                        self.fragile.set(true);
                    }
                    // Whether nothing was numbers or vectors is not known here.
                    return if items.is_empty() {
                        one(Item::Number(0.0))
                    } else {
                        one(Item::Number(sum))
                    };
                }
                let all: Vec<[f64; 4]> = items.iter().map(|x| self.as_vector(x)).collect();
                one(self.checked([0, 1, 2, 3].map(|c| all.iter().map(|p| p[c]).sum())))
            }
            ("mean", 1) => {
                let all: Vec<f64> = there(&v[0]).iter().map(number).collect();
                maybe((!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64))
            }
            ("min" | "max", 1) => {
                let largest = name == "max";
                let nan = there(&v[0]).iter().any(|x| number(x).is_nan());
                maybe(
                    self.best(&v[0], largest)
                        .map(|b| if nan { f64::NAN } else { b.1 }),
                )
            }
            ("argmin" | "argmax", 1) => {
                let best = self.best(&v[0], name == "argmax");
                one(best.map_or(Item::Missing, |b| Item::Object(b.0)))
            }
            ("leading", 1) => {
                let best = self.best(&self.fields(&v[0], "pt"), true);
                one(best.map_or(Item::Missing, |b| Item::Object(b.0)))
            }
            ("take", 2) => {
                let Value::One(Item::Number(n)) = v[1] else {
                    panic!("a number")
                };
                Value::Many(
                    Self::depth(&v[0]) + 1,
                    Self::items(&v[0]).into_iter().take(n as usize).collect(),
                )
            }
            ("pairs", 1) => {
                let same = [String::new(), String::new()];
                self.product(&[v[0].clone(), v[0].clone()], &same)
            }
            ("combine", _) => {
                // `ll` is another name for the pairs of muons.
                let text = |e: &Expr| e.to_string().replace("ll", "pairs(mu)");
                self.product(&v, &args.iter().map(text).collect::<Vec<_>>())
            }
            ("union", _) => {
                let parts = v.iter().enumerate().flat_map(|(k, v)| {
                    Self::items(v)
                        .into_iter()
                        .map(move |(o, _)| Object::Part(k, Box::new(o)))
                });
                Value::Many(0, parts.map(|o| (o.clone(), Item::Object(o))).collect())
            }
            ("delta_r", 2) => Self::zip(&v, &|x| {
                self.distance(&x[0], &x[1])
                    .map_or(Item::Missing, Item::Number)
            }),
            ("delta_phi", 2) => {
                let phi = [self.fields(&v[0], "phi"), self.fields(&v[1], "phi")];
                Self::numbers(&phi, &|x| {
                    let d = (x[0] - x[1]).rem_euclid(TAU);
                    self.near_each_other(d, TAU / 2.0);
                    if d > TAU / 2.0 { d - TAU } else { d }
                })
            }
            ("transverse_mass", 2) => {
                let parts: Vec<Value> = v
                    .iter()
                    .flat_map(|x| ["pt", "phi"].map(|f| self.fields(x, f)))
                    .collect();
                Self::numbers(&parts, &|x| {
                    let away = 1.0 - (x[1] - x[3]).cos();
                    if away < 1e-6 {
                        self.fragile.set(true);
                    }
                    (2.0 * x[0] * x[2] * away).sqrt()
                })
            }
            ("near", 3) => {
                let others = Self::items(&v[1]);
                Self::zip(&[v[0].clone(), v[2].clone()], &|x| {
                    if x.contains(&Item::Missing) {
                        return Item::Missing;
                    }
                    let found = others.iter().filter_map(|o| self.distance(&x[0], &o.1));
                    let r = number(&x[1]);
                    Item::Bool(found.fold(false, |any, d| {
                        self.near_each_other(d, r);
                        any || d < r
                    }))
                })
            }
            ("min_delta_r", 2) => {
                let others = Self::items(&v[1]);
                Self::zip(&v[..1], &|x| {
                    if x[0] == Item::Missing {
                        return Item::Missing;
                    }
                    let found = others.iter().filter_map(|o| self.distance(&x[0], &o.1));
                    found.reduce(f64::min).map_or(Item::Missing, Item::Number)
                })
            }
            other => panic!("{other:?} is not tried"),
        }
    }
}

/// The values of an expression on all events, NaN where they are missing; nothing if they hang on rounding.
pub fn evaluate(data: &Data, text: &str) -> Option<Vec<f64>> {
    let e = parse(&text.into()).unwrap_or_else(|e| panic!("{e}"));
    let mut out = Vec::new();
    for event in 0..2 {
        let interpreter = Interpreter::new(data, event);
        let items = match interpreter.expr(&e, None) {
            Value::One(x) => vec![x],
            Value::Many(_, items) => items.into_iter().map(|i| i.1).collect(),
        };
        if interpreter.fragile.get() {
            return None;
        }
        out.extend(items.iter().map(|x| match x {
            Item::Number(x) => *x,
            Item::Bool(b) => f64::from(u8::from(*b)),
            _ => f64::NAN,
        }));
    }
    Some(out)
}
