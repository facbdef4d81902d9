//! What comes out of an optimisation.

use std::time::Instant;

use serde::Serialize;

use super::problem::Problem;
use super::quote::{Impact, Quote};
use super::split::Part;
use super::training::{Ended, Record, State};
use crate::error::Result;
use crate::run::Values;

/// A free quantity before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// Where it could go.
    pub range: [f64; 2],
    /// Its start.
    pub before: f64,
    /// Its best value.
    pub after: f64,
    /// The derivative of the soft objective by it on training events, at the start and at the end.
    pub slopes: [f64; 2],
}

/// What comes out of an optimisation.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What the objective is, in words.
    pub objective: &'static str,
    /// Whether a small one is good.
    pub small_is_good: bool,
    /// The free quantities.
    pub quantities: Vec<Moved>,
    /// Networks: name, number of weights, and how far the weights went, relative to their size.
    pub networks: Vec<(String, usize, f64)>,
    /// The exact objective on training, validation and test events, before: at the starts, networks trained on the cross-entropy.
    pub before: [Quote; 3],
    /// After.
    pub after: [Quote; 3],
    /// The soft objective on training and on test events at the best step, with the widths of that step.
    pub soft: [f64; 2],
    /// These widths, relative to the spreads.
    pub temperature: f64,
    /// What batches did to the objective, where a step saw one of several.
    pub batches: Option<super::Batches>,
    /// The step that was chosen.
    pub best_step: usize,
    /// What the objective owes to systematics, on test events, after.
    pub impacts: Vec<Impact>,
    /// All steps.
    pub history: Vec<Record>,
    /// Why it ended.
    pub ended: Ended,
    /// What to keep in mind.
    pub warnings: Vec<String>,
    /// For each data set: events, and events that can matter, if they are held in memory.
    pub datasets: Vec<(String, u64, Option<usize>)>,
    /// Decisions that were soft.
    pub decisions: usize,
    /// Seconds, from reading on.
    pub seconds: f64,
    /// Values of the inputs at the start.
    pub start: Values,
    /// Values of the inputs that moved.
    pub values: Values,
}

/// What came of a training.
pub(super) fn outcome(problem: &mut Problem<'_>, state: &State, began: Instant) -> Result<Outcome> {
    let (start, best) = problem.ends(state);
    let best_step = state.best().map_or(0, |best| best.step);
    let goal = problem.optimisation.goal;
    let last = state.history.iter().find(|r| r.step == best_step);
    let temperature = last.map_or(problem.optimisation.widths[1], |r| r.temperature);
    let quotes = |problem: &mut Problem<'_>, x: &[f64]| -> Result<[Quote; 3]> {
        Ok([
            problem.quote(Part::Training, x)?,
            problem.quote(Part::Validation, x)?,
            problem.quote(Part::Test, x)?,
        ])
    };
    let before = quotes(problem, &start)?;
    let after = quotes(problem, &best)?;
    let impacts = problem.impacts(Part::Test, &best)?;
    let first = problem.soft(Part::Training, &start, problem.optimisation.widths[0])?;
    let at_best = problem.soft(Part::Training, &best, temperature)?;
    let on_test = problem.soft(Part::Test, &best, temperature)?;
    let batches = problem.batches(&best, temperature)?;
    // Of the objective, from that of its logarithm; where constraints pull, with their part.
    let slope = |v: &super::SoftValue, k: usize| {
        let sign = if goal.is_small() { 1.0 } else { -1.0 };
        sign * v.value * v.gradient[k]
    };
    let quantities = problem.quantities.list.iter();
    let quantities = quantities.map(|q| Moved {
        name: q.name.clone(),
        range: q.range,
        before: start[q.place],
        after: best[q.place],
        slopes: [slope(&first, q.place), slope(&at_best, q.place)],
    });
    let quantities: Vec<Moved> = quantities.collect();
    let networks = problem.quantities.networks.iter().map(|(name, places)| {
        let (a, b) = (&start[places.clone()], &best[places.clone()]);
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
        let way = norm(&mut a.iter().zip(b).map(|(a, b)| b - a));
        (
            name.clone(),
            places.len(),
            way / norm(&mut a.iter().copied()),
        )
    });
    let networks = networks.collect();
    let mut warnings: Vec<String> = batches.iter().map(super::Batches::sentence).collect();
    for q in &quantities {
        if q.slopes[0] == 0.0 {
            warnings.push(format!(
                "nothing moves with `{}` at its start: no event is near it, and its derivative is zero",
                q.name
            ));
        }
    }
    warnings.extend(
        after[2]
            .violated
            .iter()
            .map(|v| format!("on test events {v}")),
    );
    let held = |set: &super::events::Set<'_>| {
        let kept = Part::ALL
            .iter()
            .map(|p| set.kept(*p))
            .sum::<Option<usize>>();
        (problem.name_of(set), set.entries.iter().sum(), kept)
    };
    Ok(Outcome {
        objective: goal.title(),
        small_is_good: goal.is_small(),
        quantities,
        networks,
        before,
        after,
        soft: [at_best.value, on_test.value],
        temperature,
        batches,
        best_step,
        impacts,
        history: state.history.clone(),
        ended: state.ended.unwrap_or(Ended::Stopped),
        warnings,
        datasets: problem.sets.iter().map(held).collect(),
        decisions: problem.decisions(),
        seconds: began.elapsed().as_secs_f64(),
        start: problem.quantities.values(&start),
        values: problem.quantities.values(&best),
    })
}

impl Outcome {
    /// By how much the objective improved on test events, as a part of what it was; positive is good.
    pub fn gain(&self) -> f64 {
        self.gain_of(self.before[2].value, self.after[2].value)
    }

    /// By how much one value of the objective is better than another.
    pub fn gain_of(&self, before: f64, after: f64) -> f64 {
        if self.small_is_good {
            1.0 - after / before
        } else {
            after / before - 1.0
        }
    }

    /// How far the exact objective on test events is from the soft one on training events, as a part of it.
    pub fn distance(&self) -> f64 {
        self.after[2].value / self.soft[0] - 1.0
    }
}
