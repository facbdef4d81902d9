//! One gradient from σ(s) to all weights.

use std::time::Instant;

use pullback_array::{Bindings, Column, Lowered, Program, Workspace};
use pullback_optim::training::{Adam, AdamOptions, Optimiser, Schedule};

use super::benchmark::Benchmark;
use super::error::InfernoError;
use super::network::Network;
use super::templates::record_training;
use super::toy::{Batch, Batches, Toy};

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// σ(s) of soft templates of ten bins.
    Uncertainty {
        /// The parameters that are free.
        benchmark: Benchmark,
        /// The temperature of the softmax; 0.1 in the paper.
        temperature: f64,
    },
    /// The mean cross-entropy of two balanced classes.
    CrossEntropy,
}

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Units of the hidden layers; 100 and 100 in the paper.
    pub hidden: Vec<usize>,
    /// Events of each component in the sample; 100 000 in the paper.
    pub events: usize,
    /// Events of each component in a batch.
    pub batch: usize,
    /// Number of steps.
    pub steps: usize,
    /// How the next point is found.
    pub method: Method,
}

/// How the next point is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Adam, with this learning rate.
    Adam(Schedule),
    /// x ← x − rate · ∇σ²: stochastic gradient descent of the variance, as in the paper.
    Descent {
        /// The learning rate.
        rate: f64,
    },
}

impl Training {
    /// What is quoted: a smaller network than that of the paper, Adam, 200 epochs in batches of 10 000.
    pub fn standard() -> Self {
        let steps = 2000;
        Self {
            hidden: vec![40, 40],
            events: 100_000,
            batch: 5000,
            steps,
            method: Method::Adam(Schedule::Cosine {
                from: 0.03,
                to: 3e-4,
                steps,
            }),
        }
    }

    /// For classification: as [`Self::standard`] with a third of the learning rate.
    pub fn classification() -> Self {
        let standard = Self::standard();
        let rate = Schedule::Cosine {
            from: 0.01,
            to: 1e-4,
            steps: standard.steps,
        };
        Self {
            method: Method::Adam(rate),
            ..standard
        }
    }

    /// As the paper, section 5.1: two layers of 100 units, descent with rate 1e-6, 200 epochs in batches of 2000 observations.
    pub fn as_the_authors() -> Self {
        Self {
            hidden: vec![100, 100],
            events: 100_000,
            batch: 1000,
            steps: 20_000,
            method: Method::Descent { rate: 1e-6 },
        }
    }
}

/// The point, whichever way it moves.
enum Mover {
    Adam(Adam),
    Descent(Vec<f64>, f64),
}

impl Mover {
    fn new(method: Method, start: Vec<f64>) -> Self {
        match method {
            Method::Adam(rate) => Self::Adam(Adam::with_options(
                start,
                AdamOptions {
                    rate,
                    ..AdamOptions::default()
                },
            )),
            Method::Descent { rate } => Self::Descent(start, rate),
        }
    }

    fn point(&self) -> &[f64] {
        match self {
            Self::Adam(adam) => adam.point(),
            Self::Descent(point, _) => point,
        }
    }

    fn step(&mut self, value: f64, gradient: &[f64]) -> Result<(), InfernoError> {
        match self {
            Self::Adam(adam) => {
                adam.step(value, gradient)?;
            }
            Self::Descent(point, rate) => {
                for (x, g) in point.iter_mut().zip(gradient) {
                    *x -= *rate * 2.0 * value * g;
                }
            }
        }
        Ok(())
    }
}

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The network.
    pub network: Network,
    /// Its weights.
    pub weights: Vec<f64>,
    /// The objective at each step, on the batch of that step.
    pub history: Vec<f64>,
    /// Seconds of the steps, batches included.
    pub seconds: f64,
    /// Nanoseconds per event and step.
    pub nanoseconds: f64,
}

impl Goal {
    /// Numbers that the network gives for an event: ten bins or two classes.
    pub const fn outputs(self) -> usize {
        match self {
            Self::Uncertainty { .. } => 10,
            Self::CrossEntropy => 2,
        }
    }

