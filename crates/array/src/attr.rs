//! Static parameters of a node.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::program::Program;
use crate::space::{LevelId, Space};
use crate::ty::DType;

/// Constant data of an array: shared, never copied.
#[derive(Debug, Clone)]
pub enum Data {
    /// Doubles.
    F64(Arc<[f64]>),
    /// Integers (also offsets).
    I64(Arc<[i64]>),
    /// Masks.
    Bool(Arc<[bool]>),
}

impl Data {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(d) => d.len(),
            Self::I64(d) => d.len(),
            Self::Bool(d) => d.len(),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Bitwise equality, so that NaN equals itself and 0 differs from -0.
impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::F64(a), Self::F64(b)) => {
                Arc::ptr_eq(a, b)
                    || (a.len() == b.len()
                        && a.iter()
                            .zip(b.iter())
                            .all(|(x, y)| x.to_bits() == y.to_bits()))
            }
            (Self::I64(a), Self::I64(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            _ => false,
        }
    }
}

/// A static parameter.
#[derive(Debug, Clone)]
pub enum Attr {
    /// An integer.
    Int(i64),
    /// A double.
    F64(f64),
    /// A word.
    Str(Arc<str>),
    /// A level.
    Level(LevelId),
    /// A space.
    Space(Space),
    /// An element type.
    DType(DType),
    /// Constant data.
    Data(Data),
    /// A closed sub-program (regions).
    Program(Arc<Program>),
}

impl PartialEq for Attr {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::F64(a), Self::F64(b)) => a.to_bits() == b.to_bits(),
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Level(a), Self::Level(b)) => a == b,
            (Self::Space(a), Self::Space(b)) => a == b,
            (Self::DType(a), Self::DType(b)) => a == b,
            (Self::Data(a), Self::Data(b)) => a == b,
            (Self::Program(a), Self::Program(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Hash for Attr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Int(a) => a.hash(state),
            Self::F64(a) => a.to_bits().hash(state),
            Self::Str(a) => a.hash(state),
            Self::Level(a) => a.hash(state),
            Self::Space(a) => a.hash(state),
            Self::DType(a) => a.hash(state),
            // Equal data have equal lengths; comparing the elements is left to `eq`.
            Self::Data(a) => a.len().hash(state),
            Self::Program(a) => a.nodes().len().hash(state),
        }
    }
}

/// Named static parameters of a node, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Attrs(Vec<(&'static str, Attr)>);

impl Attrs {
    /// No parameters.
    pub const NONE: Self = Self(Vec::new());

    /// With one more parameter.
    pub fn with(mut self, name: &'static str, attr: Attr) -> Self {
        self.0.push((name, attr));
        self
    }

    /// One level parameter called `over`.
    pub fn over(level: LevelId) -> Self {
        Self::NONE.with("over", Attr::Level(level))
    }

    /// One space parameter called `to`.
    pub fn to(space: Space) -> Self {
        Self::NONE.with("to", Attr::Space(space))
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Attr)> {
        self.0.iter().map(|(n, a)| (*n, a))
    }

    /// Changes each value.
    pub(crate) fn for_each_mut(&mut self, mut f: impl FnMut(&mut Attr)) {
        self.0.iter_mut().for_each(|(_, a)| f(a));
    }

    /// The parameter of that name.
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, a)| a)
    }

    /// The level of that name.
    pub fn level(&self, name: &str) -> Option<LevelId> {
        match self.get(name) {
            Some(Attr::Level(l)) => Some(*l),
            _ => None,
        }
    }

    /// The space of that name.
    pub fn space(&self, name: &str) -> Option<Space> {
        match self.get(name) {
            Some(Attr::Space(s)) => Some(*s),
            _ => None,
        }
    }

    /// The integer of that name.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Attr::Int(i)) => Some(*i),
            _ => None,
        }
    }

    /// The double of that name.
    pub fn f64(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Attr::F64(x)) => Some(*x),
            _ => None,
        }
    }

    /// The element type of that name.
    pub fn dtype(&self, name: &str) -> Option<DType> {
        match self.get(name) {
            Some(Attr::DType(d)) => Some(*d),
            _ => None,
        }
    }

    /// The data of that name.
    pub fn data(&self, name: &str) -> Option<&Data> {
        match self.get(name) {
            Some(Attr::Data(d)) => Some(d),
            _ => None,
        }
    }

    /// The sub-program of that name.
    pub fn program(&self, name: &str) -> Option<&Arc<Program>> {
        match self.get(name) {
            Some(Attr::Program(p)) => Some(p),
            _ => None,
        }
    }
}
