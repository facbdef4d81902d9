//! Runs the shell lines of the README (its Rust blocks are doctests of `pullback-benches`).
//!
//! In a block marked `sh`, lines that start with `pullback ` or `cargo run --release -- ` are run in order in one empty
//! folder, and each must succeed. Other lines, and blocks marked `console` or `text`, are for the reader.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use super::run::Outcome;
use super::stages::release_binary;
use crate::process::Log;
use crate::workspace::Workspace;

/// The stage.
pub fn run(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let readme = workspace.read("README.md".as_ref())?.unwrap_or_default();
    let lines = runnable(&readme);
    if lines.is_empty() {
        return Err("README.md has no line to run".to_owned());
    }
    let Some(binary) = release_binary(workspace, log)? else {
        return Ok(Outcome::Failed(0, 1));
    };
    let folder = workspace.scratch("readme")?;
    let path = search_path(&binary)?;
    let mut failed = 0;
    for line in &lines {
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", line])
            .current_dir(&folder)
            .env("PATH", &path);
        let (_, ok) = log.run(&mut shell)?;
        if !ok {
            failed += 1;
            log.line(&format!(
                "error: README.md: this line does not succeed: {line}"
            ))?;
        }
    }
    // One check: the README. Its lines are named in the log.
    Ok(Outcome::of(failed == 0, format!("{} lines", lines.len())))
}

/// The search path with the folder of the program in front.
fn search_path(binary: &std::path::Path) -> Result<OsString, String> {
    let mut folders: Vec<_> = binary.parent().map(Into::into).into_iter().collect();
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    env::join_paths(folders).map_err(|error| error.to_string())
}

/// The lines to run, with `pullback` for `cargo run --release --`; a backslash at the end continues a line.
fn runnable(readme: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut block: Option<bool> = None;
    let mut open = String::new();
    for line in readme.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = match block {
                Some(_) => None,
                None => Some(language.trim() == "sh"),
            };
            continue;
        }
        if block != Some(true) {
            continue;
        }
        if let Some(head) = line.trim_end().strip_suffix('\\') {
            open.push_str(head);
            continue;
        }
        let line = std::mem::take(&mut open) + line;
        let line = line.trim();
        if let Some(arguments) = line.strip_prefix("cargo run --release -- ") {
            lines.push(format!("pullback {arguments}"));
        } else if line.starts_with("pullback ") {
            lines.push(line.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_lines_in_sh_blocks_are_run() {
        let readme = "\
text: pullback no
```sh
cargo run --release -- demo
cargo xtask test
pullback fit a.json \\
    --json
```
```console
pullback no
```
  ```sh
  pullback ws inspect a.json  # what is in it
  ```
";
        let lines = runnable(readme);
        assert_eq!(
            lines,
            [
                "pullback demo",
                "pullback fit a.json     --json",
                "pullback ws inspect a.json  # what is in it"
            ]
        );
    }
}
