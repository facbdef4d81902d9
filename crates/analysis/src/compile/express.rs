//! The program of an expression.

use std::cell::RefCell;
use std::collections::HashMap;

use pullback_ad::Real;
use pullback_array::{Builder, Space, Sym, ValueId};

use super::collections::Made;
use super::fields::Lineage;
use super::program::Input;
use super::value::{Maybe, Value, both, to_real};
use crate::syntax::CompareOp;
use crate::types::{Arithmetic, CollectionId, Model, Node, Per, Typed};

/// Records the expressions of a model, each part once.
pub(crate) struct Compiler<'b> {
    pub b: &'b Builder,
    pub model: &'b Model,
    pub events: Space,
    pub inputs: RefCell<Vec<Input>>,
    pub lists: RefCell<HashMap<usize, Space>>,
    pub columns: RefCell<HashMap<usize, Maybe<'b>>>,
    pub parameters: RefCell<HashMap<String, Sym<'b>>>,
    /// Numbers of tables, by name.
    pub constants: RefCell<HashMap<String, Sym<'b>>>,
    pub made: RefCell<HashMap<CollectionId, Made<'b>>>,
    pub fields: RefCell<HashMap<(CollectionId, String), Maybe<'b>>>,
    defined: RefCell<HashMap<String, Maybe<'b>>>,
    shared: RefCell<HashMap<*const Typed, Maybe<'b>>>,
    /// What the masks of cuts are called.
    pub cuts: RefCell<HashMap<ValueId, String>>,
}

impl<'b> Compiler<'b> {
    pub fn new(b: &'b Builder, model: &'b Model) -> Self {
        Self {
            b,
            model,
            events: b.stream("events"),
            inputs: RefCell::default(),
            lists: RefCell::default(),
            columns: RefCell::default(),
            parameters: RefCell::default(),
            constants: RefCell::default(),
            made: RefCell::default(),
            fields: RefCell::default(),
            defined: RefCell::default(),
            shared: RefCell::default(),
            cuts: RefCell::default(),
        }
    }

