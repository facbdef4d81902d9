//! What comes out of a run.

use super::plan::Shift;
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
    /// One bin for each process, in the order of [`Results::processes`].
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
    /// Observed events; nothing where they are not looked at, or where there are none.
    pub observed: Option<Bins>,
}

/// What comes out of a run.
#[derive(Debug, Clone)]
pub struct Results {
    /// What was run.
    pub file: AnalysisFile,
    /// Names of the simulated processes.
    pub processes: Vec<String>,
    /// For each data set, how many events it has, and what its weights were multiplied by.
    pub datasets: Vec<(u64, f64)>,
    /// One for each region.
    pub cutflows: Vec<Cutflow>,
    /// Observed events in each step of each region, where they are looked at.
    pub observed: Vec<Option<Vec<f64>>>,
    /// The histograms, region by region.
    pub histograms: Vec<Filled>,
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
