//! Collections as levels of the program, and the fields of their objects.

use pullback_ad::Real;
use pullback_array::attr::Attrs;
use pullback_array::{DType, Space, Sym, registry};

use super::express::Compiler;
use super::value::{Value, to_real};
use super::vocabulary::Level;
use crate::types::{CollectionId, Def, Per};

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
    /// They are those of the parent.
    Same,
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
            Def::Fields(of, _) => Made {
                space: self.made(*of).space,
                from: Origin::Same,
            },
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
                let key = self.value(key);
                let Value::Real(mut value) = key.value else {
                    self.nothing();
                    return data(space);
                };
                // Missing keys stand last, as NaN does.
                if let Some(there) = key.there {
                    value = there.select(value, self.real(f64::NAN));
                }
                let index = self.spread(value, space).argsort(false);
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
}
