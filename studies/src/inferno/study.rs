//! The trainings of the table.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::benchmark::Benchmark;
use super::error::InfernoError;
use super::evaluate::{Classes, Held, Tangents, edges_of_equal_content, evaluate};
use super::network::Network;
use super::toy::Toy;
use super::train::{Goal, Training, train};

/// The temperature of the softmax in trainings that are quoted; the authors have 0.1.
const TEMPERATURE: f64 = 0.3;
/// That of the paper.
const TEMPERATURE_OF_THE_AUTHORS: f64 = 0.1;
/// Seed of held-out events, apart from those of trainings, which are small.
const HELD_OUT: u64 = 1 << 40;
/// Seed of the events that bins of equal content are read off.
const CALIBRATION: u64 = 1 << 41;
/// Events of each component for those.
const CALIBRATION_EVENTS: usize = 100_000;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Cross-entropy, ten uniform bins of the probability: the baseline of the paper.
    Classifier,
    /// The same networks, ten bins of equal content in a balanced mixture.
    ClassifierEqual,
    /// Trained for the uncertainty of a benchmark.
    Inferno(Benchmark),
    /// The same with network, optimiser, batches and temperature of the paper.
    AsTheAuthors(Benchmark),
    /// The ratio of the densities, ten uniform bins.
    Densities,
}

/// A training to be run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Job {
    /// The mixture.
    pub toy: Toy,
    /// The row.
    pub kind: Kind,
    /// The seed of sample and start values.
    pub seed: u64,
}

/// Uncertainties of one network.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The row.
    pub kind: Kind,
    /// The seed.
    pub seed: u64,
    /// σ(s) of the five benchmarks with half-differences of shape templates, each with its error from finite events.
    pub templates: [(f64, f64); 5],
    /// The same with exact tangents.
    pub exact: [(f64, f64); 5],
    /// Seconds of the training (wall).
    pub seconds: f64,
    /// Nanoseconds per event and step.
    pub nanoseconds: f64,
}

/// What a run of all jobs found for one mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The mixture.
    pub toy: Toy,
    /// Its networks.
    pub entries: Vec<Entry>,
}

/// The jobs of the table: five seeds for benchmark 2 and for classification, `others` for the rest, `authors` trainings as the paper has them.
pub fn jobs(toy: Toy, others: u64, authors: u64) -> Vec<Job> {
    let mut out = Vec::new();
    let mut add = |kind, seeds| out.extend((1..=seeds).map(|seed| Job { toy, kind, seed }));
    add(Kind::AsTheAuthors(Benchmark::Two), authors);
    add(Kind::Densities, 1);
    add(Kind::Inferno(Benchmark::Two), 5);
    add(Kind::Classifier, 5);
    for benchmark in [
        Benchmark::Zero,
        Benchmark::One,
        Benchmark::Three,
        Benchmark::Four,
    ] {
        add(Kind::Inferno(benchmark), others);
    }
    out
}

/// Runs jobs on `threads` threads, each with a training of its own; `said` hears of each that is done. `events` of each component are held out.
///
/// # Errors
/// The first of any job.
pub fn run(
    jobs: &[Job],
    events: usize,
    threads: usize,
    said: impl Fn(&Job, &Entry) + Sync,
) -> Result<Vec<(Toy, Entry)>, InfernoError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((0..jobs.len()).map(|_| None).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some((k, job)) = {
                    let k = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(k).map(|job| (k, job))
                } {
                    let found = entries(job, events);
                    if let Ok(found) = &found {
                        for entry in found {
                            said(job, entry);
                        }
                    }
                    if let Ok(mut done) = done.lock() {
                        done[k] = Some(found);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_default();
    let mut out = Vec::new();
    for (job, found) in jobs.iter().zip(done) {
        for entry in found.unwrap_or(Ok(Vec::new()))? {
            out.push((job.toy, entry));
        }
    }
    Ok(out)
}

/// What comes of a job: one row, or two where a network is read off in two ways.
fn entries(job: &Job, events: usize) -> Result<Vec<Entry>, InfernoError> {
    let toy = &job.toy;
    let uniform: Vec<f64> = (0..=10).map(|k| f64::from(k) / 10.0).collect();
    let uncertainty = |benchmark, temperature| Goal::Uncertainty {
        benchmark,
        temperature,
    };
    let (goal, training) = match job.kind {
        Kind::Densities => {
            let held = evaluate(toy, Classes::Densities(&uniform), events, HELD_OUT)?;
            return Ok(vec![entry(job.kind, job, &held, 0.0, 0.0)?]);
        }
        Kind::Classifier | Kind::ClassifierEqual => {
            (Goal::CrossEntropy, Training::classification())
        }
        Kind::Inferno(benchmark) => (uncertainty(benchmark, TEMPERATURE), Training::standard()),
        Kind::AsTheAuthors(benchmark) => (
            uncertainty(benchmark, TEMPERATURE_OF_THE_AUTHORS),
            Training::as_the_authors(),
        ),
    };
    let trained = train(toy, goal, &training, job.seed)?;
    let (network, weights): (&Network, &[f64]) = (&trained.network, &trained.weights);
    let of = |kind, classes| {
        let held = evaluate(toy, classes, events, HELD_OUT)?;
        entry(kind, job, &held, trained.seconds, trained.nanoseconds)
    };
    if goal != Goal::CrossEntropy {
        return Ok(vec![of(job.kind, Classes::Largest(network, weights))?]);
    }
    let equal = edges_of_equal_content(toy, network, weights, 10, CALIBRATION_EVENTS, CALIBRATION)?;
    Ok(vec![
        of(Kind::Classifier, Classes::Edges(network, weights, &uniform))?,
        of(
            Kind::ClassifierEqual,
            Classes::Edges(network, weights, &equal),
        )?,
    ])
}

fn entry(
    kind: Kind,
    job: &Job,
    held: &Held,
    seconds: f64,
    nanoseconds: f64,
) -> Result<Entry, InfernoError> {
    let of = |tangents| -> Result<[(f64, f64); 5], InfernoError> {
        let mut out = [(0.0, 0.0); 5];
        for benchmark in Benchmark::ALL {
            out[benchmark.number()] = held.sigma(benchmark, tangents)?;
        }
        Ok(out)
    };
    Ok(Entry {
        kind,
        seed: job.seed,
        templates: of(Tangents::Templates)?,
        exact: of(Tangents::Exact)?,
        seconds,
        nanoseconds,
    })
}
