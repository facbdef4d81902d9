//! Collections made of several: combinations and unions.

use super::check::{Checker, Cx};
use super::collection::Def;
use super::ty::CollectionId;
use crate::error::{Error, Result};
use crate::place::Span;
use crate::syntax::{ExprKind, Ident, Member};

/// Most members of a combination.
const MOST: usize = 8;

impl Checker<'_> {
    /// `mu as a, mu as b`
    pub(super) fn combine(&mut self, cx: Cx<'_>, members: &[Member]) -> Result<CollectionId> {
        let mut named = Vec::new();
        for member in members {
            let x = self.expr(cx, &member.expr)?;
            let id = self.whole_of(cx, &x)?;
            let alias = match (&member.alias, &member.expr.kind) {
                (Some(alias), _) => alias.clone(),
                (None, ExprKind::Name(name)) => Ident {
                    name: name.clone(),
                    span: member.expr.span,
                },
                (None, _) => {
                    return Err(Error::Meaning {
                        place: cx.place(member.expr.span),
                        message: "a member of a combination needs a name".into(),
                        help: "write `.. as a`".into(),
                    });
                }
            };
            named.push((alias, id));
        }
        self.product(cx, named, cx.source.everywhere().span)
    }

    /// The combinations of named members.
    pub fn product(
        &mut self,
        cx: Cx<'_>,
        members: Vec<(Ident, CollectionId)>,
        span: Span,
    ) -> Result<CollectionId> {
        let meaning = |span, message: String, help: &str| {
            Err(Error::Meaning {
                place: cx.place(span),
                message,
                help: help.into(),
            })
        };
        if !(2..=MOST).contains(&members.len()) {
            let message = format!("a combination of {} collections", members.len());
            return meaning(
                span,
                message,
                "there are combinations of 2 to 8: `mu as a, mu as b`",
            );
        }
        for (k, (alias, _)) in members.iter().enumerate() {
            if members.iter().take(k).any(|m| m.0 == *alias) {
                let message = format!("two members are called `{}`", alias.name);
                return meaning(alias.span, message, "give them names: `mu as a, mu as b`");
            }
        }
        // Members of one collection stand side by side: each set of them comes once.
        for (k, (alias, id)) in members.iter().enumerate() {
            let last = members.iter().take(k).rposition(|m| m.1 == *id);
            if last.is_some_and(|l| l + 1 != k) {
                let message = format!(
                    "`{}` stands apart from the others of its collection",
                    alias.name
                );
                return meaning(
                    alias.span,
                    message,
                    "put members of one collection side by side",
                );
            }
        }
        let parts: Vec<String> = (members.iter())
            .map(|(alias, id)| format!("{} as {}", self.name_of(*id), alias.name))
            .collect();
        let keys: Vec<String> = (members.iter())
            .map(|(alias, id)| format!("{} {}", id.0, alias.name))
            .collect();
        let members = members.into_iter().map(|(a, id)| (a.name, id)).collect();
        let (key, name) = (format!("product {}", keys.join(",")), parts.join(", "));
        Ok(self.collection(key, &name, Def::Product(members)))
    }

    /// `Electron, Muon`
    pub(super) fn union(&mut self, cx: Cx<'_>, members: &[Member]) -> Result<CollectionId> {
        let mut ids = Vec::new();
        for member in members {
            if let Some(alias) = &member.alias {
                return Err(Error::Meaning {
                    place: cx.place(alias.span),
                    message: "a member of a union has no name".into(),
                    help: "the field `source` says where an object comes from: 0, 1, ..".into(),
                });
            }
            let x = self.expr(cx, &member.expr)?;
            ids.push(self.whole_of(cx, &x)?);
        }
        Ok(self.joined(ids))
    }

    /// One collection after the other.
    pub fn joined(&mut self, ids: Vec<CollectionId>) -> CollectionId {
        let names: Vec<&str> = ids.iter().map(|id| self.name_of(*id)).collect();
        let name = format!("union({})", names.join(", "));
        let keys: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
        let key = format!("union {}", keys.join(","));
        self.collection(key, &name, Def::Union(ids))
    }
}
