//! The typed workspace.

use std::fmt;

/// A workspace: the model, the data and the measurements.
///
/// The fields are public: a workspace can be built or edited in memory, and [`Workspace::check`] tells whether it is consistent.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// The channels, in the order of the file.
    pub channels: Vec<Channel>,
    /// The observed data, one entry per channel, in the order of the file.
    pub observations: Vec<Observation>,
    /// The measurements; the first is the default.
    pub measurements: Vec<Measurement>,
    /// Version of the format: `1.0.0`.
    pub version: String,
}

/// A region of the analysis: a histogram with one or more samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Name, unique in the workspace.
    pub name: String,
    /// The samples, in the order of the file. All have the same number of bins.
    pub samples: Vec<Sample>,
}

impl Channel {
    /// Number of bins.
    pub fn bins(&self) -> usize {
        self.samples.first().map_or(0, |s| s.data.len())
    }
}

/// A process in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name, unique in its channel. Samples of the same name in several channels are the same process.
    pub name: String,
    /// Nominal yields, one per bin.
    pub data: Vec<f64>,
    /// What changes the yields.
    pub modifiers: Vec<Modifier>,
}

/// A systematic effect on a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Modifier {
    /// Name: modifiers of the same name share their parameter.
    pub name: String,
    /// Type and numbers.
    pub data: ModifierData,
}

impl Modifier {
    /// The type of the modifier.
    pub fn kind(&self) -> ModifierType {
        self.data.kind()
    }
}

/// Type of a modifier with the numbers it needs.
#[derive(Debug, Clone, PartialEq)]
pub enum ModifierData {
    /// Interpolates between varied histograms and adds the difference to the nominal yields.
    Histosys {
        /// Yields at α = −1.
        lo_data: Vec<f64>,
        /// Yields at α = +1.
        hi_data: Vec<f64>,
    },
    /// Factor: the luminosity, constrained as the measurement says.
    Lumi,
    /// Factor: a free parameter.
    Normfactor,
    /// Factor: interpolates between two factors.
    Normsys {
        /// Factor at α = −1.
        lo: f64,
        /// Factor at α = +1.
        hi: f64,
    },
    /// Factor per bin: free parameters.
    Shapefactor,
    /// Factor per bin with Poisson constraints; absolute uncertainties of the yields, one per bin.
    Shapesys(Vec<f64>),
    /// Factor per bin, shared by the samples of a channel, with normal constraints; absolute uncertainties of the yields, one per bin.
    Staterror(Vec<f64>),
}

impl ModifierData {
    /// The type of the modifier.
    pub fn kind(&self) -> ModifierType {
        match self {
            Self::Histosys { .. } => ModifierType::Histosys,
            Self::Lumi => ModifierType::Lumi,
            Self::Normfactor => ModifierType::Normfactor,
            Self::Normsys { .. } => ModifierType::Normsys,
            Self::Shapefactor => ModifierType::Shapefactor,
            Self::Shapesys(_) => ModifierType::Shapesys,
            Self::Staterror(_) => ModifierType::Staterror,
        }
    }
}

/// The types of modifiers. The order is the one in which pyhf orders parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModifierType {
    /// Correlated shape.
    Histosys,
    /// Luminosity.
    Lumi,
    /// Free normalisation.
    Normfactor,
    /// Constrained normalisation.
    Normsys,
    /// Free shape.
    Shapefactor,
    /// Uncorrelated shape.
    Shapesys,
    /// MC statistics.
    Staterror,
}

impl ModifierType {
    /// All types in pyhf's order.
    pub const ALL: [Self; 7] = [
        Self::Histosys,
        Self::Lumi,
        Self::Normfactor,
        Self::Normsys,
        Self::Shapefactor,
        Self::Shapesys,
        Self::Staterror,
    ];

    /// The name in the format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Histosys => "histosys",
            Self::Lumi => "lumi",
            Self::Normfactor => "normfactor",
            Self::Normsys => "normsys",
            Self::Shapefactor => "shapefactor",
            Self::Shapesys => "shapesys",
            Self::Staterror => "staterror",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == name)
    }
}

impl fmt::Display for ModifierType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The observed data of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Name of the channel.
    pub name: String,
    /// Counts, one per bin; zero or positive, not necessarily integer.
    pub data: Vec<f64>,
}

/// A measurement: what is measured, and how parameters are configured for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Name, unique in the workspace.
    pub name: String,
    /// The configuration.
    pub config: Config,
}

/// The configuration of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the parameter of interest; empty for a model without one (pyhf's convention).
    pub poi: String,
    /// Settings of parameters that differ from the defaults.
    pub parameters: Vec<ParameterConfig>,
}

/// Settings of one parameter, or of all components of a parameter with one per bin. What is `None` keeps its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParameterConfig {
    /// Name of the modifier that has the parameter.
    pub name: String,
    /// Initial values, one per component.
    pub inits: Option<Vec<f64>>,
    /// Lower and upper bounds, one pair per component.
    pub bounds: Option<Vec<[f64; 2]>>,
    /// Auxiliary data, one per component.
    pub auxdata: Option<Vec<f64>>,
    /// Rate factors τ of Poisson constraints, one per component.
    pub factors: Option<Vec<f64>>,
    /// Widths of normal constraints, one per component.
    pub sigmas: Option<Vec<f64>>,
    /// Whether the parameter is held at its initial value.
    pub fixed: Option<bool>,
}
