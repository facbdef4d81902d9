//! The resolved model: names and numbers, all indices checked.

use std::ops::Range;

use super::options::ModifierSettings;
use crate::workspace::{ModifierType, Warning};

/// A model, resolved: everything that a likelihood needs, in pyhf's order.
///
/// Layout. *Bins* are numbered over all channels (`channels[c].bins` is the range of channel `c`); the main data and the expected rates have this
/// order. *Cells* are numbered over all (channel, sample) pairs in the order of `samples` (`samples[s].cells` is the range of pair `s`); nominal yields
/// have this order. Cell `samples[s].cells.start + b` belongs to bin `channels[samples[s].channel].bins.start + b`.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// Name of the measurement.
    pub measurement: String,
    /// The parameter of interest, an index into `parameters`; `None` for a model without one.
    pub poi: Option<usize>,
    /// Interpolation codes.
    pub settings: ModifierSettings,
    /// The channels, sorted by name.
    pub channels: Vec<ChannelSpec>,
    /// Names of the processes over all channels, sorted.
    pub processes: Vec<String>,
    /// The (channel, sample) pairs, sorted by channel and then by sample name.
    pub samples: Vec<SampleSpec>,
    /// Nominal yields, one per cell.
    pub nominal: Vec<f64>,
    /// The modifiers, sorted by name and then by type name (pyhf's `config.modifiers`).
    pub modifiers: Vec<ModifierSpec>,
    /// Which modifier acts on which sample, in the order of `samples`, and within a sample in the order of `modifiers`.
    pub applications: Vec<Application>,
    /// The parameters in pyhf's order.
    pub parameters: Vec<Parameter>,
    /// The parameters by modifier name (pyhf's parameter sets), in order; each is a contiguous range of `parameters`.
    pub sets: Vec<ParameterSet>,
    /// Observed main data, one per bin.
    pub observations: Vec<f64>,
    /// Auxiliary data in pyhf's order: the constrained parameters in the order of `parameters`.
    pub auxdata: Vec<f64>,
    /// The parameter of each entry of `auxdata`, an index into `parameters`.
    pub auxdata_parameters: Vec<usize>,
    /// What is accepted but should be looked at.
    pub warnings: Vec<Warning>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSpec {
    /// Its name.
    pub name: String,
    /// Its bins in the main data.
    pub bins: Range<usize>,
    /// Its samples in [`ModelSpec::samples`].
    pub samples: Range<usize>,
    /// Its index in the workspace that was resolved.
    pub source: usize,
}

/// A sample in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleSpec {
    /// Its channel, an index into [`ModelSpec::channels`].
    pub channel: usize,
    /// Its process, an index into [`ModelSpec::processes`].
    pub process: usize,
    /// Its cells in [`ModelSpec::nominal`].
    pub cells: Range<usize>,
    /// What acts on it, in [`ModelSpec::applications`].
    pub applications: Range<usize>,
    /// Its index in the channel of the workspace that was resolved.
    pub source: usize,
}

/// A modifier: all uses of one name with one type.
#[derive(Debug, Clone, PartialEq)]
pub struct ModifierSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ModifierType,
    /// Its parameters, an index into [`ModelSpec::sets`].
    pub set: usize,
}

/// One modifier on one sample of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// The modifier, an index into [`ModelSpec::modifiers`].
    pub modifier: usize,
    /// The sample, an index into [`ModelSpec::samples`].
    pub sample: usize,
    /// The parameter, an index into [`ModelSpec::parameters`]: of all bins, or, for an effect with a parameter per bin
    /// ([`Effect::per_bin`]), of the first bin; bin `b` of the channel has parameter `parameter + b`.
    pub parameter: usize,
    /// What it does, with the templates it needs, one number per bin of the channel.
    pub effect: Effect,
    /// Its index among the modifiers of the sample in the workspace that was resolved.
    pub source: usize,
}

impl Application {
    /// The parameter that acts on bin `b` of the channel, an index into [`ModelSpec::parameters`].
    pub fn parameter_of_bin(&self, b: usize) -> usize {
        if self.effect.per_bin() {
            self.parameter + b
        } else {
            self.parameter
        }
    }
}

