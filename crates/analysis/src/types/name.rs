//! What names mean: fields of the object at hand, definitions, collections and columns of the data.

use std::rc::Rc;

use super::check::{Checker, Cx, UnderWay};
use super::collection::Def;
use super::tree::{Node, Typed, joined};
use super::ty::{CollectionId, Kind, Per, Type};
use crate::define::{Definition, From};
use crate::error::{Error, Result};
use crate::place::{Source, Span};
use crate::syntax::{Expr, ExprKind, UnaryOp, parse, parse_list};
use crate::units::Dimension;

/// Names with a meaning of their own.
pub(super) const RESERVED: [&str; 2] = ["it", "pi"];

/// How deep the expressions of definitions that need one another may nest in all: the program is recorded by recursion.
const MAX_CHAIN: usize = 400;

/// How many definitions may be under way at once: each is checked when it is first needed.
const MAX_UNDER_WAY: usize = 100;

fn too_long(cx: Cx<'_>, span: Span, limit: usize) -> Error {
    Error::TooLong {
        place: cx.place(span),
        what: "levels of definitions that need one another",
        limit,
    }
}

impl Checker<'_> {
    /// A name.
    pub(super) fn name(&mut self, cx: Cx<'_>, name: &str, span: Span) -> Result<Typed> {
        if let Some(it) = cx.it {
            let whole = self.whole(it, span);
            if name == "it" {
                return Ok(whole);
            }
            if let Some(found) = self.try_field(cx, &whole, it, name, span)? {
                return Ok(found);
            }
        }
        match name {
            "pi" => {
                let ty = Type::new(Per::Constant, Kind::Real).of(Some(Dimension::NONE));
                let node = Node::Real(std::f64::consts::PI);
                return Ok(Typed { node, ty, span });
            }
            "it" => {
                return Err(Error::Meaning {
                    place: cx.place(span),
                    message: "`it` is the object at hand, and there is none here".into(),
                    help: "it has a meaning in conditions on objects: `mu where it != z.a`".into(),
                });
            }
            _ => {}
        }
        match self.definitions.get(name) {
            Some(Definition::Object(_)) => {
                let id = self.object(cx, name, span)?;
                return Ok(self.whole(id, span));
            }
            Some(Definition::Column(_) | Definition::Region(_) | Definition::Network(_)) => {
                return self.defined(cx, name, span);
            }
            Some(Definition::Parameter(_)) => {
                let (_, dimension) = self.parameter(name)?;
                let ty = Type::new(Per::Constant, Kind::Real).of(dimension);
                let node = Node::Parameter(name.into());
                return Ok(Typed { node, ty, span });
            }
            Some(Definition::Histogram(_)) => {
                return Err(Error::Meaning {
                    place: cx.place(span),
                    message: format!("`{name}` is a histogram, which is no value"),
                    help: String::new(),
                });
            }
            Some(Definition::Table(table)) => {
                let axes: Vec<&str> = table.axes.iter().map(|a| a.name.as_str()).collect();
                return Err(Error::Meaning {
                    place: cx.place(span),
                    message: format!("`{name}` is a table, which is no value"),
                    help: format!("call it: `{name}({})`", axes.join(", ")),
                });
            }
            None => {}
        }
        let group = self.schema.groups().iter().position(|g| g.name == name);
        let value = group.and_then(|g| self.schema.groups().get(g)?.value);
        if let (Some(group), None) = (group, value) {
            let id = self.group(group);
            return Ok(self.whole(id, span));
        }
        if let Some(column) = value.or_else(|| self.schema.column(name)) {
            return Ok(self.column(column, span));
        }
        Err(self.unknown(cx, name, span))
    }

    fn unknown(&mut self, cx: Cx<'_>, name: &str, span: Span) -> Error {
        let fields = cx.it.map(|it| self.field_names(it)).unwrap_or_default();
        let groups = self.schema.groups().iter().map(|g| g.name.as_str());
        let columns = self.schema.columns().iter().map(|c| c.name.as_str());
        let names = fields.iter().map(String::as_str);
        let names = names.chain(self.definitions.keys().copied());
        let function = crate::functions::find(name).is_some();
        Error::Unknown {
            place: cx.place(span),
            what: "name".into(),
            name: name.into(),
            nearest: pullback_io::nearest(name, names.chain(groups).chain(columns)),
            help: if function {
                format!("`{name}` is a function: write `{name}(..)`")
            } else {
                String::new()
            },
        }
    }

    /// The collection, or the single object, of a group of the schema.
    pub(super) fn group(&mut self, group: usize) -> CollectionId {
        let found = self.schema.groups().get(group);
        let name = found.map_or_else(String::new, |g| g.name.clone());
        let def = if found.is_some_and(|g| g.list) {
            Def::Input(group)
        } else {
            Def::Single(group)
        };
        self.collection(format!("group {group}"), &name, def)
    }

    fn column(&mut self, column: usize, span: Span) -> Typed {
        let per = match self.schema.group_of(column) {
            Some(group) => Per::Object(self.group(group)),
            None => Per::Event,
        };
        let field = self.column_type(column);
        let ty = Type::new(per, field.kind).of(field.dimension);
        let node = Node::Column(column);
        Typed { node, ty, span }
    }

    fn begin(&mut self, cx: Cx<'_>, name: &str, span: Span) -> Result<()> {
        let names = self.stack.iter().map(|s| s.name.as_str());
        if let Some(k) = self.is_under_way(name) {
            let chain: Vec<&str> = names.skip(k).collect();
            return Err(Error::Cycle {
                place: cx.place(span),
                name: name.into(),
                chain: format!("`{}`", chain.join("`, `")),
            });
        }
        if self.stack.len() >= MAX_UNDER_WAY {
            return Err(too_long(cx, span, MAX_UNDER_WAY));
        }
        self.stack.push(UnderWay {
            name: name.into(),
            depth: 0,
            needs: 0,
        });
        Ok(())
    }

    /// Ends what [`Self::begin`] began.
    fn end(&mut self) {
        if let Some(done) = self.stack.pop() {
            self.depths.insert(done.name, done.depth + done.needs);
        }
    }

    /// Takes note that the definition under way needs another one.
    fn need(&mut self, cx: Cx<'_>, name: &str, span: Span) -> Result<()> {
        let depth = self.depths.get(name).copied().unwrap_or(0);
        if depth > MAX_CHAIN {
            return Err(too_long(cx, span, MAX_CHAIN));
        }
        if let Some(top) = self.stack.last_mut() {
            top.needs = top.needs.max(depth);
        }
        Ok(())
    }

    /// Position among the definitions under way.
    pub(super) fn is_under_way(&self, name: &str) -> Option<usize> {
        self.stack.iter().position(|s| s.name == name)
    }

    /// Parses an expression of the definition under way.
    pub(super) fn parse(&mut self, source: &Source) -> Result<Expr> {
        let e = parse(source)?;
        if let Some(top) = self.stack.last_mut() {
            top.depth = top.depth.max(e.depth());
        }
        Ok(e)
    }

    /// A defined column, or a region as a condition.
    pub(super) fn defined(&mut self, cx: Cx<'_>, name: &str, span: Span) -> Result<Typed> {
        if !self.columns.contains_key(name) {
            let Some(definition) = self.definitions.get(name).copied() else {
                return Err(self.unknown(cx, name, span));
            };
            self.begin(cx, name, span)?;
            let value = match definition {
                Definition::Column(source) => self.text(source)?,
                Definition::Region(cuts) => self.all_of(cuts, span)?,
                Definition::Network(network) => self.network(name, network, span)?,
                _ => return Err(self.unknown(cx, name, span)),
            };
            self.end();
            self.columns.insert(name.into(), Rc::new(value));
        }
        self.need(cx, name, span)?;
        let ty = self.columns.get(name).map(|c| c.ty);
        let ty = ty.unwrap_or(Type::new(Per::Event, Kind::Real));
        let node = Node::Defined(name.into());
        Ok(Typed { node, ty, span })
    }

    /// An expression that is not about one object.
    pub fn text(&mut self, source: &Source) -> Result<Typed> {
        let e = self.parse(source)?;
        self.expr(Cx { source, it: None }, &e)
    }

    /// A cut: a condition per event.
    pub(super) fn cut(&mut self, source: &Source) -> Result<Typed> {
        let cut = self.text(source)?;
        let cx = Cx { source, it: None };
        self.expect_bool(cx, &cut)?;
        if let Per::Object(_) = cut.ty.per {
            let help = "write `any(..)`, `all(..)`, or `count(..) >= 2`";
            return Err(self.mistaken(cx, &cut, "true or false per event", help));
        }
        Ok(cut)
    }

    fn all_of(&mut self, cuts: &[Source], span: Span) -> Result<Typed> {
        let mut all = Vec::with_capacity(cuts.len());
        for source in cuts {
            all.push(self.cut(source)?);
        }
        let all = joined(all, |a, b| {
            let optional = a.ty.optional || b.ty.optional;
            let ty = Type::new(Per::Event, Kind::Bool).or_missing(optional);
            let node = Node::And(Box::new(a), Box::new(b));
            Ok(Typed { node, ty, span })
        })?;
        let none = Typed {
            node: Node::Bool(true),
            ty: Type::new(Per::Event, Kind::Bool),
            span,
        };
        let mut all = all.unwrap_or(none);
        all.ty.per = Per::Event;
        Ok(all)
    }

    /// The start of a parameter.
    pub(super) fn parameter(&mut self, name: &str) -> Result<(f64, Option<Dimension>)> {
        if let Some(known) = self.parameters.get(name) {
            return Ok(*known);
        }
        let Some(Definition::Parameter(source)) = self.definitions.get(name).copied() else {
            return Ok((f64::NAN, None));
        };
        let e = parse(source)?;
        let (number, sign) = match &e.kind {
            ExprKind::Unary(UnaryOp::Neg, x) => (&**x, -1.0),
            _ => (&e, 1.0),
        };
        let cx = Cx { source, it: None };
        let value = match number.kind {
            ExprKind::Number(_) => self.expr(cx, number)?,
            _ => {
                return Err(Error::Meaning {
                    place: cx.place(e.span),
                    message: "the start of a parameter is a number".into(),
                    help: "with a unit where it has one: `25 GeV`".into(),
                });
            }
        };
        let start = match value.node {
            Node::Real(x) => sign * x,
            Node::Int(n) => sign * n as f64,
            _ => f64::NAN,
        };
        let found = (start, value.ty.dimension);
        self.parameters.insert(name.into(), found);
        Ok(found)
    }

    /// A defined collection.
    pub(super) fn object(&mut self, cx: Cx<'_>, name: &str, span: Span) -> Result<CollectionId> {
        if let Some(id) = self.objects.get(name).copied() {
            self.need(cx, name, span)?;
            return Ok(id);
        }
        let Some(Definition::Object(object)) = self.definitions.get(name).copied() else {
            return Err(self.unknown(cx, name, span));
        };
        self.begin(cx, name, span)?;
        let (base, mut made) = match &object.from {
            From::Objects(source) => {
                let x = self.text(source)?;
                let plain = matches!(parse(source)?.kind, ExprKind::Name(_));
                (self.whole_of(Cx { source, it: None }, &x)?, !plain)
            }
            From::Combine(source) => {
                let members = parse_list(source)?;
                (self.combine(Cx { source, it: None }, &members)?, true)
            }
            From::Union(source) => {
                let members = parse_list(source)?;
                (self.union(Cx { source, it: None }, &members)?, true)
            }
        };
        let mut id = base;
        if !object.fields.is_empty() {
            id = self.extended(id, &object.fields)?;
            made = true;
        }
        // First the order, then the choice: what is chosen may be relaxed, and a soft choice has no order.
        if let Some(source) = &object.sort {
            let key = self.parse(source)?;
            id = self.sorted(Cx { source, it: None }, id, &key)?;
            made = true;
        }
        if let Some(source) = &object.filter {
            let condition = self.parse(source)?;
            id = self.filtered(Cx { source, it: None }, id, &condition)?;
            made = true;
        }
        if let (true, Some(collection)) = (made, self.collections.get_mut(id.0)) {
            collection.name = name.into();
        }
        self.end();
        self.objects.insert(name.into(), id);
        self.need(cx, name, span)?;
        Ok(id)
    }
}
