//! The command line.

mod cli;
mod model;
mod parse;

pub use cli::{
    Cli, CodecArg, Command, DataArgs, DataCommand, DemoArgs, EvalArgs, FitArgs, GenerateArgs,
    InspectArgs, NuisancesArg, OptimizeArgs, RunArgs, WorkspaceCommand,
};
pub use model::ModelArgs;
