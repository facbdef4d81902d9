//! Types of operators.

use super::check::{Checker, Cx, nothing};
use super::tree::{Arithmetic, Node, Typed, joined};
use super::ty::{Kind, Per, Type};
use crate::error::{Error, Result};
use crate::place::Span;
use crate::syntax::{BinaryOp, CompareOp, End, Expr, ExprKind};
use crate::units::Dimension;

type Joined = fn(Box<Typed>, Box<Typed>) -> Node;

/// The dimension that two values share; nothing if neither has one.
pub(crate) fn same_dimension(
    cx: Cx<'_>,
    a: &Typed,
    b: &Typed,
    span: Span,
) -> Result<Option<Dimension>> {
    match (a.ty.dimension, b.ty.dimension) {
        (Some(x), Some(y)) if x != y => {
            let call = |v: &Typed, d| format!("`{}` ({d})", cx.place(v.span).text());
            Err(Error::Units {
                place: cx.place(span),
                left: call(a, x),
                right: call(b, y),
            })
        }
        (x, y) => Ok(x.or(y)),
    }
}

fn dimension_of(
    cx: Cx<'_>,
    op: Arithmetic,
    a: &Typed,
    b: &Typed,
    span: Span,
) -> Result<Option<Dimension>> {
    let (x, y) = (a.ty.dimension, b.ty.dimension);
    if a.ty.kind == Kind::Vector {
        return Ok(Some(Dimension::ENERGY));
    }
    Ok(match op {
        Arithmetic::Add | Arithmetic::Sub | Arithmetic::Rem => same_dimension(cx, a, b, span)?,
        Arithmetic::Mul => match (x, y) {
            (Some(x), Some(y)) => Some(x.times(y)),
            (x, y) => x.or(y),
        },
        // A plain number over a unit: whether the number has one is not known.
        Arithmetic::Div => match (x, y) {
            (Some(x), Some(y)) => Some(x.over(y)),
            (x, None) => x,
            (None, Some(_)) => None,
        },
        Arithmetic::Pow => match (x, &b.node) {
            (Some(x), Node::Real(n)) if n.fract() == 0.0 && n.abs() < 10.0 => {
                Some(x.power(*n as i8))
            }
            (Some(x), Node::Real(n)) if *n == 0.5 => x.root(),
            _ => None,
        },
    })
}

