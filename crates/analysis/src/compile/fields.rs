//! Fields of objects, values at indices, four-vectors of objects.

use pullback_ad::Real;
use pullback_array::{Space, Sym};

use super::collections::Origin;
use super::express::Compiler;
use super::value::{Maybe, Value, both, to_real};
use super::vector::Vector;
use crate::links::keys;
use crate::schema::Target;
use crate::types::{CollectionId, Def, Kinematics};

/// How the objects of a collection are found among those of one it was made of.
pub(crate) enum Lineage<'b> {
    /// They are the same ones, in the same order.
    Same,
    /// At this index.
    Index(Sym<'b>),
    /// It was not made of that one.
    Apart,
}

impl<'b> Compiler<'b> {
    /// A field of all objects of a collection.
    pub fn field(&self, id: CollectionId, name: &str) -> Maybe<'b> {
        let key = (id, name.to_owned());
        if let Some(known) = self.fields.borrow().get(&key) {
            return *known;
        }
        let value = self.new_field(id, name);
        self.fields.borrow_mut().insert(key, value);
        value
    }

    fn new_field(&self, id: CollectionId, name: &str) -> Maybe<'b> {
        let Some(collection) = self.model.collections.get(id.0) else {
            return self.nothing();
        };
        let made = self.made(id);
        match (&collection.def, made.from) {
            (Def::Input(group) | Def::Single(group), _) => {
                let found = self.model.schema.groups().get(*group);
                match found.and_then(|g| g.field(name)) {
                    Some(Target::Column(column)) => self.column(column),
                    Some(Target::Object { column, key, group }) => {
                        self.reference(column, key, group)
                    }
                    None => self.nothing(),
                }
            }
            (Def::Fields(of, fields), _) => match fields.iter().find(|f| f.0 == name) {
                Some((_, value)) => {
                    let label = Some(format!("{}.{name}", collection.name).into());
                    self.b.labelled(label, || self.value(value))
                }
                None => self.field(*of, name),
            },
            (_, Origin::Part(index)) => match collection.def.parent() {
                Some(parent) => {
                    let value = self.field(parent, name);
                    self.gathered(value, parent, index, None)
                }
                None => self.nothing(),
            },
            (Def::Product(members), Origin::Members(indices)) => {
                let found = members.iter().zip(indices).find(|((n, _), _)| n == name);
                let Some(((_, of), index)) = found else {
                    return self.nothing();
                };
                Maybe::new(Value::Object {
                    of: *of,
                    index: Some(index),
                })
            }
            (Def::Union(members), Origin::Parts(parts)) => {
                self.union_field(members, &parts, name, made.space)
            }
            _ => self.nothing(),
        }
    }

    fn union_field(
        &self,
        members: &[CollectionId],
        parts: &[(Sym<'b>, Sym<'b>)],
        name: &str,
        space: Space,
    ) -> Maybe<'b> {
        let mut whole: Option<Maybe<'b>> = None;
        for (k, (member, (mask, index))) in members.iter().zip(parts).enumerate().rev() {
            let part = if name == "source" {
                let number = self.spread(self.b.integer(k as i64), space);
                Maybe::new(Value::Int(number))
            } else {
                let mut part = self.gathered(self.field(*member, name), *member, *index, None);
                // The type of the whole is that of its first part.
                if let (Value::Int(x), Some(Value::Real(_))) = (part.value, whole.map(|w| w.value))
                {
                    part.value = Value::Real(to_real(x));
                }
                part
            };
            whole = Some(match whole {
                None => part,
                Some(rest) => self.choose((*mask, None), part, rest),
            });
        }
        whole.unwrap_or_else(|| self.nothing())
    }

    /// The object of another collection whose number a column holds, where its key is one of that collection.
    fn reference(&self, column: usize, key: Option<usize>, group: usize) -> Maybe<'b> {
        let target = self
            .model
            .collections
            .iter()
            .position(|c| matches!(c.def, Def::Input(g) if g == group));
        let (Some(target), Value::Int(number)) = (target, self.column(column).value) else {
            return self.nothing();
        };
        let of = CollectionId(target);
        let mut number = number;
        if let Some(key) = key {
            let name = self
                .model
                .schema
                .groups()
                .get(group)
                .map(|g| g.name.as_str());
            let Value::Int(key) = self.column(key).value else {
                return self.nothing();
            };
            let own = keys(name.unwrap_or(""))
                .map(|own| key.eq(self.b.integer(own)))
                .reduce(|a, b| a | b);
            if let Some(own) = own {
                number = own.select(number, self.b.integer(-1));
            }
        }
        let index = self.b.locate(number, self.list(group));
        Maybe {
            value: Value::Object {
                of,
                index: Some(index),
            },
            there: Some(index.ge(self.b.integer(0))),
        }
    }

    /// Values per object of a collection at indices along its level; missing where `there` does not hold.
    pub fn gathered(
        &self,
        x: Maybe<'b>,
        id: CollectionId,
        index: Sym<'b>,
        there: Option<Sym<'b>>,
    ) -> Maybe<'b> {
        let Some(level) = self.level(id) else {
            // One object per event: every index of an event is that object.
            return x;
        };
        let at = |v: Sym<'b>| self.spread(v, level.space).gather_over(level.id, index);
        let there = both(x.there.map(at), there);
        let value = match x.value {
            Value::Real(v) => Value::Real(at(v)),
            Value::Int(v) => Value::Int(at(v)),
            Value::Vector(v) => Value::Vector(v.map(at)),
            Value::Bool { yes, no } => {
                let yes = at(yes);
                match (no, there) {
                    (None, None) => Value::Bool { yes, no: None },
                    (Some(no), _) => Value::Bool {
                        yes,
                        no: Some(at(no)),
                    },
                    (None, Some(there)) => Value::Bool {
                        yes,
                        no: Some(!yes & there),
                    },
                }
            }
            Value::Object { of, index: own } => Value::Object {
                of,
                index: Some(own.map_or(index, at)),
            },
        };
        let there = if matches!(value, Value::Bool { .. }) {
            None
        } else {
            there
        };
        Maybe { value, there }
    }

    /// The index, along the level of an ancestor, of each object of a collection made of it.
    pub fn lineage(&self, from: CollectionId, to: CollectionId) -> Lineage<'b> {
        let mut composed: Option<Sym<'b>> = None;
        let mut at = from;
        while at != to {
            let def = self.model.collections.get(at.0).map(|c| &c.def);
            let Some(parent) = def.and_then(Def::parent) else {
                return Lineage::Apart;
            };
            let step = match self.made(at).from {
                Origin::Part(step) => step,
                Origin::Same => {
                    at = parent;
                    continue;
                }
                _ => return Lineage::Apart,
            };
            composed = Some(match composed {
                None => step,
                Some(index) => match self.level(at) {
                    Some(level) => step.gather_over(level.id, index),
                    None => return Lineage::Apart,
                },
            });
            at = parent;
        }
        composed.map_or(Lineage::Same, Lineage::Index)
    }

    /// The four-vectors of objects.
    pub fn vector(&self, x: Maybe<'b>) -> Maybe<'b> {
        let Value::Object { of, .. } = x.value else {
            return x;
        };
        let has = |name: &str| self.has_field(of, name);
        let Ok(kinematics) = Kinematics::find(has) else {
            return self.nothing();
        };
        let (names, polar) = match &kinematics {
            Kinematics::Polar(names) => (names, true),
            Kinematics::Cartesian(names) => (names, false),
        };
        let mut there = None;
        let mut parts = Vec::new();
        for name in names {
            let part = self.field_of(x, name);
            there = both(there, part.there);
            parts.push(match part.value {
                Value::Real(v) => v,
                Value::Int(v) => to_real(v),
                _ => return self.nothing(),
            });
        }
        let [a, b, c, d] = parts.as_slice() else {
            return self.nothing();
        };
        let (a, b, c, d) = (*a, *b, *c, *d);
        let vector = if polar {
            Vector::Polar {
                pt: a,
                eta: b,
                phi: c,
                mass: d,
            }
        } else {
            Vector::Cartesian {
                px: a,
                py: b,
                pz: c,
                e: d,
            }
        };
        Maybe {
            value: Value::Vector(vector),
            there,
        }
    }

    fn has_field(&self, id: CollectionId, name: &str) -> bool {
        match self.model.collections.get(id.0).map(|c| &c.def) {
            Some(Def::Input(g) | Def::Single(g)) => {
                let group = self.model.schema.groups().get(*g);
                group.is_some_and(|g| g.field(name).is_some())
            }
            Some(Def::Fields(of, fields)) => {
                fields.iter().any(|f| f.0 == name) || self.has_field(*of, name)
            }
            Some(Def::Filter(of, _) | Def::Sort(of, _) | Def::First(of, _)) => {
                self.has_field(*of, name)
            }
            Some(Def::Product(members)) => members.iter().any(|m| m.0 == name),
            Some(Def::Union(members)) => members.iter().all(|m| self.has_field(*m, name)),
            None => false,
        }
    }

    /// A field of a value that is an object.
    pub fn field_of(&self, x: Maybe<'b>, name: &str) -> Maybe<'b> {
        let Value::Object { of, index } = x.value else {
            return self.nothing();
        };
        let field = self.field(of, name);
        match index {
            Some(index) => self.gathered(field, of, index, x.there),
            None => field.guarded(x.there),
        }
    }
}
