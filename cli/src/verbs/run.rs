//! `pullback run`.

use std::path::{Path, PathBuf};

use pullback_analysis::file::{AnalysisFile, Folds};
use pullback_analysis::run::{Results, RunOptions, Values};
use serde::Deserialize;

use super::pictures::Targets;
use crate::app::Outcome;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::progress::Bar;
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
    let wanted = args
        .output
        .as_deref()
        .map(|folder| files(folder, file.fit.is_some()));
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
    let Some(results) = results else {
        let during = " while reading events".to_owned();
        return Err(Failure::Interrupted { during });
    };
    let mut written = targets.write(
        || report::run(&results),
        || report::pictures_of_run(&results),
    )?;
    if let Some(wanted) = wanted {
        let contents = wanted.into_iter().map(|(p, path)| (path, p.text(&results)));
        written.extend(write_all(&contents.collect::<Vec<_>>())?);
    }
    if args.json {
        output::print(&json::run(&results))?;
    } else {
        complaint::print_warnings(&results.warnings);
        let width = text::terminal_width();
        output::print(&text::run(&results, &written, width))?;
    }
    Ok(Outcome::Good)
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Summary,
    Uhi,
    Csv,
    Workspace,
}

/// The files of a run in a folder.
pub(super) fn files(folder: &Path, fits: bool) -> Vec<(Product, PathBuf)> {
    let mut all = vec![
        (Product::Summary, folder.join("summary.json")),
        (Product::Uhi, folder.join("histograms.json")),
        (Product::Csv, folder.join("histograms.csv")),
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
    pub(super) fn text(self, results: &Results) -> String {
        match self {
            Self::Summary => json::run(results),
            Self::Uhi => json::write(&results.uhi()),
            Self::Csv => results.csv(),
            Self::Workspace => json::write(&results.workspace().unwrap_or_default()),
        }
    }
}

/// Writes files that were all made before; gives their names.
pub(super) fn write_all(contents: &[(PathBuf, String)]) -> Result<Vec<String>, Failure> {
    for (path, text) in contents {
        output::write_file(path, text)?;
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