impl Checker<'_> {
    pub(super) fn negative(&self, cx: Cx<'_>, x: Typed, span: Span) -> Result<Typed> {
        if let Node::Int(n) = x.node {
            return Ok(Typed {
                node: Node::Int(-n),
                ty: x.ty,
                span,
            });
        }
        let x = self.real(cx, x)?;
        let ty = x.ty;
        let node = match x.node {
            Node::Real(v) => Node::Real(-v),
            _ => Node::Neg(Box::new(x)),
        };
        Ok(Typed { node, ty, span })
    }

    pub(super) fn binary(
        &mut self,
        cx: Cx<'_>,
        op: BinaryOp,
        a: Typed,
        b: Typed,
        span: Span,
    ) -> Result<Typed> {
        let op = match op {
            BinaryOp::And => return self.with(cx, a, b, Node::And, span),
            BinaryOp::Or => return self.with(cx, a, b, Node::Or, span),
            BinaryOp::Add => Arithmetic::Add,
            BinaryOp::Sub => Arithmetic::Sub,
            BinaryOp::Mul => Arithmetic::Mul,
            BinaryOp::Div => Arithmetic::Div,
            BinaryOp::Rem => Arithmetic::Rem,
            BinaryOp::Pow => Arithmetic::Pow,
        };
        let vector = |x: &Typed| matches!(x.ty.kind, Kind::Vector | Kind::Object(_));
        let (a, b) = match op {
            Arithmetic::Add | Arithmetic::Sub if vector(&a) && vector(&b) => {
                (self.vector(cx, a)?, self.vector(cx, b)?)
            }
            Arithmetic::Mul if vector(&a) && !vector(&b) => {
                (self.vector(cx, a)?, self.real(cx, b)?)
            }
            Arithmetic::Mul if vector(&b) && !vector(&a) => {
                (self.vector(cx, b)?, self.real(cx, a)?)
            }
            _ => (self.real(cx, a)?, self.real(cx, b)?),
        };
        let dimension = dimension_of(cx, op, &a, &b, span)?;
        let kind = a.ty.kind;
        let ([a, b], per) = self.align(cx, [a, b], span)?;
        let optional = a.ty.optional || b.ty.optional;
        let ty = Type::new(per, kind).of(dimension).or_missing(optional);
        let node = Node::Arithmetic(op, Box::new(a), Box::new(b));
        Ok(Typed { node, ty, span })
    }

    /// Two conditions joined.
    pub(super) fn with(
        &self,
        cx: Cx<'_>,
        a: Typed,
        b: Typed,
        join: Joined,
        span: Span,
    ) -> Result<Typed> {
        self.expect_bool(cx, &a)?;
        self.expect_bool(cx, &b)?;
        let ([a, b], per) = self.align(cx, [a, b], span)?;
        let ty = Type::new(per, Kind::Bool).or_missing(a.ty.optional || b.ty.optional);
        let node = join(Box::new(a), Box::new(b));
        Ok(Typed { node, ty, span })
    }

    pub(super) fn compare(
        &self,
        cx: Cx<'_>,
        op: CompareOp,
        a: Typed,
        b: Typed,
        span: Span,
    ) -> Result<Typed> {
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        let (a, b) = match (a.ty.kind, b.ty.kind) {
            (Kind::Object(x), Kind::Object(y)) if equality && x == y && !self.is_single(x) => {
                (a, b)
            }
            (Kind::Object(x), Kind::Object(y)) if equality => {
                let (x, y) = (self.name_of(x), self.name_of(y));
                return Err(Error::Meaning {
                    place: cx.place(span),
                    message: format!("objects of `{x}` and `{y}` are not compared"),
                    help: "objects are the same or not within one collection of many".into(),
                });
            }
            (Kind::Int, Kind::Int) => (a, b),
            (Kind::Bool, _) | (_, Kind::Bool) => {
                let x = if a.ty.kind == Kind::Bool { &a } else { &b };
                return Err(self.mistaken(
                    cx,
                    x,
                    "a number to compare",
                    "join conditions with `and` and `or`; `not x` is its opposite",
                ));
            }
            _ => (self.real(cx, a)?, self.real(cx, b)?),
        };
        same_dimension(cx, &a, &b, span)?;
        let ([a, b], per) = self.align(cx, [a, b], span)?;
        let ty = Type::new(per, Kind::Bool).or_missing(a.ty.optional || b.ty.optional);
        let node = Node::Compare(op, Box::new(a), Box::new(b));
        Ok(Typed { node, ty, span })
    }

    pub(super) fn membership(&mut self, cx: Cx<'_>, e: &Expr) -> Result<Typed> {
        let span = e.span;
        let mut all = Vec::new();
        let negated = match &e.kind {
            ExprKind::Range {
                value,
                negated,
                low,
                low_end,
                high,
                high_end,
            } => {
                let x = self.expr(cx, value)?.shared();
                let (low, high) = (self.expr(cx, low)?, self.expr(cx, high)?);
                let above = match low_end {
                    End::Closed => CompareOp::Ge,
                    End::Open => CompareOp::Gt,
                };
                let below = match high_end {
                    End::Closed => CompareOp::Le,
                    End::Open => CompareOp::Lt,
                };
                for (op, end) in [(above, low), (below, high)] {
                    all.push(self.compare(cx, op, x.clone(), end, span)?);
                }
                *negated
            }
            ExprKind::Set {
                value,
                negated,
                elements,
            } => {
                let x = self.expr(cx, value)?.shared();
                for element in elements {
                    let element = self.expr(cx, element)?;
                    all.push(self.compare(cx, CompareOp::Eq, x.clone(), element, span)?);
                }
                *negated
            }
            _ => false,
        };
        let join: Joined = match e.kind {
            ExprKind::Set { .. } => Node::Or,
            _ => Node::And,
        };
        let all = joined(all, |a, b| self.with(cx, a, b, join, span))?;
        let all = all.ok_or_else(|| nothing(cx, span))?;
        let ty = all.ty;
        let node = if negated {
            Node::Not(Box::new(all))
        } else {
            all.node
        };
        Ok(Typed { node, ty, span })
    }

    pub(super) fn choice(
        &self,
        cx: Cx<'_>,
        a: Typed,
        c: Typed,
        b: Typed,
        span: Span,
    ) -> Result<Typed> {
        self.expect_bool(cx, &c)?;
        let (a, b) = match (a.ty.kind, b.ty.kind) {
            (Kind::Bool, Kind::Bool) | (Kind::Int, Kind::Int) => (a, b),
            (Kind::Bool, _) => {
                return Err(self.mistaken(
                    cx,
                    &b,
                    "true or false",
                    "both sides of a choice are of one kind",
                ));
            }
            _ => (self.real(cx, a)?, self.real(cx, b)?),
        };
        let dimension = same_dimension(cx, &a, &b, span)?;
        let ([a, c, b], per) = self.align(cx, [a, c, b], span)?;
        let optional = a.ty.optional || b.ty.optional || c.ty.optional;
        let ty = Type::new(per, a.ty.kind).of(dimension).or_missing(optional);
        let node = Node::If(Box::new(a), Box::new(c), Box::new(b));
        Ok(Typed { node, ty, span })
    }

    /// `x[i]`
    pub(super) fn index(&self, cx: Cx<'_>, x: Typed, i: Typed, span: Span) -> Result<Typed> {
        let Per::Object(of) = x.ty.per else {
            return Err(self.mistaken(
                cx,
                &x,
                "a value per object",
                "only collections and values per object have elements",
            ));
        };
        if let Kind::Object(to) = i.ty.kind
            && self.descends(to, of)
        {
            let ty = Type {
                per: i.ty.per,
                ..x.ty
            }
            .or_missing(i.ty.optional);
            let x = x.restricted(Per::Object(to));
            let node = Node::At(Box::new(x), Box::new(i));
            return Ok(Typed { node, ty, span });
        }
        if i.ty.kind != Kind::Int || matches!(i.ty.per, Per::Object(_)) {
            return Err(self.mistaken(
                cx,
                &i,
                &format!(
                    "a whole number per event, or an object of `{}`",
                    self.name_of(of)
                ),
                "elements are numbered from 0: `jets[0]`",
            ));
        }
        if matches!(i.node, Node::Int(n) if n < 0) {
            return Err(Error::Meaning {
                place: cx.place(i.span),
                message: "elements are numbered from 0".into(),
                help: "for the last ones, sort the other way".into(),
            });
        }
        let ty = Type {
            per: Per::Event,
            ..x.ty
        }
        .or_missing(true);
        let node = Node::Nth(Box::new(x), Box::new(i));
        Ok(Typed { node, ty, span })
    }
}
