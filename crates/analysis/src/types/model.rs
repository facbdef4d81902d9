//! A checked analysis.

use std::collections::HashMap;
use std::rc::Rc;

use pullback_array::Flow;

use super::check::{Checker, Cx};
use super::collection::Collection;
use super::name::RESERVED;
use super::tree::Typed;
use super::ty::{CollectionId, Per, Type};
use crate::define::{Analysis, Definition};
use crate::error::{Error, Result};
use crate::functions;
use crate::network::Perceptron;
use crate::place::{Place, Source};
use crate::schema::Schema;
use crate::syntax::KEYWORDS;
use crate::units::Dimension;

/// A checked histogram.
#[derive(Debug)]
pub(crate) struct Filled {
    pub value: Typed,
    pub edges: Vec<f64>,
    /// The input that the edges are, where they can move.
    pub movable: Option<String>,
    pub region: Option<String>,
    pub weight: Option<Typed>,
    pub flow: Flow,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Resolved {
    Object,
    /// The value is among the columns.
    Column,
    /// The value is among the columns, too; here is each cut with its text.
    Region(Vec<(String, Typed)>),
    Parameter,
    Histogram(Box<Filled>),
    Table,
}

/// A checked analysis: every name is resolved, every value has a type.
#[derive(Debug)]
pub struct Model {
    pub(crate) schema: Schema,
    pub(crate) collections: Vec<Collection>,
    pub(crate) columns: HashMap<String, Rc<Typed>>,
    pub(crate) parameters: HashMap<String, (f64, Option<Dimension>)>,
    pub(crate) networks: HashMap<String, Perceptron>,
    pub(crate) names: Vec<(String, Resolved)>,
}

impl Analysis {
    /// Checks all definitions against the columns of the data.
    ///
    /// # Errors
    /// The first mistake, with its place.
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::{Analysis, Schema, schema::Column};
    /// use pullback_array::DType;
    /// let schema = Schema::new([
    ///     Column::new("Muon_pt", DType::F32, true),
    ///     Column::new("Jet_pt", DType::F32, true),
    /// ]);
    /// let error = Analysis::new().column("x", "Muon.pt + Jet.pt").check(&schema).unwrap_err();
    /// assert_eq!(error.code(), "PB0807");
    /// ```
    pub fn check(&self, schema: &Schema) -> Result<Model> {
        for (k, (name, definition)) in self.definitions.iter().enumerate() {
            let earlier = self.definitions.iter().take(k).any(|d| d.0 == *name);
            check_name(name, earlier, schema, definition)?;
        }
        let mut checker = Checker::new(self, schema);
        let mut names = Vec::new();
        for (name, definition) in &self.definitions {
            names.push((name.clone(), checker.resolve(name, definition)?));
            if let Some(network) = checker.networks.get(name) {
                names.extend(network.columns().map(|c| (c, Resolved::Column)));
            }
        }
        Ok(Model {
            schema: schema.clone(),
            collections: checker.collections,
            columns: checker.columns,
            parameters: checker.parameters,
            networks: checker.networks,
            names,
        })
    }
}

/// The place of a definition: that of its first expression.
fn place_of(name: &str, definition: &Definition) -> Place {
    use crate::define::From::{Combine, Objects, Union};
    let source = match definition {
        Definition::Object(o) => match &o.from {
            Objects(s) | Combine(s) | Union(s) => Some(s),
        },
        Definition::Column(s) | Definition::Parameter(s) => Some(s),
        Definition::Region(cuts) => cuts.first(),
        Definition::Histogram(h) => Some(&h.of),
        Definition::Network(n) => n.inputs.first(),
        Definition::Table(_) => None,
    };
    source.map_or_else(|| Source::new("", name).everywhere(), Source::everywhere)
}

/// Whether a text is a name.
pub(crate) fn is_word(name: &str) -> bool {
    let mut letters = name.chars();
    let first = letters.next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn check_name(name: &str, earlier: bool, schema: &Schema, definition: &Definition) -> Result<()> {
    let reason = if !is_word(name) {
        "names are made of letters, digits and `_`, and do not begin with a digit"
    } else if KEYWORDS.contains(&name) || RESERVED.contains(&name) {
        "the word has a meaning of its own"
    } else if matches!(definition, Definition::Table(_)) && functions::find(name).is_some() {
        "a function has that name"
    } else if earlier {
        "it is defined twice"
    } else if schema.group(name).is_some() || schema.column(name).is_some() {
        "the data have something of that name"
    } else {
        return Ok(());
    };
    Err(Error::Name {
        place: place_of(name, definition),
        name: name.into(),
        reason: reason.into(),
    })
}

impl Checker<'_> {
    fn resolve(&mut self, name: &str, definition: &Definition) -> Result<Resolved> {
        let place = place_of(name, definition);
        let cx = Cx {
            source: &place.source,
            it: None,
        };
        Ok(match definition {
            Definition::Object(_) => {
                self.object(cx, name, place.span)?;
                Resolved::Object
            }
            Definition::Column(_) | Definition::Network(_) => {
                self.defined(cx, name, place.span)?;
                Resolved::Column
            }
            Definition::Region(cuts) => {
                self.defined(cx, name, place.span)?;
                let mut checked = Vec::new();
                for source in cuts {
                    checked.push((source.text().to_owned(), self.cut(source)?));
                }
                Resolved::Region(checked)
            }
            Definition::Parameter(_) => {
                self.parameter(name)?;
                Resolved::Parameter
            }
            Definition::Table(table) => {
                table.check(name)?;
                Resolved::Table
            }
            Definition::Histogram(h) => {
                let value = self.text(&h.of)?;
                let cx = Cx {
                    source: &h.of,
                    it: None,
                };
                let value = self.real(cx, value)?;
                let rising = h.edges.windows(2).all(|e| e[0] < e[1]);
                let finite = h.edges.iter().all(|e| e.is_finite());
                if h.edges.len() < 2 || !rising || !finite {
                    return Err(Error::Meaning {
                        place: cx.place(value.span),
                        message: format!("the edges of `{name}` do not rise"),
                        help: "a histogram of n bins has n + 1 rising, finite edges".into(),
                    });
                }
                if let Some(region) = &h.region
                    && !matches!(
                        self.definitions.get(region.as_str()),
                        Some(Definition::Region(_))
                    )
                {
                    return Err(self.no_region(cx, region, &value));
                }
                let weight = match &h.weight {
                    Some(source) => Some(self.weight(source, &value)?),
                    None => None,
                };
                Resolved::Histogram(Box::new(Filled {
                    value,
                    edges: h.edges.clone(),
                    movable: h.movable.clone(),
                    region: h.region.clone(),
                    weight,
                    flow: h.flow,
                }))
            }
        })
    }

    fn no_region(&self, cx: Cx<'_>, region: &str, value: &Typed) -> Error {
        let regions = self.definitions.iter();
        let regions = regions.filter(|(_, d)| matches!(d, Definition::Region(_)));
        Error::Unknown {
            place: cx.place(value.span),
            what: "region".into(),
            name: region.into(),
            nearest: pullback_io::nearest(region, regions.map(|(n, _)| *n)),
            help: String::new(),
        }
    }

    /// The weight of the entries of a histogram: per event, or per what the value is per.
    fn weight(&mut self, source: &Source, value: &Typed) -> Result<Typed> {
        let weight = self.text(source)?;
        let cx = Cx { source, it: None };
        let weight = self.real(cx, weight)?;
        let fits = match (weight.ty.per, value.ty.per) {
            (Per::Object(w), Per::Object(v)) => self.descends(v, w),
            (Per::Object(_), _) => false,
            _ => true,
        };
        if !fits {
            let expected = format!("a weight per event, or per {}", self.per(value.ty.per));
            return Err(self.mistaken(cx, &weight, &expected, ""));
        }
        Ok(weight.restricted(value.ty.per))
    }
}

impl Model {
    /// Type of a column; of a region, true or false per event.
    pub fn ty(&self, name: &str) -> Option<Type> {
        self.columns.get(name).map(|c| c.ty)
    }

    /// Names in the order of their definition.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|n| n.0.as_str())
    }

    /// Name of a collection.
    pub fn collection_name(&self, id: CollectionId) -> &str {
        self.collections.get(id.0).map_or("", |c| c.name.as_str())
    }

    /// A network.
    pub fn network(&self, name: &str) -> Option<&Perceptron> {
        self.networks.get(name)
    }

    /// Start of a parameter, in the units of the house.
    pub fn start(&self, parameter: &str) -> Option<f64> {
        self.parameters.get(parameter).map(|p| p.0)
    }
}
