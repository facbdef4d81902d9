//! What an analysis file says.

use std::path::PathBuf;

use pullback_array::Flow;

use super::certified::Certified;
use super::estimates::{Abcd, Estimate};
use super::optimisation::Optimisation;
use crate::define::Analysis;
use crate::draws::Draw;
use crate::place::{Place, Source};
use crate::units::Unit;

/// An analysis: data, selections, histograms, systematic variations, and what is fitted.
#[derive(Debug, Clone, Default)]
pub struct AnalysisFile {
    /// Its name for people.
    pub title: String,
    /// Integrated luminosity, in 1/pb.
    pub luminosity: Option<f64>,
    /// The luminosity sections whose observed events count; all without it.
    pub certified: Option<Certified>,
    /// Whether the observed data of signal regions stay unseen.
    pub blind: bool,
    /// The seed of the draws.
    pub seed: u64,
    /// Random numbers of objects and events.
    pub draws: Vec<Draw>,
    /// Campaigns of data taking, of which data sets can be.
    pub campaigns: Vec<Campaign>,
    /// Where events come from.
    pub datasets: Vec<Input>,
    /// Regions in the order of the file.
    pub regions: Vec<Region>,
    /// Histograms in the order of the file.
    pub histograms: Vec<Plot>,
    /// Processes made of observed events of other regions.
    pub estimates: Vec<Estimate>,
    /// Processes whose yield in a region follows from that in three others.
    pub abcd: Vec<Abcd>,
    /// Systematic variations.
    pub systematics: Vec<Systematic>,
    /// What is fitted.
    pub fit: Option<FitModel>,
    /// What an optimisation does.
    pub optimisation: Option<Optimisation>,
    /// Parameters that say where they may go: name, start and range.
    pub ranges: Vec<(String, f64, [f64; 2])>,
    /// Values by fold, in place of the starts.
    pub(crate) folds: Option<super::Folds>,
    /// Objects, columns, parameters and networks.
    pub(crate) definitions: Analysis,
}

/// A campaign of data taking: simulated events of it stand for its luminosity.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Its name.
    pub name: String,
    /// Integrated luminosity, in 1/pb.
    pub luminosity: f64,
    /// The weight of its simulated events, instead of that of the analysis.
    pub weight: Option<Source>,
    /// The luminosity sections whose observed events count; those of the analysis without it.
    pub certified: Option<Certified>,
}

/// Events of one kind.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// The process it belongs to; several data sets may share one.
    pub process: String,
    /// The campaign it belongs to.
    pub campaign: Option<String>,
    /// Patterns of files, relative to the folder of the analysis file, with `:table` where there are several.
    pub files: Vec<PathBuf>,
    /// Whether these are observed events: they have no weights, and signal regions may be blind to them.
    pub observed: bool,
    /// Cross-section in pb.
    pub cross_section: Option<f64>,
    /// What the weights of all generated events add up to.
    pub generated: Generated,
    /// The weight of an event.
    pub weight: Option<Source>,
    /// The unit of its energies, where it is not that of its names.
    pub energy: Option<EnergyUnit>,
    /// Links that lead elsewhere than their names say: collection and reference, the collection that they lead to, and where that is said.
    pub(crate) links: Vec<(String, String, Place)>,
    pub(crate) place: Place,
}

/// The unit of the energies of a data set, and which of its columns are energies besides those whose names say so.
#[derive(Debug, Clone)]
pub struct EnergyUnit {
    /// The unit.
    pub unit: Unit,
    /// Names of columns, or patterns with `*`.
    pub columns: Vec<String>,
    pub(crate) place: Place,
}

/// The sum of the weights of all generated events, by which a cross-section is divided.
#[derive(Debug, Clone, PartialEq)]
pub enum Generated {
    /// A number, of events that are perhaps not in the files any more.
    Number(f64),
    /// The sum of an expression over all events of the files.
    Sum(Source),
    /// The number of events in the files.
    Events,
}

/// What a region is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// Where the signal is looked for.
    Signal,
    /// Where backgrounds are measured.
    Control,
    /// Where the prediction is compared.
    Validation,
}

impl RegionKind {
    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Control => "control",
            Self::Validation => "validation",
        }
    }
}

/// A selection of events.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: RegionKind,
    /// The cuts, in the order of the cutflow.
    pub cuts: Vec<Source>,
}

