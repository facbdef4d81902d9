//! Fields of objects, and four-vectors of them.

use super::check::{Checker, Cx};
use super::collection::{Def, Kinematics};
use super::tree::{Node, Typed};
use super::ty::{CollectionId, Kind, Per, Type};
use crate::define::Definition;
use crate::error::{Error, Result};
use crate::place::Span;
use crate::schema::Target;
use crate::units::Dimension;
use pullback_array::DType;

/// A component of a four-vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    Pt,
    Eta,
    Phi,
    Mass,
    Energy,
    Px,
    Py,
    Pz,
    Rapidity,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Pt,
        Self::Eta,
        Self::Phi,
        Self::Mass,
        Self::Energy,
        Self::Px,
        Self::Py,
        Self::Pz,
        Self::Rapidity,
    ];

    /// Its name as a field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pt => "pt",
            Self::Eta => "eta",
            Self::Phi => "phi",
            Self::Mass => "mass",
            Self::Energy => "energy",
            Self::Px => "px",
            Self::Py => "py",
            Self::Pz => "pz",
            Self::Rapidity => "rapidity",
        }
    }

    pub fn dimension(self) -> Dimension {
        match self {
            Self::Eta | Self::Phi | Self::Rapidity => Dimension::NONE,
            _ => Dimension::ENERGY,
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// The type of a field, whatever its object is per.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FieldType {
    pub kind: Kind,
    pub dimension: Option<Dimension>,
    pub optional: bool,
}

impl Checker<'_> {
    /// The type of a column of the data.
    pub fn column_type(&self, column: usize) -> FieldType {
        let found = self.schema.columns().get(column);
        let kind = match found {
            Some(c) if c.dtype == DType::Bool => Kind::Bool,
            Some(c) if c.is_whole() => Kind::Int,
            _ => Kind::Real,
        };
        FieldType {
            kind,
            dimension: found.and_then(crate::schema::Column::dimension),
            optional: false,
        }
    }

    /// The type of a field that the objects of a collection have.
    pub fn field_type(&mut self, id: CollectionId, name: &str) -> Option<FieldType> {
        let def = self.collections.get(id.0)?.def.clone();
        match def {
            Def::Input(group) | Def::Single(group) => {
                match self.schema.groups().get(group)?.field(name)? {
                    Target::Column(column) => Some(self.column_type(column)),
                    Target::Object { group, .. } => Some(FieldType {
                        kind: Kind::Object(self.group(group)),
                        dimension: None,
                        optional: true,
                    }),
                }
            }
            Def::Fields(of, fields) => match fields.iter().find(|f| f.0 == name) {
                Some((_, value)) => Some(FieldType {
                    kind: value.ty.kind,
                    dimension: value.ty.dimension,
                    optional: value.ty.optional,
                }),
                None => self.field_type(of, name),
            },
            Def::Filter(of, _) | Def::Sort(of, _) | Def::First(of, _) => self.field_type(of, name),
            Def::Product(members) => {
                let member = members.iter().find(|(n, _)| n == name)?;
                Some(FieldType {
                    kind: Kind::Object(member.1),
                    dimension: None,
                    optional: false,
                })
            }
            Def::Union(_) if name == "source" => Some(FieldType {
                kind: Kind::Int,
                dimension: None,
                optional: false,
            }),
            Def::Union(members) => {
                let mut common: Option<FieldType> = None;
                for member in members {
                    let next = self.field_type(member, name)?;
                    common = Some(match common {
                        None => next,
                        Some(c) if c.kind == next.kind => FieldType {
                            dimension: c.dimension.or(next.dimension),
                            optional: c.optional || next.optional,
                            ..c
                        },
                        Some(_) => return None,
                    });
                }
                common.filter(|c| !matches!(c.kind, Kind::Object(_)))
            }
        }
    }

    /// The fields that make a four-vector of an object.
    pub fn kinematics(&mut self, id: CollectionId) -> Result<Kinematics, Vec<&'static str>> {
        let names = self.field_names(id);
        Kinematics::find(|name| names.iter().any(|n| n == name))
    }

    /// Names of fields that the objects of a collection have.
    pub fn field_names(&mut self, id: CollectionId) -> Vec<String> {
        let Some(def) = self.collections.get(id.0).map(|c| c.def.clone()) else {
            return Vec::new();
        };
        match def {
            Def::Input(group) | Def::Single(group) => {
                let fields = self.schema.groups().get(group).map(|g| &g.fields);
                fields.into_iter().flatten().map(|f| f.0.clone()).collect()
            }
            Def::Fields(of, fields) => {
                let mut names = self.field_names(of);
                names.retain(|n| fields.iter().all(|f| f.0 != *n));
                names.extend(fields.iter().map(|f| f.0.clone()));
                names
            }
            Def::Filter(of, _) | Def::Sort(of, _) | Def::First(of, _) => self.field_names(of),
            Def::Product(members) => members.into_iter().map(|m| m.0).collect(),
            Def::Union(members) => {
                let first = members.first().map(|m| self.field_names(*m));
                let mut names = first.unwrap_or_default();
                names.retain(|n| self.field_type(id, n).is_some());
                names.push("source".into());
                names
            }
        }
    }

    /// `x.name`, where `span` is that of the name.
    pub fn field(&mut self, cx: Cx<'_>, x: Typed, name: &str, span: Span) -> Result<Typed> {
        let at = x.span.to(span);
        let id = match x.ty.kind {
            Kind::Object(id) => id,
            Kind::Vector => {
                let Some(component) = Component::find(name) else {
                    let names = Component::ALL.map(Component::name);
                    return Err(Error::Unknown {
                        place: cx.place(span),
                        what: "component of a four-vector".into(),
                        name: name.into(),
                        nearest: pullback_io::nearest(name, names.into_iter()),
                        help: format!("there are {}", names.join(", ")),
                    });
                };
                return Ok(x.component(component, at));
            }
            _ => {
                return Err(self.mistaken(
                    cx,
                    &x,
                    "an object or a four-vector",
                    "only these have fields",
                ));
            }
        };
        if let Some(found) = self.try_field(cx, &x, id, name, at)? {
            return Ok(found);
        }
        let mut names = self.field_names(id);
        let columns = self.definitions.iter();
        let columns = columns.filter(|(_, d)| matches!(d, Definition::Column(_)));
        names.extend(columns.map(|(n, _)| (*n).to_owned()));
        let nearest = pullback_io::nearest(name, names.iter().map(String::as_str));
        let lack = Component::find(name).and_then(|_| self.kinematics(id).err());
        Err(Error::Unknown {
            place: cx.place(span),
            what: format!("field of `{}`", self.name_of(id)),
            name: name.into(),
            nearest,
            help: lack.map_or_else(String::new, |lack| {
                format!("for a four-vector it lacks `{}`", lack.join("`, `"))
            }),
        })
    }

    /// A field, a component of the four-vector, or a column that is defined for the object.
    pub(super) fn try_field(
        &mut self,
        cx: Cx<'_>,
        x: &Typed,
        id: CollectionId,
        name: &str,
        span: Span,
    ) -> Result<Option<Typed>> {
        if let Some(field) = self.field_type(id, name) {
            let ty = Type::new(x.ty.per, field.kind)
                .of(field.dimension)
                .or_missing(x.ty.optional || field.optional);
            let node = Node::Field(Box::new(x.clone()), name.into());
            return Ok(Some(Typed { node, ty, span }));
        }
        if let Some(component) = Component::find(name)
            && self.kinematics(id).is_ok()
        {
            let vector = self.vector(cx, x.clone())?;
            return Ok(Some(vector.component(component, span)));
        }
        // A column under way is no field yet: the name means something else, or the one who needs it will say so.
        let defined = matches!(self.definitions.get(name), Some(Definition::Column(_)));
        if !defined || self.is_under_way(name).is_some() {
            return Ok(None);
        }
        let column = self.defined(cx, name, span)?;
        let Per::Object(of) = column.ty.per else {
            return Ok(None);
        };
        if !self.descends(id, of) {
            return Ok(None);
        }
        let column = column.restricted(Per::Object(id));
        if matches!(x.node, Node::Whole(_)) {
            return Ok(Some(Typed { span, ..column }));
        }
        let mut ty = column.ty.or_missing(x.ty.optional);
        ty.per = x.ty.per;
        let node = Node::At(Box::new(column), Box::new(x.clone()));
        Ok(Some(Typed { node, ty, span }))
    }

    /// A value as a four-vector.
    pub fn vector(&mut self, cx: Cx<'_>, x: Typed) -> Result<Typed> {
        let id = match x.ty.kind {
            Kind::Vector => return Ok(x),
            Kind::Object(id) => id,
            _ => return Err(self.mistaken(cx, &x, "an object or a four-vector", "")),
        };
        if let Err(lack) = self.kinematics(id) {
            // The missing momentum, as a rule.
            let across = ["pt", "phi"].map(|f| self.field_type(id, f).is_some()) == [true; 2];
            let help = match self.collections.get(id.0).map(|c| &c.def) {
                Some(Def::Product(members)) => {
                    let members: Vec<&str> = members.iter().map(|m| m.0.as_str()).collect();
                    format!(
                        "its members are objects: add `.{}`",
                        members.join("` and `.")
                    )
                }
                _ if across => format!(
                    "it lacks `{}`: `transverse({})` is what lies across the beam",
                    lack.join("`, `"),
                    self.name_of(id)
                ),
                _ => format!("it lacks `{}`", lack.join("`, `")),
            };
            return Err(self.mistaken(cx, &x, "an object with a four-vector", &help));
        }
        let ty = Type::new(x.ty.per, Kind::Vector)
            .of(Some(Dimension::ENERGY))
            .or_missing(x.ty.optional);
        let span = x.span;
        let node = Node::Vector(Box::new(x));
        Ok(Typed { node, ty, span })
    }
}
