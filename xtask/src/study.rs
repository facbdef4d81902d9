//! `cargo xtask study [NAME [OPTION]..]`: a study at full length, in release.

use std::process::Stdio;

use crate::process;
use crate::workspace::Workspace;

/// Runs a program of `studies/src/bin`, or lists them.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    let names = names(workspace)?;
    let Some((name, rest)) = args.split_first() else {
        println!("studies: {}", names.join(", "));
        return Ok(true);
    };
    if !names.contains(name) {
        return Err(format!(
            "there is no study '{name}'; there are {}",
            names.join(", ")
        ));
    }
    let mut command = workspace.cargo();
    command
        .args(["run", "--release", "--locked", "-p", "pullback-studies"])
        .args(["--bin", name, "--"])
        .args(rest)
        .stdin(Stdio::null());
    let status = command
        .status()
        .map_err(|error| format!("cannot start {}: {error}", process::shown(&command)))?;
    Ok(status.success())
}

fn names(workspace: &Workspace) -> Result<Vec<String>, String> {
    let folder = workspace.root.join("studies/src/bin");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some(path.file_stem()?.to_str()?.to_owned())
        })
        .collect();
    names.sort();
    Ok(names)
}
