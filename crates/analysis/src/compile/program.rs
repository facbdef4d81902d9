//! The program of an analysis: what it needs, what it gives.

use std::sync::Arc;

use pullback_ad::Real;
use pullback_array::{Builder, DType, Last, Program, Sym};

use super::express::Compiler;
use super::value::{Maybe, Value, both, to_real};
use crate::error::{Error, Result};
use crate::place::Source;
use crate::types::{Filled, Model, Per, Resolved};

/// What the program needs, in the order of its inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Where the lists of a collection begin in each event.
    Offsets {
        /// Name of the input.
        name: String,
        /// A column of the collection: its offsets are wanted.
        column: String,
    },
    /// A column of the data.
    Column {
        /// Name of the input and of the column.
        name: String,
        /// Its element type.
        dtype: DType,
        /// Whether an event has a list of values.
        list: bool,
    },
    /// Numbers that can vary: a parameter of the analysis, or the edges of histograms that move.
    Parameter {
        /// Name of the input: that of the parameter.
        name: String,
        /// Their start: one number for a parameter.
        start: Vec<f64>,
    },
}

impl Input {
    /// Name of the input.
    pub fn name(&self) -> &str {
        match self {
            Self::Offsets { name, .. }
            | Self::Column { name, .. }
            | Self::Parameter { name, .. } => name,
        }
    }

    /// The column of the data that it is read from.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Offsets { column, .. } => Some(column),
            Self::Column { name, .. } => Some(name),
            Self::Parameter { .. } => None,
        }
    }
}

/// What an output of the program holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Values of a column: doubles, integers or masks. NaN or false where one is missing; whole numbers that may be missing are doubles.
    Values,
    /// Where the values of a column are there.
    There,
    /// How many objects each event has, of a column per object.
    Counts,
    /// Which events a region has.
    Events,
    /// Contents of the bins of a histogram.
    Bins,
    /// Sums of squared weights in the bins.
    Squares,
}

/// An output of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name in the program.
    pub name: String,
    /// What it is of.
    pub of: String,
    /// What it holds.
    pub what: What,
}

/// A program, and what its inputs and outputs are.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Its inputs, in order.
    pub inputs: Vec<Input>,
    /// Its outputs, in order.
    pub outputs: Vec<Output>,
}

impl Compiled {
    /// Position of an output.
    pub fn output(&self, of: &str, what: What) -> Option<usize> {
        self.outputs
            .iter()
            .position(|o| o.of == of && o.what == what)
    }
}

impl Model {
    /// The program of columns, regions and histograms. Only the columns of the data that these need are inputs.
    ///
    /// A column has its name as output; where it may be missing `name?` says where it is there, and per object `name#` counts the objects of each event.
    /// A region is a mask of events, whose cuts are labelled with region and text. A histogram has its bins, and in `name²` the sums of squared weights.
    ///
    /// # Errors
    /// A name that is none of these, or a column of objects.
    pub fn compile(&self, names: &[&str]) -> Result<Compiled> {
        let b = Builder::new();
        let c = Compiler::new(&b, self);
        let mut outputs: Vec<(Output, Sym<'_>)> = Vec::new();
        for name in names {
            let found = self.names.iter().find(|n| n.0 == *name);
            match found.map(|f| &f.1) {
                Some(Resolved::Column) => c.column_output(name, &mut outputs)?,
                Some(Resolved::Region(_)) => {
                    let yes = c.region(name);
                    outputs.push((output(*name, name, What::Events), c.spread(yes, c.events)));
                }
                Some(Resolved::Histogram(h)) => {
                    let [bins, squares] = c.histogram(name, h);
                    outputs.push((output(*name, name, What::Bins), bins));
                    outputs.push((output(format!("{name}²"), name, What::Squares), squares));
                }
                _ => return Err(self.no_output(name)),
            }
        }
        let inputs = c.inputs.take();
        drop(c);
        let ids = outputs
            .iter()
            .map(|(o, s)| (Arc::from(o.name.as_str()), b.id(*s)));
        let ids = ids.collect();
        let outputs = outputs.into_iter().map(|o| o.0).collect();
        let program = b.finish_ids(ids)?;
        Ok(Compiled {
            program,
            inputs,
            outputs,
        })
    }

    fn no_output(&self, name: &str) -> Error {
        let known = self.names.iter();
        let known = known.filter(|n| {
            !matches!(
                n.1,
                Resolved::Object | Resolved::Parameter | Resolved::Table
            )
        });
        Error::Unknown {
            place: Source::new("", name).everywhere(),
            what: "column, region or histogram".into(),
            name: name.into(),
            nearest: pullback_io::nearest(name, known.map(|n| n.0.as_str())),
            help: String::new(),
        }
    }
}

fn output(name: impl Into<String>, of: &str, what: What) -> Output {
    Output {
        name: name.into(),
        of: of.into(),
        what,
    }
}

impl<'b> Compiler<'b> {
    fn column_output(&self, name: &str, outputs: &mut Vec<(Output, Sym<'b>)>) -> Result<()> {
        let Some(column) = self.model.columns.get(name) else {
            return Err(self.model.no_output(name));
        };
        let value = self.defined(name);
        let space = self.space(column.ty.per);
        let sym = match value.value {
            Value::Real(x) => self.missing_is_nan(x, value.there),
            Value::Int(x) => match value.there {
                // No integer says that it is missing.
                Some(there) => self.missing_is_nan(to_real(x), Some(there)),
                None => x,
            },
            Value::Bool { yes, .. } => yes,
            Value::Vector(_) | Value::Object { .. } => {
                return Err(Error::Meaning {
                    place: Source::new("", name).everywhere(),
                    message: format!("`{name}` is no number"),
                    help: format!("write out a part of it, as `{name}.pt`"),
                });
            }
        };
        let sym = self.spread(sym, space);
        outputs.push((output(name, name, What::Values), sym));
        if let Some(there) = value.exists() {
            let there = self.spread(there, space);
            outputs.push((output(format!("{name}?"), name, What::There), there));
        }
        if let Per::Object(_) = column.ty.per {
            let counts = self.b.counts(space);
            outputs.push((output(format!("{name}#"), name, What::Counts), counts));
        }
        Ok(())
    }

    /// NaN where a number is missing.
    fn missing_is_nan(&self, x: Sym<'b>, there: Option<Sym<'b>>) -> Sym<'b> {
        there.map_or(x, |there| there.select(x, self.real(f64::NAN)))
    }

