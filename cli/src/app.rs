//! From the command line to an exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, DataCommand, WorkspaceCommand};
use crate::failure::Failure;
use crate::{complaint, interrupt, verbs};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As hoped for: exit code 0.
    Good,
    /// There is a result, and it says no (a fit that did not converge): exit code 1.
    Negative,
}

/// Runs the command of the process. Usage errors end in clap with exit code 2.
pub fn run() -> ExitCode {
    interrupt::install();
    let cli = Cli::parse();
    match dispatch(&cli.command) {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(1),
        Err(failure) => {
            complaint::print(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Ws {
            command: WorkspaceCommand::Inspect(args),
        }
        | Command::Inspect(args) => verbs::inspect(args),
        Command::Data {
            command: DataCommand::Inspect(args),
        } => verbs::inspect_data(args),
        Command::Eval(args) => verbs::eval(args),
        Command::Fit(args) => verbs::fit(args),
        Command::Run(args) => verbs::run(args),
        Command::Optimize(args) => verbs::optimize(args),
        Command::Demo(args) => verbs::demo(args),
        Command::Generate(args) => verbs::generate(args),
    }
}
