//! `cargo xtask fuzz [SECONDS]` and `cargo xtask validate`: the long variants of tests that are short by default.
//!
//! A test whose path contains `fuzz` reads `PULLBACK_FUZZ_SECONDS`, one whose path contains `validate` reads
//! `PULLBACK_VALIDATE`; without the variable each is a bounded test of the suite, so no test is ever ignored.

use std::process::Stdio;

use crate::process;
use crate::workspace::Workspace;

/// Fuzzing, each entry point for the given number of seconds.
pub fn fuzz(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    let seconds = match args {
        [] => 60,
        [seconds] => seconds
            .parse::<u32>()
            .map_err(|_| format!("fuzz takes a number of seconds, not '{seconds}'"))?,
        _ => return Err("fuzz takes one number of seconds".to_owned()),
    };
    println!("each fuzz test runs for {seconds} s");
    matching(
        workspace,
        "fuzz",
        "PULLBACK_FUZZ_SECONDS",
        &seconds.to_string(),
    )
}

/// The validations at full length.
pub fn validate(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    if !args.is_empty() {
        return Err("validate takes no arguments".to_owned());
    }
    matching(workspace, "validate", "PULLBACK_VALIDATE", "1")
}

/// Runs the tests whose path contains `filter`, in release, on the terminal.
fn matching(workspace: &Workspace, filter: &str, name: &str, value: &str) -> Result<bool, String> {
    let mut list = workspace.cargo();
    list.args([
        "test",
        "--release",
        "--workspace",
        "--locked",
        "--lib",
        "--bins",
        "--tests",
    ])
    .args([filter, "--", "--list", "--format", "terse"])
    .stderr(Stdio::inherit());
    let output = list
        .output()
        .map_err(|error| format!("cannot start {}: {error}", process::shown(&list)))?;
    if !output.status.success() {
        return Ok(false);
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let count = listed
        .lines()
        .filter(|line| line.ends_with(": test"))
        .count();
    if count == 0 {
        return Err(format!("no test has '{filter}' in its path"));
    }
    println!("{count} tests:\n{}", listed.trim());
    let mut run = workspace.cargo();
    run.args([
        "test",
        "--release",
        "--workspace",
        "--locked",
        "--lib",
        "--bins",
        "--tests",
    ])
    .args(["--no-fail-fast", filter, "--", "--nocapture"])
    .env(name, value);
    let status = run
        .status()
        .map_err(|error| format!("cannot start {}: {error}", process::shown(&run)))?;
    Ok(status.success())
}
