//! The checker: from a tree to one with types.

use std::collections::HashMap;
use std::rc::Rc;

use super::collection::{Collection, Def};
use super::tree::{Node, Typed, joined};
use super::ty::{CollectionId, Kind, Per, Type};
use crate::define::{Analysis, Definition};
use crate::error::{Error, Result};
use crate::functions;
use crate::network::Perceptron;
use crate::place::{Place, Source, Span};
use crate::schema::Schema;
use crate::syntax::{Expr, ExprKind, UnaryOp};
use crate::units::Dimension;

/// Where an expression is checked: its text, and the collection whose fields are known by their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cx<'s> {
    pub source: &'s Source,
    pub it: Option<CollectionId>,
}

impl Cx<'_> {
    /// The place of a span.
    pub fn place(&self, span: Span) -> Place {
        self.source.at(span)
    }
}

/// A definition under way.
pub(crate) struct UnderWay {
    pub name: String,
    /// How deep its own expressions nest.
    pub depth: usize,
    /// How deep those nest that it needs.
    pub needs: usize,
}

/// An error for trees that the parser does not make.
pub(super) fn nothing(cx: Cx<'_>, span: Span) -> Error {
    Error::Meaning {
        place: cx.place(span),
        message: "nothing is compared".into(),
        help: String::new(),
    }
}

/// Checks the definitions of an analysis, each when it is first needed.
pub(crate) struct Checker<'a> {
    pub schema: &'a Schema,
    pub definitions: HashMap<&'a str, &'a Definition>,
    pub collections: Vec<Collection>,
    /// Collections without a name of their own, by how they are made.
    known: HashMap<String, CollectionId>,
    /// Finished definitions.
    pub objects: HashMap<String, CollectionId>,
    pub columns: HashMap<String, Rc<Typed>>,
    pub parameters: HashMap<String, (f64, Option<Dimension>)>,
    pub networks: HashMap<String, Perceptron>,
    /// Definitions under way.
    pub stack: Vec<UnderWay>,
    /// How deep finished definitions nest.
    pub depths: HashMap<String, usize>,
}

impl<'a> Checker<'a> {
    pub fn new(analysis: &'a Analysis, schema: &'a Schema) -> Self {
        let definitions = analysis.definitions.iter();
        Self {
            schema,
            definitions: definitions.map(|(n, d)| (n.as_str(), d)).collect(),
            collections: Vec::new(),
            known: HashMap::new(),
            objects: HashMap::new(),
            columns: HashMap::new(),
            parameters: HashMap::new(),
            networks: HashMap::new(),
            stack: Vec::new(),
            depths: HashMap::new(),
        }
    }

    /// The collection made in that way: the same one each time.
    pub fn collection(&mut self, key: String, name: &str, def: Def) -> CollectionId {
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = CollectionId(self.collections.len());
        self.collections.push(Collection {
            name: name.to_owned(),
            def,
        });
        self.known.insert(key, id);
        id
    }

    /// Name of a collection.
    pub fn name_of(&self, id: CollectionId) -> &str {
        self.collections.get(id.0).map_or("", |c| c.name.as_str())
    }

    /// Whether there is one object per event.
    pub fn is_single(&self, id: CollectionId) -> bool {
        let def = self.collections.get(id.0).map(|c| &c.def);
        matches!(def, Some(Def::Single(_)))
    }

    /// What an object per event or a collection refers to.
    pub fn whole(&self, id: CollectionId, span: Span) -> Typed {
        let per = if self.is_single(id) {
            Per::Event
        } else {
            Per::Object(id)
        };
        Typed {
            node: Node::Whole(id),
            ty: Type::new(per, Kind::Object(id)),
            span,
        }
    }

