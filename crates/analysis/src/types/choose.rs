//! Collections chosen from others: which objects, in which order.

use std::fmt::Write;
use std::rc::Rc;

use super::check::{Checker, Cx};
use super::collection::Def;
use super::tree::{Node, Typed};
use super::ty::{CollectionId, Kind, Per, Type};
use crate::error::{Error, Result};
use crate::place::{Source, Span};
use crate::syntax::Expr;

impl Checker<'_> {
    /// The collection that a value is the whole of.
    pub fn whole_of(&self, cx: Cx<'_>, x: &Typed) -> Result<CollectionId> {
        match (&x.node, x.ty.per) {
            (Node::Whole(id), Per::Object(per)) if *id == per => Ok(per),
            _ => Err(self.mistaken(
                cx,
                x,
                "a collection",
                "such as `Muon`, or `jets where pt > 30`",
            )),
        }
    }

    /// The objects with other fields.
    pub(super) fn extended(
        &mut self,
        of: CollectionId,
        fields: &[(String, Source)],
    ) -> Result<CollectionId> {
        let mut values: Vec<(String, Typed)> = Vec::with_capacity(fields.len());
        let mut key = format!("fields {}", of.0);
        for (name, source) in fields {
            let cx = Cx {
                source,
                it: Some(of),
            };
            let place = source.everywhere();
            if !super::model::is_word(name) || values.iter().any(|v| v.0 == *name) {
                return Err(Error::Name {
                    place,
                    name: name.clone(),
                    reason: "fields have different names of letters, digits and `_`".into(),
                });
            }
            let e = self.parse(source)?;
            let value = self.expr(cx, &e)?;
            if matches!(value.ty.kind, Kind::Vector | Kind::Object(_)) {
                return Err(self.mistaken(cx, &value, "a number, or true or false", ""));
            }
            let mut value = self.about(cx, of, value)?;
            value.ty.per = Per::Object(of);
            // Writing to a string does not fail.
            let _ = write!(key, ", {name} = {e}");
            values.push((name.clone(), value));
        }
        let name = self.name_of(of).to_owned();
        Ok(self.collection(key, &name, Def::Fields(of, values.into())))
    }

    /// The objects for which a condition holds.
    pub fn filtered(&mut self, cx: Cx<'_>, of: CollectionId, c: &Expr) -> Result<CollectionId> {
        let inner = Cx { it: Some(of), ..cx };
        let condition = self.expr(inner, c)?;
        self.expect_bool(inner, &condition)?;
        let condition = self.about(inner, of, condition)?;
        let name = format!("{} where {c}", self.name_of(of));
        let key = format!("filter {} {c}", of.0);
        Ok(self.collection(key, &name, Def::Filter(of, Rc::new(condition))))
    }

    /// The objects in the order of rising keys.
    pub fn sorted(&mut self, cx: Cx<'_>, of: CollectionId, key: &Expr) -> Result<CollectionId> {
        let inner = Cx { it: Some(of), ..cx };
        let value = self.expr(inner, key)?;
        let value = self.real(inner, value)?;
        let value = self.about(inner, of, value)?;
        let name = format!("sorted({}, {key})", self.name_of(of));
        let text = format!("sort {} {key}", of.0);
        Ok(self.collection(text, &name, Def::Sort(of, Rc::new(value))))
    }

    /// A value per object of a collection, or one that is the same for all of an event.
    fn about(&self, cx: Cx<'_>, of: CollectionId, value: Typed) -> Result<Typed> {
        let fits = match value.ty.per {
            Per::Object(other) => self.descends(of, other),
            _ => true,
        };
        if fits {
            return Ok(value.restricted(Per::Object(of)));
        }
        Err(Error::Mixed {
            place: cx.place(value.span),
            left: format!("`{}` (per object)", self.name_of(of)),
            right: format!(
                "`{}` (per {})",
                cx.place(value.span).text(),
                self.per(value.ty.per)
            ),
        })
    }

    /// `x where c`
    pub(super) fn keep(&mut self, cx: Cx<'_>, x: Typed, c: &Expr, span: Span) -> Result<Typed> {
        if let Per::Object(of) = x.ty.per {
            let id = self.filtered(cx, of, c)?;
            if matches!(x.node, Node::Whole(_)) {
                return Ok(self.whole(id, span));
            }
            return Ok(Typed {
                span,
                ..x.restricted(Per::Object(id))
            });
        }
        let c = self.expr(cx, c)?;
        self.expect_bool(cx, &c)?;
        if matches!(x.ty.kind, Kind::Bool) {
            return Err(self.mistaken(
                cx,
                &x,
                "a number, an object or objects",
                "join conditions with `and`",
            ));
        }
        let ([x, c], per) = self.align(cx, [x, c], span)?;
        let ty = Type { per, ..x.ty }.or_missing(true);
        let node = Node::Guard(Box::new(x), Box::new(c));
        Ok(Typed { node, ty, span })
    }
}
