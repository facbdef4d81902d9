//! The definitions of an analysis, as text: objects, columns, parameters, regions, histograms.

use pullback_array::Flow;

use crate::error::{Error, Result};
use crate::network::{Network, Perceptron, Weights};
use crate::place::Source;
use crate::tables::Table;

/// A collection of objects: where they come from, which ones are kept, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    pub(crate) from: From,
    pub(crate) fields: Vec<(String, Source)>,
    pub(crate) filter: Option<Source>,
    pub(crate) sort: Option<Source>,
}

/// Where objects come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum From {
    /// An expression whose values are objects.
    Objects(Source),
    /// Combinations: `mu as a, mu as b`.
    Combine(Source),
    /// One collection after the other: `Electron, Muon`.
    Union(Source),
}

impl Object {
    fn new(from: From) -> Self {
        Self {
            from,
            fields: Vec::new(),
            filter: None,
            sort: None,
        }
    }

    /// The objects of another collection: `Muon`, or any expression whose values are objects.
    pub fn from(collection: impl Into<Source>) -> Self {
        Self::new(From::Objects(collection.into()))
    }

    /// Combinations of one object of each member: `mu as a, mu as b`. Members of the same collection are not repeated: each pair comes once.
    pub fn combine(members: impl Into<Source>) -> Self {
        Self::new(From::Combine(members.into()))
    }

    /// The objects of several collections one after the other: `Electron, Muon`.
    pub fn union(members: impl Into<Source>) -> Self {
        Self::new(From::Union(members.into()))
    }

    /// Gives the objects a field, in place of one of that name if there is one: a calibrated momentum, a mass that the data lack. In the expression, names
    /// are those of the fields as they were; what is kept and how it is sorted goes by the new ones.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Source>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Keeps those for which a condition holds; in it, the names of fields are those of the object.
    pub fn filter(mut self, condition: impl Into<Source>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// Sorts by rising values of a number: `-pt` is by falling p_T.
    pub fn sort(mut self, key: impl Into<Source>) -> Self {
        self.sort = Some(key.into());
        self
    }
}

/// A histogram of a value per event or per object.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub(crate) of: Source,
    pub(crate) edges: Vec<f64>,
    pub(crate) movable: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) weight: Option<Source>,
    pub(crate) flow: Flow,
}

impl Histogram {
    /// A histogram between rising edges. Lower edges belong to their bin; what lies outside, is missing or NaN is left out.
    pub fn new(of: impl Into<Source>, edges: impl Into<Vec<f64>>) -> Self {
        Self {
            of: of.into(),
            edges: edges.into(),
            movable: None,
            region: None,
            weight: None,
            flow: Flow::Drop,
        }
    }

    /// `bins` bins of the same width.
    pub fn uniform(of: impl Into<Source>, bins: usize, low: f64, high: f64) -> Self {
        let n = bins.max(1);
        let edge = |k: usize| {
            if k == n {
                high
            } else {
                low + (high - low) * k as f64 / n as f64
            }
        };
        Self::new(of, (0..=n).map(edge).collect::<Vec<_>>())
    }

    /// Makes the edges an input of the program, of this name, so that there are derivatives to them. Histograms that share the name share the edges.
    pub fn movable(mut self, input: impl Into<String>) -> Self {
        self.movable = Some(input.into());
        self
    }

    /// Of the events of a region only.
    pub fn region(mut self, name: impl Into<String>) -> Self {
        self.region = Some(name.into());
        self
    }

    /// What happens to values outside the edges.
    pub fn outside(mut self, flow: Flow) -> Self {
        self.flow = flow;
        self
    }

