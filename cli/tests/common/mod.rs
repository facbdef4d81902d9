//! Runs the program.

#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a run gave.
#[derive(Debug, Clone)]
pub struct Run {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// An empty folder to run in, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    /// Reads a file in it.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Names of the files in it, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `pullback` in it, on output that is 80 columns wide.
    pub fn run(&self, args: &[&str], stdin: &str) -> Run {
        self.run_wide(args, stdin, 80)
    }

    /// The same with another width.
    pub fn run_wide(&self, args: &[&str], stdin: &str, columns: usize) -> Run {
        let mut child = self
            .command(args)
            .env("COLUMNS", columns.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end without reading.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pullback"));
        command.args(args).current_dir(&self.0).env("NO_COLOR", "1");
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A workspace with a signal region and a control region, all types of modifiers but shapefactor, and a modifier without effect.
pub const TWO_CHANNELS: &str = include_str!("../data/two_channels.json");

/// A folder with that workspace in it.
pub fn folder_with_workspace() -> Folder {
    let folder = Folder::new();
    folder.write("ws.json", TWO_CHANNELS);
    folder
}

/// Replaces what differs between runs and machines: times, and the counts and the distance of the minimiser.
pub fn stable(text: &str) -> String {
    text.lines().map(stable_line).collect::<Vec<_>>().join("\n")
}

fn stable_line(line: &str) -> String {
    if line.starts_with("read ") && line.contains("covariance ") {
        return "read [t], compile [t], fit [t], covariance [t]".to_owned();
    }
    if let Some(number) = line.strip_prefix("twice_nll = ") {
        // The last digits differ between instruction sets.
        return format!("twice_nll = {:.9}", number.parse::<f64>().unwrap());
    }
    if let Some((value, _)) = line.split_once(", edm ") {
        return format!("{value}, edm [edm]; [n] iterations, [n] evaluations");
    }
    if let Some((_, name)) = line
        .strip_prefix("Report: ")
        .and_then(|path| path.rsplit_once('/'))
    {
        return format!("Report: [folder]/{name}");
    }
    line.to_owned()
}

/// A page that needs nothing else, and in which nothing went wrong.
pub fn check_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    for word in [
        "http:",
        "https:",
        "<script",
        "<link",
        "@import",
        "NaN",
        "template failed",
        "{{",
        "{%",
    ] {
        assert!(!elsewhere.contains(word), "{word}");
    }
    for tag in [
        "svg", "g", "figure", "section", "table", "tr", "td", "ul", "li", "div", "p",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}
