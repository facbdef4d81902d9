//! The command line.

mod cli;
mod model;
mod parse;

pub use cli::{
    Cli, Command, DataArgs, DataCommand, DemoArgs, EvalArgs, FitArgs, InspectArgs, NuisancesArg,
    RunArgs, WorkspaceCommand,
};
pub use model::ModelArgs;
