//! The stages that are a command or two.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::count;
use super::run::Outcome;
use crate::process::{self, Log};
use crate::tidy;
use crate::workspace::Workspace;

/// `cargo fmt --check`.
pub fn fmt(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    if !process::has_cargo_command(workspace, "fmt") {
        return Ok(Outcome::Skipped(
            "no rustfmt here (rustup component add rustfmt)".to_owned(),
        ));
    }
    let (_, ok) = log.run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Outcome::of(ok, ""))
}

/// Clippy with warnings as errors.
pub fn clippy(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    if !process::has_cargo_command(workspace, "clippy") {
        return Ok(Outcome::Skipped(
            "no clippy here (rustup component add clippy)".to_owned(),
        ));
    }
    let mut command = workspace.cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]);
    let (_, ok) = log.run(&mut command)?;
    Ok(Outcome::of(ok, ""))
}

/// The rules of the house, in this process.
pub fn tidy(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let findings = tidy::findings(workspace)?;
    for finding in &findings {
        log.line(&finding.to_string())?;
    }
    let errors = findings.iter().filter(|finding| !finding.warning).count();
    Ok(Outcome::of(
        errors == 0,
        format!("{} warnings", findings.len() - errors),
    ))
}

/// Unit and integration tests: nextest where it is installed, else `cargo test`.
pub fn tests(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let with_nextest = process::has_cargo_command(workspace, "nextest");
    let mut command = workspace.cargo();
    if with_nextest {
        command.args([
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
        ]);
    } else {
        command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
        command.args(["--lib", "--bins", "--tests"]);
    }
    // A snapshot that changed is a failure, not a new file.
    let (output, ok) = log.run(command.env("INSTA_UPDATE", "no"))?;
    let counts = if with_nextest {
        count::nextest(&output)
    } else {
        count::cargo_test(&output)
    };
    Ok(counted(counts, ok))
}

/// The examples of the documentation, those of the README among them.
pub fn doctests(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let mut command = workspace.cargo();
    command.args(["test", "--doc", "--workspace", "--locked", "--no-fail-fast"]);
    let (output, ok) = log.run(&mut command)?;
    Ok(counted(count::cargo_test(&output), ok))
}

/// Counts of a runner; one that fails without a failed test (it did not compile) counts as one failure.
fn counted((passed, failed): (usize, usize), ok: bool) -> Outcome {
    if ok && failed == 0 {
        Outcome::Passed(passed, format!("{passed} tests"))
    } else {
        Outcome::Failed(passed, failed.max(1))
    }
}

/// The documentation, where a broken link is an error.
pub fn rustdoc(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let mut command = workspace.cargo();
    command
        .args(["doc", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings");
    let (_, ok) = log.run(&mut command)?;
    Ok(Outcome::of(ok, ""))
}

/// The release build of the command line program.
pub fn release_binary(workspace: &Workspace, log: &Log) -> Result<Option<PathBuf>, String> {
    let mut command = workspace.cargo();
    command
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "pullback-cli",
        ])
        .arg("--message-format=json-render-diagnostics");
    let (output, ok) = log.read(&mut command)?;
    let mut found = process::executables(&output).into_iter();
    Ok(found
        .find(|(name, _)| name == "pullback")
        .filter(|_| ok)
        .map(|(_, path)| path))
}

/// What `cargo run --release -- demo` does, in an empty folder: success, and a report that is a page.
pub fn demo(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let Some(binary) = release_binary(workspace, log)? else {
        return Ok(Outcome::Failed(0, 1));
    };
    let folder = workspace.scratch("demo")?;
    let (output, ok) = log.run(Command::new(binary).arg("demo").current_dir(&folder))?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder)
        .map_err(|error| error.to_string())?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let complete = text.contains("<html") && text.trim_end().ends_with("</html>");
            pages.push((name, complete));
        }
    }
    let good = pages
        .iter()
        .any(|(name, complete)| *complete && output.contains(name.as_str()));
    if ok && !good {
        log.line(&format!(
            "error: the demo wrote no complete .html page whose name it prints; it wrote {pages:?}"
        ))?;
    }
    Ok(Outcome::of(ok && good, ""))
}
