//! Collections as levels of the program, and the fields of their objects.

use pullback_ad::Real;
use pullback_array::attr::Attrs;
use pullback_array::{DType, Space, Sym, registry};

use super::express::Compiler;
use super::value::{Maybe, Value, both, to_real};
use super::vector::Vector;
use super::vocabulary::Level;
use crate::schema::Target;
use crate::types::{CollectionId, Def, Kinematics, Per};

/// A collection in the program.
#[derive(Clone)]
pub(crate) struct Made<'b> {
    pub space: Space,
    pub from: Origin<'b>,
}

/// Where the objects of a collection are found in others.
#[derive(Clone)]
pub(crate) enum Origin<'b> {
    /// They are those of the data.
    Data,
    /// At this index of the parent.
    Part(Sym<'b>),
    /// An index for each member.
    Members(Vec<Sym<'b>>),
    /// For each part of a union: whether the object is from there, and its index there, or -1.
    Parts(Vec<(Sym<'b>, Sym<'b>)>),
}

impl<'b> Compiler<'b> {
    /// The path of the values per something.
    pub fn space(&self, per: Per) -> Space {
        match per {
            Per::Constant => Space::SCALAR,
            Per::Event => self.events,
            Per::Object(id) => self.made(id).space,
        }
    }

    /// The level of a collection.
    pub fn level(&self, id: CollectionId) -> Option<Level> {
        let space = self.made(id).space;
        space.last().map(|id| Level { space, id })
    }

    /// The collection in the program, recorded when it is first needed.
    pub fn made(&self, id: CollectionId) -> Made<'b> {
        if let Some(made) = self.made.borrow().get(&id) {
            return made.clone();
        }
        // What chooses the objects has their name, whoever needs them first.
        let name = self.model.collections.get(id.0);
        let name = name.map(|c| c.name.as_str().into());
        let made = self.b.labelled(name, || self.make(id));
        self.made.borrow_mut().insert(id, made.clone());
        made
    }

    fn make(&self, id: CollectionId) -> Made<'b> {
        let data = |space| Made {
            space,
            from: Origin::Data,
        };
        let Some(collection) = self.model.collections.get(id.0) else {
            self.nothing();
            return data(self.events);
        };
        let name = collection.name.as_str();
        match &collection.def {
            Def::Input(group) => data(self.list(*group)),
            Def::Single(_) => data(self.events),
            Def::Filter(of, condition) => {
                let parent = self.made(*of).space;
                let Value::Bool { yes, .. } = self.value(condition).value else {
                    self.nothing();
                    return data(parent);
                };
                let mask = self.spread(yes, parent).named(name);
                let (space, index) = mask.filter(name);
                Made {
                    space,
                    from: Origin::Part(index),
                }
            }
            Def::First(of, n) => {
                let parent = self.made(*of).space;
                let Some(level) = parent.last() else {
                    self.nothing();
                    return data(parent);
                };
                let number = self.b.position(parent, level);
                let (space, index) = number.lt(self.b.integer(*n as i64)).filter(name);
                Made {
                    space,
                    from: Origin::Part(index),
                }
            }
            Def::Sort(of, key) => {
                let space = self.made(*of).space;
                let Value::Real(key_value) = self.value(key).value else {
                    self.nothing();
                    return data(space);
                };
                // Missing keys stand last, as NaN does.
                let mut key_value = key_value;
                if let Some(there) = self.value(key).there {
                    key_value = there.select(key_value, self.real(f64::NAN));
                }
                let index = self.spread(key_value, space).argsort(false);
                Made {
                    space,
                    from: Origin::Part(index),
                }
            }
            Def::Product(members) => self.product(name, members),
            Def::Union(members) => self.union(name, members),
        }
    }

    /// Combinations of equal neighbours, and cartesian products of these.
    fn product(&self, name: &str, members: &[(String, CollectionId)]) -> Made<'b> {
        let mut space: Option<Space> = None;
        let mut indices: Vec<Sym<'b>> = Vec::new();
        let mut rest = members;
        while let Some((_, id)) = rest.first() {
            let n = rest.iter().take_while(|m| m.1 == *id).count();
            rest = rest.get(n..).unwrap_or_default();
            let own = self.made(*id).space;
            let (group, group_indices) = if n == 1 {
                let level = own.last().map(|id| Level { space: own, id });
                (own, level.map(|l| self.own_index(l)).into_iter().collect())
            } else {
                self.b.combinations(own, n, name)
            };
            let Some(before) = space else {
                (space, indices) = (Some(group), group_indices);
                continue;
            };
            let (both, left, right) = self.b.cartesian(before, group, name);
            indices = indices.into_iter().map(|i| i.at(left)).collect();
            indices.extend(group_indices.into_iter().map(|i| i.at(right)));
            space = Some(both);
        }
        Made {
            space: space.unwrap_or(self.events),
            from: Origin::Members(indices),
        }
    }

    /// As many objects as all parts have together; the first ones are from the first part.
    fn union(&self, name: &str, members: &[CollectionId]) -> Made<'b> {
        let spaces: Vec<Space> = members.iter().map(|id| self.made(*id).space).collect();
        let counts = spaces.iter().map(|s| to_real(self.b.counts(*s)));
        let counts: Vec<Sym<'b>> = counts.collect();
        let mut starts = vec![self.real(0.0)];
        for count in &counts {
            let last = starts.last().copied().unwrap_or(*count);
            starts.push(last + *count);
        }
        let total = starts.last().copied().unwrap_or_else(|| self.real(0.0));
        let total = self.spread(total, self.events).cast(DType::I64);
        let Some(offsets) = registry::find("offsets_of") else {
            self.nothing();
            return Made {
                space: self.events,
                from: Origin::Data,
            };
        };
        let offsets = self.b.push(offsets, &[total], Attrs::NONE).first(self.b);
        let space = self.b.ragged_by(name, offsets);
        let number = space.last().map(|l| self.b.position(space, l));
        let number = to_real(number.unwrap_or_else(|| self.b.integer(0)));
        let mut parts = Vec::new();
        for ((member, count), start) in spaces.iter().zip(&counts).zip(&starts) {
            let local = number - *start;
            let mask = local.ge(self.real(0.0)) & local.lt(*count);
            let local = mask.select(local, self.real(-1.0)).cast(DType::I64);
            parts.push((mask, self.b.locate(local, *member)));
        }
        Made {
            space,
            from: Origin::Parts(parts),
        }
    }

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
                    Some(Target::Object { column, group }) => self.reference(column, group),
                    None => self.nothing(),
                }
            }
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

    /// The object of another collection whose number a column holds.
    fn reference(&self, column: usize, group: usize) -> Maybe<'b> {
        let target = self
            .model
            .collections
            .iter()
            .position(|c| matches!(c.def, Def::Input(g) if g == group));
        let (Some(target), Value::Int(number)) = (target, self.column(column).value) else {
            return self.nothing();
        };
        let of = CollectionId(target);
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
    pub fn lineage(&self, from: CollectionId, to: CollectionId) -> Option<Sym<'b>> {
        let mut composed: Option<Sym<'b>> = None;
        let mut at = from;
        while at != to {
            let Origin::Part(step) = self.made(at).from else {
                return None;
            };
            let parent = self.model.collections.get(at.0)?.def.parent()?;
            composed = Some(match composed {
                None => step,
                Some(index) => step.gather_over(self.level(at)?.id, index),
            });
            at = parent;
        }
        composed
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