    /// With a weight for each entry; a missing weight leaves the entry out.
    pub fn weight(mut self, weight: impl Into<Source>) -> Self {
        self.weight = Some(weight.into());
        self
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Definition {
    Object(Object),
    Column(Source),
    Parameter(Source),
    Region(Vec<Source>),
    Histogram(Histogram),
    Network(Network),
    Table(Table),
}

/// The definitions of an analysis. They may stand in any order.
///
/// # Example
/// ```
/// use pullback_analysis::{Analysis, Histogram, Object, Schema, schema::Column};
/// use pullback_array::{Bindings, Column as Values, DType, Lowered};
/// let schema = Schema::new([
///     Column::new("Muon_pt", DType::F64, true),
///     Column::new("Muon_charge", DType::I32, true),
/// ]);
/// let analysis = Analysis::new()
///     .object("mu", Object::from("Muon").filter("pt > 25 GeV").sort("-pt"))
///     .column("sum_pt", "sum(mu.pt)")
///     .region("SR", ["count(mu) >= 2", "mu[0].charge != mu[1].charge"]);
/// let compiled = analysis.check(&schema)?.compile(&["sum_pt", "SR"])?;
/// let lowered = Lowered::new(compiled.program.clone())?;
/// let mut ws = lowered.workspace();
/// let columns = [
///     ("Muon.offsets", Values::Offsets(&[0, 3, 4])),
///     ("Muon_pt", Values::F64(&[30.0, 20.0, 40.0, 50.0])),
///     ("Muon_charge", Values::I32(&[1, 1, -1, 1])),
/// ];
/// lowered.run(&mut ws, &Bindings::named(lowered.program(), &columns)?)?;
/// assert_eq!(ws.f64(0), [70.0, 50.0]);
/// assert_eq!(ws.bool(1), [1, 0]); // The second event has no second muon.
/// # Ok::<(), pullback_analysis::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Analysis {
    pub(crate) definitions: Vec<(String, Definition)>,
}

impl Analysis {
    /// No definitions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names of the parameters.
    pub fn parameters(&self) -> Vec<&str> {
        let all = self.definitions.iter();
        all.filter(|(_, d)| matches!(d, Definition::Parameter(_)))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Names of the networks.
    pub fn networks(&self) -> Vec<&str> {
        let all = self.definitions.iter();
        all.filter(|(_, d)| matches!(d, Definition::Network(_)))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Gives a parameter another start.
    pub(crate) fn set_parameter(&mut self, name: &str, start: Source) {
        let mut all = self.definitions.iter_mut();
        if let Some((_, definition)) = all.find(|(n, _)| n == name) {
            *definition = Definition::Parameter(start);
        }
    }

    fn with(mut self, name: String, definition: Definition) -> Self {
        self.definitions.push((name, definition));
        self
    }

    /// A collection.
    pub fn object(self, name: impl Into<String>, object: Object) -> Self {
        let name = name.into();
        let key = |part: &str| format!("objects.{name}.{part}");
        let from = match object.from {
            From::Objects(s) => From::Objects(s.keyed(&key("from"))),
            From::Combine(s) => From::Combine(s.keyed(&key("combine"))),
            From::Union(s) => From::Union(s.keyed(&key("union"))),
        };
        let object = Object {
            from,
            fields: (object.fields.into_iter())
                .map(|(field, s)| {
                    let key = key(&format!("fields.{field}"));
                    (field, s.keyed(&key))
                })
                .collect(),
            filter: object.filter.map(|s| s.keyed(&key("where"))),
            sort: object.sort.map(|s| s.keyed(&key("sort"))),
        };
        self.with(name, Definition::Object(object))
    }

    /// A value: per event, per object, or a constant.
    pub fn column(self, name: impl Into<String>, value: impl Into<Source>) -> Self {
        let name = name.into();
        let value = value.into().keyed(&format!("columns.{name}"));
        self.with(name, Definition::Column(value))
    }

    /// A number that is an input of the program, so that there are derivatives to it: a threshold, a scale. The expression is its start, a constant.
    pub fn parameter(self, name: impl Into<String>, start: impl Into<Source>) -> Self {
        let name = name.into();
        let start = start.into().keyed(&format!("parameters.{name}"));
        self.with(name, Definition::Parameter(start))
    }

    /// A binned table: a function of as many numbers as it has axes.
    pub fn table(self, name: impl Into<String>, table: Table) -> Self {
        self.with(name.into(), Definition::Table(table))
    }

    /// A neural network: a number in (0, 1) per event, whose weights are an input of the program.
    pub fn network(self, name: impl Into<String>, network: Network) -> Self {
        let name = name.into();
        let inputs = network.inputs.into_iter().enumerate();
        let inputs = inputs.map(|(k, s)| s.keyed(&format!("networks.{name}.inputs[{k}]")));
        let network = Network {
            inputs: inputs.collect(),
            ..network
        };
        self.with(name, Definition::Network(network))
    }

    /// Gives a network the weights of a training to start from; nothing where none has that name. Whether they fit is checked with the rest.
    pub fn set_weights(&mut self, name: &str, weights: &Weights) {
        for (n, definition) in &mut self.definitions {
            if let Definition::Network(network) = definition
                && n == name
            {
                network.weights = Some(weights.clone());
            }
        }
    }

    /// The same network from other random weights: its seed is `more` later.
    pub(crate) fn perceptron_of_seed(&self, name: &str, more: u64) -> Result<Perceptron> {
        let mut other = self.clone();
        for (n, definition) in &mut other.definitions {
            if let Definition::Network(network) = definition
                && n == name
            {
                network.seed = network.seed.wrapping_add(more);
                network.weights = None;
            }
        }
        other.perceptron(name)
    }

    /// A network by name, before any column is known: its sizes, and its numbers at the start.
    ///
    /// # Errors
    /// A name that no network has; sizes that make no network; weights that do not fit.
    pub fn perceptron(&self, name: &str) -> Result<Perceptron> {
        let found = self.definitions.iter().find_map(|(n, d)| match d {
            Definition::Network(network) if n == name => Some(network),
            _ => None,
        });
        let found = found.ok_or_else(|| Error::Unknown {
            place: Source::new("", name).everywhere(),
            what: "network".into(),
            name: name.into(),
            nearest: pullback_io::nearest(name, self.networks().into_iter()),
            help: String::new(),
        })?;
        Perceptron::new(name, found)
    }

    /// The events that pass all cuts. A cut on a missing value is not passed.
    pub fn region<S: Into<Source>>(
        self,
        name: impl Into<String>,
        cuts: impl IntoIterator<Item = S>,
    ) -> Self {
        let name = name.into();
        let cuts = cuts.into_iter().enumerate();
        let cuts = cuts.map(|(k, c)| c.into().keyed(&format!("regions.{name}.cuts[{k}]")));
        let cuts = cuts.collect();
        self.with(name, Definition::Region(cuts))
    }

    /// A histogram.
    pub fn histogram(self, name: impl Into<String>, histogram: Histogram) -> Self {
        let name = name.into();
        let histogram = Histogram {
            of: histogram.of.keyed(&format!("histograms.{name}.of")),
            weight: (histogram.weight).map(|w| w.keyed(&format!("histograms.{name}.weight"))),
            ..histogram
        };
        self.with(name, Definition::Histogram(histogram))
    }
}
