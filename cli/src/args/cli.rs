//! The verbs and their options. pyhf's names work as aliases.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::model::ModelArgs;
use super::parse::parse_positive;

/// Fits of HistFactory workspaces with exact derivatives.
#[derive(Debug, Parser)]
#[command(
    name = "pullback",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 good, 1 the fit did not converge, 2 wrong usage, 3 bad input, 4 a limit was passed, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at workspaces and change them
    Ws {
        /// What to do with the workspace.
        #[command(subcommand)]
        command: WorkspaceCommand,
    },
    /// Look at files of events and histograms
    Data {
        /// What to do with the file.
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Generate collider events with the columns of NanoAOD, as Parquet
    Generate(GenerateArgs),
    /// The same as `ws inspect` (pyhf's name)
    #[command(hide = true)]
    Inspect(InspectArgs),
    /// Evaluate the likelihood, its gradient and its Hessian at a point
    Eval(EvalArgs),
    /// Fit a workspace: best values, errors, pulls, yields
    Fit(Box<FitArgs>),
    /// Run an analysis file: events in, cutflow, histograms and a workspace out
    Run(RunArgs),
    /// Choose cuts, bin edges and weights of an analysis for its final sensitivity, by one gradient
    Optimize(OptimizeArgs),
    /// Generate events and optimise a search for a Z' with them: from events to a limit in a minute
    Demo(DemoArgs),
}

/// The verbs of `ws`.
#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    /// Show channels, samples, modifiers and parameters, and what has no effect
    Inspect(InspectArgs),
}

/// The verbs of `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Show trees, ntuples and histograms, and the columns with their types and sizes
    Inspect(DataArgs),
}

/// `data inspect`.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// A file: ROOT, Parquet or CSV (`*.csv`)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Show the columns of this tree or ntuple (the default where there is only one)
    #[arg(short, long, value_name = "NAME")]
    pub tree: Option<String>,

    /// Only the columns of these names or patterns (`Muon_*`)
    #[arg(short, long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Vec<String>,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// ZToLL, WJets, TTbar, ZPrimeToTT(MASS, WIDTH), HTo4L, ZZTo4L or JPsiToMuMu
    #[arg(value_name = "PROCESS")]
    pub process: String,

    /// How many events
    #[arg(short = 'n', long, value_name = "N")]
    pub events: u64,

    /// The Parquet file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// The same seed gives the same events, whatever their number and the machine
    #[arg(short, long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,

    /// Id of the first event: files of other ids continue the sample
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub first: u64,

    /// Keep the generator's record (`GenPart_*`)
    #[arg(long)]
    pub truth: bool,

    /// Events in memory at once, and in a row group of the file
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub row_group: u32,

    /// How the file is compressed
    #[arg(long, value_enum, value_name = "CODEC", default_value_t = CodecArg::Zstd)]
    pub compression: CodecArg,

    /// Print a summary as JSON instead of a sentence
    #[arg(long)]
    pub json: bool,
}

/// Compression of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CodecArg {
    /// Zstandard.
    Zstd,
    /// Snappy: faster, larger.
    Snappy,
    /// None.
    None,
}

/// How a result is given.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,

    /// Write the result as JSON to a file (with --json: instead of printing it)
    #[arg(short, long, value_name = "FILE", alias = "output-file")]
    pub output: Option<PathBuf>,

    /// Show long tables whole
    #[arg(long)]
    pub all: bool,
}

/// `ws inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The workspace.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The workspace.
    #[command(flatten)]
    pub model: ModelArgs,

    /// The point, as JSON: a list in pyhf's order, or an object by name; what is not named keeps its initial value
    #[arg(long, value_name = "FILE")]
    pub parameters: Option<PathBuf>,

    /// Also the gradient of twice_nll
    #[arg(long)]
    pub gradient: bool,

    /// Also the Hessian of twice_nll
    #[arg(long)]
    pub hessian: bool,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `fit`.
#[derive(Debug, Args)]
pub struct FitArgs {
    /// The workspace.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Fit Asimov data made at this value of the parameter of interest instead of the observed data
    #[arg(long, value_name = "MU", allow_negative_numbers = true)]
    pub asimov: Option<f64>,

    /// Nuisance parameters of the Asimov data: pre-fit values, or a fit to the observed data (pyhf's choice)
    #[arg(long, value_enum, value_name = "KIND", default_value_t = NuisancesArg::Nominal, requires = "asimov")]
    pub asimov_nuisances: NuisancesArg,

    /// Write a self-contained HTML page with plots
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Also the derivatives of the parameter of interest and of its error by the data and by the signal of each bin
    #[arg(long)]
    pub derivatives: bool,

    /// Stop when the estimated distance to the minimum (edm) is below this
    #[arg(long, value_name = "EDM", value_parser = parse_positive, help_heading = "Fit")]
    pub tolerance: Option<f64>,

    /// Give up after so many iterations
    #[arg(long, value_name = "N", help_heading = "Fit")]
    pub max_iterations: Option<usize>,

    /// The output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is drawn, and whether what is there may go.
#[derive(Debug, Args)]
pub struct PictureArgs {
    /// Write a self-contained HTML page with plots
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write the plots into this folder as SVG and PDF, each with its numbers beside it as CSV
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,

    /// Overwrite what is there
    #[arg(long)]
    pub force: bool,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The analysis file (TOML)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Write histograms (UHI JSON and CSV), a summary and the workspace into this folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Pages and plots.
    #[command(flatten)]
    pub pictures: PictureArgs,

    /// Look at the observed events of signal regions, too
    #[arg(long)]
    pub unblind: bool,

    /// Threads that work on the events (all of the machine)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// Values that an optimisation found (`optimum.json`), in place of the starts in the file
    #[arg(long, value_name = "FILE")]
    pub at: Option<PathBuf>,

    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// `optimize`.
#[derive(Debug, Args)]
pub struct OptimizeArgs {
    /// The analysis file (TOML) with `[optimize]`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Write the optimum, the outcome, and the analysis run there (histograms, workspace) into this folder; checkpoints go there, too
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Pages and plots.
    #[command(flatten)]
    pub pictures: PictureArgs,

    /// Go on from the checkpoint in the output folder
    #[arg(long, requires = "output")]
    pub resume: bool,

    /// Threads that work on the events (all of the machine)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// GiB of events that may be held in memory; what is beyond is read again in each step
    #[arg(long, value_name = "GIB", default_value_t = 4)]
    pub memory: u32,

    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder for events, analysis file and results
    #[arg(short, long, value_name = "DIR", default_value = "pullback-demo")]
    pub output: PathBuf,

    /// Where the report goes
    #[arg(long, value_name = "FILE", default_value = "pullback-demo.html")]
    pub report: PathBuf,

    /// Generated events of each sample, relative to the usual number
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = super::parse::parse_positive, hide = true)]
    pub size: f64,

    /// Overwrite what is there
    #[arg(long)]
    pub force: bool,

    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// Which nuisance parameters an Asimov data set has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NuisancesArg {
    /// Their initial values: nothing observed enters.
    Nominal,
    /// From a conditional fit to the observed data.
    Fitted,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
