//! Calls of tables: `muon_sf(pt, abs(eta))`, `muon_sf.up(..)`.

use std::rc::Rc;
use std::sync::Arc;

use super::check::{Checker, Cx};
use super::tree::{Node, Typed};
use super::ty::{Kind, Type};
use crate::define::Definition;
use crate::error::{Error, Result};
use crate::place::Span;
use crate::syntax::{Expr, Ident};
use crate::tables::{Outside, Table, TableAxis};

/// A table, or a variation of one, that is called.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    /// As it is written: `muon_sf.up`.
    pub name: String,
    pub axes: Vec<TableAxis>,
    pub values: Arc<[f64]>,
    pub outside: Outside,
}

impl Checker<'_> {
    /// The table that a call names; nothing if none has that name.
    pub(super) fn table_of(&self, function: &Ident) -> Option<(&Table, Option<String>)> {
        let (name, variation) = match function.name.split_once('.') {
            Some((name, variation)) => (name, Some(variation.to_owned())),
            None => (function.name.as_str(), None),
        };
        match self.definitions.get(name) {
            Some(Definition::Table(table)) => Some((table, variation)),
            _ => None,
        }
    }

    /// What can be called, tables included.
    pub(super) fn callable(&self) -> Vec<String> {
        let mut names: Vec<String> = crate::functions::all().map(|f| f.name.to_owned()).collect();
        for (name, definition) in &self.definitions {
            if let Definition::Table(table) = definition {
                names.push((*name).to_owned());
                let variations = table.variations.iter();
                names.extend(variations.map(|(v, _)| format!("{name}.{v}")));
            }
        }
        names
    }

    /// A number per whatever the arguments are per.
    pub(super) fn lookup(
        &mut self,
        cx: Cx<'_>,
        function: &Ident,
        args: &[Expr],
        span: Span,
    ) -> Result<Option<Typed>> {
        let Some((table, variation)) = self.table_of(function) else {
            return Ok(None);
        };
        let Some(values) = table.numbers(variation.as_deref()).cloned() else {
            let known = table.variations.iter().map(|(n, _)| n.as_str());
            let help = match known.clone().collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "it has none".to_owned(),
                known => format!("known are {known}"),
            };
            let name = variation.unwrap_or_default();
            return Err(Error::Unknown {
                place: cx.place(function.span),
                what: "variation".into(),
                nearest: pullback_io::nearest(&name, known),
                name,
                help,
            });
        };
        let lookup = Lookup {
            name: function.name.clone(),
            axes: table.axes.clone(),
            values,
            outside: table.outside,
        };
        if args.len() != lookup.axes.len() {
            let axes: Vec<&str> = lookup.axes.iter().map(|a| a.name.as_str()).collect();
            return Err(Error::Meaning {
                place: cx.place(span),
                message: format!(
                    "the table `{}` takes {} argument{}, not {}",
                    lookup.name,
                    axes.len(),
                    if axes.len() == 1 { "" } else { "s" },
                    args.len()
                ),
                help: format!("it is called as `{}({})`", lookup.name, axes.join(", ")),
            });
        }
        let mut numbers = Vec::with_capacity(args.len());
        for (arg, axis) in args.iter().zip(&lookup.axes) {
            let x = self.expr(cx, arg)?;
            let x = self.real(cx, x)?;
            if let (Some(own), Some(edges)) = (x.ty.dimension, axis.dimension)
                && own != edges
            {
                return Err(Error::Units {
                    place: cx.place(x.span),
                    left: format!("`{}` ({own})", cx.place(x.span).text()),
                    right: format!("the axis `{}` ({edges})", axis.name),
                });
            }
            numbers.push(x);
        }
        let per = self.level_of(cx, &numbers, span)?;
        let optional = numbers.iter().any(|x| x.ty.optional);
        let numbers = numbers.into_iter().map(|x| x.restricted(per)).collect();
        let ty = Type::new(per, Kind::Real).or_missing(optional);
        let node = Node::Lookup(Rc::new(lookup), numbers);
        Ok(Some(Typed { node, ty, span }))
    }
}
