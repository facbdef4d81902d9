//! Lints and type-checks the Python scripts of the repository in `.venv`, which is made here, and runs the one that prepares data for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run::Outcome;
use crate::process::Log;
use crate::workspace::Workspace;

/// Names as `NAME==VERSION` of what the stage installs; numpy only where a script imports it (for its types).
const REQUIREMENTS: &str = ".ci/requirements.txt";

/// The stage.
pub fn run(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let mut scripts = workspace.files()?;
    scripts.retain(|file| file.extension().is_some_and(|extension| extension == "py"));
    if scripts.is_empty() {
        log.line("no Python file in the repository")?;
        return Ok(Outcome::Passed(
            0,
            "no Python file in the repository".to_owned(),
        ));
    }
    let Some(python) = linters(workspace, log, &scripts)? else {
        return Ok(Outcome::Failed(0, 1));
    };
    let mut failed = 0;
    let checks: [&[&str]; 3] = [
        &["ruff", "check", "--no-cache"],
        &["ruff", "format", "--check", "--no-cache"],
        &["mypy", "--cache-dir"],
    ];
    for check in checks {
        let mut command = Command::new(&python);
        command.current_dir(&workspace.root).arg("-m").args(check);
        if check[0] == "mypy" {
            command.arg(workspace.target.join("xtask/mypy"));
        }
        let (_, ok) = log.run(command.args(&scripts))?;
        failed += usize::from(!ok);
    }
    if failed > 0 {
        log.line("formatting and many findings are repaired by `.venv/bin/ruff format . && .venv/bin/ruff check --fix .`")?;
    }
    Ok(Outcome::of(
        failed == 0,
        format!("{} scripts", scripts.len()),
    ))
}

/// The interpreter of `.venv` with what lints and type-checks `scripts`; `None` where that failed.
fn linters(
    workspace: &Workspace,
    log: &Log,
    scripts: &[PathBuf],
) -> Result<Option<PathBuf>, String> {
    let mut with_numpy = false;
    for script in scripts {
        let text = workspace.read(script)?.unwrap_or_default();
        with_numpy |= text.lines().any(imports_numpy);
    }
    let text = workspace.read(REQUIREMENTS.as_ref())?;
    let text = text.ok_or_else(|| format!("{REQUIREMENTS} is not text"))?;
    let requirements: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| with_numpy || !line.starts_with("numpy"))
        .collect();
    environment(workspace, log, &requirements)
}

/// Data that lies outside the repository, the script that turns it into columns for a test, and the file in the target folder.
const DATA: &str = "../shared/data/agc-dimuon/open-data-example.root";
const COLUMNS_SCRIPT: &str = "scripts/agc_columns.py";
const COLUMNS: &str = "agc-dimuon.columns";
/// What the script needs to read ROOT files, beside numpy.
const DATA_REQUIREMENTS: &str = ".ci/requirements-data.txt";

/// The stage that writes columns for tests on real data, where the data is.
pub fn data(workspace: &Workspace, log: &Log) -> Result<Outcome, String> {
    let (source, script) = (
        workspace.root.join(DATA),
        workspace.root.join(COLUMNS_SCRIPT),
    );
    let target = workspace.target.join(COLUMNS);
    if !source.is_file() {
        return Ok(Outcome::Skipped(format!("{DATA} is not here")));
    }
    let made = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    if made(&target).is_some_and(|then| made(&script).is_some_and(|script| then > script)) {
        return Ok(Outcome::Passed(0, "up to date".to_owned()));
    }
    let mut scripts = workspace.files()?;
    scripts.retain(|file| file.extension().is_some_and(|extension| extension == "py"));
    let Some(python) = linters(workspace, log, &scripts)? else {
        return Ok(Outcome::Failed(0, 1));
    };
    let system = if cfg!(windows) { "python" } else { "python3" };
    let requirements = workspace.root.join(DATA_REQUIREMENTS);
    let install = |pip: &mut Command| {
        pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements);
        log.run(pip)
    };
    let mut outer = Command::new(system);
    outer.args(["-m", "pip", "--python"]).arg(&python);
    if !install(&mut outer)?.1 && !install(Command::new(&python).args(["-m", "pip"]))?.1 {
        return Ok(Outcome::Failed(0, 1));
    }
    let mut command = Command::new(&python);
    let (_, ok) = log.run(command.arg(&script).args([&source, &target]))?;
    Ok(Outcome::of(ok, COLUMNS))
}

fn imports_numpy(line: &str) -> bool {
    let mut words = line.split([' ', '.', ',']);
    matches!(words.next(), Some("import" | "from")) && words.next() == Some("numpy")
}

/// The interpreter of `.venv`, made or brought up to date; `None` where that failed (the log says why).
fn environment(
    workspace: &Workspace,
    log: &Log,
    requirements: &[&str],
) -> Result<Option<PathBuf>, String> {
    let folder = workspace.root.join(".venv");
    let inside = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    let python = folder.join(inside);
    let stamp = folder.join("xtask-requirements.txt");
    let wanted = requirements.join("\n");
    let usable = python.exists() && log.run(Command::new(&python).arg("--version"))?.1;
    if usable && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(Some(python));
    }
    let system = if cfg!(windows) { "python" } else { "python3" };
    if !usable {
        let mut create = Command::new(system);
        // Without its own pip it is made in no time, and works where Debian left out ensurepip.
        create
            .args(["-m", "venv", "--clear", "--without-pip"])
            .arg(&folder);
        if !log.run(&mut create)?.1 {
            return Ok(None);
        }
    }
    let install = |pip: &mut Command| {
        pip.args(["install", "--quiet", "--disable-pip-version-check"])
            .args(requirements);
        log.run(pip)
    };
    let mut outer = Command::new(system);
    outer.args(["-m", "pip", "--python"]).arg(&python);
    let mut ok = install(&mut outer)?.1;
    if !ok {
        // A pip before 22.3 has no --python: use one inside.
        ok = log.run(Command::new(&python).args(["-m", "ensurepip"]))?.1
            && install(Command::new(&python).args(["-m", "pip"]))?.1;
    }
    if ok {
        write(&stamp, &wanted)?;
    }
    Ok(ok.then_some(python))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpy_is_seen_where_it_is_imported() {
        assert!(imports_numpy("import numpy as np"));
        assert!(imports_numpy("from numpy.typing import NDArray"));
        assert!(!imports_numpy("import numpydoc"));
        assert!(!imports_numpy("# import numpy"));
    }
}