/// What a modifier does to the cells of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Adds the interpolation between `lo_data`, nominal and `hi_data` at α, less nominal.
    Histosys {
        /// Yields at α = −1.
        lo_data: Vec<f64>,
        /// Yields at α = +1.
        hi_data: Vec<f64>,
    },
    /// Multiplies by the parameter.
    Lumi,
    /// Multiplies by the parameter.
    Normfactor,
    /// Multiplies by the interpolation between `lo`, 1 and `hi` at α.
    Normsys {
        /// Factor at α = −1; positive.
        lo: f64,
        /// Factor at α = +1; positive.
        hi: f64,
    },
    /// Multiplies each bin by its parameter.
    Shapefactor,
    /// Multiplies each bin by its parameter, whose Poisson constraint comes from the uncertainty.
    Shapesys {
        /// Absolute uncertainty of the yields.
        uncertainty: Vec<f64>,
    },
    /// Multiplies each bin by its parameter, whose normal constraint comes from the uncertainties of all samples with this modifier.
    Staterror {
        /// Absolute uncertainty of the yields.
        uncertainty: Vec<f64>,
    },
}

impl Effect {
    /// The type of the modifier.
    pub fn kind(&self) -> ModifierType {
        match self {
            Self::Histosys { .. } => ModifierType::Histosys,
            Self::Lumi => ModifierType::Lumi,
            Self::Normfactor => ModifierType::Normfactor,
            Self::Normsys { .. } => ModifierType::Normsys,
            Self::Shapefactor => ModifierType::Shapefactor,
            Self::Shapesys { .. } => ModifierType::Shapesys,
            Self::Staterror { .. } => ModifierType::Staterror,
        }
    }

    /// Whether it has an absolute uncertainty per bin.
    pub fn has_uncertainty(&self) -> bool {
        matches!(self, Self::Shapesys { .. } | Self::Staterror { .. })
    }

    /// Whether each bin has its own parameter.
    pub fn per_bin(&self) -> bool {
        matches!(
            self,
            Self::Shapefactor | Self::Shapesys { .. } | Self::Staterror { .. }
        )
    }
}

/// The parameters of one modifier name: one, or one per bin.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSet {
    /// Name of the modifier (or of the two modifiers that share it).
    pub name: String,
    /// What kind of parameters.
    pub kind: ParameterKind,
    /// Whether the one parameter has the plain name; otherwise names carry an index, also if there is only one.
    pub scalar: bool,
    /// The parameters, in [`ModelSpec::parameters`].
    pub parameters: Range<usize>,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// Free normalisation (normfactor).
    FreeNorm,
    /// Nuisance parameter α of a histosys, a normsys or both, with a normal constraint of width 1.
    Alpha,
    /// Factor γ of a bin for MC statistics (staterror), with a normal constraint.
    GammaStat,
    /// Factor γ of a bin (shapesys), with a Poisson constraint.
    GammaShape,
    /// Free factor of a bin (shapefactor).
    ShapeFactor,
    /// Luminosity, with a normal constraint.
    Lumi,
}

impl ParameterKind {
    /// A short name for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FreeNorm => "free norm",
            Self::Alpha => "alpha",
            Self::GammaStat => "gamma stat",
            Self::GammaShape => "gamma shape",
            Self::ShapeFactor => "shape factor",
            Self::Lumi => "lumi",
        }
    }
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name as pyhf writes it: `mu`, or `staterror_SR[2]`.
    pub name: String,
    /// Its set, an index into [`ModelSpec::sets`].
    pub set: usize,
    /// Which component of the set it is.
    pub component: usize,
    /// What it is.
    pub kind: ParameterKind,
    /// Initial value.
    pub init: f64,
    /// Lower and upper bound.
    pub bounds: [f64; 2],
    /// Whether it is held at its initial value. A fixed parameter keeps its constraint.
    pub fixed: bool,
    /// Its constraint.
    pub constraint: Constraint,
    /// Its entry in [`ModelSpec::auxdata`], if it is constrained.
    pub aux: Option<usize>,
    /// How the numbers of the constraint follow from the templates.
    pub derived: Derived,
}