    /// The value of a checked expression.
    pub fn value(&self, e: &Typed) -> Maybe<'b> {
        match &e.node {
            Node::Real(x) => Maybe::new(Value::Real(self.real(*x))),
            Node::Int(n) => Maybe::new(Value::Int(self.b.integer(*n))),
            Node::Bool(yes) => Maybe::new(Value::Bool {
                yes: self.truth(*yes),
                no: None,
            }),
            Node::Parameter(name) => self.parameter(name),
            Node::Column(k) => self.column(*k),
            Node::Defined(name) => self.defined(name),
            Node::Network(name) => self.network(name),
            Node::Whole(of) => Maybe::new(Value::Object {
                of: *of,
                index: None,
            }),
            Node::Field(x, name) => self.field_of(self.value(x), name),
            Node::Vector(x) => self.vector(self.value(x)),
            Node::Component(x, component) => {
                let x = self.value(x);
                match x.value {
                    Value::Vector(v) => Maybe {
                        value: Value::Real(v.component(*component)),
                        there: x.there,
                    },
                    _ => self.nothing(),
                }
            }
            Node::ToReal(x) => {
                let x = self.value(x);
                match x.value {
                    Value::Int(n) => Maybe {
                        value: Value::Real(to_real(n)),
                        there: x.there,
                    },
                    _ => self.nothing(),
                }
            }
            Node::Neg(x) => self.map(&[self.value(x)], |x| -x),
            Node::Arithmetic(op, a, b) => self.arithmetic(*op, a, b),
            Node::Compare(op, a, b) => self.compare(*op, self.value(a), self.value(b)),
            Node::Not(x) => match self.value(x).value {
                Value::Bool { yes, no } => Maybe::new(Value::Bool {
                    yes: no.unwrap_or_else(|| !yes),
                    no: no.map(|_| yes),
                }),
                _ => self.nothing(),
            },
            Node::And(a, b) => self.logic(a, b, true),
            Node::Or(a, b) => self.logic(a, b, false),
            Node::If(a, c, b) => match self.value(c).value {
                Value::Bool { yes, no } => self.choose((yes, no), self.value(a), self.value(b)),
                _ => self.nothing(),
            },
            Node::Guard(x, c) => match self.value(c).value {
                Value::Bool { yes, .. } => self.value(x).guarded(Some(yes)),
                _ => self.nothing(),
            },
            Node::Restrict(x, to) => self.restricted(x, *to),
            Node::At(x, i) => {
                let (table, i) = (self.value(x), self.value(i));
                match (x.ty.per, i.value) {
                    (Per::Object(id), Value::Object { index, .. }) => match index {
                        Some(index) => self.gathered(table, id, index, i.there),
                        None => table.guarded(i.there),
                    },
                    _ => self.nothing(),
                }
            }
            Node::Nth(x, n) => self.nth(x, n),
            Node::Lookup(of, typed) => {
                let args: Vec<Maybe<'b>> = typed.iter().map(|a| self.value(a)).collect();
                self.lookup(of, &args)
            }
            Node::Shared(x) => {
                // It lives as long as the model: its address is its name.
                let key = std::rc::Rc::as_ptr(x);
                if let Some(known) = self.shared.borrow().get(&key) {
                    return *known;
                }
                let value = self.value(x);
                self.shared.borrow_mut().insert(key, value);
                value
            }
            Node::Call(function, typed) => {
                let args: Vec<Maybe<'b>> = typed.iter().map(|a| self.value(a)).collect();
                match function.compile {
                    Some(compile) => compile(self, &args, typed),
                    None => self.nothing(),
                }
            }
        }
    }

    /// A defined column or region; its operations have its name.
    pub fn defined(&self, name: &str) -> Maybe<'b> {
        if let Some(known) = self.defined.borrow().get(name) {
            return *known;
        }
        let Some(column) = self.model.columns.get(name) else {
            return self.nothing();
        };
        let value = self.b.labelled(Some(name.into()), || self.value(column));
        self.defined.borrow_mut().insert(name.into(), value);
        value
    }

    fn arithmetic(&self, op: Arithmetic, a: &Typed, b: &Typed) -> Maybe<'b> {
        let (x, y) = (self.value(a), self.value(b));
        let there = both(x.there, y.there);
        let value = match (x.value, y.value, op) {
            (Value::Vector(v), Value::Vector(w), Arithmetic::Add) => v.zip(w, |a, b| a + b),
            (Value::Vector(v), Value::Vector(w), Arithmetic::Sub) => v.zip(w, |a, b| a - b),
            (Value::Vector(v), Value::Real(s), Arithmetic::Mul) => v.scaled(s),
            (Value::Real(x), Value::Real(y), _) => {
                let value = Value::Real(number(op, x, y, &b.node));
                return Maybe { value, there };
            }
            _ => return self.nothing(),
        };
        Maybe {
            value: Value::Vector(value),
            there,
        }
    }

    fn compare(&self, op: CompareOp, a: Maybe<'b>, b: Maybe<'b>) -> Maybe<'b> {
        let there = both(a.there, b.there);
        let (x, y) = match (a.value, b.value) {
            (Value::Real(x), Value::Real(y)) | (Value::Int(x), Value::Int(y)) => (x, y),
            (Value::Object { of, index: i }, Value::Object { index: j, .. }) => {
                let Some(level) = self.level(of) else {
                    return self.nothing();
                };
                let own = || self.own_index(level);
                (i.unwrap_or_else(own), j.unwrap_or_else(own))
            }
            _ => return self.nothing(),
        };
        let yes = match op {
            CompareOp::Lt => x.lt(y),
            CompareOp::Le => x.le(y),
            CompareOp::Gt => x.gt(y),
            CompareOp::Ge => x.ge(y),
            CompareOp::Eq => x.eq(y),
            CompareOp::Ne => !x.eq(y),
        };
        Maybe::decided(yes, there)
    }

    fn logic(&self, a: &Typed, b: &Typed, and: bool) -> Maybe<'b> {
        let (Value::Bool { yes: a, no: not_a }, Value::Bool { yes: b, no: not_b }) =
            (self.value(a).value, self.value(b).value)
        else {
            return self.nothing();
        };
        let yes = if and { a & b } else { a | b };
        let no = (not_a.is_some() || not_b.is_some()).then(|| {
            let (x, y) = (not_a.unwrap_or_else(|| !a), not_b.unwrap_or_else(|| !b));
            if and { x | y } else { x & y }
        });
        Maybe::new(Value::Bool { yes, no })
    }

    /// `a` where the condition is true, `b` where it is false.
    pub fn choose(
        &self,
        (yes, no): (Sym<'b>, Option<Sym<'b>>),
        a: Maybe<'b>,
        b: Maybe<'b>,
    ) -> Maybe<'b> {
        let not = || no.unwrap_or_else(|| !yes);
        let side = |taken: Sym<'b>, there: Option<Sym<'b>>| there.map_or(taken, |t| taken & t);
        let there = (no.is_some() || a.there.is_some() || b.there.is_some())
            .then(|| side(yes, a.there) | side(not(), b.there));
        let value = match (a.value, b.value) {
            (Value::Real(x), Value::Real(y)) => Value::Real(yes.select(x, y)),
            (Value::Int(x), Value::Int(y)) => Value::Int(yes.select(x, y)),
            (Value::Bool { yes: x, no: not_x }, Value::Bool { yes: y, no: not_y }) => {
                let either = (yes & x) | (not() & y);
                let optional = no.is_some() || not_x.is_some() || not_y.is_some();
                let no = optional.then(|| {
                    (yes & not_x.unwrap_or_else(|| !x)) | (not() & not_y.unwrap_or_else(|| !y))
                });
                return Maybe::new(Value::Bool { yes: either, no });
            }
            _ => return self.nothing(),
        };
        Maybe { value, there }
    }

    fn restricted(&self, x: &Typed, to: CollectionId) -> Maybe<'b> {
        let Per::Object(from) = x.ty.per else {
            return self.nothing();
        };
        match self.lineage(to, from) {
            Lineage::Index(index) => self.gathered(self.value(x), from, index, None),
            Lineage::Same => self.value(x),
            Lineage::Apart => self.nothing(),
        }
    }

    fn nth(&self, x: &Typed, n: &Typed) -> Maybe<'b> {
        let (n_node, n) = (&n.node, self.value(n));
        let (Per::Object(id), Value::Int(number)) = (x.ty.per, n.value) else {
            return self.nothing();
        };
        let Some(level) = self.level(id) else {
            return self.nothing();
        };
        let (index, inside) = if let Node::Int(0) = n_node {
            // The first of equal ones: a choice that is known where objects are chosen to a degree.
            let equal = self.spread(self.real(0.0), level.space);
            (equal.argmax(), self.any_of(level))
        } else {
            self.element(self.own_index(level), level, number)
        };
        let there = both(Some(inside), n.there);
        self.gathered(self.value(x), id, index, there)
    }
}

fn number<'b>(op: Arithmetic, x: Sym<'b>, y: Sym<'b>, right: &Node) -> Sym<'b> {
    match (op, right) {
        (Arithmetic::Add, _) => x + y,
        (Arithmetic::Sub, _) => x - y,
        (Arithmetic::Mul, _) => x * y,
        (Arithmetic::Div, _) => x / y,
        // With the sign of the divisor, as in Python.
        (Arithmetic::Rem, _) => x - (x / y).floor() * y,
        (Arithmetic::Pow, Node::Real(n)) if n.fract() == 0.0 && n.abs() <= 64.0 => {
            x.powi(*n as i32)
        }
        (Arithmetic::Pow, Node::Real(n)) => x.powf(*n),
        (Arithmetic::Pow, _) => x.pow(y),
    }
}