    /// The events of a region: those for which every cut is true. Each cut has its region and text as label.
    fn region(&self, name: &str) -> Sym<'b> {
        let found = self.model.names.iter().find(|n| n.0 == name);
        let mut all: Option<Sym<'b>> = None;
        if let Some((_, Resolved::Region(cuts))) = found {
            for (text, cut) in cuts {
                let label = format!("{name}: {text}");
                let value = self
                    .b
                    .labelled(Some(label.as_str().into()), || self.value(cut));
                let Value::Bool { yes, .. } = value.value else {
                    return self.truth(false);
                };
                let yes = self.cut(self.spread(yes, self.events), label);
                all = Some(all.map_or(yes, |all| all & yes));
            }
        }
        all.unwrap_or_else(|| self.all_of(Per::Event, true))
    }

    /// Names the mask of a cut. Equal cuts of several regions are one mask, which has the names of all.
    fn cut(&self, mask: Sym<'b>, label: String) -> Sym<'b> {
        let mut cuts = self.cuts.borrow_mut();
        let all = cuts.entry(self.b.id(mask)).or_default();
        if !all.split("; ").any(|l| l == label) {
            *all = if all.is_empty() {
                label
            } else {
                format!("{all}; {label}")
            };
        }
        mask.named(all)
    }

    /// Bins and sums of squared weights. What lies outside, is missing or NaN is left out; so are entries without weight.
    fn histogram(&self, name: &str, h: &Filled) -> [Sym<'b>; 2] {
        let space = match self.space(h.value.ty.per) {
            s if s.is_scalar() => self.events,
            s => s,
        };
        let value = self.value(&h.value);
        let (Value::Real(x), weight) = (value.value, h.weight.as_ref().map(|w| self.value(w)))
        else {
            self.nothing();
            return [self.real(0.0); 2];
        };
        let mut keep = value.there;
        let mut w = self.real(1.0);
        if let Some(Maybe { value, there }) = weight {
            keep = both(keep, there);
            if let Value::Real(value) = value {
                w = value;
            }
        }
        if let Some(region) = &h.region {
            keep = both(keep, Some(self.region(region)));
        }
        let x = self.spread(x, space);
        let w = self.spread(w, space);
        let bins = self.b.dense_of(&format!("{name} bins"), h.edges.len() - 1);
        let index = x.bin_index(self.edges(name, h), h.flow, Last::Open);
        let index = index.named(h.movable.as_deref().unwrap_or(name));
        [w, w.square()].map(|w| {
            // A weight of zero, not a missing bin: relaxations see the cut. Squares first: an entry that is one to a degree has its variance to that degree.
            let w = keep.map_or(w, |keep| keep.select(w, self.real(0.0)));
            self.spread(w, space).scatter_add(index, bins).named(name)
        })
    }

    /// The edges of a histogram: constants, or an input that all histograms with this name for their edges share.
    fn edges(&self, name: &str, h: &Filled) -> Sym<'b> {
        let Some(input) = &h.movable else {
            let edges = self.b.dense_of(&format!("{name} edges"), h.edges.len());
            return self.b.constant_f64(&h.edges, edges);
        };
        if let Some(known) = self.parameters.borrow().get(input) {
            return *known;
        }
        let edges = self.b.input(input, self.b.dense_of(input, h.edges.len()));
        self.input(input, h.edges.clone(), edges);
        edges
    }
}
