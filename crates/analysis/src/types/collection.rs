//! Collections: how each is made of others.

use std::rc::Rc;

use super::tree::Typed;
use super::ty::CollectionId;

/// A collection of a checked analysis.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    /// As it is called in messages.
    pub name: String,
    /// How it is made.
    pub def: Def,
}

/// How a collection is made.
#[derive(Debug, Clone)]
pub(crate) enum Def {
    /// Lists of the data: a group of the schema.
    Input(usize),
    /// One object per event: a group of the schema.
    Single(usize),
    /// The same with other fields (per object of it).
    Fields(CollectionId, Rc<[(String, Typed)]>),
    /// Those for which a condition (per object of it) holds.
    Filter(CollectionId, Rc<Typed>),
    /// In the order of rising keys (per object of it).
    Sort(CollectionId, Rc<Typed>),
    /// The first ones of each event.
    First(CollectionId, usize),
    /// Combinations: names of members and their collections.
    Product(Vec<(String, CollectionId)>),
    /// One after the other.
    Union(Vec<CollectionId>),
}

impl Def {
    /// The collection of which this one has a part, or another order.
    pub fn parent(&self) -> Option<CollectionId> {
        match self {
            Self::Fields(of, _) | Self::Filter(of, _) | Self::Sort(of, _) | Self::First(of, _) => {
                Some(*of)
            }
            _ => None,
        }
    }
}

/// The fields that make a four-vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kinematics {
    /// p_T, η, φ, m.
    Polar([String; 4]),
    /// p_x, p_y, p_z, E.
    Cartesian([String; 4]),
}

/// What the fields are called.
const POLAR: [&[&str]; 4] = [
    &["pt", "Pt"],
    &["eta", "Eta"],
    &["phi", "Phi"],
    &["mass", "m", "M"],
];
const CARTESIAN: [&[&str]; 4] = [
    &["px", "Px"],
    &["py", "Py"],
    &["pz", "Pz"],
    &["energy", "E", "e"],
];

impl Kinematics {
    /// Those of an object with the fields for which `has` holds; else the names that lack.
    pub fn find(has: impl Fn(&str) -> bool) -> Result<Self, Vec<&'static str>> {
        let pick = |names: [&[&'static str]; 4]| {
            let found = names.map(|n| n.iter().find(|n| has(n)).copied());
            let lack = found.iter().zip(names).filter(|(f, _)| f.is_none());
            let lack: Vec<&'static str> = lack.filter_map(|(_, n)| n.first().copied()).collect();
            if lack.is_empty() {
                Ok(found.map(|f| f.unwrap_or_default().to_owned()))
            } else {
                Err(lack)
            }
        };
        match (pick(POLAR), pick(CARTESIAN)) {
            (Ok(names), _) => Ok(Self::Polar(names)),
            (_, Ok(names)) => Ok(Self::Cartesian(names)),
            (Err(polar), Err(cartesian)) if cartesian.len() < polar.len() => Err(cartesian),
            (Err(polar), _) => Err(polar),
        }
    }
}
