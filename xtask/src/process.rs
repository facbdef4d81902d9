//! Running commands: into a log, or on the terminal.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::json::Json;
use crate::workspace::Workspace;

/// The log of a stage: `target/xtask/STAGE.log`.
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// An empty log.
    pub fn create(workspace: &Workspace, stage: &str) -> Result<Self, String> {
        let folder = workspace.target.join("xtask");
        let path = folder.join(format!("{stage}.log"));
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, ""))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything written so far.
    pub fn text(&self) -> String {
        let bytes = fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Adds a line.
    pub fn line(&self, text: &str) -> Result<(), String> {
        let mut file = self.open()?;
        writeln!(file, "{text}").map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Runs a command with both its streams in the log; returns what it wrote, and whether it succeeded.
    pub fn run(&self, command: &mut Command) -> Result<(String, bool), String> {
        let before = self.text().len();
        let out = self.open()?;
        let (_, ok) = self.start(command.stdout(out))?;
        let output = self.text().get(before..).unwrap_or_default().to_owned();
        Ok((output, ok))
    }

    /// Runs a command whose standard output is for us, not for a reader; the rest is in the log.
    pub fn read(&self, command: &mut Command) -> Result<(String, bool), String> {
        self.start(command.stdout(Stdio::piped()))
    }

    fn start(&self, command: &mut Command) -> Result<(String, bool), String> {
        self.line(&format!("$ {}", shown(command)))?;
        let output = command
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .stderr(self.open()?)
            .spawn()
            .and_then(Child::wait_with_output)
            .map_err(|error| format!("cannot run {}: {error}", shown(command)))?;
        if !output.status.success() {
            self.line(&format!("({})", output.status))?;
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((text, output.status.success()))
    }

    fn open(&self) -> Result<fs::File, String> {
        OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// A command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program
        .file_stem()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    for arg in command.get_args() {
        let _ = write!(line, " {}", arg.to_string_lossy());
    }
    line
}

/// Whether `cargo NAME` is installed.
pub fn has_cargo_command(workspace: &Workspace, name: &str) -> bool {
    workspace
        .cargo()
        .args([name, "--version"])
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

/// The executables in the JSON messages of a `cargo build --message-format=json`: (target name, path).
pub fn executables(messages: &str) -> Vec<(String, PathBuf)> {
    messages
        .lines()
        .filter(|line| line.starts_with('{'))
        .filter_map(|line| {
            let message = Json::parse(line).ok()?;
            let path = message.get("executable")?.text()?;
            let name = message.get("target")?.get("name")?.text()?;
            Some((name.to_owned(), PathBuf::from(path)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_of_cargo_messages() {
        let messages = concat!(
            "   Compiling x v0.1.0\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"lib\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"pullback\"},\"executable\":\"target/p\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        let expected = vec![("pullback".to_owned(), PathBuf::from("target/p"))];
        assert_eq!(executables(messages), expected);
    }
}
