//! The tree of a checked expression: names are resolved, every value has a type, every conversion is written out.

use std::rc::Rc;

use super::field::Component;
use super::table::Lookup;
use super::ty::{CollectionId, Kind, Per, Type};
use crate::error::Result;
use crate::functions::Function;
use crate::place::Span;
use crate::syntax::CompareOp;

/// A checked expression.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub node: Node,
    pub ty: Type,
    pub span: Span,
}

impl Typed {
    /// The same, to be used in several places: its program is recorded once, and a copy of it is a reference.
    pub fn shared(self) -> Self {
        let leaf = matches!(
            self.node,
            Node::Real(_)
                | Node::Int(_)
                | Node::Bool(_)
                | Node::Parameter(_)
                | Node::Column(_)
                | Node::Defined(_)
                | Node::Network(_)
                | Node::Whole(_)
                | Node::Shared(_)
        );
        if leaf {
            return self;
        }
        let (ty, span) = (self.ty, self.span);
        let node = Node::Shared(Rc::new(self));
        Self { node, ty, span }
    }

    /// A value per object brought to the objects of a collection made of that one.
    pub fn restricted(self, per: Per) -> Self {
        match (self.ty.per, per) {
            (Per::Object(from), Per::Object(to)) if from != to => {
                let (mut ty, span) = (self.ty, self.span);
                ty.per = per;
                let node = Node::Restrict(Box::new(self), to);
                Self { node, ty, span }
            }
            _ => self,
        }
    }

    /// A component of a four-vector.
    pub fn component(self, component: Component, span: Span) -> Self {
        let ty = Type::new(self.ty.per, Kind::Real)
            .of(Some(component.dimension()))
            .or_missing(self.ty.optional);
        let node = Node::Component(Box::new(self), component);
        Self { node, ty, span }
    }
}

/// All values joined two by two, in their order, in a tree as flat as can be: what goes down it goes by recursion.
pub(crate) fn joined(
    mut values: Vec<Typed>,
    mut join: impl FnMut(Typed, Typed) -> Result<Typed>,
) -> Result<Option<Typed>> {
    while values.len() > 1 {
        let mut next = Vec::with_capacity(values.len().div_ceil(2));
        let mut rest = values.into_iter();
        while let Some(a) = rest.next() {
            next.push(match rest.next() {
                Some(b) => join(a, b)?,
                None => a,
            });
        }
        values = next;
    }
    Ok(values.pop())
}

/// Arithmetic of numbers, and of four-vectors where that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
}

/// What a checked expression is.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A constant, in the units of the house.
    Real(f64),
    /// A whole constant.
    Int(i64),
    /// A constant.
    Bool(bool),
    /// A parameter by name.
    Parameter(String),
    /// A column of the data.
    Column(usize),
    /// A defined column.
    Defined(String),
    /// The output of a network.
    Network(String),
    /// The objects of a collection themselves.
    Whole(CollectionId),
    /// A field of an object.
    Field(Box<Typed>, String),
    /// The four-vector of an object.
    Vector(Box<Typed>),
    /// A component of a four-vector.
    Component(Box<Typed>, Component),
    /// A whole number as a number.
    ToReal(Box<Typed>),
    /// `-x`
    Neg(Box<Typed>),
    /// `a + b`, ..
    Arithmetic(Arithmetic, Box<Typed>, Box<Typed>),
    /// `a < b`, ..; also of objects: whether they are the same.
    Compare(CompareOp, Box<Typed>, Box<Typed>),
    /// `not a`
    Not(Box<Typed>),
    /// `a and b`
    And(Box<Typed>, Box<Typed>),
    /// `a or b`
    Or(Box<Typed>, Box<Typed>),
    /// Then, condition, else.
    If(Box<Typed>, Box<Typed>, Box<Typed>),
    /// A value that is missing where the condition does not hold.
    Guard(Box<Typed>, Box<Typed>),
    /// A value per object of a collection, for the objects of one made of it.
    Restrict(Box<Typed>, CollectionId),
    /// A value per object, of the object that is referred to.
    At(Box<Typed>, Box<Typed>),
    /// A value per object, of the object of that number in the event.
    Nth(Box<Typed>, Box<Typed>),
    /// The number of a table.
    Lookup(Rc<Lookup>, Vec<Typed>),
    /// What stands in several places.
    Shared(Rc<Typed>),
    /// A function of the table.
    Call(&'static Function, Vec<Typed>),
}
