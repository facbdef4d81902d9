//! By gradients, and without.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use pullback_analysis::Error;
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::optimize::{Options, Part, Problem, Quote};

use crate::cma::CmaEs;

/// What came of both ways, on the same events.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The network trained on the cross-entropy, cuts and bins as the file has them.
    pub start: Quote,
    /// Cuts and bins by CMA-ES, with that network.
    pub evolved: Quote,
    /// Everything by the gradient.
    pub gradient: Quote,
    /// Cuts and bins by the gradient, with that network.
    pub cuts_alone: Quote,
    /// Processor time of the gradient, and of CMA-ES, in seconds.
    pub seconds: [f64; 2],
    /// Steps of the gradient, and evaluations of CMA-ES.
    pub steps: [usize; 2],
    /// Training events that can matter.
    pub events: usize,
}

fn open(file: &AnalysisFile, threads: usize) -> Result<Problem<'_>, Error> {
    let options = Options {
        threads,
        ..Options::default()
    };
    let problem = Problem::open(file, &options, &mut |_, _| true)?;
    problem.ok_or_else(|| Error::Optimisation {
        message: "stopped".into(),
        help: String::new(),
    })
}

/// Trains by the gradient, then searches with CMA-ES for as long, both on training events, both keeping the best by validation events; all is quoted on test events.
///
/// # Errors
/// As those of an optimisation.
pub fn compare(file: &AnalysisFile, seed: u64, threads: usize) -> Result<Compared, Error> {
    let mut problem = open(file, threads)?;
    let mut state = problem.begin()?;
    let mut began = ProcessTime::now();
    problem.train(&mut state, &mut |at| {
        if at.pretraining {
            // Both start from the network that is trained on the cross-entropy.
            began = ProcessTime::now();
        }
        true
    })?;
    let spent = began.elapsed();
    let outcome = problem.finish(&state, Instant::now())?;
    let first = state
        .first
        .clone()
        .unwrap_or_else(|| problem.start().to_vec());
    let (evolved, evaluations, used) = evolve(&mut problem, &first, seed, spent)?;
    let cuts_alone = cuts(file, &problem, &first, threads)?;
    Ok(Compared {
        start: problem.quote(Part::Test, &first)?,
        evolved: problem.quote(Part::Test, &evolved)?,
        gradient: outcome.after[2].clone(),
        cuts_alone,
        seconds: [spent.as_secs_f64(), used.as_secs_f64()],
        steps: [state.history.len(), evaluations],
        events: problem.events(Part::Training),
    })
}

/// CMA-ES on thresholds and edges, for a given processor time.
fn evolve(
    problem: &mut Problem<'_>,
    first: &[f64],
    seed: u64,
    time: Duration,
) -> Result<(Vec<f64>, usize, Duration), Error> {
    let places: Vec<usize> = problem.names().map(|(_, k)| k).collect();
    let u = problem.coordinates(first)?;
    let full = |part: &[f64]| {
        let mut all = u.clone();
        places.iter().zip(part).for_each(|(k, x)| all[*k] = *x);
        all
    };
    let start = places.iter().map(|k| u[*k]).collect();
    let mut cma = CmaEs::new(start, 0.5, seed);
    let began = ProcessTime::now();
    let mut evaluations = 0;
    let mut best = (problem.exact(Part::Validation, first)?, first.to_vec());
    while began.elapsed() < time {
        let (_, point) = cma.generation(&mut |part| {
            evaluations += 1;
            let x = problem.at(&full(part));
            problem.exact(Part::Training, &x).unwrap_or(f64::NAN)
        });
        let x = problem.at(&full(&point));
        let value = problem.exact(Part::Validation, &x).unwrap_or(f64::NAN);
        if value < best.0 {
            best = (value, x);
        }
    }
    Ok((best.1, evaluations, began.elapsed()))
}

/// The gradient on thresholds and edges alone, the network being that of the cross-entropy.
fn cuts(
    file: &AnalysisFile,
    problem: &Problem<'_>,
    first: &[f64],
    threads: usize,
) -> Result<Quote, Error> {
    let mut fixed = file.at(&problem.values(first))?;
    if let Some(o) = &mut fixed.optimisation {
        o.free
            .retain(|f| !matches!(f, pullback_analysis::file::Free::Network { .. }));
    }
    let mut problem = open(&fixed, threads)?;
    let mut state = problem.begin()?;
    problem.train(&mut state, &mut |_| true)?;
    let best = state
        .best()
        .map_or_else(|| problem.start().to_vec(), |b| b.x.clone());
    problem.quote(Part::Test, &best)
}

/// The gradient of the soft objective beside differences, and what it costs.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// Name, derivative, difference.
    pub rows: Vec<(String, f64, f64)>,
    /// Seconds of one thread: bins and objective, and with the gradient.
    pub seconds: [f64; 2],
    /// Training events that can matter.
    pub events: usize,
}

/// Differences of order four in every threshold and edge, and in some weights of each network.
///
/// # Errors
/// As those of an optimisation.
pub fn gradients(file: &AnalysisFile, threads: usize) -> Result<Gradients, Error> {
    let mut problem = open(file, threads)?;
    let mut state = problem.begin()?;
    problem.train(&mut state, &mut |at| at.pretraining)?;
    let x = state
        .first
        .clone()
        .unwrap_or_else(|| problem.start().to_vec());
    let t = 0.1;
    let time = |f: &mut dyn FnMut() -> Result<(), Error>| -> Result<f64, Error> {
        let mut least = f64::INFINITY;
        for _ in 0..5 {
            let began = ProcessTime::now();
            f()?;
            least = least.min(began.elapsed().as_secs_f64());
        }
        Ok(least)
    };
    let forward = time(&mut || problem.soft_value(Part::Training, &x, t).map(|_| ()))?;
    let both = time(&mut || problem.soft(Part::Training, &x, t).map(|_| ()))?;
    let found = problem.soft(Part::Training, &x, t)?;
    let mut names: Vec<(String, usize)> = problem.names().map(|(n, k)| (n.to_owned(), k)).collect();
    for (name, places) in problem.networks() {
        let some = places.clone().step_by(places.len().div_ceil(10));
        names.extend(some.map(|k| (format!("weight {} of {name}", k - places.start), k)));
    }
    let mut rows = Vec::new();
    for (name, k) in names {
        let step = 3e-4 * x[k].abs().max(0.1);
        let mut at = |by: f64| {
            let mut x = x.clone();
            x[k] += by;
            problem.soft_value(Part::Training, &x, t)
        };
        let difference =
            (8.0 * (at(step)? - at(-step)?) - (at(2.0 * step)? - at(-2.0 * step)?)) / (12.0 * step);
        rows.push((name, found.gradient[k], difference));
    }
    Ok(Gradients {
        rows,
        seconds: [forward, both],
        events: problem.events(Part::Training),
    })
}