/// A histogram, filled in several regions.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Its name.
    pub name: String,
    /// What is on the axis, for people.
    pub label: String,
    /// The value.
    pub of: Source,
    /// Rising edges.
    pub edges: Vec<f64>,
    /// Whether the interior edges are chosen by an optimisation.
    pub movable: bool,
    /// What happens to values outside the edges.
    pub flow: Flow,
    /// Positions of the regions in which it is filled.
    pub regions: Vec<usize>,
}

/// A systematic uncertainty. Those of one name are correlated.
#[derive(Debug, Clone)]
pub struct Systematic {
    /// Its name.
    pub name: String,
    /// The processes that it acts on.
    pub processes: Vec<String>,
    /// The campaigns that it acts on; all where there are none. Data sets of others are as they are.
    pub campaigns: Vec<String>,
    /// What it does.
    pub effect: Effect,
    /// Where it says that it is exact: the weights of events are evaluated in the fit ([`crate::exact`]); templates at one standard deviation are there as well.
    pub(crate) exact: Option<Place>,
}

/// What a systematic uncertainty does at one standard deviation.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Yields change by factors.
    Norm {
        /// The factor upwards.
        up: f64,
        /// The factor downwards.
        down: f64,
    },
    /// Yields of campaigns change by factors of their own.
    Norms {
        /// For each campaign, the factors downwards and upwards.
        factors: Vec<(String, [f64; 2])>,
    },
    /// The weights of events change by factors.
    Weight {
        /// The factor upwards.
        up: Source,
        /// The factor downwards; without one, the variation is mirrored.
        down: Option<Source>,
    },
    /// The weights of events change by the members of a vector of factors; up and down are made of the yields of all members, bin by bin.
    Members {
        /// The vector: an expression of a list of numbers per event.
        vector: Source,
        /// Positions in it.
        members: Vec<usize>,
        /// How yields become up and down.
        combine: Combine,
    },
    /// The events of some data sets are those of other files.
    Files {
        /// Upwards: each data set has the name of the nominal one that it stands for.
        up: Vec<Input>,
        /// Downwards, of the same names; empty where there are none.
        down: Vec<Input>,
        /// Whether the side without files is nominal, instead of mirrored.
        one_sided: bool,
    },
    /// A parameter of the analysis changes.
    Parameter {
        /// Its name.
        name: String,
        /// Its value upwards.
        up: f64,
        /// Its value downwards.
        down: f64,
        /// What the yields are there.
        evaluated: Evaluated,
    },
}

/// How yields follow a parameter of the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evaluated {
    /// The whole selection is evaluated again.
    #[default]
    Again,
    /// Along the tangent at nominal: n ± Δ dn/dθ, with the total derivative of each bin, thresholds included. The selection is evaluated again, too: a run says
    /// how far they are apart.
    Tangent,
}

impl Effect {
    /// Whether its variations are lines along a tangent.
    pub(crate) fn is_tangent(&self) -> bool {
        matches!(self, Self::Parameter { evaluated, .. } if *evaluated == Evaluated::Tangent)
    }

    /// Positions in a vector of weights; none of other effects.
    pub(crate) fn members(&self) -> &[usize] {
        match self {
            Self::Members { members, .. } => members,
            _ => &[],
        }
    }
}

/// How the yields of members of a vector of weights become a variation up and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// The largest and the smallest of them and of the nominal yield, as of scale variations.
    Envelope,
    /// Nominal ± their standard deviation around their mean: Monte Carlo replicas.
    Rms,
    /// Nominal ± the root of the sum of squared differences from it: symmetric Hessian members.
    Hessian,
}

/// Parts of variations that are left out of the workspace of a run, sample by sample. An optimisation trains with all of them, so that the structure of its model
/// does not depend on numbers, and quotes without them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prune {
    /// Factors of a yield that are closer to 1 than this, upwards and downwards.
    pub norm: f64,
    /// Shapes in which no bin changes by this part of itself, upwards or downwards.
    pub shape: f64,
}

/// What is fitted.
#[derive(Debug, Clone, Default)]
pub struct FitModel {
    /// Name of the parameter of interest.
    pub poi: String,
    /// Upper end of its range.
    pub maximum: f64,
    /// The processes that it scales.
    pub signal: Vec<String>,
    /// Free normalisations: name of the factor, and the processes that it scales.
    pub free: Vec<(String, Vec<String>)>,
    /// Pairs of a region and a histogram: the channels, by position.
    pub channels: Vec<(usize, usize)>,
    /// Whether bins get the uncertainty of the number of simulated events. That of the observed events of an estimate they get in any case.
    pub mc_statistics: bool,
    /// What is too small for the workspace.
    pub prune: Prune,
    /// Positions of the systematics whose shapes are smoothed.
    pub smooth: Vec<usize>,
}
