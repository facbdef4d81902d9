//! An object and those of a collection around it.

use pullback_array::attr::Attrs;
use pullback_array::{Space, Sym, registry};

use super::express::Compiler;
use super::value::{Maybe, Value, both};
use super::vocabulary::Level;
use crate::types::{CollectionId, Def, Kind, Node, Per, Typed};

/// η and φ of an object and of each object of a collection, side by side.
pub(crate) struct Around<'b> {
    pub own: [Sym<'b>; 2],
    pub own_there: Option<Sym<'b>>,
    pub others: [Sym<'b>; 2],
    pub others_there: Option<Sym<'b>>,
    /// The level of the others, below the object.
    pub level: Level,
}

impl<'b> Compiler<'b> {
    /// Arguments η, φ of one object and η, φ of those of a collection. Where the one is an object of another collection, a level below it holds the others.
    pub fn around(&self, args: &[Maybe<'b>], typed: &[Typed]) -> Option<Around<'b>> {
        let many = [*args.get(2)?, *args.get(3)?];
        self.beside(args, typed, many, typed.get(2)?.ty.per, None)
    }

    /// The same for each collection that the one is chosen from or joined of: who is chosen is said by a mask, so that a choice can be soft.
    pub fn around_each(&self, args: &[Maybe<'b>], typed: &[Typed]) -> Option<Vec<Around<'b>>> {
        let (eta, phi) = (typed.get(2)?, typed.get(3)?);
        let Per::Object(id) = eta.ty.per else {
            return None;
        };
        let mut out = Vec::new();
        for (part, condition) in self.parts(id) {
            let (Some(eta), Some(phi)) = (of_part(eta, id, part), of_part(phi, id, part)) else {
                return self.around(args, typed).map(|a| vec![a]);
            };
            let chosen = match condition.map(|c| self.value(c).value) {
                None => None,
                Some(Value::Bool { yes, .. }) => Some(yes),
                Some(_) => return None,
            };
            let many = [self.value(&eta), self.value(&phi)];
            out.push(self.beside(args, typed, many, Per::Object(part), chosen)?);
        }
        Some(out)
    }

    /// The collections whose objects together are those of one, each with the condition that chooses them.
    fn parts(&self, id: CollectionId) -> Vec<(CollectionId, Option<&'b Typed>)> {
        match self.model.collections.get(id.0).map(|c| &c.def) {
            Some(Def::Filter(of, condition)) => vec![(*of, Some(condition))],
            Some(Def::Union(members)) => members.iter().flat_map(|m| self.parts(*m)).collect(),
            _ => vec![(id, None)],
        }
    }

    fn beside(
        &self,
        args: &[Maybe<'b>],
        typed: &[Typed],
        many: [Maybe<'b>; 2],
        others_per: Per,
        chosen: Option<Sym<'b>>,
    ) -> Option<Around<'b>> {
        let number = |x: Maybe<'b>| match x.value {
            Value::Real(v) => Some(v),
            _ => None,
        };
        let one = [*args.first()?, *args.get(1)?];
        let mut own = [number(one[0])?, number(one[1])?];
        let mut others = [number(many[0])?, number(many[1])?];
        let own_there = both(one[0].there, one[1].there);
        let mut others_there = both(both(many[0].there, many[1].there), chosen);
        let space = self.space(others_per);
        let id = space.last()?;
        others = others.map(|x| self.spread(x, space));
        let mut level = Level { space, id };
        if let Per::Object(_) = typed.first()?.ty.per {
            let outer = self.space(typed.first()?.ty.per);
            own = own.map(|x| self.spread(x, outer));
            let (below, index) = self.below(outer, space)?;
            others = others.map(|x| x.gather_over(id, index));
            others_there = others_there.map(|t| self.spread(t, space).gather_over(id, index));
            let id = below.last()?;
            level = Level { space: below, id };
        }
        Some(Around {
            own,
            own_there,
            others,
            others_there,
            level,
        })
    }

    /// A level that repeats the elements of `space` below each element of `outer`, and the index of each.
    fn below(&self, outer: Space, space: Space) -> Option<(Space, Sym<'b>)> {
        let counts = self.spread(self.b.counts(space), outer);
        let offsets = registry::find("offsets_of")?;
        let offsets = self.b.push(offsets, &[counts], Attrs::NONE).first(self.b);
        let below = self.b.ragged_by("others", offsets);
        let number = self.b.position(below, below.last()?);
        Some((below, self.b.locate(number, space)))
    }
}

/// A component of the objects of a collection, for those of a collection that it is chosen from or joined of.
fn of_part(x: &Typed, whole: CollectionId, part: CollectionId) -> Option<Typed> {
    let below = |x: &Typed| of_part(x, whole, part).map(Box::new);
    let mut ty = x.ty;
    ty.per = Per::Object(part);
    let node = match &x.node {
        Node::Whole(id) if *id == whole => {
            ty.kind = Kind::Object(part);
            Node::Whole(part)
        }
        Node::Field(of, name) => Node::Field(below(of)?, name.clone()),
        Node::Component(of, component) => Node::Component(below(of)?, *component),
        Node::Vector(of) => Node::Vector(below(of)?),
        _ => return None,
    };
    let span = x.span;
    Some(Typed { node, ty, span })
}