/// The constraint term of a parameter θ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constraint {
    /// None: free.
    None,
    /// Normal(`aux` | θ, `sigma`).
    Normal {
        /// Auxiliary datum.
        aux: f64,
        /// Width.
        sigma: f64,
    },
    /// Poisson(`aux` | τ θ).
    Poisson {
        /// Auxiliary datum.
        aux: f64,
        /// Rate factor τ.
        tau: f64,
    },
}

/// How the numbers of a constraint follow from the templates.
///
/// An application named here is in [`ModelSpec::applications`]; its effect holds the uncertainty, its sample the nominal yield.
#[derive(Debug, Clone, PartialEq)]
pub enum Derived {
    /// They do not: a free parameter, an α, or numbers given by the measurement.
    Constant,
    /// σ² = Σ_a (uncertainty_a\[bin\] / Σ_a' nominal_a'\[bin\])² over these applications of a staterror; pyhf's `staterror.py`.
    Staterror {
        /// The staterror on each of its samples, in the order of pyhf's sum (sorted by process).
        applications: Vec<usize>,
        /// Bin in the channel.
        bin: usize,
    },
    /// τ = (nominal\[bin\] / uncertainty\[bin\])², which is also the auxiliary datum unless [`Parameter::constraint`] says otherwise (the measurement
    /// may give either of the two); pyhf's `shapesys.py`.
    Shapesys {
        /// The one application of the shapesys.
        application: usize,
        /// Bin in the channel.
        bin: usize,
        /// Whether τ comes from the templates (the measurement gives no `factors`).
        tau: bool,
        /// Whether the auxiliary datum comes from the templates (the measurement gives no `auxdata`).
        aux: bool,
    },
    /// The templates give no width (a zero uncertainty or yield): σ = 1 or τ = 1 stand in for it and the parameter is fixed, as in pyhf.
    Placeholder,
}

impl ModelSpec {
    /// Number of bins of the main data.
    pub fn bins(&self) -> usize {
        self.observations.len()
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.nominal.len()
    }

    /// Name of a sample's process.
    pub fn sample_name(&self, sample: usize) -> &str {
        &self.processes[self.samples[sample].process]
    }

    /// Nominal yields of a sample, one per bin of its channel.
    pub fn nominal_of(&self, sample: usize) -> &[f64] {
        &self.nominal[self.samples[sample].cells.clone()]
    }

    /// The bin of the main data that each cell belongs to.
    pub fn bin_of_cell(&self) -> Vec<usize> {
        self.samples
            .iter()
            .flat_map(|s| self.channels[s.channel].bins.clone())
            .collect()
    }

    /// Index of the parameter with this name.
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|p| p.name == name)
    }

    /// The initial values.
    pub fn inits(&self) -> Vec<f64> {
        self.parameters.iter().map(|p| p.init).collect()
    }

    /// The bins that each parameter acts on, as sorted indices into the main data: what an elimination of single-bin parameters needs.
    pub fn bins_of_parameters(&self) -> Vec<Vec<usize>> {
        let mut bins = vec![Vec::new(); self.parameters.len()];
        for a in &self.applications {
            let channel = &self.channels[self.samples[a.sample].channel];
            for (b, bin) in channel.bins.clone().enumerate() {
                bins[a.parameter_of_bin(b)].push(bin);
            }
        }
        for list in &mut bins {
            list.sort_unstable();
            list.dedup();
        }
        bins
    }

    /// Parameters of MC statistics and shape systematics that act on one bin each, at most one per bin: their mutual Hessian block is diagonal.
    pub fn separable(&self) -> Vec<usize> {
        let mut taken = vec![false; self.bins()];
        let mut out = Vec::new();
        for (k, bins) in self.bins_of_parameters().iter().enumerate() {
            if let [bin] = bins[..]
                && self.parameters[k].constraint != Constraint::None
                && !std::mem::replace(&mut taken[bin], true)
            {
                out.push(k);
            }
        }
        out
    }
}
