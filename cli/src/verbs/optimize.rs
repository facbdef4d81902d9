//! `pullback optimize`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pullback_analysis::file::{AnalysisFile, Folds};
use pullback_analysis::optimize::{HeldOut, Options, Outcome as Found, Problem, Quote, State};
use pullback_analysis::run::{Results, RunOptions};
use pullback_stats::fit::{AsimovNuisances, ChannelYields, FitOptions, fit};
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Model, spec};

use super::pictures::Targets;
use crate::app::Outcome;
use crate::args::OptimizeArgs;
use crate::failure::Failure;
use crate::progress::{Bar, Steps};
use crate::{complaint, interrupt, json, output, report, text};

/// How often the state goes to disk, at most.
const CHECKPOINT: Duration = Duration::from_secs(10);

/// An optimisation, and the analysis before and after it on all events.
#[derive(Debug)]
pub struct Optimized {
    /// What came of it; of the first fold, where there are folds.
    pub outcome: Found,
    /// The folds.
    pub folds: Option<InFolds>,
    /// The analysis as it was.
    pub before: Results,
    /// The analysis at the optimum.
    pub after: Results,
    /// Its yields with their errors before and after a fit to nominal Asimov data at a signal strength of 1; none where that cannot be fitted.
    pub yields: Vec<ChannelYields>,
}

/// What came of an optimisation in folds.
#[derive(Debug, Clone)]
pub struct InFolds {
    /// What came of the others than the first.
    pub others: Vec<Found>,
    /// The exact objective of all events before and after, each event having the values that were learned without it.
    pub quotes: [Quote; 2],
    /// The values of each.
    pub found: Folds,
}

impl Optimized {
    /// What is to be believed: the exact objective of events that were not learned from, before and after.
    pub fn quotes(&self) -> [&Quote; 2] {
        match &self.folds {
            Some(folds) => folds.quotes.each_ref(),
            None => [&self.outcome.before[2], &self.outcome.after[2]],
        }
    }

    /// By how much it improved, as a part of what it was; positive is good.
    pub fn gain(&self) -> f64 {
        let [before, after] = self.quotes();
        self.outcome.gain_of(before.value, after.value)
    }

    /// All outcomes.
    pub fn outcomes(&self) -> impl Iterator<Item = &Found> {
        std::iter::once(&self.outcome).chain(self.folds.iter().flat_map(|f| &f.others))
    }

    /// Warnings of all, each once.
    pub fn warnings(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for (k, outcome) in self.outcomes().enumerate() {
            for warning in &outcome.warnings {
                all.push(match self.folds {
                    Some(_) => format!("fold {}: {warning}", k + 1),
                    None => warning.clone(),
                });
            }
        }
        let violated = self.folds.iter().flat_map(|f| &f.quotes[1].violated);
        all.extend(violated.map(|v| format!("of all events {v}")));
        all
    }
}

/// Optimises an analysis: what may move is chosen for the objective, by its gradient.
pub fn optimize(args: &OptimizeArgs) -> Result<Outcome, Failure> {
    let file = AnalysisFile::open(&args.file)?;
    let wanted = args.output.as_deref().map(files);
    if let Some(wanted) = &wanted {
        let folder = args.output.as_deref().unwrap_or(Path::new(""));
        super::run::check_folder(folder, wanted, args.pictures.force || args.resume)?;
    }
    let targets = Targets {
        report: args.pictures.report.as_deref(),
        plots: args.pictures.plots.as_deref(),
        force: args.pictures.force || args.resume,
    };
    targets.check()?;
    let checkpoint = args.output.as_deref().map(|f| f.join("checkpoint.json"));
    let mut options = Options::default();
    options.threads = args.threads.map_or(options.threads, usize::from);
    options.memory = (args.memory as usize) << 30;
    let saved = match (&checkpoint, args.resume) {
        (Some(path), true) => Some(read_states(path)?),
        _ => None,
    };
    let found = work(&file, &options, checkpoint.as_deref(), saved)?;
    let mut written = targets.write(
        || report::optimize(&found),
        || report::pictures_of_optimisation(&found),
    )?;
    if let Some(wanted) = wanted {
        written.extend(write(wanted, &found)?);
        if let Some(path) = &checkpoint {
            // What was put down is done.
            let _ = std::fs::remove_file(path);
        }
    }
    if args.json {
        output::print(&json::optimize(&found))?;
    } else {
        complaint::print_warnings(&found.warnings());
        let width = text::terminal_width();
        output::print(&text::optimize(&found, &written, width))?;
    }
    Ok(Outcome::Good)
}

