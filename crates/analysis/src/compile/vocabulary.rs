//! What the functions of the table are written in.

use pullback_ad::Real;
use pullback_array::{LevelId, Space, Sym};

use super::express::Compiler;
use super::value::{Maybe, Value, both};
use crate::types::{Per, Typed};

/// The level of a collection: its path, and the last level of it.
#[derive(Clone, Copy)]
pub(crate) struct Level {
    pub space: Space,
    pub id: LevelId,
}

impl<'b> Compiler<'b> {
    /// For trees that the checker does not make: the program is refused.
    pub fn nothing(&self) -> Maybe<'b> {
        self.b.fail(pullback_array::Error::IllFormed {
            primitive: "expression",
            message: "a checked expression has no program: a bug".into(),
        });
        Maybe::new(Value::Real(self.real(f64::NAN)))
    }

    /// A constant.
    pub fn real(&self, x: f64) -> Sym<'b> {
        self.b.sym(self.b.id(Sym::from(x)))
    }

    /// A constant.
    pub fn truth(&self, value: bool) -> Sym<'b> {
        let data = pullback_array::attr::Data::Bool([value].into());
        self.b.constant(data, Space::SCALAR)
    }

    /// A constant for each event or object.
    pub fn all_of(&self, per: Per, value: bool) -> Sym<'b> {
        self.spread(self.truth(value), self.space(per))
    }

    /// A value repeated along the levels of a path that it lacks.
    pub fn spread(&self, x: Sym<'b>, space: Space) -> Sym<'b> {
        self.b.broadcast(x, space)
    }

    /// A function of one number.
    pub fn map(&self, args: &[Maybe<'b>], f: impl Fn(Sym<'b>) -> Sym<'b>) -> Maybe<'b> {
        self.numbers(args, |[x]| f(x))
    }

    /// A function of two numbers.
    pub fn zip(&self, args: &[Maybe<'b>], f: impl Fn(Sym<'b>, Sym<'b>) -> Sym<'b>) -> Maybe<'b> {
        self.numbers(args, |[a, b]| f(a, b))
    }

    /// A function of numbers: missing where one of them is.
    pub fn numbers<const N: usize>(
        &self,
        args: &[Maybe<'b>],
        f: impl Fn([Sym<'b>; N]) -> Sym<'b>,
    ) -> Maybe<'b> {
        let reals = args.iter().filter_map(|a| match a.value {
            Value::Real(x) => Some(x),
            _ => None,
        });
        let reals: Result<[Sym<'b>; N], _> = reals.collect::<Vec<_>>().try_into();
        let Ok(reals) = reals else {
            return self.nothing();
        };
        let there = args.iter().fold(None, |t, a| both(t, a.there));
        Maybe {
            value: Value::Real(f(reals)),
            there,
        }
    }

    /// The first argument, and the level of its objects.
    pub fn along(&self, args: &[Maybe<'b>], typed: &[Typed]) -> Option<(Maybe<'b>, Level)> {
        let space = self.space(typed.first()?.ty.per);
        let id = space.last()?;
        Some((*args.first()?, Level { space, id }))
    }

    /// Whether a collection has objects, per event.
    pub fn any_of(&self, level: Level) -> Sym<'b> {
        self.b.counts(level.space).gt(self.b.integer(0))
    }

    /// A number per object that loses against all others where it is missing; and for which events there is one.
    pub fn filled(
        &self,
        args: &[Maybe<'b>],
        typed: &[Typed],
        largest: bool,
    ) -> Option<(Sym<'b>, Level, Sym<'b>)> {
        let (x, level) = self.along(args, typed)?;
        let Value::Real(value) = x.value else {
            return None;
        };
        let value = self.spread(value, level.space);
        let worst = if largest {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        Some(match x.there {
            None => (value, level, self.any_of(level)),
            Some(there) => {
                let there = self.spread(there, level.space);
                let value = there.select(value, self.real(worst));
                (value, level, there.any(level.id))
            }
        })
    }

    /// The element number `n` of each event, and whether there is one.
    pub fn element(&self, table: Sym<'b>, level: Level, n: Sym<'b>) -> (Sym<'b>, Sym<'b>) {
        let counts = self.b.counts(level.space);
        let n = self.spread(n, counts.space());
        let inside = n.lt(counts) & n.ge(self.b.integer(0));
        let number = inside.select(n, self.b.integer(-1));
        let index = self.b.locate(number, level.space);
        (
            self.spread(table, level.space).gather_over(level.id, index),
            inside,
        )
    }

    /// The index of each object of a collection along its own level.
    pub fn own_index(&self, level: Level) -> Sym<'b> {
        let number = self.b.position(level.space, level.id);
        self.b.locate(number, level.space)
    }
}
