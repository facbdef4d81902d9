//! `pullback demo`.

use std::fmt::Write;
use std::path::Path;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::optimize::Options;
use pullback_sim::Process;

use crate::app::Outcome;
use crate::args::{CodecArg, DemoArgs, GenerateArgs};
use crate::failure::Failure;
use crate::{complaint, json, output, report, text};

/// The analysis of the demo: a search for a Z' that decays to top pairs, with a network, six thresholds and bins that are free.
const ANALYSIS: &str = include_str!("demo.toml");

/// The samples: names of files, processes, numbers of events.
const SAMPLES: [(&str, Process, f64); 4] = [
    (
        "zprime",
        Process::ZPrimeToTT {
            mass: 1000.0,
            width: 30.0,
        },
        60e3,
    ),
    ("tt", Process::TTbar, 200e3),
    ("wjets", Process::WJets, 200e3),
    ("zjets", Process::ZToLL, 60e3),
];

/// Generates events, writes the analysis file beside them, and optimises it.
pub fn demo(args: &DemoArgs) -> Result<Outcome, Failure> {
    output::check_folder(Some(&args.report))?;
    let folder = &args.output;
    if folder.exists() && !args.force {
        return Err(Failure::Exists {
            path: folder.display().to_string(),
        });
    }
    std::fs::create_dir_all(folder).map_err(|e| Failure::Write {
        path: folder.display().to_string(),
        message: e.to_string(),
    })?;
    let path = folder.join("analysis.toml");
    output::write_file(&path, ANALYSIS)?;
    for (name, process, events) in SAMPLES {
        sample(folder, name, process, events * args.size)?;
    }
    let file = AnalysisFile::open(&path)?;
    let found = super::optimize::work(&file, &Options::default(), None, None)?;
    let out = folder.join("out");
    let wanted = super::optimize::files(&out);
    super::run::check_folder(&out, &wanted, true)?;
    super::optimize::write(wanted, &found)?;
    output::write_file(&args.report, &report::optimize(&found))?;
    if args.json {
        output::print(&json::optimize(&found))?;
        return Ok(Outcome::Good);
    }
    complaint::print_warnings(&found.warnings());
    let mut text = text::optimize(&found, &[], text::terminal_width());
    let shown = std::path::absolute(&args.report).unwrap_or_else(|_| args.report.clone());
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\nReport: {}\nEvents, analysis and results: {}\nAgain, with other cuts or systematics: pullback optimize {}\n",
        shown.display(),
        folder.display(),
        path.display(),
    );
    output::print(&text)?;
    Ok(Outcome::Good)
}

fn sample(folder: &Path, name: &str, process: Process, events: f64) -> Result<(), Failure> {
    super::generate::write(&GenerateArgs {
        process: process.to_string(),
        events: events as u64,
        output: folder.join(format!("{name}.parquet")),
        seed: 1,
        first: 0,
        truth: false,
        row_group: 50_000,
        compression: CodecArg::Zstd,
        json: false,
    })?;
    Ok(())
}