    /// The columns of a batch that the program takes besides x.
    pub fn column(self, batch: &Batch) -> Column<'_> {
        match self {
            Self::Uncertainty { .. } => (&batch.weights).into(),
            Self::CrossEntropy => (&batch.targets).into(),
        }
    }

    /// Records the objective of this goal: without and with its gradient by the weights.
    pub fn record(self, network: &Network) -> Result<(Program, Program), InfernoError> {
        Ok(record_training(
            network,
            match self {
                Self::Uncertainty {
                    benchmark,
                    temperature,
                } => Some((benchmark, temperature)),
                Self::CrossEntropy => None,
            },
        )?)
    }
}

/// A recorded objective with its gradient, ready for steps: recorded and lowered once, run on every batch.
pub struct Step {
    goal: Goal,
    lowered: Lowered,
    workspace: Workspace,
    places: Vec<usize>,
    gradient: Vec<f64>,
}

impl Step {
    /// For a network.
    pub fn new(goal: Goal, network: &Network) -> Result<Self, InfernoError> {
        let lowered = Lowered::new(goal.record(network)?.1)?;
        let workspace = lowered.workspace_with(1, BLOCK);
        let other = match goal {
            Goal::Uncertainty { .. } => "weights",
            Goal::CrossEntropy => "targets",
        };
        let mut names = vec!["x".to_owned(), other.to_owned()];
        names.extend(network.names());
        let inputs = lowered.program().inputs();
        let places = (names.iter())
            .map(|name| inputs.iter().position(|(n, _)| **n == **name).unwrap_or(0))
            .collect();
        Ok(Self {
            goal,
            lowered,
            workspace,
            places,
            gradient: Vec::with_capacity(network.weights()),
        })
    }

    /// Value and gradient at these weights on this batch.
    pub fn run(
        &mut self,
        network: &Network,
        weights: &[f64],
        batch: &Batch,
    ) -> Result<(f64, &[f64]), InfernoError> {
        let mut columns = vec![(&batch.x).into(), self.goal.column(batch)];
        columns.extend(network.columns(weights));
        let mut ordered = columns.clone();
        for (place, column) in self.places.iter().zip(columns) {
            ordered[*place] = column;
        }
        self.lowered
            .run(&mut self.workspace, &Bindings::ordered(&ordered))?;
        self.gradient.clear();
        for k in 1..=network.names().len() {
            self.gradient.extend_from_slice(self.workspace.f64(k));
        }
        Ok((self.workspace.scalar(0), &self.gradient))
    }

    /// The lowered program, for profiles.
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }
}

/// Events of a block: two layers of 100 units fit into the second-level cache.
pub(super) const BLOCK: usize = 256;

/// Trains a network on a sample of its own, drawn and started from `seed`.
///
/// σ(s) of a batch is not an unbiased estimate of σ(s): noise of the derivative templates looks like information. With n background events it adds
/// (number of bins)/n of the information that the events have, so that batches flatter; what is quoted is always measured on independent events
/// ([`super::evaluate`]).
///
/// # Errors
/// `PB1201` for batches that are none, `PB1203` for an objective that is not finite at the end.
pub fn train(
    toy: &Toy,
    goal: Goal,
    training: &Training,
    seed: u64,
) -> Result<Report, InfernoError> {
    let mut sizes = vec![Toy::FEATURES];
    sizes.extend(&training.hidden);
    sizes.push(goal.outputs());
    let network = Network { sizes };
    let mut batches = Batches::new(toy, seed, training.events, training.batch)?;
    let mut batch = Batch::default();
    let mut step = Step::new(goal, &network)?;
    let mut mover = Mover::new(training.method, network.start(seed));
    let mut history = Vec::with_capacity(training.steps);
    let start = Instant::now();
    for k in 0..training.steps {
        batches.next(&mut batch);
        let (value, gradient) = step.run(&network, mover.point(), &batch)?;
        history.push(value);
        mover.step(value, gradient)?;
        if k + 1 == training.steps && !value.is_finite() {
            return Err(InfernoError::Diverged { step: k, value });
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let events = 2 * training.batch * training.steps;
    Ok(Report {
        weights: mover.point().to_vec(),
        network,
        history,
        seconds,
        nanoseconds: seconds * 1e9 / events.max(1) as f64,
    })
}
