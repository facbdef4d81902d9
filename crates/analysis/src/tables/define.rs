//! What a table is: axes, numbers, variations.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::units::{Dimension, Unit};

/// Most cells of a table.
pub(super) const MOST: usize = 1 << 20;

/// What a table says of arguments outside its axes. Of NaN it says NaN, but for `Value`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Outside {
    /// What it says of the nearest bin of that axis.
    #[default]
    Clamp,
    /// NaN: a weight that is NaN stops a run, with an error.
    Error,
    /// This number, also for NaN.
    Value(f64),
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableAxis {
    pub name: String,
    pub edges: Vec<f64>,
    pub dimension: Option<Dimension>,
}

impl TableAxis {
    pub fn bins(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }
}

/// Numbers by bins of one or more axes, with variations of all of them.
///
/// # Example
/// ```
/// use pullback_analysis::tables::Table;
/// use pullback_analysis::{Analysis, Schema, schema::Column};
/// use pullback_array::{Bindings, Column as Values, DType, Lowered};
/// let schema = Schema::new([Column::new("MET_pt", DType::F64, false)]);
/// let table = Table::new([0.9, 1.1]).axis("pt", [0.0, 50.0, 100.0]).variation("up", [0.95, 1.2]);
/// let analysis = Analysis::new().table("sf", table).column("w", "sf.up(MET.pt) / sf(MET.pt)");
/// let compiled = analysis.check(&schema)?.compile(&["w"])?;
/// let lowered = Lowered::new(compiled.program)?;
/// let mut ws = lowered.workspace();
/// let columns = [("MET_pt", Values::F64(&[20.0, 500.0]))];
/// lowered.run(&mut ws, &Bindings::named(lowered.program(), &columns)?)?;
/// assert_eq!(ws.f64(0), [0.95 / 0.9, 1.2 / 1.1]);
/// # Ok::<(), pullback_analysis::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(crate) axes: Vec<TableAxis>,
    pub(crate) values: Arc<[f64]>,
    pub(crate) variations: Vec<(String, Arc<[f64]>)>,
    pub(crate) outside: Outside,
}

impl Table {
    /// A table of these numbers, the last axis running fastest.
    pub fn new(values: impl Into<Arc<[f64]>>) -> Self {
        Self {
            axes: Vec::new(),
            values: values.into(),
            variations: Vec::new(),
            outside: Outside::default(),
        }
    }

    /// Adds an axis with rising edges, in units of the house; arguments in any unit fit.
    pub fn axis(self, name: impl Into<String>, edges: impl Into<Vec<f64>>) -> Self {
        self.axis_of(name.into(), edges.into(), None)
    }

    /// The same with edges in a unit (`"GeV"`), so that arguments in another one are refused; one that is not known counts for none.
    pub fn axis_in(self, name: impl Into<String>, edges: impl Into<Vec<f64>>, unit: &str) -> Self {
        let unit = Unit::find(unit);
        let factor = unit.map_or(1.0, Unit::factor);
        let edges: Vec<f64> = edges.into().iter().map(|e| e * factor).collect();
        self.axis_of(name.into(), edges, unit.map(Unit::dimension))
    }

    pub(crate) fn axis_of(
        mut self,
        name: String,
        edges: Vec<f64>,
        dimension: Option<Dimension>,
    ) -> Self {
        self.axes.push(TableAxis {
            name,
            edges,
            dimension,
        });
        self
    }

    /// Adds other numbers, which the table's name and this one stand for: `sf.up`.
    pub fn variation(mut self, name: impl Into<String>, values: impl Into<Arc<[f64]>>) -> Self {
        self.variations.push((name.into(), values.into()));
        self
    }

    /// The variations `up` and `down`: as much above and below as these errors say.
    pub(crate) fn with_errors(self, errors: &[f64]) -> Self {
        let shifted = |sign: f64| -> Vec<f64> {
            let both = self.values.iter().zip(errors);
            both.map(|(v, e)| v + sign * e).collect()
        };
        let (up, down) = (shifted(1.0), shifted(-1.0));
        self.variation("up", up).variation("down", down)
    }

    /// What it says outside its axes; the nearest bin, if nothing is said.
    pub fn outside(self, outside: Outside) -> Self {
        Self { outside, ..self }
    }

    /// Number of cells.
    pub(crate) fn cells(&self) -> usize {
        let bins = self.axes.iter().map(TableAxis::bins);
        bins.fold(1, usize::saturating_mul)
    }

    /// The numbers of a variation; the nominal ones have no name.
    pub(crate) fn numbers(&self, variation: Option<&str>) -> Option<&Arc<[f64]>> {
        let Some(name) = variation else {
            return Some(&self.values);
        };
        let mut all = self.variations.iter();
        all.find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Checks that it is a table.
    ///
    /// # Errors
    /// [`Error::Table`]: no axis, edges that do not rise, numbers that are not finite or not as many as there are bins.
    pub(crate) fn check(&self, table: &str) -> Result<()> {
        let refuse = |message: String, help: &str| {
            Err(Error::Table {
                table: table.into(),
                message,
                help: help.into(),
            })
        };
        if self.axes.is_empty() {
            return refuse("has no axes".into(), "a table is of at least one number");
        }
        for axis in &self.axes {
            let rising = axis.edges.windows(2).all(|w| w[0] < w[1]);
            if axis.edges.len() < 2 || !rising {
                return refuse(
                    format!("has edges of `{}` that do not rise", axis.name),
                    "an axis of n bins has n + 1 rising edges",
                );
            }
            if let Some(edge) = axis.edges.iter().find(|e| !e.is_finite()) {
                return refuse(
                    format!("has {edge} as an edge of `{}`", axis.name),
                    "edges are finite; outside of them the nearest bin counts, if nothing else is said",
                );
            }
        }
        let cells = self.cells();
        if cells > MOST {
            return refuse(
                format!("has {cells} bins"),
                &format!("there are at most {MOST}"),
            );
        }
        let own = std::iter::once(("", &self.values));
        let others = self.variations.iter().map(|(n, v)| (n.as_str(), v));
        for (name, values) in own.chain(others) {
            let what = if name.is_empty() {
                String::new()
            } else {
                format!(" for `{name}`")
            };
            if values.len() != cells {
                let axes = self.axes.iter();
                let axes: Vec<String> = axes
                    .map(|a| format!("{} of `{}`", a.bins(), a.name))
                    .collect();
                return refuse(
                    format!("has {} numbers{what} for {cells} bins", values.len()),
                    &format!("bins: {}; the last axis runs fastest", axes.join(" × ")),
                );
            }
            if let Some(k) = values
                .iter()
                .position(|v| v.is_infinite() || (v.is_nan() && self.outside != Outside::Error))
            {
                return refuse(
                    format!("has {} as number {}{what}", values[k], k + 1),
                    "numbers are finite",
                );
            }
        }
        Ok(())
    }
}
