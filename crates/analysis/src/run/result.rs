//! What comes out of a run.

use super::compared::Bound;
use super::plan::Shift;
use super::tangent::{Bias, Derivative};
use crate::file::AnalysisFile;

/// Contents of bins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bins {
    /// Sums of weights, scaled to cross-section and luminosity.
    pub sums: Vec<f64>,
    /// Variances of the sums: sums of squared weights.
    pub variances: Vec<f64>,
    /// Number of entries.
    pub entries: Vec<f64>,
}

impl Bins {
    pub(crate) fn zeros(n: usize) -> Self {
        Self {
            sums: vec![0.0; n],
            variances: vec![0.0; n],
            entries: vec![0.0; n],
        }
    }

    /// The same with weights that are larger by a factor.
    pub(super) fn times(&self, factor: f64) -> Self {
        Self {
            sums: self.sums.iter().map(|x| x * factor).collect(),
            variances: self.variances.iter().map(|x| x * factor * factor).collect(),
            entries: self.entries.clone(),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let each = |into: &mut [f64], from: &[f64]| {
            into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        };
        each(&mut self.sums, &other.sums);
        each(&mut self.variances, &other.variances);
        each(&mut self.entries, &other.entries);
    }

    /// The sum over all bins and its standard deviation.
    pub fn total(&self) -> (f64, f64) {
        let variance: f64 = self.variances.iter().sum();
        (self.sums.iter().sum(), variance.sqrt())
    }
}

/// The events that are left after a cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The cut; empty before the first one.
    pub cut: String,
    /// One bin for each process, in the order of [`Results::processes`]; of estimated ones after the last cut alone.
    pub yields: Vec<Bins>,
}

/// The steps of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutflow {
    /// Position of the region.
    pub region: usize,
    /// Before the first cut, and after each one.
    pub steps: Vec<Step>,
}

/// A data set from other files that stood for a nominal one in a variation.
#[derive(Debug, Clone, PartialEq)]
pub struct Stood {
    /// Name of the data set.
    pub dataset: String,
    /// Position of the systematic.
    pub systematic: usize,
    /// Its direction.
    pub shift: Shift,
    /// How many events it has.
    pub events: u64,
    /// What their weights were multiplied by.
    pub scale: f64,
}

/// A histogram in a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// Position of the histogram.
    pub plot: usize,
    /// Position of the region.
    pub region: usize,
    /// For each process, in the order of [`Results::processes`].
    pub nominal: Vec<Bins>,
    /// Variations: systematic, direction, and the bins of each process, nothing for those that it does not act on.
    pub variations: Vec<(usize, Shift, Vec<Option<Bins>>)>,
    /// Members of vectors of weights: systematic, position, and the bins of each process. Variations are made of them.
    pub members: Vec<(usize, usize, Vec<Option<Bins>>)>,
    /// Observed events; nothing where they are not looked at, or where there are none.
    pub observed: Option<Bins>,
}

/// What a cut decides on: the distribution of a number per event that is compared with numbers, of the events that pass all *other* cuts of the region.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Position of the region.
    pub region: usize,
    /// Position of the cut.
    pub cut: usize,
    /// What is compared.
    pub of: String,
    /// Its unit; empty for numbers without one.
    pub unit: String,
    /// Whether it is a whole number: its bins are around these.
    pub whole: bool,
    /// What is kept, at the parameters of the file.
    pub bounds: Vec<Bound>,
    /// Edges of the bins. What lies outside is in the first or the last one.
    pub edges: Vec<f64>,
    /// For each process, in the order of [`Results::processes`].
    pub nominal: Vec<Bins>,
    /// Observed events; nothing where they are not looked at, or where there are none.
    pub observed: Option<Bins>,
}

impl Distribution {
    /// Where a bound stands between bins: the number itself, or half a unit beside a whole one.
    pub fn wall(&self, bound: &Bound) -> f64 {
        match (self.whole, bound.above == bound.closed) {
            (false, _) => bound.at,
            // At least 4, less than 4: below the 4.
            (true, true) => bound.at.ceil() - 0.5,
            // More than 4, at most 4: above it.
            (true, false) => bound.at.floor() + 0.5,
        }
    }
}

/// What comes out of a run.
#[derive(Debug, Clone)]
pub struct Results {
    /// What was run.
    pub file: AnalysisFile,
    /// Names of the processes: the simulated ones, then those estimated from observed events.
    pub processes: Vec<String>,
    /// For each data set, how many events it has, and what its weights were multiplied by.
    pub datasets: Vec<(u64, f64)>,
    /// The data sets that stand for others in variations.
    pub variants: Vec<Stood>,
    /// One for each region.
    pub cutflows: Vec<Cutflow>,
    /// Observed events in each step of each region, where they are looked at.
    pub observed: Vec<Option<Vec<f64>>>,
    /// The histograms, region by region.
    pub histograms: Vec<Filled>,
    /// Units of the histograms, in the order of the file; empty for numbers without one.
    pub units: Vec<String>,
    /// What cuts decide on, if that was asked for.
    pub n_minus_one: Vec<Distribution>,
    /// Derivatives of histograms by the parameters of systematics whose variations are lines along tangents.
    pub derivatives: Vec<Derivative>,
    /// How far these lines are from the selection that is evaluated again.
    pub biases: Vec<Bias>,
    /// What to keep in mind.
    pub warnings: Vec<String>,
}

impl Results {
    /// A histogram by position.
    pub fn histogram(&self, plot: usize, region: usize) -> Option<&Filled> {
        let mut all = self.histograms.iter();
        all.find(|h| h.plot == plot && h.region == region)
    }
}
