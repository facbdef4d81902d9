//! The way from the start to the best step.

use std::time::Instant;

use pullback_optim::training::{Best, EarlyStopping, Schedule, Step, Verdict};
use serde::{Deserialize, Serialize};

use super::driver::{Driver, PHASES};
use super::problem::{Problem, SoftValue};
use super::split::{Part, Split};
use crate::error::{Error, Result};

/// What is remembered of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which start it belongs to.
    pub start: usize,
    /// The step.
    pub step: usize,
    /// Widths relative to spreads.
    pub temperature: f64,
    /// The soft objective on training events; NaN where its model could not be fitted.
    #[serde(deserialize_with = "null_is_nan")]
    pub soft: f64,
    /// What the constraints add to its logarithm.
    #[serde(deserialize_with = "null_is_nan")]
    pub penalty: f64,
    /// The exact objective on validation events, where it was looked at and is defined, and what the constraints add.
    pub validation: Option<[f64; 2]>,
}

/// JSON has no NaN.
fn null_is_nan<'de, D: serde::Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(d)?.unwrap_or(f64::NAN))
}

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// After all steps.
    Steps,
    /// Validations did not improve any more.
    Patience,
    /// It was told to.
    Stopped,
}

/// A training that can be put down and taken up again: a plain value, to the bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What it is of: names, starts and settings.
    pub of: String,
    /// The start at hand.
    pub start: usize,
    /// Whether its networks were trained on the cross-entropy.
    pretrained: bool,
    /// The quantities at the first step of all.
    pub first: Option<Vec<f64>>,
    driver: Driver,
    stopping: EarlyStopping,
    /// The best step of earlier starts.
    best: Option<Best>,
    /// All steps.
    pub history: Vec<Record>,
    /// Why it ended, if it did.
    pub ended: Option<Ended>,
}

/// How far a training is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The state, to be saved.
    pub state: &'a State,
    /// Whether networks are trained on the cross-entropy; steps are those of that.
    pub pretraining: bool,
    /// Steps done, of all starts.
    pub done: usize,
    /// Most steps.
    pub steps: usize,
    /// The exact objective on validation events of the best step so far.
    pub best: Option<f64>,
}

impl State {
    /// The best step by the exact objective on validation events: the quantities.
    pub fn best(&self) -> Option<&Best> {
        let now = self.stopping.best();
        match (&self.best, now) {
            (Some(a), Some(b)) if b.value < a.value => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        }
    }
}

/// Nothing where a model cannot be fitted; what else goes wrong is an error.
pub(super) fn defined<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(Error::Model(_) | Error::Optimisation { .. }) => Ok(None),
        found => found.map(Some),
    }
}

