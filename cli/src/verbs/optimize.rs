//! `pullback optimize`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::optimize::{Options, Outcome as Found, Problem, State};
use pullback_analysis::run::{Results, RunOptions};

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
    /// What came of it.
    pub outcome: Found,
    /// The analysis as it was.
    pub before: Results,
    /// The analysis at the optimum.
    pub after: Results,
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
        (Some(path), true) => Some(read_state(path)?),
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
        complaint::print_warnings(&found.outcome.warnings);
        let width = text::terminal_width();
        output::print(&text::optimize(&found, &written, width))?;
    }
    Ok(Outcome::Good)
}

/// Reads events, trains, and runs the analysis before and after.
pub fn work(
    file: &AnalysisFile,
    options: &Options,
    checkpoint: Option<&Path>,
    saved: Option<State>,
) -> Result<Optimized, Failure> {
    let began = Instant::now();
    let stopped = |during: &str| Failure::Interrupted {
        during: during.to_owned(),
    };
    interrupt::watched(|| {
        let mut bar = Bar::unknown("reading events");
        let mut done = 0;
        let opened = Problem::open(file, options, &mut |_, more| {
            done += more;
            bar.set(done);
            !interrupt::requested()
        })?;
        drop(bar);
        let mut problem = opened.ok_or_else(|| stopped(" while reading events"))?;
        let mut state = match saved {
            Some(state) => state,
            None => problem.begin()?,
        };
        let mut steps: Option<Steps> = None;
        let mut last = Instant::now();
        let mut failed = None;
        problem.train(&mut state, &mut |at| {
            let steps = steps.get_or_insert_with(|| Steps::start(at.steps as u64));
            let soft = at.state.history.last().map_or(f64::NAN, |r| r.soft);
            if at.pretraining {
                return !interrupt::requested();
            }
            steps.set(at.done as u64, soft, at.best);
            if let Some(path) = checkpoint
                && last.elapsed() >= CHECKPOINT
            {
                last = Instant::now();
                failed = save(path, at.state).err();
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
            save(path, &open)?;
        }
        let outcome = problem.finish(&state, began)?;
        let run = |file: &AnalysisFile| -> Result<Results, Failure> {
            let options = RunOptions {
                threads: options.threads,
                data: options.data,
                n_minus_one: true,
            };
            let found = file.run(&options, &mut |_| true)?;
            found.ok_or_else(|| stopped(" while reading events"))
        };
        Ok(Optimized {
            before: run(&file.at(&outcome.start)?)?,
            after: run(&file.at(&outcome.values)?)?,
            outcome,
        })
    })
}

fn save(path: &Path, state: &State) -> Result<(), Failure> {
    let text = serde_json::to_string(state).unwrap_or_default();
    output::write_file(path, &text)
}

fn read_state(path: &Path) -> Result<State, Failure> {
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
        let text = match product {
            Product::Optimum => json::optimum(&found.outcome),
            Product::Outcome => json::optimize(found),
            Product::Run(product) => product.text(&found.after),
        };
        (path, text)
    });
    super::run::write_all(&contents.collect::<Vec<_>>())
}
