//! The free quantities: their names, where they may go, and their coordinates.

use pullback_optim::training::{Block, Chart};

use crate::error::Result;
use crate::file::{AnalysisFile, Free, Optimisation};
use crate::run::{Values, edges_name};

/// A free quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// What it is called: `met_cut`, `edge 2 of m_ll`.
    pub name: String,
    /// The input that it is a part of, and where.
    pub(super) input: (String, usize),
    /// Where it may go.
    pub range: [f64; 2],
}

/// All of them, in order.
#[derive(Debug, Clone)]
pub(super) struct Quantities {
    pub list: Vec<Quantity>,
    pub chart: Chart,
    pub start: Vec<f64>,
    /// Edges of histograms: the input, its first and its last number, which stay.
    ends: Vec<(String, [f64; 2])>,
}

impl Quantities {
    pub fn new(file: &AnalysisFile, optimisation: &Optimisation) -> Result<Self> {
        let mut list = Vec::new();
        let mut blocks = Vec::new();
        let mut start = Vec::new();
        let mut ends = Vec::new();
        for free in &optimisation.free {
            match free {
                Free::Parameter {
                    name,
                    start: value,
                    range,
                } => {
                    let [lower, upper] = *range;
                    blocks.push(Block::Logit { lower, upper });
                    start.push(*value);
                    list.push(Quantity {
                        name: name.clone(),
                        input: (name.clone(), 0),
                        range: *range,
                    });
                }
                Free::Edges { plot, width } => {
                    let plot = &file.histograms[*plot];
                    let bins = plot.edges.len() - 1;
                    let (lower, upper) = (plot.edges[0], plot.edges[bins]);
                    let input = edges_name(&plot.name);
                    blocks.push(Block::Edges {
                        lower,
                        upper,
                        bins,
                        width: *width,
                    });
                    ends.push((input.clone(), [lower, upper]));
                    for k in 1..bins {
                        start.push(plot.edges[k]);
                        list.push(Quantity {
                            name: format!("edge {k} of {}", plot.name),
                            input: (input.clone(), k),
                            range: [lower, upper],
                        });
                    }
                }
            }
        }
        Ok(Self {
            list,
            chart: Chart::new(blocks)?,
            start,
            ends,
        })
    }

    /// One of several starts: the first is that of the file, the others are spread over the ranges.
    pub fn start_of(&self, k: usize) -> Vec<f64> {
        let mut problem = pullback_optim::Problem::new(self.start.clone());
        for (i, q) in self.list.iter().enumerate() {
            // Edges stay in order where they are; thresholds go anywhere but to the ends.
            if q.input.1 == 0 {
                let [a, b] = q.range;
                problem = problem.with_bounds(i, a + 0.05 * (b - a), b - 0.05 * (b - a));
            }
        }
        let mut starts = pullback_optim::training::spread_starts(&problem, k + 1);
        starts.pop().unwrap_or_else(|| self.start.clone())
    }

    /// The inputs that have these quantities.
    pub fn values(&self, x: &[f64]) -> Values {
        let mut values = Values::new();
        for (name, [lower, _]) in &self.ends {
            values.insert(name.clone(), vec![*lower]);
        }
        for (quantity, x) in self.list.iter().zip(x) {
            values.entry(quantity.input.0.clone()).or_default().push(*x);
        }
        for (name, [_, upper]) in &self.ends {
            values.entry(name.clone()).or_default().push(*upper);
        }
        values
    }

    /// Derivatives by quantities from those by inputs.
    pub fn gradient(&self, by_inputs: &Values) -> Vec<f64> {
        let of = |q: &Quantity| Some(*by_inputs.get(&q.input.0)?.get(q.input.1)?);
        self.list.iter().map(|q| of(q).unwrap_or(0.0)).collect()
    }
}