impl Problem<'_> {
    /// What a state has to be of: another file, other settings or other events are another training.
    fn identity(&self) -> String {
        let entries: Vec<_> = self
            .sets
            .iter()
            .map(|s| (&s.input.name, s.variant, s.entries))
            .collect();
        let inputs = (
            (self.file.luminosity, &self.file.campaigns),
            &self.file.definitions,
            &self.file.datasets,
            &self.file.systematics,
            &self.file.regions,
            &self.file.histograms,
            (self.file.seed, &self.file.draws),
        );
        let text = format!(
            "{:?} {entries:?} {inputs:?} {:?} {}",
            self.optimisation, self.file.fit, self.fold
        );
        pullback_stats::workspace::sha256_hex(&serde_json::Value::String(text))
    }

    /// The state before the first step.
    ///
    /// # Errors
    /// A start that is not inside its range.
    pub fn begin(&self) -> Result<State> {
        Ok(State {
            of: self.identity(),
            start: 0,
            pretrained: false,
            first: None,
            driver: self.driver(&self.quantities.start_of(self.file, 0)?)?,
            stopping: EarlyStopping::new(self.optimisation.patience, 0.0),
            best: None,
            history: Vec::new(),
            ended: None,
        })
    }

    fn driver(&self, x: &[f64]) -> Result<Driver> {
        let u = self.quantities.coordinates(x)?;
        Ok(Driver::new(u, self.optimisation))
    }

    /// Goes on from a state to the end, or until `progress` says stop.
    ///
    /// # Errors
    /// A state of another training; an objective that is not defined at the start.
    pub fn train(
        &mut self,
        state: &mut State,
        progress: &mut dyn FnMut(Progress<'_>) -> bool,
    ) -> Result<()> {
        if state.of != self.identity() {
            return Err(Error::Optimisation {
                message: "the saved state is of another optimisation".into(),
                help: "the file, its settings or its events have changed: begin anew".into(),
            });
        }
        let o = self.optimisation;
        let widths = Schedule::Geometric {
            from: o.widths[0],
            to: o.widths[1],
            steps: o.steps,
        };
        while state.ended.is_none() {
            if !state.pretrained {
                let mut x = self.quantities.at(state.driver.point());
                let pretrain = o.pretrain;
                let best = None;
                let mut tell = |done| {
                    progress(Progress {
                        state,
                        pretraining: true,
                        done,
                        steps: pretrain,
                        best,
                    })
                };
                if !self.pretrain(&mut x, &mut tell)? {
                    state.ended = Some(Ended::Stopped);
                    break;
                }
                state.driver = self.driver(&x)?;
                state.first.get_or_insert(x);
                state.pretrained = true;
            }
            let step = state
                .history
                .iter()
                .filter(|r| r.start == state.start)
                .count();
            let last = step >= o.steps;
            let u = state.driver.point().to_vec();
            let x = self.quantities.at(&u);
            let mut validation = None;
            if step.is_multiple_of(o.every) || last {
                let found = self.hard(Part::Validation, &x);
                let found = found.map(|(e, _)| (e.value, e.penalty, e.small));
                let (value, penalty, small) =
                    defined(found)?.unwrap_or((f64::NAN, f64::NAN, f64::NAN));
                validation = value.is_finite().then_some([value, penalty]);
                if state.stopping.observe(step, small, &x) == Verdict::Stop || last {
                    let ended = if last { Ended::Steps } else { Ended::Patience };
                    self.next_start(state, ended)?;
                    if last && let Some(r) = state.history.last_mut() {
                        r.validation = validation;
                    }
                    continue;
                }
            }
            let temperature = widths.at(state.driver.width_step(step, o.steps));
            // So that a training that was taken up again has the same bits.
            self.forget();
            let batch = Split::batch(o, step);
            let found = match self.soft_of(batch, &x, temperature) {
                Err(error) if step == 0 => return Err(error),
                // A step too far.
                found => defined(found)?.unwrap_or_else(|| SoftValue::nothing(x.len())),
            };
            let by_u = self.quantities.pull_back(&u, &found.gradient)?;
            let taken = state.driver.step(found.small, &by_u)?;
            state.history.push(Record {
                start: state.start,
                step,
                temperature,
                soft: found.value,
                penalty: found.penalty,
                validation,
            });
            let phase_over = (step + 1).is_multiple_of(o.steps.div_ceil(PHASES));
            if (taken == Step::Settled || phase_over) && !state.driver.next_phase() {
                self.next_start(state, Ended::Steps)?;
            }
            let best = state.best().map(|b| b.value);
            let go_on = progress(Progress {
                pretraining: false,
                done: state.start * o.steps + step + 1,
                steps: o.starts * o.steps,
                best: best.map(|small| self.objective.of_small(small)),
                state,
            });
            if !go_on {
                state.ended.get_or_insert(Ended::Stopped);
            }
        }
        Ok(())
    }

    /// The next start, or the end.
    fn next_start(&self, state: &mut State, ended: Ended) -> Result<()> {
        if state.start + 1 >= self.optimisation.starts {
            state.ended = Some(ended);
            return Ok(());
        }
        state.best = state.best().cloned();
        state.start += 1;
        let x = self.quantities.start_of(self.file, state.start)?;
        state.driver = self.driver(&x)?;
        state.pretrained = false;
        state.stopping = EarlyStopping::new(self.optimisation.patience, 0.0);
        Ok(())
    }

    /// Where a training began and its best step.
    pub(super) fn ends(&self, state: &State) -> (Vec<f64>, Vec<f64>) {
        let start = state.first.clone();
        let start = start.unwrap_or_else(|| self.start().to_vec());
        let best = state.best().map_or_else(|| start.clone(), |b| b.x.clone());
        (start, best)
    }

    /// What came of a training: the exact objective before and after on all parts, and what it owes to what.
    ///
    /// # Errors
    /// As [`Self::train`]; a start at which the exact objective is not defined on test events.
    pub fn finish(&mut self, state: &State, began: Instant) -> Result<super::Outcome> {
        super::outcome::outcome(self, state, began)
    }
}