/// Reads events, trains, and runs the analysis before and after. `saved` are the states of the folds that were begun; one, without folds.
pub fn work(
    file: &AnalysisFile,
    options: &Options,
    checkpoint: Option<&Path>,
    saved: Option<Vec<State>>,
) -> Result<Optimized, Failure> {
    interrupt::watched(|| {
        let folds = file.optimisation.as_ref().and_then(|o| o.folds);
        let mut states = saved.unwrap_or_default();
        let mut outcomes = Vec::new();
        let mut held_out = HeldOut::default();
        let mut found = None;
        for fold in 0..folds.unwrap_or(1) {
            let mut options = options.clone();
            options.fold = fold;
            let began = Instant::now();
            let mut problem = read_events(file, &options)?;
            train(&mut problem, fold, &mut states, checkpoint)?;
            if let (Some(folds), true) = (folds, interrupt::requested()) {
                let fold = fold + 1;
                let during = format!(" in fold {fold} of {folds}: `--resume` goes on, with -o");
                return Err(Failure::Interrupted { during });
            }
            outcomes.push(problem.finish(&states[fold], began)?);
            if let Some(folds) = folds {
                held_out.join(&problem.held_out(&states[fold])?);
                if fold + 1 == folds {
                    let values = outcomes.iter().map(|o: &Found| o.values.clone()).collect();
                    found = Some((problem.quote_folds(&held_out)?, problem.folds(values)));
                }
            }
        }
        let others = outcomes.split_off(1);
        let outcome = outcomes.remove(0);
        let folds = found.map(|(quotes, found)| InFolds {
            others,
            quotes,
            found,
        });
        let run = |file: &AnalysisFile| -> Result<Results, Failure> {
            let options = RunOptions {
                threads: options.threads,
                data: options.data,
                n_minus_one: true,
            };
            let mut bar: Option<Bar> = None;
            let found = file.run(&options, &mut |at| {
                bar.get_or_insert_with(|| Bar::start(at.events))
                    .set(at.done);
                true
            })?;
            found.ok_or_else(|| stopped(" while reading events"))
        };
        let after = match &folds {
            Some(folds) => file.at_folds(&folds.found)?,
            None => file.at(&outcome.values)?,
        };
        let after = run(&after)?;
        Ok(Optimized {
            before: run(&file.at(&outcome.start)?)?,
            yields: expected_yields(&after).unwrap_or_default(),
            after,
            outcome,
            folds,
        })
    })
}

/// The yields of the channels before and after a fit to what is expected.
fn expected_yields(results: &Results) -> Result<Vec<ChannelYields>, pullback_stats::Error> {
    let json = results.workspace().unwrap_or_default();
    let (workspace, _) = Workspace::from_value(&json, &Limits::default())?;
    let mut model = Model::new(spec::resolve(&workspace, &spec::Options::default())?)?;
    let mut options = FitOptions::default();
    let data = model.asimov(Some(1.0), AsimovNuisances::Nominal, &mut options)?;
    Ok(fit(&mut model, &data, &mut options)?.yields)
}

fn stopped(during: &str) -> Failure {
    Failure::Interrupted {
        during: during.to_owned(),
    }
}

fn read_events<'a>(file: &'a AnalysisFile, options: &Options) -> Result<Problem<'a>, Failure> {
    let mut bar = Bar::unknown("reading events");
    let mut done = 0;
    let opened = Problem::open(file, options, &mut |_, more| {
        done += more;
        bar.set(done);
        !interrupt::requested()
    })?;
    opened.ok_or_else(|| stopped(" while reading events"))
}

/// Trains a fold from its state on, and puts states down now and then.
fn train(
    problem: &mut Problem<'_>,
    fold: usize,
    states: &mut Vec<State>,
    checkpoint: Option<&Path>,
) -> Result<(), Failure> {
    if states.len() == fold {
        states.push(problem.begin()?);
    }
    let Some((state, before)) = states[..=fold].split_last_mut() else {
        return Ok(());
    };
    let mut entropy: Option<Bar> = None;
    let mut steps: Option<Steps> = None;
    let mut last = Instant::now();
    let mut failed = None;
    let keep = |path: &Path, state: &State| {
        let all: Vec<&State> = before.iter().chain([state]).collect();
        output::write_file(path, serde_json::to_string(&all).unwrap_or_default())
    };
    problem.train(state, &mut |at| {
        if at.pretraining {
            steps = None;
            entropy
                .get_or_insert_with(|| Bar::unknown("steps on the cross-entropy"))
                .set(at.done as u64);
            return !interrupt::requested();
        }
        entropy = None;
        let steps = steps.get_or_insert_with(|| Steps::start(at.steps as u64));
        let soft = at.state.history.last().map_or(f64::NAN, |r| r.soft);
        steps.set(at.done as u64, soft, at.best);
        if let Some(path) = checkpoint
            && last.elapsed() >= CHECKPOINT
        {
            last = Instant::now();
            failed = keep(path, at.state).err();
        }
        failed.is_none() && !interrupt::requested()
    })?;
    drop(steps);
    if let Some(error) = failed {
        return Err(error);
    }
    if let (Some(path), true) = (checkpoint, interrupt::requested()) {
        let mut open = state.clone();
        open.ended = None;
        keep(path, &open)?;
    }
    Ok(())
}

fn read_states(path: &Path) -> Result<Vec<State>, Failure> {
    let failed = |message: String| Failure::Open {
        path: path.display().to_string(),
        message,
    };
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Optimum,
    Outcome,
    Run(super::run::Product),
}

pub(super) fn files(folder: &Path) -> Vec<(Product, PathBuf)> {
    let mut all = vec![
        (Product::Optimum, folder.join("optimum.json")),
        (Product::Outcome, folder.join("outcome.json")),
    ];
    let run = super::run::files(folder, true);
    all.extend(run.into_iter().map(|(p, path)| (Product::Run(p), path)));
    all
}

pub(super) fn write(
    wanted: Vec<(Product, PathBuf)>,
    found: &Optimized,
) -> Result<Vec<String>, Failure> {
    let contents = wanted.into_iter().map(|(product, path)| {
        let bytes = match product {
            Product::Optimum => json::optimum(found).into_bytes(),
            Product::Outcome => json::optimize(found).into_bytes(),
            Product::Run(product) => product.bytes(&found.after)?,
        };
        Ok((path, bytes))
    });
    super::run::write_all(&contents.collect::<Result<Vec<_>, Failure>>()?)
}
