//! The free quantities: their names, where they may go, and their coordinates.

use std::ops::Range;

use pullback_optim::training::{Block, Chart, spread_starts};

use crate::error::Result;
use crate::file::{AnalysisFile, Free, Optimisation};
use crate::run::{Values, edges_name};

/// How much slower the coordinates of weights move than those of ranges.
const WEIGHT: f64 = 0.2;

/// A free quantity that is a number for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// What it is called: `met_cut`, `edge 2 of m_ll`.
    pub name: String,
    /// Where it may go.
    pub range: [f64; 2],
    /// Its place among all.
    pub(super) place: usize,
}

/// An input of the programs, and its numbers among the quantities.
#[derive(Debug, Clone)]
struct Input {
    name: String,
    places: Range<usize>,
    /// Numbers before and after, which stay: the ends of edges.
    ends: Option<[f64; 2]>,
}

/// All of them, in order.
#[derive(Debug, Clone)]
pub(super) struct Quantities {
    /// Those that people look at: all but weights.
    pub list: Vec<Quantity>,
    /// Names and places of networks.
    pub networks: Vec<(String, Range<usize>)>,
    chart: Chart,
    /// Length of a unit of each coordinate.
    scales: Vec<f64>,
    pub start: Vec<f64>,
    inputs: Vec<Input>,
    /// Inputs that are set once: standardisations.
    pub fixed: Values,
}

impl Quantities {
    pub fn new(file: &AnalysisFile, optimisation: &Optimisation) -> Result<Self> {
        let mut out = Self {
            list: Vec::new(),
            networks: Vec::new(),
            chart: Chart::new(Vec::new())?,
            scales: Vec::new(),
            start: Vec::new(),
            inputs: Vec::new(),
            fixed: Values::new(),
        };
        let mut blocks = Vec::new();
        for free in &optimisation.free {
            let first = out.start.len();
            let (name, ends) = match free {
                Free::Parameter {
                    name,
                    start,
                    range: [lower, upper],
                } => {
                    let (lower, upper) = (*lower, *upper);
                    blocks.push(Block::Logit { lower, upper });
                    out.start.push(*start);
                    out.list.push(Quantity {
                        name: name.clone(),
                        range: [lower, upper],
                        place: first,
                    });
                    (name.clone(), None)
                }
                Free::Network { name } => {
                    let weights = file.definitions.perceptron(name)?.weights().to_vec();
                    let count = weights.len();
                    blocks.push(Block::Free { count });
                    out.networks.push((name.clone(), first..first + count));
                    out.start.extend(weights);
                    (name.clone(), None)
                }
                Free::Edges { plot, width } => {
                    let plot = &file.histograms[*plot];
                    let bins = plot.edges.len() - 1;
                    let (lower, upper) = (plot.edges[0], plot.edges[bins]);
                    blocks.push(Block::Edges {
                        lower,
                        upper,
                        bins,
                        width: *width,
                    });
                    for k in 1..bins {
                        out.list.push(Quantity {
                            name: format!("edge {k} of {}", plot.name),
                            range: [lower, upper],
                            place: out.start.len(),
                        });
                        out.start.push(plot.edges[k]);
                    }
                    (edges_name(&plot.name), Some([lower, upper]))
                }
            };
            let scale = if matches!(free, Free::Network { .. }) {
                WEIGHT
            } else {
                1.0
            };
            out.scales.resize(out.start.len(), scale);
            out.inputs.push(Input {
                name,
                places: first..out.start.len(),
                ends,
            });
        }
        out.chart = Chart::new(blocks)?;
        Ok(out)
    }

    /// The inputs that have these quantities, and those that are set once.
    pub fn values(&self, x: &[f64]) -> Values {
        let mut values = self.fixed.clone();
        for input in &self.inputs {
            let own = x[input.places.clone()].iter().copied();
            let numbers = match input.ends {
                Some([lower, upper]) => [lower].into_iter().chain(own).chain([upper]).collect(),
                None => own.collect(),
            };
            values.insert(input.name.clone(), numbers);
        }
        values
    }

    /// Derivatives by quantities from those by inputs.
    pub fn gradient(&self, by_inputs: &Values) -> Vec<f64> {
        let mut out = vec![0.0; self.start.len()];
        for input in &self.inputs {
            let first = usize::from(input.ends.is_some());
            let found = by_inputs.get(&input.name).map_or(&[][..], Vec::as_slice);
            let into = out[input.places.clone()].iter_mut();
            into.zip(found.iter().skip(first))
                .for_each(|(a, b)| *a = *b);
        }
        out
    }

    /// The coordinates of quantities.
    pub fn coordinates(&self, x: &[f64]) -> Result<Vec<f64>> {
        let u = self.chart.coordinates(x)?;
        Ok(u.iter().zip(&self.scales).map(|(u, s)| u / s).collect())
    }

    /// The quantities at coordinates.
    pub fn at(&self, v: &[f64]) -> Vec<f64> {
        self.chart.quantities(&self.unscaled(v))
    }

    fn unscaled(&self, v: &[f64]) -> Vec<f64> {
        v.iter().zip(&self.scales).map(|(v, s)| v * s).collect()
    }

    /// Derivatives by coordinates from those by quantities.
    pub fn pull_back(&self, v: &[f64], by: &[f64]) -> Result<Vec<f64>> {
        let by = self.chart.pull_back(&self.unscaled(v), by)?;
        Ok(by.iter().zip(&self.scales).map(|(b, s)| b * s).collect())
    }

    /// One of several starts: the first is that of the file; others have thresholds spread over their ranges, and networks of other seeds.
    pub fn start_of(&self, file: &AnalysisFile, k: usize) -> Result<Vec<f64>> {
        let mut problem = pullback_optim::Problem::new(self.start.clone());
        for i in 0..self.start.len() {
            problem = problem.with_bounds(i, f64::NEG_INFINITY, f64::INFINITY);
        }
        for q in &self.list {
            // Edges stay where they are, in order; thresholds go anywhere but to the ends.
            let input = self.inputs.iter().find(|i| i.places.contains(&q.place));
            if input.is_some_and(|i| i.ends.is_none()) {
                let [a, b] = q.range;
                let margin = 0.05 * (b - a);
                problem = problem.with_bounds(q.place, a + margin, b - margin);
            }
        }
        let mut starts = spread_starts(&problem, k + 1);
        let mut x = starts.pop().unwrap_or_else(|| self.start.clone());
        for (name, places) in self.networks.iter().filter(|_| k > 0) {
            let other = file.definitions.perceptron_of_seed(name, k as u64)?;
            x[places.clone()].copy_from_slice(other.weights());
        }
        Ok(x)
    }
}
