//! `pullback run`.

use std::path::{Path, PathBuf};

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::run::{Results, RunOptions};

use crate::app::Outcome;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{complaint, interrupt, json, output, text};

/// Runs an analysis: reads events, fills histograms, writes them and the workspace.
pub fn run(args: &RunArgs) -> Result<Outcome, Failure> {
    let mut file = AnalysisFile::open(&args.file)?;
    file.blind &= !args.unblind;
    let wanted = args.output.as_deref().map(|folder| files(folder, &file));
    if let (Some(folder), Some(wanted)) = (args.output.as_deref(), &wanted) {
        check_folder(folder, wanted, args.force)?;
    }
    let mut options = RunOptions::default();
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
    let mut written = Vec::new();
    if let Some(wanted) = wanted {
        written = write(wanted, &results)?;
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
enum Product {
    Summary,
    Uhi,
    Csv,
    Workspace,
}

/// The files of a run in a folder.
fn files(folder: &Path, file: &AnalysisFile) -> Vec<(Product, PathBuf)> {
    let mut all = vec![
        (Product::Summary, folder.join("summary.json")),
        (Product::Uhi, folder.join("histograms.json")),
        (Product::Csv, folder.join("histograms.csv")),
    ];
    if file.fit.is_some() {
        all.push((Product::Workspace, folder.join("workspace.json")));
    }
    all
}

/// Fails before the work where something would be overwritten, or the folder cannot be made.
fn check_folder(folder: &Path, wanted: &[(Product, PathBuf)], force: bool) -> Result<(), Failure> {
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

fn write(wanted: Vec<(Product, PathBuf)>, results: &Results) -> Result<Vec<String>, Failure> {
    // Everything is made before anything is written.
    let contents: Vec<(PathBuf, String)> = wanted
        .into_iter()
        .map(|(product, path)| {
            let text = match product {
                Product::Summary => json::run(results),
                Product::Uhi => json::write(&results.uhi()),
                Product::Csv => results.csv(),
                Product::Workspace => json::write(&results.workspace().unwrap_or_default()),
            };
            (path, text)
        })
        .collect();
    for (path, text) in &contents {
        output::write_file(path, text)?;
    }
    let names = contents.iter().map(|(path, _)| path.display().to_string());
    Ok(names.collect())
}
