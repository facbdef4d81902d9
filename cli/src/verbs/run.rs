//! `pullback run`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pullback_analysis::exact::Exact;
use pullback_analysis::file::{AnalysisFile, Folds};
use pullback_analysis::run::{Results, RunOptions, Values};
use pullback_stats::fit::{FitOptions, FitResult};
use serde::Deserialize;

use super::pictures::Targets;
use crate::app::Outcome;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::text::About;
use crate::{complaint, interrupt, json, output, report, text};

/// Runs an analysis: reads events, fills histograms, writes them and the workspace.
pub fn run(args: &RunArgs) -> Result<Outcome, Failure> {
    let mut file = AnalysisFile::open(&args.file)?;
    file.blind &= !args.unblind;
    if let Some(path) = &args.at {
        file = match read_found(path)? {
            Optimum::Folds { folds } => file.at_folds(&folds)?,
            Optimum::Values(values) => file.at(&values)?,
        };
    }
    let wanted = args.output.as_deref().map(|folder| {
        let all = files(folder, file.fit.is_some()).into_iter();
        let all = all.map(|(product, path)| (Some(product), path));
        let fit = is_fitted(&file).then(|| (None, folder.join("fit.json")));
        all.chain(fit).collect::<Vec<_>>()
    });
    if let (Some(folder), Some(wanted)) = (args.output.as_deref(), &wanted) {
        check_folder(folder, wanted, args.pictures.force)?;
    }
    let targets = Targets {
        report: args.pictures.report.as_deref(),
        plots: args.pictures.plots.as_deref(),
        force: args.pictures.force,
    };
    targets.check()?;
    let mut options = RunOptions {
        n_minus_one: targets.any(),
        ..RunOptions::default()
    };
    options.threads = args.threads.map_or(options.threads, usize::from);
    let mut bar: Option<Bar> = None;
    let results = interrupt::watched(|| {
        file.run(&options, &mut |at| {
            bar.get_or_insert_with(|| Bar::start(at.events))
                .set(at.done);
            !interrupt::requested()
        })
    })?;
    drop(bar);
    let stopped = || {
        let during = " while reading events".to_owned();
        Failure::Interrupted { during }
    };
    let results = results.ok_or_else(stopped)?;
    let fit = if is_fitted(&results.file) {
        Some(fit(&results, &options)?.ok_or_else(stopped)?)
    } else {
        None
    };
    let mut written = targets.write(
        || report::run(&results),
        || report::pictures_of_run(&results),
    )?;
    if let Some(wanted) = wanted {
        let contents = wanted.into_iter().filter_map(|(product, path)| {
            let bytes = match product {
                Some(product) => product.bytes(&results),
                None => Ok(json::fit(fit.as_ref()?, &fit.as_ref()?.warnings).into_bytes()),
            };
            Some(bytes.map(|bytes| (path, bytes)))
        });
        written.extend(write_all(&contents.collect::<Result<Vec<_>, _>>()?)?);
    }
    if args.json {
        output::print(&json::run(&results, fit.as_ref()))?;
    } else {
        complaint::print_warnings(&results.warnings);
        let width = text::terminal_width();
        let mut text = text::run(&results, &written, width);
        if let Some(fit) = &fit {
            complaint::print_warnings(&fit.warnings);
            text.push_str(
                "\nFit with event weights evaluated for each value of exact systematics\n",
            );
            text.push_str(&text::fit(fit, about(&results), false, width));
        }
        output::print(&text)?;
    }
    Ok(match fit {
        Some(fit) if !fit.converged => Outcome::Negative,
        _ => Outcome::Good,
    })
}

/// Whether the events themselves are fitted: workspaces cannot say what exact systematics are.
fn is_fitted(file: &AnalysisFile) -> bool {
    file.fit.is_some() && file.has_exact()
}

/// The fit with event weights that are evaluated; nothing if it was stopped.
fn fit(results: &Results, options: &RunOptions) -> Result<Option<FitResult>, Failure> {
    let mut bar: Option<Bar> = None;
    let fitted = interrupt::watched(|| {
        let exact = Exact::open(results, options, &mut |at| {
            bar.get_or_insert_with(|| Bar::start(at.events))
                .set(at.done);
            !interrupt::requested()
        })?;
        let mut options = FitOptions {
            hook: Some(Box::new(|_| {
                if interrupt::requested() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })),
            ..FitOptions::default()
        };
        exact.map(|mut e| e.fit(&mut options)).transpose()
    })?;
    Ok(fitted.filter(|_| !interrupt::requested()))
}

/// What is fitted.
fn about(results: &Results) -> About<'_> {
    let mut channels = results.file.fit.iter().flat_map(|fit| &fit.channels);
    let blind = channels.any(|(region, plot)| {
        let filled = results.histogram(*plot, *region);
        filled.is_some_and(|f| f.observed.is_none())
    });
    About {
        title: &results.file.title,
        left_out: &[],
        data: blind
            .then_some("observed events where regions are not blind, expected ones elsewhere"),
    }
}

/// The name of the ROOT file, which stands in it, too.
const HISTOGRAMS: &str = "histograms.root";

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Summary,
    Uhi,
    Csv,
    Root,
    Workspace,
}

/// The files of a run in a folder.
pub(super) fn files(folder: &Path, fits: bool) -> Vec<(Product, PathBuf)> {
    let mut all = vec![
        (Product::Summary, folder.join("summary.json")),
        (Product::Uhi, folder.join("histograms.json")),
        (Product::Csv, folder.join("histograms.csv")),
        (Product::Root, folder.join(HISTOGRAMS)),
    ];
    if fits {
        all.push((Product::Workspace, folder.join("workspace.json")));
    }
    all
}

/// Fails before the work where something would be overwritten, or the folder cannot be made.
pub(super) fn check_folder<T>(
    folder: &Path,
    wanted: &[(T, PathBuf)],
    force: bool,
) -> Result<(), Failure> {
    let there = wanted.iter().find(|(_, path)| path.exists());
    match there {
        Some((_, path)) if !force => Err(Failure::Exists {
            path: path.display().to_string(),
        }),
        _ => std::fs::create_dir_all(folder).map_err(|e| Failure::Write {
            path: folder.display().to_string(),
            message: e.to_string(),
        }),
    }
}

impl Product {
    pub(super) fn bytes(self, results: &Results) -> Result<Vec<u8>, Failure> {
        let text = match self {
            Self::Root => return Ok(results.root(HISTOGRAMS)?),
            Self::Summary => json::run(results, None),
            Self::Uhi => json::write(&results.uhi()),
            Self::Csv => results.csv(),
            Self::Workspace => json::write(&results.workspace().unwrap_or_default()),
        };
        Ok(text.into_bytes())
    }
}

/// Writes files that were all made before; gives their names.
pub(super) fn write_all(contents: &[(PathBuf, Vec<u8>)]) -> Result<Vec<String>, Failure> {
    for (path, bytes) in contents {
        output::write_file(path, bytes)?;
    }
    let names = contents.iter().map(|(path, _)| path.display().to_string());
    Ok(names.collect())
}

/// What an optimisation found.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Optimum {
    Folds { folds: Folds },
    Values(Values),
}

fn read_found(path: &Path) -> Result<Optimum, Failure> {
    let failed = |message: String| Failure::Open {
        path: path.display().to_string(),
        message,
    };
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
}