    /// Checks an expression.
    pub fn expr(&mut self, cx: Cx<'_>, e: &Expr) -> Result<Typed> {
        let span = e.span;
        match &e.kind {
            ExprKind::Number(l) => {
                let dimension = l.unit.map(|(unit, n)| unit.dimension().power(n));
                let factor = l.unit.map_or(1.0, |(unit, n)| unit.factor().powi(n.into()));
                let whole = l.integer && l.unit.is_none();
                let (node, kind) = if whole {
                    (Node::Int(l.value as i64), Kind::Int)
                } else {
                    (Node::Real(l.value * factor), Kind::Real)
                };
                let ty = Type::new(Per::Constant, kind).of(dimension);
                Ok(Typed { node, ty, span })
            }
            ExprKind::Bool(b) => Ok(Typed {
                node: Node::Bool(*b),
                ty: Type::new(Per::Constant, Kind::Bool),
                span,
            }),
            ExprKind::Name(name) => self.name(cx, name, span),
            ExprKind::Field(x, field) => {
                let x = self.expr(cx, x)?;
                self.field(cx, x, &field.name, field.span)
            }
            ExprKind::Index(x, i) => {
                let (x, i) = (self.expr(cx, x)?, self.expr(cx, i)?);
                self.index(cx, x, i, span)
            }
            ExprKind::Call(function, args) => {
                if let Some(found) = self.lookup(cx, function, args, span)? {
                    return Ok(found);
                }
                let found = functions::find(&function.name).ok_or_else(|| Error::Unknown {
                    place: cx.place(function.span),
                    what: "function".into(),
                    name: function.name.clone(),
                    nearest: pullback_io::nearest(
                        &function.name,
                        self.callable().iter().map(String::as_str),
                    ),
                    help: String::new(),
                })?;
                let call = functions::Written {
                    function: found,
                    args,
                    span,
                };
                (found.check)(self, cx, &call)
            }
            ExprKind::Unary(UnaryOp::Neg, x) => {
                let x = self.expr(cx, x)?;
                self.negative(cx, x, span)
            }
            ExprKind::Unary(UnaryOp::Not, x) => {
                let x = self.expr(cx, x)?;
                self.expect_bool(cx, &x)?;
                let ty = x.ty;
                let node = Node::Not(Box::new(x));
                Ok(Typed { node, ty, span })
            }
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.expr(cx, a)?, self.expr(cx, b)?);
                self.binary(cx, *op, a, b, span)
            }
            ExprKind::Compare(first, rest) => {
                let mut left = self.expr(cx, first)?.shared();
                let mut all = Vec::with_capacity(rest.len());
                for (op, right) in rest {
                    let right = self.expr(cx, right)?.shared();
                    let at = if rest.len() == 1 {
                        span
                    } else {
                        left.span.to(right.span)
                    };
                    all.push(self.compare(cx, *op, left, right.clone(), at)?);
                    left = right;
                }
                let all = joined(all, |a, b| self.with(cx, a, b, Node::And, span))?;
                all.ok_or_else(|| nothing(cx, span))
            }
            ExprKind::Range { .. } | ExprKind::Set { .. } => self.membership(cx, e),
            ExprKind::If(a, c, b) => {
                let a = self.expr(cx, a)?;
                let c = self.expr(cx, c)?;
                let b = self.expr(cx, b)?;
                self.choice(cx, a, c, b, span)
            }
            ExprKind::Where(x, c) => {
                let x = self.expr(cx, x)?;
                self.keep(cx, x, c, span)
            }
        }
    }

    /// Whether `of` is made of `from` by leaving out and sorting.
    pub fn descends(&self, of: CollectionId, from: CollectionId) -> bool {
        let mut at = Some(of);
        while let Some(id) = at {
            if id == from {
                return true;
            }
            at = self.collections.get(id.0).and_then(|c| c.def.parent());
        }
        false
    }

    /// The finer of two levels, if values of both can be combined element by element.
    fn common(&self, a: Per, b: Per) -> Option<Per> {
        match (a, b) {
            (Per::Object(_), Per::Constant | Per::Event) | (Per::Event, Per::Constant) => Some(a),
            (Per::Constant | Per::Event, _) => Some(b),
            (Per::Object(a), Per::Object(b)) if self.descends(b, a) => Some(Per::Object(b)),
            (Per::Object(a), Per::Object(b)) if self.descends(a, b) => Some(Per::Object(a)),
            _ => None,
        }
    }

    /// The level of an operation on these values.
    pub fn level_of(&self, cx: Cx<'_>, values: &[Typed], span: Span) -> Result<Per> {
        let mut per = Per::Constant;
        let mut decides: Option<&Typed> = None;
        for value in values {
            let Some(common) = self.common(per, value.ty.per) else {
                let left = decides.unwrap_or(value);
                let call = |v: &Typed| {
                    format!("`{}` (per {})", cx.place(v.span).text(), self.per(v.ty.per))
                };
                return Err(Error::Mixed {
                    place: cx.place(span),
                    left: call(left),
                    right: call(value),
                });
            };
            if common == value.ty.per {
                decides = Some(value);
            }
            per = common;
        }
        Ok(per)
    }

    /// The level of an operation on these values, and the values of objects brought to it.
    pub fn align<const N: usize>(
        &self,
        cx: Cx<'_>,
        values: [Typed; N],
        span: Span,
    ) -> Result<([Typed; N], Per)> {
        let per = self.level_of(cx, &values, span)?;
        Ok((values.map(|v| v.restricted(per)), per))
    }

    /// A level in words.
    pub fn per(&self, per: Per) -> String {
        match per {
            Per::Constant => "everything".into(),
            Per::Event => "event".into(),
            Per::Object(id) => format!("object of `{}`", self.name_of(id)),
        }
    }

    /// A type in words.
    pub fn describe(&self, ty: Type) -> String {
        let what = match ty.kind {
            Kind::Bool => "true or false".to_owned(),
            Kind::Int => "a whole number".into(),
            Kind::Real => "a number".into(),
            Kind::Vector => "a four-vector".into(),
            Kind::Object(id) => format!("an object of `{}`", self.name_of(id)),
        };
        match (ty.per, ty.kind) {
            (Per::Constant, _) => what,
            (Per::Object(a), Kind::Object(b)) if a == b => {
                format!("the collection `{}`", self.name_of(a))
            }
            (per, _) => format!("{what} per {}", self.per(per)),
        }
    }

    /// An error for a value of another kind than needed.
    pub fn mistaken(&self, cx: Cx<'_>, found: &Typed, expected: &str, help: &str) -> Error {
        Error::Type {
            place: cx.place(found.span),
            expected: expected.into(),
            found: self.describe(found.ty),
            help: help.into(),
        }
    }

    /// Checks that a value is true or false.
    pub fn expect_bool(&self, cx: Cx<'_>, x: &Typed) -> Result<()> {
        match x.ty.kind {
            Kind::Bool => Ok(()),
            Kind::Int | Kind::Real => Err(self.mistaken(
                cx,
                x,
                "true or false",
                "compare it with a number, as in `x > 0` or `x != 0`",
            )),
            _ => Err(self.mistaken(
                cx,
                x,
                "true or false",
                "to ask how many there are, write `count(..) > 0`",
            )),
        }
    }

    /// A value as a number with a point.
    pub fn real(&self, cx: Cx<'_>, x: Typed) -> Result<Typed> {
        let (ty, span) = (x.ty, x.span);
        match ty.kind {
            Kind::Real => Ok(x),
            Kind::Int => {
                let node = match x.node {
                    Node::Int(n) => Node::Real(n as f64),
                    _ => Node::ToReal(Box::new(x)),
                };
                let ty = Type {
                    kind: Kind::Real,
                    ..ty
                };
                Ok(Typed { node, ty, span })
            }
            Kind::Bool => Err(self.mistaken(
                cx,
                &x,
                "a number",
                "to count for how many it holds, write `count(..)`; to choose, `a if condition else b`",
            )),
            Kind::Vector => Err(self.mistaken(
                cx,
                &x,
                "a number",
                "a four-vector has `.pt`, `.eta`, `.phi`, `.mass`, `.energy`, `.px`, `.py`, `.pz`",
            )),
            Kind::Object(_) => {
                Err(self.mistaken(cx, &x, "a number", "take a field of it, as in `mu.pt`"))
            }
        }
    }
}
